//! What a query fetches of each entity.
#![expect(unsafe_code, reason = "passes the promises of an iterator on to the columns")]

use std::{fmt, marker::PhantomData};

use mod_abi::describe::TermDesc;

use crate::{
    Entity,
    block::Block,
    change_detection::{Mut, Ref},
    column::{Column, ColumnState, OptionalColumn, OptionalState, Present},
    component::Component,
    describe::Types,
};

/// Something that a query can fetch. It is not meant to be implemented by mods.
///
/// | data | item | item of [`Query::iter`](super::Query::iter) and whatever else only reads |
/// |---|---|---|
/// | `&T` | `&T` | `&T` |
/// | `&mut T` | [`Mut<T>`](Mut) | `&T` |
/// | [`Ref<T>`](Ref) | [`Ref<T>`](Ref) | [`Ref<T>`](Ref) |
/// | [`Mut<T>`](Mut) | [`Mut<T>`](Mut) | [`Ref<T>`](Ref) |
/// | `Option` of these four | `Option` of the item | `Option` of the item |
/// | [`Has<T>`](Has) | `bool` | `bool` |
/// | [`Entity`] | [`Entity`] | [`Entity`] |
/// | a tuple of up to 15, also of tuples | a tuple | a tuple |
#[diagnostic::on_unimplemented(
    message = "a query cannot fetch `{Self}`",
    label = "not what a query fetches",
    note = "a query fetches `&T` or `&mut T` of a component, `Option` of them, `Ref<T>`, `Has<T>`, `Entity`, and tuples of up \
            to 15 of these"
)]
pub trait QueryData {
    /// What is kept between two calls.
    #[doc(hidden)]
    type State: Default + 'static;

    /// Where the rows are.
    #[doc(hidden)]
    type Fetch: Copy;

    /// What one row gives to who may change it.
    type Item<'a>;

    /// What one row gives to who may only read it.
    type ReadItem<'a>;

    /// Adds the columns to a query's description.
    #[doc(hidden)]
    fn describe(types: &mut Types, terms: &mut Vec<TermDesc>);

    /// Takes the next columns. The result is valid for as long as the block is and the state is left alone.
    #[doc(hidden)]
    fn fetch(state: &mut Self::State, columns: &mut Columns<'_>) -> Self::Fetch;

    /// Takes the next columns again and writes back what has to be.
    #[doc(hidden)]
    fn finish(state: &mut Self::State, columns: &mut Columns<'_>);

    /// A row, to change.
    ///
    /// # Safety
    /// `fetch` should be valid for `'a`, `row` smaller than the number of rows, and the row not borrowed.
    #[doc(hidden)]
    unsafe fn get_mut<'a>(fetch: Self::Fetch, row: usize) -> Self::Item<'a>;

    /// A row, to read.
    ///
    /// # Safety
    /// `fetch` should be valid for `'a`, `row` smaller than the number of rows, and the row not borrowed mutably.
    #[doc(hidden)]
    unsafe fn get<'a>(fetch: Self::Fetch, row: usize) -> Self::ReadItem<'a>;
}

/// Query data that a [`World`](crate::World) can give: `&T`, `Option<&T>`, [`Has`], [`Entity`] and tuples of them.
#[diagnostic::on_unimplemented(
    message = "`{Self}` changes the game or asks when it changed, and here it is only read",
    label = "not read-only"
)]
pub trait ReadOnlyQueryData: QueryData {}

/// The columns of a block, in order.
#[doc(hidden)]
#[derive(Debug)]
pub struct Columns<'w> {
    block: Block<'w>,
    next: usize,
}

impl<'w> Columns<'w> {
    pub(crate) fn new(block: Block<'w>) -> Self {
        Self { block, next: 0 }
    }

    fn next(&mut self) -> usize {
        self.next += 1;
        self.next - 1
    }
}

/// Whether an entity has a `T`, as a `bool`, without fetching it.
///
/// ```
/// # use mod_sdk::prelude::*;
/// # #[derive(Component)] struct Frozen;
/// fn count(bees: Query<Has<Frozen>>) {
///     let frozen = bees.iter().filter(|is_frozen| *is_frozen).count();
///     info!("{frozen} of {} are frozen", bees.len());
/// }
/// ```
pub struct Has<T>(PhantomData<fn() -> T>);

impl<T> fmt::Debug for Has<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Has")
    }
}

/// Data that is one column of a component: its state and its rows, its term, whether it writes, and how each of its two
/// items is taken from a row.
macro_rules! columns {
    ($($data:ty: $state:ident $column:ident $term:ident $write:literal, $item:ty = $get_mut:ident, $read:ty = $get:ident;)*) => {$(
        impl<T: Component> QueryData for $data {
            type State = $state<T>;
            type Fetch = $column<T>;
            type Item<'a> = $item;
            type ReadItem<'a> = $read;

            fn describe(types: &mut Types, terms: &mut Vec<TermDesc>) {
                terms.push(TermDesc::$term(types.component::<T>()));
            }

            fn fetch(state: &mut Self::State, columns: &mut Columns<'_>) -> Self::Fetch {
                let index = columns.next();
                state.fetch(&columns.block, index, $write)
            }

            fn finish(state: &mut Self::State, columns: &mut Columns<'_>) {
                let index = columns.next();
                if $write {
                    state.finish(&columns.block, index);
                }
            }

            #[inline]
            unsafe fn get_mut<'a>(fetch: Self::Fetch, row: usize) -> $item {
                // SAFETY: the caller promises the same or more, and what gives a `Mut` was fetched for writing above.
                unsafe { fetch.$get_mut(row) }
            }

            #[inline]
            unsafe fn get<'a>(fetch: Self::Fetch, row: usize) -> $read {
                // SAFETY: the caller promises the same.
                unsafe { fetch.$get(row) }
            }
        }
    )*};
}

columns! {
    &T: ColumnState Column Read false, &'a T = get, &'a T = get;
    &mut T: ColumnState Column Write true, Mut<'a, T> = get_mut, &'a T = get;
    Ref<'_, T>: ColumnState Column Read false, Ref<'a, T> = get_ref, Ref<'a, T> = get_ref;
    Mut<'_, T>: ColumnState Column Write true, Mut<'a, T> = get_mut, Ref<'a, T> = get_ref;
    Option<&T>: OptionalState OptionalColumn ReadOptional false, Option<&'a T> = get, Option<&'a T> = get;
    Option<&mut T>: OptionalState OptionalColumn WriteOptional true, Option<Mut<'a, T>> = get_mut, Option<&'a T> = get;
    Option<Ref<'_, T>>: OptionalState OptionalColumn ReadOptional false,
        Option<Ref<'a, T>> = get_ref, Option<Ref<'a, T>> = get_ref;
    Option<Mut<'_, T>>: OptionalState OptionalColumn WriteOptional true,
        Option<Mut<'a, T>> = get_mut, Option<Ref<'a, T>> = get_ref;
}

impl<T: Component> ReadOnlyQueryData for &T {}
impl<T: Component> ReadOnlyQueryData for Option<&T> {}

/// What [`Has`] keeps between two calls: nothing, but for each type in its own way.
#[doc(hidden)]
pub struct HasState<T>(PhantomData<fn() -> T>);

impl<T> Default for HasState<T> {
    fn default() -> Self {
        Self(PhantomData)
    }
}

impl<T> fmt::Debug for HasState<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HasState")
    }
}

impl<T: Component> QueryData for Has<T> {
    type State = HasState<T>;
    type Fetch = Present;
    type Item<'a> = bool;
    type ReadItem<'a> = bool;

    fn describe(types: &mut Types, terms: &mut Vec<TermDesc>) {
        terms.push(TermDesc::Has(types.component::<T>()));
    }

    fn fetch(_: &mut Self::State, columns: &mut Columns<'_>) -> Self::Fetch {
        let index = columns.next();
        Present::fetch(&columns.block, index)
    }

    fn finish(_: &mut Self::State, columns: &mut Columns<'_>) {
        columns.next();
    }

    #[inline]
    unsafe fn get_mut<'a>(fetch: Self::Fetch, row: usize) -> Self::Item<'a> {
        // SAFETY: the caller promises more than `has` asks for.
        unsafe { fetch.has(row) }
    }

    #[inline]
    unsafe fn get<'a>(fetch: Self::Fetch, row: usize) -> Self::ReadItem<'a> {
        // SAFETY: the caller promises more than `has` asks for.
        unsafe { fetch.has(row) }
    }
}

impl<T: Component> ReadOnlyQueryData for Has<T> {}

impl QueryData for Entity {
    type State = ColumnState<Self>;
    type Fetch = Column<Self>;
    type Item<'a> = Self;
    type ReadItem<'a> = Self;

    fn describe(_: &mut Types, terms: &mut Vec<TermDesc>) {
        terms.push(TermDesc::Entity);
    }

    fn fetch(state: &mut Self::State, columns: &mut Columns<'_>) -> Self::Fetch {
        let index = columns.next();
        state.fetch(&columns.block, index, false)
    }

    fn finish(_: &mut Self::State, columns: &mut Columns<'_>) {
        columns.next();
    }

    #[inline]
    unsafe fn get_mut<'a>(fetch: Self::Fetch, row: usize) -> Self::Item<'a> {
        // SAFETY: the caller promises more than `get` asks for.
        unsafe { *fetch.get(row) }
    }

    #[inline]
    unsafe fn get<'a>(fetch: Self::Fetch, row: usize) -> Self::Item<'a> {
        // SAFETY: the caller promises the same.
        unsafe { *fetch.get(row) }
    }
}

impl ReadOnlyQueryData for Entity {}

/// No data: such a query counts.
impl QueryData for () {
    type State = ();
    type Fetch = ();
    type Item<'a> = ();
    type ReadItem<'a> = ();

    fn describe(_: &mut Types, _: &mut Vec<TermDesc>) {}

    fn fetch((): &mut (), _: &mut Columns<'_>) {}

    fn finish((): &mut (), _: &mut Columns<'_>) {}

    unsafe fn get_mut<'a>((): (), _: usize) -> Self::Item<'a> {}

    unsafe fn get<'a>((): (), _: usize) -> Self::ReadItem<'a> {}
}

impl ReadOnlyQueryData for () {}

/// The states of several columns. The standard library's tuples are `Default` only up to twelve.
#[doc(hidden)]
#[derive(Debug)]
pub struct TupleState<T>(T);

macro_rules! tuples {
    ($(($($name:ident $index:tt),*))*) => {$(
        impl<$($name: Default),*> Default for TupleState<($($name,)*)> {
            fn default() -> Self {
                Self(($($name::default(),)*))
            }
        }

        impl<$($name: QueryData),*> QueryData for ($($name,)*) {
            type State = TupleState<($($name::State,)*)>;
            type Fetch = ($($name::Fetch,)*);
            type Item<'a> = ($($name::Item<'a>,)*);
            type ReadItem<'a> = ($($name::ReadItem<'a>,)*);

            fn describe(types: &mut Types, terms: &mut Vec<TermDesc>) {
                $($name::describe(types, terms);)*
            }

            fn fetch(state: &mut Self::State, columns: &mut Columns<'_>) -> Self::Fetch {
                ($($name::fetch(&mut state.0.$index, columns),)*)
            }

            fn finish(state: &mut Self::State, columns: &mut Columns<'_>) {
                $($name::finish(&mut state.0.$index, columns);)*
            }

            #[inline]
            unsafe fn get_mut<'a>(fetch: Self::Fetch, row: usize) -> Self::Item<'a> {
                // SAFETY: the caller promises the same for all columns.
                unsafe { ($($name::get_mut(fetch.$index, row),)*) }
            }

            #[inline]
            unsafe fn get<'a>(fetch: Self::Fetch, row: usize) -> Self::ReadItem<'a> {
                // SAFETY: the caller promises the same for all columns.
                unsafe { ($($name::get(fetch.$index, row),)*) }
            }
        }

        impl<$($name: ReadOnlyQueryData),*> ReadOnlyQueryData for ($($name,)*) {}
    )*};
}

tuples! {
    (A 0)
    (A 0, B 1)
    (A 0, B 1, C 2)
    (A 0, B 1, C 2, D 3)
    (A 0, B 1, C 2, D 3, E 4)
    (A 0, B 1, C 2, D 3, E 4, F 5)
    (A 0, B 1, C 2, D 3, E 4, F 5, G 6)
    (A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7)
    (A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8)
    (A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9)
    (A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9, K 10)
    (A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9, K 10, L 11)
    (A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9, K 10, L 11, M 12)
    (A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9, K 10, L 11, M 12, N 13)
    (A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9, K 10, L 11, M 12, N 13, O 14)
}
