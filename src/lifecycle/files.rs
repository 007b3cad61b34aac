//! The files of the mod folder: found when the game starts, and followed while it runs.

use std::{
    path::{Path, PathBuf},
    time::SystemTime,
};

use bevy_asset::{AssetPath, AssetServer};
use bevy_ecs::world::World;
use bevy_tasks::{IoTaskPool, TaskPool, block_on, futures_lite::future};
use tracing::error;
#[cfg(feature = "hot_reload")]
use {
    crate::{
        asset::{FileChange, Watcher},
        lifecycle::{install::unload, registry::has_failed},
    },
    bevy_ecs::resource::Resource,
};

use crate::{
    asset::list_mods,
    lifecycle::{
        registry::{FileRecord, Listing, ModRegistry, Stage},
        settings::ModSettings,
    },
};

/// Starts to list the mod folder, once, and loads what it holds when the list is there.
pub(crate) fn find(world: &mut World) {
    if !world.resource::<ModRegistry>().is_starting() {
        return;
    }
    let server = world.resource::<AssetServer>().clone();
    let folder = PathBuf::from(&world.resource::<ModSettings>().folder);
    let mut runtime = world.resource_mut::<ModRegistry>();
    let task = match &mut runtime.listing {
        Listing::Done => return,
        Listing::NotYet => {
            let pool = IoTaskPool::get_or_init(TaskPool::default);
            runtime.listing = Listing::Going(pool.spawn(list_mods(server, folder)));
            return;
        }
        Listing::Going(task) => task,
    };
    let Some(list) = block_on(future::poll_once(task)) else { return };
    match list {
        Ok(paths) => paths.into_iter().for_each(|path| load(&server, &mut runtime, path)),
        Err(error) => error!("the mod folder cannot be read: {}", one_line(&error)),
    }
    runtime.listing = Listing::Done;
}

/// Loads a file that was not known, or loads it again.
fn load(server: &AssetServer, runtime: &mut ModRegistry, path: PathBuf) {
    let name = shown(&path);
    trace_room!("noticed", file = name);
    if let Some(file) = runtime.files.get_mut(&name) {
        (file.asked, file.reading) = (SystemTime::now(), true);
        server.reload(&file.path);
        return;
    }
    // Not through a string, in which a `#` would begin a label.
    let path = AssetPath::from_path_buf(path);
    // A mere load does not look again at a file that was forgotten a moment ago, or that the game itself holds.
    let state = server.get_path_id(&path).map(|id| server.load_state(id));
    // The game chose the folder, wherever that is.
    let asset = server.load_builder().override_unapproved().load(&path);
    if state.is_some_and(|state| state.is_loaded() || state.is_loading()) {
        server.reload(&path);
    }
    runtime.show_loading(&name, &stem_of(&name));
    let record = FileRecord {
        path,
        asset,
        asked: SystemTime::now(),
        reading: true,
        restart: false,
        bytes: None,
        identity: None,
        is_withdrawn: false,
        refusal: None,
        stage: Stage::Unread,
        newer: false,
        first: runtime.is_starting(),
        starts_anew: false,
    };
    runtime.files.insert(name, record);
}

/// An asset path as it is shown: with slashes on every platform, and on one line.
fn shown(path: &Path) -> String {
    let parts: Vec<_> = path.components().map(|part| part.as_os_str().to_string_lossy()).collect();
    one_line(&parts.join("/"))
}

/// A text without what could disturb a log.
pub(crate) fn one_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for char in text.chars() {
        // Line separators and marks that turn the direction of text are no control characters by name.
        if char.is_control() || matches!(char, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}') {
            line.extend(char.escape_unicode());
        } else {
            line.push(char);
        }
    }
    line
}

/// The name of a mod that states none: of its file, or of the folder that holds `mod.wasm`.
pub(crate) fn stem_of(file: &str) -> String {
    let path = Path::new(file);
    let named = if path.file_name().is_some_and(|name| name == "mod.wasm") { path.parent() } else { Some(path) };
    named.and_then(Path::file_stem).unwrap_or_default().to_string_lossy().into_owned()
}

/// The name of the folder that a mod has for itself inside of the mod folder, if its file is the `mod.wasm` of one.
pub(crate) fn folder_of<'f>(file: &'f str, mods: &str) -> Option<&'f str> {
    let inside = Path::new(file).strip_prefix(mods).ok()?;
    let folder = inside.parent().filter(|_| inside.file_name().is_some_and(|name| name == "mod.wasm"))?;
    folder.to_str().filter(|folder| !folder.is_empty())
}

/// Whether the mod folder is watched.
pub(crate) fn is_watching(world: &World) -> bool {
    #[cfg(feature = "hot_reload")]
    let watching = world.contains_resource::<FolderWatcher>();
    #[cfg(not(feature = "hot_reload"))]
    let watching = {
        let _ = world;
        false
    };
    watching
}

/// The watcher of the mod folder.
#[cfg(feature = "hot_reload")]
#[derive(Debug, Resource)]
pub(crate) struct FolderWatcher(pub(crate) Watcher);

/// Follows what the watcher saw.
#[cfg(feature = "hot_reload")]
pub(crate) fn take_changes(world: &mut World) {
    let Some(changes) = world.get_resource::<FolderWatcher>().map(|watcher| watcher.0.changes()) else { return };
    let folder = PathBuf::from(&world.resource::<ModSettings>().folder);
    for change in changes {
        match change {
            FileChange::Present { path, modified } => {
                let path = folder.join(path);
                let server = world.resource::<AssetServer>().clone();
                let mut runtime = world.resource_mut::<ModRegistry>();
                note_touch(&mut runtime, &shown(&path), modified);
                load(&server, &mut runtime, path);
            }
            FileChange::Gone { path } => forget(world, &shown(&folder.join(path))),
        }
    }
}

/// A file that was written after a look at it failed may be meant to be tried again, whatever it holds.
#[cfg(feature = "hot_reload")]
fn note_touch(runtime: &mut ModRegistry, file: &str, modified: Option<SystemTime>) {
    let failed = has_failed(&runtime.mods, file);
    if let Some(record) = runtime.files.get_mut(file) {
        record.restart |= failed && modified.is_some_and(|modified| modified > record.asked);
    }
}

/// A file is gone, and its mod with it.
#[cfg(feature = "hot_reload")]
fn forget(world: &mut World, file: &str) {
    let mut runtime = world.resource_mut::<ModRegistry>();
    if runtime.files.remove(file).is_none() {
        return;
    }
    runtime.load_order.look_again();
    unload(world, file, |_, _| true, "its file is gone");
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{folder_of, shown, stem_of};

    #[test]
    fn a_mod_has_a_folder_or_is_a_file() {
        let check = |file: &str, mods: &str, expected| assert_eq!(folder_of(file, mods), expected, "{file}");
        check("mods/wind/mod.wasm", "mods", Some("wind"));
        check("mods/wind/mod.wasm", "mods/", Some("wind"));
        check("data/mods/wind.v2/mod.wasm", "data/mods", Some("wind.v2"));
        check("wind/mod.wasm", "", Some("wind"));
        check("mods/wind.wasm", "mods", None);
        check("mods/mod.wasm", "mods", None);
        check("mod.wasm", "", None);
    }

    #[test]
    fn names_are_one_line() {
        let check = |path: &str, name: &str, stem: &str| {
            assert_eq!(shown(Path::new(path)), name);
            assert_eq!(stem_of(name), stem);
        };
        check("mods/wind.wasm", "mods/wind.wasm", "wind");
        check("mods/wind/mod.wasm", "mods/wind/mod.wasm", "wind");
        check("mods/a#b.wasm", "mods/a#b.wasm", "a#b");
        check("mods/a\n\u{1b}[2J.wasm", "mods/a\\u{a}\\u{1b}[2J.wasm", "a\\u{a}\\u{1b}[2J");
        check("mods/a\u{202e}b.wasm", "mods/a\\u{202e}b.wasm", "a\\u{202e}b");
    }
}
