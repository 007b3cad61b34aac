//! The game's resources, as parameters of systems.

use std::{
    any::type_name,
    fmt,
    ops::{Deref, DerefMut},
};

use mod_abi::describe::{ParamDesc, ResourceDesc};

use crate::{
    block::Blocks,
    column::{ColumnState, Mut},
    component::Resource,
    describe::Types,
    param::SystemParam,
};

/// A resource, to read.
#[derive(Debug)]
pub struct Res<'w, T>(&'w T);

/// A resource, to change. As with a [`Mut`], only borrowing it mutably marks it as changed.
pub struct ResMut<'w, T>(Mut<'w, T>);

fn desc<T: Resource>(types: &mut Types, write: bool) -> ParamDesc {
    ParamDesc::Resource(ResourceDesc { ty: types.index::<T>(T::PATH), write })
}

pub(crate) fn absent<T: Resource>() -> ! {
    panic!("the resource `{}` ({}) does not exist in the game", T::PATH, type_name::<T>())
}

impl<T: Resource> SystemParam for Res<'_, T> {
    type State = ColumnState<T>;
    type Item<'w> = Res<'w, T>;

    fn describe(types: &mut Types, params: &mut Vec<ParamDesc>) {
        params.push(desc::<T>(types, false));
    }

    fn fetch<'w>(state: &'w mut Self::State, blocks: &mut Blocks<'w>) -> Res<'w, T> {
        Res(state.fetch_first(blocks.next_rows()).unwrap_or_else(|| absent::<T>()))
    }

    fn finish(_: &mut Self::State, blocks: &mut Blocks<'_>) {
        blocks.next();
    }
}

impl<T: Resource> SystemParam for ResMut<'_, T> {
    type State = ColumnState<T>;
    type Item<'w> = ResMut<'w, T>;

    fn describe(types: &mut Types, params: &mut Vec<ParamDesc>) {
        params.push(desc::<T>(types, true));
    }

    fn fetch<'w>(state: &'w mut Self::State, blocks: &mut Blocks<'w>) -> ResMut<'w, T> {
        ResMut(state.fetch_first_mut(blocks.next_rows()).unwrap_or_else(|| absent::<T>()))
    }

    fn finish(state: &mut Self::State, blocks: &mut Blocks<'_>) {
        state.finish(&blocks.next_rows(), 0);
    }
}

impl<'w, T> From<&'w T> for Res<'w, T> {
    /// A resource that a test keeps.
    fn from(value: &'w T) -> Self {
        Self(value)
    }
}

impl<'w, T> From<&'w mut T> for ResMut<'w, T> {
    /// A resource that a test keeps.
    fn from(value: &'w mut T) -> Self {
        Self(Mut::from(value))
    }
}

impl<T> Deref for Res<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.0
    }
}

impl<T> Deref for ResMut<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T> DerefMut for ResMut<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.0
    }
}

impl<T: fmt::Debug> fmt::Debug for ResMut<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
