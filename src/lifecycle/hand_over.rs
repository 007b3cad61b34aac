//! From one version of a mod to the next: its state, and the way back if the new version is no good.

use std::sync::Arc;

use bevy_ecs::world::World;
use mod_abi::state::SavedState;
use tracing::{error, info, warn};

use crate::{
    bridge::{definitions, handle::SystemError, observers::bind::bind_mod, query::Bound},
    lifecycle::{
        fault::ModEvent,
        install::settle_types,
        leftovers, player,
        registry::{Earlier, ModRecord, ModRegistry, ModState, Probation, Running},
        schedule::{self, moment},
        settings::ModSettings,
        start::{Start, Systems, run_once},
    },
};

/// What the version of a mod that runs now, or that was switched off, leaves to the next one. `None` if there is no such
/// version: the next one starts from nothing.
pub(crate) fn leave_state(world: &mut World, id: &Arc<str>) -> Option<Vec<SavedState>> {
    let mut runtime = world.resource_mut::<ModRegistry>();
    let record = runtime.mods.get_mut(id)?;
    if !record.is_running() {
        return record.saved.clone();
    }
    trace_room!("hand_over", id = &**id);
    let running = record.running.as_mut()?;
    let (handle, mut on_unload) = (Arc::clone(&running.handle), std::mem::take(&mut running.on_unload));
    if handle.is_faulted() {
        return None;
    }
    run_once(world, &mut on_unload);
    // If the next version cannot take over, this one goes on and may be asked again.
    let mut runtime = world.resource_mut::<ModRegistry>();
    if let Some(running) = runtime.mods.get_mut(id).and_then(|record| record.running.as_mut()) {
        running.on_unload = on_unload;
    }
    let (saved, poisoned) = handle.enter(|instance| (instance.save(), instance.is_poisoned())).ok()?;
    match saved {
        Ok(saved) => Some(saved),
        Err(error) => {
            warn!("{id}: what it keeps is lost, because it could not say what that is: {error}");
            if poisoned {
                handle.fail("__mod_save", SystemError::Call(error));
            }
            Some(Vec::new())
        }
    }
}

/// What a new version falls back on for a while: the version before it, or the one before that if that one was still on
/// probation itself.
pub(crate) fn probation(world: &mut World, record: Option<&mut ModRecord>) -> Option<Probation> {
    world.resource_mut::<ModRegistry>().has_probation = true;
    let frames_left = world.resource::<ModSettings>().probation_frames;
    let record = record.filter(|record| record.is_running() && frames_left > 0)?;
    let running = record.running.as_mut().filter(|running| !running.handle.is_faulted())?;
    let earlier = match running.probation.take() {
        Some(probation) => probation.earlier,
        None => Earlier {
            identity: Arc::clone(&running.identity),
            handle: Arc::clone(&running.handle),
            signature: running.signature.clone(),
        },
    };
    Some(Probation { frames_left, earlier })
}

/// Counts the frames of those on probation, and lets the version before go when a new one has stood its time.
pub(crate) fn count_probation(world: &mut World) {
    let mut gone = Vec::new();
    let mut registry = world.resource_mut::<ModRegistry>();
    let ModRegistry { mods, has_probation, .. } = &mut *registry;
    if !std::mem::take(has_probation) {
        return;
    }
    for record in mods.values_mut() {
        let Some(running) = &mut record.running else { continue };
        let Some(probation) = &mut running.probation else { continue };
        match probation.frames_left.checked_sub(1) {
            Some(frames_left) => (probation.frames_left, *has_probation) = (frames_left, true),
            None => gone.extend(running.probation.take().map(|probation| probation.earlier.handle)),
        }
    }
    gone.iter().for_each(|handle| leftovers::free_ids(world, handle));
}

/// Brings the version back that ran before one that failed on probation.
pub(crate) fn resume(world: &mut World, id: &Arc<str>) {
    let mut runtime = world.resource_mut::<ModRegistry>();
    let Some(record) = runtime.mods.get_mut(id) else { return };
    let Some(mut failed) = record.running.take() else { return };
    let Some(Probation { earlier, .. }) = failed.probation.take() else {
        record.running = Some(failed);
        return;
    };
    let Earlier { identity, handle, signature } = earlier;
    let version = identity.version.clone();
    // What the game has taken back since does not come back with it.
    if handle.grants.permissions() != world.resource::<ModSettings>().permissions_of(id) {
        error!("{id} {version}: it cannot go on, because it has permissions that do not hold any more");
        put_back(world, id, failed);
        return;
    }
    // Its types are what they were, those that came up in its calls too.
    let types = handle.types().clone();
    let types = definitions::register(world, id, &types).map(|types| definitions::swap(world, types));
    let is_schedule = |name: &str| moment(name).is_some();
    let bound = types.ok().map(|types| (bind_mod(world, &signature.description, is_schedule, &handle.grants), types));
    let systems = match bound {
        Some((Ok(Bound::Ready((systems, observers))), types)) => {
            definitions::migrate(world, &types);
            player::resume(world, id, &signature.description, &identity.settings);
            settle_types(world, id, &types);
            Systems::sort(id, systems, observers)
        }
        // It was bound before, to the same World.
        other => {
            if let Some((_, types)) = other {
                definitions::swap(world, types);
            }
            error!("{id} {version}: it cannot go on, because the game no longer has what it needs");
            put_back(world, id, failed);
            return;
        }
    };
    // Another mod may have come meanwhile.
    let conflict = if failed.signature == signature { Ok(()) } else { schedule::check(world, id, &systems.places) };
    if let Err(conflict) = conflict {
        error!("{id} {version}: it cannot go on, because {conflict}");
        put_back(world, id, failed);
        return;
    }
    handle.resume();
    let start = Start::new(world, id, &handle, &signature);
    let running = start.take_slots(world, identity, systems, None, Some(failed));
    let mut runtime = world.resource_mut::<ModRegistry>();
    if let Some(record) = runtime.mods.get_mut(id) {
        record.running = Some(running);
        record.version.clone_from(&version);
        record.state = ModState::Running;
        let file = record.file.clone();
        // What the others are told of is the one that goes on.
        runtime.withdraw_offer(&file);
    }
    info!("{id} {version}: the version before it goes on where it was");
    world.write_message(ModEvent::Resumed { id: Arc::clone(id), version });
}

fn put_back(world: &mut World, id: &Arc<str>, running: Running) {
    if let Some(record) = world.resource_mut::<ModRegistry>().mods.get_mut(id) {
        record.running = Some(running);
    }
}
