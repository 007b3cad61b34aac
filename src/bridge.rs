//! Between the World and a mod's memory.
//!
//! In the order of a frame: a slot ([`system`]) gathers rows ([`gather`]), calls the mod, whose imports come back through
//! [`host`] and [`on_demand`], and scatters what changed ([`scatter`]). Before the first frame the mod's description is
//! bound to this World ([`bind`], [`query`], [`types`], [`schema`]). Values cross by a copy plan ([`plan`]) or one by one
//! ([`value`]).
//!
//! Must not know where mods come from, nor what happens to them: no assets, no lifecycle.

pub(crate) mod bind;
pub(crate) mod gather;
pub(crate) mod handle;
pub(crate) mod host;
pub(crate) mod on_demand;
mod plan;
pub(crate) mod query;
mod rows;
pub(crate) mod scatter;
mod schema;
pub(crate) mod system;
pub(crate) mod tokens;
pub(crate) mod types;
mod value;
