//! `__getrandom` and `__log`.

use std::sync::Arc;

use mod_abi::names::LogLevel;
use mod_host::{Entropy, NoHostCalls};

use crate::harness::{Lines, Setup, assert_contains, load, module};

const RANDOM: &str = r#"(import "env" "__getrandom" (func $random (param i32 i32) (result i32)))"#;

/// 32 random bytes of a fresh instance.
fn random(entropy: Entropy, id: &'static str) -> Vec<u8> {
    let body = r#"(func (export "__draw") (param i64) (result i64)
        (if (call $random (i32.const 64) (i32.const 20)) (then unreachable))
        (if (call $random (i32.const 84) (i32.const 12)) (then unreachable))
        (call $buf (i32.const 64) (i32.const 32)))"#;
    let mut instance = Setup { entropy, id, ..Setup::default() }.load(&module(RANDOM, body)).unwrap();
    instance.call_bytes("draw", &[], &mut NoHostCalls).unwrap()
}

#[test]
fn a_seed_repeats_and_mods_differ() {
    let seeded = |seed, id| random(Entropy::Seeded(seed), id);
    assert_eq!(seeded(1, "a"), seeded(1, "a"));
    assert_ne!(seeded(1, "a"), seeded(2, "a"));
    assert_ne!(seeded(1, "a"), seeded(1, "b"));
    assert_ne!(random(Entropy::Host, "a"), random(Entropy::Host, "a"));
}

#[test]
fn requests_that_cannot_be_filled_are_answered_with_a_code() {
    for (ptr, len, expected) in [
        (0, 0, 0_u32),
        (-1, 0, 0),
        (0, 1, 0),
        (0, (1 << 20) + 1, 1),
        (0, -1, 1),
        (-1, 4, 2),
        (131_071, 2, 2),
        (0, 1 << 20, 2),
    ] {
        let body = format!(
            r#"(func (export "__draw") (param i64) (result i64)
            (i32.store (i32.const 16) (call $random (i32.const {ptr}) (i32.const {len})))
            (call $buf (i32.const 16) (i32.const 4)))"#
        );
        let code: u32 = load(RANDOM, &body).call("draw", &(), &mut NoHostCalls).unwrap();
        assert_eq!(code, expected, "{ptr} {len}");
    }
}

const LOG: &str = r#"(import "env" "__log" (func $log (param i32 i32 i32)))"#;

fn logged(body: &str) -> (Vec<(LogLevel, String)>, Result<(), String>) {
    let lines = Arc::<Lines>::default();
    let setup = Setup { lines: Arc::clone(&lines), ..Setup::default() };
    let mut instance = setup.load(&module(LOG, body)).unwrap();
    let outcome = instance.call::<_, ()>("say", &(), &mut NoHostCalls).map_err(|error| error.to_string());
    (lines.take(), outcome)
}

#[test]
fn lines_arrive_with_their_level_and_without_control_characters() {
    for (level, expected) in
        [(1, LogLevel::Error), (2, LogLevel::Warn), (3, LogLevel::Info), (4, LogLevel::Debug), (77, LogLevel::Trace)]
    {
        let body = format!(
            r#"(data (i32.const 64) "two\0alines \1b[2J\ff!") (func (export "__say") (param i64) (result i64)
            (call $log (i32.const {level}) (i32.const 64) (i32.const 15)) (i64.const 0))"#
        );
        let (lines, outcome) = logged(&body);
        assert_eq!(outcome, Ok(()));
        assert_eq!(lines, [(expected, "two lines [2J\u{fffd}".to_owned())]);
    }
}

#[test]
fn long_lines_are_cut_and_missing_ones_are_errors() {
    let say = |ptr: u32, len: u32| {
        format!(
            r#"(func (export "__say") (param i64) (result i64)
            (memory.fill (i32.const 0) (i32.const 97) (i32.const 100000))
            (call $log (i32.const 3) (i32.const {ptr}) (i32.const {len})) (i64.const 0))"#
        )
    };
    let (lines, outcome) = logged(&say(0, 100_000));
    assert_eq!(outcome, Ok(()));
    let [(_, line)] = lines.as_slice() else { unreachable!("{lines:?}") };
    assert!(line.len() < 4200 && line.ends_with("[cut]"), "{}", line.len());

    let (lines, outcome) = logged(&say(131_000, 1_000));
    assert!(lines.is_empty());
    assert_contains(&outcome.unwrap_err(), "`say` called `__log`, which failed: a buffer of 1000 bytes");
}

#[test]
fn imports_work_in_the_start_function() {
    let lines = Arc::<Lines>::default();
    let setup = Setup { lines: Arc::clone(&lines), ..Setup::default() };
    let body = r#"(data (i32.const 64) "hello") (start $s)
        (func $s (call $log (i32.const 3) (i32.const 64) (i32.const 5)))"#;
    setup.load(&module(LOG, body)).unwrap();
    assert_eq!(lines.take(), [(LogLevel::Info, "hello".to_owned())]);
}
