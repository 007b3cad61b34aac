//! Mods that run take over what is kept for them, or start anew: each from a new instance, so that nothing of what it did
//! until now is left in its memory.

use std::{
    collections::{BTreeSet, HashSet},
    sync::Arc,
};

use bevy_ecs::{
    entity::{Entity, EntityHashMap, EntityNotSpawnedError},
    world::World,
};
use mod_abi::{
    Identity, Schema,
    codec::MAX_VALUE_BYTES,
    map_entities,
    state::{SavedState, carry_over},
};
use mod_host::{Instance, ModBacktrace};
use tracing::{info, warn};

use super::{
    binary::Binary,
    format::{SavedMod, SavedValue, SavedValues},
    kept::Kept,
    report::{MissingMod, ModDifference, ModRestore},
};
use crate::{
    bridge::{
        definitions::snapshot::{self, Restore},
        frame::FrameNumber,
        grant::Grants,
        handle::{ModHandle, SystemError, catch},
        initial::{self, InitialResources},
        insert,
        observers::bind::bind_mod,
        owner::SpawnedBy,
        permit::Permits,
        player::SettingsLayout,
        query::Bound,
        system::Slot,
    },
    lifecycle::{
        fault::ModEvent,
        install::settle_types,
        leftovers, player, reach,
        registry::{ModRegistry, Signature},
        schedule::moment,
        start::{Once, Start, Systems, run_once},
    },
};

/// The mods that run take over, or start anew, and all that mods had in the World goes. `theirs` are the entities that the
/// game has brought back.
pub(super) fn take_over_all(world: &mut World, theirs: &HashSet<Entity>, report: &mut ModRestore) {
    let ready = ready(world);
    let kept = Kept::ids(world);
    for id in kept.iter().cloned() {
        let registry = world.get_resource::<ModRegistry>();
        let why = registry.map_or(Some(MissingMod::NotThere), |registry| MissingMod::why(registry, &id));
        if let (Some(why), Some(saved)) = (why, Kept::get(world, &id)) {
            report.add(ModDifference::Missing { id, version: saved.version, why });
        }
    }
    let mut owners = snapshot::owners(world);
    if let Some(mut registry) = world.get_resource_mut::<ModRegistry>() {
        for (id, record) in &mut registry.mods {
            // What it left when it was switched off is of another time.
            record.saved = None;
            if record.is_running() && !ready.contains(id) && !kept.contains(id) {
                report.lose(id, "it cannot be started once more just now, and goes on as it is");
                owners.remove(id);
            }
        }
    }
    owners.extend(ready.iter().cloned());
    let parts = ready.into_iter().map(|id| (Kept::get(world, &id), id)).collect();
    run(world, parts, owners, theirs, report);
}

/// Mods that have come since a save was restored take over what is kept for them.
pub(crate) fn take_over_late(world: &mut World) {
    let kept = Kept::ids(world);
    if kept.is_empty() {
        return;
    }
    let coming = ready(world).into_iter().filter(|id| kept.contains(id));
    let parts: Vec<_> = coming.map(|id| (Kept::get(world, &id), id)).collect();
    if parts.is_empty() {
        return;
    }
    let mut report = ModRestore::default();
    let ids = parts.iter().map(|(_, id)| Arc::clone(id)).collect();
    run(world, parts, ids, &HashSet::new(), &mut report);
    report.differences.iter().for_each(|difference| warn!("{difference}"));
}

/// The mods that run and can be started once more, in the order in which they are loaded.
fn ready(world: &World) -> Vec<Arc<str>> {
    let Some(registry) = world.get_resource::<ModRegistry>() else { return Vec::new() };
    let is_ready = |id: &Arc<str>| MissingMod::why(registry, id).is_none();
    registry.load_order.ids().filter(|id| is_ready(id)).cloned().collect()
}

/// A mod that has started once more, with its state, and is not in the game yet.
struct Restart {
    id: Arc<str>,
    /// What is kept for it; `None` for one that starts anew.
    saved: Option<SavedMod>,
    identity: Arc<Identity>,
    signature: Signature,
    handle: Arc<ModHandle>,
    systems: Systems,
    resources: InitialResources,
}

fn run(
    world: &mut World,
    parts: Vec<(Option<SavedMod>, Arc<str>)>,
    owners: BTreeSet<Arc<str>>,
    theirs: &HashSet<Entity>,
    report: &mut ModRestore,
) {
    // Nothing of what was sees what happens now.
    let registry = world.get_resource::<ModRegistry>();
    let running = parts.iter().filter_map(|(_, id)| registry?.mods.get(id)?.running.as_ref());
    running.for_each(|running| running.empty_slots());
    let mut restarts = Vec::new();
    for (saved, id) in parts {
        match restart(world, &id, saved, report) {
            Ok(restart) => restarts.push(restart),
            Err((function, error)) => fail(world, &id, function, error, report),
        }
    }
    let of_mods = restarts.iter().filter_map(|restart| restart.saved.as_ref());
    let of_mods = of_mods.flat_map(|saved| saved.spawned.iter().chain(&saved.own));
    let mut stay: HashSet<Entity> = of_mods.filter_map(|id| Entity::try_from_bits(*id)).collect();
    stay.extend(theirs);
    for id in &owners {
        let starts_anew = restarts.iter().any(|restart| restart.id == *id && restart.saved.is_none());
        leftovers::clear(world, id, &stay, starts_anew);
    }
    let permits = Permits::new(world);
    let saved = || restarts.iter().filter_map(|restart| Some((&restart.handle.grants, restart.saved.as_ref()?)));
    // A mod may have put something on another one's entities.
    saved().for_each(|(grants, saved)| put_entities_back(world, grants, saved, &permits, report));
    saved().for_each(|(grants, saved)| put_values_back(world, grants.mod_id(), saved, &permits, report));
    let mut started = Vec::new();
    for restart in restarts {
        started.extend(take_place(world, restart, report));
    }
    for Started { id, handle, is_restored, mut slots } in started {
        run_once(world, &mut slots);
        if handle.is_faulted() {
            // The next frame boundary tells of it.
            let reason = handle.fault_text().unwrap_or_default();
            report.add(ModDifference::Failed { id, reason });
            continue;
        }
        Kept::remove(world, &id);
        info!("{id}: {}", if is_restored { "restored from a save" } else { "started anew" });
        world.write_message(ModEvent::Restored { lost: report.losses_of(&id), id });
    }
}

/// Stops a mod that cannot start once more.
fn fail(world: &mut World, id: &Arc<str>, function: &str, error: SystemError, report: &mut ModRestore) {
    report.add(ModDifference::Failed { id: Arc::clone(id), reason: error.to_string() });
    let mut registry = world.resource_mut::<ModRegistry>();
    let running = registry.mods.get_mut(id).and_then(|record| record.running.as_mut());
    let Some(running) = running else { return };
    running.handle.fail(function, error);
    // The version before knows a World that is no more.
    if let Some(probation) = running.probation.take() {
        leftovers::free_ids(world, &probation.earlier.handle);
    }
}

type Failure = (&'static str, SystemError);

/// Starts a mod once more and gives it its state.
fn restart(
    world: &mut World,
    id: &Arc<str>,
    mut saved: Option<SavedMod>,
    report: &mut ModRestore,
) -> Result<Restart, Failure> {
    let left = |reason: String, backtrace: Option<&ModBacktrace>| {
        let (export, backtrace) = ("_initialize".to_owned(), backtrace.cloned().unwrap_or_default());
        ("_initialize", SystemError::Stopped { export, reason, backtrace })
    };
    let stopped = |reason: String| left(reason, None);
    let record = world.resource::<ModRegistry>().mods.get(id);
    let running = record.and_then(|record| record.running.as_ref());
    let running = running.ok_or_else(|| stopped("it does not run".to_owned()))?;
    let (identity, signature) = (Arc::clone(&running.identity), running.signature.clone());
    // It is the same version: what was granted when it was installed holds.
    let grants = running.handle.grants.clone();
    let instance = running.handle.enter(|instance| instance.start_anew());
    let instance = instance.map_err(|_| stopped("it is in the middle of a call".to_owned()))?;
    let mut instance = instance.map_err(|error| left(error.to_string(), error.backtrace()))?;
    let description = instance.describe().map_err(|error| ("__mod_describe", SystemError::Call(error)))?;
    if description != signature.description {
        return Err(stopped("it describes itself otherwise than when it was loaded".to_owned()));
    }
    if let Some(saved) = &mut saved {
        if reserve_again(world, saved) {
            Kept::keep(world, vec![saved.clone()]);
        }
        restore_states(id, &mut instance, saved, report)?;
    }
    let bound = bind_mod(world, &description, |name| moment(name).is_some(), &grants);
    let Ok(Bound::Ready((systems, observers))) = bound else {
        return Err(stopped("the game no longer has what it needs".to_owned()));
    };
    let Ok(Bound::Ready(resources)) = initial::build(world, &description, &grants) else {
        return Err(stopped("the game no longer has what its resources need".to_owned()));
    };
    let (running_mods, frame) = (reach::running_mods(world), FrameNumber::of(world));
    let usage = world.resource_mut::<ModRegistry>().usages.counters_of(id);
    let handle = Arc::new(ModHandle::new(grants, instance, description.types, running_mods, frame, usage));
    let systems = Systems::sort(id, systems, observers);
    Ok(Restart { id: Arc::clone(id), saved, identity, signature, handle, systems, resources })
}

/// Gives an instance what it keeps, made to fit.
fn restore_states(
    id: &Arc<str>,
    instance: &mut Instance,
    saved: &SavedMod,
    report: &mut ModRestore,
) -> Result<(), Failure> {
    let fresh = instance.save().map_err(|error| ("__mod_save", SystemError::Call(error)))?;
    let state = |state: &SavedValue| {
        let schema = Schema::parse(&state.schema).ok()?;
        Some(SavedState { name: state.name.clone(), schema, bytes: state.value.0.clone() })
    };
    let states: Vec<SavedState> = saved.states.iter().filter_map(state).collect();
    let carried = carry_over(&states, &fresh);
    carried.losses.into_iter().for_each(|lost| report.lose(id, lost));
    instance.restore(&carried.states).map_err(|error| ("__mod_restore", SystemError::Call(error)))
}

/// Gives a mod's own entities new ids where they were despawned since they were reserved: it has taken over before, and
/// failed after that. Says whether there were such.
fn reserve_again(world: &World, saved: &mut SavedMod) -> bool {
    let mut renamed: EntityHashMap<Entity> = EntityHashMap::default();
    for id in &mut saved.own {
        let Some(entity) = Entity::try_from_bits(*id) else { continue };
        if matches!(world.entities().get_spawned(entity), Err(EntityNotSpawnedError::Invalid(_))) {
            let here = world.entity_allocator().alloc();
            renamed.insert(entity, here);
            *id = here.to_bits();
        }
    }
    if renamed.is_empty() {
        return false;
    }
    let rename = |id: u64| {
        let renamed = Entity::try_from_bits(id).and_then(|entity| renamed.get(&entity));
        renamed.map_or(id, |entity| entity.to_bits())
    };
    let in_value = |schema: &Schema, value: &mut Binary| {
        // It was checked when it was translated.
        let _ = map_entities(schema, &mut value.0, rename);
    };
    for state in &mut saved.states {
        if let Ok(schema) = Schema::parse(&state.schema) {
            in_value(&schema, &mut state.value);
        }
    }
    for ty in &mut saved.types {
        let Ok(schema) = Schema::parse(&ty.schema) else { continue };
        match &mut ty.values {
            SavedValues::Resource(value) => in_value(&schema, value),
            SavedValues::Components(values) | SavedValues::SparseComponents(values) => {
                for (id, value) in values {
                    *id = rename(*id);
                    in_value(&schema, value);
                }
            }
        }
    }
    true
}

/// Spawns the entities that a mod has for itself, if it may spawn any, and marks all that it spawned.
fn put_entities_back(world: &mut World, grants: &Grants, saved: &SavedMod, permits: &Permits, report: &mut ModRestore) {
    let id = grants.mod_id();
    let entity_of = |id: &u64| Entity::try_from_bits(*id);
    let refused = grants.check_spawn().err();
    for entity in saved.own.iter().filter_map(entity_of) {
        // One that is there already was taken over before.
        if world.spawn_empty_at(entity).is_ok() && refused.is_some() {
            // Whoever names it finds one that is gone.
            world.despawn(entity);
        }
    }
    if let Some(refused) = refused.filter(|_| !saved.own.is_empty()) {
        report.lose(id, format!("{} entities of its own are gone: {refused}", saved.own.len()));
    }
    let mut protected = 0_usize;
    for entity in saved.own.iter().chain(&saved.spawned).filter_map(entity_of) {
        if permits.protected_id(world, entity).is_some() {
            protected += 1;
            continue;
        }
        let marked = catch(|| {
            if let Ok(mut entity) = world.get_entity_mut(entity) {
                entity.insert(SpawnedBy::new(id));
            }
        });
        if let Err(message) = insert::settled(world, marked) {
            report.lose(id, format!("the game panicked when an entity of it came back: {message}"));
        }
    }
    if protected > 0 {
        report.lose(id, format!("{protected} entities that it spawned are the game's here"));
    }
}

/// Puts the components and resources of a mod into the World.
fn put_values_back(world: &mut World, id: &Arc<str>, saved: &SavedMod, permits: &Permits, report: &mut ModRestore) {
    let mut room = MAX_VALUE_BYTES;
    for ty in &saved.types {
        let Ok(schema) = Schema::parse(&ty.schema) else { continue };
        let path = ty.path.as_str();
        if ty.late && snapshot::current(world, path).is_none() {
            match snapshot::define(world, id, path, ty.values.kind(), &schema) {
                Ok(before) => settle_types(world, id, &before),
                Err(error) => report.lose(id, error.to_string()),
            }
        }
        let restore = Restore { path, schema: &schema, is_resource: matches!(ty.values, SavedValues::Resource(_)) };
        let values: Vec<(Entity, &[u8])> = match &ty.values {
            SavedValues::Resource(value) => vec![(Entity::PLACEHOLDER, &value.0)],
            SavedValues::Components(values) | SavedValues::SparseComponents(values) => {
                values.iter().filter_map(|(id, value)| Some((Entity::try_from_bits(*id)?, &*value.0))).collect()
            }
        };
        let restored = restore.run(world, permits, values, &mut room);
        restored.losses.into_iter().for_each(|lost| report.lose(id, lost));
        if restored.refused > 0 {
            let count = restored.refused;
            report.lose(id, format!("{count} values of `{path}` have no place any more and are gone"));
        }
    }
}

/// A mod in its slots, before its first systems run.
struct Started {
    id: Arc<str>,
    handle: Arc<ModHandle>,
    is_restored: bool,
    /// Its start-up systems, or those for a version that has taken over.
    slots: Vec<Slot>,
}

/// Puts a mod that has started once more in the place of what it was.
fn take_place(world: &mut World, restart: Restart, report: &mut ModRestore) -> Option<Started> {
    let Restart { id, saved, identity, signature, handle, mut systems, resources } = restart;
    // They were found to fit when the mod was installed.
    let settings = SettingsLayout::find(&signature.description, &identity.settings).ok().flatten();
    let inserted = player::begin(world, &id, settings.as_ref(), &identity.settings);
    if let Err(message) = inserted.and_then(|()| resources.insert(world, &id)) {
        let system = "initial resources".to_owned();
        handle.fail(&system.clone(), SystemError::Panicked { system, message });
    }
    let start = Start::new(world, &id, &handle, &signature);
    let once = if saved.is_some() { Once::OnReload } else { Once::Startup };
    let slots = start.once(&mut systems, once);
    let record = world.resource_mut::<ModRegistry>().into_inner().mods.get_mut(&id)?;
    let (mut earlier, version) = (record.running.take()?, record.version.clone());
    let before = earlier.probation.take().map(|probation| probation.earlier.handle);
    for gone in before.iter().chain([&earlier.handle]) {
        leftovers::free_ids(world, gone);
    }
    let running = start.take_slots(world, identity, systems, None, Some(earlier));
    let record = world.resource_mut::<ModRegistry>().into_inner().mods.get_mut(&id)?;
    record.running = Some(running);
    let other = match &saved {
        None => Some(ModDifference::New { id: Arc::clone(&id), version }),
        Some(saved) => ModDifference::of_versions(&id, &saved.version, &version),
    };
    other.into_iter().for_each(|difference| report.add(difference));
    Some(Started { id, handle, is_restored: saved.is_some(), slots })
}
