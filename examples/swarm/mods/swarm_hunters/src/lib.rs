//! Hunters: entities of this mod that look to the game like its own. Creatures flee, because hunters are a `Danger`.

use mod_sdk::prelude::*;

/// How far creatures see a hunter.
const REACH: f32 = 130.0;
/// How near it has to come, in pixels.
const BITE: f32 = 11.0;
/// How long it rests after that, in seconds.
const REST: f32 = 1.4;
const SPEED: f32 = 158.0;
const COLOR: Vec3 = Vec3::new(1.0, 0.16, 0.07);

#[derive(Component, Clone, Copy)]
#[component(path = "swarm::Creature")]
struct Creature {
    family: u32,
    size: f32,
}

#[derive(Component, Debug, Clone, Copy, PartialEq)]
#[component(path = "swarm::Velocity")]
struct Velocity(Vec2);

#[derive(Component, Clone, Copy)]
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
    half: Vec2,
}

/// What only this mod knows of a hunter.
#[derive(Component, Debug, Default, Clone, Copy, PartialEq)]
#[component(define)]
struct Hunter {
    /// For how long it still rests, in seconds.
    rest: f32,
}

/// Whom they hunt.
type Prey = (With<Creature>, Without<Hunter>);

#[derive(Resource)]
#[resource(settings)]
struct Settings {
    hunters: u32,
}

#[mod_main]
fn main(app: &mut App) {
    app.add_systems(Update, (keep_pack, hunt.after(SystemName("swarm_flock::swim"))).chain());
}

/// As many hunters as the player wants.
fn keep_pack(hunters: Query<Entity, With<Hunter>>, arena: Res<Arena>, settings: Res<Settings>, mut commands: Commands) {
    let (have, wanted) = (hunters.len(), settings.hunters as usize);
    for number in have..wanted {
        let side = Vec2::from_angle(number as f32 * 2.4);
        commands.spawn((
            Creature { family: u32::MAX, size: 2.6 },
            Velocity(-side * SPEED),
            Tint { color: COLOR, glow: 1.6 },
            Danger { reach: REACH },
            Transform::from_translation((side * arena.half * 0.9).extend(1.0)),
            Hunter::default(),
        ));
    }
    for hunter in hunters.iter().skip(wanted) {
        commands.entity(hunter).despawn();
    }
}

fn hunt(
    mut hunters: Query<(&mut Transform, &mut Velocity, &mut Tint, &mut Hunter)>,
    creatures: Query<(Entity, &Transform), Prey>,
    arena: Res<Arena>,
    time: Res<Time>,
    mut commands: Commands,
) {
    let dt = time.delta_secs().min(0.05);
    let mut eaten: Vec<Entity> = Vec::new();
    for (mut place, mut velocity, mut tint, mut hunter) in &mut hunters {
        let at = place.translation.truncate();
        let prey = nearest(at, creatures.iter().filter(|(entity, _)| !eaten.contains(entity)));
        hunter.rest = (hunter.rest - dt).max(0.0);
        if let Some((entity, way)) = prey
            && hunter.rest == 0.0
            && way.length() < BITE
        {
            commands.entity(entity).despawn();
            eaten.push(entity);
            hunter.rest = REST;
            tint.glow = 4.0;
        }
        let way = prey.map_or(Vec2::ZERO, |(_, way)| way);
        velocity.0 = steer(velocity.0, way, hunter.rest > 0.0, dt);
        tint.glow += (1.6 - tint.glow) * dt * 2.5;
        place.translation = (at + velocity.0 * dt).clamp(-arena.half, arena.half).extend(place.translation.z);
    }
}

/// The nearest creature, and the way to it.
fn nearest<'a>(at: Vec2, creatures: impl Iterator<Item = (Entity, &'a Transform)>) -> Option<(Entity, Vec2)> {
    let ways = creatures.map(|(entity, place)| (entity, place.translation.truncate() - at));
    ways.min_by(|(_, a), (_, b)| a.length_squared().total_cmp(&b.length_squared()))
}

/// A hunter turns slowly, which is how creatures get away. One that rests glides.
fn steer(velocity: Vec2, way: Vec2, rests: bool, dt: f32) -> Vec2 {
    let speed = if rests { SPEED * 0.35 } else { SPEED };
    let wish = if way == Vec2::ZERO { velocity } else { way };
    let wish = wish.normalize_or(Vec2::X) * speed;
    let turned = velocity + (wish - velocity) * (2.8 * dt).min(1.0);
    turned.clamp_length_max(SPEED)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use mod_sdk::testing::{SystemTest, TestRows};

    use super::*;

    /// A hunter at zero and creatures at these places; runs one frame.
    fn hunted(rest: f32, places: &[Vec2]) -> SystemTest {
        let hunter = TestRows::default()
            .column([Transform::IDENTITY])
            .column([Velocity(Vec2::X * 100.0)])
            .column([Tint { color: COLOR, glow: 1.6 }])
            .column([Hunter { rest }]);
        let entities = (0..places.len()).map(|n| Entity::from_bits(n as u64 + 1));
        let creatures = TestRows::default()
            .column(entities)
            .column(places.iter().map(|at| Transform::from_translation(at.extend(0.0))));
        let mut test = SystemTest::new(hunt)
            .query(hunter)
            .query(creatures)
            .resource(Arena { half: Vec2::new(640.0, 360.0) })
            .resource(Time::for_test(Duration::from_secs(1), Duration::from_millis(16)))
            .no_rows();
        test.run();
        test
    }

    #[test]
    fn a_hunter_turns_to_the_nearest() {
        let test = hunted(0.0, &[Vec2::new(-400.0, 0.0), Vec2::new(0.0, 80.0)]);
        let velocity = test.rows::<Velocity>(0, 1)[0].0;
        assert!(velocity.y > 1.0, "{velocity}");
        assert_eq!(test.rows::<Hunter>(0, 3), [Hunter { rest: 0.0 }]);
    }

    #[test]
    fn it_eats_what_is_near_and_rests() {
        let near = [Vec2::new(5.0, 0.0)];
        assert_eq!(hunted(0.0, &near).rows::<Hunter>(0, 3), [Hunter { rest: REST }]);
        let rests = hunted(1.0, &near).rows::<Hunter>(0, 3)[0].rest;
        assert!(rests < 1.0 && rests > 0.9, "{rests}");
    }

    #[test]
    fn without_creatures_it_swims_on() {
        let velocity = hunted(0.0, &[]).rows::<Velocity>(0, 1)[0].0;
        assert!(velocity.x > 99.0 && velocity.y == 0.0, "{velocity}");
    }
}
