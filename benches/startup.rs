//! How long mods take from the start of a game until they run, and what its frames notice of it.
//!
//! `cargo bench --bench startup` (`-- --quick` for fewer rounds) prints what it measures and writes `target/bench/startup.json`.
//! Each start is one of a new process, which is this program again with other arguments: what a process has loaded once is
//! loaded. The mods are copies of one of the example's, each under an id of its own, so no two of them are the same.
#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

use bench_report::{Point, Report, Table, median};
use bevy::{
    asset::AssetPlugin,
    prelude::{App, Component, IntoScheduleConfigs, MinimalPlugins, PluginGroup, Query, Reflect, Update, default},
};
use bevy_wasm_mods::{
    CompileCache,
    prelude::{ModRegistry, ModSettings, WasmModsPlugin},
};
use mod_host::{CompiledMod, EngineConfig, HostEngine, Instance, InstanceConfig, Limits, Manifest};
use tempfile::TempDir;

const FRAME: Duration = Duration::from_micros(16_667);
/// The first frames of every game build its schedules. They are not looked at.
const FIRST: usize = 3;
/// Frames after the last mod has come: the schedules are built once more.
const AFTER: usize = 20;
const AMOUNTS: [usize; 3] = [1, 10, 100];
/// What one start may take for each mod, in milliseconds, when it was compiled before.
const WARM_BAR: f64 = 5.0;

#[derive(Component, Reflect, Default)]
#[type_path = "hello_mods"]
struct Nectar {
    drops: u32,
}

#[derive(Component, Reflect, Default)]
#[type_path = "hello_mods"]
struct Bee;

/// Some work of the game's own.
fn age<const N: usize>(mut all: Query<&mut Nectar>) {
    all.iter_mut().for_each(|mut nectar| nectar.drops = nectar.drops.wrapping_add(1));
}

/// The committed mod of dice under another id of the same length.
fn dice(number: usize) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/mods/orchard_dice.wasm");
    let mut module = fs::read(path).expect("the mod is committed");
    let (old, new) = (b"id: orchard_dice".as_slice(), format!("id: orchard{number:05}"));
    let places: Vec<_> = (0..module.len() - old.len()).filter(|at| module[*at..].starts_with(old)).collect();
    assert!(!places.is_empty(), "the module states its id");
    for at in places {
        module[at..at + new.len()].copy_from_slice(new.as_bytes());
    }
    module
}

/// A folder of assets with so many mods.
fn assets(mods: usize) -> TempDir {
    let folder = TempDir::new().expect("a folder");
    fs::create_dir(folder.path().join("mods")).expect("a folder");
    for number in 0..mods {
        fs::write(folder.path().join(format!("mods/dice_{number:03}.wasm")), dice(number)).expect("a file");
    }
    folder
}

fn game(assets: &Path, cache: &Path) -> App {
    let mut app = App::new();
    let assets = AssetPlugin { file_path: assets.to_string_lossy().into_owned(), ..default() };
    let compile_cache = CompileCache::In(cache.to_owned());
    app.insert_resource(ModSettings { watch: false, compile_cache, ..default() });
    app.add_plugins((MinimalPlugins.build(), assets, WasmModsPlugin));
    app.add_systems(Update, (age::<0>, age::<1>, age::<2>, age::<3>, age::<4>, age::<5>, age::<6>, age::<7>).chain());
    app.world_mut().spawn_batch((0..1000).map(|_| (Bee, Nectar::default())));
    app
}

/// What was measured in one start, by name, in milliseconds.
type Figures = BTreeMap<String, f64>;

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

/// A game of 60 frames a second, until so many mods run, and in any case for so many frames.
fn start(mods: usize, least: usize, assets: &Path, cache: &Path) -> Figures {
    let begin = Instant::now();
    let mut app = game(assets, cache);
    app.finish();
    app.cleanup();
    let mut frames = Vec::new();
    let (mut ready, mut after) = (None, 0);
    while after < AFTER || frames.len() < least {
        let frame = Instant::now();
        app.update();
        frames.push(milliseconds(frame.elapsed()));
        let registry = app.world().resource::<ModRegistry>();
        if ready.is_none() && registry.all_settled() {
            let running = registry.iter().filter(|info| registry.is_running(&info.id)).count();
            assert_eq!(running, mods, "{:?}", registry.iter().map(|info| info.state).collect::<Vec<_>>());
            ready = Some(begin.elapsed());
        }
        after += usize::from(ready.is_some());
        assert!(begin.elapsed() < Duration::from_secs(600), "the mods never came into play");
        std::thread::sleep(FRAME.saturating_sub(frame.elapsed()));
    }
    let count = frames.len() as f64;
    let late = frames.split_off(FIRST);
    let longest = late.iter().copied().fold(0.0, f64::max);
    let over = late.iter().filter(|frame| **frame > milliseconds(FRAME)).count() as f64;
    let ready = ready.map_or(f64::NAN, milliseconds);
    [
        ("ready", ready),
        ("frames", count),
        ("longest", longest),
        ("over", over),
        ("sum", late.iter().sum()),
        ("median", median(late)),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into()
}

/// The steps of a start in the background, one mod after the other, without a game: the median of each.
fn steps(mods: usize, cache: &Path) -> Figures {
    let mut config = EngineConfig::default();
    config.cache = CompileCache::In(cache.to_owned());
    let engine = HostEngine::new(&config).expect("an engine");
    let limits = Limits::default();
    let mut times: BTreeMap<String, Vec<f64>> = BTreeMap::new();
    for number in 0..mods {
        let bytes = dice(number);
        let mut last = Instant::now();
        let mut done = |name: &str| {
            times.entry(name.to_owned()).or_default().push(milliseconds(last.elapsed()));
            last = Instant::now();
        };
        Manifest::read_identity(&bytes, "dice", &limits).expect("a mod");
        done("identity");
        Manifest::read(&bytes, "dice", &limits).expect("a mod");
        done("manifest");
        let compiled = CompiledMod::new(&engine, &bytes, "dice", &limits).expect("a mod");
        done("compiled");
        let mut config = InstanceConfig::default();
        config.host_functions = compiled.manifest().host_functions.iter().map(|name| name.as_str().into()).collect();
        let mut instance = Instance::new(&compiled, config).expect("an instance");
        done("instance");
        instance.describe().expect("a description");
        done("describe");
        instance.save().expect("a state");
        done("save");
    }
    let mut medians: Figures = times.into_iter().map(|(name, times)| (name, median(times))).collect();
    medians.insert("hits".to_owned(), engine.cache_hits() as f64);
    medians
}

/// What this program does when it is started by itself.
fn child(arguments: &[String]) -> Option<Figures> {
    let [what, mods, least, assets, cache] = arguments else { return None };
    let number = |text: &str| text.parse().expect("a number");
    Some(match what.as_str() {
        "start" => start(number(mods), number(least), Path::new(assets), Path::new(cache)),
        _ => steps(number(mods), Path::new(cache)),
    })
}

/// Starts this program in a new process.
fn run(what: &str, mods: usize, least: usize, assets: &Path, cache: &Path) -> Figures {
    let program = std::env::current_exe().expect("this program is a file");
    let numbers = [mods.to_string(), least.to_string()];
    let output = Command::new(program).args(["--child", what]).args(numbers).args([assets, cache]).output();
    let output = output.expect("the program can be started again");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).expect("text");
    let figure = |line: &str| {
        let (name, value) = line.strip_prefix("figure ")?.split_once(' ')?;
        Some((name.to_owned(), value.parse().ok()?))
    };
    text.lines().filter_map(figure).collect()
}

/// The median of each figure.
fn medians(rounds: Vec<Figures>) -> Figures {
    let names: Vec<String> = rounds.first().into_iter().flat_map(|round| round.keys().cloned()).collect();
    let of = |name: &String| median(rounds.iter().filter_map(|round| round.get(name).copied()).collect());
    names.iter().map(|name| (name.clone(), of(name))).collect()
}

/// The starts of a game with so many mods: compiled, found in the cache, and the same game without any, for as many frames.
struct Starts {
    cold: Figures,
    warm: Figures,
    without: Figures,
}

fn starts(mods: usize, rounds: usize) -> Starts {
    let (folder, empty) = (assets(mods), assets(0));
    let [mut cold, mut warm, mut without] = [const { Vec::new() }; 3];
    for _ in 0..rounds {
        let cache = TempDir::new().expect("a folder");
        cold.push(run("start", mods, 0, folder.path(), cache.path()));
        warm.push(run("start", mods, 0, folder.path(), cache.path()));
        let frames = cold.last().map_or(0.0, |round| round["frames"]) as usize;
        without.push(run("start", 0, frames, empty.path(), cache.path()));
    }
    Starts { cold: medians(cold), warm: medians(warm), without: medians(without) }
}

const READY: &str = "From the first line of a game's `main` until all of its mods run, divided by their number, in a game of 60 \
frames a second. Each start is a new process. The mods are copies of `assets/mods/orchard_dice.wasm` (119 kB, with the code of \
`rand`), each with an id of its own; all of them add a system to `Update`. *Compiled* begins with an empty cache, *from the \
cache* is the start after it. A frame comes every 16.7 ms whether a mod is ready or not, and it takes about eight of them until \
the folder is listed, the files are read and it is known which mods they are: with one mod this is all there is to see. The bar \
is 5 ms a mod for 100 mods from the cache.";

const FRAMES: &str = "The longest call of `App::update`, without the first three frames, which build the schedules of every \
game, while the mods come, and for as many frames of the same game without mods (eight systems of its own). Mods are compiled in \
the background, by default on half of the cores, and come into the game in waves: every 250 ms, and 4 ms of a frame at the most. \
Bevy builds a schedule anew after each.";

const STEPS: &str = "The steps of one start, for one mod, in the middle of many. *Checked* is what is done to be sure of a mod \
before its code is used: the validation of the whole module is the most of it. *Compiled* is the module from its bytes: hashed, \
read, checked and loaded where it is in the cache. *Frames* is what the main thread does for it in all its frames, as the difference \
to a game without mods.";

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let Some(at) = arguments.iter().position(|argument| argument == "--child") {
        for (name, value) in child(&arguments[at + 1..]).expect("five arguments") {
            println!("figure {name} {value}");
        }
        return;
    }
    let rounds = if arguments.iter().any(|argument| argument == "--quick") { 1 } else { 5 };
    let mut report = Report::new("startup");
    let mut ready = Table::new("startup", "Time until a mod runs, by their number", "mods", "ms per mod");
    let mut frames = Table::new("startup_frames", "The longest frame while mods come", "mods", "ms");
    let mut parts = Table::new("startup_steps", "What the start of a mod consists of", "step", "ms");
    (ready.method, frames.method, parts.method) = (READY.to_owned(), FRAMES.to_owned(), STEPS.to_owned());
    for mods in AMOUNTS {
        let starts = starts(mods, rounds);
        let at = mods as f64;
        for (series, figures) in [("compiled", &starts.cold), ("from the cache", &starts.warm)] {
            ready.put(series, Point::measured(at, figures["ready"] / at));
            frames.put(series, Point::measured(at, figures["longest"]));
        }
        frames.put("without mods", Point::measured(at, starts.without["longest"]));
        for (name, figures) in [("compiled", &starts.cold), ("warm", &starts.warm), ("without", &starts.without)] {
            println!("{mods:>3} mods, {name:<9} {figures:.2?}");
        }
        if mods == 100 {
            report.ratio("cold_start_ms_per_mod", starts.cold["ready"] / at);
            report.ratio("warm_start_ms_per_mod", starts.warm["ready"] / at);
            report.ratio("cold_start_longest_frame_ms", starts.cold["longest"]);
            report.ratio("warm_start_longest_frame_ms", starts.warm["longest"]);
            report.ratio("longest_frame_without_mods_ms", starts.without["longest"]);
            let quiet = starts.without["median"];
            for (series, figures) in [("compiled", &starts.cold), ("from the cache", &starts.warm)] {
                let more = figures["sum"] - quiet * (figures["frames"] - FIRST as f64);
                parts.put(series, Point::measured("frames", more / at));
            }
        }
    }
    let cache = TempDir::new().expect("a folder");
    let count = if rounds == 1 { 10 } else { 100 };
    for series in ["compiled", "from the cache"] {
        let steps = run("steps", count, 0, &PathBuf::new(), cache.path());
        println!("{series}: {steps:.3?}");
        // A compiled mod has been checked on the way.
        let module = (steps["compiled"] - steps["manifest"]).max(0.0);
        let cases = [("identified", steps["identity"]), ("checked", steps["manifest"]), ("compiled", module)];
        let rest =
            [("instance", steps["instance"]), ("described", steps["describe"]), ("asked for its state", steps["save"])];
        for (case, value) in cases.into_iter().chain(rest) {
            parts.put(series, Point::measured(case, value));
        }
    }
    report.tables = vec![ready, frames, parts];
    for (key, value) in &report.ratios {
        println!("{key:<32} {value:.3}");
    }
    let warm = report.ratios.get("warm_start_ms_per_mod").copied().unwrap_or(f64::NAN);
    println!("the bar of {WARM_BAR} ms a mod is {}", if warm <= WARM_BAR { "kept" } else { "missed" });
    let path = report.write().expect("the report can be written");
    println!("written to {}", path.display());
}
