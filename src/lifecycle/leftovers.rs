//! What a mod has in the World apart from its systems, and how it goes.

use std::{collections::HashSet, sync::Arc};

use bevy_ecs::{entity::Entity, world::World};
use tracing::warn;

use crate::{
    bridge::{
        definitions,
        handle::{ModHandle, catch},
        owner,
        permit::{InsertedResources, Permits},
    },
    lifecycle::settings::{Leftovers, ModSettings},
};

/// Whether this game removes what mods leave.
pub(crate) fn are_removed(world: &World) -> bool {
    world.get_resource::<ModSettings>().is_none_or(|settings| settings.leftovers == Leftovers::Despawn)
}

/// Removes what a mod left in the World, unless the game keeps it.
pub(crate) fn remove(world: &mut World, id: &Arc<str>) {
    if !are_removed(world) {
        return;
    }
    clear(world, id, &HashSet::new(), true);
}

/// Removes what a mod has in the World: the entities that it spawned but for those that `stay`, its components and resources,
/// and resources that it `inserted` where there were none.
pub(crate) fn clear(world: &mut World, id: &Arc<str>, stay: &HashSet<Entity>, inserted: bool) {
    let permits = Permits::new(world);
    for entity in owner::entities_of(world, id) {
        // The game may have made something of it that is not for mods.
        if !stay.contains(&entity) && permits.protected_id(world, entity).is_none() {
            guard(world, id, |world| {
                // With its parent it may be gone already.
                let _ = world.try_despawn(entity);
            });
        }
    }
    for (component, kind) in definitions::components_of(world, id) {
        if kind.is_resource() {
            guard(world, id, |world| {
                world.remove_resource_by_id(component);
            });
        } else {
            definitions::remove_everywhere(world, component);
        }
    }
    if !inserted {
        return;
    }
    for component in InsertedResources::take(world, id) {
        guard(world, id, |world| {
            world.remove_resource_by_id(component);
        });
    }
}

/// Hooks and observers of the game run, and may panic.
fn guard(world: &mut World, id: &Arc<str>, work: impl FnOnce(&mut World)) {
    if let Err(message) = catch(|| work(world)) {
        warn!("{id}: the game panicked while something of this mod was removed: {message}");
        let _ = catch(|| world.flush());
    }
}

/// Gives the ids back that an instance reserved and will never spawn.
pub(crate) fn free_ids(world: &mut World, handle: &ModHandle) {
    let mut reserved: Vec<Entity> = std::mem::take(&mut *handle.reserved()).into_iter().collect();
    // In an order, because ids are given out again in the order in which they come back.
    reserved.sort_unstable();
    for entity in reserved {
        // Spawned and despawned once, its id is not given out again: the mod may have written it somewhere.
        if world.spawn_empty_at(entity).is_ok() {
            let _ = catch(|| world.despawn(entity));
        }
    }
}
