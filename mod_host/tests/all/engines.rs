//! The same mods in every way of running them: what they compute, and how they are stopped.

use std::time::{Duration, Instant};

use mod_host::{CallError, EngineConfig, Execution, HostEngine, Instance, Limits, NoHostCalls};

use crate::harness::{Setup, assert_contains, module};

const EXECUTIONS: &[Execution] = &[
    Execution::Native,
    Execution::NativeWithoutSignals,
    #[cfg(feature = "interpreter")]
    Execution::Interpreted,
];

fn engine(choose: impl FnOnce(&mut EngineConfig)) -> HostEngine {
    let mut config = EngineConfig::default();
    choose(&mut config);
    HostEngine::new(&config).unwrap()
}

fn load(engine: HostEngine, limits: Limits, body: &str) -> Instance {
    Setup { engine: Some(engine), limits, ..Setup::default() }.load(&module("", body)).unwrap()
}

/// Each way of running mods, with and without fuel.
fn engines() -> impl Iterator<Item = (String, HostEngine)> {
    EXECUTIONS.iter().flat_map(|execution| {
        [false, true].map(|deterministic| {
            let engine = engine(|config| (config.execution, config.deterministic) = (*execution, deterministic));
            (format!("{execution:?}, deterministic: {deterministic}"), engine)
        })
    })
}

#[test]
fn all_compute_the_same_and_stop_the_same() {
    let body = r#"
        (func $deep (param i32) (result i32) (i32.add (i32.const 1) (call $deep (local.get 0))))
        (func (export "__oob") (param i64) (result i64) (i64.load (i32.const -8)))
        (func (export "__divide") (param i64) (result i64) (i64.div_s (i64.const 1) (i64.const 0)))
        (func (export "__deep") (param i64) (result i64) (i64.extend_i32_u (call $deep (i32.const 1))))
        (func (export "__null") (param i64) (result i64) (call_indirect (param i64) (result i64) (i64.const 0) (i32.const 0)))
        (table 1 funcref)
        (func (export "__loop") (param i64) (result i64) (loop $on (br $on)) unreachable)
        (func (export "__grow") (param i64) (result i64)
            (if (i32.eq (i32.const -1) (memory.grow (i32.const 10000))) (then unreachable)) (i64.const 0))"#;
    for (name, engine) in engines() {
        // Only the loop has little time: on a busy machine, a call that is to end otherwise may take longer.
        let fresh = |call_time| {
            let limits = Limits { call_time, call_fuel: 2_000_000, ..Limits::default() };
            load(engine.clone(), limits, body)
        };
        let enough = Duration::from_secs(10);
        assert_eq!(fresh(enough).call::<_, i32>("add", &(20, 22), &mut NoHostCalls).unwrap(), 42, "{name}");
        for (function, expected) in [
            ("oob", "out of bounds memory access"),
            ("divide", "integer divide by zero"),
            ("deep", "call stack exhausted"),
            ("null", "uninitialized element"),
            ("loop", "was stopped because it"),
            ("grow", "ran out of memory"),
        ] {
            let mut instance = fresh(if function == "loop" { Duration::from_millis(20) } else { enough });
            let start = Instant::now();
            let error = instance.call::<_, ()>(function, &(), &mut NoHostCalls).unwrap_err();
            assert!(error.to_string().contains(expected), "{name}: {error}");
            assert!(instance.is_poisoned());
            assert!(start.elapsed() < Duration::from_secs(10), "{name}: {function} took {:?}", start.elapsed());
        }
    }
}

#[test]
fn numbers_that_are_none_have_the_same_bits_where_that_is_asked() {
    // A payload of its own goes through an addition on most machines.
    let body = r#"(func (export "__nan") (param i64) (result i64) (local $at i32)
        (local.set $at (call $alloc (i32.const 8)))
        (f64.store (local.get $at) (f64.add (f64.const nan:0x8000000000abc) (f64.const 1)))
        (call $buf (local.get $at) (i32.const 8)))"#;
    for execution in EXECUTIONS {
        let engine = engine(|config| (config.execution, config.deterministic) = (*execution, true));
        let mut instance = load(engine, Limits::default(), body);
        let bits: u64 = instance.call("nan", &(), &mut NoHostCalls).unwrap();
        assert_eq!(bits, 0x7ff8_0000_0000_0000, "{execution:?}");
    }
}

#[test]
fn the_stack_is_as_deep_as_the_host_says() {
    let body = r#"
        (global $depth (mut i32) (i32.const 0))
        (func $deep (param $left i32)
            (global.set $depth (i32.add (global.get $depth) (i32.const 1)))
            (if (local.get $left) (then (call $deep (i32.sub (local.get $left) (i32.const 1))))))
        (func (export "__down") (param $args i64) (result i64)
            (call $deep (i32.load (call $ptr (local.get $args))))
            (i64.const 0))"#;
    // The deepest call that still goes through.
    let depth_of = |stack_bytes| {
        let engine = engine(|config| config.stack_bytes = stack_bytes);
        let fits = |depth: u32| {
            let mut instance = load(engine.clone(), Limits::default(), body);
            match instance.call::<_, ()>("down", &depth, &mut NoHostCalls) {
                Ok(()) => true,
                Err(CallError::Trap { cause, .. }) if cause.contains("call stack exhausted") => false,
                Err(error) => unreachable!("{error}"),
            }
        };
        (0..24).map(|power| 1_u32 << power).take_while(|depth| fits(*depth)).last().unwrap()
    };
    let (small, usual, large) = (depth_of(64 << 10), depth_of(512 << 10), depth_of(1 << 20));
    assert!(small < usual && usual < large, "{small} {usual} {large}");
    // What no thread could bear is not taken.
    assert_eq!(depth_of(1 << 40), large);
}

#[test]
fn a_mod_of_one_engine_is_none_of_another() {
    let (native, metered) = (engine(|_| ()), engine(|config| config.deterministic = true));
    let work = r#"(func (export "__loop") (param i64) (result i64) (loop $on (br $on)) unreachable)"#;
    let limits = Limits { call_time: Duration::from_millis(5), call_fuel: 1_000, ..Limits::default() };
    let error = |engine| load(engine, limits.clone(), work).call::<_, ()>("loop", &(), &mut NoHostCalls).unwrap_err();
    assert_contains(&error(native).to_string(), "longer than 5ms");
    assert_contains(&error(metered).to_string(), "more than 1000 units of fuel");
}
