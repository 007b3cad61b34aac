//! What happens to a mod: found, prepared, installed, replaced, stopped.
//!
//! [`maintain`] is the frame boundary, before any schedule of the game runs. What it starts in the background
//! ([`prepare`]) it later puts into the game ([`install`], [`schedule`]); whatever goes wrong becomes a
//! [`fault`]. The game speaks to its mods through [`calls`].
//!
//! Must not know wasmtime.

pub(crate) mod calls;
pub(crate) mod fault;
pub(crate) mod files;
mod install;
pub(crate) mod maintain;
mod prepare;
pub(crate) mod runtime;
pub(crate) mod schedule;
pub(crate) mod settings;
