//! What a game may choose.

use std::{collections::BTreeMap, path::PathBuf};

use bevy_ecs::resource::Resource;
use bevy_tasks::available_parallelism;
#[cfg(feature = "wasi")]
use mod_host::WasiGrants;
use mod_host::{CompileCache, EngineConfig, Entropy, Execution, GameIdentity, Limits};

use crate::{bridge::grant::Permissions, lifecycle::fault_policy::FaultPolicy};

/// How this game treats its mods. Insert it before [`WasmModsPlugin`](crate::WasmModsPlugin) to choose:
///
/// ```
/// # use bevy::prelude::*;
/// # use bevy_wasm_mods::prelude::*;
/// let mut app = App::new();
/// app.insert_resource(ModSettings { seed: Some(42), ..default() });
/// app.add_plugins((MinimalPlugins, WasmModsPlugin));
/// ```
#[derive(Debug, Clone, PartialEq, Resource)]
pub struct ModSettings {
    /// The folder of the mods, inside the asset folder. A mod is a file `<anything>.wasm` in it, or `<id>/mod.wasm`; in
    /// either case `<id>/` holds the assets of the mod with that id. Mods write paths of assets as text, so those of a game
    /// with another folder than `mods` have to know it: for `own_asset!` they state it in their Cargo.toml.
    pub folder: String,
    /// What this game is to mods. Mods may state for which game they are, and for which versions of what it offers to them;
    /// those that do not fit are refused. A game that does not say who it is accepts mods for all games.
    ///
    /// ```
    /// # use bevy_wasm_mods::{GameIdentity, ModSettings, Version};
    /// let game = GameIdentity { id: "orchard".to_owned(), api: Version::new(0, 3, 1) };
    /// let settings = ModSettings { game: Some(game), ..ModSettings::default() };
    /// ```
    pub game: Option<GameIdentity>,
    /// The file with the player's choices, usually called `mods.toml`: which mods are switched off, and their settings. It
    /// is read when the plugin is added and saved, in the background, when a choice changes. None: choices are forgotten when
    /// the game ends.
    ///
    /// It is a path of the file system and not of the assets, best in a folder for the player's own data. A relative one
    /// begins at the folder in which the game is started.
    pub list: Option<PathBuf>,
    /// The file into which the game writes what it offers to mods, usually called `game-api.json`, for those who write them
    /// and for their tools. It is written once, when the first frame is over, if the game says so here:
    ///
    /// ```
    /// # use bevy::prelude::*;
    /// # use bevy_wasm_mods::prelude::*;
    /// let api_export = std::env::args().any(|arg| arg == "--export-api").then(|| "game-api.json".into());
    /// let settings = ModSettings { api_export, ..default() };
    /// ```
    ///
    /// It is a path of the file system and not of the assets. A relative one begins at the folder in which the game is
    /// started. Where it cannot be written, the log says so and the game goes on. `docs/game-api.md` describes the format.
    /// With the feature `reflect_documentation` it has the documentation of the types, too. See also
    /// [`DescribeGame`](crate::DescribeGame).
    pub api_export: Option<PathBuf>,
    /// What each mod may use.
    pub limits: Limits,
    /// What mods may read, write, send, call, spawn and despawn of the game, for all that have no
    /// [permissions of their own](ModOverrides::permissions). By default that is everything that is not protected from all mods:
    /// see [`Permissions`].
    ///
    /// ```
    /// # use bevy::prelude::*;
    /// # use bevy_wasm_mods::prelude::*;
    /// use bevy_wasm_mods::{Access, Permissions};
    ///
    /// let permissions = Permissions::all().deny(Access::Write, "orchard::trade::*").despawn(false);
    /// let settings = ModSettings { permissions, ..default() };
    /// ```
    ///
    /// A mod is held to them when it is installed: one that states that it wants more is refused before any of its systems
    /// runs, with everything that it wants and does not get in its fault. What commands and on-demand requests want shows only
    /// when the mod runs; then it is checked before anything of it is done, and stops the mod. A change in play holds for a mod
    /// from its next reload on. If that is refused, the version that runs is stopped, too.
    pub permissions: Permissions,
    /// What holds for single mods, by their ids, instead of what holds for all.
    ///
    /// ```
    /// # use bevy::prelude::*;
    /// # use bevy_wasm_mods::{ModLimits, ModOverrides, ModSettings};
    /// let mut settings = ModSettings::default();
    /// let large = ModLimits { memory_bytes: 256 << 20, ..settings.limits.clone() };
    /// settings.overrides.insert("atlas".to_owned(), ModOverrides { limits: Some(large), ..default() });
    /// ```
    pub overrides: BTreeMap<String, ModOverrides>,
    /// Where the random numbers of mods come from: the operating system, or this seed. With the same seed a mod draws
    /// the same numbers in every run; two mods draw different ones.
    pub seed: Option<u64>,
    /// Whether the same mods do the same from the same state and input, in every run and on every machine: for lockstep,
    /// replays and tests. Read when the plugin is added.
    ///
    /// Fuel ends the calls of mods and not time ([`Limits::call_fuel`] and its like), their random numbers are seeded (with 0, if
    /// [`ModSettings::seed`] says nothing else), their clocks follow [`Time`](bevy_time::Time) and stand still within a frame, and
    /// floating-point numbers that are none have the same bits everywhere. All mods that are there at the start begin in one
    /// frame, their systems run one after the other, in the load order, and so they get ids of entities in that order.
    ///
    /// What the game has to do itself:
    /// - wait for [`Mods::all_settled`](crate::ModRegistry::all_settled) before its first frame that counts;
    /// - move `Time` by the same steps in every run;
    /// - spawn, in its own systems, before or after [`ModSystems`](crate::ModSystems) and not at the same time, and do what they do
    ///   in an order, where it matters;
    /// - let no mod be changed, switched on or off, or called by it in between, unless in the same frame of every run;
    /// - return a [`Job`](crate::Job) to mods only if it is done in the same frame of every run, and grant no folders.
    ///
    /// Programs in other languages or other versions of the engine need not compute the same.
    pub deterministic: bool,
    /// How the code of mods runs: choose where a program may make no code, or where the game has a crash handler. Read when the
    /// plugin is added.
    pub execution: Execution,
    /// What the functions of a mod may use of the stack, in bytes: 512 KiB by default, and 32 KiB to 1 MiB. The same for
    /// all mods. Read when the plugin is added.
    pub stack_bytes: usize,
    /// Whether changed, added and removed files take effect while the game runs. Needs the feature `hot_reload`.
    pub watch: bool,
    /// How many mods are compiled at once, so that a folder full of mods leaves cores to the game: at least one, and by default
    /// half as many as there are cores. They are compiled in Bevy's `AsyncComputeTaskPool`, so never more at once than that has
    /// threads.
    pub compile_tasks: usize,
    /// For how many frames a new version of a mod is on probation. If it fails within them, the earlier version goes on
    /// where it was. 0 never goes back.
    pub probation_frames: u32,
    /// What becomes of a mod that fails while it runs.
    pub fault_policy: FaultPolicy,
    /// What becomes of what a mod has left in the World when it is unloaded or switched off.
    pub leftovers: Leftovers,
    /// Where compiled mods are kept, so that a second start of the game need not compile them. By default that is the user's
    /// own folder for caches, which games share: each mod is kept once. See [`CompileCache`] for what a folder of the game's own
    /// has to be. A cache that cannot be used is no error; the log says why, at the level `debug`. Read when the plugin is added.
    pub compile_cache: CompileCache,
    /// What compiled mods may take there together, in bytes: 512 MiB by default. Those that were not used for the longest time
    /// go first. Read when the plugin is added.
    pub compile_cache_bytes: u64,
    /// What mods for `wasm32-wasip1` get of the machine: nothing, but what is granted to them by their ids. Each grant
    /// lasts as long as its guard, so keep that in a resource. Mods that run already get it when they are reloaded.
    ///
    /// ```
    /// # use bevy::prelude::*;
    /// # use bevy_wasm_mods::prelude::*;
    /// # let (news, saves) = (std::env::temp_dir(), std::env::temp_dir().join("orchard_saves"));
    /// #[derive(Resource)]
    /// struct NewsFolders(WasiGuard);
    ///
    /// let grants = WasiGrants::default();
    /// let mut app = App::new();
    /// app.insert_resource(ModSettings { wasi: grants.clone(), ..default() });
    /// let guard = grants.to("orchard_news").dir(news, "/news").writable_dir(saves, "/saves", 1 << 20).grant()?;
    /// app.insert_resource(NewsFolders(guard));
    /// app.add_plugins((MinimalPlugins, WasmModsPlugin));
    ///
    /// // From here on the mod reaches neither folder, even if it runs:
    /// app.world_mut().remove_resource::<NewsFolders>();
    /// # Ok::<_, WasiError>(())
    /// ```
    ///
    /// Calls about files run on the thread of the system that makes them, and count as its time: they are for small files
    /// on local disks. The feature `wasi` makes the game's first build longer (on two cores, that of `mod_host` took 7.1
    /// minutes instead of 2.7) and starts no threads.
    #[cfg(feature = "wasi")]
    pub wasi: WasiGrants,
}

impl Default for ModSettings {
    fn default() -> Self {
        let (folder, limits) = ("mods".to_owned(), Limits::default());
        let engine = EngineConfig::default();
        // One for two cores, and half of them where there are more.
        let compile_tasks = (available_parallelism() / 2).max(1);
        Self {
            folder,
            game: None,
            list: None,
            api_export: None,
            limits,
            permissions: Permissions::default(),
            overrides: BTreeMap::new(),
            seed: None,
            deterministic: false,
            execution: Execution::default(),
            stack_bytes: engine.stack_bytes,
            watch: true,
            compile_tasks,
            probation_frames: 120,
            fault_policy: FaultPolicy::Disable,
            leftovers: Leftovers::Despawn,
            compile_cache: CompileCache::User,
            compile_cache_bytes: engine.cache_bytes,
            #[cfg(feature = "wasi")]
            wasi: WasiGrants::default(),
        }
    }
}

/// What holds for a single mod: see [`ModSettings::overrides`].
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ModOverrides {
    /// What it may use, instead of [`ModSettings::limits`]: all of it, not only what differs.
    pub limits: Option<Limits>,
    /// What it may do, instead of [`ModSettings::permissions`]: all of it, not only what differs. To add to what holds for all
    /// mods, go on from a clone:
    ///
    /// ```
    /// # use bevy::prelude::*;
    /// # use bevy_wasm_mods::{Access, ModOverrides, ModSettings, Permissions};
    /// let mut settings = ModSettings { permissions: Permissions::all().deny(Access::Write, "orchard::Gold"), ..default() };
    /// let trusted = settings.permissions.clone().allow(Access::Write, "orchard::Gold");
    /// settings.overrides.insert("market".to_owned(), ModOverrides { permissions: Some(trusted), ..default() });
    /// ```
    pub permissions: Option<Permissions>,
    /// What becomes of it if it fails, instead of [`ModSettings::fault_policy`].
    pub fault_policy: Option<FaultPolicy>,
}

impl ModSettings {
    /// What the mod with that id may use.
    #[must_use]
    pub fn limits_of(&self, mod_id: &str) -> &Limits {
        let own = self.overrides.get(mod_id).and_then(|overrides| overrides.limits.as_ref());
        own.unwrap_or(&self.limits)
    }

    /// What its engine is.
    pub(crate) fn engine(&self) -> EngineConfig {
        let mut config = EngineConfig::default();
        config.cache = self.compile_cache.clone();
        config.cache_bytes = self.compile_cache_bytes;
        config.execution = self.execution;
        config.deterministic = self.deterministic;
        config.stack_bytes = self.stack_bytes;
        config
    }

    /// Where random numbers come from.
    pub(crate) fn entropy(&self) -> Entropy {
        let seed = self.seed.or(self.deterministic.then_some(0));
        seed.map_or(Entropy::Host, Entropy::Seeded)
    }

    /// What the mod with that id may do.
    #[must_use]
    pub fn permissions_of(&self, mod_id: &str) -> &Permissions {
        let own = self.overrides.get(mod_id).and_then(|overrides| overrides.permissions.as_ref());
        own.unwrap_or(&self.permissions)
    }

    /// What becomes of the mod with that id if it fails.
    #[must_use]
    pub fn fault_policy_of(&self, mod_id: &str) -> FaultPolicy {
        let own = self.overrides.get(mod_id).and_then(|overrides| overrides.fault_policy);
        own.unwrap_or(self.fault_policy)
    }

    /// The most bytes that a file of any mod may have.
    pub(crate) fn most_file_bytes(&self) -> usize {
        let own = self.overrides.values().filter_map(|overrides| overrides.limits.as_ref());
        own.map(|limits| limits.file_bytes).fold(self.limits.file_bytes, usize::max)
    }
}

/// What becomes of the entities, components and resources of a mod that is unloaded or switched off.
///
/// A reload keeps everything. So does a failure: the game goes on with what there is until the mod is replaced, unloaded
/// or switched off.
///
/// ```
/// # use bevy::prelude::*;
/// # use bevy_wasm_mods::prelude::*;
/// // The player may switch a mod off and keep what it built.
/// let settings = ModSettings { leftovers: Leftovers::Keep, ..default() };
/// ```
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub enum Leftovers {
    /// The entities that it spawned are despawned, components that it defined are taken off other entities, and resources
    /// that it defined, or inserted where there were none, are removed. Switched on again, it starts with its start-up
    /// systems and with what it kept in `Persist`.
    #[default]
    Despawn,
    /// Everything stays. Switched on again, the mod goes on with it.
    Keep,
}
