//! What a save could not take, and what a restore found to be different: sentences for players.

use std::{cmp::Ordering, fmt, sync::Arc};

use bevy_ecs::entity::Entity;
use mod_host::Version;

use crate::lifecycle::registry::{ModRegistry, ModState};

/// The most differences that are told one by one.
const MAX_DIFFERENCES: usize = 1000;

/// What of a mod could not be saved, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SaveProblem {
    /// The mod's id.
    pub id: Arc<str>,
    /// A sentence.
    pub reason: String,
}

impl fmt::Display for SaveProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.id, self.reason)
    }
}

/// What is different after a [`ModSave`](crate::ModSave) was restored. Its text is one sentence on each line; with no
/// difference it is empty.
///
/// ```
/// # use bevy::prelude::*;
/// # use bevy_wasm_mods::prelude::*;
/// fn tell(restored: &ModRestore) {
///     if !restored.is_complete() {
///         warn!("not all is as it was:\n{restored}");
///     }
/// }
/// # assert!(ModRestore::default().is_complete());
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ModRestore {
    /// What is different, in the order in which it was found.
    pub differences: Vec<ModDifference>,
    /// How many more there were than are told.
    pub untold: usize,
}

/// One thing that is not as it was when a game was saved.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ModDifference {
    /// A newer version of the game has written the save. Nothing of it was read, and all mods start anew.
    Format {
        /// The number of its form.
        found: u32,
    },
    /// A mod of the save does not run. What it has in the save is kept: it stands in the next save again, and the mod gets
    /// it as soon as it runs.
    Missing {
        /// The mod's id.
        id: Arc<str>,
        /// The version in the save.
        version: String,
        /// Why it does not run.
        why: MissingMod,
    },
    /// A mod runs in another version than in the save, and has taken over what it can.
    OtherVersion {
        /// The mod's id.
        id: Arc<str>,
        /// The version in the save.
        saved: String,
        /// The version that runs.
        running: String,
        /// Whether the version that runs is newer ([`Ordering::Greater`]) or older; `None` where the texts do not tell.
        order: Option<Ordering>,
    },
    /// A mod runs that has nothing in the save. It started anew.
    New {
        /// The mod's id.
        id: Arc<str>,
        /// Its version.
        version: String,
    },
    /// A mod could not take over what it has in the save, or could not start anew, and was stopped. What it has in the save
    /// is kept.
    Failed {
        /// The mod's id.
        id: Arc<str>,
        /// Why.
        reason: String,
    },
    /// A value, a field or a type was dropped.
    Lost {
        /// The mod's id.
        id: Arc<str>,
        /// A sentence.
        what: String,
    },
    /// Entities of the save are not there any more, and with them what they had of a mod.
    LostEntities {
        /// The mod's id.
        id: Arc<str>,
        /// The path of what they had, or `None` if it is lost that the mod spawned them.
        path: Option<String>,
        /// The entities, by their ids in the save.
        entities: Vec<Entity>,
    },
}

/// Why a mod of a save does not run.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum MissingMod {
    /// There is no such mod.
    NotThere,
    /// It is being loaded, waits for types of the game or for mods that it needs, or has failed and is about to be restarted.
    Loading,
    /// The game switched it off.
    Disabled,
    /// It failed.
    Failed,
    /// It is in the middle of a call.
    Busy,
}

impl fmt::Display for MissingMod {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotThere => "is not there",
            Self::Loading => "is still being loaded",
            Self::Disabled => "is switched off",
            Self::Failed => "does not work",
            Self::Busy => "is busy",
        })
    }
}

impl fmt::Display for ModDifference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Format { found } => write!(
                f,
                "the mods' part of this save has form {found}, which this version of the game cannot read; all mods start \
                 anew"
            ),
            Self::Missing { id, version, why } => {
                write!(f, "{id} {version} {why}; what it has in this save is kept for it")
            }
            Self::OtherVersion { id, saved, running, order } => {
                let order = match order {
                    Some(Ordering::Greater) => "newer than",
                    Some(Ordering::Less) => "older than",
                    _ => "not",
                };
                write!(f, "{id} is {running} here, {order} the {saved} of this save")
            }
            Self::New { id, version } => write!(f, "{id} {version} is not in this save and starts anew"),
            Self::Failed { id, reason } => {
                write!(f, "{id} was stopped, because it could not go on from this save: {reason}")
            }
            Self::Lost { id, what } => write!(f, "{id}: {what}"),
            Self::LostEntities { id, path, entities } => {
                let (count, are) = (entities.len(), if entities.len() == 1 { "entity is" } else { "entities are" });
                match path {
                    Some(path) => write!(f, "{id}: {count} {are} not there any more, and with that its `{path}`"),
                    None => write!(f, "{id}: {count} {are} not there any more that it spawned"),
                }
            }
        }
    }
}

impl fmt::Display for ModRestore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut between = "";
        for difference in &self.differences {
            write!(f, "{between}{difference}")?;
            between = "\n";
        }
        match self.untold {
            0 => Ok(()),
            more => write!(f, "{between}and {more} more"),
        }
    }
}

impl ModRestore {
    /// Whether everything is as it was saved.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.differences.is_empty() && self.untold == 0
    }

    pub(super) fn add(&mut self, difference: ModDifference) {
        if self.differences.len() < MAX_DIFFERENCES {
            self.differences.push(difference);
        } else {
            self.untold += 1;
        }
    }

    pub(super) fn lose(&mut self, id: &Arc<str>, what: impl Into<String>) {
        self.add(ModDifference::Lost { id: Arc::clone(id), what: what.into() });
    }

    pub(super) fn lose_entities(&mut self, id: &Arc<str>, path: Option<&str>, entities: Vec<Entity>) {
        if !entities.is_empty() {
            self.add(ModDifference::LostEntities { id: Arc::clone(id), path: path.map(str::to_owned), entities });
        }
    }

    /// What was lost of one mod, as sentences.
    pub(super) fn losses_of(&self, wanted: &str) -> Arc<[String]> {
        let of_mod = self.differences.iter().filter(|difference| match difference {
            ModDifference::Lost { id, .. } | ModDifference::LostEntities { id, .. } => **id == *wanted,
            _ => false,
        });
        of_mod.map(ToString::to_string).collect()
    }
}

impl ModDifference {
    /// The difference between two versions of a mod, if they are not the same.
    pub(super) fn of_versions(id: &Arc<str>, saved: &str, running: &str) -> Option<Self> {
        (saved != running).then(|| Self::OtherVersion {
            id: Arc::clone(id),
            saved: saved.to_owned(),
            running: running.to_owned(),
            order: compare(running, saved),
        })
    }
}

impl MissingMod {
    /// Why a mod cannot be started once more, if so.
    pub(super) fn why(registry: &ModRegistry, id: &str) -> Option<Self> {
        let Some(record) = registry.mods.get(id) else {
            // While files are read, their mods are not known yet.
            let will_come = registry.engine.is_some() && !registry.is_settled();
            return Some(if will_come { Self::Loading } else { Self::NotThere });
        };
        let handle = record.running.as_ref().map(|running| &running.handle);
        match (&record.state, handle) {
            (ModState::Loading | ModState::Pending { .. } | ModState::Waiting { .. }, _) => Some(Self::Loading),
            (ModState::Restarting(_), _) => Some(Self::Loading),
            (ModState::Disabled, _) => Some(Self::Disabled),
            (ModState::Failed(_) | ModState::Undecided(_), _) | (ModState::Running, None) => Some(Self::Failed),
            (ModState::Running, Some(handle)) if handle.is_faulted() => Some(Self::Failed),
            // It is about to be loaded once more, because a type that it uses has changed.
            (ModState::Running, Some(handle)) if handle.is_stale() => Some(Self::Loading),
            (ModState::Running, Some(handle)) if handle.is_busy() => Some(Self::Busy),
            (ModState::Running, Some(_)) => None,
        }
    }
}

/// Whether a version is newer or older than another, by the rules of semantic versioning.
fn compare(version: &str, with: &str) -> Option<Ordering> {
    let order = Version::parse(version).ok()?.cmp_precedence(&Version::parse(with).ok()?);
    Some(order).filter(|order| *order != Ordering::Equal)
}

#[cfg(test)]
mod tests {
    use std::cmp::Ordering;

    use super::{ModDifference, ModRestore, compare};

    #[test]
    fn versions_are_older_newer_or_neither() {
        for (version, with, expected) in [
            ("1.10.0", "1.9.3", Some(Ordering::Greater)),
            ("1.0.0-beta", "1.0.0", Some(Ordering::Less)),
            ("1.0.0+spring", "1.0.0+autumn", None),
            ("spring", "1.0.0", None),
            ("", "1.0.0", None),
        ] {
            assert_eq!(compare(version, with), expected, "{version:?} {with:?}");
        }
    }

    #[test]
    fn a_report_has_an_end() {
        let mut report = ModRestore::default();
        assert!(report.is_complete());
        for n in 0..1500 {
            report.lose(&"bees".into(), format!("loss {n}"));
        }
        let text = report.to_string();
        assert!(text.starts_with("bees: loss 0\nbees: loss 1\n"), "{text}");
        assert!(text.ends_with("bees: loss 999\nand 500 more"), "{text}");
        assert!(!report.is_complete());
        assert_eq!(report.losses_of("bees").len(), 1000);
        let other = ModDifference::of_versions(&"bees".into(), "1.0.0", "spring");
        assert_eq!(
            other.map(|other| other.to_string()).as_deref(),
            Some("bees is spring here, not the 1.0.0 of this save")
        );
        assert_eq!(ModDifference::of_versions(&"bees".into(), "1.0.0", "1.0.0"), None);
    }
}
