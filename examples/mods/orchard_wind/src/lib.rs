//! The wind in the orchard. Change it while the game runs, build again, and watch the bees.
const WIND: Vec3 = Vec3::new(0.6, 0.2, 0.0);

use mod_sdk::prelude::*;

#[derive(Component, Clone, Copy)]
#[component(path = "hello_mods::Velocity")]
struct Velocity(Vec3);

#[derive(Component)]
#[component(path = "hello_mods::Bee")]
struct Bee;

/// What the player sets, as Cargo.toml declares it.
#[derive(Resource)]
#[resource(settings)]
struct Settings {
    strength: f32,
}

#[mod_main]
fn main(app: &mut App) {
    app.add_systems(Startup, hello).add_systems(Update, blow);
}

fn hello() {
    info!("the wind blows at {WIND}");
}

/// Bees fly as fast as they can, and the wind carries them along.
fn blow(mut bees: Query<(&mut Transform, &Velocity), With<Bee>>, time: Res<Time>, settings: Res<Settings>) {
    let wind = WIND * settings.strength;
    for (mut transform, velocity) in &mut bees {
        transform.translation += (velocity.0 + wind) * time.delta_secs();
    }
}

/// The game can ask how the wind blows.
#[export]
fn wind() -> Vec3 {
    WIND
}

#[export]
fn double(numbers: Vec<f64>) -> Vec<f64> {
    numbers.into_iter().map(|number| number * 2.0).collect()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use mod_sdk::testing::{SystemTest, TestRows};

    use super::*;

    #[test]
    fn the_wind_carries_bees() {
        let second = Duration::from_secs(1);
        let bees = TestRows::default().column([Transform::IDENTITY]).column([Velocity(Vec3::Y)]);
        let strong = Settings { strength: 2.0 };
        let mut test = SystemTest::new(blow).query(bees).resource(Time::for_test(second, second)).resource(strong);
        test.run();
        assert_eq!(test.changed::<Transform>(0, 0), [(0, Transform::from_translation(Vec3::Y + 2.0 * WIND))]);
    }

    #[test]
    fn numbers_are_doubled() {
        assert_eq!(double(vec![1.0, -2.5]), [2.0, -5.0]);
    }
}
