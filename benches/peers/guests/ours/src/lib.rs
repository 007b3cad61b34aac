//! What the mods of this crate share: the game's components, as a mod names them.

use mod_sdk::prelude::*;

pub const DT: f32 = 1.0 / 64.0;

#[derive(Component, Clone, Copy)]
#[component(path = "common::work::Velocity")]
pub struct Velocity {
    pub x: f32,
    pub y: f32,
    pub z: f32,
}

#[derive(Component, Clone, Copy)]
#[component(path = "common::work::Counter")]
pub struct Counter {
    pub value: u32,
}

#[derive(Component, Clone, Copy)]
#[component(path = "common::work::Spark")]
pub struct Spark {
    pub value: u32,
}

#[derive(Component, Clone, Copy)]
#[component(path = "common::work::Tally")]
pub struct Tally {
    pub value: u32,
}

#[derive(Message, Clone, Copy)]
#[message(path = "common::work::Hit")]
pub struct Hit {
    pub amount: u32,
}
