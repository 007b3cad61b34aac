//! `__getrandom`, `__log`, `__entity_reserve` and `__query_row`.

use std::sync::Arc;

use mod_abi::names::{LogLevel, NO_ROW};
use mod_host::{CallError, Caller, Entropy, HostCalls, NoHostCalls};

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

/// A host with entities to reserve and one row.
#[derive(Default)]
struct Entities {
    reserved: u64,
    asked: Vec<(u32, u64)>,
    refusal: Option<&'static str>,
}

/// The entity in row 3 of parameter 1.
const KNOWN: u64 = 0xffff_0001_ffff_fff0;

impl Entities {
    fn refusing(reason: &'static str) -> Self {
        Self { refusal: Some(reason), ..Self::default() }
    }

    fn check(&self) -> Result<(), String> {
        self.refusal.map_or(Ok(()), |reason| Err(reason.to_owned()))
    }
}

impl HostCalls for Entities {
    fn call(&mut self, _: &mut Caller<'_>, _: usize, _: &[u8], _: &mut Vec<u8>) -> Result<(), String> {
        Err("not this one".to_owned())
    }

    fn reserve_entity(&mut self) -> Result<u64, String> {
        self.check()?;
        self.reserved += 1;
        Ok(KNOWN - self.reserved)
    }

    fn query_row(&mut self, param: u32, entity: u64) -> Result<Option<u32>, String> {
        self.check()?;
        self.asked.push((param, entity));
        Ok(((param, entity) == (1, KNOWN)).then_some(3))
    }
}

const RESERVE: &str = r#"(import "env" "__entity_reserve" (func $reserve (result i64)))"#;
/// Answers with two new entities.
const TWO: &str = r#"(func (export "__two") (param i64) (result i64)
    (i64.store (i32.const 64) (call $reserve))
    (i64.store (i32.const 72) (call $reserve))
    (call $buf (i32.const 64) (i32.const 16)))"#;

const ROW: &str = r#"(import "env" "__query_row" (func $row (param i32 i64) (result i32)))"#;
/// Answers with the row of an entity in the block of a parameter.
const FIND: &str = r#"(func (export "__find") (param $b i64) (result i64)
    (i32.store (i32.const 64) (call $row
        (i32.load (call $ptr (local.get $b)))
        (i64.load offset=4 (call $ptr (local.get $b)))))
    (call $free (local.get $b))
    (call $buf (i32.const 64) (i32.const 4)))"#;

#[test]
fn entities_are_reserved_one_by_one() {
    let mut host = Entities::default();
    let mut instance = load(RESERVE, TWO);
    let two: (u64, u64) = instance.call("two", &(), &mut host).unwrap();
    assert_eq!(two, (KNOWN - 1, KNOWN - 2));
    let two: (u64, u64) = instance.call("two", &(), &mut host).unwrap();
    assert_eq!(two, (KNOWN - 3, KNOWN - 4));
}

#[test]
fn rows_are_found_by_entity() {
    let mut host = Entities::default();
    let mut instance = load(ROW, FIND);
    let asked = [(1, KNOWN), (0, KNOWN), (1, 0), (u32::MAX, u64::MAX)];
    let rows: [u32; 4] = asked.map(|asked| instance.call("find", &asked, &mut host).unwrap());
    assert_eq!(rows, [3, NO_ROW, NO_ROW, NO_ROW]);
    assert_eq!(host.asked, asked, "the host judges what the mod asks for");
}

#[test]
fn a_running_system_reserves_and_finds() {
    // Leaves the id as the length of its commands, to show that it arrived.
    let body = r#"(func (export "__mod_run") (param i64) (result i64)
        (if (i32.ne (call $row (i32.const 1) (i64.const 0xffff_0001_ffff_fff0)) (i32.const 3)) (then unreachable))
        (i64.and (call $reserve) (i64.const 0xff)))"#;
    let mut instance = load(&format!("{RESERVE} {ROW}"), body);
    instance.batch(16).unwrap();
    let left = instance.run("drift", &mut Entities::default()).unwrap();
    assert_eq!(left.len(), 0xef);
}

#[test]
fn a_host_that_refuses_ends_the_call() {
    let refused = |imports: &str, body: &str, function: &str, host: &mut dyn HostCalls| {
        let mut instance = load(imports, body);
        let error = instance.call_bytes(function, &[1; 12], host).unwrap_err();
        assert!(matches!(error, CallError::Import { .. }), "{error}");
        assert!(instance.is_poisoned());
        error.to_string()
    };
    assert_eq!(
        refused(RESERVE, TWO, "two", &mut Entities::refusing("no more\nentities")),
        "`two` called `__entity_reserve`, which failed: no more entities"
    );
    assert_eq!(
        refused(ROW, FIND, "find", &mut Entities::refusing("parameter 1 is no query")),
        "`find` called `__query_row`, which failed: parameter 1 is no query"
    );
    // A host that knows of neither.
    assert_eq!(
        refused(RESERVE, TWO, "two", &mut NoHostCalls),
        "`two` called `__entity_reserve`, which failed: entities can only be spawned by a system with `Commands`"
    );
    assert_eq!(
        refused(ROW, FIND, "find", &mut NoHostCalls),
        "`find` called `__query_row`, which failed: there are rows only while a system runs"
    );
}

#[test]
fn there_are_no_entities_in_the_start_function() {
    for (imports, call) in
        [(RESERVE, "(drop (call $reserve))"), (ROW, "(drop (call $row (i32.const 0) (i64.const 1)))")]
    {
        let body = format!("(start $s) (func $s {call})");
        assert!(Setup::default().load(&module(imports, &body)).is_err(), "{call}");
    }
}

#[test]
fn entity_imports_of_another_type_are_refused() {
    for (import, expected) in [
        (
            r#"(import "env" "__entity_reserve" (func (param i64) (result i64)))"#,
            "`env.__entity_reserve` is a function () -> (i64), but the mod wants a function (i64) -> (i64)",
        ),
        (
            r#"(import "env" "__query_row" (func (param i64) (result i64)))"#,
            "`env.__query_row` is a function (i32, i64) -> (i32), but the mod wants a function (i64) -> (i64)",
        ),
        (
            r#"(import "env" "__query_row" (global i32))"#,
            "`env.__query_row` is a function (i32, i64) -> (i32), but the mod wants a global",
        ),
    ] {
        let error = Setup::default().load(&module(import, "")).unwrap_err();
        assert_contains(&error.to_string(), expected);
    }
}
