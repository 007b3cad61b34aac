//! Calls from mod to mod: what is compared, what is checked, and what the mod that calls is told.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use mod_host::{
    CallError, Caller, Codec, HostCalls, Instance, Limits, LoadError, MAX_MOD_CALL_BYTES, ModCall, ModCallFailure,
    ModCallStatus, NoHostCalls,
};

use crate::harness::{Raw, Setup, assert_contains, codecs, module, plugin, stating, wasm};

/// An identity with dependencies, and lines that state functions.
fn sections(id: &str, codec: Codec, dependencies: &str, lines: &[&str]) -> String {
    let identity = format!("abi: 3\\nid: {id}\\nversion: 1.0.0\\ncodec: {codec}\\n{dependencies}");
    format!(r#"(@custom "bevy_mod" "{identity}") {}"#, stating(lines))
}

/// The other mod: `honey` returns what it gets, and there are worse functions.
fn bees(codec: Codec, lines: &[&str]) -> Vec<u8> {
    let body = r#"
        (export "__honey" (func $honey))
        (func $honey (param i64) (result i64) (local.get 0))
        (func (export "__wax") (param i64) (result i64) (i64.const 0))
        (func (export "__sting") (param i64) (result i64) unreachable)
        (func (export "__picky") (param $args i64) (result i64)
            (call $free (local.get $args))
            (call $why (i32.const 64) (i32.const 7))
            (i64.const -1))
        (data (i32.const 64) "no wax\0a")
        (func (export "__hum") (param i64) (result i64) (loop $on (br $on)) unreachable)
        (func (export "__lie") (param i64) (result i64) (i64.const 0xffff0000_00000010))
        (func (export "__much") (param i64) (result i64)
            (drop (memory.grow (i32.const 100)))
            (i64.const 0x00000000_00500000))
        (func (export "__back") (param i64) (result i64) (call $steal (local.get 0)))"#;
    let import = r#"(import "mod:wasps" "__steal" (func $steal (param i64) (result i64)))
        (import "env" "__panic" (func $why (param i32 i32)))"#;
    module(import, &(sections("bees", codec, "optional: wasps", lines) + body))
}

/// The mod that calls: for each function of `bees` an export `go_<name>` that returns the whole answer.
fn wasps(codec: Codec, lines: &[&str]) -> Vec<u8> {
    let names = ["honey", "wax", "sting", "picky", "hum", "lie", "much", "back", "none"];
    let imports =
        names.map(|name| format!(r#"(import "mod:bees" "__{name}" (func ${name} (param i64) (result i64)))"#));
    let exports = names
        .map(|name| format!(r#"(func (export "__go_{name}") (param i64) (result i64) (call ${name} (local.get 0)))"#));
    // What `bees` may call in turn.
    let steal = r#"(func (export "__steal") (param i64) (result i64) (local.get 0))"#;
    // Calls `honey` until somebody stops it.
    let greedy = r#"(func (export "__greedy") (param i64) (result i64) (loop $on
        (call $free (call $honey (i64.const 0))) (br $on)) unreachable)"#;
    module(
        &imports.concat(),
        &(sections("wasps", codec, "dependency: bees", lines) + &exports.concat() + steal + greedy),
    )
}

/// The mods that are there. One that is called is not while it is.
#[derive(Default)]
struct Meadow(BTreeMap<String, Instance>);

impl HostCalls for Meadow {
    fn call(&mut self, _: &mut Caller<'_>, _: usize, _: &[u8], _: &mut Vec<u8>) -> Result<(), String> {
        Err("there is nothing".to_owned())
    }

    fn call_mod(&mut self, call: &ModCall<'_>, result: &mut Vec<u8>) -> Result<(), ModCallFailure> {
        let id = &call.import.mod_id;
        let busy = || ModCallFailure::new(ModCallStatus::Busy, format!("the mod `{id}` is busy"));
        let mut callee = self.0.remove(id).ok_or_else(busy)?;
        let answer = callee.answer_mod(call, self, result);
        self.0.insert(id.clone(), callee);
        answer
    }
}

fn load(bytes: &[u8]) -> Instance {
    Setup::default().load(bytes).unwrap_or_else(|error| unreachable!("{error}"))
}

fn problems(bytes: &[u8]) -> Vec<String> {
    match Setup::default().compile(bytes) {
        Err(LoadError::Undeclared { problems }) => problems,
        other => unreachable!("{other:?}"),
    }
}

/// A call and what comes of it: the status, and the text or the result behind it.
#[track_caller]
fn call(wasps: &mut Instance, meadow: &mut Meadow, function: &str, args: &[u8]) -> (ModCallStatus, Vec<u8>) {
    let Raw(answer) = wasps.call(function, &Raw(args.to_vec()), meadow).unwrap();
    let (status, rest) = ModCallStatus::split(&answer);
    (status, rest.to_vec())
}

/// The text behind a failure.
#[track_caller]
fn failure(wasps: &mut Instance, meadow: &mut Meadow, function: &str, expected: ModCallStatus) -> String {
    let (status, text) = call(wasps, meadow, function, &7_u32.to_le_bytes());
    let text = String::from_utf8(text).unwrap();
    assert_eq!(status, expected, "{text}");
    text
}

fn meadow(bees: &[u8]) -> Meadow {
    Meadow(BTreeMap::from([("bees".to_owned(), load(bees))]))
}

#[test]
fn a_mod_calls_another() {
    let mut wasps = load(&wasps(Codec::Bincode, &["import bincode bees::honey (u32)->u32"]));
    let mut meadow = meadow(&bees(Codec::Bincode, &["export bincode honey (u32)->u32"]));
    let honey = call(&mut wasps, &mut meadow, "go_honey", &7_u32.to_le_bytes());
    assert_eq!(honey, (ModCallStatus::Answered, 7_u32.to_le_bytes().to_vec()));
    assert_eq!(call(&mut wasps, &mut meadow, "go_wax", b""), (ModCallStatus::Answered, Vec::new()));
}

#[test]
fn memory_stays_constant() {
    let mut wasps = load(&wasps(Codec::Bincode, &[]));
    let mut meadow = meadow(&bees(Codec::Bincode, &[]));
    for _ in 0..2 {
        for _ in 0..1000 {
            call(&mut wasps, &mut meadow, "go_honey", &[7; 100]);
        }
        let before = (wasps.memory_bytes(), meadow.0["bees"].memory_bytes());
        for _ in 0..1000 {
            call(&mut wasps, &mut meadow, "go_honey", &[7; 100]);
        }
        assert_eq!((wasps.memory_bytes(), meadow.0["bees"].memory_bytes()), before);
    }
}

#[test]
fn the_manifest_tells() {
    let compiled = Setup::default().compile(&wasps(Codec::Bincode, &[])).unwrap();
    let names: Vec<_> = compiled.manifest().mod_functions.iter().map(ToString::to_string).collect();
    assert_eq!(names[..3], ["bees::back", "bees::honey", "bees::hum"]);
    assert!(compiled.manifest().host_functions.is_empty());
}

#[test]
fn mods_that_are_not_stated_as_dependencies_are_an_error() {
    let import = |id: &str| format!(r#"(import "mod:{id}" "__f" (func (param i64) (result i64)))"#);
    let imports: String = ["bees", "bee", "frost", "wasps", "bees"].map(import).concat();
    let of = |dependencies: &str| problems(&module(&imports, &sections("wasps", Codec::Bincode, dependencies, &[])));
    assert_eq!(
        of("dependency: bees ^1\\nincompatible: frost"),
        [
            "for `bee::f` its Cargo.toml needs `bee = \"*\"`, or the versions that it works with, in \
             `[package.metadata.mod.dependencies]`; did you mean `bees`?",
            "`frost::f` is of a mod that it states as incompatible",
            "`wasps::f` is a function of the mod itself",
        ]
    );
    // A mod without an identity depends on nobody.
    assert_eq!(problems(&module(&import("bees"), "")).len(), 1);
    // An optional one is enough.
    load(&module(&import("bees"), &sections("wasps", Codec::Bincode, "optional: bees", &[])));
}

#[test]
fn odd_imports_are_an_error_and_harmless() {
    let check = |import: &str, expected: &str| {
        let bytes = module(import, &sections("wasps", Codec::Bincode, "dependency: bees", &[]));
        match Setup::default().load(&bytes) {
            Err(LoadError::Imports { problems }) => assert_contains(&problems[0], expected),
            other => unreachable!("{other:?}"),
        }
    };
    check(r#"(import "mod:bees" "__honey" (func (param i32)))"#, "`mod:bees.__honey`");
    check(r#"(import "mod:bees" "honey" (func (param i64) (result i64)))"#, "`mod:bees.honey`");
    check(r#"(import "mod:bees" "__mod_run" (func (param i64) (result i64)))"#, "`mod:bees.__mod_run`");
    check(r#"(import "mod:bees" "__honey" (global i32))"#, "a global");
    // An id that is none is no dependency either.
    let odd = module(r#"(import "mod:" "__f" (func (param i64) (result i64)))"#, "");
    assert_eq!(problems(&odd).len(), 1);
    let imports: String =
        (0..5_000).map(|n| format!(r#"(import "mod:bees" "__f{n}" (func (param i64) (result i64)))"#)).collect();
    let many = problems(&module(&imports, &sections("wasps", Codec::Bincode, "dependency: bees", &[])));
    assert_contains(&many[0], "5000 functions");
}

#[test]
fn a_host_without_other_mods_says_so() {
    let mut wasps = load(&wasps(Codec::Bincode, &[]));
    let Raw(answer) = wasps.call("go_honey", &Raw(vec![1]), &mut NoHostCalls).unwrap();
    let (status, text) = ModCallStatus::split(&answer);
    assert_eq!((status, text), (ModCallStatus::NotRunning, &b"there is no mod `bees`, or it does not run"[..]));
    let import = r#"(import "mod:bees" "__honey" (func $honey (param i64) (result i64)))"#;
    let identity = sections("tested", Codec::Bincode, "optional: bees", &[]);
    let go = r#"(func (export "__go") (param i64) (result i64) (call $honey (local.get 0)))"#;
    let mut plugin = plugin(import, &(identity + go)).finish().unwrap();
    let Raw(answer) = plugin.call_function_with_argument("go", &Raw(vec![])).unwrap();
    assert_eq!(ModCallStatus::split(&answer).0, ModCallStatus::NotRunning);
}

#[test]
fn types_and_codecs_are_compared_once_per_instance() {
    let mut wasps = load(&wasps(Codec::Bincode, &["import bincode bees::honey (u32)->u32"]));
    let check = |wasps: &mut Instance, bees: &[u8], expected: Result<(), &str>| {
        let mut meadow = meadow(bees);
        match expected {
            Ok(()) => {
                let honey = call(wasps, &mut meadow, "go_honey", &7_u32.to_le_bytes());
                assert_eq!(honey.0, ModCallStatus::Answered);
            }
            Err(text) => assert_eq!(failure(wasps, &mut meadow, "go_honey", ModCallStatus::NoSuchFunction), text),
        }
    };
    for (line, expected) in [
        ("export bincode honey (u32)->u32", Ok(())),
        ("export bincode honey (f32)->u32", Err("`bees::honey` takes `f32`, but the mod passes `u32`")),
        ("export bincode honey (u32)->str", Err("`bees::honey` returns `str`, but the mod expects `u32`")),
        ("export bincode honey (u32,u8)->_", Err("`bees::honey` takes 2 arguments, but the mod passes 1 argument")),
        ("export bincode honey (_)->_", Ok(())),
        ("export bincode wax (str)->()", Ok(())),
    ] {
        check(&mut wasps, &bees(Codec::Bincode, &[line]), expected);
    }
    for codec in codecs().filter(|codec| *codec != Codec::Bincode) {
        let text = format!("`bees::honey` speaks `{codec}`, but the mod speaks `bincode`");
        check(&mut wasps, &bees(codec, &[]), Err(&text));
    }
    assert!(!wasps.is_poisoned());
}

#[test]
fn all_differences_at_once() {
    let lines = [
        "import bincode bees::honey (u32)->u32",
        "import bincode bees::wax ()->str",
        "import bincode bees::sting ()->()",
        // Of others.
        "import bincode other::hum (u8)->()",
        "import bincode hum (u8)->()",
    ];
    let ours = Setup::default().compile(&wasps(Codec::Bincode, &lines)).unwrap();
    let lines = ["export bincode honey (str)->u32", "export bincode wax ()->u8", "export bincode hum (str)->()"];
    let theirs = Setup::default().compile(&bees(Codec::Bincode, &lines)).unwrap();
    assert_eq!(
        ours.manifest().differences_from(theirs.manifest()),
        [
            "`bees::honey` takes `str`, but the mod passes `u32`",
            "the mod `bees` has no function `none`",
            "`bees::wax` returns `u8`, but the mod expects `str`",
        ]
    );
    assert!(theirs.manifest().differences_from(ours.manifest()).is_empty());
}

#[test]
fn bytes_are_checked_on_both_ways() {
    // The lies are in the caller: it states one type and sends another.
    let mut liar = load(&wasps(Codec::Bincode, &["import bincode bees::honey (str)->str"]));
    let mut hive = meadow(&bees(Codec::Bincode, &["export bincode honey (str)->_"]));
    let text = failure(&mut liar, &mut hive, "go_honey", ModCallStatus::Refused);
    assert_eq!(text, "the arguments of `bees::honey` are no values of their types");
    let mut hive = meadow(&bees(Codec::Bincode, &[]));
    let text = failure(&mut liar, &mut hive, "go_honey", ModCallStatus::Failed);
    assert_eq!(text, "the result of `bees::honey` is no value of its type");
    let two = ["export bincode honey (u8,bool)->_"];
    let mut honest = load(&wasps(Codec::Bincode, &[]));
    for (args, expected) in [
        (&[1, 1][..], ModCallStatus::Answered),
        (&[1, 2], ModCallStatus::Refused),
        (&[1], ModCallStatus::Refused),
        (&[1, 1, 1], ModCallStatus::Refused),
    ] {
        let answer = call(&mut honest, &mut meadow(&bees(Codec::Bincode, &two)), "go_honey", args);
        assert_eq!(answer.0, expected, "{args:?}");
    }
}

#[test]
fn too_much_is_refused() {
    let mut wasps = load(&wasps(Codec::Bincode, &[]));
    let mut meadow = meadow(&bees(Codec::Bincode, &[]));
    let full = vec![0; MAX_MOD_CALL_BYTES];
    assert_eq!(call(&mut wasps, &mut meadow, "go_honey", &full), (ModCallStatus::Answered, full.clone()));
    let answer = call(&mut wasps, &mut meadow, "go_honey", &vec![0; MAX_MOD_CALL_BYTES + 1]);
    assert_eq!(answer.0, ModCallStatus::Refused);
    let text = failure(&mut wasps, &mut meadow, "go_much", ModCallStatus::Failed);
    assert_contains(&text, "more than 4194304");
    // One that has no memory for the answer is told, and goes on.
    let limits = Limits { memory_bytes: 10 << 20, ..Limits::default() };
    let tight = Setup { limits, ..Setup::default() };
    let mut small = tight.load(&wasps_with_little_memory()).unwrap();
    let Raw(answer) = small.call("go", &Raw(full), &mut meadow).unwrap();
    let (status, text) = ModCallStatus::split(&answer);
    assert_eq!(status, ModCallStatus::Refused);
    assert_contains(std::str::from_utf8(text).unwrap(), "has no memory for an answer of");
}

/// A mod that gives nothing back, so that its arguments stay in the way of the answer.
fn wasps_with_little_memory() -> Vec<u8> {
    wasm(&format!(
        r#"(module (import "mod:bees" "__honey" (func $honey (param i64) (result i64)))
            {} (memory (export "memory") 1 100) (global $top (mut i32) (i32.const 4096))
            (func (export "__free_buffer") (param i64))
            (func (export "__alloc_buffer") (param $n i32) (result i32) (local $at i32)
                (local.set $at (global.get $top))
                (if (i32.gt_u (i32.add (local.get $at) (local.get $n)) (i32.shl (memory.size) (i32.const 16)))
                    (then (if (i32.eq (i32.const -1) (memory.grow (i32.shr_u (local.get $n) (i32.const 16))))
                        (then (return (i32.const 0))))))
                (global.set $top (i32.add (local.get $at) (local.get $n)))
                (local.get $at))
            (func (export "__go") (param i64) (result i64) (call $honey (local.get 0))))"#,
        sections("wasps", Codec::Bincode, "dependency: bees", &[])
    ))
}

#[test]
fn nobody_is_entered_twice() {
    let mut wasps = load(&wasps(Codec::Bincode, &[]));
    let mut meadow = meadow(&bees(Codec::Bincode, &[]));
    // `wasps` calls `bees`, which returns what came of calling `wasps`.
    let (status, inner) = call(&mut wasps, &mut meadow, "go_back", &[1]);
    assert_eq!(status, ModCallStatus::Answered);
    assert_eq!(ModCallStatus::split(&inner), (ModCallStatus::Busy, &b"the mod `wasps` is busy"[..]));
}

#[test]
fn a_mod_that_fails_is_poisoned_and_the_other_goes_on() {
    let mut wasps = load(&wasps(Codec::Bincode, &[]));
    let mut meadow = meadow(&bees(Codec::Bincode, &[]));
    let text = failure(&mut wasps, &mut meadow, "go_lie", ModCallStatus::Failed);
    assert_contains(&text, "bees: `lie` returned a buffer that cannot be used");
    let text = failure(&mut wasps, &mut meadow, "go_picky", ModCallStatus::Refused);
    assert_eq!(text, "bees: `picky` of the mod cannot read its arguments: no wax ");
    assert!(!meadow.0["bees"].is_poisoned());
    let text = failure(&mut wasps, &mut meadow, "go_sting", ModCallStatus::Failed);
    assert_contains(&text, "bees: `sting` failed");
    assert!(meadow.0["bees"].is_poisoned() && !wasps.is_poisoned());
    failure(&mut wasps, &mut meadow, "go_honey", ModCallStatus::NotRunning);
    assert_eq!(wasps.call::<_, Raw>("echo", &Raw(vec![3]), &mut NoHostCalls).unwrap(), Raw(vec![3]));
}

#[test]
fn a_mod_that_loops_does_not_take_its_caller_along() {
    let limits = Limits { call_time: Duration::from_millis(60), ..Limits::default() };
    let setup = Setup { limits, ..Setup::default() };
    let mut wasps = setup.load(&wasps(Codec::Bincode, &[])).unwrap();
    let mut meadow = Meadow(BTreeMap::from([("bees".to_owned(), setup.load(&bees(Codec::Bincode, &[])).unwrap())]));
    let start = Instant::now();
    let text = failure(&mut wasps, &mut meadow, "go_hum", ModCallStatus::Failed);
    assert_contains(&text, "longer than 60ms");
    assert!(start.elapsed() < Duration::from_secs(5));
    assert!(meadow.0["bees"].is_poisoned() && !wasps.is_poisoned());
    let took = meadow.0.get_mut("bees").map(|bees| bees.take_usage().time);
    assert!(took.is_some_and(|took| took >= Duration::from_millis(50)), "its loop is its own: {took:?}");
}

#[test]
fn calls_count_against_the_time_of_the_caller() {
    let limits = Limits { call_time: Duration::from_millis(30), ..Limits::default() };
    let mut wasps = Setup { limits, ..Setup::default() }.load(&wasps(Codec::Bincode, &[])).unwrap();
    let mut meadow = meadow(&bees(Codec::Bincode, &[]));
    let error = wasps.call::<_, ()>("greedy", &(), &mut meadow).unwrap_err();
    assert!(matches!(error, CallError::Timeout { .. }), "{error}");
    assert!(!meadow.0["bees"].is_poisoned());
}

#[test]
fn arguments_outside_of_the_memory_are_the_callers_fault() {
    let go = r#"(import "mod:bees" "__honey" (func $honey (param i64) (result i64)))"#;
    let body = r#"(func (export "__go") (param i64) (result i64) (call $honey (i64.const 0xffff0000_00000010)))"#;
    let mut wasps = load(&module(go, &(sections("wasps", Codec::Bincode, "dependency: bees", &[]) + body)));
    let mut meadow = meadow(&bees(Codec::Bincode, &[]));
    let error = wasps.call::<_, ()>("go", &(), &mut meadow).unwrap_err();
    assert!(matches!(&error, CallError::Import { import, .. } if import == "bees::honey"), "{error}");
    assert!(wasps.is_poisoned() && !meadow.0["bees"].is_poisoned());
}

/// A mod `m<n>` whose `go` takes some stack and then calls `go` of `m<n+1>`.
fn link(n: usize, stack: usize) -> Vec<u8> {
    let next = n + 1;
    let import = format!(r#"(import "mod:m{next}" "__go" (func $next (param i64) (result i64)))"#);
    let body = format!(
        r#"(func $deep (param $left i32) (param $args i64) (result i64)
            (if (result i64) (local.get $left)
                (then (i64.add (call $deep (i32.sub (local.get $left) (i32.const 1)) (local.get $args)) (i64.const 0)))
                (else (call $next (local.get $args)))))
        (func (export "__go") (param i64) (result i64) (call $deep (i32.const {stack}) (local.get 0)))"#
    );
    module(&import, &(sections(&format!("m{n}"), Codec::Bincode, &format!("dependency: m{next}"), &[]) + &body))
}

/// How many mods answered each other, up to the one that could not go on, and what that one was told.
fn chain(stack: usize) -> (usize, ModCallStatus) {
    let mods = (1..30).map(|n| (format!("m{n}"), load(&link(n, stack))));
    let mut meadow = Meadow(mods.collect());
    let mut first = load(&link(0, stack));
    let Raw(answer) = first.call("go", &Raw(vec![]), &mut meadow).unwrap();
    let (mut answer, mut count) = (answer.as_slice(), 0);
    loop {
        let (status, rest) = ModCallStatus::split(answer);
        if status != ModCallStatus::Answered {
            return (count, status);
        }
        (answer, count) = (rest, count + 1);
    }
}

#[test]
fn chains_end() {
    let (count, status) = chain(1);
    assert_eq!(status, ModCallStatus::Refused);
    assert!((4..=15).contains(&count), "{count}");
    // Mods that take a lot of stack cannot run the thread's out.
    let (count, status) = chain(4_000);
    assert_eq!(status, ModCallStatus::Refused);
    assert!(count < 3, "{count}");
}
