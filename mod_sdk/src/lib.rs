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
//! # Things of the mod's own
//!
//! Types with `define` belong to the mod and live in the game beside its own. Systems leave [`Commands`], exchange messages,
//! and run only [where a condition holds](IntoScheduleConfigs::run_if); [observers](App::add_observer) hear at once of what
//! happens:
//!
//! ```
//! # mod the_mod {
//! use std::time::Duration;
//!
//! use mod_sdk::prelude::*;
//!
//! #[derive(Component, Default)]
//! #[component(define)] // the mod's own
//! struct Nectar {
//!     litres: f32,
//! }
//!
//! #[derive(Component)]
//! #[component(path = "orchard::Flower", partial)] // some fields of the game's type
//! struct Flower {
//!     open: bool,
//! }
//!
//! #[derive(Message)]
//! #[message(define)]
//! struct Harvested {
//!     litres: f32,
//! }
//!
//! #[derive(States)]
//! #[states(path = "orchard::Season")]
//! enum Season {
//!     Winter,
//! }
//!
//! #[mod_main]
//! fn main(app: &mut App) {
//!     app.add_observer(on_flower)
//!         .add_systems(Update, (drip.run_if(not(in_state(Season::Winter))), count).chain())
//!         .add_systems(Update, wilt.run_if(on_timer(Duration::from_secs(10))));
//! }
//!
//! fn on_flower(flower: On<Add, Flower>, mut commands: Commands) {
//!     commands.entity(flower.entity).insert(Nectar::default());
//! }
//!
//! fn drip(mut flowers: Query<(&mut Nectar, &Flower)>, mut harvested: MessageWriter<Harvested>, time: Res<Time>) {
//!     for (mut nectar, flower) in &mut flowers {
//!         if flower.open {
//!             nectar.litres += time.delta_secs();
//!         }
//!         if nectar.litres > 1.0 {
//!             harvested.write(Harvested { litres: nectar.litres });
//!             nectar.litres = 0.0;
//!         }
//!     }
//! }
//!
//! fn count(mut harvested: MessageReader<Harvested>) {
//!     info!("{} litres", harvested.read().map(|harvest| harvest.litres).sum::<f32>());
//! }
//!
//! fn wilt(flowers: Query<(Entity, &Flower)>, mut commands: Commands) {
//!     for (entity, flower) in &flowers {
//!         if !flower.open {
//!             commands.entity(entity).despawn();
//!         }
//!     }
//! }
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
//! crate's name, version, authors, description and homepage become the mod's identity; a mod without `#[mod_main]` has no
//! identity of its own and goes by the name of its file. The game that the mod is for, other mods that it needs or cannot
//! stand, and settings for players stand in the Cargo.toml under `[package.metadata.mod]`, as [`macro@mod_main`] shows.
//!
//! `cargo test` builds the same crate for your own machine: systems are plain functions, log lines go to standard error,
//! only what the game would have to do panics, and `mod_sdk::testing` runs systems on rows made by hand. Where the file
//! below sets another target, that is `cargo test --target host-tuple`.
//!
//! # What a system reads and writes
//!
//! | parameter | what |
//! |---|---|
//! | [`Query<D, F>`](Query) | rows of entities, with [`get`](Query::get), [`single`](Query::single), [`iter_many`](Query::iter_many), [`iter_combinations`](Query::iter_combinations) and their mutable twins |
//! | [`Single<D, F>`](Single), `Option<Single<D, F>>` | the only row; [`Populated`] for at least one |
//! | [`Res<T>`](Res), [`ResMut<T>`](ResMut), `Option` of them | a resource, such as [`Time`], `Time<Virtual>`, [`ButtonInput<KeyCode>`](ButtonInput), or the mod's [settings](Resource) |
//! | [`World`] | anything, to read and on demand |
//!
//! The data `D` of a query is made of `&T`, `&mut T`, [`Ref<T>`](Ref), [`Mut<T>`](Mut), an `Option` of these, [`Has<T>`](Has),
//! [`Entity`] and tuples; its filters `F` of [`With`], [`Without`], [`Added`], [`Changed`], [`Or`] and tuples.
//!
//! [`Mut`], [`Ref`], [`Res`] and [`ResMut`] say whether their value `is_changed` or `is_added` since the system last ran. The
//! game is asked about it only then, once for all rows of a query, so a system that does not want to know pays nothing.
//!
//! # What crosses
//!
//! Components, resources, messages and events mirror the game's types or are the mod's own: [`Component`], [`Resource`],
//! [`Message`], [`Event`], and [`Reflect`] for what stands inside of them. The arguments and results
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
//! Types that are `Reflect` as well are stated in the module, so that a game that believes otherwise says so before the first
//! call. One with `serde` attributes that change how it is written is not.
//!
//! ## Codecs
//!
//! Functions speak bincode. A mod that is called by something that would rather read JSON says so in its Cargo.toml, for all
//! of its functions; systems are not concerned:
//!
//! ```toml
//! [package.metadata.mod]
//! codec = "json" # or "nanoserde-json"
//!
//! [dependencies]
//! mod_sdk = { package = "bevy_mod_sdk", version = "0.1", features = ["json"] } # or "nanoserde"
//! ```
//!
//! With `nanoserde-json` the types derive nanoserde's traits, which are in the prelude, instead of those of serde:
#![cfg_attr(feature = "nanoserde", doc = "```")]
#![cfg_attr(not(feature = "nanoserde"), doc = "```ignore")]
//! use mod_sdk::prelude::*;
//!
//! #[derive(SerJson, DeJson)]
//! struct Offer {
//!     item: String,
//!     price: u32,
//! }
//! # use mod_sdk::nanoserde::SerJson as _;
//! # assert_eq!(Offer { item: "wax".to_owned(), price: 4 }.serialize_json(), r#"{"item":"wax","price":4}"#);
//! ```
//!
//! A mod of two functions, one with numbers and one with texts, has 49 KiB in bincode, 94 KiB in JSON and 119 KiB with
//! nanoserde, which reads and writes numbers by ways of the standard library that are not small. `docs/abi.md` says what
//! the texts look like.
//!
//! ## Other mods
//!
//! A mod calls the functions that another one exports, and is called in turn. The other mod stands in the Cargo.toml:
//!
//! ```toml
//! [package.metadata.mod.dependencies]
//! bees = "^1" # or { version = "^1", optional = true }
//! ```
//!
//! ```
//! use mod_sdk::prelude::*;
//!
//! #[import(mod = "bees")]
//! fn honey(amount: u32) -> Result<u32, ModCallError>;
//! ```
//!
//! Such a call can fail without any fault of the mod's: the other one may be missing, of another version, busy, or fail over
//! it. So it always returns a [`ModCallError`] in that case. Both mods have to speak the same codec, and what they state of
//! their types is compared. Types of components, messages and so on are shared by their paths: a mod names `bees::Hive` with
//! `#[component(path = "bees::Hive")]`.
//!
//! ## What stays in the game
//!
//! [`Opaque<T>`](Opaque) is a handle to a value that the mod does not see inside of. [`Ticket<R>`](Ticket) stands for work that
//! the game goes on with while the mod does something else.
//!
//! # Assets
//!
//! A `Handle<T>` of the game is the asset's path, a `String`. A mod brings assets of its own in the folder that is called as its
//! id, beside its `mod.wasm` or its file, and names them with [`own_asset!`].
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
//! In the order in which a call comes through: `exports` (from the game), `runtime` and `app` (which system or observer),
//! `block` and `column` (the batch of rows), `param`, `query`, `change_detection`, `resource`, `message`, `local`, `persist`,
//! `world` (what the system gets), `system` and `observer` (its function), `commands`, `bundle` and `outbox` (what it leaves),
//! and `imports` (back to the game; `mod_call` for what comes back of other mods). What the game learns before: `describe`, of
//! `types` (with their `definition`), `config`, `condition` and `state`. While the mod compiles, `setting` is asked about the
//! fields of its settings. `time`, `input`, `transform` and `hierarchy` hold types that Bevy brings along. Unsafe code stands
//! in `buffer`, `block`, `column`, `column::optional`, `query::data`, `query::iter`, `query::entities`,
//! `query::combinations`, `exports`, `imports`, `random` and `testing`. `codecs` is the way of functions in each codec; `opaque`
//! and `ticket` are what they hand around that stays in the game.

/// Other texts are tested as the documentation is. The tutorial lies outside of the crate's folder, so only tests may name it.
#[cfg(doctest)]
mod texts {
    #[doc = include_str!("../README.md")]
    struct Readme;
    #[doc = include_str!("../../docs/writing_mods.md")]
    struct WritingMods;
}

// The macros' output names the crate from outside; here it has to be inside, too.
extern crate self as mod_sdk;

mod app;
mod block;
mod buffer;
mod bundle;
mod change_detection;
mod codecs;
mod column;
mod commands;
mod component;
mod condition;
mod config;
mod definition;
mod describe;
mod entity;
mod event;
#[cfg(target_family = "wasm")]
mod exports;
mod hierarchy;
mod imports;
mod input;
mod local;
mod log;
mod message;
mod mod_call;
mod observer;
mod opaque;
mod outbox;
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
mod setting;
mod state;
mod system;
#[cfg(not(target_family = "wasm"))]
pub mod testing;
mod ticket;
mod time;
mod transform;
mod types;
mod world;

#[doc(hidden)]
#[path = "private.rs"]
pub mod __private;

pub use app::App;
pub use bevy_mod_sdk_macros::{
    Bundle, Component, EntityEvent, Event, Message, Reflect, Resource, States, export, import, mod_main, own_asset,
};
pub use bundle::Bundle;
pub use change_detection::{Mut, Ref};
pub use commands::{ChildSpawnerCommands, Commands, EntityCommands};
pub use component::{Component, Resource};
pub use condition::{Condition, SystemCondition, in_state, not, on_timer, resource_exists};
pub use config::{GameSet, IntoScheduleConfigs, IntoSystemSet, ScheduleConfigs, SystemName};
pub use entity::Entity;
pub use event::{EntityEvent, Event};
pub use glam;
pub use hierarchy::ChildOf;
pub use input::{ButtonInput, ButtonKind, KeyCode, MouseButton, NativeKeyCode};
pub use local::Local;
pub use message::{Message, MessageIterator, MessageReader, MessageWriter};
pub use mod_abi::{OpaqueId, Schema};
pub use mod_call::ModCallError;
#[cfg(feature = "nanoserde")]
pub use nanoserde;
pub use observer::{Add, Despawn, Discard, Insert, Observable, ObserverFunction, On, Remove};
pub use opaque::Opaque;
pub use param::SystemParam;
pub use persist::Persist;
pub use query::{
    Added, ArchetypeFilter, Changed, Has, Or, Populated, Query, QueryCombinationIter, QueryCombinationIterMut,
    QueryData, QueryEntityError, QueryFilter, QueryIter, QueryIterMut, QueryManyIter, QueryManyIterMut,
    QuerySingleError, ReadOnlyQueryData, Rows, Single, With, Without,
};
pub use reflect::{ReadError, Reflect, SchemaText};
pub use resource::{Res, ResMut};
pub use serde;
pub use state::States;
pub use system::SystemParamFunction;
pub use ticket::{JobError, Ticket};
pub use time::{Fixed, Real, Time, TimeContext, Virtual};
pub use transform::Transform;
pub use world::World;
