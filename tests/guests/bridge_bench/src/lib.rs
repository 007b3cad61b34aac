//! The mod's side of `benches/bridge.rs`: the same systems that the benchmark has natively.

use mod_sdk::prelude::*;

#[path = "flock.rs"]
mod flock;

const DT: f32 = 1.0 / 60.0;

#[derive(Component, Clone, Copy)]
struct Velocity(Vec3);

/// The part of a `Transform` that most mods want.
#[derive(Component, Clone, Copy)]
#[component(path = "bevy_transform::components::transform::Transform", partial)]
struct Translation {
    translation: Vec3,
}

#[derive(Component, Clone, Copy)]
#[repr(C)]
struct Boid {
    place: [f32; 2],
    velocity: [f32; 2],
}

#[derive(Component)]
struct Label {
    text: String,
}

#[mod_main]
fn main(app: &mut App) {
    app.add_systems(
        Update,
        (update_transform, update_translation, read_transform, flock, empty, read_label, write_label),
    );
}

fn update_transform(mut query: Query<(&mut Transform, &Velocity)>) {
    for (mut transform, velocity) in &mut query {
        transform.translation += velocity.0 * DT;
    }
}

fn update_translation(mut query: Query<(&mut Translation, &Velocity)>) {
    for (mut transform, velocity) in &mut query {
        transform.translation += velocity.0 * DT;
    }
}

fn read_transform(query: Query<&Transform>) {
    let sum: Vec3 = query.iter().map(|transform| transform.translation).sum();
    std::hint::black_box(sum);
}

fn flock(mut query: Query<&mut Boid>, mut flock: Local<flock::Flock>) {
    flock.clear();
    flock.extend(query.iter().map(|boid| (boid.place, boid.velocity)));
    flock.step(DT);
    for (mut boid, (place, velocity)) in (&mut query).into_iter().zip(flock.boids()) {
        boid.place = place;
        boid.velocity = velocity;
    }
}

fn empty() {}

fn read_label(query: Query<&Label>) {
    let sum: usize = query.iter().map(|label| label.text.len()).sum();
    std::hint::black_box(sum);
}

fn write_label(mut query: Query<&mut Label>) {
    for mut label in &mut query {
        // As long as before, so that every run is the same.
        let first = label.text.remove(0);
        label.text.push(first);
    }
}
