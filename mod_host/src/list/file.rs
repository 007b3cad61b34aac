//! The list as a file. Whatever happens while it is written, there is the old one or the new one.

use std::{
    fs,
    io::{self, Read},
    path::{Path, PathBuf},
};

use super::{MAX_BYTES, ModList, ModListError};
use crate::replace::{behind_links, replace};

/// The most files that are kept for having been unreadable.
const MAX_ASIDE: usize = 100;

impl ModList {
    /// Reads a file. One that is not there is an empty list.
    ///
    /// # Errors
    /// When it is there and cannot be read: no file, not permitted, too large, not UTF-8, not TOML, not a list. Nobody
    /// should save to this path before [`ModList::set_aside`], or what the player wrote would be lost.
    pub fn read(path: &Path) -> Result<Self, ModListError> {
        let failed = |source| ModListError::Read { path: path.to_owned(), source };
        match fs::metadata(path) {
            Ok(found) if found.is_file() => {}
            // A pipe would keep the game waiting for its other end.
            Ok(_) => return Err(failed(io::Error::new(io::ErrorKind::InvalidInput, "it is not a file"))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Self::default()),
            Err(error) => return Err(failed(error)),
        }
        let mut bytes = Vec::new();
        let limit = u64::try_from(MAX_BYTES).unwrap_or(u64::MAX).saturating_add(1);
        fs::File::open(path).and_then(|file| file.take(limit).read_to_end(&mut bytes)).map_err(failed)?;
        if bytes.len() > MAX_BYTES {
            return Err(ModListError::TooLarge);
        }
        String::from_utf8(bytes).map_err(|_| ModListError::NotText)?.parse()
    }

    /// Saves the list to a file: beside it, flushed to the disk, and then in its place at once. Its folder is made if it is
    /// missing. A link stays, and the file that it points to is replaced; other links to that file keep the old one.
    /// Permissions stay.
    ///
    /// # Errors
    /// When the file or its folder cannot be written, the file is for reading only, or the list is larger than
    /// [`ModList::read`] would take. What was there is still there.
    pub fn save(&self, path: &Path) -> Result<(), ModListError> {
        let text = &self.text;
        if text.len() > MAX_BYTES {
            return Err(ModListError::TooLarge);
        }
        let saved = replace(path, text.as_bytes());
        saved.map_err(|source| ModListError::Save { path: path.to_owned(), source })
    }

    /// Puts a file that cannot be read beside, with `.bad` at the end of its name, so that another can be saved in its place.
    /// One that is called so already stays: then it is `.bad2`, and so on. Returns the new path, or None if there is no file.
    ///
    /// # Errors
    /// When it is not a file or cannot be renamed.
    pub fn set_aside(path: &Path) -> Result<Option<PathBuf>, ModListError> {
        behind_links(path)
            .and_then(|file| set_aside(&file))
            .map_err(|source| ModListError::SetAside { path: path.to_owned(), source })
    }
}

fn set_aside(path: &Path) -> io::Result<Option<PathBuf>> {
    match fs::metadata(path) {
        Ok(found) if found.is_file() => {}
        Ok(_) => return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is not a file")),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    }
    for number in 1..=MAX_ASIDE {
        let mut name = path.as_os_str().to_owned();
        name.push(".bad");
        if number > 1 {
            name.push(number.to_string());
        }
        let aside = PathBuf::from(name);
        if fs::symlink_metadata(&aside).is_err_and(|error| error.kind() == io::ErrorKind::NotFound) {
            fs::rename(path, &aside)?;
            return Ok(Some(aside));
        }
    }
    Err(io::Error::new(io::ErrorKind::AlreadyExists, "too many of its kind were kept already"))
}
