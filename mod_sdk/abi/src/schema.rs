//! What a type looks like, as far as its bytes and its field names go.
//!
//! bincode does not describe itself, so a field that only one side has would be silent garbage. Each side derives a
//! schema for every type that crosses, and the host compares them when a mod is loaded.
//!
//! A schema crosses as text, which a person can read and a mod in any language can state as a literal:
//!
//! | text | what |
//! |---|---|
//! | `f32`, `bool`, `str`, `entity`, ... | a [`Leaf`] |
//! | `{x:f32,y:f32}` | a struct with named fields |
//! | `(f32,u8)` | a tuple or a struct with unnamed fields |
//! | `[u8]` | a list of any length |
//! | `[u8;4]` | an array |
//! | `?u8` | an option |
//! | `<A\|B(u8)\|C{x:f32}>` | an enum |
//! | `{u8=>str}` | a map |

use alloc::{
    borrow::ToOwned,
    boxed::Box,
    format,
    string::{String, ToString},
    vec::Vec,
};
use core::fmt;

use serde::{Deserialize, Serialize};

mod agree;
mod parse;
mod resemble;
mod size;

pub(crate) use parse::parse_signature;

/// How deep schemas may nest. Deeper ones are refused, because walking them would need an endless stack.
pub const MAX_DEPTH: usize = 32;

/// The most bytes that a schema's text may have: 64 KiB.
pub const MAX_SCHEMA_BYTES: usize = 64 << 10;

/// The most parts of a schema that take no bytes, such as unit structs. Walking them is work that no bytes pay for.
pub const MAX_EMPTY_PARTS: usize = 64;

/// The shape of a type.
///
/// ```
/// use mod_abi::Schema;
///
/// let in_the_mod = Schema::parse("{name:str,age:u32}")?;
/// let in_the_game = Schema::parse("{name:str,age:u64}")?;
/// assert_eq!(in_the_mod.difference(&in_the_mod), None);
/// let difference = in_the_mod.difference(&in_the_game).map(|differs| (differs.in_mod, differs.in_game));
/// assert_eq!(difference, Some(("age: u32".to_owned(), "age: u64".to_owned())));
/// # Ok::<_, mod_abi::SchemaError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum Schema {
    /// A value without parts.
    Leaf(Leaf),
    /// Named fields, in order. A unit struct has none.
    Struct(Vec<(String, Schema)>),
    /// Unnamed fields, in order: a tuple or a tuple struct.
    Tuple(Vec<Schema>),
    /// Any number of one type. Sets cross as lists.
    List(Box<Schema>),
    /// A fixed number of one type.
    Array(Box<Schema>, u32),
    /// One or none.
    Option(Box<Schema>),
    /// One of several variants.
    Enum(Vec<Variant>),
    /// Pairs of a key and a value.
    Map(Box<Schema>, Box<Schema>),
}

/// A variant of an enum.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Variant {
    /// Its name.
    pub name: String,
    /// Its data.
    pub fields: VariantFields,
}

/// The data of a variant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum VariantFields {
    /// None.
    Unit,
    /// Unnamed fields.
    Tuple(Vec<Schema>),
    /// Named fields.
    Struct(Vec<(String, Schema)>),
}

macro_rules! leaves {
    ($($(#[$doc:meta])* $name:ident $text:literal $size:expr;)*) => {
        /// A value without parts.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Leaf { $($(#[$doc])* $name,)* }

        impl Leaf {
            pub(crate) const ALL: &[Self] = &[$(Self::$name),*];

            /// The word for it in a schema's text.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }

            /// The bytes that it always takes, or `None` where that depends on the value.
            #[must_use]
            pub const fn size(self) -> Option<usize> {
                match self { $(Self::$name => $size,)* }
            }

            /// The fewest bytes that it takes.
            #[must_use]
            pub const fn min_size(self) -> usize {
                match (self, self.size()) {
                    (_, Some(size)) => size,
                    (Self::Str, None) => 8,
                    (_, None) => 1,
                }
            }
        }
    };
}

leaves! {
    /// One byte, 0 or 1.
    Bool "bool" Some(1);
    /// 8 bits.
    U8 "u8" Some(1);
    /// 16 bits.
    U16 "u16" Some(2);
    /// 32 bits.
    U32 "u32" Some(4);
    /// 64 bits. `usize` crosses as this.
    U64 "u64" Some(8);
    /// 128 bits.
    U128 "u128" Some(16);
    /// 8 bits, signed.
    I8 "i8" Some(1);
    /// 16 bits, signed.
    I16 "i16" Some(2);
    /// 32 bits, signed.
    I32 "i32" Some(4);
    /// 64 bits, signed. `isize` crosses as this.
    I64 "i64" Some(8);
    /// 128 bits, signed.
    I128 "i128" Some(16);
    /// IEEE 754 binary32.
    F32 "f32" Some(4);
    /// IEEE 754 binary64.
    F64 "f64" Some(8);
    /// A Unicode scalar value as its UTF-8 bytes, without a length.
    Char "char" None;
    /// UTF-8 text: a `u64` length and the bytes.
    Str "str" None;
    /// An entity's id, 64 bits.
    Entity "entity" Some(8);
    /// Seconds as `u64` and nanoseconds as `u32`.
    Duration "duration" Some(12);
}

/// The first place where two schemas differ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SchemaDifference {
    /// What the mod has, as `field: type`, or only the type where there is no field.
    pub in_mod: String,
    /// What the game has there.
    pub in_game: String,
}

/// A schema's text that is not one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SchemaError {
    /// The byte at which reading stopped.
    pub at: usize,
    /// What was wrong there.
    pub reason: &'static str,
}

impl Schema {
    /// A struct with named fields.
    #[must_use]
    pub fn named(fields: impl IntoIterator<Item = (&'static str, Self)>) -> Self {
        Self::Struct(fields.into_iter().map(|(name, schema)| (name.to_owned(), schema)).collect())
    }

    /// The first difference between what a mod (`self`) and the game believe, or `None` when they agree.
    #[must_use]
    pub fn difference(&self, game: &Self) -> Option<SchemaDifference> {
        let here = || Some(SchemaDifference { in_mod: self.to_string(), in_game: game.to_string() });
        match (self, game) {
            (Self::Struct(a), Self::Struct(b)) => fields_difference(a, b),
            (Self::Tuple(a), Self::Tuple(b)) if a.len() == b.len() => {
                a.iter().zip(b).find_map(|(a, b)| a.difference(b))
            }
            (Self::List(a), Self::List(b)) | (Self::Option(a), Self::Option(b)) => a.difference(b),
            (Self::Array(a, m), Self::Array(b, n)) if m == n => a.difference(b),
            (Self::Map(a, x), Self::Map(b, y)) => a.difference(b).or_else(|| x.difference(y)),
            (a, b) if a == b => None,
            _ => here(),
        }
    }
}

fn fields_difference(a: &[(String, Schema)], b: &[(String, Schema)]) -> Option<SchemaDifference> {
    let longest = a.len().max(b.len());
    (0..longest).find_map(|index| match (a.get(index), b.get(index)) {
        (Some((a_name, a)), Some((b_name, b))) if a_name == b_name => {
            let inner = a.difference(b)?;
            // The innermost named field is the one that its author has to look at.
            let name = |text: String| if text.contains(": ") { text } else { format!("{a_name}: {text}") };
            Some(SchemaDifference { in_mod: name(inner.in_mod), in_game: name(inner.in_game) })
        }
        (a, b) => Some(SchemaDifference { in_mod: field_text(a), in_game: field_text(b) }),
    })
}

fn field_text(field: Option<&(String, Schema)>) -> String {
    field.map_or_else(|| "no such field".to_owned(), |(name, schema)| format!("{name}: {schema}"))
}

fn list<T>(
    f: &mut fmt::Formatter<'_>,
    between: &str,
    items: &[T],
    write: impl Fn(&mut fmt::Formatter<'_>, &T) -> fmt::Result,
) -> fmt::Result {
    items.iter().enumerate().try_for_each(|(index, item)| {
        if index > 0 {
            f.write_str(between)?;
        }
        write(f, item)
    })
}

fn write_named(f: &mut fmt::Formatter<'_>, fields: &[(String, Schema)]) -> fmt::Result {
    f.write_str("{")?;
    list(f, ",", fields, |f, (name, schema)| write!(f, "{name}:{schema}"))?;
    f.write_str("}")
}

fn write_tuple(f: &mut fmt::Formatter<'_>, fields: &[Schema]) -> fmt::Result {
    f.write_str("(")?;
    list(f, ",", fields, |f, schema| write!(f, "{schema}"))?;
    f.write_str(")")
}

impl fmt::Display for Schema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Leaf(leaf) => f.write_str(leaf.name()),
            Self::Struct(fields) => write_named(f, fields),
            Self::Tuple(fields) => write_tuple(f, fields),
            Self::List(item) => write!(f, "[{item}]"),
            Self::Array(item, len) => write!(f, "[{item};{len}]"),
            Self::Option(item) => write!(f, "?{item}"),
            Self::Map(key, value) => write!(f, "{{{key}=>{value}}}"),
            Self::Enum(variants) => {
                f.write_str("<")?;
                list(f, "|", variants, |f, variant| {
                    f.write_str(&variant.name)?;
                    match &variant.fields {
                        VariantFields::Unit => Ok(()),
                        VariantFields::Tuple(fields) => write_tuple(f, fields),
                        VariantFields::Struct(fields) => write_named(f, fields),
                    }
                })?;
                f.write_str(">")
            }
        }
    }
}

impl From<Schema> for String {
    fn from(schema: Schema) -> Self {
        schema.to_string()
    }
}

impl TryFrom<String> for Schema {
    type Error = SchemaError;

    fn try_from(text: String) -> Result<Self, SchemaError> {
        Self::parse(&text)
    }
}

impl fmt::Display for SchemaError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "not a schema, at byte {}: {}", self.at, self.reason)
    }
}

impl core::error::Error for SchemaError {}
