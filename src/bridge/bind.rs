//! A mod's description against this World: every type found, every query checked, before its first frame.
//!
//! All mistakes are collected, so that a modder sees them at once.

use std::collections::HashSet;

use bevy_ecs::{
    query::{FilteredAccess, FilteredAccessSet},
    world::World,
};
use mod_abi::describe::{ModDescription, ParamDesc, SystemDesc, TypeDesc};
use thiserror::Error;

use crate::bridge::{
    gather::Block,
    on_demand::bind_resource,
    query::{Bound, BoundQuery, QueryError, TypesOf},
    types::bind,
};

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
    /// Two parameters mean the same data, and one of them writes.
    #[error(
        "`{system}`: parameter {param} borrows what an earlier parameter writes, or the other way round; use `Without<T>` to keep two queries apart"
    )]
    Aliasing {
        /// The system's name.
        system: String,
        /// The parameter, counted from one.
        param: usize,
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
    /// The order of the mod's own systems contradicts itself or names a system of another schedule.
    #[error("`{system}` should run after system number {after}, which {reason}")]
    Order {
        /// The system's name.
        system: String,
        /// The index of the other system.
        after: u32,
        /// What is wrong with it.
        reason: &'static str,
    },
}

/// The most systems of one mod.
const MAX_SYSTEMS: usize = 1024;
/// The most mistakes that are told at once.
const MAX_ERRORS: usize = 64;
/// The most parameters of one system.
const MAX_PARAMS: usize = 32;

/// A system whose types are known to this World.
#[derive(Debug)]
pub(crate) struct BoundSystem {
    pub(crate) name: String,
    pub(crate) schedule: String,
    pub(crate) params: Vec<BoundParam>,
    /// Indices of the mod's systems that run earlier.
    pub(crate) after: Vec<usize>,
}

/// A parameter, ready to be filled.
#[derive(Debug)]
pub(crate) enum BoundParam {
    Block(Box<Block>),
    World,
}

/// Binds all systems of a mod.
///
/// # Errors
/// Every mistake in the description, and every type that the game does not have.
pub(crate) fn bind_systems(
    world: &mut World,
    description: &ModDescription,
    is_schedule: impl Fn(&str) -> bool,
) -> Result<Bound<Vec<BoundSystem>>, Vec<SystemBindError>> {
    let mut errors = check(description, is_schedule);
    let mut systems = Vec::new();
    let mut waiting = Vec::new();
    for desc in description.systems.iter().take(MAX_SYSTEMS) {
        match bind_system(world, desc, &description.types) {
            Ok(Bound::Ready(system)) => systems.push(system),
            Ok(Bound::Waiting(names)) => waiting.extend(names),
            Err(error) => errors.push(error),
        }
    }
    if !errors.is_empty() {
        errors.truncate(MAX_ERRORS);
        return Err(errors);
    }
    waiting.sort_unstable();
    waiting.dedup();
    Ok(if waiting.is_empty() { Bound::Ready(systems) } else { Bound::Waiting(waiting) })
}

/// What can be wrong with a description whatever the World holds.
fn check(description: &ModDescription, is_schedule: impl Fn(&str) -> bool) -> Vec<SystemBindError> {
    let mut errors = Vec::new();
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
        if !is_schedule(&desc.schedule) {
            let schedule = desc.schedule.chars().filter(|c| !c.is_control()).take(32).collect();
            errors.push(SystemBindError::Schedule { system: system.clone(), schedule });
        }
        if desc.after.len() > MAX_SYSTEMS {
            let what = format!("{} systems that run earlier", desc.after.len());
            errors.push(SystemBindError::TooMany { system, what, most: MAX_SYSTEMS });
            continue;
        }
        let wrong = desc.after.iter().find_map(|&after| {
            let other = usize::try_from(after).ok().and_then(|after| systems.get(after));
            let reason = match other {
                None => "does not exist",
                Some(other) if other.schedule != desc.schedule => "runs in another schedule",
                Some(_) => return None,
            };
            Some(SystemBindError::Order { system: system.clone(), after, reason })
        });
        errors.extend(wrong);
    }
    if errors.is_empty() {
        errors.extend(circle(systems));
    }
    errors
}

/// A system that should run after itself, by whatever way: one that is left when all others were put in order. All
/// indices are those of systems.
fn circle(systems: &[SystemDesc]) -> Option<SystemBindError> {
    let index = |after: &u32| usize::try_from(*after).ok();
    let mut waits_for: Vec<HashSet<usize>> =
        systems.iter().map(|system| system.after.iter().filter_map(index).collect()).collect();
    let mut leads_to = vec![Vec::new(); systems.len()];
    for (system, earlier) in waits_for.iter().enumerate() {
        for earlier in earlier {
            leads_to[*earlier].push(system);
        }
    }
    let mut ready: Vec<usize> = (0..systems.len()).filter(|system| waits_for[*system].is_empty()).collect();
    while let Some(done) = ready.pop() {
        for later in std::mem::take(&mut leads_to[done]) {
            waits_for[later].remove(&done);
            if waits_for[later].is_empty() {
                ready.push(later);
            }
        }
    }
    let left = |(system, waits): (usize, &HashSet<usize>)| Some((system, *waits.iter().min()?));
    let (system, other) = waits_for.iter().enumerate().find_map(left)?;
    Some(SystemBindError::Order {
        system: systems.get(system)?.name.clone(),
        after: u32::try_from(other).ok()?,
        reason: "should itself run after it",
    })
}

fn is_name(name: &str) -> bool {
    (1..=128).contains(&name.len()) && name.chars().all(|c| c.is_alphanumeric() || c == '_' || c == ':')
}

fn bind_system(
    world: &mut World,
    desc: &SystemDesc,
    types: &[TypeDesc],
) -> Result<Bound<BoundSystem>, SystemBindError> {
    let failed = |source| SystemBindError::Query { system: desc.name.clone(), source };
    let mut params = Vec::new();
    let mut waiting = Vec::new();
    let mut access = FilteredAccessSet::new();
    for (index, param) in desc.params.iter().enumerate().take(MAX_PARAMS) {
        let mut types = TypesOf { descs: types, bind: |desc: &TypeDesc| bind(world, desc) };
        let block = match param {
            ParamDesc::World => {
                params.push(BoundParam::World);
                continue;
            }
            ParamDesc::Query(query) => match BoundQuery::bind(query, &mut types).map_err(failed)? {
                Bound::Waiting(names) => {
                    waiting.extend(names);
                    continue;
                }
                Bound::Ready(mut query) => {
                    query.hide_disabled(world);
                    Block::of_query(query)
                }
            },
            ParamDesc::Resource(resource) => {
                match bind_resource(resource.ty, resource.write, &mut types).map_err(failed)? {
                    Bound::Waiting(names) => {
                        waiting.extend(names);
                        continue;
                    }
                    Bound::Ready((component, term)) => Block::of_resource(component, term),
                }
            }
        };
        let borrows = block.access();
        if !access.get_conflicts_single(&borrows).is_empty() {
            return Err(SystemBindError::Aliasing { system: desc.name.clone(), param: index + 1 });
        }
        access.add(borrows);
        params.push(BoundParam::Block(Box::new(block)));
    }
    if !waiting.is_empty() {
        return Ok(Bound::Waiting(waiting));
    }
    let after = desc.after.iter().filter_map(|after| usize::try_from(*after).ok()).collect();
    Ok(Bound::Ready(BoundSystem { name: desc.name.clone(), schedule: desc.schedule.clone(), params, after }))
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
        }
    }
}
