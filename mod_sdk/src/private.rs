//! What the macros' output names. It is no part of the SDK's interface.

pub use mod_abi::{
    Schema, Variant, VariantFields,
    describe::{DefinitionKind, TypeRole},
    names::LogLevel,
};

#[cfg(target_family = "wasm")]
pub use crate::exports::{describe, export, import, restore, run, save};
pub use crate::{
    definition::{DefaultOf, NoDefaultOf, Probe, definition},
    describe::Types,
    log::log,
    outbox::Values,
    reflect::{InPlace, sum_of_strides},
};

/// The body of an import in a native build.
pub fn not_in_a_game(name: &str) -> ! {
    panic!("`{name}` is provided by the game and cannot be called in a native build")
}
