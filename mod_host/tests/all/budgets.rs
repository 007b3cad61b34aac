//! What a mod may use beside memory: time and fuel of a call and of a frame, lines in the log, bytes through imports.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use mod_abi::names::LogLevel;
use mod_host::{CallError, Caller, HostCalls, Instance, Limits, ModCall, ModCallFailure, ModCallStatus, NoHostCalls};

use crate::harness::{Host, Lines, Raw, Setup, assert_contains, deterministic, import, load, module};

const MILLI: Duration = Duration::from_millis(1);

/// `loop` never ends; `work` runs so many rounds of a loop.
const LOOPS: &str = r#"
    (func (export "__loop") (param i64) (result i64) (loop $on (br $on)) unreachable)
    (func (export "__work") (param $args i64) (result i64) (local $left i32)
        (local.set $left (i32.load (call $ptr (local.get $args))))
        (call $free (local.get $args))
        (block $done (loop $on
            (br_if $done (i32.eqz (local.get $left)))
            (local.set $left (i32.sub (local.get $left) (i32.const 1)))
            (br $on)))
        (i64.const 0))"#;

fn with_limits(limits: Limits, imports: &str, body: &str) -> Instance {
    Setup { limits, ..Setup::default() }.load(&module(imports, body)).unwrap()
}

/// A mod that is metered by fuel.
fn fueled(limits: Limits, imports: &str, body: &str) -> Instance {
    let setup = Setup { engine: Some(deterministic()), limits, ..Setup::default() };
    setup.load(&module(imports, body)).unwrap()
}

fn run(instance: &mut Instance, function: &str) -> Result<(), CallError> {
    instance.call(function, &(), &mut NoHostCalls)
}

#[test]
fn a_loop_costs_its_limit_and_two_ticks() {
    // One of many: a machine that does something else meanwhile is late for reasons of its own.
    for millis in [5, 40, 100] {
        let limit = MILLI * millis;
        let mut late = (0..60).map(|_| {
            let mut instance = with_limits(Limits { call_time: limit, ..Limits::default() }, "", LOOPS);
            let start = Instant::now();
            let error = run(&mut instance, "loop").unwrap_err();
            let took = start.elapsed();
            assert!(matches!(error, CallError::Timeout { limit: told, .. } if told == limit), "{error}");
            assert!(took >= limit, "stopped after {took:?} of {limit:?}");
            took - limit
        });
        assert!(late.any(|late| late <= 2 * MILLI), "{limit:?}: never stopped within two ticks");
    }
}

/// Rounds of `work` that take at least so long on this machine at this moment.
fn rounds_of(time: Duration) -> u32 {
    let mut instance = with_limits(Limits::default(), "", LOOPS);
    let mut rounds = 1_000_u32;
    loop {
        let start = Instant::now();
        instance.call::<_, ()>("work", &rounds, &mut NoHostCalls).unwrap();
        if start.elapsed() >= time {
            return rounds;
        }
        rounds *= 2;
    }
}

#[test]
fn all_calls_of_a_frame_have_one_budget() {
    let rounds = rounds_of(10 * MILLI);
    let limits = Limits { call_time: 20 * MILLI * 50, frame_time: 25 * MILLI, ..Limits::default() };
    let mut instance = with_limits(limits, "", LOOPS);
    let work = |instance: &mut Instance| instance.call::<_, ()>("work", &rounds, &mut NoHostCalls);
    // Without frames only calls are limited.
    (0..5).for_each(|_| work(&mut instance).unwrap());
    instance.begin_frame();
    let done = (0..50).take_while(|_| work(&mut instance).is_ok()).count();
    assert!(done < 50, "a frame has no end");
    let error = work(&mut instance).unwrap_err();
    assert!(matches!(error, CallError::FrameTimeout { .. } | CallError::Poisoned { .. }), "{error}");
}

#[test]
fn work_with_calls_in_the_middle_of_it_is_paid_for_once() {
    let mut instance = with_limits(Limits { frame_time: MILLI * 100_000, ..Limits::default() }, "", "");
    instance.begin_frame();
    assert!(instance.is_at_rest());
    let since = Instant::now() - 20 * MILLI;
    instance.begin_work(since, 0);
    (0..3).for_each(|_| run(&mut instance, "nothing").unwrap());
    // It is a step of handing over, which no frame pays for.
    instance.save().unwrap();
    assert!(instance.frame_spent() >= 20 * MILLI, "what came before the calls is paid for when they begin");
    instance.end_work(0);
    let (spent, all) = (instance.frame_spent(), since.elapsed());
    assert!((20 * MILLI..=all).contains(&spent), "{spent:?} of {all:?}");
    assert!(!instance.is_at_rest());
    // Without a beginning there is no end.
    instance.end_work(0);
    assert_eq!(instance.frame_spent(), spent);
    instance.begin_frame();
    assert!(instance.is_at_rest());
}

#[test]
fn work_before_a_call_leaves_less_for_it() {
    let mut instance = with_limits(Limits { frame_time: 50 * MILLI, ..Limits::default() }, "", "");
    instance.begin_frame();
    instance.begin_work(Instant::now() - 80 * MILLI, 0);
    let error = run(&mut instance, "nothing").unwrap_err();
    assert!(matches!(error, CallError::FrameTimeout { .. }), "{error}");
    instance.end_work(0);
    instance.begin_frame();
    assert!(!instance.is_at_rest(), "the next frame pays for the rest");
    run(&mut instance, "nothing").unwrap();

    let mut instance = fueled(Limits { frame_fuel: 2_000, ..Limits::default() }, "", LOOPS);
    instance.begin_frame();
    instance.begin_work(Instant::now(), 1_900);
    let error = instance.call::<_, ()>("work", &100_u32, &mut NoHostCalls).unwrap_err();
    assert!(matches!(error, CallError::OutOfFrameFuel { limit: 2_000, .. }), "{error}");
}

#[test]
fn a_frame_that_is_used_up_refuses_and_the_next_one_begins_anew() {
    let mut instance = with_limits(Limits { frame_time: Duration::ZERO, ..Limits::default() }, "", "");
    run(&mut instance, "nothing").unwrap();
    instance.begin_frame();
    let error = run(&mut instance, "nothing").unwrap_err();
    assert_eq!(error.to_string(), "`nothing` was stopped because the mod ran longer than 0ns in one frame");
    // Its code was not entered, so nothing is lost; what starts it and hands over has limits of its own.
    assert!(!instance.is_poisoned());
    assert!(instance.describe().is_ok() && instance.save().is_ok());

    // What the host does for it counts, too.
    let mut instance = with_limits(Limits { frame_time: 50 * MILLI, ..Limits::default() }, "", "");
    instance.begin_frame();
    instance.spend(20 * MILLI, 0);
    run(&mut instance, "nothing").unwrap();
    assert!(instance.frame_spent() >= 20 * MILLI);
    instance.spend(130 * MILLI, 0);
    // The next frame pays for what was too much, and the one after that.
    for _ in 0..3 {
        run(&mut instance, "nothing").unwrap_err();
        instance.begin_frame();
    }
    run(&mut instance, "nothing").unwrap();
    instance.spend(500 * MILLI, 0);
    instance.end_frames();
    instance.begin_frame();
    run(&mut instance, "nothing").unwrap();

    let fuel = Limits { frame_fuel: 2_000, ..Limits::default() };
    let mut instance = fueled(fuel, "", LOOPS);
    for _ in 0..3 {
        instance.begin_frame();
        instance.call::<_, ()>("work", &100_u32, &mut NoHostCalls).unwrap();
    }
    let error = instance.call::<_, ()>("work", &400_u32, &mut NoHostCalls).unwrap_err();
    assert!(matches!(error, CallError::OutOfFrameFuel { limit: 2_000, .. }), "{error}");
    assert!(instance.is_poisoned());
}

#[test]
fn fuel_ends_a_loop_at_the_same_place_each_time() {
    // Logs a line in each round, so that the lines tell how far it came.
    let imports = r#"(import "env" "__log" (func $log (param i32 i32 i32)))"#;
    let body = r#"(func (export "__chatter") (param i64) (result i64)
        (loop $on (call $log (i32.const 2) (i32.const 64) (i32.const 3)) (br $on)) unreachable)
        (data (i32.const 64) "on!")"#;
    let lines_of = || {
        let limits = Limits { call_fuel: 100_000, log_lines: u32::MAX, ..Limits::default() };
        let mut setup = Setup { engine: Some(deterministic()), limits, ..Setup::default() };
        setup.lines = Arc::new(Lines::default());
        let mut instance = setup.load(&module(imports, body)).unwrap();
        let error = run(&mut instance, "chatter").unwrap_err();
        assert_eq!(error.to_string(), "`chatter` was stopped because it used more than 100000 units of fuel");
        setup.lines.take().len()
    };
    let lines = lines_of();
    assert!((500..1_000).contains(&lines), "{lines} lines");
    assert_eq!(lines, lines_of());
}

#[test]
fn fuel_counts_what_imports_do() {
    // A round is a few instructions and a mebibyte of random bytes.
    let imports = r#"(import "env" "__getrandom" (func $random (param i32 i32) (result i32)))"#;
    let body = r#"(func (export "__greed") (param i64) (result i64)
        (drop (memory.grow (i32.const 16)))
        (loop $on (drop (call $random (i32.const 65536) (i32.const 1048576))) (br $on)) unreachable)"#;
    let start = Instant::now();
    let error = run(&mut fueled(Limits::default(), imports, body), "greed").unwrap_err();
    assert!(matches!(error, CallError::OutOfFuel { limit: 200_000_000, .. }), "{error}");
    assert!(start.elapsed() < Duration::from_secs(20), "{:?}", start.elapsed());

    let body = r#"(func (export "__ask") (param i64) (result i64)
        (loop $on (drop (call $double (i64.const 0))) (br $on)) unreachable)"#;
    let limits = Limits { call_fuel: 1_000_000, ..Limits::default() };
    let mut instance = fueled(limits, &import("double"), body);
    let mut host = Host::answering(&[7; 10_000]);
    let error = instance.call::<_, ()>("ask", &(), &mut host).unwrap_err();
    assert!(matches!(error, CallError::OutOfFuel { .. }), "{error}");
    assert!((80..100).contains(&host.asked.len()), "asked {} times", host.asked.len());
}

#[test]
fn starting_has_fuel_of_its_own() {
    let start = "(func $start (loop $on (br $on))) (start $start)";
    let limits = Limits { startup_fuel: 10_000, ..Limits::default() };
    let error =
        Setup { engine: Some(deterministic()), limits, ..Setup::default() }.load(&module("", start)).unwrap_err();
    assert_contains(
        &error.to_string(),
        "`the start function` was stopped because it used more than 10000 units of fuel",
    );
}

/// The mod `bees`, whose function `work` others call.
fn bees(limits: Limits, body: &str) -> Instance {
    let identity = r#"(@custom "bevy_mod" "abi: 3\nid: bees\nversion: 1.0.0\n")"#;
    let setup = Setup { engine: Some(deterministic()), limits, ..Setup::default() };
    setup.load(&module("", &format!("{identity} {body}"))).unwrap()
}

/// A mod that passes its argument on to `bees` so many times.
fn caller_of_bees(limits: Limits, times: u32) -> Instance {
    let import = r#"(import "mod:bees" "__work" (func $work (param i64) (result i64)))"#;
    let body = format!(
        r#"(@custom "bevy_mod" "abi: 3\nid: tested\nversion: 1.0.0\ndependency: bees\n")
        (func (export "__send") (param i64) (result i64) (local $left i32) (local $args i64)
            (local.set $left (i32.const {times}))
            (loop $on
                (local.set $args (call $buf (call $alloc (i32.const 4)) (i32.const 4)))
                (i32.store (call $ptr (local.get $args)) (i32.const 1000))
                (call $free (call $work (local.get $args)))
                (local.set $left (i32.sub (local.get $left) (i32.const 1)))
                (br_if $on (local.get $left)))
            (i64.const 0))"#
    );
    let setup = Setup { engine: Some(deterministic()), limits, ..Setup::default() };
    setup.load(&module(import, &body)).unwrap()
}

struct Neighbour<'a>(&'a mut Instance);

impl HostCalls for Neighbour<'_> {
    fn call(&mut self, _: &mut Caller<'_>, _: usize, _: &[u8], _: &mut Vec<u8>) -> Result<(), String> {
        Err("there are none".to_owned())
    }

    fn call_mod(&mut self, call: &ModCall<'_>, result: &mut Vec<u8>) -> Result<(), ModCallFailure> {
        self.0.answer_mod(call, &mut NoHostCalls, result)
    }
}

#[test]
fn who_calls_another_mod_pays_for_it() {
    // What the bees may use in a frame is theirs alone.
    let mut bees = bees(Limits { frame_fuel: 10_000, ..Limits::default() }, LOOPS);
    bees.begin_frame();
    let limits = Limits { frame_fuel: 100_000, ..Limits::default() };
    let mut few = caller_of_bees(limits.clone(), 5);
    few.begin_frame();
    few.call::<_, ()>("send", &(), &mut Neighbour(&mut bees)).unwrap();
    let mut many = caller_of_bees(limits, 1_000);
    many.begin_frame();
    let error = many.call::<_, ()>("send", &(), &mut Neighbour(&mut bees)).unwrap_err();
    assert!(matches!(error, CallError::OutOfFrameFuel { limit: 100_000, .. }), "{error}");
    bees.call::<_, ()>("work", &100_u32, &mut NoHostCalls).unwrap();
}

#[test]
fn who_is_called_pays_for_its_own_loop() {
    let mut bees = bees(
        Limits { call_fuel: 50_000, ..Limits::default() },
        r#"(func (export "__work") (param i64) (result i64) (loop $on (br $on)) unreachable)"#,
    );
    // It could not pay for what the bees used.
    let mut caller = caller_of_bees(Limits { call_fuel: 20_000, ..Limits::default() }, 1);
    caller.call::<_, ()>("send", &(), &mut Neighbour(&mut bees)).unwrap();
    assert!(bees.is_poisoned() && !caller.is_poisoned());
}

#[test]
fn calls_in_each_other_end_where_the_caller_s_limit_says() {
    struct Deep(Vec<Instance>);
    impl HostCalls for Deep {
        fn call(&mut self, _: &mut Caller<'_>, _: usize, _: &[u8], _: &mut Vec<u8>) -> Result<(), String> {
            Err("there are none".to_owned())
        }
        fn call_mod(&mut self, call: &ModCall<'_>, result: &mut Vec<u8>) -> Result<(), ModCallFailure> {
            let mut next = self.0.pop().ok_or_else(|| ModCallFailure::new(ModCallStatus::NotRunning, "no more"))?;
            next.answer_mod(call, self, result)
        }
    }
    // Each returns the answer of the next, whole.
    let link = |limits: &Limits| {
        let import = r#"(import "mod:next" "__go" (func $go (param i64) (result i64)))"#;
        let body = r#"(@custom "bevy_mod" "abi: 3\nid: next\nversion: 1.0.0\ndependency: next\n")
            (func (export "__go") (param i64) (result i64) (call $go (local.get 0)))"#;
        let body = body.replace("dependency: next", "dependency: other").replace("id: next", "id: link");
        let import = import.replace("mod:next", "mod:other");
        Setup { limits: limits.clone(), ..Setup::default() }.load(&module(&import, &body)).unwrap()
    };
    // Whatever the limit says, sixteen are the most, or what the thread's stack has room for.
    for (nesting, deepest) in [(2, 2..=2), (5, 5..=5), (1_000, 8..=16)] {
        let limits = Limits { nesting, ..Limits::default() };
        let mut chain = Deep((0..30).map(|_| link(&limits)).collect());
        let mut first = chain.0.pop().unwrap();
        let Raw(answer) = first.call("go", &(), &mut chain).unwrap();
        let used = 30 - chain.0.len();
        assert!(deepest.contains(&used), "{used}: {}", String::from_utf8_lossy(&answer));
        assert_contains(&String::from_utf8_lossy(&answer), "too many calls from mod to mod");
    }
}

#[test]
fn a_flood_of_lines_is_cut_and_told() {
    let imports = r#"(import "env" "__log" (func $log (param i32 i32 i32)))
        (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))"#;
    let body = r#"(func (export "__flood") (param i64) (result i64) (local $left i32)
            (local.set $left (i32.const 500))
            (loop $on
                (call $log (i32.const 2) (i32.const 64) (i32.const 3))
                (drop (call $write (i32.const 1) (i32.const 128) (i32.const 1) (i32.const 140)))
                (local.set $left (i32.sub (local.get $left) (i32.const 1)))
                (br_if $on (local.get $left)))
            (i64.const 0))
        (data (i32.const 64) "log\n") (data (i32.const 128) "\40\00\00\00\04\00\00\00")"#;
    let limits = Limits { log_lines: 50, ..Limits::default() };
    let setup = Setup { limits, ..Setup::default() };
    let mut instance = setup.load(&module(imports, body)).unwrap();
    run(&mut instance, "flood").unwrap();
    // A second may have begun in between.
    let lines = setup.lines.take();
    assert!((50..=150).contains(&lines.len()), "{} lines", lines.len());
    drop(instance);
    let (level, told) = setup.lines.take().pop().unwrap();
    assert_eq!(level, LogLevel::Warn);
    assert_contains(&told, "lines dropped: it logs more than 50 in a second]");
}

#[test]
fn imports_take_and_give_only_so_many_bytes() {
    let body = r#"(func (export "__go") (param i64) (result i64) (call $double (local.get 0)))"#;
    let limits = Limits { import_bytes: 1_000, ..Limits::default() };
    let fresh = || with_limits(limits.clone(), &import("double"), body);
    let mut host = Host::answering(&[1; 1_000]);
    let Raw(answer) = fresh().call("go", &Raw(vec![0; 1_000]), &mut host).unwrap();
    assert_eq!(answer.len(), 1_000);
    let error = fresh().call::<_, Raw>("go", &Raw(vec![0; 1_001]), &mut host).unwrap_err();
    assert_contains(
        &error.to_string(),
        "`double`, which failed: its arguments have 1001 bytes, more than the limit of 1000",
    );
    assert_eq!(host.asked.len(), 1, "the host should not be asked");
    let mut host = Host::answering(&[1; 1_001]);
    let error = fresh().call::<_, Raw>("go", &(), &mut host).unwrap_err();
    assert_contains(&error.to_string(), "its result has 1001 bytes, more than the limit of 1000");
}

#[test]
fn clocks_stand_where_the_host_sets_them() {
    let imports =
        r#"(import "wasi_snapshot_preview1" "clock_time_get" (func $clock (param i32 i64 i32) (result i32)))"#;
    let body = r#"(func (export "__now") (param i64) (result i64) (local $at i32)
        (local.set $at (call $alloc (i32.const 8)))
        (drop (call $clock (i32.const 1) (i64.const 0) (local.get $at)))
        (call $buf (local.get $at) (i32.const 8)))"#;
    let now = |instance: &mut Instance| instance.call::<_, u64>("now", &(), &mut NoHostCalls).unwrap();
    let mut instance = load(imports, body);
    std::thread::sleep(2 * MILLI);
    assert!(now(&mut instance) >= 2_000_000, "it runs by itself");
    for mut instance in [instance, fueled(Limits::default(), imports, body)] {
        instance.set_time(Duration::from_micros(16_667));
        std::thread::sleep(2 * MILLI);
        assert_eq!(now(&mut instance), 16_667_000);
    }
    assert_eq!(now(&mut fueled(Limits::default(), imports, body)), 0);
}
