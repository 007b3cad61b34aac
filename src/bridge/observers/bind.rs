//! What a mod's observers wait for, found in this World.

use std::sync::Arc;

use bevy_ecs::{
    component::ComponentId,
    reflect::{AppTypeRegistry, ReflectEvent},
    world::World,
};
use mod_abi::{
    Leaf, Schema,
    describe::{DefinitionKind, EventDesc, ModDescription, ObserverDesc, ParamDesc, TypeDesc, TypeIndex},
};

use crate::bridge::{
    bind::{BoundSystem, MAX_ERRORS, MAX_PARAMS, MAX_SYSTEMS, SystemBindError, bind_params, bind_systems, is_name},
    condition::Conditions,
    crossing::Crossing,
    declared::{self, Found},
    grant::{Claim, Claims, Grants, READ},
    query::{Bound, QueryError, Types, TypesOf},
    types::{self, Binding, TypeError, crossing, find},
};

/// What an observer waits for.
pub(crate) enum Happening {
    /// An event of the game.
    Event(ReflectEvent),
    /// An event that a mod defines, by its path.
    Defined(Arc<str>),
    Add(ComponentId),
    Insert(ComponentId),
    Discard(ComponentId),
    Remove(ComponentId),
    Despawn(ComponentId),
}

/// What an observer waits for, and how what it is woken with crosses.
pub(crate) struct WokenBy {
    pub(crate) happening: Happening,
    pub(crate) crossing: Arc<Crossing>,
}

/// An observer whose types are known to this World.
pub(crate) struct BoundObserver {
    pub(crate) system: BoundSystem,
    pub(crate) woken_by: WokenBy,
}

/// The systems and observers of a mod.
pub(crate) type BoundMod = (Vec<BoundSystem>, Vec<BoundObserver>);

/// Binds the systems and the observers of a mod, as far as it is granted what they want.
///
/// # Errors
/// Every mistake in the description, every type that the game does not have, and everything that is not granted, also
/// while the mod would have to wait for types.
pub(crate) fn bind_mod(
    world: &mut World,
    description: &ModDescription,
    is_schedule: impl Fn(&str) -> bool,
    grants: &Grants,
) -> Result<Bound<BoundMod>, Vec<SystemBindError>> {
    let claims = Claims::new(grants);
    let systems = bind_systems(world, description, is_schedule, &claims);
    let observers = bind_observers(world, description, &claims);
    let refused = claims.into_refused();
    match (systems, observers) {
        (systems, observers) if !refused.is_empty() => {
            let mut errors = systems.err().unwrap_or_default();
            errors.extend(observers.err().unwrap_or_default());
            errors.truncate(MAX_ERRORS);
            // What is not granted is told in full.
            Err(refused.into_iter().map(SystemBindError::from).chain(errors).collect())
        }
        (Ok(Bound::Ready(systems)), Ok(Bound::Ready(observers))) => Ok(Bound::Ready((systems, observers))),
        (Ok(systems), Ok(observers)) => {
            let mut waiting = Vec::new();
            if let Bound::Waiting(names) = systems {
                waiting.extend(names);
            }
            if let Bound::Waiting(names) = observers {
                waiting.extend(names);
            }
            waiting.sort_unstable();
            waiting.dedup();
            Ok(Bound::Waiting(waiting))
        }
        (systems, observers) => {
            let mut errors = systems.err().unwrap_or_default();
            errors.extend(observers.err().unwrap_or_default());
            errors.truncate(MAX_ERRORS);
            Err(errors)
        }
    }
}

fn bind_observers(
    world: &mut World,
    description: &ModDescription,
    claims: &Claims,
) -> Result<Bound<Vec<BoundObserver>>, Vec<SystemBindError>> {
    let (mut observers, mut waiting, mut errors) = (Vec::new(), Vec::new(), Vec::new());
    if description.observers.len() > MAX_SYSTEMS {
        let what = format!("{} observers", description.observers.len());
        errors.push(SystemBindError::TooMany { system: "(all)".to_owned(), what, most: MAX_SYSTEMS });
    }
    for (index, desc) in description.observers.iter().enumerate().take(MAX_SYSTEMS) {
        if !is_name(&desc.name) {
            let name = desc.name.chars().take(32).collect();
            errors.push(SystemBindError::Name { index: description.systems.len() + index, name });
            continue;
        }
        match bind_observer(world, desc, &description.types, claims.of(&desc.name)) {
            Ok(Bound::Ready(observer)) => observers.push(observer),
            Ok(Bound::Waiting(names)) => waiting.extend(names),
            Err(error) => errors.push(error),
        }
    }
    match (errors.is_empty(), waiting.is_empty()) {
        (false, _) => Err(errors),
        (true, false) => Ok(Bound::Waiting(waiting)),
        (true, true) => Ok(Bound::Ready(observers)),
    }
}

fn bind_observer(
    world: &mut World,
    desc: &ObserverDesc,
    types: &[TypeDesc],
    claim: Claim<'_>,
) -> Result<Bound<BoundObserver>, SystemBindError> {
    let name = desc.name.clone();
    if desc.params.len() > MAX_PARAMS {
        let what = format!("{} parameters", desc.params.len());
        return Err(SystemBindError::TooMany { system: name, what, most: MAX_PARAMS });
    }
    let events = desc.params.iter().filter(|param| matches!(param, ParamDesc::Event)).count();
    if events != 1 || desc.params.first() != Some(&ParamDesc::Event) {
        return Err(SystemBindError::Event { observer: name });
    }
    let woken_by = bind_event(world, desc.event, types, claim);
    let woken_by = match woken_by.map_err(|source| SystemBindError::Query { system: name.clone(), source })? {
        Bound::Ready(woken_by) => woken_by,
        Bound::Waiting(names) => return Ok(Bound::Waiting(names)),
    };
    let params = match bind_params(world, &name, &desc.params, types, Some(&woken_by.crossing), claim)? {
        Bound::Ready(params) => params,
        Bound::Waiting(names) => return Ok(Bound::Waiting(names)),
    };
    let system = BoundSystem {
        name,
        schedule: String::new(),
        state_schedule: None,
        params,
        after: Vec::new(),
        order: Vec::new(),
        conditions: Conditions::default(),
    };
    Ok(Bound::Ready(BoundObserver { system, woken_by }))
}

fn bind_event(
    world: &mut World,
    event: EventDesc,
    types: &[TypeDesc],
    claim: Claim<'_>,
) -> Result<Bound<WokenBy>, QueryError> {
    let (index, of_component): (TypeIndex, fn(ComponentId) -> Happening) = match event {
        EventDesc::Event(index) => {
            let desc = usize::try_from(index).ok().and_then(|index| types.get(index));
            let desc = desc.ok_or(QueryError::NoSuchType { index, types: types.len() })?;
            return bind_own_event(world, desc, claim);
        }
        EventDesc::Add(index) => (index, Happening::Add),
        EventDesc::Insert(index) => (index, Happening::Insert),
        EventDesc::Discard(index) => (index, Happening::Discard),
        EventDesc::Remove(index) => (index, Happening::Remove),
        EventDesc::Despawn(index) => (index, Happening::Despawn),
    };
    let mut types = TypesOf { descs: types, bind: |desc: &TypeDesc| types::bind(world, desc), claim };
    Ok(match types.get(index, READ)?.0 {
        Binding::NotYet { name, .. } => Bound::Waiting(vec![name]),
        Binding::Bound(ty) => {
            let crossing = Arc::new(Crossing::defined("Entity", Schema::Leaf(Leaf::Entity)));
            Bound::Ready(WokenBy { happening: of_component(ty.component), crossing })
        }
    })
}

fn bind_own_event(world: &mut World, desc: &TypeDesc, claim: Claim<'_>) -> Result<Bound<WokenBy>, QueryError> {
    let registry = world.get_resource_or_init::<AppTypeRegistry>().clone();
    let registry = registry.read();
    Ok(match declared::find(world, &registry, desc, DefinitionKind::Event, (claim, READ))? {
        Found::NotYet => Bound::Waiting(vec![desc.path.clone()]),
        Found::Declared(crossing) => {
            Bound::Ready(WokenBy { happening: Happening::Defined(Arc::clone(&crossing.path)), crossing })
        }
        Found::Game => {
            let registration = find(&registry, &desc.path)?;
            let path = || registration.type_info().type_path().to_owned();
            let event = registration.data::<ReflectEvent>().ok_or_else(|| TypeError::NotAnEvent { path: path() })?;
            let crossing = crossing(registration, desc, &registry)?;
            crossing.check_data(desc)?;
            Bound::Ready(WokenBy { happening: Happening::Event(event.clone()), crossing: Arc::new(crossing) })
        }
    })
}
