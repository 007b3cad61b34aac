//! Files and folders, with errors that name them.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// A file or folder that could not be read or written.
#[derive(Debug, thiserror::Error)]
#[error("{}: {source}", path.display())]
pub(crate) struct FileError {
    /// Which.
    path: PathBuf,
    /// Why.
    source: io::Error,
}

/// Adds the path to what the file system says.
pub(crate) trait At<T> {
    /// Says which file it was about.
    fn at(self, path: &Path) -> Result<T, FileError>;
}

impl<T> At<T> for io::Result<T> {
    fn at(self, path: &Path) -> Result<T, FileError> {
        self.map_err(|source| FileError { path: path.to_owned(), source })
    }
}

/// The names in a folder, sorted, without those that begin with a dot. A folder that does not exist is empty.
pub(crate) fn names_in(folder: &Path) -> Result<Vec<String>, FileError> {
    if !folder.exists() {
        return Ok(Vec::new());
    }
    let mut names = Vec::new();
    for entry in fs::read_dir(folder).at(folder)? {
        let name = entry.at(folder)?.file_name().to_string_lossy().into_owned();
        if !name.starts_with('.') {
            names.push(name);
        }
    }
    names.sort();
    Ok(names)
}

/// Writes a file whole or not at all, and not at all if it is there already.
pub(crate) fn write(path: &Path, bytes: &[u8]) -> Result<(), FileError> {
    if fs::read(path).is_ok_and(|there| there == bytes) {
        return Ok(());
    }
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).at(folder)?;
    }
    let temporary = path.with_extension(format!("{}.tmp", std::process::id()));
    fs::write(&temporary, bytes).at(&temporary)?;
    fs::rename(&temporary, path).at(path)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use tempfile::tempdir;

    use super::write;

    #[test]
    fn writing_makes_folders_and_leaves_nothing_else() {
        let root = tempdir().expect("a temporary folder");
        let file = root.path().join("deep/a.wasm");
        for bytes in [b"one", b"two", b"two"] {
            write(&file, bytes).expect("it can be written");
            assert_eq!(fs::read(&file).expect("it is there"), bytes);
        }
        assert_eq!(fs::read_dir(root.path().join("deep")).expect("it is there").count(), 1);
    }
}
