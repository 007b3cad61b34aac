//! The plugin: puts the rooms together.

use bevy_app::{App, AppExit, First, Last, MainScheduleOrder, Plugin};
use bevy_asset::{AssetApp, AssetPlugin, AssetServer, Assets};
use bevy_ecs::{
    message::Message,
    schedule::{IntoScheduleConfigs, IntoSystemSet, Schedule, ScheduleLabel, SystemSet},
    system::IntoSystem,
};
#[cfg(feature = "input")]
use bevy_input::{ButtonInput, keyboard::KeyCode, mouse::MouseButton};
use bevy_reflect::{FromReflect, GetTypeRegistration, Reflect, Typed};
use bevy_state::state::States;
use mod_host::HostEngine;
use tracing::{debug, error};

use crate::{
    asset::{ModFile, ModFileLoader},
    bridge::{
        bind::order::ModSets,
        host::{HostFunctions, ModImportInput, ModImportOutput},
        messages::{GameMessages, defined::ModMessage},
        observers::inbox,
        owner::{DespawnableByMods, SpawnedBy},
        states::ModStates,
    },
    lifecycle::{
        api,
        fault::ModEvent,
        list::{self, ModListFile},
        maintain::{MaintainMods, maintain},
        player::{self, DeclaredSettings},
        registry::{ModRegistry, check_change_ticks},
        settings::ModSettings,
    },
};

/// Makes a game moddable: loads every mod in `assets/mods`, runs its systems in the game's schedules, and takes changed
/// files over while the game runs.
///
/// A mod is a file or a folder, `drifting.wasm` or `drifting/mod.wasm`. Its own assets lie under `mods/drifting/`, for itself and
/// for the game. A folder is called as the mod's id; one without a `mod.wasm` is no mod.
///
/// It reads files through Bevy's [`AssetPlugin`], which may come before it or after it, alone or in `DefaultPlugins`. A game
/// that has none gets one when it starts.
/// [`ModSettings`] holds what can be chosen.
///
/// ```
/// # use bevy::prelude::*;
/// # use bevy_wasm_mods::prelude::*;
/// let mut app = App::new();
/// app.add_plugins((MinimalPlugins, WasmModsPlugin));
/// ```
#[derive(Debug, Default, Clone, Copy)]
pub struct WasmModsPlugin;

impl Plugin for WasmModsPlugin {
    fn build(&self, app: &mut App) {
        let config = app.world_mut().get_resource_or_init::<ModSettings>().engine();
        let engine = HostEngine::new(&config);
        let engine = engine.inspect_err(|error| error!("no mods can be loaded: {error}"));
        if let Some(problem) = engine.as_ref().ok().and_then(HostEngine::cache_problem) {
            debug!("compiled mods are not kept: {problem}");
        }
        add_lifecycle(app, engine.ok());
        add_assets(app);
    }

    fn finish(&self, app: &mut App) {
        // By now whoever wants to add `AssetPlugin` has done so.
        if !app.world().contains_resource::<AssetServer>() {
            app.add_plugins(AssetPlugin::default());
        }
        add_assets(app);
    }
}

/// Adds what needs no assets. Without an engine it is there all the same, so that the systems of a game that name mods
/// run and find none.
fn add_lifecycle(app: &mut App, engine: Option<HostEngine>) {
    let settings = app.world_mut().get_resource_or_init::<ModSettings>();
    let (list, deterministic) = (settings.list.clone(), settings.deterministic);
    app.insert_resource(ModListFile::read(list))
        .init_resource::<DeclaredSettings>()
        .add_message::<AppExit>()
        .add_systems(Last, list::save_at_exit)
        .add_message::<ModEvent>()
        .init_resource::<HostFunctions>()
        .register_type::<SpawnedBy>()
        .register_type::<DespawnableByMods>()
        .insert_resource(ModRegistry::new(engine, deterministic))
        .add_message::<ModMessage>()
        .add_observer(check_change_ticks);
    inbox::prepare(app.world_mut());
    #[cfg(feature = "input")]
    app.register_type::<ButtonInput<KeyCode>>().register_type::<ButtonInput<MouseButton>>();
    let mut schedule = Schedule::new(MaintainMods);
    schedule.add_systems((api::export, maintain, player::apply, list::save).chain());
    app.add_schedule(schedule);
    app.init_resource::<MainScheduleOrder>();
    let labels = &mut app.world_mut().resource_mut::<MainScheduleOrder>().labels;
    // A game may have no `First`; then nothing comes earlier than the mods.
    let first = labels.iter().position(|label| (**label).eq(&First)).unwrap_or(0);
    labels.insert(first, MaintainMods.intern());
}

/// Adds the assets and the watcher, once, when `AssetPlugin` is there. Where it is missing, the first frame says so.
fn add_assets(app: &mut App) {
    if !app.world().contains_resource::<AssetServer>() || app.world().contains_resource::<Assets<ModFile>>() {
        return;
    }
    let settings = app.world().resource::<ModSettings>().clone();
    app.init_asset::<ModFile>().register_asset_loader(ModFileLoader { max_bytes: settings.most_file_bytes() });
    #[cfg(feature = "hot_reload")]
    if settings.watch {
        watch(app, &settings.folder);
    }
}

/// Watches the mod folder, if the game's assets are files. Makes it first, so that a player sees where mods belong.
#[cfg(feature = "hot_reload")]
fn watch(app: &mut App, folder: &str) {
    use bevy_asset::io::file::FileAssetReader;
    use tracing::warn;

    use crate::{asset::Watcher, lifecycle::files::FolderWatcher};

    let assets = if app.is_plugin_added::<AssetPlugin>() {
        app.get_added_plugins::<AssetPlugin>().first().map(|plugin| plugin.file_path.clone())
    } else {
        None
    };
    let assets = FileAssetReader::get_base_path().join(assets.unwrap_or_else(|| AssetPlugin::default().file_path));
    let folder = assets.join(folder);
    if assets.is_dir() && !folder.exists() {
        // Where this fails, the line below says what is wrong.
        let _ = std::fs::create_dir_all(&folder);
    }
    if !folder.is_dir() {
        warn!("no mods are loaded: there is no folder {}", folder.display());
    }
    match Watcher::new(&folder) {
        Ok(watcher) => {
            app.insert_resource(FolderWatcher(watcher));
        }
        Err(error) => warn!("mods are not watched for changes: {} {error}", folder.display()),
    }
}

/// What [`WasmModsPlugin`] adds to [`App`].
///
/// ```
/// # use bevy::prelude::*;
/// # use bevy_wasm_mods::prelude::*;
/// fn announce(In(text): In<String>) {
///     info!("{text}");
/// }
///
/// let mut app = App::new();
/// app.add_plugins((MinimalPlugins, WasmModsPlugin)).add_mod_import("announce", announce);
/// ```
pub trait ModAppExt {
    /// Offers a system to all mods as a function that they call with `#[import]`.
    ///
    /// The system runs in the middle of the mod's own. Its input is what the mod sends: `In<A>` for one argument,
    /// `In<(A, B)>` for several, nothing for none, [`FromMod`](crate::FromMod) to learn which mod it is; its output goes
    /// back. Work that takes longer than a frame can wait goes back as a `Task`: see [`ModImportOutput`]. The system may use
    /// any parameters but exclusive and non-send ones.
    ///
    /// ```
    /// # use bevy::prelude::*;
    /// # use bevy_wasm_mods::prelude::*;
    /// # #[derive(Resource)] struct Announcements(Vec<String>);
    /// # let mut app = App::new();
    /// fn announce(In(text): In<String>, mut announcements: ResMut<Announcements>) -> usize {
    ///     announcements.0.push(text);
    ///     announcements.0.len()
    /// }
    /// app.add_mod_import("announce", announce);
    /// ```
    ///
    /// # Panics
    /// When the system is exclusive, reads non-send data, or the name is one of the ABI's own.
    fn add_mod_import<I, O, M, N, F>(&mut self, name: &str, system: F) -> &mut Self
    where
        I: ModImportInput + 'static,
        O: ModImportOutput<N> + 'static,
        N: 'static,
        F: IntoSystem<I, O, M> + Clone + Send + Sync + 'static;

    /// Offers a state to all mods: they can run systems when the game enters or leaves one of its values, and run
    /// conditions can ask for it. In a mod a value is the path of the type, `::`, and the name of the variant, so only
    /// variants that hold no data can be named.
    ///
    /// ```
    /// # use bevy::prelude::*;
    /// # use bevy::state::app::StatesPlugin;
    /// # use bevy_wasm_mods::prelude::*;
    /// #[derive(States, Reflect, Debug, Default, Clone, PartialEq, Eq, Hash)]
    /// enum Season {
    ///     #[default]
    ///     Summer,
    ///     Winter,
    /// }
    ///
    /// let mut app = App::new();
    /// app.add_plugins(StatesPlugin).init_state::<Season>();
    /// // Mods may now use the schedules `OnEnter(Season::Winter)` and so on, and the condition `in_state`.
    /// app.add_mod_state::<Season>();
    /// ```
    ///
    /// It only tells mods of the state; the game adds the state itself with `init_state` or its like, before or after.
    ///
    /// As in Bevy, `OnEnter` and `OnExit` systems run when the state changes, and only then. A mod that is loaded, or
    /// loaded anew, while the game is in `Winter` has missed that it began: its `OnEnter` systems wait for the next time.
    /// The same holds for the first value of all, which the game enters before any mod is there. What a mod has to do in
    /// the middle of a state as well belongs into a system of its start-up with the condition `in_state`.
    fn add_mod_state<S: States + FromReflect + Typed>(&mut self) -> &mut Self;

    /// Offers a set of systems to all mods under a name, so that they can run before or after it. A system function is
    /// such a set, too, as long as the game adds it to a schedule once.
    ///
    /// ```
    /// # use bevy::prelude::*;
    /// # use bevy_wasm_mods::prelude::*;
    /// # fn sail() {}
    /// #[derive(SystemSet, Debug, Clone, PartialEq, Eq, Hash)]
    /// struct Movement;
    ///
    /// let mut app = App::new();
    /// app.add_systems(Update, sail.in_set(Movement)).add_mod_set("movement", Movement);
    /// ```
    ///
    /// The name means the same set in every schedule. A mod whose order contradicts the game's is refused as a whole
    /// when it is installed; the game goes on.
    fn add_mod_set<M>(&mut self, name: &str, set: impl IntoSystemSet<M>) -> &mut Self;

    /// Lets mods read a message of the game with `MessageReader`, and adds it to the game if it is not there yet.
    ///
    /// Components and resources need no such line: Bevy finds them by their ids. It reads messages through their types
    /// alone. For mods to *write* a message, `#[reflect(Message)]` on its type is enough.
    ///
    /// ```
    /// # use bevy::prelude::*;
    /// # use bevy_wasm_mods::prelude::*;
    /// # let mut app = App::new();
    /// #[derive(Message, Reflect)]
    /// struct AppleFell {
    ///     tree: Entity,
    ///     weight: f32,
    /// }
    ///
    /// app.add_mod_message::<AppleFell>();
    /// ```
    fn add_mod_message<M: Message + Reflect + GetTypeRegistration>(&mut self) -> &mut Self;
}

impl ModAppExt for App {
    fn add_mod_import<I, O, M, N, F>(&mut self, name: &str, system: F) -> &mut Self
    where
        I: ModImportInput + 'static,
        O: ModImportOutput<N> + 'static,
        N: 'static,
        F: IntoSystem<I, O, M> + Clone + Send + Sync + 'static,
    {
        HostFunctions::add(self.world_mut(), name, system);
        self
    }

    fn add_mod_state<S: States + FromReflect + Typed>(&mut self) -> &mut Self {
        self.world_mut().get_resource_or_init::<ModStates>().add::<S>();
        self
    }

    fn add_mod_set<M>(&mut self, name: &str, set: impl IntoSystemSet<M>) -> &mut Self {
        let set = set.into_system_set().intern();
        self.world_mut().get_resource_or_init::<ModSets>().add(name, set);
        self
    }

    fn add_mod_message<M: Message + Reflect + GetTypeRegistration>(&mut self) -> &mut Self {
        self.add_message::<M>().register_type::<M>();
        GameMessages::add::<M>(self.world_mut());
        self
    }
}

#[cfg(test)]
mod tests {
    use bevy::prelude::{App, Res, Update};

    use super::add_lifecycle;
    use crate::lifecycle::{calls::Mods, registry::ModRegistry};

    #[test]
    fn without_an_engine_a_game_runs_and_has_no_mods() {
        let mut app = App::new();
        add_lifecycle(&mut app, None);
        app.add_systems(Update, |mods: Mods| assert_eq!(mods.iter().count(), 0));
        app.add_systems(Update, |mods: Res<ModRegistry>| assert!(!mods.is_running("wind")));
        app.update();
        app.update();
    }
}
