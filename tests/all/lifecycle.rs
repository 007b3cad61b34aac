//! From the first frame to the first system: in which order mods come, in what kind of game, and what is known meanwhile.

use std::fs;

use bevy::{
    app::MainScheduleOrder,
    asset::AssetPlugin,
    ecs::schedule::{LogLevel, ScheduleBuildSettings},
    prelude::{App, Commands, First, MinimalPlugins, ResMut, Resource, Update, World, default},
};
use bevy_wasm_mods::{
    CompileCache,
    prelude::{CallMod, ModAppExt, ModCallError, ModEvent, ModSettings, ModState, Mods, WasmModsPlugin},
};
use tempfile::TempDir;

use crate::{
    fixtures::Score,
    support::{Game, Mod, scorer},
};

/// Wakes up slowly: its start takes about so many thousand steps.
fn slow(id: &str, thousands: u32) -> Mod {
    Mod::new(id).fields(&format!(
        r#"(func (export "_initialize") (local $i i32)
            (loop $next
                (local.set $i (i32.add (local.get $i) (i32.const 1)))
                (br_if $next (i32.lt_u (local.get $i) (i32.const {thousands}000)))))"#
    ))
}

/// A mod whose file takes its time to be read: it has a custom section of some megabytes.
fn large(id: &str) -> Vec<u8> {
    let mut bytes = Mod::new(id).build();
    // 2 to the power of 23 in LEB128, then a name of no letters and what it holds.
    bytes.extend([0, 0x80, 0x80, 0x80, 4]);
    bytes.extend(std::iter::repeat_n(0, 1 << 23));
    bytes
}

#[test]
fn the_first_mods_come_in_the_load_order() {
    let settings = ModSettings { compile_tasks: 4, ..default() };
    let mods: [(&str, &[u8]); 4] = [
        ("a.wasm", &Mod::new("two").needs("three", None).build()),
        ("b.wasm", b"broken"),
        ("c.wasm", &Mod::new("three").build()),
        ("d.wasm", &large("one")),
    ];
    let mut game = Game::with_settings(&mods, settings);
    game.until("all four", |game| game.story().len() == 4);
    assert_eq!(game.story(), ["failed b", "loaded one", "loaded three", "loaded two"]);
}

#[test]
fn a_mod_is_known_while_it_loads() {
    let mut game = Game::with_mods(&[("file.wasm", &slow("id", 100_000).build()), ("z.wasm", b"broken")]);
    let state = |game: &mut Game| {
        let state = |mods: Mods| mods.iter().map(|info| format!("{} {:?}", info.id, info.state)).collect::<Vec<_>>();
        game.app.world_mut().run_system_cached(state).expect("the system runs")
    };
    let settled = |game: &mut Game| {
        game.app.world_mut().run_system_cached(|mods: Mods| mods.all_settled()).expect("the system runs")
    };
    assert!(!settled(&mut game), "nobody has looked yet");
    let mut seen = Vec::new();
    game.until("a mod", |game| {
        seen.extend(state(game));
        seen.dedup();
        settled(game)
    });
    assert!(seen.contains(&"file Loading".to_owned()), "{seen:?}");
    assert!(!game.events.iter().any(|event| matches!(event, ModEvent::Unloaded { .. })), "{:?}", game.story());
    let states = game.app.world_mut().run_system_cached(|mods: Mods| {
        mods.iter().map(|info| (info.id.to_string(), matches!(info.state, ModState::Running))).collect::<Vec<_>>()
    });
    assert_eq!(states.expect("the system runs"), [("id".to_owned(), true), ("z".to_owned(), false)]);
}

#[test]
fn an_empty_folder_settles() {
    let mut game = Game::with_mods(&[]);
    game.until("peace", |game| {
        game.app.world_mut().run_system_cached(|mods: Mods| mods.all_settled()).expect("the system runs")
    });
}

#[test]
fn many_mods_are_prepared_a_few_at_a_time() {
    for compile_tasks in [0, 1, 3] {
        let bytes: Vec<_> = (0..8).map(|index| Mod::new(&format!("m{index}")).build()).collect();
        let names: Vec<_> = (0..8).map(|index| format!("m{index}.wasm")).collect();
        let mods: Vec<_> = names.iter().zip(&bytes).map(|(name, bytes)| (&**name, &**bytes)).collect();
        let mut game = Game::with_settings(&mods, ModSettings { compile_tasks, ..default() });
        game.until("all", |game| game.story().len() == 8);
        let expected: Vec<_> = (0..8).map(|index| format!("loaded m{index}")).collect();
        assert_eq!(game.story(), expected);
    }
}

/// A game with many mods, of which each takes some time to start. Says in how many frames mods came.
fn waves_of(settings: ModSettings) -> usize {
    let bytes: Vec<_> = (0..30).map(|index| slow(&format!("m{index:02}"), 2_000).build()).collect();
    let names: Vec<_> = (0..30).map(|index| format!("m{index:02}.wasm")).collect();
    let mods: Vec<_> = names.iter().zip(&bytes).map(|(name, bytes)| (&**name, &**bytes)).collect();
    let mut game = Game::with_settings(&mods, settings);
    let mut waves = 0;
    while game.story().len() < 30 {
        let before = game.story().len();
        game.until("the next ones", |game| game.story().len() > before);
        waves += 1;
    }
    let expected: Vec<_> = (0..30).map(|index| format!("loaded m{index:02}")).collect();
    assert_eq!(game.story(), expected);
    waves
}

#[test]
fn many_mods_come_together_where_frames_have_to_be_the_same() {
    assert_eq!(waves_of(ModSettings { deterministic: true, ..default() }), 1);
}

#[test]
fn many_mods_come_in_the_load_order_however_few_at_a_time() {
    assert!(waves_of(ModSettings { compile_tasks: 2, ..default() }) > 1);
}

#[test]
fn compiled_mods_are_kept_where_the_game_says() {
    let folder = TempDir::new().expect("a temporary folder");
    let kept = || {
        let files = fs::read_dir(folder.path().join("mod_host-compiled")).expect("the cache");
        let files = files.map(|file| file.expect("an entry").metadata().expect("it is there"));
        files.map(|file| (file.modified().expect("a time"), file.len())).collect::<Vec<_>>()
    };
    let play = |points: u32, compile_cache_bytes| {
        let compile_cache = CompileCache::In(folder.path().to_owned());
        let settings = ModSettings { compile_cache, compile_cache_bytes, ..default() };
        let mut game = Game::with_settings(&[("scorer.wasm", &scorer(points).build())], settings);
        game.app.insert_resource(Score::default());
        game.until_told("loaded scorer");
        game.frame();
        assert!(game.app.world().resource::<Score>().points >= u64::from(points));
    };
    play(1, 1 << 20);
    let first = kept();
    assert_eq!(first.len(), 1);
    play(1, 1 << 20);
    assert_eq!(kept(), first, "it was compiled once more");
    play(2, 1 << 20);
    assert_eq!(kept().len(), 2);
    // With less room than one of them takes, nothing more is kept, and nothing of what is too much.
    play(3, first[0].1);
    assert_eq!(kept().len(), 1);
}

#[test]
fn odd_file_names_are_files() {
    let mut game = Game::with_mods(&[("a#b.wasm", &scorer(1).build()), ("b\nc\u{1b}[2J.wasm", b"junk")]);
    game.app.insert_resource(Score::default());
    game.until("both", |game| game.story().len() == 2);
    game.until_told("loaded scorer");
    let fault = game.first_fault();
    assert!(fault.starts_with(r"b\u{a}c\u{1b}[2J (mods/b\u{a}c\u{1b}[2J.wasm): "), "{fault}");
    assert!(!fault.contains(char::is_control));
}

/// Runs a mod whose start-up system calls a function of the game.
#[track_caller]
fn check_start_up<M>(relay: impl bevy::ecs::system::IntoSystem<(), u32, M> + Clone + Send + Sync + 'static) -> Game {
    let caller = Mod::new("caller").import("relay").system("start", "Startup", vec![]);
    let caller = caller.run("(drop (call $relay (i64.const 0)))");
    let mut game = Game::with_mods(&[("caller.wasm", &caller.build()), ("z.wasm", &Mod::new("z").build())]);
    game.app.init_resource::<Answers>().add_mod_import("relay", relay);
    game.until_told("loaded z");
    assert_eq!(game.story(), ["loaded caller", "loaded z"], "{:?}", game.faults());
    game
}

/// What calls into mods said.
#[derive(Resource, Default)]
struct Answers(Vec<Result<(), ModCallError>>);

#[test]
fn a_function_of_the_game_that_names_mods_runs_in_a_start_up() {
    check_start_up(|mods: Mods| u32::try_from(mods.iter().count()).unwrap_or(0));
}

#[test]
fn a_call_into_a_mod_that_is_just_starting_is_refused() {
    let game = check_start_up(|mut commands: Commands| {
        commands.queue(|world: &mut World| {
            let answer = world.call_mod("caller", "anything", &());
            world.resource_mut::<Answers>().0.push(answer);
        });
        0
    });
    let answers = &game.app.world().resource::<Answers>().0;
    assert!(matches!(answers[..], [Err(ModCallError::NotRunning { .. })]), "{answers:?}");
}

#[test]
fn a_game_that_forbids_ambiguous_systems_can_have_mods() {
    let two = scorer(1).system("again", "Update", vec![]);
    let mut game = Game::with_mods(&[("two.wasm", &two.build())]);
    game.app.edit_schedule(Update, |schedule| {
        let ambiguity_detection = LogLevel::Error;
        schedule.set_build_settings(ScheduleBuildSettings { ambiguity_detection, ..default() });
    });
    game.app.insert_resource(Score::default()).add_systems(Update, |mut score: ResMut<Score>| score.points += 1);
    game.until_told("loaded scorer");
    game.frames(3);
    assert_eq!(game.faults().len(), 0);
}

/// An app with a mod folder of its own that holds `wind`.
fn app_with_wind(add: impl FnOnce(&mut App, AssetPlugin)) -> (App, TempDir) {
    let folder = TempDir::new().expect("a temporary folder");
    fs::create_dir(folder.path().join("mods")).expect("a mod folder");
    fs::write(folder.path().join("mods/wind.wasm"), Mod::new("wind").build()).expect("a file");
    let mut app = App::new();
    add(&mut app, AssetPlugin { file_path: folder.path().to_string_lossy().into_owned(), ..default() });
    (app, folder)
}

/// Runs an app until its mods are loaded, and says whether `wind` is among them.
fn has_wind(app: &mut App) -> bool {
    let start = std::time::Instant::now();
    loop {
        app.update();
        let look = |mods: Mods| mods.all_settled().then(|| mods.is_running("wind"));
        if let Some(has_wind) = app.world_mut().run_system_cached(look).expect("the system runs") {
            return has_wind;
        }
        assert!(start.elapsed().as_secs() < 30, "the mods never settled");
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
}

#[test]
fn the_plugin_may_come_before_or_after_the_assets() {
    let before = |app: &mut App, assets: AssetPlugin| {
        app.add_plugins((WasmModsPlugin, MinimalPlugins, assets));
        app.finish();
        app.cleanup();
    };
    assert!(has_wind(&mut app_with_wind(before).0));
    let after = |app: &mut App, assets: AssetPlugin| {
        app.add_plugins((MinimalPlugins, assets, WasmModsPlugin));
        app.finish();
        app.cleanup();
    };
    assert!(has_wind(&mut app_with_wind(after).0));
    let unfinished = |app: &mut App, assets: AssetPlugin| {
        app.add_plugins((assets, WasmModsPlugin));
    };
    assert!(has_wind(&mut app_with_wind(unfinished).0));
}

#[test]
fn a_game_that_never_brings_plugin_and_assets_together_has_no_mods() {
    let never = |app: &mut App, assets: AssetPlugin| {
        app.add_plugins((WasmModsPlugin, assets));
    };
    assert!(!has_wind(&mut app_with_wind(never).0));
}

#[test]
fn the_plugin_runs_alone() {
    let mut app = App::new();
    app.add_plugins(WasmModsPlugin);
    assert!(!has_wind(&mut app));
    let mut app = App::new();
    let folder = TempDir::new().expect("a temporary folder");
    let nowhere = folder.path().join("nothing").to_string_lossy().into_owned();
    app.insert_resource(ModSettings { folder: nowhere, ..default() }).add_plugins(WasmModsPlugin);
    app.finish();
    app.cleanup();
    assert!(!has_wind(&mut app), "the assets that it adds are there, and the folder is not");
}

#[test]
fn a_game_with_a_frame_of_its_own_making_has_mods() {
    let own = |app: &mut App, assets: AssetPlugin| {
        app.world_mut().resource_mut::<MainScheduleOrder>().labels.retain(|label| !(**label).eq(&First));
        app.add_plugins((MinimalPlugins, assets, WasmModsPlugin));
    };
    assert!(has_wind(&mut app_with_wind(own).0));
}
