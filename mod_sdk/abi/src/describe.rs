//! What a mod wants of the game: the answer of its describe export, and its requests during a call.
//!
//! Types are stated once, in [`ModDescription::types`], and named by their index everywhere else. New variants are
//! only ever added at the end of an enum, because their position is their encoding.

use alloc::{string::String, vec::Vec};
use core::time::Duration;

use serde::{Deserialize, Serialize};

use crate::Schema;

/// The index of a [`TypeDesc`] in the list beside the description that uses it.
pub type TypeIndex = u32;

/// Everything that a mod offers and needs. `S` is what holds a schema: a mod, which has nothing to ask of its schemas, keeps
/// their texts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModDescription<S = Schema> {
    /// The types that the mod shares with the game: those that it mirrors and those that it defines.
    pub types: Vec<TypeDesc<S>>,
    /// The mod's systems. A system's index is how the host names it to [`RUN`](crate::names::RUN).
    pub systems: Vec<SystemDesc>,
    /// The mod's observers. The host names them to [`RUN`](crate::names::RUN) by their index after the last system.
    pub observers: Vec<ObserverDesc>,
    /// Resources that are inserted when the mod is loaded, where they do not exist yet.
    pub resources: Vec<InitialResource>,
}

impl Default for ModDescription {
    fn default() -> Self {
        let (types, systems, observers, resources) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        Self { types, systems, observers, resources }
    }
}

/// A type that crosses, as the mod knows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TypeDesc<S = Schema> {
    /// The type's path in the game's registry, or its short path where that is unambiguous. For a type that a mod
    /// defines: the mod's id, `::`, and a name.
    pub path: String,
    /// What the mod believes the type looks like.
    pub schema: S,
    /// Whose type it is.
    pub role: TypeRole,
}

/// Whose a type is, and how much of it the mod knows.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum TypeRole {
    /// A whole type of the game, or of another mod.
    #[default]
    Mirror,
    /// Only some of the fields of a type of the game, matched by name. Structs inside of it may be partial, too.
    Part,
    /// A type of this mod's own.
    Definition(Definition),
}

/// What a mod says of a type of its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Definition {
    /// What it is in the World.
    pub kind: DefinitionKind,
    /// The encoding of the type's default value, from which new fields start when the type changes.
    pub default: Option<Vec<u8>>,
}

/// What a type of a mod is in the World.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum DefinitionKind {
    /// A component, stored in tables.
    Component,
    /// A component, stored in a sparse set.
    SparseComponent,
    /// A resource.
    Resource,
    /// A message.
    Message,
    /// An event.
    Event,
    /// A resource that holds the mod's settings. The host makes it before anything of the mod runs, and writes it anew when a
    /// setting changes; no mod writes it. It is a struct with named fields, each of which
    /// [means](crate::SettingDesc::of_field) a setting that the mod declares, and [fits](crate::SettingDesc::check_field) it.
    Settings,
}

impl DefinitionKind {
    /// Whether it is a resource.
    #[must_use]
    pub fn is_resource(self) -> bool {
        matches!(self, Self::Resource | Self::Settings)
    }
}

/// A resource that a mod starts with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InitialResource {
    /// Its type.
    pub ty: TypeIndex,
    /// Its encoding.
    pub value: Vec<u8>,
}

/// A system of a mod.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct SystemDesc {
    /// A readable name, unique in the mod.
    pub name: String,
    /// The schedule, under Bevy's name for it: `Update`, `FixedUpdate`, ... With the path of a state's type and the name
    /// of a value: `OnEnter(orchard::Season::Winter)`, `OnExit(..)`.
    pub schedule: String,
    /// What the system reads and writes, in the order of its parameters.
    pub params: Vec<ParamDesc>,
    /// Its place among the systems of its schedule.
    pub order: Vec<OrderDesc>,
    /// Run conditions. It only runs when all of them hold.
    pub conditions: Vec<ConditionDesc>,
}

/// A system's place relative to others of its schedule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum OrderDesc {
    /// After the others.
    After(OrderTarget),
    /// Before the others.
    Before(OrderTarget),
}

/// Others that a system is ordered by.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum OrderTarget {
    /// The system of this mod at that index, which must be in the same schedule.
    System(u32),
    /// A system of any mod by its full name, `mod_id::system`. There need not be such a system.
    Named(String),
    /// A set of systems that the game offers under that name.
    Set(String),
}

/// A run condition.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConditionDesc {
    /// Whether it is the other way round: the system runs when the test fails.
    pub not: bool,
    /// What is tested, on the host.
    pub test: ConditionTest,
}

/// What a run condition tests.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum ConditionTest {
    /// The game is in that value of a state: the path of the type, `::`, the name of the value.
    InState(String),
    /// There is that resource.
    ResourceExists(TypeIndex),
    /// That much time has passed since the test last held. In the fixed schedules it is the fixed clock's time.
    OnTimer(Duration),
}

/// A system that runs when something happens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ObserverDesc {
    /// A readable name, unique among the mod's systems and observers.
    pub name: String,
    /// What it waits for.
    pub event: EventDesc,
    /// What it reads and writes, in the order of its parameters.
    pub params: Vec<ParamDesc>,
}

/// What an observer waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum EventDesc {
    /// An event of the game or of a mod.
    Event(TypeIndex),
    /// An entity that had no such component gets one.
    Add(TypeIndex),
    /// An entity gets such a component, whether it had one or not.
    Insert(TypeIndex),
    /// Such a component is about to be replaced or removed.
    Discard(TypeIndex),
    /// Such a component is about to be removed.
    Remove(TypeIndex),
    /// An entity with such a component is about to be despawned.
    Despawn(TypeIndex),
}

/// A parameter of a system that reaches into the World.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum ParamDesc {
    /// Rows of entities.
    Query(QueryDesc),
    /// A resource. Without it the system does not run.
    Resource(ResourceDesc),
    /// The whole World, on demand and to read.
    World,
    /// A resource that may be missing.
    OptionalResource(ResourceDesc),
    /// The permission to leave [commands](crate::command). Its block is missing.
    Commands,
    /// The messages of that type that came since the system last ran: one column, a row for each.
    MessageReader(TypeIndex),
    /// The permission to write messages of that type, as commands. Its block is missing.
    MessageWriter(TypeIndex),
    /// What an observer was woken by: one row. For an event its value; for what happens to a component the entity.
    Event,
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
    /// `Option<&T>`.
    ReadOptional(TypeIndex),
    /// `Option<&mut T>`.
    WriteOptional(TypeIndex),
    /// `Has<T>`: no data, but a bit for each row.
    Has(TypeIndex),
}

/// A condition of a query. `Or` and `And` hold for the members that stand right behind them in the list: a tree in
/// prefix order, at most [`MAX_FILTER_DEPTH`] deep.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum FilterDesc {
    /// The entity has the component.
    With(TypeIndex),
    /// The entity does not have the component.
    Without(TypeIndex),
    /// The component was added since the system last ran.
    Added(TypeIndex),
    /// The component was added or changed since the system last ran.
    Changed(TypeIndex),
    /// Any of the next so many filters holds.
    Or(u32),
    /// All of the next so many filters hold.
    And(u32),
}

/// How deep `Or` and `And` may nest.
pub const MAX_FILTER_DEPTH: usize = 8;

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
pub struct WorldRequest<S = Schema> {
    /// The types that `target` names.
    pub types: Vec<TypeDesc<S>>,
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
