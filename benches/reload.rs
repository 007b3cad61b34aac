//! What a reload costs a frame: `cargo bench --bench reload` (`-- --seconds 60` for the long run).
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
    ecs::message::Messages,
    prelude::{App, Component, IntoScheduleConfigs, MinimalPlugins, PluginGroup, Query, Reflect, Update, default},
};
use bevy_wasm_mods::prelude::{ModEvent, WasmModsPlugin};
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
    let system = |name: &str| SystemDesc {
        name: name.to_owned(),
        schedule: "Update".to_owned(),
        params: Vec::new(),
        after: Vec::new(),
    };
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

fn main() {
    let mut arguments = std::env::args().skip_while(|argument| argument != "--seconds").skip(1);
    let seconds = arguments.next().and_then(|seconds| seconds.parse().ok()).unwrap_or(10);
    let length = Duration::from_secs(seconds);
    report("no reloads", run(length, None));
    report("reloads, same signature", run(length, Some(dice)));
    report("reloads, other systems", run(length, Some(growing)));
}
