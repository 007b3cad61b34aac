//! A granted folder: whether it is still granted, and how much its mod may keep in it. Paths are not known here.

use std::{
    collections::HashMap,
    fmt, fs, io,
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use wasmtime_wasi::{
    filesystem::Descriptor,
    p2::bindings::filesystem::types::{DescriptorStat, DescriptorType},
};

use super::{
    errno::{Answer, BUSY, DQUOT, PERM},
    system,
};

/// What a file, a folder or a link costs besides its content, in bytes: a block, on most disks.
pub(super) const ENTRY: u64 = 4 << 10;

/// One folder of one grant.
pub(super) struct Folder {
    /// What the mod calls it.
    pub(super) guest: String,
    /// Gone when the grant is revoked.
    open: Mutex<Option<Descriptor>>,
    /// `None` for a folder that may only be read.
    quota: Option<Mutex<Quota>>,
    /// Held by whoever changes something and counts it.
    changing: Mutex<()>,
}

struct Quota {
    /// The most bytes that the folder may hold.
    max: u64,
    /// How many it holds.
    used: u64,
    /// How often each file is open. One that is open keeps its bytes even without a name.
    open: HashMap<u64, usize>,
}

/// A file of a folder with a quota that is open.
#[derive(Debug)]
pub(super) struct OpenMark {
    folder: Arc<Folder>,
    identity: u64,
}

impl Drop for OpenMark {
    fn drop(&mut self) {
        let Some(mut quota) = self.folder.quota() else { return };
        if let Some(count) = quota.open.get_mut(&self.identity) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                quota.open.remove(&self.identity);
            }
        }
    }
}

impl fmt::Debug for Folder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Folder").field("guest", &self.guest).finish_non_exhaustive()
    }
}

impl Folder {
    /// Opens a folder of the host. One that may be written, up to `max_bytes`, is made where it is missing.
    pub(super) fn open(host: &Path, guest: String, max_bytes: Option<u64>) -> io::Result<Self> {
        let quota = match max_bytes {
            None => None,
            Some(max) => {
                fs::create_dir_all(host)?;
                Some(Mutex::new(Quota { max, used: content(host), open: HashMap::new() }))
            }
        };
        let open = system::open_folder(host, quota.is_some()).map_err(io_error)?;
        Ok(Self { guest, open: Mutex::new(Some(open)), quota, changing: Mutex::new(()) })
    }

    /// The open folder, unless it is revoked.
    pub(super) fn descriptor(&self) -> Option<Descriptor> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn revoke(&self) {
        self.open.lock().unwrap_or_else(PoisonError::into_inner).take();
    }

    /// Keeps other instances of the mod from changing the folder: one may start while another one runs, and what is
    /// looked at and then changed would be counted twice.
    pub(super) fn alone(&self) -> MutexGuard<'_, ()> {
        self.changing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn quota(&self) -> Option<MutexGuard<'_, Quota>> {
        Some(self.quota.as_ref()?.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Reserves bytes of the quota.
    pub(super) fn charge(&self, bytes: u64) -> Answer<()> {
        let mut quota = self.quota().ok_or(PERM)?;
        let used = quota.used.checked_add(bytes).filter(|used| *used <= quota.max).ok_or(DQUOT)?;
        quota.used = used;
        Ok(())
    }

    /// Gives bytes of the quota back.
    pub(super) fn credit(&self, bytes: u64) {
        if let Some(mut quota) = self.quota() {
            quota.used = quota.used.saturating_sub(bytes);
        }
    }

    /// Reserves bytes for something that may fail, and then gives them back.
    pub(super) fn charged<T>(&self, bytes: u64, body: impl FnOnce() -> Answer<T>) -> Answer<T> {
        self.charge(bytes)?;
        body().inspect_err(|_| self.credit(bytes))
    }

    /// Notes that a file is open, if the folder counts.
    pub(super) fn mark(self: &Arc<Self>, identity: u64) -> Option<OpenMark> {
        let mut quota = self.quota()?;
        let count = quota.open.entry(identity).or_default();
        *count = count.saturating_add(1);
        Some(OpenMark { folder: Arc::clone(self), identity })
    }

    /// Whether files are counted here.
    pub(super) fn is_writable(&self) -> bool {
        self.quota.is_some()
    }

    /// Refuses to take the last name from a file that is open: its bytes would stay, and nobody would count them.
    pub(super) fn check_closed(&self, identity: u64) -> Answer<()> {
        let is_open = self.quota().is_some_and(|quota| quota.open.contains_key(&identity));
        if is_open { Err(BUSY) } else { Ok(()) }
    }
}

/// What is given back when a name goes: the content only with the last name.
pub(super) fn cost(stat: &DescriptorStat) -> u64 {
    let is_last = matches!(stat.type_, DescriptorType::RegularFile) && stat.link_count <= 1;
    ENTRY.saturating_add(if is_last { stat.size } else { 0 })
}

/// The bytes in a folder of the host, as a mod would be charged for them. Where something cannot be read the folder counts as
/// full: a mod may have made it so, for example by paths that are too long for the system.
fn content(host: &Path) -> u64 {
    count_content(host).unwrap_or(u64::MAX)
}

fn count_content(host: &Path) -> io::Result<u64> {
    let mut total = 0_u64;
    let mut waiting = vec![host.to_owned()];
    while let Some(folder) = waiting.pop() {
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            // Of the entry itself: links are not followed.
            let metadata = entry.metadata()?;
            total = total.saturating_add(ENTRY);
            if metadata.is_dir() {
                waiting.push(entry.path());
            } else if metadata.is_file() {
                total = total.saturating_add(metadata.len());
            }
        }
    }
    Ok(total)
}

fn io_error(error: wasmtime::Error) -> io::Error {
    error.downcast::<io::Error>().unwrap_or_else(io::Error::other)
}
