//! What both contenders of this crate share: the game with the plugin. How its mods do their work is not known here.

use std::path::Path;

use bevy::prelude::{App, In, default};
use bevy_wasm_mods::{
    CompileCache,
    prelude::{ModAppExt, ModRegistry, ModSettings, WasmModsPlugin},
};
use common::{Case, Hit};

/// Adds the plugin with its defaults, except that nothing is watched, and that the compile cache is the case's own.
pub fn add_plugins(app: &mut App, assets: &Path) {
    let compile_cache = CompileCache::In(assets.with_file_name("cache"));
    app.insert_resource(ModSettings { watch: false, compile_cache, ..default() });
    app.add_plugins(WasmModsPlugin);
    app.add_mod_message::<Hit>();
    app.add_mod_import("add", |In((a, b)): In<(u32, u32)>| common::add(a, b));
}

/// Whether all mods run.
pub fn are_ready(app: &App, case: Case) -> bool {
    let registry = app.world().resource::<ModRegistry>();
    registry.iter().filter(|info| registry.is_running(&info.id)).count() == case.mods()
}
