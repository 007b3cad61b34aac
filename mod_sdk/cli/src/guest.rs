//! A built mod: its bytes, what it states of itself, and what it describes in the sandbox. Every byte of it is hostile.

use std::{
    fs::{self, File},
    io::{self, Read},
    path::{Path, PathBuf},
    sync::Arc,
};

use mod_abi::{describe::ModDescription, state::SavedState};
use mod_host::{
    CallError, CompiledMod, EngineConfig, HostEngine, HostFunctionDesc, Instance, InstanceConfig, Limits, LoadError,
    Manifest,
};
use thiserror::Error;

use crate::terminal::{self, visible};

/// Why a file is no mod.
#[derive(Debug, Error)]
pub(crate) enum ReadError {
    /// It cannot be read.
    #[error("{} cannot be read: {source}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It is something else, or broken.
    #[error("{}", visible(&.0.to_string()))]
    Load(#[from] LoadError),
    /// It fails over describing itself.
    #[error("the mod cannot be asked what it wants: {}", visible(&.0.to_string()))]
    Describe(#[from] CallError),
}

/// A mod's file.
#[derive(Debug)]
pub(crate) struct Guest {
    pub(crate) bytes: Vec<u8>,
    pub(crate) manifest: Manifest,
    /// The name that it has where it states none.
    stem: String,
}

/// What a mod wants.
#[derive(Debug, Default)]
pub(crate) struct Described {
    pub(crate) description: ModDescription,
    /// What it keeps over a reload, as it starts with it.
    pub(crate) kept: Vec<SavedState>,
}

/// Reads what a mod states of itself, and whether it is one.
pub(crate) fn manifest(bytes: &[u8], stem: &str) -> Result<Manifest, ReadError> {
    Ok(Manifest::read(bytes, stem, &Limits::default())?)
}

impl Guest {
    /// Reads a file.
    pub(crate) fn read(path: &Path) -> Result<Self, ReadError> {
        let bytes =
            bytes_of(path, &Limits::default()).map_err(|source| ReadError::File { path: path.to_owned(), source })?;
        let named = match path.file_name() {
            // One in a folder of its own goes by the name of that.
            Some(name) if name == "mod.wasm" => {
                path.canonicalize().ok().and_then(|path| path.parent().map(Path::to_owned))
            }
            _ => None,
        };
        let stem = named.as_deref().unwrap_or(path).file_stem().map(|stem| stem.to_string_lossy().into_owned());
        let stem = stem.unwrap_or_default();
        let manifest = manifest(&bytes, &stem)?;
        Ok(Self { bytes, manifest, stem })
    }

    /// Starts the mod in the sandbox, under the limits of every game, with functions that may not be called, and asks it what it
    /// wants.
    pub(crate) fn describe(&self) -> Result<Described, ReadError> {
        let functions = self.manifest.host_functions.iter().map(|name| HostFunctionDesc::from(name.as_str()));
        let mut instance = self.start(functions.collect())?;
        Ok(Described { description: instance.describe()?, kept: instance.save()? })
    }

    /// Starts the mod with those functions.
    pub(crate) fn start(&self, functions: Vec<HostFunctionDesc>) -> Result<Instance, LoadError> {
        let _spinner = terminal::spinner("compiling the mod");
        let engine = HostEngine::new(&EngineConfig::default())?;
        let compiled = CompiledMod::new(&engine, &self.bytes, &self.stem, &Limits::default())?;
        let mut config = InstanceConfig::default();
        config.host_functions = Arc::from(functions);
        Instance::new(&compiled, config)
    }
}

/// A file's bytes, if they are not more than a mod may have and one.
fn bytes_of(path: &Path, limits: &Limits) -> io::Result<Vec<u8>> {
    if fs::metadata(path)?.is_dir() {
        return Err(io::Error::other("it is a folder; name the mod.wasm in it"));
    }
    let mut bytes = Vec::new();
    let most = u64::try_from(limits.file_bytes).unwrap_or(u64::MAX).saturating_add(1);
    File::open(path)?.take(most).read_to_end(&mut bytes)?;
    Ok(bytes)
}
