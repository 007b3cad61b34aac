//! The files of the mod folder: found when the game starts, and followed while it runs.

use std::path::{Path, PathBuf};

use bevy_asset::{AssetPath, AssetServer};
use bevy_ecs::world::World;
use bevy_tasks::{IoTaskPool, block_on, futures_lite::future};
use tracing::error;
#[cfg(feature = "hot_reload")]
use {
    crate::{
        asset::{FileChange, Watcher},
        lifecycle::{fault::ModEvent, install::remove},
    },
    bevy_ecs::resource::Resource,
    tracing::info,
};

use crate::{
    asset::list_mods,
    lifecycle::{
        runtime::{FileRecord, ModRuntime},
        settings::ModSettings,
    },
};

/// Starts to list the mod folder, once, and loads what it holds when the list is there.
pub(crate) fn find(world: &World, runtime: &mut ModRuntime) {
    let server = world.resource::<AssetServer>();
    let Some(listing) = &mut runtime.listing else {
        if runtime.known_components == 0 {
            let folder = PathBuf::from(&world.resource::<ModSettings>().folder);
            runtime.listing = Some(IoTaskPool::get().spawn(list_mods(server.clone(), folder)));
            runtime.known_components = world.components().len();
        }
        return;
    };
    let Some(list) = block_on(future::poll_once(listing)) else { return };
    runtime.listing = None;
    match list {
        Ok(paths) => paths.iter().for_each(|path| load(server, runtime, path)),
        Err(error) => error!("the mod folder cannot be read: {error}"),
    }
}

/// Loads a file that was not known, or loads it again.
fn load(server: &AssetServer, runtime: &mut ModRuntime, path: &Path) {
    let path = asset_path(path);
    if runtime.files.contains_key(&path) {
        server.reload(&path);
        return;
    }
    let asset = server.load(AssetPath::from(path.clone()));
    let record = FileRecord { asset, bytes: None, preparing: None, waiting: None, mod_id: None };
    runtime.files.insert(path, record);
}

/// An asset path has slashes on every platform.
fn asset_path(path: &Path) -> String {
    let parts: Vec<_> = path.components().map(|part| part.as_os_str().to_string_lossy()).collect();
    parts.join("/")
}

/// The watcher of the mod folder.
#[cfg(feature = "hot_reload")]
#[derive(Debug, Resource)]
pub(crate) struct FolderWatcher(pub(crate) Watcher);

/// Follows what the watcher saw.
#[cfg(feature = "hot_reload")]
pub(crate) fn take_changes(world: &mut World, runtime: &mut ModRuntime) {
    let Some(changes) = world.get_resource::<FolderWatcher>().map(|watcher| watcher.0.changes()) else { return };
    let folder = PathBuf::from(&world.resource::<ModSettings>().folder);
    for change in changes {
        match change {
            FileChange::Present(path) => load(world.resource::<AssetServer>(), runtime, &folder.join(path)),
            FileChange::Gone(path) => forget(world, runtime, &asset_path(&folder.join(path))),
        }
    }
}

/// A file is gone, and its mod with it.
#[cfg(feature = "hot_reload")]
fn forget(world: &mut World, runtime: &mut ModRuntime, path: &str) {
    let Some(file) = runtime.files.remove(path) else { return };
    let Some(id) = file.mod_id else { return };
    if let Some(record) = runtime.mods.remove(&id) {
        if let Some(running) = &record.running {
            remove(world, &id, running);
        }
        info!("{id} {}: unloaded, its file is gone", record.version);
        world.write_message(ModEvent::Unloaded { id });
    }
}
