//! How a type of the game looks in a mod: its shape, and its bytes in both directions.
//!
//! The bytes are those that `mod_abi::codec` produces for the same type, but a row needs no serde: it is written and
//! read field by field. This room must not know columns, queries or the border.

mod collections;
mod leaves;
mod math;
mod stated;
mod text;

use std::{any::type_name, error::Error, fmt};

use mod_abi::Schema;
pub use stated::{NotStated, Stated};
pub use text::SchemaText;

/// A type whose values can cross between the game and the mod, as a component, as a resource or inside of one.
///
/// Derive it for types that stand inside of others; `#[derive(Component)]` and `#[derive(Resource)]` include it.
///
/// ```
/// use mod_sdk::prelude::*;
///
/// #[derive(Reflect)]
/// enum Mood {
///     Calm,
///     Angry { at: Entity },
/// }
///
/// #[derive(Component)]
/// #[component(path = "orchard::Bee")]
/// struct Bee {
///     name: String,
///     mood: Mood,
/// }
/// # assert_eq!(Bee::SCHEMA.to_string(), "{name:str,mood:<Calm|Angry{at:entity}>}");
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot cross between the game and the mod",
    label = "this type is not `Reflect`",
    note = "derive `Reflect` for types of your own; numbers, strings, collections, options, tuples, `Entity` and the types \
            of glam already are"
)]
pub trait Reflect: Sized + 'static {
    /// The bytes that every value takes, or `None` where that depends on the value.
    const STRIDE: Option<usize>;

    /// The text of the type's shape, as the game's reflection should see it. `docs/abi.md` says how it is written.
    const SCHEMA: SchemaText;

    /// Whether the type's memory is its bytes, so that a column of it needs no decoding.
    #[doc(hidden)]
    const IN_PLACE: InPlace = InPlace::NO;

    /// The shape, as the game's reflection should see it.
    fn schema() -> Schema {
        let text = Self::SCHEMA.to_string();
        Schema::parse(&text).unwrap_or_else(|error| panic!("`{}` is {text}: {error}", type_name::<Self>()))
    }

    /// Appends the value's bytes.
    fn write(&self, out: &mut Vec<u8>);

    /// Takes a value's bytes from the front of `input`.
    ///
    /// # Errors
    /// When the bytes are not such a value.
    fn read(input: &mut &[u8]) -> Result<Self, ReadError>;
}

/// Bytes that are not the value they should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReadError(&'static str);

impl ReadError {
    /// An error that states what was wrong.
    #[must_use]
    pub const fn new(reason: &'static str) -> Self {
        Self(reason)
    }
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl Error for ReadError {}

/// The answer to whether a type's memory and its bytes are the same thing.
///
/// Columns believe a yes, so outside of this crate it comes only from unsafe code.
#[doc(hidden)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InPlace(bool);

impl InPlace {
    /// The memory differs from the bytes, or it is not known to be the same.
    pub const NO: Self = Self(false);

    /// The answer for a type of this crate or of glam: yes only if every pattern of bits is a value of the type, and its
    /// memory is its bytes.
    pub(crate) const fn leaf(yes: bool) -> Self {
        Self(yes && cfg!(target_endian = "little"))
    }

    /// The answer for a type of `size` bytes with the given fields, each as its offset, its size and its own answer.
    pub(crate) const fn parts(size: usize, fields: &[(usize, usize, Self)]) -> Self {
        let mut end = 0;
        let mut index = 0;
        while index < fields.len() {
            let (offset, size, answer) = fields[index];
            if !answer.0 || offset != end {
                return Self::NO;
            }
            end += size;
            index += 1;
        }
        Self(end == size)
    }

    /// The same for the types of mods.
    ///
    /// # Safety
    /// `size` and `fields` should be those of the type: all fields, in the order in which they are written.
    #[expect(unsafe_code, reason = "columns believe what a derived implementation says")]
    #[must_use]
    pub const unsafe fn fields(size: usize, fields: &[(usize, usize, Self)]) -> Self {
        Self::parts(size, fields)
    }

    /// Whether a column can be used where it stands.
    #[must_use]
    pub const fn is_yes(self) -> bool {
        self.0
    }
}

/// The sum of the fields' strides.
#[doc(hidden)]
#[must_use]
pub const fn sum_of_strides(strides: &[Option<usize>]) -> Option<usize> {
    let mut sum = 0;
    let mut index = 0;
    while index < strides.len() {
        match strides[index] {
            Some(stride) => sum += stride,
            None => return None,
        }
        index += 1;
    }
    Some(sum)
}

/// Splits `len` bytes off the front.
fn take<'a>(input: &mut &'a [u8], len: usize) -> Result<&'a [u8], ReadError> {
    let (front, rest) = input.split_at_checked(len).ok_or(ReadError::new("the bytes end too early"))?;
    *input = rest;
    Ok(front)
}

#[cfg(test)]
mod tests;
