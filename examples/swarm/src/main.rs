//! Swarm: a window with thousands of creatures, whose behaviour is all mods. `README.md` beside this says more.
//!
//! The game draws, and shows what its mods do. Where the creatures swim, who hunts them, the weather, and who hatches: all
//! that is in `assets/mods`, made from `mods`.

mod arena;
mod cli;
mod creatures;
mod draw;
mod hud;
mod shots;
mod sky;
mod switches;
mod villains;
mod window;

use bevy::{
    DefaultPlugins,
    app::{App, AppExit, PluginGroup},
    diagnostic::FrameTimeDiagnosticsPlugin,
};
use bevy_wasm_mods::prelude::{ModDiagnosticsPlugin, ModsOverlayPlugin, WasmModsPlugin};
use cli::Options;

#[expect(clippy::print_stdout, clippy::print_stderr, reason = "a command line is answered in the terminal")]
fn main() -> AppExit {
    match cli::parse(std::env::args().skip(1)) {
        Ok(Options { help: true, .. }) => {
            println!("{}", cli::HELP);
            AppExit::Success
        }
        Ok(options) => play(options),
        Err(error) => {
            eprintln!("error: {error}");
            AppExit::error()
        }
    }
}

fn play(options: Options) -> AppExit {
    let in_haste = options.frames.is_some();
    let mut app = App::new();
    app.insert_resource(villains::mod_settings(options.seed))
        .add_plugins(DefaultPlugins.set(window::window(in_haste)))
        .add_plugins((WasmModsPlugin, FrameTimeDiagnosticsPlugin::default(), ModDiagnosticsPlugin::default()))
        .add_plugins(ModsOverlayPlugin::default())
        .add_plugins((arena::plugin(options.creatures), creatures::plugin(options.seed.unwrap_or_default())))
        .add_plugins((window::plugin(in_haste), sky::plugin, draw::plugin, hud::plugin))
        .add_plugins((villains::plugin, switches::plugin(options.villains)));
    if let Some(frames) = options.frames {
        app.add_plugins(shots::plugin(frames, options.screenshot));
    }
    app.run()
}
