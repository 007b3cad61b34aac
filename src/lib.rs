//! wip
mod asset;
mod bridge;
mod lifecycle;
mod plugin;

pub mod prelude;

pub use asset::{ModFile, ModFileError, ModFileLoader};
pub use bridge::{
    bind::SystemBindError, handle::SystemError, host::ModImportInput, query::QueryError, scatter::ScatterError,
    types::TypeError,
};
pub use lifecycle::{
    calls::{CallMod, ModCallError, ModInfo, Mods},
    fault::{FaultCause, ModEvent, ModFault},
    maintain::MaintainMods,
    runtime::ModState,
    schedule::{ModSystems, SystemsOfMod},
    settings::ModSettings,
};
pub use mod_host::{CallError, Limits as ModLimits, LoadError};
pub use plugin::{ModAppExt, WasmModsPlugin};
