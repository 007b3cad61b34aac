//! What saves hold of mods that have not taken it over: they do not run, or could not.

use std::{
    collections::{BTreeMap, HashSet},
    sync::Arc,
};

use bevy_ecs::{entity::Entity, resource::Resource, world::World};

use super::format::{SavedMod, SavedType};
use crate::bridge::handle::catch;

/// The parts of mods, by their ids, with the ids of this World's entities in them. The entities that a mod has for itself
/// are reserved, and spawned when it takes over.
#[derive(Debug, Default, Resource)]
pub(crate) struct Kept(BTreeMap<Arc<str>, SavedMod>);

impl Kept {
    pub(super) fn keep(world: &mut World, mods: Vec<SavedMod>) {
        let kept = mods.into_iter().map(|saved| (saved.id.as_str().into(), saved));
        world.get_resource_or_init::<Self>().0.extend(kept);
    }

    /// Forgets all of it: another save takes its place.
    pub(super) fn forget(world: &mut World) {
        let kept = std::mem::take(&mut world.get_resource_or_init::<Self>().0);
        for id in kept.values().flat_map(|saved| &saved.own) {
            // Spawned and despawned once, an id is not given out again.
            if let Some(entity) = Entity::try_from_bits(*id)
                && world.spawn_empty_at(entity).is_ok()
            {
                let _ = catch(|| world.despawn(entity));
            }
        }
    }

    /// The mods for which something is kept.
    pub(super) fn ids(world: &World) -> Vec<Arc<str>> {
        world.get_resource::<Self>().into_iter().flat_map(|kept| kept.0.keys().cloned()).collect()
    }

    /// What is kept for a mod.
    pub(super) fn get(world: &World, id: &str) -> Option<SavedMod> {
        world.get_resource::<Self>()?.0.get(id).cloned()
    }

    /// A mod has taken over.
    pub(super) fn remove(world: &mut World, id: &str) {
        world.get_resource_or_init::<Self>().0.remove(id);
    }

    /// What is kept for all mods, for the next save. What belonged to entities that are gone by now is left out.
    pub(super) fn for_save(world: &World) -> Vec<SavedMod> {
        let Some(Self(kept)) = world.get_resource::<Self>() else { return Vec::new() };
        let reserved: HashSet<u64> = kept.values().flat_map(|saved| &saved.own).copied().collect();
        let is_there = |id: &u64| {
            let is_alive = Entity::try_from_bits(*id).is_some_and(|entity| world.get_entity(entity).is_ok());
            is_alive || reserved.contains(id)
        };
        let prune = |ty: &mut SavedType| match ty.values.components() {
            Some(values) => {
                values.retain(|(id, _)| is_there(id));
                !values.is_empty()
            }
            None => true,
        };
        let prune_mod = |saved: &SavedMod| {
            let mut saved = saved.clone();
            saved.types.retain_mut(prune);
            saved.spawned.retain(is_there);
            saved
        };
        kept.values().map(prune_mod).collect()
    }
}
