//! Files change while the game runs.

use std::fs;

use bevy_wasm_mods::prelude::ModSettings;
use mod_abi::describe::ParamDesc;

use crate::{
    fixtures::{Health, Score},
    support::{Game, Mod, healer, query, resource},
};

/// A mod that adds `step` to the score in each frame.
fn scorer(step: u32) -> Mod {
    let mut scorer = Mod::new("scorer");
    let score = scorer.ty("Score", "{points:u64}");
    scorer.system("score", "Update", vec![resource(score, true)]).run(&format!(
        "(i64.store (local.get $data) (i64.add (i64.const {step}) (i64.load (local.get $data))))
         (i64.store (local.get $dirty) (i64.const 1))"
    ))
}

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
    let start = std::time::Instant::now();
    while start.elapsed() < std::time::Duration::from_millis(300) {
        game.frame();
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    assert_eq!(step(&mut game), 1);
}
