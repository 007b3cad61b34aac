//! Functions of the game that a mod calls.

use mod_host::{CallError, NoHostCalls};

use crate::harness::{Host, Setup, assert_contains, load, module};

const IMPORT: &str = r#"(import "env" "__play_sound" (func $host (param i64) (result i64)))"#;
/// Passes its argument on and returns what it gets.
const THROUGH: &str = r#"(func (export "__through") (param i64) (result i64) (call $host (local.get 0)))"#;

#[test]
fn arguments_go_out_and_results_come_back() {
    let mut instance = load(IMPORT, THROUGH);
    assert_eq!(instance.manifest().host_functions, ["play_sound"]);
    let mut host = Host::answering(&42_u32.to_le_bytes());
    let answer: u32 = instance.call("through", &("boing".to_owned(), 0.5_f32), &mut host).unwrap();
    assert_eq!(answer, 42);
    let [(function, args)] = host.asked.as_slice() else { unreachable!() };
    assert_eq!(*function, 1, "the index in the host's list");
    assert_eq!(mod_abi::codec::decode::<(String, f32)>(args).unwrap(), ("boing".to_owned(), 0.5));
}

#[test]
fn buffers_of_imports_are_freed_once() {
    let mut instance = load(IMPORT, THROUGH);
    for n in 0..500_usize {
        let mut host = Host::answering(&vec![1; n % 3 * 100]);
        let args = vec![2; n % 2 * 50];
        let result = instance.call_bytes("through", &args, &mut host).unwrap();
        assert_eq!(result.len(), n % 3 * 100);
    }
    let memory = instance.memory_bytes();
    let (allocs, frees): (u32, u32) = instance.call("stats", &(), &mut NoHostCalls).unwrap();
    assert_eq!(allocs, frees + 1, "all but the buffer of this answer");
    assert_eq!(memory, 2 << 16);
}

#[test]
fn an_answer_that_fits_takes_the_place_of_the_arguments() {
    let identity = r#"(@custom "bevy_mod" "abi: 3\nid: tested\nversion: 1.0.0\n")"#;
    // One block for the arguments that the test gives, and perhaps one for the answer.
    let cases = [(identity, 3, 16, 1), (identity, 16, 1, 1), (identity, 33, 48, 1), (identity, 16, 17, 2)];
    let others = [(identity, 3, 0, 1), (identity, 0, 3, 1), ("", 3, 16, 2), ("", 16, 16, 2)];
    for (identity, args, answer, blocks) in cases.into_iter().chain(others) {
        let case = format!("{args} bytes to {answer}, {identity}");
        let mut instance = load(IMPORT, &format!("{THROUGH} {identity}"));
        let before: (u32, u32) = instance.call("stats", &(), &mut NoHostCalls).unwrap();
        let answer = vec![7; answer];
        let result = instance.call_bytes("through", &vec![1; args], &mut Host::answering(&answer)).unwrap();
        assert_eq!(result, answer, "{case}");
        let after: (u32, u32) = instance.call("stats", &(), &mut NoHostCalls).unwrap();
        // The answer of `stats` is a block, too.
        assert_eq!((after.0 - before.0 - 1, after.1 - before.1 - 1), (blocks, blocks), "{case}");
    }
}

#[test]
fn arguments_at_the_end_of_the_memory_are_no_place_for_a_longer_answer() {
    let identity = r#"(@custom "bevy_mod" "abi: 3\nid: tested\nversion: 1.0.0\n")"#;
    // The last byte of the memory, as if 16 had been allocated there.
    let body = format!(
        r#"{identity} (func (export "__edge") (param i64) (result i64) (call $host (i64.const 0x0001_ffff_0000_0001)))"#
    );
    for answer in [vec![7], vec![7; 16]] {
        let result = load(IMPORT, &body).call_bytes("edge", b"", &mut Host::answering(&answer)).unwrap();
        assert_eq!(result, answer);
    }
}

#[test]
fn a_refusal_ends_the_call() {
    let mut instance = load(IMPORT, THROUGH);
    let error = instance.call::<_, ()>("through", &(), &mut Host::refusing("no such\nsound")).unwrap_err();
    assert!(matches!(&error, CallError::Import { import, .. } if import == "play_sound"), "{error}");
    assert_eq!(error.to_string(), "`through` called `play_sound`, which failed: no such sound");
    assert!(instance.is_poisoned());

    let error = load(IMPORT, THROUGH).call::<_, ()>("through", &(), &mut NoHostCalls).unwrap_err();
    assert_contains(&error.to_string(), "host functions cannot be called here");
}

#[test]
fn arguments_outside_the_memory_are_refused() {
    for buffer in ["0xffff_ffff_0000_0001", "0x0000_0000_0002_0001", "0x0001_ffff_0000_0002", "-1"] {
        let body = format!(r#"(func (export "__bad") (param i64) (result i64) (call $host (i64.const {buffer})))"#);
        let mut host = Host::answering(b"");
        let error = load(IMPORT, &body).call::<_, ()>("bad", &(), &mut host).unwrap_err();
        assert!(host.asked.is_empty());
        assert_contains(&error.to_string(), "`bad` called `play_sound`, which failed: its arguments cannot be read");
    }
}

#[test]
fn memory_may_grow_during_an_import() {
    // The answer is larger than the memory was when the import was called.
    let mut instance = load(IMPORT, THROUGH);
    let before = instance.memory_bytes();
    let answer = vec![7; 1 << 20];
    let result = instance.call_bytes("through", b"x", &mut Host::answering(&answer)).unwrap();
    assert_eq!(result, answer);
    assert!(instance.memory_bytes() > before);
}

#[test]
fn an_answer_that_does_not_fit_is_an_error() {
    let limits = mod_host::Limits { memory_bytes: 1 << 20, ..Default::default() };
    let mut instance = Setup { limits, ..Setup::default() }.load(&module(IMPORT, THROUGH)).unwrap();
    let error = instance.call_bytes("through", b"", &mut Host::answering(&vec![7; 2 << 20])).unwrap_err();
    assert!(matches!(error, CallError::OutOfMemory { limit: 1_048_576, .. }), "{error}");
    assert!(instance.is_poisoned());
}

#[test]
fn allocators_that_lie_to_an_import() {
    for (address, expected) in [("0", "ran out of memory"), ("-16", "returned a buffer that cannot be used")] {
        let text = format!(
            r#"(module {IMPORT} (memory (export "memory") 1)
            (func (export "__alloc_buffer") (param i32) (result i32) (i32.const {address}))
            (func (export "__free_buffer") (param i64)) {THROUGH})"#
        );
        let mut instance = Setup::default().load(&crate::harness::wasm(&text)).unwrap();
        let error = instance.call_bytes("through", b"", &mut Host::answering(b"some")).unwrap_err();
        assert_contains(&error.to_string(), expected);
        assert!(instance.is_poisoned());
    }
}

#[test]
fn the_deadline_goes_on_behind_an_import() {
    let body = r#"(func (export "__spin") (param i64) (result i64)
        (loop $again (drop (call $host (i64.const 0))) (br $again)) (i64.const 0))"#;
    let error = load(IMPORT, body).call::<_, ()>("spin", &(), &mut Host::answering(b"x")).unwrap_err();
    assert!(matches!(error, CallError::Timeout { .. } | CallError::OutOfMemory { .. }), "{error}");
    let error = load(IMPORT, body).call::<_, ()>("spin", &(), &mut Host::answering(b"")).unwrap_err();
    assert!(matches!(error, CallError::Timeout { .. }), "{error}");
}
