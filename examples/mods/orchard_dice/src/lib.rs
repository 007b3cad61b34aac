//! Every second, two dice decide how much nectar the bees find. The random numbers come from the game.

use mod_sdk::prelude::*;
use rand::RngExt;

#[derive(Component, Debug, PartialEq)]
#[component(path = "hello_mods::Nectar")]
struct Nectar {
    drops: u32,
}

#[derive(Component)]
#[component(path = "hello_mods::Bee")]
struct Bee;

#[mod_main]
fn main(app: &mut App) {
    app.add_systems(Update, throw_dice);
}

fn throw_dice(mut bees: Query<&mut Nectar, With<Bee>>, time: Res<Time>, mut last: Local<u64>) {
    let second = time.elapsed().as_secs();
    if *last == second {
        return;
    }
    *last = second;
    let (one, two) = (roll(6), roll(6));
    info!("the dice show {one} and {two}");
    for mut nectar in &mut bees {
        nectar.drops = one + two;
    }
}

/// A die with as many sides as the game wants.
#[export]
fn roll(sides: u32) -> u32 {
    rand::rng().random_range(1..=sides.max(1))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use mod_sdk::testing::{SystemTest, TestRows};

    use super::*;

    #[test]
    fn dice_are_thrown_once_a_second() {
        let nectar = TestRows::default().column([Nectar { drops: 0 }, Nectar { drops: 0 }]);
        let clock = Time::for_test(Duration::from_millis(1500), Duration::from_millis(16));
        let mut test = SystemTest::new(throw_dice).query(nectar).resource(clock);
        test.run();
        let found = test.rows::<Nectar>(0, 0);
        assert!((2..=12).contains(&found[0].drops) && found[0] == found[1], "{found:?}");
        test.run();
        assert_eq!(test.changed::<Nectar>(0, 0), []);
    }

    #[test]
    fn a_die_shows_one_of_its_sides() {
        assert!((0..100).all(|_| (1..=20).contains(&roll(20))));
        assert_eq!(roll(0), 1);
    }
}
