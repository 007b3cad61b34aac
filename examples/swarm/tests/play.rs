//! The game without its window: its mods play, and each villain is stopped. Needs no screen.
#![expect(clippy::expect_used, reason = "a test fails by a panic that says why")]

#[path = "../src/arena.rs"]
mod arena;
#[path = "../src/creatures.rs"]
mod creatures;
#[path = "../src/villains.rs"]
mod villains;

use std::time::{Duration, Instant};

use arena::{Arena, Creature, Danger, Lure, Pointer, Tint, Velocity, Weather};
use bevy::{
    asset::AssetPlugin,
    ecs::system::SystemState,
    image::ImagePlugin,
    prelude::{App, Entity, MinimalPlugins, Sprite, Transform, Vec2, Vec3, With, Without, default},
    time::TimeUpdateStrategy,
};
use bevy_wasm_mods::{
    CompileCache,
    prelude::{ModRegistry, ModState, Mods, SpawnedBy, WasmModsPlugin},
};
use villains::VILLAINS;

const GOOD: [&str; 6] =
    ["swarm_dice", "swarm_flock", "swarm_hunters", "swarm_lanterns", "swarm_vortex", "swarm_weather"];
const CREATURES: u32 = 800;
/// Only a broken test waits that long.
const PATIENCE: Duration = Duration::from_secs(60);

/// The game, in frames of a sixtieth of a second, when all of its mods have come to rest.
fn game() -> App {
    let mut settings = villains::mod_settings(Some(1));
    settings.compile_cache = CompileCache::Off;
    settings.watch = false;
    // A mod that waits for a busy machine does nothing wrong. Only the one that loops should be stopped for its time.
    let patient = Duration::from_secs(5);
    (settings.limits.call_time, settings.limits.frame_time) = (patient, patient);
    let villains = settings.overrides.iter_mut().filter(|(id, _)| *id != "villain_loops");
    for limits in villains.filter_map(|(_, overrides)| overrides.limits.as_mut()) {
        (limits.call_time, limits.frame_time) = (patient, patient);
    }
    let file_path = concat!(env!("CARGO_MANIFEST_DIR"), "/assets").to_owned();
    let mut app = App::new();
    app.insert_resource(settings)
        .add_plugins((MinimalPlugins, AssetPlugin { file_path, ..default() }, ImagePlugin::default(), WasmModsPlugin))
        .add_plugins((arena::plugin(CREATURES), creatures::plugin(1), villains::plugin))
        .insert_resource(TimeUpdateStrategy::ManualDuration(Duration::from_secs_f64(1.0 / 60.0)));
    until(&mut app, "all mods are there", |app| {
        let mods = app.world().resource::<ModRegistry>();
        mods.all_settled() && mods.iter().count() == GOOD.len() + VILLAINS.len()
    });
    app
}

#[track_caller]
fn until(app: &mut App, what: &str, mut done: impl FnMut(&mut App) -> bool) {
    let start = Instant::now();
    while !done(app) {
        let states: Vec<_> = app.world().resource::<ModRegistry>().iter().map(|info| (info.id, info.state)).collect();
        assert!(start.elapsed() < PATIENCE, "{what}: never; {states:?}");
        app.update();
        std::thread::sleep(Duration::from_millis(1));
    }
}

fn frames(app: &mut App, count: usize) {
    (0..count).for_each(|_| app.update());
}

fn switch(app: &mut App, id: &str) {
    let mut state = SystemState::<Mods>::new(app.world_mut());
    villains::switch(&mut state.get_mut(app.world_mut()).expect("the plugin is there"), id);
}

fn state(app: &App, id: &str) -> ModState {
    app.world().resource::<ModRegistry>().state(id).expect("it is known").clone()
}

#[track_caller]
fn all_good_run(app: &App) {
    for id in GOOD {
        let state = state(app, id);
        assert!(matches!(state, ModState::Running), "{id}: {state:?}");
    }
}

fn count_of(app: &mut App, id: &str) -> usize {
    let mut spawned = app.world_mut().query::<&SpawnedBy>();
    spawned.iter(app.world()).filter(|by| by.mod_id() == id).count()
}

/// Where the creatures are that are no hunters.
fn flock(app: &mut App) -> Vec<(Entity, Vec3)> {
    let world = app.world_mut();
    let mut flock = world.query_filtered::<(Entity, &Transform), (With<Creature>, Without<Danger>)>();
    flock.iter(world).map(|(entity, place)| (entity, place.translation)).collect()
}

#[test]
fn the_swarm_lives() {
    let mut app = game();
    all_good_run(&app);
    for id in VILLAINS {
        assert!(matches!(state(&app, id), ModState::Disabled), "{id} waits for the player: {:?}", state(&app, id));
    }

    let before = flock(&mut app);
    let weather = *app.world().resource::<Weather>();
    frames(&mut app, 300);
    all_good_run(&app);

    let half = app.world().resource::<Arena>().half;
    let mut moved = 0;
    for (entity, place) in before {
        let Some(now) = app.world().get::<Transform>(entity) else { continue };
        assert!(now.translation.truncate().abs().cmple(half + 0.1).all(), "{now:?}");
        moved += usize::from(now.translation.distance(place) > 5.0);
    }
    assert!(moved > CREATURES as usize * 8 / 10, "{moved} creatures have moved");
    // The hunters eat, and the dice fall for new ones.
    assert!(count_of(&mut app, "swarm_dice") > 0, "nobody has hatched");
    let alive = flock(&mut app).len();
    assert!((CREATURES as usize - 20..=CREATURES as usize).contains(&alive), "{alive} are alive");
    assert_eq!(count_of(&mut app, "swarm_hunters"), 3);
    let world = app.world_mut();
    let mut tints = world.query::<&Tint>();
    assert!(tints.iter(world).any(|tint| tint.glow > 1.1), "some light up");
    let mut lanterns = world.query_filtered::<&Sprite, With<Lure>>();
    let pictures: Vec<_> = lanterns.iter(world).filter_map(|sprite| sprite.image.path()).collect();
    assert!(pictures.len() == 6 && pictures[0].to_string() == "mods/swarm_lanterns/lantern.png", "{pictures:?}");
    let later = *world.resource::<Weather>();
    assert!(later.wind != weather.wind && later.light != weather.light, "{weather:?} {later:?}");

    // Switched off, a mod takes along what it has spawned.
    switch(&mut app, "swarm_lanterns");
    frames(&mut app, 3);
    assert_eq!(count_of(&mut app, "swarm_lanterns"), 0);
}

/// The mod in C: creatures around the mouse go around it, or to it.
#[test]
fn the_vortex_follows_the_mouse() {
    let mut app = game();
    for id in GOOD.into_iter().filter(|id| *id != "swarm_vortex") {
        switch(&mut app, id);
    }
    frames(&mut app, 3);
    let creature = (Creature::default(), Velocity(Vec2::ZERO), Tint::default(), Transform::from_xyz(140.0, 100.0, 0.0));
    let creature = app.world_mut().spawn(creature).id();
    let mut pushed = |is_down| {
        *app.world_mut().resource_mut::<Pointer>() = Pointer { at: Vec2::splat(100.0), is_there: true, is_down };
        app.world_mut().entity_mut(creature).insert(Velocity(Vec2::ZERO));
        app.update();
        app.world().get::<Velocity>(creature).expect("it is there").0
    };
    let around = pushed(false);
    assert!(around.y > 1.0 && around.y > around.x.abs(), "{around}");
    let to = pushed(true);
    assert!(to.x < -1.0 && to.y.abs() < 0.1, "{to}");
}

#[track_caller]
fn is_stopped(id: &str, because: &[&str]) {
    let mut app = game();
    switch(&mut app, id);
    until(&mut app, "it is stopped for good", |app| matches!(state(app, id), ModState::Failed(_)));
    let fault = state(&app, id).fault().expect("it failed").to_string();
    assert!(because.iter().all(|part| fault.contains(part)), "{fault}");
    // Nobody else notices.
    frames(&mut app, 30);
    all_good_run(&app);
    // And it may try again.
    switch(&mut app, id);
    until(&mut app, "it runs again", |app| matches!(state(app, id), ModState::Running));
}

#[test]
fn who_panics_is_stopped() {
    is_stopped("villain_panics", &["`misbehave` panicked", "I have had enough of this swarm"]);
}

#[test]
fn who_does_not_come_back_is_stopped() {
    is_stopped("villain_loops", &["`misbehave` was stopped because it ran longer than 4ms", "count_forever"]);
}

#[test]
fn who_eats_memory_is_stopped() {
    is_stopped("villain_eats", &["misbehave"]);
}
