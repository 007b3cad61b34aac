//! How much of a type crosses: all of it, or the fields that a mod names.
//!
//! Knows reflection and the contract; must not know the World.

use bevy_reflect::{PartialReflect, ReflectMut, ReflectRef, TypeInfo, TypeRegistry};
use mod_abi::{Schema, SchemaDifference};

use crate::bridge::schema::schema_of;

/// The parts of a value that cross.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Shape {
    Whole,
    /// These fields of a struct, by their places in the game's type, in the order in which they cross.
    Fields(Vec<(usize, Shape)>),
}

/// What of the game's type a mod means by the part that it states.
///
/// # Errors
/// The first field that the game's type does not have, or has otherwise.
pub(crate) fn part_of(info: &TypeInfo, part: &Schema, types: &TypeRegistry) -> Result<Shape, SchemaDifference> {
    let whole = schema_of(info, types);
    if whole.as_ref().is_ok_and(|whole| whole == part) {
        return Ok(Shape::Whole);
    }
    let fields: Vec<_> = match (info, part) {
        (TypeInfo::Struct(info), Schema::Struct(fields)) => {
            let of = |(name, schema): &(String, Schema)| {
                let missing = || difference(name, schema, "no such field".to_owned());
                let index = info.index_of(name).ok_or_else(missing)?;
                let field = info.field_at(index).and_then(|field| field.type_info()).ok_or_else(missing)?;
                let shape = part_of(field, schema, types).map_err(|inner| inside(name, inner))?;
                Ok((index, shape))
            };
            fields.iter().map(of).collect::<Result<_, _>>()?
        }
        (TypeInfo::TupleStruct(info), Schema::Tuple(fields)) if fields.len() <= info.field_len() => {
            let of = |(index, schema): (usize, &Schema)| {
                let missing = || difference(&index.to_string(), schema, "no such field".to_owned());
                let field = info.field_at(index).and_then(|field| field.type_info()).ok_or_else(missing)?;
                part_of(field, schema, types).map(|shape| (index, shape))
            };
            fields.iter().enumerate().map(of).collect::<Result<_, _>>()?
        }
        _ => {
            let in_game = whole.map_or_else(|reason| reason.to_string(), |whole| whole.to_string());
            return Err(SchemaDifference { in_mod: part.to_string(), in_game });
        }
    };
    Ok(Shape::Fields(fields))
}

fn difference(field: &str, in_mod: &Schema, in_game: String) -> SchemaDifference {
    SchemaDifference { in_mod: format!("{field}: {in_mod}"), in_game }
}

/// The innermost named field is the one that its author has to look at.
fn inside(field: &str, inner: SchemaDifference) -> SchemaDifference {
    let name = |text: String| if text.contains(": ") { text } else { format!("{field}: {text}") };
    SchemaDifference { in_mod: name(inner.in_mod), in_game: inner.in_game }
}

/// A field of a struct or a tuple, by its place.
pub(crate) fn field<'a>(value: &ReflectRef<'a>, index: usize) -> Option<&'a dyn PartialReflect> {
    match value {
        ReflectRef::Struct(value) => value.field_at(index),
        ReflectRef::TupleStruct(value) => value.field(index),
        ReflectRef::Tuple(value) => value.field(index),
        _ => None,
    }
}

/// A field of a struct or a tuple, or an item of an array, by its place, to be changed.
pub(crate) fn field_mut<'a>(value: &'a mut ReflectMut, index: usize) -> Option<&'a mut dyn PartialReflect> {
    match value {
        ReflectMut::Struct(value) => value.field_at_mut(index),
        ReflectMut::TupleStruct(value) => value.field_mut(index),
        ReflectMut::Tuple(value) => value.field_mut(index),
        ReflectMut::Array(value) => value.get_mut(index),
        _ => None,
    }
}

/// The type of a field of a struct or a tuple, or of an item of an array, by its place.
pub(crate) fn field_info(info: &TypeInfo, index: usize) -> Option<&'static TypeInfo> {
    match info {
        TypeInfo::Struct(info) => info.field_at(index)?.type_info(),
        TypeInfo::TupleStruct(info) => info.field_at(index)?.type_info(),
        TypeInfo::Tuple(info) => info.field_at(index)?.type_info(),
        TypeInfo::Array(info) => info.item_info(),
        _ => None,
    }
}

/// The number of fields of a struct or a tuple, or of items of an array, or `None` for other types.
///
/// Arrays are taken apart as well because Bevy does not register `FromReflect` for them: on their own they cannot be built.
pub(crate) fn field_count(info: &TypeInfo) -> Option<usize> {
    match info {
        TypeInfo::Struct(info) => Some(info.field_len()),
        TypeInfo::TupleStruct(info) => Some(info.field_len()),
        TypeInfo::Tuple(info) => Some(info.field_len()),
        TypeInfo::Array(info) => Some(info.capacity()),
        _ => None,
    }
}
