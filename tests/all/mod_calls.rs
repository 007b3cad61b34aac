//! Mods call mods, in the running game: what is compared when they are installed, what comes of each call, and what the
//! scheduler knows of it.

use std::time::Duration;

use bevy::prelude::{Commands, Component, In, Local, Query, Res, ResMut, Resource};
use bevy_wasm_mods::{
    Codec, Decode,
    prelude::{CallMod, ModAppExt, ModLimits, ModSettings, Mods},
};
use mod_abi::{
    DependencyKind::{Optional, Required},
    ModCallStatus, Schema, codec,
    describe::EventDesc,
};

use crate::{
    fixtures::Score,
    support::{Game, Mod, resource, with_mods},
};

/// The bytes of an answer, as they are.
#[derive(Debug)]
struct Raw(Vec<u8>);

impl Decode for Raw {
    fn decode(bytes: &[u8], _: Codec) -> Result<Self, codec::DecodeError> {
        Ok(Self(bytes.to_vec()))
    }

    fn schema(_: Codec) -> Option<Schema> {
        None
    }
}

/// The mod that is called. `honey(u32) -> u32` adds one; the others are worse. `back` returns what came of calling `wasps`.
fn bees() -> Mod {
    Mod::new("bees").depends(Optional, "wasps").import_of("wasps", "honey_of").fields(
        r#"(func $at (param $buffer i64) (result i32) (i32.wrap_i64 (i64.shr_u (local.get $buffer) (i64.const 32))))
        (func (export "__honey") (param $args i64) (result i64)
            (i32.store (call $at (local.get $args)) (i32.add (i32.const 1) (i32.load (call $at (local.get $args)))))
            (local.get $args))
        (func (export "__sting") (param i64) (result i64) unreachable)
        (func (export "__hum") (param i64) (result i64) (loop $on (br $on)) unreachable)
        (func (export "__back") (param $args i64) (result i64) (call $honey_of (local.get $args)))"#,
    )
}

/// The same with `honey` that asks the host function `note(u32) -> u32`.
fn noting_bees() -> Mod {
    bees()
        .import("note")
        .fields(r#"(func (export "__noted") (param $args i64) (result i64) (call $note (local.get $args)))"#)
}

/// A mod that calls a function of another with 7 in each frame and writes the answer into the score: the status and, behind
/// it, the result. `ask` returns the answer to the game, `honey_of` is there to be called back, `told` returns the last answer.
fn caller(id: &str, other: &str, function: &str) -> Mod {
    let mut caller = Mod::new(id).import_of(other, function);
    let score = caller.ty("Score", "{points:u64}");
    caller
        .system("fly", "Update", vec![resource(score, true)])
        .run(&format!(
            "(i32.store (i32.const 256) (i32.const 7))
            (global.set $answer (call ${function} (i64.const 0x10000000004)))
            (i64.store (local.get $data) (i64.or
                (i64.shl (i64.load32_u (call $at (global.get $answer))) (i64.const 32))
                (i64.load32_u offset=4 (call $at (global.get $answer)))))
            (i64.store (local.get $dirty) (i64.const 1))"
        ))
        .fields(&format!(
            r#"(global $answer (mut i64) (i64.const 0))
            (func $at (param $buffer i64) (result i32) (i32.wrap_i64 (i64.shr_u (local.get $buffer) (i64.const 32))))
            (func (export "__ask") (param $args i64) (result i64) (call ${function} (local.get $args)))
            (func (export "__told") (param i64) (result i64) (global.get $answer))
            (func (export "__honey_of") (param $args i64) (result i64) (local.get $args))"#
        ))
}

fn wasps(function: &str) -> Mod {
    caller("wasps", "bees", function).depends(Required, "bees")
}

fn game(mods: &[(&str, Mod)]) -> Game {
    game_with(mods, ModSettings::default())
}

fn game_with(mods: &[(&str, Mod)], settings: ModSettings) -> Game {
    let built: Vec<_> = mods.iter().map(|(name, module)| (*name, module.build())).collect();
    let files: Vec<_> = built.iter().map(|(name, bytes)| (*name, bytes.as_slice())).collect();
    let mut game = Game::with_settings(&files, settings);
    game.app.init_resource::<Score>().register_type::<Score>();
    game
}

/// Runs a frame and returns the last answer that `wasps` got in it.
#[track_caller]
fn answer(game: &mut Game) -> (ModCallStatus, u32) {
    game.app.world_mut().resource_mut::<Score>().points = u64::MAX;
    game.frame();
    let points = game.app.world().resource::<Score>().points;
    assert_ne!(points, u64::MAX, "nobody called: {:?}", game.faults());
    (ModCallStatus::from_raw((points >> 32) as u32), points as u32)
}

#[track_caller]
fn status(game: &mut Game) -> ModCallStatus {
    answer(game).0
}

/// The text of the last answer.
fn told(game: &mut Game) -> String {
    let Raw(bytes) = with_mods(game, |mut mods| mods.call("wasps", "told", &())).expect("it tells");
    String::from_utf8(ModCallStatus::split(&bytes).1.to_vec()).expect("a text")
}

const HONEY: (ModCallStatus, u32) = (ModCallStatus::Answered, 8);

#[test]
fn a_mod_calls_another() {
    // In both orders of loading: the second time the caller is there first.
    for [first, second] in [["bees", "wasps"], ["wasps", "bees"]] {
        let module = |id| if id == "bees" { bees() } else { wasps("honey") };
        let mut game = game(&[("0.wasm", module(first)), ("1.wasm", module(second))]);
        game.until_told("loaded wasps");
        game.until_told("loaded bees");
        assert_eq!(answer(&mut game), HONEY);
        game.frames(3);
        assert!(game.faults().is_empty(), "{:?}", game.faults());
    }
}

#[test]
fn a_start_up_calls_what_is_there() {
    let mut early = Mod::new("wasps").depends(Required, "bees").import_of("bees", "honey");
    let score = early.ty("Score", "{points:u64}");
    let early = early.system("hatch", "Startup", vec![resource(score, true)]).run(
        "(i32.store (i32.const 256) (i32.const 7))
        (i64.store (local.get $data) (i64.load offset=0 align=1 (i32.wrap_i64 (i64.shr_u
            (call $honey (i64.const 0x10000000004)) (i64.const 32)))))
        (i64.store (local.get $dirty) (i64.const 1))",
    );
    let mut game = game(&[("0.wasm", bees()), ("1.wasm", early)]);
    game.until_told("loaded wasps");
    assert_eq!(game.app.world().resource::<Score>().points, 8 << 32);
}

#[test]
fn a_mod_that_is_not_a_dependency_is_an_error_with_a_way_out() {
    let mut game = game(&[("bees.wasm", bees()), ("wasps.wasm", caller("wasps", "bees", "honey"))]);
    let fault = game.first_fault();
    assert!(fault.starts_with("wasps ("), "{fault}");
    assert!(
        fault.contains("for `bees::honey` its Cargo.toml needs `bees = \"*\"`")
            && fault.contains("`[package.metadata.mod.dependencies]`"),
        "{fault}"
    );
}

#[test]
fn what_a_dependency_does_not_have_is_one_error() {
    let wanting = wasps("honey").import_of("bees", "hony").import_of("bees", "sting");
    let wanting = wanting.states(&["import bincode bees::honey (f32)->u32", "import bincode bees::sting ()->()"]);
    let stated = bees().states(&["export bincode honey (u32)->u32"]);
    let mut game = game(&[("0.wasm", stated), ("1.wasm", wanting)]);
    let fault = game.first_fault();
    for part in [
        "wasps 1.2.3",
        "functions of other mods that are not as it needs them: ",
        "`bees::honey` takes `u32`, but the mod passes `f32`; ",
        "the mod `bees` has no function `hony`; did you mean `honey`?",
    ] {
        assert!(fault.contains(part), "{part:?} is not in: {fault}");
    }
    assert!(with_mods(&mut game, |mods| mods.is_running("bees") && !mods.is_running("wasps")));
}

#[test]
fn a_mod_that_is_not_needed_is_compared_at_the_call() {
    let wanting = caller("wasps", "bees", "honey").depends(Optional, "bees");
    let wanting = wanting.states(&["import bincode bees::honey (f32)->u32"]);
    let mut game = game(&[("0.wasm", wanting), ("1.wasm", bees().states(&["export bincode honey (u32)->u32"]))]);
    game.until_told("loaded bees");
    assert_eq!(status(&mut game), ModCallStatus::NoSuchFunction);
    assert_eq!(told(&mut game), "`bees::honey` takes `u32`, but the mod passes `f32`");
    assert!(game.faults().is_empty());
}

#[test]
fn an_optional_mod_may_be_missing_or_different() {
    let optional = || caller("wasps", "bees", "honey").depends(Optional, "bees");
    let mut alone = game(&[("wasps.wasm", optional())]);
    alone.until_told("loaded wasps");
    assert_eq!(status(&mut alone), ModCallStatus::NotRunning);
    assert_eq!(told(&mut alone), "there is no mod `bees`, or it does not run");
    let different = optional().states(&["import bincode bees::honey (str)->u32"]);
    let stated = bees().states(&["export bincode honey (u32)->u32"]);
    let mut both = game(&[("0.wasm", stated), ("1.wasm", different)]);
    both.until_told("loaded wasps");
    assert_eq!(status(&mut both), ModCallStatus::NoSuchFunction);
    assert!(both.faults().is_empty());
}

#[cfg(feature = "json")]
#[test]
fn mods_that_speak_different_codecs_do_not_understand_each_other() {
    let json = wat::parse_str(
        r#"(module (memory (export "memory") 1)
        (@custom "bevy_mod" "abi: 3\nid: bees\nversion: 1.0.0\ncodec: json\n")
        (func (export "__alloc_buffer") (param i32) (result i32) (i32.const 64))
        (func (export "__free_buffer") (param i64))
        (func (export "__honey") (param i64) (result i64) (local.get 0)))"#,
    );
    let json = json.expect("a module");
    let mut game = Game::with_mods(&[("0.wasm", &json), ("1.wasm", &wasps("honey").build())]);
    let fault = game.first_fault();
    assert!(fault.contains("`bees::honey` speaks `json`, but the mod speaks `bincode`"), "{fault}");
}

#[test]
fn nobody_is_called_in_the_middle_of_a_call() {
    let mut game = game(&[("0.wasm", bees()), ("1.wasm", wasps("back"))]);
    game.until_told("loaded wasps");
    // `bees` answered, with what came of its own call.
    assert_eq!(answer(&mut game), (ModCallStatus::Answered, ModCallStatus::Busy as u32));
    assert!(told(&mut game).ends_with("the mod `wasps` is in the middle of a call, which led to this one"));
    game.frames(3);
    assert!(game.faults().is_empty(), "{:?}", game.faults());
}

#[test]
fn a_mod_that_traps_over_a_call_is_stopped_and_its_caller_goes_on() {
    let mut game = game(&[("0.wasm", bees()), ("1.wasm", wasps("sting"))]);
    game.until_told("failed bees");
    let fault = game.faults()[0].to_string();
    assert!(fault.starts_with("bees 1.2.3 (") && fault.contains("`sting` failed"), "{fault}");
    assert!(fault.ends_with("(the mod `wasps` called it)") && !fault.contains("): bees:"), "{fault}");
    assert_eq!(status(&mut game), ModCallStatus::NotRunning);
    assert_eq!(game.faults().len(), 1);
    assert!(with_mods(&mut game, |mods| mods.is_running("wasps")));
}

#[test]
fn a_mod_that_loops_over_a_call_is_stopped_and_its_caller_goes_on() {
    let limits = ModLimits { call_time: Duration::from_millis(40), ..ModLimits::default() };
    let settings = ModSettings { limits, ..ModSettings::default() };
    let mut game = game_with(&[("0.wasm", bees()), ("1.wasm", wasps("hum"))], settings);
    game.until_told("failed bees");
    let fault = game.faults()[0].to_string();
    assert!(fault.contains("`hum` was stopped because it ran longer than 40ms"), "{fault}");
    assert_eq!(status(&mut game), ModCallStatus::NotRunning);
    assert_eq!(game.faults().len(), 1, "{:?}", game.faults());
}

#[test]
fn a_mod_comes_and_goes() {
    let optional = caller("wasps", "bees", "honey").depends(Optional, "bees");
    let mut game = game(&[("0.wasm", bees()), ("1.wasm", optional)]);
    game.until_told("loaded wasps");
    assert_eq!(answer(&mut game), HONEY);
    with_mods(&mut game, |mut mods| mods.disable("bees")).expect("it is there");
    assert_eq!(status(&mut game), ModCallStatus::NotRunning);
    with_mods(&mut game, |mut mods| mods.enable("bees")).expect("it is there");
    game.until("bees again", |game| with_mods(game, |mods| mods.is_running("bees")));
    assert_eq!(answer(&mut game), HONEY);
    with_mods(&mut game, |mut mods| mods.reload("bees")).expect("it is there");
    game.until_told("reloaded bees");
    assert_eq!(answer(&mut game), HONEY);
    with_mods(&mut game, |mut mods| mods.unload("bees")).expect("it is there");
    assert_eq!(status(&mut game), ModCallStatus::NotRunning);
    assert!(game.faults().is_empty());
}

#[cfg(feature = "hot_reload")]
#[test]
fn a_new_version_is_compared_again() {
    let line = ["export bincode honey (u32)->u32"];
    let calling = wasps("honey").states(&["import bincode bees::honey (u32)->u32"]);
    let mut game = game(&[("0.wasm", bees().states(&line)), ("1.wasm", calling)]);
    game.until_told("loaded wasps");
    assert_eq!(answer(&mut game), HONEY);
    game.write("0.wasm", &bees().states(&["export bincode honey (u32,u32)->u32"]).build());
    game.until_told("reloaded bees");
    assert_eq!(status(&mut game), ModCallStatus::NoSuchFunction);
    assert_eq!(told(&mut game), "`bees::honey` takes 2 arguments, but the mod passes 1 argument");
    game.events.clear();
    game.write("0.wasm", &bees().states(&line).fields("(global i32 (i32.const 1))").build());
    game.until_told("reloaded bees");
    assert_eq!(answer(&mut game), HONEY);
    assert!(game.faults().is_empty());
}

#[test]
fn lies_of_the_caller_do_not_reach_the_other() {
    // It states a text, and sends four bytes.
    let lying = || wasps("honey").states(&["import bincode bees::honey (str)->_"]);
    let mut game = game(&[("0.wasm", bees().states(&["export bincode honey (str)->u32"])), ("1.wasm", lying())]);
    game.until_told("loaded wasps");
    assert_eq!(status(&mut game), ModCallStatus::Refused);
    assert_eq!(told(&mut game), "the arguments of `bees::honey` are no values of their types");
    assert!(with_mods(&mut game, |mods| mods.is_running("bees")));
}

#[test]
fn lies_in_the_section_are_errors() {
    for (line, expected) in [
        ("import bincode ::honey ()->()", "the id of a mod"),
        ("import bincode b-?::honey ()->()", "the id of a mod"),
        ("import json bees::honey ()->()", "built for `json`"),
        ("import bincode bees::honey ()->()\\nimport bincode bees::honey (u8)->()", "states `honey` twice"),
    ] {
        let lying = wasps("honey").states(&[line]);
        let mut game = game(&[("bees.wasm", bees()), ("wasps.wasm", lying)]);
        let fault = game.first_fault();
        assert!(fault.contains(expected), "{expected:?} is not in: {fault}");
    }
    // What is stated of functions that are not imported, or of mods that are none, is of no account.
    let boastful = wasps("honey").states(&["import bincode queens::jelly ()->()", "export bincode nothing (str)->()"]);
    let mut game = game(&[("0.wasm", bees()), ("1.wasm", boastful)]);
    game.until_told("loaded wasps");
    assert_eq!(answer(&mut game), HONEY);
}

#[derive(Component)]
struct Made;

#[derive(Resource, Default)]
struct Book(Vec<(u32, u64)>);

/// A host function with everything that needs access.
fn note(In(value): In<u32>, mut calls: Local<u64>, mut book: ResMut<Book>, mut commands: Commands) -> u32 {
    *calls += 1;
    book.0.push((value, *calls));
    commands.spawn(Made);
    value * 2
}

#[test]
fn a_mod_that_is_called_calls_the_game() {
    // Also when it comes after the mod whose slots have to declare what it needs.
    for [first, second] in [["bees", "wasps"], ["wasps", "bees"]] {
        let module = |id| if id == "bees" { noting_bees() } else { wasps("noted") };
        let mut game = game(&[("0.wasm", module(first)), ("1.wasm", module(second))]);
        game.app.init_resource::<Book>().add_mod_import("note", note);
        game.until_told("loaded wasps");
        game.until_told("loaded bees");
        game.app.world_mut().resource_mut::<Book>().0.clear();
        assert_eq!(answer(&mut game), (ModCallStatus::Answered, 14));
        assert_eq!(answer(&mut game), (ModCallStatus::Answered, 14));
        let book = &game.app.world().resource::<Book>().0;
        assert_eq!((book.len(), book[1].0, book[1].1 - book[0].1), (2, 7, 1), "{book:?}");
        let mut made = game.app.world_mut().query::<&Made>();
        assert!(made.iter(game.app.world()).count() >= 2, "commands apply where the caller's do");
        assert!(game.faults().is_empty(), "{:?}", game.faults());
    }
}

#[cfg(feature = "hot_reload")]
#[test]
fn a_version_that_needs_more_of_the_game_is_callable() {
    let quiet = bees().fields(r#"(func (export "__noted") (param $args i64) (result i64) (local.get $args))"#);
    let mut game = game(&[("0.wasm", quiet), ("1.wasm", wasps("noted"))]);
    game.app.init_resource::<Book>().add_mod_import("note", note);
    game.until_told("loaded wasps");
    assert_eq!(answer(&mut game), (ModCallStatus::Answered, 7));
    game.write("0.wasm", &noting_bees().build());
    game.until_told("reloaded bees");
    assert_eq!(answer(&mut game), (ModCallStatus::Answered, 14));
    // `wasps` was not started anew for it.
    assert!(!game.story().contains(&"reloaded wasps".to_owned()));
}

#[test]
fn the_game_calls_a_mod_that_calls_another() {
    let mut game = game(&[("0.wasm", noting_bees()), ("1.wasm", wasps("noted"))]);
    game.app.init_resource::<Book>().add_mod_import("note", note);
    game.until_told("loaded wasps");
    let asked = game.app.world_mut().call_mod::<_, (u32, u32)>("wasps", "ask", &5_u32);
    assert_eq!(asked.expect("it asks"), (ModCallStatus::Answered as u32, 10));
    // Without the World, a mod that may want it is not called: it would be stopped for nothing.
    let Raw(bytes) = with_mods(&mut game, |mut mods| mods.call("wasps", "ask", &5_u32)).expect("it asks");
    let (status, text) = ModCallStatus::split(&bytes);
    assert_eq!(status, ModCallStatus::Refused);
    assert!(String::from_utf8_lossy(text).contains("cannot reach the World"));
    assert!(game.faults().is_empty());
    let mut plain = self::game(&[("0.wasm", bees()), ("1.wasm", wasps("honey"))]);
    plain.until_told("loaded wasps");
    let asked = with_mods(&mut plain, |mut mods| mods.call::<_, (u32, u32)>("wasps", "ask", &5_u32));
    assert_eq!(asked.expect("it asks"), (ModCallStatus::Answered as u32, 6));
    let back = wasps("back");
    let mut circle = self::game(&[("0.wasm", bees()), ("1.wasm", back)]);
    circle.until_told("loaded wasps");
    let asked = circle.app.world_mut().call_mod::<_, Raw>("wasps", "ask", &5_u32).expect("it asks");
    let (_, inner) = ModCallStatus::split(&asked.0);
    assert_eq!(ModCallStatus::split(inner).0, ModCallStatus::Busy);
}

#[test]
fn a_host_function_that_calls_mods_finds_them_busy() {
    // `Mods` in a host function: the mods further up the stack are in the middle of a call.
    fn meddle(In(value): In<u32>, mut mods: Mods) -> u32 {
        let bees = mods.call::<_, u32>("bees", "honey", &value);
        let wasps = mods.call::<_, u32>("wasps", "honey_of", &value);
        u32::from(bees.is_err()) + u32::from(wasps.is_err())
    }
    let mut game = game(&[("0.wasm", noting_bees()), ("1.wasm", wasps("noted"))]);
    game.app.add_mod_import("note", meddle);
    game.until_told("loaded wasps");
    assert_eq!(answer(&mut game), (ModCallStatus::Answered, 2));
    assert!(game.faults().is_empty(), "{:?}", game.faults());
}

/// A mod whose systems each call the next one, and whose own take their time.
fn slow(id: &str, next: Option<&str>) -> Mod {
    let mut slow = Mod::new(id).import("rest");
    let score = slow.ty("Score", "{points:u64}");
    let call = match next {
        None => "(local.get $args)".to_owned(),
        Some(_) => "(call $pass (local.get $args))".to_owned(),
    };
    if let Some(next) = next {
        slow = slow.depends(Required, next).import_of(next, "pass");
    }
    for name in ["one", "two"] {
        slow = slow.system(name, "Update", vec![resource(score, false)]);
    }
    let body = match next {
        None => "(drop (call $rest (i64.const 0)))".to_owned(),
        Some(_) => "(drop (call $rest (i64.const 0)))
            (if (i32.load (i32.wrap_i64 (i64.shr_u (call $pass (i64.const 0)) (i64.const 32)))) (then unreachable))"
            .to_owned(),
    };
    slow.run(&body).fields(&format!(r#"(func (export "__pass") (param $args i64) (result i64) {call})"#))
}

#[test]
fn mods_that_call_each_other_are_never_busy_by_chance() {
    // Each system takes a while, and each call traps that is not answered.
    let mods = [
        ("0.wasm", slow("c", None)),
        ("1.wasm", slow("b", Some("c"))),
        ("2.wasm", slow("a", Some("b"))),
        ("3.wasm", slow("d", Some("c"))),
    ];
    let mut game = game(&mods);
    game.app.add_mod_import("rest", || std::thread::sleep(Duration::from_millis(2)));
    for id in ["a", "b", "c", "d"] {
        game.until_told(&format!("loaded {id}"));
    }
    game.frames(40);
    assert!(game.faults().is_empty(), "{:?}", game.faults());
}

#[test]
fn a_game_system_and_what_a_called_mod_needs_are_kept_apart() {
    // The host function of `bees` runs in the slot of `wasps`, and writes the book.
    use std::sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    };
    let writing = Arc::new(AtomicBool::new(false));
    let (host, reader) = (Arc::clone(&writing), Arc::clone(&writing));
    let mut game = game(&[("0.wasm", noting_bees()), ("1.wasm", wasps("noted"))]);
    game.app.init_resource::<Book>().add_mod_import("note", move |In(value): In<u32>, _: ResMut<Book>| {
        host.store(true, Ordering::SeqCst);
        std::thread::sleep(Duration::from_millis(3));
        host.store(false, Ordering::SeqCst);
        value
    });
    let look = move |_: Res<Book>, _: Query<&Made>| {
        for _ in 0..10 {
            assert!(!reader.load(Ordering::SeqCst), "two at once");
            std::thread::sleep(Duration::from_micros(200));
        }
    };
    game.app.add_systems(bevy::prelude::Update, look);
    game.until_told("loaded wasps");
    for _ in 0..20 {
        assert_eq!(status(&mut game), ModCallStatus::Answered);
    }
    assert!(game.faults().is_empty(), "{:?}", game.faults());
}

#[cfg(feature = "hot_reload")]
#[test]
fn a_version_that_fails_over_a_call_gives_its_place_back() {
    let mut game = game(&[("0.wasm", bees()), ("1.wasm", wasps("honey"))]);
    game.until_told("loaded wasps");
    let bad = Mod::new("bees").fields(r#"(func (export "__honey") (param i64) (result i64) unreachable)"#);
    game.write("0.wasm", &bad.build());
    game.until_told("resumed bees");
    assert_eq!(answer(&mut game), HONEY);
    assert_eq!(game.faults().len(), 1, "{:?}", game.faults());
}

#[cfg(feature = "hot_reload")]
#[test]
fn a_version_that_calls_what_is_not_there_leaves_the_one_before_in_its_place() {
    let mut game = game(&[("0.wasm", bees()), ("1.wasm", wasps("honey"))]);
    game.until_told("loaded wasps");
    game.write("1.wasm", &wasps("hony").build());
    let fault = game.first_fault();
    assert!(fault.contains("the mod `bees` has no function `hony`; did you mean `honey`?"), "{fault}");
    assert_eq!(answer(&mut game), HONEY);
}

#[test]
fn observers_call_too() {
    #[derive(Component, bevy::prelude::Reflect, Default)]
    struct Flower;

    let mut watching = Mod::new("wasps").depends(Required, "bees").import_of("bees", "noted");
    let flower = watching.ty("all::mod_calls::Flower", "{}");
    let watching = watching.observer("on_flower", EventDesc::Add(flower), vec![]).run(
        "(i32.store (i32.const 256) (i32.const 7))
        (if (i32.load (i32.wrap_i64 (i64.shr_u (call $noted (i64.const 0x10000000004)) (i64.const 32))))
            (then unreachable))",
    );
    let mut game = game(&[("0.wasm", noting_bees()), ("1.wasm", watching)]);
    game.app.init_resource::<Book>().register_type::<Flower>().add_mod_import("note", note);
    game.app.world_mut().register_component::<Flower>();
    game.until_told("loaded wasps");
    game.app.world_mut().spawn(Flower);
    game.frames(2);
    assert_eq!(game.app.world().resource::<Book>().0, [(7, 1)], "{:?}", game.faults());
    let mut made = game.app.world_mut().query::<&Made>();
    assert_eq!(made.iter(game.app.world()).count(), 1);
}
