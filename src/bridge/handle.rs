//! A running mod as its systems see it: one instance behind a lock, and a place for its first fault.

use std::sync::{
    Arc, Mutex, MutexGuard, PoisonError, TryLockError,
    atomic::{AtomicBool, AtomicUsize, Ordering},
};

use mod_host::{CallError, Instance};
use thiserror::Error;

use crate::bridge::{gather::GatherError, on_demand::OnDemand, scatter::ScatterError};

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
    /// A call from the game left the mod in no state to go on.
    #[error("{reason}")]
    Stopped {
        /// The export that was called.
        export: String,
        /// Why.
        reason: String,
    },
}

impl SystemError {
    pub(crate) fn gather(system: &str, error: &GatherError) -> Self {
        Self::Gather { system: system.to_owned(), reason: error.to_string() }
    }
}

/// A mod that runs: shared by its systems, the game's calls and the lifecycle.
#[derive(Debug)]
pub(crate) struct ModHandle {
    pub(crate) id: Arc<str>,
    instance: Mutex<Option<Instance>>,
    /// The requests for on-demand access that this instance prepared.
    on_demand: Mutex<OnDemand>,
    /// The most bytes that a call may give to the mod: what its memory may hold.
    pub(crate) memory_limit: usize,
    memory_bytes: AtomicUsize,
    faulted: AtomicBool,
    fault: Mutex<Option<Fault>>,
}

/// A mod's first fault: what failed, and why.
#[derive(Debug)]
pub(crate) struct Fault {
    /// The system or the export.
    pub(crate) function: String,
    pub(crate) error: SystemError,
}

/// The instance is in the middle of a call, or gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Busy;

impl ModHandle {
    pub(crate) fn new(id: Arc<str>, instance: Instance, memory_limit: usize) -> Self {
        Self {
            id,
            memory_limit,
            memory_bytes: AtomicUsize::new(instance.memory_bytes()),
            instance: Mutex::new(Some(instance)),
            on_demand: Mutex::new(OnDemand::default()),
            faulted: AtomicBool::new(false),
            fault: Mutex::new(None),
        }
    }

    /// Works with the instance, if nobody does so already.
    ///
    /// Never waits: the token in the access of the mod's systems keeps them apart, and whoever finds the instance taken
    /// was called by the mod itself.
    pub(crate) fn enter<T>(&self, work: impl FnOnce(&mut Instance) -> T) -> Result<T, Busy> {
        let mut instance = match self.instance.try_lock() {
            Ok(instance) => instance,
            Err(TryLockError::Poisoned(instance)) => instance.into_inner(),
            Err(TryLockError::WouldBlock) => return Err(Busy),
        };
        let instance = instance.as_mut().ok_or(Busy)?;
        let result = work(instance);
        self.memory_bytes.store(instance.memory_bytes(), Ordering::Relaxed);
        Ok(result)
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

    /// Whether the mod has failed and must not be called any more.
    pub(crate) fn is_faulted(&self) -> bool {
        self.faulted.load(Ordering::Acquire)
    }

    /// Notes a fault. Only the first counts: the others follow from it.
    pub(crate) fn fail(&self, function: &str, error: SystemError) {
        if !self.faulted.swap(true, Ordering::AcqRel) {
            *ignore_poison(&self.fault) = Some(Fault { function: function.to_owned(), error });
        }
    }

    /// Takes the fault away, to be told once.
    pub(crate) fn take_fault(&self) -> Option<Fault> {
        if self.is_faulted() { ignore_poison(&self.fault).take() } else { None }
    }
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
