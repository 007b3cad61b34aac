//! What a mod may leave in a frame: all its systems together, and no more.

use std::{collections::BTreeMap, time::Duration};

use bevy::{
    ecs::message::Messages,
    prelude::{Message, Reflect, ReflectMessage},
    time::TimeUpdateStrategy,
};
use bevy_wasm_mods::{
    ModLimits, ModMessage, ModOverrides, ModSettings,
    prelude::{ModEvent, SpawnedBy},
};
use mod_abi::{
    codec,
    command::Command,
    describe::{ConditionTest, DefinitionKind, EventDesc, ParamDesc},
};

use crate::{
    fixtures::{Health, Score},
    support::{Game, Mod, healer, new_entity, value},
};

/// A message of the game.
#[derive(Message, Reflect, Debug, Clone, PartialEq)]
#[reflect(Message)]
struct Pear {
    weight: u64,
}

/// So many entities to spawn.
fn spawns(count: u64) -> Vec<Command<'static>> {
    (0..count).map(|n| Command::Spawn { entity: new_entity(n), components: Vec::new() }).collect()
}

/// A mod with a system for each schedule, one after the other, which spawns so many entities.
fn spawner(id: &str, systems: &[(&str, u64)]) -> Mod {
    let mut spawner = Mod::new(id);
    for (place, (schedule, count)) in (0_u32..).zip(systems) {
        spawner = spawner.system(&format!("spawn_{place}"), schedule, vec![ParamDesc::Commands]);
        if place > 0 && systems[place as usize - 1].0 == *schedule {
            spawner = spawner.after(&[place - 1]);
        }
        spawner = spawner.leaves(place, &spawns(*count));
    }
    spawner
}

fn commands(most: usize) -> ModLimits {
    ModLimits { commands_per_frame: most, ..ModLimits::default() }
}

fn game(limits: ModLimits, mods: &[(&str, &[u8])]) -> Game {
    Game::with_settings(mods, ModSettings { limits, ..ModSettings::default() })
}

/// How many entities a mod has spawned.
fn spawned(game: &mut Game, id: &str) -> usize {
    let world = game.app.world_mut();
    world.query::<&SpawnedBy>().iter(world).filter(|by| by.mod_id() == id).count()
}

#[test]
fn systems_of_a_mod_count_together_and_frames_one_by_one() {
    let good = spawner("good", &[("Update", 5), ("Update", 5)]).build();
    let bad = spawner("bad", &[("Update", 6), ("Update", 5)]).build();
    let mut game = game(commands(10), &[("bad.wasm", &bad), ("good.wasm", &good), ("x.wasm", &healer("x").build())]);
    let patient = game.app.world_mut().spawn(Health::default()).id();
    game.until_told("loaded x");
    let fault = game.first_fault();
    let expected = "`spawn_1` failed: the systems of the mod left more than 10 commands in one frame; the game allows more \
                    with `commands_per_frame` in `ModLimits`";
    assert!(fault.starts_with("bad 1.2.3") && fault.ends_with(expected), "{fault}");
    assert_eq!(spawned(&mut game, "bad"), 6, "nothing of the run that was too much is carried out");
    let before = spawned(&mut game, "good");
    let health = |game: &Game| game.app.world().get::<Health>(patient).expect("it is there").value;
    let healed = health(&game);
    game.frames(20);
    assert_eq!((spawned(&mut game, "good"), spawned(&mut game, "bad")), (before + 200, 6));
    assert_eq!((health(&game), game.faults().len()), (healed + 20.0, 1));
}

#[test]
fn a_mod_that_paused_has_a_whole_frame_when_it_goes_on() {
    let mut pauser = spawner("pauser", &[("Update", 2)]);
    let score = pauser.ty("Score", "{points:u64}");
    let pauser = pauser.condition(ConditionTest::ResourceExists(score));
    let mut game = game(commands(2), &[("pauser.wasm", &pauser.build())]);
    game.until_told("loaded pauser");
    for round in 1..=3 {
        game.app.init_resource::<Score>();
        game.frames(2);
        game.app.world_mut().remove_resource::<Score>();
        game.frames(3);
        assert!(game.faults().is_empty(), "{:?}", game.faults());
        assert_eq!(spawned(&mut game, "pauser"), 4 * round);
    }
}

#[test]
fn a_schedule_that_runs_often_in_a_frame_counts_often() {
    let mut game = game(commands(10), &[("fixed.wasm", &spawner("fixed", &[("FixedUpdate", 4)]).build())]);
    game.until_told("loaded fixed");
    game.app.insert_resource(TimeUpdateStrategy::ManualDuration(Duration::from_micros(2 * 15_625)));
    game.frames(5);
    assert_eq!(game.faults().len(), 0, "twice in a frame are 8: {:?}", game.faults());
    game.app.insert_resource(TimeUpdateStrategy::ManualDuration(Duration::from_micros(3 * 15_625)));
    let before = spawned(&mut game, "fixed");
    let fault = game.first_fault();
    assert!(fault.contains("more than 10 commands in one frame"), "{fault}");
    assert_eq!(spawned(&mut game, "fixed"), before + 8);
}

#[test]
fn what_a_mod_leaves_while_it_starts_counts_with_its_first_frame() {
    let mods = [
        ("a.wasm", spawner("start", &[("Startup", 11)]).build()),
        ("b.wasm", spawner("both", &[("Startup", 6), ("Update", 5)]).build()),
        ("c.wasm", spawner("good", &[("Startup", 6), ("Update", 4)]).build()),
    ];
    let mods: Vec<(&str, &[u8])> = mods.iter().map(|(name, bytes)| (*name, &bytes[..])).collect();
    let mut game = game(commands(10), &mods);
    game.until("two faults", |game| game.faults().len() == 2);
    let faults: Vec<_> = game.faults().iter().map(|fault| (fault.mod_id.clone(), fault.function.clone())).collect();
    let fault = |id: &str, function: &str| (id.to_owned(), Some(function.to_owned()));
    assert!(faults.contains(&fault("start", "spawn_0")) && faults.contains(&fault("both", "spawn_1")), "{faults:?}");
    assert_eq!(spawned(&mut game, "start"), 0);
    game.frames(20);
    assert_eq!((game.faults().len(), spawned(&mut game, "both")), (2, 6));
    assert!(spawned(&mut game, "good") >= 6 + 20 * 4);
}

#[test]
fn bytes_of_commands_count_too() {
    let one = codec::encode(&spawns(1)[0]).expect("a command").len();
    let limits = ModLimits { command_bytes_per_frame: 10 * one, ..ModLimits::default() };
    let good = spawner("good", &[("Update", 5), ("Update", 5)]).build();
    let bad = spawner("bad", &[("Update", 5), ("Update", 6)]).build();
    let mut game = game(limits, &[("a.wasm", &good), ("b.wasm", &bad)]);
    let fault = game.first_fault();
    let expected = format!("more than {} bytes of commands in one frame; the game allows more", 10 * one);
    assert!(fault.starts_with("bad") && fault.contains(&expected), "{fault}");
    assert!(fault.contains("`command_bytes_per_frame` in `ModLimits`"), "{fault}");
    game.frames(10);
    assert_eq!(game.faults().len(), 1);
}

/// A mod that sends messages of its own, messages of the game and events of its own, each with a system for it.
fn sender(id: &str, counts: [usize; 3]) -> Mod {
    let mut sender = Mod::new(id);
    let note = sender.defines("Note", "{n:u64}", DefinitionKind::Message, None);
    let pear = sender.ty("all::frame_limits::Pear", "{weight:u64}");
    let bell = sender.defines("Bell", "{n:u64}", DefinitionKind::Event, None);
    let bytes = [0; 8];
    let of = |count: usize, command: Command<'static>| vec![command; count];
    let leak = |ty| value(ty, Box::leak(Box::new(bytes)));
    sender
        .system("note", "Update", vec![ParamDesc::MessageWriter(note)])
        .leaves(0, &of(counts[0], Command::WriteMessage(leak(note))))
        .system("pear", "Update", vec![ParamDesc::MessageWriter(pear)])
        .after(&[0])
        .leaves(1, &of(counts[1], Command::WriteMessage(leak(pear))))
        .system("bell", "Update", vec![ParamDesc::Commands])
        .after(&[1])
        .leaves(2, &of(counts[2], Command::Trigger(leak(bell))))
}

/// How many messages were sent since this was last asked.
fn sent(game: &mut Game) -> (usize, usize) {
    let world = game.app.world_mut();
    let notes = world.resource_mut::<Messages<ModMessage>>().drain().count();
    (notes, world.resource_mut::<Messages<Pear>>().drain().count())
}

#[test]
fn messages_and_events_of_all_types_count_together() {
    let limits = ModLimits { messages_per_frame: 9, ..ModLimits::default() };
    let check = |counts: [usize; 3], function: &str, expected: (usize, usize)| {
        let mut game = game(limits.clone(), &[("sender.wasm", &sender("sender", counts).build())]);
        game.app.add_message::<Pear>();
        game.until_told("loaded sender");
        // Told at the frame boundary after the one in which it failed.
        let mut last = (0, 0);
        while game.faults().is_empty() {
            last = sent(&mut game);
            game.frame();
        }
        let fault = &game.faults()[0];
        assert_eq!((fault.function.as_deref(), last), (Some(function), expected), "{fault}");
        let text = fault.to_string();
        assert!(text.contains("sent more than 9 messages and events in one frame; the game allows more"), "{text}");
        assert!(text.contains("`messages_per_frame` in `ModLimits`"), "{text}");
    };
    check([10, 0, 0], "note", (0, 0));
    check([6, 4, 0], "pear", (6, 0));
    check([3, 3, 4], "bell", (3, 3));
    let mut game = game(limits.clone(), &[("sender.wasm", &sender("sender", [3, 3, 3]).build())]);
    game.app.add_message::<Pear>();
    game.until_told("loaded sender");
    sent(&mut game);
    for _ in 0..20 {
        game.frame();
        assert_eq!((game.faults().len(), sent(&mut game)), (0, (3, 3)));
    }
}

#[test]
fn observers_count_with_the_systems() {
    let mut echo = Mod::new("echo");
    let bell = echo.defines("Bell", "{n:u64}", DefinitionKind::Event, None);
    let ring = value(bell, &[0; 8]);
    let echo = echo
        .system("ring", "Update", vec![ParamDesc::Commands])
        .leaves(0, &vec![Command::Trigger(ring); 4])
        .observer("answer", EventDesc::Event(bell), vec![ParamDesc::Commands])
        .leaves(1, &spawns(2));
    // Four commands of the system, and two of each of four wakes.
    for (most, fails) in [(12, false), (11, true)] {
        let mut game = game(commands(most), &[("echo.wasm", &echo.build())]);
        game.until_told("loaded echo");
        game.frames(10);
        let faults = game.faults();
        assert_eq!(faults.len(), usize::from(fails), "{faults:?}");
        if let Some(fault) = faults.first() {
            assert_eq!(fault.function.as_deref(), Some("answer"));
            assert_eq!(spawned(&mut game, "echo"), 6);
        }
    }
}

#[test]
fn a_mod_may_leave_more_than_others() {
    let overrides = ModOverrides { limits: Some(commands(12)), ..ModOverrides::default() };
    let settings = ModSettings {
        limits: commands(10),
        overrides: BTreeMap::from([("large".to_owned(), overrides)]),
        ..ModSettings::default()
    };
    let of = |id| spawner(id, &[("Update", 6), ("Update", 6)]).build();
    let mut game = Game::with_settings(&[("a.wasm", &of("large")), ("b.wasm", &of("other"))], settings);
    let fault = game.first_fault();
    assert!(fault.starts_with("other"), "{fault}");
    game.frames(10);
    assert!(!game.events.iter().any(|event| matches!(event, ModEvent::Failed { id, .. } if &**id == "large")));
}
