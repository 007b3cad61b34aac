//! What the mods of this crate share: the game's components, as they come in JSON.

use serde::{Deserialize, Serialize, de::DeserializeOwned};

pub const DT: f32 = 1.0 / 64.0;
pub const TRANSFORM: &str = "bevy_transform::components::transform::Transform";
pub const VELOCITY: &str = "common::work::Velocity";
pub const COUNTER: &str = "common::work::Counter";
pub const SPARK: &str = "common::work::Spark";
pub const TALLY: &str = "common::work::Tally";

#[derive(Serialize, Deserialize)]
pub struct Transform {
    pub translation: [f32; 3],
    pub rotation: [f32; 4],
    pub scale: [f32; 3],
}

#[derive(Serialize, Deserialize)]
pub struct Velocity {
    pub x: f32,
    pub y: f32,
    pub z: f32,
}

/// A counter, a spark or a tally.
#[derive(Serialize, Deserialize)]
pub struct Number {
    pub value: u32,
}

pub fn read<T: DeserializeOwned>(json: &[u8]) -> T {
    serde_json::from_slice(json).expect("the game sends what it was asked for")
}

pub fn written<T: Serialize>(value: &T) -> Vec<u8> {
    serde_json::to_vec(value).expect("numbers can be written")
}
