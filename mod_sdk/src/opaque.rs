//! Values that stay in the game.

use std::{
    fmt,
    hash::{Hash, Hasher},
    marker::PhantomData,
};

use mod_abi::OpaqueId;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::reflect::{ReadError, Reflect, SchemaText};

/// A value of the game that a mod holds without knowing what is inside: it gets one from an `#[import]` and passes it to
/// others. `T` only tells the kinds of values apart, so that a door is not passed for a key.
///
/// It is a number and may be kept anywhere: in a [`Local`](crate::Local), a [`Persist`](crate::Persist), a component. The
/// game decides for how long the value is there. What becomes of one that is gone, or of one that an earlier run of the game
/// gave out, is up to the game's function that it is passed to.
///
/// ```
/// use mod_sdk::prelude::*;
///
/// enum Door {} // nothing that the mod could make
///
/// #[import]
/// fn open_door(name: String) -> Opaque<Door>;
///
/// #[import]
/// fn door_name(door: Opaque<Door>) -> String;
///
/// fn knock(mut door: Local<Option<Opaque<Door>>>) {
///     let door = *door.get_or_insert_with(|| open_door("cellar".to_owned()));
///     info!("at the {}", door_name(door));
/// }
/// ```
#[repr(transparent)]
pub struct Opaque<T> {
    id: OpaqueId,
    kind: PhantomData<fn() -> T>,
}

impl<T> Opaque<T> {
    /// The value with that id: for tests, and for ids that came another way.
    #[must_use]
    pub const fn from_id(id: OpaqueId) -> Self {
        Self { id, kind: PhantomData }
    }

    /// What the game knows the value by.
    #[must_use]
    pub const fn id(self) -> OpaqueId {
        self.id
    }
}

// Not derived: nothing of this asks anything of `T`.
impl<T> Clone for Opaque<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Opaque<T> {}

impl<T> PartialEq for Opaque<T> {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id
    }
}

impl<T> Eq for Opaque<T> {}

impl<T> Hash for Opaque<T> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.id.hash(state);
    }
}

impl<T> fmt::Debug for Opaque<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let OpaqueId { table, kind, index, generation } = self.id;
        write!(f, "Opaque({table}:{kind}:{index}v{generation})")
    }
}

impl<T> Serialize for Opaque<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.id.serialize(serializer)
    }
}

impl<'de, T> Deserialize<'de> for Opaque<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        OpaqueId::deserialize(deserializer).map(Self::from_id)
    }
}

impl<T: 'static> Reflect for Opaque<T> {
    const STRIDE: Option<usize> = <[u32; 4]>::STRIDE;
    const SCHEMA: SchemaText = SchemaText::Struct(&[
        ("table", u32::SCHEMA),
        ("kind", u32::SCHEMA),
        ("index", u32::SCHEMA),
        ("generation", u32::SCHEMA),
    ]);

    fn write(&self, out: &mut Vec<u8>) {
        let OpaqueId { table, kind, index, generation } = self.id;
        [table, kind, index, generation].write(out);
    }

    fn read(input: &mut &[u8]) -> Result<Self, ReadError> {
        let [table, kind, index, generation] = Reflect::read(input)?;
        Ok(Self::from_id(OpaqueId { table, kind, index, generation }))
    }
}

#[cfg(feature = "nanoserde")]
mod nano {
    use std::str::Chars;

    use mod_abi::OpaqueId;
    use nanoserde::{DeJson, DeJsonErr, DeJsonState, SerJson, SerJsonState};

    use super::Opaque;

    impl<T> SerJson for Opaque<T> {
        fn ser_json(&self, depth: usize, state: &mut SerJsonState) {
            self.id.ser_json(depth, state);
        }
    }

    impl<T> DeJson for Opaque<T> {
        fn de_json(state: &mut DeJsonState, input: &mut Chars<'_>) -> Result<Self, DeJsonErr> {
            OpaqueId::de_json(state, input).map(Self::from_id)
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use mod_abi::{OpaqueId, codec};

    use super::Opaque;
    use crate::Reflect;

    enum Door {}

    const ID: OpaqueId = OpaqueId { table: 1, kind: 2, index: 3, generation: 4 };
    const DOOR: Opaque<Door> = Opaque::from_id(ID);

    #[test]
    fn it_is_its_id() {
        let bytes = codec::encode(&DOOR).unwrap();
        assert_eq!(bytes, codec::encode(&ID).unwrap());
        assert_eq!(codec::decode::<Opaque<Door>>(&bytes).unwrap(), DOOR);
        let mut written = Vec::new();
        DOOR.write(&mut written);
        assert_eq!(written, bytes);
        assert_eq!(Opaque::read(&mut bytes.as_slice()), Ok(DOOR));
        assert_eq!(Opaque::<Door>::STRIDE, Opaque::<Door>::schema().fixed_size());
        assert_eq!(Opaque::<Door>::SCHEMA.to_string(), "{table:u32,kind:u32,index:u32,generation:u32}");
        assert!(HashSet::from([DOOR]).contains(&DOOR));
        assert_eq!(format!("{DOOR:?}"), "Opaque(1:2:3v4)");
    }

    #[cfg(all(feature = "json", feature = "nanoserde"))]
    #[test]
    fn both_kinds_of_json_are_the_same() {
        let text = br#"{"table":1,"kind":2,"index":3,"generation":4}"#;
        assert_eq!(codec::json::encode(&DOOR).unwrap(), text);
        assert_eq!(codec::nano::encode(&DOOR).unwrap(), text);
        assert_eq!(codec::json::decode::<Opaque<Door>>(text).unwrap(), DOOR);
        assert_eq!(codec::nano::decode::<Opaque<Door>>(text).unwrap(), DOOR);
    }
}
