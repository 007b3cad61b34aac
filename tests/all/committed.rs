//! The committed mods of the example, in a game like the example's. Needs no wasm target.

use std::{fs, path::Path, time::Duration};

use bevy::{
    prelude::{Component, Entity, In, Reflect, ResMut, Resource, Transform, Vec3},
    time::TimeUpdateStrategy,
};
use bevy_wasm_mods::prelude::{CallMod, ModAppExt, ModSettings};

use crate::support::Game;

#[derive(Component, Reflect, Default)]
#[type_path = "hello_mods"]
pub(crate) struct Velocity(pub(crate) Vec3);

#[derive(Component, Reflect, Default)]
#[type_path = "hello_mods"]
pub(crate) struct Bee;

#[derive(Component, Reflect, Default)]
#[type_path = "hello_mods"]
pub(crate) struct Nectar {
    pub(crate) drops: u32,
}

#[derive(Resource, Reflect, Default)]
#[type_path = "hello_mods"]
pub(crate) struct Orchard {
    pub(crate) day: u32,
    pub(crate) blossoms: u32,
}

#[derive(Resource, Default)]
pub(crate) struct News(pub(crate) Vec<String>);

pub(crate) fn announce(In(text): In<String>, mut news: ResMut<News>) -> u32 {
    news.0.push(text);
    u32::try_from(news.0.len()).expect("not much news")
}

/// The mods of the example that need no JSON.
const MODS: [&str; 4] = ["orchard_wind", "orchard_dice", "orchard_news", "orchard_dance"];

/// The game of the example with its mods and `more` files. No time goes by in it.
pub(crate) fn still_orchard(settings: ModSettings, more: &[(&str, &[u8])]) -> Game {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/mods");
    let bytes = MODS.map(|id| fs::read(folder.join(format!("{id}.wasm"))).expect("the mods are committed"));
    let names = MODS.map(|id| format!("{id}.wasm"));
    let files = names.iter().zip(&bytes).map(|(name, bytes)| (name.as_str(), bytes.as_slice()));
    let mut game = Game::with_settings(&files.chain(more.iter().copied()).collect::<Vec<_>>(), settings);
    game.app
        .insert_resource(Orchard { day: 3, blossoms: 120 })
        .init_resource::<News>()
        // Nothing happens before all of them are there.
        .insert_resource(TimeUpdateStrategy::ManualDuration(Duration::ZERO))
        .add_mod_import("announce", announce);
    game
}

/// The game of the example with its mods, in frames of a quarter of a second.
fn orchard(settings: ModSettings) -> (Game, Entity) {
    let mut game = still_orchard(settings, &[]);
    let bee = (Bee, Velocity(Vec3::new(2.0, 0.0, 0.0)), Nectar::default(), Transform::default());
    let bee = game.app.world_mut().spawn(bee).id();
    for id in MODS {
        game.until_told(&format!("loaded {id}"));
    }
    game.app.insert_resource(TimeUpdateStrategy::ManualDuration(Duration::from_millis(250)));
    (game, bee)
}

#[test]
fn the_mods_of_the_example_play() {
    let (mut game, bee) = orchard(ModSettings::default());
    let place = |game: &Game| game.app.world().get::<Transform>(bee).expect("it is there").translation;
    let before = place(&game);
    game.frames(20);
    assert!(game.faults().is_empty(), "{:?}", game.faults());
    // Five seconds of two metres each, and the wind comes on top.
    let way = place(&game) - before;
    assert!(way.x > 10.5 && way.y > 0.5, "the wind moves bees: {way}");
    let drops = game.app.world().get::<Nectar>(bee).expect("it is there").drops;
    assert!((2..=12).contains(&drops), "two dice decide: {drops}");
    let news = &game.app.world().resource::<News>().0;
    let (reports, others): (Vec<_>, Vec<_>) = news.iter().partition(|line| line.starts_with("Day 3"));
    assert!(reports.len() >= 4, "news every second: {news:?}");
    assert!(reports.iter().all(|line| line.starts_with("Day 3: 1 bees in 120 blossoms.")), "{news:?}");
    // The mod in C says so every other second.
    assert!(others.len() >= 2 && others.iter().all(|line| *line == "a bee dances"), "{news:?}");
    let doubled = game.app.world_mut().call_mod::<_, Vec<f64>>("orchard_wind", "double", &vec![1.0, 2.5]);
    assert_eq!(doubled.expect("it answers"), [2.0, 5.0]);
}

#[test]
fn the_mod_in_c_dances() {
    let (mut game, bee) = orchard(ModSettings { seed: Some(1), ..Default::default() });
    let height = |game: &Game| game.app.world().get::<Transform>(bee).expect("it is there").translation.z;
    // Without nectar nobody dances; the dice bring it in the first second.
    assert_eq!(height(&game), 0.0);
    game.frames(5);
    let heights: Vec<f32> = (0..8).map(|_| (game.frame(), height(&game)).1).collect();
    assert!(heights.iter().all(|height| (0.0..0.5).contains(height)), "{heights:?}");
    assert!(heights.windows(2).any(|pair| pair[0] != pair[1]), "chance decides: {heights:?}");

    let mut set = |metres: f32| game.app.world_mut().call_mod::<_, f32>("orchard_dance", "set_wildness", &metres);
    assert_eq!(set(0.0).expect("it answers"), 0.5);
    assert_eq!(set(-1.0).expect("it answers"), 0.0);
    game.frame();
    assert_eq!(height(&game), 0.0);
    assert!(game.faults().is_empty(), "{:?}", game.faults());
}

#[test]
fn the_same_seed_throws_the_same_dice() {
    let throw = |seed| {
        let (mut game, _) = orchard(ModSettings { seed, ..Default::default() });
        let roll = |_| game.app.world_mut().call_mod::<_, u32>("orchard_dice", "roll", &1_000_000_u32);
        (0..8).map(roll).collect::<Result<Vec<_>, _>>().expect("it rolls")
    };
    assert_eq!(throw(Some(5)), throw(Some(5)));
    assert_ne!(throw(Some(5)), throw(Some(6)));
    assert_ne!(throw(None), throw(None));
}

/// A file that changes faster than it can be compiled still comes into play.
#[cfg(feature = "hot_reload")]
#[test]
fn a_mod_that_is_replaced_all_the_time_is_reloaded_all_the_same() {
    let (mut game, _) = orchard(ModSettings::default());
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/mods/orchard_dice.wasm");
    let dice = fs::read(path).expect("the mods are committed");
    let reloads = |game: &Game| game.story().iter().filter(|line| *line == "reloaded orchard_dice").count();
    let start = std::time::Instant::now();
    let mut version = 0_u8;
    while reloads(&game) < 3 {
        assert!(start.elapsed() < Duration::from_secs(20), "{:?}", game.story());
        version = version.wrapping_add(1);
        // A custom section that nobody reads makes other bytes of the same mod.
        game.write("new", &[&dice[..], &[0, 3, 1, b'v', version]].concat());
        fs::rename(game.path("new"), game.path("orchard_dice.wasm")).expect("a rename");
        for _ in 0..7 {
            game.frame();
            std::thread::sleep(Duration::from_millis(10));
        }
    }
    assert!(game.faults().is_empty(), "{:?}", game.faults());
}
