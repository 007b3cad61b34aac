//! The first look: each mod by itself, then one file for each id.

use std::collections::{BTreeMap, HashMap};

use semver::{Version, VersionReq};

use super::{Candidate, FoundMod, GameIdentity, MAX_OF_ONE, Report, ResolveProblem};

/// All files of one id.
pub(super) struct Node<'a> {
    pub(super) id: &'a str,
    /// The file that is used. None: each has a problem of its own.
    pub(super) used: Option<Used<'a>>,
}

/// A file whose identity can be used, and its version.
pub(super) struct Used<'a> {
    pub(super) candidate: Candidate<'a>,
    pub(super) version: Version,
}

/// Requirements on versions, each text parsed once.
#[derive(Default)]
pub(super) struct Requirements<'a>(HashMap<&'a str, Result<VersionReq, String>>);

impl<'a> Requirements<'a> {
    fn get(&mut self, text: &'a str) -> &Result<VersionReq, String> {
        self.0.entry(text).or_insert_with(|| VersionReq::parse(text).map_err(|error| error.to_string()))
    }

    /// Whether a version meets the requirement, if there is one. One that cannot be read is met by none.
    pub(super) fn met(&mut self, text: Option<&'a str>, version: &Version) -> bool {
        let Some(text) = text else { return true };
        // `*` means all, also those before a release, which it does not for cargo.
        self.get(text).as_ref().is_ok_and(|all| all.comparators.is_empty() || all.matches(version))
    }
}

/// One node for each id, sorted.
pub(super) fn judge<'a>(
    candidates: &[Candidate<'a>],
    game: Option<&GameIdentity>,
    requirements: &mut Requirements<'a>,
    report: &mut Report,
) -> Vec<Node<'a>> {
    let mut sorted: Vec<_> = candidates.iter().collect();
    sorted.sort_by_key(|candidate| (&candidate.identity.id, candidate.origin, &candidate.identity.version));
    let mut ids = BTreeMap::<&str, Vec<Used<'_>>>::new();
    for candidate in sorted {
        let usable = ids.entry(candidate.identity.id.as_str()).or_default();
        if let Some(version) = judge_one(candidate, game, requirements, report) {
            usable.push(Used { candidate: *candidate, version });
        }
    }
    ids.into_iter().map(|(id, usable)| Node { id, used: choose(usable, report) }).collect()
}

/// What a mod says about itself and the game. None: it is refused.
fn judge_one<'a>(
    candidate: &Candidate<'a>,
    game: Option<&GameIdentity>,
    requirements: &mut Requirements<'a>,
    report: &mut Report,
) -> Option<Version> {
    let identity = candidate.identity;
    let file = || candidate.file();
    let mut problems = Vec::new();
    let version = Version::parse(&identity.version)
        .map_err(|error| problems.push(ResolveProblem::BadVersion { file: file(), reason: error.to_string() }));
    let of_mods = identity.dependencies.iter().map(|other| (other.id.as_str(), other.requirement.as_deref()));
    let of_game = identity.game.iter().map(|game| (game.id.as_str(), game.api.as_deref()));
    for (of, text) in of_game.chain(of_mods) {
        if let Some(text) = text
            && let Err(reason) = requirements.get(text)
        {
            let (of, text, reason) = (of.to_owned(), text.to_owned(), reason.clone());
            problems.push(ResolveProblem::BadRequirement { file: file(), of, text, reason });
        }
    }
    if let (Some(wanted), Some(game)) = (&identity.game, game) {
        if wanted.id != game.id {
            let (wanted, game) = (wanted.id.clone(), game.id.clone());
            problems.push(ResolveProblem::WrongGame { file: file(), wanted, game });
        } else if let Some(versions) = wanted.api.as_deref()
            && requirements.get(versions).is_ok()
            && !requirements.met(Some(versions), &game.api)
        {
            let (found, game, versions) = (game.api.to_string(), game.id.clone(), versions.to_owned());
            problems.push(ResolveProblem::WrongApi { file: file(), game, versions, found });
        }
    }
    let usable = problems.is_empty();
    report.refuse_for_all(&file(), problems);
    version.ok().filter(|_| usable)
}

/// The highest version, and of those the first. `usable` is sorted by origin.
fn choose<'a>(mut usable: Vec<Used<'a>>, report: &mut Report) -> Option<Used<'a>> {
    usable.sort_by(|left, right| right.version.cmp(&left.version));
    let mut usable = usable.into_iter();
    let used = usable.next()?;
    let others: Vec<FoundMod> = usable.map(|other| other.candidate.file()).collect();
    if !others.is_empty() {
        let refused = others.clone();
        report.refuse(ResolveProblem::Duplicate { used: used.candidate.file(), others }, refused);
    }
    Some(used)
}

impl Report {
    /// Refuses one file for the first few of these problems, and says how many there are beside.
    pub(super) fn refuse_for_all(&mut self, file: &FoundMod, mut problems: Vec<ResolveProblem>) {
        let count = problems.len().saturating_sub(MAX_OF_ONE);
        problems.truncate(MAX_OF_ONE);
        if count > 0 {
            problems.push(ResolveProblem::More { id: file.id.clone(), count });
        }
        problems.into_iter().for_each(|problem| self.refuse(problem, [file.clone()]));
    }
}
