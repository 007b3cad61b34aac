//! Calls a function of the game ten thousand times.

use mod_sdk::prelude::*;
use peers_guest_000::Tally;

#[import]
fn add(a: u32, b: u32) -> u32;

#[mod_main]
fn main(app: &mut App) {
    app.add_systems(Update, call);
}

fn call(mut tally: Query<&mut Tally>) {
    for mut tally in &mut tally {
        tally.value = (0..10_000).fold(0, add);
    }
}
