//! Which entities a mod's query means: from its description to the archetypes that match.
//!
//! The access that the scheduler sees and the archetypes that are read come from the same [`FilteredAccess`], so they
//! cannot disagree.

use std::sync::Arc;

use bevy_ecs::{
    archetype::{Archetype, ArchetypeGeneration, ArchetypeId, Archetypes},
    component::ComponentId,
    entity_disabling::DefaultQueryFilters,
    query::FilteredAccess,
    resource::IS_RESOURCE,
    world::World,
};
use mod_abi::describe::{FilterDesc, QueryDesc, TermDesc, TypeDesc, TypeIndex};
use thiserror::Error;

use crate::bridge::types::{Binding, BoundType, TypeError};

/// A query that cannot be answered as it is described.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum QueryError {
    /// One of its types cannot be used.
    #[error(transparent)]
    Type(#[from] TypeError),
    /// The description names a type that it does not hold.
    #[error("it names type number {index}, but states only {types} types")]
    NoSuchType {
        /// The index.
        index: u32,
        /// How many types there are.
        types: usize,
    },
    /// Two terms of one query mean the same data.
    #[error("a query names {name} twice; each row is only given once")]
    Twice {
        /// The type's short path.
        name: &'static str,
    },
    /// More terms than a query may have.
    #[error("a query has {terms} terms and filters, more than {MAX_TERMS}")]
    TooManyTerms {
        /// How many.
        terms: usize,
    },
}

/// The most terms and filters that one query may have.
const MAX_TERMS: usize = 64;

/// One column of a bound query.
#[derive(Debug, Clone)]
pub(crate) enum Term {
    Entity,
    Data { ty: Arc<BoundType>, write: bool },
}

/// A query whose types are known to this World.
#[derive(Debug, Clone)]
pub(crate) struct BoundQuery {
    pub(crate) terms: Vec<Term>,
    pub(crate) access: FilteredAccess,
}

/// What came of binding something whose types may not have been met yet.
#[derive(Debug)]
pub(crate) enum Bound<T> {
    Ready(T),
    /// These types are no components of this World yet.
    Waiting(Vec<&'static str>),
}

/// Finds the types that a mod's description names by index.
pub(crate) trait Types {
    /// The type at `index`, and how the mod describes it.
    fn get(&mut self, index: TypeIndex) -> Result<(Binding, &TypeDesc), QueryError>;
}

/// Types that are looked up through a function.
pub(crate) struct TypesOf<'d, F> {
    pub(crate) descs: &'d [TypeDesc],
    pub(crate) bind: F,
}

impl<F: FnMut(&TypeDesc) -> Result<Binding, TypeError>> Types for TypesOf<'_, F> {
    fn get(&mut self, index: TypeIndex) -> Result<(Binding, &TypeDesc), QueryError> {
        let desc = usize::try_from(index).ok().and_then(|index| self.descs.get(index));
        let desc = desc.ok_or(QueryError::NoSuchType { index, types: self.descs.len() })?;
        Ok(((self.bind)(desc)?, desc))
    }
}

impl BoundQuery {
    /// Binds a query to the types of this World.
    pub(crate) fn bind(desc: &QueryDesc, types: &mut impl Types) -> Result<Bound<Self>, QueryError> {
        let terms = desc.terms.len() + desc.filters.len();
        if terms > MAX_TERMS {
            return Err(QueryError::TooManyTerms { terms });
        }
        let mut query = Self { terms: Vec::with_capacity(desc.terms.len()), access: FilteredAccess::default() };
        let mut waiting = Vec::new();
        // Resources are components on entities of their own; a query over `T` never means the resource `T`.
        query.access.and_without(IS_RESOURCE);
        for term in &desc.terms {
            match *term {
                TermDesc::Entity => query.terms.push(Term::Entity),
                TermDesc::Read(index) => query.add(types.get(index)?, false, &mut waiting)?,
                TermDesc::Write(index) => query.add(types.get(index)?, true, &mut waiting)?,
            }
        }
        for filter in &desc.filters {
            let (FilterDesc::With(index) | FilterDesc::Without(index)) = *filter;
            match (types.get(index)?.0, filter) {
                (Binding::Bound(ty), FilterDesc::With(_)) => query.access.and_with(ty.component),
                (Binding::Bound(ty), FilterDesc::Without(_)) => query.access.and_without(ty.component),
                (Binding::NotYet { name }, _) => waiting.push(name),
            }
        }
        Ok(if waiting.is_empty() { Bound::Ready(query) } else { Bound::Waiting(waiting) })
    }

    fn add(
        &mut self,
        (binding, desc): (Binding, &TypeDesc),
        write: bool,
        waiting: &mut Vec<&'static str>,
    ) -> Result<(), QueryError> {
        let ty = match binding {
            Binding::Bound(ty) => ty,
            Binding::NotYet { name } => {
                waiting.push(name);
                return Ok(());
            }
        };
        ty.check_data(desc)?;
        if write {
            ty.check_mutable()?;
        }
        let access = self.access.access();
        if access.has_read(ty.component) {
            return Err(QueryError::Twice { name: ty.name });
        }
        if write {
            self.access.add_write(ty.component);
        } else {
            self.access.add_read(ty.component);
        }
        self.terms.push(Term::Data { ty, write });
        Ok(())
    }

    /// Leaves out entities that the game's default filters hide, as a query of the game would.
    pub(crate) fn hide_disabled(&mut self, world: &World) {
        let hidden = world.get_resource::<DefaultQueryFilters>();
        let hidden: Vec<_> = hidden.into_iter().flat_map(DefaultQueryFilters::disabling_ids).collect();
        for component in hidden {
            if !names(&self.access, component) {
                self.access.and_without(component);
            }
        }
    }
}

/// Whether a query says anything about a component.
fn names(access: &FilteredAccess, component: ComponentId) -> bool {
    let filters = access.filter_sets();
    access.access().has_read(component)
        || filters.iter().any(|filter| filter.with().contains(component) || filter.without().contains(component))
}

/// The archetypes that match a query, kept up to date as new ones appear.
#[derive(Debug)]
pub(crate) struct Matcher {
    generation: ArchetypeGeneration,
    matched: Vec<ArchetypeId>,
}

impl Matcher {
    pub(crate) fn new() -> Self {
        Self { generation: ArchetypeGeneration::initial(), matched: Vec::new() }
    }

    /// Looks at the archetypes that appeared since the last call.
    pub(crate) fn update(&mut self, archetypes: &Archetypes, access: &FilteredAccess) {
        if self.generation == archetypes.generation() {
            return;
        }
        let new = &archetypes[self.generation..];
        self.matched.extend(new.iter().filter(|archetype| matches(access, archetype)).map(Archetype::id));
        self.generation = archetypes.generation();
    }

    pub(crate) fn matched(&self) -> &[ArchetypeId] {
        &self.matched
    }
}

/// Whether the entities of an archetype match: one filter set has to hold.
pub(crate) fn matches(access: &FilteredAccess, archetype: &Archetype) -> bool {
    access.filter_sets().iter().any(|filter| {
        filter.with().iter().all(|component| archetype.contains(component))
            && !filter.without().iter().any(|component| archetype.contains(component))
    })
}
