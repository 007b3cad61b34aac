//! The order of a mod's systems: among themselves, and by the names of others.
//!
//! What contradicts itself within a mod is found here. What only shows in the game's schedules is found there.

use std::collections::HashSet;

use bevy_ecs::{resource::Resource, schedule::InternedSystemSet, world::World};
use mod_abi::{
    Identity,
    describe::{OrderDesc, OrderTarget, SystemDesc},
};
use thiserror::Error;

use crate::bridge::bind::{MAX_SYSTEMS, is_name};

/// Why a system cannot have the place that its mod wants for it. Goes on after the system's name.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum OrderError {
    /// The order of the mod's own systems contradicts itself or names a system of another schedule.
    #[error("should run {direction} system number {other}, which {reason}")]
    System {
        /// `after` or `before`.
        direction: &'static str,
        /// The index of the other system.
        other: u32,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The game offers no set of that name.
    #[error(
        "should run {direction} the set `{set}`, which this game does not offer to mods{}",
        nearest.as_ref().map(|n| format!(" (it offers `{n}`)")).unwrap_or_default()
    )]
    UnknownSet {
        /// `after` or `before`.
        direction: &'static str,
        /// The name that the mod states.
        set: String,
        /// The name that is most like it.
        nearest: Option<String>,
    },
    /// That is no name of a system.
    #[error("should run {direction} {name:?}, which is no name of a system: it should be a mod's id, `::`, and a name")]
    Malformed {
        /// `after` or `before`.
        direction: &'static str,
        /// What the mod states, shortened.
        name: String,
    },
}

/// The sets of systems that the game offers to mods, by name.
#[derive(Debug, Default, Resource)]
pub(crate) struct ModSets(Vec<(String, InternedSystemSet)>);

impl ModSets {
    /// Offers a set, or another one under the same name.
    pub(crate) fn add(&mut self, name: &str, set: InternedSystemSet) {
        self.0.retain(|(known, _)| known != name);
        self.0.push((name.to_owned(), set));
    }

    /// The names of all sets, in no order.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(name, _)| name.as_str())
    }

    fn find(&self, name: &str) -> Option<InternedSystemSet> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, set)| *set)
    }

    /// The name that is most like one that nobody knows.
    fn nearest(&self, name: &str) -> Option<String> {
        let known = self.0.iter().map(|(known, _)| known);
        known.min_by_key(|known| distance(name, known)).cloned()
    }
}

/// How many letters have to be added, removed or changed to come from one word to the other.
fn distance(from: &str, to: &str) -> usize {
    let to: Vec<char> = to.chars().collect();
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (i, a) in from.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, b) in to.iter().enumerate() {
            let changed = diagonal + usize::from(!a.eq_ignore_ascii_case(b));
            diagonal = row[j + 1];
            row[j + 1] = changed.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[to.len()]
}

/// A system's place relative to systems that need not be its mod's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct BoundOrder {
    /// Whether it runs before them, or else after.
    pub(crate) before: bool,
    pub(crate) target: BoundTarget,
}

/// Others that a system is ordered by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum BoundTarget {
    /// A system of a mod. There may be none of that name.
    System { mod_id: String, system: String },
    /// Systems of the game.
    Set(InternedSystemSet),
}

/// Finds what a system is ordered by, its own mod's systems by index aside.
pub(crate) fn bind_order(world: &mut World, desc: &SystemDesc) -> Result<Vec<BoundOrder>, OrderError> {
    let mut bound = Vec::new();
    for order in desc.order.iter().take(MAX_SYSTEMS) {
        let (before, target) = parts(order);
        let direction = direction(before);
        let target = match target {
            OrderTarget::System(_) => continue,
            OrderTarget::Named(name) => {
                let parts = name.split_once("::");
                let valid = |(id, system): &(&str, &str)| Identity::from_file_name(id).is_ok() && is_name(system);
                let Some((mod_id, system)) = parts.filter(valid) else {
                    return Err(OrderError::Malformed { direction, name: shortened(name) });
                };
                BoundTarget::System { mod_id: mod_id.to_owned(), system: system.to_owned() }
            }
            OrderTarget::Set(name) => {
                let sets = world.get_resource_or_init::<ModSets>();
                let Some(set) = sets.find(name) else {
                    let name = shortened(name);
                    return Err(OrderError::UnknownSet { direction, nearest: sets.nearest(&name), set: name });
                };
                BoundTarget::Set(set)
            }
        };
        bound.push(BoundOrder { before, target });
    }
    Ok(bound)
}

/// For each system the indices of those of its mod that run earlier, whichever of the two says so.
pub(crate) fn earlier(systems: &[SystemDesc]) -> Vec<HashSet<usize>> {
    let mut earlier = vec![HashSet::new(); systems.len()];
    for (index, desc) in systems.iter().enumerate() {
        for (before, other) in own(desc) {
            let Some(other) = usize::try_from(other).ok().filter(|other| *other < systems.len()) else { continue };
            let (first, second) = if before { (index, other) } else { (other, index) };
            earlier[second].insert(first);
        }
    }
    earlier
}

/// The first thing that is wrong with a system's place among those of its mod.
pub(crate) fn check_own(systems: &[SystemDesc], desc: &SystemDesc) -> Option<OrderError> {
    own(desc).find_map(|(before, index)| {
        let other = usize::try_from(index).ok().and_then(|index| systems.get(index));
        let reason = match other {
            None => "does not exist",
            Some(other) if other.schedule != desc.schedule => "runs in another schedule",
            Some(_) => return None,
        };
        Some(OrderError::System { direction: direction(before), other: index, reason })
    })
}

/// A system that should run after itself, by whatever way: one that is left when all others were put in order.
pub(crate) fn circle(systems: &[SystemDesc]) -> Option<(&str, OrderError)> {
    let mut waits_for = earlier(systems);
    let mut leads_to = vec![Vec::new(); systems.len()];
    for (system, earlier) in waits_for.iter().enumerate() {
        for earlier in earlier {
            leads_to[*earlier].push(system);
        }
    }
    let mut ready: Vec<usize> = (0..systems.len()).filter(|system| waits_for[*system].is_empty()).collect();
    while let Some(done) = ready.pop() {
        for later in std::mem::take(&mut leads_to[done]) {
            waits_for[later].remove(&done);
            if waits_for[later].is_empty() {
                ready.push(later);
            }
        }
    }
    let left = |(system, waits): (usize, &HashSet<usize>)| Some((system, *waits.iter().min()?));
    let (system, other) = waits_for.iter().enumerate().find_map(left)?;
    let other = u32::try_from(other).ok()?;
    let reason = "should itself run after it";
    Some((&systems.get(system)?.name, OrderError::System { direction: "after", other, reason }))
}

/// The systems of the same mod that a system names, and whether it runs before them.
fn own(desc: &SystemDesc) -> impl Iterator<Item = (bool, u32)> {
    desc.order.iter().take(MAX_SYSTEMS).filter_map(|order| match parts(order) {
        (before, OrderTarget::System(index)) => Some((before, *index)),
        _ => None,
    })
}

fn parts(order: &OrderDesc) -> (bool, &OrderTarget) {
    match order {
        OrderDesc::Before(target) => (true, target),
        OrderDesc::After(target) => (false, target),
    }
}

fn direction(before: bool) -> &'static str {
    if before { "before" } else { "after" }
}

fn shortened(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(100).collect()
}
