//! What a game needs of this crate: `use bevy_wasm_mods::prelude::*`.

pub use crate::{
    CallMod, ModAppExt, ModCallError, ModEvent, ModFault, ModInfo, ModLimits, ModRegistry, ModSettings, ModState,
    ModSystems, Mods, SystemsOfMod, WasmModsPlugin,
};
