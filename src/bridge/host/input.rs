//! What a host function takes.

use std::any::type_name;

use bevy_ecs::system::{In, SystemInput};
use mod_abi::Schema;
use mod_host::{Caller, Codec, Decode};

/// The input of a host function: `()` for none, or `In<A>` for the mod's arguments, several of which are a tuple. With
/// [`FromMod`] the function also learns whose they are.
pub trait ModImportInput: SystemInput {
    /// Reads the arguments that a mod sent.
    ///
    /// # Errors
    /// When they are not what this function takes, as a sentence for people.
    fn read(caller: &Caller<'_>, args: &[u8]) -> Result<Self::Inner<'static>, String>;

    /// What it takes, as far as the types tell.
    fn args(codec: Codec) -> Vec<Option<Schema>>;

    /// The type of the arguments, in Rust's words.
    #[must_use]
    fn type_name() -> &'static str;
}

impl ModImportInput for () {
    fn read(caller: &Caller<'_>, args: &[u8]) -> Result<(), String> {
        caller.arguments(args)
    }

    fn args(_: Codec) -> Vec<Option<Schema>> {
        Vec::new()
    }

    fn type_name() -> &'static str {
        type_name::<()>()
    }
}

impl<A: Decode + 'static> ModImportInput for In<A> {
    fn read(caller: &Caller<'_>, args: &[u8]) -> Result<A, String> {
        caller.arguments(args)
    }

    fn args(codec: Codec) -> Vec<Option<Schema>> {
        vec![A::schema(codec)]
    }

    fn type_name() -> &'static str {
        type_name::<A>()
    }
}

/// The arguments of a host function, with the mod that sent them.
///
/// ```
/// # use bevy::prelude::*;
/// # use bevy_wasm_mods::prelude::*;
/// # let mut app = App::new();
/// fn announce(FromMod { mod_id, args: text }: FromMod<String>) {
///     info!("{mod_id} says: {text}");
/// }
/// app.add_mod_import("announce", announce);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FromMod<A = ()> {
    /// The id of the mod.
    pub mod_id: String,
    /// What it sent. Several arguments are a tuple.
    pub args: A,
}

impl<A: 'static> SystemInput for FromMod<A> {
    type Param<'i> = Self;
    type Inner<'i> = Self;

    fn wrap(this: Self::Inner<'_>) -> Self::Param<'_> {
        this
    }
}

impl<A: Decode + 'static> ModImportInput for FromMod<A> {
    fn read(caller: &Caller<'_>, args: &[u8]) -> Result<Self, String> {
        Ok(Self { mod_id: caller.identity().id.clone(), args: caller.arguments(args)? })
    }

    fn args(codec: Codec) -> Vec<Option<Schema>> {
        vec![A::schema(codec)]
    }

    fn type_name() -> &'static str {
        type_name::<A>()
    }
}
