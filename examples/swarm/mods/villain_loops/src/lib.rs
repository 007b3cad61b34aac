//! A villain that does not come back from its system, half a second after it was switched on. The game stops it in time.

use std::hint::black_box;

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
        count_forever();
    }
}

#[inline(never)]
fn count_forever() {
    let mut number = 0_u64;
    loop {
        number = black_box(number.wrapping_add(1));
    }
}

#[cfg(test)]
mod tests {
    use mod_sdk::testing::SystemTest;

    use super::*;

    #[test]
    fn it_behaves_for_a_while() {
        let mut test = SystemTest::new(misbehave);
        (0..PATIENCE).for_each(|_| test.run());
    }
}
