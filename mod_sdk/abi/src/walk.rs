//! Encoded values, walked along their schemas: where each ends, and whether its bytes are valid.

use alloc::vec::Vec;
use core::fmt;

use crate::{Leaf, Schema, VariantFields};

/// Bytes that are not a value of the type they should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Malformed;

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the bytes are not a value of their type")
    }
}

impl core::error::Error for Malformed {}

/// Checks that `bytes` are one value of that shape, with nothing left over: lengths, variants, texts, and every `bool`,
/// `char`, `entity` and `duration` in it.
///
/// Takes time in proportion to the bytes, whatever they are, if the schema was [read](Schema::parse).
///
/// # Errors
/// When they are not.
pub fn check_value(schema: &Schema, bytes: &[u8]) -> Result<(), Malformed> {
    walk_all(schema, bytes, &mut |_, _| ())
}

/// Replaces every entity's id in one value of that shape by what `map` makes of it.
///
/// Takes time in proportion to the bytes, as [`check_value`] does.
///
/// # Errors
/// When the bytes are not a value of that shape, and then nothing was replaced. When `map` answers with what is no id: the
/// lower half of one is never 0.
pub fn map_entities(schema: &Schema, bytes: &mut [u8], mut map: impl FnMut(u64) -> u64) -> Result<(), Malformed> {
    let (len, mut places) = (bytes.len(), Vec::new());
    walk_all(schema, bytes, &mut |leaf, rest| {
        if leaf == Leaf::Entity {
            places.push(len.saturating_sub(rest));
        }
    })?;
    for place in places {
        let id = bytes.get_mut(place..).and_then(<[u8]>::first_chunk_mut::<8>).ok_or(Malformed)?;
        let new = map(u64::from_le_bytes(*id)).to_le_bytes();
        if new.first_chunk::<4>() == Some(&[0; 4]) {
            return Err(Malformed);
        }
        *id = new;
    }
    Ok(())
}

/// Walks one value with nothing left over. `leaf` is told of each leaf, and how many bytes there are from it on.
fn walk_all<F: FnMut(Leaf, usize)>(schema: &Schema, bytes: &[u8], leaf: &mut F) -> Result<(), Malformed> {
    let mut rest = bytes;
    skip(schema, &mut rest, leaf)?;
    if rest.is_empty() { Ok(()) } else { Err(Malformed) }
}

/// Takes the bytes of one value of that shape from the front of `input`, checked as by [`check_value`].
///
/// # Errors
/// When `input` does not begin with one.
pub fn take_value<'a>(schema: &Schema, input: &mut &'a [u8]) -> Result<&'a [u8], Malformed> {
    let whole = *input;
    skip(schema, input, &mut |_, _| ())?;
    whole.get(..whole.len().saturating_sub(input.len())).ok_or(Malformed)
}

fn skip<F: FnMut(Leaf, usize)>(schema: &Schema, input: &mut &[u8], leaf: &mut F) -> Result<(), Malformed> {
    #[cfg(test)]
    crate::tests::step();
    match schema {
        Schema::Leaf(kind) => {
            leaf(*kind, input.len());
            skip_leaf(*kind, input)
        }
        Schema::Struct(fields) => skip_all(fields.iter().map(|(_, field)| field), input, leaf),
        Schema::Tuple(fields) => skip_all(fields, input, leaf),
        Schema::List(item) => {
            let len = take_len(item, input)?;
            (0..len).try_for_each(|_| skip(item, input, leaf))
        }
        Schema::Array(item, len) => (0..*len).try_for_each(|_| skip(item, input, leaf)),
        Schema::Option(item) => {
            if take_tag(input)? {
                skip(item, input, leaf)
            } else {
                Ok(())
            }
        }
        Schema::Map(key, value) => {
            let len = take_len(key, input)?;
            (0..len).try_for_each(|_| {
                skip(key, input, leaf)?;
                skip(value, input, leaf)
            })
        }
        Schema::Enum(variants) => {
            let index = usize::try_from(take_u32(input)?).map_err(|_| Malformed)?;
            match &variants.get(index).ok_or(Malformed)?.fields {
                VariantFields::Unit => Ok(()),
                VariantFields::Tuple(fields) => skip_all(fields, input, leaf),
                VariantFields::Struct(fields) => skip_all(fields.iter().map(|(_, field)| field), input, leaf),
            }
        }
    }
}

fn skip_all<'s, F: FnMut(Leaf, usize)>(
    parts: impl IntoIterator<Item = &'s Schema>,
    input: &mut &[u8],
    leaf: &mut F,
) -> Result<(), Malformed> {
    parts.into_iter().try_for_each(|part| skip(part, input, leaf))
}

fn skip_leaf(leaf: Leaf, input: &mut &[u8]) -> Result<(), Malformed> {
    let len = match (leaf, leaf.size()) {
        (_, Some(size)) => size,
        (Leaf::Str, None) => take_len(&Schema::Leaf(Leaf::U8), input)?,
        (_, None) => char_len(input)?,
    };
    let bytes = take_bytes(input, len)?;
    let is_valid = match leaf {
        Leaf::Bool => matches!(bytes, [0 | 1]),
        Leaf::Str | Leaf::Char => core::str::from_utf8(bytes).is_ok(),
        // The index in the lower half has a pattern that stands for none.
        Leaf::Entity => bytes.first_chunk::<4>().is_some_and(|low| *low != [0; 4]),
        Leaf::Duration => bytes.last_chunk::<4>().is_some_and(|nanos| u32::from_le_bytes(*nanos) < 1_000_000_000),
        _ => true,
    };
    if is_valid { Ok(()) } else { Err(Malformed) }
}

fn take_bytes<'a>(input: &mut &'a [u8], len: usize) -> Result<&'a [u8], Malformed> {
    let (front, rest) = input.split_at_checked(len).ok_or(Malformed)?;
    *input = rest;
    Ok(front)
}

pub(crate) fn take_u32(input: &mut &[u8]) -> Result<u32, Malformed> {
    take_bytes(input, 4)?.try_into().map(u32::from_le_bytes).map_err(|_| Malformed)
}

/// The number of a list's items or of a map's keys. A claim of more than there are bytes for is a lie.
pub(crate) fn take_len(item: &Schema, input: &mut &[u8]) -> Result<usize, Malformed> {
    let len = take_bytes(input, 8)?.try_into().map(u64::from_le_bytes).map_err(|_| Malformed)?;
    match usize::try_from(len).map_err(|_| Malformed)? {
        // Without items, no bytes pay for looking at their type.
        0 => Ok(0),
        len => {
            let most = input.len().checked_div(item.min_size()).ok_or(Malformed)?;
            if len <= most { Ok(len) } else { Err(Malformed) }
        }
    }
}

pub(crate) fn take_tag(input: &mut &[u8]) -> Result<bool, Malformed> {
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
