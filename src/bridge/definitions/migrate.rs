//! Values of types that mods define, from one version of the type to another.
#![expect(unsafe_code, reason = "reads values whose types are only known at run time")]

use std::{collections::BTreeSet, sync::Arc};

use bevy_asset::AssetServer;
use bevy_ecs::{component::ComponentId, entity::Entity, reflect::AppTypeRegistry, world::World};
use mod_abi::{describe::DefinitionKind, state};
use tracing::warn;

use super::{Defined, Definitions, Entries};
use crate::bridge::{
    handle::catch,
    insert::{self, Piece},
    value::Reflection,
};

/// The most losses of one type that are told.
const MAX_LOSSES: usize = 64;

/// Gives everything that has an earlier version of the types in `paths` the version that they stand for now, and says once
/// for each type what has no place in it. The earlier versions' values stay until they are [dropped](drop_others).
pub(crate) fn copy(world: &mut World, paths: &Entries) {
    each_version(world, paths, |world, old, now, losses| {
        let (Some(from), Some(to)) = (old.bound.as_ref(), now.bound.as_ref()) else { return };
        if now.kind == DefinitionKind::Settings {
            // The host writes them anew.
            return;
        }
        if is_resource(old) != is_resource(now) {
            if holders(world, from.component).next().is_some() {
                losses.insert(format!("{} is of another kind now, so its values are gone", now.path));
            }
            return;
        }
        let entities: Vec<Entity> = holders(world, from.component).collect();
        for entity in entities {
            if world.get_entity(entity).is_ok_and(|entity| entity.contains_id(to.component)) {
                continue;
            }
            let Some(piece) = migrated(world, entity, old, now, losses) else { continue };
            let copied = if is_resource(now) {
                insert::insert_resource(world, piece)
            } else {
                insert::insert(world, entity, vec![piece])
            };
            if let Err(message) = copied {
                losses.insert(format!("{}: the game panicked while its values changed: {message}", now.path));
            }
        }
    });
}

/// Takes the values of all versions of the types in `paths` away but of those that they stand for now.
pub(crate) fn drop_others(world: &mut World, paths: &Entries) {
    each_version(world, paths, |world, old, _, _| {
        if let Some(old) = &old.bound {
            remove_everywhere(world, old.component);
        }
    });
}

/// Calls `work` with each version that a path does not stand for now, and the one that it does.
fn each_version(
    world: &mut World,
    paths: &Entries,
    work: impl Fn(&mut World, &Defined, &Defined, &mut BTreeSet<String>),
) {
    for (path, _) in paths {
        let Some(definitions) = world.get_resource::<Definitions>() else { return };
        let Some(now) = definitions.current.get(path).cloned() else { continue };
        let component = |defined: &Defined| defined.bound.as_ref().map(|bound| bound.component);
        let versions: Vec<Arc<Defined>> = definitions.versions.get(path).cloned().unwrap_or_default();
        let mut losses = BTreeSet::new();
        for old in versions.iter().filter(|old| component(old) != component(&now)) {
            work(world, old, &now, &mut losses);
        }
        losses.iter().take(MAX_LOSSES).for_each(|loss| warn!("{loss}"));
    }
}

fn is_resource(defined: &Defined) -> bool {
    defined.kind.is_resource()
}

/// The value of an entity in the version that there is now.
fn migrated(
    world: &World,
    entity: Entity,
    old: &Defined,
    now: &Defined,
    losses: &mut BTreeSet<String>,
) -> Option<Piece> {
    let (from, to) = (old.bound.as_ref()?, now.bound.as_ref()?);
    let types = world.resource::<AppTypeRegistry>().read();
    let reflection = Reflection { types: &types, assets: world.get_resource::<AssetServer>() };
    let value = world.get_by_id(entity, from.component)?;
    let mut bytes = Vec::new();
    // SAFETY: the value is one of that component, and the World is only read meanwhile.
    unsafe { from.crossing.write(value, reflection, &mut bytes) }.ok()?;
    let (from, start) = ((&old.schema, &*bytes), (&now.schema, now.default.as_deref()));
    let mut lost = Vec::new();
    let new = state::migrate(&now.path, from, start, &mut lost);
    if losses.len() < MAX_LOSSES {
        losses.extend(lost);
    }
    match new.ok().and_then(|new| to.crossing.build(&new, reflection).ok()) {
        Some(new) => Piece::new(world, to.component, new),
        None => {
            losses.insert(format!("{}: a value does not fit any more and is gone", now.path));
            None
        }
    }
}

/// The entities that have a component.
pub(crate) fn holders(world: &World, component: ComponentId) -> impl Iterator<Item = Entity> {
    let archetypes = world.archetypes().iter().filter(move |archetype| archetype.contains(component));
    archetypes.flat_map(|archetype| archetype.entities().iter().map(|entity| entity.id()))
}

/// Takes a component off everything that has it.
pub(crate) fn remove_everywhere(world: &mut World, component: ComponentId) {
    let entities: Vec<Entity> = holders(world, component).collect();
    entities.into_iter().for_each(|entity| remove(world, entity, component));
}

fn remove(world: &mut World, entity: Entity, component: ComponentId) {
    let removed = catch(|| {
        if let Ok(mut entity) = world.get_entity_mut(entity) {
            entity.remove_by_id(component);
        }
    });
    if let Err(message) = insert::settled(world, removed) {
        warn!("the game panicked while a component of a mod was removed: {message}");
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, RwLock};

    use bevy_ecs::{entity::Entity, reflect::AppTypeRegistry, world::World};
    use bevy_reflect::{TypeRegistry, TypeRegistryArc};
    use mod_abi::{
        Leaf, Schema, codec,
        describe::{Definition, DefinitionKind, TypeDesc, TypeRole},
    };

    use super::super::{find, migrate, register, swap};
    use crate::bridge::{
        insert::{Piece, insert, insert_resource},
        value::Reflection,
    };

    const KINDS: [(&str, DefinitionKind); 3] = [
        ("model::InTables", DefinitionKind::Component),
        ("model::Sparse", DefinitionKind::SparseComponent),
        ("model::Resource", DefinitionKind::Resource),
    ];

    /// Puts types of these fields in place, and makes everything of their earlier versions one of theirs.
    fn define(world: &mut World, fields: &[(&str, Schema)]) {
        let fields = fields.iter().map(|(name, schema)| ((*name).to_owned(), schema.clone())).collect();
        let schema = Schema::Struct(fields);
        let types = KINDS.map(|(path, kind)| TypeDesc {
            path: path.to_owned(),
            schema: schema.clone(),
            role: TypeRole::Definition(Definition { kind, default: None }),
        });
        let entries = register(world, "model", &types).expect("the definitions are right");
        let before = swap(world, entries);
        migrate(world, &before);
    }

    fn holder(world: &World, path: &str, entity: Entity) -> Entity {
        let component = find(world, path).expect("it is defined").component;
        world.resource_entities().get(component).unwrap_or(entity)
    }

    /// Packed values, at any address, become boxed ones, and the other way round; Miri sees what is not given back.
    #[test]
    fn values_go_from_one_memory_to_another() {
        let mut world = World::new();
        let types = TypeRegistry::empty();
        world.insert_resource(AppTypeRegistry(TypeRegistryArc {
            internal: Arc::new(RwLock::new(TypeRegistry::empty())),
        }));
        let reflection = Reflection { types: &types, assets: None };
        let (flag, number) = (Schema::Leaf(Leaf::Bool), Schema::Leaf(Leaf::U32));
        let list = Schema::List(Box::new(Schema::Leaf(Leaf::U8)));
        let packed = [("flag", flag.clone()), ("number", number.clone())];
        let boxed = [("list", list), ("number", number), ("flag", flag)];

        define(&mut world, &packed);
        let entities: Vec<Entity> = (0..3).map(|_| world.spawn_empty().id()).collect();
        for (entity, number) in entities.iter().zip(0_u32..) {
            for (path, kind) in KINDS {
                let bound = find(&world, path).expect("it is defined");
                let bytes = codec::encode(&(true, number)).expect("it has an encoding");
                let value = bound.crossing.build(&bytes, reflection).expect("it is valid");
                let piece = Piece::new(&world, bound.component, value).expect("it fits");
                let inserted = match kind {
                    DefinitionKind::Resource => insert_resource(&mut world, piece),
                    _ => insert(&mut world, *entity, vec![piece]),
                };
                assert_eq!(inserted, Ok(()));
            }
        }
        for (fields, is_boxed) in [(&boxed[..], true), (&packed[..], false), (&boxed[..], true)] {
            define(&mut world, fields);
            for (entity, number) in entities.iter().zip(0_u32..) {
                for (path, kind) in KINDS {
                    // There is one resource: the last that was inserted.
                    let number = if kind == DefinitionKind::Resource { 2 } else { number };
                    let bound = find(&world, path).expect("it is defined");
                    let value = world.get_by_id(holder(&world, path, *entity), bound.component).expect("it has one");
                    let mut bytes = Vec::new();
                    // SAFETY: the value is one of that component, and the World is only read meanwhile.
                    unsafe { bound.crossing.write(value, reflection, &mut bytes) }.expect("it has an encoding");
                    let expected = match is_boxed {
                        true => codec::encode(&(Vec::<u8>::new(), number, true)),
                        false => codec::encode(&(true, number)),
                    };
                    assert_eq!(bytes, expected.expect("it has an encoding"), "{path}");
                }
            }
        }
    }
}
