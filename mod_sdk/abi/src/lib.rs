//! The contract between a game that hosts WebAssembly mods and the mods themselves.
//!
//! Both sides depend on this crate and on nothing else of each other. It holds the names, numbers and byte layouts
//! of the ABI and no behaviour of either side; `docs/abi.md` describes the same things in words, for mods that are
//! not written in Rust. In reading order:
//!
//! - [`names`]: the functions that cross the border and the version of the contract;
//! - [`Buffer`]: a pointer and a length in one `u64`;
//! - [`codec`]: how values become bytes;
//! - [`Identity`]: who a mod is, readable without running it;
//! - [`Schema`]: what a type looks like, so that both sides can notice a difference;
//! - [`check_value`]: whether bytes are a value of that shape; [`map_entities`]: other ids in it;
//! - [`FunctionDesc`]: what its functions take and return, readable without running it;
//! - [`ModCallStatus`]: what came of a call from one mod to another;
//! - [`describe`]: what a mod wants: systems, queries, observers;
//! - [`state`]: what outlives a reload;
//! - [`command`]: what a system asks to be done to the World;
//! - [`batch`]: the World's rows as columns in the mod's memory;
//! - [`JobState`] and [`OpaqueId`]: what stays in the host, and what a mod holds of it.
//!
//! This crate must not know Bevy, wasmtime or `std`.
#![no_std]
#![warn(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects
)]
#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::indexing_slicing,
        clippy::arithmetic_side_effects,
        reason = "a test fails by panicking"
    )
)]

extern crate alloc;

pub mod batch;
mod buffer;
pub mod codec;
pub mod command;
pub mod describe;
mod function;
mod host_side;
mod identity;
mod mod_call;
pub mod names;
mod schema;
pub mod state;
#[cfg(test)]
mod tests;
mod walk;

pub use buffer::{Buffer, OutOfRange};
pub use function::{Direction, FunctionDesc, FunctionError, MAX_FUNCTIONS, MAX_FUNCTIONS_BYTES, Signature};
pub use host_side::{JobState, OpaqueId};
pub use identity::{
    Dependency, DependencyKind, GameRequirement, Identity, IdentityError, SettingDesc, SettingKind, SettingRefusal,
    SettingValue,
};
pub use mod_call::{MAX_MOD_CALL_BYTES, ModCallStatus};
pub use names::ABI_VERSION;
pub use schema::{
    Leaf, MAX_DEPTH, MAX_EMPTY_PARTS, MAX_SCHEMA_BYTES, Schema, SchemaDifference, SchemaError, Variant, VariantFields,
};
pub use walk::{Malformed, check_value, map_entities, take_value};
