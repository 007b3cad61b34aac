//! Values of reflected types as bytes, one at a time: the way for everything that is not of a fixed size.
//!
//! Writing walks a value; reading builds a [`Patch`] first, so that nothing of the game changes before all bytes were
//! found valid. Fields that reflection ignores keep their value.

use std::{any::TypeId, time::Duration};

use bevy_asset::AssetServer;
use bevy_ecs::entity::Entity;
use bevy_reflect::{
    PartialReflect, Reflect, ReflectFromReflect, ReflectRef, TypeInfo, TypeRegistry,
    array::DynamicArray,
    enums::{DynamicEnum, DynamicVariant, EnumInfo, VariantInfo},
    list::DynamicList,
    map::{DynamicMap, Map},
    set::{DynamicSet, Set},
    std_traits::ReflectDefault,
    structs::DynamicStruct,
    tuple::DynamicTuple,
    tuple_struct::DynamicTupleStruct,
};
use mod_abi::Leaf;
use thiserror::Error;

use crate::bridge::{
    asset_path,
    schema::{leaf_of, option_item},
    shape::{Shape, field, field_count, field_info, field_mut},
};

/// What of the game is needed to take values apart and to put them together.
#[derive(Clone, Copy)]
pub(crate) struct Reflection<'a> {
    pub(crate) types: &'a TypeRegistry,
    /// Where handles of assets come from.
    pub(crate) assets: Option<&'a AssetServer>,
}

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
    #[error(
        "a value of `{0}` cannot be built from its parts (derive `FromReflect` for it, and reflect `Default` where a mod states only a part)"
    )]
    NotConstructible(&'static str),
    #[error("the bytes are no `{0}`")]
    Malformed(String),
    #[error("the asset {path:?} cannot be used, because {reason}")]
    AssetPath { path: String, reason: &'static str },
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

    fn text(&mut self) -> Result<&'a str, ValueError> {
        let len = self.len()?;
        std::str::from_utf8(self.take(len)?).map_err(|_| ValueError::NotText)
    }

    /// Whether nothing is left.
    pub(crate) fn finish(&self) -> Result<(), ValueError> {
        if self.0.is_empty() { Ok(()) } else { Err(ValueError::LeftOver(self.0.len())) }
    }

    /// The length of a list. Every item takes at least a byte, so a longer claim is a lie.
    fn len(&mut self) -> Result<usize, ValueError> {
        let claimed = self.u64()?;
        usize::try_from(claimed).ok().filter(|len| *len <= self.0.len()).ok_or(ValueError::TooLong(claimed))
    }
}

/// Appends the bytes of the parts of `value` that `shape` names.
pub(crate) fn write(
    value: &dyn PartialReflect,
    shape: &Shape,
    reflection: Reflection,
    out: &mut Vec<u8>,
) -> Result<(), ValueError> {
    let Shape::Fields(fields) = shape else { return write_whole(value, reflection, out) };
    let parts = value.reflect_ref();
    fields.iter().try_for_each(|(index, shape)| {
        write(field(&parts, *index).ok_or_else(|| unexpected(value))?, shape, reflection, out)
    })
}

fn write_whole(value: &dyn PartialReflect, reflection: Reflection, out: &mut Vec<u8>) -> Result<(), ValueError> {
    let mut each = |part: &dyn PartialReflect| write_whole(part, reflection, out);
    match value.reflect_ref() {
        ReflectRef::Struct(value) => value.iter_fields().try_for_each(|(_, field)| each(field)),
        ReflectRef::TupleStruct(value) => value.iter_fields().try_for_each(each),
        ReflectRef::Tuple(value) => value.iter_fields().try_for_each(each),
        ReflectRef::List(value) => {
            write_len(value.len(), out);
            value.iter().try_for_each(|item| write_whole(item, reflection, out))
        }
        ReflectRef::Array(value) => value.iter().try_for_each(each),
        ReflectRef::Set(value) => {
            write_len(value.len(), out);
            value.iter().try_for_each(|item| write_whole(item, reflection, out))
        }
        ReflectRef::Map(value) => {
            write_len(value.len(), out);
            value.iter().try_for_each(|(key, item)| {
                write_whole(key, reflection, out)?;
                write_whole(item, reflection, out)
            })
        }
        ReflectRef::Enum(fields) => {
            let info = value.get_represented_type_info();
            if info.is_some_and(asset_path::has_handle_path) {
                let path = asset_path::path_of(value, reflection.types).ok_or_else(|| unexpected(value))?;
                write_len(path.len(), out);
                out.extend_from_slice(path.as_bytes());
                return Ok(());
            }
            let is_option = matches!(info, Some(TypeInfo::Enum(info)) if option_item(info).is_some());
            if is_option {
                out.push(u8::from(fields.variant_name() == "Some"));
            } else {
                let index = u32::try_from(fields.variant_index()).map_err(|_| unexpected(value))?;
                out.extend_from_slice(&index.to_le_bytes());
            }
            fields.iter_fields().try_for_each(|field| write_whole(field.value(), reflection, out))
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
    /// Changes to fields of a struct or tuple, by their places.
    Fields(Vec<(usize, Patch)>),
    /// A whole new value.
    Value(Box<dyn Reflect>),
    /// The value stays: what the mod has of it says nothing.
    Keep,
}

impl Patch {
    /// Reads the parts that `shape` names of the type that `info` describes from the front of `input`.
    pub(crate) fn read(
        input: &mut Input,
        info: &'static TypeInfo,
        shape: &Shape,
        reflection: Reflection,
    ) -> Result<Self, ValueError> {
        if let Shape::Fields(fields) = shape {
            let parts = fields.iter().map(|(index, shape)| {
                let field = part_info(field_info(info, *index), info)?;
                Self::read(input, field, shape, reflection).map(|patch| (*index, patch))
            });
            return parts.collect::<Result<_, _>>().map(Self::Fields);
        }
        if let Some(leaf) = leaf_of(info.type_id()) {
            return read_leaf(input, leaf, info.type_id()).map(Self::Value);
        }
        if asset_path::is_handle(info, reflection.types) {
            // A handle that was not loaded from a file has no path, and comes back without one.
            let path = input.text()?;
            return if path.is_empty() {
                Ok(Self::Keep)
            } else {
                asset_path::load(path, info, reflection.types, reflection.assets).map(Self::Value)
            };
        }
        match field_count(info) {
            Some(fields) => {
                let parts = (0..fields).map(|index| {
                    let field = part_info(field_info(info, index), info)?;
                    Self::read(input, field, &Shape::Whole, reflection).map(|patch| (index, patch))
                });
                parts.collect::<Result<_, _>>().map(Self::Fields)
            }
            None => whole(input, info, reflection).map(Self::Value),
        }
    }

    /// Makes the change.
    pub(crate) fn apply(self, target: &mut dyn PartialReflect) -> Result<(), ValueError> {
        match self {
            Self::Keep => Ok(()),
            Self::Value(value) => match target.try_as_reflect_mut() {
                Some(target) => target.set(value).map_err(|value| unexpected(value.as_partial_reflect())),
                None => Err(unexpected(value.as_partial_reflect())),
            },
            Self::Fields(patches) => {
                let path = target.reflect_type_path().to_owned();
                let mut target = target.reflect_mut();
                patches.into_iter().try_for_each(|(index, patch)| {
                    let field = field_mut(&mut target, index);
                    patch.apply(field.ok_or_else(|| ValueError::Unexpected(path.clone()))?)
                })
            }
        }
    }
}

/// Builds a new value from the parts that `shape` names. What they leave out is as in the type's default.
pub(crate) fn build(
    input: &mut Input,
    info: &'static TypeInfo,
    shape: &Shape,
    reflection: Reflection,
) -> Result<Box<dyn Reflect>, ValueError> {
    if *shape == Shape::Whole {
        return whole(input, info, reflection);
    }
    let default = reflection.types.get_type_data::<ReflectDefault>(info.type_id());
    let mut value = default.ok_or(ValueError::NotConstructible(info.type_path()))?.default();
    Patch::read(input, info, shape, reflection)?.apply(value.as_partial_reflect_mut())?;
    Ok(value)
}

fn part_info(part: Option<&'static TypeInfo>, whole: &TypeInfo) -> Result<&'static TypeInfo, ValueError> {
    part.ok_or_else(|| ValueError::Unexpected(whole.type_path().to_owned()))
}

/// Builds a value of its real type.
fn whole(input: &mut Input, info: &'static TypeInfo, reflection: Reflection) -> Result<Box<dyn Reflect>, ValueError> {
    if let Some(leaf) = leaf_of(info.type_id()) {
        return read_leaf(input, leaf, info.type_id());
    }
    if asset_path::is_handle(info, reflection.types) {
        return asset_path::load(input.text()?, info, reflection.types, reflection.assets);
    }
    if let Some(numbers) = number_list(input, info)? {
        return Ok(numbers);
    }
    let parts = dynamic(input, info, reflection)?;
    let from_reflect = reflection.types.get_type_data::<ReflectFromReflect>(info.type_id());
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
fn key(input: &mut Input, info: &'static TypeInfo, reflection: Reflection) -> Result<Box<dyn Reflect>, ValueError> {
    let key = whole(input, info, reflection)?;
    let is_key = key.reflect_hash().is_some() && key.reflect_partial_eq(key.as_partial_reflect()) == Some(true);
    if is_key { Ok(key) } else { Err(ValueError::NoKey(info.type_path())) }
}

/// Builds a value from its parts, without its real type.
fn dynamic(
    input: &mut Input,
    info: &'static TypeInfo,
    reflection: Reflection,
) -> Result<Box<dyn PartialReflect>, ValueError> {
    if let Some(leaf) = leaf_of(info.type_id()) {
        return read_leaf(input, leaf, info.type_id()).map(|value| value.into_partial_reflect());
    }
    if asset_path::is_handle(info, reflection.types) {
        return whole(input, info, reflection).map(|handle| handle.into_partial_reflect());
    }
    if let Some(numbers) = number_list(input, info)? {
        return Ok(numbers.into_partial_reflect());
    }
    let item = |input: &mut Input, part: Option<&'static TypeInfo>| dynamic(input, part_info(part, info)?, reflection);
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
            let item = part_info(reflection.types.get_type_info(set_info.value_ty().id()), info)?;
            for _ in 0..input.len()? {
                value.insert_boxed(key(input, item, reflection)?.into_partial_reflect());
            }
            Box::new(value)
        }
        TypeInfo::Map(map_info) => {
            let mut value = DynamicMap::default();
            for _ in 0..input.len()? {
                let key = key(input, part_info(map_info.key_info(), info)?, reflection)?;
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
        Leaf::Str => Box::new(input.text()?.to_owned()),
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
