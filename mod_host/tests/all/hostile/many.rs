//! Too much of something, and names that should not be shown as they are.

use std::time::{Duration, Instant};

use mod_host::{Limits, LoadError, NoHostCalls};

use crate::harness::{Setup, module};

/// What nothing here should take, on any machine.
const LONG: Duration = Duration::from_secs(60);

#[test]
fn ten_thousand_exports() {
    let exports: String =
        (0..10_000).map(|n| format!(r#"(func (export "__f{n}") (param i64) (result i64) (local.get 0))"#)).collect();
    let start = Instant::now();
    let mut instance = Setup::default().load(&module("", &exports)).unwrap();
    assert!(instance.manifest().exports.len() >= 10_000);
    for name in ["f0", "f4711", "f9999"] {
        assert_eq!(instance.call_bytes(name, b"some", &mut NoHostCalls).unwrap(), b"some");
    }
    // The nearest of all names is looked for.
    let error = instance.call_bytes("g9999", b"", &mut NoHostCalls).unwrap_err().to_string();
    assert!(error.contains("g9999") && error.len() < 1_000, "{error}");
    assert!(start.elapsed() < LONG, "{:?}", start.elapsed());
}

#[test]
fn ten_thousand_exports_and_imports_of_a_wrong_type() {
    let start = Instant::now();
    let exports: String = (0..10_000).map(|n| format!(r#"(func (export "__f{n}") (param f32))"#)).collect();
    let mut instance = Setup::default().load(&module("", &exports)).unwrap();
    let error = instance.call_bytes("f77", b"", &mut NoHostCalls).unwrap_err().to_string();
    assert!(error.contains("f77"), "{error}");
    let imports: String =
        (0..10_000).map(|n| format!(r#"(import "env" "__i{n}" (func (param i64) (result i64)))"#)).collect();
    let error = Setup::default().load(&module(&imports, "")).unwrap_err();
    let LoadError::Imports { problems } = &error else { unreachable!("{error}") };
    assert!(problems.len() < 100, "{} problems", problems.len());
    assert!(start.elapsed() < LONG, "{:?}", start.elapsed());
}

#[test]
fn a_hundred_thousand_functions_globals_and_segments() {
    let start = Instant::now();
    let functions = "(func)".repeat(100_000);
    Setup::default().load(&module("", &functions)).unwrap();
    let globals = "(global i32 (i32.const 0))".repeat(100_000);
    Setup::default().load(&module("", &globals)).unwrap();
    let data = r#"(data (i32.const 0) "x")"#.repeat(50_000);
    Setup::default().load(&module("", &data)).unwrap();
    // A hundred thousand functions around each other, and blocks in blocks.
    let nested = format!("(func {} {})", "(block ".repeat(10_000), ")".repeat(10_000));
    let _ = Setup::default().load(&module("", &nested)).map(drop);
    assert!(start.elapsed() < LONG, "{:?}", start.elapsed());
}

#[test]
fn names_with_control_characters_are_cleaned_wherever_they_are_shown() {
    let nasty = r"\1b[2J\0a\0d\e2\80\ae\c2\9b";
    let shown = |text: String| {
        assert!(!text.is_empty() && !text.chars().any(char::is_control), "{text:?}");
        assert!(!text.contains('\u{202e}') || text.contains("\\u{202e}"), "{text:?}");
    };
    // An export of such a name cannot be called, and is not listed.
    let body = format!(r#"(func (export "__{nasty}") (param i64) (result i64) unreachable)"#);
    let mut instance = Setup::default().load(&module("", &body)).unwrap();
    assert_eq!(instance.manifest().exports, ["add", "echo", "nothing", "stats"]);
    shown(instance.call_bytes("\u{1b}[2J\n\r\u{202e}\u{9b}", b"", &mut NoHostCalls).unwrap_err().to_string());
    shown(instance.call_bytes("\u{1b}\nmissing", b"", &mut NoHostCalls).unwrap_err().to_string());
    // Imports of all three kinds.
    for from in ["env", "wasi_snapshot_preview1", "mod:bees", nasty] {
        let import = format!(r#"(import "{from}" "__{nasty}" (func (param i64) (result i64)))"#);
        shown(Setup::default().load(&module(&import, "")).unwrap_err().to_string());
    }
    // Functions in a backtrace: their names are in a section of their own.
    let mut bytes = module(
        "",
        r#"(func $inner unreachable) (func (export "__bad") (param i64) (result i64) (call $inner) (i64.const 0))"#,
    );
    let at = bytes.windows(5).rposition(|window| window == b"inner").unwrap();
    bytes[at..at + 5].copy_from_slice(b"\x1b[0m\n");
    let mut instance = Setup::default().load(&bytes).unwrap();
    shown(instance.call_bytes("bad", b"", &mut NoHostCalls).unwrap_err().to_string());
}

#[test]
fn a_start_that_only_makes_work_for_the_host_is_stopped() {
    // Nothing of it is a loop of the mod alone: each turn is an import that has something to do.
    let limits = Limits { startup_time: Duration::from_millis(50), ..Limits::default() };
    let setup = Setup { limits, ..Setup::default() };
    for (import, call) in [
        (
            r#"(import "env" "__getrandom" (func $it (param i32 i32) (result i32)))"#,
            "(drop (call $it (i32.const 0) (i32.const 0x10000)))",
        ),
        (
            r#"(import "env" "__log" (func $it (param i32 i32 i32)))"#,
            "(call $it (i32.const 1) (i32.const 0) (i32.const 0x20000))",
        ),
        (r#"(import "env" "__panic" (func $it (param i32 i32)))"#, "(call $it (i32.const 0) (i32.const 0x20000))"),
        (
            r#"(import "wasi_snapshot_preview1" "fd_write" (func $it (param i32 i32 i32 i32) (result i32)))"#,
            "(drop (call $it (i32.const 1) (i32.const 0) (i32.const 1024) (i32.const 0)))",
        ),
    ] {
        let start = Instant::now();
        let body = format!("(func $s (loop $again {call} (br $again))) (start $s)");
        let error = setup.load(&module(import, &body)).unwrap_err().to_string();
        assert!(error.contains("`the start function` was stopped"), "{error}");
        assert!(start.elapsed() < LONG, "{:?}", start.elapsed());
    }
}
