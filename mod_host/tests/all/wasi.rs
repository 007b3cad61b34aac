//! The part of WASI preview 1 that mods get.

use std::sync::Arc;

use mod_abi::names::LogLevel;
use mod_host::{CallError, Entropy, NoHostCalls};

use crate::harness::{Lines, Setup, assert_contains, load, module};

fn import(name: &str, ty: &str) -> String {
    format!(r#"(import "wasi_snapshot_preview1" "{name}" (func $wasi {ty}))"#)
}

/// The error number of one call of a function of preview 1.
fn errno(name: &str, ty: &str, args: &str) -> i32 {
    let body = format!(
        r#"(func (export "__go") (param i64) (result i64)
        (i32.store (i32.const 16) (call $wasi {args})) (call $buf (i32.const 16) (i32.const 4)))"#
    );
    load(&import(name, ty), &body).call("go", &(), &mut NoHostCalls).unwrap()
}

#[test]
fn error_numbers() {
    const I1: &str = "(param i32) (result i32)";
    const I2: &str = "(param i32 i32) (result i32)";
    const I4: &str = "(param i32 i32 i32 i32) (result i32)";
    const CLOCK: &str = "(param i32 i64 i32) (result i32)";
    for (name, ty, args, expected) in [
        ("random_get", I2, "(i32.const 64) (i32.const 8)", 0),
        ("random_get", I2, "(i32.const -4) (i32.const 8)", 21),
        ("random_get", I2, "(i32.const 0) (i32.const -1)", 28),
        ("args_get", I2, "(i32.const 0) (i32.const 0)", 0),
        ("args_sizes_get", I2, "(i32.const 64) (i32.const 68)", 0),
        ("environ_sizes_get", I2, "(i32.const 64) (i32.const -1)", 21),
        ("clock_time_get", CLOCK, "(i32.const 1) (i64.const 0) (i32.const 64)", 0),
        ("clock_time_get", CLOCK, "(i32.const 2) (i64.const 0) (i32.const 64)", 28),
        ("clock_time_get", CLOCK, "(i32.const 0) (i64.const 0) (i32.const -1)", 21),
        ("clock_res_get", I2, "(i32.const 0) (i32.const 64)", 0),
        ("sched_yield", "(result i32)", "", 0),
        ("fd_prestat_get", I2, "(i32.const 3) (i32.const 64)", 8),
        ("fd_write", I4, "(i32.const 3) (i32.const 0) (i32.const 0) (i32.const 64)", 8),
        ("fd_write", I4, "(i32.const 1) (i32.const 0) (i32.const 100000) (i32.const 64)", 28),
        ("fd_write", I4, "(i32.const 1) (i32.const -8) (i32.const 2) (i32.const 64)", 21),
        ("fd_write", I4, "(i32.const 1) (i32.const 0) (i32.const 0) (i32.const -1)", 21),
        ("fd_close", I1, "(i32.const 3)", 58),
        ("fd_close", I2, "(i32.const 3) (i32.const 3)", 58),
        (
            "path_open",
            "(param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)",
            "(i32.const 3) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i64.const 0) (i64.const 0)
             (i32.const 0) (i32.const 0)",
            58,
        ),
        ("sock_send", I1, "(i32.const 0)", 58),
    ] {
        assert_eq!(errno(name, ty, args), expected, "{name} {args}");
    }
}

#[test]
fn random_bytes_come_from_the_same_source() {
    let body = r#"(func (export "__draw") (param i64) (result i64)
        (drop (call $wasi (i32.const 64) (i32.const 16))) (call $buf (i32.const 64) (i32.const 16)))"#;
    let draw = |entropy, imports: &str| {
        let mut instance = Setup { entropy, ..Setup::default() }.load(&module(imports, body)).unwrap();
        instance.call_bytes("draw", &[], &mut NoHostCalls).unwrap()
    };
    let wasi = import("random_get", "(param i32 i32) (result i32)");
    let env = r#"(import "env" "__getrandom" (func $wasi (param i32 i32) (result i32)))"#;
    assert_eq!(draw(Entropy::Seeded(3), &wasi), draw(Entropy::Seeded(3), env));
    assert_ne!(draw(Entropy::Host, &wasi), draw(Entropy::Host, &wasi));
}

const WRITE: &str = "(param i32 i32 i32 i32) (result i32)";

#[test]
fn output_becomes_lines_of_the_log() {
    let lines = Arc::<Lines>::default();
    let setup = Setup { lines: Arc::clone(&lines), ..Setup::default() };
    // Two pieces: "one\ntw" and "o\nthr"; then the same to standard error.
    let body = r#"(data (i32.const 64) "one\0atw") (data (i32.const 80) "o\0ath\1br")
        (data (i32.const 96) "\40\00\00\00\06\00\00\00\50\00\00\00\06\00\00\00")
        (func (export "__print") (param i64) (result i64)
            (drop (call $wasi (i32.const 1) (i32.const 96) (i32.const 2) (i32.const 128)))
            (drop (call $wasi (i32.const 2) (i32.const 96) (i32.const 2) (i32.const 132)))
            (call $buf (i32.const 128) (i32.const 8)))"#;
    let mut instance = setup.load(&module(&import("fd_write", WRITE), body)).unwrap();
    let written: (u32, u32) = instance.call("print", &(), &mut NoHostCalls).unwrap();
    assert_eq!(written, (12, 12));
    let line = |level, text: &str| (level, text.to_owned());
    let (info, warn) = (LogLevel::Info, LogLevel::Warn);
    assert_eq!(lines.take(), [line(info, "one"), line(info, "two"), line(warn, "one"), line(warn, "two")]);
    let _: (u32, u32) = instance.call("print", &(), &mut NoHostCalls).unwrap();
    assert_eq!(lines.take(), [line(info, "throne"), line(info, "two"), line(warn, "throne"), line(warn, "two")]);
    drop(instance);
    assert_eq!(lines.take(), [line(info, "thr"), line(warn, "thr")], "the rest comes when the instance ends");
}

#[test]
fn a_flood_of_output_is_taken_in_portions() {
    let lines = Arc::<Lines>::default();
    let setup = Setup { lines: Arc::clone(&lines), ..Setup::default() };
    let body = r#"(data (i32.const 96) "\00\01\00\00\00\f0\01\00\00\01\00\00\00\f0\01\00")
        (func (export "__print") (param i64) (result i64)
            (memory.fill (i32.const 256) (i32.const 97) (i32.const 126976))
            (drop (call $wasi (i32.const 1) (i32.const 96) (i32.const 2) (i32.const 16)))
            (call $buf (i32.const 16) (i32.const 4)))"#;
    let mut instance = setup.load(&module(&import("fd_write", WRITE), body)).unwrap();
    let written: u32 = instance.call("print", &(), &mut NoHostCalls).unwrap();
    assert_eq!(written, 4_096);
    drop(instance);
    assert_eq!(lines.take().iter().map(|(_, line)| line.len()).sum::<usize>(), 4_096);
}

#[test]
fn clocks_start_with_the_instance() {
    let body = r#"(func (export "__now") (param i64) (result i64)
        (drop (call $wasi (i32.const 0) (i64.const 0) (i32.const 64))) (call $buf (i32.const 64) (i32.const 8)))"#;
    let mut instance = load(&import("clock_time_get", "(param i32 i64 i32) (result i32)"), body);
    let mut now = || instance.call::<_, u64>("now", &(), &mut NoHostCalls).unwrap();
    let (first, second) = (now(), now());
    assert!(first <= second && second < 60_000_000_000, "{first} {second}");
}

#[test]
fn exit_is_a_fault() {
    let body = r#"(func (export "__quit") (param i64) (result i64) (call $wasi (i32.const 3)) (i64.const 0))"#;
    let mut instance = load(&import("proc_exit", "(param i32)"), body);
    let error = instance.call::<_, ()>("quit", &(), &mut NoHostCalls).unwrap_err();
    assert!(matches!(error, CallError::Exit { code: 3, .. }), "{error}");
    assert_eq!(error.to_string(), "`quit` ended the mod with exit code 3");
    assert!(instance.is_poisoned());
}

#[test]
fn names_and_types_that_preview_1_does_not_have() {
    for (name, ty, expected) in [
        ("fd_wriet", WRITE, "did you mean `fd_write`?"),
        ("teleport", "", "`wasi_snapshot_preview1.teleport` (a function () -> ())"),
        (
            "fd_write",
            "(param i32)",
            "is a function (i32, i32, i32, i32) -> (i32), but the mod wants a function (i32) -> ()",
        ),
        ("fd_close", "(param i32) (result i64)", "but the mod wants a function (i32) -> (i64)"),
    ] {
        let error = Setup::default().load(&module(&import(name, ty), "")).unwrap_err();
        assert_contains(&error.to_string(), expected);
    }
}
