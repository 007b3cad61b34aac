//! Between the World and a mod's memory.
//!
//! In the order of a frame: a slot ([`system`]) whose run conditions hold ([`condition`]) gathers rows ([`gather`]), calls the
//! mod, whose imports come back through [`host`], [`on_demand`] and [`neighbours`], and scatters what changed ([`scatter`]). Before the first
//! frame the mod's description is bound to this World ([`bind`], [`query`], [`types`], [`states`], [`schema`]), as far as the game
//! grants it what it wants ([`grant`]). Values cross
//! by a copy plan ([`plan`]) or one by one ([`value`]).
//!
//! What happens between frames goes through [`messages`] and [`observers`]: to mods, and from them ([`outgoing`]), also
//! where a mod and not the game knows the type ([`declared`]). What players set comes to a mod through [`player`].
//!
//! What all of this means for a mod is written down for tools ([`api`]).
//!
//! Must not know where mods come from, nor what happens to them: no assets, no lifecycle.

pub(crate) mod allowance;
pub(crate) mod api;
pub(crate) mod apply;
mod asset_path;
pub(crate) mod bind;
pub(crate) mod condition;
mod crossing;
pub(crate) mod declared;
pub(crate) mod definitions;
mod filter;
pub(crate) mod frame;
pub(crate) mod gather;
pub(crate) mod grant;
pub(crate) mod handle;
pub(crate) mod host;
pub(crate) mod initial;
pub(crate) mod insert;
pub(crate) mod messages;
pub(crate) mod neighbours;
pub(crate) mod observers;
pub(crate) mod on_demand;
pub(crate) mod outgoing;
pub(crate) mod owner;
pub(crate) mod permit;
mod plan;
pub(crate) mod player;
pub(crate) mod query;
mod rows;
pub(crate) mod scatter;
mod schema;
mod selection;
mod shape;
pub(crate) mod states;
pub(crate) mod system;
mod ticks;
pub(crate) mod tokens;
pub(crate) mod types;
pub(crate) mod usage;
mod value;
