//! What the background has finished, and what becomes of it: installed, put off, or told as a fault.

use std::{sync::Arc, time::Instant};

use bevy_ecs::world::World;
use bevy_tasks::{block_on, futures_lite::future};
use mod_host::CompiledMod;
use tracing::{error, warn};

use crate::{
    bridge::{definitions, frame::FrameNumber},
    lifecycle::{
        fault::{FaultCause, ModEvent, ModFault},
        hand_over::resume,
        install::{Installed, install, unload},
        leftovers, load_order,
        prepare::Prepared,
        registry::{ModRecord, ModRegistry, ModState, Stage},
        restart::{self, Outcome, is_own_fault},
    },
};

/// Installs what the background has finished. Files that were there when the game started are installed in the order in
/// which mods are loaded, whichever is ready first, so that the same folder gives the same game.
pub(crate) fn take_prepared(world: &mut World) {
    let mut runtime = world.resource_mut::<ModRegistry>();
    let runtime = &mut *runtime;
    let mut failed = Vec::new();
    for (name, file) in runtime.files.iter_mut() {
        // Where frames have to be the same in every run, a restart is waited for. Nothing is compiled for it.
        let waits = runtime.starts_together && file.starts_anew;
        if let Stage::Preparing(task) = &mut file.stage
            && let Some(result) = if waits { Some(block_on(task)) } else { block_on(future::poll_once(task)) }
        {
            match result {
                Ok(prepared) => file.stage = Stage::Prepared(Box::new(prepared)),
                Err(fault) => {
                    // Nobody wants to know of bytes that are out of date.
                    if !file.newer {
                        let may_restart = file.starts_anew && is_own_fault(&fault.cause);
                        let module = runtime.restarts.module(&fault.mod_id).filter(|_| may_restart);
                        failed.push((name.clone(), fault, module));
                    }
                    file.settle(Stage::Settled);
                }
            }
        }
    }
    for (name, fault, module) in failed {
        fail_at_start(world, &name, fault, module);
        let mut registry = world.resource_mut::<ModRegistry>();
        registry.fall_back(&name);
        registry.load_order.decide_what_was_put_off();
    }
    let mut registry = world.resource_mut::<ModRegistry>();
    let are_more = registry.are_first_getting_ready();
    registry.waves.begin_frame(Instant::now(), are_more);
    install_prepared(world);
}

/// Takes the next mod that may be installed now.
fn next_prepared(runtime: &mut ModRegistry) -> Option<(String, Prepared)> {
    let name = load_order::next_to_install(runtime)?;
    let file = runtime.files.get_mut(&name)?;
    if std::mem::take(&mut file.first) {
        runtime.waves.come();
    }
    match std::mem::replace(&mut file.stage, Stage::Settled) {
        Stage::Prepared(prepared) | Stage::Held(prepared) => Some((name, *prepared)),
        _ => None,
    }
}

/// Tries waiting mods again when the World has met new components, or mods have defined new types.
pub(crate) fn retry_waiting(world: &mut World) {
    // Both only grow.
    let known = world.components().len() + definitions::changes(world);
    let mut runtime = world.resource_mut::<ModRegistry>();
    if known == runtime.known_types {
        return;
    }
    runtime.known_types = known;
    for file in runtime.files.values_mut() {
        file.stage = match std::mem::replace(&mut file.stage, Stage::Settled) {
            Stage::Waiting(prepared) => Stage::Prepared(prepared),
            other => other,
        };
    }
    install_prepared(world);
}

/// Installs what may be installed now, in the order in which the mods are loaded. Those of the start come in [waves].
///
/// [waves]: crate::lifecycle::waves
fn install_prepared(world: &mut World) {
    while let Some((name, prepared)) = next_prepared(&mut world.resource_mut::<ModRegistry>()) {
        try_install(world, &name, prepared);
    }
    world.resource_mut::<ModRegistry>().waves.end_frame(Instant::now());
    load_order::hold(world);
}

fn try_install(world: &mut World, name: &str, prepared: Prepared) {
    let id: Arc<str> = prepared.identity.id.as_str().into();
    let version = prepared.identity.version.clone();
    let module = prepared.instance.compiled().clone();
    let is_restart = prepared.is_restart;
    let outcome = install(world, name, prepared);
    let stage = match outcome {
        Ok(Installed::Done) => {
            // What is restarted need not be of the newest bytes.
            if !is_restart {
                world.resource_mut::<ModRegistry>().offer_installed(name);
            }
            Stage::Settled
        }
        Ok(Installed::Disabled) => Stage::Settled,
        Ok(Installed::Waiting(prepared, types)) => {
            wait(world, name, &id, version, types);
            Stage::Waiting(prepared)
        }
        Err(fault) => {
            // Its own systems ran, and may do better the next time.
            let module = matches!(fault.cause, FaultCause::System(_)).then_some(module);
            fail_at_start(world, name, fault, module);
            world.resource_mut::<ModRegistry>().fall_back(name);
            Stage::Settled
        }
    };
    let mut registry = world.resource_mut::<ModRegistry>();
    registry.load_order.decide_what_was_put_off();
    if let Some(file) = registry.files.get_mut(name) {
        file.settle(stage);
    }
}

/// Notes that a mod waits, and says so once.
fn wait(world: &mut World, file: &str, id: &Arc<str>, version: String, types: Vec<String>) {
    let list = types.join(", ");
    let is_old = |other: &Arc<str>, record: &ModRecord| other != id && !record.is_running();
    unload(world, file, is_old, "its file holds another mod now");
    let mut runtime = world.resource_mut::<ModRegistry>();
    match runtime.mods.get_mut(id) {
        // An earlier version goes on until this one can take its place.
        Some(record) if record.is_running() => warn!("{id}: the new version waits until the game uses {list}"),
        Some(ModRecord { state: ModState::Pending { types: known }, .. }) if *known == types => {}
        _ => {
            warn!("{id} waits: this game has not used {list} as a component yet");
            let new = ModRecord::new(file.to_owned(), version, ModState::Pending { types });
            // What an earlier version left is taken over when this one is installed.
            let earlier = runtime.mods.remove(id);
            let (running, saved) = earlier.map_or((None, None), |record| (record.running, record.saved));
            runtime.mods.insert(Arc::clone(id), ModRecord { running, saved, ..new });
        }
    }
}

/// Tells of a mod that could not be loaded. A version of it that runs goes on.
pub(crate) fn fail(world: &mut World, file: &str, fault: Box<ModFault>) {
    fail_at_start(world, file, fault, None);
}

/// Tells of a mod that failed as it started. A version of it that runs goes on; else, it may be restarted from its module.
fn fail_at_start(world: &mut World, file: &str, fault: Box<ModFault>, module: Option<CompiledMod>) {
    let (fault, goes_on) = note_failure(world, file, fault);
    if goes_on {
        error!("{fault}; the version that runs goes on");
        return;
    }
    let id: Arc<str> = fault.mod_id.as_str().into();
    match module {
        Some(module) => {
            let outcome = restart::decide(world, &id, &fault, &module);
            error!("{fault}; {outcome}");
        }
        None => {
            restart::give_up(world, &id, &fault);
            error!("{fault}");
        }
    }
}

/// [`fail`] without a line in the log. Returns the fault, and whether an earlier version goes on.
pub(crate) fn note_failure(world: &mut World, file: &str, mut fault: Box<ModFault>) -> (Arc<ModFault>, bool) {
    trace_room!("fault", id = fault.mod_id, file);
    let frame = FrameNumber::of(world).get();
    fault.frame.get_or_insert(frame);
    let runtime = world.resource_mut::<ModRegistry>();
    let known = runtime.mod_of(file);
    // A file that cannot say which mod it holds is taken for a version of the mod that it held.
    if fault.version.is_none()
        && let Some(known) = &known
    {
        fault.mod_id = known.to_string();
    }
    let fault: Arc<ModFault> = fault.into();
    let id: Arc<str> = fault.mod_id.as_str().into();
    // Systems have counted theirs.
    if !matches!(fault.cause, FaultCause::System(_)) {
        world.resource_mut::<ModRegistry>().usages.counters_of(&id).add_fault();
    }
    stop_stale(world, file, &id, &fault);
    let runtime = world.resource_mut::<ModRegistry>();
    let file_runs = known.and_then(|known| runtime.mods.get(&known)).is_some_and(ModRecord::is_running);
    if !file_runs {
        let is_old = |other: &Arc<str>, _: &ModRecord| *other != id;
        unload(world, file, is_old, "its file holds another mod now");
        let mut runtime = world.resource_mut::<ModRegistry>();
        let state = ModState::Failed(Arc::clone(&fault));
        let version = fault.version.clone().unwrap_or_default();
        match runtime.mods.get_mut(&id) {
            // The name belongs to a mod in another file.
            Some(record) if record.file != file => {}
            // It stays switched off, whatever its file holds.
            Some(ModRecord { state: ModState::Disabled, .. }) => {}
            Some(record) => record.state = state,
            None => {
                runtime.mods.insert(Arc::clone(&id), ModRecord::new(file.to_owned(), version, state));
            }
        }
    }
    world.write_message(ModEvent::Failed { id, fault: Arc::clone(&fault) });
    (fault, file_runs)
}

/// Stops a version that cannot go on, because types that it uses are not what it was bound to any more and the newest
/// version of it does not fit them either.
fn stop_stale(world: &mut World, file: &str, id: &Arc<str>, fault: &Arc<ModFault>) {
    let mut runtime = world.resource_mut::<ModRegistry>();
    let record = runtime.mods.get_mut(id).filter(|record| record.is_running() && record.file == file);
    let Some(record) = record else { return };
    if record.running.as_ref().is_some_and(|running| running.handle.is_stale()) {
        record.state = ModState::Failed(Arc::clone(fault));
        if let Some(running) = record.running.take() {
            running.retire(world, id);
        }
    }
}

/// Stops the mods that failed while they ran: empties their slots, tells why once, gives their memory back. A version
/// that was still on probation gives its place back to the one before.
pub(crate) fn tell_faults(world: &mut World) {
    if !FrameNumber::of(world).has_untold() {
        return;
    }
    let mut events = Vec::new();
    let mut failed = Vec::new();
    for (id, record) in &mut world.resource_mut::<ModRegistry>().mods {
        let Some(running) = &record.running else { continue };
        let Some(fault) = running.handle.take_fault() else { continue };
        trace_room!("fault", id = &**id, file = record.file, function = fault.function);
        running.empty_slots();
        running.handle.drop_instance();
        let fault = Arc::new(ModFault {
            mod_id: id.to_string(),
            version: Some(record.version.clone()),
            file: record.file.clone(),
            function: Some(fault.function),
            frame: Some(fault.frame),
            cause: FaultCause::System(fault.error),
        });
        let handle = Arc::clone(&running.handle);
        failed.push((Arc::clone(id), handle, Arc::clone(&fault), running.probation.is_some()));
        record.state = ModState::Failed(Arc::clone(&fault));
        events.push(ModEvent::Failed { id: Arc::clone(id), fault });
    }
    world.write_message_batch(events);
    failed.iter().for_each(|(_, handle, ..)| leftovers::free_ids(world, handle));
    for (id, handle, fault, is_on_probation) in failed {
        if is_on_probation {
            error!("{fault}; it is stopped");
            resume(world, &id);
        }
        // A version that could be gone back to has no fault any more.
        let outcome = restart::decide(world, &id, &fault, handle.compiled());
        match outcome {
            Outcome::Stopped if is_on_probation => {}
            _ if is_on_probation => warn!("{id}: {outcome}"),
            _ => error!("{fault}; {outcome}"),
        }
    }
}
