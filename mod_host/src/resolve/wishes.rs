//! What the mods that are there want of one another. What they want of mods that are not there is told here.

use std::collections::{BTreeMap, HashMap, HashSet};

use mod_abi::DependencyKind;

use super::{
    MAX_OF_ONE, NeededBy, Report, ResolveProblem,
    found::{Node, Requirements},
    graph::Graph,
};
use crate::nearest::nearest;

/// How many pairs of names are compared in search of a slip of the pen.
const MAX_COMPARISONS: usize = 10_000;

/// What mods want of one another, as numbers of nodes.
pub(super) struct Wishes<'a> {
    /// Those that a mod needs, as far as they are there.
    pub(super) required: Graph,
    /// Those that it likes, as far as they are there.
    pub(super) optional: Graph,
    /// What `after` and `before` say.
    pub(super) soft: Graph,
    /// For each mod those that it does not work with.
    pub(super) conflicts: Vec<Vec<Conflict<'a>>>,
    /// Those that need what is not there.
    pub(super) unmet: Vec<bool>,
}

/// Another mod that one does not work with.
pub(super) struct Conflict<'a> {
    pub(super) with: usize,
    /// For an optional dependency, the versions that it would work with.
    pub(super) wanted: Option<&'a str>,
}

/// Why a mod that is needed does not do.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Lack {
    Missing,
    Disabled,
    WrongVersion,
}

/// Those that need a mod, with the versions that they want.
type Needing<'a> = Vec<(usize, Option<&'a str>)>;

pub(super) fn connect<'a>(
    nodes: &[Node<'a>],
    disabled: &HashSet<&str>,
    requirements: &mut Requirements<'a>,
    report: &mut Report,
) -> Wishes<'a> {
    let index: HashMap<&str, usize> = nodes.iter().enumerate().map(|(index, node)| (node.id, index)).collect();
    let version_of = |node: usize| Some(&nodes.get(node)?.used.as_ref()?.version);
    let (mut required, mut optional) = (Graph::new(nodes.len()), Graph::new(nodes.len()));
    let mut soft = Graph::new(nodes.len());
    let mut conflicts = Vec::with_capacity(nodes.len());
    let mut unmet = Vec::with_capacity(nodes.len());
    let mut lacks = BTreeMap::<(Lack, &str), Needing<'_>>::new();
    for (node, Node { id, used }) in nodes.iter().enumerate() {
        let identity = used.iter().map(|used| used.candidate.identity);
        let mut missed = HashSet::new();
        let mut of_node = Vec::new();
        for dependency in identity.clone().flat_map(|identity| &identity.dependencies) {
            let (other_id, wanted) = (dependency.id.as_str(), dependency.requirement.as_deref());
            if other_id == *id {
                continue;
            }
            let other = index.get(other_id).copied();
            // One that is refused has no version to complain about.
            let met = other.and_then(version_of).map(|version| requirements.met(wanted, version));
            match (dependency.kind, other, met) {
                (DependencyKind::Required, Some(other), Some(true) | None) => required.add(node, other),
                (DependencyKind::Required, other, _) => {
                    let lack = match other {
                        Some(_) => Lack::WrongVersion,
                        None if disabled.contains(other_id) => Lack::Disabled,
                        None => Lack::Missing,
                    };
                    if missed.insert(other_id) && missed.len() <= MAX_OF_ONE {
                        lacks.entry((lack, other_id)).or_default().push((node, wanted));
                    }
                }
                (DependencyKind::Optional, Some(other), Some(true)) => optional.add(node, other),
                (DependencyKind::Optional, Some(with), Some(false)) => of_node.push(Conflict { with, wanted }),
                (DependencyKind::Incompatible, Some(with), Some(true)) => {
                    of_node.push(Conflict { with, wanted: None });
                }
                (DependencyKind::Optional | DependencyKind::Incompatible, ..) => {}
            }
        }
        for identity in identity {
            let of = |ids: &[String]| ids.iter().filter_map(|id| index.get(id.as_str()).copied()).collect::<Vec<_>>();
            of(&identity.load_after).into_iter().for_each(|other| soft.add(node, other));
            of(&identity.load_before).into_iter().for_each(|other| soft.add(other, node));
        }
        of_node.sort_by_key(|conflict| conflict.with);
        of_node.dedup_by_key(|conflict| conflict.with);
        conflicts.push(of_node);
        unmet.push(!missed.is_empty());
        let more = missed.len().saturating_sub(MAX_OF_ONE);
        if more > 0 {
            report.refuse_nodes(ResolveProblem::More { id: (*id).to_owned(), count: more }, nodes, [node]);
        }
    }
    tell(lacks, nodes, disabled, &version_of, report);
    Wishes { required: required.sorted(), optional: optional.sorted(), soft: soft.sorted(), conflicts, unmet }
}

/// One problem for each mod that is needed and does not do.
fn tell<'a>(
    lacks: BTreeMap<(Lack, &str), Needing<'a>>,
    nodes: &[Node<'a>],
    disabled: &HashSet<&str>,
    version_of: &dyn Fn(usize) -> Option<&'a semver::Version>,
    report: &mut Report,
) {
    let mut known: Vec<_> = nodes.iter().map(|node| node.id).chain(disabled.iter().copied()).collect();
    known.sort_unstable();
    let mut compared: usize = 0;
    for ((lack, id), needing) in lacks {
        let id_of = |node: usize| nodes.get(node).map_or("", |node| node.id);
        let needed_by = |(node, versions): &(usize, Option<&str>)| NeededBy {
            id: id_of(*node).to_owned(),
            versions: versions.map(str::to_owned),
        };
        let needed_by = needing.iter().map(needed_by).collect();
        let id = id.to_owned();
        let problem = match lack {
            Lack::Missing => {
                compared = compared.saturating_add(known.len());
                // Not one of those that need it.
                let others = || {
                    let needs = |id: &&&str| needing.binary_search_by_key(*id, |(node, _)| id_of(*node)).is_err();
                    known.iter().filter(needs).copied()
                };
                let nearest = if compared <= MAX_COMPARISONS { nearest(&id, others()) } else { None };
                ResolveProblem::Missing { id, needed_by, nearest }
            }
            Lack::Disabled => ResolveProblem::Disabled { id, needed_by },
            Lack::WrongVersion => {
                let there = nodes.binary_search_by_key(&id.as_str(), |node| node.id).ok().and_then(version_of);
                let found = there.map(ToString::to_string).unwrap_or_default();
                ResolveProblem::WrongVersion { id, found, needed_by }
            }
        };
        report.refuse_nodes(problem, nodes, needing.iter().map(|(node, _)| *node));
    }
}
