//! What a game needs of this crate: `use bevy_wasm_mods::prelude::*`.

pub use crate::{
    Access, CallMod, DespawnableByMods, Execution, FaultPolicy, FromMod, Job, Leftovers, ModAppExt, ModCallError,
    ModDiagnostics, ModDiagnosticsPlugin, ModDifference, ModEvent, ModFault, ModFunction, ModInfo, ModLimits,
    ModMessage, ModOverrides, ModRegistry, ModRestore, ModSave, ModSetting, ModSettingError, ModSettings, ModState,
    ModSystems, ModTrigger, ModUsage, Mods, PermissionGroup, Permissions, Refusal, SaveMods, SettingDesc, SettingKind,
    SettingValue, SpawnedBy, SystemsOfMod, WasmModsPlugin,
};
#[cfg(feature = "overlay")]
pub use crate::{ModsOverlay, ModsOverlayPlugin};
#[cfg(feature = "wasi")]
pub use crate::{WasiError, WasiGrants, WasiGuard};
