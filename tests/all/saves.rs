//! Saves of what mods have, and what becomes of them in another session.

mod hive;
mod hostile;

use bevy::{
    ecs::entity::EntityHashMap,
    prelude::{Entity, With},
};
use bevy_wasm_mods::{
    MissingMod,
    prelude::{ModDifference, ModRegistry, ModRestore, ModSave, SaveMods, SpawnedBy},
};
use mod_abi::{
    codec,
    command::Command,
    describe::{DefinitionKind, FilterDesc, ParamDesc, QueryDesc, TermDesc},
};

use crate::{
    fixtures::{Health, Score},
    support::{Game, Mod, new_entity, resource, value, with_mods},
};

/// Counts its frames in what it keeps and shows the count as the score. Starts with an entity and a resource of its own.
fn counter(id: &str) -> Mod {
    let mut counter = Mod::new(id);
    let score = counter.ty("Score", "{points:u64}");
    let mark = counter.defines("Mark", "{n:u32,of:entity}", DefinitionKind::Component, None);
    let store = counter.defines("Store", "{n:u32}", DefinitionKind::Resource, None);
    let marked = [&7_u32.to_le_bytes()[..], &new_entity(0).to_le_bytes()].concat();
    counter
        .system("count", "Update", vec![resource(score, true)])
        .system("start", "Startup", vec![ParamDesc::Commands])
        .starts_with(store, &5_u32.to_le_bytes())
        .keeps("Frames", "{count:u32}", &[0; 4])
        .leaves(1, &[Command::Spawn { entity: new_entity(0), components: vec![value(mark, &marked)] }])
        .run_also(
            "(i32.store (global.get $kept) (i32.add (i32.const 1) (i32.load (global.get $kept))))
            (i64.store (local.get $data) (i64.load32_u (global.get $kept)))
            (i64.store (local.get $dirty) (i64.const 1))",
        )
}

fn game_with(mods: &[(&str, &[u8])]) -> Game {
    let mut game = Game::with_mods(mods);
    game.app.insert_resource(Score::default());
    game.until("all of them", |game| with_mods(game, |mods| mods.all_settled()));
    game
}

/// Runs a frame and returns the score.
fn next(game: &mut Game) -> u64 {
    game.frame();
    game.app.world().resource::<Score>().points
}

/// What a game writes into a file and reads from it.
fn through_file(save: &ModSave) -> ModSave {
    let text = serde_json::to_string(save).expect("it has a form");
    serde_json::from_str(&text).expect("it was written so")
}

fn save(game: &mut Game) -> ModSave {
    game.app.world_mut().save_mods()
}

/// Restores a save into a game that brings nothing back itself.
fn restore(game: &mut Game, save: &ModSave) -> ModRestore {
    game.app.world_mut().restore_mods(save, &mut EntityHashMap::default())
}

fn spawned(game: &mut Game) -> Vec<Entity> {
    let world = game.app.world_mut();
    world.query_filtered::<Entity, With<SpawnedBy>>().iter(world).collect()
}

#[test]
fn a_save_has_the_same_content_in_every_format() {
    let mut game = game_with(&[("a.wasm", &counter("a").build()), ("b.wasm", &counter("b").build())]);
    game.frames(3);
    let save = save(&mut game);
    assert_eq!(save.problems(), []);
    let listed: Vec<_> = save.mods().map(|saved| (saved.id(), saved.version())).collect();
    assert_eq!(listed, [("a", "1.2.3"), ("b", "1.2.3")]);
    assert_eq!(save.entities().collect::<Vec<_>>().len(), 2);
    assert_eq!(save.compare(game.app.world().resource()).to_string(), "");
    assert_eq!(through_file(&save), save);
    let binary = codec::encode(&save).expect("it has a form");
    assert_eq!(codec::decode::<ModSave>(&binary).expect("it was written so"), save);
}

#[test]
fn what_a_missing_mod_has_stands_in_the_next_save_and_is_taken_over_when_it_comes() {
    let mut old = game_with(&[("a.wasm", &counter("a").build())]);
    old.frames(10);
    let counted = next(&mut old);
    let first = save(&mut old);

    let mut game = game_with(&[]);
    let compared = first.compare(game.app.world().resource::<ModRegistry>());
    let mut entities = EntityHashMap::default();
    let restored = game.app.world_mut().restore_mods(&first, &mut entities);
    assert_eq!(restored.to_string(), "a 1.2.3 is not there; what it has in this save is kept for it");
    assert_eq!(compared, restored);
    assert!(matches!(&restored.differences[..], [ModDifference::Missing { why: MissingMod::NotThere, .. }]));
    assert_eq!(entities.len(), 1, "the game can keep the ids of what the mod will spawn");
    let second = through_file(&save(&mut game));
    assert_eq!(second.mods().map(|saved| saved.id()).collect::<Vec<_>>(), ["a"]);

    // In a third session it is there again.
    let mut later = game_with(&[("a.wasm", &counter("a").build())]);
    later.frames(3);
    assert_eq!(restore(&mut later, &second).to_string(), "");
    assert_eq!((next(&mut later), spawned(&mut later).len()), (counted + 1, 1));

    #[cfg(feature = "hot_reload")]
    {
        game.write("a.wasm", &counter("a").build());
        game.until_told("loaded a");
        assert_eq!(game.app.world().resource::<Score>().points, counted + 1, "{:?}", game.story());
        let here: Vec<Entity> = entities.values().copied().collect();
        assert_eq!(spawned(&mut game), here);
        let names: Vec<_> = save(&mut game).mods().map(|saved| saved.id().to_owned()).collect();
        assert_eq!(names, ["a"]);
    }
}

#[test]
fn a_mod_that_is_not_in_the_save_starts_anew() {
    let mut game = game_with(&[("a.wasm", &counter("a").build())]);
    game.frames(10);
    let compared = ModSave::default().compare(game.app.world().resource());
    let restored = restore(&mut game, &ModSave::default());
    assert_eq!(compared, restored);
    assert_eq!(restored.to_string(), "a 1.2.3 is not in this save and starts anew");
    assert_eq!((next(&mut game), spawned(&mut game).len()), (1, 1));
    assert!(game.faults().is_empty());
}

#[test]
fn a_mod_that_is_switched_off_takes_over_when_it_is_switched_on() {
    let mut old = game_with(&[("a.wasm", &counter("a").build())]);
    old.frames(10);
    let counted = next(&mut old);
    let first = save(&mut old);
    let mut game = game_with(&[("a.wasm", &counter("a").build())]);
    with_mods(&mut game, |mut mods| mods.disable("a").expect("it is known"));
    game.until_told("disabled a");
    let restored = restore(&mut game, &first);
    assert_eq!(restored.to_string(), "a 1.2.3 is switched off; what it has in this save is kept for it");
    game.frames(3);
    with_mods(&mut game, |mut mods| mods.enable("a").expect("it is known"));
    game.until("it to take over", |game| game.story().iter().any(|line| line.starts_with("Restored")));
    assert_eq!(game.app.world().resource::<Score>().points, counted + 1);
    assert_eq!(spawned(&mut game).len(), 1);
}

#[test]
fn mods_have_something_on_each_others_entities() {
    // The first of the two has a mark on the entity that the second one spawns in its start-up.
    let mut planter = Mod::new("planter");
    let seed = planter.defines("Seed", "{n:u32}", DefinitionKind::Component, None);
    let planter = planter
        .system("start", "Startup", vec![ParamDesc::Commands])
        .leaves(0, &[Command::Spawn { entity: new_entity(0), components: vec![value(seed, &[1, 0, 0, 0])] }]);
    let mut marker = Mod::new("marker");
    let mark = marker.defines("Mark", "{n:u32}", DefinitionKind::Component, None);
    let seed = marker.ty("planter::Seed", "{n:u32}");
    let filters = vec![FilterDesc::With(seed), FilterDesc::Without(mark)];
    let unmarked = ParamDesc::Query(QueryDesc { terms: vec![TermDesc::Entity], filters });
    let at = 40_000;
    let insert =
        codec::encode(&Command::Insert { entity: new_entity(0), components: vec![value(mark, &[9, 0, 0, 0])] });
    let insert = insert.expect("a command");
    let id = insert.windows(8).position(|window| window == new_entity(0).to_le_bytes()).expect("it is in it");
    let escaped: String = insert.iter().map(|byte| format!("\\{byte:02x}")).collect();
    let marker = marker
        .system("mark", "Update", vec![unmarked, ParamDesc::Commands])
        .fields(&format!("(data (i32.const {at}) \"{escaped}\")"))
        .run(&format!(
            "(if (local.get $rows) (then
                (i64.store (i32.const {}) (i64.load (local.get $data)))
                (return (i64.const {}))))",
            at + id,
            ((at as u64) << 32) | insert.len() as u64
        ));
    let mods = [("a.wasm", &*marker.build()), ("b.wasm", &*planter.build())];
    let mut old = game_with(&mods);
    old.frames(3);
    assert_eq!(old.faults().first().map(ToString::to_string), None);
    let first = save(&mut old);
    let mut game = game_with(&mods);
    game.app.world_mut().spawn_empty();
    let restored = restore(&mut game, &first);
    assert_eq!(restored.to_string(), "");
    let [entity] = spawned(&mut game)[..] else { panic!("there is one") };
    let names = game.app.world().inspect_entity(entity).expect("it is there");
    let mut names: Vec<String> =
        names.map(|info| info.name().to_string()).filter(|name| !name.ends_with("SpawnedBy")).collect();
    names.sort_unstable();
    assert_eq!(names, ["marker::Mark", "planter::Seed"]);
}

/// A mod whose exports for what it keeps are these.
fn keeper(id: &str, save: &str, restore: &str) -> Mod {
    Mod::new(id).fields(&format!(
        r#"(global $saves (mut i32) (i32.const 0))
        (func (export "__mod_save") (param i64) (result i64)
            (global.set $saves (i32.add (i32.const 1) (global.get $saves)))
            {save} (i64.const {empty}))
        (func (export "__mod_restore") (param i64) (result i64) {restore} (i64.const 0))"#,
        empty = (60_000_u64 << 32) | 8,
    ))
}

#[test]
fn a_mod_that_cannot_save_is_stopped_and_the_others_are_saved() {
    let bad = keeper("bad", "(if (i32.gt_u (global.get $saves) (i32.const 1)) (then unreachable))", "");
    let mut game = game_with(&[("a.wasm", &counter("a").build()), ("bad.wasm", &bad.build())]);
    game.frames(3);
    let save = save(&mut game);
    let [problem] = save.problems() else { panic!("{:?}", save.problems()) };
    assert!(problem.to_string().starts_with("bad: what it keeps is not saved, because it could not say"), "{problem}");
    assert_eq!(save.mods().map(|saved| saved.id()).collect::<Vec<_>>(), ["a", "bad"]);
    game.until_told("failed bad");
    let before = next(&mut game);
    assert_eq!(next(&mut game), before + 1, "the other one goes on");
}

#[test]
fn a_mod_that_refuses_its_state_is_stopped_and_what_it_has_is_kept() {
    let bad = keeper("bad", "", "unreachable");
    let mut game = game_with(&[("a.wasm", &counter("a").build()), ("bad.wasm", &bad.build())]);
    game.frames(10);
    let counted = next(&mut game);
    let first = save(&mut game);
    game.frames(3);
    let restored = restore(&mut game, &first);
    let [ModDifference::Failed { id, reason }] = &restored.differences[..] else { panic!("{restored}") };
    assert_eq!(&**id, "bad");
    assert!(reason.contains("`__mod_restore` failed"), "{reason}");
    assert_eq!(next(&mut game), counted + 1, "the other one is restored");
    game.until_told("failed bad");
    assert_eq!(save(&mut game).mods().map(|saved| saved.id()).collect::<Vec<_>>(), ["a", "bad"]);
    // It does not try again and again.
    game.frames(3);
    assert_eq!(game.faults().len(), 1);
}

#[cfg(feature = "hot_reload")]
#[test]
fn what_fails_after_it_took_over_is_kept_for_a_better_version() {
    let mut old = game_with(&[("a.wasm", &counter("a").build())]);
    old.frames(10);
    let counted = next(&mut old);
    let first = save(&mut old);
    let bad = counter("a").system("wake", "OnReload", vec![]);
    let bad = bad.run_also("(if (i32.eq (local.get $system) (i32.const 2)) (then unreachable))");
    let mut game = game_with(&[("a.wasm", &bad.build())]);
    let restored = restore(&mut game, &first);
    assert!(matches!(&restored.differences[..], [ModDifference::Failed { .. }]), "{restored}");
    game.until_told("failed a");
    game.write("a.wasm", &counter("a").build());
    game.until("it to take over", |game| game.story().iter().any(|line| line.starts_with("Restored")));
    assert_eq!(game.app.world().resource::<Score>().points, counted + 1);
    assert_eq!(spawned(&mut game).len(), 1);
}

#[test]
fn entities_that_the_game_did_not_bring_back_are_told() {
    // Two Worlds that are made alike give the same ids.
    let mut game = Game::with_mods(&[]);
    let theirs = game.app.world_mut().spawn(Health::default()).id();
    let mut marker = Mod::new("marker");
    let mark = marker.defines("Mark", "{n:u32}", DefinitionKind::Component, None);
    let health = marker.ty("all::fixtures::Health", "{value:f32}");
    let marker = marker.system("start", "Startup", vec![ParamDesc::Commands]).leaves(
        0,
        &[
            Command::Insert { entity: theirs.to_bits(), components: vec![value(mark, &[7, 0, 0, 0])] },
            Command::Spawn { entity: new_entity(0), components: vec![value(health, &[0; 4])] },
        ],
    );
    let session = || {
        let mut game = Game::with_mods(&[("marker.wasm", &marker.build())]);
        assert_eq!(game.app.world_mut().spawn(Health::default()).id(), theirs);
        game.until_told("loaded marker");
        game
    };
    let first = save(&mut session());
    let mut game = session();
    let restored = restore(&mut game, &first);
    let text = restored.to_string();
    assert!(text.contains("marker: 1 entity is not there any more that it spawned"), "{text}");
    assert!(text.contains("marker: 1 entity is not there any more, and with that its `marker::Mark`"), "{text}");
    let lost = restored.differences.iter().find_map(|difference| match difference {
        ModDifference::LostEntities { path: Some(_), entities, .. } => Some(entities.clone()),
        _ => None,
    });
    assert_eq!(lost, Some(vec![theirs]));
    game.frames(2);
    assert_eq!(game.faults().first().map(ToString::to_string), None);
    assert_eq!(spawned(&mut game), [], "what the mod had until now is gone, too");
}
