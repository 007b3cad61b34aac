//! Write mods for games that use `bevy_wasm_mods`, in Rust that looks like Bevy.
//!
//! ```
//! # mod the_mod {
//! use mod_sdk::prelude::*;
//!
//! #[derive(Component, Clone, Copy)]
//! #[component(path = "orchard::Velocity")] // the game's type
//! struct Velocity(Vec3);
//!
//! #[mod_main]
//! fn main(app: &mut App) {
//!     app.add_systems(Startup, hello).add_systems(Update, drift);
//! }
//!
//! fn hello() {
//!     info!("hello");
//! }
//!
//! fn drift(mut boids: Query<(&mut Transform, &Velocity)>, time: Res<Time>) {
//!     for (mut transform, velocity) in &mut boids {
//!         transform.translation += velocity.0 * time.delta_secs();
//!     }
//! }
//!
//! #[export] // the game can call it by name
//! pub fn double(x: Vec<f64>) -> Vec<f64> {
//!     x.into_iter().map(|x| x * 2.0).collect()
//! }
//!
//! #[import] // the game provides it
//! fn play_sound(name: String, volume: f32) -> bool;
//! # }
//! # fn main() {}
//! ```
//!
//! # A mod crate
//!
//! ```toml
//! [lib]
//! crate-type = ["cdylib"]
//!
//! [dependencies]
//! mod_sdk = { package = "bevy_mod_sdk", version = "0.1" }
//! ```
//!
//! `cargo build --release --target wasm32-unknown-unknown` makes the `.wasm` file for the game's `assets/mods`. The
//! crate's name, version and authors become the mod's identity; a mod without `#[mod_main]` has no identity of its own
//! and goes by the name of its file.
//!
//! `cargo test` builds the same crate for your own machine: systems are plain functions, log lines go to standard error,
//! only what the game would have to do panics, and `mod_sdk::testing` runs systems on rows made by hand. Where the file
//! below sets another target, that is `cargo test --target host-tuple`.
//!
//! # What crosses
//!
//! Components and resources mirror the game's types: [`Component`], [`Resource`], [`Reflect`]. The arguments and results
//! of `#[export]` and `#[import]` are any `serde` types, of which the SDK brings its own copy along:
//!
//! ```
//! use mod_sdk::prelude::*;
//!
//! #[derive(Serialize, Deserialize)]
//! #[serde(crate = "mod_sdk::serde")]
//! struct Offer {
//!     item: String,
//!     price: u32,
//! }
//!
//! #[export]
//! fn haggle(offer: Offer) -> Offer {
//!     Offer { price: offer.price / 2, ..offer }
//! }
//! ```
//!
//! # Targets
//!
//! | | `wasm32-unknown-unknown` | `wasm32-wasip1` |
//! |---|---|---|
//! | `info!` and the other log macros | yes | yes |
//! | `println!` | goes nowhere | goes to the game's log |
//! | `rand`, `getrandom`, `uuid` | yes, with the file below | yes |
//! | `std::time::Instant` | panics: use [`Time`] | yes |
//!
//! On `wasm32-unknown-unknown` a mod that wants random numbers keeps this file as `.cargo/config.toml`. It has to be
//! visible from where cargo is started, and a `RUSTFLAGS` variable replaces it.
//!
//! ```toml
//! [build]
//! target = "wasm32-unknown-unknown"
//! [target.wasm32-unknown-unknown]
//! rustflags = ['--cfg=getrandom_backend="custom"']
//! ```
//!
//! # Rooms
//!
//! In the order in which a call comes through: `exports` (from the game), `runtime` and `app` (which system), `block`
//! and `column` (the batch of rows), `param`, `query`, `resource`, `local`, `persist`, `world` (what the system gets), `system` (its
//! function), and `imports` (back to the game). Unsafe code stands in `buffer`, `block`, `column`, `query::data`,
//! `query::iter`, `exports`, `imports`, `random` and `testing`.

// The macros' output names the crate from outside; here it has to be inside, too.
extern crate self as mod_sdk;

mod app;
mod block;
mod buffer;
mod column;
mod component;
mod config;
mod describe;
mod entity;
#[cfg(target_family = "wasm")]
mod exports;
mod imports;
mod local;
mod log;
mod param;
mod persist;
pub mod prelude;
mod query;
#[cfg(all(target_family = "wasm", target_os = "unknown"))]
mod random;
mod reflect;
mod resource;
mod runtime;
pub mod schedule;
mod system;
#[cfg(not(target_family = "wasm"))]
pub mod testing;
mod time;
mod transform;
mod world;

#[doc(hidden)]
#[path = "private.rs"]
pub mod __private;

pub use app::App;
pub use bevy_mod_sdk_macros::{Component, Reflect, Resource, export, import, mod_main};
pub use column::Mut;
pub use component::{Component, Resource};
pub use config::{IntoScheduleConfigs, ScheduleConfigs};
pub use entity::Entity;
pub use glam;
pub use local::Local;
pub use mod_abi::Schema;
pub use param::SystemParam;
pub use persist::Persist;
pub use query::{
    Query, QueryData, QueryFilter, QueryIter, QueryIterMut, QuerySingleError, ReadOnlyQueryData, Rows, With, Without,
};
pub use reflect::{ReadError, Reflect};
pub use resource::{Res, ResMut};
pub use serde;
pub use system::SystemParamFunction;
pub use time::Time;
pub use transform::Transform;
pub use world::World;
