//! Adds up what the game tells it.

use mod_sdk::prelude::*;
use peers_guest_000::{Hit, Tally};

#[mod_main]
fn main(app: &mut App) {
    app.add_systems(Update, hear);
}

fn hear(mut hits: MessageReader<Hit>, mut tally: Query<&mut Tally>) {
    let sum: u32 = hits.read().map(|hit| hit.amount).sum();
    for mut tally in &mut tally {
        tally.value += sum;
    }
}
