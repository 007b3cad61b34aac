//! A system that does nothing.

use mod_sdk::prelude::*;

#[mod_main]
fn main(app: &mut App) {
    app.add_systems(Update, idle);
}

fn idle() {}
