//! A running mod as its systems see it: one instance behind a lock, and a place for its first fault.

use std::{
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError, TryLockError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use bevy_ecs::entity::EntityHashSet;
use mod_abi::describe::TypeDesc;
use mod_host::{CallError, CompiledMod, Instance, Manifest, ModBacktrace};
use thiserror::Error;

use crate::bridge::{
    allowance::Allowance,
    apply::{BoundByIndex, CommandError},
    frame::FrameNumber,
    grant::Grants,
    neighbours::RunningMods,
    on_demand::OnDemand,
    scatter::ScatterError,
    usage::UsageCounters,
};

/// Why a system of a mod could not finish.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum SystemError {
    /// The call into the mod failed.
    #[error(transparent)]
    Call(#[from] CallError),
    /// What it wrote cannot be taken.
    #[error("`{system}` failed: {source}")]
    Scatter {
        /// The system's name.
        system: String,
        /// What is wrong.
        source: ScatterError,
    },
    /// The commands that it left cannot be carried out.
    #[error("`{system}` failed: {source}")]
    Commands {
        /// The system's name.
        system: String,
        /// What is wrong.
        source: CommandError,
    },
    /// What it should read cannot be given to it.
    #[error("`{system}` could not run: {reason}")]
    Gather {
        /// The system's name.
        system: String,
        /// What is wrong.
        reason: String,
    },
    /// Code of the game, or of this crate, panicked while it worked for the mod.
    #[error("`{system}` failed, because the game panicked while it worked for it: {message}")]
    Panicked {
        /// The system's name.
        system: String,
        /// The panic's text.
        message: String,
    },
    /// An observer that is set off by what it does itself.
    #[error("`{system}` was stopped, because what it does wakes it again without an end: {cycle}")]
    Endless {
        /// The observer's name.
        system: String,
        /// The observers that woke each other.
        cycle: String,
    },
    /// More happened while the mod was busy than can wait for it.
    #[error("`{system}` was stopped, because more than {most} events, or {bytes} bytes of them, wait for the mod")]
    Flooded {
        /// The observer's name.
        system: String,
        /// How many may wait.
        most: usize,
        /// How many bytes they may have.
        bytes: usize,
    },
    /// A call from the game or from another mod left the mod in no state to go on.
    #[error("{reason}")]
    Stopped {
        /// The export that was called.
        export: String,
        /// Why.
        reason: String,
        /// The mod's functions that were running. Empty if that is not known.
        backtrace: ModBacktrace,
    },
}

impl SystemError {
    /// The mod's functions that were running, if it failed in the middle of its code and that is known.
    #[must_use]
    pub fn backtrace(&self) -> Option<&ModBacktrace> {
        match self {
            Self::Call(error) => error.backtrace(),
            Self::Stopped { backtrace, .. } => Some(backtrace).filter(|backtrace| !backtrace.is_empty()),
            _ => None,
        }
    }
}

/// The most types that a mod may name.
const MAX_TYPES: usize = 1024;

/// A mod that runs: shared by its systems, the game's calls and the lifecycle.
#[derive(Debug)]
pub(crate) struct ModHandle {
    pub(crate) id: Arc<str>,
    /// What it may do. It stays so for as long as this version runs.
    pub(crate) grants: Grants,
    compiled: CompiledMod,
    /// The mods that it may call.
    running_mods: RunningMods,
    frame: FrameNumber,
    instance: Mutex<Option<Instance>>,
    /// The requests for on-demand access that this instance prepared.
    on_demand: Mutex<OnDemand>,
    /// The types by which the mod names values: those of its description, and those that it met later.
    types: Mutex<Vec<TypeDesc>>,
    /// What those types are in the World, as far as commands named them.
    bound: Mutex<BoundByIndex>,
    /// Entities that the mod may spawn: it has their ids already.
    reserved: Mutex<EntityHashSet>,
    /// The most bytes that a call may give to the mod: what its memory may hold.
    pub(crate) memory_limit: usize,
    /// The most bytes that the answer to one question of the mod may have.
    pub(crate) answer_limit: usize,
    /// What it may still leave in this frame.
    pub(crate) allowance: Allowance,
    /// What it uses, together with the other versions of the mod.
    pub(crate) usage: Arc<UsageCounters>,
    /// What the game's clock said when its first frame began.
    began: OnceLock<Duration>,
    /// Whether the next frame boundary knows that a frame has to begin for it.
    is_awake: AtomicBool,
    memory_bytes: AtomicUsize,
    /// Whether a type that it uses has been defined anew since it was bound.
    stale: AtomicBool,
    faulted: AtomicBool,
    fault: Mutex<Option<Fault>>,
}

/// A mod's first fault: what failed, and why.
#[derive(Debug)]
pub(crate) struct Fault {
    /// The system or the export.
    pub(crate) function: String,
    pub(crate) error: SystemError,
    /// The frame of the game in which it happened.
    pub(crate) frame: u32,
}

/// The instance is in the middle of a call, or gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Busy;

impl ModHandle {
    pub(crate) fn new(
        grants: Grants,
        mut instance: Instance,
        types: Vec<TypeDesc>,
        running_mods: RunningMods,
        frame: FrameNumber,
        usage: Arc<UsageCounters>,
    ) -> Self {
        // Its start-up systems count for a frame, too.
        instance.begin_frame();
        frame.wake(grants.mod_id());
        // What was done to prepare it is of no frame.
        instance.take_usage();
        Self {
            id: Arc::clone(grants.mod_id()),
            grants,
            compiled: instance.compiled().clone(),
            running_mods,
            frame,
            memory_limit: instance.limits().memory_bytes,
            answer_limit: instance.limits().import_bytes.min(instance.limits().memory_bytes),
            allowance: Allowance::new(instance.limits()),
            usage,
            began: OnceLock::new(),
            is_awake: AtomicBool::new(true),
            memory_bytes: AtomicUsize::new(instance.memory_bytes()),
            instance: Mutex::new(Some(instance)),
            on_demand: Mutex::new(OnDemand::default()),
            types: Mutex::new(types),
            bound: Mutex::new(BoundByIndex::new()),
            reserved: Mutex::default(),
            stale: AtomicBool::new(false),
            faulted: AtomicBool::new(false),
            fault: Mutex::new(None),
        }
    }

    /// Works with the instance, if nobody does so already.
    ///
    /// Never waits: the token in the access of the mod's systems keeps them apart, and whoever finds the instance taken
    /// was called by the mod itself.
    pub(crate) fn enter<T>(&self, work: impl FnOnce(&mut Instance) -> T) -> Result<T, Busy> {
        self.wake();
        self.enter_quietly(work)
    }

    /// [`ModHandle::enter`] for what does not count for a frame.
    fn enter_quietly<T>(&self, work: impl FnOnce(&mut Instance) -> T) -> Result<T, Busy> {
        let mut instance = match self.instance.try_lock() {
            Ok(instance) => instance,
            Err(TryLockError::Poisoned(instance)) => instance.into_inner(),
            Err(TryLockError::WouldBlock) => return Err(Busy),
        };
        let instance = instance.as_mut().ok_or(Busy)?;
        let result = work(instance);
        self.memory_bytes.store(instance.memory_bytes(), Ordering::Relaxed);
        self.usage.add(instance.take_usage());
        Ok(result)
    }

    /// Has the next frame begin for this mod. One that does nothing needs none: what it may take and leave is all there.
    pub(crate) fn wake(&self) {
        if !self.is_awake.load(Ordering::Relaxed) && !self.is_awake.swap(true, Ordering::AcqRel) {
            self.frame.wake(&self.id);
        }
    }

    /// It goes on after another version has run in its place. Frames that went by meanwhile did not begin for it.
    pub(crate) fn resume(&self) {
        self.allowance.new_frame();
        self.is_awake.store(true, Ordering::Release);
        self.frame.wake(&self.id);
    }

    /// Begins a frame: for what the mod may take and leave in it, and for the clocks that it sees, if the game sets them. `now` is
    /// what the game's own clock says. What it took to start is not held against the first frame.
    pub(crate) fn begin_frame(&self, now: Duration, sets_clocks: bool) {
        self.is_awake.store(false, Ordering::Release);
        self.allowance.new_frame();
        let is_first = self.began.get().is_none();
        let since_start = now.saturating_sub(*self.began.get_or_init(|| now));
        let is_at_rest = self.enter_quietly(|instance| {
            if is_first {
                instance.end_frames();
            }
            instance.begin_frame();
            if sets_clocks {
                instance.set_time(since_start);
            }
            instance.is_at_rest()
        });
        // One that is gone has no frame.
        if is_at_rest == Ok(false) {
            self.wake();
        }
    }

    /// Has the mod's frame pay for what the game did for it beside its calls.
    pub(crate) fn spend(&self, time: Duration, fuel: u64) {
        // One that is gone pays no more.
        let _ = self.enter(|instance| instance.spend(time, fuel));
    }

    /// What the mod states of itself and what crosses its border.
    pub(crate) fn manifest(&self) -> &Manifest {
        self.compiled.manifest()
    }

    /// What its instances are made of.
    pub(crate) fn compiled(&self) -> &CompiledMod {
        &self.compiled
    }

    /// The mods that run.
    pub(crate) fn running_mods(&self) -> &RunningMods {
        &self.running_mods
    }

    /// Whether the mod is in the middle of a call.
    pub(crate) fn is_busy(&self) -> bool {
        matches!(self.instance.try_lock(), Err(TryLockError::WouldBlock))
    }

    /// Drops the instance and its memory. A mod that is in the middle of a call keeps it.
    pub(crate) fn drop_instance(&self) {
        if let Ok(mut instance) = self.instance.try_lock() {
            *instance = None;
            self.memory_bytes.store(0, Ordering::Relaxed);
        }
    }

    /// Bytes of the mod's memory after its last call.
    pub(crate) fn memory_bytes(&self) -> usize {
        self.memory_bytes.load(Ordering::Relaxed)
    }

    pub(crate) fn on_demand(&self) -> MutexGuard<'_, OnDemand> {
        ignore_poison(&self.on_demand)
    }

    /// The types by which the mod names values.
    pub(crate) fn types(&self) -> MutexGuard<'_, Vec<TypeDesc>> {
        ignore_poison(&self.types)
    }

    /// The index of a type that the mod states in the middle of a call.
    pub(crate) fn type_index(&self, desc: TypeDesc) -> Result<u32, String> {
        let mut types = self.types();
        let index = match types.iter().position(|known| *known == desc) {
            Some(index) => index,
            None if types.len() >= MAX_TYPES => return Err(format!("it names more than {MAX_TYPES} types")),
            None => {
                types.push(desc);
                types.len() - 1
            }
        };
        u32::try_from(index).map_err(|error| error.to_string())
    }

    /// What the mod's types are in the World, as far as commands named them.
    pub(crate) fn bound(&self) -> MutexGuard<'_, BoundByIndex> {
        ignore_poison(&self.bound)
    }

    /// The entities whose ids the mod has and which it may spawn.
    pub(crate) fn reserved(&self) -> MutexGuard<'_, EntityHashSet> {
        ignore_poison(&self.reserved)
    }

    /// Notes that a type that the mod uses means something else now: it has to be bound again.
    pub(crate) fn set_stale(&self) {
        self.stale.store(true, Ordering::Release);
    }

    /// Whether a type that the mod uses means something else now.
    pub(crate) fn is_stale(&self) -> bool {
        self.stale.load(Ordering::Acquire)
    }

    /// Whether the mod has failed and must not be called any more.
    pub(crate) fn is_faulted(&self) -> bool {
        self.faulted.load(Ordering::Acquire)
    }

    /// Notes a fault. Only the first counts: the others follow from it.
    pub(crate) fn fail(&self, function: &str, error: SystemError) {
        if !self.faulted.swap(true, Ordering::AcqRel) {
            let fault = Fault { function: function.to_owned(), error, frame: self.frame.get() };
            *ignore_poison(&self.fault) = Some(fault);
            self.frame.add_untold();
            self.usage.add_fault();
        }
    }

    /// What the fault is, while it is not told yet.
    pub(crate) fn fault_text(&self) -> Option<String> {
        ignore_poison(&self.fault).as_ref().map(|fault| fault.error.to_string())
    }

    /// Takes the fault away, to be told once.
    pub(crate) fn take_fault(&self) -> Option<Fault> {
        let fault = if self.is_faulted() { ignore_poison(&self.fault).take() } else { None };
        if fault.is_some() {
            self.frame.remove_untold();
        }
        fault
    }
}

impl Drop for ModHandle {
    /// Nobody will ask for its fault any more.
    fn drop(&mut self) {
        let _ = self.take_fault();
    }
}

/// Fuel for copying so many bytes.
pub(crate) fn work(bytes: usize) -> u64 {
    u64::try_from(bytes).unwrap_or(u64::MAX)
}

/// Locks even if some thread panicked while it held the lock: what is inside is checked on its own.
fn ignore_poison<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Runs code of the game that a mod set off, and turns its panic into a text.
pub(crate) fn catch<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(work)).map_err(|panic| {
        let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
        text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "no message".to_owned())
    })
}
