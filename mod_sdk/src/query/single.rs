//! Queries that have to find something: without it the system does not run.

use std::{
    fmt,
    marker::PhantomData,
    ops::{Deref, DerefMut},
};

use mod_abi::describe::ParamDesc;

use super::{Columns, Query, QueryData, QueryFilter, QueryIter, QueryIterMut, only, query_desc};
use crate::{block::Blocks, describe::Types, param::SystemParam};

/// The only entity that has what `D` names and meets `F`. The system does not run while there is another number of them;
/// with an `Option<Single<D, F>>` it does, and gets `None`.
///
/// ```
/// # use mod_sdk::prelude::*;
/// # #[derive(Component)] struct Queen;
/// # #[derive(Component)] struct Health(f32);
/// fn heal(mut queen: Single<&mut Health, With<Queen>>, time: Res<Time>) {
///     queen.0 += time.delta_secs();
/// }
///
/// fn pull(queen: Single<(&mut Transform, &Health), With<Queen>>) {
///     let (mut transform, health) = queen.into_inner();
///     transform.translation.y -= health.0;
/// }
/// ```
///
/// For the game the system has run all the same, so changes from before are not new to it the next time.
pub struct Single<'w, D: QueryData, F: QueryFilter = ()> {
    /// Missing only as long as nobody has asked [`SystemParam::is_ready`].
    item: Option<D::Item<'w>>,
    marker: PhantomData<fn() -> F>,
}

/// A [`Query`] of at least one row. The system does not run while no entity matches.
///
/// For the game the system has run all the same, so changes from before are not new to it the next time.
///
/// ```
/// # use mod_sdk::prelude::*;
/// # #[derive(Component)] #[component(path = "orchard::Bee")] struct Bee;
/// # #[derive(Component)] #[component(path = "orchard::Frozen")] struct Frozen;
/// fn hum(bees: Populated<Entity, With<Bee>>) {
///     info!("{} bees hum", bees.len());
/// }
/// # mod_sdk::testing::describe(|app| { app.add_systems(Update, hum); });
/// ```
pub struct Populated<'w, D: QueryData, F: QueryFilter = ()>(Query<'w, D, F>);

impl<'w, D: QueryData, F: QueryFilter> Single<'w, D, F> {
    fn of_query(query: Query<'w, D, F>) -> Self {
        Self { item: only(QueryIterMut::of_query(query)).ok(), marker: PhantomData }
    }

    /// The row.
    #[must_use]
    pub fn into_inner(self) -> D::Item<'w> {
        self.item.expect(READY)
    }
}

/// Why there is always an item.
const READY: &str = "a system runs only when its `Single` is there";

impl<'w, D: QueryData, F: QueryFilter> Populated<'w, D, F> {
    /// The query.
    #[must_use]
    pub fn into_inner(self) -> Query<'w, D, F> {
        self.0
    }
}

/// What the three parameters have in common: they are the same query for the game.
macro_rules! params {
    ($($param:ty => $item:ty: |$query:ident| $make:expr, |$made:pat_param| $ready:expr;)*) => {$(
        impl<D: QueryData, F: QueryFilter> SystemParam for $param {
            type State = D::State;
            type Item<'w> = $item;

            fn describe(types: &mut Types, params: &mut Vec<ParamDesc>) {
                params.push(ParamDesc::Query(query_desc::<D, F>(types)));
            }

            fn fetch<'w>(state: &'w mut Self::State, blocks: &mut Blocks<'w>) -> $item {
                let $query: Query<'w, D, F> = Query::fetch(state, blocks.next_rows());
                $make
            }

            fn is_ready(&self) -> bool {
                let $made = self;
                $ready
            }

            fn finish(state: &mut Self::State, blocks: &mut Blocks<'_>) {
                D::finish(state, &mut Columns::new(blocks.next_rows()));
            }
        }
    )*};
}

params! {
    Single<'_, D, F> => Single<'w, D, F>: |query| Single::of_query(query), |single| single.item.is_some();
    Option<Single<'_, D, F>> => Option<Single<'w, D, F>>:
        |query| Some(Single::of_query(query)).filter(SystemParam::is_ready), |_| true;
    Populated<'_, D, F> => Populated<'w, D, F>: |query| Populated(query), |populated| !populated.0.is_empty();
}

impl<'w, D: QueryData, F: QueryFilter> Deref for Single<'w, D, F> {
    type Target = D::Item<'w>;

    fn deref(&self) -> &Self::Target {
        self.item.as_ref().expect(READY)
    }
}

impl<D: QueryData, F: QueryFilter> DerefMut for Single<'_, D, F> {
    fn deref_mut(&mut self) -> &mut Self::Target {
        self.item.as_mut().expect(READY)
    }
}

impl<'w, D: QueryData, F: QueryFilter> Deref for Populated<'w, D, F> {
    type Target = Query<'w, D, F>;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl<D: QueryData, F: QueryFilter> DerefMut for Populated<'_, D, F> {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.0
    }
}

impl<'a, D: QueryData, F: QueryFilter> IntoIterator for &'a Populated<'_, D, F> {
    type Item = D::ReadItem<'a>;
    type IntoIter = QueryIter<'a, D>;

    fn into_iter(self) -> QueryIter<'a, D> {
        self.0.iter()
    }
}

impl<'a, D: QueryData, F: QueryFilter> IntoIterator for &'a mut Populated<'_, D, F> {
    type Item = D::Item<'a>;
    type IntoIter = QueryIterMut<'a, D>;

    fn into_iter(self) -> QueryIterMut<'a, D> {
        self.0.iter_mut()
    }
}

impl<D: QueryData, F: QueryFilter> fmt::Debug for Single<'_, D, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Single").finish_non_exhaustive()
    }
}

impl<D: QueryData, F: QueryFilter> fmt::Debug for Populated<'_, D, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Populated").field(&self.0).finish()
    }
}
