//! One small system, of a mod that is one of many.

use mod_sdk::prelude::*;
use peers_guest_000::Counter;

#[mod_main]
fn main(app: &mut App) {
    app.add_systems(Update, count);
}

fn count(mut query: Query<&mut Counter>) {
    for mut counter in &mut query {
        counter.value += 1;
    }
}
