//! Whether two descriptions of a value mean the same bytes, where one of them was written down by another tool.
//!
//! What serde knows of a type is less than what reflection knows: an entity is a number, a vector of glam is three of them.
//! So these are the same here: an entity and `u64`; a duration and its seconds and nanoseconds; a struct or tuple with one
//! unnamed field and that field; an array and a tuple of as many equal items; fields with and without names.

use alloc::{
    borrow::{Cow, ToOwned},
    format,
    string::{String, ToString},
    vec,
    vec::Vec,
};

use super::{Leaf, Schema, SchemaDifference, Variant, VariantFields};

/// A part and its name, if it has one.
type Field<'a> = (Option<&'a str>, &'a Schema);

impl Schema {
    /// The first place where the bytes of a mod's value (`self`) and the game's would mean something else, or `None`.
    #[must_use]
    pub fn disagreement(&self, game: &Self) -> Option<SchemaDifference> {
        let (a, b) = (plain(self), plain(game));
        let here = || Some(SchemaDifference { in_mod: self.to_string(), in_game: game.to_string() });
        match (&*a, &*b) {
            (Self::Leaf(a), Self::Leaf(b)) if a == b => None,
            (Self::List(a), Self::List(b)) | (Self::Option(a), Self::Option(b)) => a.disagreement(b),
            (Self::Array(a, m), Self::Array(b, n)) if m == n => a.disagreement(b),
            (Self::Map(a, x), Self::Map(b, y)) => a.disagreement(b).or_else(|| x.disagreement(y)),
            (Self::Enum(a), Self::Enum(b)) => variants(a, b),
            (Self::Array(item, len), b) if is_as_long(b, *len) => {
                parts(b)?.iter().find_map(|(_, b)| item.disagreement(b))
            }
            (a, Self::Array(item, len)) if is_as_long(a, *len) => {
                parts(a)?.iter().find_map(|(_, a)| a.disagreement(item))
            }
            (a, b) => match (parts(a), parts(b)) {
                (Some(a), Some(b)) => fields(&a, &b).unwrap_or_else(here),
                _ => here(),
            },
        }
    }
}

/// The same bytes without the words that serde does not know.
fn plain(schema: &Schema) -> Cow<'_, Schema> {
    match schema {
        Schema::Leaf(Leaf::Entity) => Cow::Owned(Schema::Leaf(Leaf::U64)),
        Schema::Leaf(Leaf::Duration) => {
            let fields = [("secs", Schema::Leaf(Leaf::U64)), ("nanos", Schema::Leaf(Leaf::U32))];
            Cow::Owned(Schema::named(fields))
        }
        Schema::Tuple(fields) => match fields.as_slice() {
            [only] => plain(only),
            _ => Cow::Borrowed(schema),
        },
        _ => Cow::Borrowed(schema),
    }
}

/// The fields of a struct or a tuple.
fn parts(schema: &Schema) -> Option<Vec<Field<'_>>> {
    match schema {
        Schema::Struct(fields) => Some(fields.iter().map(|(name, field)| (Some(name.as_str()), field)).collect()),
        Schema::Tuple(fields) => Some(fields.iter().map(|field| (None, field)).collect()),
        _ => None,
    }
}

fn is_as_long(schema: &Schema, len: u32) -> bool {
    parts(schema).is_some_and(|parts| u32::try_from(parts.len()) == Ok(len))
}

/// The outer `None` is for two that cannot be compared field by field.
fn fields(a: &[Field<'_>], b: &[Field<'_>]) -> Option<Option<SchemaDifference>> {
    let text = |field: Option<&Field<'_>>| match field {
        Some((Some(name), schema)) => format!("{name}: {schema}"),
        Some((None, schema)) => schema.to_string(),
        None => "no such field".to_owned(),
    };
    let has_names = a.iter().zip(b).all(|((a, _), (b, _))| a.is_some() && b.is_some());
    if a.len() != b.len() && !has_names {
        return None;
    }
    let longest = a.len().max(b.len());
    Some((0..longest).find_map(|index| match (a.get(index), b.get(index)) {
        (Some((a_name, a)), Some((b_name, b))) if a_name.is_none() || b_name.is_none() || a_name == b_name => {
            a.disagreement(b).map(|inner| under(a_name.or(*b_name), inner))
        }
        (a, b) => Some(SchemaDifference { in_mod: text(a), in_game: text(b) }),
    }))
}

/// The innermost named field is the one that its author has to look at.
pub(super) fn under(field: Option<&str>, SchemaDifference { in_mod, in_game }: SchemaDifference) -> SchemaDifference {
    let name = |text: String| match field {
        Some(field) if !text.contains(": ") => format!("{field}: {text}"),
        _ => text,
    };
    SchemaDifference { in_mod: name(in_mod), in_game: name(in_game) }
}

fn variants(a: &[Variant], b: &[Variant]) -> Option<SchemaDifference> {
    let name = |variant: Option<&Variant>| variant.map_or("no such variant", |variant| &variant.name).to_owned();
    let longest = a.len().max(b.len());
    (0..longest).find_map(|index| match (a.get(index), b.get(index)) {
        (Some(a), Some(b)) if a.name == b.name => data(a).disagreement(&data(b)).map(|inner| SchemaDifference {
            in_mod: format!("{}: {}", a.name, inner.in_mod),
            in_game: format!("{}: {}", b.name, inner.in_game),
        }),
        (a, b) => Some(SchemaDifference { in_mod: name(a), in_game: name(b) }),
    })
}

/// The data of a variant as if it were a type.
pub(super) fn data(variant: &Variant) -> Schema {
    match &variant.fields {
        VariantFields::Unit => Schema::Tuple(vec![]),
        VariantFields::Tuple(fields) => Schema::Tuple(fields.clone()),
        VariantFields::Struct(fields) => Schema::Struct(fields.clone()),
    }
}
