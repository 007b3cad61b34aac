//! Everything that has a place in the game rises. Change `SPEED` while the game runs, and save.

use mod_sdk::prelude::*;

/// How far things rise in a second.
const SPEED: f32 = 0.5;

#[mod_main]
fn main(app: &mut App) {
    app.add_systems(Startup, hello).add_systems(Update, rise);
}

fn hello() {
    info!("everything rises by {SPEED} a second");
}

fn rise(mut things: Query<&mut Transform>, time: Res<Time>) {
    for mut transform in &mut things {
        transform.translation.y += SPEED * time.delta_secs();
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use mod_sdk::testing::{SystemTest, TestRows};

    use super::*;

    #[test]
    fn things_rise() {
        let second = Duration::from_secs(1);
        let things = TestRows::default().column([Transform::IDENTITY]);
        let mut test = SystemTest::new(rise).query(things).resource(Time::for_test(second, second));
        test.run();
        assert_eq!(test.changed::<Transform>(0, 0), [(0, Transform::from_xyz(0.0, SPEED, 0.0))]);
    }
}
