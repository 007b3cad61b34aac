//! What outlives a reload: values that the old version of a mod hands over, made to fit the new one.
//!
//! A mod that keeps state answers its save export with a list of [`SavedState`], and takes such a list through its
//! restore export. Between the two the host makes old values fit: fields are matched by name, what is new keeps the
//! value that the new version starts with, and what has no place any more is reported. The new version's own fresh
//! answer to the save export says what it starts with and what its types look like.

use alloc::{
    collections::{BTreeMap, BTreeSet},
    string::String,
    vec::Vec,
};
use core::fmt;

use serde::{Deserialize, Serialize};

use self::{
    fit::Fit,
    losses::{Losses, Path},
    output::Output,
};
use crate::{
    Schema,
    codec::MAX_VALUE_BYTES,
    walk::{Malformed, check_value},
};

mod fit;
mod losses;
mod output;

/// A value that outlives a reload. `S` is what holds a schema: a mod keeps the text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SavedState<S = Schema> {
    /// Its name, unique in the mod.
    pub name: String,
    /// What its type looks like.
    pub schema: S,
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

/// Makes the `old` version's values fit the new one, whose values at its start are `fresh`. Each old value is taken once,
/// also if several have the same name. Those that fit have together at most [`MAX_VALUE_BYTES`].
#[must_use]
pub fn carry_over(old: &[SavedState], fresh: &[SavedState]) -> CarriedOver {
    let (mut losses, mut room) = (Losses::default(), MAX_VALUE_BYTES);
    // The first of a name stands for it.
    let mut left: BTreeMap<&str, usize> =
        old.iter().enumerate().rev().map(|(place, old)| (old.name.as_str(), place)).collect();
    let mut taken = BTreeSet::new();
    let states = fresh.iter().map(|fresh| {
        let place = left.remove(fresh.name.as_str());
        taken.extend(place);
        let found = place.and_then(|place| old.get(place)).and_then(|old| {
            let path = Path::root(&old.name);
            let told = losses.0.len();
            let (was, is) = ((&old.schema, &*old.bytes), (&fresh.schema, Some(&*fresh.bytes)));
            let fitted = fitted(&path, was, is, &mut room, &mut losses);
            if fitted.is_err() {
                losses.0.truncate(told);
                losses.add(&path, format_args!("could not be read and starts anew"));
            }
            fitted.ok()
        });
        SavedState {
            name: fresh.name.clone(),
            schema: fresh.schema.clone(),
            bytes: found.unwrap_or_else(|| fresh.bytes.clone()),
        }
    });
    let states = states.collect();
    for (_, gone) in old.iter().enumerate().filter(|(place, _)| !taken.contains(place)) {
        losses.add(&Path::root(&gone.name), format_args!("is no longer kept"));
    }
    CarriedOver { states, losses: losses.0 }
}

/// A value whose type has changed, as one of the new type. What is new starts as in `start`, an encoding of the new type,
/// or as nothing. Appends a sentence to `losses` for each thing that was dropped, at most 64 of them.
///
/// # Errors
/// When `bytes` or `start` are no values of their types, when the new value would have more than [`MAX_VALUE_BYTES`], and
/// when no value of the new type can be made: of an enum without variants there is none.
pub fn migrate(
    name: &str,
    old: (&Schema, &[u8]),
    new: (&Schema, Option<&[u8]>),
    losses: &mut Vec<String>,
) -> Result<Vec<u8>, Malformed> {
    let (mut found, mut room) = (Losses::default(), MAX_VALUE_BYTES);
    let out = fitted(&Path::root(name), old, new, &mut room, &mut found)?;
    losses.append(&mut found.0);
    Ok(out)
}

/// How values of one type become values of another: as [`migrate`], for many values of the same two types, which are
/// compared once.
pub struct Migration<'a> {
    name: &'a str,
    old: &'a Schema,
    new: &'a Schema,
    start: Option<&'a [u8]>,
    fit: Fit<'a>,
    /// Whether the types are the same.
    is_same: bool,
    /// How many values may still say what they lose.
    telling: usize,
}

/// After so many values that lost something, the others do so without a word: most lose the same.
const MAX_TELLING: usize = 1024;

impl<'a> Migration<'a> {
    /// From `old` to `new`. What is new starts as in `start`, an encoding of the new type, or as nothing.
    ///
    /// # Errors
    /// When `start` is no value of its type.
    pub fn new(name: &'a str, old: &'a Schema, new: (&'a Schema, Option<&'a [u8]>)) -> Result<Self, Malformed> {
        let (new, start) = new;
        start.map_or(Ok(()), |start| check_value(new, start))?;
        Ok(Self { name, old, new, start, fit: Fit::new(old, new), is_same: old == new, telling: MAX_TELLING })
    }

    /// Migrates one value. What is written counts against `room`, in bytes, also if it is no value in the end. Adds a
    /// sentence to `losses` for each thing that was dropped and is not told there yet, at most 64 for one value.
    ///
    /// # Errors
    /// As [`migrate`], and when there is no room.
    pub fn run(
        &mut self,
        mut bytes: &[u8],
        room: &mut usize,
        losses: &mut BTreeSet<String>,
    ) -> Result<Vec<u8>, Malformed> {
        check_value(self.old, bytes)?;
        // What the value starts with is walked for each of them, so each pays for it.
        let mut start = self.start.filter(|_| !self.is_same);
        *room = room.checked_sub(start.map_or(0, <[u8]>::len)).ok_or(Malformed)?;
        let mut found = Losses::telling(self.telling > 0);
        let mut out = Output { bytes: Vec::new(), room, losses: &mut found };
        self.fit.run(&mut bytes, start.as_mut(), &Path::root(self.name), &mut out)?;
        let bytes = out.bytes;
        check_value(self.new, &bytes)?;
        if !found.0.is_empty() {
            self.telling = self.telling.saturating_sub(1);
            losses.append(&mut found.0.into_iter().collect());
        }
        Ok(bytes)
    }
}

impl fmt::Debug for Migration<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Migration").field("name", &self.name).finish_non_exhaustive()
    }
}

/// What is written counts against `room`, also if it is no value in the end.
fn fitted(
    path: &Path,
    (old, mut bytes): (&Schema, &[u8]),
    (new, mut start): (&Schema, Option<&[u8]>),
    room: &mut usize,
    losses: &mut Losses,
) -> Result<Vec<u8>, Malformed> {
    check_value(old, bytes)?;
    start.map_or(Ok(()), |start| check_value(new, start))?;
    let mut out = Output { bytes: Vec::new(), room, losses };
    Fit::new(old, new).run(&mut bytes, start.as_mut(), path, &mut out)?;
    check_value(new, &out.bytes)?;
    Ok(out.bytes)
}

#[cfg(test)]
mod tests;
