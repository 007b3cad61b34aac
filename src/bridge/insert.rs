//! New values into the World, of types that are only known at run time.
#![expect(unsafe_code, reason = "moves values whose types are only known at run time into the World")]

use std::{
    alloc::{Layout, dealloc},
    collections::HashSet,
    mem::ManuallyDrop,
    ptr::NonNull,
};

use bevy_ecs::{
    component::{ComponentId, ComponentInfo},
    entity::Entity,
    ptr::OwningPtr,
    resource::{IsResource, Resource},
    world::World,
};
use bevy_reflect::Reflect;

use crate::bridge::{
    crossing::{Encoded, Owned},
    handle::catch,
};

/// A new value for a component.
#[derive(Debug)]
pub(crate) struct Piece {
    component: ComponentId,
    value: Owned,
}

impl Piece {
    /// A value of the component, or `None` if it is one of something else: code of the game may build whatever it
    /// likes.
    pub(crate) fn new(world: &World, component: ComponentId, value: Owned) -> Option<Self> {
        let info = world.components().get_info(component)?;
        fits(info, &value).then_some(Self { component, value })
    }

    pub(crate) fn component(&self) -> ComponentId {
        self.component
    }

    pub(crate) fn value(&self) -> &Owned {
        &self.value
    }
}

fn fits(info: &ComponentInfo, value: &Owned) -> bool {
    match value {
        Owned::Reflected(value) => info.type_id() == Some(value.as_any().type_id()),
        // Only components that mods defined have no type. Their memory is their encoding, or an `Encoded`.
        Owned::Packed(bytes) => {
            info.type_id().is_none() && info.drop().is_none() && info.layout() == Layout::for_value(&**bytes)
        }
        Owned::Encoded(_) => {
            info.type_id().is_none() && info.drop().is_some() && info.layout() == Layout::new::<Encoded>()
        }
    }
}

/// A value on its way into the World, which drops it: whoever holds this only frees its memory.
enum Held {
    Boxed { value: NonNull<u8>, layout: Layout },
    Packed(Box<[u8]>),
    Encoded(ManuallyDrop<Encoded>),
}

impl Held {
    fn new(value: Owned) -> Self {
        match value {
            Owned::Reflected(value) => {
                let layout = Layout::for_value(&*value);
                let value: NonNull<dyn Reflect> = Box::leak(value).into();
                Self::Boxed { value: value.cast(), layout }
            }
            Owned::Packed(bytes) => Self::Packed(bytes),
            Owned::Encoded(encoded) => Self::Encoded(ManuallyDrop::new(encoded)),
        }
    }

    fn address(&mut self) -> NonNull<u8> {
        match self {
            Self::Boxed { value, .. } => *value,
            Self::Packed(bytes) => NonNull::from(&mut **bytes).cast(),
            Self::Encoded(encoded) => NonNull::from(&mut **encoded).cast(),
        }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        if let Self::Boxed { value, layout } = self
            && layout.size() > 0
        {
            // SAFETY: the memory came from a box of a value of that layout, which is not dropped here.
            unsafe { dealloc(value.as_ptr(), *layout) };
        }
    }
}

/// Bundles in whose insertion code of the game panicked.
///
/// Bevy 0.19.1 takes a dynamic bundle's list of storages out while hooks run and does not put it back when one panics.
/// Inserting that bundle again would leave columns without values.
#[derive(Debug, Default, Resource)]
struct BrokenBundles(HashSet<Box<[ComponentId]>>);

/// Inserts components into an entity, in one move where that is possible. Values of components that it has are replaced.
/// An entity that is gone by now gets nothing.
///
/// # Errors
/// The text of a panic of a hook or an observer of the game. The World is as usable as that code left it.
pub(crate) fn insert(world: &mut World, entity: Entity, mut pieces: Vec<Piece>) -> Result<(), String> {
    if world.get_entity(entity).is_err() {
        return Ok(());
    }
    // Not the order in which the game would list them, so that a bundle that breaks is not one of the game's.
    pieces.sort_unstable_by_key(|piece| std::cmp::Reverse(piece.component));
    let components: Vec<ComponentId> = pieces.iter().map(Piece::component).collect();
    let broken = world.get_resource::<BrokenBundles>();
    if components.len() == 1 || broken.is_some_and(|broken| broken.0.contains(&*components)) {
        return pieces.into_iter().try_for_each(|piece| insert_one(world, entity, piece));
    }
    let mut held: Vec<Held> = pieces.into_iter().map(|piece| Held::new(piece.value)).collect();
    let values = held.iter_mut().map(|held| {
        // SAFETY: the value is valid and nobody else uses or drops it: `Held` gave it up.
        unsafe { OwningPtr::new(held.address()) }
    });
    let inserted = catch(|| {
        if let Ok(mut entity) = world.get_entity_mut(entity) {
            // SAFETY: the components are of this World, and `Piece::new` found each value to be one of its component.
            unsafe { entity.insert_by_ids(&components, values) };
        }
    });
    if inserted.is_err() {
        world.get_resource_or_init::<BrokenBundles>().0.insert(components.into());
    }
    settled(world, inserted)
}

fn insert_one(world: &mut World, entity: Entity, piece: Piece) -> Result<(), String> {
    let component = piece.component;
    let inserted = catch(|| {
        // Without an entity the value stays what it was, and is dropped: an earlier piece's hook may have despawned it.
        if let Ok(mut entity) = world.get_entity_mut(entity) {
            let mut held = Held::new(piece.value);
            // SAFETY: the component is of this World, `Piece::new` found the value to be one of it, and nobody else uses
            // or drops it: `Held` gave it up.
            unsafe { entity.insert_by_id(component, OwningPtr::new(held.address())) };
        }
    });
    settled(world, inserted)
}

/// Inserts a resource, or replaces it.
///
/// # Errors
/// As [`insert`].
pub(crate) fn insert_resource(world: &mut World, piece: Piece) -> Result<(), String> {
    let known = world.resource_entities().get(piece.component).filter(|entity| world.get_entity(*entity).is_ok());
    let entity = match known {
        Some(entity) => entity,
        // A type that a mod defined does not ask for this component, as the game's types do.
        None => {
            let marker = IsResource::new(piece.component);
            let spawned = catch(|| world.spawn(marker).id());
            spawned.or_else(|message| settled(world, Err(message)).map(|()| Entity::PLACEHOLDER))?
        }
    };
    insert_one(world, entity, piece)
}

/// Runs what hooks left for later, even if one of them panicked.
pub(crate) fn settled(world: &mut World, outcome: Result<(), String>) -> Result<(), String> {
    if outcome.is_err() {
        let _ = catch(|| world.flush());
    }
    outcome
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use bevy_ecs::{
        component::Component, entity::Entity, lifecycle::HookContext, reflect::ReflectComponent, world::DeferredWorld,
        world::World,
    };
    use bevy_reflect::Reflect;

    use super::{BrokenBundles, Owned, Piece, insert};

    /// Whoever holds one of these is counted.
    #[derive(Component, Reflect)]
    #[reflect(Component)]
    #[expect(dead_code, reason = "it is only counted")]
    struct Counted(#[reflect(ignore)] Arc<()>);

    #[derive(Component, Reflect)]
    #[component(on_add = despawn)]
    #[reflect(Component)]
    #[expect(dead_code, reason = "it is only counted")]
    struct Despawns(#[reflect(ignore)] Arc<()>);

    fn despawn(mut world: DeferredWorld, context: HookContext) {
        world.commands().entity(context.entity).despawn();
    }

    fn pieces(world: &mut World, count: &Arc<()>) -> Vec<Piece> {
        let counted = (world.register_component::<Counted>(), Counted(Arc::clone(count)));
        let despawns = (world.register_component::<Despawns>(), Despawns(Arc::clone(count)));
        let values =
            [(counted.0, Owned::Reflected(Box::new(counted.1))), (despawns.0, Owned::Reflected(Box::new(despawns.1)))];
        let pieces = values.map(|(component, value)| Piece::new(world, component, value).expect("it fits"));
        pieces.into()
    }

    #[test]
    fn values_for_an_entity_that_goes_are_dropped() {
        let count = Arc::new(());
        let mut world = World::new();
        for broken in [false, true] {
            let pieces = pieces(&mut world, &count);
            if broken {
                let mut components: Vec<_> = pieces.iter().map(Piece::component).collect();
                components.reverse();
                world.get_resource_or_init::<BrokenBundles>().0.insert(components.into());
            }
            let entity = world.spawn_empty().id();
            assert_eq!(insert(&mut world, entity, pieces), Ok(()));
            assert!(world.get_entity(entity).is_err());
            assert_eq!(Arc::strong_count(&count), 1, "broken: {broken}");
        }
        let pieces = pieces(&mut world, &count);
        assert_eq!(insert(&mut world, Entity::PLACEHOLDER, pieces), Ok(()));
        assert_eq!(Arc::strong_count(&count), 1);
    }
}
