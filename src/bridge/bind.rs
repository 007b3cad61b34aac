//! A mod's description against this World: every type found, every query checked, before its first frame.
//!
//! All mistakes are collected, so that a modder sees them at once.

use std::{collections::HashSet, sync::Arc};

use bevy_ecs::{
    query::{AccessConflicts, FilteredAccess, FilteredAccessSet},
    reflect::AppTypeRegistry,
    schedule::InternedScheduleLabel,
    world::World,
};
use mod_abi::describe::{ModDescription, ParamDesc, SystemDesc, TypeDesc, TypeIndex};
use thiserror::Error;

use crate::bridge::{
    apply::CommandError,
    bind::order::{BoundOrder, OrderError, bind_order, check_own, circle, earlier},
    condition::{ConditionError, Conditions, MAX_CONDITIONS},
    crossing::Crossing,
    definitions::DefinitionError,
    gather::Block,
    grant::{Claim, Claims, NotGranted, READ},
    messages::{self, MessageReader},
    on_demand::bind_resource,
    player::SettingsError,
    query::{Bound, BoundQuery, QueryError, TypesOf},
    states::{ModStates, StateError},
    types::bind,
};

pub(crate) mod order;

/// A system of a mod that this game cannot run as it is described.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SystemBindError {
    /// A query or a resource cannot be given to it.
    #[error("`{system}`: {source}")]
    Query {
        /// The system's name.
        system: String,
        /// Why.
        source: QueryError,
    },
    /// A type of the mod's own cannot be what it says.
    #[error(transparent)]
    Definition(#[from] DefinitionError),
    /// It wants what the game does not let it do. All that it wants so is told at once.
    #[error(transparent)]
    NotGranted(#[from] NotGranted),
    /// A resource that the mod starts with cannot be inserted.
    #[error("its initial resource cannot be inserted: {0}")]
    Resource(CommandError),
    /// The mod's settings cannot be given to it as it wants them.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// Two parameters mean the same data, and one of them writes.
    #[error(
        "`{system}`: parameters {earlier} and {param} both borrow {shared}, and one of them writes it; use `Without<T>` to keep two queries apart"
    )]
    Aliasing {
        /// The system's name.
        system: String,
        /// One of the parameters, counted from one.
        earlier: usize,
        /// The other one.
        param: usize,
        /// The short paths of what both borrow.
        shared: String,
    },
    /// More systems or parameters than a mod may have.
    #[error("`{system}`: {what} are more than the {most} that a mod may have")]
    TooMany {
        /// The system's name.
        system: String,
        /// What there is too much of.
        what: String,
        /// The most that is allowed.
        most: usize,
    },
    /// A name that no one could read in a log.
    #[error("system number {index} is called {name:?}; a name has 1 to 128 letters, digits, `_` or `:`")]
    Name {
        /// The system's index in its mod.
        index: usize,
        /// Its name, shortened.
        name: String,
    },
    /// A schedule that mods cannot use.
    #[error("`{system}`: there is no schedule `{schedule}` for mods")]
    Schedule {
        /// The system's name.
        system: String,
        /// The schedule's name.
        schedule: String,
    },
    /// Two systems of one name, so that nobody could be ordered by it.
    #[error("two systems are called `{system}`; each should have a name of its own")]
    DuplicateName {
        /// The name.
        system: String,
    },
    /// A schedule about a state that cannot be found.
    #[error("`{system}`: {source}")]
    State {
        /// The system's name.
        system: String,
        /// Why.
        source: StateError,
    },
    /// A run condition that cannot be tested.
    #[error("`{system}`: a run condition cannot be tested: {source}")]
    Condition {
        /// The system's name.
        system: String,
        /// Why.
        source: ConditionError,
    },
    /// A place among other systems that it cannot have.
    #[error("`{system}` {source}")]
    Order {
        /// The system's name.
        system: String,
        /// Which place, and why not.
        source: OrderError,
    },
    /// An observer that does not take what it is woken by, or a system that would.
    #[error("`{observer}`: the event is the first parameter of every observer, and of nothing else")]
    Event {
        /// The observer's or the system's name.
        observer: String,
    },
}

/// The most systems of one mod.
pub(super) const MAX_SYSTEMS: usize = 1024;
/// The most mistakes that are told at once.
pub(super) const MAX_ERRORS: usize = 64;
/// The most parameters of one system.
pub(super) const MAX_PARAMS: usize = 32;

/// A system whose types are known to this World.
#[derive(Debug)]
pub(crate) struct BoundSystem {
    pub(crate) name: String,
    pub(crate) schedule: String,
    /// The schedule, if it is one about a state of the game.
    pub(crate) state_schedule: Option<InternedScheduleLabel>,
    pub(crate) params: Vec<BoundParam>,
    /// Indices of the mod's systems that run earlier.
    pub(crate) after: Vec<usize>,
    /// Its place among systems that need not be the mod's.
    pub(crate) order: Vec<BoundOrder>,
    pub(crate) conditions: Conditions,
}

/// A parameter, ready to be filled.
#[derive(Debug)]
pub(crate) enum BoundParam {
    Block(Box<Block>),
    World,
    /// The permission to leave commands.
    Commands,
    /// Messages that came since the system last ran.
    Messages(Box<MessageReader>),
    /// The permission to leave commands that write messages of that type.
    WriteMessages(TypeIndex),
    /// What an observer was woken by.
    Event(Box<Block>),
}

/// Binds all systems of a mod. What they want is noted in `claims`.
///
/// # Errors
/// Every mistake in the description, and every type that the game does not have.
pub(crate) fn bind_systems(
    world: &mut World,
    description: &ModDescription,
    is_schedule: impl Fn(&str) -> bool,
    claims: &Claims,
) -> Result<Bound<Vec<BoundSystem>>, Vec<SystemBindError>> {
    let states = world.get_resource_or_init::<ModStates>();
    let is_schedule = |name: &str| match states.schedule(name) {
        Some(found) => found.map(drop).map_err(Some),
        None => is_schedule(name).then_some(()).ok_or(None),
    };
    let mut errors = check(description, is_schedule);
    let mut systems = Vec::new();
    let mut waiting = Vec::new();
    for desc in description.systems.iter().take(MAX_SYSTEMS) {
        match bind_system(world, desc, &description.types, claims.of(&desc.name)) {
            Ok(Bound::Ready(system)) => systems.push(system),
            Ok(Bound::Waiting(names)) => waiting.extend(names),
            Err(error) => errors.push(error),
        }
    }
    if !errors.is_empty() {
        errors.truncate(MAX_ERRORS);
        return Err(errors);
    }
    for (system, earlier) in systems.iter_mut().zip(earlier(&description.systems)) {
        system.after = earlier.into_iter().collect();
        system.after.sort_unstable();
    }
    waiting.sort_unstable();
    waiting.dedup();
    Ok(if waiting.is_empty() { Bound::Ready(systems) } else { Bound::Waiting(waiting) })
}

/// What can be wrong with a description whatever the World holds.
fn check(
    description: &ModDescription,
    is_schedule: impl Fn(&str) -> Result<(), Option<StateError>>,
) -> Vec<SystemBindError> {
    let mut errors = Vec::new();
    let mut names = HashSet::new();
    let systems = &description.systems;
    if systems.len() > MAX_SYSTEMS {
        let what = format!("{} systems", systems.len());
        errors.push(SystemBindError::TooMany { system: "(all)".to_owned(), what, most: MAX_SYSTEMS });
    }
    for (index, desc) in systems.iter().enumerate().take(MAX_SYSTEMS) {
        if !is_name(&desc.name) {
            let name = desc.name.chars().take(32).collect();
            errors.push(SystemBindError::Name { index, name });
            continue;
        }
        let system = desc.name.clone();
        if desc.params.len() > MAX_PARAMS {
            let what = format!("{} parameters", desc.params.len());
            errors.push(SystemBindError::TooMany { system: system.clone(), what, most: MAX_PARAMS });
        }
        if !names.insert(&desc.name) {
            errors.push(SystemBindError::DuplicateName { system: system.clone() });
        }
        match is_schedule(&desc.schedule) {
            Ok(()) => {}
            Err(Some(source)) => errors.push(SystemBindError::State { system: system.clone(), source }),
            Err(None) => {
                let schedule = desc.schedule.chars().filter(|c| !c.is_control()).take(32).collect();
                errors.push(SystemBindError::Schedule { system: system.clone(), schedule });
            }
        }
        if desc.conditions.len() > MAX_CONDITIONS {
            let what = format!("{} run conditions", desc.conditions.len());
            errors.push(SystemBindError::TooMany { system: system.clone(), what, most: MAX_CONDITIONS });
        }
        if desc.order.len() > MAX_SYSTEMS {
            let what = format!("{} places in its order", desc.order.len());
            errors.push(SystemBindError::TooMany { system, what, most: MAX_SYSTEMS });
            continue;
        }
        let wrong = check_own(systems, desc);
        errors.extend(wrong.map(|source| SystemBindError::Order { system, source }));
    }
    if errors.is_empty() {
        let circle = circle(systems);
        errors.extend(circle.map(|(system, source)| SystemBindError::Order { system: system.to_owned(), source }));
    }
    errors
}

pub(super) fn is_name(name: &str) -> bool {
    (1..=128).contains(&name.len()) && name.chars().all(|c| c.is_alphanumeric() || c == '_' || c == ':')
}

fn bind_system(
    world: &mut World,
    desc: &SystemDesc,
    types: &[TypeDesc],
    claim: Claim<'_>,
) -> Result<Bound<BoundSystem>, SystemBindError> {
    let schedule = world.get_resource_or_init::<ModStates>().schedule(&desc.schedule).and_then(Result::ok);
    if let Some((_, state)) = schedule {
        claim.path(READ, state);
    }
    let unordered = |source| SystemBindError::Order { system: desc.name.clone(), source };
    let order = bind_order(world, desc).map_err(unordered);
    let untestable = |source| SystemBindError::Condition { system: desc.name.clone(), source };
    let conditions = Conditions::bind(world, &desc.conditions, types, claim).map_err(untestable);
    let params = bind_params(world, &desc.name, &desc.params, types, None, claim);
    let (order, conditions) = (order?, conditions?);
    let params = match params? {
        Bound::Ready(params) => params,
        Bound::Waiting(names) => return Ok(Bound::Waiting(names)),
    };
    Ok(Bound::Ready(BoundSystem {
        name: desc.name.clone(),
        schedule: desc.schedule.clone(),
        state_schedule: schedule.map(|(label, _)| label),
        params,
        // Known when all systems are.
        after: Vec::new(),
        order,
        conditions,
    }))
}

/// Binds the parameters of a system, or of an observer whose `event` crosses so.
pub(super) fn bind_params(
    world: &mut World,
    system: &str,
    descs: &[ParamDesc],
    types: &[TypeDesc],
    event: Option<&Arc<Crossing>>,
    claim: Claim<'_>,
) -> Result<Bound<Vec<BoundParam>>, SystemBindError> {
    let failed = |source| SystemBindError::Query { system: system.to_owned(), source };
    let mut params = Vec::new();
    let mut waiting = Vec::new();
    let mut borrowed: Vec<(usize, FilteredAccess)> = Vec::new();
    // All parameters are claimed before the first that is wrong is told.
    let mut wrong = None;
    for (index, param) in descs.iter().enumerate().take(MAX_PARAMS) {
        let bound = match (param, event) {
            (ParamDesc::Event, Some(crossing)) => {
                Ok(Bound::Ready(BoundParam::Event(Box::new(Block::of_values(Arc::clone(crossing))))))
            }
            (ParamDesc::Event, None) => Err(SystemBindError::Event { observer: system.to_owned() }),
            _ => bind_param(world, param, types, claim).map_err(failed),
        };
        match bound {
            Ok(Bound::Waiting(names)) => waiting.extend(names),
            Ok(Bound::Ready(param)) => {
                if let BoundParam::Block(block) = &param {
                    let (borrows, param) = (block.access(), index + 1);
                    if let Some((earlier, other)) = borrowed.iter().find(|(_, other)| !other.is_compatible(&borrows)) {
                        let (system, shared) = (system.to_owned(), names_of(world, &other.get_conflicts(&borrows)));
                        wrong.get_or_insert(SystemBindError::Aliasing { system, earlier: *earlier, param, shared });
                    }
                    borrowed.push((param, borrows));
                }
                params.push(param);
            }
            Err(error) => {
                wrong.get_or_insert(error);
            }
        }
    }
    if let Some(error) = wrong {
        return Err(error);
    }
    Ok(if waiting.is_empty() { Bound::Ready(params) } else { Bound::Waiting(waiting) })
}

/// What two parameters both borrow, by the names that mods know. Bevy's own names are empty in most games.
fn names_of(world: &World, conflicts: &AccessConflicts) -> String {
    let AccessConflicts::Individual(components) = conflicts else { return "everything".to_owned() };
    let registry = world.resource::<AppTypeRegistry>().read();
    let name = |component| {
        let info = world.components().get_info(component)?;
        let reflected = info.type_id().and_then(|ty| registry.get_type_info(ty));
        let reflected = reflected.map(|ty| ty.type_path_table().short_path().to_owned());
        Some(format!("`{}`", reflected.unwrap_or_else(|| info.name().shortname().to_string())))
    };
    components.iter().filter_map(name).collect::<Vec<_>>().join(", ")
}

fn bind_param(
    world: &mut World,
    param: &ParamDesc,
    types: &[TypeDesc],
    claim: Claim<'_>,
) -> Result<Bound<BoundParam>, QueryError> {
    if let ParamDesc::MessageReader(index) | ParamDesc::MessageWriter(index) = param {
        let desc = usize::try_from(*index).ok().and_then(|index| types.get(index));
        let desc = desc.ok_or(QueryError::NoSuchType { index: *index, types: types.len() })?;
        return if matches!(param, ParamDesc::MessageReader(_)) {
            Ok(MessageReader::bind(world, desc, claim)?.map(|reader| BoundParam::Messages(Box::new(reader))))
        } else {
            Ok(messages::bind_writer(world, desc, claim)?.map(|()| BoundParam::WriteMessages(*index)))
        };
    }
    let mut types = TypesOf { descs: types, bind: |desc: &TypeDesc| bind(world, desc), claim };
    let bound = match param {
        ParamDesc::World => Bound::Ready(BoundParam::World),
        ParamDesc::Query(query) => match BoundQuery::bind(query, &mut types)? {
            Bound::Waiting(names) => Bound::Waiting(names),
            Bound::Ready(mut query) => {
                query.hide_disabled(world);
                Bound::Ready(BoundParam::Block(Box::new(Block::of_query(query))))
            }
        },
        ParamDesc::Resource(resource) | ParamDesc::OptionalResource(resource) => {
            let optional = matches!(param, ParamDesc::OptionalResource(_));
            match bind_resource(resource.ty, resource.write, &mut types)? {
                Bound::Waiting(names) => Bound::Waiting(names),
                Bound::Ready((component, term)) => {
                    Bound::Ready(BoundParam::Block(Box::new(Block::of_resource(component, term, optional))))
                }
            }
        }
        // The others were bound above, or by the caller.
        ParamDesc::Commands | ParamDesc::MessageReader(_) | ParamDesc::MessageWriter(_) | ParamDesc::Event => {
            Bound::Ready(BoundParam::Commands)
        }
    };
    Ok(bound)
}

impl BoundParam {
    /// Adds what this parameter reads and writes to a system's access.
    pub(crate) fn declare(&self, access: &mut FilteredAccessSet) {
        match self {
            Self::World => {
                let mut everything = FilteredAccess::default();
                everything.read_all();
                access.add(everything);
            }
            Self::Block(block) => access.add(block.access()),
            Self::Messages(reader) => reader.declare(access),
            Self::Commands | Self::WriteMessages(_) | Self::Event(_) => {}
        }
    }

    /// The type of which it may write messages.
    pub(crate) fn written_message(&self) -> Option<TypeIndex> {
        match self {
            Self::WriteMessages(ty) => Some(*ty),
            _ => None,
        }
    }

    /// The rows of this parameter, if it has any.
    pub(crate) fn block(&self) -> Option<&Block> {
        match self {
            Self::Block(block) | Self::Event(block) => Some(block),
            Self::Messages(reader) => Some(&reader.block),
            Self::World | Self::Commands | Self::WriteMessages(_) => None,
        }
    }

    pub(crate) fn block_mut(&mut self) -> Option<&mut Block> {
        match self {
            Self::Block(block) | Self::Event(block) => Some(block),
            Self::Messages(reader) => Some(&mut reader.block),
            Self::World | Self::Commands | Self::WriteMessages(_) => None,
        }
    }
}
