//! A fault at every arrow of a reload: the last good version plays on with its state, nothing runs twice, and the failure is
//! told once.

use std::{
    fs,
    time::{Duration, Instant},
};

use bevy::asset::AssetPlugin;
use bevy_wasm_mods::prelude::ModSettings;
use mod_abi::ABI_VERSION;

use crate::{
    fixtures::Score,
    support::{Game, Mod, resource},
};

/// Counts its frames, plus what `body` does besides.
fn counter(body: &str) -> Mod {
    let mut counter = Mod::new("counter");
    let score = counter.ty("Score", "{points:u64}");
    counter.system("count", "Update", vec![resource(score, true)]).keeps("Frames", "{count:u32}", &[0; 4]).run(
        &format!(
            "(i32.store (global.get $kept) (i32.add (i32.const 1) (i32.load (global.get $kept))))
         (i64.store (local.get $data) (i64.load32_u (global.get $kept)))
         (i64.store (local.get $dirty) (i64.const 1))
         {body}"
        ),
    )
}

fn game() -> Game {
    let mut game = Game::with_mods(&[("counter.wasm", &counter("").build())]);
    game.app.insert_resource(Score::default());
    game.until_told("loaded counter");
    game.frames(5);
    game
}

fn points(game: &Game) -> u64 {
    game.app.world().resource::<Score>().points
}

/// Plays for a while and checks that exactly one version counts, once a frame, from where it was.
#[track_caller]
fn check_plays_on(game: &mut Game, at_least: u64) {
    let start = points(game);
    assert!(start >= at_least, "the state is there: {start} of {at_least}");
    for frame in 1..=20 {
        game.frame();
        assert_eq!(points(game), start + frame, "one version counts, once a frame");
    }
}

/// Replaces the good version by a bad one that fails before it takes over.
#[track_caller]
fn check(what: &str, bad: &[u8], expected: &str) {
    let mut game = game();
    let before = points(&game);
    game.write("counter.wasm", bad);
    game.until(what, |game| !game.faults().is_empty());
    let fault = game.faults()[0].to_string();
    assert!(fault.starts_with("counter") && fault.contains(expected), "{what}: {fault}");
    check_plays_on(&mut game, before);
    assert_eq!(game.story(), ["loaded counter", "failed counter"], "{what}");
    // And a good version cures it.
    game.write("counter.wasm", &counter("").fields("(global i32 (i32.const 5))").build());
    game.until_told("reloaded counter");
    check_plays_on(&mut game, before);
}

#[test]
fn read_validate_compile_and_link() {
    let good = counter("").build();
    check("empty", b"", "not a WebAssembly file");
    check("truncated", &good[..good.len() - 3], "counter");
    check("a component", b"\0asm\x0d\0\x01\0", "component");
    let no_memory =
        wat::parse_str(format!(r#"(module (@custom "bevy_mod" "abi: {ABI_VERSION}\nid: counter\nversion: 2.0.0"))"#));
    check("no memory", &no_memory.expect("a module"), "memory");
    check("imports", &counter("").import("nowhere").build(), "__nowhere");
    check("too much memory", &counter("").fields("(table 1000000000 funcref)").build(), "counter");
}

#[test]
fn start_and_initialize() {
    check("start", &counter("").fields("(func $start unreachable) (start $start)").build(), "start");
    check("initialize", &counter("").fields(r#"(func (export "_initialize") unreachable)"#).build(), "_initialize");
    let endless = r#"(func (export "_initialize") (loop $again (br $again)))"#;
    check("endless initialize", &counter("").fields(endless).build(), "longer than 1s");
}

#[test]
fn describe_and_bind() {
    let mut unknown = counter("");
    unknown.ty("Unknown", "{}");
    let unknown = unknown.system("look", "Update", vec![resource(1, false)]);
    check("unknown type", &unknown.build(), "no type `Unknown`");
    let mut other = Mod::new("counter");
    let score = other.ty("Score", "{points:u32}");
    check("schema", &other.system("count", "Update", vec![resource(score, true)]).build(), "Score does not match");
    check("schedule", &counter("").system("when", "Never", vec![]).build(), "no schedule `Never`");
}

#[test]
fn hand_over_and_hooks() {
    let restore = r#"(func (export "__mod_restore") (param i64) (result i64) unreachable)"#;
    let mut bad = Mod::new("counter");
    let score = bad.ty("Score", "{points:u64}");
    let bad = bad.system("count", "Update", vec![resource(score, true)]).fields(restore);
    check("restore", &bad.build(), "`__mod_restore`");
    let save = r#"(func (export "__mod_save") (param i64) (result i64) (i64.const 0x7fffffff7fffffff))"#;
    let mut bad = Mod::new("counter");
    let score = bad.ty("Score", "{points:u64}");
    let bad = bad.system("count", "Update", vec![resource(score, true)]).fields(save);
    check("save", &bad.build(), "handed over");
    let hook = counter("(if (local.get $system) (then unreachable))").system("welcome", "OnReload", vec![]);
    check("hook", &hook.build(), "`welcome`");
}

/// Replaces the good version by one that fails in its first frame: it takes over and gives its place back.
#[test]
fn the_first_frame() {
    for body in ["unreachable", "(loop $again (br $again))", "(i64.store (local.get $dirty) (i64.const 0x100))"] {
        let mut game = game();
        let before = points(&game);
        game.write("counter.wasm", &counter(body).build());
        game.until_told("resumed counter");
        check_plays_on(&mut game, before);
        assert_eq!(game.story(), ["loaded counter", "reloaded counter", "failed counter", "resumed counter"], "{body}");
        assert_eq!(game.faults().len(), 1);
    }
}

#[test]
fn a_file_that_goes_in_the_middle() {
    let mut game = game();
    game.write("counter.wasm", &counter("").fields("(global i32 (i32.const 9))").build());
    // Somewhere between noticed and installed.
    std::thread::sleep(Duration::from_millis(70));
    game.frame();
    fs::remove_file(game.path("counter.wasm")).expect("a file");
    game.until_told("unloaded counter");
    let last = points(&game);
    game.frames(20);
    assert_eq!(points(&game), last, "nothing of it runs any more");
    assert!(game.faults().is_empty(), "{:?}", game.faults());
}

/// From a saved file to new code in play: the best of five, because a machine that also builds something else is slow
/// for reasons of its own.
fn latency(own_watcher_of_bevy: bool, replace: impl Fn(&Game, &[u8])) -> Duration {
    let mods: [(&str, &[u8]); 1] = [("counter.wasm", &counter("").build())];
    let mut game = Game::with(&mods, ModSettings::default(), |plugin| AssetPlugin {
        watch_for_changes_override: Some(own_watcher_of_bevy),
        ..plugin
    });
    game.app.insert_resource(Score::default());
    game.until_told("loaded counter");
    game.frames(50);
    let mut times = Vec::new();
    for version in 1..=5 {
        let bytes = counter("").fields(&format!("(global i32 (i32.const {version}))")).build();
        let start = Instant::now();
        replace(&game, &bytes);
        game.until("the new version", |game| game.story().len() == 1 + version);
        times.push(start.elapsed());
        assert_eq!(game.story().last().map(String::as_str), Some("reloaded counter"));
        // A second look at the same change is no second reload.
        let end = Instant::now() + Duration::from_millis(450);
        while Instant::now() < end {
            game.frame();
            std::thread::sleep(Duration::from_millis(2));
        }
        assert_eq!(game.story().len(), 1 + version);
    }
    times.into_iter().min().expect("some versions")
}

#[test]
fn a_saved_file_is_in_play_soon() {
    // This small mod compiles in a few milliseconds.
    let limit = Duration::from_millis(150 + 20);
    let in_place = |game: &Game, bytes: &[u8]| game.write("counter.wasm", bytes);
    let atomically = |game: &Game, bytes: &[u8]| {
        game.write("counter.new", bytes);
        fs::rename(game.path("counter.new"), game.path("counter.wasm")).expect("a rename");
    };
    for bevys in [false, true] {
        let (saved, renamed) = (latency(bevys, in_place), latency(bevys, atomically));
        assert!(saved < limit, "with Bevy's watcher {bevys}: {saved:?}");
        assert!(renamed < limit, "with Bevy's watcher {bevys}: {renamed:?}");
    }
}
