//! Watches the mod folder: what was added, changed, renamed, replaced or removed, after a moment of quiet.
//!
//! A thread of its own waits for events and looks at the folder, so that no frame does. Events name what may have
//! changed; the folder itself says what did, because events are lost and rename in many ways.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs, io,
    path::{Path, PathBuf},
    sync::{
        Mutex, PoisonError,
        mpsc::{self, Receiver, RecvTimeoutError, Sender},
    },
    thread,
    time::{Duration, Instant, SystemTime},
};

use notify::{Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher as _};
use tracing::warn;

use crate::asset::is_mod_path;

/// How long nothing may happen before a change is told, so that a file is not read while it is written.
const QUIET: Duration = Duration::from_millis(50);
/// How long a change may wait for quiet.
const PATIENCE: Duration = Duration::from_millis(500);

/// What happened to a mod's file. Paths count from the mod folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum FileChange {
    /// It is there, and new or perhaps different.
    Present(PathBuf),
    /// It is no longer there.
    Gone(PathBuf),
}

/// Watches one folder until it is dropped.
#[derive(Debug)]
pub(crate) struct Watcher {
    changes: Mutex<Receiver<FileChange>>,
    _events: RecommendedWatcher,
}

impl Watcher {
    /// Starts to watch `folder`.
    pub(crate) fn new(folder: &Path) -> notify::Result<Self> {
        // Events name paths without symbolic links.
        let folder = folder.canonicalize()?;
        let (to_thread, events) = mpsc::channel();
        let (sender, changes) = mpsc::channel();
        let mut watcher = notify::recommended_watcher(to_thread)?;
        watcher.watch(&folder, RecursiveMode::Recursive)?;
        let seen = Snapshot::of(&folder)?;
        thread::Builder::new()
            .name("mod watcher".to_owned())
            .spawn(move || watch(&folder, seen, &events, &sender))
            .map_err(notify::Error::io)?;
        Ok(Self { changes: Mutex::new(changes), _events: watcher })
    }

    /// What changed since the last call.
    pub(crate) fn changes(&self) -> Vec<FileChange> {
        self.changes.lock().unwrap_or_else(PoisonError::into_inner).try_iter().collect()
    }
}

type Events = Receiver<notify::Result<Event>>;

/// Runs until the watcher that sends the events, or who receives the changes, is gone.
fn watch(folder: &Path, mut seen: Snapshot, events: &Events, changes: &Sender<FileChange>) {
    while let Ok(first) = events.recv() {
        let mut touched = BTreeSet::new();
        note(folder, first, &mut touched);
        let end = Instant::now() + PATIENCE;
        loop {
            match events.recv_timeout(QUIET) {
                Ok(event) if Instant::now() < end => note(folder, event, &mut touched),
                Ok(event) => {
                    note(folder, event, &mut touched);
                    break;
                }
                Err(RecvTimeoutError::Timeout) => break,
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
        let now = match Snapshot::of(folder) {
            Ok(now) => now,
            Err(error) => {
                warn!("the mod folder cannot be read: {error}");
                continue;
            }
        };
        for change in now.changes_since(&seen, &touched) {
            if changes.send(change).is_err() {
                return;
            }
        }
        seen = now;
    }
}

/// Remembers the mods that an event names. Their time stamp may be too coarse to show a quick second change.
fn note(folder: &Path, event: notify::Result<Event>, touched: &mut BTreeSet<PathBuf>) {
    match event {
        Ok(event) if !matches!(event.kind, EventKind::Access(_)) => {
            let inside = event.paths.iter().filter_map(|path| path.strip_prefix(folder).ok());
            touched.extend(inside.filter(|path| is_mod_path(path)).map(Path::to_owned));
        }
        Ok(_) => {}
        Err(error) => warn!("watching the mod folder failed: {error}"),
    }
}

/// The mods in a folder at one moment, with what tells two versions of a file apart.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
struct Snapshot(BTreeMap<PathBuf, (u64, Option<SystemTime>)>);

impl Snapshot {
    fn of(folder: &Path) -> io::Result<Self> {
        let mut files = BTreeMap::new();
        let mut add = |path: &Path| {
            let inside = path.strip_prefix(folder).unwrap_or(path);
            if is_mod_path(inside)
                && let Ok(metadata) = fs::metadata(path)
                && metadata.is_file()
            {
                files.insert(inside.to_owned(), (metadata.len(), metadata.modified().ok()));
            }
        };
        for entry in fs::read_dir(folder)?.flatten() {
            let path = entry.path();
            add(&path);
            if path.is_dir() {
                add(&path.join("mod.wasm"));
            }
        }
        Ok(Self(files))
    }

    fn changes_since(&self, earlier: &Self, touched: &BTreeSet<PathBuf>) -> Vec<FileChange> {
        let gone = earlier.0.keys().filter(|path| !self.0.contains_key(*path)).cloned().map(FileChange::Gone);
        let present = self
            .0
            .iter()
            .filter(|(path, version)| earlier.0.get(*path) != Some(version) || touched.contains(*path))
            .map(|(path, _)| FileChange::Present(path.clone()));
        gone.chain(present).collect()
    }
}
