//! Thousands of creatures that swim in flocks, flee from what is dangerous and come to what lures them.
//!
//! Change a number in `boids.rs` while the game runs, build again, and watch.

mod boids;

use boids::{Boid, Flock, Place, Surroundings};
use mod_sdk::prelude::*;

#[derive(Component, Clone, Copy)]
#[component(path = "swarm::Creature", partial)]
struct Creature {
    family: u32,
}

#[derive(Component, Debug, Clone, Copy, PartialEq)]
#[component(path = "swarm::Velocity")]
struct Velocity(Vec2);

/// Other mods put it on what creatures flee from.
#[derive(Component, Clone, Copy)]
#[component(path = "swarm::Danger")]
struct Danger {
    reach: f32,
}

/// Other mods put it on what creatures like.
#[derive(Component, Clone, Copy)]
#[component(path = "swarm::Lure")]
struct Lure {
    reach: f32,
}

#[derive(Resource, Clone, Copy)]
#[resource(path = "swarm::Arena", partial)]
struct Arena {
    half: Vec2,
}

#[derive(Resource, Clone, Copy)]
#[resource(path = "swarm::Weather", partial)]
struct Weather {
    wind: Vec2,
}

/// What the player sets, as Cargo.toml declares it.
#[derive(Resource)]
#[resource(settings)]
struct Settings {
    speed: f32,
    company: f32,
}

/// Those whom this mod moves. What is dangerous or lures may be a creature, too, but has its own way.
type Swimmers = (Without<Danger>, Without<Lure>);

#[mod_main]
fn main(app: &mut App) {
    app.add_systems(Update, swim);
}

fn swim(
    mut creatures: Query<(&mut Transform, &mut Velocity, &Creature), Swimmers>,
    dangers: Query<(&Transform, &Danger)>,
    lures: Query<(&Transform, &Lure)>,
    (arena, weather): (Res<Arena>, Res<Weather>),
    time: Res<Time>,
    settings: Res<Settings>,
    mut flock: Local<Flock>,
) {
    let around = Surroundings {
        half: arena.half.max(Vec2::ONE),
        wind: weather.wind,
        dangers: dangers.iter().map(|(place, danger)| at(place, danger.reach)).collect(),
        lures: lures.iter().map(|(place, lure)| at(place, lure.reach)).collect(),
        now: time.elapsed_secs(),
        speed: settings.speed,
        company: settings.company,
    };
    let boid = |(place, velocity, creature): (&Transform, &Velocity, &Creature)| Boid {
        at: place.translation.truncate(),
        velocity: velocity.0,
        family: creature.family,
    };
    flock.set(creatures.iter().map(boid), around.half);
    // A frame that took long is no reason to leap.
    let dt = time.delta_secs().min(0.05);
    for (index, (mut place, mut velocity, _)) in creatures.iter_mut().enumerate() {
        let boid = flock.after(index, dt, &around);
        place.translation = boid.at.extend(place.translation.z);
        velocity.0 = boid.velocity;
    }
}

fn at(place: &Transform, reach: f32) -> Place {
    Place { at: place.translation.truncate(), reach }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use mod_sdk::testing::{SystemTest, TestRows};

    use super::*;

    #[test]
    fn creatures_swim_on_and_keep_their_layer() {
        let creatures = TestRows::default()
            .column([Transform::from_xyz(10.0, 20.0, 3.0)])
            .column([Velocity(Vec2::new(60.0, 0.0))])
            .column([Creature { family: 1 }]);
        let places = || TestRows::default().column::<Transform>([]);
        let mut test = SystemTest::new(swim)
            .query(creatures)
            .query(places().column::<Danger>([]))
            .query(places().column::<Lure>([]))
            .resource(Arena { half: Vec2::new(640.0, 360.0) })
            .resource(Weather { wind: Vec2::ZERO })
            .resource(Time::for_test(Duration::from_secs(9), Duration::from_millis(16)))
            .resource(Settings::default());
        test.run();
        let moved = test.rows::<Transform>(0, 0)[0].translation;
        assert!(moved.x > 10.5 && moved.x < 12.0 && moved.z == 3.0, "{moved}");
        assert_eq!(test.changed::<Velocity>(0, 1).len(), 1);
    }
}
