//! The host in the middle of something, and the mod that is called then: its allocator grows the memory, writes over what the
//! host has just read, calls imports, and comes back once more.

use std::time::Duration;

use mod_host::{CallError, Instance, Job, Limits, NoHostCalls};

use crate::harness::{Host, Raw, Setup, assert_contains, plugin, through, wasm};

/// A mod whose allocator does `alloc` before it answers with an aligned address behind everything else, and whose `free` does
/// `free`. `echo` returns what it gets, `through` what the host function `store` answers to it.
fn odd(alloc: &str, free: &str) -> Instance {
    let text = format!(
        r#"(module (import "env" "__store" (func $store (param i64) (result i64))) (memory (export "memory") 1)
        (global $calls (mut i32) (i32.const 0))
        (global $top (mut i32) (i32.const 1024))
        (func $alloc (export "__alloc_buffer") (param $len i32) (result i32) (local $at i32)
            (global.set $calls (i32.add (global.get $calls) (i32.const 1)))
            {alloc}
            (local.set $at (global.get $top))
            (global.set $top (i32.and (i32.add (i32.add (global.get $top) (local.get $len)) (i32.const 15)) (i32.const -16)))
            (local.get $at))
        (func $free (export "__free_buffer") (param $b i64) {free})
        (func (export "__echo") (param i64) (result i64) (local.get 0))
        (func (export "__through") (param i64) (result i64) (call $store (local.get 0)))
        (func (export "__mod_run") (param i64) (result i64) (i64.const 0)))"#
    );
    let limits = Limits { call_time: Duration::from_secs(10), ..Limits::default() };
    Setup { limits, ..Setup::default() }.load(&wasm(&text)).unwrap_or_else(|error| unreachable!("{error}"))
}

/// Moves what is allocated next into new pages.
const GROW: &str = "(global.set $top (i32.mul (memory.grow (i32.const 1)) (i32.const 65536)))";
/// Writes over everything that was there before.
const OVERWRITE: &str = "(memory.fill (i32.const 0) (i32.const 0xee) (global.get $top))";

#[test]
fn a_memory_that_moves_at_every_allocation() {
    let mut instance = odd(GROW, "(drop (memory.grow (i32.const 1)))");
    for round in 0..20_u8 {
        let bytes = vec![round; 3_000];
        assert_eq!(instance.call_bytes("echo", &bytes, &mut NoHostCalls).unwrap(), bytes);
        let mut host = Host::answering(&[round; 2_000]);
        assert_eq!(instance.call_bytes("through", &bytes, &mut host).unwrap(), [round; 2_000]);
        assert_eq!(host.asked, [(2, bytes)]);
        instance.batch(3_000 + usize::from(round) * 1_000).unwrap().fill(round);
        instance.run("system", &mut NoHostCalls).unwrap();
        assert!(instance.batch_bytes().unwrap().iter().all(|byte| *byte == round));
    }
}

#[test]
fn what_the_host_has_read_is_not_written_over() {
    let mut instance = odd(OVERWRITE, "(memory.fill (i32.const 0) (i32.const 0xdd) (global.get $top))");
    // The arguments are read before the answer has a place, and the answer of the mod before it is given back.
    let mut host = Host::answering(b"an answer");
    assert_eq!(instance.call_bytes("through", b"arguments", &mut host).unwrap(), b"an answer");
    assert_eq!(host.asked, [(2, b"arguments".to_vec())]);
    assert_eq!(instance.call_bytes("echo", b"arguments", &mut NoHostCalls).unwrap(), b"arguments");
}

#[test]
fn an_allocator_that_calls_the_host_which_allocates() {
    // Without an end: the host's answer needs room, for which the host is asked.
    let mut instance = odd("(drop (call $store (i64.const 0)))", "");
    let error = instance.call_bytes("echo", b"some", &mut Host::answering(b"answer")).unwrap_err();
    assert_contains(&error.to_string(), "call stack exhausted");
    assert!(instance.is_poisoned());
    // Once, and the answer is there.
    let once = "(if (i32.eq (global.get $calls) (i32.const 1)) (then (drop (call $store (i64.const 0)))))";
    let mut instance = odd(once, "");
    let mut host = Host::answering(b"answer");
    assert_eq!(instance.call_bytes("echo", b"some", &mut host).unwrap(), b"some");
    assert_eq!(host.asked.len(), 1);
}

#[test]
fn a_buffer_that_is_given_back_and_passed_on() {
    let mut instance = odd("", "(drop (call $store (local.get $b)))");
    let error = instance.call_bytes("through", b"some", &mut Host::answering(b"answer")).unwrap_err();
    assert_contains(&error.to_string(), "call stack exhausted");
    assert!(instance.is_poisoned());
    // When the host refuses in the middle of that, the call ends with it.
    let mut instance = odd("", "(drop (call $store (local.get $b)))");
    let error = instance.call_bytes("echo", b"some", &mut Host::refusing("enough")).unwrap_err();
    assert_eq!(error.to_string(), "`echo` called `store`, which failed: enough (in free)");
    assert!(instance.is_poisoned());
}

#[test]
fn a_free_that_traps_or_loops_after_the_result() {
    for (free, expected) in
        [("unreachable", "`echo` failed: wasm `unreachable`"), ("(loop $l (br $l))", "`echo` was stopped")]
    {
        let text = format!(
            r#"(module (memory (export "memory") 1)
            (func (export "__alloc_buffer") (param i32) (result i32) (i32.const 1024))
            (func (export "__free_buffer") (param i64) {free})
            (func (export "__echo") (param i64) (result i64) (local.get 0)))"#
        );
        let mut instance = Setup::default().load(&wasm(&text)).unwrap();
        assert_contains(&instance.call_bytes("echo", b"some", &mut NoHostCalls).unwrap_err().to_string(), expected);
        let error = instance.call_bytes("echo", b"some", &mut NoHostCalls).unwrap_err();
        assert!(matches!(error, CallError::Poisoned { .. }), "{error}");
    }
}

#[test]
fn a_result_of_a_job_that_is_taken_while_it_is_handed_over() {
    // The allocator asks for the same result again, which is gone by then.
    let (imports, exports) = through(&["work"]);
    let imports = format!(r#"{imports} (import "env" "__job_take" (func $take (param i64) (result i64)))"#,);
    let body =
        r#"(func (export "__take") (param $b i64) (result i64) (call $take (i64.load (call $ptr (local.get $b)))))"#;
    let mut working = plugin(&imports, &[&exports, body].concat())
        .import_function("work", || Job::ready(vec![7_u8; 100]))
        .finish()
        .unwrap();
    let ticket: u64 = working.call_function("through_work").unwrap();
    let first: Raw = working.call_function_with_argument("take", &Raw(ticket.to_le_bytes().to_vec())).unwrap();
    assert_eq!(first.0.len(), 108);
    let again: Raw = working.call_function_with_argument("take", &Raw(ticket.to_le_bytes().to_vec())).unwrap();
    assert!(again.0.is_empty(), "a ticket is used once");
}
