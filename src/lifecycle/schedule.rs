//! The systems of mods in the game's schedules.

use std::sync::Arc;

use bevy_app::{
    First, FixedFirst, FixedLast, FixedPostUpdate, FixedPreUpdate, FixedUpdate, Last, PostUpdate, PreUpdate, Update,
};
use bevy_ecs::{
    schedule::{
        InternedScheduleLabel, IntoScheduleConfigs, ScheduleCleanupPolicy, ScheduleError, ScheduleLabel, Schedules,
        SystemSet,
    },
    system::BoxedSystem,
    world::{Mut, World},
};

/// All systems of all mods in a schedule. A game orders itself against it with Bevy's own words:
///
/// ```
/// # use bevy::prelude::*;
/// # use bevy_wasm_mods::prelude::*;
/// # fn keep_inside() {}
/// # let mut app = App::new();
/// app.add_systems(Update, keep_inside.after(ModSystems));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, SystemSet)]
pub struct ModSystems;

/// The systems of one mod in a schedule, by the mod's id.
///
/// ```
/// # use bevy::prelude::*;
/// # use bevy_wasm_mods::prelude::*;
/// # fn sail() {}
/// # let mut app = App::new();
/// app.add_systems(Update, sail.after(SystemsOfMod::new("orchard_wind")));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash, SystemSet)]
pub struct SystemsOfMod(Arc<str>);

impl SystemsOfMod {
    /// The set of the mod with that id. There need not be such a mod.
    #[must_use]
    pub fn new(id: &str) -> Self {
        Self(id.into())
    }
}

/// One system of a mod, so that others of the mod can be ordered after it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, SystemSet)]
struct SystemOfMod(Arc<str>, usize);

/// A system of a mod on its way into a schedule.
pub(crate) struct ScheduledSlot {
    pub(crate) schedule: InternedScheduleLabel,
    /// The system's index in its mod.
    pub(crate) index: usize,
    /// Indices of the systems that run earlier.
    pub(crate) after: Vec<usize>,
    pub(crate) system: BoxedSystem,
}

/// When a system of a mod runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Moment {
    /// Whenever the game runs that schedule.
    Schedule(InternedScheduleLabel),
    /// Once, when the mod starts without an earlier version's state. The game's own start-up is over by then. The number
    /// is the place of the schedule among those of the start-up.
    Startup(usize),
    /// Once, when the mod has taken over an earlier version's state.
    OnReload,
    /// Once, before the mod gives its place to another version or is unloaded.
    OnUnload,
}

/// What the name of a schedule means to a mod.
pub(crate) fn moment(name: &str) -> Option<Moment> {
    let label = match name {
        "First" => First.intern(),
        "PreUpdate" => PreUpdate.intern(),
        "Update" => Update.intern(),
        "PostUpdate" => PostUpdate.intern(),
        "Last" => Last.intern(),
        "FixedFirst" => FixedFirst.intern(),
        "FixedPreUpdate" => FixedPreUpdate.intern(),
        "FixedUpdate" => FixedUpdate.intern(),
        "FixedPostUpdate" => FixedPostUpdate.intern(),
        "FixedLast" => FixedLast.intern(),
        "OnReload" => return Some(Moment::OnReload),
        "OnUnload" => return Some(Moment::OnUnload),
        _ => {
            let rank = ["PreStartup", "Startup", "PostStartup"].iter().position(|known| *known == name);
            return rank.map(Moment::Startup);
        }
    };
    Some(Moment::Schedule(label))
}

/// Puts systems of a mod into their schedules. Must not be called while one of those schedules runs.
pub(crate) fn add(world: &mut World, mod_id: &Arc<str>, slots: Vec<ScheduledSlot>) {
    let mut schedules = world.get_resource_or_init::<Schedules>();
    for slot in slots {
        let of = |index| SystemOfMod(Arc::clone(mod_id), index);
        // The game did not write these systems: which of them it should order is not its mistake.
        let config = slot.system.ambiguous_with_all();
        let mut config = config.in_set(ModSystems).in_set(SystemsOfMod(Arc::clone(mod_id))).in_set(of(slot.index));
        for after in slot.after {
            config = config.after(of(after));
        }
        schedules.add_systems(slot.schedule, config);
    }
}

/// Takes all systems of a mod out of a schedule that does not run now.
pub(crate) fn remove(
    world: &mut World,
    mod_id: &Arc<str>,
    schedule: InternedScheduleLabel,
) -> Result<(), ScheduleError> {
    world.resource_scope(|world, mut schedules: Mut<Schedules>| {
        // Removing the set as well, and using it again, panics in Bevy 0.19.
        let policy = ScheduleCleanupPolicy::RemoveSystemsOnly;
        let set = SystemsOfMod(Arc::clone(mod_id));
        schedules.remove_systems_in_set(schedule, set, world, policy).map(drop)
    })
}
