//! Rows of a query with each other.
#![expect(unsafe_code, reason = "keeps the promise that no row is handed out twice")]

use std::{array, fmt, marker::PhantomData};

use super::{Query, QueryData, QueryFilter};

/// All ways to take `K` of a number of rows: in ascending order, the last one moving first.
#[derive(Debug, Clone, Copy)]
struct Combinations<const K: usize> {
    current: Option<[usize; K]>,
    rows: usize,
}

impl<const K: usize> Combinations<K> {
    fn new(rows: usize) -> Self {
        Self { current: None, rows }
    }

    /// The next combination: `K` rows that differ.
    #[inline]
    fn next(&mut self) -> Option<[usize; K]> {
        let next = match self.current {
            None if K == 0 || K > self.rows => return None,
            None => array::from_fn(|place| place),
            Some(mut next) => {
                // The last place that can move on while those behind it still fit.
                let place = (0..K).rev().find(|place| next[*place] + K - place < self.rows)?;
                let row = next[place] + 1;
                for (behind, moved) in next[place..].iter_mut().enumerate() {
                    *moved = row + behind;
                }
                next
            }
        };
        self.current = Some(next);
        self.current
    }
}

impl<D: QueryData, F: QueryFilter> Query<'_, D, F> {
    /// All combinations of `K` rows, to read. Rows that differ only in their order are one combination.
    ///
    /// ```
    /// # use mod_sdk::prelude::*;
    /// fn meet(bees: Query<(Entity, &Transform)>) {
    ///     for [(one, here), (other, there)] in bees.iter_combinations() {
    ///         info!("{one} and {other} are {} apart", here.translation.distance(there.translation));
    ///     }
    /// }
    /// ```
    pub fn iter_combinations<const K: usize>(&self) -> QueryCombinationIter<'_, D, K> {
        QueryCombinationIter { fetch: self.fetch, combinations: Combinations::new(self.rows), marker: PhantomData }
    }

    /// All combinations of `K` rows, to change. A row is in many of them, so they are handed out one at a time, with
    /// [`QueryCombinationIterMut::fetch_next`].
    pub fn iter_combinations_mut<const K: usize>(&mut self) -> QueryCombinationIterMut<'_, D, K> {
        QueryCombinationIterMut { fetch: self.fetch, combinations: Combinations::new(self.rows), marker: PhantomData }
    }
}

/// All combinations of `K` rows of a query, to read.
pub struct QueryCombinationIter<'a, D: QueryData, const K: usize> {
    fetch: D::Fetch,
    combinations: Combinations<K>,
    marker: PhantomData<&'a ()>,
}

impl<'a, D: QueryData, const K: usize> Iterator for QueryCombinationIter<'a, D, K> {
    type Item = [D::ReadItem<'a>; K];

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        let rows = self.combinations.next()?;
        // SAFETY: the query is borrowed for `'a`, so its columns are valid and no row is borrowed mutably; there are such
        // rows.
        Some(rows.map(|row| unsafe { D::get(self.fetch, row) }))
    }
}

impl<D: QueryData, const K: usize> fmt::Debug for QueryCombinationIter<'_, D, K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("QueryCombinationIter").field("rows", &self.combinations.current).finish_non_exhaustive()
    }
}

/// All combinations of `K` rows of a query, to change.
pub struct QueryCombinationIterMut<'a, D: QueryData, const K: usize> {
    fetch: D::Fetch,
    combinations: Combinations<K>,
    marker: PhantomData<&'a mut ()>,
}

impl<D: QueryData, const K: usize> QueryCombinationIterMut<'_, D, K> {
    /// The next combination, until the one after it is asked for.
    #[inline]
    pub fn fetch_next(&mut self) -> Option<[D::Item<'_>; K]> {
        let rows = self.combinations.next()?;
        // SAFETY: the query is borrowed mutably for longer than this iterator lives, which lends one combination at a time;
        // its rows are there, and differ.
        Some(rows.map(|row| unsafe { D::get_mut(self.fetch, row) }))
    }
}

impl<D: QueryData, const K: usize> fmt::Debug for QueryCombinationIterMut<'_, D, K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("QueryCombinationIterMut").field("rows", &self.combinations.current).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::iter;

    use super::Combinations;

    fn all<const K: usize>(rows: usize) -> Vec<[usize; K]> {
        let mut combinations = Combinations::new(rows);
        let all = iter::from_fn(|| combinations.next()).collect();
        assert_eq!(combinations.next(), None);
        all
    }

    #[test]
    fn combinations_are_those_of_bevy() {
        assert_eq!(all::<2>(4), [[0, 1], [0, 2], [0, 3], [1, 2], [1, 3], [2, 3]]);
        assert_eq!(all::<3>(4), [[0, 1, 2], [0, 1, 3], [0, 2, 3], [1, 2, 3]]);
        assert_eq!(all::<1>(3), [[0], [1], [2]]);
        assert_eq!(all::<3>(3), [[0, 1, 2]]);
        assert_eq!((all::<0>(3).len(), all::<2>(1).len(), all::<1>(0).len()), (0, 0, 0));
    }
}
