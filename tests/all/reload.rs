//! Files change while the game runs.

use std::{
    fs::{self, File},
    thread::sleep,
    time::{Duration, Instant, SystemTime},
};

use bevy_wasm_mods::prelude::{ModLimits, ModSettings, Mods};
use mod_abi::describe::ParamDesc;

use crate::{
    fixtures::{Health, Score},
    support::{Game, Mod, healer, query, resource, scorer},
};

fn points(game: &Game) -> u64 {
    game.app.world().resource::<Score>().points
}

/// What one frame adds to the score.
fn step(game: &mut Game) -> u64 {
    let before = points(game);
    game.frame();
    points(game) - before
}

fn game_with(mods: &[(&str, &[u8])]) -> Game {
    let mut game = Game::with_mods(mods);
    game.app.insert_resource(Score::default());
    game
}

/// Runs frames for so many milliseconds.
fn play(game: &mut Game, millis: u64) {
    let start = Instant::now();
    while start.elapsed() < Duration::from_millis(millis) {
        game.frame();
        sleep(Duration::from_millis(2));
    }
}

fn remove(game: &Game, name: &str) {
    fs::remove_file(game.path(name)).expect("a file to remove");
}

/// Runs frames until so many things happened, and asserts what they were.
#[track_caller]
fn until_story(game: &mut Game, story: &[&str]) {
    game.until(&format!("{story:?}"), |game| game.story().len() >= story.len());
    assert_eq!(game.story(), story);
}

#[test]
fn a_changed_file_takes_the_old_ones_place() {
    let mut game = game_with(&[("scorer.wasm", &scorer(1).build())]);
    game.until_told("loaded scorer");
    assert_eq!(step(&mut game), 1);
    game.write("scorer.wasm", &scorer(10).build());
    game.until_told("reloaded scorer");
    assert_eq!(step(&mut game), 10, "only the new version runs");
    assert_eq!(game.story(), ["loaded scorer", "reloaded scorer"]);
}

#[test]
fn a_file_that_is_replaced_in_one_step_is_seen() {
    let mut game = game_with(&[("scorer.wasm", &scorer(1).build())]);
    game.until_told("loaded scorer");
    game.write("scorer.wasm.new", &scorer(100).build());
    fs::rename(game.path("scorer.wasm.new"), game.path("scorer.wasm")).expect("a rename");
    game.until_told("reloaded scorer");
    assert_eq!(step(&mut game), 100);
}

#[test]
fn other_systems_after_a_reload_run_in_the_place_of_the_old_ones() {
    let mut game = game_with(&[("scorer.wasm", &scorer(1).build())]);
    game.app.world_mut().spawn(Health::default());
    game.until_told("loaded scorer");
    // The new version has other systems, in other schedules.
    let mut other = Mod::new("scorer");
    let score = other.ty("Score", "{points:u64}");
    let health = other.ty("Health", "{value:f32}");
    let body = "(if (i32.eqz (local.get $system)) (then
        (i64.store (local.get $data) (i64.add (i64.const 1000) (i64.load (local.get $data))))
        (i64.store (local.get $dirty) (i64.const 1))))";
    let other = other
        .system("score", "PostUpdate", vec![resource(score, true)])
        .system("look", "Update", vec![query(&[health], &[]), ParamDesc::World])
        .run(body);
    game.write("scorer.wasm", &other.build());
    game.until_told("reloaded scorer");
    assert_eq!(step(&mut game), 1000);
    game.write("scorer.wasm", &scorer(3).build());
    game.until("the old version again", |game| game.story().len() == 3);
    assert_eq!(step(&mut game), 3);
}

#[test]
fn files_come_and_go() {
    let mut game = game_with(&[]);
    game.frames(3);
    game.write("scorer.wasm", &scorer(2).build());
    game.until_told("loaded scorer");
    assert_eq!(step(&mut game), 2);
    fs::remove_file(game.path("scorer.wasm")).expect("a file to remove");
    game.until_told("unloaded scorer");
    assert_eq!(step(&mut game), 0);
    game.write("scorer/mod.wasm", &scorer(5).build());
    game.until("the mod again", |game| game.story().len() == 3);
    assert_eq!(game.story(), ["loaded scorer", "unloaded scorer", "loaded scorer"]);
    assert_eq!(step(&mut game), 5);
    fs::rename(game.path("scorer/mod.wasm"), game.path("renamed.wasm")).expect("a rename");
    game.until("the mod under its new name", |game| game.story().len() == 5);
    assert_eq!(game.story()[3..], ["unloaded scorer", "loaded scorer"]);
    assert_eq!(step(&mut game), 5);
}

#[test]
fn a_bad_version_does_not_take_over() {
    let mut game = game_with(&[("scorer.wasm", &scorer(1).build())]);
    game.until_told("loaded scorer");
    let whole = scorer(2).build();
    game.write("scorer.wasm", &whole[..whole.len() - 7]);
    game.until_told("failed scorer");
    assert_eq!(step(&mut game), 1, "the old version goes on");
    game.write("scorer.wasm", &whole);
    game.until_told("reloaded scorer");
    assert_eq!(step(&mut game), 2);
}

#[test]
fn a_fault_is_cured_by_a_new_version() {
    let mut broken = Mod::new("scorer");
    let score = broken.ty("Score", "{points:u64}");
    let broken = broken.system("score", "Update", vec![resource(score, true)]).run("unreachable");
    let mut game = game_with(&[("scorer.wasm", &broken.build())]);
    game.until_told("failed scorer");
    game.write("scorer.wasm", &scorer(4).build());
    game.until_told("reloaded scorer");
    assert_eq!(step(&mut game), 4);
}

#[test]
fn the_same_bytes_again_are_no_reload() {
    let mut game = game_with(&[("scorer.wasm", &scorer(1).build())]);
    game.until_told("loaded scorer");
    game.write("scorer.wasm", &scorer(1).build());
    game.write("healer.wasm", &healer("healer").build());
    game.app.world_mut().spawn(Health::default());
    game.until_told("loaded healer");
    game.frames(20);
    assert_eq!(game.story(), ["loaded scorer", "loaded healer"]);
}

#[test]
fn nothing_is_watched_when_the_game_does_not_want_it() {
    let settings = ModSettings { watch: false, ..Default::default() };
    let mut game = Game::with_settings(&[("scorer.wasm", &scorer(1).build())], settings);
    game.app.insert_resource(Score::default());
    game.until_told("loaded scorer");
    game.write("scorer.wasm", &scorer(10).build());
    play(&mut game, 300);
    assert_eq!(step(&mut game), 1);
}

#[test]
fn a_file_is_not_the_mod_that_its_name_says() {
    let mut game = game_with(&[("pack.wasm", &scorer(1).build())]);
    until_story(&mut game, &["loaded scorer"]);
    game.write("pack.wasm", b"half a file");
    until_story(&mut game, &["loaded scorer", "failed scorer"]);
    assert_eq!(step(&mut game), 1, "the old version goes on");
    remove(&game, "pack.wasm");
    until_story(&mut game, &["loaded scorer", "failed scorer", "unloaded scorer"]);
    assert_eq!(step(&mut game), 0);
}

#[test]
fn a_file_that_holds_another_mod_takes_the_first_ones_place() {
    let mut game = game_with(&[("pack.wasm", &scorer(1).build())]);
    game.app.world_mut().spawn(Health::default());
    until_story(&mut game, &["loaded scorer"]);
    // It cannot be loaded, so the first one goes on.
    game.write("pack.wasm", &Mod::new("healer").system("heal", "Never", vec![]).build());
    until_story(&mut game, &["loaded scorer", "failed healer"]);
    assert_eq!(step(&mut game), 1);
    game.write("pack.wasm", &healer("healer").build());
    until_story(&mut game, &["loaded scorer", "failed healer", "unloaded scorer", "loaded healer"]);
    assert_eq!(step(&mut game), 0);
    let known =
        game.app.world_mut().run_system_cached(|mods: Mods| mods.iter().map(|info| info.id).collect::<Vec<_>>());
    assert_eq!(known.expect("the system runs"), ["healer".into()]);
}

#[test]
fn a_second_file_with_the_same_mod_takes_over_when_the_first_goes() {
    let mut game = game_with(&[("a.wasm", &scorer(1).build())]);
    until_story(&mut game, &["loaded scorer"]);
    game.write("b.wasm", &scorer(10).build());
    until_story(&mut game, &["loaded scorer", "failed scorer"]);
    let fault = game.faults()[0].to_string();
    assert!(fault.contains("`scorer` 1.2.3 (mods/b.wasm) is the same mod as `scorer` 1.2.3 (mods/a.wasm)"), "{fault}");
    assert_eq!(step(&mut game), 1);
    remove(&game, "a.wasm");
    until_story(&mut game, &["loaded scorer", "failed scorer", "unloaded scorer", "loaded scorer"]);
    assert_eq!(step(&mut game), 10);
    // Of two with the same version the first file is used, also in play, so that the same folder gives the same game.
    game.write("a.wasm", &scorer(100).build());
    game.until("the first again", |game| game.story().len() == 6);
    assert_eq!(game.story()[4..], ["failed scorer", "reloaded scorer"]);
    assert!(game.faults()[1].to_string().contains("`scorer` 1.2.3 (mods/b.wasm) is the same mod"));
    assert_eq!(step(&mut game), 100);
    // And back, because the file turns into another mod.
    game.app.world_mut().spawn(Health::default());
    game.write("a.wasm", &healer("healer").build());
    game.until("the second again", |game| game.story().len() == 9);
    let mut story = game.story()[6..].to_vec();
    story.sort();
    assert_eq!(story, ["loaded healer", "loaded scorer", "unloaded scorer"]);
    assert_eq!(step(&mut game), 10);
}

#[test]
fn a_broken_file_does_not_keep_a_name() {
    let mut game = game_with(&[("scorer.wasm", b"junk")]);
    until_story(&mut game, &["failed scorer"]);
    game.write("other.wasm", &scorer(1).build());
    until_story(&mut game, &["failed scorer", "loaded scorer"]);
    assert_eq!(step(&mut game), 1);
    remove(&game, "scorer.wasm");
    play(&mut game, 200);
    assert_eq!(step(&mut game), 1, "the name belongs to the mod of the other file");
}

#[test]
fn a_file_that_is_gone_and_back_within_a_frame_is_loaded_again() {
    let mut game = game_with(&[("a.wasm", &scorer(1).build())]);
    until_story(&mut game, &["loaded scorer"]);
    play(&mut game, 200);
    remove(&game, "a.wasm");
    sleep(Duration::from_millis(200));
    game.write("a.wasm", &scorer(2).build());
    sleep(Duration::from_millis(200));
    until_story(&mut game, &["loaded scorer", "unloaded scorer", "loaded scorer"]);
    play(&mut game, 100);
    assert_eq!(step(&mut game), 2);
    assert_eq!(game.story().len(), 3);
}

#[test]
fn a_file_that_cannot_be_read_is_told_once() {
    let limits = ModLimits { file_bytes: 20_000, ..Default::default() };
    let settings = ModSettings { limits, ..Default::default() };
    let mut game = Game::with_settings(&[("scorer.wasm", &[0; 30_000])], settings);
    game.app.insert_resource(Score::default());
    until_story(&mut game, &["failed scorer"]);
    let fault = game.faults()[0].to_string();
    assert!(fault.contains("it is larger than the 20000 bytes that a mod may have: build it in release"), "{fault}");
    play(&mut game, 300);
    assert_eq!(game.story().len(), 1);
    game.write("scorer.wasm", &scorer(1).build());
    until_story(&mut game, &["failed scorer", "loaded scorer"]);
    assert_eq!(step(&mut game), 1);
}

#[test]
fn a_file_that_goes_before_the_watcher_told_of_it_is_seen_to_go() {
    let mut game = game_with(&[("a.wasm", &scorer(1).build())]);
    game.until_told("loaded scorer");
    remove(&game, "a.wasm");
    game.until_told("unloaded scorer");
    assert_eq!(step(&mut game), 0);
}

#[test]
fn the_mod_folder_may_go_and_come_back() {
    let mut game = game_with(&[("scorer.wasm", &scorer(1).build())]);
    until_story(&mut game, &["loaded scorer"]);
    play(&mut game, 100);
    fs::remove_dir_all(game.path("")).expect("a folder to remove");
    until_story(&mut game, &["loaded scorer", "unloaded scorer"]);
    play(&mut game, 100);
    game.write("scorer/mod.wasm", &scorer(2).build());
    until_story(&mut game, &["loaded scorer", "unloaded scorer", "loaded scorer"]);
    play(&mut game, 100);
    game.write("scorer/mod.wasm", &scorer(3).build());
    until_story(&mut game, &["loaded scorer", "unloaded scorer", "loaded scorer", "reloaded scorer"]);
    assert_eq!(step(&mut game), 3);
}

#[cfg(unix)]
#[test]
fn a_link_follows_the_file_it_leads_to() {
    let mut game = game_with(&[]);
    game.frames(3);
    game.write("../elsewhere/scorer.wasm", &scorer(1).build());
    std::os::unix::fs::symlink("../elsewhere/scorer.wasm", game.path("scorer.wasm")).expect("a link");
    until_story(&mut game, &["loaded scorer"]);
    play(&mut game, 100);
    game.write("../elsewhere/scorer.wasm", &scorer(7).build());
    until_story(&mut game, &["loaded scorer", "reloaded scorer"]);
    assert_eq!(step(&mut game), 7);
}

#[test]
fn a_version_that_fails_in_its_start_up_does_not_take_over() {
    let mut game = game_with(&[("scorer.wasm", &scorer(1).build())]);
    until_story(&mut game, &["loaded scorer"]);
    let bad = scorer(2).system("boot", "OnReload", vec![]).run("unreachable");
    game.write("scorer.wasm", &bad.build());
    until_story(&mut game, &["loaded scorer", "failed scorer"]);
    assert!(game.faults()[0].to_string().contains("`boot`"), "{}", game.faults()[0]);
    assert_eq!(step(&mut game), 1, "the old version goes on");
    game.write("scorer.wasm", &scorer(3).build());
    until_story(&mut game, &["loaded scorer", "failed scorer", "reloaded scorer"]);
    assert_eq!(step(&mut game), 3);
}

#[test]
fn a_failed_mod_gives_its_memory_back_and_starts_again_when_its_file_is_touched() {
    // It fails in its third frame.
    let bad = scorer(1).fields("(global $frames (mut i32) (i32.const 0))").run(
        "(global.set $frames (i32.add (global.get $frames) (i32.const 1)))
         (if (i32.eq (global.get $frames) (i32.const 3)) (then unreachable))",
    );
    let memory = |game: &mut Game| {
        let memory = |mods: Mods| mods.iter().map(|info| info.memory_bytes).sum::<usize>();
        game.app.world_mut().run_system_cached(memory).expect("the system runs")
    };
    let mut game = game_with(&[("scorer.wasm", &bad.build())]);
    until_story(&mut game, &["loaded scorer"]);
    assert!(memory(&mut game) > 0);
    until_story(&mut game, &["loaded scorer", "failed scorer"]);
    assert_eq!(memory(&mut game), 0);
    // Nothing but a touch after the fault brings it back.
    play(&mut game, 200);
    assert_eq!(game.story().len(), 2);
    let file = File::options().append(true).open(game.path("scorer.wasm")).expect("the file");
    file.set_modified(SystemTime::now()).expect("a time");
    until_story(&mut game, &["loaded scorer", "failed scorer", "reloaded scorer", "failed scorer"]);
}
