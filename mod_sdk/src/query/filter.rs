//! Conditions on the entities of a query.

use std::marker::PhantomData;

use mod_abi::describe::FilterDesc;

use crate::{component::Component, describe::Types};

/// A condition that carries no data. It is not meant to be implemented by mods.
pub trait QueryFilter: 'static {
    /// Adds the condition to a query's description.
    #[doc(hidden)]
    fn describe(types: &mut Types, filters: &mut Vec<FilterDesc>);
}

/// The entity has a `T`.
#[derive(Debug)]
pub struct With<T>(PhantomData<fn() -> T>);

/// The entity has no `T`.
#[derive(Debug)]
pub struct Without<T>(PhantomData<fn() -> T>);

impl<T: Component> QueryFilter for With<T> {
    fn describe(types: &mut Types, filters: &mut Vec<FilterDesc>) {
        filters.push(FilterDesc::With(types.index::<T>(T::PATH)));
    }
}

impl<T: Component> QueryFilter for Without<T> {
    fn describe(types: &mut Types, filters: &mut Vec<FilterDesc>) {
        filters.push(FilterDesc::Without(types.index::<T>(T::PATH)));
    }
}

impl QueryFilter for () {
    fn describe(_: &mut Types, _: &mut Vec<FilterDesc>) {}
}

macro_rules! tuples {
    ($(($($name:ident),*))*) => {$(
        impl<$($name: QueryFilter),*> QueryFilter for ($($name,)*) {
            fn describe(types: &mut Types, filters: &mut Vec<FilterDesc>) {
                $($name::describe(types, filters);)*
            }
        }
    )*};
}

tuples! {
    (A)
    (A, B)
    (A, B, C)
    (A, B, C, D)
    (A, B, C, D, E)
    (A, B, C, D, E, F)
    (A, B, C, D, E, F, G)
    (A, B, C, D, E, F, G, H)
}
