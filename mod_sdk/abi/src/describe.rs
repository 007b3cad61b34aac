//! What a mod wants of the game: the answer of its describe export, and its requests during a call.
//!
//! Types are stated once, in [`ModDescription::types`], and named by their index everywhere else. New variants are
//! only ever added at the end of an enum, because their position is their encoding.

use alloc::{string::String, vec::Vec};

use serde::{Deserialize, Serialize};

use crate::Schema;

/// The index of a [`TypeDesc`] in the list beside the description that uses it.
pub type TypeIndex = u32;

/// Everything that a mod offers and needs.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ModDescription {
    /// The game's types that the mod mirrors.
    pub types: Vec<TypeDesc>,
    /// The mod's systems. A system's index is how the host names it to [`RUN`](crate::names::RUN).
    pub systems: Vec<SystemDesc>,
    /// The functions that the game can call by name.
    pub exports: Vec<FunctionDesc>,
    /// The functions that the game must provide.
    pub imports: Vec<FunctionDesc>,
}

/// A type of the game, as the mod knows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TypeDesc {
    /// The type's path in the game's registry, or its short path where that is unambiguous.
    pub path: String,
    /// What the mod believes the type looks like.
    pub schema: Schema,
}

/// A function that crosses, for people: the host only needs its name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FunctionDesc {
    /// The name without leading underscores.
    pub name: String,
    /// The signature as its author wrote it.
    pub signature: String,
}

/// A system of a mod.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SystemDesc {
    /// A readable name, unique in the mod.
    pub name: String,
    /// The schedule, under Bevy's name for it: `Update`, `FixedUpdate`, ...
    pub schedule: String,
    /// What the system reads and writes, in the order of its parameters.
    pub params: Vec<ParamDesc>,
    /// Indices of the systems of this mod, in the same schedule, that must run earlier.
    pub after: Vec<u32>,
}

/// A parameter of a system that reaches into the World.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum ParamDesc {
    /// Rows of entities.
    Query(QueryDesc),
    /// A resource.
    Resource(ResourceDesc),
    /// The whole World, on demand and to read.
    World,
}

/// Which entities, and what of each.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct QueryDesc {
    /// One column each.
    pub terms: Vec<TermDesc>,
    /// Conditions that carry no data. An entity has to meet all of them.
    pub filters: Vec<FilterDesc>,
}

/// One column of a query.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum TermDesc {
    /// The entity's id, as the 64 bits that Bevy gives it.
    Entity,
    /// `&T`.
    Read(TypeIndex),
    /// `&mut T`.
    Write(TypeIndex),
}

/// A condition of a query.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum FilterDesc {
    /// The entity has the component.
    With(TypeIndex),
    /// The entity does not have the component.
    Without(TypeIndex),
}

/// A resource, crossing as a query of at most one row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResourceDesc {
    /// Its type.
    pub ty: TypeIndex,
    /// Whether the mod may change it.
    pub write: bool,
}

/// A request for on-demand access: the argument of [`WORLD_PREPARE`](crate::names::WORLD_PREPARE), which answers
/// with a handle (`u32`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorldRequest {
    /// The types that `target` names.
    pub types: Vec<TypeDesc>,
    /// What the mod wants to read.
    pub target: WorldTarget,
}

/// What on-demand access reads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum WorldTarget {
    /// Rows of entities. Terms that write are refused.
    Query(QueryDesc),
    /// A resource.
    Resource(TypeIndex),
}
