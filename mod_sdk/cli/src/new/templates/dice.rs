//! Throws two dice every second. The random numbers come from the game.

use mod_sdk::prelude::*;
use rand::RngExt;

#[mod_main]
fn main(app: &mut App) {
    app.add_systems(Update, throw_dice);
}

fn throw_dice(time: Res<Time>, mut last: Local<u64>) {
    let second = time.elapsed().as_secs();
    if *last == second {
        return;
    }
    *last = second;
    info!("the dice show {} and {}", roll(6), roll(6));
}

/// A die with so many sides. The game and other mods can call it.
#[export]
fn roll(sides: u32) -> u32 {
    rand::rng().random_range(1..=sides.max(1))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use mod_sdk::testing::SystemTest;

    use super::*;

    #[test]
    fn a_die_shows_one_of_its_sides() {
        assert!((0..100).all(|_| (1..=6).contains(&roll(6))));
        assert_eq!(roll(0), 1);
    }

    #[test]
    fn dice_are_thrown_in_every_second() {
        let clock = Time::for_test(Duration::from_secs(3), Duration::from_millis(16));
        SystemTest::new(throw_dice).resource(clock).run();
    }
}
