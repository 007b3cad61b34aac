//! What a mod says of a type of its own.

use std::marker::PhantomData;

use mod_abi::describe::{Definition, DefinitionKind, TypeRole};

use crate::reflect::Reflect;

/// The role of a type that is the mod's own.
#[doc(hidden)]
#[must_use]
pub fn definition(kind: DefinitionKind, default: Option<Vec<u8>>) -> TypeRole {
    TypeRole::Definition(Definition { kind, default })
}

/// Asks whether a type is `Default`.
///
/// A derive cannot know. Its output calls `(&Probe::<T>::NEW).default_bytes()`: both traits below have such a method, and
/// the compiler takes that of [`DefaultOf`], which needs no further reference, if `T` meets its bound.
#[doc(hidden)]
#[derive(Debug)]
pub struct Probe<T>(PhantomData<T>);

impl<T> Probe<T> {
    /// The question.
    pub const NEW: Self = Self(PhantomData);
}

/// Answers for types that are `Default`.
#[doc(hidden)]
pub trait DefaultOf {
    /// The encoding of the default.
    fn default_bytes(&self) -> Option<Vec<u8>>;
}

impl<T: Reflect + Default> DefaultOf for Probe<T> {
    fn default_bytes(&self) -> Option<Vec<u8>> {
        let mut bytes = Vec::new();
        T::default().write(&mut bytes);
        Some(bytes)
    }
}

/// Answers for all other types.
#[doc(hidden)]
pub trait NoDefaultOf {
    /// None.
    fn default_bytes(&self) -> Option<Vec<u8>>;
}

impl<T> NoDefaultOf for &Probe<T> {
    fn default_bytes(&self) -> Option<Vec<u8>> {
        None
    }
}
