//! Rows of entities, as a system's parameter.

mod combinations;
mod data;
mod entities;
mod error;
mod filter;
mod iter;
mod rows;
mod single;

use std::{fmt, marker::PhantomData};

pub use combinations::{QueryCombinationIter, QueryCombinationIterMut};
pub(crate) use data::Columns;
pub use data::{Has, QueryData, ReadOnlyQueryData};
pub use entities::{QueryManyIter, QueryManyIterMut};
pub use error::{QueryEntityError, QuerySingleError};
pub use filter::{Added, ArchetypeFilter, Changed, Or, QueryFilter, With, Without};
pub use iter::{QueryIter, QueryIterMut};
use mod_abi::describe::{ParamDesc, QueryDesc, TermDesc, TypeIndex};
pub use rows::Rows;
pub use single::{Populated, Single};

use crate::{
    block::{Block, Blocks},
    describe::Types,
    param::SystemParam,
};

/// All entities that have what `D` names and meet `F`.
///
/// `D` is made of `&T`, `&mut T`, [`Ref<T>`](crate::Ref), [`Mut<T>`](crate::Mut), an `Option` of these, [`Has<T>`](Has),
/// [`Entity`](crate::Entity) and tuples of them; `F` of [`With`], [`Without`], [`Added`], [`Changed`], [`Or`] and tuples.
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
///
/// Besides looking at all rows, a query finds those of given entities, and combines rows with each other:
///
/// ```
/// # use mod_sdk::prelude::*;
/// # #[derive(Component)] struct Bee { home: Entity }
/// # #[derive(Component)] struct Hive { honey: u32 }
/// # #[derive(Component)] struct Swarm;
/// fn deliver(bees: Query<&Bee, Or<(With<Swarm>, Changed<Transform>)>>, mut hives: Query<&mut Hive>) {
///     for bee in &bees {
///         if let Ok(mut hive) = hives.get_mut(bee.home) {
///             hive.honey += 1;
///         }
///     }
/// }
///
/// fn keep_apart(mut bees: Query<&mut Transform, With<Bee>>) {
///     let mut pairs = bees.iter_combinations_mut();
///     while let Some([mut one, two]) = pairs.fetch_next() {
///         if one.translation.distance(two.translation) < 1.0 {
///             one.translation.y += 1.0;
///         }
///     }
/// }
/// ```
///
/// The rows are those of the moment at which the system was started.
pub struct Query<'w, D: QueryData, F: QueryFilter = ()> {
    fetch: D::Fetch,
    rows: usize,
    /// The index under which the game knows the query.
    param: u32,
    marker: PhantomData<(&'w mut (), fn() -> F)>,
}

impl<'w, D: QueryData, F: QueryFilter> Query<'w, D, F> {
    /// The rows of `block`, which `state` helps to read for as long as the query lives.
    pub(crate) fn fetch(state: &'w mut D::State, block: Block<'w>) -> Self {
        let fetch = D::fetch(state, &mut Columns::new(block));
        Self { fetch, rows: block.rows(), param: block.param(), marker: PhantomData }
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
        let Some((ty, writes)) = data(term) else { continue };
        let earlier = desc.terms[..index].iter().filter_map(data);
        let conflict = earlier.into_iter().any(|(other, also)| ty == other && (writes || also));
        assert!(!conflict, "a query should name `{}` only once when it changes it", types.path(ty));
    }
    desc
}

/// The type whose values a term fetches, and whether it may change them.
fn data(term: &TermDesc) -> Option<(TypeIndex, bool)> {
    match *term {
        TermDesc::Read(ty) | TermDesc::ReadOptional(ty) => Some((ty, false)),
        TermDesc::Write(ty) | TermDesc::WriteOptional(ty) => Some((ty, true)),
        TermDesc::Entity | TermDesc::Has(_) => None,
    }
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

#[cfg(test)]
mod tests;
