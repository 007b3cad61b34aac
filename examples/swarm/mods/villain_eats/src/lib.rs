//! A villain that eats memory, a little more in each frame. The game lets it have what it grants, and not a byte more.

use std::hint::black_box;

use mod_sdk::prelude::*;

/// For how many frames it behaves.
const PATIENCE: u32 = 30;
/// What it eats in a frame after that, in bytes.
const BITE: usize = 1 << 20;

#[mod_main]
fn main(app: &mut App) {
    app.add_systems(Update, misbehave);
}

fn misbehave(mut frames: Local<u32>, mut belly: Local<Vec<Vec<u8>>>) {
    *frames += 1;
    if *frames > PATIENCE {
        belly.push(eat());
    }
}

#[inline(never)]
fn eat() -> Vec<u8> {
    black_box(vec![1; BITE])
}

#[cfg(test)]
mod tests {
    use mod_sdk::testing::SystemTest;

    use super::*;

    #[test]
    fn it_behaves_for_a_while_and_eats_its_fill() {
        let mut test = SystemTest::new(misbehave);
        (0..PATIENCE + 3).for_each(|_| test.run());
        assert_eq!(eat().len(), BITE);
    }
}
