//! Whether a value has changed: what a system can ask about it, and say.
//!
//! The game is asked only when somebody wants to know, once for each column in each run of a system.

use std::{
    cell::{Cell, OnceCell},
    fmt,
    ops::{Deref, DerefMut},
};

use mod_abi::batch::{CHANGED, STALE, dirty_map_bytes};

use crate::{block::Block, buffer::OwnedBuffer, imports};

/// Which rows of a column changed, and which were added, since the system last ran.
#[derive(Debug, Default)]
pub(crate) struct Ticks {
    param: u32,
    column: u32,
    rows: usize,
    /// The rows that changed and then those that were added, once somebody has asked.
    maps: OnceCell<OwnedBuffer>,
}

impl Ticks {
    /// Nothing is known yet of column `index` of `block`.
    pub(crate) fn new(block: &Block<'_>, index: usize) -> Self {
        Self { param: block.param(), column: index as u32, rows: block.rows(), maps: OnceCell::new() }
    }

    fn is_set(&self, map: usize, row: usize) -> bool {
        let maps = self.maps.get_or_init(|| imports::query_ticks(self.param, self.column)).bytes();
        let len = dirty_map_bytes(self.rows);
        assert_eq!(maps.len(), 2 * len, "the game's answer is malformed: two maps of {} rows", self.rows);
        maps[map * len + row] != 0
    }

    pub(crate) fn is_changed(&self, row: usize) -> bool {
        self.is_set(0, row)
    }

    pub(crate) fn is_added(&self, row: usize) -> bool {
        self.is_set(1, row)
    }
}

/// A value that the system may change: the `&mut T` of a query.
///
/// Reading it changes nothing. Borrowing it mutably, as an assignment to a field does, marks it as changed: only such
/// rows go back into the game, and only they are `Changed` there.
///
/// As query data, `Mut<T>` is the same as `&mut T`, except that [`Query::iter`](crate::Query::iter) gives a [`Ref`].
///
/// ```
/// # use mod_sdk::prelude::*;
/// /// Entities that stand at zero already do not become `Changed` in the game.
/// fn settle(mut all: Query<&mut Transform>) {
///     for mut transform in &mut all {
///         if transform.translation != Vec3::ZERO {
///             transform.translation = Vec3::ZERO;
///         }
///     }
/// }
/// ```
pub struct Mut<'a, T: ?Sized> {
    value: &'a mut T,
    dirty: &'a Cell<u8>,
    ticks: Option<&'a Ticks>,
    row: usize,
}

impl<'a, T: ?Sized> Mut<'a, T> {
    /// The value of a row, with the row's byte of the dirty map.
    #[inline]
    pub(crate) fn new(value: &'a mut T, dirty: &'a Cell<u8>, ticks: &'a Ticks, row: usize) -> Self {
        Self { value, dirty, ticks: Some(ticks), row }
    }

    /// Whether the value was changed or added since the system last ran. What the system itself has changed in this run
    /// counts, too.
    ///
    /// The first time that a run asks for a column, the game is asked about all of its rows.
    #[must_use]
    pub fn is_changed(&self) -> bool {
        self.dirty.get() & CHANGED != 0 || self.ticks.is_some_and(|ticks| ticks.is_changed(self.row))
    }

    /// Whether the value was added since the system last ran.
    ///
    /// The first time that a run asks for a column, the game is asked about all of its rows.
    #[must_use]
    pub fn is_added(&self) -> bool {
        self.ticks.is_some_and(|ticks| ticks.is_added(self.row))
    }

    /// Marks the value as changed.
    #[inline]
    pub fn set_changed(&mut self) {
        self.dirty.set(CHANGED);
    }

    /// The value, to be changed without the mark. What is changed in this way goes back into the game only when something
    /// else marks the value, so this is for looking at it through methods that take `&mut self`.
    #[inline]
    pub fn bypass_change_detection(&mut self) -> &mut T {
        self.set_stale();
        self.value
    }

    /// Has the game write the value again for the next run, because this one may be about to change without the mark.
    #[inline]
    fn set_stale(&self) {
        self.dirty.set(self.dirty.get() | STALE);
    }

    /// Replaces the value if it differs, and says whether it did. An equal value is not marked as changed.
    pub fn set_if_neq(&mut self, value: T) -> bool
    where
        T: PartialEq + Sized,
    {
        let differs = *self.value != value;
        if differs {
            **self = value;
        }
        differs
    }

    /// The value for as long as the query is borrowed, marked as changed.
    #[inline]
    #[must_use]
    pub fn into_inner(mut self) -> &'a mut T {
        self.set_changed();
        self.value
    }

    /// The same value for a shorter time.
    #[inline]
    pub fn reborrow(&mut self) -> Mut<'_, T> {
        Mut { value: self.value, dirty: self.dirty, ticks: self.ticks, row: self.row }
    }

    /// A part of the value. Borrowing the part mutably marks the whole as changed; this alone does not.
    #[inline]
    pub fn map_unchanged<U: ?Sized>(self, part: impl FnOnce(&mut T) -> &mut U) -> Mut<'a, U> {
        self.set_stale();
        Mut { value: part(self.value), dirty: self.dirty, ticks: self.ticks, row: self.row }
    }
}

impl<'a, T: ?Sized> From<&'a mut T> for Mut<'a, T> {
    /// A value that a test keeps. The mark that it was changed is leaked.
    fn from(value: &'a mut T) -> Self {
        Self { value, dirty: Box::leak(Box::default()), ticks: None, row: 0 }
    }
}

impl<T: ?Sized> Deref for Mut<'_, T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        self.value
    }
}

impl<T: ?Sized> DerefMut for Mut<'_, T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        self.set_changed();
        self.value
    }
}

impl<T: fmt::Debug + ?Sized> fmt::Debug for Mut<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.value.fmt(f)
    }
}

/// A value that the system may read, and of which it may ask whether it has changed.
///
/// ```
/// # use mod_sdk::prelude::*;
/// # #[derive(Component)] struct Health(f32);
/// fn watch(bees: Query<(Entity, Ref<Health>)>) {
///     for (bee, health) in &bees {
///         if health.is_changed() && !health.is_added() {
///             info!("{bee} has {} left", health.0);
///         }
///     }
/// }
/// ```
///
/// A [`World`](crate::World) does not know when something changed, so it gives no such values.
pub struct Ref<'a, T: ?Sized> {
    value: &'a T,
    /// The row's byte of the dirty map, if the column may be changed.
    dirty: Option<&'a Cell<u8>>,
    ticks: Option<&'a Ticks>,
    row: usize,
}

impl<'a, T: ?Sized> Ref<'a, T> {
    /// The value of a row.
    #[inline]
    pub(crate) fn new(value: &'a T, dirty: Option<&'a Cell<u8>>, ticks: &'a Ticks, row: usize) -> Self {
        Self { value, dirty, ticks: Some(ticks), row }
    }

    /// Whether the value was changed or added since the system last ran. What the system itself has changed in this run
    /// counts, too.
    ///
    /// The first time that a run asks for a column, the game is asked about all of its rows.
    #[must_use]
    pub fn is_changed(&self) -> bool {
        self.dirty.is_some_and(|dirty| dirty.get() & CHANGED != 0)
            || self.ticks.is_some_and(|ticks| ticks.is_changed(self.row))
    }

    /// Whether the value was added since the system last ran.
    ///
    /// The first time that a run asks for a column, the game is asked about all of its rows.
    #[must_use]
    pub fn is_added(&self) -> bool {
        self.ticks.is_some_and(|ticks| ticks.is_added(self.row))
    }

    /// The value for as long as the query is borrowed.
    #[inline]
    #[must_use]
    pub fn into_inner(self) -> &'a T {
        self.value
    }

    /// A part of the value, which has changed when the whole has.
    #[inline]
    pub fn map<U: ?Sized>(self, part: impl FnOnce(&T) -> &U) -> Ref<'a, U> {
        Ref { value: part(self.value), dirty: self.dirty, ticks: self.ticks, row: self.row }
    }
}

impl<T: ?Sized> Clone for Ref<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T: ?Sized> Copy for Ref<'_, T> {}

impl<'a, T: ?Sized> From<&'a T> for Ref<'a, T> {
    /// A value that a test keeps, and that has not changed.
    fn from(value: &'a T) -> Self {
        Self { value, dirty: None, ticks: None, row: 0 }
    }
}

impl<T: ?Sized> Deref for Ref<'_, T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        self.value
    }
}

impl<T: fmt::Debug + ?Sized> fmt::Debug for Ref<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.value.fmt(f)
    }
}

#[cfg(test)]
mod tests;
