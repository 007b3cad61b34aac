//! The mods of this game and what state each is in.

use std::{collections::BTreeMap, path::PathBuf, sync::Arc};

use bevy_asset::Handle;
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
#[derive(Debug, Resource)]
pub(crate) struct ModRuntime {
    pub(crate) engine: HostEngine,
    /// The mods' files, by asset path.
    pub(crate) files: BTreeMap<String, FileRecord>,
    /// The mods, by id.
    pub(crate) mods: BTreeMap<Arc<str>, ModRecord>,
    pub(crate) listing: Option<Task<Result<Vec<PathBuf>, String>>>,
    /// How many components the World knew when waiting mods were last looked at.
    pub(crate) known_components: usize,
}

/// A file that may hold a mod.
#[derive(Debug)]
pub(crate) struct FileRecord {
    /// Keeps the asset alive.
    pub(crate) asset: Handle<ModFile>,
    /// The bytes that were last looked at. The same again are no reload.
    pub(crate) bytes: Option<Arc<[u8]>>,
    pub(crate) preparing: Option<Task<Result<Prepared, Box<ModFault>>>>,
    /// Prepared, but some of its types have not been met yet.
    pub(crate) waiting: Option<Prepared>,
    /// The mod that this file holds.
    pub(crate) mod_id: Option<Arc<str>>,
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
    pub(crate) fn new(engine: HostEngine) -> Self {
        let (files, mods) = (BTreeMap::new(), BTreeMap::new());
        Self { engine, files, mods, listing: None, known_components: 0 }
    }
}

impl Running {
    /// Empties the slots: no system of this mod runs any more.
    pub(crate) fn empty_slots(&self) {
        self.slots.iter().for_each(|(_, slot)| slot.set(None));
    }
}
