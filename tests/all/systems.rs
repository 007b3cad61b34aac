//! Systems of mods over the World: what they read, what they change, and what the game sees of it.

use bevy::{
    ecs::{change_detection::DetectChanges, query::Changed, world::Ref},
    prelude::{Entity, IntoScheduleConfigs, Local, Query, ResMut, Resource, Update, With},
};
use bevy_wasm_mods::prelude::{ModSystems, SystemsOfMod};
use mod_abi::describe::FilterDesc;

use crate::{
    fixtures::{Frozen, Health, Mixed, Score, Target, Unmet},
    support::{Game, HEAL, Mod, filtered, healer, query, resource},
};

fn health_of(game: &Game, entity: Entity) -> f32 {
    game.app.world().get::<Health>(entity).expect("it has health").value
}

#[test]
fn a_system_reads_and_writes_without_registration() {
    let mut game = Game::with_mods(&[("healer.wasm", &healer("healer").build())]);
    let entities: Vec<_> = (0..300_u16).map(|n| game.app.world_mut().spawn(Health { value: n.into() }).id()).collect();
    game.until_told("loaded healer");
    let before: Vec<_> = entities.iter().map(|entity| health_of(&game, *entity)).collect();
    game.frames(3);
    for (entity, before) in entities.iter().zip(before) {
        assert_eq!(health_of(&game, *entity), before + 3.0);
    }
}

#[test]
fn filters_and_fragmented_tables_match_exactly() {
    let mut healer = Mod::new("healer");
    let health = healer.ty("Health", "{value:f32}");
    let frozen = healer.ty("all::fixtures::Frozen", "{}");
    let target = healer.ty("Target", "{}");
    let filters = [FilterDesc::Without(frozen), FilterDesc::With(target)];
    let healer = healer.system("heal", "Update", vec![filtered(&[], &[health], &filters)]).run(HEAL);
    let mut game = Game::with_mods(&[("healer.wasm", &healer.build())]);
    let world = game.app.world_mut();
    let target = Target { entity: Entity::PLACEHOLDER, since: std::time::Duration::ZERO };
    // `Target` is in a sparse set, so these share one table although only some of them match.
    let mut matching = Vec::new();
    let mut others = Vec::new();
    for _ in 0..10 {
        matching.push(world.spawn((Health::default(), target.clone())).id());
        others.push(world.spawn(Health::default()).id());
        others.push(world.spawn((Health::default(), Frozen, target.clone())).id());
        matching.push(world.spawn((Health::default(), Mixed::default(), target.clone())).id());
    }
    game.until_told("loaded healer");
    game.frame();
    assert!(matching.iter().all(|entity| health_of(&game, *entity) > 0.0));
    assert!(others.iter().all(|entity| health_of(&game, *entity) == 0.0));
}

#[derive(Resource, Default)]
struct Seen(Vec<Entity>);

#[test]
fn only_written_rows_are_changed_for_the_game() {
    // Writes every row's memory but marks only the third.
    let mut poker = Mod::new("poker");
    let health = poker.ty("Health", "{value:f32}");
    let poker = poker.system("poke", "Update", vec![query(&[], &[health])]).run(
        "(f32.store offset=4 (local.get $data) (f32.const 77))
         (f32.store offset=8 (local.get $data) (f32.const 78))
         (i64.store (local.get $dirty) (i64.const 0x10000))",
    );
    let mut game = Game::with_mods(&[("poker.wasm", &poker.build())]);
    game.app.init_resource::<Seen>();
    let look = |changed: Query<Entity, Changed<Health>>, mut seen: ResMut<Seen>| seen.0 = changed.iter().collect();
    game.app.add_systems(Update, look.after(ModSystems));
    let entities: Vec<_> = (0..4).map(|_| game.app.world_mut().spawn(Health::default()).id()).collect();
    game.until_told("loaded poker");
    game.frame();
    assert_eq!(game.app.world().resource::<Seen>().0, [entities[2]]);
    assert_eq!(health_of(&game, entities[1]), 0.0);
    assert_eq!(health_of(&game, entities[2]), 78.0);
}

#[test]
fn leaves_with_padding_and_niches_cross_both_ways() {
    // Reads (flag, level, weight) and (entity, since), packed, and writes them changed.
    let mut mover = Mod::new("mover");
    let mixed = mover.ty("Mixed", "{flag:bool,level:u8,weight:f64}");
    let target = mover.ty("Target", "{entity:entity,since:duration}");
    let mover = mover
        .system("mixed", "Update", vec![query(&[], &[mixed])])
        .system("target", "Update", vec![query(&[], &[target])])
        .run(
            "(if (local.get $system)
                (then (i32.store offset=16 (local.get $data) (i32.const 5)))
                (else
                    (i32.store8 (local.get $data) (i32.const 0))
                    (i32.store8 offset=1 (local.get $data) (i32.const 9))
                    (f64.store offset=2 align=1 (local.get $data)
                        (f64.mul (f64.const 2) (f64.load offset=2 align=1 (local.get $data))))))
             (i64.store (local.get $dirty) (i64.const 1))",
        );
    let mut game = Game::with_mods(&[("mover.wasm", &mover.build())]);
    let world = game.app.world_mut();
    let aim = world.spawn_empty().id();
    let since = std::time::Duration::new(3, 4);
    let entity = world.spawn((Mixed { flag: true, level: 1, weight: 1.5 }, Target { entity: aim, since })).id();
    game.until_told("loaded mover");
    let mixed = game.app.world().get::<Mixed>(entity).expect("it is there").clone();
    // Installed at the start of a frame, so one frame has run or none.
    game.frame();
    let after = game.app.world().get::<Mixed>(entity).expect("it is there").clone();
    assert_eq!(after, Mixed { flag: false, level: 9, weight: mixed.weight * 2.0 });
    let target = game.app.world().get::<Target>(entity).expect("it is there").clone();
    assert_eq!(target, Target { entity: aim, since: std::time::Duration::new(3, 5) });
}

#[test]
fn resources_cross_and_a_missing_one_keeps_the_system_from_running() {
    let mut scorer = Mod::new("scorer");
    let score = scorer.ty("Score", "{points:u64}");
    let scorer = scorer.system("score", "Update", vec![resource(score, true)]).run(
        "(i64.store (local.get $data) (i64.add (i64.const 10) (i64.load (local.get $data))))
         (i64.store (local.get $dirty) (i64.const 1))",
    );
    let mut game = Game::with_mods(&[("scorer.wasm", &scorer.build())]);
    game.app.world_mut().register_component::<Score>();
    game.until_told("loaded scorer");
    game.frames(3);
    assert!(game.faults().is_empty());
    game.app.insert_resource(Score { points: 1 });
    game.frames(2);
    assert_eq!(game.app.world().resource::<Score>().points, 21);
}

#[test]
fn a_query_never_means_a_resource() {
    let mut greedy = Mod::new("greedy");
    let score = greedy.ty("Score", "{points:u64}");
    let greedy = greedy.system("take", "Update", vec![query(&[], &[score])]).run(
        "(if (local.get $rows) (then
            (i64.store (local.get $data) (i64.const 99)) (i64.store (local.get $dirty) (i64.const 1))))",
    );
    let mut game = Game::with_mods(&[("greedy.wasm", &greedy.build())]);
    game.app.insert_resource(Score { points: 1 });
    game.until_told("loaded greedy");
    game.frames(3);
    assert_eq!(game.app.world().resource::<Score>().points, 1, "{:?}", game.faults());
}

#[test]
fn an_unmet_component_leaves_the_mod_waiting() {
    let mut waiter = Mod::new("waiter");
    let unmet = waiter.ty("Unmet", "{value:f32}");
    let waiter = waiter.system("wait", "Update", vec![query(&[], &[unmet])]).run(HEAL);
    let mut game = Game::with_mods(&[("waiter.wasm", &waiter.build()), ("healer.wasm", &healer("healer").build())]);
    game.app.world_mut().spawn(Health::default());
    game.until_told("loaded healer");
    game.frames(10);
    assert_eq!(game.story(), ["loaded healer"]);
    let entity = game.app.world_mut().spawn(Unmet::default()).id();
    game.until_told("loaded waiter");
    game.frame();
    assert!(game.app.world().get::<Unmet>(entity).expect("it is there").value > 0.0);
}

#[test]
fn systems_run_in_the_order_that_the_mod_states() {
    // Each system multiplies by ten and adds its index.
    let mut counter = Mod::new("counter");
    let score = counter.ty("Score", "{points:u64}");
    let param = || vec![resource(score, true)];
    let counter = counter
        .system("third", "Update", param())
        .after(&[1])
        .system("second", "Update", param())
        .after(&[2])
        .system("first", "Update", param())
        .run(
            "(i64.store (local.get $data) (i64.add (i64.extend_i32_u (local.get $system))
                (i64.mul (i64.const 10) (i64.load (local.get $data)))))
             (i64.store (local.get $dirty) (i64.const 1))",
        );
    let mut game = Game::with_mods(&[("counter.wasm", &counter.build())]);
    game.app.insert_resource(Score::default());
    game.until_told("loaded counter");
    game.app.insert_resource(Score::default());
    game.frame();
    assert_eq!(game.app.world().resource::<Score>().points, 210);
}

#[test]
fn startup_systems_run_once() {
    let mut starter = Mod::new("starter");
    let score = starter.ty("Score", "{points:u64}");
    let param = || vec![resource(score, true)];
    let starter = starter.system("late", "PostStartup", param()).system("start", "Startup", param()).run(
        "(i64.store (local.get $data) (i64.add (i64.add (i64.extend_i32_u (local.get $system)) (i64.const 1))
            (i64.mul (i64.const 10) (i64.load (local.get $data)))))
         (i64.store (local.get $dirty) (i64.const 1))",
    );
    let mut game = Game::with_mods(&[("starter.wasm", &starter.build())]);
    game.app.insert_resource(Score::default());
    game.until_told("loaded starter");
    game.frames(5);
    assert_eq!(game.app.world().resource::<Score>().points, 21);
}

#[test]
fn the_game_orders_itself_around_mods() {
    let mut game = Game::with_mods(&[("healer.wasm", &healer("healer").build())]);
    let entity = game.app.world_mut().spawn(Health::default()).id();
    let clear = |mut all: Query<&mut Health>| all.iter_mut().for_each(|mut health| health.value = 0.0);
    let check = |all: Query<Ref<Health>, With<Health>>, mut healed: Local<bool>| {
        for health in &all {
            assert!(health.is_changed());
            *healed |= health.value == 1.0;
            assert!(!*healed || health.value == 1.0);
        }
    };
    let of_mod = SystemsOfMod::new("healer");
    game.app.add_systems(Update, (clear.before(ModSystems), check.after(of_mod)));
    game.until_told("loaded healer");
    game.frames(20);
    assert_eq!(health_of(&game, entity), 1.0);
}
