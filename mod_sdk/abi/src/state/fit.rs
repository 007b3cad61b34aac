//! How a value of one type becomes one of another.
//!
//! The two types are compared once, before the first byte is read: a list may hold millions of items, and looking up
//! names for each of them would let a mod with a long schema keep the host busy. It must not know where values come from.

use alloc::{boxed::Box, collections::BTreeMap, string::String, vec::Vec};

use super::{
    losses::{Cut, MAX_CHARS, Name, Path, Short},
    output::Output,
};
use crate::{
    Leaf, Schema, VariantFields,
    walk::{Malformed, take_len, take_tag, take_u32, take_value},
};

/// How a value of an old type becomes one of a new type.
pub(super) struct Fit<'a> {
    was: &'a Schema,
    is: &'a Schema,
    how: How<'a>,
}

enum How<'a> {
    /// The types are the same.
    Copy,
    /// Every number of the old type has a place in the new one.
    Widen(Leaf, Leaf),
    Fields(Fields<'a>),
    List(Box<Fit<'a>>),
    Array(Box<Fit<'a>>, u32),
    Option(Box<Fit<'a>>),
    /// Keys of the same type, and how their values fit.
    Map(&'a Schema, Box<Fit<'a>>),
    /// The old variants.
    Enum(Vec<OldVariant<'a>>),
    /// The old value does not fit.
    Anew,
}

struct OldVariant<'a> {
    name: &'a str,
    fields: Fields<'a>,
    /// Its index now, if there still is such a variant.
    index: Option<u32>,
}

type NamedSchema<'a> = (Name<'a>, &'a Schema);

struct Fields<'a> {
    was: Vec<&'a Schema>,
    is: Vec<Field<'a>>,
    gone: Vec<Name<'a>>,
    /// Whether the fields that are still there are in the old order, apart from those without bytes.
    in_order: bool,
}

struct Field<'a> {
    name: Name<'a>,
    schema: &'a Schema,
    from: Option<Source<'a>>,
}

/// What the value of a new field is made from.
struct Source<'a> {
    place: usize,
    takes_bytes: bool,
    fit: Fit<'a>,
}

impl<'a> Fit<'a> {
    pub(super) fn new(was: &'a Schema, is: &'a Schema) -> Self {
        #[cfg(test)]
        crate::tests::step();
        let inner = |was, is| Box::new(Self::new(was, is));
        let how = match (was, is) {
            _ if was == is => How::Copy,
            (Schema::Leaf(from), Schema::Leaf(to)) if widens(*from, *to) => How::Widen(*from, *to),
            (Schema::Struct(was), Schema::Struct(is)) => How::Fields(Fields::new(&named(was), named(is))),
            (Schema::Tuple(was), Schema::Tuple(is)) => How::Fields(Fields::new(&unnamed(was), unnamed(is))),
            (Schema::List(was), Schema::List(is)) => How::List(inner(was, is)),
            (Schema::Array(was, from), Schema::Array(is, to)) if from == to => How::Array(inner(was, is), *from),
            (Schema::Option(was), Schema::Option(is)) => How::Option(inner(was, is)),
            (Schema::Map(was_key, was), Schema::Map(is_key, is)) if was_key == is_key => {
                How::Map(was_key, inner(was, is))
            }
            (Schema::Enum(was), Schema::Enum(is)) => {
                let known: BTreeMap<_, _> =
                    is.iter().zip(0_u32..).map(|(variant, index)| (variant.name.as_str(), (index, variant))).collect();
                let variants = was.iter().map(|old| {
                    let found = known.get(old.name.as_str());
                    let is = found.map_or_else(Vec::new, |(_, variant)| fields_of(&variant.fields));
                    let fields = Fields::new(&fields_of(&old.fields), is);
                    OldVariant { name: &old.name, fields, index: found.map(|(index, _)| *index) }
                });
                How::Enum(variants.collect())
            }
            _ => How::Anew,
        };
        Self { was, is, how }
    }

    /// Takes a value of the old type from the front of `old`, and of the new type from the front of `start` where the
    /// new value starts with one. Writes the new value.
    pub(super) fn run(
        &self,
        old: &mut &[u8],
        start: Option<&mut &[u8]>,
        path: &Path,
        out: &mut Output,
    ) -> Result<(), Malformed> {
        #[cfg(test)]
        crate::tests::step();
        if let How::Fields(fields) = &self.how {
            return fields.run(old, start, path, out);
        }
        let start = start.map(|start| take_value(self.is, start)).transpose()?;
        match &self.how {
            How::Copy => out.write(take_value(self.was, old)?),
            How::Widen(from, to) => widen(*from, *to, take_value(self.was, old)?, out),
            // Returned above.
            How::Fields(_) => Err(Malformed),
            How::List(item) => {
                let len = take_len(item.was, old)?;
                out.write_len(len)?;
                (0..len).try_for_each(|_| item.run(old, None, path, out))
            }
            How::Array(item, len) => (0..*len).try_for_each(|_| item.run(old, None, path, out)),
            How::Option(item) => {
                let some = take_tag(old)?;
                out.write(&[u8::from(some)])?;
                if some { item.run(old, None, path, out) } else { Ok(()) }
            }
            How::Map(key, value) => {
                let len = take_len(key, old)?;
                out.write_len(len)?;
                (0..len).try_for_each(|_| {
                    out.write(take_value(key, old)?)?;
                    value.run(old, None, path, out)
                })
            }
            How::Enum(variants) => {
                let index = usize::try_from(take_u32(old)?).map_err(|_| Malformed)?;
                let variant = variants.get(index).ok_or(Malformed)?;
                let Some(index) = variant.index else {
                    let name = Cut(variant.name, MAX_CHARS);
                    out.losses.add(path, format_args!("was {name}, which is no longer there, so it starts anew"));
                    pass(&variant.fields.was, old)?;
                    return fill(self.is, start, out);
                };
                out.write(&index.to_le_bytes())?;
                variant.fields.run(old, None, &path.field(Name::Named(variant.name)), out)
            }
            How::Anew => {
                let (was, is) = (Short(self.was), Short(self.is));
                out.losses.add(path, format_args!("was {was} and is {is} now, so it starts anew"));
                pass(&[self.was], old)?;
                fill(self.is, start, out)
            }
        }
    }
}

impl<'a> Fields<'a> {
    fn new(was: &[NamedSchema<'a>], is: Vec<NamedSchema<'a>>) -> Self {
        let mut left: BTreeMap<_, _> =
            was.iter().enumerate().map(|(place, (name, schema))| (*name, (place, *schema))).collect();
        let is = is.into_iter().map(|(name, schema)| {
            let from = left.remove(&name).map(|(place, was)| Source {
                place,
                takes_bytes: was.min_size() > 0,
                fit: Fit::new(was, schema),
            });
            Field { name, schema, from }
        });
        let is: Vec<_> = is.collect();
        let places = is.iter().filter_map(|field| field.from.as_ref());
        let in_order = places.filter(|from| from.takes_bytes).map(|from| from.place).is_sorted();
        let was = was.iter().map(|(_, schema)| *schema).collect();
        Self { was, is, gone: left.into_keys().collect(), in_order }
    }

    fn run(
        &self,
        old: &mut &[u8],
        mut start: Option<&mut &[u8]>,
        path: &Path,
        out: &mut Output,
    ) -> Result<(), Malformed> {
        // Finding the parts is a walk of its own, so that it is done only where they have changed places.
        let parts = if self.in_order { Vec::new() } else { parts(&self.was, old)? };
        let mut next = 0;
        for field in &self.is {
            let start = start.as_deref_mut();
            let Some(from) = &field.from else {
                let start = start.map(|start| take_value(field.schema, start)).transpose()?;
                fill(field.schema, start, out)?;
                continue;
            };
            let mut part = parts.get(from.place).copied().unwrap_or_default();
            let is_read_here = self.in_order && from.takes_bytes;
            if is_read_here {
                pass(self.was.get(next..from.place).ok_or(Malformed)?, old)?;
                next = from.place.saturating_add(1);
            }
            from.fit.run(if is_read_here { old } else { &mut part }, start, &path.field(field.name), out)?;
        }
        if self.in_order {
            pass(self.was.get(next..).ok_or(Malformed)?, old)?;
        }
        for name in &self.gone {
            out.losses.add(&path.field(*name), format_args!("is no longer kept"));
        }
        Ok(())
    }
}

/// Writes the value that a place starts with: its own, or nothing of its type.
fn fill(schema: &Schema, start: Option<&[u8]>, out: &mut Output) -> Result<(), Malformed> {
    match start {
        Some(start) => out.write(start),
        None => out.write_nothing(schema),
    }
}

fn named(fields: &[(String, Schema)]) -> Vec<NamedSchema<'_>> {
    fields.iter().map(|(name, schema)| (Name::Named(name), schema)).collect()
}

fn unnamed(fields: &[Schema]) -> Vec<NamedSchema<'_>> {
    fields.iter().enumerate().map(|(place, schema)| (Name::Place(place), schema)).collect()
}

fn fields_of(fields: &VariantFields) -> Vec<NamedSchema<'_>> {
    match fields {
        VariantFields::Unit => Vec::new(),
        VariantFields::Tuple(fields) => unnamed(fields),
        VariantFields::Struct(fields) => named(fields),
    }
}

/// Takes values that nobody wants.
fn pass(schemas: &[&Schema], input: &mut &[u8]) -> Result<(), Malformed> {
    schemas.iter().try_for_each(|schema| take_value(schema, input).map(|_| ()))
}

fn parts<'b>(schemas: &[&Schema], input: &mut &'b [u8]) -> Result<Vec<&'b [u8]>, Malformed> {
    schemas.iter().map(|schema| take_value(schema, input)).collect()
}

/// Whether every value of a number's type has a place in another type, which is wider.
fn widens(from: Leaf, to: Leaf) -> bool {
    let signed = |leaf| matches!(leaf, Leaf::I8 | Leaf::I16 | Leaf::I32 | Leaf::I64 | Leaf::I128);
    let unsigned = |leaf| matches!(leaf, Leaf::U8 | Leaf::U16 | Leaf::U32 | Leaf::U64 | Leaf::U128);
    let is_kept = (unsigned(from) && (unsigned(to) || signed(to))) || (signed(from) && signed(to));
    (from == Leaf::F32 && to == Leaf::F64) || (is_kept && to.size() > from.size())
}

fn widen(from: Leaf, to: Leaf, bytes: &[u8], out: &mut Output) -> Result<(), Malformed> {
    if from == Leaf::F32 {
        let value = f32::from_le_bytes(bytes.try_into().map_err(|_| Malformed)?);
        return out.write(&f64::from(value).to_le_bytes());
    }
    let is_signed = matches!(from, Leaf::I8 | Leaf::I16 | Leaf::I32 | Leaf::I64);
    let is_negative = is_signed && bytes.last().is_some_and(|last| last & 0x80 != 0);
    let sign = if is_negative { [0xff; 16] } else { [0; 16] };
    out.write(bytes)?;
    out.write(sign.get(..to.min_size().saturating_sub(bytes.len())).ok_or(Malformed)?)
}
