//! The apps that are built, and their files. How they are built is not known here.

use std::{fs, io, path::Path};

/// A kind of app.
pub(crate) struct App {
    /// For people.
    pub(crate) name: &'static str,
    /// For files and keys.
    pub(crate) key: &'static str,
    /// What stands behind `bevy = ` in its manifest.
    bevy: &'static str,
    /// The plugins of Bevy that it adds.
    plugins: &'static str,
}

/// In the order of how long they take.
pub(crate) const APPS: &[App] = &[
    App {
        name: "headless",
        key: "headless",
        bevy: r#"{ version = "0.19.1", default-features = false, features = ["bevy_asset", "bevy_log", "multi_threaded", "std"] }"#,
        plugins: "MinimalPlugins, AssetPlugin::default()",
    },
    App { name: "Bevy's default", key: "default", bevy: r#""0.19.1""#, plugins: "DefaultPlugins" },
];

/// Whether the app is moddable.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Plugin {
    None,
    /// Without default features.
    Smaller,
    Default,
}

impl Plugin {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::None => "without mods",
            Self::Smaller => "with mods, smaller",
            Self::Default => "with mods",
        }
    }
}

/// Writes the app's package into a folder. Its name is the same with and without the plugin, so that one follows the other.
pub(crate) fn write(app: &App, plugin: Plugin, root: &Path, folder: &Path) -> io::Result<()> {
    let root = root.display();
    let ours = match plugin {
        Plugin::None => String::new(),
        Plugin::Smaller => format!("bevy_wasm_mods = {{ path = '{root}', default-features = false }}\n"),
        Plugin::Default => format!("bevy_wasm_mods = {{ path = '{root}' }}\n"),
    };
    let manifest = format!(
        "[package]\nname = \"{key}\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n[dependencies]\nbevy = {bevy}\n{ours}\n\
         [profile.release]\nstrip = \"symbols\"\n\n[workspace]\n",
        key = app.key,
        bevy = app.bevy,
    );
    let added = if plugin == Plugin::None { "" } else { ", bevy_wasm_mods::WasmModsPlugin" };
    let program = format!(
        "use bevy::prelude::*;\n\nfn main() {{\n    App::new().add_plugins(({}{added})).run();\n}}\n",
        app.plugins
    );
    fs::create_dir_all(folder.join("src"))?;
    fs::write(folder.join("Cargo.toml"), manifest)?;
    fs::write(folder.join("src/main.rs"), program)?;
    // The versions are those that we are tested with.
    fs::copy(Path::new(&root.to_string()).join("Cargo.lock"), folder.join("Cargo.lock")).map(drop)
}
