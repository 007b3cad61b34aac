//! The systems of mods stand in the load order, as far as nothing else says where they stand.
//!
//! Two systems that could notice which of them runs first, because one writes what the other one reads, or because both leave
//! commands, run in the order in which their mods are loaded, and those of one mod in the order in which it adds them. What
//! the game and the mods say of their order goes before. All others may run at the same time, so that mods which have
//! nothing to do with one another cost each other nothing. In a game that wants the same frames in every run, all of them run
//! one after the other.

use std::{
    cmp::Reverse,
    collections::{BTreeSet, BinaryHeap, HashMap, HashSet},
};

use bevy_ecs::{
    schedule::{
        FlattenedDependencies, NodeId, ScheduleBuildError, ScheduleBuildPass, ScheduleGraph, SystemKey, SystemSetKey,
        graph::{Dag, DiGraph, Direction, UnGraph},
    },
    world::World,
};
use bevy_platform::hash::FixedHasher;
use indexmap::IndexSet;

use super::SystemOfMod;
use crate::lifecycle::{registry::ModRegistry, settings::ModSettings};

/// Adds the order when a schedule is built. It comes after Bevy's own pass, so that an order of two mods is no reason to
/// carry out commands in between.
#[derive(Debug, Default)]
pub(super) struct InLoadOrder {
    /// The systems in each set of the schedule.
    sets: HashMap<SystemSetKey, Vec<SystemKey>>,
}

/// Where a system of a mod stands if nothing else says so: the place of its mod, and its own in the mod.
type Place = (usize, usize);

impl ScheduleBuildPass for InLoadOrder {
    type EdgeOptions = ();

    fn add_dependency(&mut self, _: NodeId, _: NodeId, _: Option<&()>) {}

    fn collapse_set(
        &mut self,
        set: SystemSetKey,
        systems: &IndexSet<SystemKey, FixedHasher>,
        _: &DiGraph<NodeId>,
    ) -> impl Iterator<Item = (NodeId, NodeId)> {
        self.sets.insert(set, systems.iter().copied().collect());
        std::iter::empty()
    }

    fn build(
        &mut self,
        world: &mut World,
        graph: &mut ScheduleGraph,
        mut dependencies: FlattenedDependencies<'_>,
    ) -> Result<(), ScheduleBuildError> {
        let sets = std::mem::take(&mut self.sets);
        let Some(registry) = world.get_resource::<ModRegistry>() else { return Ok(()) };
        let mut places: HashMap<SystemKey, Place> = HashMap::new();
        for (place, id) in registry.load_order.ids().enumerate() {
            let running = registry.mods.get(id).and_then(|record| record.running.as_ref());
            let systems = running.into_iter().flat_map(|running| &running.signature.description.systems);
            for (index, system) in systems.enumerate() {
                let set = graph.system_sets.get_key(SystemOfMod::set(id, &system.name));
                let of_name = set.and_then(|set| sets.get(&set)).into_iter().flatten();
                places.extend(of_name.map(|system| (*system, (place, index))));
            }
        }
        if places.len() < 2 {
            return Ok(());
        }
        let order = in_line(&dependencies, &places);
        if world.get_resource::<ModSettings>().is_some_and(|settings| settings.deterministic) {
            for (earlier, later) in edges(&order, |_, _| true) {
                dependencies.add_edge(earlier, later);
            }
            return Ok(());
        }
        let conflicts = conflicts(graph, &order);
        let is_deferred = |system| graph.systems.get(system).is_some_and(|system| system.system().has_deferred());
        let matters = |one, other| conflicts.contains(&(one, other)) || is_deferred(one) && is_deferred(other);
        for (earlier, later) in edges(&order, matters) {
            dependencies.add_edge(earlier, later);
        }
        Ok(())
    }
}

/// All systems that have a place, in an order that contradicts nothing, and in which one stands before another with a later
/// place wherever that may be.
fn in_line(dependencies: &DiGraph<SystemKey>, places: &HashMap<SystemKey, Place>) -> Vec<SystemKey> {
    let count = |node| dependencies.neighbors_directed(node, Direction::Incoming).count();
    let mut waits_for: HashMap<SystemKey, usize> = dependencies.nodes().map(|node| (node, count(node))).collect();
    // Those without a place, the game's, come as soon as they can: so it only depends on the mods which of these can be next.
    let key = |node: SystemKey| Reverse((places.get(&node).copied(), node));
    let free = waits_for.iter().filter(|(_, count)| **count == 0).map(|(node, _)| key(*node));
    let mut free: BinaryHeap<_> = free.collect();
    let mut order = Vec::new();
    while let Some(Reverse((place, node))) = free.pop() {
        order.extend(place.is_some().then_some(node));
        for later in dependencies.neighbors_directed(node, Direction::Outgoing) {
            if let Some(count) = waits_for.get_mut(&later) {
                *count = count.saturating_sub(1);
                if *count == 0 {
                    free.push(key(later));
                }
            }
        }
    }
    order
}

/// The pairs of systems of which one writes what the other one reads or writes, each both ways round.
fn conflicts(graph: &ScheduleGraph, systems: &[SystemKey]) -> HashSet<(SystemKey, SystemKey)> {
    // Bevy tells it of those only that no edge connects, so it is asked with a graph that has none.
    let mut unconnected = Dag::<SystemKey>::new();
    systems.iter().for_each(|system| unconnected.add_node(*system));
    let Ok(analysis) = unconnected.analyze() else { return HashSet::new() };
    let found =
        graph.systems.get_conflicting_systems(&analysis, &UnGraph::default(), &Default::default(), &BTreeSet::new());
    found.0.into_iter().flat_map(|(one, other, _)| [(one, other), (other, one)]).collect()
}

/// The fewest pairs that put all that matter into the order.
fn edges<T: Copy>(order: &[T], matters: impl Fn(T, T) -> bool) -> Vec<(T, T)> {
    let mut edges = Vec::new();
    // The places of those that are known to run before each.
    let mut before: Vec<BTreeSet<usize>> = Vec::with_capacity(order.len());
    for (place, later) in order.iter().enumerate() {
        let mut known = BTreeSet::new();
        for (earlier_place, earlier) in order.iter().enumerate().take(place).rev() {
            if !known.contains(&earlier_place) && matters(*earlier, *later) {
                edges.push((*earlier, *later));
                known.insert(earlier_place);
                known.extend(before.get(earlier_place).into_iter().flatten());
            }
        }
        before.push(known);
    }
    edges
}

#[cfg(test)]
mod tests {
    use super::edges;

    #[test]
    fn no_edge_says_what_others_say_already() {
        let all = edges(&[0, 1, 2, 3], |_, _| true);
        assert_eq!(all, [(0, 1), (1, 2), (2, 3)], "a chain");
        assert!(edges(&[0, 1, 2], |_, _| false).is_empty());
        let even = edges(&[0, 1, 2, 3, 4], |one: i32, other| one % 2 == other % 2);
        assert_eq!(even, [(0, 2), (1, 3), (2, 4)]);
        // 2 matters to both before it, of which the earlier says nothing of the later one.
        assert_eq!(edges(&[0, 1, 2], |_, other| other == 2), [(1, 2), (0, 2)]);
    }
}
