//! Which comes after which, as numbers: circles, depths and orders. Mods are not known here, and nothing recurses.

use std::{
    cmp::Reverse,
    collections::{BinaryHeap, HashMap, VecDeque},
};

use petgraph::{
    algo::kosaraju_scc,
    graph::{DiGraph, NodeIndex},
};

/// How many steps the search for the shortest of all circles may take. Beyond that the shortest so far is good enough.
const CIRCLE_STEPS: usize = 1_000_000;

/// For each node those that it comes after.
#[derive(Debug, Clone)]
pub(super) struct Graph(Vec<Vec<usize>>);

impl Graph {
    pub(super) fn new(nodes: usize) -> Self {
        Self(vec![Vec::new(); nodes])
    }

    /// `node` comes after `earlier`. Nothing comes after itself.
    pub(super) fn add(&mut self, node: usize, earlier: usize) {
        if node != earlier
            && earlier < self.0.len()
            && let Some(all) = self.0.get_mut(node)
        {
            all.push(earlier);
        }
    }

    /// Those that `node` comes after, smallest first if the graph is [sorted](Self::sorted).
    pub(super) fn before(&self, node: usize) -> &[usize] {
        self.0.get(node).map_or(&[], Vec::as_slice)
    }

    /// All pairs of a node and one that it comes after.
    pub(super) fn edges(&self) -> impl Iterator<Item = (usize, usize)> {
        self.0.iter().enumerate().flat_map(|(node, all)| all.iter().map(move |earlier| (node, *earlier)))
    }

    /// The same, with only those edges for which `keep` says so.
    pub(super) fn filtered(&self, keep: impl Fn(usize, usize) -> bool) -> Self {
        let filter = |(node, all): (usize, &Vec<usize>)| {
            all.iter().copied().filter(|earlier| keep(node, *earlier)).collect::<Vec<_>>()
        };
        Self(self.0.iter().enumerate().map(filter).collect())
    }

    /// The same, and the edges of another one.
    pub(super) fn and(&self, other: impl IntoIterator<Item = (usize, usize)>) -> Self {
        let mut both = self.clone();
        other.into_iter().for_each(|(node, earlier)| both.add(node, earlier));
        both.sorted()
    }

    /// The same, each edge once.
    pub(super) fn sorted(mut self) -> Self {
        for all in &mut self.0 {
            all.sort_unstable();
            all.dedup();
        }
        self
    }

    /// For each node those that come after it.
    fn reversed(&self) -> Self {
        let mut reversed = Self::new(self.0.len());
        self.edges().for_each(|(node, earlier)| reversed.add(earlier, node));
        reversed
    }

    /// The nodes in groups whose members come after one another; those that come earlier first. Members are sorted.
    pub(super) fn groups(&self) -> Vec<Vec<usize>> {
        let mut graph = DiGraph::<(), ()>::with_capacity(self.0.len(), self.edges().count());
        self.0.iter().for_each(|_| {
            graph.add_node(());
        });
        for (node, earlier) in self.edges() {
            graph.add_edge(NodeIndex::new(node), NodeIndex::new(earlier), ());
        }
        let sorted = |group: Vec<NodeIndex>| {
            let mut group: Vec<_> = group.into_iter().map(NodeIndex::index).collect();
            group.sort_unstable();
            group
        };
        kosaraju_scc(&graph).into_iter().map(sorted).collect()
    }

    /// All groups of nodes that come after one another, sorted by their smallest.
    pub(super) fn tangles(&self) -> Tangles {
        let mut members: Vec<_> = self.groups().into_iter().filter(|group| group.len() > 1).collect();
        members.sort_unstable();
        let mut of = vec![None; self.0.len()];
        for (index, group) in members.iter().enumerate() {
            for node in group {
                of.get_mut(*node).into_iter().for_each(|of| *of = Some(index));
            }
        }
        Tangles { members, of, steps: CIRCLE_STEPS }
    }

    /// The nodes so that each comes after those that it should, among those that are free the smallest of `key` and number
    /// first. Nodes of circles, and those that come after them, are left out.
    pub(super) fn order(&self, key: impl Fn(usize) -> usize) -> Vec<usize> {
        let reversed = self.reversed();
        let mut waits: Vec<_> = self.0.iter().map(Vec::len).collect();
        let free = waits.iter().enumerate().filter(|(_, waits)| **waits == 0);
        let mut free: BinaryHeap<_> = free.map(|(node, _)| Reverse((key(node), node))).collect();
        let mut order = Vec::with_capacity(self.0.len());
        while let Some(Reverse((_, node))) = free.pop() {
            order.push(node);
            for later in reversed.before(node) {
                let Some(waits) = waits.get_mut(*later) else { continue };
                *waits = waits.saturating_sub(1);
                if *waits == 0 {
                    free.push(Reverse((key(*later), *later)));
                }
            }
        }
        order
    }

    /// The length of the longest way down from each node.
    pub(super) fn depths(&self) -> Vec<usize> {
        let mut depths = vec![0; self.0.len()];
        for node in self.order(|_| 0) {
            let below = self.before(node).iter().filter_map(|earlier| depths.get(*earlier)).max();
            let depth = below.map_or(0, |below: &usize| below.saturating_add(1));
            depths.get_mut(node).into_iter().for_each(|of| *of = depth);
        }
        depths
    }
}

/// The groups of a graph whose members come after one another.
pub(super) struct Tangles {
    /// Sorted by their smallest, as are the members of each.
    pub(super) members: Vec<Vec<usize>>,
    of: Vec<Option<usize>>,
    steps: usize,
}

impl Tangles {
    /// Whether both are in the same one.
    pub(super) fn both_in_one(&self, left: usize, right: usize) -> bool {
        let of = |node: usize| self.of.get(node).copied().flatten();
        of(left).is_some() && of(left) == of(right)
    }

    /// The shortest circle of the tangle of these members, from its smallest on.
    pub(super) fn circle(&mut self, graph: &Graph, members: &[usize]) -> Vec<usize> {
        let mut shortest = Vec::new();
        for start in members {
            // The first search finds one in any case.
            if shortest.len() == 2 || (!shortest.is_empty() && self.steps == 0) {
                break;
            }
            if let Some(circle) = self.circle_through(graph, *start, shortest.len()) {
                shortest = circle;
            }
        }
        let smallest = shortest.iter().enumerate().min_by_key(|(_, node)| **node).map_or(0, |(index, _)| index);
        shortest.rotate_left(smallest);
        shortest
    }

    /// The shortest circle through a node, if it has less than `limit` nodes (0: any number).
    fn circle_through(&mut self, graph: &Graph, start: usize, limit: usize) -> Option<Vec<usize>> {
        let mut came_from = HashMap::new();
        let mut queue = VecDeque::from([(start, 1_usize)]);
        while let Some((node, length)) = queue.pop_front() {
            if limit != 0 && (length >= limit || self.steps == 0) {
                return None;
            }
            for earlier in graph.before(node) {
                self.steps = self.steps.saturating_sub(1);
                if *earlier == start {
                    let back = std::iter::successors(Some(node), |node| came_from.get(node).copied());
                    let mut circle: Vec<_> = back.collect();
                    circle.reverse();
                    return Some(circle);
                }
                if self.both_in_one(start, *earlier) && !came_from.contains_key(earlier) {
                    came_from.insert(*earlier, node);
                    queue.push_back((*earlier, length.saturating_add(1)));
                }
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::Graph;

    fn graph(nodes: usize, edges: &[(usize, usize)]) -> Graph {
        Graph::new(nodes).and(edges.iter().copied())
    }

    #[test]
    fn orders_and_depths() {
        let graph = graph(5, &[(0, 3), (0, 3), (3, 4), (1, 1), (1, 9)]);
        assert_eq!(graph.depths(), [2, 0, 0, 1, 0]);
        assert_eq!(graph.order(|_| 0), [1, 2, 4, 3, 0]);
        assert_eq!(graph.order(|node| 9 - node), [4, 3, 2, 1, 0]);
    }

    #[test]
    fn circles_are_the_shortest_and_begin_with_the_smallest() {
        let check = |edges: &[(usize, usize)], expected: &[&[usize]]| {
            let graph = graph(8, edges);
            let mut tangles = graph.tangles();
            let members = tangles.members.clone();
            let circles: Vec<_> = members.iter().map(|members| tangles.circle(&graph, members)).collect();
            assert_eq!(circles, expected);
        };
        check(&[(0, 1), (1, 2)], &[]);
        check(&[(0, 1), (1, 2), (2, 0)], &[&[0, 1, 2]]);
        check(&[(0, 2), (2, 1), (1, 0)], &[&[0, 2, 1]]);
        check(&[(0, 1), (1, 2), (2, 3), (3, 0), (3, 1), (2, 0)], &[&[0, 1, 2]]);
        check(&[(0, 1), (1, 2), (2, 3), (3, 0), (3, 2)], &[&[2, 3]]);
        check(&[(6, 5), (5, 6), (0, 5), (1, 2), (2, 1), (0, 1)], &[&[1, 2], &[5, 6]]);
    }
}
