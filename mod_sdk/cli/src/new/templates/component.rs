//! Balloons: a component of the mod's own, on entities that the mod spawns, and a number that outlives reloads and stands in
//! saved games.

use mod_sdk::prelude::*;

/// Where balloons are let go again.
const CEILING: f32 = 5.0;

/// A balloon. Other mods name it by the id of this mod, `::Balloon`.
#[derive(Component, Clone, Copy)]
#[component(define)]
struct Balloon {
    /// How far it rises in a second.
    speed: f32,
}

/// What is kept when the mod is reloaded. New fields start as in `Default`.
#[derive(Reflect, Default)]
struct Flights {
    count: u32,
}

#[mod_main]
fn main(app: &mut App) {
    app.add_systems(Startup, fill).add_systems(Update, fly);
}

fn fill(mut commands: Commands) {
    for number in 1..=3_u8 {
        let number = f32::from(number);
        commands.spawn((Balloon { speed: number }, Transform::from_xyz(number, 0.0, 0.0)));
    }
}

fn fly(mut balloons: Query<(&mut Transform, &Balloon)>, time: Res<Time>, mut flights: Persist<Flights>) {
    for (mut transform, balloon) in &mut balloons {
        transform.translation.y += balloon.speed * time.delta_secs();
        if transform.translation.y > CEILING {
            transform.translation.y = 0.0;
            flights.count += 1;
            info!("{} balloons were at the ceiling so far", flights.count);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use mod_sdk::testing::{SystemTest, TestCommand, TestRows};

    use super::*;

    #[test]
    fn balloons_are_filled() {
        let mut test = SystemTest::new(fill).no_rows();
        test.run();
        let commands = test.commands();
        assert!(matches!(commands.as_slice(), [TestCommand::Spawn { .. }, ..]) && commands.len() == 3, "{commands:?}");
    }

    #[test]
    fn balloons_fly_to_the_ceiling_and_start_again() {
        let second = Duration::from_secs(1);
        let places = [Transform::IDENTITY, Transform::from_xyz(0.0, CEILING, 0.0)];
        let balloons = TestRows::default().column(places).column([Balloon { speed: 2.0 }; 2]);
        let mut test = SystemTest::new(fly).query(balloons).resource(Time::for_test(second, second));
        test.run();
        assert_eq!(test.rows::<Transform>(0, 0), [Transform::from_xyz(0.0, 2.0, 0.0), Transform::IDENTITY]);
    }
}
