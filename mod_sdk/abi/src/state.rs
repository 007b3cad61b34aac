//! What outlives a reload: values that the old version of a mod hands over, made to fit the new one.
//!
//! A mod that keeps state answers its save export with a list of [`SavedState`], and takes such a list through its
//! restore export. Between the two the host makes old values fit: fields are matched by name, what is new keeps the
//! value that the new version starts with, and what has no place any more is reported. The new version's own fresh
//! answer to the save export says what it starts with and what its types look like.

use alloc::{
    borrow::ToOwned,
    collections::BTreeMap,
    format,
    string::{String, ToString},
    vec::Vec,
};
use core::fmt;

use serde::{Deserialize, Serialize};

use crate::{Leaf, Schema, Variant, VariantFields, codec::MAX_VALUE_BYTES};

/// The most losses that are reported one by one.
const MAX_LOSSES: usize = 64;

/// A value that outlives a reload.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SavedState {
    /// Its name, unique in the mod.
    pub name: String,
    /// What its type looks like.
    pub schema: Schema,
    /// Its bytes, as the codec would write them.
    pub bytes: Vec<u8>,
}

/// What the new version of a mod is to take over, and what could not be.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CarriedOver {
    /// One value for each of the new version's, in its order and of its types.
    pub states: Vec<SavedState>,
    /// A sentence for each value or field that was dropped.
    pub losses: Vec<String>,
}

/// Bytes that are not a value of the type they should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Malformed;

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the saved bytes are not a value of their type")
    }
}

impl core::error::Error for Malformed {}

/// Makes the `old` version's values fit the new one, whose values at its start are `fresh`.
#[must_use]
pub fn carry_over(old: &[SavedState], fresh: &[SavedState]) -> CarriedOver {
    let mut losses = Losses::default();
    let states = fresh.iter().map(|fresh| {
        let mut bytes = Vec::new();
        let fits = old.iter().find(|old| old.name == fresh.name).is_some_and(|old| {
            let new = New(&fresh.schema, Some(&fresh.bytes));
            let whole = is_whole(&old.schema, &old.bytes);
            let fitted =
                whole.and_then(|()| fit(Old(&old.schema, &old.bytes), new, &mut bytes, &old.name, &mut losses));
            if fitted.is_err() {
                losses.add(&old.name, "could not be read and starts anew");
            }
            fitted.is_ok()
        });
        SavedState { bytes: if fits { bytes } else { fresh.bytes.clone() }, ..fresh.clone() }
    });
    let states = states.collect();
    for gone in old.iter().filter(|old| fresh.iter().all(|fresh| fresh.name != old.name)) {
        losses.add(&gone.name, "is no longer kept");
    }
    CarriedOver { states, losses: losses.0 }
}

#[derive(Default)]
struct Losses(Vec<String>);

impl Losses {
    fn add(&mut self, path: &str, what: &str) {
        if self.0.len() < MAX_LOSSES {
            self.0.push(format!("{path} {what}"));
        }
    }
}

/// A value of the old version: its type and its bytes, all of them.
#[derive(Clone, Copy)]
struct Old<'a>(&'a Schema, &'a [u8]);

/// A place in the new version: its type, and the value that it starts with where there is one.
#[derive(Clone, Copy)]
struct New<'a>(&'a Schema, Option<&'a [u8]>);

/// Writes the old value as one of the new type.
fn fit(old: Old, new: New, out: &mut Vec<u8>, path: &str, losses: &mut Losses) -> Result<(), Malformed> {
    let (Old(was, bytes), New(is, start)) = (old, new);
    let mut input = bytes;
    if was == is {
        out.extend_from_slice(bytes);
        return Ok(());
    }
    match (was, is) {
        (Schema::Struct(was), Schema::Struct(is)) => {
            let parts = named_parts(was, &mut input)?;
            let starts = start.map(|mut start| named_parts(is, &mut start)).transpose()?;
            fit_named(&parts, is, starts.as_ref(), out, path, losses)
        }
        (Schema::Tuple(was), Schema::Tuple(is)) => {
            let parts = parts(was, &mut input)?;
            let starts = start.map(|mut start| crate::state::parts(is, &mut start)).transpose()?;
            fit_unnamed(&parts, is, starts.as_deref(), out, path, losses)
        }
        (Schema::List(was), Schema::List(is)) => {
            let len = take_len(&mut input)?;
            out.extend_from_slice(&(len as u64).to_le_bytes());
            (0..len).try_for_each(|_| fit(Old(was, take(was, &mut input)?), New(is, None), out, path, losses))
        }
        (Schema::Array(was, from), Schema::Array(is, to)) if from == to => {
            (0..*from).try_for_each(|_| fit(Old(was, take(was, &mut input)?), New(is, None), out, path, losses))
        }
        (Schema::Option(was), Schema::Option(is)) => {
            let some = take_tag(&mut input)?;
            out.push(u8::from(some));
            if some { fit(Old(was, input), New(is, None), out, path, losses) } else { Ok(()) }
        }
        (Schema::Map(was_key, was), Schema::Map(is_key, is)) if was_key == is_key => {
            let len = take_len(&mut input)?;
            out.extend_from_slice(&(len as u64).to_le_bytes());
            (0..len).try_for_each(|_| {
                out.extend_from_slice(take(was_key, &mut input)?);
                fit(Old(was, take(was, &mut input)?), New(is, None), out, path, losses)
            })
        }
        (Schema::Enum(was), Schema::Enum(is)) => fit_variant(was, input, is, new, out, path, losses),
        (Schema::Leaf(from), Schema::Leaf(to)) => match widened(*from, *to, bytes) {
            Some(wider) => {
                out.extend_from_slice(&wider);
                Ok(())
            }
            None => start_anew(old, new, out, path, losses),
        },
        _ => start_anew(old, new, out, path, losses),
    }
}

/// Gives a place the value that it starts with, because the old one does not fit.
fn start_anew(old: Old, new: New, out: &mut Vec<u8>, path: &str, losses: &mut Losses) -> Result<(), Malformed> {
    losses.add(path, &format!("was {} and is {} now, so it starts anew", short(old.0), short(new.0)));
    fill(new, out)
}

fn short(schema: &Schema) -> String {
    schema.to_string().chars().take(60).collect()
}

/// Writes the value that a place starts with: its own, or nothing of its type (0, "", none, an empty list).
fn fill(new: New, out: &mut Vec<u8>) -> Result<(), Malformed> {
    let New(schema, start) = new;
    if out.len() > MAX_VALUE_BYTES {
        return Err(Malformed);
    }
    if let Some(start) = start {
        out.extend_from_slice(start);
        return Ok(());
    }
    let each = |parts: &[Schema], out: &mut Vec<u8>| parts.iter().try_for_each(|part| fill(New(part, None), out));
    match schema {
        Schema::Leaf(leaf) => out.resize(
            out.len().saturating_add(leaf.size().unwrap_or(match leaf {
                Leaf::Char => 1,
                _ => 8,
            })),
            0,
        ),
        Schema::Struct(fields) => fields.iter().try_for_each(|(_, field)| fill(New(field, None), out))?,
        Schema::Tuple(fields) => each(fields, out)?,
        Schema::List(_) | Schema::Map(..) => out.extend_from_slice(&[0; 8]),
        Schema::Array(item, len) => {
            let len = usize::try_from(*len).ok().filter(|len| *len <= MAX_VALUE_BYTES).ok_or(Malformed)?;
            (0..len).try_for_each(|_| fill(New(item, None), out))?;
        }
        Schema::Option(_) => out.push(0),
        Schema::Enum(variants) => {
            out.extend_from_slice(&[0; 4]);
            match variants.first().map(|variant| &variant.fields) {
                Some(VariantFields::Unit) => {}
                Some(VariantFields::Tuple(fields)) => each(fields, out)?,
                Some(VariantFields::Struct(fields)) => {
                    fields.iter().try_for_each(|(_, field)| fill(New(field, None), out))?;
                }
                None => return Err(Malformed),
            }
        }
    }
    Ok(())
}

type NamedParts<'a> = BTreeMap<&'a str, Old<'a>>;

fn fit_named(
    old: &NamedParts,
    is: &[(String, Schema)],
    starts: Option<&NamedParts>,
    out: &mut Vec<u8>,
    path: &str,
    losses: &mut Losses,
) -> Result<(), Malformed> {
    for (name, schema) in is {
        let new = New(schema, starts.and_then(|starts| starts.get(name.as_str())).map(|Old(_, bytes)| *bytes));
        match old.get(name.as_str()) {
            Some(old) => fit(*old, new, out, &format!("{path}.{name}"), losses)?,
            None => fill(new, out)?,
        }
    }
    for name in old.keys().filter(|name| is.iter().all(|(known, _)| known != *name)) {
        losses.add(&format!("{path}.{name}"), "is no longer kept");
    }
    Ok(())
}

fn fit_unnamed(
    old: &[Old],
    is: &[Schema],
    starts: Option<&[Old]>,
    out: &mut Vec<u8>,
    path: &str,
    losses: &mut Losses,
) -> Result<(), Malformed> {
    for (index, schema) in is.iter().enumerate() {
        let new = New(schema, starts.and_then(|starts| starts.get(index)).map(|Old(_, bytes)| *bytes));
        match old.get(index) {
            Some(old) => fit(*old, new, out, &format!("{path}.{index}"), losses)?,
            None => fill(new, out)?,
        }
    }
    for index in is.len()..old.len() {
        losses.add(&format!("{path}.{index}"), "is no longer kept");
    }
    Ok(())
}

/// Variants are matched by name.
fn fit_variant<'a>(
    was: &'a [Variant],
    mut input: &'a [u8],
    is: &[Variant],
    new: New,
    out: &mut Vec<u8>,
    path: &str,
    losses: &mut Losses,
) -> Result<(), Malformed> {
    let old = was.get(take_u32(&mut input)? as usize).ok_or(Malformed)?;
    let found = is.iter().enumerate().find(|(_, variant)| variant.name == old.name);
    let Some((index, variant)) = found else {
        losses.add(path, &format!("was {}, which is no longer there, so it starts anew", old.name));
        return fill(new, out);
    };
    let path = format!("{path}.{}", old.name);
    out.extend_from_slice(&u32::try_from(index).map_err(|_| Malformed)?.to_le_bytes());
    match (&old.fields, &variant.fields) {
        (VariantFields::Tuple(was), VariantFields::Tuple(is)) => {
            fit_unnamed(&parts(was, &mut input)?, is, None, out, &path, losses)
        }
        (VariantFields::Struct(was), VariantFields::Struct(is)) => {
            fit_named(&named_parts(was, &mut input)?, is, None, out, &path, losses)
        }
        (_, VariantFields::Tuple(is)) => fit_unnamed(&[], is, None, out, &path, losses),
        (_, VariantFields::Struct(is)) => fit_named(&BTreeMap::new(), is, None, out, &path, losses),
        (_, VariantFields::Unit) => Ok(()),
    }
}

fn named_parts<'a>(fields: &'a [(String, Schema)], input: &mut &'a [u8]) -> Result<NamedParts<'a>, Malformed> {
    fields.iter().map(|(name, schema)| Ok((name.as_str(), Old(schema, take(schema, input)?)))).collect()
}

fn parts<'a>(fields: &'a [Schema], input: &mut &'a [u8]) -> Result<Vec<Old<'a>>, Malformed> {
    fields.iter().map(|schema| Ok(Old(schema, take(schema, input)?))).collect()
}

/// A number in a wider type, if every value of the narrow one has a place there.
fn widened(from: Leaf, to: Leaf, bytes: &[u8]) -> Option<Vec<u8>> {
    let signed = |leaf| matches!(leaf, Leaf::I8 | Leaf::I16 | Leaf::I32 | Leaf::I64 | Leaf::I128);
    let unsigned = |leaf| matches!(leaf, Leaf::U8 | Leaf::U16 | Leaf::U32 | Leaf::U64 | Leaf::U128);
    let wider = to.size()? > from.size()?;
    if from == Leaf::F32 && to == Leaf::F64 {
        let value = f32::from_le_bytes(bytes.try_into().ok()?);
        return Some(f64::from(value).to_le_bytes().to_vec());
    }
    let fits = wider && ((unsigned(from) && (unsigned(to) || signed(to))) || (signed(from) && signed(to)));
    let negative = signed(from) && bytes.last().is_some_and(|last| last & 0x80 != 0);
    fits.then(|| {
        let mut wide = bytes.to_owned();
        wide.resize(to.size().unwrap_or(0), if negative { 0xff } else { 0 });
        wide
    })
}

/// Whether `bytes` are one value, and nothing is left over.
fn is_whole(schema: &Schema, bytes: &[u8]) -> Result<(), Malformed> {
    let mut rest = bytes;
    skip(schema, &mut rest)?;
    if rest.is_empty() { Ok(()) } else { Err(Malformed) }
}

/// Takes the bytes of one value from the front of `input`.
fn take<'a>(schema: &Schema, input: &mut &'a [u8]) -> Result<&'a [u8], Malformed> {
    let whole = *input;
    skip(schema, input)?;
    whole.get(..whole.len().saturating_sub(input.len())).ok_or(Malformed)
}

fn skip(schema: &Schema, input: &mut &[u8]) -> Result<(), Malformed> {
    let all = |parts: &[Schema], input: &mut &[u8]| parts.iter().try_for_each(|part| skip(part, input));
    let named =
        |parts: &[(String, Schema)], input: &mut &[u8]| parts.iter().try_for_each(|(_, part)| skip(part, input));
    match schema {
        Schema::Leaf(leaf) => {
            let len = match leaf.size() {
                Some(size) => size,
                None if *leaf == Leaf::Str => take_len(input)?,
                None => char_len(input)?,
            };
            take_bytes(input, len).map(drop)
        }
        Schema::Struct(fields) => named(fields, input),
        Schema::Tuple(fields) => all(fields, input),
        Schema::List(item) => {
            let len = take_len(input)?;
            (0..len).try_for_each(|_| skip(item, input))
        }
        Schema::Array(item, len) => match item.fixed_size() {
            Some(size) => {
                let len = usize::try_from(*len).ok().and_then(|len| len.checked_mul(size));
                take_bytes(input, len.ok_or(Malformed)?).map(drop)
            }
            None => (0..*len).try_for_each(|_| skip(item, input)),
        },
        Schema::Option(item) => {
            if take_tag(input)? {
                skip(item, input)
            } else {
                Ok(())
            }
        }
        Schema::Map(key, value) => {
            let len = take_len(input)?;
            (0..len).try_for_each(|_| {
                skip(key, input)?;
                skip(value, input)
            })
        }
        Schema::Enum(variants) => {
            let variant = variants.get(take_u32(input)? as usize).ok_or(Malformed)?;
            match &variant.fields {
                VariantFields::Unit => Ok(()),
                VariantFields::Tuple(fields) => all(fields, input),
                VariantFields::Struct(fields) => named(fields, input),
            }
        }
    }
}

fn take_bytes<'a>(input: &mut &'a [u8], len: usize) -> Result<&'a [u8], Malformed> {
    let (front, rest) = input.split_at_checked(len).ok_or(Malformed)?;
    *input = rest;
    Ok(front)
}

fn take_u32(input: &mut &[u8]) -> Result<u32, Malformed> {
    take_bytes(input, 4)?.try_into().map(u32::from_le_bytes).map_err(|_| Malformed)
}

/// The length of a list. Items take at least a byte, so that a longer claim is a lie.
fn take_len(input: &mut &[u8]) -> Result<usize, Malformed> {
    let len = take_bytes(input, 8)?.try_into().map(u64::from_le_bytes).map_err(|_| Malformed)?;
    usize::try_from(len).ok().filter(|len| *len <= input.len()).ok_or(Malformed)
}

fn take_tag(input: &mut &[u8]) -> Result<bool, Malformed> {
    match take_bytes(input, 1)? {
        [0] => Ok(false),
        [1] => Ok(true),
        _ => Err(Malformed),
    }
}

fn char_len(input: &[u8]) -> Result<usize, Malformed> {
    Ok(match input.first().ok_or(Malformed)? {
        0x00..=0x7f => 1,
        0xc0..=0xdf => 2,
        0xe0..=0xef => 3,
        _ => 4,
    })
}

#[cfg(test)]
mod tests;
