//! A deserializer without data: it notes what a type asks for and answers with something small.

use mod_abi::Leaf;
use serde::{
    Deserializer,
    de::{
        DeserializeSeed, EnumAccess, Error as _, IntoDeserializer, MapAccess, SeqAccess, VariantAccess, Visitor,
        value::{Error, U32Deserializer},
    },
    forward_to_deserialize_any,
};

/// What is known of a type so far.
#[derive(Default)]
pub(super) struct Seen(Option<Kind>);

pub(super) enum Kind {
    Leaf(Leaf),
    Struct(Vec<(&'static str, Seen)>),
    Tuple(Vec<Seen>),
    List(Box<Seen>),
    Option(Box<Seen>),
    Map(Box<(Seen, Seen)>),
    Enum(Vec<(&'static str, Option<Data>)>),
}

/// The data of a variant that has been looked at.
pub(super) enum Data {
    Unit,
    Tuple(Vec<Seen>),
    Struct(Vec<(&'static str, Seen)>),
}

impl Seen {
    pub(super) fn kind(&self) -> Option<&Kind> {
        self.0.as_ref()
    }

    /// Whether every variant of every enum in it has been looked at.
    pub(super) fn is_complete(&self) -> bool {
        match &self.0 {
            None => false,
            Some(Kind::Leaf(_)) => true,
            Some(Kind::Struct(fields)) => fields.iter().all(|(_, field)| field.is_complete()),
            Some(Kind::Tuple(items)) => items.iter().all(Self::is_complete),
            Some(Kind::List(item) | Kind::Option(item)) => item.is_complete(),
            Some(Kind::Map(pair)) => pair.0.is_complete() && pair.1.is_complete(),
            Some(Kind::Enum(variants)) => variants.iter().all(|(_, data)| data.as_ref().is_some_and(Data::is_complete)),
        }
    }
}

impl Seen {
    /// How much is known, to notice when a look shows nothing new.
    pub(super) fn known(&self) -> usize {
        let sum = |parts: &mut dyn Iterator<Item = usize>| parts.fold(1, usize::saturating_add);
        match &self.0 {
            None => 0,
            Some(Kind::Leaf(_)) => 1,
            Some(Kind::Struct(fields)) => sum(&mut fields.iter().map(|(_, field)| field.known())),
            Some(Kind::Tuple(items)) => sum(&mut items.iter().map(Self::known)),
            Some(Kind::List(item) | Kind::Option(item)) => item.known().saturating_add(1),
            Some(Kind::Map(pair)) => pair.0.known().saturating_add(pair.1.known()).saturating_add(1),
            Some(Kind::Enum(variants)) => {
                sum(&mut variants.iter().filter_map(|(_, data)| data.as_ref()).map(Data::known))
            }
        }
    }
}

impl Data {
    fn known(&self) -> usize {
        match self {
            Self::Unit => 1,
            Self::Tuple(items) => items.iter().map(Seen::known).fold(1, usize::saturating_add),
            Self::Struct(fields) => fields.iter().map(|(_, field)| field.known()).fold(1, usize::saturating_add),
        }
    }

    fn is_complete(&self) -> bool {
        match self {
            Self::Unit => true,
            Self::Tuple(items) => items.iter().all(Seen::is_complete),
            Self::Struct(fields) => fields.iter().all(|(_, field)| field.is_complete()),
        }
    }
}

/// Looks at one value.
pub(super) struct Probe<'a> {
    pub(super) seen: &'a mut Seen,
    pub(super) human_readable: bool,
    /// How deep it may still go.
    pub(super) depth: usize,
    /// How many values may still be looked at.
    pub(super) budget: &'a mut usize,
}

/// The type answers otherwise than it did before.
fn fickle() -> Error {
    Error::custom("the type changes its mind")
}

impl<'a> Probe<'a> {
    /// What is known already, or else `first`, and a way on to what is inside of it.
    fn enter(self, first: impl FnOnce() -> Kind) -> Result<(&'a mut Kind, Inside<'a>), Error> {
        let Self { seen, human_readable, depth, budget } = self;
        *budget = budget.checked_sub(1).ok_or_else(|| Error::custom("the type is too large"))?;
        let depth = depth.checked_sub(1).ok_or_else(|| Error::custom("the type nests too deep"))?;
        Ok((seen.0.get_or_insert_with(first), Inside { human_readable, depth, budget }))
    }

    fn leaf(self, leaf: Leaf) -> Result<(), Error> {
        match self.enter(|| Kind::Leaf(leaf))? {
            (Kind::Leaf(known), _) if *known == leaf => Ok(()),
            _ => Err(fickle()),
        }
    }
}

/// What the probes inside of a value share.
struct Inside<'a> {
    human_readable: bool,
    depth: usize,
    budget: &'a mut usize,
}

impl Inside<'_> {
    fn probe<'b>(&'b mut self, seen: &'b mut Seen) -> Probe<'b> {
        Probe { seen, human_readable: self.human_readable, depth: self.depth, budget: self.budget }
    }
}

fn unnamed(len: usize, inside: &Inside<'_>) -> Result<Vec<Seen>, Error> {
    // An array can be longer than anybody would look at.
    if len > *inside.budget {
        return Err(Error::custom("the type is too large"));
    }
    Ok((0..len).map(|_| Seen::default()).collect())
}

fn named(names: &'static [&'static str]) -> Vec<(&'static str, Seen)> {
    names.iter().map(|name| (*name, Seen::default())).collect()
}

macro_rules! leaves {
    ($($method:ident $leaf:ident $visit:ident $value:expr;)*) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
            self.leaf(Leaf::$leaf)?;
            visitor.$visit($value)
        })*
    };
}

impl<'de> Deserializer<'de> for Probe<'_> {
    type Error = Error;

    fn is_human_readable(&self) -> bool {
        self.human_readable
    }

    // Ones and not zeros, because some types refuse a zero.
    leaves! {
        deserialize_bool Bool visit_bool true;
        deserialize_u8 U8 visit_u8 1;
        deserialize_u16 U16 visit_u16 1;
        deserialize_u32 U32 visit_u32 1;
        deserialize_u64 U64 visit_u64 1;
        deserialize_u128 U128 visit_u128 1;
        deserialize_i8 I8 visit_i8 1;
        deserialize_i16 I16 visit_i16 1;
        deserialize_i32 I32 visit_i32 1;
        deserialize_i64 I64 visit_i64 1;
        deserialize_i128 I128 visit_i128 1;
        deserialize_f32 F32 visit_f32 1.0;
        deserialize_f64 F64 visit_f64 1.0;
        deserialize_char Char visit_char 'A';
        deserialize_str Str visit_str "";
        deserialize_string Str visit_str "";
    }

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Error> {
        Err(Error::custom("the type follows the data"))
    }

    forward_to_deserialize_any! { identifier ignored_any }

    fn deserialize_bytes<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.enter(|| Kind::List(Box::default()))? {
            (Kind::List(item), mut inside) => inside.probe(item).leaf(Leaf::U8)?,
            _ => return Err(fickle()),
        }
        visitor.visit_bytes(&[])
    }

    fn deserialize_byte_buf<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_bytes(visitor)
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.enter(|| Kind::Tuple(Vec::new()))?;
        visitor.visit_unit()
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Error> {
        self.enter(|| Kind::Struct(Vec::new()))?;
        visitor.visit_unit()
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Error> {
        match self.enter(|| Kind::Tuple(vec![Seen::default()]))? {
            (Kind::Tuple(items), mut inside) => match items.as_mut_slice() {
                [only] => visitor.visit_newtype_struct(inside.probe(only)),
                _ => Err(fickle()),
            },
            _ => Err(fickle()),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.enter(|| Kind::Option(Box::default()))? {
            (Kind::Option(item), mut inside) => visitor.visit_some(inside.probe(item)),
            _ => Err(fickle()),
        }
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.enter(|| Kind::List(Box::default()))? {
            (Kind::List(item), inside) => visitor.visit_seq(Items { items: [&mut **item].into_iter(), inside }),
            _ => Err(fickle()),
        }
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.enter(|| Kind::Map(Box::default()))? {
            (Kind::Map(pair), inside) => {
                visitor.visit_map(OnePair { key: Some(&mut pair.0), value: &mut pair.1, inside })
            }
            _ => Err(fickle()),
        }
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value, Error> {
        let (kind, inside) = self.enter(|| Kind::Tuple(Vec::new()))?;
        match kind {
            Kind::Tuple(items) => {
                if items.is_empty() {
                    *items = unnamed(len, &inside)?;
                }
                visitor.visit_seq(Items { items: items.iter_mut(), inside })
            }
            _ => Err(fickle()),
        }
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        len: usize,
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.deserialize_tuple(len, visitor)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        names: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        match self.enter(|| Kind::Struct(named(names)))? {
            (Kind::Struct(fields), inside) => {
                visitor.visit_seq(Items { items: fields.iter_mut().map(|(_, field)| field), inside })
            }
            _ => Err(fickle()),
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        names: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        let (kind, inside) = self.enter(|| Kind::Enum(names.iter().map(|name| (*name, None)).collect()))?;
        let Kind::Enum(variants) = kind else { return Err(fickle()) };
        let is_open = |(_, data): &(_, Option<Data>)| !data.as_ref().is_some_and(Data::is_complete);
        let place = variants.iter().position(is_open).unwrap_or(0);
        let index = u32::try_from(place).map_err(Error::custom)?;
        let (_, data) = variants.get_mut(place).ok_or_else(|| Error::custom("the enum has no variants"))?;
        visitor.visit_enum(OneVariant { index, data, inside })
    }
}

/// The parts of a list, a tuple or a struct.
struct Items<'a, I> {
    items: I,
    inside: Inside<'a>,
}

impl<'de, 'b, I: Iterator<Item = &'b mut Seen>> SeqAccess<'de> for Items<'_, I> {
    type Error = Error;

    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Error> {
        self.items.next().map(|item| seed.deserialize(self.inside.probe(item))).transpose()
    }
}

struct OnePair<'a, 'b> {
    key: Option<&'b mut Seen>,
    value: &'b mut Seen,
    inside: Inside<'a>,
}

impl<'de> MapAccess<'de> for OnePair<'_, '_> {
    type Error = Error;

    fn next_key_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Error> {
        self.key.take().map(|key| seed.deserialize(self.inside.probe(key))).transpose()
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Error> {
        seed.deserialize(self.inside.probe(self.value))
    }
}

struct OneVariant<'a, 'b> {
    index: u32,
    data: &'b mut Option<Data>,
    inside: Inside<'a>,
}

impl<'de> EnumAccess<'de> for OneVariant<'_, '_> {
    type Error = Error;
    type Variant = Self;

    /// By its place, as bincode names it.
    fn variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<(S::Value, Self), Error> {
        let index: U32Deserializer<Error> = self.index.into_deserializer();
        Ok((seed.deserialize(index)?, self))
    }
}

impl<'de> VariantAccess<'de> for OneVariant<'_, '_> {
    type Error = Error;

    fn unit_variant(self) -> Result<(), Error> {
        *self.data = Some(Data::Unit);
        Ok(())
    }

    fn newtype_variant_seed<S: DeserializeSeed<'de>>(mut self, seed: S) -> Result<S::Value, Error> {
        match self.data.get_or_insert_with(|| Data::Tuple(vec![Seen::default()])) {
            Data::Tuple(items) => match items.as_mut_slice() {
                [only] => seed.deserialize(self.inside.probe(only)),
                _ => Err(fickle()),
            },
            _ => Err(fickle()),
        }
    }

    fn tuple_variant<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value, Error> {
        let Self { data, inside, .. } = self;
        let items = unnamed(len, &inside)?;
        match data.get_or_insert(Data::Tuple(items)) {
            Data::Tuple(items) => visitor.visit_seq(Items { items: items.iter_mut(), inside }),
            _ => Err(fickle()),
        }
    }

    fn struct_variant<V: Visitor<'de>>(self, names: &'static [&'static str], visitor: V) -> Result<V::Value, Error> {
        let Self { data, inside, .. } = self;
        match data.get_or_insert_with(|| Data::Struct(named(names))) {
            Data::Struct(fields) => {
                visitor.visit_seq(Items { items: fields.iter_mut().map(|(_, field)| field), inside })
            }
            _ => Err(fickle()),
        }
    }
}
