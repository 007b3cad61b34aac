//! What a query fetches of each entity.
#![expect(unsafe_code, reason = "passes the promises of an iterator on to the columns")]

use mod_abi::describe::TermDesc;

use crate::{
    Entity,
    block::Block,
    column::{Column, ColumnState, Mut},
    component::Component,
    describe::Types,
};

/// Something that a query can fetch: `&T`, `&mut T`, [`Entity`] or a tuple. It is not meant to be implemented by mods.
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

/// Query data that changes nothing.
#[diagnostic::on_unimplemented(message = "`{Self}` changes the game, which is only read here", label = "not read-only")]
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

impl<T: Component> QueryData for &T {
    type State = ColumnState<T>;
    type Fetch = Column<T>;
    type Item<'a> = &'a T;
    type ReadItem<'a> = &'a T;

    fn describe(types: &mut Types, terms: &mut Vec<TermDesc>) {
        terms.push(TermDesc::Read(types.index::<T>(T::PATH)));
    }

    fn fetch(state: &mut Self::State, columns: &mut Columns<'_>) -> Self::Fetch {
        let index = columns.next();
        state.fetch(&columns.block, index, false)
    }

    fn finish(_: &mut Self::State, columns: &mut Columns<'_>) {
        columns.next();
    }

    #[inline]
    unsafe fn get_mut<'a>(fetch: Self::Fetch, row: usize) -> &'a T {
        // SAFETY: the caller promises more than `get` asks for.
        unsafe { fetch.get(row) }
    }

    #[inline]
    unsafe fn get<'a>(fetch: Self::Fetch, row: usize) -> &'a T {
        // SAFETY: the caller promises the same.
        unsafe { fetch.get(row) }
    }
}

impl<T: Component> ReadOnlyQueryData for &T {}

impl<T: Component> QueryData for &mut T {
    type State = ColumnState<T>;
    type Fetch = Column<T>;
    type Item<'a> = Mut<'a, T>;
    type ReadItem<'a> = &'a T;

    fn describe(types: &mut Types, terms: &mut Vec<TermDesc>) {
        terms.push(TermDesc::Write(types.index::<T>(T::PATH)));
    }

    fn fetch(state: &mut Self::State, columns: &mut Columns<'_>) -> Self::Fetch {
        let index = columns.next();
        state.fetch(&columns.block, index, true)
    }

    fn finish(state: &mut Self::State, columns: &mut Columns<'_>) {
        let index = columns.next();
        state.finish(&columns.block, index);
    }

    #[inline]
    unsafe fn get_mut<'a>(fetch: Self::Fetch, row: usize) -> Mut<'a, T> {
        // SAFETY: the caller promises the same, and `fetch` above fetches for writing.
        unsafe { fetch.get_mut(row) }
    }

    #[inline]
    unsafe fn get<'a>(fetch: Self::Fetch, row: usize) -> &'a T {
        // SAFETY: the caller promises the same.
        unsafe { fetch.get(row) }
    }
}

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

macro_rules! tuples {
    ($(($($name:ident $index:tt),*))*) => {$(
        impl<$($name: QueryData),*> QueryData for ($($name,)*) {
            type State = ($($name::State,)*);
            type Fetch = ($($name::Fetch,)*);
            type Item<'a> = ($($name::Item<'a>,)*);
            type ReadItem<'a> = ($($name::ReadItem<'a>,)*);

            fn describe(types: &mut Types, terms: &mut Vec<TermDesc>) {
                $($name::describe(types, terms);)*
            }

            fn fetch(state: &mut Self::State, columns: &mut Columns<'_>) -> Self::Fetch {
                ($($name::fetch(&mut state.$index, columns),)*)
            }

            fn finish(state: &mut Self::State, columns: &mut Columns<'_>) {
                $($name::finish(&mut state.$index, columns);)*
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
}
