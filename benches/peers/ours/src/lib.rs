//! What both contenders of this crate share: the game with the plugin. How its mods do their work is not known here.

use std::{path::Path, time::Duration};

use bevy::prelude::{App, In, default};
use bevy_wasm_mods::{
    CompileCache,
    prelude::{ModAppExt, ModLimits, ModRegistry, ModSettings, WasmModsPlugin},
};
use common::{Case, Hit};

/// More than any frame takes, on a machine with other things to do, too.
const PATIENCE: Duration = Duration::from_secs(10);

/// Adds the plugin with its defaults, except that nothing is watched, that the compile cache is the case's own, and that mods
/// have more time, so that noise stops none of them.
pub fn add_plugins(app: &mut App, assets: &Path) {
    let compile_cache = CompileCache::In(assets.with_file_name("cache"));
    let limits = ModLimits { call_time: PATIENCE, frame_time: PATIENCE, ..default() };
    app.insert_resource(ModSettings { watch: false, compile_cache, limits, ..default() });
    app.add_plugins(WasmModsPlugin);
    app.add_mod_message::<Hit>();
    app.add_mod_import("add", |In((a, b)): In<(u32, u32)>| common::add(a, b));
}

/// Whether all mods run.
#[must_use]
pub fn are_ready(registry: &ModRegistry, case: Case) -> bool {
    registry.iter().filter(|info| registry.is_running(&info.id)).count() == case.mods()
}
