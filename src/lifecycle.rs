//! What happens to a mod: found, prepared, installed, replaced, stopped.
//!
//! [`maintain`] is the frame boundary, before any schedule of the game runs. It follows the [`files`], gives their
//! [`bytes`] to the background ([`prepare`]), and [`settle`]s what comes back: into the game ([`install`], [`schedule`]),
//! or as a [`fault`], after which it may [`restart`]. What is known of every mod is in [`registry`], and what the player chose in [`list`]; their
//! settings come to them through [`player`]. The game speaks to its mods through [`calls`], puts what they have
//! into a [`save`], and says what it offers to them with [`api`].
//!
//! Must not know wasmtime.

pub(crate) mod api;
mod bytes;
pub(crate) mod calls;
pub(crate) mod fault;
pub(crate) mod fault_policy;
pub(crate) mod files;
mod hand_over;
mod install;
mod leftovers;
pub(crate) mod list;
pub(crate) mod load_order;
pub(crate) mod maintain;
mod places;
pub(crate) mod player;
mod prepare;
mod reach;
pub(crate) mod registry;
mod requests;
mod restart;
pub(crate) mod save;
pub(crate) mod schedule;
pub(crate) mod settings;
mod settle;
mod start;
pub(crate) mod usage;
mod waves;
