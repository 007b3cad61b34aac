//! Files that are written whole: beside their places, and then put there, so that a game that runs reads the old one or the new
//! one.

use std::{
    fs, io,
    io::Write,
    path::{Path, PathBuf},
};

use tempfile::Builder;
use thiserror::Error;

/// A file or folder that could not be read or written.
#[derive(Debug, Error)]
#[error("{} could not be {what}: {source}", path.display())]
pub(crate) struct FileError {
    path: PathBuf,
    what: &'static str,
    source: io::Error,
}

/// Says which file it was about, and what should have been done to it.
pub(crate) fn at(path: &Path, what: &'static str) -> impl FnOnce(io::Error) -> FileError {
    let path = path.to_owned();
    move |source| FileError { path, what, source }
}

/// Writes a file, and its folder if that is missing. One that holds the same already is left alone. Says whether it was written.
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> Result<bool, FileError> {
    if fs::metadata(path).is_ok_and(|found| found.len() == bytes.len() as u64)
        && fs::read(path).is_ok_and(|found| found == bytes)
    {
        return Ok(false);
    }
    write(path, bytes).map_err(at(path, "written"))?;
    Ok(true)
}

fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    let mut builder = Builder::new();
    // Games watch their folders for files that end as mods and assets do.
    builder.prefix(".new.").suffix(".tmp");
    #[cfg(unix)]
    let builder = {
        use std::os::unix::fs::PermissionsExt;
        // As any other new file: temporary ones are otherwise for their user alone.
        builder.permissions(fs::Permissions::from_mode(0o666))
    };
    let mut file = builder.tempfile_in(folder)?;
    file.write_all(bytes)?;
    file.persist(path).map_err(|error| error.error)?;
    Ok(())
}

/// Removes a file, if it is there. Says whether it was.
pub(crate) fn remove(path: &Path) -> Result<bool, FileError> {
    match fs::remove_file(path) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(at(path, "removed")(error)),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::{remove, replace};

    #[test]
    fn files_are_replaced_and_nothing_is_left_beside_them() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("deep/a.wasm");
        assert!(replace(&path, b"one").expect("it is written"));
        assert!(!replace(&path, b"one").expect("it is the same"));
        assert!(replace(&path, b"two").expect("it is written"));
        assert_eq!(fs::read(&path).expect("it is there"), b"two");
        assert_eq!(fs::read_dir(path.parent().expect("a folder")).expect("it is read").count(), 1);
        assert!(remove(&path).expect("it is removed") && !remove(&path).expect("it is gone"));
        let error = replace(&folder.path().join("deep"), b"x").expect_err("it is a folder").to_string();
        assert!(error.contains("deep could not be written"), "{error}");
    }
}
