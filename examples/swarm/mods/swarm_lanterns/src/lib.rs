//! Lanterns that drift and pulse: a component of the mod's own, and a picture of its own, drawn by Bevy's `Sprite`.

use mod_sdk::prelude::*;

/// Bevy's. What is not named is as in the game's default.
#[derive(Component)]
#[component(path = "bevy_sprite::sprite::Sprite", partial)]
struct Sprite {
    image: String,
}

#[derive(Component)]
#[component(path = "swarm::Lure")]
struct Lure {
    reach: f32,
}

#[derive(Resource)]
#[resource(path = "swarm::Arena", partial)]
struct Arena {
    half: Vec2,
}

#[derive(Resource)]
#[resource(path = "swarm::Weather", partial)]
struct Weather {
    wind: Vec2,
}

/// The mod's own, which the game knows nothing of.
#[derive(Component, Debug, Default, Clone, Copy, PartialEq)]
#[component(define)]
struct Lantern {
    /// How far it is in its pulse, in turns.
    phase: f32,
    size: f32,
}

#[derive(Resource)]
#[resource(settings)]
struct Settings {
    lanterns: u32,
}

#[mod_main]
fn main(app: &mut App) {
    app.add_systems(Update, (keep_lit, drift).chain());
}

/// As many lanterns as the player wants.
fn keep_lit(
    lanterns: Query<Entity, With<Lantern>>,
    arena: Res<Arena>,
    settings: Res<Settings>,
    mut commands: Commands,
) {
    let (have, wanted) = (lanterns.len(), settings.lanterns as usize);
    for number in have..wanted {
        let size = 0.55 + 0.35 * scattered(number, 0.755);
        let place = Vec2::new(scattered(number, 0.618) * 2.0 - 1.0, scattered(number, 0.57) * 1.6 - 0.8);
        commands.spawn((
            Sprite { image: own_asset!("lantern.png").into() },
            Transform::from_translation((place * arena.half).extend(2.0)).with_scale(Vec3::splat(size)),
            Lure { reach: 190.0 * size },
            Lantern { phase: scattered(number, 0.31), size },
        ));
    }
    for lantern in lanterns.iter().skip(wanted) {
        commands.entity(lantern).despawn();
    }
}

/// A number from 0 to 1 that is far from those of the neighbours.
fn scattered(number: usize, step: f32) -> f32 {
    (0.37 + number as f32 * step).fract()
}

fn drift(
    mut lanterns: Query<(&mut Transform, &mut Lantern)>,
    arena: Res<Arena>,
    weather: Res<Weather>,
    time: Res<Time>,
) {
    let dt = time.delta_secs().min(0.05);
    for (mut place, mut lantern) in &mut lanterns {
        lantern.phase = (lantern.phase + dt * 0.32).fract();
        let beat = pulse(lantern.phase);
        // A jellyfish rises when it draws itself together, and the wind carries it.
        let way = Vec3::new(weather.wind.x * 0.35, 26.0 * beat - 9.0, 0.0) * dt;
        place.translation = around(place.translation + way, arena.half + 60.0);
        place.scale = Vec3::new(1.0 - 0.10 * beat, 1.0 + 0.12 * beat, 1.0) * lantern.size;
    }
}

/// 0 at rest, 1 when it draws itself together, which is quick.
fn pulse(phase: f32) -> f32 {
    let turn = (phase * std::f32::consts::TAU).sin().max(0.0);
    turn * turn
}

/// What leaves on one side comes in on the other.
fn around(at: Vec3, half: Vec2) -> Vec3 {
    let wrap = |value: f32, half: f32| (value + half).rem_euclid(2.0 * half) - half;
    Vec3::new(wrap(at.x, half.x), wrap(at.y, half.y), at.z)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use mod_sdk::testing::{SystemTest, TestRows};

    use super::*;

    #[test]
    fn lanterns_rise_in_the_pulse_and_sink_between() {
        let lantern = |phase| Lantern { phase, size: 1.0 };
        let rows = TestRows::default().column([Transform::IDENTITY; 2]).column([lantern(0.2), lantern(0.7)]);
        let mut test = SystemTest::new(drift)
            .query(rows)
            .resource(Arena { half: Vec2::splat(300.0) })
            .resource(Weather { wind: Vec2::ZERO })
            .resource(Time::for_test(Duration::from_secs(1), Duration::from_millis(16)));
        test.run();
        let places = test.rows::<Transform>(0, 0);
        assert!(places[0].translation.y > 0.0 && places[1].translation.y < 0.0, "{places:?}");
        assert!(places[0].scale.y > 1.0 && places[1].scale == Vec3::ONE, "{places:?}");
    }

    #[test]
    fn what_leaves_comes_back() {
        let half = Vec2::new(100.0, 50.0);
        assert_eq!(around(Vec3::new(101.0, 0.0, 2.0), half), Vec3::new(-99.0, 0.0, 2.0));
        assert_eq!(around(Vec3::new(0.0, -51.0, 2.0), half), Vec3::new(0.0, 49.0, 2.0));
    }

    #[test]
    fn they_are_scattered() {
        let mut places: Vec<f32> = (0..10).map(|number| scattered(number, 0.618)).collect();
        assert!(places.iter().all(|place| (0.0..1.0).contains(place)));
        places.sort_by(f32::total_cmp);
        assert!(places.windows(2).all(|pair| pair[1] - pair[0] > 0.03), "{places:?}");
    }
}
