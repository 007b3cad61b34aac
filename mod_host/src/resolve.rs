//! Which mods of a folder can run together, in which order, and what is wrong with the others. Only what mods state of
//! themselves is known here: no file is opened, and no code of a mod is looked at.

mod fates;
mod found;
mod graph;
mod problem;
mod wishes;
mod words;

use std::collections::{BTreeMap, HashSet};

use mod_abi::Identity;
use semver::Version;

pub use self::problem::{FoundMod, NeededBy, ResolveProblem};
use self::{
    found::{Node, Requirements},
    graph::Graph,
};

/// The most problems of one kind that one mod may have in the list.
const MAX_OF_ONE: usize = 16;

/// A mod that is enabled.
#[derive(Debug, Clone, Copy)]
pub struct Candidate<'a> {
    /// What it states.
    pub identity: &'a Identity,
    /// Where it was found, such as the path of its file: a name that no other candidate has, for messages and as a last
    /// resort of the order.
    pub origin: &'a str,
}

/// What a game is to mods.
///
/// ```
/// use mod_abi::Identity;
/// use mod_host::{Candidate, GameIdentity, Version, resolve};
///
/// let game = GameIdentity { id: "orchard".to_owned(), api: Version::new(0, 3, 0) };
/// let pests = Identity::parse(b"abi: 3\nid: pests\nversion: 0.1.0\ngame: orchard ^0.2")?;
/// let pests = Candidate { identity: &pests, origin: "pests.wasm" };
/// assert_eq!(resolve(&[pests], [], Some(&game)).problems.len(), 1);
/// # Ok::<_, mod_abi::IdentityError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GameIdentity {
    /// Its id, as mods state it.
    pub id: String,
    /// The version of what it offers to mods, which need not be the version of the game.
    pub api: Version,
}

/// A mod that can run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resolved {
    /// Its id.
    pub id: String,
    /// Its version.
    pub version: Version,
    /// Where it was found.
    pub origin: String,
    /// The length of the longest chain of mods that it builds upon: 0 for one that builds upon no other.
    pub depth: usize,
}

/// A file that does not run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// Which.
    pub file: FoundMod,
    /// Its problems, as places in [`Resolution::problems`]: at least one.
    pub problems: Vec<usize>,
}

/// Who runs, in which order, and who does not.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Resolution {
    /// The mods that can run together, in the order in which they are loaded.
    pub order: Vec<Resolved>,
    /// All others, sorted by id and origin.
    pub refused: Vec<Refused>,
    /// Everything that is wrong, each cause once, and warnings last.
    pub problems: Vec<ResolveProblem>,
}

/// Finds out which mods can run together, and in which order. `disabled` are the ids of mods that are there but switched off.
///
/// The answer depends on what the mods state and not on the order of `candidates`.
///
/// # Who runs
/// As many as possible, by these rules:
/// - A version or requirement that cannot be read refuses the mod that states it. So does another game, or another version
///   of its API. A game that does not say who it is (`None`) accepts mods for all games.
/// - Of several files with one id, the highest version is used; of those with the same version, the one with the first
///   origin. Files that are refused by themselves do not count.
/// - A mod that needs another is refused when that is missing, disabled, refused or of a version that does not fit. Versions
///   fit as they do for cargo (a version before a release fits only if the requirement names one), except that `*` means all.
/// - Mods that need one another in a circle are refused.
/// - Of two mods that do not work together, the one that says so is refused, if the other one runs. So a mod can only
///   refuse itself; but where such words go in a circle (both say it of one another), the one that needs least runs, and of
///   those the one whose id is first. An optional dependency of a version that does not fit is such a word, too.
/// - What a mod says about itself, or with `after` and `before` about mods that do not run, means nothing.
///
/// # The order
/// A mod comes after those that it needs, after its optional dependencies, and after and before those that it says. Among those
/// that may come next, the one of the smallest depth is next, and of those the one whose id is first. The depth is the length
/// of the longest chain of mods that it needs or likes.
///
/// Wishes refuse nobody. Where optional dependencies go in a circle, those of its mods do not count for the order among them,
/// and where `after` and `before` make one, these do not. Each such circle is a warning.
///
/// ```
/// use mod_host::{Candidate, resolve};
/// use mod_abi::Identity;
///
/// let bees = Identity::parse(b"abi: 3\nid: bees\nversion: 1.2.0")?;
/// let honey = Identity::parse(b"abi: 3\nid: apiary\nversion: 0.1.0\ndependency: bees ^1")?;
/// let jam = Identity::parse(b"abi: 3\nid: jam\nversion: 0.1.0\ndependency: berries >=2")?;
/// let candidates = [(&honey, "apiary.wasm"), (&jam, "jam.wasm"), (&bees, "bees.wasm")];
/// let candidates = candidates.map(|(identity, origin)| Candidate { identity, origin });
///
/// let resolution = resolve(&candidates, ["berries"], None);
/// let order: Vec<_> = resolution.order.iter().map(|one| one.id.as_str()).collect();
/// assert_eq!(order, ["bees", "apiary"]);
/// assert_eq!(
///     resolution.problems[0].to_string(),
///     "`jam` needs `berries` >=2, which is disabled: enable `berries`, or disable `jam`"
/// );
/// # Ok::<_, mod_abi::IdentityError>(())
/// ```
#[must_use]
pub fn resolve<'a>(
    candidates: &[Candidate<'a>],
    disabled: impl IntoIterator<Item = &'a str>,
    game: Option<&GameIdentity>,
) -> Resolution {
    let mut report = Report::default();
    let mut requirements = Requirements::default();
    let nodes = found::judge(candidates, game, &mut requirements, &mut report);
    let disabled: HashSet<&str> = disabled.into_iter().collect();
    let wishes = wishes::connect(&nodes, &disabled, &mut requirements, &mut report);
    let runs = fates::decide(&nodes, &wishes, &mut report);

    let runs = |node: usize| runs.get(node).copied().unwrap_or(false);
    let among_running = |graph: &Graph| graph.filtered(|node, earlier| runs(node) && runs(earlier));
    let dependencies =
        with_wishes(&among_running(&wishes.required), &among_running(&wishes.optional), &nodes, &mut report);
    let depths = dependencies.depths();
    let depth = |node: usize| depths.get(node).copied().unwrap_or(0);
    let all = with_wishes(&dependencies, &among_running(&wishes.soft), &nodes, &mut report);
    let resolved = |node: usize| {
        let Node { id, used } = nodes.get(node).filter(|_| runs(node))?;
        let used = used.as_ref()?;
        let (version, origin) = (used.version.clone(), used.candidate.origin.to_owned());
        Some(Resolved { id: (*id).to_owned(), version, origin, depth: depth(node) })
    };
    let order = all.order(depth).into_iter().filter_map(resolved).collect();
    Resolution { order, refused: report.refused(), problems: report.problems }
}

/// Adds what mods wish to what must be. Wishes within a circle are given up, and the circle is told.
fn with_wishes(must: &Graph, wishes: &Graph, nodes: &[Node<'_>], report: &mut Report) -> Graph {
    if wishes.edges().next().is_none() {
        return must.clone();
    }
    let both = must.and(wishes.edges());
    let mut tangles = both.tangles();
    for members in std::mem::take(&mut tangles.members) {
        let circle = tangles.circle(&both, &members);
        let (circle, others) = ids_of_circle(nodes, &circle, &members);
        report.problems.push(ResolveProblem::OrderCircle { circle, others });
    }
    must.and(wishes.edges().filter(|(node, earlier)| !tangles.both_in_one(*node, *earlier)))
}

/// The ids of a circle, and of those that are tangled up in it.
fn ids_of_circle(nodes: &[Node<'_>], circle: &[usize], members: &[usize]) -> (Vec<String>, Vec<String>) {
    let ids = |of: &mut dyn Iterator<Item = &usize>| {
        of.filter_map(|node| nodes.get(*node)).map(|node| node.id.to_owned()).collect::<Vec<_>>()
    };
    let within: HashSet<&usize> = circle.iter().collect();
    (ids(&mut circle.iter()), ids(&mut members.iter().filter(|member| !within.contains(member))))
}

impl Candidate<'_> {
    fn file(&self) -> FoundMod {
        let Identity { id, version, .. } = self.identity;
        FoundMod { id: id.clone(), version: version.clone(), origin: self.origin.to_owned() }
    }
}

/// What is wrong, and with whom.
#[derive(Default)]
struct Report {
    problems: Vec<ResolveProblem>,
    refused: BTreeMap<(String, String, String), Vec<usize>>,
}

impl Report {
    fn refuse(&mut self, problem: ResolveProblem, files: impl IntoIterator<Item = FoundMod>) {
        for FoundMod { id, version, origin } in files {
            self.refused.entry((id, origin, version)).or_default().push(self.problems.len());
        }
        self.problems.push(problem);
    }

    /// [`Report::refuse`] for the files that are used of these nodes.
    fn refuse_nodes(&mut self, problem: ResolveProblem, nodes: &[Node<'_>], of: impl IntoIterator<Item = usize>) {
        let used = of.into_iter().filter_map(|node| nodes.get(node)?.used.as_ref());
        self.refuse(problem, used.map(|used| used.candidate.file()));
    }

    fn refused(&mut self) -> Vec<Refused> {
        let one = |((id, origin, version), problems)| Refused { file: FoundMod { id, version, origin }, problems };
        std::mem::take(&mut self.refused).into_iter().map(one).collect()
    }
}
