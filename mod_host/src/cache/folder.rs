//! Where the cache is, and whether what lies there can be trusted. What lies there is not known here.

use std::{
    fs::{self, DirBuilder},
    path::{Path, PathBuf},
};

use super::CompileCache;

/// What the cache is called in the folder that the host chose. Nothing beside it is touched.
const NAME: &str = "mod_host-compiled";

/// The folder of the cache, made if it is missing, or the reason why it cannot be used. `None` if the host wants none.
pub(super) fn open(choice: &CompileCache) -> Result<Option<PathBuf>, String> {
    let parent = match choice {
        CompileCache::Off => return Ok(None),
        CompileCache::User => of_user().ok_or("this user has no folder for caches")?,
        CompileCache::In(folder) => folder.clone(),
    };
    if !parent.is_absolute() {
        return Err(format!("{} is not an absolute path", parent.display()));
    }
    let folder = parent.join(NAME);
    make(&folder).map_err(|error| format!("{} cannot be made: {error}", folder.display()))?;
    check(&folder).map_err(|reason| format!("{} {reason}", folder.display()))?;
    Ok(Some(folder))
}

/// Makes a folder, which is for its owner only.
fn make(folder: &Path) -> std::io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

/// Whether nobody but this user writes there. A link could lead to where others do.
fn check(folder: &Path) -> Result<(), String> {
    let found = fs::symlink_metadata(folder).map_err(|error| format!("cannot be looked at: {error}"))?;
    if !found.is_dir() {
        return Err("is not a folder".to_owned());
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;

        if found.uid() != rustix::process::geteuid().as_raw() {
            return Err("belongs to another user".to_owned());
        }
        if found.mode() & 0o022 != 0 {
            return Err("can be written to by other users".to_owned());
        }
    }
    Ok(())
}

/// The user's folder for caches, as it is usual on each system.
fn of_user() -> Option<PathBuf> {
    let variable = |name| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    if cfg!(windows) {
        variable("LOCALAPPDATA")
    } else if cfg!(target_vendor = "apple") {
        std::env::home_dir().map(|home| home.join("Library/Caches"))
    } else {
        variable("XDG_CACHE_HOME").or_else(|| std::env::home_dir().map(|home| home.join(".cache")))
    }
}
