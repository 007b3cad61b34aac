//! Row after row of a query.
#![expect(unsafe_code, reason = "keeps the promise that no row is handed out twice")]

use std::{fmt, marker::PhantomData, ops::Range};

use super::{Query, QueryData, QueryFilter, Rows};

/// The rows of a query, to read.
pub struct QueryIter<'a, D: QueryData> {
    fetch: D::Fetch,
    rows: Range<usize>,
    marker: PhantomData<&'a ()>,
}

/// The rows of a query, to change.
pub struct QueryIterMut<'a, D: QueryData> {
    fetch: D::Fetch,
    rows: Range<usize>,
    marker: PhantomData<&'a mut ()>,
}

impl<'a, D: QueryData> QueryIter<'a, D> {
    pub(super) fn new<F: QueryFilter>(query: &'a Query<'_, D, F>) -> Self {
        Self { fetch: query.fetch, rows: 0..query.rows, marker: PhantomData }
    }

    pub(super) fn of_rows(rows: &'a Rows<D>) -> Self {
        Self { fetch: rows.fetch, rows: 0..rows.rows, marker: PhantomData }
    }
}

impl<'a, D: QueryData> QueryIterMut<'a, D> {
    pub(super) fn of_query<F: QueryFilter>(query: Query<'a, D, F>) -> Self {
        Self { fetch: query.fetch, rows: 0..query.rows, marker: PhantomData }
    }

    pub(super) fn new<F: QueryFilter>(query: &'a mut Query<'_, D, F>) -> Self {
        Self { fetch: query.fetch, rows: 0..query.rows, marker: PhantomData }
    }
}

impl<'a, D: QueryData> Iterator for QueryIter<'a, D> {
    type Item = D::ReadItem<'a>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        let row = self.rows.next()?;
        // SAFETY: the query, or the rows, are borrowed for `'a`, so the columns are valid and no row is borrowed mutably;
        // the range ends with the rows.
        Some(unsafe { D::get(self.fetch, row) })
    }

    #[inline]
    fn size_hint(&self) -> (usize, Option<usize>) {
        self.rows.size_hint()
    }
}

impl<'a, D: QueryData> Iterator for QueryIterMut<'a, D> {
    type Item = D::Item<'a>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        let row = self.rows.next()?;
        // SAFETY: the query is borrowed mutably for `'a`, or was given up and had that lifetime, so its columns are valid
        // and only this iterator hands out rows, each once; the range ends with the rows.
        Some(unsafe { D::get_mut(self.fetch, row) })
    }

    #[inline]
    fn size_hint(&self) -> (usize, Option<usize>) {
        self.rows.size_hint()
    }
}

impl<D: QueryData> ExactSizeIterator for QueryIter<'_, D> {}
impl<D: QueryData> ExactSizeIterator for QueryIterMut<'_, D> {}

impl<D: QueryData> fmt::Debug for QueryIter<'_, D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("QueryIter").field("rows", &self.rows).finish_non_exhaustive()
    }
}

impl<D: QueryData> fmt::Debug for QueryIterMut<'_, D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("QueryIterMut").field("rows", &self.rows).finish_non_exhaustive()
    }
}
