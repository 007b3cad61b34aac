//! The host seen from outside, with mods in the text format: what they may do, and what happens when they misbehave.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on should panic")]

mod batches;
mod calls;
mod faults;
mod harness;
mod host_functions;
mod loading;
mod raw_imports;
mod states;
mod wasi;
