//! The game's resources, as parameters of systems.

use std::{
    any::type_name,
    fmt,
    ops::{Deref, DerefMut},
};

use mod_abi::describe::{ParamDesc, ResourceDesc};

use crate::{
    block::Blocks,
    change_detection::{Mut, Ref},
    column::ColumnState,
    component::Resource,
    describe::Types,
    param::SystemParam,
};

/// A resource, to read.
///
/// A system with a `Res<T>` does not run while the game has no `T`; one with an `Option<Res<T>>` does.
///
/// ```
/// # use mod_sdk::prelude::*;
/// # #[derive(Resource)] #[resource(path = "orchard::Orchard")] struct Orchard { day: u32 }
/// fn greet(orchard: Res<Orchard>) {
///     if orchard.is_changed() {
///         info!("it is day {}", orchard.day);
///     }
/// }
/// ```
pub struct Res<'w, T: Resource>(Ref<'w, T>);

/// A resource, to change. As with a [`Mut`], only borrowing it mutably marks it as changed.
///
/// A system with a `ResMut<T>` does not run while the game has no `T`; one with an `Option<ResMut<T>>` does.
///
/// ```
/// # use mod_sdk::prelude::*;
/// # #[derive(Resource)] struct Score { points: u64 }
/// # #[derive(Resource)] struct Bonus { points: u64 }
/// fn award(mut score: ResMut<Score>, bonus: Option<Res<Bonus>>) {
///     if let Some(bonus) = bonus
///         && bonus.is_changed()
///     {
///         score.points += bonus.points;
///     }
/// }
/// ```
pub struct ResMut<'w, T: Resource>(Mut<'w, T>);

pub(crate) fn absent<T: Resource>() -> ! {
    panic!("the resource `{}` ({}) does not exist in the game", T::PATH, type_name::<T>())
}

/// What the four parameters have in common: how they are described, and what becomes of the row, if there is one.
macro_rules! params {
    ($($param:ty: $desc:ident $write:literal, $item:ty = |$state:ident, $block:ident| $fetch:expr;)*) => {$(
        impl<T: Resource> SystemParam for $param {
            type State = ColumnState<T>;
            type Item<'w> = $item;

            fn describe(types: &mut Types, params: &mut Vec<ParamDesc>) {
                params.push(ParamDesc::$desc(ResourceDesc { ty: types.resource::<T>(), write: $write }));
            }

            fn fetch<'w>($state: &'w mut Self::State, blocks: &mut Blocks<'w>) -> $item {
                let $block = blocks.next_rows();
                $fetch
            }

            fn finish(state: &mut Self::State, blocks: &mut Blocks<'_>) {
                let block = blocks.next_rows();
                if $write {
                    state.finish(&block, 0);
                }
            }
        }
    )*};
}

params! {
    Res<'_, T>: Resource false, Res<'w, T> =
        |state, block| Res(state.fetch_first(block).unwrap_or_else(|| absent::<T>()));
    ResMut<'_, T>: Resource true, ResMut<'w, T> =
        |state, block| ResMut(state.fetch_first_mut(block).unwrap_or_else(|| absent::<T>()));
    Option<Res<'_, T>>: OptionalResource false, Option<Res<'w, T>> = |state, block| state.fetch_first(block).map(Res);
    Option<ResMut<'_, T>>: OptionalResource true, Option<ResMut<'w, T>> =
        |state, block| state.fetch_first_mut(block).map(ResMut);
}

impl<'w, T: Resource> Res<'w, T> {
    /// Whether the resource was changed or inserted since the system last ran.
    #[must_use]
    pub fn is_changed(&self) -> bool {
        self.0.is_changed()
    }

    /// Whether the resource was inserted since the system last ran.
    #[must_use]
    pub fn is_added(&self) -> bool {
        self.0.is_added()
    }

    /// The value for as long as the system runs.
    #[must_use]
    pub fn into_inner(self) -> &'w T {
        self.0.into_inner()
    }
}

impl<'w, T: Resource> ResMut<'w, T> {
    /// Whether the resource was changed or inserted since the system last ran. What the system itself has changed in this
    /// run counts, too.
    #[must_use]
    pub fn is_changed(&self) -> bool {
        self.0.is_changed()
    }

    /// Whether the resource was inserted since the system last ran.
    #[must_use]
    pub fn is_added(&self) -> bool {
        self.0.is_added()
    }

    /// Marks the resource as changed.
    pub fn set_changed(&mut self) {
        self.0.set_changed();
    }

    /// The value, to be changed without the mark: see [`Mut::bypass_change_detection`].
    pub fn bypass_change_detection(&mut self) -> &mut T {
        self.0.bypass_change_detection()
    }

    /// Replaces the value if it differs, and says whether it did. An equal value is not marked as changed.
    pub fn set_if_neq(&mut self, value: T) -> bool
    where
        T: PartialEq,
    {
        self.0.set_if_neq(value)
    }

    /// The value for as long as the system runs, marked as changed.
    #[must_use]
    pub fn into_inner(self) -> &'w mut T {
        self.0.into_inner()
    }
}

impl<'w, T: Resource> From<Res<'w, T>> for Ref<'w, T> {
    fn from(resource: Res<'w, T>) -> Self {
        resource.0
    }
}

impl<'w, T: Resource> From<ResMut<'w, T>> for Mut<'w, T> {
    fn from(resource: ResMut<'w, T>) -> Self {
        resource.0
    }
}

impl<'w, T: Resource> From<&'w T> for Res<'w, T> {
    /// A resource that a test keeps.
    fn from(value: &'w T) -> Self {
        Self(Ref::from(value))
    }
}

impl<'w, T: Resource> From<&'w mut T> for ResMut<'w, T> {
    /// A resource that a test keeps.
    fn from(value: &'w mut T) -> Self {
        Self(Mut::from(value))
    }
}

impl<T: Resource> Deref for Res<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T: Resource> Deref for ResMut<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T: Resource> DerefMut for ResMut<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.0
    }
}

impl<T: Resource + fmt::Debug> fmt::Debug for Res<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<T: Resource + fmt::Debug> fmt::Debug for ResMut<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
