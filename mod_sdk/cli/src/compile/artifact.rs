//! What was built, in a few lines, and where it stays when there is no game.

use std::path::{Path, PathBuf};

use mod_abi::{DependencyKind, Direction, FunctionDesc, names::is_reserved};
use mod_host::Manifest;

use crate::{
    replace::{FileError, replace},
    terminal::visible,
};

/// Keeps a mod in cargo's own folder.
pub(super) fn keep(target_folder: &Path, id: &str, bytes: &[u8]) -> Result<PathBuf, FileError> {
    let path = target_folder.join("wasm-mod").join(format!("{id}.wasm"));
    replace(&path, bytes)?;
    Ok(path)
}

/// What a mod is for, gives and needs.
pub(crate) fn summary(manifest: &Manifest) -> Vec<String> {
    let identity = &manifest.identity;
    let stated = |direction, mod_id: Option<&str>, name: &str| {
        let is_it = |function: &&FunctionDesc| {
            function.direction == direction && function.name == name && function.mod_id.as_deref() == mod_id
        };
        let signature = manifest.functions.iter().find(is_it).map(|function| function.signature.to_string());
        visible(&format!("{name}{}", signature.unwrap_or_default()))
    };
    let mut lines = Vec::new();
    let mut line = |what: &str, names: Vec<String>| {
        if !names.is_empty() {
            lines.push(format!("{what:<9}{}", names.join(", ")));
        }
    };
    line("for", identity.game.iter().map(|game| visible(&game.to_string())).collect());
    line("exports", manifest.exports.iter().map(|name| stated(Direction::Export, None, name)).collect());
    let of_game = manifest.host_functions.iter().filter(|name| !is_reserved(name));
    let of_game = of_game.map(|name| stated(Direction::Import, None, name));
    let of_mods = manifest.mod_functions.iter().map(|import| {
        let function = stated(Direction::Import, Some(&import.mod_id), &import.name);
        format!("{}::{function}", visible(&import.mod_id))
    });
    line("needs", of_game.chain(of_mods).collect());
    let mods = identity.dependencies.iter().filter(|other| other.kind == DependencyKind::Required);
    let name = |id: &str, versions: Option<&str>| visible(format!("{id} {}", versions.unwrap_or_default()).trim_end());
    line("mods", mods.map(|other| name(&other.id, other.requirement.as_deref())).collect());
    lines
}
