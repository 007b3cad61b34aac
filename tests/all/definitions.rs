//! Types that mods define: as components of the game, in other mods, and over reloads.
#![cfg_attr(feature = "hot_reload", expect(unsafe_code, reason = "reads a component that has no Rust type"))]

use bevy::{
    ecs::component::{ComponentId, StorageType},
    prelude::{Entity, With, World},
};
use bevy_wasm_mods::prelude::SpawnedBy;
use mod_abi::{
    Schema, codec,
    command::Command,
    describe::{Definition, DefinitionKind, ParamDesc, TypeDesc, TypeRole},
};

use crate::{
    fixtures::{Health, Score},
    support::{Game, Mod, new_entity, query, resource, value},
};

/// The newest component of that name.
fn component(world: &World, name: &str) -> Option<ComponentId> {
    let mut ids: Vec<_> = (0..world.components().len()).map(ComponentId::new).collect();
    ids.retain(|id| world.components().get_info(*id).is_some_and(|info| info.name().to_string() == name));
    // Of several versions the one that something has.
    let used = |id: &&ComponentId| {
        world.archetypes().iter().any(|archetype| archetype.contains(**id) && !archetype.is_empty())
    };
    ids.iter().rfind(used).or(ids.last()).copied()
}

fn spawned(game: &mut Game) -> Vec<Entity> {
    let world = game.app.world_mut();
    world.query_filtered::<Entity, With<SpawnedBy>>().iter(world).collect()
}

/// A mod that defines a component and spawns an entity that has it.
fn definer(schema: &str, kind: DefinitionKind, default: Option<&[u8]>, start: &[u8]) -> Mod {
    let mut module = Mod::new("orchard");
    let ty = module.defines("Ripe", schema, kind, default);
    let spawn = Command::Spawn { entity: new_entity(0), components: vec![value(ty, start)] };
    module
        .system("plant", "Startup", vec![ParamDesc::Commands])
        .system("look", "Update", vec![query(&[ty], &[])])
        .leaves(0, &[spawn])
}

/// Copies the first four bytes of the first row of a type of another mod to the score.
fn reader(path: &str, schema: &str) -> Mod {
    let mut module = Mod::new("reader");
    let (ty, score) = (module.ty(path, schema), module.ty("Score", "{points:u64}"));
    // The score's block is the first, the rows' the second.
    module.system("read", "Update", vec![resource(score, true), query(&[ty], &[])]).run(
        "(local.set $i (i32.add (local.get $batch) (i32.load offset=20 (local.get $batch))))
         (if (i32.load (local.get $i)) (then
            (i64.store (local.get $data)
                (i64.load32_u (i32.add (local.get $i) (i32.load offset=16 (local.get $i)))))
            (i64.store (local.get $dirty) (i64.const 1))))",
    )
}

fn points(game: &Game) -> u64 {
    game.app.world().resource::<Score>().points
}

#[cfg(feature = "hot_reload")]
#[test]
fn a_version_that_is_refused_for_its_order_leaves_the_types_of_the_one_that_runs() {
    use mod_abi::describe::{OrderDesc, OrderTarget};

    let version = |schema: &str, bytes: &[u8], order: Option<&str>| {
        let mut module = Mod::new("orchard");
        let swarm = module.defines("Swarm", schema, DefinitionKind::Message, None);
        let module = module.system("hum", "Update", vec![ParamDesc::Commands]);
        let module = match order {
            Some(name) => module.order(OrderDesc::After(OrderTarget::Named(name.to_owned()))),
            None => module,
        };
        module.leaves(0, &[Command::WriteMessage(value(swarm, bytes))]).build()
    };
    let other = Mod::new("other")
        .system("listen", "Update", vec![])
        .order(OrderDesc::After(OrderTarget::Named("orchard::hum".to_owned())));
    let mut game =
        Game::with_mods(&[("orchard.wasm", &version("{a:u64}", &[0; 8], None)), ("other.wasm", &other.build())]);
    game.until_told("loaded other");
    game.until_told("loaded orchard");
    game.write("orchard.wasm", &version("{a:u64,b:u64}", &[0; 16], Some("other::listen")));
    let fault = game.first_fault();
    assert!(fault.contains("circle"), "{fault}");
    game.frames(5);
    assert_eq!(game.faults().len(), 1, "the first version goes on writing what it defines: {:?}", game.faults());
}

#[test]
fn another_mod_reads_and_writes_it() {
    for kind in [DefinitionKind::Component, DefinitionKind::SparseComponent] {
        let definer = definer("{n:u32,ok:bool}", kind, None, &[7, 0, 0, 0, 1]);
        let reader = reader("orchard::Ripe", "{n:u32,ok:bool}");
        // The one that reads comes first and waits.
        let mut game = Game::with_mods(&[("a.wasm", &reader.build()), ("b.wasm", &definer.build())]);
        game.app.insert_resource(Score::default());
        game.until_told("loaded reader");
        game.frames(2);
        assert_eq!(points(&game), 7, "{:?}", game.faults());
        let world = game.app.world();
        let info = world.components().get_info(component(world, "orchard::Ripe").expect("it is there")).expect("info");
        let sparse = kind == DefinitionKind::SparseComponent;
        assert_eq!(info.storage_type() == StorageType::SparseSet, sparse);
        assert_eq!((info.layout().size(), info.layout().align()), (5, 1));
    }
}

#[test]
fn markers_are_components_too() {
    for kind in [DefinitionKind::Component, DefinitionKind::SparseComponent] {
        let mut game = Game::with_mods(&[("orchard.wasm", &definer("{}", kind, Some(&[]), &[]).build())]);
        game.until_told("loaded orchard");
        game.frames(2);
        assert!(game.faults().is_empty(), "{:?}", game.faults());
        let entity = spawned(&mut game)[0];
        let world = game.app.world();
        let id = component(world, "orchard::Ripe").expect("it is defined");
        assert!(world.entity(entity).contains_id(id));
    }
}

#[test]
fn the_other_mod_has_to_know_it_as_it_is() {
    let definer = definer("{n:u32,ok:bool}", DefinitionKind::Component, None, &[7, 0, 0, 0, 1]);
    let reader = reader("orchard::Ripe", "{n:u64,ok:bool}");
    let mut game = Game::with_mods(&[("a.wasm", &definer.build()), ("b.wasm", &reader.build())]);
    game.app.insert_resource(Score::default());
    let fault = game.first_fault();
    assert!(fault.contains("reader") && fault.contains("Ripe does not match"), "{fault}");
    assert!(fault.contains("n: u64") && fault.contains("n: u32"), "{fault}");
}

#[test]
fn a_row_of_varying_size_is_written() {
    let text = codec::encode("green").expect("a text");
    let red = codec::encode("red and sweet").expect("a text");
    let escaped: String = red.iter().map(|byte| format!("\\{byte:02x}")).collect();
    let mut module = Mod::new("orchard");
    let ty = module.defines("Ripe", "{text:str}", DefinitionKind::Component, None);
    let spawn = Command::Spawn { entity: new_entity(0), components: vec![value(ty, &text)] };
    let module = module
        .system("plant", "Startup", vec![ParamDesc::Commands])
        .system("ripen", "Update", vec![query(&[], &[ty])])
        .leaves(0, &[spawn])
        .fields(&format!(r#"(data (i32.const 16384) "{escaped}")"#));
    let run = format!(
        "(if (i32.eq (local.get $system) (i32.const 1)) (then (if (local.get $rows) (then
            (i32.store offset=40 (local.get $block) (i32.const 16384))
            (i32.store offset=44 (local.get $block) (i32.const {}))
            (i64.store (local.get $dirty) (i64.const 1))))))",
        red.len()
    );
    let mut other = Mod::new("reader");
    let (ty, score) = (other.ty("orchard::Ripe", "{text:str}"), other.ty("Score", "{points:u64}"));
    let _ = (ty, score);
    let mut game = Game::with_mods(&[("orchard.wasm", &module.run_also(&run).build())]);
    game.until_told("loaded orchard");
    game.frames(3);
    assert!(game.faults().is_empty(), "{:?}", game.faults());
    let entity = spawned(&mut game)[0];
    // Despawning drops the new bytes; a leak or a double free is for the sanitizers to find.
    game.app.world_mut().despawn(entity);
    game.frame();
}

#[test]
fn definitions_that_are_wrong() {
    let check = |module: &Mod, expected: &[&str]| {
        let mut game = Game::with_mods(&[("orchard.wasm", &module.build())]);
        game.app.register_type::<Health>();
        game.until(&format!("{expected:?}"), |game| !game.faults().is_empty());
        let fault = game.first_fault();
        for part in expected {
            assert!(fault.contains(part), "{part:?} is not in {fault:?}");
        }
    };
    let define = |name: &str, schema: &str, default: Option<&[u8]>| {
        let mut module = Mod::new("orchard");
        module.defines(name, schema, DefinitionKind::Component, default);
        module
    };
    check(&define("", "{n:u32}", None), &["`orchard::` cannot be defined", "`orchard::` and a name"]);
    check(&define("A#B", "{n:u32}", None), &["cannot be defined"]);
    check(&define("A", "{n:bool}", Some(&[2])), &["its default is no value of it"]);
    check(&define("A", "{n:[u8;100000]}", None), &["100000 bytes, more than 65536"]);
    let mut foreign = Mod::new("orchard");
    foreign.defines_path("wind::Gust", "{n:u32}", DefinitionKind::Component, None);
    check(&foreign, &["`wind::Gust` cannot be defined"]);
    let mut twice = define("A", "{n:u32}", None);
    twice.defines("A", "{n:u64}", DefinitionKind::Component, None);
    check(&twice, &["it is defined twice"]);
    // A mod that is called as a crate of the game.
    let mut thief = Mod::new("all");
    thief.defines("fixtures::Health", "{value:f32}", DefinitionKind::Component, None);
    check(&thief, &["the game has a type of that path"]);
    let mut early = Mod::new("orchard");
    let ty = early.defines("Weight", "{n:u32}", DefinitionKind::Resource, None);
    check(&early.starts_with(ty, &[1]), &["its initial resource cannot be inserted", "orchard::Weight"]);
}

#[test]
fn a_resource_of_a_mod_is_there_from_the_start() {
    let mut module = Mod::new("orchard");
    let ty = module.defines("Weight", "{n:u32}", DefinitionKind::Resource, None);
    let module = module.system("start", "Startup", vec![resource(ty, true)]).starts_with(ty, &5_u32.to_le_bytes()).run(
        "(i32.store (local.get $data) (i32.add (i32.const 1) (i32.load (local.get $data))))
         (i64.store (local.get $dirty) (i64.const 1))",
    );
    let mut other = Mod::new("reader");
    let (weight, score) = (other.ty("orchard::Weight", "{n:u32}"), other.ty("Score", "{points:u64}"));
    let other = other.system("read", "Update", vec![resource(score, true), resource(weight, false)]).run(
        "(local.set $i (i32.add (local.get $batch) (i32.load offset=20 (local.get $batch))))
         (i64.store (local.get $data) (i64.load32_u (i32.add (local.get $i) (i32.load offset=16 (local.get $i)))))
         (i64.store (local.get $dirty) (i64.const 1))",
    );
    let mut game = Game::with_mods(&[("a.wasm", &other.build()), ("b.wasm", &module.build())]);
    game.app.insert_resource(Score::default());
    game.until_told("loaded reader");
    game.frames(2);
    assert_eq!(points(&game), 6, "{:?}", game.faults());
}

#[test]
fn messages_and_events_are_known_by_their_paths() {
    let mut module = Mod::new("orchard");
    let fall = module.defines("Fall", "{n:u32}", DefinitionKind::Message, None);
    let storm = module.defines("Storm", "{n:u32}", DefinitionKind::Event, None);
    let module = module.system("start", "Startup", vec![ParamDesc::Commands]);
    let mut game = Game::with_mods(&[("orchard.wasm", &module.build())]);
    game.until_told("loaded orchard");
    let _ = (fall, storm);
    assert!(component(game.app.world(), "orchard::Fall").is_none(), "they are no components");
}

#[test]
fn a_type_that_comes_up_in_a_call_is_defined_by_the_command_that_names_it() {
    let late = TypeDesc {
        path: "orchard::Late".to_owned(),
        schema: Schema::parse("{n:u32}").expect("a schema"),
        role: TypeRole::Definition(Definition { kind: DefinitionKind::Component, default: None }),
    };
    let module = |descs: &[&TypeDesc]| {
        let mut module = Mod::new("orchard").system("make", "Startup", vec![ParamDesc::Commands]).import("type_index");
        for (n, desc) in descs.iter().enumerate() {
            let bytes = codec::encode(*desc).expect("a type");
            let escaped: String = bytes.iter().map(|byte| format!("\\{byte:02x}")).collect();
            let at = 16384 + n as u64 * 1024;
            module = module
                .fields(&format!("(data (i32.const {at}) \"{escaped}\")"))
                .run_also(&format!("(drop (call $type_index (i64.const {})))", (at << 32) | bytes.len() as u64));
        }
        let last = u32::try_from(descs.len() - 1).expect("few");
        let spawn = Command::Spawn { entity: new_entity(0), components: vec![value(last, &[7, 0, 0, 0])] };
        module.leaves(0, &[spawn])
    };
    let mut game = Game::with_mods(&[("orchard.wasm", &module(&[&late]).build())]);
    game.until_told("loaded orchard");
    let entity = spawned(&mut game)[0];
    let late_id = component(game.app.world(), "orchard::Late").expect("it is defined");
    assert!(game.app.world().get_by_id(entity, late_id).is_some());

    let other = TypeDesc { schema: Schema::parse("{n:f32}").expect("a schema"), ..late.clone() };
    let mut game = Game::with_mods(&[("orchard.wasm", &module(&[&late, &other]).build())]);
    let fault = game.first_fault();
    assert!(fault.contains("`orchard::Late` cannot be defined: it is defined twice"), "{fault}");

    let settings = TypeRole::Definition(Definition { kind: DefinitionKind::Settings, default: None });
    let settings = TypeDesc { schema: Schema::parse("{}").expect("a schema"), role: settings, ..late };
    let mut game = Game::with_mods(&[("orchard.wasm", &module(&[&settings]).build())]);
    let fault = game.first_fault();
    assert!(fault.contains("its description has to hold their type"), "{fault}");
}

#[cfg(feature = "hot_reload")]
mod over_reloads {
    use super::*;

    /// The encoding of the one value of `orchard::Ripe`, as the World has it.
    fn bytes(game: &mut Game) -> Vec<u8> {
        let entity = spawned(game)[0];
        let world = game.app.world();
        let id = component(world, "orchard::Ripe").expect("it is there");
        let len = world.components().get_info(id).expect("info").layout().size();
        let value = world.get_by_id(entity, id).expect("the entity has it");
        // SAFETY: a value of fixed size is its encoding, so that many bytes.
        unsafe { std::slice::from_raw_parts(value.as_ptr(), len) }.to_vec()
    }

    #[track_caller]
    fn check(
        (old, start): (&str, &[u8]),
        (new, default): (&str, Option<&[u8]>),
        kinds: [DefinitionKind; 2],
        expected: &[u8],
    ) {
        let mut game = Game::with_mods(&[("orchard.wasm", &definer(old, kinds[0], None, start).build())]);
        game.until_told("loaded orchard");
        assert_eq!(bytes(&mut game), start);
        game.write("orchard.wasm", &definer(new, kinds[1], default, expected).build());
        game.until_told("reloaded orchard");
        assert_eq!(bytes(&mut game), expected);
        assert_eq!(spawned(&mut game).len(), 1, "no start-up runs again");
        // And back: the old component is used again.
        let known = game.app.world().components().len();
        game.write("orchard.wasm", &definer(old, kinds[0], None, start).build());
        game.until("the old version", |game| {
            game.story().iter().filter(|line| *line == "reloaded orchard").count() == 2
        });
        assert_eq!(bytes(&mut game).len(), start.len());
        assert_eq!(game.app.world().components().len(), known, "no component is registered twice");
        assert!(game.faults().is_empty(), "{:?}", game.faults());
    }

    #[test]
    fn values_move_to_the_new_version_of_their_type() {
        use DefinitionKind::{Component, SparseComponent};
        let n = [7, 0, 0, 0];
        let (table, sparse) = ([Component; 2], [SparseComponent; 2]);
        // A new field with a default, and one without.
        check(("{n:u32}", &n), ("{n:u32,m:u16}", Some(&[1, 0, 0, 0, 9, 0])), table, &[7, 0, 0, 0, 9, 0]);
        check(("{n:u32}", &n), ("{m:u16,n:u32}", None), sparse, &[0, 0, 7, 0, 0, 0]);
        // One that is gone, one that has another name.
        check(("{n:u32,m:u8}", &[7, 0, 0, 0, 3]), ("{m:u8}", None), table, &[3]);
        check(("{n:u32}", &n), ("{number:u32}", Some(&[5, 0, 0, 0])), table, &[5, 0, 0, 0]);
        // A wider one, a narrower one.
        check(("{n:u32}", &n), ("{n:u64}", None), table, &[7, 0, 0, 0, 0, 0, 0, 0]);
        check(("{n:u32}", &n), ("{n:u8}", Some(&[4])), table, &[4]);
        // Nothing but the storage.
        check(("{n:u32}", &n), ("{n:u32}", None), [Component, SparseComponent], &n);
    }

    #[test]
    fn sizes_that_vary_and_vary_no_more() {
        let text = codec::encode("abc").expect("a text");
        let mut game = Game::with_mods(&[(
            "orchard.wasm",
            &definer("{t:str,n:u32}", DefinitionKind::Component, None, &[text, vec![7, 0, 0, 0]].concat()).build(),
        )]);
        game.until_told("loaded orchard");
        game.write("orchard.wasm", &definer("{n:u32}", DefinitionKind::Component, None, &[0; 4]).build());
        game.until_told("reloaded orchard");
        assert_eq!(bytes(&mut game), [7, 0, 0, 0]);
    }

    #[test]
    fn a_resource_moves_too() {
        let module = |schema: &str, start: &[u8], default: Option<&[u8]>| {
            let mut module = Mod::new("orchard");
            let ty = module.defines("Weight", schema, DefinitionKind::Resource, default);
            let score = module.ty("Score", "{points:u64}");
            module.system("read", "Update", vec![resource(score, true), resource(ty, false)]).starts_with(ty, start).run(
                "(local.set $i (i32.add (local.get $batch) (i32.load offset=20 (local.get $batch))))
                 (i64.store (local.get $data) (i64.load32_u (i32.add (local.get $i) (i32.load offset=16 (local.get $i)))))
                 (i64.store (local.get $dirty) (i64.const 1))",
            )
        };
        let mut game = Game::with_mods(&[("orchard.wasm", &module("{n:u32}", &[5, 0, 0, 0], None).build())]);
        game.app.insert_resource(Score::default());
        game.until_told("loaded orchard");
        game.write("orchard.wasm", &module("{n:u64,m:u8}", &[9; 9], Some(&[8; 9])).build());
        game.until_told("reloaded orchard");
        game.frame();
        assert_eq!(points(&game), 5, "{:?}", game.faults());
    }

    #[test]
    fn a_version_that_fails_leaves_the_values_as_they_were() {
        let old = definer("{n:u32,m:u8}", DefinitionKind::Component, None, &[7, 0, 0, 0, 3]);
        let mut game = Game::with_mods(&[("orchard.wasm", &old.build())]);
        game.until_told("loaded orchard");
        let mut bad = Mod::new("orchard");
        bad.defines("Ripe", "{n:u64,m:u8}", DefinitionKind::Component, None);
        let at_once = bad.clone().system("fail", "OnReload", vec![]).run("unreachable");
        game.write("orchard.wasm", &at_once.build());
        game.until_told("failed orchard");
        assert_eq!(bytes(&mut game), [7, 0, 0, 0, 3], "as if nothing had happened");
        // One that fails on probation.
        let later = bad.system("fail", "Update", vec![]).run("unreachable");
        game.write("orchard.wasm", &later.build());
        game.until_told("resumed orchard");
        assert_eq!(bytes(&mut game).len(), 5);
    }

    #[test]
    fn the_mods_that_use_it_are_bound_again_or_fail() {
        let old = definer("{n:u32,ok:bool}", DefinitionKind::Component, None, &[7, 0, 0, 0, 1]);
        let user = reader("orchard::Ripe", "{n:u32,ok:bool}");
        let mut game = Game::with_mods(&[("a.wasm", &old.build()), ("b.wasm", &user.build())]);
        game.app.insert_resource(Score::default());
        game.until_told("loaded reader");
        // Another storage is nothing to them.
        let sparse = definer("{n:u32,ok:bool}", DefinitionKind::SparseComponent, None, &[7, 0, 0, 0, 1]);
        game.write("a.wasm", &sparse.build());
        game.until_told("reloaded reader");
        game.app.insert_resource(Score::default());
        game.frames(2);
        assert_eq!(points(&game), 7);
        let other = definer("{n:u32,ok:u8}", DefinitionKind::Component, None, &[7, 0, 0, 0, 1]);
        game.write("a.wasm", &other.build());
        game.until_told("failed reader");
        let fault = game.faults()[0].to_string();
        assert!(fault.contains("ok: bool") && fault.contains("ok: u8"), "{fault}");
        let state = game.app.world().resource::<bevy_wasm_mods::prelude::ModRegistry>().state("reader").cloned();
        assert!(matches!(state, Some(bevy_wasm_mods::prelude::ModState::Failed(_))), "{state:?}");
    }
}
