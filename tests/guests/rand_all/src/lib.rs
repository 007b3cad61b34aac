//! Three generations of `rand` in one mod, each over its own `getrandom`.

use mod_sdk::prelude::*;
use rand_08::RngCore as _;
use rand_09::TryRngCore as _;
use rand_10::{Rng as _, TryRng as _};

/// From the system's generator of rand 0.8.
#[export]
fn bytes08() -> [u8; 16] {
    let mut bytes = [0; 16];
    rand_08::rngs::OsRng.fill_bytes(&mut bytes);
    bytes
}

/// From the system's generator of rand 0.9.
#[export]
fn bytes09() -> [u8; 16] {
    let mut bytes = [0; 16];
    rand_09::rngs::OsRng.try_fill_bytes(&mut bytes).expect("random bytes");
    bytes
}

/// From the system's generator of rand 0.10.
#[export]
fn bytes10() -> [u8; 16] {
    let mut bytes = [0; 16];
    rand_10::rngs::SysRng.try_fill_bytes(&mut bytes).expect("random bytes");
    bytes
}

/// From the thread's generator of rand 0.10, which the system's seeds.
#[export]
fn thread10() -> [u8; 16] {
    let mut bytes = [0; 16];
    rand_10::rng().fill_bytes(&mut bytes);
    bytes
}

#[cfg(test)]
mod tests {
    use super::{bytes08, bytes09, bytes10, thread10};

    #[test]
    fn no_two_are_the_same() {
        let mut all = [bytes08(), bytes09(), bytes10(), thread10(), bytes08(), bytes09(), bytes10(), thread10()];
        all.sort_unstable();
        assert!(all.windows(2).all(|pair| pair[0] != pair[1]));
    }
}
