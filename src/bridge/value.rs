//! Values of reflected types as bytes, one at a time: the way for everything that is not of a fixed size.
//!
//! Writing walks a value; reading builds a [`Patch`] first, so that nothing of the game changes before all bytes were
//! found valid. Fields that reflection ignores keep their value.

use std::{any::TypeId, time::Duration};

use bevy_ecs::entity::Entity;
use bevy_reflect::{
    PartialReflect, Reflect, ReflectFromReflect, ReflectMut, ReflectRef, TypeInfo, TypeRegistry,
    array::DynamicArray,
    enums::{DynamicEnum, DynamicVariant, EnumInfo, VariantInfo},
    list::DynamicList,
    map::{DynamicMap, Map},
    set::{DynamicSet, Set},
    structs::DynamicStruct,
    tuple::DynamicTuple,
    tuple_struct::DynamicTupleStruct,
};
use mod_abi::Leaf;
use thiserror::Error;

use crate::bridge::schema::{leaf_of, option_item};

/// Bytes that are not a value of the type they should be, or a value that reflection cannot take apart.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub(crate) enum ValueError {
    #[error("the bytes end before the value does")]
    TooShort,
    #[error("{0} bytes are left over after the value")]
    LeftOver(usize),
    #[error("{value} is not a valid {what}")]
    Invalid { what: &'static str, value: u64 },
    #[error("a text is not UTF-8")]
    NotText,
    #[error("a list claims {0} items, more than its bytes can hold")]
    TooLong(u64),
    #[error("`{0}` is not what its type information says")]
    Unexpected(String),
    #[error("a value of `{0}` cannot be the key of a map (reflect `Hash` and `PartialEq` for it)")]
    NoKey(&'static str),
    #[error("a value of `{0}` cannot be built from its parts (derive `FromReflect` for it)")]
    NotConstructible(&'static str),
}

/// Bytes being read from their front.
#[derive(Debug)]
pub(crate) struct Input<'a>(pub(crate) &'a [u8]);

impl<'a> Input<'a> {
    fn take(&mut self, len: usize) -> Result<&'a [u8], ValueError> {
        let (front, rest) = self.0.split_at_checked(len).ok_or(ValueError::TooShort)?;
        self.0 = rest;
        Ok(front)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], ValueError> {
        let (front, rest) = self.0.split_first_chunk::<N>().ok_or(ValueError::TooShort)?;
        self.0 = rest;
        Ok(*front)
    }

    fn u32(&mut self) -> Result<u32, ValueError> {
        self.array().map(u32::from_le_bytes)
    }

    fn u64(&mut self) -> Result<u64, ValueError> {
        self.array().map(u64::from_le_bytes)
    }

    /// The length of a list. Every item takes at least a byte, so a longer claim is a lie.
    fn len(&mut self) -> Result<usize, ValueError> {
        let claimed = self.u64()?;
        usize::try_from(claimed).ok().filter(|len| *len <= self.0.len()).ok_or(ValueError::TooLong(claimed))
    }
}

/// Appends the bytes of `value`.
pub(crate) fn write(value: &dyn PartialReflect, out: &mut Vec<u8>) -> Result<(), ValueError> {
    match value.reflect_ref() {
        ReflectRef::Struct(value) => value.iter_fields().try_for_each(|(_, field)| write(field, out)),
        ReflectRef::TupleStruct(value) => value.iter_fields().try_for_each(|field| write(field, out)),
        ReflectRef::Tuple(value) => value.iter_fields().try_for_each(|field| write(field, out)),
        ReflectRef::List(value) => {
            write_len(value.len(), out);
            value.iter().try_for_each(|item| write(item, out))
        }
        ReflectRef::Array(value) => value.iter().try_for_each(|item| write(item, out)),
        ReflectRef::Set(value) => {
            write_len(value.len(), out);
            value.iter().try_for_each(|item| write(item, out))
        }
        ReflectRef::Map(value) => {
            write_len(value.len(), out);
            value.iter().try_for_each(|(key, item)| {
                write(key, out)?;
                write(item, out)
            })
        }
        ReflectRef::Enum(value) => {
            let is_option = match value.get_represented_type_info() {
                Some(TypeInfo::Enum(info)) => option_item(info).is_some(),
                _ => false,
            };
            if is_option {
                out.push(u8::from(value.variant_name() == "Some"));
            } else {
                let index = u32::try_from(value.variant_index()).map_err(|_| unexpected(value.as_partial_reflect()))?;
                out.extend_from_slice(&index.to_le_bytes());
            }
            value.iter_fields().try_for_each(|field| write(field.value(), out))
        }
        _ => write_leaf(value, out),
    }
}

fn write_len(len: usize, out: &mut Vec<u8>) {
    out.extend_from_slice(&(len as u64).to_le_bytes());
}

fn unexpected(value: &dyn PartialReflect) -> ValueError {
    ValueError::Unexpected(value.reflect_type_path().to_owned())
}

fn write_leaf(value: &dyn PartialReflect, out: &mut Vec<u8>) -> Result<(), ValueError> {
    let value = value.try_as_reflect().ok_or_else(|| unexpected(value))?;
    let any = value.as_any();
    macro_rules! numbers {
        ($($ty:ty),*) => {
            $(if let Some(number) = any.downcast_ref::<$ty>() {
                out.extend_from_slice(&number.to_le_bytes());
                return Ok(());
            })*
        };
    }
    numbers!(f32, u32, u8, u16, u64, u128, i8, i16, i32, i64, i128, f64);
    if let Some(value) = any.downcast_ref::<bool>() {
        out.push(u8::from(*value));
    } else if let Some(value) = any.downcast_ref::<usize>() {
        out.extend_from_slice(&(*value as u64).to_le_bytes());
    } else if let Some(value) = any.downcast_ref::<isize>() {
        out.extend_from_slice(&(*value as i64).to_le_bytes());
    } else if let Some(value) = any.downcast_ref::<char>() {
        out.extend_from_slice(value.encode_utf8(&mut [0; 4]).as_bytes());
    } else if let Some(value) = any.downcast_ref::<String>() {
        write_len(value.len(), out);
        out.extend_from_slice(value.as_bytes());
    } else if let Some(value) = any.downcast_ref::<Entity>() {
        out.extend_from_slice(&value.to_bits().to_le_bytes());
    } else if let Some(value) = any.downcast_ref::<Duration>() {
        out.extend_from_slice(&value.as_secs().to_le_bytes());
        out.extend_from_slice(&value.subsec_nanos().to_le_bytes());
    } else {
        return Err(unexpected(value.as_partial_reflect()));
    }
    Ok(())
}

/// A checked change to a value, ready to be made.
#[derive(Debug)]
pub(crate) enum Patch {
    /// Changes to the fields of a struct or tuple, in order.
    Fields(Vec<Patch>),
    /// A whole new value.
    Value(Box<dyn Reflect>),
}

impl Patch {
    /// Reads a value of the type that `info` describes from all of `bytes`.
    pub(crate) fn read_all(bytes: &[u8], info: &'static TypeInfo, types: &TypeRegistry) -> Result<Self, ValueError> {
        let mut input = Input(bytes);
        let patch = Self::read(&mut input, info, types)?;
        if input.0.is_empty() { Ok(patch) } else { Err(ValueError::LeftOver(input.0.len())) }
    }

    /// Reads a value of the type that `info` describes from the front of `input`.
    pub(crate) fn read(input: &mut Input, info: &'static TypeInfo, types: &TypeRegistry) -> Result<Self, ValueError> {
        if let Some(leaf) = leaf_of(info.type_id()) {
            return read_leaf(input, leaf, info.type_id()).map(Self::Value);
        }
        let fields = |input: &mut Input, parts: &mut dyn Iterator<Item = Option<&'static TypeInfo>>| {
            let parts = parts.map(|part| Self::read(input, part_info(part, info)?, types));
            parts.collect::<Result<Vec<_>, _>>().map(Self::Fields)
        };
        match info {
            TypeInfo::Struct(info) => fields(input, &mut info.iter().map(|field| field.type_info())),
            TypeInfo::TupleStruct(info) => fields(input, &mut info.iter().map(|field| field.type_info())),
            TypeInfo::Tuple(info) => fields(input, &mut info.iter().map(|field| field.type_info())),
            _ => whole(input, info, types).map(Self::Value),
        }
    }

    /// Makes the change.
    pub(crate) fn apply(self, target: &mut dyn PartialReflect) -> Result<(), ValueError> {
        match self {
            Self::Value(value) => match target.try_as_reflect_mut() {
                Some(target) => target.set(value).map_err(|value| unexpected(value.as_partial_reflect())),
                None => Err(unexpected(value.as_partial_reflect())),
            },
            Self::Fields(patches) => {
                let path = target.reflect_type_path().to_owned();
                let mut target = target.reflect_mut();
                patches.into_iter().enumerate().try_for_each(|(index, patch)| {
                    let field = match &mut target {
                        ReflectMut::Struct(target) => target.field_at_mut(index),
                        ReflectMut::TupleStruct(target) => target.field_mut(index),
                        ReflectMut::Tuple(target) => target.field_mut(index),
                        _ => None,
                    };
                    patch.apply(field.ok_or_else(|| ValueError::Unexpected(path.clone()))?)
                })
            }
        }
    }
}

fn part_info(part: Option<&'static TypeInfo>, whole: &TypeInfo) -> Result<&'static TypeInfo, ValueError> {
    part.ok_or_else(|| ValueError::Unexpected(whole.type_path().to_owned()))
}

/// Builds a value of its real type.
fn whole(input: &mut Input, info: &'static TypeInfo, types: &TypeRegistry) -> Result<Box<dyn Reflect>, ValueError> {
    if let Some(leaf) = leaf_of(info.type_id()) {
        return read_leaf(input, leaf, info.type_id());
    }
    if let Some(numbers) = number_list(input, info)? {
        return Ok(numbers);
    }
    let parts = dynamic(input, info, types)?;
    let from_reflect = types.get_type_data::<ReflectFromReflect>(info.type_id());
    let value = from_reflect.and_then(|from_reflect| from_reflect.from_reflect(&*parts));
    value.ok_or(ValueError::NotConstructible(info.type_path()))
}

/// Reads the lists that are long in practice without a box for each item.
fn number_list(input: &mut Input, info: &'static TypeInfo) -> Result<Option<Box<dyn Reflect>>, ValueError> {
    macro_rules! lists {
        ($($number:ty),*) => {
            $(if info.is::<Vec<$number>>() {
                let len = input.len()?;
                let bytes = input.take(len.checked_mul(size_of::<$number>()).ok_or(ValueError::TooShort)?)?;
                let (items, _) = bytes.as_chunks();
                let list: Vec<$number> = items.iter().map(|item| <$number>::from_le_bytes(*item)).collect();
                return Ok(Some(Box::new(list)));
            })*
        };
    }
    lists!(u8, f32, u32, i32, u16, i16, u64, i64, f64, i8);
    Ok(None)
}

/// A key that a map can hold. Bevy's maps panic on others.
fn key(input: &mut Input, info: &'static TypeInfo, types: &TypeRegistry) -> Result<Box<dyn Reflect>, ValueError> {
    let key = whole(input, info, types)?;
    let is_key = key.reflect_hash().is_some() && key.reflect_partial_eq(key.as_partial_reflect()) == Some(true);
    if is_key { Ok(key) } else { Err(ValueError::NoKey(info.type_path())) }
}

/// Builds a value from its parts, without its real type.
fn dynamic(
    input: &mut Input,
    info: &'static TypeInfo,
    types: &TypeRegistry,
) -> Result<Box<dyn PartialReflect>, ValueError> {
    if let Some(leaf) = leaf_of(info.type_id()) {
        return read_leaf(input, leaf, info.type_id()).map(|value| value.into_partial_reflect());
    }
    if let Some(numbers) = number_list(input, info)? {
        return Ok(numbers.into_partial_reflect());
    }
    let item = |input: &mut Input, part: Option<&'static TypeInfo>| dynamic(input, part_info(part, info)?, types);
    Ok(match info {
        TypeInfo::Struct(struct_info) => {
            let mut value = DynamicStruct::default();
            for field in struct_info.iter() {
                value.insert_boxed(field.name(), item(input, field.type_info())?);
            }
            Box::new(value)
        }
        TypeInfo::TupleStruct(struct_info) => {
            let mut value = DynamicTupleStruct::default();
            for field in struct_info.iter() {
                value.insert_boxed(item(input, field.type_info())?);
            }
            Box::new(value)
        }
        TypeInfo::Tuple(tuple_info) => {
            let mut value = DynamicTuple::default();
            for field in tuple_info.iter() {
                value.insert_boxed(item(input, field.type_info())?);
            }
            Box::new(value)
        }
        TypeInfo::List(list_info) => {
            let mut value = DynamicList::default();
            for _ in 0..input.len()? {
                value.push_box(item(input, list_info.item_info())?);
            }
            Box::new(value)
        }
        TypeInfo::Array(array_info) => {
            let items = (0..array_info.capacity()).map(|_| item(input, array_info.item_info()));
            Box::new(DynamicArray::new(items.collect::<Result<_, _>>()?))
        }
        TypeInfo::Set(set_info) => {
            let mut value = DynamicSet::default();
            let ty = set_info.value_ty().id();
            let leaf = leaf_of(ty).ok_or_else(|| ValueError::Unexpected(info.type_path().to_owned()))?;
            for _ in 0..input.len()? {
                value.insert_boxed(read_leaf(input, leaf, ty)?.into_partial_reflect());
            }
            Box::new(value)
        }
        TypeInfo::Map(map_info) => {
            let mut value = DynamicMap::default();
            for _ in 0..input.len()? {
                let key = key(input, part_info(map_info.key_info(), info)?, types)?;
                value.insert_boxed(key.into_partial_reflect(), item(input, map_info.value_info())?);
            }
            Box::new(value)
        }
        TypeInfo::Enum(enum_info) => Box::new(dynamic_enum(input, enum_info, &item)?),
        TypeInfo::Opaque(info) => return Err(ValueError::Unexpected(info.type_path().to_owned())),
    })
}

type ReadPart<'f> = &'f dyn Fn(&mut Input, Option<&'static TypeInfo>) -> Result<Box<dyn PartialReflect>, ValueError>;

fn dynamic_enum(input: &mut Input, info: &'static EnumInfo, part: ReadPart) -> Result<DynamicEnum, ValueError> {
    let index = match option_item(info) {
        Some(_) => {
            let [tag] = input.array()?;
            let name = if tag == 0 { "None" } else { "Some" };
            (tag <= 1).then(|| info.index_of(name)).flatten().ok_or((u64::from(tag), "option"))
        }
        None => {
            let index = input.u32()?;
            usize::try_from(index).map_err(|_| (u64::from(index), "variant"))
        }
    };
    let invalid = |(value, what)| ValueError::Invalid { what, value };
    let index = index.map_err(invalid)?;
    let variant = info.variant_at(index).ok_or_else(|| invalid((index as u64, "variant")))?;
    let data = match variant {
        VariantInfo::Unit(_) => DynamicVariant::Unit,
        VariantInfo::Tuple(variant) => {
            let mut data = DynamicTuple::default();
            for field in variant.iter() {
                data.insert_boxed(part(input, field.type_info())?);
            }
            DynamicVariant::Tuple(data)
        }
        VariantInfo::Struct(variant) => {
            let mut data = DynamicStruct::default();
            for field in variant.iter() {
                data.insert_boxed(field.name(), part(input, field.type_info())?);
            }
            DynamicVariant::Struct(data)
        }
    };
    Ok(DynamicEnum::new_with_index(index, variant.name(), data))
}

fn read_leaf(input: &mut Input, leaf: Leaf, ty: TypeId) -> Result<Box<dyn Reflect>, ValueError> {
    let out_of_range = |value: u64| ValueError::Invalid { what: "number for this platform", value };
    Ok(match leaf {
        Leaf::Bool => match input.array()? {
            [0] => Box::new(false),
            [1] => Box::new(true),
            [value] => return Err(ValueError::Invalid { what: "bool", value: value.into() }),
        },
        Leaf::U8 => Box::new(u8::from_le_bytes(input.array()?)),
        Leaf::U16 => Box::new(u16::from_le_bytes(input.array()?)),
        Leaf::U32 => Box::new(u32::from_le_bytes(input.array()?)),
        Leaf::U64 => {
            let value = input.u64()?;
            if ty == TypeId::of::<usize>() {
                Box::new(usize::try_from(value).map_err(|_| out_of_range(value))?)
            } else {
                Box::new(value)
            }
        }
        Leaf::U128 => Box::new(u128::from_le_bytes(input.array()?)),
        Leaf::I8 => Box::new(i8::from_le_bytes(input.array()?)),
        Leaf::I16 => Box::new(i16::from_le_bytes(input.array()?)),
        Leaf::I32 => Box::new(i32::from_le_bytes(input.array()?)),
        Leaf::I64 => {
            let value = i64::from_le_bytes(input.array()?);
            if ty == TypeId::of::<isize>() {
                Box::new(isize::try_from(value).map_err(|_| out_of_range(value.cast_unsigned()))?)
            } else {
                Box::new(value)
            }
        }
        Leaf::I128 => Box::new(i128::from_le_bytes(input.array()?)),
        Leaf::F32 => Box::new(f32::from_le_bytes(input.array()?)),
        Leaf::F64 => Box::new(f64::from_le_bytes(input.array()?)),
        Leaf::Char => Box::new(read_char(input)?),
        Leaf::Str => {
            let len = input.len()?;
            let text = std::str::from_utf8(input.take(len)?).map_err(|_| ValueError::NotText)?;
            Box::new(text.to_owned())
        }
        Leaf::Entity => Box::new(read_entity(input.u64()?)?),
        Leaf::Duration => {
            let secs = input.u64()?;
            Box::new(read_duration(secs, input.u32()?)?)
        }
    })
}

fn read_char(input: &mut Input) -> Result<char, ValueError> {
    let first = *input.0.first().ok_or(ValueError::TooShort)?;
    let len = match first {
        0x00..=0x7f => 1,
        0xc0..=0xdf => 2,
        0xe0..=0xef => 3,
        _ => 4,
    };
    let text = std::str::from_utf8(input.take(len)?).map_err(|_| ValueError::NotText)?;
    text.chars().next().ok_or(ValueError::NotText)
}

/// An entity from its bits, some patterns of which are none.
pub(crate) fn read_entity(bits: u64) -> Result<Entity, ValueError> {
    Entity::try_from_bits(bits).ok_or(ValueError::Invalid { what: "entity", value: bits })
}

/// A duration from its parts. A billion nanoseconds or more are no part of a second.
pub(crate) fn read_duration(secs: u64, nanos: u32) -> Result<Duration, ValueError> {
    if nanos < 1_000_000_000 {
        Ok(Duration::new(secs, nanos))
    } else {
        Err(ValueError::Invalid { what: "number of nanoseconds in a second", value: nanos.into() })
    }
}
