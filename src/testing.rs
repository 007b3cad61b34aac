//! Tests of games that load mods, and of mods in a game: an app without a window that steps frames.
//!
//! Add the feature where tests are built, and nowhere else:
//!
//! ```toml
//! [dev-dependencies]
//! bevy_wasm_mods = { version = "0.1", features = ["testing"] }
//! ```
//!
//! ```no_run
//! use bevy::prelude::*;
//! use bevy_wasm_mods::testing::{ModTestApp, ModTestError};
//!
//! #[derive(Component, Reflect)]
//! struct Velocity(Vec3);
//!
//! #[test]
//! fn boats_drift() -> Result<(), ModTestError> {
//!     let mut game = ModTestApp::new()?;
//!     let boat = game.app.world_mut().spawn((Transform::default(), Velocity(Vec3::X))).id();
//!     game.add_mod("assets/mods/drifting.wasm")?.load()?;
//!
//!     game.frames(60)?;
//!
//!     let transform = game.app.world().get::<Transform>(boat).expect("nobody despawned it");
//!     assert!((transform.translation.x - 1.0).abs() < 0.05);
//!     Ok(())
//! }
//! ```

use std::{
    collections::BTreeMap,
    fmt, fs, io,
    path::{Path, PathBuf},
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use bevy_app::{App, TaskPoolPlugin};
use bevy_asset::AssetPlugin;
use bevy_diagnostic::FrameCountPlugin;
use bevy_ecs::message::{MessageCursor, Messages};
use bevy_time::{TimePlugin, TimeUpdateStrategy};
use tempfile::TempDir;
use thiserror::Error;

use crate::{
    lifecycle::{
        fault::{ModEvent, ModFault},
        registry::{ModRegistry, ModState},
        settings::ModSettings,
    },
    plugin::WasmModsPlugin,
};

/// How long mods may take to load. Only something broken takes that long.
const PATIENCE: Duration = Duration::from_secs(120);
/// What a call and a frame may take at the least: a machine that runs tests is busy.
const TIME: Duration = Duration::from_secs(2);

/// A game without a window, with a mod folder of its own that is removed in the end.
///
/// It has [`WasmModsPlugin`], assets and a clock that goes on by a sixtieth of a second in each frame; the game adds its own plugins to
/// [`ModTestApp::app`]. Mods have at least two seconds for a call and a frame, because a test should not fail for a busy machine.
///
/// The module's documentation has an example.
pub struct ModTestApp {
    /// The game. Add what it consists of before [`ModTestApp::load`].
    pub app: App,
    folder: TempDir,
    mods: String,
    events: Vec<ModEvent>,
    /// Which of the game's messages are among them. They are not taken from the game.
    cursor: MessageCursor<ModEvent>,
    /// Files that were put into the folder, by their asset paths, and what is in them.
    added: BTreeMap<String, Vec<u8>>,
    /// How many of the events were looked at for faults.
    checked: usize,
}

/// A test that cannot go on.
#[derive(Error)]
#[non_exhaustive]
pub enum ModTestError {
    /// A mod failed. [`ModTestApp::faults`] has it, too.
    #[error("a mod failed:\n{}", .0.report())]
    Failed(Arc<ModFault>),
    /// Mods neither came to run nor failed within two minutes.
    #[error("mods were not ready within two minutes: {0}")]
    NotReady(String),
    /// A file cannot be read, or not be put into the mod folder.
    #[error("{} cannot be put into the mod folder: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// A test that returns an error shows it in this way.
impl fmt::Debug for ModTestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Debug for ModTestApp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ModTestApp").field("folder", &self.folder.path()).field("events", &self.events).finish()
    }
}

impl ModTestApp {
    /// A game with the default settings.
    ///
    /// # Errors
    /// When there is no place for a temporary folder.
    pub fn new() -> Result<Self, ModTestError> {
        Self::with_settings(ModSettings::default())
    }

    /// A game with settings of its own. The player's choices are only kept if [`ModSettings::list`] says where.
    ///
    /// # Errors
    /// When there is no place for a temporary folder.
    pub fn with_settings(mut settings: ModSettings) -> Result<Self, ModTestError> {
        let folder = TempDir::new().map_err(|source| ModTestError::File { path: std::env::temp_dir(), source })?;
        let mods = settings.folder.clone();
        let inside = folder.path().join(&mods);
        fs::create_dir_all(&inside).map_err(|source| ModTestError::File { path: inside, source })?;
        settings.limits.call_time = settings.limits.call_time.max(TIME);
        settings.limits.frame_time = settings.limits.frame_time.max(TIME);
        let file_path = folder.path().to_string_lossy().into_owned();
        let assets = AssetPlugin { file_path, watch_for_changes_override: Some(false), ..AssetPlugin::default() };
        let mut app = App::new();
        app.insert_resource(settings)
            .insert_resource(TimeUpdateStrategy::ManualDuration(Duration::from_secs(1) / 60))
            .add_plugins((TaskPoolPlugin::default(), FrameCountPlugin, TimePlugin, assets, WasmModsPlugin));
        Ok(Self {
            app,
            folder,
            mods,
            events: Vec::new(),
            cursor: MessageCursor::default(),
            added: BTreeMap::new(),
            checked: 0,
        })
    }

    /// Puts a mod into the mod folder: a `.wasm` file, or the folder of a mod with its `mod.wasm` and its assets. One of the same name is
    /// replaced, which is how a test tries a reload. [`ModTestApp::load`] waits for it.
    ///
    /// # Errors
    /// When it cannot be read or copied.
    pub fn add_mod(&mut self, path: impl AsRef<Path>) -> Result<&mut Self, ModTestError> {
        let path = path.as_ref();
        self.copy(path, Path::new(path.file_name().unwrap_or_default()))
            .map_err(|source| ModTestError::File { path: path.to_owned(), source })?;
        Ok(self)
    }

    /// Puts a file into the mod folder, such as a mod that a test has made: `drifting.wasm`, `drifting/mod.wasm` or `drifting/leaf.png`.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn add_file(&mut self, name: &str, bytes: &[u8]) -> Result<&mut Self, ModTestError> {
        self.write(Path::new(name), bytes).map_err(|source| ModTestError::File { path: name.into(), source })?;
        Ok(self)
    }

    /// Runs frames until every mod that was added runs, or waits for something of the game.
    ///
    /// # Errors
    /// [`ModTestError::Failed`] for the first mod that fails, with its whole report; [`ModTestError::NotReady`].
    pub fn load(&mut self) -> Result<(), ModTestError> {
        let start = Instant::now();
        loop {
            self.frame();
            self.check()?;
            if self.is_ready() {
                return Ok(());
            }
            if start.elapsed() > PATIENCE {
                let registry = self.app.world().resource::<ModRegistry>();
                let states = registry.iter().map(|info| format!("{} is {:?}", info.file, info.state));
                return Err(ModTestError::NotReady(states.collect::<Vec<_>>().join(", ")));
            }
            thread::sleep(Duration::from_millis(1));
        }
    }

    /// Runs so many frames.
    ///
    /// # Errors
    /// [`ModTestError::Failed`] for the first mod that fails, after the frame in which it did.
    pub fn frames(&mut self, count: usize) -> Result<(), ModTestError> {
        for _ in 0..count {
            self.frame();
            self.check()?;
        }
        Ok(())
    }

    /// Runs one frame, whatever mods do in it. For tests of what a game does about a mod that fails.
    pub fn frame(&mut self) {
        self.app.update();
        self.events.extend(self.cursor.read(self.app.world().resource::<Messages<ModEvent>>()).cloned());
    }

    /// What happened to mods so far.
    #[must_use]
    pub fn events(&self) -> &[ModEvent] {
        &self.events
    }

    /// The faults so far.
    pub fn faults(&self) -> impl Iterator<Item = &Arc<ModFault>> {
        faults(&self.events)
    }

    /// Whether a mod runs.
    #[must_use]
    pub fn is_running(&self, mod_id: &str) -> bool {
        matches!(self.app.world().resource::<ModRegistry>().state(mod_id), Some(ModState::Running))
    }

    /// The first fault that nobody was told of.
    fn check(&mut self) -> Result<(), ModTestError> {
        let new = self.events.get(self.checked..).unwrap_or_default();
        self.checked = self.events.len();
        match faults(new).next() {
            Some(fault) => Err(ModTestError::Failed(Arc::clone(fault))),
            None => Ok(()),
        }
    }

    /// Whether the newest bytes of every file were seen, and all mods have come to rest.
    fn is_ready(&self) -> bool {
        let registry = self.app.world().resource::<ModRegistry>();
        let is_seen = |(file, bytes): (&String, &Vec<u8>)| {
            registry.files.get(file).is_some_and(|record| record.bytes.as_deref() == Some(bytes))
        };
        registry.all_settled() && self.added.iter().all(is_seen)
    }

    /// Copies a file, or a folder with all that is in it.
    fn copy(&mut self, from: &Path, name: &Path) -> io::Result<()> {
        if !from.is_dir() {
            return self.write(name, &fs::read(from)?);
        }
        for entry in fs::read_dir(from)? {
            let entry = entry?;
            self.copy(&entry.path(), &name.join(entry.file_name()))?;
        }
        Ok(())
    }

    fn write(&mut self, name: &Path, bytes: &[u8]) -> io::Result<()> {
        let path = self.folder.path().join(&self.mods).join(name);
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        // In one step: a mod that is half written is none.
        let beside = path.with_extension("new");
        fs::write(&beside, bytes)?;
        fs::rename(&beside, &path)?;
        if crate::asset::is_mod_path(name) {
            let parts: Vec<_> =
                Path::new(&self.mods).join(name).iter().map(|part| part.to_string_lossy().into_owned()).collect();
            self.added.insert(parts.join("/"), bytes.to_owned());
        }
        Ok(())
    }
}

fn faults(events: &[ModEvent]) -> impl Iterator<Item = &Arc<ModFault>> {
    events.iter().filter_map(|event| match event {
        ModEvent::Failed { fault, .. } => Some(fault),
        _ => None,
    })
}
