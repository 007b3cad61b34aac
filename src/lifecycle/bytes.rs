//! From bytes that came to work in the background: what is new of them, which mod they are, and when its turn is.

use std::sync::Arc;

use bevy_asset::{AssetEvent, AssetId, AssetLoadError, AssetLoadFailedEvent, Assets, io::AssetReaderError};
use bevy_ecs::{
    message::{MessageCursor, Messages},
    world::World,
};
use bevy_tasks::{AsyncComputeTaskPool, TaskPool, block_on, futures_lite::future};
use mod_abi::Identity;
use mod_host::{Limits, Manifest};

use crate::{
    asset::ModFile,
    bridge::{handle::catch, host::HostFunctions},
    lifecycle::{
        fault::{FaultCause, ModFault},
        files::{folder_of, is_watching, one_line, stem_of},
        prepare::{Workshop, prepare},
        registry::{FileRecord, ModRecord, ModRegistry, Stage, has_failed},
        settings::ModSettings,
        settle::fail,
    },
};

/// What was read of the asset events so far.
#[derive(Debug, Default)]
pub(crate) struct Cursors {
    events: MessageCursor<AssetEvent<ModFile>>,
    failures: MessageCursor<AssetLoadFailedEvent<ModFile>>,
}

/// Queues files whose bytes are new.
pub(crate) fn take_bytes(world: &mut World, cursors: &mut Cursors) {
    take_failures(world, cursors);
    let Some(events) = world.get_resource::<Messages<AssetEvent<ModFile>>>() else { return };
    let Some(assets) = world.get_resource::<Assets<ModFile>>() else { return };
    let changed = cursors.events.read(events).filter_map(changed_asset);
    let changed: Vec<_> = changed.filter_map(|id| Some((id, Arc::clone(&assets.get(id)?.bytes)))).collect();
    let mut runtime = world.resource_mut::<ModRegistry>();
    let runtime = &mut *runtime;
    for (id, bytes) in changed {
        let file = runtime.files.iter_mut().find(|(_, file)| file.asset.id() == id);
        let Some((name, file)) = file else { continue };
        file.reading = false;
        let restart = std::mem::take(&mut file.restart);
        if file.bytes.as_ref().is_some_and(|known| *known == bytes) && !(restart && has_failed(&runtime.mods, name)) {
            continue;
        }
        file.bytes = Some(bytes);
        match file.stage {
            // What is being looked at may still take over: a file that changes all the time would never be done.
            Stage::Identifying(_) | Stage::Preparing(_) => file.newer = true,
            _ => file.stage = Stage::Queued,
        }
    }
}

/// Tells of files that could not be read.
fn take_failures(world: &mut World, cursors: &mut Cursors) {
    let Some(failures) = world.get_resource::<Messages<AssetLoadFailedEvent<ModFile>>>() else { return };
    let failures: Vec<_> = cursors.failures.read(failures).cloned().collect();
    // A link to nothing is listed, and no file that could ever go.
    for missing in failures.iter().filter(|event| is_missing(&event.error)) {
        let files = &mut world.resource_mut::<ModRegistry>().files;
        if let Some(file) = files.values_mut().find(|file| file.asset.id() == missing.id) {
            (file.reading, file.first) = (false, false);
            if matches!(file.stage, Stage::Unread) {
                file.stage = Stage::Settled;
            }
        }
    }
    let failures = failures.iter();
    // That a file is gone is for the watcher to tell.
    let is_told = |event: &&AssetLoadFailedEvent<ModFile>| !(is_watching(world) && is_missing(&event.error));
    let failures: Vec<_> = failures.filter(is_told).map(|event| (event.id, event.error.to_string())).collect();
    for (id, error) in failures {
        let mut runtime = world.resource_mut::<ModRegistry>();
        let runtime = &mut *runtime;
        let Some((name, file)) = runtime.files.iter_mut().find(|(_, file)| file.asset.id() == id) else { continue };
        file.reading = false;
        let restart = std::mem::take(&mut file.restart);
        // Bevy puts a backtrace on the lines below, where the environment asks for one.
        let error = one_line(error.lines().next().unwrap_or_default());
        if !restart && runtime.mods.values().any(|record| record.file == *name && failed_to_read(record, &error)) {
            continue;
        }
        // The next bytes count as new, whatever they are.
        (file.bytes, file.newer) = (None, false);
        let name = name.clone();
        file.settle(Stage::Settled);
        runtime.withdraw_offer(&name);
        fail(world, &name, file_fault(&name, FaultCause::Read(error)));
    }
}

fn is_missing(error: &AssetLoadError) -> bool {
    matches!(error, AssetLoadError::AssetReaderError(AssetReaderError::NotFound(_)))
}

/// Whether this was already told of a mod. Asset servers may read a file more often than they were asked.
fn failed_to_read(record: &ModRecord, error: &str) -> bool {
    record.state.fault().is_some_and(|fault| matches!(&fault.cause, FaultCause::Read(known) if known == error))
}

fn changed_asset(event: &AssetEvent<ModFile>) -> Option<AssetId<ModFile>> {
    match event {
        AssetEvent::Added { id } | AssetEvent::Modified { id } => Some(*id),
        _ => None,
    }
}

/// Asks queued files which mods they hold. That takes no longer than reading them, so all are asked at once.
pub(crate) fn identify(world: &mut World) {
    let runtime = world.resource_mut::<ModRegistry>();
    if !runtime.files.values().any(|file| matches!(file.stage, Stage::Queued)) {
        return;
    }
    let settings = world.resource::<ModSettings>();
    // Whose they are is what is asked.
    let limits = Limits { file_bytes: settings.most_file_bytes(), ..settings.limits.clone() };
    let mods = settings.folder.clone();
    let mut runtime = world.resource_mut::<ModRegistry>();
    let pool = AsyncComputeTaskPool::get_or_init(TaskPool::default);
    for (name, file) in runtime.files.iter_mut().filter(|(_, file)| matches!(file.stage, Stage::Queued)) {
        let Some(bytes) = file.bytes.clone() else { continue };
        let (limits, mods, name) = (limits.clone(), mods.clone(), name.clone());
        let work = async move {
            let identity = catch(|| {
                trace_room!("identify", file = name);
                Manifest::read_identity(&bytes, &stem_of(&name), &limits)
            });
            let identity = identity.map_err(|panic| FaultCause::Panicked(one_line(&panic)));
            let identity = identity.and_then(|identity| identity.map_err(FaultCause::Load));
            identity.map_err(|cause| file_fault(&name, cause)).and_then(|identity| check_folder(&name, &mods, identity))
        };
        file.stage = Stage::Identifying(pool.spawn(work));
    }
}

/// Notes which mods the files hold, as far as it is known now.
pub(crate) fn take_identified(world: &mut World) {
    let mut runtime = world.resource_mut::<ModRegistry>();
    let (mut identified, mut failed) = (Vec::new(), Vec::new());
    for (name, file) in runtime.files.iter_mut() {
        if let Stage::Identifying(task) = &mut file.stage
            && let Some(result) = block_on(future::poll_once(task))
        {
            match result {
                // It would be known of bytes that are out of date.
                Ok(_) if file.newer => drop(file.settle(Stage::Settled)),
                Ok(identity) => {
                    let identity = Arc::new(identity);
                    file.identity = Some(Arc::clone(&identity));
                    file.is_withdrawn = false;
                    file.stage = Stage::Identified;
                    identified.push((name.clone(), identity));
                }
                Err(fault) => {
                    // Nobody wants to know of bytes that are out of date.
                    if !file.newer {
                        failed.push((name.clone(), fault));
                    }
                    file.settle(Stage::Settled);
                }
            }
        }
    }
    for (name, identity) in identified {
        runtime.show_loading(&name, &identity.id);
        runtime.load_order.look_again();
    }
    for (name, fault) in failed {
        world.resource_mut::<ModRegistry>().withdraw_offer(&name);
        fail(world, &name, fault);
    }
}

/// Has chosen files prepared in the order of their paths, only so many at once.
pub(crate) fn start_tasks(world: &mut World) {
    let is_chosen = |file: &FileRecord| matches!(file.stage, Stage::Chosen);
    if !world.resource::<ModRegistry>().files.values().any(is_chosen) {
        return;
    }
    let Some(workshop) = workshop(world) else { return };
    let settings = world.resource::<ModSettings>().clone();
    let mut runtime = world.resource_mut::<ModRegistry>();
    let places = runtime.places.get(settings.compile_tasks);
    for (name, file) in runtime.files.iter_mut().filter(|(_, file)| is_chosen(file)) {
        let Some(bytes) = file.bytes.clone() else { continue };
        // A chosen file offers a mod.
        let id = file.identity.as_ref().map_or("", |identity| identity.id.as_str());
        let workshop = Workshop { limits: settings.limits_of(id).clone(), ..workshop.clone() };
        let (name, places) = (name.clone(), Arc::clone(&places));
        let work = async move {
            let _place = places.acquire().await;
            let prepared = catch(|| prepare(&workshop, &bytes, &name, &stem_of(&name)));
            prepared.unwrap_or_else(|panic| Err(file_fault(&name, FaultCause::Panicked(one_line(&panic)))))
        };
        file.stage = Stage::Preparing(AsyncComputeTaskPool::get_or_init(TaskPool::default).spawn(work));
        file.starts_anew = false;
    }
}

/// What mods are prepared with.
pub(crate) fn workshop(world: &mut World) -> Option<Workshop> {
    let host_functions = world.get_resource_or_init::<HostFunctions>().offered();
    let settings = world.resource::<ModSettings>();
    Some(Workshop {
        limits: settings.limits.clone(),
        engine: world.resource::<ModRegistry>().engine.clone()?,
        entropy: settings.entropy(),
        host_functions,
        #[cfg(feature = "wasi")]
        wasi: settings.wasi.clone(),
    })
}

/// A mod in a folder has to be in its own: whatever lies in `mods/<id>/` is the assets of the mod with that id.
fn check_folder(file: &str, mods: &str, identity: Identity) -> Result<Identity, Box<ModFault>> {
    match folder_of(file, mods) {
        Some(folder) if folder != identity.id => Err(Box::new(ModFault {
            mod_id: identity.id.clone(),
            version: Some(identity.version),
            file: file.to_owned(),
            function: None,
            frame: None,
            cause: FaultCause::Folder { folder: folder.to_owned(), id: identity.id },
        })),
        _ => Ok(identity),
    }
}

/// A fault of a file that did not say which mod it holds.
pub(crate) fn file_fault(file: &str, cause: FaultCause) -> Box<ModFault> {
    Box::new(ModFault {
        mod_id: stem_of(file),
        version: None,
        file: file.to_owned(),
        function: None,
        frame: None,
        cause,
    })
}
