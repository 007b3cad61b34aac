//! The run conditions of a slot. In a schedule they are a condition of Bevy's, so that a system that does not run costs a test
//! and not a task for a thread.
#![expect(unsafe_code, reason = "a condition reads the World through a cell, by the access it declared")]

use std::{fmt, sync::Arc};

use bevy_ecs::{
    change_detection::{CheckChangeTicks, Tick},
    query::FilteredAccessSet,
    system::{ReadOnlySystem, RunSystemError, System, SystemStateFlags},
    world::{DeferredWorld, World, unsafe_world_cell::UnsafeWorldCell},
};
use bevy_utils::prelude::DebugName;
use tracing::warn;

use super::SlotCell;
use crate::bridge::condition::Conditions;

/// See the module's documentation.
pub(crate) struct Gate {
    /// `mod::system`, as Bevy shows it.
    name: DebugName,
    mod_id: String,
    system: String,
    cell: Arc<SlotCell>,
    conditions: Conditions,
    /// Whether it was said that a condition cannot be tested.
    untestable: bool,
    last_run: Tick,
}

impl Gate {
    /// The conditions of a system, if it has any.
    pub(super) fn new(mod_id: &str, system: &str, cell: &Arc<SlotCell>, conditions: Conditions) -> Option<Self> {
        (!conditions.is_empty()).then(|| Self {
            name: DebugName::owned(format!("{mod_id}::{system}")),
            mod_id: mod_id.to_owned(),
            system: system.to_owned(),
            cell: Arc::clone(cell),
            conditions,
            untestable: false,
            last_run: Tick::new(0),
        })
    }

    /// Whether all of them hold.
    ///
    /// # Safety
    /// The caller has the access that `initialize` returned.
    pub(super) unsafe fn holds(&mut self, world: UnsafeWorldCell) -> bool {
        // SAFETY: passed on.
        let holds = unsafe { self.conditions.hold(world) };
        if let Err(error) = &holds
            && !self.untestable
        {
            warn!("{}: `{}` does not run, because its condition cannot be tested: {error}", self.mod_id, self.system);
        }
        self.untestable = holds.is_err();
        holds.unwrap_or(false)
    }
}

impl fmt::Debug for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gate").field("name", &self.name).finish_non_exhaustive()
    }
}

impl System for Gate {
    type In = ();
    type Out = bool;

    fn name(&self) -> DebugName {
        self.name.clone()
    }

    fn flags(&self) -> SystemStateFlags {
        SystemStateFlags::empty()
    }

    unsafe fn run_unsafe(&mut self, (): (), world: UnsafeWorldCell) -> Result<bool, RunSystemError> {
        // Timers stand still while there is no mod to run.
        let is_there = self.cell.get().is_some_and(|target| !target.handle.is_faulted());
        // SAFETY: the caller has the access that `initialize` returned.
        Ok(is_there && unsafe { self.holds(world) })
    }

    fn apply_deferred(&mut self, _: &mut World) {}

    fn queue_deferred(&mut self, _: DeferredWorld) {}

    fn initialize(&mut self, world: &mut World) -> FilteredAccessSet {
        let mut access = FilteredAccessSet::new();
        self.conditions.initialize(world, &mut access);
        access
    }

    fn check_change_tick(&mut self, check: CheckChangeTicks) {
        self.last_run.check_tick(check);
        self.conditions.check_change_tick(check);
    }

    fn get_last_run(&self) -> Tick {
        self.last_run
    }

    fn set_last_run(&mut self, last_run: Tick) {
        self.last_run = last_run;
    }
}

// SAFETY: conditions are Bevy's own read-only systems, or look up whether a resource is there.
unsafe impl ReadOnlySystem for Gate {}
