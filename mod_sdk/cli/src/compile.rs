//! `build`: from a mod's crate to the file in the game's folder.

mod artifact;
mod cargo;
pub(crate) mod game;
mod optimize;
mod strip;

use std::{fs, path::PathBuf, process::ExitCode};

use thiserror::Error;

use self::{
    cargo::CargoError,
    game::{GameError, Installed},
    optimize::Optimized,
};
use crate::{
    guest::{self, ReadError},
    package::{Package, PackageError},
    replace::{FileError, at},
    terminal::{say, size, visible, warn},
};

/// Builds the mod in this folder, makes it small, and copies it into the game.
#[derive(Debug, Clone, clap::Args)]
// `watch` has the same.
#[group(skip)]
pub(crate) struct Args {
    /// The folder of the game, or its `assets/mods`. Else the one that Cargo.toml names.
    #[arg(long, value_name = "FOLDER")]
    game: Option<PathBuf>,
    /// The profile of Cargo.toml with which it is built.
    #[arg(long, default_value = RELEASE)]
    profile: String,
    /// The target for which it is built.
    #[arg(long, default_value = "wasm32-unknown-unknown")]
    target: String,
}

/// The profile for players: without lines, and optimized.
const RELEASE: &str = "release";

/// Why there is no new file.
#[derive(Debug, Error)]
pub(crate) enum BuildError {
    /// No mod here.
    #[error(transparent)]
    Package(#[from] PackageError),
    /// cargo did not build it.
    #[error(transparent)]
    Cargo(#[from] CargoError),
    /// No game there.
    #[error(transparent)]
    Game(#[from] GameError),
    /// What was built is no mod.
    #[error("{} was built, but no game would load it: {source}", file.display())]
    NoMod {
        /// The file.
        file: PathBuf,
        /// Why.
        source: ReadError,
    },
    /// A file could not be read or written.
    #[error(transparent)]
    File(#[from] FileError),
}

/// Builds once.
pub(crate) fn run(args: &Args) -> Result<ExitCode, BuildError> {
    build(args, &Package::here()?)?;
    Ok(ExitCode::SUCCESS)
}

/// Builds a mod and says what came of it.
pub(crate) fn build(args: &Args, package: &Package) -> Result<(), BuildError> {
    let game = args.game.as_ref().or(package.game.as_ref());
    // Before the build, which takes longer.
    let mods = game.map(|game| game::mods_folder(game, &package.mods_folder)).transpose()?;
    cargo::check_target(package, &args.target)?;
    if let Some(warning) = cargo::lost_config(package, &args.target) {
        warn(&warning);
    }
    let built = cargo::build(package, &args.profile, &args.target)?;
    let mut bytes = fs::read(&built).map_err(at(&built, "read"))?;
    let stem = built.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    let is_release = args.profile == RELEASE;
    if is_release {
        bytes = strip::without_debug_info(&bytes).unwrap_or(bytes);
    }
    let manifest = guest::manifest(&bytes, &stem).map_err(|source| BuildError::NoMod { file: built, source })?;
    let mut before = None;
    match if is_release { optimize::optimize(&bytes, &manifest, &stem) } else { Optimized::No } {
        Optimized::Yes(optimized) => before = Some(std::mem::replace(&mut bytes, optimized).len()),
        Optimized::No => {}
        Optimized::Failed(reason) => warn(&format!("the mod stays as cargo built it: {reason}")),
    }
    let (place, notes) = match &mods {
        Some(mods) => {
            let Installed { path, notes } =
                game::install(mods, &manifest.identity.id, &bytes, &package.folder.join("assets"))?;
            (path, notes)
        }
        None => {
            let path = artifact::keep(&package.target_folder, &manifest.identity.id, &bytes)?;
            let note = "it was copied into no game: name one with `--game FOLDER`, or with `game = \"FOLDER\"` under \
                        [package.metadata.wasm-mod] in Cargo.toml";
            (path, vec![note.to_owned()])
        }
    };
    let (id, version) = (visible(&manifest.identity.id), visible(&manifest.identity.version));
    let before = before.map(|before| format!(", {} before wasm-opt", size(before))).unwrap_or_default();
    say(&format!("{id} {version}: {} ({}{before})", place.display(), size(bytes.len())));
    artifact::summary(&manifest).iter().chain(&notes).for_each(|line| say(&format!("  {line}")));
    Ok(())
}
