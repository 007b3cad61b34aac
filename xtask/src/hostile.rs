//! Starts the package `hostile`. What it tries is not known here: a task must not be built with the host.

use std::{io, path::Path, process::Command};

/// Runs it with these arguments. It tells what it finds.
///
/// # Errors
/// When it cannot be started, or has found something.
pub(crate) fn run(root: &Path, arguments: &[&str]) -> Result<(), HostileError> {
    // Not optimised, on purpose: overflows and debug assertions are findings, too, and the tests have built all of it.
    start(root, &["run", "--quiet", "-p", "hostile", "--"], arguments)
}

/// Has it play a long game, of so many frames. Optimised, because what a frame costs is what is looked at.
///
/// # Errors
/// As [`run`].
pub(crate) fn soak(root: &Path, frames: &str) -> Result<(), HostileError> {
    start(root, &["run", "--release", "-p", "hostile", "--"], &["--soak", frames])
}

fn start(root: &Path, cargo: &[&str], arguments: &[&str]) -> Result<(), HostileError> {
    let status = Command::new("cargo").current_dir(root).args(cargo).args(arguments).status();
    let status = status.map_err(HostileError::Cargo)?;
    if status.success() { Ok(()) } else { Err(HostileError::Failed) }
}

/// Why it did not go well.
#[derive(Debug, thiserror::Error)]
pub(crate) enum HostileError {
    /// cargo could not be started.
    #[error("cargo could not be started: {0}")]
    Cargo(io::Error),
    /// It has told why.
    #[error("the package `hostile` failed: what it found stands above")]
    Failed,
}
