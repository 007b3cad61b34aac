//! What a game needs of this crate: `use bevy_wasm_mods::prelude::*`.

pub use crate::{
    Access, CallMod, DespawnableByMods, Execution, FaultPolicy, FromMod, Job, Leftovers, ModAppExt, ModCallError,
    ModDifference, ModEvent, ModFault, ModFunction, ModInfo, ModLimits, ModMessage, ModOverrides, ModRegistry,
    ModRestore, ModSave, ModSetting, ModSettingError, ModSettings, ModState, ModSystems, ModTrigger, Mods,
    PermissionGroup, Permissions, Refusal, SaveMods, SettingDesc, SettingKind, SettingValue, SpawnedBy, SystemsOfMod,
    WasmModsPlugin,
};
#[cfg(feature = "wasi")]
pub use crate::{WasiError, WasiGrants, WasiGuard};
