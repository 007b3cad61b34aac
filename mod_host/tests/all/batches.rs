//! The scratch area of per-frame calls.

use mod_abi::{Buffer, command::Command};
use mod_host::{CallError, Instance, Limits, NoHostCalls};

use crate::harness::{Host, Setup, assert_contains, load, module, wasm};

/// Adds one to every byte of the batch, and fails on an empty one.
const RUN: &str = r#"(func (export "__mod_run") (param $b i64) (result i64) (local $at i32) (local $end i32)
    (local.set $at (call $ptr (local.get $b)))
    (local.set $end (i32.add (local.get $at) (call $len (local.get $b))))
    (loop $again
        (i32.store8 (local.get $at) (i32.add (i32.load8_u (local.get $at)) (i32.const 1)))
        (local.set $at (i32.add (local.get $at) (i32.const 1)))
        (br_if $again (i32.lt_u (local.get $at) (local.get $end))))
    (i64.const 0))"#;

#[test]
fn a_batch_goes_through_a_system_in_place() {
    let mut instance = load("", RUN);
    assert!(instance.manifest().runs_systems);
    assert_eq!(instance.batch_bytes().unwrap(), b"");
    for len in [64_usize, 16, 1_000, 5_000, 16, 200_000, 100] {
        let batch = instance.batch(len).unwrap();
        assert_eq!(batch.len(), len);
        batch.fill(7);
        instance.run("drift", &mut NoHostCalls).unwrap();
        assert_eq!(instance.batch_bytes().unwrap(), vec![8; len]);
    }
    let (allocs, frees): (u32, u32) = instance.call("stats", &(), &mut NoHostCalls).unwrap();
    // 64, 16 and 1,000 fit into the first area; 5,000 and 200,000 each replace it.
    assert_eq!((allocs, frees), (4, 2), "three areas, of which one lives, and this answer");
}

#[test]
fn a_batch_is_reused() {
    let mut instance = load("", RUN);
    instance.batch(100_000).unwrap();
    let memory = instance.memory_bytes();
    for len in 0..2_000 {
        assert_eq!(instance.batch(len * 50).unwrap().len(), len * 50);
    }
    assert_eq!(instance.memory_bytes(), memory);
    assert_eq!(instance.batch(0).unwrap().len(), 0);
}

#[test]
fn a_place_has_its_batch_to_itself() {
    let mut instance = load("", RUN);
    let first = instance.batch_of(0, 5_000).unwrap();
    first.bytes.fill(7);
    let (first_id, before) = (first.id, first.before);
    assert_eq!(before, None, "nobody was there before");
    instance.run("drift", &mut NoHostCalls).unwrap();
    assert_eq!(instance.batch_bytes().unwrap(), vec![8; 5_000]);
    // What other places and calls do meanwhile leaves it alone.
    let other = instance.batch_of(1, 5_000).unwrap();
    other.bytes.fill(1);
    assert!(other.before.is_none() && other.id != first_id);
    instance.batch(6_000).unwrap().fill(2);
    instance.run("drift", &mut NoHostCalls).unwrap();
    let again = instance.batch_of(0, 5_000).unwrap();
    assert_eq!((again.before, &*again.bytes), (Some(first_id), &*vec![8; 5_000]));
    let id = again.id;
    assert_ne!(id, first_id);
    // There is headroom, so a larger one stands in the same place.
    let larger = instance.batch_of(0, 5_500).unwrap();
    assert_eq!((larger.before, larger.bytes.len()), (Some(id), 5_500));
    // One that needs another place knows nothing of it.
    assert_eq!(instance.batch_of(0, 50_000).unwrap().before, None);
}

#[test]
fn batches_of_their_own_leave_a_mod_its_memory() {
    let limits = Limits { memory_bytes: 1 << 20, ..Limits::default() };
    let mut instance = Setup { limits, ..Setup::default() }.load(&module("", RUN)).unwrap();
    let kept = |instance: &mut Instance, place, len| {
        instance.batch_of(place, len).unwrap();
        instance.batch_of(place, len).unwrap().before.is_some()
    };
    // A quarter of the memory, with headroom, is for all of them together.
    assert!(kept(&mut instance, 0, 80_000));
    assert!(kept(&mut instance, 1, 80_000));
    assert!(!kept(&mut instance, 2, 80_000));
    assert!(kept(&mut instance, 0, 80_000), "those that are there stay");
    assert!(!kept(&mut instance, 1, 400_000), "one that grows too large is given back");
    assert!(kept(&mut instance, 2, 80_000), "and leaves its room to others");
    let (allocs, frees): (u32, u32) = instance.call("stats", &(), &mut NoHostCalls).unwrap();
    assert_eq!(allocs - frees, 4, "two kept, the shared one, and this answer");
}

#[test]
fn a_mod_without_room_for_batches_of_their_own_shares_one() {
    // Gives out two areas, and then one more for each that comes back. Counts what is asked for.
    let text = r#"(module (memory (export "memory") 4)
        (global $asked (mut i32) (i32.const 0))
        (func (export "__asked") (param i64) (result i64)
            (i32.store (i32.const 0) (global.get $asked))
            (i64.const 4))
        (global $left (mut i32) (i32.const 2))
        (func (export "__alloc_buffer") (param i32) (result i32)
            (global.set $asked (i32.add (global.get $asked) (i32.const 1)))
            (if (i32.eqz (global.get $left)) (then (return (i32.const 0))))
            (global.set $left (i32.sub (global.get $left) (i32.const 1)))
            (i32.mul (i32.const 65536) (i32.add (i32.const 1) (global.get $left))))
        (func (export "__free_buffer") (param i64) (global.set $left (i32.add (global.get $left) (i32.const 1))))
        (func (export "__mod_run") (param i64) (result i64) (i64.const 0)))"#;
    let mut instance = Setup::default().load(&wasm(text)).unwrap();
    instance.batch_of(0, 20_000).unwrap();
    instance.batch_of(1, 20_000).unwrap();
    let third = instance.batch_of(2, 20_000).unwrap();
    assert_eq!((third.before, third.bytes.len()), (None, 20_000));
    assert_eq!(instance.batch_of(0, 20_000).unwrap().before, None, "the others were given back");
    let asked: u32 = instance.call("asked", &(), &mut NoHostCalls).unwrap();
    for place in 0..3 {
        assert_eq!(instance.batch_of(place, 20_000).unwrap().before, None, "nothing is kept from now on");
    }
    assert_eq!(instance.call::<_, u32>("asked", &(), &mut NoHostCalls).unwrap(), asked, "and no room is asked for");
    assert!(!instance.is_poisoned());
}

#[test]
fn systems_reach_the_host() {
    let mut instance = load(
        r#"(import "env" "__store" (func $host (param i64) (result i64)))"#,
        r#"(func (export "__mod_run") (param i64) (result i64) (drop (call $host (i64.const 0))) (i64.const 0))"#,
    );
    instance.batch(16).unwrap();
    let mut host = Host::answering(b"");
    instance.run("drift", &mut host).unwrap();
    assert_eq!(host.asked, [(2, Vec::new())]);
    let error = instance.run("drift", &mut Host::refusing("not now")).unwrap_err();
    assert_eq!(error.to_string(), "`drift` called `store`, which failed: not now");
}

/// A mod whose system returns `result`, an expression.
fn leaving(result: &str) -> Instance {
    // A command: entity 0x1_ffff_fff0 is despawned.
    let body = format!(
        r#"(data (i32.const 64) "\03\00\00\00\f0\ff\ff\ff\01\00\00\00")
        (func (export "__mod_run") (param $b i64) (result i64) {result})"#
    );
    let mut instance = load("", &body);
    instance.batch(16).unwrap().fill(9);
    instance
}

#[test]
fn a_system_says_where_it_left_its_commands() {
    let mut instance = leaving("(call $buf (i32.const 64) (i32.const 12))");
    for _ in 0..3 {
        let commands = instance.run("drift", &mut NoHostCalls).unwrap();
        assert_eq!(commands, Buffer::new(64, 12));
        let mut bytes = instance.guest_bytes(commands).unwrap();
        assert_eq!(Command::take(&mut bytes).unwrap(), Command::Despawn { entity: 0x1_ffff_fff0 });
        assert!(bytes.is_empty());
    }
    let (_, frees): (u32, u32) = instance.call("stats", &(), &mut NoHostCalls).unwrap();
    assert_eq!(frees, 0, "the commands stay the mod's");
}

#[test]
fn a_system_without_commands_leaves_nothing() {
    for nothing in ["(i64.const 0)", "(i64.const 0xffff_ffff_0000_0000)"] {
        let mut instance = leaving(nothing);
        let commands = instance.run("drift", &mut NoHostCalls).unwrap();
        assert!(commands.is_empty());
        assert_eq!(instance.guest_bytes(commands).unwrap(), b"");
    }
}

#[test]
fn commands_may_lie_in_the_batch_itself() {
    let mut instance = leaving("(local.get $b)");
    let commands = instance.run("drift", &mut NoHostCalls).unwrap();
    assert_eq!(instance.guest_bytes(commands).unwrap(), [9; 16]);
    assert_eq!(instance.batch_bytes().unwrap(), [9; 16]);
}

#[test]
fn commands_outside_of_the_memory_cannot_be_read() {
    for outside in ["0x0002_0000_0000_0001", "0x0001_ffff_0000_0002", "0xffff_ffff_0000_0001", "-1"] {
        let mut instance = leaving(&format!("(i64.const {outside})"));
        let commands = instance.run("drift", &mut NoHostCalls).unwrap();
        let error = instance.guest_bytes(commands).unwrap_err();
        assert!(matches!(error, CallError::BadBuffer { .. }), "{outside}: {error}");
        // Whether the mod may go on is for those to decide who read its commands.
        assert!(!instance.is_poisoned());
    }
}

#[test]
fn allocators_that_lie() {
    for (address, expected) in [
        ("(i32.const 8)", "`__alloc_buffer` returned the address 8, which is not a multiple of 16"),
        ("(i32.const 0)", "`__alloc_buffer` ran out of memory"),
        ("(i32.const -16)", "`__alloc_buffer` returned a buffer that cannot be used"),
        ("unreachable", "`__alloc_buffer` failed"),
        ("(loop $again (br $again)) (i32.const 16)", "`__alloc_buffer` was stopped"),
    ] {
        let text = format!(
            r#"(module (memory (export "memory") 1)
            (func (export "__alloc_buffer") (param i32) (result i32) {address})
            (func (export "__free_buffer") (param i64))
            (func (export "__mod_run") (param i64) (result i64) (i64.const 0)))"#
        );
        let mut instance = Setup::default().load(&wasm(&text)).unwrap();
        let error = instance.batch(64).unwrap_err();
        assert_contains(&error.to_string(), expected);
    }
}

#[test]
fn a_mod_without_an_allocator_has_no_batch() {
    let mut instance = Setup::default().load(&wasm(r#"(module (memory (export "memory") 1))"#)).unwrap();
    let error = instance.batch(64).unwrap_err();
    assert_contains(&error.to_string(), "no function `__alloc_buffer`");
}

#[test]
fn guest_memory_can_be_read_within_its_bounds() {
    let instance = load("", r#"(data (i32.const 64) "hello")"#);
    assert_eq!(instance.guest_bytes(Buffer::new(64, 5)).unwrap(), b"hello");
    assert_eq!(instance.guest_bytes(Buffer::new(u32::MAX, 0)).unwrap(), b"");
    for buffer in [Buffer::new(131_072, 1), Buffer::new(u32::MAX, 1), Buffer::new(1, u32::MAX)] {
        let error = instance.guest_bytes(buffer).unwrap_err();
        assert!(matches!(error, CallError::BadBuffer { .. }), "{error}");
    }
}
