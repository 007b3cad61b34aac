//! Mods in C: a folder with a `mod.c`, compiled by clang against `mod_sdk/c/mod_sdk.h`.

use std::{fs, path::Path, process::Command};

use super::{BuildError, Member, Module, are_installed, read_module, run};
use crate::files::At;

/// What every mod in C is made of besides its own folder.
pub(super) const SHARED_SOURCES: [&str; 1] = ["mod_sdk/c/mod_sdk.h"];

const TOOLS: &str = "install clang and lld";

/// A stack that runs over traps, because it ends where the memory begins.
const FLAGS: [&str; 12] = [
    "--target=wasm32",
    "-std=c11",
    "-O2",
    "-mbulk-memory",
    "-ffreestanding",
    "-nostdlib",
    "-Wall",
    "-Wextra",
    "-Imod_sdk/c",
    "-Wl,--no-entry",
    "-Wl,--stack-first",
    "-Wl,--strip-all",
];

/// Builds a mod, or says what to install.
pub(super) fn build(root: &Path, workspace: &Path, member: &Member) -> Result<Module, BuildError> {
    if !are_installed(&["clang", "wasm-ld"]) {
        return Ok(Module::Skipped(TOOLS));
    }
    let source = workspace.join(&member.folder).join("mod.c");
    let folder = workspace.join("target/c");
    fs::create_dir_all(&folder).at(&folder)?;
    let output = folder.join(&member.name).with_extension("wasm");
    run("clang", Command::new("clang").args(FLAGS).arg(source).arg("-o").arg(&output), root)?;
    read_module(&member.name, output, "").map(Module::Built)
}
