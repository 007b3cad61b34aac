//! What could not be carried over, as sentences for a person. Their number and length are bounded, because the names in
//! them come from mods.

use alloc::{
    format,
    string::{String, ToString},
    vec::Vec,
};
use core::fmt;

use crate::Schema;

/// The most losses that are reported one by one.
pub(super) const MAX_LOSSES: usize = 64;

/// The most characters of a path, and of a name in a sentence.
pub(super) const MAX_CHARS: usize = 200;

/// The most characters of a type in a sentence.
const MAX_TYPE_CHARS: usize = 60;

/// The sentences, and how many there may be.
pub(super) struct Losses(pub(super) Vec<String>, usize);

impl Default for Losses {
    fn default() -> Self {
        Self(Vec::new(), MAX_LOSSES)
    }
}

impl Losses {
    /// For values that may say what they lose, or not.
    pub(super) fn telling(tells: bool) -> Self {
        Self(Vec::new(), if tells { MAX_LOSSES } else { 0 })
    }

    /// Only a sentence that is kept is written.
    pub(super) fn add(&mut self, path: &Path, what: fmt::Arguments) {
        if self.0.len() < self.1 {
            self.0.push(format!("{} {what}", Cut(&path.to_string(), MAX_CHARS)));
        }
    }
}

/// The name of a field, or the place of one without a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Name<'a> {
    Named(&'a str),
    Place(usize),
}

/// Where something is in a value: the names of the fields that lead there. It is written only for a loss.
#[derive(Clone, Copy)]
pub(super) struct Path<'a> {
    outer: Option<&'a Self>,
    name: Name<'a>,
}

impl<'a> Path<'a> {
    pub(super) const fn root(name: &'a str) -> Self {
        Self { outer: None, name: Name::Named(name) }
    }

    pub(super) const fn field(&'a self, name: Name<'a>) -> Self {
        Self { outer: Some(self), name }
    }
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(outer) = self.outer {
            write!(f, "{outer}.")?;
        }
        match self.name {
            Name::Named(name) => Cut(name, MAX_CHARS).fmt(f),
            Name::Place(place) => place.fmt(f),
        }
    }
}

/// The beginning of a text.
pub(super) struct Cut<'a>(pub(super) &'a str, pub(super) usize);

impl fmt::Display for Cut<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(text, most) = *self;
        match text.char_indices().nth(most) {
            Some((end, _)) => write!(f, "{}...", text.get(..end).unwrap_or("")),
            None => f.write_str(text),
        }
    }
}

/// The beginning of a type.
pub(super) struct Short<'a>(pub(super) &'a Schema);

impl fmt::Display for Short<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Cut(&self.0.to_string(), MAX_TYPE_CHARS).fmt(f)
    }
}
