//! The mods of this game and what state each is in.

use std::{collections::BTreeMap, path::PathBuf, sync::Arc, time::SystemTime};

use bevy_asset::{AssetPath, Handle};
use bevy_ecs::{
    change_detection::CheckChangeTicks, observer::On, resource::Resource, schedule::InternedScheduleLabel, system::Res,
    world::World,
};
use bevy_tasks::Task;
use mod_abi::{Identity, describe::ModDescription, state::SavedState};
use mod_host::HostEngine;
use tracing::error;

use crate::{
    asset::ModFile,
    bridge::{
        handle::ModHandle,
        neighbours::Reach,
        observers::Observers,
        system::{Slot, SlotCell},
    },
    lifecycle::{
        fault::ModFault, leftovers, load_order::LoadOrder, places::Places, prepare::Prepared, reach, requests::Request,
        restart::Restarts, schedule, usage::Usages, waves::Waves,
    },
};

mod files;

pub(crate) use files::Files;

/// Whether a mod runs, and if not, why.
///
/// ```
/// # use bevy::prelude::*;
/// # use bevy_wasm_mods::prelude::*;
/// fn in_words(state: &ModState) -> String {
///     match state {
///         ModState::Running => "runs".to_owned(),
///         ModState::Disabled => "is switched off".to_owned(),
///         ModState::Pending { types } => format!("waits until the game uses {}", types.join(", ")),
///         ModState::Failed(fault) => format!("was stopped: {}", fault.cause),
///         _ => "is on its way".to_owned(),
///     }
/// }
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum ModState {
    /// Its file is known and it is being read, compiled or asked what it wants. Until its id is known, it goes by the
    /// name of its file.
    Loading,
    /// It waits for component types that this game has registered and not used yet.
    Pending {
        /// The short paths of those types.
        types: Vec<String>,
    },
    /// It waits for mods that it needs, which are there and do not run.
    Waiting {
        /// The ids of those mods.
        mods: Vec<String>,
    },
    /// Its systems run.
    Running,
    /// The game switched it off.
    Disabled,
    /// It failed and does not run.
    Failed(Arc<ModFault>),
    /// It failed, does not run, and gets a fresh instance soon: see [`FaultPolicy`](crate::FaultPolicy).
    Restarting(Arc<ModFault>),
    /// It failed, does not run, and waits until the game says what becomes of it: see
    /// [`FaultPolicy::Ask`](crate::FaultPolicy::Ask).
    Undecided(Arc<ModFault>),
}

impl ModState {
    /// Why the mod does not run, if it has failed, whatever becomes of it.
    #[must_use]
    pub fn fault(&self) -> Option<&Arc<ModFault>> {
        match self {
            Self::Failed(fault) | Self::Restarting(fault) | Self::Undecided(fault) => Some(fault),
            _ => None,
        }
    }
}

/// What is known of the mods of this game.
///
/// ```
/// # use bevy::prelude::*;
/// # use bevy_wasm_mods::prelude::*;
/// fn list(mods: Res<ModRegistry>) {
///     for info in mods.iter() {
///         println!("{} {} in {}: {:?}", info.id, info.version, info.file, info.state);
///     }
/// }
/// ```
///
/// ```
/// # use bevy::prelude::*;
/// # use bevy_wasm_mods::prelude::*;
/// /// Runs beside systems of mods, which a system with `Mods` does not.
/// fn loading_screen(mods: Res<ModRegistry>, mut done: Local<bool>) {
///     if !*done && mods.all_settled() {
///         *done = true;
///         info!("{:?} run, {} problems", mods.load_order().collect::<Vec<_>>(), mods.problems().len());
///     }
/// }
/// ```
// Slots read it in name only, so that whoever holds it alone knows that no mod is running. The lifecycle borrows it for
// moments and never while code of a mod or of the game runs, so that such code finds it in the World.
#[derive(Debug, Resource)]
pub struct ModRegistry {
    /// What compiles mods; `None` if it cannot be had on this machine, and no mod is loaded.
    pub(crate) engine: Option<HostEngine>,
    /// Whether mods that were there when the game started begin in one frame, when all of them are ready.
    pub(crate) starts_together: bool,
    /// The mods' files, by their names as they are shown.
    pub(crate) files: Files,
    /// The mods, by id.
    pub(crate) mods: BTreeMap<Arc<str>, ModRecord>,
    /// Whether a mod may be on probation.
    pub(crate) has_probation: bool,
    pub(crate) listing: Listing,
    /// Which of the mods run, and in which order.
    pub(crate) load_order: LoadOrder,
    /// How many mods are prepared at once.
    pub(crate) places: Places,
    /// When the mods that were there when the game started come into it.
    pub(crate) waves: Waves,
    /// How many types the World had come to know when waiting mods were last looked at.
    pub(crate) known_types: usize,
    /// What the game asked for since the last frame boundary.
    pub(crate) requests: Vec<(Arc<str>, Request)>,
    /// The mods that failed and may be restarted.
    pub(crate) restarts: Restarts,
    /// What they use.
    pub(crate) usages: Usages,
}

/// A file that is asked in the background which mod it holds.
pub(crate) type Identification = Task<Result<Identity, Box<ModFault>>>;

/// A mod that is being prepared in the background, or waits there until it is its turn. Dropped, it comes to nothing.
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
    /// The mod that the file offers: that of its newest bytes, unless they are no good and an earlier version runs. `None`
    /// if it offers none.
    pub(crate) identity: Option<Arc<Identity>>,
    /// Whether that is not the mod of its newest bytes.
    pub(crate) is_withdrawn: bool,
    /// Why it was not chosen when that was last told.
    pub(crate) refusal: Option<String>,
    pub(crate) stage: Stage,
    /// Whether its bytes are newer than those that are being prepared.
    pub(crate) newer: bool,
    /// Whether it was there when the game started and has not been through once. Such files are installed in the order
    /// of their paths.
    pub(crate) first: bool,
    /// Whether a mod that failed is on its way once more, and not the newest bytes.
    pub(crate) starts_anew: bool,
}

/// How far the newest bytes of a file have come.
#[derive(Debug)]
pub(crate) enum Stage {
    /// There are none yet.
    Unread,
    /// They are new.
    Queued,
    Identifying(Identification),
    /// It is known which mod they are, and not yet whether it runs.
    Identified,
    /// The mod runs, and will be prepared.
    Chosen,
    Preparing(Preparation),
    /// They wait to be installed.
    Prepared(Box<Prepared>),
    /// A mod that it needs does not run.
    Held(Box<Prepared>),
    /// Some of its types have not been met yet.
    Waiting(Box<Prepared>),
    /// The mod does not run with the others, or is switched off.
    Refused,
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
    /// What it left when it was switched off.
    pub(crate) saved: Option<Vec<SavedState>>,
}

/// What a mod that was installed has in the game.
#[derive(Debug)]
pub(crate) struct Running {
    /// What it states of itself.
    pub(crate) identity: Arc<Identity>,
    pub(crate) handle: Arc<ModHandle>,
    pub(crate) signature: Signature,
    pub(crate) slots: Slots,
    pub(crate) schedules: Vec<InternedScheduleLabel>,
    pub(crate) observers: Observers,
    /// The systems that run before another version takes over. They are in no schedule.
    pub(crate) on_unload: Vec<Slot>,
    /// The way back, while this version is new.
    pub(crate) probation: Option<Probation>,
}

/// A mod's slots with the index of the system that each runs.
pub(crate) type Slots = Vec<(u32, Arc<SlotCell>)>;

/// A version that may fail yet.
#[derive(Debug)]
pub(crate) struct Probation {
    pub(crate) frames_left: u32,
    pub(crate) earlier: Earlier,
}

/// A version that ran well and waits, with its state, to be needed again.
#[derive(Debug)]
pub(crate) struct Earlier {
    pub(crate) identity: Arc<Identity>,
    pub(crate) handle: Arc<ModHandle>,
    pub(crate) signature: Signature,
}

/// What the schedule sees of a mod. A new version with the same signature takes the old one's slots.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Signature {
    /// Types and systems; its functions are of no account.
    pub(crate) description: ModDescription,
    /// Places of the host functions that it imports.
    pub(crate) imports: Vec<usize>,
    /// The mods that it may call, as its slots declare it.
    pub(crate) reach: Reach,
}

impl ModRegistry {
    pub(crate) fn new(engine: Option<HostEngine>, starts_together: bool) -> Self {
        let (files, mods) = (Files::default(), BTreeMap::new());
        let (listing, requests) = (Listing::NotYet, Vec::new());
        let load_order = LoadOrder::default();
        let restarts = Restarts::default();
        Self {
            engine,
            starts_together,
            files,
            mods,
            has_probation: false,
            listing,
            load_order,
            places: Places::new(),
            waves: Waves::new(),
            known_types: 0,
            requests,
            restarts,
            usages: Usages::default(),
        }
    }

    /// Whether every file of the mod folder that is known has come to rest: its mod runs, waits for the game, or failed.
    pub(crate) fn is_settled(&self) -> bool {
        !self.is_starting() && !self.load_order.is_stale() && self.files.values().all(FileRecord::is_settled)
    }

    /// Whether there may be something to do for a file or a preparation.
    pub(crate) fn may_move(&self) -> bool {
        self.is_starting() || self.load_order.is_stale() || self.files.may_move()
    }

    /// Whether it is not known yet what becomes of a mod that was there when the game started.
    pub(crate) fn are_first_getting_ready(&self) -> bool {
        self.is_starting() || self.files.values().any(|file| file.first && file.is_getting_ready())
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

    /// The newest bytes of a file are no mod. It offers what runs of it, else nothing.
    pub(crate) fn withdraw_offer(&mut self, file: &str) {
        let running = self.runs_of(file);
        self.offer(file, running);
    }

    /// The mod that the newest bytes of a file are could not be installed. The file offers what runs of it, else the mod
    /// that could not be installed, so that others are not told that it is not there, unless another file offers it, too.
    pub(crate) fn fall_back(&mut self, file: &str) {
        let offered = self.files.get(file).and_then(|record| record.identity.clone());
        let offers = |record: &FileRecord, id: &str| record.identity.as_ref().is_some_and(|identity| identity.id == id);
        let is_free = |id: &str| !self.files.iter().any(|(other, record)| other != file && offers(record, id));
        let offered = offered.filter(|identity| is_free(&identity.id));
        let offer = self.runs_of(file).or(offered);
        self.offer(file, offer);
    }

    /// The newest version of a file runs: so that is what it offers, whatever was thought of it meanwhile.
    pub(crate) fn offer_installed(&mut self, file: &str) {
        let running = self.runs_of(file);
        self.offer(file, running);
        if let Some(record) = self.files.get_mut(file) {
            record.is_withdrawn = false;
        }
    }

    /// What runs of a file.
    pub(crate) fn runs_of(&self, file: &str) -> Option<Arc<Identity>> {
        let of_file = self.mods.values().filter(|record| record.file == file && record.is_running());
        of_file.filter_map(|record| record.running.as_ref()).map(|running| Arc::clone(&running.identity)).next()
    }

    fn offer(&mut self, file: &str, identity: Option<Arc<Identity>>) {
        if let Some(record) = self.files.get_mut(file)
            && record.identity != identity
        {
            record.identity = identity;
            record.is_withdrawn = true;
            self.load_order.look_again();
        }
    }

    /// Shows a mod as loading, if nothing else is known of its file. A name that is taken stays with its owner.
    pub(crate) fn show_loading(&mut self, file: &str, id: &str) {
        self.mods.retain(|known, record| {
            let loads = record.file == file && matches!(record.state, ModState::Loading);
            !loads || &**known == id
        });
        if self.mod_of(file).is_none() && !self.mods.contains_key(id) {
            let (file, version) = (file.to_owned(), String::new());
            self.mods.insert(id.into(), ModRecord::new(file, version, ModState::Loading));
        }
    }
}

/// Whether a file holds a mod that failed and does not run.
pub(crate) fn has_failed(mods: &BTreeMap<Arc<str>, ModRecord>, file: &str) -> bool {
    mods.values().any(|record| record.file == file && record.state.fault().is_some())
}

/// Keeps the ticks of observers from growing too old. Bevy does so for systems in schedules.
pub(crate) fn check_change_ticks(check: On<CheckChangeTicks>, mods: Res<ModRegistry>) {
    let running = mods.mods.values().filter_map(|record| record.running.as_ref());
    running.flat_map(|running| running.observers.iter()).for_each(|observer| observer.check_change_tick(*check));
}

impl FileRecord {
    /// Notes what became of the bytes, and returns how far they had come. If there are newer ones, it is their turn.
    pub(crate) fn settle(&mut self, stage: Stage) -> Stage {
        (self.first, self.starts_anew) = (false, false);
        let newer = std::mem::take(&mut self.newer);
        std::mem::replace(&mut self.stage, if newer { Stage::Queued } else { stage })
    }

    /// Whether it is not known yet which mod its bytes are.
    pub(crate) fn is_unknown(&self) -> bool {
        self.reading || matches!(self.stage, Stage::Unread | Stage::Queued | Stage::Identifying(_))
    }

    /// Whether its mod is chosen and not yet installed.
    pub(crate) fn is_coming(&self) -> bool {
        matches!(self.stage, Stage::Identified | Stage::Chosen | Stage::Preparing(_) | Stage::Prepared(_))
    }

    /// Whether it is not known yet what becomes of its bytes.
    pub(crate) fn is_getting_ready(&self) -> bool {
        self.is_unknown() || matches!(self.stage, Stage::Identified | Stage::Chosen | Stage::Preparing(_))
    }

    fn is_settled(&self) -> bool {
        let rests = matches!(self.stage, Stage::Waiting(_) | Stage::Held(_) | Stage::Refused | Stage::Settled);
        !self.reading && rests
    }
}

impl ModRecord {
    pub(crate) fn new(file: String, version: String, state: ModState) -> Self {
        Self { file, version, state, running: None, saved: None }
    }

    pub(crate) fn is_running(&self) -> bool {
        matches!(self.state, ModState::Running)
    }
}

impl Running {
    /// Empties the slots: no system and no observer of this mod runs any more.
    pub(crate) fn empty_slots(&self) {
        self.slots.iter().for_each(|(_, slot)| slot.set(None));
        self.observers.set(None);
    }

    /// Takes the mod's systems out of the game, and gives back what its instances hold of it.
    pub(crate) fn retire(mut self, world: &mut World, id: &Arc<str>) {
        let earlier = self.probation.take().map(|probation| probation.earlier.handle);
        for handle in earlier.iter().chain([&self.handle]) {
            leftovers::free_ids(world, handle);
        }
        self.take_out(world, id);
    }

    /// Takes the mod's systems and observers out of the game.
    pub(crate) fn take_out(self, world: &mut World, id: &Arc<str>) {
        self.empty_slots();
        reach::running_mods(world).remove(id);
        for label in &self.schedules {
            // The slots are empty, so a schedule that keeps them only keeps systems that do nothing.
            if let Err(error) = schedule::remove(world, id, *label) {
                error!("the systems of {id} could not be taken out of {label:?}: {error}");
            }
        }
        self.observers.remove(world);
    }
}
