//! All that the World holds of types that mods define, as bytes; and such bytes back into the World. For saves.
//!
//! What comes back is hostile: it may be anything that somebody wrote into a file.
#![expect(unsafe_code, reason = "reads values whose types are only known at run time")]

use std::{collections::BTreeSet, sync::Arc};

use bevy_asset::AssetServer;
use bevy_ecs::{component::ComponentId, entity::Entity, reflect::AppTypeRegistry, world::World};
use mod_abi::{
    Schema,
    describe::{Definition, DefinitionKind, TypeDesc, TypeRole},
    state::Migration,
};

use super::{Defined, DefinitionError, Definitions, Entries, migrate::holders, register, swap};
use crate::bridge::{
    insert::{self, Piece},
    owner::{self, SpawnedBy},
    permit::Permits,
    value::Reflection,
};

/// All values of one version of a type.
#[derive(Debug)]
pub(crate) struct Snapshot {
    pub(crate) path: Arc<str>,
    pub(crate) kind: DefinitionKind,
    pub(crate) schema: Schema,
    /// The encoded values with their entities; of a resource there is one.
    pub(crate) values: Vec<(Entity, Vec<u8>)>,
}

/// The values of all components and resources that mods defined, by path. Values that cannot be read, which only a bug of
/// ours could bring about, are left out.
pub(crate) fn take(world: &World) -> Vec<Snapshot> {
    let Some(definitions) = world.get_resource::<Definitions>() else { return Vec::new() };
    let types = world.get_resource::<AppTypeRegistry>().map(|types| types.read());
    let Some(types) = types else { return Vec::new() };
    let reflection = Reflection { types: &types, assets: world.get_resource::<AssetServer>() };
    let mut snapshots = Vec::new();
    for (component, defined) in &definitions.of_component {
        let Some(bound) = &defined.bound else { continue };
        let mut values = Vec::new();
        for entity in holders(world, *component) {
            let Some(value) = world.get_by_id(entity, *component) else { continue };
            let mut bytes = Vec::new();
            // SAFETY: the value is one of that component, and the World is only read meanwhile.
            if unsafe { bound.crossing.write(value, reflection, &mut bytes) }.is_ok() {
                values.push((entity, bytes));
            }
        }
        if !values.is_empty() {
            values.sort_unstable_by_key(|(entity, _)| entity.to_bits());
            let (path, schema) = (Arc::clone(&defined.path), defined.schema.clone());
            snapshots.push(Snapshot { path, kind: defined.kind, schema, values });
        }
    }
    snapshots.sort_unstable_by(|one, other| one.path.cmp(&other.path));
    snapshots
}

/// Whether an entity holds nothing but what mods defined and the mark of the mod that spawned it: then a save of the mods
/// alone has all of it.
pub(crate) fn is_of_mods_alone(world: &World, entity: Entity) -> bool {
    let mark = world.component_id::<SpawnedBy>();
    let definitions = world.get_resource::<Definitions>();
    let is_ours = |component: &ComponentId| {
        Some(*component) == mark
            || definitions.is_some_and(|definitions| definitions.of_component.contains_key(component))
    };
    world.get_entity(entity).is_ok_and(|entity| entity.archetype().components().iter().all(is_ours))
}

/// Every mod that has a value or an entity in the World.
pub(crate) fn owners(world: &World) -> BTreeSet<Arc<str>> {
    let of_types = take_paths(world).into_iter().filter_map(|path| Some(path.split_once("::")?.0.into()));
    of_types.chain(owner::mods(world)).collect()
}

fn take_paths(world: &World) -> Vec<Arc<str>> {
    let definitions = world.get_resource::<Definitions>();
    let all = definitions.into_iter().flat_map(|definitions| &definitions.of_component);
    let used = all.filter(|(component, _)| holders(world, **component).next().is_some());
    used.map(|(_, defined)| Arc::clone(&defined.path)).collect()
}

/// What a path stands for now.
pub(crate) fn current(world: &World, path: &str) -> Option<Arc<Defined>> {
    world.get_resource::<Definitions>()?.current.get(path).cloned()
}

/// Defines a type as a save says that a mod did in the middle of a call, and returns what there was before, for
/// [`settle`](super::settle). The mod may define it otherwise later on.
///
/// # Errors
/// When it cannot be defined so.
pub(crate) fn define(
    world: &mut World,
    mod_id: &str,
    path: &str,
    kind: DefinitionKind,
    schema: &Schema,
) -> Result<Entries, DefinitionError> {
    let role = TypeRole::Definition(Definition { kind, default: None });
    let desc = TypeDesc { path: path.to_owned(), schema: schema.clone(), role };
    let entries = register(world, mod_id, &[desc]).map_err(|mut errors| errors.remove(0))?;
    Ok(swap(world, entries))
}

/// Values of one type, on their way into the World.
pub(crate) struct Restore<'a> {
    pub(crate) path: &'a str,
    /// What they are in the save.
    pub(crate) schema: &'a Schema,
    pub(crate) is_resource: bool,
}

/// What became of values.
#[derive(Debug, Default)]
pub(crate) struct Restored {
    /// A sentence for each thing that has no place in the version that there is now.
    pub(crate) losses: BTreeSet<String>,
    /// How many values could not be taken.
    pub(crate) refused: usize,
}

impl Restore<'_> {
    /// Puts values into the World, each in the version of its type that there is now. What they take in that version counts
    /// against `room`, in bytes.
    pub(crate) fn run<'v>(
        &self,
        world: &mut World,
        permits: &Permits,
        values: impl IntoIterator<Item = (Entity, &'v [u8])>,
        room: &mut usize,
    ) -> Restored {
        let mut restored = Restored::default();
        let path = self.path;
        let now = current(world, path);
        let Some((now, to)) = now.as_ref().and_then(|now| Some((now, now.bound.as_ref()?))) else {
            restored.losses.insert(format!("{path} is no longer defined, so its values are gone"));
            return restored;
        };
        if (now.kind == DefinitionKind::Resource) != self.is_resource {
            restored.losses.insert(format!("{path} is of another kind now, so its values are gone"));
            return restored;
        }
        let Ok(mut migration) = Migration::new(path, self.schema, (&now.schema, now.default.as_deref())) else {
            restored.losses.insert(format!("{path} has a default that is no value of it, so its values are gone"));
            return restored;
        };
        for (entity, bytes) in values {
            let may_have = || world.get_entity(entity).is_ok_and(|entity| permits.protected(entity).is_none());
            let is_taken = self.is_resource || may_have();
            let migrated = if is_taken { migration.run(bytes, room, &mut restored.losses).ok() } else { None };
            let piece = migrated.and_then(|bytes| {
                let types = world.resource::<AppTypeRegistry>().read();
                let reflection = Reflection { types: &types, assets: world.get_resource::<AssetServer>() };
                Piece::new(world, to.component, to.crossing.build(&bytes, reflection).ok()?)
            });
            let Some(piece) = piece else {
                restored.refused += 1;
                continue;
            };
            let inserted = if self.is_resource {
                insert::insert_resource(world, piece)
            } else {
                insert::insert(world, entity, vec![piece])
            };
            if let Err(message) = inserted {
                restored.losses.insert(format!("{path}: the game panicked when a value of it came back: {message}"));
            }
        }
        restored
    }
}
