//! The game that a mod is for, and the other mods that it needs, likes, or cannot stand.

use std::{collections::BTreeSet, ops::Range};

use mod_abi::{Dependency, DependencyKind, GameRequirement, Identity};
use semver::VersionReq;
use toml::de::DeValue;

use super::table::{Entry, Reader};
use crate::nearest::nearest;

/// `game = "orchard"` or `game = { id = "orchard", api = "^0.3" }`
pub(super) fn game(entry: &Entry<'_>, reader: &mut Reader<'_>) -> Option<GameRequirement> {
    if entry.value.is_str() {
        return reader.id(entry).map(|id| GameRequirement { id, api: None });
    }
    let Some(table) = entry.value.as_table() else {
        let message = "`game` should be a text, or a table such as `{ id = \"orchard\", api = \"^0.3\" }`";
        reader.problem(entry.place.clone(), message);
        return None;
    };
    let (mut id, mut api, mut is_there) = (None, None, false);
    for inner in reader.entries(table, &entry.name, &["id", "api"]) {
        if inner.key == "api" {
            api = requirement(&inner, reader);
        } else {
            is_there = true;
            id = reader.id(&inner);
        }
    }
    if !is_there {
        reader.problem(entry.place.clone(), "`game` should state the game's `id`");
    }
    Some(GameRequirement { id: id?, api })
}

/// The tables `dependencies` and `incompatible`.
pub(super) fn dependencies(entries: &[Entry<'_>], own: &str, reader: &mut Reader<'_>) -> Vec<Dependency> {
    let mut others = Others::new(own, "among the dependencies and incompatible mods");
    let mut list = Vec::new();
    for entry in entries.iter().filter(|entry| matches!(entry.key, "dependencies" | "incompatible")) {
        let Some(table) = reader.table(entry) else { continue };
        for other in reader.all(table, &entry.name) {
            if !others.take(other.key, other.place.clone(), reader) {
                continue;
            }
            let stated = match entry.key {
                "dependencies" => dependency(&other, reader),
                _ => requirement(&other, reader).map(|version| (DependencyKind::Incompatible, Some(version))),
            };
            list.extend(stated.map(|(kind, version)| Dependency::new(kind, other.key, version.as_deref())));
        }
    }
    list
}

/// `bees = "^1"` or `bees = { version = "^1", optional = true }`
fn dependency(entry: &Entry<'_>, reader: &mut Reader<'_>) -> Option<(DependencyKind, Option<String>)> {
    let DeValue::Table(table) = entry.value else {
        return requirement(entry, reader).map(|version| (DependencyKind::Required, Some(version)));
    };
    let (mut kind, mut version) = (DependencyKind::Required, None);
    for inner in reader.entries(table, &entry.name, &["version", "optional"]) {
        if inner.key == "version" {
            version = requirement(&inner, reader);
        } else if reader.truth(&inner) == Some(true) {
            kind = DependencyKind::Optional;
        }
    }
    Some((kind, version))
}

/// Why functions of a mod cannot be imported, with the line that is missing.
pub(super) fn why_not_callable(identity: &Identity, id: &str) -> Option<String> {
    if id == identity.id {
        return Some(format!("`{id}` is this mod itself: call the function without an import"));
    }
    match identity.dependencies.iter().find(|other| other.id == id).map(|other| other.kind) {
        Some(DependencyKind::Required | DependencyKind::Optional) => None,
        Some(DependencyKind::Incompatible) => {
            Some(format!("Cargo.toml states `{id}` under `[package.metadata.mod.incompatible]`"))
        }
        None => {
            let callable = identity.dependencies.iter().filter(|other| other.kind != DependencyKind::Incompatible);
            let known: Vec<_> = callable.map(|other| other.id.as_str()).collect();
            let hint = nearest(id, &known).map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
            Some(format!(
                "this mod does not depend on `{id}`: write `{id} = \"*\"`, or the versions that it works with, under \
                 `[package.metadata.mod.dependencies]` in Cargo.toml{hint}"
            ))
        }
    }
}

/// The lists `after` and `before`.
pub(super) fn order(entries: &[Entry<'_>], own: &str, reader: &mut Reader<'_>) -> (Vec<String>, Vec<String>) {
    let mut others = Others::new(own, "among `after` and `before`");
    let (mut after, mut before) = (Vec::new(), Vec::new());
    for entry in entries.iter().filter(|entry| matches!(entry.key, "after" | "before")) {
        let list = if entry.key == "after" { &mut after } else { &mut before };
        for (id, place) in reader.texts(entry) {
            if others.take(&id, place, reader) {
                list.push(id);
            }
        }
    }
    (after, before)
}

fn requirement(entry: &Entry<'_>, reader: &mut Reader<'_>) -> Option<String> {
    let Some(text) = entry.value.as_str() else {
        reader.problem(
            entry.place.clone(),
            format!("`{}` should be a version requirement, such as \"^1.2\"", entry.name),
        );
        return None;
    };
    match VersionReq::parse(text) {
        Ok(requirement) => Some(requirement.to_string()),
        Err(error) => {
            let message =
                format!("`{}` should be a version requirement, such as \"^1.2\", and is {text:?}: {error}", entry.name);
            reader.problem(entry.place.clone(), message);
            None
        }
    }
}

/// Other mods, each of which can be named once.
struct Others<'a> {
    own: &'a str,
    place: &'static str,
    named: BTreeSet<String>,
}

impl<'a> Others<'a> {
    fn new(own: &'a str, place: &'static str) -> Self {
        Self { own, place, named: BTreeSet::new() }
    }

    /// Whether that can be one more.
    fn take(&mut self, id: &str, place: Range<usize>, reader: &mut Reader<'_>) -> bool {
        if !reader.checked_id(id, place.clone()) {
            return false;
        }
        if id == self.own {
            reader.problem(place, format!("`{id}` is this mod itself"));
            return false;
        }
        let is_new = self.named.insert(id.to_owned());
        if !is_new {
            reader.problem(place, format!("`{id}` is there twice {}", self.place));
        }
        is_new
    }
}
