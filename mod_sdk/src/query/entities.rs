//! The rows of given entities. The game knows which these are; it is asked for each.
#![expect(unsafe_code, reason = "keeps the promise that no row is handed out twice")]

use std::{borrow::Borrow, fmt, marker::PhantomData};

use mod_abi::names::NO_ROW;

use super::{Query, QueryData, QueryEntityError, QueryFilter};
use crate::{Entity, imports};

/// How to find a query's rows.
#[derive(Debug, Clone, Copy)]
struct Finder {
    rows: usize,
    param: u32,
}

impl Finder {
    /// The row of an entity. It is smaller than the number of rows.
    fn find(self, entity: Entity) -> Option<usize> {
        if self.rows == 0 {
            return None;
        }
        match imports::query_row(self.param, entity.to_bits()) {
            NO_ROW => None,
            row => {
                let row = row as usize;
                assert!(row < self.rows, "the game's answer is malformed: row {row} of {}", self.rows);
                Some(row)
            }
        }
    }

    fn get(self, entity: Entity) -> Result<usize, QueryEntityError> {
        self.find(entity).ok_or(QueryEntityError::QueryDoesNotMatch(entity))
    }

    fn get_many<const N: usize>(self, entities: [Entity; N]) -> Result<[usize; N], QueryEntityError> {
        let mut rows = [0; N];
        for (row, entity) in rows.iter_mut().zip(entities) {
            *row = self.get(entity)?;
        }
        Ok(rows)
    }
}

impl<D: QueryData, F: QueryFilter> Query<'_, D, F> {
    fn finder(&self) -> Finder {
        Finder { rows: self.rows, param: self.param }
    }

    /// The row of an entity, to read.
    ///
    /// # Errors
    /// When the entity does not match the query, or does not exist.
    pub fn get(&self, entity: Entity) -> Result<D::ReadItem<'_>, QueryEntityError> {
        let row = self.finder().get(entity)?;
        // SAFETY: the query is borrowed, so its columns are valid and no row is borrowed mutably; there is such a row.
        Ok(unsafe { D::get(self.fetch, row) })
    }

    /// The row of an entity, to change.
    ///
    /// # Errors
    /// When the entity does not match the query, or does not exist.
    pub fn get_mut(&mut self, entity: Entity) -> Result<D::Item<'_>, QueryEntityError> {
        let row = self.finder().get(entity)?;
        // SAFETY: the query is borrowed mutably, so its columns are valid and no row is borrowed; there is such a row.
        Ok(unsafe { D::get_mut(self.fetch, row) })
    }

    /// The rows of several entities, to read.
    ///
    /// # Errors
    /// When one of them does not match the query, or does not exist.
    pub fn get_many<const N: usize>(&self, entities: [Entity; N]) -> Result<[D::ReadItem<'_>; N], QueryEntityError> {
        let rows = self.finder().get_many(entities)?;
        // SAFETY: as in `get`, for all rows.
        Ok(rows.map(|row| unsafe { D::get(self.fetch, row) }))
    }

    /// The rows of several entities, to change.
    ///
    /// # Errors
    /// When one of them does not match the query, does not exist, or is there twice.
    pub fn get_many_mut<const N: usize>(
        &mut self,
        entities: [Entity; N],
    ) -> Result<[D::Item<'_>; N], QueryEntityError> {
        let rows = self.finder().get_many(entities)?;
        for (index, entity) in entities.into_iter().enumerate() {
            if rows[..index].contains(&rows[index]) {
                return Err(QueryEntityError::AliasedMutability(entity));
            }
        }
        // SAFETY: as in `get_mut`, for all rows, which differ.
        Ok(rows.map(|row| unsafe { D::get_mut(self.fetch, row) }))
    }

    /// Whether the entity matches the query.
    #[must_use]
    pub fn contains(&self, entity: Entity) -> bool {
        self.finder().find(entity).is_some()
    }

    /// The rows of these entities, in their order, to read. Those that do not match are left out.
    pub fn iter_many<I: IntoIterator<Item: Borrow<Entity>>>(&self, entities: I) -> QueryManyIter<'_, D, I::IntoIter> {
        QueryManyIter { fetch: self.fetch, finder: self.finder(), entities: entities.into_iter(), marker: PhantomData }
    }

    /// The rows of these entities, in their order, to change. Those that do not match are left out. An entity may be there
    /// twice, so the rows are handed out one at a time, with [`QueryManyIterMut::fetch_next`].
    pub fn iter_many_mut<I: IntoIterator<Item: Borrow<Entity>>>(
        &mut self,
        entities: I,
    ) -> QueryManyIterMut<'_, D, I::IntoIter> {
        QueryManyIterMut {
            fetch: self.fetch,
            finder: self.finder(),
            entities: entities.into_iter(),
            marker: PhantomData,
        }
    }
}

/// The rows of given entities, to read.
pub struct QueryManyIter<'a, D: QueryData, I> {
    fetch: D::Fetch,
    finder: Finder,
    entities: I,
    marker: PhantomData<&'a ()>,
}

impl<'a, D: QueryData, I: Iterator<Item: Borrow<Entity>>> Iterator for QueryManyIter<'a, D, I> {
    type Item = D::ReadItem<'a>;

    fn next(&mut self) -> Option<Self::Item> {
        let finder = self.finder;
        let row = self.entities.find_map(|entity| finder.find(*entity.borrow()))?;
        // SAFETY: the query is borrowed for `'a`, so its columns are valid and no row is borrowed mutably; there is such a
        // row.
        Some(unsafe { D::get(self.fetch, row) })
    }
}

impl<D: QueryData, I> fmt::Debug for QueryManyIter<'_, D, I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("QueryManyIter").finish_non_exhaustive()
    }
}

/// The rows of given entities, to change.
pub struct QueryManyIterMut<'a, D: QueryData, I> {
    fetch: D::Fetch,
    finder: Finder,
    entities: I,
    marker: PhantomData<&'a mut ()>,
}

impl<D: QueryData, I: Iterator<Item: Borrow<Entity>>> QueryManyIterMut<'_, D, I> {
    /// The next row, until the one after it is asked for.
    pub fn fetch_next(&mut self) -> Option<D::Item<'_>> {
        let finder = self.finder;
        let row = self.entities.find_map(|entity| finder.find(*entity.borrow()))?;
        // SAFETY: the query is borrowed mutably for longer than this iterator lives, which lends one row at a time; there is
        // such a row.
        Some(unsafe { D::get_mut(self.fetch, row) })
    }
}

impl<D: QueryData, I> fmt::Debug for QueryManyIterMut<'_, D, I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("QueryManyIterMut").finish_non_exhaustive()
    }
}
