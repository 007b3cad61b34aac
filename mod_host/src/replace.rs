//! Files that are replaced as a whole: whatever happens while one is written, there is the old one or the new one.

use std::{
    fs::{self, Permissions},
    io::{self, Write},
    path::{Path, PathBuf},
};

use tempfile::Builder;

/// The most links that are followed to a file, as on Linux.
const MAX_LINKS: usize = 40;

/// The path behind all links, also where there is no file yet.
pub(crate) fn behind_links(path: &Path) -> io::Result<PathBuf> {
    let mut path = path.to_owned();
    for _ in 0..MAX_LINKS {
        match fs::symlink_metadata(&path) {
            Ok(found) if found.file_type().is_symlink() => {
                let target = fs::read_link(&path)?;
                // An absolute target replaces all of it.
                path = folder_of(&path).join(target);
            }
            Ok(_) => return Ok(path),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(path),
            Err(error) => return Err(error),
        }
    }
    Err(io::Error::other("its links go in a circle"))
}

fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

/// Writes a file: beside it, flushed to the disk, and then in its place at once. Its folder is made if it is missing. A link
/// stays, and the file that it points to is replaced; other links to that file keep the old one. Permissions stay.
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let path = &*behind_links(path)?;
    let permissions = match fs::metadata(path) {
        Ok(found) if !found.is_file() => return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is not a file")),
        // Renaming would not ask.
        Ok(found) if found.permissions().readonly() => {
            return Err(io::Error::new(io::ErrorKind::PermissionDenied, "it is for reading only"));
        }
        Ok(found) => Some(found.permissions()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(error),
    };
    let folder = folder_of(path);
    fs::create_dir_all(folder)?;
    let mut builder = Builder::new();
    builder.prefix(".new.").suffix(".tmp");
    if let Some(permissions) = of_new_files() {
        builder.permissions(permissions);
    }
    let mut file = builder.tempfile_in(folder)?;
    file.write_all(bytes)?;
    if let Some(permissions) = permissions {
        file.as_file().set_permissions(permissions)?;
    }
    file.as_file().sync_all()?;
    file.persist(path).map_err(|error| error.error)?;
    flush_folder(folder);
    Ok(())
}

/// What a file of this program may be read by. Temporary ones are otherwise for its user alone.
#[cfg(unix)]
#[allow(clippy::unnecessary_wraps, reason = "elsewhere there is nothing to say")]
fn of_new_files() -> Option<Permissions> {
    use std::os::unix::fs::PermissionsExt;
    Some(Permissions::from_mode(0o666))
}

#[cfg(not(unix))]
fn of_new_files() -> Option<Permissions> {
    None
}

/// Makes the new name last, where folders can be flushed. Without it, a power cut may leave the old file, which is whole, too.
fn flush_folder(folder: &Path) {
    if cfg!(unix) {
        let _ = fs::File::open(folder).and_then(|folder| folder.sync_all());
    }
}
