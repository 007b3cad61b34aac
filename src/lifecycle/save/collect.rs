//! From the mods that run and the World to a save.

use std::{collections::BTreeMap, sync::Arc};

use bevy_ecs::world::World;
use mod_abi::{
    describe::{DefinitionKind, TypeRole},
    state::SavedState,
};

use super::{
    binary::Binary,
    format::{ModSave, SavedMod, SavedType, SavedValue, SavedValues},
    kept::Kept,
    report::SaveProblem,
};
use crate::{
    bridge::{
        definitions::snapshot::{self, Snapshot},
        handle::{ModHandle, SystemError},
        owner,
    },
    lifecycle::registry::{ModRecord, ModRegistry},
};

pub(super) fn collect(world: &mut World) -> ModSave {
    let mut save = ModSave { mods: Kept::for_save(world), ..ModSave::default() };
    let kept = Kept::ids(world);
    let mut mods: BTreeMap<Arc<str>, SavedMod> = BTreeMap::new();
    for id in known(world) {
        if !kept.contains(&id) {
            let states = states(world, &id, &mut save.problems);
            mods.insert(id, SavedMod { states, ..SavedMod::default() });
        }
    }
    for snapshot in snapshot::take(world) {
        let owner = snapshot.path.split_once("::").map_or("", |(owner, _)| owner);
        if !kept.iter().any(|id| **id == *owner) {
            let late = is_late(world, owner, &snapshot.path);
            mods.entry(owner.into()).or_default().types.push(saved_type(snapshot, late));
        }
    }
    for id in owner::mods(world).into_iter().filter(|id| !kept.contains(id)) {
        let saved = mods.entry(Arc::clone(&id)).or_default();
        for entity in owner::entities_of(world, &id) {
            let is_whole = snapshot::is_of_mods_alone(world, entity);
            let list = if is_whole { &mut saved.own } else { &mut saved.spawned };
            list.push(entity.to_bits());
        }
        saved.spawned.sort_unstable();
        saved.own.sort_unstable();
    }
    let registry = world.get_resource::<ModRegistry>();
    let record = |id: &str| registry.and_then(|registry| registry.mods.get(id));
    for (id, saved) in mods {
        let version = record(&id).map_or_else(String::new, |record| record.version.clone());
        save.mods.push(SavedMod { id: id.to_string(), version, ..saved });
    }
    save.mods.sort_unstable_by(|one, other| one.id.cmp(&other.id));
    save
}

/// The mods that run, and those that left what they keep.
fn known(world: &World) -> Vec<Arc<str>> {
    let Some(registry) = world.get_resource::<ModRegistry>() else { return Vec::new() };
    let has_something = |record: &ModRecord| record.running.is_some() || record.saved.is_some();
    registry.mods.iter().filter(|(_, record)| has_something(record)).map(|(id, _)| Arc::clone(id)).collect()
}

/// What a mod keeps.
fn states(world: &World, id: &Arc<str>, problems: &mut Vec<SaveProblem>) -> Vec<SavedValue> {
    let Some(record) = world.get_resource::<ModRegistry>().and_then(|registry| registry.mods.get(id)) else {
        return Vec::new();
    };
    let states = match &record.running {
        Some(running) => ask(&running.handle).unwrap_or_else(|reason| {
            problems.push(SaveProblem { id: Arc::clone(id), reason });
            Vec::new()
        }),
        None => record.saved.clone().unwrap_or_default(),
    };
    let saved = |state: SavedState| SavedValue {
        name: state.name,
        schema: state.schema.to_string(),
        value: Binary(state.bytes),
    };
    states.into_iter().map(saved).collect()
}

/// Asks a mod what it keeps.
fn ask(handle: &ModHandle) -> Result<Vec<SavedState>, String> {
    if handle.is_faulted() {
        return Err("what it keeps is not saved, because it has failed".to_owned());
    }
    let entered = handle.enter(|instance| (instance.save(), instance.is_poisoned()));
    let (saved, poisoned) =
        entered.map_err(|_| "what it keeps is not saved, because it is in the middle of a call".to_owned())?;
    saved.map_err(|error| {
        let reason = format!("what it keeps is not saved, because it could not say what that is: {error}");
        if poisoned {
            handle.fail("__mod_save", SystemError::Call(error));
        }
        reason
    })
}

/// Whether a mod does not state one of its types before it runs.
fn is_late(world: &World, id: &str, path: &str) -> bool {
    let record = world.get_resource::<ModRegistry>().and_then(|registry| registry.mods.get(id));
    let running = record.and_then(|record| record.running.as_ref());
    running.is_none_or(|running| {
        let mut types = running.signature.description.types.iter();
        !types.any(|ty| ty.path == path && matches!(ty.role, TypeRole::Definition(_)))
    })
}

fn saved_type(snapshot: Snapshot, late: bool) -> SavedType {
    let Snapshot { path, kind, schema, values } = snapshot;
    let mut values = values.into_iter().map(|(entity, bytes)| (entity.to_bits(), Binary(bytes)));
    let values = match kind {
        DefinitionKind::Resource => SavedValues::Resource(values.next().map(|(_, bytes)| bytes).unwrap_or_default()),
        DefinitionKind::SparseComponent => SavedValues::SparseComponents(values.collect()),
        _ => SavedValues::Components(values.collect()),
    };
    SavedType { path: path.to_string(), schema: schema.to_string(), late, values }
}
