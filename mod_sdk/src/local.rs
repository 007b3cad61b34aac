//! A system's own memory.

use std::ops::{Deref, DerefMut};

use mod_abi::describe::ParamDesc;

use crate::{block::Blocks, describe::Types, param::SystemParam};

/// A value that belongs to one system and lasts from run to run. It starts as the default.
///
/// It lives in the mod: a reload of the mod starts again.
///
/// ```
/// # use mod_sdk::prelude::*;
/// fn every_second(time: Res<Time>, mut last: Local<u64>) {
///     let second = time.elapsed().as_secs();
///     if *last != second {
///         *last = second;
///         info!("{second} seconds");
///     }
/// }
/// ```
#[derive(Debug)]
pub struct Local<'s, T: Default + 'static>(&'s mut T);

impl<'s, T: Default + 'static> From<&'s mut T> for Local<'s, T> {
    /// A local that a test keeps.
    fn from(value: &'s mut T) -> Self {
        Self(value)
    }
}

impl<T: Default + 'static> SystemParam for Local<'_, T> {
    type State = T;
    type Item<'w> = Local<'w, T>;

    fn describe(_: &mut Types, _: &mut Vec<ParamDesc>) {}

    fn fetch<'w>(state: &'w mut T, _: &mut Blocks<'w>) -> Local<'w, T> {
        Local(state)
    }

    fn finish(_: &mut T, _: &mut Blocks<'_>) {}
}

impl<T: Default + 'static> Deref for Local<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.0
    }
}

impl<T: Default + 'static> DerefMut for Local<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        self.0
    }
}
