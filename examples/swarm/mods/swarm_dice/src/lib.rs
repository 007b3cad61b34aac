//! Dice. While creatures are missing, some hatch, in a colour that is nearly that of a parent; and at times a part of the
//! swarm lights up. The random numbers come from the game.

use std::time::Duration;

use mod_sdk::prelude::*;
use rand::RngExt;

/// At most so many hatch at once.
const BROOD: usize = 12;
/// How far light spreads from where it begins, in pixels.
const SPREAD: f32 = 120.0;

#[derive(Component, Debug, Clone, Copy, PartialEq)]
#[component(path = "swarm::Creature")]
struct Creature {
    family: u32,
    size: f32,
}

#[derive(Component, Debug, Clone, Copy, PartialEq)]
#[component(path = "swarm::Velocity")]
struct Velocity(Vec2);

#[derive(Component, Debug, Clone, Copy, PartialEq)]
#[component(path = "swarm::Tint")]
struct Tint {
    color: Vec3,
    glow: f32,
}

#[derive(Component)]
#[component(path = "swarm::Danger")]
struct Danger {
    reach: f32,
}

#[derive(Resource)]
#[resource(path = "swarm::Arena", partial)]
struct Arena {
    creatures: u32,
}

#[mod_main]
fn main(app: &mut App) {
    app.add_systems(Update, hatch.run_if(on_timer(Duration::from_millis(500))))
        .add_systems(Update, (light_up.run_if(on_timer(Duration::from_millis(1700))), fade).chain());
}

/// New creatures come from those that are there.
fn hatch(creatures: Query<(&Creature, &Transform, &Tint), Without<Danger>>, arena: Res<Arena>, mut commands: Commands) {
    let missing = (arena.creatures as usize).saturating_sub(creatures.len());
    let parents: Vec<_> = creatures.iter().collect();
    if parents.is_empty() {
        return;
    }
    for _ in 0..missing.min(roll(BROOD)) {
        let (parent, place, tint) = parents[roll(parents.len()) - 1];
        let way = Vec2::from_angle(rand::rng().random_range(0.0..std::f32::consts::TAU));
        commands.spawn((
            *parent,
            Velocity(way * 90.0),
            Tint { color: mutated(tint.color), glow: 3.0 },
            Transform::from_translation(place.translation + (way * 8.0).extend(0.0)),
        ));
    }
}

/// One creature begins to shine, and all around it do.
fn light_up(mut creatures: Query<(&Transform, &mut Tint), Without<Danger>>) {
    if creatures.is_empty() {
        return;
    }
    let first = roll(creatures.len()) - 1;
    let middle = creatures.iter().nth(first).map_or(Vec3::ZERO, |(place, _)| place.translation);
    for (place, mut tint) in &mut creatures {
        let near = 1.0 - place.translation.distance(middle) / SPREAD;
        if near > 0.0 {
            tint.glow = tint.glow.max(1.0 + 2.2 * near);
        }
    }
}

/// What shines goes out again.
fn fade(mut tints: Query<&mut Tint, Without<Danger>>, time: Res<Time>) {
    let left = (-1.3 * time.delta_secs()).exp();
    for mut tint in &mut tints {
        // Only those are written, so that all others cost nothing.
        if tint.glow > 1.0 {
            let over = (tint.glow - 1.0) * left;
            tint.glow = if over < 0.01 { 1.0 } else { 1.0 + over };
        }
    }
}

/// A die with as many sides.
fn roll(sides: usize) -> usize {
    rand::rng().random_range(1..=sides.max(1))
}

/// A colour that is nearly the same.
fn mutated(color: Vec3) -> Vec3 {
    let mut random = rand::rng();
    let mut near = |value: f32| (value + random.random_range(-0.12..0.12)).clamp(0.03, 1.0);
    Vec3::new(near(color.x), near(color.y), near(color.z))
}

#[cfg(test)]
mod tests {
    use mod_sdk::testing::{SystemTest, TestRows};

    use super::*;

    const GREY: Tint = Tint { color: Vec3::splat(0.5), glow: 1.0 };

    #[test]
    fn light_spreads_and_goes_out() {
        let far = SPREAD * 9.0;
        let rows = TestRows::default()
            .column([Transform::IDENTITY, Transform::from_xyz(10.0, 0.0, 0.0), Transform::from_xyz(far, 0.0, 0.0)])
            .column([GREY; 3]);
        let mut test = SystemTest::new(light_up).query(rows);
        test.run();
        let lit = test.changed::<Tint>(0, 1).len();
        assert!(lit == 1 || lit == 2, "the two in the corner, or the one far away: {lit}");

        let bright = Tint { glow: 3.0, ..GREY };
        let tick = Duration::from_millis(100);
        let mut test = SystemTest::new(fade)
            .query(TestRows::default().column([bright, GREY]))
            .resource(Time::for_test(tick, tick));
        test.run();
        let changed = test.changed::<Tint>(0, 0);
        assert_eq!(changed.len(), 1, "who does not shine is not written: {changed:?}");
        assert!(changed[0].1.glow < 3.0 && changed[0].1.glow > 2.0, "{changed:?}");
        (0..200).for_each(|_| test.run());
        assert_eq!(test.rows::<Tint>(0, 0)[0], GREY);
    }

    #[test]
    fn a_colour_stays_near() {
        for _ in 0..100 {
            let color = mutated(Vec3::new(0.5, 0.0, 1.0));
            assert!(color.distance(Vec3::new(0.5, 0.0, 1.0)) < 0.25 && color.max_element() <= 1.0, "{color}");
        }
    }

    #[test]
    fn a_die_shows_one_of_its_sides() {
        assert!((0..100).all(|_| (1..=6).contains(&roll(6))));
        assert_eq!(roll(0), 1);
    }
}
