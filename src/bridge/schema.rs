//! What a type of the game looks like to a mod: from Bevy's type information to a [`Schema`].
//!
//! Knows reflection and the contract; must not know the World.

use std::{any::TypeId, time::Duration};

use bevy_ecs::entity::Entity;
use bevy_reflect::{NamedField, TypeInfo, TypeRegistry, UnnamedField, enums::VariantInfo};
use mod_abi::{Leaf, MAX_DEPTH, Schema, Variant, VariantFields};
use thiserror::Error;

use crate::bridge::asset_path;

/// A type that cannot cross, because some part of it has no encoding.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub(crate) enum UnsupportedType {
    #[error("it contains `{0}`, which has no form that can cross to a mod")]
    Opaque(&'static str),
    #[error("it nests deeper than {MAX_DEPTH} types (a type that contains itself never ends)")]
    TooDeep,
    #[error("it contains a list of `{0}`, of which any number takes no bytes")]
    NoSize(&'static str),
}

/// The leaf that an opaque type crosses as.
pub(crate) fn leaf_of(ty: TypeId) -> Option<Leaf> {
    macro_rules! find {
        ($($ty:ty => $leaf:ident),* $(,)?) => {
            $(if ty == TypeId::of::<$ty>() { return Some(Leaf::$leaf); })*
        };
    }
    find! {
        f32 => F32, u32 => U32, bool => Bool, u8 => U8, u16 => U16, u64 => U64, u128 => U128, usize => U64,
        i8 => I8, i16 => I16, i32 => I32, i64 => I64, i128 => I128, isize => I64, f64 => F64, char => Char,
        String => Str, Entity => Entity, Duration => Duration,
    }
    None
}

/// The schema of a reflected type.
///
/// # Errors
/// When the type holds something that has no encoding, or contains itself.
pub(crate) fn schema_of(info: &TypeInfo, types: &TypeRegistry) -> Result<Schema, UnsupportedType> {
    at_depth(info, types, 0)
}

fn at_depth(info: &TypeInfo, types: &TypeRegistry, depth: usize) -> Result<Schema, UnsupportedType> {
    if depth >= MAX_DEPTH {
        return Err(UnsupportedType::TooDeep);
    }
    let part = |part: Option<&'static TypeInfo>| match part {
        Some(part) => at_depth(part, types, depth + 1),
        None => Err(UnsupportedType::Opaque(info.type_path())),
    };
    let named = |field: &NamedField| Ok((field.name().to_owned(), part(field.type_info())?));
    let unnamed = |field: &UnnamedField| part(field.type_info());

    if let Some(leaf) = leaf_of(info.type_id()) {
        return Ok(Schema::Leaf(leaf));
    }
    if asset_path::is_handle(info, types) {
        return Ok(Schema::Leaf(Leaf::Str));
    }
    Ok(match info {
        TypeInfo::Struct(info) => Schema::Struct(info.iter().map(named).collect::<Result<_, _>>()?),
        TypeInfo::TupleStruct(info) => Schema::Tuple(info.iter().map(unnamed).collect::<Result<_, _>>()?),
        TypeInfo::Tuple(info) => Schema::Tuple(info.iter().map(unnamed).collect::<Result<_, _>>()?),
        TypeInfo::List(list) => Schema::List(Box::new(sized(part(list.item_info())?, info)?)),
        TypeInfo::Set(set) => Schema::List(Box::new(sized(part(types.get_type_info(set.value_ty().id()))?, info)?)),
        TypeInfo::Array(info) => {
            let len = u32::try_from(info.capacity()).map_err(|_| UnsupportedType::TooDeep)?;
            Schema::Array(Box::new(part(info.item_info())?), len)
        }
        TypeInfo::Map(map) => {
            let key = sized(part(map.key_info())?, info)?;
            Schema::Map(Box::new(key), Box::new(part(map.value_info())?))
        }
        TypeInfo::Enum(info) => match option_item(info) {
            Some(item) => Schema::Option(Box::new(part(item.type_info())?)),
            None => Schema::Enum(
                info.iter()
                    .map(|variant| {
                        let fields = match variant {
                            VariantInfo::Unit(_) => VariantFields::Unit,
                            VariantInfo::Tuple(info) => {
                                VariantFields::Tuple(info.iter().map(unnamed).collect::<Result<_, _>>()?)
                            }
                            VariantInfo::Struct(info) => {
                                VariantFields::Struct(info.iter().map(named).collect::<Result<_, _>>()?)
                            }
                        };
                        Ok(Variant { name: variant.name().to_owned(), fields })
                    })
                    .collect::<Result<_, _>>()?,
            ),
        },
        TypeInfo::Opaque(info) => return Err(UnsupportedType::Opaque(info.type_path())),
    })
}

/// An item whose number its bytes bound. Endless lists of nothing would cost their sender nothing.
fn sized(item: Schema, list: &TypeInfo) -> Result<Schema, UnsupportedType> {
    if item.fixed_size() == Some(0) { Err(UnsupportedType::NoSize(list.type_path())) } else { Ok(item) }
}

/// The item of an `Option`, which crosses with a tag of one byte, unlike other enums.
pub(crate) fn option_item(info: &bevy_reflect::enums::EnumInfo) -> Option<&UnnamedField> {
    let is_option = info.type_path().starts_with("core::option::Option<");
    match info.variant("Some") {
        Some(VariantInfo::Tuple(some)) if is_option => some.field_at(0),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use bevy_ecs::{component::Component, entity::Entity};
    use bevy_reflect::{Reflect, TypeRegistry, Typed};

    use super::schema_of;

    #[derive(Component, Reflect)]
    struct Everything {
        numbers: (u8, i64, f32),
        place: [f64; 2],
        name: Option<String>,
        owner: Entity,
        kinds: Vec<Kind>,
    }

    #[derive(Reflect)]
    enum Kind {
        Small,
        Named { name: char },
        Pair(bool, usize),
    }

    #[derive(Reflect)]
    struct Marker;

    #[derive(Reflect)]
    struct Endless(Vec<Endless>);

    #[derive(Reflect)]
    struct Nothings(Vec<Marker>);

    #[derive(Reflect)]
    struct Path(std::path::PathBuf);

    #[test]
    fn types_have_the_schema_that_a_mod_would_state() {
        let types = TypeRegistry::default();
        let check = |info, expected: &str| {
            let text = schema_of(info, &types).map_or_else(|e| e.to_string(), |schema| schema.to_string());
            assert_eq!(text, expected);
        };
        check(
            Everything::type_info(),
            "{numbers:(u8,i64,f32),place:[f64;2],name:?str,owner:entity,kinds:[<Small|Named{name:char}|Pair(bool,u64)>]}",
        );
        check(Marker::type_info(), "{}");
        check(<()>::type_info(), "()");
        check(Path::type_info(), "it contains `std::path::PathBuf`, which has no form that can cross to a mod");
        check(Endless::type_info(), "it nests deeper than 32 types (a type that contains itself never ends)");
    }
}
