//! Mods in AssemblyScript: a folder with a `package.json` whose script `build` makes `build/mod.wasm`.

use std::{
    path::Path,
    process::{Command, Stdio},
};

use super::{BuildError, Member, Module, are_installed, read_module, run};

const TOOLS: &str = "install nodejs and npm";

/// Builds a mod with the compiler that its `package-lock.json` names, or says what to install.
pub(super) fn build(workspace: &Path, member: &Member) -> Result<Module, BuildError> {
    if !are_installed(&["node", "npm"]) {
        return Ok(Module::Skipped(TOOLS));
    }
    let folder = workspace.join(&member.folder);
    let install = ["ci", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error"];
    run("npm ci", Command::new("npm").args(install).stdout(Stdio::null()), &folder)?;
    run("npm run build", Command::new("npm").args(["run", "--silent", "build"]), &folder)?;
    read_module(&member.name, folder.join("build/mod.wasm"), "").map(Module::Built)
}
