//! Run conditions of a mod's systems, tested on the host before anything is gathered.
//!
//! They live in the slot, so what they keep (a timer) outlives a reload that leaves the slot in its place. Wherever Bevy
//! has the condition it is Bevy's own system, and its access joins the slot's.
#![expect(unsafe_code, reason = "runs conditions on a world cell whose access the slot has declared")]

use std::{any::TypeId, fmt};

use bevy_ecs::{
    change_detection::CheckChangeTicks,
    component::ComponentId,
    query::FilteredAccessSet,
    reflect::AppTypeRegistry,
    resource::IS_RESOURCE,
    schedule::BoxedCondition,
    system::IntoSystem,
    world::{World, unsafe_world_cell::UnsafeWorldCell},
};
use bevy_time::common_conditions::on_timer;
use mod_abi::describe::{ConditionDesc, ConditionTest, TypeDesc, TypeIndex};
use thiserror::Error;

use crate::bridge::{
    grant::{Claim, READ},
    query::{QueryError, Types, TypesOf},
    states::{ModStates, StateError},
    types::{Binding, TypeError, bind},
};

/// A run condition that this game cannot test.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ConditionError {
    /// It names a state that cannot be found.
    #[error(transparent)]
    State(#[from] StateError),
    /// It names a resource that cannot be found.
    #[error(transparent)]
    Resource(#[from] QueryError),
}

/// The most conditions of one system.
pub(crate) const MAX_CONDITIONS: usize = 32;

/// All conditions of a system.
#[derive(Debug, Default)]
pub(crate) struct Conditions(Vec<Condition>);

#[derive(Debug)]
struct Condition {
    not: bool,
    test: Test,
}

enum Test {
    /// A condition of Bevy's.
    System(BoxedCondition),
    Resource(TestedResource),
}

impl fmt::Debug for Test {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::System(system) => f.debug_tuple("System").field(&system.name()).finish(),
            Self::Resource(resource) => f.debug_tuple("Resource").field(resource).finish(),
        }
    }
}

/// A resource that may be there or not. The World need not even have met its type.
#[derive(Debug, Clone, Copy)]
enum TestedResource {
    Met(ComponentId),
    NotYet(TypeId),
}

impl Conditions {
    /// Finds what the conditions of a system test.
    pub(crate) fn bind(
        world: &mut World,
        conditions: &[ConditionDesc],
        types: &[TypeDesc],
        claim: Claim<'_>,
    ) -> Result<Self, ConditionError> {
        let mut bound = Vec::new();
        for condition in conditions.iter().take(MAX_CONDITIONS) {
            let test = match &condition.test {
                ConditionTest::InState(value) => {
                    let value = world.get_resource_or_init::<ModStates>().find(value)?;
                    claim.path(READ, value.path());
                    Test::System(value.condition())
                }
                ConditionTest::ResourceExists(ty) => Test::Resource(resource(world, *ty, types, claim)?),
                ConditionTest::OnTimer(duration) => {
                    Test::System(Box::new(IntoSystem::into_system(on_timer(*duration))))
                }
            };
            bound.push(Condition { not: condition.not, test });
        }
        Ok(Self(bound))
    }

    /// Whether there are none.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds what the conditions read to a system's access.
    pub(crate) fn initialize(&mut self, world: &mut World, access: &mut FilteredAccessSet) {
        for condition in &mut self.0 {
            // Which resources there are is no data: it changes only while no system runs.
            if let Test::System(system) = &mut condition.test {
                access.extend(system.initialize(world));
            }
        }
    }

    /// Whether all of them hold. Every one is tested, as in Bevy, so that each timer sees every frame.
    ///
    /// # Errors
    /// When one cannot be tested, because what it reads is not there.
    ///
    /// # Safety
    /// The caller has the access that [`Conditions::initialize`] added, for this world.
    pub(crate) unsafe fn hold(&mut self, world: UnsafeWorldCell) -> Result<bool, String> {
        let mut all = Ok(true);
        for Condition { not, test } in &mut self.0 {
            let holds = match test {
                // SAFETY: passed on. A condition is no exclusive system.
                Test::System(system) => unsafe { system.run_unsafe((), world) }.map_err(|error| error.to_string()),
                Test::Resource(resource) => Ok(resource.exists(world)),
            };
            all = match (all, holds) {
                (Ok(all), Ok(holds)) => Ok(all && holds != *not),
                (Err(error), _) | (_, Err(error)) => Err(error),
            };
        }
        all
    }

    pub(crate) fn check_change_tick(&mut self, check: CheckChangeTicks) {
        for condition in &mut self.0 {
            if let Test::System(system) = &mut condition.test {
                system.check_change_tick(check);
            }
        }
    }
}

impl TestedResource {
    fn exists(&mut self, world: UnsafeWorldCell) -> bool {
        if let Self::NotYet(ty) = *self
            && let Some(component) = world.components().get_id(ty)
        {
            *self = Self::Met(component);
        }
        let Self::Met(component) = *self else { return false };
        // A resource is a component on an entity of its own.
        let archetypes = world.archetypes();
        let holds = |id| archetypes.get(id).is_some_and(|found| !found.is_empty() && found.contains(IS_RESOURCE));
        archetypes.component_index().get(&component).is_some_and(|with| with.keys().any(|id| holds(*id)))
    }
}

fn resource(
    world: &mut World,
    ty: TypeIndex,
    types: &[TypeDesc],
    claim: Claim<'_>,
) -> Result<TestedResource, QueryError> {
    let mut types = TypesOf { descs: types, bind: |desc: &TypeDesc| bind(world, desc), claim };
    match types.get(ty, READ)?.0 {
        Binding::Bound(bound) => Ok(TestedResource::Met(bound.component)),
        Binding::NotYet { path, .. } => {
            let registry = world.resource::<AppTypeRegistry>().read();
            let found = registry.get_with_type_path(&path).map(|found| found.type_id());
            Ok(TestedResource::NotYet(found.ok_or(TypeError::Unknown { path, nearest: None })?))
        }
    }
}
