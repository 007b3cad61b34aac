//! A save in the ids of this World: the first look at what somebody may have written into a file. What gets through is of
//! the shape that it claims, and not too much.

use std::{
    collections::{BTreeMap, HashSet, btree_map::Entry},
    sync::Arc,
};

use bevy_ecs::{
    entity::{Entity, EntityHashMap, EntityMapper, SceneEntityMapper},
    world::World,
};
use mod_abi::{Malformed, Schema, codec::MAX_VALUE_BYTES, map_entities};

use super::{
    binary::Binary,
    format::{ModSave, SavedMod, SavedType, SavedValue, SavedValues, clean},
    report::ModRestore,
};

/// The most mods in a save.
const MAX_MODS: usize = 4096;
/// The most values that a mod keeps, and the most types that it defines, each.
const MAX_NAMES: usize = 1024;
/// The most entities that all mods have for themselves.
const MAX_OWN: usize = 1_000_000;
/// The longest id of a mod.
const MAX_ID: usize = 64;

/// The parts of the mods in the ids of this World. Entities that the mods have for themselves are reserved, and added to
/// `entities`.
pub(super) fn translate(
    world: &mut World,
    save: &ModSave,
    entities: &mut EntityHashMap<Entity>,
    report: &mut ModRestore,
) -> Vec<SavedMod> {
    let mut mods: BTreeMap<Arc<str>, &SavedMod> = BTreeMap::new();
    for saved in save.mods.iter().take(MAX_MODS) {
        let id: Arc<str> = clean(&saved.id).into();
        match (check(saved), mods.entry(id)) {
            (Ok(()), Entry::Vacant(place)) => {
                place.insert(saved);
            }
            (Ok(()), Entry::Occupied(taken)) => {
                report.lose(taken.key(), "it stands in this save twice, and the second part is not used");
            }
            (Err(reason), place) => {
                report.lose(place.key(), format!("its part of this save is not used, because {reason}"));
            }
        }
    }
    if let Some(saved) = save.mods.get(MAX_MODS) {
        report.lose(&clean(&saved.id).into(), format!("it is not used, because a save has at most {MAX_MODS} mods"));
    }
    // What the game says of entities that are not there is of no use.
    let mut there = entities.clone();
    there.retain(|_, here| world.get_entity(*here).is_ok());
    let mut own: BTreeMap<Arc<str>, Own> = BTreeMap::new();
    let mut room = MAX_OWN;
    for (id, saved) in &mods {
        own.insert(Arc::clone(id), reserve(world, id, saved, &mut there, &mut room, report));
    }
    entities.extend(&there);
    // Ids that lead nowhere get new ones, in a map that is not the game's.
    let mut known = there.clone();
    known.insert(Entity::PLACEHOLDER, Entity::PLACEHOLDER);
    SceneEntityMapper::world_scope(&mut known, world, |_, mapper| {
        let part = |(id, saved): (&Arc<str>, &&SavedMod)| {
            let mut part = Part { id, entities: &there, mapper, report };
            let states = saved.states.iter().filter_map(|state| part.state(state)).collect();
            let types = saved.types.iter().filter_map(|ty| part.ty(ty)).collect();
            let Own { spawned, own } = own.remove(id).unwrap_or_default();
            SavedMod { id: saved.id.clone(), version: clean(&saved.version), states, types, spawned, own }
        };
        mods.iter().map(part).collect()
    })
}

/// What makes a mod's part one that cannot be looked at.
fn check(saved: &SavedMod) -> Result<(), String> {
    let is_id = |id: &str| id.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'_' || c == b'-');
    if saved.id.is_empty() || saved.id.len() > MAX_ID || !is_id(&saved.id) {
        Err("no mod has such an id".to_owned())
    } else if saved.states.len() > MAX_NAMES || saved.types.len() > MAX_NAMES {
        Err(format!("it has more than {MAX_NAMES} values or types"))
    } else if saved.bytes() > MAX_VALUE_BYTES {
        Err(format!("it has more than {} MiB", MAX_VALUE_BYTES >> 20))
    } else {
        Ok(())
    }
}

/// The entities that a mod spawned.
#[derive(Debug, Default)]
struct Own {
    spawned: Vec<u64>,
    own: Vec<u64>,
}

/// Finds the entities that a mod spawned, and reserves those that nobody else brings back.
fn reserve(
    world: &World,
    id: &Arc<str>,
    saved: &SavedMod,
    entities: &mut EntityHashMap<Entity>,
    room: &mut usize,
    report: &mut ModRestore,
) -> Own {
    let (mut found, mut gone) = (Own::default(), Vec::new());
    let mut seen = HashSet::new();
    let listed = saved.spawned.iter().map(|id| (id, false)).chain(saved.own.iter().map(|id| (id, true)));
    for (bits, is_own) in listed {
        let Some(entity) = Entity::try_from_bits(*bits).filter(|entity| *entity != Entity::PLACEHOLDER) else {
            continue;
        };
        if !seen.insert(entity) {
            continue;
        }
        match entities.get(&entity) {
            Some(here) => found.spawned.push(here.to_bits()),
            None if is_own && *room > 0 => {
                *room -= 1;
                let here = world.entity_allocator().alloc();
                entities.insert(entity, here);
                found.own.push(here.to_bits());
            }
            None => gone.push(entity),
        }
    }
    report.lose_entities(id, None, gone);
    found
}

/// A mod's part on its way.
struct Part<'a, 'm> {
    id: &'a Arc<str>,
    /// What the game and the mods bring back.
    entities: &'a EntityHashMap<Entity>,
    mapper: &'a mut SceneEntityMapper<'m>,
    report: &'a mut ModRestore,
}

impl Part<'_, '_> {
    fn state(&mut self, state: &SavedValue) -> Option<SavedValue> {
        let schema = Schema::parse(&state.schema).ok();
        let value = schema.and_then(|schema| self.value(&schema, &state.value).ok());
        if value.is_none() {
            let name = clean(&state.name);
            self.report.lose(self.id, format!("what it kept as `{name}` is damaged and starts anew"));
        }
        Some(SavedValue { name: clean(&state.name), schema: state.schema.clone(), value: value? })
    }

    fn ty(&mut self, ty: &SavedType) -> Option<SavedType> {
        let shown = clean(&ty.path);
        let is_own = ty.path.strip_prefix(&**self.id).is_some_and(|rest| rest.starts_with("::"));
        if !is_own || shown != ty.path {
            self.report.lose(self.id, format!("`{shown}` is no type of it, so its values are not used"));
            return None;
        }
        let Ok(schema) = Schema::parse(&ty.schema) else {
            self.report.lose(self.id, format!("`{shown}` is damaged, so its values are gone"));
            return None;
        };
        let values = match &ty.values {
            SavedValues::Resource(value) => match self.value(&schema, value) {
                Ok(value) => SavedValues::Resource(value),
                Err(Malformed) => {
                    self.report.lose(self.id, format!("`{shown}` is damaged and gone"));
                    return None;
                }
            },
            SavedValues::Components(values) => SavedValues::Components(self.components(&shown, &schema, values)),
            SavedValues::SparseComponents(values) => {
                SavedValues::SparseComponents(self.components(&shown, &schema, values))
            }
        };
        Some(SavedType { path: ty.path.clone(), schema: ty.schema.clone(), late: ty.late, values })
    }

    fn components(&mut self, path: &str, schema: &Schema, values: &[(u64, Binary)]) -> Vec<(u64, Binary)> {
        let (mut gone, mut damaged) = (Vec::new(), 0_usize);
        let mut taken = HashSet::new();
        let mut translated = Vec::with_capacity(values.len());
        for (bits, value) in values {
            let Some(entity) = Entity::try_from_bits(*bits) else {
                damaged += 1;
                continue;
            };
            let Some(here) = self.entities.get(&entity) else {
                gone.push(entity);
                continue;
            };
            match self.value(schema, value) {
                Ok(value) if taken.insert(*here) => translated.push((here.to_bits(), value)),
                _ => damaged += 1,
            }
        }
        self.report.lose_entities(self.id, Some(path), gone);
        if damaged > 0 {
            self.report.lose(self.id, format!("{damaged} values of `{path}` are damaged or there twice, and gone"));
        }
        translated
    }

    /// A value with the ids of this World in it.
    fn value(&mut self, schema: &Schema, value: &Binary) -> Result<Binary, Malformed> {
        let mut bytes = value.0.clone();
        map_entities(schema, &mut bytes, |id| {
            Entity::try_from_bits(id).map_or(id, |entity| self.mapper.get_mapped(entity).to_bits())
        })?;
        Ok(Binary(bytes))
    }
}
