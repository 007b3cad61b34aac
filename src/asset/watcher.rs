//! Watches the mod folder: what was added, changed, renamed, replaced or removed, after a moment of quiet.
//!
//! A thread of its own waits for events and looks at the folder, so that no frame does. Events name what may have
//! changed; the folder itself says what did, because events are lost and rename in many ways.

use std::{
    collections::BTreeSet,
    io,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, PoisonError, Weak,
        mpsc::{self, Receiver, RecvTimeoutError, Sender},
    },
    thread,
    time::{Duration, Instant, SystemTime},
};

use notify::{Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher as _};
use tracing::warn;

use crate::asset::{is_mod_path, snapshot::Snapshot};

/// How long nothing may happen before a change is told, so that a file is not read while it is written.
const QUIET: Duration = Duration::from_millis(50);
/// How long a change may wait for quiet.
const PATIENCE: Duration = Duration::from_millis(500);

/// What happened to a mod's file. Paths count from the mod folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum FileChange {
    /// It is there, and new or perhaps different.
    Present {
        path: PathBuf,
        /// When it was written, if the file system knows.
        modified: Option<SystemTime>,
    },
    /// It is no longer there, or came and went unseen.
    Gone { path: PathBuf },
}

/// Watches one folder until it is dropped.
#[derive(Debug)]
pub(crate) struct Watcher {
    changes: Mutex<Receiver<FileChange>>,
    _watches: Arc<Mutex<Watches>>,
}

impl Watcher {
    /// Starts to watch `folder`, which need not exist yet if the folder around it does.
    pub(crate) fn new(folder: &Path) -> notify::Result<Self> {
        let folder = without_links(folder)?;
        let (to_thread, events) = mpsc::channel();
        let (sender, changes) = mpsc::channel();
        let mut watches = Watches { watcher: notify::recommended_watcher(to_thread)?, targets: BTreeSet::new() };
        if let Some(around) = folder.parent() {
            // A folder that is removed takes its own watch along: only the one around it tells when it is back.
            watches.watcher.watch(around, RecursiveMode::NonRecursive)?;
        }
        if folder.is_dir() {
            watches.watcher.watch(&folder, RecursiveMode::Recursive)?;
        }
        let seen = Snapshot::of(&folder)?;
        watches.follow(&folder, seen.targets());
        let watches = Arc::new(Mutex::new(watches));
        let weak = Arc::downgrade(&watches);
        thread::Builder::new()
            .name("mod watcher".to_owned())
            .spawn(move || watch(&folder, seen, &events, &weak, &sender))
            .map_err(notify::Error::io)?;
        Ok(Self { changes: Mutex::new(changes), _watches: watches })
    }

    /// What changed since the last call.
    pub(crate) fn changes(&self) -> Vec<FileChange> {
        self.changes.lock().unwrap_or_else(PoisonError::into_inner).try_iter().collect()
    }
}

/// Events name paths without symbolic links.
fn without_links(folder: &Path) -> io::Result<PathBuf> {
    match (folder.canonicalize(), folder.parent(), folder.file_name()) {
        (Err(error), Some(around), Some(name)) if error.kind() == io::ErrorKind::NotFound => {
            Ok(around.canonicalize()?.join(name))
        }
        (result, ..) => result,
    }
}

/// The places from which events come.
#[derive(Debug)]
struct Watches {
    watcher: RecommendedWatcher,
    /// Folders outside, in which files lie that links in the mod folder lead to.
    targets: BTreeSet<PathBuf>,
}

impl Watches {
    /// Watches the mod folder anew: it may be another one than before.
    fn renew(&mut self, folder: &Path) {
        // The watch may be gone with the folder.
        let _ = self.watcher.unwatch(folder);
        if folder.is_dir()
            && let Err(error) = self.watcher.watch(folder, RecursiveMode::Recursive)
        {
            warn!("the mod folder cannot be watched any more: {error}");
        }
    }

    /// Watches the folders that links lead to, and no others.
    fn follow(&mut self, folder: &Path, targets: BTreeSet<PathBuf>) {
        let is_outside = |target: &PathBuf| !target.starts_with(folder) && Some(&**target) != folder.parent();
        for gone in self.targets.extract_if(.., |target| !targets.contains(target)) {
            // It may be gone itself.
            let _ = self.watcher.unwatch(&gone);
        }
        for target in targets.into_iter().filter(is_outside) {
            // A folder that is not there yet is tried again after the next event.
            if !self.targets.contains(&target) && self.watcher.watch(&target, RecursiveMode::NonRecursive).is_ok() {
                self.targets.insert(target);
            }
        }
    }
}

type Events = Receiver<notify::Result<Event>>;

/// Runs until the watcher that sends the events, or who receives the changes, is gone.
fn watch(
    folder: &Path,
    mut seen: Snapshot,
    events: &Events,
    watches: &Weak<Mutex<Watches>>,
    changes: &Sender<FileChange>,
) {
    while let Ok(first) = events.recv() {
        let mut touched = Touched::default();
        touched.note(folder, first);
        let end = Instant::now() + PATIENCE;
        loop {
            match events.recv_timeout(QUIET) {
                Ok(event) => {
                    touched.note(folder, event);
                    if Instant::now() >= end {
                        break;
                    }
                }
                Err(RecvTimeoutError::Timeout) => break,
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
        if !touched.anything {
            continue;
        }
        let Some(watches) = watches.upgrade() else { return };
        let mut watches = watches.lock().unwrap_or_else(PoisonError::into_inner);
        if touched.folder {
            // Before the look, so that nothing falls between the two.
            watches.renew(folder);
        }
        let now = match Snapshot::of(folder) {
            Ok(now) => now,
            Err(error) => {
                warn!("the mod folder cannot be read: {error}");
                continue;
            }
        };
        watches.follow(folder, now.targets());
        for change in now.changes_since(&seen, touched.mods) {
            if changes.send(change).is_err() {
                return;
            }
        }
        seen = now;
    }
}

/// What a row of events named.
#[derive(Debug, Default)]
struct Touched {
    anything: bool,
    /// Whether the mod folder itself came, went or was renamed.
    folder: bool,
    /// Mods by their paths inside. Their time stamp may be too coarse to show a quick second change.
    mods: BTreeSet<PathBuf>,
}

impl Touched {
    fn note(&mut self, folder: &Path, event: notify::Result<Event>) {
        match event {
            Ok(event) if !matches!(event.kind, EventKind::Access(_)) => {
                self.anything = true;
                self.folder |= event.paths.iter().any(|path| path == folder);
                let inside = event.paths.iter().filter_map(|path| path.strip_prefix(folder).ok());
                self.mods.extend(inside.filter(|path| is_mod_path(path)).map(Path::to_owned));
            }
            Ok(_) => {}
            Err(error) => warn!("watching the mod folder failed: {error}"),
        }
    }
}
