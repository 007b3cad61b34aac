//! Mods that trap, loop, panic or eat memory: each is an error with a name, and the game goes on.

use std::{
    thread,
    time::{Duration, Instant},
};

use mod_host::{CallError, Entropy, Limits, NoHostCalls};

use crate::harness::{Host, Setup, assert_contains, load, module};

const LOOP: &str = r#"(func $spin (loop $again (br $again)))
    (func (export "__spin") (param i64) (result i64) (call $spin) (i64.const 0))"#;

#[test]
fn traps_name_their_cause_and_their_functions_and_poison() {
    for (what, code, expected) in [
        ("unreachable", "unreachable", "`bad` failed: wasm `unreachable` instruction executed (in inner < outer)"),
        ("load", "(drop (i32.load (i32.const -4)))", "`bad` failed: out of bounds memory access (in inner < outer)"),
        ("division", "(drop (i32.div_s (i32.const 1) (i32.const 0)))", "integer divide by zero"),
        ("null call", "(call_indirect (i32.const 0))", "uninitialized element"),
        ("recursion", "(call $inner)", "`bad` failed: call stack exhausted (in inner)"),
    ] {
        let body = format!(
            r#"(table 1 funcref) (func $inner {code})
            (func $outer (export "__bad") (param i64) (result i64) (call $inner) (i64.const 0))"#
        );
        let mut instance = load("", &body);
        let error = instance.call::<_, ()>("bad", &(), &mut NoHostCalls).unwrap_err();
        assert!(matches!(error, CallError::Trap { .. }), "{what}: {error}");
        assert_contains(&error.to_string(), expected);

        assert!(instance.is_poisoned(), "{what}");
        for error in [
            instance.call::<_, ()>("nothing", &(), &mut NoHostCalls).unwrap_err(),
            instance.run("drift", &mut NoHostCalls).unwrap_err(),
            instance.batch(16).unwrap_err(),
            instance.batch_bytes().unwrap_err(),
            instance.guest_bytes(mod_abi::Buffer::new(0, 1)).unwrap_err(),
        ] {
            assert!(matches!(error, CallError::Poisoned { .. }), "{what}: {error}");
        }
    }
}

#[test]
fn a_loop_is_stopped_in_time() {
    let limits = Limits { call_time: Duration::from_millis(30), ..Limits::default() };
    let mut instance = Setup { limits, ..Setup::default() }.load(&module("", LOOP)).unwrap();
    let start = Instant::now();
    let error = instance.call::<_, ()>("spin", &(), &mut NoHostCalls).unwrap_err();
    let took = start.elapsed();
    assert_eq!(error.to_string(), "`spin` was stopped because it ran longer than 30ms (in spin < function 11)");
    assert!(took >= Duration::from_millis(25) && took < Duration::from_secs(2), "{took:?}");
    assert!(instance.is_poisoned());
}

#[test]
fn a_neighbour_is_not_stopped() {
    let short = Limits { call_time: Duration::from_millis(20), ..Limits::default() };
    let long = Limits { call_time: Duration::from_secs(20), ..Limits::default() };
    // Counts to a number that takes many ticks, while others are stopped beside it.
    let count = r#"(func (export "__count") (param i64) (result i64) (local $n i64)
        (loop $again
            (local.set $n (i64.add (local.get $n) (i64.const 1)))
            (br_if $again (i64.lt_u (local.get $n) (i64.const 300000000))))
        (i64.const 0))"#;
    let mut neighbour = Setup { limits: long, ..Setup::default() }.load(&module("", count)).unwrap();
    let neighbour = thread::spawn(move || neighbour.call::<_, ()>("count", &(), &mut NoHostCalls));
    let setup = Setup { limits: short, ..Setup::default() };
    for _ in 0..3 {
        let mut looping = setup.load(&module("", LOOP)).unwrap();
        let error = looping.call::<_, ()>("spin", &(), &mut NoHostCalls).unwrap_err();
        assert!(matches!(error, CallError::Timeout { .. }), "{error}");
    }
    neighbour.join().unwrap().unwrap();
}

#[test]
fn a_deadline_covers_the_allocator_too() {
    let text = r#"(module (memory (export "memory") 1)
        (func (export "__alloc_buffer") (param i32) (result i32) (loop $again (br $again)) (i32.const 16))
        (func (export "__free_buffer") (param i64))
        (func (export "__echo") (param i64) (result i64) (local.get 0)))"#;
    let mut instance = Setup::default().load(&crate::harness::wasm(text)).unwrap();
    let error = instance.call::<_, u8>("echo", &1_u8, &mut NoHostCalls).unwrap_err();
    assert!(matches!(&error, CallError::Timeout { function, .. } if function == "echo"), "{error}");
}

#[test]
fn memory_ends_at_the_limit() {
    let limits = Limits { memory_bytes: 1 << 20, ..Limits::default() };
    let setup = Setup { limits, ..Setup::default() };
    let growing = |give_up: &str| {
        let body = format!(
            r#"(func (export "__eat") (param i64) (result i64)
                (loop $again (br_if $again (i32.ne (i32.const -1) (memory.grow (i32.const 1)))))
                {give_up})"#
        );
        setup.load(&module("", &body)).unwrap()
    };
    let mut dying = growing("unreachable");
    let error = dying.call::<_, ()>("eat", &(), &mut NoHostCalls).unwrap_err();
    assert_eq!(error.to_string(), "`eat` ran out of memory: the mod may use 1048576 bytes");
    assert!(dying.is_poisoned());
    assert_eq!(dying.memory_bytes(), 1 << 20);

    // A mod that can do without goes on, and a later trap is not blamed on it.
    let mut coping = growing("(i64.const 0)");
    coping.call::<_, ()>("eat", &(), &mut NoHostCalls).unwrap();
    assert_eq!(coping.memory_bytes(), 1 << 20);
    coping.call::<_, ()>("nothing", &(), &mut NoHostCalls).unwrap();

    // Arguments that do not fit are refused by the mod's allocator; the mod lives.
    let mut small = growing("unreachable");
    let error = small.call_bytes("echo", &vec![0; 2 << 20], &mut NoHostCalls).unwrap_err();
    assert!(
        matches!(&error, CallError::OutOfMemory { function, limit: 1_048_576, .. } if function == "echo"),
        "{error}"
    );
    assert!(!small.is_poisoned());
    small.call::<_, ()>("nothing", &(), &mut NoHostCalls).unwrap();
}

#[test]
fn a_request_for_all_memory_is_refused() {
    for pages in [65_535, 65_536] {
        let body = format!(
            r#"(func (export "__huge") (param i64) (result i64)
                (if (i32.ne (i32.const -1) (memory.grow (i32.const {pages}))) (then unreachable))
                (i64.const 0))"#
        );
        let mut instance = load("", &body);
        instance.call::<_, ()>("huge", &(), &mut NoHostCalls).unwrap();
        assert_eq!(instance.memory_bytes(), 2 << 16);
        let error = instance.batch(u32::MAX as usize).unwrap_err();
        assert!(matches!(error, CallError::OutOfMemory { .. }), "{error}");
        let error = instance.batch(usize::MAX).unwrap_err();
        assert!(matches!(error, CallError::OutOfMemory { .. }), "{error}");
    }
}

#[test]
fn tables_end_at_the_limit() {
    let body = r#"(table $t 1 funcref) (func (export "__grow") (param i64) (result i64)
        (loop $again (br_if $again (i32.ne (i32.const -1) (table.grow $t (ref.null func) (i32.const 1000)))))
        (i32.store (i32.const 16) (table.size $t)) (call $buf (i32.const 16) (i32.const 4)))"#;
    assert_eq!(load("", body).call::<_, u32>("grow", &(), &mut NoHostCalls).unwrap(), 99_001);
}

const PANIC: &str = r#"(import "env" "__panic" (func $panic (param i32 i32)))"#;

#[test]
fn a_panic_tells_its_text() {
    let body = r#"(data (i32.const 64) "panicked at src/lib.rs:3:5:\0aboom \1b[31m")
        (func (export "__boom") (param i64) (result i64)
            (call $panic (i32.const 64) (i32.const 38)) unreachable)
        (func (export "__far") (param i64) (result i64)
            (call $panic (i32.const -4) (i32.const 38)) unreachable)"#;
    let error = load(PANIC, body).call::<_, ()>("boom", &(), &mut NoHostCalls).unwrap_err();
    assert_eq!(error.to_string(), "`boom` panicked: panicked at src/lib.rs:3:5: boom [31m");
    let error = load(PANIC, body).call::<_, ()>("far", &(), &mut NoHostCalls).unwrap_err();
    assert_contains(&error.to_string(), "`far` panicked: its message cannot be read: a buffer of 38 bytes");
}

#[test]
fn a_panic_for_lack_of_memory_says_so() {
    let body = r#"(func (export "__boom") (param i64) (result i64)
        (drop (memory.grow (i32.const 60000))) (call $panic (i32.const 0) (i32.const 4)) unreachable)"#;
    let error = load(PANIC, body).call::<_, ()>("boom", &(), &mut NoHostCalls).unwrap_err();
    assert!(matches!(error, CallError::OutOfMemory { limit: 67_108_864, .. }), "{error}");
}

#[test]
fn starting_fails_like_a_call() {
    let short = Limits { startup_time: Duration::from_millis(500), ..Limits::default() };
    let setup = Setup { limits: short, entropy: Entropy::Host, ..Setup::default() };
    for (imports, body, expected) in [
        ("", "(func $s (loop $again (br $again))) (start $s)", "`the start function` was stopped"),
        ("", "(func $s unreachable) (start $s)", "`the start function` failed: wasm `unreachable`"),
        ("", r#"(func (export "_initialize") unreachable)"#, "`_initialize` failed: wasm `unreachable`"),
        ("", r#"(func (export "_initialize") (loop $again (br $again)))"#, "`_initialize` was stopped"),
        ("", r#"(data (i32.const 0x7fff0000) "x")"#, "`the start function` failed: out of bounds memory access"),
        (
            r#"(import "env" "__double" (func $double (param i64) (result i64)))"#,
            "(func $s (drop (call $double (i64.const 0)))) (start $s)",
            "`the start function` called `double`, which failed: host functions cannot be called here",
        ),
        (
            r#"(import "env" "__double" (func $double (param i64) (result i64)))"#,
            r#"(func (export "_initialize") (drop (call $double (i64.const 0))))"#,
            "`_initialize` called `double`, which failed: host functions cannot be called here",
        ),
    ] {
        let error = setup.load(&module(imports, body)).unwrap_err().to_string();
        assert_contains(&error, "the mod failed while it started: ");
        assert_contains(&error, expected);
    }
}

#[test]
fn initialize_runs_once_and_first() {
    let body = r#"(global $n (mut i32) (i32.const 0))
        (func $s (global.set $n (i32.const 10))) (start $s)
        (func (export "_initialize") (global.set $n (i32.add (global.get $n) (i32.const 1))))
        (func (export "__runs") (param i64) (result i64)
            (i32.store (i32.const 16) (global.get $n)) (call $buf (i32.const 16) (i32.const 4)))"#;
    let mut instance = load("", body);
    for _ in 0..3 {
        assert_eq!(instance.call::<_, u32>("runs", &(), &mut NoHostCalls).unwrap(), 11);
    }
}

#[test]
fn describing_is_a_call_like_others() {
    assert_eq!(load("", "").describe().unwrap(), mod_abi::describe::ModDescription::default());
    let limits = Limits { startup_time: Duration::from_millis(500), ..Limits::default() };
    let setup = Setup { limits, ..Setup::default() };
    for (code, expected) in [
        ("unreachable", "`__mod_describe` failed"),
        ("(loop $again (br $again)) (i64.const 0)", "`__mod_describe` was stopped"),
        ("(i64.const 0x1000_0000_0010)", "the result of `__mod_describe` is not a"),
        ("(i64.const 0xffff_ffff_0000_0010)", "`__mod_describe` returned a buffer"),
        ("(i64.const 0)", "the result of `__mod_describe` is not a"),
    ] {
        let body = format!(
            r#"(data (i32.const 4096) "\ff\ff\ff\ff\ff\ff\ff\ff\ff\ff\ff\ff\ff\ff\ff\ff")
            (func (export "__mod_describe") (param i64) (result i64) {code})"#
        );
        let mut instance = setup.load(&module("", &body)).unwrap();
        assert!(instance.manifest().describes);
        assert_contains(&instance.describe().unwrap_err().to_string(), expected);
    }
}

#[test]
fn a_description_is_read_and_cleaned() {
    let mut description = mod_abi::describe::ModDescription::default();
    description
        .systems
        .push(mod_abi::describe::SystemDesc { name: "double\u{1b}[31mx\n".to_owned(), ..Default::default() });
    let bytes = mod_abi::codec::encode(&description).unwrap();
    let data: Vec<String> = bytes.iter().map(|byte| format!("\\{byte:02x}")).collect();
    let body = format!(
        r#"(data (i32.const 64) "{}") (func (export "__mod_describe") (param i64) (result i64)
            (call $buf (i32.const 64) (i32.const {})))"#,
        data.concat(),
        bytes.len()
    );
    let read = load("", &body).describe().unwrap();
    let [system] = read.systems.as_slice() else { unreachable!("{read:?}") };
    assert_eq!(system.name, "double[31mx ");
}

#[test]
fn a_host_that_panics_poisons_the_mod_and_goes_on() {
    struct Panicking;
    impl mod_host::HostCalls for Panicking {
        fn call(&mut self, _: &mut mod_host::Caller<'_>, _: usize, _: &[u8], _: &mut Vec<u8>) -> Result<(), String> {
            std::panic::resume_unwind(Box::new("the game's own bug"))
        }
    }
    let mut instance = load(
        r#"(import "env" "__double" (func $double (param i64) (result i64)))"#,
        r#"(func (export "__through") (param i64) (result i64) (call $double (local.get 0)))"#,
    );
    let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        instance.call::<_, ()>("through", &(), &mut Panicking)
    }));
    assert!(outcome.is_err());
    assert!(instance.is_poisoned());
    let error = instance.call::<_, ()>("through", &(), &mut Host::answering(b"")).unwrap_err();
    assert!(matches!(error, CallError::Poisoned { .. }), "{error}");
}

#[test]
fn a_module_starts_anew_whatever_became_of_it() {
    let mut first = load(
        "",
        r#"(global $calls (mut i64) (i64.const 0))
        (func (export "__count") (param i64) (result i64)
            (global.set $calls (i64.add (global.get $calls) (i64.const 1)))
            (i32.store (i32.const 8) (i32.wrap_i64 (global.get $calls)))
            (i64.const 0x800000004))
        (func (export "__fail") (param i64) (result i64) unreachable)"#,
    );
    let count = |instance: &mut mod_host::Instance| instance.call::<_, u32>("count", &(), &mut NoHostCalls);
    assert_eq!((count(&mut first).unwrap(), count(&mut first).unwrap()), (1, 2));
    first.call::<_, ()>("fail", &(), &mut NoHostCalls).unwrap_err();
    let mut second = first.start_anew().unwrap();
    assert_eq!(count(&mut second).unwrap(), 1);
    assert!(first.is_poisoned() && !second.is_poisoned());
}
