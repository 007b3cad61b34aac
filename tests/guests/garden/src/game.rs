//! What of the game several systems use.

use mod_sdk::prelude::*;

#[derive(Resource)]
#[resource(path = "all::sdk::orchard::Report")]
pub(crate) struct Report {
    lines: Vec<String>,
}

impl Report {
    pub(crate) fn tell(&mut self, line: String) {
        self.lines.push(line);
    }
}

#[derive(Component, Debug, Clone, Copy, PartialEq)]
#[component(path = "all::sdk::orchard::Tree")]
pub(crate) struct Tree {
    pub(crate) height: f32,
    pub(crate) apples: u32,
}

#[derive(Component, Debug, Clone, Copy)]
#[component(path = "all::sdk::orchard::Water")]
pub(crate) struct Water(pub(crate) f32);

#[derive(Component, Debug)]
#[component(path = "all::sdk::orchard::Sign")]
pub(crate) struct Sign {
    pub(crate) text: String,
}

#[derive(Component, Debug, Clone, Copy)]
#[component(path = "all::sdk::orchard::Ill")]
pub(crate) struct Ill {
    pub(crate) days: u16,
}

#[derive(Component, Debug, Clone, Copy)]
#[component(path = "all::sdk::orchard::Marked")]
pub(crate) struct Marked;

#[derive(Resource)]
#[resource(path = "all::sdk::orchard::Soil")]
pub(crate) struct Soil {
    pub(crate) depth: u64,
}
