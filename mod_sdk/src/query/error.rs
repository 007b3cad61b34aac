//! Why a query has no such row.

use std::{error::Error, fmt};

use crate::Entity;

/// Why there is no single row.
///
/// ```
/// # use mod_sdk::prelude::*;
/// fn find(trees: Query<&Transform>) {
///     match trees.single() {
///         Ok(tree) => info!("the tree is at {}", tree.translation),
///         Err(QuerySingleError::NoEntities) => info!("there is no tree"),
///         Err(QuerySingleError::MultipleEntities) => info!("it is a wood"),
///     }
/// }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum QuerySingleError {
    /// No entity matches.
    NoEntities,
    /// More than one entity matches.
    MultipleEntities,
}

/// Why there is no row of an entity.
///
/// ```
/// # use mod_sdk::prelude::*;
/// # #[derive(Component)] #[component(define)] struct Follows(Entity);
/// fn look_after(followers: Query<&Follows>, all: Query<&Transform>) {
///     for Follows(leader) in &followers {
///         if let Err(error) = all.get(*leader) {
///             warn!("{error}"); // "the entity 7v1 does not match the query"
///         }
///     }
/// }
/// # assert!(QueryEntityError::QueryDoesNotMatch(Entity::PLACEHOLDER).to_string().ends_with("does not match the query"));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum QueryEntityError {
    /// The entity does not match the query, or it does not exist.
    QueryDoesNotMatch(Entity),
    /// The entity was asked for twice, to be changed.
    AliasedMutability(Entity),
}

impl fmt::Display for QuerySingleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoEntities => "no entity matches the query",
            Self::MultipleEntities => "more than one entity matches the query",
        })
    }
}

impl fmt::Display for QueryEntityError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::QueryDoesNotMatch(entity) => write!(f, "the entity {entity} does not match the query"),
            Self::AliasedMutability(entity) => write!(f, "the entity {entity} was asked for twice, to be changed"),
        }
    }
}

impl Error for QuerySingleError {}
impl Error for QueryEntityError {}
