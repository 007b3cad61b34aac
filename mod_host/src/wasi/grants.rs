//! What a game grants to which mod, and how it takes it back. What mods do with it is not known here.

use std::{
    fmt, io,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, Weak,
        atomic::{AtomicBool, Ordering},
    },
};

use mod_abi::{Identity, IdentityError};

use super::{folder::Folder, table::Table};

/// What the mods of a game get of the machine. Nothing, until it is granted.
///
/// Clones are the same grants, and every thread may use them. Give a clone to
/// [`InstanceConfig::wasi`](crate::InstanceConfig::wasi) and keep one.
///
/// ```
/// use mod_host::WasiGrants;
/// # let (folder, saves) = (tempfile::tempdir()?, tempfile::tempdir()?);
///
/// let grants = WasiGrants::default();
/// let guard = grants
///     .to("orchard_news")
///     .dir(folder.path(), "/news")
///     .writable_dir(saves.path(), "/saves", 1 << 20)
///     .env("LANG", "en")
///     .wall_clock()
///     .grant()?;
///
/// // Instances of `orchard_news` that are made now have all of this, until:
/// drop(guard);
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
///
/// A grant goes to whichever mod carries the id, and a mod chooses its id itself: grant to a mod what may be done by
/// whoever can put a file into the mod folder.
#[derive(Clone, Default)]
pub struct WasiGrants {
    book: Arc<Mutex<Book>>,
}

#[derive(Default)]
struct Book {
    grants: Vec<Arc<Grant>>,
    /// The tables of the instances that got something.
    tables: Vec<Weak<Mutex<Table>>>,
}

/// Everything that one guard stands for.
#[derive(Debug)]
pub(super) struct Grant {
    mod_id: String,
    folders: Vec<Arc<Folder>>,
    pub(super) variables: Vec<(String, String)>,
    pub(super) wall_clock: bool,
    revoked: AtomicBool,
}

impl Grant {
    pub(super) fn is_revoked(&self) -> bool {
        self.revoked.load(Ordering::Acquire)
    }
}

/// What an instance got when it was made.
pub(super) type Share = (Arc<Mutex<Table>>, Vec<Arc<Grant>>);

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // What is behind it is changed in single steps: a panic leaves nothing half-done.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl WasiGrants {
    /// Begins a grant to the mods with this id.
    #[must_use = "nothing is granted before `grant` is called"]
    pub fn to(&self, mod_id: &str) -> WasiGrant {
        WasiGrant {
            grants: self.clone(),
            mod_id: mod_id.to_owned(),
            folders: Vec::new(),
            variables: Vec::new(),
            wall_clock: false,
        }
    }

    /// What an instance of this mod gets, if anything.
    pub(super) fn share(&self, mod_id: &str) -> Option<Share> {
        let mut book = locked(&self.book);
        let grants: Vec<_> = book.grants.iter().filter(|grant| grant.mod_id == mod_id).map(Arc::clone).collect();
        if grants.is_empty() {
            return None;
        }
        let table = Table::new(grants.iter().flat_map(|grant| grant.folders.iter().map(Arc::clone)));
        let table = Arc::new(Mutex::new(table));
        book.tables.retain(|table| table.strong_count() > 0);
        // Before the book is open again: whoever revokes a grant finds every table that has it.
        book.tables.push(Arc::downgrade(&table));
        Some((table, grants))
    }
}

/// Whether they are the same grants, and not only equal ones.
impl PartialEq for WasiGrants {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.book, &other.book)
    }
}

impl Eq for WasiGrants {}

impl fmt::Debug for WasiGrants {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let book = locked(&self.book);
        f.debug_list().entries(book.grants.iter().map(|grant| &grant.mod_id)).finish()
    }
}

/// A grant that is being put together; see [`WasiGrants::to`].
#[derive(Debug)]
#[must_use = "nothing is granted before `grant` is called"]
pub struct WasiGrant {
    grants: WasiGrants,
    mod_id: String,
    /// Of the host, of the mod, and the most bytes if it may be written.
    folders: Vec<(PathBuf, String, Option<u64>)>,
    variables: Vec<(String, String)>,
    wall_clock: bool,
}

impl WasiGrant {
    /// A folder to read, with everything below it, which the mod sees as `guest`: an absolute path with `/`.
    ///
    /// Links that lead out of it lead nowhere. Only files and folders can be opened, no pipes and devices; other programs
    /// should not put any there while the mod looks. A mod that lists a folder waits until the whole of it is read, so it
    /// should not hold many thousands of files.
    pub fn dir(mut self, host: impl AsRef<Path>, guest: &str) -> Self {
        self.folders.push((host.as_ref().to_owned(), guest.to_owned(), None));
        self
    }

    /// A folder to read and write. It is made where it is missing.
    ///
    /// The folder never holds more than `max_bytes` by what the mod does, what is there already included: the lengths of
    /// all files, and 4 KiB for each file, folder and link. What others add or remove later is not counted. Two things
    /// are otherwise than usual: a file that is open cannot be removed, and links that the mod makes point down.
    ///
    /// Times of files tell the mod what time it is.
    pub fn writable_dir(mut self, host: impl AsRef<Path>, guest: &str, max_bytes: u64) -> Self {
        self.folders.push((host.as_ref().to_owned(), guest.to_owned(), Some(max_bytes)));
        self
    }

    /// A variable of the environment. The mod sees no other ones, in particular not the game's.
    pub fn env(mut self, key: &str, value: &str) -> Self {
        self.variables.push((key.to_owned(), value.to_owned()));
        self
    }

    /// The date and the time of day. Otherwise a mod's clocks count from its start.
    pub fn wall_clock(mut self) -> Self {
        self.wall_clock = true;
        self
    }

    /// Grants all of it to the instances of the mod that are made from now on, until the guard is dropped. One that
    /// runs already gets it when it is loaded again: programs look for their folders once.
    ///
    /// # Errors
    /// When a folder cannot be opened, or a name cannot be used. Then nothing is granted.
    pub fn grant(self) -> Result<WasiGuard, WasiError> {
        let Self { grants: WasiGrants { book }, mod_id, folders, variables, wall_clock } = self;
        Identity::from_file_name(&mod_id).map_err(|source| WasiError::ModId { source })?;
        let mut opened = Vec::new();
        for (host, guest, max_bytes) in folders {
            check_guest_path(&guest)?;
            let folder = Folder::open(&host, guest, max_bytes);
            opened.push(Arc::new(folder.map_err(|source| WasiError::Folder { folder: host, source })?));
        }
        for (key, value) in &variables {
            if key.is_empty() || key.contains(['=', '\0']) || value.contains('\0') {
                return Err(WasiError::Variable { key: key.clone() });
            }
        }
        let revoked = AtomicBool::new(false);
        let grant = Arc::new(Grant { mod_id, folders: opened, variables, wall_clock, revoked });
        {
            let mut book = locked(&book);
            check_free(&book, &grant)?;
            book.grants.push(Arc::clone(&grant));
        }
        Ok(WasiGuard { book, grant })
    }
}

fn check_guest_path(guest: &str) -> Result<(), WasiError> {
    let rest = guest.strip_prefix('/').filter(|rest| !rest.contains(['\0', '\\']));
    let valid =
        rest.is_some_and(|rest| rest.is_empty() || rest.split('/').all(|part| !["", ".", ".."].contains(&part)));
    if valid { Ok(()) } else { Err(WasiError::GuestPath { path: guest.to_owned() }) }
}

/// Refuses names that the mod has already, by this grant or an earlier one.
fn check_free(book: &Book, grant: &Grant) -> Result<(), WasiError> {
    let others = || book.grants.iter().filter(|other| other.mod_id == grant.mod_id).map(|other| &**other);
    let taken = |name: &str| WasiError::Taken { mod_id: grant.mod_id.clone(), name: name.to_owned() };
    let folders = others().chain([grant]).flat_map(|grant| &grant.folders);
    for folder in &grant.folders {
        if folders.clone().filter(|other| other.guest == folder.guest).count() > 1 {
            return Err(taken(&folder.guest));
        }
    }
    let keys = others().chain([grant]).flat_map(|grant| &grant.variables);
    for (key, _) in &grant.variables {
        if keys.clone().filter(|(other, _)| other == key).count() > 1 {
            return Err(taken(key));
        }
    }
    Ok(())
}

/// Keeps a grant. When it is dropped, the grant ends.
///
/// When the drop returns, no instance reaches anything of it any more: files that are open are closed, what is tried
/// with them fails with "permission denied", and the clock goes back to the mod's own. Other folders of a running
/// mod stay as they are. What a mod has read before, it knows.
///
/// It waits for the call that an instance is in the middle of, if that is about files, and for no longer.
#[must_use = "the grant ends when its guard is dropped"]
pub struct WasiGuard {
    book: Arc<Mutex<Book>>,
    grant: Arc<Grant>,
}

impl Drop for WasiGuard {
    fn drop(&mut self) {
        let Self { book, grant } = self;
        grant.revoked.store(true, Ordering::Release);
        let tables: Vec<_> = {
            let mut book = locked(book);
            book.grants.retain(|other| !Arc::ptr_eq(other, grant));
            book.tables.iter().filter_map(Weak::upgrade).collect()
        };
        grant.folders.iter().for_each(|folder| folder.revoke());
        for table in tables {
            let mut table = locked(&table);
            grant.folders.iter().for_each(|folder| table.revoke(folder));
        }
    }
}

impl fmt::Debug for WasiGuard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WasiGuard").field("grant", &self.grant).finish_non_exhaustive()
    }
}

/// Why something cannot be granted.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WasiError {
    /// No mod can have such an id.
    #[error("no mod has this id: {source}")]
    ModId {
        /// What is wrong with it.
        source: IdentityError,
    },
    /// The folder cannot be opened or made.
    #[error("the folder {} cannot be granted: {source}", folder.display())]
    Folder {
        /// The folder of the host.
        folder: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// What the mod would call the folder is no path for it.
    #[error("`{path}` is no path for a mod: it should be absolute, with `/` and without `.` and `..`")]
    GuestPath {
        /// The path.
        path: String,
    },
    /// No variable can be called so, or hold this.
    #[error("`{key}` cannot be a variable: its name should have no `=`, and neither it nor its value a zero byte")]
    Variable {
        /// The name.
        key: String,
    },
    /// The mod has a folder or a variable of this name already.
    #[error("`{mod_id}` has `{name}` already: drop the guard of the earlier grant first")]
    Taken {
        /// The mod.
        mod_id: String,
        /// The path or the variable.
        name: String,
    },
}
