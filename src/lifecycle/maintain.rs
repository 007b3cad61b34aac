//! The frame boundary: what happened to files, what the background has finished, what failed.
//!
//! Runs in a schedule of its own before `First`, so that no schedule that holds slots is running when they change.

use std::{path::Path, sync::Arc};

use bevy_asset::{AssetEvent, AssetId, AssetLoadFailedEvent, Assets};
use bevy_ecs::{
    message::{MessageCursor, Messages},
    schedule::ScheduleLabel,
    system::Local,
    world::{Mut, World},
};
use bevy_tasks::{AsyncComputeTaskPool, block_on, futures_lite::future};
use mod_host::Entropy;
use tracing::{error, warn};

use crate::{
    asset::ModFile,
    bridge::host::HostFunctions,
    lifecycle::{
        fault::{FaultCause, ModEvent, ModFault},
        files,
        install::{Installed, install, remove},
        prepare::{Prepared, Workshop, prepare},
        runtime::{ModRecord, ModRuntime, ModState},
        settings::ModSettings,
    },
};

/// The schedule in which mods are installed, replaced and stopped. It runs before `First`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, ScheduleLabel)]
pub struct MaintainMods;

/// What was read of the asset events so far.
#[derive(Debug, Default)]
pub(crate) struct Cursors {
    events: MessageCursor<AssetEvent<ModFile>>,
    failures: MessageCursor<AssetLoadFailedEvent<ModFile>>,
}

/// One pass over everything that may have happened since the last frame.
pub(crate) fn maintain(world: &mut World, mut cursors: Local<Cursors>) {
    world.resource_scope(|world, mut runtime: Mut<ModRuntime>| {
        let runtime = &mut *runtime;
        tell_faults(world, runtime);
        files::find(world, runtime);
        #[cfg(feature = "hot_reload")]
        files::take_changes(world, runtime);
        take_bytes(world, runtime, &mut cursors);
        take_prepared(world, runtime);
        retry_waiting(world, runtime);
        // A start-up system may have failed just now.
        tell_faults(world, runtime);
    });
}

/// Starts to prepare files whose bytes are new.
fn take_bytes(world: &mut World, runtime: &mut ModRuntime, cursors: &mut Cursors) {
    let failures = world.resource::<Messages<AssetLoadFailedEvent<ModFile>>>();
    let failures: Vec<_> =
        cursors.failures.read(failures).map(|event| (event.path.to_string(), event.error.to_string())).collect();
    for (path, error) in failures {
        if runtime.files.contains_key(&path) {
            let fault = file_fault(&path, FaultCause::Read(error));
            fail(world, runtime, &path, fault);
        }
    }
    let events = world.resource::<Messages<AssetEvent<ModFile>>>();
    let changed: Vec<_> = cursors.events.read(events).filter_map(changed_asset).collect();
    if changed.is_empty() {
        return;
    }
    let workshop = workshop(world, runtime);
    let assets = world.resource::<Assets<ModFile>>();
    for id in changed {
        let Some((path, file)) = runtime.files.iter_mut().find(|(_, file)| file.asset.id() == id) else { continue };
        let Some(ModFile { bytes }) = assets.get(id) else { continue };
        if file.bytes.as_ref().is_some_and(|known| known == bytes) {
            continue;
        }
        file.bytes = Some(Arc::clone(bytes));
        file.waiting = None;
        let (workshop, bytes, path) = (workshop.clone(), Arc::clone(bytes), path.clone());
        let work = async move { prepare(&workshop, &bytes, &path, &stem_of(&path)) };
        // What was being prepared before is dropped: it is already out of date.
        file.preparing = Some(AsyncComputeTaskPool::get().spawn(work));
    }
}

fn changed_asset(event: &AssetEvent<ModFile>) -> Option<AssetId<ModFile>> {
    match event {
        AssetEvent::Added { id } | AssetEvent::Modified { id } => Some(*id),
        _ => None,
    }
}

fn workshop(world: &mut World, runtime: &ModRuntime) -> Workshop {
    let host_functions = world.get_resource_or_init::<HostFunctions>().names();
    let settings = world.resource::<ModSettings>();
    Workshop {
        engine: runtime.engine.clone(),
        limits: settings.limits.clone(),
        entropy: settings.seed.map_or(Entropy::Host, Entropy::Seeded),
        host_functions,
    }
}

/// The name of a mod that states none: of its file, or of the folder that holds `mod.wasm`.
fn stem_of(path: &str) -> String {
    let path = Path::new(path);
    let named = if path.file_name().is_some_and(|name| name == "mod.wasm") { path.parent() } else { Some(path) };
    named.and_then(Path::file_stem).unwrap_or_default().to_string_lossy().into_owned()
}

/// Installs what the background has finished.
fn take_prepared(world: &mut World, runtime: &mut ModRuntime) {
    let mut finished = Vec::new();
    for (path, file) in &mut runtime.files {
        if let Some(task) = &mut file.preparing
            && let Some(result) = block_on(future::poll_once(task))
        {
            file.preparing = None;
            finished.push((path.clone(), result));
        }
    }
    for (path, result) in finished {
        match result {
            Ok(prepared) => try_install(world, runtime, &path, prepared),
            Err(fault) => fail(world, runtime, &path, fault),
        }
    }
}

/// Tries waiting mods again when the World has met new components.
fn retry_waiting(world: &mut World, runtime: &mut ModRuntime) {
    let components = world.components().len();
    if components == runtime.known_components {
        return;
    }
    runtime.known_components = components;
    let waiting: Vec<_> = runtime
        .files
        .iter_mut()
        .filter_map(|(path, file)| file.waiting.take().map(|prepared| (path.clone(), prepared)))
        .collect();
    for (path, prepared) in waiting {
        try_install(world, runtime, &path, prepared);
    }
}

fn try_install(world: &mut World, runtime: &mut ModRuntime, path: &str, prepared: Prepared) {
    let id: Arc<str> = prepared.identity.id.as_str().into();
    let version = prepared.identity.version.clone();
    // The file may hold another mod than before.
    let before = runtime.files.get(path).and_then(|file| file.mod_id.clone()).filter(|before| *before != id);
    match install(world, runtime, path, prepared) {
        Err(fault) => fail(world, runtime, path, fault),
        Ok(outcome) => {
            if let Some(before) = before
                && let Some(record) = runtime.mods.remove(&before)
            {
                if let Some(running) = &record.running {
                    remove(world, &before, running);
                }
                world.write_message(ModEvent::Unloaded { id: before });
            }
            let Some(file) = runtime.files.get_mut(path) else { return };
            file.mod_id = Some(Arc::clone(&id));
            if let Installed::Waiting(prepared, types) = outcome {
                file.waiting = Some(*prepared);
                wait(runtime, path, &id, version, types);
            }
        }
    }
}

/// Notes that a mod waits, and says so once.
fn wait(runtime: &mut ModRuntime, path: &str, id: &Arc<str>, version: String, types: Vec<&'static str>) {
    let list = types.join(", ");
    let new =
        ModRecord { file: path.to_owned(), version, state: ModState::Pending { types: Vec::new() }, running: None };
    let record = runtime.mods.entry(Arc::clone(id)).or_insert(new);
    match &record.state {
        // An earlier version goes on until this one can take its place.
        ModState::Running => warn!("{id}: the new version waits until the game uses {list}"),
        ModState::Pending { types: known } if *known == types => {}
        _ => {
            warn!("{id} waits: this game has not used {list} as a component yet");
            record.state = ModState::Pending { types };
        }
    }
}

/// Tells of a mod that could not be loaded. A version of it that runs goes on.
fn fail(world: &mut World, runtime: &mut ModRuntime, path: &str, fault: Box<ModFault>) {
    error!("{fault}");
    let fault: Arc<ModFault> = fault.into();
    let id: Arc<str> = fault.mod_id.as_str().into();
    let state = ModState::Failed(Arc::clone(&fault));
    match runtime.mods.get_mut(&id) {
        Some(record) if record.file != path || matches!(record.state, ModState::Running) => {}
        Some(record) => record.state = state,
        None => {
            let version = fault.version.clone().unwrap_or_default();
            runtime.mods.insert(Arc::clone(&id), ModRecord { file: path.to_owned(), version, state, running: None });
            if let Some(file) = runtime.files.get_mut(path) {
                file.mod_id = Some(Arc::clone(&id));
            }
        }
    }
    world.write_message(ModEvent::Failed { id, fault });
}

/// Stops the mods that failed while they ran: empties their slots, tells why once, drops the instance.
fn tell_faults(world: &mut World, runtime: &mut ModRuntime) {
    for (id, record) in &mut runtime.mods {
        let Some(running) = &record.running else { continue };
        let Some(fault) = running.handle.take_fault() else { continue };
        running.empty_slots();
        let fault = Arc::new(ModFault {
            mod_id: id.to_string(),
            version: Some(record.version.clone()),
            file: record.file.clone(),
            function: Some(fault.function),
            cause: FaultCause::System(fault.error),
        });
        error!("{fault}; it is stopped");
        record.state = ModState::Failed(Arc::clone(&fault));
        world.write_message(ModEvent::Failed { id: Arc::clone(id), fault });
    }
}

fn file_fault(path: &str, cause: FaultCause) -> Box<ModFault> {
    let (mod_id, file) = (stem_of(path), path.to_owned());
    Box::new(ModFault { mod_id, version: None, file, function: None, cause })
}
