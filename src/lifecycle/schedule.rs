//! The systems of mods in the game's schedules.

use std::{fmt, sync::Arc};

use bevy_app::{
    First, FixedFirst, FixedLast, FixedPostUpdate, FixedPreUpdate, FixedUpdate, Last, PostUpdate, PreUpdate, Update,
};
use bevy_ecs::{
    schedule::{
        BoxedCondition, InternedScheduleLabel, InternedSystemSet, IntoScheduleConfigs, NodeId, Schedule,
        ScheduleCleanupPolicy, ScheduleError, ScheduleLabel, Schedules, SystemSet, graph::Direction,
    },
    system::BoxedSystem,
    world::World,
};

use self::pass::InLoadOrder;
use crate::bridge::bind::{
    BoundSystem,
    order::{BoundOrder, BoundTarget},
};

mod circle;
mod pass;

pub use circle::OrderConflict;

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

/// One system of a mod, by the mod's id and the system's name, so that others can be ordered by it whether or not it is
/// there.
#[derive(Clone, PartialEq, Eq, Hash, SystemSet)]
struct SystemOfMod {
    mod_id: Arc<str>,
    system: Arc<str>,
}

impl SystemOfMod {
    fn set(mod_id: &str, system: &str) -> InternedSystemSet {
        Self { mod_id: mod_id.into(), system: system.into() }.intern()
    }
}

impl fmt::Debug for SystemOfMod {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}::{}", self.mod_id, self.system)
    }
}

/// All that a mod has in a schedule. Unlike [`SystemsOfMod`] the game cannot put anything else into it, so it says what
/// has to go when the mod goes.
#[derive(Debug, Clone, PartialEq, Eq, Hash, SystemSet)]
struct SlotsOfMod(Arc<str>);

/// Where a system of a mod stands in a schedule.
#[derive(Debug)]
pub(crate) struct Place {
    pub(crate) schedule: InternedScheduleLabel,
    /// `mod::system`.
    name: String,
    /// The sets that it is in.
    sets: Vec<InternedSystemSet>,
    before: Vec<InternedSystemSet>,
    after: Vec<InternedSystemSet>,
}

impl Place {
    /// The place of a system of a mod, if it has one. `own` has the names of all systems of the mod.
    pub(crate) fn of(mod_id: &Arc<str>, system: &BoundSystem, own: &[&str]) -> Option<Self> {
        let Some(Moment::Schedule(schedule)) = moment_of(system) else { return None };
        let set_of = |order: &BoundOrder| match &order.target {
            BoundTarget::System { mod_id, system } => SystemOfMod::set(mod_id, system),
            BoundTarget::Set(set) => *set,
        };
        let of = |before: bool| system.order.iter().filter(move |order| order.before == before).map(set_of);
        let own = system.after.iter().filter_map(|index| Some(SystemOfMod::set(mod_id, own.get(*index)?)));
        let (id, name) = (Arc::clone(mod_id), &system.name);
        let all = [ModSystems.intern(), SystemsOfMod(Arc::clone(&id)).intern(), SlotsOfMod(id).intern()];
        Some(Self {
            schedule,
            name: format!("{mod_id}::{name}"),
            sets: all.into_iter().chain([SystemOfMod::set(mod_id, name)]).collect(),
            before: of(true).collect(),
            after: of(false).chain(own).collect(),
        })
    }
}

/// A system of a mod on its way into a schedule.
pub(crate) struct ScheduledSlot {
    pub(crate) place: Place,
    pub(crate) system: BoxedSystem,
    /// Its run conditions.
    pub(crate) condition: Option<BoxedCondition>,
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

/// When a system runs.
pub(crate) fn moment_of(system: &BoundSystem) -> Option<Moment> {
    system.state_schedule.map(Moment::Schedule).or_else(|| moment(&system.schedule))
}

/// What the names of schedules mean to a mod, whatever states the game has: in the order of a frame, after what runs once.
const MOMENTS: [(&str, fn() -> Moment); 15] = [
    ("PreStartup", || Moment::Startup(0)),
    ("Startup", || Moment::Startup(1)),
    ("PostStartup", || Moment::Startup(2)),
    ("OnReload", || Moment::OnReload),
    ("OnUnload", || Moment::OnUnload),
    ("First", || Moment::Schedule(First.intern())),
    ("PreUpdate", || Moment::Schedule(PreUpdate.intern())),
    ("FixedFirst", || Moment::Schedule(FixedFirst.intern())),
    ("FixedPreUpdate", || Moment::Schedule(FixedPreUpdate.intern())),
    ("FixedUpdate", || Moment::Schedule(FixedUpdate.intern())),
    ("FixedPostUpdate", || Moment::Schedule(FixedPostUpdate.intern())),
    ("FixedLast", || Moment::Schedule(FixedLast.intern())),
    ("Update", || Moment::Schedule(Update.intern())),
    ("PostUpdate", || Moment::Schedule(PostUpdate.intern())),
    ("Last", || Moment::Schedule(Last.intern())),
];

/// The names of all schedules but those of states.
pub(crate) fn schedule_names() -> impl Iterator<Item = &'static str> {
    MOMENTS.iter().map(|(name, _)| *name)
}

/// What the name of a schedule means to a mod, whatever states the game has.
pub(crate) fn moment(name: &str) -> Option<Moment> {
    MOMENTS.iter().find(|(known, _)| *known == name).map(|(_, moment)| moment())
}

/// Whether the systems of a mod can be put into their schedules when those that the mod has there now are gone.
pub(crate) fn check(world: &World, mod_id: &Arc<str>, places: &[Place]) -> Result<(), OrderConflict> {
    let schedules = world.get_resource::<Schedules>();
    let mut labels: Vec<InternedScheduleLabel> = Vec::new();
    for place in places {
        if labels.contains(&place.schedule) {
            continue;
        }
        labels.push(place.schedule);
        let places: Vec<&Place> = places.iter().filter(|other| other.schedule == place.schedule).collect();
        let schedule = schedules.and_then(|schedules| schedules.get(place.schedule));
        let leaving = SlotsOfMod(Arc::clone(mod_id)).intern();
        circle::check(schedule, leaving, &places, &format!("{:?}", place.schedule))?;
    }
    Ok(())
}

/// Puts systems of a mod into their schedules, for which there has to be room ([`check`]). Must not be called while one
/// of those schedules runs. Nothing is built yet: however many mods come in a frame, Bevy builds each schedule once, when
/// it runs next.
pub(crate) fn add(world: &mut World, slots: Vec<ScheduledSlot>) {
    let mut schedules = world.get_resource_or_init::<Schedules>();
    for ScheduledSlot { place, system, condition } in slots {
        let schedule = schedules.entry(place.schedule);
        // The game did not write these systems: which of them it should order is not its mistake.
        let mut config = system.ambiguous_with_all();
        if let Some(condition) = condition {
            config.run_if_dyn(condition);
        }
        for set in needed(schedule, &place.sets) {
            config = config.in_set(set);
        }
        for set in place.before {
            config = config.before(set);
        }
        for set in place.after {
            config = config.after(set);
        }
        schedule.add_systems(config);
        schedule.add_build_pass(InLoadOrder::default());
    }
}

/// The sets without those that hold another one of them anyhow, because the game says so. To be in both is an error where
/// the game asks for it ([`ScheduleBuildSettings::hierarchy_detection`](bevy_ecs::schedule::ScheduleBuildSettings)).
fn needed(schedule: &Schedule, sets: &[InternedSystemSet]) -> Vec<InternedSystemSet> {
    let graph = schedule.graph();
    let node = |set: &InternedSystemSet| graph.system_sets.get_key(*set).map(NodeId::Set);
    let holds = |outer: NodeId, inner: NodeId| {
        let mut open = vec![inner];
        let mut seen = vec![inner];
        while let Some(node) = open.pop() {
            for parent in graph.hierarchy().neighbors_directed(node, Direction::Incoming) {
                if parent == outer {
                    return true;
                }
                if !seen.contains(&parent) {
                    seen.push(parent);
                    open.push(parent);
                }
            }
        }
        false
    };
    let is_implied = |set: &InternedSystemSet| {
        let outer = node(set);
        outer.is_some_and(|outer| sets.iter().filter_map(node).any(|inner| inner != outer && holds(outer, inner)))
    };
    sets.iter().filter(|set| !is_implied(set)).copied().collect()
}

/// Has the systems of mods stand in the load order, which has changed: Bevy builds each schedule that has any when it runs
/// next.
pub(crate) fn put_in_order(world: &mut World) {
    let mut schedules = world.get_resource_or_init::<Schedules>();
    for (_, schedule) in schedules.iter_mut() {
        if schedule.graph().system_sets.contains(ModSystems) {
            // Says nothing new of the set, but counts as a change.
            schedule.configure_sets(ModSystems);
        }
    }
}

/// Takes all systems of a mod out of a schedule that does not run now.
pub(crate) fn remove(
    world: &mut World,
    mod_id: &Arc<str>,
    schedule: InternedScheduleLabel,
) -> Result<(), ScheduleError> {
    let set = SlotsOfMod(Arc::clone(mod_id));
    // Removing the set as well, and using it again, panics in Bevy 0.19. The policy that allows no breakages leaves an
    // order behind between all that the mod stood between, for as long as the game runs.
    let policy = ScheduleCleanupPolicy::RemoveSystemsOnlyAllowBreakages;
    // The schedule may have to be built for this, which asks the World for the others.
    let removed =
        world.try_schedule_scope(schedule, |world, schedule| schedule.remove_systems_in_set(set, world, policy));
    removed.map_err(|_| ScheduleError::ScheduleNotFound)?.map(drop)
}
