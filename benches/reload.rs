//! What a reload costs a frame: `cargo bench --bench reload` (`-- --seconds 60` for the long run). And whether memory stays
//! flat over many: `cargo bench --bench reload -- --cycles 10000`.
//!
//! A game of 60 frames a second is run three times: without reloads, with a mod that is replaced ten times a second, and
//! with one whose systems change each time, so that the schedule is built anew. The times are those of `App::update`.
#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]

use std::{
    fs,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use bevy::{
    asset::AssetPlugin,
    ecs::{message::Messages, system::SystemState},
    prelude::{App, Component, IntoScheduleConfigs, MinimalPlugins, PluginGroup, Query, Reflect, Update, default},
};
use bevy_wasm_mods::{
    CompileCache,
    prelude::{ModEvent, ModSettings, Mods, WasmModsPlugin},
};
use mod_abi::{
    codec,
    describe::{ModDescription, SystemDesc},
};
use tempfile::TempDir;

const FRAME: Duration = Duration::from_micros(16_667);
const EVERY: Duration = Duration::from_millis(100);

/// The committed mod of dice, made different by a custom section that nobody reads.
fn dice(version: u32) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/mods/orchard_dice.wasm");
    let mut bytes = fs::read(path).expect("the mod is committed");
    bytes.extend_from_slice(&[0, 12, 7]);
    bytes.extend_from_slice(b"version");
    bytes.extend_from_slice(&version.to_le_bytes());
    bytes
}

/// A mod with one or two systems by turns.
fn growing(version: u32) -> Vec<u8> {
    let names = ["one", "two"].into_iter().take(1 + (version % 2) as usize);
    let system =
        |name: &str| SystemDesc { name: name.to_owned(), schedule: "Update".to_owned(), ..SystemDesc::default() };
    let description = ModDescription { systems: names.map(system).collect(), ..ModDescription::default() };
    let bytes = codec::encode(&description).expect("a description");
    let escaped: String = bytes.iter().map(|byte| format!("\\{byte:02x}")).collect();
    let text = format!(
        r#"(module (memory (export "memory") 1) (data (i32.const 64) "{escaped}") (@custom "version" "{version}")
            (func (export "__alloc_buffer") (param i32) (result i32) (i32.const 4096))
            (func (export "__free_buffer") (param i64))
            (func (export "__mod_describe") (param i64) (result i64) (i64.const {}))
            (func (export "__mod_run") (param i64) (result i64) (i64.const 0)))"#,
        (64_u64 << 32) | bytes.len() as u64
    );
    wat::parse_str(text).expect("a module")
}

#[derive(Component, Reflect, Default)]
#[type_path = "hello_mods"]
struct Nectar {
    drops: u32,
}

#[derive(Component, Reflect, Default)]
#[type_path = "hello_mods"]
struct Bee;

/// Some work of the game's own, so that a schedule has something to build.
fn age<const N: usize>(mut all: Query<&mut Nectar>) {
    all.iter_mut().for_each(|mut nectar| nectar.drops = nectar.drops.wrapping_add(1));
}

fn game(folder: &Path) -> App {
    let mut app = App::new();
    let assets = AssetPlugin { file_path: folder.to_string_lossy().into_owned(), ..default() };
    // Every version is compiled: a cache would find those of an earlier run.
    app.insert_resource(ModSettings { compile_cache: CompileCache::Off, ..default() });
    app.add_plugins((MinimalPlugins.build(), assets, WasmModsPlugin));
    app.add_systems(Update, (age::<0>, age::<1>, age::<2>, age::<3>, age::<4>, age::<5>, age::<6>, age::<7>).chain());
    app.world_mut().spawn_batch((0..1000).map(|_| (Bee, Nectar::default())));
    app
}

/// The times of all frames, and how many reloads took effect.
fn run(length: Duration, module: Option<fn(u32) -> Vec<u8>>) -> (Vec<Duration>, usize) {
    let folder = TempDir::new().expect("a folder");
    let mods = folder.path().join("mods");
    fs::create_dir(&mods).expect("a folder");
    let file = mods.join("orchard_dice.wasm");
    let replace = |bytes: &[u8]| {
        let beside: PathBuf = mods.join("new");
        fs::write(&beside, bytes).expect("a file");
        fs::rename(&beside, &file).expect("a rename");
    };
    replace(&module.unwrap_or(dice)(0));
    let mut app = game(folder.path());
    let mut loaded = 0;
    let mut count = |app: &mut App| {
        let mut events = app.world_mut().resource_mut::<Messages<ModEvent>>();
        let taken = events.drain().filter(|event| matches!(event, ModEvent::Loaded { .. } | ModEvent::Reloaded { .. }));
        loaded += taken.count();
        loaded
    };
    while count(&mut app) == 0 {
        app.update();
    }
    let (start, mut replaced, mut version) = (Instant::now(), Instant::now(), 0);
    let mut frames = Vec::new();
    let mut reloads = 0;
    while start.elapsed() < length {
        let frame = Instant::now();
        app.update();
        frames.push(frame.elapsed());
        reloads = count(&mut app) - 1;
        if let Some(module) = module
            && replaced.elapsed() >= EVERY
        {
            version += 1;
            replaced = Instant::now();
            replace(&module(version));
        }
        std::thread::sleep(FRAME.saturating_sub(frame.elapsed()));
    }
    (frames, reloads)
}

fn report(name: &str, (mut frames, reloads): (Vec<Duration>, usize)) {
    frames.sort_unstable();
    let at = |part: f64| frames[((frames.len() - 1) as f64 * part) as usize];
    println!(
        "{name:<28} {:>6} frames {reloads:>5} reloads   median {:>9.3?}   99 % {:>9.3?}   99.9 % {:>9.3?}   worst {:>9.3?}",
        frames.len(),
        at(0.5),
        at(0.99),
        at(0.999),
        at(1.0)
    );
}

/// Reloads a mod, switches it off and on again, many times, and reports the memory of the process.
fn cycles(count: u32) {
    let folder = TempDir::new().expect("a folder");
    fs::create_dir(folder.path().join("mods")).expect("a folder");
    fs::write(folder.path().join("mods/growing.wasm"), growing(1)).expect("a file");
    let mut app = game(folder.path());
    let until = |app: &mut App, what: fn(&ModEvent) -> bool| {
        loop {
            app.update();
            let mut events = app.world_mut().resource_mut::<Messages<ModEvent>>();
            if events.drain().any(|event| what(&event)) {
                break;
            }
        }
    };
    let ask = |app: &mut App, what: fn(&mut Mods)| {
        let mut mods = SystemState::<Mods>::new(app.world_mut());
        what(&mut mods.get_mut(app.world_mut()).expect("the plugin is there"));
    };
    until(&mut app, |event| matches!(event, ModEvent::Loaded { .. }));
    let start = Instant::now();
    for cycle in 1..=count {
        ask(&mut app, |mods| mods.reload("growing").expect("it is known"));
        until(&mut app, |event| matches!(event, ModEvent::Reloaded { .. }));
        ask(&mut app, |mods| mods.disable("growing").expect("it is known"));
        until(&mut app, |event| matches!(event, ModEvent::Disabled { .. }));
        ask(&mut app, |mods| mods.enable("growing").expect("it is known"));
        until(&mut app, |event| matches!(event, ModEvent::Loaded { .. }));
        if cycle == 100 || cycle % 1000 == 0 || cycle == count {
            println!("{cycle:>6} cycles in {:>9.3?}: {} KiB resident", start.elapsed(), resident_kib());
        }
    }
}

/// The resident memory of this process, where the system tells it in the manner of Linux.
fn resident_kib() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok()).unwrap_or(0)
}

/// The number after a word of the command line.
fn argument(name: &str) -> Option<u32> {
    let mut arguments = std::env::args().skip_while(|argument| argument != name).skip(1);
    arguments.next().and_then(|number| number.parse().ok())
}

fn main() {
    if let Some(count) = argument("--cycles") {
        return cycles(count);
    }
    let length = Duration::from_secs(argument("--seconds").unwrap_or(10).into());
    report("no reloads", run(length, None));
    report("reloads, same signature", run(length, Some(dice)));
    report("reloads, other systems", run(length, Some(growing)));
}
