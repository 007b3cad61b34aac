//! State that outlives a reload, and versions that turn out to be bad after they took over.

use bevy_wasm_mods::prelude::{ModEvent, ModSettings, ModState, Mods};
use mod_abi::describe::ParamDesc;

use crate::{
    fixtures::Score,
    support::{Game, Mod, resource},
};

/// Counts its frames in what it keeps, and writes the count times `factor` into the score.
const COUNT: &str = "
    (i32.store (global.get $kept) (i32.add (i32.const 1) (i32.load (global.get $kept))))
    (i64.store (local.get $data) (i64.mul (i64.const FACTOR) (i64.load32_u (global.get $kept))))
    (i64.store (local.get $dirty) (i64.const 1))";

fn body(factor: u32) -> String {
    COUNT.replace("FACTOR", &factor.to_string())
}

fn score_param(counter: &mut Mod) -> Vec<ParamDesc> {
    let score = counter.ty("Score", "{points:u64}");
    vec![resource(score, true)]
}

fn counter(factor: u32) -> Mod {
    let mut counter = Mod::new("counter");
    let param = score_param(&mut counter);
    counter.system("count", "Update", param).keeps("Frames", "{count:u32}", &[0; 4]).run(&body(factor))
}

fn game_with(module: &Mod) -> Game {
    let mut game = Game::with_mods(&[("counter.wasm", &module.build())]);
    game.app.insert_resource(Score::default());
    game.until_told("loaded counter");
    game
}

fn points(game: &Game) -> u64 {
    game.app.world().resource::<Score>().points
}

/// Runs a frame and returns what the score is then.
fn next(game: &mut Game) -> u64 {
    game.frame();
    points(game)
}

#[track_caller]
fn until_story(game: &mut Game, expected: &[&str]) {
    game.until(&expected.join(", "), |game| game.story().len() >= expected.len());
    assert_eq!(game.story(), expected);
}

/// The state of a mod, in words.
fn state(game: &mut Game, id: &'static str) -> String {
    let mut state = String::from("none");
    ask(game, |mods| {
        if let Some(known) = mods.state(id) {
            state = format!("{known:?}");
        }
    });
    state
}

fn ask(game: &mut Game, what: impl FnOnce(Mods)) {
    let world = game.app.world_mut();
    let mut mods = bevy::ecs::system::SystemState::<Mods>::new(world);
    what(mods.get_mut(world).expect("the plugin is there"));
}

#[test]
fn state_survives_a_reload_with_the_same_systems() {
    let mut game = game_with(&counter(1));
    game.frames(10);
    let before = points(&game);
    game.write("counter.wasm", &counter(1000).build());
    until_story(&mut game, &["loaded counter", "reloaded counter"]);
    let after = points(&game);
    assert!(after.is_multiple_of(1000) && after / 1000 > before, "the new code goes on counting: {before} {after}");
    assert_eq!(next(&mut game), after + 1000);
}

#[test]
fn state_survives_a_reload_with_other_systems_and_fields() {
    let mut game = game_with(&counter(1));
    game.frames(10);
    let before = points(&game);
    // The count is wider and stands behind a new field, whose default is 7; another one is gone.
    let mut other = Mod::new("counter");
    let param = score_param(&mut other);
    let fresh: Vec<u8> = [&7_u32.to_le_bytes()[..], &0_u64.to_le_bytes()].concat();
    let other = other.system("show", "PostUpdate", param).keeps("Frames", "{fresh:u32,count:u64}", &fresh).run(
        "(i64.store (local.get $data) (i64.add
            (i64.mul (i64.const 1000) (i64.load32_u (global.get $kept)))
            (i64.load offset=4 (global.get $kept))))
         (i64.store (local.get $dirty) (i64.const 1))",
    );
    game.write("counter.wasm", &other.build());
    until_story(&mut game, &["loaded counter", "reloaded counter"]);
    let shown = next(&mut game);
    assert_eq!(shown / 1000, 7, "a new field starts with its default");
    assert!(shown % 1000 > before, "the count is there: {before} {shown}");
    assert_eq!(next(&mut game), shown, "the old version's system does not count any more");
}

#[test]
fn what_is_lost_is_told() {
    let mut game = game_with(&counter(1));
    game.write("counter.wasm", &counter(1).keeps("Frames", "{frames:u32}", &[0; 4]).build());
    until_story(&mut game, &["loaded counter", "reloaded counter"]);
    let lost = game.events.iter().find_map(|event| match event {
        ModEvent::Reloaded { lost, .. } => Some(lost.to_vec()),
        _ => None,
    });
    assert_eq!(lost.expect("a reload"), ["Frames.count is no longer kept"]);
}

/// A counter that adds to what it keeps before it goes, when it comes back, and when it starts anew.
fn hooked() -> Mod {
    let mut hooked = Mod::new("counter");
    let param = score_param(&mut hooked);
    hooked
        .system("show", "Update", param.clone())
        .system("goodbye", "OnUnload", param.clone())
        .system("welcome", "OnReload", param.clone())
        .system("start", "Startup", param)
        .keeps("Story", "{story:u32}", &[0; 4])
        .run(
            "(if (local.get $system) (then
                (i32.store (global.get $kept)
                    (i32.add (i32.mul (i32.const 10) (i32.load (global.get $kept))) (local.get $system)))))
             (i64.store (local.get $data) (i64.load32_u (global.get $kept)))
             (i64.store (local.get $dirty) (i64.const 1))",
        )
}

#[test]
fn hooks_run_once_and_in_their_order() {
    let mut game = game_with(&hooked());
    game.frames(3);
    assert_eq!(points(&game), 3, "a mod that is loaded starts up");
    game.write("counter.wasm", &hooked().fields("(global i32 (i32.const 1))").build());
    until_story(&mut game, &["loaded counter", "reloaded counter"]);
    game.frames(3);
    assert_eq!(points(&game), 312, "the old version says goodbye, the new one welcome");
}

#[test]
fn a_version_that_fails_on_probation_gives_way_to_the_one_before() {
    let mut game = game_with(&counter(1));
    game.frames(5);
    // The same systems, but it traps after some frames.
    let bad = counter(1).run(&format!(
        "{} (if (i32.gt_u (i32.load (global.get $kept)) (i32.const 1000000)) (then unreachable))
         (i32.store (global.get $kept) (i32.add (i32.const 400000) (i32.load (global.get $kept))))",
        body(1)
    ));
    game.write("counter.wasm", &bad.build());
    until_story(&mut game, &["loaded counter", "reloaded counter", "failed counter", "resumed counter"]);
    assert_eq!(state(&mut game, "counter"), "Running");
    let now = next(&mut game);
    assert!(now < 400_000, "the earlier version goes on with its own state: {now}");
    assert_eq!(next(&mut game), now + 1);
    assert_eq!(game.faults().len(), 1);
    // Its file may become good again.
    game.write("counter.wasm", &counter(1000).build());
    game.until("the cure", |game| game.story().len() == 5);
    assert_eq!(next(&mut game) % 1000, 0);
}

#[test]
fn the_one_before_comes_back_even_if_its_systems_were_others() {
    let mut game = game_with(&counter(1));
    game.frames(5);
    let mut bad = Mod::new("counter");
    let param = score_param(&mut bad);
    let bad = bad.system("other", "PostUpdate", param).run("unreachable");
    game.write("counter.wasm", &bad.build());
    until_story(&mut game, &["loaded counter", "reloaded counter", "failed counter", "resumed counter"]);
    let now = next(&mut game);
    assert_eq!(next(&mut game), now + 1, "exactly one system counts");
}

#[test]
fn after_probation_there_is_no_way_back() {
    let settings = ModSettings { probation_frames: 3, ..Default::default() };
    let mut game = Game::with_settings(&[("counter.wasm", &counter(1).build())], settings);
    game.app.insert_resource(Score::default());
    game.until_told("loaded counter");
    let late = counter(1)
        .keeps("Late", "{count:u32}", &[0; 4])
        .run(&format!("{} (if (i32.gt_u (i32.load (global.get $kept)) (i32.const 20)) (then unreachable))", body(1)));
    game.write("counter.wasm", &late.build());
    game.until("the fault", |game| game.story().len() == 3);
    game.frames(5);
    assert_eq!(game.story(), ["loaded counter", "reloaded counter", "failed counter"]);
    assert!(state(&mut game, "counter").starts_with("Failed"));
}

#[test]
fn a_hand_over_that_fails_leaves_the_old_version_running() {
    let mut game = game_with(&counter(1));
    game.frames(3);
    // It cannot take over what was kept: its own export traps on it.
    let mut bad = Mod::new("counter");
    let param = score_param(&mut bad);
    let bad = bad
        .system("count", "Update", param)
        .fields(r#"(func (export "__mod_restore") (param i64) (result i64) unreachable)"#);
    game.write("counter.wasm", &bad.build());
    until_story(&mut game, &["loaded counter", "failed counter"]);
    let fault = game.faults()[0].to_string();
    assert!(fault.contains("handed over") && fault.contains("`__mod_restore`"), "{fault}");
    let now = next(&mut game);
    assert_eq!(next(&mut game), now + 1, "the old version counts on");
    assert_eq!(state(&mut game, "counter"), "Running");
}

#[test]
fn an_old_version_that_cannot_say_what_it_keeps_loses_it() {
    let mut old = Mod::new("counter");
    let param = score_param(&mut old);
    // The first answer is fine, when the mod is prepared; later ones are not.
    let old = old.system("count", "Update", param).run("").fields(
        r#"(global $asked (mut i32) (i32.const 0))
        (func (export "__mod_save") (param i64) (result i64)
            (if (global.get $asked) (then unreachable))
            (global.set $asked (i32.const 1))
            (i64.store (i32.const 8192) (i64.const 0))
            (i64.const 0x200000000008))"#,
    );
    let mut game = game_with(&old);
    game.write("counter.wasm", &counter(1).build());
    until_story(&mut game, &["loaded counter", "reloaded counter"]);
    let now = next(&mut game);
    assert_eq!(next(&mut game), now + 1, "the new version runs");
}

#[test]
fn a_mod_is_switched_off_and_on_with_its_state() {
    let mut game = game_with(&counter(1));
    game.frames(5);
    ask(&mut game, |mut mods| mods.disable("counter").expect("it is known"));
    game.frame();
    let off = points(&game);
    game.frames(5);
    assert_eq!(points(&game), off, "it does not run");
    assert_eq!(state(&mut game, "counter"), "Disabled");
    // A new version does not switch it on.
    game.write("counter.wasm", &counter(1000).build());
    game.frames(50);
    std::thread::sleep(std::time::Duration::from_millis(200));
    game.frames(50);
    assert_eq!(game.story(), ["loaded counter", "disabled counter"]);
    ask(&mut game, |mut mods| mods.enable("counter").expect("it is known"));
    until_story(&mut game, &["loaded counter", "disabled counter", "loaded counter"]);
    let now = next(&mut game);
    assert!(now.is_multiple_of(1000) && now / 1000 > off, "the newest version goes on: {off} {now}");
    ask(&mut game, |mut mods| assert!(mods.disable("nobody").is_err()));
}

#[test]
fn a_mod_is_unloaded_and_reloaded_on_request() {
    let mut game = game_with(&counter(1));
    game.frames(5);
    ask(&mut game, |mut mods| mods.reload("counter").expect("it is known"));
    until_story(&mut game, &["loaded counter", "reloaded counter"]);
    let now = next(&mut game);
    assert!(now > 5, "with its state: {now}");
    ask(&mut game, |mut mods| mods.unload("counter").expect("it is known"));
    game.frames(3);
    assert_eq!(game.story()[2..], ["unloaded counter"]);
    assert_eq!(state(&mut game, "counter"), "none");
    let gone = points(&game);
    assert_eq!(next(&mut game), gone);
    game.write("counter.wasm", &counter(1000).build());
    game.until("the mod again", |game| game.story().len() == 4);
    assert!(next(&mut game) <= 3000, "an unloaded mod keeps nothing");
    assert!(matches!(game.events.last(), Some(ModEvent::Loaded { .. })));
    let state_of = |mods: Mods| matches!(mods.state("counter"), Some(ModState::Running));
    assert!(game.app.world_mut().run_system_cached(state_of).expect("it runs"));
}

#[test]
fn ten_replacements_in_a_second_and_two_mods_at_once() {
    let mut game = game_with(&counter(1));
    let mut other = Mod::new("other");
    let param = score_param(&mut other);
    let other = other.system("look", "Update", param).run("");
    for version in 2..=11 {
        game.write("counter.wasm", &counter(version).build());
        game.write("other.wasm", &other.clone().fields(&format!("(global i32 (i32.const {version}))")).build());
        for _ in 0..20 {
            game.frame();
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
    }
    game.until("the last version", |game| {
        let before = points(game);
        game.frame();
        points(game) == before + 11
    });
    assert!(game.faults().is_empty(), "{:?}", game.faults());
    let one = points(&game);
    assert_eq!(next(&mut game), one + 11, "one version runs, once a frame");
}
