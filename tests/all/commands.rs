//! Commands of mods: what they do to the game, and what they cannot do to it.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use bevy::{
    ecs::{
        hierarchy::{ChildOf, Children},
        observer::{Observer, On},
        resource::IsResource,
        world::DeferredWorld,
    },
    prelude::{
        Add, Commands, Component, Entity, Event, Message, MessageReader, Reflect, Resource, Update, With, World,
    },
    reflect::std_traits::ReflectDefault,
};
use bevy_wasm_mods::prelude::{DespawnableByMods, ModLimits, ModSettings, SpawnedBy};
use mod_abi::{
    codec,
    command::Command,
    describe::{DefinitionKind, ParamDesc},
};

use crate::{
    fixtures::{Health, Lettering, Score, Target},
    support::{Game, Mod, new_entity, query, value},
};

const HEALTH: (&str, &str) = ("all::fixtures::Health", "{value:f32}");

/// A component with a hook.
#[derive(Component, Reflect, Debug, Default)]
#[component(on_add = seen)]
#[reflect(Component, Default)]
struct Hooked {
    value: u32,
}

use bevy::prelude::ReflectComponent;
use bevy::prelude::{ReflectEvent, ReflectMessage, ReflectResource};

fn seen(mut world: DeferredWorld, context: bevy::ecs::lifecycle::HookContext) {
    let value = world.get::<Hooked>(context.entity).expect("it was added").value;
    assert_ne!(value, 666, "the game does not like this number");
    if let Some(mut seen) = world.get_resource_mut::<Seen>() {
        seen.0.push((context.entity, value));
    }
}

/// What hooks and observers of the game saw.
#[derive(Resource, Debug, Default)]
struct Seen(Vec<(Entity, u32)>);

/// Brings another one along.
#[derive(Component, Reflect, Debug, Default)]
#[reflect(Component, Default)]
#[require(Health)]
struct Alive;

/// Never used by the game.
#[derive(Resource, Reflect, Debug, Default, PartialEq)]
#[reflect(Resource, Default)]
struct Weather {
    wind: f32,
}

/// As Bevy's, for a mod.
#[derive(Component, Reflect, Debug, Default)]
#[reflect(Component, Default)]
#[type_path = "bevy_window::window"]
struct Window {
    width: u32,
}

#[derive(Message, Reflect, Debug, Default, Clone)]
#[reflect(Message, Default)]
struct Shout {
    volume: u32,
}

#[derive(Event, Reflect, Debug, Default, Clone)]
#[reflect(Event, Default)]
struct Bang {
    size: u32,
}

fn health() -> (Mod, u32) {
    let mut module = Mod::new("maker");
    let ty = module.ty(HEALTH.0, HEALTH.1);
    (module.system("make", "Startup", vec![ParamDesc::Commands]), ty)
}

fn of_mod(game: &mut Game) -> Vec<Entity> {
    let world = game.app.world_mut();
    world.query_filtered::<Entity, With<SpawnedBy>>().iter(world).collect()
}

#[track_caller]
fn refused(module: &Mod, expected: &[&str], set_up: impl FnOnce(&mut World)) {
    let mut game = Game::with_mods(&[("maker.wasm", &module.build())]);
    set_up(game.app.world_mut());
    game.app.world_mut().register_component::<Health>();
    let fault = game.first_fault();
    for part in expected {
        assert!(fault.contains(part), "{part:?} is not in {fault:?}");
    }
    assert!(of_mod(&mut game).is_empty(), "nothing is carried out");
    game.frames(3);
    assert_eq!(game.faults().len(), 1);
}

#[test]
fn a_bundle_with_a_child_is_there_at_once() {
    let (mut module, ty) = health();
    let child_of = module.ty("bevy_ecs::hierarchy::ChildOf", "(entity)");
    let target = module.ty("all::fixtures::Target", "{entity:entity,since:duration}");
    let hp = 5_f32.to_le_bytes();
    let aim: Vec<u8> = [&new_entity(0).to_le_bytes()[..], &[0; 12]].concat();
    let module = module.leaves(
        0,
        &[
            Command::Spawn { entity: new_entity(0), components: vec![value(ty, &hp), value(target, &aim)] },
            Command::Spawn {
                entity: new_entity(1),
                components: vec![value(child_of, &new_entity(0).to_le_bytes()), value(target, &aim)],
            },
            Command::Spawn { entity: new_entity(2), components: vec![] },
        ],
    );
    let mut game = Game::with_mods(&[("maker.wasm", &module.build())]);
    game.app.world_mut().register_component::<Health>();
    game.app.world_mut().register_component::<Target>();
    game.until_told("loaded maker");
    let world = game.app.world_mut();
    let (parent, aim, by, children) = world
        .query::<(Entity, &Target, &SpawnedBy, &Children)>()
        .single(world)
        .map(|(entity, target, by, children)| (entity, target.entity, by.clone(), children.to_vec()))
        .expect("one parent");
    assert_eq!((aim, by.mod_id()), (parent, "maker"));
    assert_eq!(world.get::<Health>(parent), Some(&Health { value: 5.0 }));
    let [child] = children[..] else { panic!("{children:?}") };
    assert_eq!(world.get::<ChildOf>(child).map(ChildOf::parent), Some(parent));
    assert_eq!(world.get::<Target>(child).map(|target| target.entity), Some(parent), "the id was known at once");
    assert_eq!(of_mod(&mut game).len(), 3);
}

#[test]
fn commands_are_carried_out_in_their_order() {
    let (mut module, ty) = health();
    let label = module.ty("Lettering", "{text:str,tags:[str]}");
    let text = codec::encode(&("hi".to_owned(), Vec::<String>::new())).expect("a label");
    let [one, two] = [1_f32.to_le_bytes(), 2_f32.to_le_bytes()];
    let e = new_entity;
    let module = module.leaves(
        0,
        &[
            Command::Spawn { entity: e(0), components: vec![value(ty, &one)] },
            Command::Insert { entity: e(0), components: vec![value(ty, &two), value(label, &text)] },
            Command::InsertIfNew { entity: e(0), components: vec![value(ty, &one)] },
            Command::Spawn { entity: e(1), components: vec![value(ty, &one)] },
            Command::Despawn { entity: e(1) },
            // Gone by now.
            Command::Insert { entity: e(1), components: vec![value(ty, &one)] },
            Command::Despawn { entity: e(1) },
            Command::Spawn { entity: e(2), components: vec![value(ty, &one), value(label, &text)] },
            Command::Remove { entity: e(2), types: vec![ty, ty] },
        ],
    );
    let mut game = Game::with_mods(&[("maker.wasm", &module.build())]);
    game.app.world_mut().register_component::<Health>();
    game.app.world_mut().register_component::<Lettering>();
    game.until_told("loaded maker");
    let world = game.app.world_mut();
    let mut all: Vec<_> = world.query::<(Option<&Health>, &Lettering)>().iter(world).collect();
    // Tables have no order among themselves.
    all.sort_by_key(|(health, _)| health.is_none());
    let label = Lettering { text: "hi".to_owned(), tags: vec![] };
    assert_eq!(all, [(Some(&Health { value: 2.0 }), &label), (None, &label)]);
    assert_eq!(of_mod(&mut game).len(), 2);
}

#[test]
fn a_later_system_of_the_same_schedule_sees_them() {
    let mut module = Mod::new("maker");
    let ty = module.ty(HEALTH.0, HEALTH.1);
    let hp = 5_f32.to_le_bytes();
    let spawn = Command::Spawn { entity: new_entity(0), components: vec![value(ty, &hp)] };
    let module = module
        .system("make", "Update", vec![ParamDesc::Commands])
        .system("grow", "Update", vec![query(&[], &[ty])])
        .after(&[0])
        .run(&format!("(if (i32.eq (local.get $system) (i32.const 1)) (then {}))", crate::support::HEAL))
        .leaves(0, &[spawn]);
    let mut game = Game::with_mods(&[("maker.wasm", &module.build())]);
    game.app.world_mut().register_component::<Health>();
    game.until_told("loaded maker");
    let spawned = of_mod(&mut game);
    assert_eq!(spawned.len(), 1, "{:?}", game.faults());
    assert_eq!(game.app.world().get::<Health>(spawned[0]), Some(&Health { value: 6.0 }));
}

#[test]
fn hooks_observers_and_required_components_of_the_game_work() {
    let mut module = Mod::new("maker");
    let hooked = module.ty("Hooked", "{value:u32}");
    let alive = module.ty("Alive", "{}");
    let module = module.system("make", "Startup", vec![ParamDesc::Commands]).leaves(
        0,
        &[Command::Spawn {
            entity: new_entity(0),
            components: vec![value(hooked, &7_u32.to_le_bytes()), value(alive, &[])],
        }],
    );
    let mut game = Game::with_mods(&[("maker.wasm", &module.build())]);
    game.app.init_resource::<Seen>();
    game.app.add_observer(|added: On<Add, Alive>, mut seen: bevy::prelude::ResMut<Seen>| {
        seen.0.push((added.entity, 0));
    });
    game.until_told("loaded maker");
    let entity = of_mod(&mut game)[0];
    let mut seen = game.app.world().resource::<Seen>().0.clone();
    seen.sort_unstable();
    assert_eq!(seen, [(entity, 0), (entity, 7)]);
    assert_eq!(game.app.world().get::<Health>(entity), Some(&Health::default()));
}

#[test]
fn a_hook_that_panics_fails_the_mod_and_not_the_game() {
    let mut module = Mod::new("maker");
    let hooked = module.ty("Hooked", "{value:u32}");
    let alive = module.ty("Alive", "{}");
    let (bad, good) = (666_u32.to_le_bytes(), 1_u32.to_le_bytes());
    let spawn =
        |n, hp| Command::Spawn { entity: new_entity(n), components: vec![value(hooked, hp), value(alive, &[])] };
    let module = module.system("make", "Startup", vec![ParamDesc::Commands]);
    let bad = module.clone().leaves(0, &[spawn(0, &good), spawn(1, &bad), spawn(2, &good)]);
    let mut game = Game::with_mods(&[("maker.wasm", &bad.build())]);
    let fault = game.first_fault();
    assert!(fault.contains("`make` failed, because the game panicked") && fault.contains("does not like"), "{fault}");
    game.frames(3);
    assert_eq!(of_mod(&mut game).len(), 2, "what came before it was carried out");
    // The same bundle again, from another mod: Bevy has lost its way of inserting it.
    let other = module.leaves(0, &[spawn(0, &good), spawn(1, &good)]);
    game.write("maker.wasm", &other.build());
    #[cfg(feature = "hot_reload")]
    {
        game.until_told("loaded maker");
        let world = game.app.world_mut();
        let all: Vec<_> = world.query::<(&Hooked, &Alive, &SpawnedBy)>().iter(world).collect();
        assert_eq!(all.len(), 2, "the first two are gone");
        assert!(all.iter().all(|(hooked, ..)| hooked.value == 1));
    }
}

/// Does harm when it goes.
#[derive(Component, Reflect, Debug, Default)]
#[component(on_remove = harm)]
#[reflect(Component, Default)]
struct Spiteful {
    how: u32,
}

fn harm(mut world: DeferredWorld, context: bevy::ecs::lifecycle::HookContext) {
    let how = world.get::<Spiteful>(context.entity).expect("it goes now").how;
    assert_ne!(how, 1, "the game wants to keep it");
    // All that the mod spawned goes, too.
    world.commands().queue(|world: &mut World| {
        let all: Vec<Entity> = world.query_filtered::<Entity, With<SpawnedBy>>().iter(world).collect();
        all.into_iter().for_each(|entity| {
            world.despawn(entity);
        });
    });
}

#[test]
fn hooks_that_get_in_the_way_of_later_commands() {
    let mut module = Mod::new("maker");
    let (spiteful, health) = (module.ty("Spiteful", "{how:u32}"), module.ty(HEALTH.0, HEALTH.1));
    let module = module.system("make", "Startup", vec![ParamDesc::Commands]);
    let hp = 1_f32.to_le_bytes();
    let story = |how: usize| {
        [
            Command::Spawn {
                entity: new_entity(0),
                components: vec![value(spiteful, [&[0, 0, 0, 0], &[1, 0, 0, 0]][how])],
            },
            Command::Spawn { entity: new_entity(1), components: vec![] },
            Command::Despawn { entity: new_entity(0) },
            Command::Insert { entity: new_entity(1), components: vec![value(health, &hp)] },
            Command::Despawn { entity: new_entity(1) },
            Command::Spawn { entity: new_entity(2), components: vec![value(health, &hp)] },
        ]
    };
    let mut game = Game::with_mods(&[("maker.wasm", &module.clone().leaves(0, &story(0)).build())]);
    game.app.world_mut().register_component::<Health>();
    game.until_told("loaded maker");
    assert!(game.faults().is_empty(), "{:?}", game.faults());
    assert_eq!(of_mod(&mut game).len(), 1, "what is gone is skipped");

    let mut game = Game::with_mods(&[("maker.wasm", &module.leaves(0, &story(1)).build())]);
    game.app.world_mut().register_component::<Health>();
    let fault = game.first_fault();
    assert!(fault.contains("the game wants to keep it"), "{fault}");
    game.frames(3);
    assert_eq!(of_mod(&mut game).len(), 2, "the World is as it was before that command");
}

#[test]
fn resources_are_inserted_and_removed() {
    let mut module = Mod::new("maker");
    let (weather, score) = (module.ty("all::commands::Weather", "{wind:f32}"), module.ty("Score", "{points:u64}"));
    let counter = module.defines("Counter", "{n:u32}", DefinitionKind::Resource, None);
    let wind = 3_f32.to_le_bytes();
    let module = module
        .system("make", "Startup", vec![ParamDesc::Commands])
        .system("unmake", "Update", vec![ParamDesc::Commands])
        .starts_with(score, &9_u64.to_le_bytes())
        .leaves(
            0,
            &[
                Command::InsertResource(value(weather, &wind)),
                Command::InsertResource(value(weather, &2_f32.to_le_bytes())),
                Command::InsertResource(value(counter, &1_u32.to_le_bytes())),
                Command::RemoveResource(counter),
            ],
        )
        .leaves(1, &[Command::RemoveResource(score), Command::RemoveResource(counter)]);
    let mut game = Game::with_mods(&[("maker.wasm", &module.build())]);
    game.app.world_mut().register_component::<Score>();
    game.until_told("loaded maker");
    game.frames(2);
    assert!(game.faults().is_empty(), "{:?}", game.faults());
    let world = game.app.world();
    assert_eq!(world.get_resource::<Weather>(), Some(&Weather { wind: 2.0 }));
    assert_eq!(world.get_resource::<Score>(), None);
}

#[test]
fn messages_and_events_of_the_game_are_sent() {
    let mut module = Mod::new("maker");
    let (shout, bang) = (module.ty("Shout", "{volume:u32}"), module.ty("Bang", "{size:u32}"));
    let module = module.system("make", "Startup", vec![ParamDesc::Commands]).leaves(
        0,
        &[
            Command::WriteMessage(value(shout, &3_u32.to_le_bytes())),
            Command::Trigger(value(bang, &4_u32.to_le_bytes())),
        ],
    );
    let mut game = Game::with_mods(&[("maker.wasm", &module.build())]);
    let seen = Arc::new(Mutex::new(Vec::new()));
    let (shouts, bangs) = (Arc::clone(&seen), Arc::clone(&seen));
    game.app.add_message::<Shout>();
    game.app.add_systems(Update, move |mut reader: MessageReader<Shout>| {
        reader.read().for_each(|shout| shouts.lock().expect("a list").push(shout.volume));
    });
    game.app.add_observer(move |bang: On<Bang>| bangs.lock().expect("a list").push(bang.size));
    game.until_told("loaded maker");
    game.frame();
    assert_eq!(*seen.lock().expect("a list"), [4, 3], "{:?}", game.faults());
}

#[test]
fn malformed_outboxes() {
    let (module, ty) = health();
    let hp = 1_f32.to_le_bytes();
    let spawn = Command::Spawn { entity: new_entity(0), components: vec![value(ty, &hp)] };
    let bytes = codec::encode(&spawn).expect("a command");
    let nothing = |_: &mut World| {};
    let again = [&bytes[..], &bytes[..bytes.len() - 1]].concat();
    refused(&module.clone().leaves_bytes(0, &again), &["`make` failed", "command number 2 cannot be read"], nothing);
    refused(&module.clone().leaves_bytes(0, &[99, 0, 0, 0]), &["command number 1 cannot be read"], nothing);
    let outside = module.clone().run("(return (i64.const 0x7fff000000000010))");
    refused(&outside, &["make"], nothing);
    // A list that claims more than there is.
    let lie = [&0_u32.to_le_bytes()[..], &new_entity(0).to_le_bytes(), &u64::MAX.to_le_bytes()].concat();
    refused(&module.clone().leaves_bytes(0, &lie), &["command number 1 cannot be read"], nothing);
    let mut undeclared = Mod::new("maker");
    undeclared.ty(HEALTH.0, HEALTH.1);
    let despawn = Command::Despawn { entity: 1 };
    let undeclared = undeclared.system("make", "Startup", vec![]).leaves(0, &[despawn]);
    refused(&undeclared, &["which it does not declare"], nothing);
    let unreserved = module.clone().run("(drop (call $reserve))");
    let mut none = Mod::new("maker").system("make", "Startup", vec![]);
    refused(&none.clone().run("(drop (call $reserve))"), &["only a system with `Commands`"], nothing);
    none.ty(HEALTH.0, HEALTH.1);
    let mut game = Game::with_mods(&[("maker.wasm", &unreserved.build())]);
    game.until_told("loaded maker");
}

/// A body that leaves as many commands to remove the resource of type 0 as stated.
fn flood(count: usize) -> String {
    format!(
        "(drop (memory.grow (i32.const {pages})))
         (block $done (loop $next
            (br_if $done (i32.ge_u (local.get $i) (i32.const {count})))
            (i64.store (i32.add (i32.const 0x40000) (i32.mul (local.get $i) (i32.const 8))) (i64.const 5))
            (local.set $i (i32.add (local.get $i) (i32.const 1)))
            (br $next)))
         (return (i64.const {}))",
        (0x40000_u64 << 32) | (count as u64 * 8),
        pages = count * 8 / 65536 + 1,
    )
}

#[test]
fn too_much_of_everything() {
    let mut module = Mod::new("maker");
    module.ty("Score", "{points:u64}");
    let module = module.system("make", "Startup", vec![ParamDesc::Commands]);
    let score = |world: &mut World| {
        world.register_component::<Score>();
    };
    // A busy machine takes its time for a million commands.
    let patient = |limits: ModLimits| {
        let limits = ModLimits { call_time: Duration::from_secs(60), commands_per_frame: 1_000_000, ..limits };
        ModSettings { limits, ..Default::default() }
    };
    let too_many = module.clone().run(&flood(1_000_001)).build();
    let mut game = Game::with_settings(&[("maker.wasm", &too_many)], patient(ModLimits::default()));
    score(game.app.world_mut());
    let fault = game.first_fault();
    assert!(fault.contains("more than 1000000 commands"), "{fault}");
    let many = module.clone().run(&flood(1_000_000)).build();
    let mut game = Game::with_settings(&[("maker.wasm", &many)], patient(ModLimits::default()));
    score(game.app.world_mut());
    game.until_told("loaded maker");
    let settings = patient(ModLimits { memory_bytes: 128 << 20, ..Default::default() });
    let large = module.clone().run(&flood((8 << 20) + 1));
    let fault = Game::with_settings(&[("maker.wasm", &large.build())], settings).first_fault();
    assert!(fault.contains("left more than 67108864 bytes of commands in one frame"), "{fault}");
    let for_ever = module.run("(loop $next (drop (call $reserve)) (br $next))");
    let limits = ModLimits { call_time: Duration::from_millis(10), ..ModLimits::default() };
    let settings = ModSettings { limits, ..Default::default() };
    let mut game = Game::with_settings(&[("maker.wasm", &for_ever.build())], settings);
    score(game.app.world_mut());
    let fault = game.first_fault();
    assert!(fault.contains("ran longer than"), "{fault}");
    let mut game = Game::with_settings(&[("maker.wasm", &for_ever.build())], patient(ModLimits::default()));
    let fault = game.first_fault();
    assert!(fault.contains("it spawned more than 250000 entities at once"), "{fault}");
}

#[test]
fn values_that_are_none() {
    let (mut module, ty) = health();
    let target = module.ty("all::fixtures::Target", "{entity:entity,since:duration}");
    let label = module.ty("Lettering", "{text:str,tags:[str]}");
    let mixed = module.ty("Mixed", "{flag:bool,level:u8,weight:f64}");
    let own = module.defines("Own", "{flag:bool}", DefinitionKind::Component, None);
    let text = module.defines("Text", "{text:str}", DefinitionKind::SparseComponent, None);
    let child_of = module.ty("bevy_ecs::hierarchy::ChildOf", "(entity)");
    let unknown = module.ty("all::fixtures::Unmet", "{value:f32}");
    let check = |ty: u32, bytes: &[u8], expected: &str| {
        let good = Command::Spawn { entity: new_entity(0), components: vec![] };
        let bad = Command::Spawn { entity: new_entity(1), components: vec![value(ty, bytes)] };
        refused(&module.clone().leaves(0, &[good, bad]), &["`make` failed", expected], |world| {
            world.register_component::<Target>();
            world.register_component::<Lettering>();
            world.register_component::<crate::fixtures::Mixed>();
        });
    };
    check(ty, &[0; 3], "the bytes end before the value does");
    check(ty, &[0; 5], "1 bytes are left over");
    check(target, &[0; 20], "is not a valid entity");
    let long = [&1_u64.to_le_bytes()[..], &[0; 8], &u32::MAX.to_le_bytes()].concat();
    check(target, &long, "nanoseconds");
    check(label, &[&1_u64.to_le_bytes()[..], &[0xff], &[0; 8]].concat(), "not UTF-8");
    check(label, &u64::MAX.to_le_bytes(), "claims");
    check(mixed, &[2; 10], "is not a valid bool");
    check(own, &[2], "maker::Own");
    check(own, &[], "maker::Own");
    check(text, &[1, 0, 0, 0, 0, 0, 0, 0, 0xff], "maker::Text");
    check(child_of, &[0; 8], "is not a valid entity");
    check(unknown, &[0; 4], "is no component or resource that this game has used");
    check(77, &[], "type number 77");
    let twice = vec![value(ty, &[0; 4]), value(ty, &[0; 4])];
    let twice = Command::Spawn { entity: new_entity(0), components: twice };
    refused(&module.clone().leaves(0, &[twice]), &["two values of all::fixtures::Health"], |_| {});
    let spawn = Command::Spawn { entity: new_entity(0), components: vec![] };
    refused(&module.clone().leaves(0, &[spawn.clone(), spawn]), &["has spawned it already"], |_| {});
    let made_up = Command::Spawn { entity: 5, components: vec![] };
    refused(&module.clone().leaves(0, &[made_up]), &["did not reserve that id"], |_| {});
}

#[test]
fn what_mods_may_not_touch() {
    // The entities are made before the mod, which names them.
    let check =
        |make: &dyn Fn(&mut World) -> Entity, command: &dyn Fn(u64, u32) -> Command<'static>, expected: &str| {
            let mut game = Game::with_mods(&[]);
            let entity = make(game.app.world_mut());
            game.app.world_mut().register_component::<Health>();
            let (module, ty) = health();
            let spawn = Command::Spawn { entity: new_entity(0), components: vec![] };
            let module = module.leaves(0, &[spawn, command(entity.to_bits(), ty)]);
            game.write("maker.wasm", &module.build());
            let fault = game.first_fault();
            assert!(fault.contains(expected), "{expected:?} is not in {fault:?}");
            assert!(of_mod(&mut game).is_empty(), "nothing is carried out");
            game.frames(2);
            assert!(game.app.world().get_entity(entity).is_ok() || expected.contains("never was"));
        };
    let hurt = |entity, ty| Command::Insert { entity, components: vec![value(ty, &[0; 4])] };
    let despawn = |entity, _| Command::Despawn { entity };
    let remove = |entity, ty| Command::Remove { entity, types: vec![ty] };
    let resource = |world: &mut World| {
        world.insert_resource(Score::default());
        world.query_filtered::<Entity, (With<Score>, With<IsResource>)>().single(world).expect("the score")
    };
    let observer = |world: &mut World| world.spawn(Observer::new(|_: On<Bang>| {})).id();
    let system = |world: &mut World| world.register_system(|| {}).entity();
    for command in [&hurt as &dyn Fn(u64, u32) -> Command<'static>, &despawn, &remove] {
        check(&resource, command, "is a resource, which mods cannot touch");
        check(&observer, command, "is an observer, which mods cannot touch");
        check(&system, command, "is a registered system, which mods cannot touch");
    }
    for command in [&hurt as &dyn Fn(u64, u32) -> Command<'static>, &despawn, &remove] {
        check(&|world| world.spawn(Window::default()).id(), command, "is a window, which mods cannot touch");
    }
    check(&|world| world.spawn(Health::default()).id(), &despawn, "which it did not spawn");
    let with_observer = |world: &mut World| {
        let child = observer(world);
        world.spawn(DespawnableByMods).add_child(child).id()
    };
    check(&with_observer, &despawn, "is an observer, which mods cannot touch");
    check(&|_| Entity::from_raw_u32(4_000_000).expect("an index"), &despawn, "there never was an entity");
    let later = |world: &mut World| {
        let entity = world.spawn_empty().id();
        Entity::from_index_and_generation(entity.index(), entity.generation().after_versions(1))
    };
    check(&later, &hurt, "there never was an entity");
    check(&later, &|_, _| Command::Despawn { entity: 0 }, "there never was an entity 0x0");
}

#[test]
fn what_mods_may_not_insert_or_remove() {
    let check = |path: &str, schema: &str, bytes: &[u8], expected: &str| {
        let mut module = Mod::new("maker");
        let ty = module.ty(path, schema);
        let module = module.system("make", "Startup", vec![ParamDesc::Commands]);
        let spawn = Command::Spawn { entity: new_entity(0), components: vec![value(ty, bytes)] };
        refused(&module.clone().leaves(0, &[spawn]), &[expected], |_| {});
        let (spawn, remove) = (
            Command::Spawn { entity: new_entity(0), components: vec![] },
            Command::Remove { entity: new_entity(0), types: vec![ty] },
        );
        refused(&module.leaves(0, &[spawn, remove]), &[expected], |_| {});
    };
    check("bevy_ecs::hierarchy::Children", "([entity])", &[0; 8], "in step with the other side");
    check("SpawnedBy", "{mod_id:str}", &[0; 8], "it says whose an entity is");
    check("DespawnableByMods", "{}", &[], "it says whose an entity is");
    check("all::commands::Weather", "{wind:f32}", &[0; 4], "it is a resource");
    check("bevy_window::window::Window", "{width:u32}", &[0; 4], "windows are the game's");
}

#[test]
fn what_resources_mods_may_not_change() {
    let check = |path: &str, schema: &str, bytes: Option<&[u8]>, expected: &str| {
        let mut module = Mod::new("maker");
        let ty = module.ty(path, schema);
        let module = module.system("make", "Startup", vec![ParamDesc::Commands]);
        let command = bytes.map_or(Command::RemoveResource(ty), |bytes| Command::InsertResource(value(ty, bytes)));
        refused(&module.clone().leaves(0, &[command]), &[expected], |_| {});
        if let Some(bytes) = bytes {
            refused(&module.starts_with(ty, bytes), &[expected, "initial resource"], |_| {});
        }
    };
    check(HEALTH.0, HEALTH.1, Some(&[0; 4]), "it is no resource");
    check(HEALTH.0, HEALTH.1, None, "it is no resource");
    let virt = "{context:{max_delta:duration,paused:bool,relative_speed:f64,effective_speed:f64},\
        wrap_period:duration,delta:duration,delta_secs:f32,delta_secs_f64:f64,elapsed:duration,elapsed_secs:f32,\
        elapsed_secs_f64:f64,elapsed_wrapped:duration,elapsed_secs_wrapped:f32,elapsed_secs_wrapped_f64:f64}";
    check("bevy_time::time::Time<bevy_time::virt::Virtual>", virt, None, "clocks");
}

#[test]
fn what_mods_may_not_send() {
    let check = |path: &str, schema: &str, bytes: &[u8], expected: &str| {
        let mut module = Mod::new("maker");
        let ty = module.ty(path, schema);
        let module = module.system("make", "Startup", vec![ParamDesc::Commands]);
        for command in [Command::WriteMessage(value(ty, bytes)), Command::Trigger(value(ty, bytes))] {
            refused(&module.clone().leaves(0, &[command]), &[expected], |_| {});
        }
    };
    check("bevy_wasm_mods::SpawnedBy", "{mod_id:str}", &[0; 8], "it belongs to the plugin");
    check("bevy_window::window::Window", "{width:u32}", &[0; 4], "windows are the game's");
    check(HEALTH.0, HEALTH.1, &[0; 4], "it lacks `#[reflect(");
}

#[test]
fn entities_that_are_gone_are_skipped() {
    let mut game = Game::with_mods(&[]);
    let gone = game.app.world_mut().spawn_empty().id();
    game.app.world_mut().despawn(gone);
    let there = game.app.world_mut().spawn_empty().id();
    let (mut module, ty) = health();
    let child_of = module.ty("bevy_ecs::hierarchy::ChildOf", "(entity)");
    let parent = gone.to_bits().to_le_bytes();
    let hp = 1_f32.to_le_bytes();
    let module = module.leaves(
        0,
        &[
            Command::Insert { entity: gone.to_bits(), components: vec![value(ty, &hp)] },
            Command::Remove { entity: gone.to_bits(), types: vec![ty] },
            Command::Despawn { entity: gone.to_bits() },
            Command::Insert { entity: there.to_bits(), components: vec![value(ty, &hp), value(child_of, &parent)] },
        ],
    );
    game.app.world_mut().register_component::<Health>();
    game.write("maker.wasm", &module.build());
    game.until_told("loaded maker");
    assert!(game.faults().is_empty(), "{:?}", game.faults());
    assert_eq!(game.app.world().get::<Health>(there), Some(&Health { value: 1.0 }));
    assert!(game.app.world().get::<ChildOf>(there).is_none());
}

#[test]
fn what_was_granted_is_despawned_with_its_children() {
    let mut game = Game::with_mods(&[]);
    let world = game.app.world_mut();
    let child = world.spawn(Health::default()).id();
    let granted = world.spawn(DespawnableByMods).add_child(child).id();
    let (module, _) = health();
    let despawn = Command::Despawn { entity: granted.to_bits() };
    game.write("maker.wasm", &module.leaves(0, &[despawn]).build());
    game.until_told("loaded maker");
    assert!(game.app.world().get_entity(granted).is_err() && game.app.world().get_entity(child).is_err());
}

#[test]
fn families_are_no_circles_and_not_endless() {
    let (mut module, _) = health();
    let child_of = module.ty("bevy_ecs::hierarchy::ChildOf", "(entity)");
    let of: Vec<[u8; 8]> = (0..4).map(|n| new_entity(n).to_le_bytes()).collect();
    let spawn = |n| Command::Spawn { entity: new_entity(n), components: vec![] };
    let adopt = |child, parent: usize| Command::Insert {
        entity: new_entity(child),
        components: vec![value(child_of, &of[parent])],
    };
    let nothing = |_: &mut World| {};
    refused(&module.clone().leaves(0, &[spawn(0), adopt(0, 0)]), &["belong to itself"], nothing);
    let circle = [spawn(0), spawn(1), spawn(2), adopt(1, 0), adopt(2, 1), adopt(0, 2)];
    refused(&module.clone().leaves(0, &circle), &["its own ancestor"], nothing);
    // Off again in between, it is none.
    let off = Command::Remove { entity: new_entity(1), types: vec![child_of] };
    let fine = [spawn(0), spawn(1), spawn(2), adopt(1, 0), adopt(2, 1), off, adopt(0, 2)];
    let mut game = Game::with_mods(&[("maker.wasm", &module.clone().leaves(0, &fine).build())]);
    game.until_told("loaded maker");
    // From the game's own deepest child on, and from below.
    let chain = |world: &mut World, len: usize| {
        let mut all = vec![world.spawn_empty().id()];
        for n in 1..len {
            let child = world.spawn(ChildOf(all[n - 1])).id();
            all.push(child);
        }
        all
    };
    let check = |above: usize, below: usize, fits: bool| {
        let mut game = Game::with_mods(&[]);
        let (above, below) = (chain(game.app.world_mut(), above), chain(game.app.world_mut(), below));
        let parent = above[above.len() - 1].to_bits().to_le_bytes();
        let adopt = Command::Insert { entity: below[0].to_bits(), components: vec![value(child_of, &parent)] };
        game.write("maker.wasm", &module.clone().leaves(0, &[adopt]).build());
        if fits {
            game.until_told("loaded maker");
            game.app.world_mut().despawn(above[0]);
        } else {
            assert!(game.first_fault().contains("too many levels"));
        }
    };
    check(200, 57, true);
    check(200, 58, false);
    check(300, 1, false);
    check(1, 300, false);
}

/// What hangs on an entity goes with it, so a mod could despawn whatever it hangs on its own.
#[test]
fn what_is_the_games_cannot_be_hung_on_what_is_a_mods() {
    let mut game = Game::with_mods(&[]);
    let player = game.app.world_mut().spawn(Health { value: 1.0 }).id();
    let mut module = Mod::new("maker");
    let child_of = module.ty("bevy_ecs::hierarchy::ChildOf", "(entity)");
    let new = new_entity(0);
    let module = module.system("make", "Startup", vec![ParamDesc::Commands]).leaves(
        0,
        &[
            Command::Spawn { entity: new, components: vec![] },
            Command::Insert { entity: player.to_bits(), components: vec![value(child_of, &new.to_le_bytes())] },
            Command::Despawn { entity: new },
        ],
    );
    game.write("maker.wasm", &module.build());
    let fault = game.first_fault();
    assert!(fault.contains("it is not the mod's, and would be despawned with what is"), "{fault}");
    assert!(game.app.world().get_entity(player).is_ok());

    // Its own things may hang on the player.
    let mut module = Mod::new("hatter");
    let child_of = module.ty("bevy_ecs::hierarchy::ChildOf", "(entity)");
    let parent = player.to_bits().to_le_bytes();
    let hat = Command::Spawn { entity: new, components: vec![value(child_of, &parent)] };
    let module = module.system("make", "Startup", vec![ParamDesc::Commands]).leaves(0, &[hat]);
    game.write("hatter.wasm", &module.build());
    game.until_told("loaded hatter");
    assert_eq!(game.app.world().get::<Children>(player).map(|children| children.len()), Some(1));
}

/// Something that the game answers by changing a family.
#[derive(Event, Reflect)]
#[reflect(Event)]
struct Adoption;

#[test]
fn families_that_change_in_between_are_looked_at_again() {
    let mut game = Game::with_mods(&[]);
    let world = game.app.world_mut();
    let (one, other) = (world.spawn_empty().id(), world.spawn_empty().id());
    world.add_observer(move |_: On<Adoption>, mut commands: Commands| {
        commands.entity(other).insert(ChildOf(one));
    });
    let mut module = Mod::new("maker");
    let adoption = module.ty("all::commands::Adoption", "{}");
    let child_of = module.ty("bevy_ecs::hierarchy::ChildOf", "(entity)");
    let parent = other.to_bits().to_le_bytes();
    let module = module.system("make", "Startup", vec![ParamDesc::Commands]).leaves(
        0,
        &[
            Command::Trigger(value(adoption, &[])),
            // Fine when it was checked, and a circle by now.
            Command::Insert { entity: one.to_bits(), components: vec![value(child_of, &parent)] },
        ],
    );
    game.write("maker.wasm", &module.build());
    let fault = game.first_fault();
    assert!(fault.contains("it would be its own ancestor"), "{fault}");
    let world = game.app.world();
    assert_eq!(world.get::<ChildOf>(other).map(ChildOf::parent), Some(one));
    assert!(world.get::<ChildOf>(one).is_none());
}
