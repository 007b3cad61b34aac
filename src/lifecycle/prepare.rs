//! From a file's bytes to an instance that has said what it wants, away from the main thread.
//!
//! Nothing here needs the World. Guest code runs for the first time here, under its limits.

use std::sync::Arc;

use mod_abi::{Identity, describe::ModDescription, names::LogLevel, state::SavedState};
use mod_host::{CompiledMod, Entropy, HostEngine, HostFunctionDesc, Instance, InstanceConfig, Limits, LogSink};
use tracing::{debug, error, info, trace, warn};

use crate::lifecycle::fault::{FaultCause, ModFault};

/// What a mod is prepared with.
#[derive(Debug, Clone)]
pub(crate) struct Workshop {
    pub(crate) engine: HostEngine,
    pub(crate) limits: Limits,
    pub(crate) entropy: Entropy,
    /// The host functions that the game offers.
    pub(crate) host_functions: Arc<[HostFunctionDesc]>,
    /// What the game grants to mods.
    #[cfg(feature = "wasi")]
    pub(crate) wasi: mod_host::WasiGrants,
}

/// A mod that is ready to be installed.
#[derive(Debug)]
pub(crate) struct Prepared {
    pub(crate) identity: Identity,
    /// Places of the host functions that it imports.
    pub(crate) imports: Vec<usize>,
    pub(crate) description: ModDescription,
    pub(crate) instance: Instance,
    /// What it keeps over a reload, as it starts with it.
    pub(crate) fresh: Vec<SavedState>,
    /// Whether it is a fresh instance of a module that was in the game before.
    pub(crate) is_restart: bool,
}

/// Prepares a mod. `file` is its asset path and `stem` its name where the mod states none.
pub(crate) fn prepare(workshop: &Workshop, bytes: &[u8], file: &str, stem: &str) -> Result<Prepared, Box<ModFault>> {
    trace_room!("prepare", file);
    let compiled = CompiledMod::new(&workshop.engine, bytes, stem, &workshop.limits);
    let compiled = compiled.map_err(|error| {
        let (mod_id, file, cause) = (stem.to_owned(), file.to_owned(), error.into());
        Box::new(ModFault { mod_id, version: None, file, function: None, frame: None, cause })
    })?;
    start(workshop, &compiled, file)
}

/// Starts a mod that is compiled, and asks it what it wants.
pub(crate) fn start(workshop: &Workshop, compiled: &CompiledMod, file: &str) -> Result<Prepared, Box<ModFault>> {
    let fault = |identity: &Identity, cause: FaultCause| {
        Box::new(ModFault {
            mod_id: identity.id.clone(),
            version: Some(identity.version.clone()),
            file: file.to_owned(),
            function: None,
            frame: None,
            cause,
        })
    };
    let manifest = compiled.manifest();
    let identity = manifest.identity.clone();
    let wanted = &manifest.host_functions;
    let offered = workshop.host_functions.iter().enumerate();
    let imports = offered.filter(|(_, offered)| wanted.contains(&offered.name)).map(|(index, _)| index).collect();
    let mut config = InstanceConfig::default();
    config.limits = workshop.limits.clone();
    config.entropy = workshop.entropy;
    config.log = Arc::new(GameLog { mod_id: identity.id.clone() });
    config.host_functions = Arc::clone(&workshop.host_functions);
    #[cfg(feature = "wasi")]
    {
        config.wasi = workshop.wasi.clone();
    }
    let mut instance = Instance::new(compiled, config).map_err(|error| fault(&identity, error.into()))?;
    let described = instance.describe();
    let description = described.map_err(|error| fault(&identity, FaultCause::Describe(error)))?;
    let fresh = instance.save();
    let fresh = fresh.map_err(|error| fault(&identity, FaultCause::HandOver(error)))?;
    Ok(Prepared { identity, imports, description, instance, fresh, is_restart: false })
}

/// Writes a mod's lines into the game's log, under the mod's name.
struct GameLog {
    mod_id: String,
}

impl LogSink for GameLog {
    fn log(&self, level: LogLevel, line: &str) {
        let id = &self.mod_id;
        match level {
            LogLevel::Error => error!(target: "mods", "{id}: {line}"),
            LogLevel::Warn => warn!(target: "mods", "{id}: {line}"),
            LogLevel::Info => info!(target: "mods", "{id}: {line}"),
            LogLevel::Debug => debug!(target: "mods", "{id}: {line}"),
            LogLevel::Trace => trace!(target: "mods", "{id}: {line}"),
        }
    }
}
