//! What mods of a naive host do: functions that take everything and return everything, through serde.

use mod_sdk::prelude::*;
use peers_guest_000::DT;

/// Translation, rotation and scale.
type Place = ([f32; 3], [f32; 4], [f32; 3]);

#[mod_main]
fn main(_: &mut App) {}

#[export]
fn idle() {}

#[export]
fn update(rows: Vec<(Place, [f32; 3])>) -> Vec<Place> {
    let moved = |((translation, rotation, scale), velocity): (Place, [f32; 3])| {
        (std::array::from_fn(|axis| translation[axis] + velocity[axis] * DT), rotation, scale)
    };
    rows.into_iter().map(moved).collect()
}

#[export]
fn count(counters: Vec<u32>) -> Vec<u32> {
    counters.into_iter().map(|counter| counter + 1).collect()
}

#[export]
fn spawn() -> Vec<u32> {
    (0..1_000).collect()
}

#[export]
fn hear(hits: Vec<u32>) -> u32 {
    hits.into_iter().sum()
}
