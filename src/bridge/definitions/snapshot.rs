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

/// The values of all components and resources that mods defined, by path. Settings are the player's and kept elsewhere. Values that cannot be read, which only a bug of
/// ours could bring about, are left out.
pub(crate) fn take(world: &World) -> Vec<Snapshot> {
    let Some(definitions) = world.get_resource::<Definitions>() else { return Vec::new() };
    let types = world.get_resource::<AppTypeRegistry>().map(|types| types.read());
    let Some(types) = types else { return Vec::new() };
    let reflection = Reflection { types: &types, assets: world.get_resource::<AssetServer>() };
    let mut snapshots = Vec::new();
    let of_mods = definitions.of_component.iter().filter(|(_, defined)| defined.kind != DefinitionKind::Settings);
    for (component, defined) in of_mods {
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
        let is_other = (now.kind == DefinitionKind::Resource) != self.is_resource;
        if is_other || now.kind == DefinitionKind::Settings {
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

#[cfg(test)]
mod tests {
    use std::sync::{Arc, RwLock};

    use bevy_ecs::{entity::Entity, reflect::AppTypeRegistry, world::World};
    use bevy_reflect::{TypeRegistry, TypeRegistryArc};
    use mod_abi::{Schema, codec, describe::DefinitionKind};

    use super::{Restore, define, is_of_mods_alone, owners, take};
    use crate::bridge::{owner::SpawnedBy, permit::Permits};

    fn world() -> World {
        let mut world = World::new();
        let internal = Arc::new(RwLock::new(TypeRegistry::empty()));
        world.insert_resource(AppTypeRegistry(TypeRegistryArc { internal }));
        world
    }

    fn schema(text: &str) -> Schema {
        Schema::parse(text).expect("a schema")
    }

    /// Values of fixed and of varying size go out and come back; Miri sees what is not given back.
    #[test]
    fn values_go_out_and_come_back() {
        let types = [
            ("model::Packed", DefinitionKind::Component, "{n:u32,flag:bool}"),
            ("model::Sparse", DefinitionKind::SparseComponent, "[u8]"),
            ("model::Whole", DefinitionKind::Resource, "{text:str}"),
        ];
        let values = [
            codec::encode(&(7_u32, true)).expect("a value"),
            codec::encode(&[1_u8, 2, 3][..]).expect("a value"),
            codec::encode("häy").expect("a value"),
        ];
        let mut world = world();
        let entity = world.spawn(SpawnedBy::new("other")).id();
        let permits = Permits::new(&mut world);
        for round in 0..2 {
            for ((path, kind, text), value) in types.iter().zip(&values) {
                if round == 0 {
                    define(&mut world, "model", path, *kind, &schema(text)).expect("it is right");
                }
                let is_resource = *kind == DefinitionKind::Resource;
                let restore = Restore { path, schema: &schema(text), is_resource };
                let mut room = 1000;
                let restored = restore.run(&mut world, &permits, [(entity, &**value)], &mut room);
                assert_eq!((restored.losses.len(), restored.refused), (0, 0), "{:?}", restored.losses);
                assert_eq!(room, 1000 - value.len());
            }
            let taken = take(&world);
            let taken: Vec<_> = taken
                .iter()
                .map(|taken| (&*taken.path, taken.kind, taken.schema.to_string(), &taken.values[0].1))
                .collect();
            let expected: Vec<_> = types
                .iter()
                .zip(&values)
                .map(|((path, kind, text), value)| (*path, *kind, (*text).to_owned(), value))
                .collect();
            assert_eq!(taken, expected);
        }
        assert!(is_of_mods_alone(&world, entity));
        assert_eq!(owners(&world).iter().map(|id| &**id).collect::<Vec<_>>(), ["model", "other"]);
    }

    #[test]
    fn what_is_no_value_or_has_no_place_is_refused() {
        let mut world = world();
        let here = world.spawn_empty().id();
        let permits = Permits::new(&mut world);
        let ty = schema("{n:u32}");
        define(&mut world, "model", "model::N", DefinitionKind::Component, &ty).expect("it is right");
        assert!(define(&mut world, "model", "other::N", DefinitionKind::Component, &ty).is_err());
        let mut run = |path: &str, is_resource, room: usize, entity: Entity, bytes: &[u8]| {
            let restore = Restore { path, schema: &ty, is_resource };
            let restored = restore.run(&mut world, &permits, [(entity, bytes)], &mut { room });
            (restored.losses.len(), restored.refused)
        };
        assert_eq!(run("model::N", false, 4, here, &[1; 4]), (0, 0));
        assert_eq!(run("model::N", false, 3, here, &[1; 4]), (0, 1), "no room");
        assert_eq!(run("model::N", false, 4, here, &[1; 5]), (0, 1), "no value");
        assert_eq!(run("model::N", false, 4, Entity::PLACEHOLDER, &[1; 4]), (0, 1), "no entity");
        assert_eq!(run("model::N", true, 4, here, &[1; 4]), (1, 0), "no resource");
        assert_eq!(run("model::M", false, 4, here, &[1; 4]), (1, 0), "no type");
    }
}
