//! Chance that repeats itself: everything of a case comes from one number.

use rand::{Rng, RngExt, SeedableRng, rngs::ChaCha8Rng};

/// A source of chance.
#[derive(Debug)]
pub struct Dice(ChaCha8Rng);

impl Dice {
    /// The dice of a case.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(ChaCha8Rng::seed_from_u64(seed))
    }

    /// Other dice that these decide.
    pub fn fork(&mut self) -> Self {
        Self::new(self.0.random())
    }

    /// A number below `end`, or 0 if there is none.
    pub fn below(&mut self, end: usize) -> usize {
        if end == 0 { 0 } else { self.0.random_range(0..end) }
    }

    /// True so often in a hundred times.
    pub fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    /// One of them.
    ///
    /// # Panics
    /// When there is none.
    pub fn pick<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        &all[self.below(all.len())]
    }

    /// Any byte.
    pub fn byte(&mut self) -> u8 {
        self.0.random()
    }

    /// Any 64 bits, of which those at the edges come more often than others.
    pub fn number(&mut self) -> u64 {
        const EDGES: &[u64] =
            &[0, 1, 7, 16, 0xffff, 0x1_0000, 0x7fff_ffff, 0x8000_0000, u32::MAX as u64, 1 << 32, u64::MAX];
        if self.chance(40) { *self.pick(EDGES) } else { self.0.next_u64() >> self.below(64) }
    }

    /// So many bytes.
    pub fn bytes(&mut self, len: usize) -> Vec<u8> {
        let mut bytes = vec![0; len];
        self.0.fill_bytes(&mut bytes);
        bytes
    }
}
