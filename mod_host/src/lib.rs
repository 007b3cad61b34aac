#![doc = include_str!("../README.md")]
//!
//! # The rooms
//!
//! In reading order, along the way of a mod. Before it runs: `limits`, `budget` (what a call may take of them), `manifest`, `list` (which mods a player
//! switched off, and the values of their settings), `resolve` (which mods run together, and in which order), `codec` (how its
//! values become bytes) and
//! `shape` (what a type of the host looks like), `engine`, `cache` (compiled
//! mods on disk), `compile`, `imports` (with `host_function`, `linker`, `preview1`,
//! `wasi`, `entropy`, `log`), `instance`. While it runs: `call` and `function` (calls by name and by handle), `memory`, `context` and
//! `caller` (the way back into the host), `mod_call` and `nesting` (from one mod to another), `job` and `opaque` (what the host
//! keeps for it), `state`, `usage` (what it took). What went wrong: `fault`, `lines` and `backtrace` (where in its code), `error`, `text`, `nearest`, `replace` (files that are written). All of it
//! with a handle on it: `plugin`. `trace` has all of it seen in a profiler. `api` is for tools: what a game offers to its mods.
//!
//! This crate must not know Bevy.
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

#[macro_use]
mod trace;

mod budget;
mod limits;
mod list;
mod manifest;
mod resolve;

mod codec;
mod shape;

mod cache;
mod compile;
mod engine;

mod entropy;
mod host_function;
mod imports;
mod linker;
mod log;
mod preview1;
#[cfg(feature = "wasi")]
mod wasi;

mod batch;
mod call;
mod caller;
mod context;
mod function;
mod instance;
mod job;
mod memory;
mod mod_call;
mod nesting;
mod opaque;
mod state;
mod usage;

mod plugin;

mod api;

mod backtrace;
mod error;
mod fault;
mod lines;
mod nearest;
mod replace;
mod text;

pub use api::{
    FieldApi, GameApi, GameApiError, ModAccess, OfferedFunction, OfferedSchedule, OfferedSet, OfferedState,
    OfferedType, TypeApi, TypeForm, VariantApi,
};
pub use backtrace::{ModBacktrace, SourceLocation, StackFrame};
pub use batch::{BatchId, KeptBatch};
pub use cache::CompileCache;
pub use caller::{Caller, HostOutput, OutputDesc, Refusal};
#[cfg(feature = "nanoserde")]
pub use codec::Nano;
pub use codec::{Decode, Encode};
pub use compile::CompiledMod;
pub use context::{HostCalls, NoHostCalls};
pub use engine::{EngineConfig, Execution, HostEngine};
pub use entropy::Entropy;
pub use error::{CallError, LoadError};
pub use function::Function;
pub use host_function::HostFunctionDesc;
pub use instance::{Instance, InstanceConfig};
pub use job::{Job, JobSender, MAX_JOBS};
pub use limits::Limits;
#[cfg(feature = "unstable-linker")]
pub use linker::LinkerHook;
pub use list::{ModList, ModListError};
pub use log::LogSink;
pub use manifest::Manifest;
pub use mod_abi::{MAX_MOD_CALL_BYTES, ModCallStatus, codec::Codec};
pub use mod_call::{ModCall, ModCallFailure, ModImport};
pub use nearest::nearest;
pub use opaque::{MAX_OPAQUE, Opaque, OpaqueError, OpaqueTable};
pub use plugin::{HostFunction, PluginError, WasmPlugin, WasmPluginBuilder, WithCaller, WithContext, WithoutContext};
pub use resolve::{
    Candidate, FoundMod, GameIdentity, NeededBy, Refused, Resolution, ResolveProblem, Resolved, resolve,
};
pub use semver::Version;
#[cfg(feature = "unstable-linker")]
pub use state::State as StoreData;
pub use usage::Usage;
#[cfg(feature = "wasi")]
pub use wasi::{WasiError, WasiGrant, WasiGrants, WasiGuard};
#[cfg(feature = "unstable-linker")]
pub use wasmtime;
