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

/// How deep schemas may nest. Deeper ones are refused, because walking them would need an endless stack.
pub const MAX_DEPTH: usize = 32;

/// The shape of a type.
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
            const ALL: &[Self] = &[$(Self::$name),*];

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

    /// Reads a schema's text.
    ///
    /// # Errors
    /// When the text is not a schema or nests deeper than [`MAX_DEPTH`].
    pub fn parse(text: &str) -> Result<Self, SchemaError> {
        let mut parser = Parser { text, at: 0 };
        let schema = parser.schema(0)?;
        if parser.rest().is_empty() { Ok(schema) } else { Err(parser.error("nothing more was expected")) }
    }

    /// The bytes that every value of this type takes, or `None` where that depends on the value.
    #[must_use]
    pub fn fixed_size(&self) -> Option<usize> {
        match self {
            Self::Leaf(leaf) => leaf.size(),
            Self::Struct(fields) => sum(fields.iter().map(|(_, field)| field.fixed_size())),
            Self::Tuple(fields) => sum(fields.iter().map(Self::fixed_size)),
            Self::Array(item, len) => item.fixed_size()?.checked_mul(usize::try_from(*len).ok()?),
            Self::List(_) | Self::Option(_) | Self::Enum(_) | Self::Map(..) => None,
        }
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

fn sum(mut sizes: impl Iterator<Item = Option<usize>>) -> Option<usize> {
    sizes.try_fold(0_usize, |sum, size| sum.checked_add(size?))
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

struct Parser<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Parser<'a> {
    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or("")
    }

    fn error(&self, reason: &'static str) -> SchemaError {
        SchemaError { at: self.at, reason }
    }

    fn eat(&mut self, token: &str) -> bool {
        let found = self.rest().starts_with(token);
        if found {
            self.at = self.at.saturating_add(token.len());
        }
        found
    }

    fn expect(&mut self, token: &str, reason: &'static str) -> Result<(), SchemaError> {
        if self.eat(token) { Ok(()) } else { Err(self.error(reason)) }
    }

    fn word(&mut self) -> Result<&'a str, SchemaError> {
        let rest = self.rest();
        let end = rest.find(|c: char| !(c.is_alphanumeric() || c == '_' || c == '#')).unwrap_or(rest.len());
        let word = rest.get(..end).unwrap_or("");
        if word.is_empty() {
            return Err(self.error("a name was expected"));
        }
        self.at = self.at.saturating_add(end);
        Ok(word)
    }

    fn schema(&mut self, depth: usize) -> Result<Schema, SchemaError> {
        if depth >= MAX_DEPTH {
            return Err(self.error("it nests too deep"));
        }
        let inner = depth.saturating_add(1);
        if self.eat("?") {
            return Ok(Schema::Option(Box::new(self.schema(inner)?)));
        }
        if self.eat("(") {
            return Ok(Schema::Tuple(self.unnamed(inner)?));
        }
        if self.eat("[") {
            let item = Box::new(self.schema(inner)?);
            if self.eat("]") {
                return Ok(Schema::List(item));
            }
            self.expect(";", "`;` or `]` was expected")?;
            let len = self.word()?.parse().map_err(|_| self.error("a length was expected"))?;
            self.expect("]", "`]` was expected")?;
            return Ok(Schema::Array(item, len));
        }
        if self.eat("<") {
            return self.variants(inner);
        }
        if self.eat("{") {
            return self.struct_or_map(inner);
        }
        let start = self.at;
        let word = self.word()?;
        let leaf = Leaf::ALL.iter().find(|leaf| leaf.name() == word);
        leaf.map(|leaf| Schema::Leaf(*leaf)).ok_or(SchemaError { at: start, reason: "an unknown type" })
    }

    /// Fields up to and with the closing parenthesis.
    fn unnamed(&mut self, depth: usize) -> Result<Vec<Schema>, SchemaError> {
        let mut fields = Vec::new();
        while !self.eat(")") {
            if !fields.is_empty() {
                self.expect(",", "`,` or `)` was expected")?;
            }
            fields.push(self.schema(depth)?);
        }
        Ok(fields)
    }

    /// Fields up to and with the closing brace.
    fn named(&mut self, depth: usize) -> Result<Vec<(String, Schema)>, SchemaError> {
        let mut fields = Vec::new();
        while !self.eat("}") {
            if !fields.is_empty() {
                self.expect(",", "`,` or `}` was expected")?;
            }
            let name = self.word()?.to_owned();
            self.expect(":", "`:` was expected")?;
            fields.push((name, self.schema(depth)?));
        }
        Ok(fields)
    }

    /// A struct's first field is a name and a colon; everything else is a map's key.
    fn struct_or_map(&mut self, depth: usize) -> Result<Schema, SchemaError> {
        let start = self.at;
        let is_struct = self.eat("}") || (self.word().is_ok() && self.eat(":"));
        self.at = start;
        if is_struct {
            return self.named(depth).map(Schema::Struct);
        }
        let key = Box::new(self.schema(depth)?);
        self.expect("=>", "`=>` was expected")?;
        let value = Box::new(self.schema(depth)?);
        self.expect("}", "`}` was expected")?;
        Ok(Schema::Map(key, value))
    }

    fn variants(&mut self, depth: usize) -> Result<Schema, SchemaError> {
        let mut variants = Vec::new();
        while !self.eat(">") {
            if !variants.is_empty() {
                self.expect("|", "`|` or `>` was expected")?;
            }
            let name = self.word()?.to_owned();
            let fields = if self.eat("(") {
                VariantFields::Tuple(self.unnamed(depth)?)
            } else if self.eat("{") {
                VariantFields::Struct(self.named(depth)?)
            } else {
                VariantFields::Unit
            };
            variants.push(Variant { name, fields });
        }
        Ok(Schema::Enum(variants))
    }
}
