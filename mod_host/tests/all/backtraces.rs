//! Where a mod was when it failed: names of functions from its name section, and lines from its line tables.

use std::time::Duration;

use mod_host::{CallError, Entropy, HostCalls, Instance, Limits, LoadError, ModBacktrace, NoHostCalls};

use crate::{
    harness::{Host, Setup, load, module},
    line_tables::{Tables, last_functions, with_sections},
};

/// What a backtrace holds, in short: `inner`, or `inner x3` where a function stands there several times in a row.
fn names(backtrace: &ModBacktrace) -> Vec<String> {
    let name = |frame: &mod_host::StackFrame| {
        let name = frame.function.clone().unwrap_or_else(|| "?".to_owned());
        if frame.times == 1 { name } else { format!("{name} x{}", frame.times) }
    };
    backtrace.frames().iter().map(name).collect()
}

fn fail(instance: &mut Instance, host: &mut dyn HostCalls) -> CallError {
    instance.call::<_, ()>("harvest", &(), host).unwrap_err()
}

/// A mod whose export `harvest` calls `pick`, which does this.
fn picking(imports: &str, code: &str) -> Instance {
    let body = format!(
        r#"(data (i32.const 64) "too ripe") (func $pick {code})
        (func $harvest (export "__harvest") (param i64) (result i64) (call $pick) (i64.const 0))"#
    );
    // A loop waits this long, and whatever fails otherwise gets there before, on a busy machine too.
    let limits = Limits { call_time: Duration::from_millis(500), ..Limits::default() };
    Setup { limits, entropy: Entropy::Host, ..Setup::default() }.load(&module(imports, &body)).unwrap()
}

const IMPORTS: &str = r#"(import "env" "__panic" (func $panic (param i32 i32)))
    (import "env" "__double" (func $double (param i64) (result i64)))
    (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))"#;

#[test]
fn whatever_ends_a_call_in_the_middle_says_where() {
    for (code, expected) in [
        ("unreachable", "failed: wasm `unreachable` instruction executed (in pick < harvest)"),
        ("(call $panic (i32.const 64) (i32.const 8)) unreachable", "panicked: too ripe (in pick < harvest)"),
        ("(loop $again (br $again))", "was stopped because it ran longer than 500ms (in pick < harvest)"),
        (
            "(drop (memory.grow (i32.const 60000))) unreachable",
            "ran out of memory: the mod may use 67108864 bytes (in pick < harvest)",
        ),
        ("(drop (call $double (i64.const 0)))", "called `double`, which failed: it is late (in pick < harvest)"),
        ("(call $exit (i32.const 3))", "ended the mod with exit code 3 (in pick < harvest)"),
    ] {
        let mut instance = picking(IMPORTS, code);
        let error = fail(&mut instance, &mut Host::refusing("it is late"));
        assert_eq!(error.to_string(), format!("`harvest` {expected}"));
        let backtrace = error.backtrace().expect("it was in the middle");
        assert_eq!(names(backtrace), ["pick", "harvest"], "{error}");
        assert_eq!(backtrace.to_string(), "   0: pick\n   1: harvest\n");
        assert!(backtrace.location().is_none() && !backtrace.is_cut());
        // What follows from it was not in the middle of anything.
        assert!(fail(&mut instance, &mut NoHostCalls).backtrace().is_none());
    }
}

#[test]
fn a_function_that_the_host_called_on_its_way_is_the_innermost() {
    // The answer of the host needs room in the mod, whose allocator fails.
    let text = r#"(module (import "env" "__double" (func $double (param i64) (result i64))) (memory (export "memory") 1)
        (func $alloc (export "__alloc_buffer") (param i32) (result i32)
            (if (i32.eq (local.get 0) (i32.const 3)) (then unreachable)) (i32.const 16))
        (func (export "__free_buffer") (param i64))
        (func $harvest (export "__harvest") (param i64) (result i64) (call $double (i64.const 0))))"#;
    let mut instance = Setup::default().load(&crate::harness::wasm(text)).unwrap();
    let error = fail(&mut instance, &mut Host::answering(&[1, 2, 3]));
    assert_eq!(error.backtrace().map(names).unwrap(), ["alloc", "harvest"], "{error}");
}

#[test]
fn recursion_stands_once_and_what_is_too_deep_is_cut() {
    let mut once = picking(
        "",
        "(call $again (i32.const 5))) (func $again (param $n i32)
        (if (i32.eqz (local.get $n)) (then unreachable)) (call $again (i32.sub (local.get $n) (i32.const 1)))",
    );
    let error = fail(&mut once, &mut NoHostCalls);
    let backtrace = error.backtrace().unwrap();
    assert_eq!(names(backtrace), ["again x6", "pick", "harvest"]);
    assert_eq!(backtrace.to_string(), "   0: again (6 times)\n   1: pick\n   2: harvest\n");
    assert!(error.to_string().ends_with("(in again < pick < harvest)"), "{error}");

    let mut endless = picking("", "(call $pick)");
    let error = fail(&mut endless, &mut NoHostCalls);
    let backtrace = error.backtrace().unwrap();
    assert_eq!(names(backtrace), ["pick x64"]);
    assert!(backtrace.is_cut());
    assert_eq!(backtrace.to_string(), "   0: pick (64 times)\n      ... and more that are not kept\n");

    let mut in_turns = picking("", "(call $ping)) (func $ping (call $pong)) (func $pong (call $ping)");
    let error = fail(&mut in_turns, &mut NoHostCalls);
    assert_eq!(error.backtrace().unwrap().frames().len(), 64);
    // Where the stack ends, either of them may run.
    let is_cut = |text: &str| text.ends_with("ping < pong < ...)") || text.ends_with("pong < ping < ...)");
    assert!(error.to_string().len() < 200 && is_cut(&error.to_string()), "{error}");
}

#[test]
fn names_are_as_their_author_wrote_them_and_clean() {
    let mut instance = picking(
        "",
        r#"(call $"_ZN7orchard5drift17h0123456789abcdefE"))
        (func $"_ZN7orchard5drift17h0123456789abcdefE" (call $"two\0alines\1b[2J")) (func $"two\0alines\1b[2J" unreachable"#,
    );
    let error = fail(&mut instance, &mut NoHostCalls);
    assert_eq!(names(error.backtrace().unwrap()), ["two lines[2J", "orchard::drift", "pick", "harvest"]);
    let long = "x".repeat(5000);
    let mut instance = picking("", &format!("(call ${long})) (func ${long} unreachable"));
    let error = fail(&mut instance, &mut NoHostCalls);
    assert!(error.to_string().len() < 500, "{error}");
}

#[test]
fn a_line_names_what_the_mod_wrote_and_a_backtrace_all() {
    let frames = [
        "_ZN7mod_sdk6system11BoxedSystem3new28_$u7b$$u7b$closure$u7d$$u7d$17h663235729a3da136E",
        "_ZN4core3ops8function6FnOnce9call_once17h27abfe4ebc285effE",
        "_ZN66_$LT$core..option..Option$LT$T$GT$$u20$as$u20$core..fmt..Debug$GT$3fmt17h3cc53ed6e599ce93E",
    ];
    let [system, once, debug] = frames;
    let mut instance = picking(
        "",
        &format!(
            "(call ${system})) (func ${system} (call ${once})) (func ${once} (call ${debug}))
        (func ${debug} unreachable"
        ),
    );
    let error = fail(&mut instance, &mut NoHostCalls);
    assert!(error.to_string().ends_with("(in pick < harvest)"), "{error}");
    assert_eq!(error.backtrace().unwrap().frames().len(), 5);
}

#[test]
fn a_panic_of_rust_begins_where_the_mod_called_it() {
    let mut instance = picking(
        IMPORTS,
        r#"(call $"_ZN4core9panicking9panic_fmt17h0123456789abcdefE"))
        (func $"_ZN4core9panicking9panic_fmt17h0123456789abcdefE" (call $rust_begin_unwind))
        (func $rust_begin_unwind (call $panic (i32.const 64) (i32.const 8)) unreachable"#,
    );
    let error = fail(&mut instance, &mut NoHostCalls);
    assert_eq!(error.to_string(), "`harvest` panicked: too ripe (in pick < harvest)");
    assert_eq!(
        names(error.backtrace().unwrap()),
        ["rust_begin_unwind", "core::panicking::panic_fmt", "pick", "harvest"]
    );
}

#[test]
fn without_names_there_are_numbers_and_a_short_line() {
    let body = r#"(func unreachable) (func (export "__harvest") (param i64) (result i64) (call 10) (i64.const 0))"#;
    let mut instance = load("", body);
    let error = fail(&mut instance, &mut NoHostCalls);
    let backtrace = error.backtrace().unwrap();
    assert_eq!(names(backtrace), ["?", "?"]);
    assert_eq!(error.to_string(), "`harvest` failed: wasm `unreachable` instruction executed");
    let [inner, outer] = backtrace.frames() else { panic!("{backtrace}") };
    assert_eq!(backtrace.to_string(), format!("   0: function {}\n   1: function {}\n", inner.index, outer.index));
}

#[test]
fn a_mod_that_fails_while_it_starts_says_where() {
    for body in [
        "(func $s (call $t)) (func $t unreachable) (start $s)",
        r#"(func $s (export "_initialize") (call $t)) (func $t unreachable)"#,
    ] {
        let error = Setup::default().load(&module("", body)).unwrap_err();
        assert_eq!(error.backtrace().map(names).unwrap(), ["t", "s"], "{error}");
    }
    assert!(LoadError::NotWasm.backtrace().is_none());
}

#[test]
fn line_tables_give_files_and_lines() {
    let body = r#"(func $pick unreachable)
        (func $harvest (export "__harvest") (param i64) (result i64) (call $pick) (i64.const 0))"#;
    let plain = module("", body);
    let [pick, harvest] = last_functions(&plain);
    for version in [4, 5] {
        let sections = Tables::new(version)
            .function(pick.clone(), b"/rustc/abc", b"library/core/src/hint.rs", &[(0, 99)])
            .function(harvest.clone(), b"orchard/src", b"lib.rs", &[(0, 7), (1, 8)])
            .sections();
        let mut instance = Setup::default().load(&with_sections(&plain, &sections)).unwrap();
        let error = fail(&mut instance, &mut NoHostCalls);
        let cause =
            "`harvest` failed: wasm `unreachable` instruction executed (in pick < harvest, at orchard/src/lib.rs:8)";
        assert_eq!(error.to_string(), cause, "version {version}");
        let lines =
            "   0: pick\n             at core/src/hint.rs:99\n   1: harvest\n             at orchard/src/lib.rs:8\n";
        assert_eq!(error.backtrace().unwrap().to_string(), lines, "version {version}");
        assert_eq!(error.backtrace().unwrap().location().map(|location| location.own), Some(true));
    }
}
