//! Games with mods that were written in the text format, whose frames or single systems are timed. What is compared is not known
//! here.

use std::{
    fs,
    path::Path,
    time::{Duration, Instant},
};

use bevy::{
    app::{TaskPoolOptions, TaskPoolPlugin, TaskPoolThreadAssignmentPolicy},
    asset::AssetPlugin,
    ecs::{
        schedule::{ScheduleLabel, Schedules, SystemWithAccess},
        system::{IntoSystem, System},
    },
    prelude::{
        App, Component, First, MinimalPlugins, PluginGroup, PostUpdate, PreUpdate, Reflect, ReflectComponent,
        ReflectResource, Resource, World, default,
    },
};
use bevy_wasm_mods::{
    CompileCache, MaintainMods, ModLimits,
    prelude::{ModRegistry, ModSettings, ModState, WasmModsPlugin},
};
use tempfile::TempDir;

/// How many threads run systems. Bevy would take one on a machine with two cores.
pub(crate) const THREADS: usize = 2;

/// What mods work on.
#[derive(Component, Reflect, Debug, Default, Clone, Copy)]
#[reflect(Component)]
pub(crate) struct Value {
    pub(crate) value: f32,
}

/// A few entities among many have it.
#[derive(Component, Reflect, Debug, Default, Clone, Copy)]
#[reflect(Component)]
pub(crate) struct Marker;

/// The same in a sparse set, so that those who have it share a table with those who do not.
#[derive(Component, Reflect, Debug, Default, Clone, Copy)]
#[reflect(Component)]
#[component(storage = "SparseSet")]
pub(crate) struct SparseMarker;

/// No game has it.
#[derive(Resource, Reflect, Debug, Default)]
#[reflect(Resource)]
pub(crate) struct Never {
    pub(crate) value: f32,
}

/// A module and its id.
pub(crate) type Module = (String, Vec<u8>);

/// A system without its schedule.
pub(crate) type Taken = Box<dyn System<In = (), Out = ()>>;

/// A game with mods.
pub(crate) struct Game {
    pub(crate) app: App,
    _folder: TempDir,
}

impl Game {
    /// A game with those mods, all of which run but those in `disabled`. `setup` adds what the game itself has.
    pub(crate) fn new(modules: &[Module], disabled: &[String], setup: impl FnOnce(&mut App)) -> Self {
        let folder = TempDir::new().expect("a folder");
        fs::create_dir(folder.path().join("mods")).expect("a folder");
        for (id, bytes) in modules {
            fs::write(folder.path().join("mods").join(id).with_extension("wasm"), bytes).expect("a file");
        }
        let list = folder.path().join("mods.toml");
        let lines = disabled.iter().map(|id| format!("[mods.{id}]\nenabled = false\n"));
        fs::write(&list, lines.collect::<String>()).expect("a file");
        let mut app = App::new();
        // Single systems are run again and again without frames, and a machine may be busy.
        let limits =
            ModLimits { call_time: Duration::from_secs(10), frame_time: Duration::from_secs(100_000), ..default() };
        app.insert_resource(ModSettings {
            watch: false,
            list: Some(list),
            limits,
            compile_cache: CompileCache::In(cache()),
            ..default()
        });
        let compute = TaskPoolThreadAssignmentPolicy {
            min_threads: THREADS,
            max_threads: THREADS,
            ..TaskPoolOptions::default().compute
        };
        let task_pool_options = TaskPoolOptions { compute, ..TaskPoolOptions::default() };
        let file_path = folder.path().to_string_lossy().into_owned();
        let assets = AssetPlugin { file_path, watch_for_changes_override: Some(false), ..default() };
        app.add_plugins((MinimalPlugins.set(TaskPoolPlugin { task_pool_options }), assets, WasmModsPlugin));
        app.register_type::<Value>().register_type::<Marker>().register_type::<SparseMarker>().register_type::<Never>();
        setup(&mut app);
        app.finish();
        app.cleanup();
        let mut game = Self { app, _folder: folder };
        game.until_ready(modules.len(), disabled.len());
        game
    }

    fn until_ready(&mut self, all: usize, disabled: usize) {
        let start = Instant::now();
        loop {
            let registry = self.app.world().resource::<ModRegistry>();
            let running = registry.iter().filter(|info| matches!(info.state, ModState::Running)).count();
            if registry.all_settled() && running == all - disabled {
                break;
            }
            let states = || registry.iter().map(|info| format!("{}: {:?}", info.id, info.state)).collect::<Vec<_>>();
            assert!(start.elapsed() < Duration::from_secs(120), "the mods never came into play: {:?}", states());
            self.boundary();
        }
        // The lists of assets and messages that loading has filled are empty again.
        (0..10).for_each(|_| self.boundary());
    }

    /// What a frame does beside `Update`, from which systems can be taken only as long as it has not run.
    fn boundary(&mut self) {
        let world = self.app.world_mut();
        world.run_schedule(MaintainMods);
        world.run_schedule(First);
        world.run_schedule(PreUpdate);
        world.run_schedule(PostUpdate);
    }

    /// Takes the systems of mods in a schedule out of it whose names begin so, in the order of their names.
    pub(crate) fn systems(&mut self, schedule: impl ScheduleLabel, name: &str) -> Vec<Taken> {
        let world = self.app.world_mut();
        let mut schedules = world.remove_resource::<Schedules>().expect("there are schedules");
        let graph = schedules.get_mut(schedule).expect("the mods have systems in it").graph_mut();
        let last = |full: &str| full.rsplit("::").next().unwrap_or_default().to_owned();
        let mut keys: Vec<_> =
            graph.systems.iter().map(|(key, system, _)| (last(&system.name().to_string()), key)).collect();
        keys.retain(|(last, _)| last.starts_with(name));
        keys.sort_by(|a, b| a.0.cmp(&b.0));
        let mut found = Vec::new();
        for (_, key) in keys {
            let place = graph.systems.get_mut(key).expect("it was just found");
            let nothing = SystemWithAccess::new(Box::new(IntoSystem::into_system(|| {})));
            let mut system = std::mem::replace(place, nothing);
            system.initialize(world);
            found.push(Box::new(system) as Taken);
        }
        world.insert_resource(schedules);
        assert!(!found.is_empty(), "no system is called {name}");
        found
    }

    /// A system of the game itself, in no schedule.
    pub(crate) fn native<M>(&mut self, system: impl IntoSystem<(), (), M>) -> Taken {
        let mut system = Box::new(IntoSystem::into_system(system));
        system.initialize(self.app.world_mut());
        system
    }

    /// Runs systems one after the other, and returns the seconds that they took.
    pub(crate) fn run(&mut self, systems: &mut [Taken]) -> f64 {
        let world = self.app.world_mut();
        let start = Instant::now();
        for system in systems {
            system.run_without_applying_deferred((), world).expect("it runs");
        }
        start.elapsed().as_secs_f64()
    }

    /// Carries out what the systems left, and returns the seconds that it took.
    pub(crate) fn apply(&mut self, systems: &mut [Taken]) -> f64 {
        let world = self.app.world_mut();
        let start = Instant::now();
        for system in systems {
            system.apply_deferred(world);
        }
        start.elapsed().as_secs_f64()
    }

    /// Runs a frame, and returns the seconds that it took.
    pub(crate) fn frame(&mut self) -> f64 {
        let start = Instant::now();
        self.app.update();
        start.elapsed().as_secs_f64()
    }

    pub(crate) fn world(&mut self) -> &mut World {
        self.app.world_mut()
    }

    /// Fails if a mod did.
    #[track_caller]
    pub(crate) fn check(&self) {
        let registry = self.app.world().resource::<ModRegistry>();
        for info in registry.iter() {
            assert!(info.state.fault().is_none(), "{}: {:?}", info.id, info.state);
        }
    }
}

/// Modules that were compiled in an earlier run are not compiled again: loading is not what is measured here.
fn cache() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("target/bench/scale-cache")
}
