//! What it costs that a system is a mod's: each is measured beside the same system written natively, both in one run.
//!
//! `cargo bench --bench bridge` prints what Criterion measures and writes `target/bridge.json` with one number for each key, and the
//! same as a report for `cargo xtask bench`.
//! It needs `rustup target add wasm32-unknown-unknown`, because it builds the mod's side from `tests/guests/bridge_bench`.
//!
//! A system of a mod is timed inside its `run_unsafe`: its rows are gathered, the mod is called, what it wrote is stored. A
//! native system is timed in the same way. The two take turns, so that both see the same noise.

#![expect(unsafe_code, reason = "runs systems without a scheduler, and counts what is allocated")]
#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]

use std::{
    alloc::{GlobalAlloc, Layout, System as SystemAllocator},
    cell::Cell,
    collections::BTreeMap,
    fs,
    path::Path,
    process::Command,
    time::{Duration, Instant},
};

use bench_report::{Point, Report, Table};
use bevy::{
    asset::AssetPlugin,
    ecs::{
        schedule::{ScheduleLabel, Schedules, SystemWithAccess},
        system::{IntoSystem, System},
    },
    prelude::{
        App, Component, First, Last, MinimalPlugins, PluginGroup, PostUpdate, PreUpdate, Query, Reflect,
        ReflectComponent, Transform, Update, Vec3, World, default,
    },
};
use bevy_wasm_mods::{
    MaintainMods,
    prelude::{ModLimits, ModRegistry, ModSettings, WasmModsPlugin},
};
use criterion::Criterion;
use tempfile::TempDir;

#[path = "../tests/guests/bridge_bench/src/flock.rs"]
mod flock;

const DT: f32 = 1.0 / 60.0;

#[derive(Component, Reflect, Clone, Copy)]
#[reflect(Component)]
struct Velocity(Vec3);

#[derive(Component, Reflect, Clone, Copy)]
#[reflect(Component)]
struct Boid {
    place: [f32; 2],
    velocity: [f32; 2],
}

#[derive(Component, Reflect)]
#[reflect(Component)]
struct Label {
    text: String,
}

#[derive(Component, Reflect)]
#[reflect(Component)]
struct Counter(u32);

/// Counts what is allocated by this thread.
struct Counting;

thread_local! {
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
}

// SAFETY: everything is passed on to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // A thread that ends has no counter any more.
        let _ = ALLOCATIONS.try_with(|count| count.set(count.get() + 1));
        // SAFETY: passed on.
        unsafe { SystemAllocator.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: passed on.
        unsafe { SystemAllocator.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        let _ = ALLOCATIONS.try_with(|count| count.set(count.get() + 1));
        // SAFETY: passed on.
        unsafe { SystemAllocator.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// A game with mods that never runs a frame by itself: its systems are run one by one.
struct Game {
    app: App,
    _folder: TempDir,
}

impl Game {
    /// A game whose World `spawn` fills, with `mods` copies of the benchmark's mod.
    fn new(guest: &str, mods: usize, spawn: impl FnOnce(&mut World)) -> Self {
        let folder = TempDir::new().expect("a folder");
        let module = module(guest);
        fs::create_dir(folder.path().join("mods")).expect("a folder");
        for number in 0..mods {
            let bytes = renamed(&module, guest, number);
            fs::write(folder.path().join(format!("mods/bench_{number:03}.wasm")), bytes).expect("a file");
        }
        let mut app = App::new();
        let assets = AssetPlugin { file_path: folder.path().to_string_lossy().into_owned(), ..default() };
        // Systems run without frames, so all of them are of one.
        let limits = ModLimits { frame_time: Duration::from_secs(3_600), ..default() };
        app.insert_resource(ModSettings { watch: false, limits, ..default() });
        app.add_plugins((MinimalPlugins.build(), assets, WasmModsPlugin));
        app.register_type::<(Velocity, Boid, Label, Counter)>();
        app.register_type::<Transform>();
        app.finish();
        app.cleanup();
        spawn(app.world_mut());
        let is_ready = |app: &App| {
            let registry = app.world().resource::<ModRegistry>();
            registry.all_settled() && registry.iter().filter(|info| registry.is_running(&info.id)).count() == mods
        };
        let start = Instant::now();
        while !is_ready(&app) {
            assert!(start.elapsed() < Duration::from_secs(120), "the mods never came into play");
            app.world_mut().run_schedule(MaintainMods);
            // The asset server hands its files out in these.
            app.world_mut().run_schedule(First);
            app.world_mut().run_schedule(PreUpdate);
            app.world_mut().run_schedule(PostUpdate);
            std::thread::sleep(Duration::from_millis(1));
        }
        Self { app, _folder: folder }
    }

    /// The systems of mods in a schedule whose names end so, ready to run.
    fn systems(&mut self, schedule: impl ScheduleLabel, name: &str) -> Vec<Box<dyn System<In = (), Out = ()>>> {
        let world = self.app.world_mut();
        let mut schedules = world.remove_resource::<Schedules>().expect("there are schedules");
        let taken = schedules.get_mut(schedule).expect("the mods have systems in it");
        let graph = taken.graph_mut();
        let wanted = |full: &str| full.rsplit("::").next().is_some_and(|last| last.starts_with(name));
        let keys: Vec<_> = graph
            .systems
            .iter()
            .filter(|(_, system, _)| wanted(&system.name().to_string()))
            .map(|(key, ..)| key)
            .collect();
        let mut found = Vec::new();
        for key in keys {
            let place = graph.systems.get_mut(key).expect("it was just found");
            let nothing = SystemWithAccess::new(Box::new(IntoSystem::into_system(|| {})));
            let mut system = std::mem::replace(place, nothing);
            system.initialize(world);
            found.push(Box::new(system) as Box<dyn System<In = (), Out = ()>>);
        }
        world.insert_resource(schedules);
        assert!(!found.is_empty(), "no system is called {name}");
        found
    }

    fn system(&mut self, name: &str) -> Box<dyn System<In = (), Out = ()>> {
        self.systems(Update, name).remove(0)
    }

    fn native<M>(&mut self, system: impl IntoSystem<(), (), M>) -> Box<dyn System<In = (), Out = ()>> {
        let mut system = Box::new(IntoSystem::into_system(system));
        system.initialize(self.app.world_mut());
        system
    }

    fn run(&mut self, system: &mut dyn System<In = (), Out = ()>) -> Duration {
        let world = self.app.world_mut().as_unsafe_world_cell();
        let start = Instant::now();
        // SAFETY: the cell comes from a `&mut World`, and the system was initialised with it.
        unsafe { system.run_unsafe((), world) }.expect("it runs");
        start.elapsed()
    }

    #[track_caller]
    fn check(&self) {
        let registry = self.app.world().resource::<ModRegistry>();
        assert!(registry.iter().all(|info| registry.is_running(&info.id)), "a mod failed");
    }
}

/// The module of the mod's side, built from source.
fn module(guest: &str) -> Vec<u8> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let path = root.join("target/guests/wasm32-unknown-unknown").join(guest).with_extension("wasm");
    static BUILT: std::sync::Once = std::sync::Once::new();
    BUILT.call_once(|| {
        let built = Command::new(env!("CARGO")).args(["xtask", "guests"]).current_dir(root).status();
        assert!(built.expect("cargo runs").success(), "the guests could not be built");
    });
    fs::read(path).expect("the target wasm32-unknown-unknown is installed")
}

/// The module under another id of the same length, so that there can be many of it.
fn renamed(module: &[u8], guest: &str, number: usize) -> Vec<u8> {
    let (old, digits) = (format!("id: {guest}"), 5);
    let new = format!("{}{number:0digits$}", &old[..old.len() - digits]);
    // It stands in the custom section; a copy in the data does no harm.
    let mut module = module.to_vec();
    let places: Vec<_> = (0..module.len() - old.len()).filter(|at| module[*at..].starts_with(old.as_bytes())).collect();
    assert!(!places.is_empty(), "the module states its id");
    for at in places {
        module[at..at + new.len()].copy_from_slice(new.as_bytes());
    }
    module
}

/// The time in the middle, or NaN for a benchmark that the command line left out.
fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times.get(times.len() / 2).copied().unwrap_or(f64::NAN)
}

const METHOD: &str = "A system of a mod is timed inside its `run_unsafe`: rows gathered, mod called, rows stored. The native system beside it is timed \
    in the same way, in a World of its own, and the two take turns. What nobody has changed since the system's last run stays in the mod's memory; the lines \
    where the game has changed everything show what it costs to send it. *Floor* is the least that it could take: the native system and the bytes that \
    have to be copied, at the speed at which this machine copied 4 MB in the same run, or 20 ns for a call. The checks that end a loop without end are on, as they always are.";

/// The least that a row could take.
#[derive(Clone, Copy)]
enum Floor {
    /// What the native system takes, and so many bytes copied: as a ratio to the native system.
    Copied(f64),
    /// So many nanoseconds of calls and so many bytes copied, in units of so many nanoseconds.
    Taken {
        calls: f64,
        bytes: f64,
        unit: f64,
    },
    Nothing,
}

/// What it takes to call into a mod and come back, in nanoseconds.
const CALL: f64 = 20.0;
/// The bytes of a `Transform`, and of its translation.
const TRANSFORM: f64 = 40.0;
const TRANSLATION: f64 = 12.0;
/// The bytes of a text of the rows, with those of its length.
const TEXT: f64 = 24.0;

/// What stands for each key in the table, the bar, where there is one, and the floor.
const ROWS: &[(&str, &str, Option<f64>, Floor)] = &[
    (
        "update_transform_100k",
        "100,000 entities, read `Velocity`, change whole `Transform`s: to native",
        Some(6.5),
        Floor::Copied(1e5 * TRANSFORM),
    ),
    (
        "update_translation_100k",
        "the same with only `translation` crossing: to native",
        Some(3.5),
        Floor::Copied(1e5 * TRANSLATION),
    ),
    ("read_transform_100k", "sum of 100,000 translations, nothing written: to native", Some(5.0), Floor::Copied(0.0)),
    (
        "update_transform_changed_100k",
        "`Transform`s, where the game has changed each of them before: to native",
        Some(6.5),
        Floor::Copied(2e5 * TRANSFORM),
    ),
    (
        "update_translation_changed_100k",
        "only `translation`, the same: to native",
        None,
        Floor::Copied(2e5 * TRANSLATION),
    ),
    ("read_transform_changed_100k", "the sum, the same: to native", None, Floor::Copied(1e5 * TRANSFORM)),
    (
        "boids_10k",
        "10,000 boids with a neighbour grid, the same source in both: to native",
        Some(1.8),
        Floor::Copied(1e4 * 16.0),
    ),
    ("empty_system_ns", "an empty system, ns", Some(400.0), Floor::Taken { calls: CALL, bytes: 0.0, unit: 1.0 }),
    (
        "many_mods_us",
        "100 mods with 5 systems over 10 entities each: us for each system",
        Some(2.0),
        Floor::Taken { calls: CALL, bytes: 80.0, unit: 1e3 },
    ),
    (
        "many_mods_frame_us",
        "the whole frame of those 500 systems, us",
        None,
        Floor::Taken { calls: 500.0 * CALL, bytes: 500.0 * 80.0, unit: 1e3 },
    ),
    (
        "string_row_ns",
        "10,000 rows with a `String`, each changed: ns for each row",
        Some(400.0),
        Floor::Taken { calls: 0.0, bytes: 2.0 * TEXT, unit: 1.0 },
    ),
    (
        "string_row_read_ns",
        "the same, only read: ns for each row",
        None,
        Floor::Taken { calls: 0.0, bytes: TEXT, unit: 1.0 },
    ),
    ("host_allocations_per_frame", "allocations of the host in a steady state", Some(0.0), Floor::Nothing),
];

/// Nanoseconds that it takes to copy a byte, with as many bytes as 100,000 `Transform`s have.
fn copying() -> f64 {
    let from = vec![1_u8; 100_000 * TRANSFORM as usize];
    let mut to = vec![0_u8; from.len()];
    let times = (0..200).map(|_| {
        let start = Instant::now();
        to.copy_from_slice(std::hint::black_box(&from));
        std::hint::black_box(&mut to);
        start.elapsed().as_secs_f64()
    });
    median(times.collect()) * 1e9 / from.len() as f64
}

/// The numbers for `target/bridge.json`.
#[derive(Default)]
struct Numbers {
    found: BTreeMap<String, f64>,
    /// Nanoseconds of the native systems.
    natives: BTreeMap<String, f64>,
}

impl Numbers {
    fn put(&mut self, key: &str, value: f64) {
        if value.is_nan() {
            return;
        }
        println!("{key:<40} {value:.3}");
        self.found.insert(key.to_owned(), value);
    }

    fn write(&self) {
        let lines: Vec<_> = self.found.iter().map(|(key, value)| format!("  \"{key}\": {value:.4}")).collect();
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/bridge.json");
        fs::write(&path, format!("{{\n{}\n}}\n", lines.join(",\n"))).expect("the numbers can be written");
        println!("written to {}", path.display());
    }

    /// Figures beside their bars, for those that were measured.
    fn report(&self) -> Report {
        let mut report = Report::new("bridge");
        let mut table = Table::new("systems", "Systems of a mod", "what", "");
        table.method = METHOD.to_owned();
        let of_a_byte = copying();
        for (key, what, bar, floor) in ROWS {
            let Some(value) = self.found.get(*key) else { continue };
            report.ratio(key, *value);
            table.put("figure", Point::measured(*what, *value));
            if let Some(bar) = bar {
                table.put("bar", Point::measured(*what, *bar));
            }
            let floor = match (floor, self.natives.get(*key)) {
                (Floor::Copied(bytes), Some(native)) => 1.0 + bytes * of_a_byte / native,
                (Floor::Taken { calls, bytes, unit }, _) => (calls + bytes * of_a_byte) / unit,
                _ => continue,
            };
            table.put("floor", Point::measured(*what, floor));
        }
        report.tables.push(table);
        report
    }
}

/// Measures a system of the mod beside a native one, taking turns, and puts the ratio of the medians under `key`. Each has a
/// World of its own, as it would be in a game. `between` changes the mod's World before each of its runs, outside of the time.
fn ratio(
    criterion: &mut Criterion,
    numbers: &mut Numbers,
    key: &str,
    (game, of_mod): (&mut Game, &mut dyn System<In = (), Out = ()>),
    (native_game, native): (&mut Game, &mut dyn System<In = (), Out = ()>),
    mut between: Option<&mut dyn System<In = (), Out = ()>>,
) {
    let (mut native_times, mut mod_times) = (Vec::new(), Vec::new());
    criterion.bench_function(key, |bencher| {
        bencher.iter_custom(|rounds| {
            let mut sum = Duration::ZERO;
            for _ in 0..rounds {
                native_times.push(native_game.run(native).as_secs_f64());
                if let Some(between) = &mut between {
                    game.run(*between);
                }
                let time = game.run(of_mod);
                mod_times.push(time.as_secs_f64());
                sum += time;
            }
            sum
        });
    });
    game.check();
    let (native, of_mod) = (median(native_times), median(mod_times));
    println!("{key}: native {:.1} us, mod {:.1} us", native * 1e6, of_mod * 1e6);
    numbers.natives.insert(key.to_owned(), native * 1e9);
    numbers.put(key, of_mod / native);
}

/// The median time of a system of a mod, in nanoseconds.
fn time(criterion: &mut Criterion, key: &str, game: &mut Game, system: &mut dyn System<In = (), Out = ()>) -> f64 {
    let mut times = Vec::new();
    criterion.bench_function(key, |bencher| {
        bencher.iter_custom(|rounds| {
            (0..rounds)
                .map(|_| {
                    let time = game.run(system);
                    times.push(time.as_secs_f64());
                    time
                })
                .sum()
        });
    });
    game.check();
    median(times) * 1e9
}

fn movers(world: &mut World) {
    world.spawn_batch((0..100_000).map(|number| {
        let number = number as f32;
        (Transform::from_xyz(number, 1.0, 2.0), Velocity(Vec3::new(1.0, number, 0.5)))
    }));
}

fn flock_of(count: u32) -> impl Iterator<Item = Boid> {
    // A generator as small as can be: all runs see the same flock.
    let mut state = 12345_u32;
    let mut random = move |most: f32| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as f32 / (1 << 24) as f32 * most
    };
    (0..count)
        .map(move |_| Boid { place: [random(200.0), random(200.0)], velocity: [random(2.0) - 1.0, random(2.0) - 1.0] })
}

fn update_transform(mut query: Query<(&mut Transform, &Velocity)>) {
    for (mut transform, velocity) in &mut query {
        transform.translation += velocity.0 * DT;
    }
}

fn read_transform(query: Query<&Transform>) {
    let sum: Vec3 = query.iter().map(|transform| transform.translation).sum();
    std::hint::black_box(sum);
}

fn fly(mut query: Query<&mut Boid>, mut flock: bevy::prelude::Local<flock::Flock>) {
    flock.clear();
    flock.extend(query.iter().map(|boid| (boid.place, boid.velocity)));
    flock.step(DT);
    for (mut boid, (place, velocity)) in query.iter_mut().zip(flock.boids()) {
        boid.place = place;
        boid.velocity = velocity;
    }
}

fn allocations(game: &mut Game, system: &mut dyn System<In = (), Out = ()>) -> u64 {
    for _ in 0..10 {
        game.run(system);
    }
    let before = ALLOCATIONS.get();
    for _ in 0..100 {
        game.run(system);
    }
    ALLOCATIONS.get() - before
}

fn main() {
    let mut criterion = Criterion::default()
        .sample_size(20)
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(2))
        .configure_from_args();
    let criterion = &mut criterion;
    let mut numbers = Numbers::default();
    let mut allocated = 0;

    let mut game = Game::new("bridge_bench", 1, movers);
    let (mut update, mut part) = (game.system("update_transform"), game.system("update_translation"));
    let (mut read, mut empty) = (game.system("read_transform"), game.system("empty"));
    let mut native = Game::new("bridge_bench", 0, movers);
    let (mut native_update, mut native_read) = (native.native(update_transform), native.native(read_transform));
    let mut native_again = native.native(update_transform);
    let mut between = game.native(update_transform);
    for (key, of_mod, native_system) in [
        ("update_transform_100k", &mut update, &mut native_update),
        ("update_translation_100k", &mut part, &mut native_again),
        ("read_transform_100k", &mut read, &mut native_read),
    ] {
        ratio(criterion, &mut numbers, key, (&mut game, &mut **of_mod), (&mut native, &mut **native_system), None);
        let (key, between) = (key.replace("_100k", "_changed_100k"), Some(&mut *between));
        ratio(criterion, &mut numbers, &key, (&mut game, &mut **of_mod), (&mut native, &mut **native_system), between);
    }
    let time_of_empty = time(criterion, "empty_system_ns", &mut game, &mut *empty);
    numbers.put("empty_system_ns", time_of_empty);
    for system in [&mut update, &mut part, &mut read, &mut empty] {
        allocated += allocations(&mut game, &mut **system);
    }

    let mut game = Game::new("bridge_bench", 1, |world| {
        world.spawn_batch(flock_of(10_000).collect::<Vec<_>>());
    });
    let mut native = Game::new("bridge_bench", 0, |world| {
        world.spawn_batch(flock_of(10_000).collect::<Vec<_>>());
    });
    let (mut of_mod, mut fly) = (game.system("flock"), native.native(fly));
    ratio(criterion, &mut numbers, "boids_10k", (&mut game, &mut *of_mod), (&mut native, &mut *fly), None);
    allocated += allocations(&mut game, &mut *of_mod);

    let mut game = Game::new("bridge_bench", 1, |world| {
        world.spawn_batch((0..10_000).map(|number| Label { text: format!("entity number {number}") }));
    });
    let (mut read, mut write) = (game.system("read_label"), game.system("write_label"));
    let read_ns = time(criterion, "string_row_read_ns", &mut game, &mut *read) / 1e4;
    let write_ns = time(criterion, "string_row_ns", &mut game, &mut *write) / 1e4;
    numbers.put("string_row_read_ns", read_ns);
    numbers.put("string_row_ns", write_ns);
    allocated += allocations(&mut game, &mut *read);

    let mut game = Game::new("counter_bench", 100, |world| {
        world.spawn_batch((0..10).map(Counter));
    });
    let mut systems = game.systems(Last, "count_");
    assert_eq!(systems.len(), 500);
    let mut times = Vec::new();
    criterion.bench_function("many_mods_us", |bencher| {
        bencher.iter_custom(|rounds| {
            (0..rounds)
                .map(|_| {
                    let all: Duration = systems.iter_mut().map(|system| game.run(&mut **system)).sum();
                    times.push(all.as_secs_f64() / 500.0);
                    all
                })
                .sum()
        });
    });
    numbers.put("many_mods_us", median(times) * 1e6);
    for system in systems.iter_mut().take(5) {
        allocated += allocations(&mut game, &mut **system);
    }
    game.check();
    numbers.put("host_allocations_per_frame", allocated as f64 / 100.0);

    // The same five hundred systems in a frame of the game.
    let mut game = Game::new("counter_bench", 100, |world| {
        world.spawn_batch((0..10).map(Counter));
    });
    let mut times = Vec::new();
    criterion.bench_function("many_mods_frame_us", |bencher| {
        bencher.iter_custom(|rounds| {
            (0..rounds)
                .map(|_| {
                    let start = Instant::now();
                    game.app.update();
                    times.push(start.elapsed().as_secs_f64());
                    start.elapsed()
                })
                .sum()
        });
    });
    numbers.put("many_mods_frame_us", median(times) * 1e6);
    criterion.final_summary();
    numbers.write();
    numbers.report().write().expect("the report can be written");
}
