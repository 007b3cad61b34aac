#![doc = include_str!("../README.md")]
//!
//! # The rooms
//!
//! In the order in which a mod passes them: assets give its bytes, the bridge lies between the World and the mod's memory,
//! the lifecycle decides what happens to it, and [`WasmModsPlugin`] puts them together. What mods use is shown by
//! [`ModDiagnosticsPlugin`].

/// What `docs` shows in Rust is tested as the documentation is.
#[cfg(doctest)]
mod texts {
    #[doc = include_str!("../docs/game-api.md")]
    struct GameApi;
    #[doc = include_str!("../docs/hosting_mods.md")]
    struct HostingMods;
    #[doc = include_str!("../docs/observing.md")]
    struct Observing;
    #[doc = include_str!("../docs/security.md")]
    struct Security;
}

#[macro_use]
mod trace;

mod asset;
mod bridge;
mod diagnostics;
mod lifecycle;
#[cfg(feature = "overlay")]
mod overlay;
mod plugin;

pub mod prelude;
#[cfg(feature = "testing")]
pub mod testing;

pub use asset::{ModFile, ModFileError, ModFileLoader};
pub use bridge::{
    apply::CommandError,
    bind::{SystemBindError, order::OrderError},
    condition::ConditionError,
    definitions::DefinitionError,
    grant::{Access, NotGranted, PermissionGroup, Permissions},
    handle::SystemError,
    host::{FromMod, ModImportInput, ModImportOutput},
    messages::defined::ModMessage,
    observers::ModTrigger,
    outgoing::DeliveryError,
    owner::{DespawnableByMods, SpawnedBy},
    player::SettingsError,
    query::QueryError,
    scatter::ScatterError,
    states::StateError,
    types::TypeError,
    usage::ModUsage,
};
pub use diagnostics::{ModDiagnostics, ModDiagnosticsPlugin};
pub use lifecycle::{
    api::DescribeGame,
    calls::{CallMod, ModCallError, ModFunction, ModInfo, ModSetting, ModSettingError, Mods},
    fault::{FaultCause, ModEvent, ModFault},
    fault_policy::FaultPolicy,
    maintain::MaintainMods,
    registry::{ModRegistry, ModState},
    save::{
        SaveMods,
        format::{ModSave, SavedMod},
        report::{MissingMod, ModDifference, ModRestore, SaveProblem},
    },
    schedule::{ModSystems, OrderConflict, SystemsOfMod},
    settings::{Leftovers, ModOverrides, ModSettings},
};
pub use mod_abi::{
    Dependency, DependencyKind, GameRequirement, Identity as ModIdentity, SettingDesc, SettingKind, SettingRefusal,
    SettingValue,
};
#[cfg(feature = "nanoserde")]
pub use mod_host::Nano;
pub use mod_host::{
    CallError, Codec, CompileCache, Decode, Encode, Execution, FieldApi, FoundMod, GameApi, GameApiError, GameIdentity,
    Job, JobSender, Limits as ModLimits, LoadError, ModAccess, ModBacktrace, NeededBy, OfferedFunction,
    OfferedSchedule, OfferedSet, OfferedState, OfferedType, Opaque, OpaqueError, OpaqueTable, OutputDesc, Refusal,
    ResolveProblem, SourceLocation, StackFrame, TypeApi, TypeForm, VariantApi, Version,
};
#[cfg(feature = "wasi")]
pub use mod_host::{WasiError, WasiGrant, WasiGrants, WasiGuard};
#[cfg(feature = "overlay")]
pub use overlay::{ModsOverlay, ModsOverlayPlugin, ModsOverlaySystems};
pub use plugin::{ModAppExt, WasmModsPlugin};
