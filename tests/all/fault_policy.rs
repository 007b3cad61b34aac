//! What becomes of a mod that failed, as the game wants it.

use std::{collections::BTreeMap, time::Duration};

use bevy::{
    ecs::entity::Entities,
    prelude::{Entity, World},
};
#[cfg(feature = "hot_reload")]
use bevy_wasm_mods::prelude::CallMod;
use bevy_wasm_mods::{
    FaultPolicy, Leftovers, ModLimits, ModOverrides,
    prelude::{ModCallError, ModSettings, ModState, Mods},
};
use mod_abi::ModCallStatus;
#[cfg(feature = "hot_reload")]
use mod_abi::{
    command::Command,
    describe::{DefinitionKind, ParamDesc},
};

use crate::{
    fixtures::Health,
    shaky::{
        Heard, NOTICE, START, STARTS_BADLY, TIDY, TRAPS, WAYS, asker, fail_once, game, order, runs, said, shaky,
        spawned, state,
    },
    support::{Game, healer, with_mods},
};
#[cfg(feature = "hot_reload")]
use crate::{
    fixtures::Unmet,
    support::{Mod, new_entity, query, value},
};

fn settings(fault_policy: FaultPolicy) -> ModSettings {
    ModSettings { fault_policy, probation_frames: 0, ..ModSettings::default() }
}

/// A game with `shaky`, which runs.
fn game_with(settings: ModSettings) -> Game {
    let mut game = game(&[("shaky.wasm", &shaky("shaky").build())], settings);
    game.until_told("loaded shaky");
    game.frames(5);
    game
}

/// Writes other bytes into the file, and runs frames until they are being read. That the watcher still tells of the file as it was
/// at first is waited for: nothing else would come of that, and a restart would not wait.
#[cfg(feature = "hot_reload")]
fn write_other(game: &mut Game, bytes: &[u8]) {
    let start = std::time::Instant::now();
    game.until("the watcher to be quiet", |_| start.elapsed() > std::time::Duration::from_secs(1));
    game.write("shaky.wasm", bytes);
    game.until("its new bytes on their way", |game| !with_mods(game, |mods| mods.all_settled()));
}

/// How often something was told.
fn told(game: &Game, line: &str) -> usize {
    game.story().iter().filter(|told| *told == line).count()
}

#[track_caller]
fn until_told_again(game: &mut Game, line: &str) {
    let before = told(game, line);
    game.until(line, |game| told(game, line) > before);
}

/// Has `shaky` fail until it is told.
#[track_caller]
fn fail(game: &mut Game) {
    fail_once(game, TRAPS);
    game.frame();
}

fn is_stopped(game: &Game) -> bool {
    matches!(state(game, "shaky"), Some(ModState::Failed(_)))
}

fn ask(game: &mut Game, what: impl FnOnce(Mods) -> Result<(), ModCallError>) {
    with_mods(game, what).expect("it is known");
}

#[test]
fn a_mod_is_stopped_unless_the_game_wants_otherwise() {
    let mut game = game_with(ModSettings { probation_frames: 0, ..ModSettings::default() });
    fail(&mut game);
    game.frames(100);
    assert!(is_stopped(&game));
    assert_eq!(game.story(), ["loaded shaky", "failed shaky"]);
}

#[test]
fn a_fresh_instance_takes_the_place_of_one_that_failed_in_any_way() {
    for (kind, _, text) in WAYS {
        let mods: [(&str, &[u8]); 3] = [
            ("asker.wasm", &asker().build()),
            ("other.wasm", &healer("other").build()),
            ("shaky.wasm", &shaky("shaky").build()),
        ];
        let mut game = game(&mods, settings(FaultPolicy::Restart));
        game.until("all of them", |game| game.story().len() == 3);
        game.frames(5);
        said(&mut game);
        fail_once(&mut game, kind);
        game.frame();
        let shown = state(&game, "shaky");
        assert!(matches!(shown, Some(ModState::Restarting(_))), "after {text}: {shown:?}");
        let error = runs(&mut game).expect_err("it does not run").to_string();
        assert!(error.contains("it is about to be restarted after a fault: ") && error.contains(text), "{error}");
        let heard = game.app.world().resource::<Heard>().status;
        assert_eq!(ModCallStatus::from_raw(heard as u32), ModCallStatus::NotRunning);
        game.until_told("restarted shaky");
        assert!(runs(&mut game).expect("it runs") <= 1, "a fresh instance knows nothing of the one before");
        game.frame();
        let heard = game.app.world().resource::<Heard>().status;
        assert_eq!(ModCallStatus::from_raw(heard as u32), ModCallStatus::Answered);
        let said_so_far = said(&mut game);
        let starts = said_so_far.iter().filter(|what| **what == START).count();
        assert_eq!((starts, said_so_far.contains(&TIDY)), (1, false), "after {text}: {said_so_far:?}");
        assert_eq!(spawned(&mut game, "shaky"), 1, "what the failed one spawned goes");
        let patient = game.app.world_mut().spawn(Health::default()).id();
        assert_eq!(said(&mut game), [NOTICE], "its observer is there once");
        game.frames(10);
        let health = game.app.world().get::<Health>(patient).expect("it is there").value;
        assert!(health > 9.0, "the others go on: {health}");
        assert_eq!(game.story()[3..], ["failed shaky", "restarted shaky"], "after {text}");
    }
}

#[test]
fn what_a_failed_instance_spawned_stays_where_the_game_keeps_leftovers() {
    let mut game = game_with(ModSettings { leftovers: Leftovers::Keep, ..settings(FaultPolicy::Restart) });
    fail(&mut game);
    game.until_told("restarted shaky");
    assert_eq!(spawned(&mut game, "shaky"), 2);
}

/// What could grow.
fn sizes(world: &mut World) -> [usize; 3] {
    let entities = world.query::<Entity>().iter(world).count();
    let ids: &Entities = world.entities();
    [entities, ids.len() as usize, world.components().len()]
}

#[test]
fn a_mod_that_fails_in_each_frame_is_restarted_ever_more_rarely() {
    let mods: [(&str, &[u8]); 2] = [("other.wasm", &healer("other").build()), ("shaky.wasm", &shaky("shaky").build())];
    let mut game = game(&mods, settings(FaultPolicy::Restart));
    order(&mut game, TRAPS);
    game.until("some restarts", |game| told(game, "restarted shaky") == 4);
    game.until("it to wait", |game| matches!(state(game, "shaky"), Some(ModState::Restarting(_))));
    let before = sizes(game.app.world_mut());
    let patient = game.app.world_mut().spawn(Health::default()).id();
    game.frames(2000);
    game.app.world_mut().despawn(patient);
    // After the waits of 0, 1, 2 and 4 frames, those of 8, 16 and so on up to 512 may be over, and no more.
    let restarts = told(&game, "restarted shaky");
    assert!(restarts <= 11, "{restarts}");
    assert!(told(&game, "failed shaky").abs_diff(restarts) <= 1);
    game.until("it to wait", |game| matches!(state(game, "shaky"), Some(ModState::Restarting(_))));
    let after = sizes(game.app.world_mut());
    assert_eq!((before[0], before[2]), (after[0], after[2]), "entities and components");
    assert!(after[1] <= before[1] + 64, "ids: {before:?} {after:?}");
    assert!(with_mods(&mut game, |mods| mods.is_running("other")));
}

#[test]
fn a_mod_that_cannot_start_is_restarted_ever_more_rarely_until_it_can() {
    let mut game = game(&[("shaky.wasm", &shaky("shaky").build())], settings(FaultPolicy::Restart));
    order(&mut game, STARTS_BADLY);
    game.until("three faults", |game| game.faults().len() == 3);
    assert!(game.faults().iter().all(|fault| fault.function.as_deref() == Some("start")));
    game.frames(1000);
    let faults = game.faults().len();
    assert!(faults <= 11, "{faults}");
    assert_eq!(told(&game, "failed shaky"), game.story().len(), "it never ran: {:?}", game.story());
    order(&mut game, 0);
    game.until_told("restarted shaky");
    game.frames(3);
    assert!(runs(&mut game).expect("it runs") > 0);
    assert_eq!(spawned(&mut game, "shaky"), 1);
}

#[test]
fn a_restart_that_takes_too_long_is_tried_again() {
    // It starts within a second, and not within no time at all.
    let slow = shaky("shaky").fields(
        r#"(func (export "_initialize") (local $i i32)
            (loop $again
                (local.set $i (i32.add (local.get $i) (i32.const 1)))
                (br_if $again (i32.lt_u (local.get $i) (i32.const 20000000)))))"#,
    );
    let patient = ModLimits { startup_time: Duration::from_secs(20), ..ModLimits::default() };
    let mut game = game(
        &[("shaky.wasm", &slow.build())],
        ModSettings { limits: patient.clone(), ..settings(FaultPolicy::Restart) },
    );
    game.until_told("loaded shaky");
    let set = |game: &mut Game, time| {
        game.app.world_mut().resource_mut::<ModSettings>().limits.startup_time = time;
    };
    set(&mut game, Duration::ZERO);
    fail(&mut game);
    game.until("two more faults", |game| game.faults().len() == 3);
    let fault = game.faults()[2].to_string();
    assert!(fault.contains("`_initialize` was stopped because it ran longer than 0"), "{fault}");
    set(&mut game, patient.startup_time);
    game.until_told("restarted shaky");
    assert_eq!(told(&game, "restarted shaky"), 1);
}

#[test]
fn a_restart_that_this_game_has_no_room_for_is_not_tried_again() {
    let mut game = game_with(settings(FaultPolicy::Restart));
    game.app.world_mut().resource_mut::<ModSettings>().limits.memory_bytes = 65_536;
    fail(&mut game);
    game.until("a second fault", |game| game.faults().len() == 2);
    game.frames(100);
    assert!(is_stopped(&game));
    assert_eq!(game.story(), ["loaded shaky", "failed shaky", "failed shaky"]);
    // The game may try again.
    game.app.world_mut().resource_mut::<ModSettings>().limits.memory_bytes = 64 << 20;
    ask(&mut game, |mut mods| mods.restart("shaky"));
    game.until("it runs", |game| runs(game).is_ok());
}

#[test]
fn strikes_stop_a_mod() {
    let mut game = game_with(settings(FaultPolicy::Strikes { faults: 3, frames: 1_000_000 }));
    for _ in 0..2 {
        fail(&mut game);
        until_told_again(&mut game, "restarted shaky");
        game.frames(2);
    }
    fail(&mut game);
    assert!(is_stopped(&game));
    game.frames(100);
    let story = ["loaded", "failed", "restarted", "failed", "restarted", "failed"].map(|what| format!("{what} shaky"));
    assert_eq!(game.story(), story);
    // The game may forgive, and it is counted anew.
    ask(&mut game, |mut mods| mods.restart("shaky"));
    until_told_again(&mut game, "restarted shaky");
    game.frames(2);
    fail(&mut game);
    until_told_again(&mut game, "restarted shaky");
}

#[test]
fn a_strike_counts_for_as_many_frames_as_the_game_says() {
    const WINDOW: u32 = 3000;
    // The second fault in the last frame of the window of the first, and in the frame after that.
    for (apart, stops) in [(WINDOW - 1, true), (WINDOW, false)] {
        let mut game = game_with(settings(FaultPolicy::Strikes { faults: 2, frames: WINDOW }));
        let mut frames = 0;
        fail_once(&mut game, TRAPS);
        while told(&game, "restarted shaky") == 0 {
            game.frame();
            frames += 1;
            std::thread::sleep(Duration::from_millis(1));
            assert!(frames < WINDOW / 2, "a machine that is too busy for this test");
        }
        (frames + 1..apart).for_each(|_| game.frame());
        fail(&mut game);
        assert_eq!((game.faults().len(), is_stopped(&game)), (2, stops), "{apart} frames apart");
    }
}

#[test]
fn one_strike_or_none_is_to_be_stopped_at_once() {
    for faults in [0, 1] {
        let mut game = game_with(settings(FaultPolicy::Strikes { faults, frames: 0 }));
        fail(&mut game);
        assert!(is_stopped(&game));
    }
}

/// A game that is asked what becomes of `shaky`.
fn asked() -> Game {
    let mut game = game_with(settings(FaultPolicy::Ask));
    fail(&mut game);
    game.frames(50);
    let state = state(&game, "shaky");
    assert!(matches!(&state, Some(ModState::Undecided(_))), "{state:?}");
    let fault = state.as_ref().and_then(ModState::fault).expect("it is undecided");
    assert!(fault.to_string().contains("unreachable"), "{fault}");
    let error = runs(&mut game).expect_err("it does not run").to_string();
    assert!(error.contains("unreachable"), "{error}");
    assert_eq!(game.story(), ["loaded shaky", "failed shaky"]);
    game
}

#[test]
fn the_game_is_asked_and_answers() {
    let mut game = asked();
    ask(&mut game, |mut mods| mods.restart("shaky"));
    game.until_told("restarted shaky");
    assert!(runs(&mut game).is_ok());
    // And asked again.
    game.frames(2);
    fail(&mut game);
    assert!(matches!(state(&game, "shaky"), Some(ModState::Undecided(_))));

    let mut game = asked();
    ask(&mut game, |mut mods| mods.disable("shaky"));
    game.until_told("disabled shaky");
    assert!(matches!(state(&game, "shaky"), Some(ModState::Disabled)));
    ask(&mut game, |mut mods| mods.restart("shaky"));
    game.frames(20);
    assert!(matches!(state(&game, "shaky"), Some(ModState::Disabled)), "what is switched off stays so");
    ask(&mut game, |mut mods| mods.enable("shaky"));
    until_told_again(&mut game, "loaded shaky");

    let mut game = asked();
    ask(&mut game, |mut mods| mods.unload("shaky"));
    game.until_told("unloaded shaky");
    assert_eq!((state(&game, "shaky").is_none(), spawned(&mut game, "shaky")), (true, 0));

    let mut game = asked();
    ask(&mut game, |mut mods| mods.reload("shaky"));
    game.until_told("reloaded shaky");
    assert!(runs(&mut game).is_ok());
}

#[cfg(feature = "hot_reload")]
#[test]
fn new_bytes_are_an_answer_too() {
    let mut game = asked();
    game.write("shaky.wasm", &shaky("shaky").fields("(func $another)").build());
    game.until_told("reloaded shaky");
    assert!(runs(&mut game).is_ok());
}

#[test]
fn a_restart_that_the_game_asks_for_all_the_time_waits_too() {
    let mut game = game_with(settings(FaultPolicy::Ask));
    order(&mut game, TRAPS);
    game.until("a fault", |game| !game.faults().is_empty());
    for _ in 0..1000 {
        ask(&mut game, |mut mods| mods.restart("shaky"));
        game.frame();
    }
    let restarts = told(&game, "restarted shaky");
    assert!(restarts <= 10, "{restarts}");
    game.until("it to be restarted", |game| {
        let _ = with_mods(game, |mut mods| mods.restart("shaky"));
        told(game, "restarted shaky") > 1
    });
}

/// Bytes of its file that come all the time are no reason to forget it, and it is no reason to look at them again and again.
#[test]
fn a_restart_while_the_file_is_written_is_not_lost() {
    let mut game = game_with(settings(FaultPolicy::Ask));
    order(&mut game, TRAPS);
    game.until("a fault", |game| !game.faults().is_empty());
    let bytes = shaky("shaky").build();
    let begins = |game: &Game| told(game, "restarted shaky") + told(game, "loaded shaky");
    let before = begins(&game);
    for _ in 0..20 {
        game.write("shaky.wasm", &bytes);
        for _ in 0..10 {
            let _ = with_mods(&mut game, |mut mods| mods.restart("shaky"));
            game.frame();
        }
    }
    game.until("it to begin again", |game| {
        let _ = with_mods(game, |mut mods| mods.restart("shaky"));
        begins(game) > before + 1
    });
}

#[test]
fn a_mod_that_runs_is_restarted_without_what_it_kept() {
    let mut game = game_with(settings(FaultPolicy::Disable));
    said(&mut game);
    let before = runs(&mut game).expect("it runs");
    ask(&mut game, |mut mods| mods.restart("shaky"));
    game.until_told("restarted shaky");
    assert!(runs(&mut game).expect("it runs") < before);
    assert_eq!(said(&mut game).iter().filter(|what| [START, TIDY].contains(what)).collect::<Vec<_>>(), [&TIDY, &START]);
    assert_eq!(spawned(&mut game, "shaky"), 1);
    assert_eq!(game.story(), ["loaded shaky", "restarted shaky"]);
}

#[test]
fn a_mod_that_never_ran_is_loaded_again() {
    let mut game = Game::with_mods(&[("broken.wasm", b"no mod")]);
    game.until_told("failed broken");
    ask(&mut game, |mut mods| mods.restart("broken"));
    game.until("a second fault", |game| game.faults().len() == 2);
    let error = with_mods(&mut game, |mut mods| mods.restart("brok")).expect_err("there is none").to_string();
    assert_eq!(error, "there is no mod `brok` (there is `broken`)");
}

#[test]
fn each_mod_may_have_a_policy_of_its_own() {
    let overrides = ModOverrides { fault_policy: Some(FaultPolicy::Restart), ..ModOverrides::default() };
    let overrides = BTreeMap::from([("shaky".to_owned(), overrides)]);
    let settings = ModSettings { overrides, ..settings(FaultPolicy::Ask) };
    assert_eq!(settings.fault_policy_of("shaky"), FaultPolicy::Restart);
    let mods: [(&str, &[u8]); 2] = [("other.wasm", &shaky("other").build()), ("shaky.wasm", &shaky("shaky").build())];
    let mut game = game(&mods, settings);
    game.until("both", |game| game.story().len() == 2);
    fail(&mut game);
    game.until_told("restarted shaky");
    game.frames(20);
    assert!(matches!(state(&game, "other"), Some(ModState::Undecided(_))));
    assert!(with_mods(&mut game, |mods| mods.is_running("shaky")));
}

#[cfg(feature = "hot_reload")]
#[test]
fn other_bytes_forget_strikes() {
    let mut game = game_with(settings(FaultPolicy::Strikes { faults: 2, frames: 1_000_000 }));
    for version in 0..2 {
        fail(&mut game);
        until_told_again(&mut game, "restarted shaky");
        game.write("shaky.wasm", &shaky("shaky").fields(&format!("(global i32 (i32.const {version}))")).build());
        until_told_again(&mut game, "reloaded shaky");
        game.frames(2);
    }
    fail(&mut game);
    until_told_again(&mut game, "restarted shaky");
    game.frames(2);
    fail(&mut game);
    assert!(is_stopped(&game));
}

#[cfg(feature = "hot_reload")]
#[test]
fn a_new_version_that_fails_on_probation_is_not_restarted() {
    let mut game = game_with(ModSettings { probation_frames: 10_000, ..settings(FaultPolicy::Restart) });
    game.write("shaky.wasm", &shaky("shaky").says(|identity| identity.version = "2.0.0".to_owned()).build());
    game.until_told("reloaded shaky");
    game.frames(2);
    fail(&mut game);
    assert_eq!(game.story()[1..], ["reloaded shaky", "failed shaky", "resumed shaky"]);
    assert!(runs(&mut game).expect("it runs") > 4, "it goes on where it was");
    // The version before has no other to go back to.
    fail(&mut game);
    game.until_told("restarted shaky");
    let version = with_mods(&mut game, |mods| mods.iter().map(|info| info.version).collect::<Vec<_>>());
    assert_eq!(version, ["1.2.3"]);
}

#[cfg(feature = "hot_reload")]
#[test]
fn a_new_version_that_waits_keeps_its_place() {
    let mut game = game_with(settings(FaultPolicy::Restart));
    let mut newer = shaky("shaky");
    let unmet = newer.ty("all::fixtures::Unmet", "{value:f32}");
    game.app.register_type::<Unmet>();
    write_other(&mut game, &newer.system("wait", "Update", vec![query(&[unmet], &[])]).build());
    ask(&mut game, |mut mods| mods.restart("shaky"));
    game.until("it to wait", |game| with_mods(game, |mods| mods.all_settled()));
    game.frames(3);
    assert_eq!(game.story(), ["loaded shaky"], "the version that runs is not restarted");
    fail(&mut game);
    game.frames(100);
    assert!(is_stopped(&game), "{:?}", game.story());
    game.app.world_mut().register_component::<Unmet>();
    game.until_told("reloaded shaky");
    assert!(runs(&mut game).is_ok());
}

#[cfg(feature = "hot_reload")]
#[test]
fn a_restart_waits_for_what_becomes_of_other_bytes() {
    let mut game = game_with(settings(FaultPolicy::Disable));
    write_other(&mut game, b"no mod");
    ask(&mut game, |mut mods| mods.restart("shaky"));
    game.until_told("restarted shaky");
    assert_eq!(game.story(), ["loaded shaky", "failed shaky", "restarted shaky"]);
    assert!(runs(&mut game).is_ok());
}

#[test]
fn another_file_with_the_same_id_changes_nothing() {
    let older = shaky("shaky").says(|identity| identity.version = "1.0.0".to_owned());
    let mods: [(&str, &[u8]); 2] = [("a.wasm", &older.build()), ("b.wasm", &shaky("shaky").build())];
    let mut game = game(&mods, settings(FaultPolicy::Restart));
    game.until_told("loaded shaky");
    game.until("the other one to be told", |game| told(game, "failed shaky") == 1);
    fail(&mut game);
    game.until_told("restarted shaky");
}

#[cfg(feature = "hot_reload")]
#[test]
fn a_mod_that_comes_back_finds_types_that_have_changed_meanwhile() {
    let definer = |kind: DefinitionKind| {
        let mut definer = Mod::new("definer");
        let thing = definer.defines("Thing", "{n:u64}", kind, None);
        let thing = Command::Spawn { entity: new_entity(0), components: vec![value(thing, &[0; 8])] };
        definer.system("make", "Startup", vec![ParamDesc::Commands]).leaves(0, &[thing])
    };
    let mut counter = Mod::new("counter");
    let thing = counter.ty("definer::Thing", "{n:u64}");
    let counter = counter
        .system("count", "Update", vec![query(&[thing], &[])])
        .run("(if (i32.eqz (local.get $rows)) (then unreachable)) (global.set $count (local.get $rows))")
        .fields(
            r#"(global $count (mut i32) (i32.const 0))
            (func (export "__fails") (param i64) (result i64) unreachable)
            (func (export "__count") (param i64) (result i64)
                (i32.store (i32.const 512) (global.get $count)) (i64.const 0x0000020000000004))"#,
        );
    let mods: [(&str, &[u8]); 2] =
        [("a.wasm", &definer(DefinitionKind::Component).build()), ("b.wasm", &counter.build())];
    let mut game = Game::with_settings(&mods, settings(FaultPolicy::Ask));
    game.until_told("loaded counter");
    game.app.world_mut().call_mod::<_, ()>("counter", "fails", &()).expect_err("it fails");
    game.until_told("failed counter");
    game.write("a.wasm", &definer(DefinitionKind::SparseComponent).build());
    game.until_told("reloaded definer");
    ask(&mut game, |mut mods| mods.restart("counter"));
    game.until_told("restarted counter");
    game.frames(3);
    assert_eq!(game.faults().len(), 1, "{:?}", game.faults());
    assert_eq!(game.app.world_mut().call_mod::<_, u32>("counter", "count", &()).expect("it counts"), 1);
}
