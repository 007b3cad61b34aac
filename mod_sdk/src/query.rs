//! Rows of entities, as a system's parameter.

mod data;
mod filter;
mod iter;
mod rows;

use std::{error::Error, fmt, marker::PhantomData};

pub(crate) use data::Columns;
pub use data::{QueryData, ReadOnlyQueryData};
pub use filter::{QueryFilter, With, Without};
pub use iter::{QueryIter, QueryIterMut};
use mod_abi::describe::{ParamDesc, QueryDesc, TermDesc};
pub use rows::Rows;

use crate::{
    block::{Block, Blocks},
    describe::Types,
    param::SystemParam,
};

/// All entities that have what `D` names and meet `F`.
///
/// `D` is made of `&T`, `&mut T`, [`Entity`](crate::Entity) and tuples of them, `F` of [`With`], [`Without`] and tuples.
///
/// ```
/// # use mod_sdk::prelude::*;
/// # #[derive(Component)] struct Velocity(Vec3);
/// # #[derive(Component)] struct Frozen;
/// fn drift(mut boids: Query<(&mut Transform, &Velocity), Without<Frozen>>, time: Res<Time>) {
///     for (mut transform, velocity) in &mut boids {
///         transform.translation += velocity.0 * time.delta_secs();
///     }
/// }
/// ```
pub struct Query<'w, D: QueryData, F: QueryFilter = ()> {
    fetch: D::Fetch,
    rows: usize,
    marker: PhantomData<(&'w mut (), fn() -> F)>,
}

/// Why there is no single row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum QuerySingleError {
    /// No entity matches.
    NoEntities,
    /// More than one entity matches.
    MultipleEntities,
}

impl<'w, D: QueryData, F: QueryFilter> Query<'w, D, F> {
    /// The rows of `block`, which `state` helps to read for as long as the query lives.
    pub(crate) fn fetch(state: &'w mut D::State, block: Block<'w>) -> Self {
        Self { fetch: D::fetch(state, &mut Columns::new(block)), rows: block.rows(), marker: PhantomData }
    }

    /// How many entities match.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rows
    }

    /// Whether no entity matches.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows == 0
    }

    /// All rows, to read. The same as `&query` in a `for` loop.
    pub fn iter(&self) -> QueryIter<'_, D> {
        QueryIter::new(self)
    }

    /// All rows, to change. The same as `&mut query` in a `for` loop.
    pub fn iter_mut(&mut self) -> QueryIterMut<'_, D> {
        QueryIterMut::new(self)
    }

    /// The only row, to read.
    ///
    /// # Errors
    /// When there is not exactly one.
    pub fn single(&self) -> Result<D::ReadItem<'_>, QuerySingleError> {
        only(self.iter())
    }

    /// The only row, to change.
    ///
    /// # Errors
    /// When there is not exactly one.
    pub fn single_mut(&mut self) -> Result<D::Item<'_>, QuerySingleError> {
        only(self.iter_mut())
    }
}

fn only<T>(mut rows: impl Iterator<Item = T>) -> Result<T, QuerySingleError> {
    match (rows.next(), rows.next()) {
        (None, _) => Err(QuerySingleError::NoEntities),
        (Some(row), None) => Ok(row),
        (Some(_), Some(_)) => Err(QuerySingleError::MultipleEntities),
    }
}

/// What a query asks of the game.
pub(crate) fn query_desc<D: QueryData, F: QueryFilter>(types: &mut Types) -> QueryDesc {
    let mut desc = QueryDesc::default();
    D::describe(types, &mut desc.terms);
    F::describe(types, &mut desc.filters);
    for (index, term) in desc.terms.iter().enumerate() {
        let (TermDesc::Read(ty) | TermDesc::Write(ty)) = term else { continue };
        let conflict = desc.terms[..index].iter().any(|earlier| match earlier {
            TermDesc::Entity => false,
            TermDesc::Read(other) => ty == other && matches!(term, TermDesc::Write(_)),
            TermDesc::Write(other) => ty == other,
        });
        assert!(!conflict, "a query should name `{}` only once when it changes it", types.path(*ty));
    }
    desc
}

impl<D: QueryData, F: QueryFilter> SystemParam for Query<'_, D, F> {
    type State = D::State;
    type Item<'w> = Query<'w, D, F>;

    fn describe(types: &mut Types, params: &mut Vec<ParamDesc>) {
        params.push(ParamDesc::Query(query_desc::<D, F>(types)));
    }

    fn fetch<'w>(state: &'w mut Self::State, blocks: &mut Blocks<'w>) -> Self::Item<'w> {
        Query::fetch(state, blocks.next_rows())
    }

    fn finish(state: &mut Self::State, blocks: &mut Blocks<'_>) {
        D::finish(state, &mut Columns::new(blocks.next_rows()));
    }
}

impl<'a, D: QueryData, F: QueryFilter> IntoIterator for &'a Query<'_, D, F> {
    type Item = D::ReadItem<'a>;
    type IntoIter = QueryIter<'a, D>;

    fn into_iter(self) -> QueryIter<'a, D> {
        self.iter()
    }
}

impl<'a, D: QueryData, F: QueryFilter> IntoIterator for &'a mut Query<'_, D, F> {
    type Item = D::Item<'a>;
    type IntoIter = QueryIterMut<'a, D>;

    fn into_iter(self) -> QueryIterMut<'a, D> {
        self.iter_mut()
    }
}

impl<D: QueryData, F: QueryFilter> fmt::Debug for Query<'_, D, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Query").field("rows", &self.rows).finish_non_exhaustive()
    }
}

impl fmt::Display for QuerySingleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoEntities => "no entity matches the query",
            Self::MultipleEntities => "more than one entity matches the query",
        })
    }
}

impl Error for QuerySingleError {}
