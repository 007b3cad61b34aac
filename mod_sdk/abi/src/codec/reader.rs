//! Reads bincode in its legacy configuration. Which types are read is not known here.
//!
//! bincode's own reader follows the bytes as deep as they lead, until a type that contains itself has used up the stack, and
//! counts the items of a list that take no bytes one by one. Both are for whoever wrote the bytes to choose, so neither is
//! done here.

use core::{mem, str};

use bincode::error::{AllowedEnumVariants, DecodeError};
use serde::{
    Deserializer,
    de::{
        DeserializeSeed, EnumAccess, IntoDeserializer, MapAccess, SeqAccess, VariantAccess, Visitor,
        value::U32Deserializer,
    },
};

use super::MAX_VALUE_BYTES;

/// How deep values may nest: reading one takes stack for each level.
const MAX_DEPTH: usize = 128;

/// The memory that the items of all lists in a value may take: 256 MiB.
const MAX_MEMORY: usize = 256 << 20;

/// What is left of the bytes.
pub(super) struct Reader<'de> {
    rest: &'de [u8],
    /// Bytes that the value may still take.
    budget: usize,
    /// Memory that the items of its lists may still take.
    memory: usize,
    /// The size of the item that was counted last, until an option or an enum in it was read.
    charged: usize,
    /// Levels that it may still have.
    depth: usize,
}

impl<'de> Reader<'de> {
    pub(super) const fn new(bytes: &'de [u8]) -> Self {
        Self { rest: bytes, budget: MAX_VALUE_BYTES, memory: MAX_MEMORY, charged: 0, depth: MAX_DEPTH }
    }

    /// The bytes behind the value.
    pub(super) const fn rest(&self) -> &'de [u8] {
        self.rest
    }

    fn take(&mut self, len: usize) -> Result<&'de [u8], DecodeError> {
        self.budget = self.budget.checked_sub(len).ok_or(DecodeError::LimitExceeded)?;
        let missing = || DecodeError::UnexpectedEnd { additional: len.saturating_sub(self.rest.len()) };
        let (taken, rest) = self.rest.split_at_checked(len).ok_or_else(missing)?;
        self.rest = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], DecodeError> {
        let taken = self.take(N)?;
        taken.try_into().map_err(|_| DecodeError::UnexpectedEnd { additional: N })
    }

    fn byte(&mut self) -> Result<u8, DecodeError> {
        self.array().map(u8::from_le_bytes)
    }

    fn len(&mut self) -> Result<usize, DecodeError> {
        let len = u64::from_le_bytes(self.array()?);
        usize::try_from(len).map_err(|_| DecodeError::OutsideUsizeRange(len))
    }

    fn text(&mut self) -> Result<&'de str, DecodeError> {
        let len = self.len()?;
        str::from_utf8(self.take(len)?).map_err(|inner| DecodeError::Utf8 { inner })
    }

    /// One to four bytes of UTF-8.
    fn char(&mut self) -> Result<char, DecodeError> {
        let first = self.byte()?;
        let mut bytes = [first, 0, 0, 0];
        let width = match first {
            0xc0..=0xdf => 2,
            0xe0..=0xef => 3,
            0xf0..=0xff => 4,
            _ => 1,
        };
        let more = self.take(usize::saturating_sub(width, 1))?;
        bytes.iter_mut().skip(1).zip(more).for_each(|(place, byte)| *place = *byte);
        let text = bytes.get(..width).and_then(|bytes| str::from_utf8(bytes).ok());
        text.and_then(|text| text.chars().next()).ok_or(DecodeError::InvalidCharEncoding(bytes))
    }

    /// Counts the memory of an item. Few bytes may stand for a large one: the fields of an option that is none take memory,
    /// too.
    fn charge<T>(&mut self) -> Result<(), DecodeError> {
        let memory = self.memory.checked_sub(size_of::<T>());
        self.memory = memory.ok_or(DecodeError::Other("the items of its lists would take more than 256 MiB"))?;
        self.charged = size_of::<T>();
        Ok(())
    }

    /// Counts an option or an enum, which may be in a box, so that no item counts it. One that is the item itself is not
    /// counted twice.
    fn charge_inside<T>(&mut self) -> Result<(), DecodeError> {
        if mem::take(&mut self.charged) == size_of::<T>() { Ok(()) } else { self.charge::<T>() }
    }

    /// Reads what is inside of the value.
    fn inside<T>(&mut self, read: impl FnOnce(&mut Self) -> Result<T, DecodeError>) -> Result<T, DecodeError> {
        self.depth = self.depth.checked_sub(1).ok_or(DecodeError::Other("it nests too deep"))?;
        let value = read(self)?;
        self.depth = self.depth.saturating_add(1);
        Ok(value)
    }
}

macro_rules! numbers {
    ($($method:ident $visit:ident $ty:ty;)*) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
            visitor.$visit(<$ty>::from_le_bytes(self.array()?))
        })*
    };
}

impl<'de> Deserializer<'de> for &mut Reader<'de> {
    type Error = DecodeError;

    fn is_human_readable(&self) -> bool {
        false
    }

    numbers! {
        deserialize_u8 visit_u8 u8;
        deserialize_u16 visit_u16 u16;
        deserialize_u32 visit_u32 u32;
        deserialize_u64 visit_u64 u64;
        deserialize_u128 visit_u128 u128;
        deserialize_i8 visit_i8 i8;
        deserialize_i16 visit_i16 i16;
        deserialize_i32 visit_i32 i32;
        deserialize_i64 visit_i64 i64;
        deserialize_i128 visit_i128 i128;
        deserialize_f32 visit_f32 f32;
        deserialize_f64 visit_f64 f64;
    }

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, DecodeError> {
        Err(DecodeError::Other("bincode does not say what comes next, as this type wants to know"))
    }

    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        self.deserialize_any(visitor)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        self.deserialize_any(visitor)
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        match self.byte()? {
            0 => visitor.visit_bool(false),
            1 => visitor.visit_bool(true),
            other => Err(DecodeError::InvalidBooleanValue(other)),
        }
    }

    fn deserialize_char<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        visitor.visit_char(self.char()?)
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        visitor.visit_borrowed_str(self.text()?)
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        self.deserialize_str(visitor)
    }

    fn deserialize_bytes<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        let len = self.len()?;
        visitor.visit_borrowed_bytes(self.take(len)?)
    }

    fn deserialize_byte_buf<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        self.deserialize_bytes(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        self.charge_inside::<V::Value>()?;
        match self.byte()? {
            0 => visitor.visit_none(),
            1 => self.inside(|reader| visitor.visit_some(reader)),
            other => Err(DecodeError::UnexpectedVariant {
                type_name: "Option<T>",
                allowed: &AllowedEnumVariants::Range { min: 0, max: 1 },
                found: u32::from(other),
            }),
        }
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        visitor.visit_unit()
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, DecodeError> {
        visitor.visit_unit()
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, DecodeError> {
        self.inside(|reader| visitor.visit_newtype_struct(reader))
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        let left = self.len()?;
        self.inside(|reader| visitor.visit_seq(Items { reader, left, may_be_empty: false }))
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        let left = self.len()?;
        self.inside(|reader| visitor.visit_map(Items { reader, left, may_be_empty: false }))
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value, DecodeError> {
        self.inside(|reader| visitor.visit_seq(Items { reader, left: len, may_be_empty: true }))
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        len: usize,
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        self.deserialize_tuple(len, visitor)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        self.deserialize_tuple(fields.len(), visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        self.charge_inside::<V::Value>()?;
        self.inside(|reader| visitor.visit_enum(reader))
    }
}

/// The items of a list, the pairs of a map, the fields of a struct.
struct Items<'a, 'de> {
    reader: &'a mut Reader<'de>,
    left: usize,
    /// How many there are stands in the type, and not in the bytes.
    may_be_empty: bool,
}

impl<'de> Items<'_, 'de> {
    fn next<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, DecodeError> {
        let Some(left) = self.left.checked_sub(1) else { return Ok(None) };
        self.left = left;
        if !self.may_be_empty {
            self.reader.charge::<S::Value>()?;
        }
        let before = self.reader.rest.len();
        let item = seed.deserialize(&mut *self.reader)?;
        if !self.may_be_empty && self.reader.rest.len() == before {
            return Err(DecodeError::Other("a list of values that take no bytes cannot cross"));
        }
        Ok(Some(item))
    }
}

impl<'de> SeqAccess<'de> for Items<'_, 'de> {
    type Error = DecodeError;

    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, DecodeError> {
        self.next(seed)
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.left)
    }
}

impl<'de> MapAccess<'de> for Items<'_, 'de> {
    type Error = DecodeError;

    fn next_key_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, DecodeError> {
        self.next(seed)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, DecodeError> {
        self.reader.charge::<S::Value>()?;
        seed.deserialize(&mut *self.reader)
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.left)
    }
}

impl<'de> EnumAccess<'de> for &mut Reader<'de> {
    type Error = DecodeError;
    type Variant = Self;

    fn variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<(S::Value, Self), DecodeError> {
        let index: U32Deserializer<DecodeError> = u32::from_le_bytes(self.array()?).into_deserializer();
        Ok((seed.deserialize(index)?, self))
    }
}

impl<'de> VariantAccess<'de> for &mut Reader<'de> {
    type Error = DecodeError;

    fn unit_variant(self) -> Result<(), DecodeError> {
        Ok(())
    }

    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value, DecodeError> {
        seed.deserialize(self)
    }

    fn tuple_variant<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value, DecodeError> {
        self.deserialize_tuple(len, visitor)
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        self.deserialize_tuple(fields.len(), visitor)
    }
}

#[cfg(test)]
mod tests {
    use alloc::{
        borrow::ToOwned,
        boxed::Box,
        collections::BTreeMap,
        string::{String, ToString},
        vec,
        vec::Vec,
    };
    use core::{fmt::Debug, time::Duration};

    use proptest::prelude::*;
    use serde::{Deserialize, Serialize, de::DeserializeOwned};

    use crate::codec::{decode, decode_front, encode, legacy};

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    enum Chain {
        Link(Box<Chain>),
        End,
    }

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Tree(Vec<Tree>);

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Many {
        numbers: (u8, i16, u32, i64, u128, f32, f64, i8),
        texts: Vec<(char, String)>,
        option: Option<Option<u16>>,
        map: BTreeMap<String, [u8; 3]>,
        chain: Chain,
        unit: (),
        flag: bool,
        time: Duration,
        either: Result<(), String>,
    }

    /// What bincode itself makes of the bytes, or that it refuses them.
    fn theirs<T: DeserializeOwned>(bytes: &[u8]) -> Option<T> {
        let (value, used) = bincode::serde::decode_from_slice(bytes, legacy()).ok()?;
        (used == bytes.len()).then_some(value)
    }

    fn agree<T: DeserializeOwned + PartialEq + Debug>(bytes: &[u8]) {
        assert_eq!(decode::<T>(bytes).ok(), theirs::<T>(bytes), "{bytes:?}");
    }

    fn many() -> Many {
        Many {
            numbers: (1, -2, 3, -4, 5, 6.5, -7.25, -8),
            texts: vec![('a', String::new()), ('ä', "€".to_owned()), ('🦀', "x\0".to_owned())],
            option: Some(Some(7)),
            map: BTreeMap::from([("k".to_owned(), [1, 2, 3])]),
            chain: Chain::Link(Box::new(Chain::End)),
            unit: (),
            flag: true,
            time: Duration::new(1, 2),
            either: Err("no".to_owned()),
        }
    }

    #[test]
    fn it_reads_what_bincode_writes_and_refuses_what_bincode_refuses() {
        let bytes = encode(&many()).unwrap();
        assert_eq!(decode::<Many>(&bytes).unwrap(), many());
        for len in 0..bytes.len() {
            agree::<Many>(&bytes[..len]);
        }
        for index in 0..bytes.len() {
            for bit in 0..8 {
                let mut changed = bytes.clone();
                changed[index] ^= 1 << bit;
                agree::<Many>(&changed);
            }
        }
        let (mut front, text) = (&b"\x02\0\0\0\0\0\0\0hi!"[..], "hi");
        assert_eq!((decode_front::<&str>(&mut front).unwrap(), front), (text, &b"!"[..]));
    }

    #[test]
    fn what_nests_without_end_is_refused() {
        let deep = |depth: usize| [1_u64.to_le_bytes()].concat().repeat(depth);
        let tree = |depth| [deep(depth), 0_u64.to_le_bytes().to_vec()].concat();
        assert!(decode::<Tree>(&tree(40)).is_ok());
        for depth in [200, 1_000_000] {
            let error = decode::<Tree>(&tree(depth)).unwrap_err().to_string();
            assert!(error.contains("it nests too deep"), "{error}");
            assert!(decode::<Chain>(&vec![0; depth * 4]).is_err());
        }
    }

    #[test]
    fn items_without_bytes_are_not_counted() {
        for len in [1, u64::MAX] {
            let error = decode::<Vec<()>>(&len.to_le_bytes()).unwrap_err().to_string();
            assert!(error.contains("values that take no bytes"), "{error}");
            assert!(decode::<BTreeMap<(), ()>>(&len.to_le_bytes()).is_err());
        }
        assert_eq!(decode::<Vec<()>>(&[0; 8]).unwrap(), []);
        assert_eq!(decode::<[(); 3]>(&[]).unwrap(), [(); 3]);
    }

    #[test]
    fn lengths_that_nobody_has_are_refused() {
        for len in [9_u64, 1 << 20, 1 << 40, u64::MAX] {
            agree::<String>(&len.to_le_bytes());
            agree::<Vec<u64>>(&len.to_le_bytes());
            agree::<BTreeMap<u8, u8>>(&len.to_le_bytes());
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn any_bytes_mean_the_same_to_both(bytes in prop::collection::vec(prop_oneof![Just(0_u8), Just(1), any::<u8>()], 0..64)) {
            agree::<(u8, Option<char>, Vec<(bool, String)>)>(&bytes);
            agree::<BTreeMap<u16, Result<i128, f64>>>(&bytes);
            agree::<(Duration, Vec<Option<[u8; 2]>>)>(&bytes);
        }
    }
}
