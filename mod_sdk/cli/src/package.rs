//! The crate in which a command runs: a mod, as its Cargo.toml has it.

use std::{
    env, io,
    path::{Path, PathBuf},
};

use cargo_metadata::{CrateType, MetadataCommand};
use thiserror::Error;

use crate::terminal;

/// What this tool keeps in a mod's Cargo.toml: `[package.metadata.wasm-mod]`.
pub(crate) const TABLE: &str = "wasm-mod";

/// Why there is no mod here.
#[derive(Debug, Error)]
pub(crate) enum PackageError {
    /// The folder cannot be asked for.
    #[error("the current folder cannot be read: {0}")]
    CurrentFolder(io::Error),
    /// No Cargo.toml.
    #[error(
        "there is no Cargo.toml in {} nor above it: go into the folder of a mod, or make one with `cargo wasm-mod new <name>`",
        .0.display()
    )]
    NoManifest(PathBuf),
    /// cargo does not understand it.
    #[error("{}", cargo_said(.0))]
    Metadata(#[from] cargo_metadata::Error),
    /// A workspace without a package.
    #[error("{} is a workspace and no crate: go into the folder of a mod", .0.display())]
    NoPackage(PathBuf),
    /// Not built as a module.
    #[error("{name} is not built as a mod: its Cargo.toml should have `crate-type = [\"cdylib\"]` under `[lib]`")]
    NoModule {
        /// The crate.
        name: String,
    },
}

/// What cargo itself has to say, as it said it.
fn cargo_said(error: &cargo_metadata::Error) -> String {
    match error {
        cargo_metadata::Error::CargoMetadata { stderr } => stderr.trim().trim_start_matches("error: ").to_owned(),
        other => format!("cargo cannot be asked about this folder: {other}"),
    }
}

/// A mod's crate.
#[derive(Debug)]
pub(crate) struct Package {
    /// The crate's name.
    pub(crate) name: String,
    /// Its folder.
    pub(crate) folder: PathBuf,
    /// Where cargo builds.
    pub(crate) target_folder: PathBuf,
    /// The game's folder of mods inside of its assets, as the mod states it for `own_asset!`.
    pub(crate) mods_folder: String,
    /// The game to which it is copied, if it was told once.
    pub(crate) game: Option<PathBuf>,
}

impl Package {
    /// The mod whose Cargo.toml is the nearest.
    pub(crate) fn here() -> Result<Self, PackageError> {
        let here = env::current_dir().map_err(PackageError::CurrentFolder)?;
        let manifest = here.ancestors().map(|folder| folder.join("Cargo.toml")).find(|path| path.is_file());
        Self::of(&manifest.ok_or_else(|| PackageError::NoManifest(here.clone()))?)
    }

    fn of(manifest: &Path) -> Result<Self, PackageError> {
        let folder = manifest.parent().unwrap_or(Path::new(".")).to_owned();
        let _spinner = terminal::spinner("asking cargo about this crate");
        let metadata = MetadataCommand::new().manifest_path(manifest).current_dir(&folder).no_deps().exec()?;
        let same = |path: &Path| path.canonicalize().ok() == manifest.canonicalize().ok();
        let package = metadata.packages.iter().find(|package| same(package.manifest_path.as_std_path()));
        let package = package.ok_or_else(|| PackageError::NoPackage(folder.clone()))?;
        if !package.targets.iter().any(|target| target.crate_types.contains(&CrateType::CDyLib)) {
            return Err(PackageError::NoModule { name: package.name.to_string() });
        }
        let text = |table: &str, key: &str| Some(package.metadata.get(table)?.get(key)?.as_str()?.to_owned());
        let mods_folder = text("mod", "folder").unwrap_or_else(|| "mods".to_owned());
        let game = text(TABLE, "game").map(|game| folder.join(game));
        let target_folder = metadata.target_directory.clone().into_std_path_buf();
        Ok(Self { name: package.name.to_string(), folder, target_folder, mods_folder, game })
    }
}
