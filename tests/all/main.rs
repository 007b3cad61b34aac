//! Everything that is tested from outside, in one binary: each further one would link Bevy and Cranelift again.
#![expect(clippy::expect_used, clippy::panic, reason = "a test fails by a panic that says why")]

mod api;
#[cfg(feature = "hot_reload")]
mod arrows;
mod bad_input;
mod calls;
mod codecs;
mod commands;
mod committed;
mod definitions;
mod determinism;
mod diagnostics;
mod fault_policy;
mod fault_reports;
mod faults;
mod fixtures;
mod frame_limits;
mod guests;
#[cfg(feature = "hot_reload")]
mod hand_over;
mod hostile;
mod jobs;
#[cfg(feature = "json")]
mod json_mods;
mod leftovers;
mod lifecycle;
mod limits;
mod links;
mod load_order;
mod messages;
mod mod_calls;
mod observers;
mod old_plugins;
#[cfg(feature = "overlay")]
mod overlay;
mod own_assets;
mod packages;
mod permissions;
#[cfg(feature = "hot_reload")]
mod reload;
mod saves;
mod scheduling;
mod sdk;
mod settings;
mod shaky;
mod support;
mod systems;
#[cfg(feature = "testing")]
mod testing;
mod texts;
mod tidy;
#[cfg(feature = "trace")]
mod trace;
mod trapped;
#[cfg(feature = "wasi")]
mod wasi;
