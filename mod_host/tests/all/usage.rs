//! What an instance took and moved, as it tells who asks.

use std::time::Duration;

use mod_host::{NoHostCalls, Usage};

use crate::harness::{Host, Raw, load, through};

/// Calls, bytes in and bytes out.
fn numbers(usage: Usage) -> (u64, u64, u64) {
    (usage.calls, usage.bytes_in, usage.bytes_out)
}

#[test]
fn calls_and_bytes_are_counted_exactly() {
    let (imports, exports) = through(&["store"]);
    let run = r#"(func (export "__mod_run") (param i64) (result i64) (i64.const 0))"#;
    let mut instance = load(&imports, &(exports + run));
    assert_eq!(numbers(instance.take_usage()), (0, 0, 0), "starting is no call");
    let echo = instance.call::<_, Raw>("echo", &Raw(vec![7; 100]), &mut NoHostCalls).unwrap();
    assert_eq!(echo.0.len(), 100);
    assert_eq!(numbers(instance.take_usage()), (1, 100, 100));
    instance.call::<_, Raw>("through_store", &Raw(vec![1; 10]), &mut Host::answering(&[2; 30])).unwrap();
    assert_eq!(numbers(instance.take_usage()), (1, 10 + 30, 10 + 30), "the host function's arguments and answer, too");
    // The first batch needs the allocator, which is no call of its own.
    instance.batch(5_000).unwrap().fill(1);
    instance.run("drift", &mut NoHostCalls).unwrap();
    instance.run("drift", &mut NoHostCalls).unwrap();
    instance.count_taken(8);
    assert_eq!(numbers(instance.take_usage()), (2, 10_000, 8));
    assert_eq!(instance.take_usage(), Usage::default(), "what is taken is gone");
}

#[test]
fn a_call_that_fails_counts_as_far_as_it_came() {
    let mut instance = load("", r#"(func (export "__bad") (param i64) (result i64) unreachable)"#);
    instance.call::<_, ()>("bad", &Raw(vec![0; 12]), &mut NoHostCalls).unwrap_err();
    assert_eq!(numbers(instance.take_usage()), (1, 12, 0));
    instance.call::<_, ()>("bad", &(), &mut NoHostCalls).unwrap_err();
    assert_eq!(numbers(instance.take_usage()), (0, 0, 0), "one that is poisoned is not entered");
}

#[test]
fn time_is_that_of_calls_and_what_is_spent_without_frames_too() {
    let spin = r#"(func (export "__spin") (param i64) (result i64) (local $i i32)
        (loop $on
            (local.set $i (i32.add (local.get $i) (i32.const 1)))
            (br_if $on (i32.lt_u (local.get $i) (i32.const 10000000))))
        (i64.const 0))"#;
    let mut instance = load("", spin);
    instance.take_usage();
    instance.call::<_, ()>("spin", &(), &mut NoHostCalls).unwrap();
    let spun = instance.take_usage().time;
    assert!(spun > Duration::from_micros(500), "{spun:?}");
    instance.spend(Duration::from_secs(3), 0);
    assert_eq!(instance.take_usage().time, Duration::from_secs(3));
}
