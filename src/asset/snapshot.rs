//! The mod folder at one moment, and what is different a moment later.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs, io,
    path::{Path, PathBuf},
    time::SystemTime,
};

use crate::asset::{FileChange, is_mod_path};

/// The mods in a folder at one moment.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Snapshot {
    files: BTreeMap<PathBuf, Version>,
    /// Where those of them that are symbolic links lead to.
    links: BTreeSet<PathBuf>,
}

/// What tells two versions of a file apart.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Version {
    bytes: u64,
    modified: Option<SystemTime>,
}

impl Snapshot {
    /// Looks at a folder. One that does not exist holds nothing.
    pub(crate) fn of(folder: &Path) -> io::Result<Self> {
        let mut snapshot = Self::default();
        let entries = match fs::read_dir(folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(snapshot),
            entries => entries?,
        };
        for entry in entries.flatten() {
            let path = entry.path();
            snapshot.add(folder, &path);
            if path.is_dir() {
                snapshot.add(folder, &path.join("mod.wasm"));
            }
        }
        Ok(snapshot)
    }

    fn add(&mut self, folder: &Path, path: &Path) {
        let inside = path.strip_prefix(folder).unwrap_or(path);
        if !is_mod_path(inside) {
            return;
        }
        if let (Ok(target), Some(around)) = (fs::read_link(path), path.parent()) {
            self.links.insert(around.join(target));
        }
        if let Ok(metadata) = fs::metadata(path)
            && metadata.is_file()
        {
            let version = Version { bytes: metadata.len(), modified: metadata.modified().ok() };
            self.files.insert(inside.to_owned(), version);
        }
    }

    /// The folders of the files that links lead to, whether those are there or not.
    pub(crate) fn targets(&self) -> BTreeSet<PathBuf> {
        let folders = self.links.iter().filter_map(|target| target.parent());
        folders.filter_map(|folder| folder.canonicalize().ok()).collect()
    }

    /// What is different from an earlier look. A path that was touched since is told in any case: it may have been
    /// changed twice in one tick of the clock, or have come and gone between the two looks.
    pub(crate) fn changes_since(&self, earlier: &Self, touched: BTreeSet<PathBuf>) -> Vec<FileChange> {
        let before = earlier.files.keys().cloned().chain(touched.iter().cloned());
        let gone: BTreeSet<_> = before.filter(|path| !self.files.contains_key(path)).collect();
        let is_changed = |(path, version): &(&PathBuf, &Version)| {
            earlier.files.get(*path) != Some(version) || touched.contains(*path)
        };
        let present = self.files.iter().filter(is_changed);
        let present =
            present.map(|(path, version)| FileChange::Present { path: path.clone(), modified: version.modified });
        gone.into_iter().map(|path| FileChange::Gone { path }).chain(present).collect()
    }
}
