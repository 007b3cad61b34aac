//! Observers of mods: what wakes them, when, and what becomes of them.

use bevy::{
    ecs::{
        change_detection::DetectChanges, observer::Observer, resource::IsResource, world::DeferredWorld, world::Ref,
    },
    prelude::{
        Commands, Entity, Event, On, Query, Reflect, ReflectEvent, ResMut, Resource, Update, With, Without, World,
    },
};
use bevy_wasm_mods::prelude::{CallMod, ModAppExt, ModTrigger, Mods};
use mod_abi::{
    codec,
    command::Command,
    describe::{DefinitionKind, EventDesc, ParamDesc, QueryDesc, TermDesc},
};

use crate::{
    fixtures::{Health, Score},
    support::{Game, HEAL, LEAVE, Mod, add_to_score, query, resource, select, sum, value},
};

/// An event of the game.
#[derive(Event, Reflect, Debug, Clone)]
#[reflect(Event)]
struct Harvest {
    apples: u64,
}

/// An event that no one said of that it is one.
#[derive(Event, Reflect, Debug, Clone)]
struct Secret {
    apples: u64,
}

fn game_with(mods: &[(&str, &[u8])]) -> Game {
    let mut game = Game::with_mods(mods);
    game.app.insert_resource(Score::default());
    // Nothing has it at the start.
    game.app.world_mut().register_component::<Health>();
    game
}

fn points(game: &Game) -> u64 {
    game.app.world().resource::<Score>().points
}

fn observers(game: &mut Game) -> usize {
    game.app.world_mut().query::<&Observer>().iter(game.app.world()).count()
}

/// A mod that adds the apples of each harvest to the score, times a factor.
fn farmer(factor: u64) -> Mod {
    let mut farmer = Mod::new("farmer");
    let harvest = farmer.ty("all::observers::Harvest", "{apples:u64}");
    let score = farmer.ty("Score", "{points:u64}");
    let add = add_to_score(1, &format!("(i64.mul (i64.const {factor}) (global.get $sum))"));
    farmer.observer("count", EventDesc::Event(harvest), vec![resource(score, true)]).run(&format!("{}{add}", sum(8)))
}

#[test]
fn an_event_of_the_game_wakes_a_mod_at_once() {
    let mut game = game_with(&[("farmer.wasm", &farmer(1).build())]);
    game.until_told("loaded farmer");
    game.app.world_mut().trigger(Harvest { apples: 3 });
    assert_eq!(points(&game), 3);
    game.app.world_mut().trigger(Harvest { apples: 4 });
    assert_eq!(points(&game), 7);
    game.frames(2);
    assert_eq!(points(&game), 7);
}

#[derive(Resource, Default)]
struct Changed(Vec<Entity>);

#[test]
fn an_observer_writes_rows_and_the_game_sees_that_they_changed() {
    let mut healer = Mod::new("healer");
    let harvest = healer.ty("all::observers::Harvest", "{apples:u64}");
    let health = healer.ty("Health", "{value:f32}");
    let healer = healer
        .observer("heal", EventDesc::Event(harvest), vec![query(&[], &[health])])
        .run(&format!("{}{HEAL}", select(1)));
    let mut game = game_with(&[("healer.wasm", &healer.build())]);
    let note = |rows: Query<(Entity, Ref<Health>)>, mut changed: ResMut<Changed>| {
        changed.0 = rows.iter().filter(|(_, health)| health.is_changed()).map(|(entity, _)| entity).collect();
    };
    game.app.init_resource::<Changed>().add_systems(Update, note);
    let entity = game.app.world_mut().spawn(Health { value: 1.0 }).id();
    game.until_told("loaded healer");
    game.frame();
    assert!(game.app.world().resource::<Changed>().0.is_empty());
    game.app.world_mut().trigger(Harvest { apples: 1 });
    assert_eq!(game.app.world().get::<Health>(entity).expect("it lives").value, 2.0);
    game.frame();
    assert_eq!(game.app.world().resource::<Changed>().0, [entity]);
}

#[test]
fn what_happens_to_a_component_wakes_a_mod() {
    let mut watcher = Mod::new("watcher");
    let health = watcher.ty("Health", "{value:f32}");
    let score = watcher.ty("Score", "{points:u64}");
    let events: [(&str, fn(u32) -> EventDesc); 5] = [
        ("on_add", EventDesc::Add),
        ("on_insert", EventDesc::Insert),
        ("on_discard", EventDesc::Discard),
        ("on_remove", EventDesc::Remove),
        ("on_despawn", EventDesc::Despawn),
    ];
    // There is one system, so the observers are numbers 1 to 5: a digit of the score each.
    watcher = watcher.system("idle", "Update", Vec::new());
    for (name, event) in events {
        watcher = watcher.observer(name, event(health), vec![resource(score, true)]);
    }
    let digit = "(global.set $sum (i64.const 1))
        (block $done (loop $next
            (br_if $done (i32.le_u (local.get $system) (i32.const 1)))
            (global.set $sum (i64.mul (i64.const 10) (global.get $sum)))
            (local.set $system (i32.sub (local.get $system) (i32.const 1)))
            (br $next)))";
    let add = add_to_score(1, "(global.get $sum)");
    let run = format!("(if (i32.eqz (local.get $system)) (then (return (i64.const 0)))){digit}{add}");
    let mut game = game_with(&[("watcher.wasm", &watcher.run(&run).build())]);
    game.until_told("loaded watcher");
    let mut step = |expected: u64, work: &mut dyn FnMut(&mut World)| {
        game.app.world_mut().resource_mut::<Score>().points = 0;
        work(game.app.world_mut());
        assert_eq!(points(&game), expected);
    };
    let mut entity = Entity::PLACEHOLDER;
    step(11, &mut |world| entity = world.spawn(Health::default()).id());
    step(110, &mut |world| {
        world.entity_mut(entity).insert(Health { value: 2.0 });
    });
    step(1100, &mut |world| {
        world.entity_mut(entity).remove::<Health>();
    });
    step(11, &mut |world| {
        world.entity_mut(entity).insert(Health { value: 2.0 });
    });
    step(11100, &mut |world| {
        world.despawn(entity);
    });
    step(0, &mut |world| {
        world.despawn(entity);
    });
}

#[test]
fn what_happens_to_a_component_comes_with_the_entity() {
    let mut watcher = Mod::new("watcher");
    let health = watcher.ty("Health", "{value:f32}");
    let score = watcher.ty("Score", "{points:u64}");
    let watcher = watcher.observer("on_add", EventDesc::Add(health), vec![resource(score, true)]).run(&format!(
        "{}{}",
        sum(8),
        add_to_score(1, "(global.get $sum)")
    ));
    let mut game = game_with(&[("watcher.wasm", &watcher.build())]);
    game.until_told("loaded watcher");
    let entity = game.app.world_mut().spawn(Health::default()).id();
    assert_eq!(points(&game), entity.to_bits());
}

/// A mod that defines an event and triggers it when there is a harvest.
fn herald() -> Mod {
    let mut herald = Mod::new("herald");
    let harvest = herald.ty("all::observers::Harvest", "{apples:u64}");
    let feast = herald.define("herald::Feast", "{guests:u64}", DefinitionKind::Event);
    let bytes = codec::encode(&7_u64).expect("a feast");
    herald
        .commands(&[Command::Trigger(value(feast, &bytes))])
        .observer("announce", EventDesc::Event(harvest), vec![ParamDesc::Commands])
        .run(LEAVE)
}

/// A mod that adds the guests of each feast to the score.
fn guest() -> Mod {
    let mut guest = Mod::new("guest");
    let feast = guest.ty("herald::Feast", "{guests:u64}");
    let score = guest.ty("Score", "{points:u64}");
    guest.observer("come", EventDesc::Event(feast), vec![resource(score, true)]).run(&format!(
        "{}{}",
        sum(8),
        add_to_score(1, "(global.get $sum)")
    ))
}

#[derive(Resource, Default)]
struct Heard(Vec<(String, String, u64)>);

#[test]
fn an_event_of_one_mod_wakes_another_and_the_game() {
    let mut game = game_with(&[("a.wasm", &guest().build()), ("b.wasm", &herald().build())]);
    game.app.init_resource::<Heard>().add_observer(|event: On<ModTrigger>, mut heard: ResMut<Heard>| {
        let guests = event.decode::<u64>().expect("a number");
        heard.0.push((event.mod_id.to_string(), event.path.to_string(), guests));
    });
    game.until_told("loaded guest");
    let world = game.app.world_mut();
    world.trigger(Harvest { apples: 1 });
    world.flush();
    assert_eq!(points(&game), 7);
    let heard = [("herald".to_owned(), "herald::Feast".to_owned(), 7)];
    assert_eq!(game.app.world().resource::<Heard>().0, heard);
    assert!(game.faults().is_empty());
}

#[test]
fn a_mod_triggers_an_event_of_the_game() {
    let mut herald = Mod::new("herald");
    let harvest = herald.ty("all::observers::Harvest", "{apples:u64}");
    let bytes = codec::encode(&5_u64).expect("a harvest");
    let herald = herald
        .commands(&[Command::Trigger(value(harvest, &bytes))])
        .system("announce", "Update", vec![ParamDesc::Commands])
        .run(LEAVE);
    let mut game = game_with(&[("herald.wasm", &herald.build())]);
    game.app.add_observer(|harvest: On<Harvest>, mut score: ResMut<Score>| score.points += harvest.apples);
    game.until_told("loaded herald");
    let before = points(&game);
    game.frame();
    assert_eq!(points(&game), before + 5);
}

#[test]
fn an_event_that_mods_cannot_hear_of_is_told() {
    let mut spy = Mod::new("spy");
    let secret = spy.ty("all::observers::Secret", "{apples:u64}");
    let spy = spy.observer("listen", EventDesc::Event(secret), Vec::new());
    let mut game = game_with(&[("spy.wasm", &spy.build())]);
    let fault = game.first_fault();
    assert!(fault.contains("it lacks `#[reflect(Event)]`"), "{fault}");
}

#[test]
fn only_observers_have_an_event() {
    let lost = Mod::new("lost").system("wait", "Update", vec![ParamDesc::Event]);
    let mut game = game_with(&[("lost.wasm", &lost.build())]);
    let fault = game.first_fault();
    assert!(fault.contains("the event is the first parameter of every observer, and of nothing else"), "{fault}");
}

#[test]
fn an_observer_that_traps_fails_its_mod_alone() {
    let mut clumsy = Mod::new("clumsy");
    let harvest = clumsy.ty("all::observers::Harvest", "{apples:u64}");
    let clumsy = clumsy.observer("fall", EventDesc::Event(harvest), Vec::new()).run("unreachable");
    let mut game = game_with(&[("clumsy.wasm", &clumsy.build()), ("farmer.wasm", &farmer(1).build())]);
    game.until_told("loaded farmer");
    game.app.world_mut().trigger(Harvest { apples: 3 });
    game.app.world_mut().trigger(Harvest { apples: 3 });
    assert_eq!(points(&game), 6);
    let fault = game.first_fault();
    assert!(fault.contains("clumsy") && fault.contains("fall"), "{fault}");
    game.app.world_mut().trigger(Harvest { apples: 3 });
    assert_eq!(points(&game), 9);
    assert_eq!(game.story(), ["loaded clumsy", "loaded farmer", "failed clumsy"]);
}

#[test]
fn a_mod_that_goes_takes_its_observers_along() {
    for disable in [false, true] {
        let mut game = Game::with_mods(&[]);
        let before = observers(&mut game);
        game.app.insert_resource(Score::default());
        game.write("farmer.wasm", &farmer(1).build());
        game.until_told("loaded farmer");
        assert_eq!(observers(&mut game), before + 1);
        game.app.add_systems(Update, move |mut mods: Mods| {
            let _ = if disable { mods.disable("farmer") } else { mods.unload("farmer") };
        });
        game.until_told(if disable { "disabled farmer" } else { "unloaded farmer" });
        assert_eq!(observers(&mut game), before);
        game.app.world_mut().trigger(Harvest { apples: 3 });
        assert_eq!(points(&game), 0);
    }
}

#[cfg(feature = "hot_reload")]
#[test]
fn a_reload_keeps_one_observer() {
    let mut game = game_with(&[("farmer.wasm", &farmer(1).build())]);
    game.until_told("loaded farmer");
    let count = observers(&mut game);
    game.write("farmer.wasm", &farmer(10).build());
    game.until_told("reloaded farmer");
    assert_eq!(observers(&mut game), count);
    game.app.world_mut().trigger(Harvest { apples: 3 });
    assert_eq!(points(&game), 30);
    // Another signature: the old one goes, two come.
    let mut other = farmer(100);
    let health = other.ty("Health", "{value:f32}");
    game.write("farmer.wasm", &other.observer("idle", EventDesc::Add(health), Vec::new()).build());
    game.until("a second reload", |game| game.story().len() == 3);
    assert_eq!(observers(&mut game), count + 1);
    game.app.world_mut().trigger(Harvest { apples: 1 });
    assert_eq!(points(&game), 130);
}

/// A mod whose export `go` calls `shake`, and which notes in the score that health was discarded and inserted: a digit each.
fn shaken() -> Mod {
    let mut shaken = Mod::new("shaken").import("shake").system("idle", "OnUnload", Vec::new());
    let health = shaken.ty("Health", "{value:f32}");
    let score = shaken.ty("Score", "{points:u64}");
    let digit = "(i64.add (i64.extend_i32_u (local.get $system)) (i64.mul (i64.const 9) (i64.load (local.get $data))))";
    shaken
        .fields("(func (export \"__go\") (param i64) (result i64) (call $shake (i64.const 0)))")
        .observer("on_discard", EventDesc::Discard(health), vec![resource(score, true)])
        .observer("on_insert", EventDesc::Insert(health), vec![resource(score, true)])
        .run(&add_to_score(1, digit))
}

/// A game in which health changed so many times while the mod was in the middle of a call: `call_mod` carries the commands
/// of host functions out at once.
fn game_with_shaken(changes: usize) -> Game {
    let mut game = game_with(&[]);
    let entity = game.app.world_mut().spawn(Health::default()).id();
    game.app.add_mod_import("shake", move |mut commands: Commands| {
        (0..changes).for_each(|_| {
            commands.entity(entity).insert(Health::default());
        });
    });
    game.write("shaken.wasm", &shaken().build());
    game.until_told("loaded shaken");
    let called = game.app.world_mut().call_mod::<_, ()>("shaken", "go", &());
    assert_eq!((called.is_ok(), points(&game)), (true, 0), "its observers wait");
    game
}

#[test]
fn a_busy_mod_is_woken_later_in_order_and_once() {
    let mut game = game_with_shaken(2);
    game.frames(2);
    assert_eq!(points(&game), 1212);
    assert_eq!(game.faults().len(), 0);
}

#[test]
fn what_waits_comes_before_what_is_new() {
    let mut game = game_with_shaken(1);
    let world = game.app.world_mut();
    let entity = world.query_filtered::<Entity, With<Health>>().single(world).expect("one has health");
    world.entity_mut(entity).remove::<Health>();
    assert_eq!(points(&game), 121);
    game.frame();
    assert_eq!(points(&game), 121);
}

#[test]
fn more_than_can_wait_fails_the_mod() {
    let mut game = game_with_shaken(5_001);
    let fault = game.first_fault();
    assert!(fault.contains("more than 10000 events, or 4194304 bytes of them, wait for the mod"), "{fault}");
    assert_eq!(points(&game), 0);
}

#[test]
fn host_functions_do_not_make_chains_endless() {
    // `DeferredWorld::trigger` leaves a command to the World, past the mod's own commands.
    let farmer = farmer(1).import("shake").run("(drop (call $shake (i64.const 0)))");
    let mut game = game_with(&[]);
    game.app.add_mod_import("shake", |mut world: DeferredWorld| world.trigger(Harvest { apples: 1 }));
    game.write("farmer.wasm", &farmer.build());
    game.until_told("loaded farmer");
    game.app.world_mut().trigger(Harvest { apples: 1 });
    game.app.world_mut().flush();
    let fault = game.first_fault();
    assert!(fault.contains("what it does wakes it again without an end: farmer::count -> farmer::count"), "{fault}");
}

#[test]
fn observers_that_wake_themselves_come_to_an_end() {
    let mut echo = Mod::new("echo");
    let call = echo.define("echo::Call", "{number:u64}", DefinitionKind::Event);
    let harvest = echo.ty("all::observers::Harvest", "{apples:u64}");
    let bytes = codec::encode(&1_u64).expect("a call");
    let echo = echo
        .commands(&[Command::Trigger(value(call, &bytes)), Command::Trigger(value(call, &bytes))])
        .observer("start", EventDesc::Event(harvest), vec![ParamDesc::Commands])
        .observer("answer", EventDesc::Event(call), vec![ParamDesc::Commands])
        .run(LEAVE);
    let mut game = game_with(&[("echo.wasm", &echo.build())]);
    game.until_told("loaded echo");
    let world = game.app.world_mut();
    world.trigger(Harvest { apples: 1 });
    world.flush();
    let fault = game.first_fault();
    assert!(fault.contains("what it does wakes it again without an end: echo::answer -> echo::answer"), "{fault}");
    game.frames(2);
}

#[test]
fn queries_of_mods_do_not_match_observers() {
    let mut census = Mod::new("census");
    let score = census.ty("Score", "{points:u64}");
    let harvest = census.ty("all::observers::Harvest", "{apples:u64}");
    let everything = ParamDesc::Query(QueryDesc { terms: vec![TermDesc::Entity], filters: Vec::new() });
    let census = census
        .observer("idle", EventDesc::Event(harvest), Vec::new())
        .system("count", "Update", vec![everything, resource(score, true)])
        .run(&format!(
            "(global.set $sum (i64.extend_i32_u (local.get $rows))){}",
            add_to_score(1, "(i64.sub (global.get $sum) (i64.load (local.get $data)))")
        ));
    let mut game = game_with(&[("census.wasm", &census.build())]);
    game.app.world_mut().spawn(Health::default());
    game.until_told("loaded census");
    game.frames(2);
    let mut all = game.app.world_mut().query_filtered::<Entity, (Without<Observer>, Without<IsResource>)>();
    assert_eq!(points(&game), all.iter(game.app.world()).count() as u64);
}

#[test]
fn a_panic_of_the_game_over_a_mods_event_fails_the_mod_alone() {
    let mut game = game_with(&[("herald.wasm", &herald().build())]);
    game.app.add_observer(|_: On<ModTrigger>| panic!("no feast"));
    game.until_told("loaded herald");
    let world = game.app.world_mut();
    world.trigger(Harvest { apples: 1 });
    world.flush();
    let fault = game.first_fault();
    assert!(fault.contains("the game panicked over its herald::Feast: no feast"), "{fault}");
}

/// A mod that triggers an event of its own when it starts, and counts it; and then runs `end`.
fn starter(end: &str) -> Mod {
    let mut starter = Mod::new("starter");
    let start = starter.define("starter::Start", "{number:u64}", DefinitionKind::Event);
    let score = starter.ty("Score", "{points:u64}");
    let bytes = codec::encode(&3_u64).expect("a number");
    let add = add_to_score(1, "(global.get $sum)");
    starter
        .commands(&[Command::Trigger(value(start, &bytes))])
        .system("start", "Startup", vec![ParamDesc::Commands])
        .observer("on_start", EventDesc::Event(start), vec![resource(score, true)])
        .run(&format!("(if (i32.eqz (local.get $system)) (then {LEAVE})){}{add}{end}", sum(8)))
}

#[test]
fn observers_see_the_start_of_their_mod() {
    let mut game = game_with(&[("starter.wasm", &starter("").build())]);
    game.until_told("loaded starter");
    assert_eq!(points(&game), 3);
}

#[test]
fn a_mod_that_cannot_start_leaves_no_observers() {
    let mut game = game_with(&[]);
    let mut starter = starter("unreachable");
    let health = starter.ty("Health", "{value:f32}");
    let starter = starter.observer("idle", EventDesc::Add(health), Vec::new());
    let before = observers(&mut game);
    game.write("starter.wasm", &starter.build());
    let fault = game.first_fault();
    assert!(fault.contains("on_start"), "{fault}");
    assert_eq!(observers(&mut game), before);
}
