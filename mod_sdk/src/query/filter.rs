//! Conditions on the entities of a query.

use std::marker::PhantomData;

use mod_abi::describe::FilterDesc;

use crate::{component::Component, describe::Types};

/// A condition that carries no data. It is not meant to be implemented by mods.
///
/// These are [`With`], [`Without`], [`Added`], [`Changed`], tuples of up to 15 conditions that should all be met, and
/// [`Or`] of such a tuple.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a filter of a query",
    label = "not a filter",
    note = "filters are `With<T>`, `Without<T>`, `Added<T>`, `Changed<T>`, tuples of up to 15 of them, and `Or` of a tuple; what a \
            query fetches stands together in its first parameter: `Query<(&A, &B), With<C>>`"
)]
pub trait QueryFilter: 'static {
    /// Adds the condition to a list of which all are to be met.
    #[doc(hidden)]
    fn describe(types: &mut Types, filters: &mut Vec<FilterDesc>);

    /// Adds the condition as one member of something else.
    #[doc(hidden)]
    fn describe_member(types: &mut Types, filters: &mut Vec<FilterDesc>) {
        Self::describe(types, filters);
    }
}

/// A condition on which components there are, whatever happened to them: [`With`], [`Without`], tuples of them, and [`Or`]
/// of such a tuple.
#[diagnostic::on_unimplemented(
    message = "`{Self}` asks when something changed, which a `World` does not know",
    label = "not only about which components there are"
)]
pub trait ArchetypeFilter: QueryFilter {}

/// The entity has a `T`.
///
/// ```
/// # use mod_sdk::prelude::*;
/// # #[derive(Component)] #[component(path = "orchard::Bee")] struct Bee;
/// # #[derive(Component)] #[component(path = "orchard::Frozen")] struct Frozen;
/// fn count(bees: Query<Entity, With<Bee>>) {
///     info!("{} bees", bees.len());
/// }
/// ```
#[derive(Debug)]
pub struct With<T>(PhantomData<fn() -> T>);

/// The entity has no `T`.
///
/// ```
/// # use mod_sdk::prelude::*;
/// # #[derive(Component)] #[component(path = "orchard::Bee")] struct Bee;
/// # #[derive(Component)] #[component(path = "orchard::Frozen")] struct Frozen;
/// fn move_on(mut bees: Query<&mut Transform, (With<Bee>, Without<Frozen>)>) {
///     for mut transform in &mut bees {
///         transform.translation.x += 1.0;
///     }
/// }
/// ```
#[derive(Debug)]
pub struct Without<T>(PhantomData<fn() -> T>);

/// The entity got its `T` since the system last ran.
///
/// ```
/// # use mod_sdk::prelude::*;
/// # #[derive(Component)] struct Bee { name: String }
/// fn welcome(newcomers: Query<&Bee, Added<Bee>>) {
///     for bee in &newcomers {
///         info!("welcome, {}", bee.name);
///     }
/// }
/// ```
#[derive(Debug)]
pub struct Added<T>(PhantomData<fn() -> T>);

/// The entity's `T` was changed or added since the system last ran.
///
/// ```
/// # use mod_sdk::prelude::*;
/// fn watch(moved: Query<(Entity, &Transform), Changed<Transform>>) {
///     for (entity, transform) in &moved {
///         debug!("{entity} is at {}", transform.translation);
///     }
/// }
/// ```
#[derive(Debug)]
pub struct Changed<T>(PhantomData<fn() -> T>);

/// The entity meets at least one of the conditions in the tuple. Tuples inside of it should be met as a whole.
///
/// ```
/// # use mod_sdk::prelude::*;
/// # #[derive(Component)] struct Frozen;
/// # #[derive(Component)] struct Asleep;
/// # #[derive(Component)] struct Awake;
/// /// Those that sleep, and those that are frozen and not awake.
/// type Still = Or<(With<Asleep>, (With<Frozen>, Without<Awake>))>;
///
/// fn count(still: Query<(), Still>) {
///     info!("{} stand still", still.len());
/// }
/// ```
#[derive(Debug)]
pub struct Or<T>(PhantomData<fn() -> T>);

macro_rules! conditions {
    ($($name:ident)*) => {$(
        impl<T: Component> QueryFilter for $name<T> {
            fn describe(types: &mut Types, filters: &mut Vec<FilterDesc>) {
                filters.push(FilterDesc::$name(types.component::<T>()));
            }
        }
    )*};
}

conditions! { With Without Added Changed }

impl<T: Component> ArchetypeFilter for With<T> {}
impl<T: Component> ArchetypeFilter for Without<T> {}

impl QueryFilter for () {
    fn describe(_: &mut Types, _: &mut Vec<FilterDesc>) {}

    fn describe_member(_: &mut Types, filters: &mut Vec<FilterDesc>) {
        filters.push(FilterDesc::And(0));
    }
}

impl ArchetypeFilter for () {}

macro_rules! tuples {
    ($($count:literal ($($name:ident),*))*) => {$(
        impl<$($name: QueryFilter),*> QueryFilter for ($($name,)*) {
            fn describe(types: &mut Types, filters: &mut Vec<FilterDesc>) {
                $($name::describe(types, filters);)*
            }

            fn describe_member(types: &mut Types, filters: &mut Vec<FilterDesc>) {
                filters.push(FilterDesc::And($count));
                $($name::describe_member(types, filters);)*
            }
        }

        impl<$($name: QueryFilter),*> QueryFilter for Or<($($name,)*)> {
            fn describe(types: &mut Types, filters: &mut Vec<FilterDesc>) {
                filters.push(FilterDesc::Or($count));
                $($name::describe_member(types, filters);)*
            }
        }

        impl<$($name: ArchetypeFilter),*> ArchetypeFilter for ($($name,)*) {}
        impl<$($name: ArchetypeFilter),*> ArchetypeFilter for Or<($($name,)*)> {}
    )*};
}

tuples! {
    1 (A)
    2 (A, B)
    3 (A, B, C)
    4 (A, B, C, D)
    5 (A, B, C, D, E)
    6 (A, B, C, D, E, F)
    7 (A, B, C, D, E, F, G)
    8 (A, B, C, D, E, F, G, H)
    9 (A, B, C, D, E, F, G, H, I)
    10 (A, B, C, D, E, F, G, H, I, J)
    11 (A, B, C, D, E, F, G, H, I, J, K)
    12 (A, B, C, D, E, F, G, H, I, J, K, L)
    13 (A, B, C, D, E, F, G, H, I, J, K, L, M)
    14 (A, B, C, D, E, F, G, H, I, J, K, L, M, N)
    15 (A, B, C, D, E, F, G, H, I, J, K, L, M, N, O)
}
