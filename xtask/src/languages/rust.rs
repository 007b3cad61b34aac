//! Mods in Rust: calls cargo for a workspace of wasm crates and finds what it built.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use super::{BuildError, read_module, run};
use crate::files::{FileError, names_in};

/// What a crate is made of.
pub(super) const SOURCES: [&str; 3] = ["Cargo.toml", "build.rs", "src"];

/// What every mod of a workspace is made of besides its own crate, in the workspace.
pub(super) const WORKSPACE_SOURCES: [&str; 3] = ["Cargo.toml", "Cargo.lock", ".cargo/config.toml"];

/// What every mod in Rust is made of besides its own workspace.
pub(super) const SHARED_SOURCES: [&str; 6] = [
    "mod_sdk/Cargo.toml",
    "mod_sdk/src",
    "mod_sdk/abi/Cargo.toml",
    "mod_sdk/abi/src",
    "mod_sdk/macros/Cargo.toml",
    "mod_sdk/macros/src",
];

/// The first `name = "..."` of a manifest's `[package]` table.
pub(super) fn package_name(manifest: &str) -> Option<&str> {
    let mut lines = manifest.lines().map(str::trim).skip_while(|line| *line != "[package]").skip(1);
    lines.by_ref().take_while(|line| !line.starts_with('[')).find_map(|line| {
        let (key, value) = line.split_once('=')?;
        (key.trim() == "name").then(|| value.trim().split('"').nth(1))?
    })
}

/// Whether the standard library of `target` is installed.
pub(crate) fn has_target(target: &str) -> Result<bool, BuildError> {
    let mut rustc = Command::new("rustc");
    rustc.args(["--print", "target-libdir", "--target", target]);
    let output = rustc.output().map_err(|source| BuildError::NoProgram { program: "rustc", source })?;
    let folder = String::from_utf8_lossy(&output.stdout);
    Ok(output.status.success() && Path::new(folder.trim()).is_dir())
}

/// Builds every crate of `workspace` and returns the folder with the modules.
///
/// Only the workspace's own configuration counts: cargo looks it up from the current directory, and variables of the
/// environment would replace it. Paths of the machine are cut from the modules, so that a build can be repeated
/// elsewhere.
pub(crate) fn build(root: &Path, workspace: &Path, target: &'static str) -> Result<PathBuf, BuildError> {
    if !has_target(target)? {
        return Err(BuildError::NoTarget { target });
    }
    let output = workspace.join("target");
    let mut cargo = Command::new("cargo");
    cargo.args(["build", "--quiet", "--workspace", "--release", "--target", target]).arg("--target-dir").arg(&output);
    cargo.arg("--config").arg(remap_option(root, target)?);
    let per_target = format!("CARGO_TARGET_{}_RUSTFLAGS", target.to_uppercase().replace('-', "_"));
    for variable in ["RUSTFLAGS", "CARGO_ENCODED_RUSTFLAGS", "CARGO_BUILD_RUSTFLAGS", "CARGO_TARGET_DIR", &per_target] {
        cargo.env_remove(variable);
    }
    run("cargo build", &mut cargo, workspace)?;
    Ok(output.join(target).join("release"))
}

/// The module that [`build`] left for a crate.
pub(crate) fn module(built: &Path, name: &str) -> Result<Vec<u8>, BuildError> {
    let hint = "; its Cargo.toml should state `crate-type = [\"cdylib\"]`";
    read_module(name, built.join(name).with_extension("wasm"), hint)
}

/// cargo joins this list to the one in the workspace's configuration. Of several prefixes rustc takes the last.
fn remap_option(root: &Path, target: &str) -> Result<String, FileError> {
    let mut flags = vec![remap(root, "bevy_wasm_mods")];
    let home = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    if let Some(home) = home.or_else(|| std::env::home_dir().map(|home| home.join(".cargo"))) {
        flags.push(remap(&home, "cargo"));
        let registries = home.join("registry/src");
        flags.extend(names_in(&registries)?.iter().map(|name| remap(&registries.join(name), "registry")));
    }
    Ok(format!("target.{target}.rustflags=[{}]", flags.join(",")))
}

fn remap(from: &Path, to: &str) -> String {
    // A TOML string in double quotes: backslashes and quotes are escaped as in Rust.
    format!("{:?}", format!("--remap-path-prefix={}={to}", from.display()))
}

#[cfg(test)]
mod tests {
    use super::package_name;

    #[test]
    fn the_name_is_that_of_the_package() {
        assert_eq!(package_name("[lib]\nname = \"x\"\n\n[package]\nedition = \"2024\"\nname = \"a-b\"\n"), Some("a-b"));
        assert_eq!(package_name("[package]\nversion.workspace = true\n[lib]\nname = \"x\"\n"), None);
        assert_eq!(package_name("[workspace]\n"), None);
    }
}
