//! The mods of this game and what state each is in.

use std::{collections::BTreeMap, path::PathBuf, sync::Arc, time::SystemTime};

use bevy_asset::{AssetPath, Handle};
use bevy_ecs::{resource::Resource, schedule::InternedScheduleLabel};
use bevy_tasks::Task;
use mod_abi::describe::{SystemDesc, TypeDesc};
use mod_host::HostEngine;

use crate::{
    asset::ModFile,
    bridge::{handle::ModHandle, system::SlotCell},
    lifecycle::{fault::ModFault, prepare::Prepared},
};

/// Whether a mod runs, and if not, why.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum ModState {
    /// Its file is known and it is being read, compiled or asked what it wants. Until its id is known, it goes by the
    /// name of its file.
    Loading,
    /// It waits for component types that this game has registered and not used yet.
    Pending {
        /// The short paths of those types.
        types: Vec<&'static str>,
    },
    /// Its systems run.
    Running,
    /// It failed and does not run.
    Failed(Arc<ModFault>),
}

/// Everything that is known of the mods. Slots read it in name only, so that whoever holds it alone knows that no mod
/// is running.
///
/// The lifecycle borrows it for moments only and never while code of a mod or of the game runs, so that such code finds
/// it in the World.
#[derive(Debug, Resource)]
pub(crate) struct ModRuntime {
    /// What compiles mods; `None` if it cannot be had on this machine, and no mod is loaded.
    pub(crate) engine: Option<HostEngine>,
    /// The mods' files, by their names as they are shown.
    pub(crate) files: BTreeMap<String, FileRecord>,
    /// The mods, by id.
    pub(crate) mods: BTreeMap<Arc<str>, ModRecord>,
    pub(crate) listing: Listing,
    /// Preparations whose outcome nobody wants any more. They hold their place among those that run at once.
    pub(crate) abandoned: Vec<Preparation>,
    /// How many components the World knew when waiting mods were last looked at.
    pub(crate) known_components: usize,
}

/// A mod that is being prepared in the background.
pub(crate) type Preparation = Task<Result<Prepared, Box<ModFault>>>;

/// The first look into the mod folder.
#[derive(Debug)]
pub(crate) enum Listing {
    NotYet,
    Going(Task<Result<Vec<PathBuf>, String>>),
    Done,
}

/// A file that may hold a mod.
#[derive(Debug)]
pub(crate) struct FileRecord {
    pub(crate) path: AssetPath<'static>,
    /// Keeps the asset alive.
    pub(crate) asset: Handle<ModFile>,
    /// When its bytes were last asked for.
    pub(crate) asked: SystemTime,
    /// Whether bytes that were asked for have not come yet.
    pub(crate) reading: bool,
    /// Whether the same bytes as before are a reason to start a failed mod again.
    pub(crate) restart: bool,
    /// The bytes that were last looked at. The same again are no reload.
    pub(crate) bytes: Option<Arc<[u8]>>,
    pub(crate) stage: Stage,
    /// Whether it was there when the game started and has not been through once. Such files are installed in the order
    /// of their paths.
    pub(crate) first: bool,
}

/// How far the newest bytes of a file have come.
#[derive(Debug)]
pub(crate) enum Stage {
    /// There are none yet.
    Unread,
    /// They wait until there is a place to prepare them.
    Queued,
    Preparing(Preparation),
    /// They wait to be installed.
    Prepared(Box<Prepared>),
    /// Some of its types have not been met yet.
    Waiting(Box<Prepared>),
    /// Another file holds a mod of the same id. Tried again when that one goes.
    Duplicate(Box<Prepared>),
    /// They were installed, or failed.
    Settled,
}

/// A mod.
#[derive(Debug)]
pub(crate) struct ModRecord {
    pub(crate) file: String,
    pub(crate) version: String,
    pub(crate) state: ModState,
    pub(crate) running: Option<Running>,
}

/// What a mod that was installed has in the game.
#[derive(Debug)]
pub(crate) struct Running {
    pub(crate) handle: Arc<ModHandle>,
    pub(crate) signature: Signature,
    /// The mod's slots with the index of the system that each runs.
    pub(crate) slots: Vec<(u32, Arc<SlotCell>)>,
    pub(crate) schedules: Vec<InternedScheduleLabel>,
}

/// What the schedule sees of a mod. A new version with the same signature takes the old one's slots.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Signature {
    pub(crate) types: Vec<TypeDesc>,
    pub(crate) systems: Vec<SystemDesc>,
    pub(crate) imports: Vec<usize>,
}

impl ModRuntime {
    pub(crate) fn new(engine: Option<HostEngine>) -> Self {
        let (files, mods) = (BTreeMap::new(), BTreeMap::new());
        Self { engine, files, mods, listing: Listing::NotYet, abandoned: Vec::new(), known_components: 0 }
    }

    /// Whether every file of the mod folder that is known has come to rest: its mod runs, waits for the game, or failed.
    pub(crate) fn is_settled(&self) -> bool {
        !self.is_starting() && self.files.values().all(FileRecord::is_settled)
    }

    /// Whether the first look into the mod folder still goes on.
    pub(crate) fn is_starting(&self) -> bool {
        !matches!(self.listing, Listing::Done)
    }

    /// The mod that a file holds: the one that runs, else any that is known of it.
    pub(crate) fn mod_of(&self, file: &str) -> Option<Arc<str>> {
        let of_file = || self.mods.iter().filter(|(_, record)| record.file == file);
        let running = of_file().find(|(_, record)| record.is_running());
        running.or_else(|| of_file().next()).map(|(id, _)| Arc::clone(id))
    }

    /// Shows a mod as loading, if nothing else is known of its file. A name that is taken stays with its owner.
    pub(crate) fn show_loading(&mut self, file: &str, id: &str) {
        self.mods.retain(|known, record| {
            let loads = record.file == file && matches!(record.state, ModState::Loading);
            !loads || &**known == id
        });
        if self.mod_of(file).is_none() && !self.mods.contains_key(id) {
            let (file, version) = (file.to_owned(), String::new());
            self.mods.insert(id.into(), ModRecord { file, version, state: ModState::Loading, running: None });
        }
    }
}

/// Whether a file holds a mod that failed and does not run.
pub(crate) fn has_failed(mods: &BTreeMap<Arc<str>, ModRecord>, file: &str) -> bool {
    mods.values().any(|record| record.file == file && matches!(record.state, ModState::Failed(_)))
}

impl FileRecord {
    /// Notes what became of the newest bytes, and returns how far they had come.
    pub(crate) fn settle(&mut self, stage: Stage) -> Stage {
        self.first = false;
        std::mem::replace(&mut self.stage, stage)
    }

    fn is_settled(&self) -> bool {
        !self.reading && matches!(self.stage, Stage::Waiting(_) | Stage::Duplicate(_) | Stage::Settled)
    }
}

impl ModRecord {
    pub(crate) fn is_running(&self) -> bool {
        matches!(self.state, ModState::Running)
    }
}

impl Running {
    /// Empties the slots: no system of this mod runs any more.
    pub(crate) fn empty_slots(&self) {
        self.slots.iter().for_each(|(_, slot)| slot.set(None));
    }
}
