//! Which entities a mod's query means: from its description to the archetypes that match.
//!
//! The access that the scheduler sees and the archetypes that are read come from the same [`FilteredAccess`], so they
//! cannot disagree.

use std::sync::Arc;

use bevy_ecs::{
    entity_disabling::DefaultQueryFilters, observer::Observer, query::FilteredAccess, resource::IS_RESOURCE,
    world::World,
};
use mod_abi::describe::{QueryDesc, TermDesc, TypeDesc, TypeIndex};
use thiserror::Error;

use crate::bridge::{
    crossing::Crossing,
    filter::{self, Filter},
    grant::{Access, Claim, READ, READ_AND_WRITE},
    types::{Binding, BoundType, TypeError},
};

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
        name: String,
    },
    /// `Or` and `And` that do not fit together.
    #[error("a query's filters cannot be understood: {reason}")]
    Filters {
        /// Why.
        reason: &'static str,
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
    Data {
        ty: Arc<BoundType>,
        write: bool,
        /// Whether rows may be without it.
        optional: bool,
    },
    /// Whether a row has the component.
    Has(Arc<BoundType>),
    /// The rows are no entities: values of a message or an event.
    Value(Arc<Crossing>),
}

/// A query whose types are known to this World.
#[derive(Debug, Clone)]
pub(crate) struct BoundQuery {
    pub(crate) terms: Vec<Term>,
    pub(crate) access: FilteredAccess,
    /// What each row has to meet, if the archetype alone does not say.
    pub(crate) filter: Option<Filter>,
}

/// What came of binding something whose types may not have been met yet.
#[derive(Debug)]
pub(crate) enum Bound<T> {
    Ready(T),
    /// These types are no components of this World yet.
    Waiting(Vec<String>),
}

impl<T> Bound<T> {
    pub(crate) fn map<U>(self, with: impl FnOnce(T) -> U) -> Bound<U> {
        match self {
            Self::Ready(bound) => Bound::Ready(with(bound)),
            Self::Waiting(names) => Bound::Waiting(names),
        }
    }
}

/// Finds the types that a mod's description names by index.
pub(crate) trait Types {
    /// The type at `index`, and how the mod describes it. Whoever wants a type says what for.
    fn get(&mut self, index: TypeIndex, accesses: &[Access]) -> Result<(Binding, &TypeDesc), QueryError>;
}

/// Types that are looked up through a function, and claimed.
pub(crate) struct TypesOf<'d, F> {
    pub(crate) descs: &'d [TypeDesc],
    pub(crate) bind: F,
    pub(crate) claim: Claim<'d>,
}

impl<F: FnMut(&TypeDesc) -> Result<Binding, TypeError>> Types for TypesOf<'_, F> {
    fn get(&mut self, index: TypeIndex, accesses: &[Access]) -> Result<(Binding, &TypeDesc), QueryError> {
        let desc = usize::try_from(index).ok().and_then(|index| self.descs.get(index));
        let desc = desc.ok_or(QueryError::NoSuchType { index, types: self.descs.len() })?;
        let binding = (self.bind)(desc)?;
        binding.claim(self.claim, accesses);
        Ok((binding, desc))
    }
}

impl BoundQuery {
    /// Binds a query to the types of this World.
    pub(crate) fn bind(desc: &QueryDesc, types: &mut impl Types) -> Result<Bound<Self>, QueryError> {
        let terms = desc.terms.len() + desc.filters.len();
        if terms > MAX_TERMS {
            return Err(QueryError::TooManyTerms { terms });
        }
        let access = FilteredAccess::default();
        let mut query = Self { terms: Vec::with_capacity(desc.terms.len()), access, filter: None };
        let mut waiting = Vec::new();
        // Resources are components on entities of their own; a query over `T` never means the resource `T`.
        query.access.and_without(IS_RESOURCE);
        // All types are claimed before the first that is wrong is told.
        let mut added = Ok(());
        for term in &desc.terms {
            added = added.and(query.add(*term, types, &mut waiting));
        }
        let filter = filter::bind(&desc.filters, types, &mut waiting);
        let filter = added.and(filter)?;
        if !waiting.is_empty() {
            return Ok(Bound::Waiting(waiting));
        }
        filter.narrow(&mut query.access)?;
        query.filter = Some(filter).filter(Filter::looks_at_rows);
        Ok(Bound::Ready(query))
    }

    fn add(&mut self, term: TermDesc, types: &mut impl Types, waiting: &mut Vec<String>) -> Result<(), QueryError> {
        let (index, write, optional) = match term {
            TermDesc::Entity => {
                self.terms.push(Term::Entity);
                return Ok(());
            }
            TermDesc::Read(index) | TermDesc::Has(index) => (index, false, false),
            TermDesc::Write(index) => (index, true, false),
            TermDesc::ReadOptional(index) => (index, false, true),
            TermDesc::WriteOptional(index) => (index, true, true),
        };
        let (binding, desc) = types.get(index, if write { READ_AND_WRITE } else { READ })?;
        let ty = match binding {
            Binding::Bound(ty) => ty,
            Binding::NotYet { name, .. } => {
                waiting.push(name);
                return Ok(());
            }
        };
        if matches!(term, TermDesc::Has(_)) {
            self.access.access_mut().add_archetypal(ty.component);
            self.terms.push(Term::Has(ty));
            return Ok(());
        }
        ty.crossing.check_data(desc)?;
        if write {
            ty.check_mutable()?;
        }
        if self.access.access().has_read(ty.component) {
            return Err(QueryError::Twice { name: ty.name().to_string() });
        }
        match (write, optional) {
            (true, false) => self.access.add_write(ty.component),
            (false, false) => self.access.add_read(ty.component),
            (true, true) => self.access.access_mut().add_write(ty.component),
            (false, true) => self.access.access_mut().add_read(ty.component),
        }
        self.terms.push(Term::Data { ty, write, optional });
        Ok(())
    }

    /// Leaves out entities that the game's default filters hide, as a query of the game would, and observers, which are
    /// entities only to Bevy.
    pub(crate) fn hide_disabled(&mut self, world: &World) {
        let hidden = world.get_resource::<DefaultQueryFilters>();
        let hidden = hidden.into_iter().flat_map(DefaultQueryFilters::disabling_ids);
        let hidden: Vec<_> = hidden.chain(world.component_id::<Observer>()).collect();
        for component in hidden {
            if !self.access.contains(component) {
                self.access.and_without(component);
            }
        }
    }
}
