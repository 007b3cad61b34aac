//! Hosts sandboxed WebAssembly mods: typed calls over a buffer ABI, limits, readable errors.
//!
//! A mod is a core module that follows the contract in [`mod_abi`]. The host reads who it is before any of its code
//! runs, compiles it once, and keeps one [`Instance`] of it alive. Whatever the mod does (traps, loops, eats memory,
//! returns nonsense) comes back as an [`Err`] that names the function and the cause; no code here panics or hangs
//! because of a mod.
//!
//! ```
//! use std::sync::Arc;
//!
//! use mod_abi::names::LogLevel;
//! use mod_host::{
//!     CompiledMod, EngineConfig, Entropy, HostEngine, Instance, InstanceConfig, Limits, LogSink, NoHostCalls,
//! };
//!
//! struct Silent;
//! impl LogSink for Silent {
//!     fn log(&self, _level: LogLevel, _line: &str) {}
//! }
//!
//! let bytes = wat::parse_str(
//!     r#"(module
//!         (memory (export "memory") 1)
//!         (func (export "__alloc_buffer") (param i32) (result i32) (i32.const 64))
//!         (func (export "__free_buffer") (param i64))
//!         ;; Doubles the i32 that the buffer points to, in place, and answers with the same buffer.
//!         (func (export "__double") (param $buffer i64) (result i64) (local $at i32)
//!             (local.set $at (i32.wrap_i64 (i64.shr_u (local.get $buffer) (i64.const 32))))
//!             (i32.store (local.get $at) (i32.mul (i32.load (local.get $at)) (i32.const 2)))
//!             (local.get $buffer)))"#,
//! )?;
//!
//! let engine = HostEngine::new(&EngineConfig::default())?;
//! let limits = Limits::default();
//! let doubler = CompiledMod::new(&engine, &bytes, "doubler", &limits)?;
//! assert_eq!(doubler.manifest().exports, ["double"]);
//!
//! let config =
//!     InstanceConfig { limits, entropy: Entropy::Host, log: Arc::new(Silent), host_functions: Arc::new([]) };
//! let mut instance = Instance::new(&doubler, config)?;
//! let result: i32 = instance.call("double", &21_i32, &mut NoHostCalls)?;
//! assert_eq!(result, 42);
//!
//! let error = instance.call::<_, i32>("dubble", &21_i32, &mut NoHostCalls).unwrap_err();
//! assert_eq!(error.to_string(), "the mod has no function `dubble`; did you mean `double`?");
//! # Ok::<_, Box<dyn std::error::Error>>(())
//! ```
//!
//! In reading order, along the way of a mod: `limits`, `manifest`, `engine`, `compile`, `imports` (with `preview1`,
//! `entropy`, `log`), `instance`, `call` (with `memory`, `context`, `state`), `fault`, `error`, `text`.
//!
//! This crate must not know Bevy.
#![warn(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects
)]

mod limits;
mod manifest;

mod compile;
mod engine;

mod entropy;
mod imports;
mod log;
mod preview1;

mod call;
mod context;
mod instance;
mod memory;
mod state;

mod error;
mod fault;
mod nearest;
mod text;

pub use compile::CompiledMod;
pub use context::{HostCalls, NoHostCalls};
pub use engine::{CompileCache, EngineConfig, HostEngine};
pub use entropy::Entropy;
pub use error::{CallError, LoadError};
pub use instance::{Instance, InstanceConfig};
pub use limits::Limits;
pub use log::LogSink;
pub use manifest::Manifest;
