//! Whose an entity is: the components by which the mods' entities are told from the game's.

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
    let Some(component) = world.component_id::<SpawnedBy>() else { return Vec::new() };
    let archetypes = world.archetypes().iter().filter(|archetype| archetype.contains(component));
    let entities = archetypes.flat_map(|archetype| archetype.entities().iter().map(|entity| entity.id()));
    entities.filter(|entity| world.get::<SpawnedBy>(*entity).is_some_and(|by| by.mod_id() == mod_id)).collect()
}
