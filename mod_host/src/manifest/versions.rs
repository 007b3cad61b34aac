//! Whether the versions and requirements of a mod are some, so that whoever compares them can rely on it.

use mod_abi::{DependencyKind, Identity};
use semver::{Version, VersionReq};

use super::MAX_PROBLEMS;
use crate::{error::LoadError, text};

/// Judges all of them.
pub(super) fn check(identity: &Identity) -> Result<(), LoadError> {
    let own = Version::parse(&identity.version).err().map(|error| {
        sentence("`version`", &identity.version, "three numbers with dots between, such as `1.2.0`", &error)
    });
    let game = identity.game.iter().filter_map(|game| requirement("game", &game.id, game.api.as_deref()));
    let others = identity.dependencies.iter().filter_map(|other| {
        let key = DependencyKind::key(other.kind);
        requirement(key, &other.id, other.requirement.as_deref())
    });
    let mut problems: Vec<_> = own.into_iter().chain(game).chain(others).collect();
    let surplus = problems.len().saturating_sub(MAX_PROBLEMS);
    if surplus > 0 {
        problems.truncate(MAX_PROBLEMS);
        problems.push(format!("and {surplus} more"));
    }
    if problems.is_empty() { Ok(()) } else { Err(LoadError::Versions { problems }) }
}

fn requirement(key: &str, id: &str, stated: Option<&str>) -> Option<String> {
    let stated = stated?;
    let error = VersionReq::parse(stated).err()?;
    Some(sentence(&format!("`{key}: {id}`"), stated, "a version requirement, such as `^1.2`", &error))
}

fn sentence(what: &str, stated: &str, expected: &str, error: &semver::Error) -> String {
    text::clean(&format!("{what} states `{stated}`, but it should be {expected} ({error})"))
}
