//! Errors as they are found, each with its place.

use quote::ToTokens;
use syn::Error;

/// All errors of one macro call.
#[derive(Default)]
pub(crate) struct Errors(Option<Error>);

impl Errors {
    /// Adds an error at `place`.
    pub(crate) fn push(&mut self, place: impl ToTokens, message: impl std::fmt::Display) {
        self.add(Error::new_spanned(place, message));
    }

    /// Adds an error that knows its place.
    pub(crate) fn add(&mut self, error: Error) {
        match &mut self.0 {
            Some(errors) => errors.combine(error),
            none => *none = Some(error),
        }
    }

    /// All errors as one, if there are any.
    pub(crate) fn into_error(self) -> Option<Error> {
        self.0
    }
}
