//! What a mod leaves in the World when it goes.

use bevy::{
    ecs::entity::EntityGeneration,
    prelude::{Entity, With},
};
use bevy_wasm_mods::prelude::{Leftovers, ModSettings, Mods, SpawnedBy};
use mod_abi::{
    command::Command,
    describe::{DefinitionKind, ParamDesc},
};

use crate::{
    fixtures::{Health, Score},
    support::{Game, Mod, new_entity, value},
};

/// Spawns an entity with a child, puts a component of its own on one of the game's, and inserts two resources.
fn planter(theirs: Entity) -> Mod {
    let mut module = Mod::new("planter");
    let health = module.ty("all::fixtures::Health", "{value:f32}");
    let child_of = module.ty("bevy_ecs::hierarchy::ChildOf", "(entity)");
    let mark = module.defines("Mark", "{n:u32}", DefinitionKind::Component, None);
    let count = module.defines("Count", "{n:u32}", DefinitionKind::Resource, None);
    let score = module.ty("Score", "{points:u64}");
    let hp = [0; 4];
    let parent = new_entity(0).to_le_bytes();
    module
        .system("plant", "Startup", vec![ParamDesc::Commands])
        .system("again", "OnReload", vec![ParamDesc::Commands])
        .starts_with(count, &[1, 0, 0, 0])
        .starts_with(score, &[1, 0, 0, 0, 0, 0, 0, 0])
        .leaves(
            1,
            &[Command::Insert { entity: theirs.to_bits(), components: vec![value(health, &7_f32.to_le_bytes())] }],
        )
        .leaves(
            0,
            &[
                Command::Spawn { entity: new_entity(0), components: vec![value(health, &hp)] },
                Command::Spawn { entity: new_entity(1), components: vec![value(child_of, &parent)] },
                Command::Insert { entity: theirs.to_bits(), components: vec![value(mark, &hp)] },
            ],
        )
        .keeps("Nothing", "{n:u32}", &[0; 4])
}

fn game_with(leftovers: Leftovers) -> (Game, Entity, Mod) {
    let settings = ModSettings { leftovers, ..Default::default() };
    let mut game = Game::with_settings(&[], settings);
    let world = game.app.world_mut();
    world.register_component::<Score>();
    let theirs = world.spawn(Health::default()).id();
    let module = planter(theirs);
    game.write("planter.wasm", &module.build());
    game.until_told("loaded planter");
    assert_eq!(left(&mut game, theirs), (2, true, true, true), "{:?}", game.faults());
    (game, theirs, module)
}

/// How many entities are the mod's, and whether its component, its resource and the game's are there.
fn left(game: &mut Game, theirs: Entity) -> (usize, bool, bool, bool) {
    let world = game.app.world_mut();
    let spawned = world.query_filtered::<Entity, With<SpawnedBy>>().iter(world).count();
    let names: Vec<String> =
        world.inspect_entity(theirs).expect("the game's entity is there").map(|info| info.name().to_string()).collect();
    let has = |name: &str| world.iter_resources().any(|(info, _)| info.name().to_string() == name);
    (
        spawned,
        names.iter().any(|name| name == "planter::Mark"),
        has("planter::Count"),
        world.contains_resource::<Score>(),
    )
}

fn ask(game: &mut Game, what: impl FnOnce(Mods)) {
    let world = game.app.world_mut();
    let mut mods = bevy::ecs::system::SystemState::<Mods>::new(world);
    what(mods.get_mut(world).expect("the plugin is there"));
}

const ALL: (usize, bool, bool, bool) = (2, true, true, true);
const NONE: (usize, bool, bool, bool) = (0, false, false, false);

#[test]
fn an_unloaded_mod_leaves_nothing_unless_the_game_keeps_it() {
    for (leftovers, expected) in [(Leftovers::Despawn, NONE), (Leftovers::Keep, ALL)] {
        let (mut game, theirs, _) = game_with(leftovers);
        ask(&mut game, |mut mods| mods.unload("planter").expect("it is known"));
        game.until_told("unloaded planter");
        assert_eq!(left(&mut game, theirs), expected);
    }
}

#[test]
fn a_mod_that_is_switched_off_and_on_starts_again_or_goes_on() {
    for (leftovers, expected) in [(Leftovers::Despawn, NONE), (Leftovers::Keep, ALL)] {
        let (mut game, theirs, _) = game_with(leftovers);
        ask(&mut game, |mut mods| mods.disable("planter").expect("it is known"));
        game.until_told("disabled planter");
        assert_eq!(left(&mut game, theirs), expected);
        ask(&mut game, |mut mods| mods.enable("planter").expect("it is known"));
        game.until("it again", |game| game.story().iter().filter(|line| *line == "loaded planter").count() == 2);
        assert_eq!(left(&mut game, theirs), ALL, "{:?}", game.faults());
        let hp = game.app.world().get::<Health>(theirs).expect("it is the game's").value;
        assert_eq!(hp > 0.0, leftovers == Leftovers::Keep, "`OnReload` runs only where it goes on");
    }
}

#[cfg(feature = "hot_reload")]
#[test]
fn a_reload_keeps_everything_and_a_removed_file_nothing() {
    let (mut game, theirs, module) = game_with(Leftovers::Despawn);
    game.write("planter.wasm", &module.fields("(global i32 (i32.const 2))").build());
    game.until_told("reloaded planter");
    assert_eq!(left(&mut game, theirs), ALL);
    std::fs::remove_file(game.path("planter.wasm")).expect("it is there");
    game.until_told("unloaded planter");
    assert_eq!(left(&mut game, theirs), NONE);
}

#[cfg(feature = "hot_reload")]
#[test]
fn what_a_failed_mod_left_stays_until_it_starts_anew() {
    let (mut game, theirs, module) = game_with(Leftovers::Despawn);
    let settings = ModSettings { probation_frames: 0, ..Default::default() };
    game.app.insert_resource(settings);
    let bad = module.clone().system("fail", "Update", vec![]);
    let bad = bad.run_also("(if (i32.eq (local.get $system) (i32.const 2)) (then unreachable))");
    game.write("planter.wasm", &bad.build());
    game.until_told("failed planter");
    assert_eq!(left(&mut game, theirs), ALL);
    game.write("planter.wasm", &module.build());
    game.until("it again", |game| game.story().iter().filter(|line| *line == "reloaded planter").count() == 2);
    assert_eq!(left(&mut game, theirs), ALL, "and not twice");
}

#[test]
fn ids_that_were_never_spawned_are_given_back() {
    let module = Mod::new("hoarder").system("hoard", "Startup", vec![ParamDesc::Commands]).run(
        "(block $done (loop $next
            (br_if $done (i32.ge_u (local.get $i) (i32.const 1000)))
            (drop (call $reserve))
            (local.set $i (i32.add (local.get $i) (i32.const 1)))
            (br $next)))",
    );
    let mut game = Game::with_mods(&[("hoarder.wasm", &module.build())]);
    game.until_told("loaded hoarder");
    ask(&mut game, |mut mods| mods.unload("hoarder").expect("it is known"));
    game.until_told("unloaded hoarder");
    let is_new = |entity: Entity| entity.generation() == EntityGeneration::FIRST;
    let reused = (0..2000).filter(|_| !is_new(game.app.world_mut().spawn_empty().id())).count();
    // Bevy gives them out again in packs.
    assert!(reused > 800, "{reused}");
}
