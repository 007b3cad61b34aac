//! One of Bevy's observers for each thing that wakes mods. It wakes all that wait for it, in the order in which their mods are
//! loaded: among observers of its own Bevy has none.

use std::{collections::HashMap, sync::Arc};

use bevy_ecs::{
    component::{Component, ComponentId},
    entity::Entity,
    event::EntityEvent,
    lifecycle::{Add, Despawn, Discard, Insert, Remove},
    observer::{Observer, On},
    resource::Resource,
    world::{DeferredWorld, World},
};

use crate::bridge::observers::{ObserverSlot, bind::Happening};

/// On the entity of an observer that wakes mods.
#[derive(Debug, Component)]
#[component(immutable)]
struct ObserverOfMods;

/// Something that wakes mods.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Cause {
    /// An event of the game, by the path of its type.
    Event(Arc<str>),
    /// An event that a mod defines, by its path.
    Defined(Arc<str>),
    Add(ComponentId),
    Insert(ComponentId),
    Discard(ComponentId),
    Remove(ComponentId),
    Despawn(ComponentId),
}

/// Who is woken by what.
#[derive(Debug, Default, Resource)]
struct Dispatch {
    groups: HashMap<Cause, Group>,
    /// The places of the mods in the load order.
    places: HashMap<Arc<str>, usize>,
}

/// Who waits for one thing.
#[derive(Debug)]
struct Group {
    /// In the load order.
    observers: Arc<[Arc<ObserverSlot>]>,
    /// Bevy's observer, which an event that a mod defines does not need.
    entity: Option<Entity>,
}

/// Has the observer of a mod woken.
pub(super) fn add(world: &mut World, happening: &Happening, observer: Arc<ObserverSlot>) {
    let cause = cause(happening, &observer);
    let entity = world.get_resource_or_init::<Dispatch>().groups.get(&cause).and_then(|group| group.entity);
    // The game may have despawned it.
    let entity = entity.filter(|entity| world.get_entity(*entity).is_ok()).or_else(|| {
        let observer = bevy_observer(happening, &cause)?;
        Some(world.spawn((observer, ObserverOfMods)).id())
    });
    let mut dispatch = world.resource_mut::<Dispatch>();
    let Dispatch { groups, places } = &mut *dispatch;
    let known = groups.get(&cause).map(|group| group.observers.to_vec()).unwrap_or_default();
    let observers = known.into_iter().chain([observer]).collect();
    groups.insert(cause, Group { observers: in_order(observers, places), entity });
}

/// Has observers woken no more.
pub(super) fn remove(world: &mut World, gone: &[Arc<ObserverSlot>]) {
    let Some(mut dispatch) = world.get_resource_mut::<Dispatch>() else { return };
    let is_gone = |observer: &Arc<ObserverSlot>| gone.iter().any(|one| Arc::ptr_eq(one, observer));
    for group in dispatch.groups.values_mut().filter(|group| group.observers.iter().any(is_gone)) {
        group.observers = group.observers.iter().filter(|observer| !is_gone(observer)).cloned().collect();
    }
    let empty = dispatch.groups.extract_if(|_, group| group.observers.is_empty());
    let mut empty: Vec<_> = empty.filter_map(|(_, group)| group.entity).collect();
    empty.sort_unstable();
    for entity in empty {
        // The game may have despawned it.
        let _ = world.try_despawn(entity);
    }
}

/// Has mods woken in the order of these ids from now on.
pub(crate) fn set_load_order<'a>(world: &mut World, ids: impl Iterator<Item = &'a Arc<str>>) {
    let mut dispatch = world.get_resource_or_init::<Dispatch>();
    let Dispatch { groups, places } = &mut *dispatch;
    *places = ids.cloned().zip(0..).collect();
    for group in groups.values_mut() {
        group.observers = in_order(group.observers.to_vec(), places);
    }
}

/// Those who wait for an event that a mod defines.
pub(super) fn of_defined(world: &World, path: &Arc<str>) -> Arc<[Arc<ObserverSlot>]> {
    of(world, &Cause::Defined(Arc::clone(path)))
}

fn of(world: &World, cause: &Cause) -> Arc<[Arc<ObserverSlot>]> {
    let group = world.get_resource::<Dispatch>().and_then(|dispatch| dispatch.groups.get(cause));
    group.map(|group| Arc::clone(&group.observers)).unwrap_or_default()
}

fn in_order(mut observers: Vec<Arc<ObserverSlot>>, places: &HashMap<Arc<str>, usize>) -> Arc<[Arc<ObserverSlot>]> {
    let place = |observer: &Arc<ObserverSlot>| places.get(&observer.mod_id).copied().unwrap_or(usize::MAX);
    observers.sort_by_key(|observer| (place(observer), observer.index));
    observers.into()
}

fn cause(happening: &Happening, observer: &ObserverSlot) -> Cause {
    match happening {
        Happening::Event(_) => Cause::Event(Arc::clone(&observer.crossing.path)),
        Happening::Defined(path) => Cause::Defined(Arc::clone(path)),
        Happening::Add(component) => Cause::Add(*component),
        Happening::Insert(component) => Cause::Insert(*component),
        Happening::Discard(component) => Cause::Discard(*component),
        Happening::Remove(component) => Cause::Remove(*component),
        Happening::Despawn(component) => Cause::Despawn(*component),
    }
}

fn bevy_observer(happening: &Happening, cause: &Cause) -> Option<Observer> {
    let cause = cause.clone();
    Some(match happening {
        Happening::Event(event) => event.create_observer(Box::new(move |value, mut world| {
            for observer in &*of(&world, &cause) {
                observer.wake_reflected(value, world.reborrow());
            }
        })),
        Happening::Defined(_) => return None,
        Happening::Add(component) => on_entity::<Add>(cause).with_component(*component),
        Happening::Insert(component) => on_entity::<Insert>(cause).with_component(*component),
        Happening::Discard(component) => on_entity::<Discard>(cause).with_component(*component),
        Happening::Remove(component) => on_entity::<Remove>(cause).with_component(*component),
        Happening::Despawn(component) => on_entity::<Despawn>(cause).with_component(*component),
    })
}

fn on_entity<E: EntityEvent>(cause: Cause) -> Observer {
    Observer::new(move |event: On<E>, mut world: DeferredWorld| {
        for observer in &*of(&world, &cause) {
            observer.wake_entity(event.event().event_target(), world.reborrow());
        }
    })
}
