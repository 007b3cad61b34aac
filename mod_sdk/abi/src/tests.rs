//! Types and values for the tests of this crate.

extern crate std;

use alloc::{borrow::ToOwned, boxed::Box, string::String, vec::Vec};
use core::{cell::Cell, time::Duration};

use proptest::{
    collection::vec as vec_of,
    prelude::{Just, Strategy, any, prop_oneof},
    strategy::BoxedStrategy,
};
use serde::{Serialize, Serializer, ser::SerializeTuple};

use crate::{Leaf, MAX_DEPTH, MAX_EMPTY_PARTS, Schema, Variant, VariantFields, codec};

/// The schema of a text.
#[track_caller]
pub(crate) fn schema(text: &str) -> Schema {
    let parsed = Schema::parse(text);
    assert!(parsed.is_ok(), "{text}: {parsed:?}");
    parsed.unwrap_or(Schema::Leaf(Leaf::U8))
}

/// More steps than any test needs, so that an endless walk is a failure and no wait.
const ENDLESS: usize = 20_000_000;

std::thread_local! {
    static STEPS: Cell<usize> = const { Cell::new(0) };
}

/// Counts a step of a walk along a schema.
#[track_caller]
pub(crate) fn step() {
    STEPS.with(|steps| {
        assert!(steps.get() < ENDLESS, "an endless walk");
        steps.set(steps.get().saturating_add(1));
    });
}

/// What a function returns, and how many steps it took.
pub(crate) fn steps<T>(walk: impl FnOnce() -> T) -> (T, usize) {
    STEPS.set(0);
    let returned = walk();
    (returned, STEPS.get())
}

/// The most steps that so many bytes pay for. Between two bytes there are schemas that nest, and parts without bytes.
pub(crate) const fn paid_by(bytes: usize) -> usize {
    const EACH: usize = 2 * (MAX_DEPTH + MAX_EMPTY_PARTS);
    bytes.saturating_add(1).saturating_mul(EACH)
}

/// The encoding of a value.
#[track_caller]
pub(crate) fn encoded<T: Serialize>(value: T) -> Vec<u8> {
    let encoded = codec::encode(&value);
    assert!(encoded.is_ok(), "{encoded:?}");
    encoded.unwrap_or_default()
}

/// A value of any type, as serde sees it.
#[derive(Debug, Clone)]
pub(crate) enum Value {
    Bool(bool),
    Unsigned(Leaf, u128),
    Signed(Leaf, i128),
    F32(f32),
    F64(f64),
    Char(char),
    Str(String),
    Duration(Duration),
    /// The fields of a struct, a tuple or an array.
    Fields(Vec<Self>),
    List(Vec<Self>),
    Option(Option<Box<Self>>),
    Map(Vec<(Self, Self)>),
    Variant(u32, Vec<Self>),
}

#[expect(clippy::cast_possible_truncation, reason = "any value of the type will do")]
impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Bool(value) => serializer.serialize_bool(*value),
            Self::Unsigned(Leaf::U8, value) => serializer.serialize_u8(*value as u8),
            Self::Unsigned(Leaf::U16, value) => serializer.serialize_u16(*value as u16),
            Self::Unsigned(Leaf::U32, value) => serializer.serialize_u32(*value as u32),
            Self::Unsigned(Leaf::U128, value) => serializer.serialize_u128(*value),
            // A `u64` or an entity.
            Self::Unsigned(_, value) => serializer.serialize_u64(*value as u64),
            Self::Signed(Leaf::I8, value) => serializer.serialize_i8(*value as i8),
            Self::Signed(Leaf::I16, value) => serializer.serialize_i16(*value as i16),
            Self::Signed(Leaf::I32, value) => serializer.serialize_i32(*value as i32),
            Self::Signed(Leaf::I64, value) => serializer.serialize_i64(*value as i64),
            Self::Signed(_, value) => serializer.serialize_i128(*value),
            Self::F32(value) => serializer.serialize_f32(*value),
            Self::F64(value) => serializer.serialize_f64(*value),
            Self::Char(value) => serializer.serialize_char(*value),
            Self::Str(value) => serializer.serialize_str(value),
            Self::Duration(value) => value.serialize(serializer),
            Self::Fields(fields) => {
                let mut tuple = serializer.serialize_tuple(fields.len())?;
                fields.iter().try_for_each(|field| tuple.serialize_element(field))?;
                tuple.end()
            }
            Self::List(items) => serializer.collect_seq(items),
            Self::Option(value) => value.serialize(serializer),
            Self::Map(pairs) => serializer.collect_map(pairs.iter().map(|(key, value)| (key, value))),
            Self::Variant(index, fields) => {
                serializer.serialize_newtype_variant("", *index, "", &Self::Fields(fields.clone()))
            }
        }
    }
}

/// A type with one of its values. The items of lists and maps take bytes, because a list of nothing cannot be checked.
pub(crate) fn typed() -> impl Strategy<Value = (Schema, Value)> {
    shape().prop_flat_map(|schema| {
        let value = value_of(&schema);
        (Just(schema), value)
    })
}

pub(crate) fn shape() -> impl Strategy<Value = Schema> {
    let leaf = proptest::sample::select(Leaf::ALL).prop_map(Schema::Leaf);
    leaf.prop_recursive(4, 24, 4, |inner| {
        let unnamed = vec_of(inner.clone(), 0..4);
        let named = unnamed.clone().prop_map(|fields| {
            let names = ["a", "b", "c", "d"].into_iter().map(ToOwned::to_owned);
            names.zip(fields).collect::<Vec<_>>()
        });
        let item = inner.clone().prop_filter("takes bytes", |item| item.min_size() > 0);
        let fields = prop_oneof![
            Just(VariantFields::Unit),
            unnamed.clone().prop_map(VariantFields::Tuple),
            named.clone().prop_map(VariantFields::Struct),
        ];
        let variants = vec_of(fields, 1..4).prop_map(|fields| {
            let names = ["A", "B", "C"].into_iter().map(ToOwned::to_owned);
            names.zip(fields).map(|(name, fields)| Variant { name, fields }).collect()
        });
        prop_oneof![
            named.prop_map(Schema::Struct),
            unnamed.prop_map(Schema::Tuple),
            item.clone().prop_map(|item| Schema::List(Box::new(item))),
            (inner.clone(), 0..4_u32).prop_map(|(item, len)| Schema::Array(Box::new(item), len)),
            inner.clone().prop_map(|item| Schema::Option(Box::new(item))),
            variants.prop_map(Schema::Enum),
            (item, inner).prop_map(|(key, value)| Schema::Map(Box::new(key), Box::new(value))),
        ]
    })
}

/// A schema that parses, although everything about it is meant to make a walk long.
pub(crate) fn hostile() -> impl Strategy<Value = Schema> {
    let leaf = proptest::sample::select(&["{}", "()", "u8", "bool", "str", "<>", "<A|B>", "[u8;0]"][..]);
    let text = leaf.prop_map(ToOwned::to_owned).prop_recursive(8, 48, 6, |inner| {
        let some = vec_of(inner.clone(), 0..6);
        let name = proptest::sample::select(&["a", "b", "c", "d", "e", "f", "g", "h"][..]);
        let lens = [0_u32, 1, 2, 3, 16, 63, 64, 1_000, 65_536, 1 << 24, 1 << 26, u32::MAX];
        prop_oneof![
            // Names in any order, also twice.
            (some.clone(), vec_of(name.clone(), 6)).prop_map(|(types, names)| {
                let field = |(text, name)| std::format!("{name}:{text}");
                std::format!("{{{}}}", types.into_iter().zip(names).map(field).collect::<Vec<_>>().join(","))
            }),
            some.clone().prop_map(|types| std::format!("({})", types.join(","))),
            (some, vec_of(name, 6)).prop_map(|(types, names)| {
                let variant = |(text, name)| std::format!("{name}({text})");
                std::format!("<{}>", types.into_iter().zip(names).map(variant).collect::<Vec<_>>().join("|"))
            }),
            inner.clone().prop_map(|item| std::format!("[{item}]")),
            (inner.clone(), proptest::sample::select(lens.to_vec()))
                .prop_map(|(item, len)| std::format!("[{item};{len}]")),
            inner.clone().prop_map(|item| std::format!("?{item}")),
            (inner.clone(), inner).prop_map(|(key, value)| std::format!("{{{key}=>{value}}}")),
        ]
    });
    text.prop_filter_map("parses", |text| Schema::parse(&text).ok())
}

/// Bytes among which are many numbers that can be taken for the length of a list, the index of a variant or none.
pub(crate) fn hostile_bytes() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        (0..300_u64).prop_map(|len| len.to_le_bytes().to_vec()),
        (0..4_u32).prop_map(|index| index.to_le_bytes().to_vec()),
        vec_of(0..2_u8, 1..4),
        (0..400_usize).prop_map(|len| std::vec![0; len]),
    ];
    vec_of(piece, 0..16).prop_map(|pieces| pieces.concat())
}

/// Writes a value of any type as the choices say, or returns none if it would be long or there is none.
pub(crate) fn written_along(schema: &Schema, choices: &mut impl Iterator<Item = u8>, out: &mut Vec<u8>) -> Option<()> {
    let choice = choices.next().unwrap_or(0);
    let mut count = |len: usize, out: &mut Vec<u8>, parts: &[&Schema]| {
        (0..len).try_for_each(|_| parts.iter().try_for_each(|part| written_along(part, choices, out)))
    };
    if out.len() > 4_096 || schema.min_size() > 4_096 {
        return None;
    }
    match schema {
        Schema::Leaf(Leaf::Bool) => out.push(choice % 2),
        Schema::Leaf(Leaf::Entity) => out.extend(1_u64.to_le_bytes()),
        Schema::Leaf(leaf) => out.resize(out.len().saturating_add(leaf.min_size()), 0),
        Schema::Struct(fields) => count(1, out, &fields.iter().map(|(_, field)| field).collect::<Vec<_>>())?,
        Schema::Tuple(fields) => count(1, out, &fields.iter().collect::<Vec<_>>())?,
        Schema::List(item) => {
            out.extend(u64::from(choice % 16).to_le_bytes());
            count(usize::from(choice % 16), out, &[item])?;
        }
        Schema::Array(item, len) => count(*len as usize, out, &[item])?,
        Schema::Option(item) => {
            out.push(choice % 2);
            count(usize::from(choice % 2), out, &[item])?;
        }
        Schema::Map(key, value) => {
            out.extend(u64::from(choice % 16).to_le_bytes());
            count(usize::from(choice % 16), out, &[key, value])?;
        }
        Schema::Enum(variants) => {
            let index = usize::from(choice).checked_rem(variants.len())?;
            out.extend(u32::try_from(index).ok()?.to_le_bytes());
            match &variants.get(index)?.fields {
                VariantFields::Unit => {}
                VariantFields::Tuple(fields) => count(1, out, &fields.iter().collect::<Vec<_>>())?,
                VariantFields::Struct(fields) => {
                    count(1, out, &fields.iter().map(|(_, field)| field).collect::<Vec<_>>())?;
                }
            }
        }
    }
    Some(())
}

pub(crate) fn value_of(schema: &Schema) -> BoxedStrategy<Value> {
    match schema {
        Schema::Leaf(leaf) => leaf_value(*leaf),
        Schema::Struct(fields) => values_of(fields.iter().map(|(_, field)| field)).prop_map(Value::Fields).boxed(),
        Schema::Tuple(fields) => values_of(fields).prop_map(Value::Fields).boxed(),
        Schema::List(item) => vec_of(value_of(item), 0..4).prop_map(Value::List).boxed(),
        Schema::Array(item, len) => vec_of(value_of(item), *len as usize).prop_map(Value::Fields).boxed(),
        Schema::Option(item) => proptest::option::of(value_of(item).prop_map(Box::new)).prop_map(Value::Option).boxed(),
        Schema::Map(key, value) => vec_of((value_of(key), value_of(value)), 0..4).prop_map(Value::Map).boxed(),
        Schema::Enum(variants) => {
            let variants = (0..).zip(variants).map(|(index, variant)| {
                let fields = match &variant.fields {
                    VariantFields::Unit => Just(Vec::new()).boxed(),
                    VariantFields::Tuple(fields) => values_of(fields),
                    VariantFields::Struct(fields) => values_of(fields.iter().map(|(_, field)| field)),
                };
                fields.prop_map(move |fields| Value::Variant(index, fields)).boxed()
            });
            proptest::strategy::Union::new(variants.collect::<Vec<_>>()).boxed()
        }
    }
}

fn values_of<'s>(schemas: impl IntoIterator<Item = &'s Schema>) -> BoxedStrategy<Vec<Value>> {
    schemas.into_iter().map(value_of).collect::<Vec<_>>().boxed()
}

fn leaf_value(leaf: Leaf) -> BoxedStrategy<Value> {
    match leaf {
        Leaf::Bool => any::<bool>().prop_map(Value::Bool).boxed(),
        Leaf::U8 | Leaf::U16 | Leaf::U32 | Leaf::U64 | Leaf::U128 => {
            any::<u128>().prop_map(move |value| Value::Unsigned(leaf, value)).boxed()
        }
        Leaf::I8 | Leaf::I16 | Leaf::I32 | Leaf::I64 | Leaf::I128 => {
            any::<i128>().prop_map(move |value| Value::Signed(leaf, value)).boxed()
        }
        Leaf::F32 => any::<f32>().prop_map(Value::F32).boxed(),
        Leaf::F64 => any::<f64>().prop_map(Value::F64).boxed(),
        Leaf::Char => any::<char>().prop_map(Value::Char).boxed(),
        Leaf::Str => any::<String>().prop_map(Value::Str).boxed(),
        Leaf::Entity => any::<(u32, u32)>()
            .prop_map(move |(high, low)| Value::Unsigned(leaf, u128::from(high) << 32 | u128::from(low.max(1))))
            .boxed(),
        Leaf::Duration => (any::<u64>(), 0..1_000_000_000_u32)
            .prop_map(|(secs, nanos)| Value::Duration(Duration::new(secs, nanos)))
            .boxed(),
    }
}

#[test]
fn what_is_wrong_with_bytes_is_a_sentence() {
    use alloc::{
        string::{String, ToString},
        vec::Vec,
    };

    use serde::{Deserialize, de::DeserializeOwned};

    use crate::codec::decode;

    #[derive(Debug, Deserialize)]
    enum Mood {
        Calm,
        Angry,
    }

    fn check<T: DeserializeOwned>(bytes: &[u8], expected: &str) {
        let error = decode::<T>(bytes).err().map(|error| error.to_string()).unwrap_or_default();
        assert!(error.ends_with(expected), "{error}");
    }
    check::<u32>(&[1, 2], "the bytes cannot be decoded: they end too early");
    check::<u32>(&[1, 2, 3, 4, 5], "1 bytes are left over after the value");
    check::<bool>(&[7], "a bool in them is 7, and not 0 or 1");
    check::<Option<u8>>(&[9, 1], "they name the variant 9, which is not one");
    check::<Mood>(&[2, 0, 0, 0], "invalid value: integer `2`, expected variant index 0 <= i < 2");
    check::<String>(&[1, 0, 0, 0, 0, 0, 0, 0, 0xff], "a text in them is not UTF-8");
    check::<char>(&[0xff; 4], "a char in them is not UTF-8");
    check::<Vec<u64>>(&[0xff; 12], "they end too early");
    check::<core::num::NonZeroU8>(&[0], "invalid value: integer `0`, expected a nonzero u8");
    assert!(matches!(decode::<Mood>(&[0; 4]), Ok(Mood::Calm)));
    assert!(matches!(decode::<Mood>(&[1, 0, 0, 0]), Ok(Mood::Angry)));
}

#[test]
fn few_bytes_do_not_become_very_many() {
    use alloc::{string::ToString, vec, vec::Vec};

    let mut bytes = vec![0; 8 + (4 << 20)];
    bytes[..8].copy_from_slice(&(4_u64 << 20).to_le_bytes());
    let error = crate::codec::decode::<Vec<Option<[u64; 32]>>>(&bytes).unwrap_err().to_string();
    assert!(error.ends_with("the items of its lists would take more than 256 MiB"), "{error}");
    assert_eq!(crate::codec::decode::<Vec<Option<u8>>>(&bytes).unwrap().len(), 4 << 20);
}

#[test]
fn a_value_that_is_too_large_is_not_written() {
    use alloc::vec;

    assert!(crate::codec::encode(&vec![0_u8; (64 << 20) - 8]).is_ok());
    let error = crate::codec::encode(&vec![0_u8; 64 << 20]).unwrap_err();
    assert!(matches!(error, crate::codec::EncodeError::TooLarge { bytes: 67_108_872 }), "{error}");
}

/// What is behind a key or in a box is no item of a list.
#[test]
fn values_of_maps_and_boxes_are_charged_too() {
    use alloc::{boxed::Box, collections::BTreeMap, string::ToString, vec, vec::Vec};

    type Large = Option<[u64; 32]>;
    let count = 2_u64 << 20;
    let refused = "the items of its lists would take more than 256 MiB";
    let boxes = [count.to_le_bytes().to_vec(), vec![0; 2 << 20]].concat();
    let error = crate::codec::decode::<Vec<Box<Large>>>(&boxes).unwrap_err().to_string();
    assert!(error.ends_with(refused), "{error}");
    let pairs = (0..2_u32 << 20).flat_map(|key| [&key.to_le_bytes()[..], &[0]].concat());
    let pairs: Vec<u8> = count.to_le_bytes().into_iter().chain(pairs).collect();
    let error = crate::codec::decode::<BTreeMap<u32, Large>>(&pairs).unwrap_err().to_string();
    assert!(error.ends_with(refused), "{error}");
    assert_eq!(crate::codec::decode::<BTreeMap<u32, Option<u8>>>(&pairs).unwrap().len(), 2 << 20);
}

#[test]
#[cfg(all(feature = "json", feature = "nanoserde"))]
fn a_text_holds_so_many_values_and_no_more() {
    use crate::codec::{MAX_JSON_VALUES, json, nano};

    // The list itself is one.
    let text = |items: usize| alloc::format!("[{}0]", "0,".repeat(items - 1)).into_bytes();
    let (most, more) = (text(MAX_JSON_VALUES - 2), text(MAX_JSON_VALUES));
    assert_eq!(json::decode::<alloc::vec::Vec<u8>>(&most).unwrap().len(), MAX_JSON_VALUES - 2);
    assert!(nano::decode::<alloc::vec::Vec<u8>>(&most).is_ok());
    for error in [
        json::decode::<alloc::vec::Vec<u8>>(&more).unwrap_err(),
        nano::decode::<alloc::vec::Vec<u8>>(&more).unwrap_err(),
    ] {
        assert_eq!(alloc::format!("{error}"), "the text cannot be read as JSON: it holds more than 1048576 values");
    }
}
