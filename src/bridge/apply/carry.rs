//! Steps that were checked, one after the other into the World.
//!
//! Hooks and observers of the game run in between and may do anything. So whatever a step relies on is looked at again, and
//! their panics end the run.

use bevy_ecs::{entity::Entity, world::World};

use super::{
    CommandError, Failure, Run,
    check::Step,
    family::{Family, Relation},
};
use crate::bridge::{
    crossing::Owned,
    handle::catch,
    insert::{self, Piece, settled},
    messages, observers,
    owner::SpawnedBy,
    permit::{InsertedResources, Permits},
};

/// Carries steps out, in their order.
pub(super) fn carry_out(world: &mut World, run: &Run, permits: &Permits, steps: Vec<Step>) -> Result<(), Failure> {
    steps.into_iter().try_for_each(|step| carry(world, run, permits, step))
}

fn carry(world: &mut World, run: &Run, permits: &Permits, step: Step) -> Result<(), Failure> {
    match step {
        Step::Spawn { entity, mut pieces } => {
            run.from.reserved().remove(&entity);
            // Nobody else knows the id, unless the mod gave it away.
            if world.spawn_empty_at(entity).is_err() {
                return Err(CommandError::NotReserved { entity: entity.to_string() }.into());
            }
            check_relations(world, entity, &pieces)?;
            pieces.extend(mark(world, permits, &run.from.id));
            insert::insert(world, entity, pieces).map_err(Failure::Panicked)
        }
        Step::Insert { entity, mut pieces, only_new } => {
            if !is_there(world, run, permits, entity)? {
                return Ok(());
            }
            if only_new && let Ok(there) = world.get_entity(entity) {
                pieces.retain(|piece| !there.contains_id(piece.component()));
            }
            check_relations(world, entity, &pieces)?;
            insert::insert(world, entity, pieces).map_err(Failure::Panicked)
        }
        Step::Remove { entity, components } => {
            if !is_there(world, run, permits, entity)? {
                return Ok(());
            }
            let removed = catch(|| {
                if let Ok(mut there) = world.get_entity_mut(entity) {
                    there.remove_by_ids(&components);
                }
            });
            settled(world, removed).map_err(Failure::Panicked)
        }
        Step::Despawn { entity } => {
            if !is_there(world, run, permits, entity)? {
                return Ok(());
            }
            let all = Family::default().with_descendants(world, entity).unwrap_or_default();
            let protected = |entity: Entity| Some((entity, permits.protected_id(world, entity)?));
            if let Some((entity, what)) = all.into_iter().find_map(protected) {
                return Err(CommandError::Protected { entity, what }.into());
            }
            let despawned = catch(|| {
                // Whether it was there has been asked.
                let _ = world.try_despawn(entity);
            });
            settled(world, despawned).map_err(Failure::Panicked)
        }
        Step::InsertResource(piece) => {
            let component = piece.component();
            if world.get_resource_by_id(component).is_none() {
                InsertedResources::note(world, component, &run.from.id);
            }
            insert::insert_resource(world, piece).map_err(Failure::Panicked)
        }
        Step::RemoveResource(component) => {
            InsertedResources::forget(world, component);
            let removed = catch(|| world.remove_resource_by_id(component)).map(drop);
            settled(world, removed).map_err(Failure::Panicked)
        }
        Step::WriteMessage { desc, bytes } => {
            messages::write(world, &desc, &run.from.id, bytes).map_err(|error| Failure::Command(error.into()))
        }
        Step::Trigger { desc, bytes } => {
            observers::trigger(world, &desc, &run.from.id, bytes).map_err(|error| Failure::Command(error.into()))
        }
    }
}

/// Looks again at the relationships that an entity gets: what ran since they were checked may have changed the family.
fn check_relations(world: &World, entity: Entity, pieces: &[Piece]) -> Result<(), CommandError> {
    for piece in pieces {
        let Some(relation) = Relation::of(world, piece.component()) else { continue };
        let Some(parent) = relation.parent_in(world, piece.value()) else { continue };
        Family::default().adopt(world, relation, entity, parent).map_err(|reason| {
            // The World's own name of a component is there only with Bevy's feature `debug`.
            let path = match piece.value() {
                Owned::Reflected(value) => value.reflect_type_path().to_owned(),
                _ => "relationship".to_owned(),
            };
            CommandError::Relationship { entity, path, reason }
        })?;
    }
    Ok(())
}

/// Whether an entity is still there. If so, mods may still touch it.
fn is_there(world: &World, run: &Run, permits: &Permits, entity: Entity) -> Result<bool, CommandError> {
    let Ok(there) = world.get_entity(entity) else {
        run.skip(entity);
        return Ok(false);
    };
    match permits.protected(there) {
        Some(what) => Err(CommandError::Protected { entity, what }),
        None => Ok(true),
    }
}

/// What says whose an entity is.
fn mark(world: &World, permits: &Permits, mod_id: &str) -> Option<Piece> {
    Piece::new(world, permits.spawned_by(), Owned::Reflected(Box::new(SpawnedBy::new(mod_id))))
}
