//! Random bytes for mods. Which import asks for them is not known here.

use rand::{Rng, SeedableRng, rngs::ChaCha8Rng};

/// Where a mod's random numbers come from.
///
/// ```
/// use mod_host::{Entropy, InstanceConfig};
///
/// let mut config = InstanceConfig::default();
/// config.entropy = Entropy::Seeded(42);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Entropy {
    /// The operating system: different in every run.
    #[default]
    Host,
    /// A ChaCha8 generator that starts from this seed and the mod's id: the same seed gives the same mod the same
    /// bytes, on every machine, and different mods different ones.
    Seeded(u64),
}

/// The generator of one instance.
pub(crate) enum Source {
    Host,
    Seeded(Box<ChaCha8Rng>),
}

impl Source {
    pub(crate) fn new(entropy: Entropy, mod_id: &str) -> Self {
        match entropy {
            Entropy::Host => Self::Host,
            Entropy::Seeded(seed) => {
                let mut key = [0; 32];
                for (place, part) in key.chunks_exact_mut(8).zip([seed, fnv1a(mod_id.as_bytes())]) {
                    place.copy_from_slice(&part.to_le_bytes());
                }
                Self::Seeded(Box::new(ChaCha8Rng::from_seed(key)))
            }
        }
    }

    /// Fills `bytes`. Fails only when the operating system has no entropy.
    pub(crate) fn fill(&mut self, bytes: &mut [u8]) -> Result<(), getrandom::Error> {
        match self {
            Self::Host => getrandom::fill(bytes),
            Self::Seeded(generator) => {
                generator.fill_bytes(bytes);
                Ok(())
            }
        }
    }
}

/// FNV-1a, 64 bits: a hash that never changes, so that a seed means the same in every version.
fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::{Entropy, Source, fnv1a};

    #[test]
    fn a_seed_means_the_same_for_ever() {
        assert_eq!(fnv1a(b""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(fnv1a(b"a"), 0xaf63_dc4c_8601_ec8c);
        let mut bytes = [0; 8];
        assert!(Source::new(Entropy::Seeded(7), "orchard").fill(&mut bytes).is_ok());
        assert_eq!(bytes, [16, 193, 188, 230, 9, 202, 178, 252]);
    }
}
