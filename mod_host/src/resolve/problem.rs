//! What can be wrong with a set of mods, as sentences for players, each with a way out.

use std::fmt;

use super::words::{self, list, name, names};
use crate::{nearest::hint, text::clean};

/// A mod, and where it was found.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FoundMod {
    /// Its id.
    pub id: String,
    /// Its version, as it states it.
    pub version: String,
    /// Where it was found, as [`Candidate`](super::Candidate) says it.
    pub origin: String,
}

/// One that needs another mod.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NeededBy {
    /// Its id.
    pub id: String,
    /// The versions of the other one that it works with. None: all.
    pub versions: Option<String>,
}

/// Why mods do not run, or not in the order that they ask for. Text of mods that stands in the sentences is cleaned.
///
/// ```
/// use mod_host::{NeededBy, ResolveProblem};
///
/// let honey = NeededBy { id: "honey".into(), versions: Some("^1".into()) };
/// let problem = ResolveProblem::Missing { id: "bees".into(), needed_by: vec![honey], nearest: None };
/// assert_eq!(
///     problem.to_string(),
///     "`honey` needs `bees` 1.x, which is not there: put it into the mod folder, or disable `honey`"
/// );
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ResolveProblem {
    /// A version that is none.
    #[error(
        "{} ({}) has the version `{}`, which cannot be read ({}): tell its author that it should look like `1.2.0`, or \
         disable it",
        name(&file.id), clean(&file.origin), clean(&file.version), clean(reason)
    )]
    BadVersion {
        /// The mod.
        file: FoundMod,
        /// What is wrong with it.
        reason: String,
    },
    /// A requirement on versions that is none.
    #[error(
        "{file} names versions of {} that cannot be read (`{}`: {}): tell its author that they should look like `^1.2`, \
         or disable it",
        name(of),
        clean(text),
        clean(reason)
    )]
    BadRequirement {
        /// The mod.
        file: FoundMod,
        /// The mod or game whose versions are meant.
        of: String,
        /// The requirement.
        text: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A mod for another game.
    #[error("{file} is a mod for the game {}, and this is {}: disable it", name(wanted), name(game))]
    WrongGame {
        /// The mod.
        file: FoundMod,
        /// The game that it is for.
        wanted: String,
        /// This game.
        game: String,
    },
    /// A mod for another version of what the game offers to mods.
    #[error(
        "{file} needs the mod API of {} {}, and this is {found}: look for a version of the mod that fits, or disable it",
        name(game),
        words::versions(versions)
    )]
    WrongApi {
        /// The mod.
        file: FoundMod,
        /// The game.
        game: String,
        /// The versions that the mod works with.
        versions: String,
        /// The version of this game.
        found: String,
    },
    /// More than one file with the same id.
    #[error("{} {} the same mod as {used}, which is used: keep only one of the files", files(others),
        if others.len() == 1 { "is" } else { "are" })]
    Duplicate {
        /// The one that is used: the highest version, and of those the first origin.
        used: FoundMod,
        /// The ones that are not.
        others: Vec<FoundMod>,
    },
    /// A mod that is needed and nowhere to be found.
    #[error(
        "{}, which is not there: put it into the mod folder, or disable {}{}",
        need(needed_by, id), them(needed_by), hint(nearest.as_deref().map(clean).as_deref())
    )]
    Missing {
        /// The mod that is needed.
        id: String,
        /// Those that need it.
        needed_by: Vec<NeededBy>,
        /// The mod that is probably meant.
        nearest: Option<String>,
    },
    /// A mod that is needed and disabled.
    #[error("{}, which is disabled: enable {}, or disable {}", need(needed_by, id), name(id), them(needed_by))]
    Disabled {
        /// The mod that is needed.
        id: String,
        /// Those that need it.
        needed_by: Vec<NeededBy>,
    },
    /// A mod that is needed in another version.
    #[error(
        "{}, but version {found} is there: put another version of {} into the mod folder, or disable {}",
        need(needed_by, id),
        name(id),
        them(needed_by)
    )]
    WrongVersion {
        /// The mod that is needed.
        id: String,
        /// The version that is there.
        found: String,
        /// Those that need another one.
        needed_by: Vec<NeededBy>,
    },
    /// Mods that need one another in a circle.
    #[error(
        "{} need one another in a circle{}, so none of them can be loaded first: look for other versions of them, or \
         disable them",
        words::circle(circle),
        also(others)
    )]
    Circle {
        /// The shortest circle, each before one that it needs, the last before the first.
        circle: Vec<String>,
        /// Others that need them and are needed by them.
        others: Vec<String>,
    },
    /// A mod that says that it does not work with another.
    #[error(
        "{} does not work with {} {found}, so {} does not run: disable one of them",
        name(id),
        name(with),
        name(refused)
    )]
    Incompatible {
        /// The mod that says so.
        id: String,
        /// The other one.
        with: String,
        /// The version of the other one.
        found: String,
        /// Which of the two does not run.
        refused: String,
    },
    /// A mod that works without another, but not with this version of it.
    #[error(
        "{} works with {} {}, but version {found} is there, so {} does not run: put another version of {} into the mod \
         folder, or disable one of them",
        name(id),
        name(with),
        words::versions(versions),
        name(refused),
        name(with)
    )]
    OptionalVersion {
        /// The mod that says so.
        id: String,
        /// The other one.
        with: String,
        /// The versions that it works with.
        versions: String,
        /// The version that is there.
        found: String,
        /// Which of the two does not run.
        refused: String,
    },
    /// Mods that need one that does not run.
    #[error(
        "{} {} {}, which does not run: solve its problem, or disable {}",
        names(mods), if mods.len() == 1 { "needs" } else { "need" }, name(id),
        if let [one] = mods.as_slice() { name(one) } else { "them".to_owned() }
    )]
    NeedsRefused {
        /// The one that does not run. Its own problem is another one of the list.
        id: String,
        /// Those that need it, or need one that needs it.
        mods: Vec<String>,
    },
    /// More problems than one mod may have in the list.
    #[error("{} has {count} more problems, which are not listed: disable it", name(id))]
    More {
        /// The mod.
        id: String,
        /// How many more.
        count: usize,
    },
    /// Mods that want to be loaded after one another, without needing it. Only a warning: all of them run.
    #[error(
        "{} want to be loaded after one another{}: they run, but not in the order that they want; tell their authors",
        words::circle(circle),
        also(others)
    )]
    OrderCircle {
        /// The shortest circle, each before one that it wants to come after, the last before the first.
        circle: Vec<String>,
        /// Others that are part of it.
        others: Vec<String>,
    },
}

impl ResolveProblem {
    /// Whether nothing is refused because of it.
    #[must_use]
    pub fn is_warning(&self) -> bool {
        matches!(self, Self::OrderCircle { .. })
    }
}

impl fmt::Display for FoundMod {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} ({})", name(&self.id), clean(&self.version), clean(&self.origin))
    }
}

fn files(files: &[FoundMod]) -> String {
    list(files.iter().map(FoundMod::to_string))
}

/// The first half of a sentence: who needs what.
fn need(by: &[NeededBy], id: &str) -> String {
    let versions = |by: &NeededBy| by.versions.as_deref().map(|versions| format!(" {}", words::versions(versions)));
    let first = by.first().and_then(versions);
    let verb = if by.len() == 1 { "needs" } else { "need" };
    if by.iter().all(|by| versions(by) == first) {
        let who = list(by.iter().map(|by| name(&by.id)));
        format!("{who} {verb} {}{}", name(id), first.unwrap_or_default())
    } else {
        let each = |by: &NeededBy| {
            let versions = versions(by).unwrap_or_else(|| " in any version".to_owned());
            format!("{} ({})", name(&by.id), versions.trim_start())
        };
        format!("{} {verb} {}", list(by.iter().map(each)), name(id))
    }
}

fn them(by: &[NeededBy]) -> String {
    match by {
        [one] => name(&one.id),
        _ => "them".to_owned(),
    }
}

fn also(others: &[String]) -> String {
    match others.len() {
        0 => String::new(),
        1 => format!(" (and so does {})", names(others)),
        _ => format!(" (and so do {})", names(others)),
    }
}
