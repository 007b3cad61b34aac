//! Whether the systems of a mod have a place in a schedule, before they are put there.
//!
//! A schedule that contradicts itself panics when it runs, cannot give a system back (Bevy takes systems only out of a
//! schedule that it could build), and loses its build passes in the attempt. So nothing is tried out: this looks at the
//! graph as it is and at what the mod would add. It finds what `ScheduleGraph::build_schedule` of Bevy 0.19 refuses, in a
//! time that grows with the number of systems and relations.
//!
//! Must not change anything.

use std::collections::{HashMap, VecDeque, hash_map::Entry};

use bevy_ecs::schedule::{InternedSystemSet, NodeId, Schedule, SystemKey, SystemSet, SystemSetKey, graph::DiGraph};
use bevy_utils::prelude::DebugName;
use thiserror::Error;

use crate::lifecycle::schedule::{Place, SystemOfMod};

/// Why the systems of a mod have no place in a schedule of the game.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum OrderConflict {
    /// A system would have to run before itself.
    #[error(
        "its systems cannot be put into `{schedule}`, because they would run in a circle: {}",
        systems.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(" before ")
    )]
    Circle {
        /// The schedule.
        schedule: String,
        /// Systems and sets, each of which runs before the next one. The last one is the first again.
        systems: Vec<String>,
    },
    /// A set would have to run before or after a set that it holds.
    #[error(
        "its systems cannot be put into `{schedule}`, because `{system}` would stand between `{outer}` and `{inner}`, which is a part of it"
    )]
    Inside {
        /// The schedule.
        schedule: String,
        /// The mod's system.
        system: String,
        /// A set.
        outer: String,
        /// A set in it.
        inner: String,
    },
    /// The set that a system is ordered by stands for a function that the game added several times.
    #[error(
        "its systems cannot be put into `{schedule}`, because `{system}` names `{set}`, which this game runs more than once"
    )]
    Several {
        /// The schedule.
        schedule: String,
        /// The mod's system.
        system: String,
        /// The set of that function.
        set: String,
    },
}

/// A system of a game that was built without names.
const NAMELESS: &str = "a system of the game (Bevy's feature `debug` gives it a name)";

/// Whether this build of Bevy keeps the names of systems and types: its feature `debug`.
fn has_names() -> bool {
    const NAME: &str = "name";
    *DebugName::borrowed(NAME) == *NAME
}

/// The name of a set. That of a function has no other than the function's.
fn shown(set: &dyn SystemSet) -> String {
    if set.system_type().is_some() && !has_names() { NAMELESS.to_owned() } else { format!("{set:?}") }
}

/// Whether a mod's systems can be put into a schedule. Nodes below `leaving` do not count: they go first.
pub(super) fn check(
    schedule: Option<&Schedule>,
    leaving: InternedSystemSet,
    places: &[&Place],
    label: &str,
) -> Result<(), OrderConflict> {
    let graph = Graph::new(schedule, leaving, places);
    let label = || label.to_owned();
    if let Some((system, set)) = graph.several(places) {
        return Err(OrderConflict::Several { schedule: label(), system, set });
    }
    if let Some(systems) = graph.circle() {
        return Err(OrderConflict::Circle { schedule: label(), systems });
    }
    if let Some((system, outer, inner)) = graph.inside() {
        return Err(OrderConflict::Inside { schedule: label(), system, outer, inner });
    }
    Ok(())
}

/// The systems and sets of a schedule, by numbers.
#[derive(Default)]
struct Graph<'s> {
    schedule: Option<&'s Schedule>,
    nodes: Vec<Node>,
    old: HashMap<NodeId, usize>,
    sets: HashMap<InternedSystemSet, usize>,
    /// The mod's new systems.
    new: Vec<usize>,
}

struct Node {
    of: What,
    /// Sets that hold it directly.
    parents: Vec<usize>,
    children: Vec<usize>,
    /// What is stated to run after it, and before it.
    later: Vec<usize>,
    earlier: Vec<usize>,
    /// Whether there is a system in it, at any depth.
    is_inhabited: bool,
}

enum What {
    Old(NodeId),
    Set(InternedSystemSet),
    New(String),
}

impl<'s> Graph<'s> {
    fn new(schedule: Option<&'s Schedule>, leaving: InternedSystemSet, places: &[&Place]) -> Self {
        let mut this = Self { schedule, ..Self::default() };
        if let Some(schedule) = schedule {
            let (hierarchy, dependency) = (schedule.graph().hierarchy(), schedule.graph().dependency());
            let leaving = schedule.graph().system_sets.get_key(leaving);
            let goes = |node: NodeId| {
                let in_leaving = |key: SystemSetKey| hierarchy.contains_edge(NodeId::Set(key), node);
                node.is_system() && leaving.is_some_and(in_leaving)
            };
            let edges = |graph: &'s DiGraph<NodeId>| {
                graph.all_edges().filter(|(a, b)| !goes(*a) && !goes(*b)).collect::<Vec<_>>()
            };
            for node in hierarchy.nodes().filter(|node| !goes(*node)) {
                this.old(node);
            }
            for (parent, child) in edges(hierarchy) {
                let (parent, child) = (this.old(parent), this.old(child));
                this.put_in(parent, child);
            }
            for (earlier, later) in edges(dependency) {
                let (earlier, later) = (this.old(earlier), this.old(later));
                this.put_before(earlier, later);
            }
        }
        for place in places {
            let system = this.add(What::New(place.name.to_string()));
            this.new.push(system);
            for set in &place.sets {
                let set = this.set(*set);
                this.put_in(set, system);
            }
            for set in &place.before {
                let set = this.set(*set);
                this.put_before(system, set);
            }
            for set in &place.after {
                let set = this.set(*set);
                this.put_before(set, system);
            }
        }
        this.find_inhabited();
        this
    }

    fn add(&mut self, of: What) -> usize {
        let is_inhabited = match &of {
            What::Old(node) => node.is_system(),
            What::Set(_) => false,
            What::New(_) => true,
        };
        let (parents, children, later, earlier) = Default::default();
        self.nodes.push(Node { of, parents, children, later, earlier, is_inhabited });
        self.nodes.len() - 1
    }

    fn old(&mut self, node: NodeId) -> usize {
        if let Some(known) = self.old.get(&node) {
            return *known;
        }
        let index = self.add(What::Old(node));
        self.old.insert(node, index);
        index
    }

    fn set(&mut self, set: InternedSystemSet) -> usize {
        if let Some(key) = self.schedule.and_then(|schedule| schedule.graph().system_sets.get_key(set)) {
            return self.old(NodeId::Set(key));
        }
        if let Some(known) = self.sets.get(&set) {
            return *known;
        }
        let index = self.add(What::Set(set));
        self.sets.insert(set, index);
        index
    }

    fn put_in(&mut self, parent: usize, child: usize) {
        self.nodes[parent].children.push(child);
        self.nodes[child].parents.push(parent);
    }

    fn put_before(&mut self, earlier: usize, later: usize) {
        self.nodes[earlier].later.push(later);
        self.nodes[later].earlier.push(earlier);
    }

    fn find_inhabited(&mut self) {
        let mut up: Vec<usize> = (0..self.nodes.len()).filter(|node| self.nodes[*node].is_inhabited).collect();
        while let Some(node) = up.pop() {
            for index in 0..self.nodes[node].parents.len() {
                let parent = self.nodes[node].parents[index];
                if !std::mem::replace(&mut self.nodes[parent].is_inhabited, true) {
                    up.push(parent);
                }
            }
        }
    }

    /// A new system that names a set which stands for a function, where there are several of that function.
    fn several(&self, places: &[&Place]) -> Option<(String, String)> {
        let named = |place: &Place| place.before.iter().chain(&place.after).copied().collect::<Vec<_>>();
        places.iter().find_map(|place| {
            let is_one_of_many = |set: &InternedSystemSet| {
                let key = self.schedule?.graph().system_sets.get_key(*set)?;
                let node = &self.nodes[*self.old.get(&NodeId::Set(key))?];
                (set.system_type().is_some() && node.children.len() > 1).then_some(())
            };
            let set = named(place).into_iter().find(|set| is_one_of_many(set).is_some())?;
            Some((place.name.to_string(), shown(&set)))
        })
    }

    /// What comes right after a moment. Each node has two: number `2 * node` is when the first of it begins,
    /// `2 * node + 1` is when the last of it has ended. Empty sets have no part in what holds them: Bevy orders by systems.
    fn next(&self, moment: usize) -> impl Iterator<Item = usize> {
        let node = &self.nodes[moment / 2];
        let begins = moment.is_multiple_of(2);
        let end = begins.then_some(moment + 1);
        let inhabited = |child: &&usize| self.nodes[**child].is_inhabited;
        let inside = node.children.iter().filter(inhabited).filter(move |_| begins).map(|child| 2 * child);
        let outside = node.parents.iter().filter(move |_| !begins && node.is_inhabited).map(|parent| 2 * parent + 1);
        let later = node.later.iter().filter(move |_| !begins).map(|later| 2 * later);
        end.into_iter().chain(inside).chain(outside).chain(later)
    }

    /// The names along a circle through a new system. A circle that leads through none was there before and is not the
    /// mod's.
    fn circle(&self) -> Option<Vec<String>> {
        let moments = 2 * self.nodes.len();
        let mut waits_for = vec![0_usize; moments];
        for next in (0..moments).flat_map(|moment| self.next(moment)) {
            waits_for[next] += 1;
        }
        let mut ready: Vec<usize> = (0..moments).filter(|moment| waits_for[*moment] == 0).collect();
        while let Some(moment) = ready.pop() {
            for next in self.next(moment) {
                waits_for[next] -= 1;
                if waits_for[next] == 0 {
                    ready.push(next);
                }
            }
        }
        // What is left lies on a circle or behind one.
        let left = self.new.iter().filter(|system| waits_for[2 * **system + 1] > 0);
        left.into_iter().find_map(|system| self.way_round(*system))
    }

    /// The shortest way from a system to itself.
    fn way_round(&self, system: usize) -> Option<Vec<String>> {
        let (start, goal) = (2 * system + 1, 2 * system);
        let mut came_from = HashMap::from([(start, start)]);
        let mut queue = VecDeque::from([start]);
        while let Some(moment) = queue.pop_front() {
            for next in self.next(moment) {
                if let Entry::Vacant(entry) = came_from.entry(next) {
                    entry.insert(moment);
                    queue.push_back(next);
                }
            }
        }
        let mut way = vec![goal];
        let mut moment = goal;
        while moment != start {
            moment = *came_from.get(&moment)?;
            way.push(moment);
        }
        let mut names: Vec<String> = way.into_iter().rev().map(|moment| self.name(moment / 2)).collect();
        names.dedup();
        if names.len() == 1 {
            names.push(self.name(system));
        }
        Some(names)
    }

    /// A new system between a set and an empty set in it. Where the inner one holds systems there is a circle.
    fn inside(&self) -> Option<(String, String, String)> {
        self.new.iter().find_map(|system| {
            let before = self.reach(*system, |node| &node.earlier);
            let after = self.reach(*system, |node| &node.later);
            let within = |one: &[usize], other: &[usize]| {
                one.iter().filter(|inner| !self.nodes[**inner].is_inhabited).find_map(|inner| {
                    let outer = self.reach(*inner, |node| &node.parents);
                    let outer = outer.into_iter().find(|outer| other.contains(outer))?;
                    Some((self.name(*system), self.name(outer), self.name(*inner)))
                })
            };
            within(&after, &before).or_else(|| within(&before, &after))
        })
    }

    /// All nodes to which one leads, and not itself.
    fn reach<'g>(&'g self, from: usize, to: impl Fn(&'g Node) -> &'g Vec<usize>) -> Vec<usize> {
        let mut seen = vec![false; self.nodes.len()];
        let mut found = Vec::new();
        let mut open = vec![from];
        while let Some(node) = open.pop() {
            for next in to(&self.nodes[node]) {
                if !std::mem::replace(&mut seen[*next], true) {
                    found.push(*next);
                    open.push(*next);
                }
            }
        }
        found
    }

    /// The name of a system or set, in one line. A system of a mod has a set of its own name, which is readable even where
    /// Bevy knows no names of systems.
    fn name(&self, node: usize) -> String {
        let name = match &self.nodes[node].of {
            What::New(name) => name.clone(),
            What::Set(set) => shown(set),
            What::Old(NodeId::Set(key)) => self.name_of_old_set(*key),
            What::Old(NodeId::System(key)) => {
                let own = self.nodes[node].parents.iter().find_map(|parent| self.name_of_set(*parent));
                own.unwrap_or_else(|| self.name_of_old_system(*key))
            }
        };
        name.chars().filter(|c| !c.is_control()).take(200).collect()
    }

    fn name_of_old_set(&self, key: SystemSetKey) -> String {
        match self.schedule.and_then(|schedule| schedule.graph().system_sets.get(key)) {
            // Such as the members of a tuple that has a run condition.
            Some(set) if set.is_anonymous() => "a group of systems of the game".to_owned(),
            Some(set) => shown(set),
            None => "a set of the game".to_owned(),
        }
    }

    /// The name of a system, wherever it is: the graph gives its systems away when it is built, and the names with them.
    fn name_of_old_system(&self, key: SystemKey) -> String {
        let in_graph = || Some(self.schedule?.graph().systems.get(key)?.system().name());
        let built = || {
            let mut systems = self.schedule?.systems().ok()?;
            systems.find(|(other, _)| *other == key).map(|(_, system)| system.name())
        };
        let name = in_graph().or_else(built);
        match name {
            Some(name) if has_names() => name.shortname().to_string(),
            Some(_) => NAMELESS.to_owned(),
            None => "a system of the game".to_owned(),
        }
    }

    /// The name of a mod's system, if this is its set.
    fn name_of_set(&self, node: usize) -> Option<String> {
        let What::Old(NodeId::Set(key)) = self.nodes[node].of else { return None };
        let set = self.schedule?.graph().system_sets.get(key)?;
        let text = format!("{set:?}");
        let (mod_id, system) = text.split_once("::")?;
        let own = SystemOfMod { mod_id: mod_id.into(), system: system.into() };
        set.dyn_eq(&own).then_some(text)
    }
}

#[cfg(test)]
mod tests;
