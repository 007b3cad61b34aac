//! Whose an entity is: the components by which the mods' entities are told from the game's.

use std::{collections::BTreeSet, sync::Arc};

use bevy_ecs::{component::Component, entity::Entity, reflect::ReflectComponent, world::World};
use bevy_reflect::{Reflect, std_traits::ReflectDefault};

/// The mod that spawned this entity. Every entity that a mod spawns has it, and mods can read and not change it.
///
/// A copy that the game makes of such an entity is the game's own.
///
/// ```
/// # use bevy::prelude::*;
/// # use bevy_wasm_mods::prelude::*;
/// fn count(spawned: Query<&SpawnedBy>) {
///     let ships = spawned.iter().filter(|by| by.mod_id() == "armada").count();
///     info!("{ships} entities are the armada's");
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Component, Reflect)]
#[component(immutable, clone_behavior = Ignore)]
#[reflect(Component, Debug, PartialEq)]
#[type_path = "bevy_wasm_mods"]
pub struct SpawnedBy {
    mod_id: String,
}

/// Allows mods to despawn this entity, which the game spawned. What a mod spawned itself it may always despawn.
///
/// ```
/// # use bevy::prelude::*;
/// # use bevy_wasm_mods::prelude::*;
/// #[derive(Component, Reflect)]
/// struct Weed;
///
/// fn grow(mut commands: Commands) {
///     commands.spawn((Weed, DespawnableByMods));
/// }
/// ```
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Component, Reflect)]
#[reflect(Component, Default, Debug, PartialEq)]
#[type_path = "bevy_wasm_mods"]
pub struct DespawnableByMods;

impl SpawnedBy {
    pub(crate) fn new(mod_id: &str) -> Self {
        Self { mod_id: mod_id.to_owned() }
    }

    /// The mod's id.
    #[must_use]
    pub fn mod_id(&self) -> &str {
        &self.mod_id
    }
}

/// All entities that a mod spawned, the hidden ones too.
pub(crate) fn entities_of(world: &World, mod_id: &str) -> Vec<Entity> {
    all(world).filter(|entity| world.get::<SpawnedBy>(*entity).is_some_and(|by| by.mod_id() == mod_id)).collect()
}

/// The mods that spawned entities which are still there.
pub(crate) fn mods(world: &World) -> BTreeSet<Arc<str>> {
    all(world).filter_map(|entity| world.get::<SpawnedBy>(entity)).map(|by| by.mod_id().into()).collect()
}

/// All entities that any mod spawned, the hidden ones too.
fn all(world: &World) -> impl Iterator<Item = Entity> {
    let component = world.component_id::<SpawnedBy>();
    let archetypes = world.archetypes().iter();
    let archetypes = archetypes.filter(move |archetype| component.is_some_and(|mark| archetype.contains(mark)));
    archetypes.flat_map(|archetype| archetype.entities().iter().map(|entity| entity.id()))
}
