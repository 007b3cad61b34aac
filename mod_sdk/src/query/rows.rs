//! Rows that were fetched on demand.

use std::fmt;

use super::{Columns, QueryData, QueryIter, ReadOnlyQueryData};
use crate::{block::Block, buffer::OwnedBuffer};

/// What [`World::query`](crate::World::query) found: a copy of the rows, to read.
pub struct Rows<D: QueryData> {
    pub(super) fetch: D::Fetch,
    pub(super) rows: usize,
    /// The columns point into these two, both of which keep their content on the heap. Only the marks of a column do not,
    /// and data that reads alone has no use for them.
    _state: D::State,
    _answer: OwnedBuffer,
}

impl<D: QueryData> Rows<D> {
    /// The rows of an answer that is a block.
    pub(crate) fn new(answer: OwnedBuffer) -> Self
    where
        D: ReadOnlyQueryData,
    {
        let mut state = D::State::default();
        let block = Block::of_answer(&answer);
        let (fetch, rows) = (D::fetch(&mut state, &mut Columns::new(block)), block.rows());
        Self { fetch, rows, _state: state, _answer: answer }
    }

    /// How many entities were found.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rows
    }

    /// Whether no entity was found.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows == 0
    }

    /// All rows. The same as `&rows` in a `for` loop.
    pub fn iter(&self) -> QueryIter<'_, D> {
        QueryIter::of_rows(self)
    }
}

impl<'a, D: QueryData> IntoIterator for &'a Rows<D> {
    type Item = D::ReadItem<'a>;
    type IntoIter = QueryIter<'a, D>;

    fn into_iter(self) -> QueryIter<'a, D> {
        self.iter()
    }
}

impl<D: QueryData> fmt::Debug for Rows<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rows").field("rows", &self.rows).finish_non_exhaustive()
    }
}
