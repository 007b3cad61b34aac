//! `bevy_wasm_mods`: mods in Rust against `mod_sdk`.

use std::{path::Path, process::ExitCode};

use bevy::prelude::App;
use common::{Case, Contender, serve};

fn main() -> ExitCode {
    serve(&Ours)
}

struct Ours;

impl Contender for Ours {
    fn add_plugins(&self, app: &mut App, assets: &Path) {
        peer_ours::add_plugins(app, assets);
    }

    // The plugin finds them by itself.
    fn add_mods(&self, _: &mut App, _: Case, _: &[String]) {}

    fn are_ready(&self, app: &mut App, case: Case) -> bool {
        peer_ours::are_ready(app.world().resource(), case)
    }
}
