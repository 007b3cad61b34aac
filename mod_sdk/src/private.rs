//! What the macros' output names. It is no part of the SDK's interface.

pub use mod_abi::{
    describe::{DefinitionKind, TypeRole},
    names::LogLevel,
};

#[cfg(feature = "json")]
pub use crate::codecs::json;
#[cfg(feature = "nanoserde")]
pub use crate::codecs::nano;
#[cfg(target_family = "wasm")]
pub use crate::exports::{describe, restore, run, save};
#[cfg(not(target_family = "wasm"))]
pub use crate::mod_call::no_other_mods;
pub use crate::{
    codecs::{Args, bincode},
    definition::{DefaultOf, NoDefaultOf, Probe, definition},
    describe::Types,
    log::log,
    outbox::Values,
    reflect::{InPlace, NotStated, Stated, sum_of_strides},
    setting::{has_all, has_choices, is_bool, is_float, is_int, is_text, worded},
};

/// The body of an import in a native build: what a test says in the game's place.
#[cfg(not(target_family = "wasm"))]
pub fn not_in_a_game<Args: 'static, Import>(_: Import, name: &str, args: Args) -> Import::Answer
where
    Import: crate::testing::Importable<Args>,
{
    crate::testing::answer::<Args, Import>(args).unwrap_or_else(|_| {
        panic!(
            "`{name}` is provided by the game and cannot be called in a native build; a test says what it answers with \
             `mod_sdk::testing::replace({name}, ..)`"
        )
    })
}
