//! From a schema's text to the schema. It must not know values: what it lets through is safe to walk them along.

use alloc::{borrow::ToOwned, boxed::Box, collections::BTreeSet, string::String, vec::Vec};

use super::{Leaf, MAX_DEPTH, MAX_EMPTY_PARTS, MAX_SCHEMA_BYTES, Schema, SchemaError, Variant, VariantFields};
use crate::codec::MAX_VALUE_BYTES;

impl Schema {
    /// Reads a schema's text. It may come from a hostile mod: walking a value along a schema that was read takes no
    /// more steps than the value's bytes pay for.
    ///
    /// # Errors
    /// When the text is not a schema, or one of these:
    /// - it is longer than [`MAX_SCHEMA_BYTES`] or nests deeper than [`MAX_DEPTH`];
    /// - two fields of a struct or two variants of an enum have the same name;
    /// - the items of a list or the keys of a map take no bytes;
    /// - more than [`MAX_EMPTY_PARTS`] parts take no bytes;
    /// - a value of it, or of any part of it, takes more than [`MAX_VALUE_BYTES`].
    pub fn parse(text: &str) -> Result<Self, SchemaError> {
        let mut parser = Parser { text, at: 0 };
        if text.len() > MAX_SCHEMA_BYTES {
            return Err(parser.error("its text is longer than 64 KiB"));
        }
        let schema = parser.schema(0)?;
        if !parser.rest().is_empty() {
            return Err(parser.error("nothing more was expected"));
        }
        if schema.empty_parts() > MAX_EMPTY_PARTS {
            return Err(parser.error("more than 64 of its parts take no bytes"));
        }
        Ok(schema)
    }
}

/// What a function takes and returns, `(a,b)->c`, each a schema or `_`.
pub(crate) fn parse_signature(text: &str) -> Result<(Vec<Option<Schema>>, Option<Schema>), SchemaError> {
    let mut parser = Parser { text, at: 0 };
    if text.len() > MAX_SCHEMA_BYTES {
        return Err(parser.error("its text is longer than 64 KiB"));
    }
    parser.expect("(", "`(` was expected")?;
    let mut args = Vec::new();
    while !parser.eat(")") {
        if !args.is_empty() {
            parser.expect(",", "`,` or `)` was expected")?;
        }
        args.push(parser.stated()?);
    }
    parser.expect("->", "`->` was expected")?;
    let result = parser.stated()?;
    if parser.rest().is_empty() { Ok((args, result)) } else { Err(parser.error("nothing more was expected")) }
}

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

    /// A schema, or `_` for one that is not stated.
    fn stated(&mut self) -> Result<Option<Schema>, SchemaError> {
        if self.eat("_") {
            return Ok(None);
        }
        let at = self.at;
        let schema = self.schema(0)?;
        if schema.empty_parts() > MAX_EMPTY_PARTS {
            return Err(SchemaError { at, reason: "more than 64 of its parts take no bytes" });
        }
        Ok(Some(schema))
    }

    /// A name that is not among the earlier ones.
    fn name(&mut self, earlier: &mut BTreeSet<&'a str>, reason: &'static str) -> Result<String, SchemaError> {
        let at = self.at;
        let name = self.word()?;
        if earlier.insert(name) { Ok(name.to_owned()) } else { Err(SchemaError { at, reason }) }
    }

    fn schema(&mut self, depth: usize) -> Result<Schema, SchemaError> {
        if depth >= MAX_DEPTH {
            return Err(self.error("it nests too deep"));
        }
        let at = self.at;
        let schema = self.any(depth)?;
        // Every part is checked, also one that a value can do without, so that no product of lengths is out of bounds.
        if schema.min_size() > MAX_VALUE_BYTES {
            return Err(SchemaError { at, reason: "a value of it would take more than 64 MiB" });
        }
        Ok(schema)
    }

    fn any(&mut self, depth: usize) -> Result<Schema, SchemaError> {
        let inner = depth.saturating_add(1);
        if self.eat("?") {
            return Ok(Schema::Option(Box::new(self.schema(inner)?)));
        }
        if self.eat("(") {
            return Ok(Schema::Tuple(self.unnamed(inner)?));
        }
        if self.eat("[") {
            let at = self.at;
            let item = self.schema(inner)?;
            if self.eat("]") {
                return repeated(item, at).map(Schema::List);
            }
            self.expect(";", "`;` or `]` was expected")?;
            let len = self.word()?.parse().map_err(|_| self.error("a length was expected"))?;
            self.expect("]", "`]` was expected")?;
            return Ok(Schema::Array(Box::new(item), len));
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
        let (mut fields, mut names) = (Vec::new(), BTreeSet::new());
        while !self.eat("}") {
            if !fields.is_empty() {
                self.expect(",", "`,` or `}` was expected")?;
            }
            let name = self.name(&mut names, "an earlier field has the same name")?;
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
        let key = repeated(self.schema(depth)?, start)?;
        self.expect("=>", "`=>` was expected")?;
        let value = Box::new(self.schema(depth)?);
        self.expect("}", "`}` was expected")?;
        Ok(Schema::Map(key, value))
    }

    fn variants(&mut self, depth: usize) -> Result<Schema, SchemaError> {
        let (mut variants, mut names) = (Vec::new(), BTreeSet::new());
        while !self.eat(">") {
            if !variants.is_empty() {
                self.expect("|", "`|` or `>` was expected")?;
            }
            let name = self.name(&mut names, "an earlier variant has the same name")?;
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

/// The items of a list or the keys of a map. A value could have any number of them if they took no bytes.
fn repeated(item: Schema, at: usize) -> Result<Box<Schema>, SchemaError> {
    if item.min_size() == 0 {
        return Err(SchemaError { at, reason: "the items of a list and the keys of a map have to take bytes" });
    }
    Ok(Box::new(item))
}
