//! Who runs and who does not, once everybody's wishes are known.

use super::{
    MAX_OF_ONE, Report, ResolveProblem,
    found::Node,
    graph::Graph,
    wishes::{Conflict, Wishes},
};

/// What becomes of a mod.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fate {
    Open,
    Runs,
    /// With the mod that is the cause: itself, or one that it needs.
    Refused {
        cause: usize,
    },
}

/// Which nodes run.
pub(super) fn decide(nodes: &[Node<'_>], wishes: &Wishes<'_>, report: &mut Report) -> Vec<bool> {
    let mut fates = Fates { nodes, wishes, fates: Vec::with_capacity(nodes.len()) };
    for (index, (node, unmet)) in nodes.iter().zip(&wishes.unmet).enumerate() {
        let refused = node.used.is_none() || *unmet;
        fates.fates.push(if refused { Fate::Refused { cause: index } } else { Fate::Open });
    }
    fates.circles(report);
    fates.conflicts(report);
    fates.tell_who_needs_refused(report);
    fates.fates.iter().map(|fate| *fate == Fate::Runs).collect()
}

struct Fates<'a> {
    nodes: &'a [Node<'a>],
    wishes: &'a Wishes<'a>,
    fates: Vec<Fate>,
}

impl Fates<'_> {
    fn of(&self, node: usize) -> Fate {
        self.fates.get(node).copied().unwrap_or(Fate::Open)
    }

    fn set(&mut self, node: usize, fate: Fate) {
        self.fates.get_mut(node).into_iter().for_each(|of| *of = fate);
    }

    /// Those that need one another in a circle are refused, all of them.
    fn circles(&mut self, report: &mut Report) {
        let mut tangles = self.wishes.required.tangles();
        for members in std::mem::take(&mut tangles.members) {
            let circle = tangles.circle(&self.wishes.required, &members);
            members.iter().for_each(|member| self.set(*member, Fate::Refused { cause: *member }));
            let (circle, others) = super::ids_of_circle(self.nodes, &circle, &members);
            report.refuse_nodes(ResolveProblem::Circle { circle, others }, self.nodes, members);
        }
    }

    /// Everybody else, after all those that they need or do not work with. Where mods do not work with one another in a
    /// circle, the one that needs least, and of those the first, comes first, and the others see that it runs.
    fn conflicts(&mut self, report: &mut Report) {
        let open = |node: usize| self.of(node) == Fate::Open;
        let required = self.wishes.required.filtered(|node, needed| open(node) && open(needed));
        let depths = required.depths();
        let depth = |node: usize| depths.get(node).copied().unwrap_or(0);
        let conflicts = || {
            let all = self.wishes.conflicts.iter().enumerate();
            let all = all.flat_map(|(node, all)| all.iter().map(move |conflict| (node, conflict)));
            all.filter(|(node, conflict)| open(*node) && open(conflict.with))
        };
        let mut against: Vec<Vec<(usize, &Conflict<'_>)>> = self.nodes.iter().map(|_| Vec::new()).collect();
        for (node, conflict) in conflicts() {
            against.get_mut(conflict.with).into_iter().for_each(|all| all.push((node, conflict)));
        }
        let looks_at: Graph = required.and(conflicts().map(|(node, conflict)| (node, conflict.with)));
        for mut group in looks_at.groups() {
            group.sort_by_key(|node| (depth(*node), *node));
            for node in group {
                if self.of(node) != Fate::Open {
                    continue;
                }
                let fate = self.judge(node, against.get(node).map_or(&[], Vec::as_slice), report);
                self.set(node, fate);
            }
        }
    }

    fn judge(&self, node: usize, against: &[(usize, &Conflict<'_>)], report: &mut Report) -> Fate {
        let causes = self.wishes.required.before(node).iter().filter_map(|needed| match self.of(*needed) {
            Fate::Refused { cause } => Some(cause),
            Fate::Open | Fate::Runs => None,
        });
        if let Some(cause) = causes.min() {
            return Fate::Refused { cause };
        }
        let own = self.wishes.conflicts.get(node).map_or(&[][..], Vec::as_slice);
        // If both say so, what the refused one says is enough.
        let mutual = |other: &usize| own.binary_search_by_key(other, |conflict| conflict.with).is_ok();
        let of_others = against.iter().filter(|(other, _)| !mutual(other));
        let of_others = of_others.map(|(other, conflict)| (*other, *conflict, *other));
        let mut problems: Vec<_> = own
            .iter()
            .map(|conflict| (node, conflict, conflict.with))
            .chain(of_others)
            .filter(|(_, _, other)| self.of(*other) == Fate::Runs)
            .map(|(who, conflict, _)| self.conflict(who, conflict, node))
            .collect();
        if problems.is_empty() {
            return Fate::Runs;
        }
        let count = problems.len().saturating_sub(MAX_OF_ONE);
        problems.truncate(MAX_OF_ONE);
        if count > 0 {
            problems.push(ResolveProblem::More { id: self.id(node), count });
        }
        problems.into_iter().for_each(|problem| report.refuse_nodes(problem, self.nodes, [node]));
        Fate::Refused { cause: node }
    }

    fn conflict(&self, who: usize, conflict: &Conflict<'_>, refused: usize) -> ResolveProblem {
        let there = self.nodes.get(conflict.with).and_then(|node| node.used.as_ref());
        let found = there.map(|used| used.version.to_string()).unwrap_or_default();
        let (id, with, refused) = (self.id(who), self.id(conflict.with), self.id(refused));
        match conflict.wanted {
            None => ResolveProblem::Incompatible { id, with, found, refused },
            Some(versions) => {
                ResolveProblem::OptionalVersion { id, with, versions: versions.to_owned(), found, refused }
            }
        }
    }

    fn id(&self, node: usize) -> String {
        self.nodes.get(node).map(|node| node.id.to_owned()).unwrap_or_default()
    }

    /// Once for each cause.
    fn tell_who_needs_refused(&self, report: &mut Report) {
        let mut needing: Vec<Vec<usize>> = self.nodes.iter().map(|_| Vec::new()).collect();
        for (node, fate) in self.fates.iter().enumerate() {
            if let Fate::Refused { cause } = fate
                && *cause != node
            {
                needing.get_mut(*cause).into_iter().for_each(|all| all.push(node));
            }
        }
        for (cause, needing) in needing.into_iter().enumerate().filter(|(_, needing)| !needing.is_empty()) {
            let mods = needing.iter().map(|node| self.id(*node)).collect();
            report.refuse_nodes(ResolveProblem::NeedsRefused { id: self.id(cause), mods }, self.nodes, needing);
        }
    }
}
