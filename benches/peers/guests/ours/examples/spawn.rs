//! Despawns what it spawned in the last frame, and spawns a thousand.

use mod_sdk::prelude::*;
use peers_guest_000::Spark;

#[mod_main]
fn main(app: &mut App) {
    app.add_systems(Update, spawn);
}

fn spawn(sparks: Query<Entity, With<Spark>>, mut commands: Commands) {
    for spark in &sparks {
        commands.entity(spark).despawn();
    }
    for value in 0..1_000 {
        commands.spawn(Spark { value });
    }
}
