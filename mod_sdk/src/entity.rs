//! An entity's id.

use std::fmt;

use mod_abi::Leaf;
use serde::{Deserialize, Serialize};

use crate::reflect::{InPlace, ReadError, Reflect, SchemaText};

/// The id of an entity of the game, as the 64 bits that Bevy gives it.
///
/// It is only a name: the entity may be gone by the time that it is used.
///
/// ```
/// # use mod_sdk::prelude::*;
/// #[derive(Component)]
/// #[component(define)]
/// struct Follows(Entity); // ids may be kept, in saves too
///
/// fn follow(mut followers: Query<(&mut Transform, &Follows)>, world: World) {
///     for (mut transform, Follows(leader)) in &mut followers {
///         if let Some(there) = world.get::<Transform>(*leader) {
///             transform.look_at(there.translation, Vec3::Y);
///         }
///     }
/// }
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[repr(transparent)]
pub struct Entity(u64);

impl Entity {
    /// An id that no entity has.
    pub const PLACEHOLDER: Self = Self(1);

    /// The id that has these bits.
    #[must_use]
    pub const fn from_bits(bits: u64) -> Self {
        Self(bits)
    }

    /// The id's bits.
    #[must_use]
    pub const fn to_bits(self) -> u64 {
        self.0
    }

    /// The entity's place in the World. Bevy keeps it inverted in the low half of the bits.
    #[must_use]
    pub const fn index(self) -> u32 {
        !(self.0 as u32)
    }

    /// How often the place was reused.
    #[must_use]
    pub const fn generation(self) -> u32 {
        (self.0 >> 32) as u32
    }
}

impl Reflect for Entity {
    const STRIDE: Option<usize> = u64::STRIDE;
    const SCHEMA: SchemaText = SchemaText::Text(Leaf::Entity.name());
    const IN_PLACE: InPlace = InPlace::leaf(u64::IN_PLACE.is_yes());

    fn write(&self, out: &mut Vec<u8>) {
        self.0.write(out);
    }

    fn read(input: &mut &[u8]) -> Result<Self, ReadError> {
        u64::read(input).map(Self)
    }
}

impl fmt::Display for Entity {
    /// The index, `v` and the generation, as Bevy writes it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if *self == Self::PLACEHOLDER {
            f.pad("PLACEHOLDER")
        } else {
            f.pad(&format!("{}v{}", self.index(), self.generation()))
        }
    }
}

impl fmt::Debug for Entity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::Entity;

    #[test]
    fn entities_are_written_as_bevy_does() {
        assert_eq!(Entity::from_bits(0x0000_0003_ffff_fff5).to_string(), "10v3");
        assert_eq!(format!("{:?}", Entity::PLACEHOLDER), "PLACEHOLDER");
        assert_eq!(Entity::PLACEHOLDER.index(), u32::MAX - 1);
    }
}
