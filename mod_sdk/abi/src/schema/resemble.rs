//! Whether the JSON of one type can be that of another.
//!
//! JSON describes itself: what does not fit is found when it is read, and is an error and never garbage. So only what can
//! never fit is a difference here. The order of fields does not count, nor how wide a number is, nor a field that only one
//! side knows, because it may be optional.

use alloc::{format, string::ToString};

use super::{Leaf, Schema, SchemaDifference, Variant, agree};

/// What JSON tells apart.
#[derive(PartialEq, Eq)]
enum Kind {
    Bool,
    Number,
    Text,
    Array,
    Object,
    /// An object with one field, or a text.
    Choice,
}

fn kind(schema: &Schema) -> Kind {
    match schema {
        Schema::Leaf(Leaf::Bool) => Kind::Bool,
        Schema::Leaf(Leaf::Char | Leaf::Str) => Kind::Text,
        Schema::Leaf(Leaf::Duration) | Schema::Struct(_) | Schema::Map(..) => Kind::Object,
        Schema::Leaf(_) => Kind::Number,
        Schema::Tuple(_) | Schema::List(_) | Schema::Array(..) => Kind::Array,
        Schema::Enum(_) => Kind::Choice,
        Schema::Option(item) => kind(item),
    }
}

impl Schema {
    /// The first place where the JSON of a mod's value (`self`) can never be that of the game's, or `None`.
    #[must_use]
    pub fn json_disagreement(&self, game: &Self) -> Option<SchemaDifference> {
        match (self, game) {
            (Self::Option(a), b) => a.json_disagreement(b),
            (a, Self::Option(b)) => a.json_disagreement(b),
            // A single unnamed field stands bare or in a list, and a vector of glam is a list of its fields.
            (Self::Tuple(a), b) if a.len() == 1 => a.first().and_then(|a| a.json_disagreement(b)),
            (a, Self::Tuple(b)) if b.len() == 1 => b.first().and_then(|b| a.json_disagreement(b)),
            (Self::Struct(_), Self::Tuple(_) | Self::Array(..))
            | (Self::Tuple(_) | Self::Array(..), Self::Struct(_)) => self.disagreement(game),
            (Self::Struct(a), Self::Struct(b)) => a.iter().find_map(|(name, a)| {
                let (_, b) = b.iter().find(|(other, _)| other == name)?;
                a.json_disagreement(b).map(|inner| agree::under(Some(name), inner))
            }),
            (Self::Tuple(a), Self::Tuple(b)) => a.iter().zip(b).find_map(|(a, b)| a.json_disagreement(b)),
            (Self::List(a) | Self::Array(a, _), Self::List(b) | Self::Array(b, _)) => a.json_disagreement(b),
            (Self::List(a) | Self::Array(a, _), Self::Tuple(b)) => b.iter().find_map(|b| a.json_disagreement(b)),
            (Self::Tuple(a), Self::List(b) | Self::Array(b, _)) => a.iter().find_map(|a| a.json_disagreement(b)),
            (Self::Map(_, a), Self::Map(_, b)) => a.json_disagreement(b),
            (Self::Enum(a), Self::Enum(b)) => variants(a, b),
            (a, b) if kind(a) == kind(b) => None,
            (a, b) => Some(SchemaDifference { in_mod: a.to_string(), in_game: b.to_string() }),
        }
    }
}

/// Variants that only one side knows may never be sent.
fn variants(a: &[Variant], b: &[Variant]) -> Option<SchemaDifference> {
    a.iter().find_map(|a| {
        let b = b.iter().find(|b| b.name == a.name)?;
        agree::data(a).json_disagreement(&agree::data(b)).map(|inner| SchemaDifference {
            in_mod: format!("{}: {}", a.name, inner.in_mod),
            in_game: format!("{}: {}", b.name, inner.in_game),
        })
    })
}
