//! What a mod needs beside itself: other mods, and a game.

use alloc::{borrow::ToOwned, string::String, vec::Vec};
use core::fmt;

use super::{IdentityError, checked, is_clean, listed};

/// The most other mods that a mod may name.
const MAX_DEPENDENCIES: usize = 256;

/// What a mod thinks of another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DependencyKind {
    /// It does not work without.
    Required,
    /// It works without, but not with other versions than it states.
    Optional,
    /// It does not work with it.
    Incompatible,
}

impl DependencyKind {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Required, Self::Optional, Self::Incompatible];

    /// The key in an identity section.
    #[must_use]
    pub const fn key(self) -> &'static str {
        match self {
            Self::Required => "dependency",
            Self::Optional => "optional",
            Self::Incompatible => "incompatible",
        }
    }
}

/// Another mod that a mod needs, likes, or cannot stand. As text: an id and, after a space, a version requirement.
///
/// ```
/// use mod_abi::{Dependency, DependencyKind};
///
/// let bees = Dependency::new(DependencyKind::Required, "bees", Some("^1.2"));
/// assert!(bees.to_string().ends_with("bees ^1.2"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dependency {
    /// How.
    pub kind: DependencyKind,
    /// The id of the other mod.
    pub id: String,
    /// The versions that are meant, as cargo writes them (`^1.2`, `>=1, <3`). None: all. It is not looked at here.
    pub requirement: Option<String>,
}

impl Dependency {
    /// A dependency.
    #[must_use]
    pub fn new(kind: DependencyKind, id: &str, requirement: Option<&str>) -> Self {
        Self { kind, id: id.to_owned(), requirement: requirement.map(str::to_owned) }
    }
}

impl fmt::Display for Dependency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.kind.key(), self.id)?;
        self.requirement.iter().try_for_each(|requirement| write!(f, " {requirement}"))
    }
}

/// The game that a mod is for. As text: its id and, after a space, a requirement on the version of its API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GameRequirement {
    /// The id of the game.
    pub id: String,
    /// The versions of what the game offers to mods. None: all. It is not looked at here.
    pub api: Option<String>,
}

impl GameRequirement {
    pub(super) fn parse(value: &str) -> Result<Self, IdentityError> {
        let (id, api) = id_and_requirement("game", value)?;
        Ok(Self { id, api })
    }
}

impl fmt::Display for GameRequirement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.id)?;
        self.api.iter().try_for_each(|api| write!(f, " {api}"))
    }
}

/// All dependencies, in the order of their lines: each of another mod, and none of the mod itself.
pub(super) fn dependencies(pairs: &[(&str, &str)], own: &str) -> Result<Vec<Dependency>, IdentityError> {
    let kind_of = |key: &str| DependencyKind::ALL.into_iter().find(|kind| kind.key() == key);
    let stated = pairs.iter().filter_map(|(key, value)| Some((kind_of(key)?, *value)));
    let read = |(kind, value): (DependencyKind, &str)| {
        let (id, requirement) = id_and_requirement(kind.key(), value)?;
        Ok(Dependency { kind, id, requirement })
    };
    listed(stated.map(read), MAX_DEPENDENCIES, own, |dependency| (dependency.kind.key(), &dependency.id))
}

/// The ids of `after` and `before`: a mod that should be on both sides would make a circle.
pub(super) fn order(pairs: &[(&str, &str)], own: &str) -> Result<(Vec<String>, Vec<String>), IdentityError> {
    let stated = pairs.iter().filter_map(|(key, value)| match *key {
        "after" => Some(("after", *value)),
        "before" => Some(("before", *value)),
        _ => None,
    });
    let read = |(key, value)| Ok((key, checked(key, value)?));
    let all = listed(stated.map(read), MAX_DEPENDENCIES, own, |(key, id)| (*key, id))?;
    let (after, before): (Vec<_>, Vec<_>) = all.into_iter().partition(|(key, _)| *key == "after");
    let ids = |list: Vec<(_, String)>| list.into_iter().map(|(_, id)| id).collect();
    Ok((ids(after), ids(before)))
}

fn id_and_requirement(key: &'static str, value: &str) -> Result<(String, Option<String>), IdentityError> {
    let (id, requirement) = value.split_once(' ').unwrap_or((value, ""));
    let id = checked(key, id)?;
    let requirement = requirement.trim();
    // Cut or cleaned it might mean something else.
    if !is_clean(requirement) {
        let expected = "an id and a version requirement of at most 256 characters, without control characters";
        return Err(IdentityError::Invalid { key, value: super::clean(value), expected });
    }
    Ok((id, Some(requirement).filter(|requirement| !requirement.is_empty()).map(str::to_owned)))
}
