//! Everything that can go wrong with a plugin.

use std::{io, path::PathBuf};

use crate::error::{CallError, LoadError};

/// Why a plugin could not be loaded or called: the one error of [`WasmPlugin`](crate::WasmPlugin).
///
/// ```
/// use mod_host::{LoadError, PluginError, WasmPlugin, WasmPluginBuilder};
///
/// let error = WasmPlugin::load("nowhere.wasm").unwrap_err();
/// assert!(matches!(&error, PluginError::File { .. }));
/// let error = WasmPluginBuilder::from_bytes("text", "no module").finish().unwrap_err();
/// assert!(matches!(&error, PluginError::Load(LoadError::NotWasm)));
/// assert_eq!(error.to_string(), "this is not a WebAssembly file: it does not start with `\\0asm`");
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PluginError {
    /// The file could not be read.
    #[error("{} cannot be read: {source}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A host function cannot have this name.
    #[error("`{name}` cannot be the name of a host function: it belongs to the contract between host and plugin")]
    ReservedName {
        /// The name.
        name: String,
    },
    /// It is no plugin for this host, or it failed to start.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// A call brought no result.
    #[error(transparent)]
    Call(#[from] CallError),
}
