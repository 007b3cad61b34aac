//! What a game needs of this crate: `use bevy_wasm_mods::prelude::*`.

pub use crate::{
    CallMod, DespawnableByMods, Leftovers, ModAppExt, ModCallError, ModEvent, ModFault, ModInfo, ModLimits, ModMessage,
    ModRegistry, ModSettings, ModState, ModSystems, ModTrigger, Mods, SpawnedBy, SystemsOfMod, WasmModsPlugin,
};
