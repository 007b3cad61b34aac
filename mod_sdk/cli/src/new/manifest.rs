//! The files of a new mod, filled in.

use std::{fs, path::Path};

use toml_edit::{DocumentMut, Value};

use super::{sdk::Sdk, template::Template};
use crate::package::TABLE;

/// All that is known of a new mod.
#[derive(Debug)]
pub(crate) struct Facts<'a> {
    pub(crate) name: &'a str,
    pub(crate) template: Template,
    pub(crate) sdk: &'a Sdk,
    pub(crate) game: Option<&'a Path>,
    /// Whether it has to say that it belongs to no other workspace.
    pub(crate) own_workspace: bool,
}

impl Facts<'_> {
    /// The files, with their paths in the mod's folder.
    pub(crate) fn files(&self) -> Vec<(&'static str, String)> {
        let mut files = vec![
            ("Cargo.toml", self.manifest()),
            ("README.md", self.readme()),
            (".gitignore", "/target\n".to_owned()),
            ("src/lib.rs", self.template.code().to_owned()),
        ];
        files.extend(self.template.config().map(|config| (".cargo/config.toml", config.to_owned())));
        files
    }

    fn manifest(&self) -> String {
        let game = self.game.map(|game| {
            let game = quoted(&game.to_string_lossy());
            format!("\n# Where `cargo wasm-mod build` puts the mod.\n[package.metadata.{TABLE}]\ngame = {game}\n")
        });
        let workspace =
            self.own_workspace.then_some("\n# The mod belongs to no workspace of a folder above it.\n[workspace]\n");
        let text = include_str!("templates/manifest.toml");
        text.replace("{name}", &quoted(self.name))
            .replace("{sdk}", &self.sdk.dependency())
            .replace("{dependencies}", self.template.dependencies())
            .replace("{game}", &game.unwrap_or_default())
            .replace("{workspace}\n", workspace.unwrap_or_default())
    }

    fn readme(&self) -> String {
        let option = if self.game.is_some() { "" } else { " --game ../the_game" };
        let file = format!("target/wasm32-unknown-unknown/release/{}.wasm", self.name.replace('-', "_"));
        let text = include_str!("templates/readme.md");
        text.replace("{name}", self.name).replace("{option}", option).replace("{file}", &file)
    }
}

/// A text of TOML.
fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}

/// Whether cargo would take a crate in `folder` for a part of a workspace.
pub(crate) fn is_in_a_workspace(folder: &Path) -> bool {
    let is_workspace = |folder: &Path| {
        let text = fs::read_to_string(folder.join("Cargo.toml")).ok();
        text.and_then(|text| text.parse::<DocumentMut>().ok())
            .is_some_and(|manifest| manifest.contains_key("workspace"))
    };
    folder.ancestors().any(is_workspace)
}
