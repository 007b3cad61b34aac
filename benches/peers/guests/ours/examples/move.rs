//! Reads `Velocity` and updates `Transform`.

use mod_sdk::prelude::*;
use peers_guest_000::{DT, Velocity};

#[mod_main]
fn main(app: &mut App) {
    app.add_systems(Update, update);
}

fn update(mut query: Query<(&mut Transform, &Velocity)>) {
    for (mut transform, velocity) in &mut query {
        transform.translation.x += velocity.x * DT;
        transform.translation.y += velocity.y * DT;
        transform.translation.z += velocity.z * DT;
    }
}
