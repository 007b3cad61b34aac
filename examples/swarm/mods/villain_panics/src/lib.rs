//! A villain that panics, half a second after it was switched on. The game gives it another chance, and then no more.

use mod_sdk::prelude::*;

/// For how many frames it behaves.
const PATIENCE: u32 = 30;

#[mod_main]
fn main(app: &mut App) {
    app.add_systems(Update, misbehave);
}

fn misbehave(mut frames: Local<u32>) {
    *frames += 1;
    if *frames > PATIENCE {
        lose_temper();
    }
}

#[inline(never)]
fn lose_temper() {
    panic!("I have had enough of this swarm");
}

#[cfg(test)]
mod tests {
    use std::panic;

    use mod_sdk::testing::SystemTest;

    use super::*;

    #[test]
    fn it_behaves_for_a_while() {
        let mut test = SystemTest::new(misbehave);
        (0..PATIENCE).for_each(|_| test.run());
        assert!(panic::catch_unwind(panic::AssertUnwindSafe(|| test.run())).is_err());
    }
}
