//! The host seen from outside, with mods in the text format: what they may do, and what happens when they misbehave.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on should panic")]

mod arities;
mod backtraces;
mod batches;
mod budgets;
mod c;
mod cache;
mod calls;
mod codecs;
mod engines;
mod faults;
mod functions;
mod harness;
mod host_functions;
mod hostile;
mod jobs;
mod line_tables;
#[cfg(feature = "unstable-linker")]
mod linker;
mod linking;
mod lists;
mod loading;
mod mod_calls;
mod old_plugins;
mod opaque;
mod plugins;
mod raw_imports;
mod reloads;
mod resolve;
mod states;
mod usage;
mod wasi;
#[cfg(feature = "wasi")]
mod wasi_files;
