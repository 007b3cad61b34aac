//! The file system as wasmtime-wasi offers it: every path is resolved below the folder that it starts from. What mods
//! may do with it, and how much, is not known here.
//!
//! Its functions are async for the sake of those who may not block. We let it block (what a mod asks for is small), so
//! each is done when it is polled once, and neither an executor nor a thread of one is ever started.

use std::{fmt, path::Path, pin::pin};

use wasmtime::component::{Resource, ResourceTable};
use wasmtime_wasi::{
    FsPerms, WasiCtx, WasiCtxBuilder, WasiCtxView, WasiView,
    filesystem::{Descriptor, WasiFilesystemCtxView, WasiFilesystemView},
    p2::{
        FsResult,
        bindings::filesystem::{
            preopens::Host as _,
            types::{
                DescriptorFlags, DescriptorStat, DescriptorType, HostDescriptor, NewTimestamp, OpenFlags, PathFlags,
            },
        },
    },
    runtime::poll_noop,
};

use super::errno::{Answer, IO, number};

/// A file or folder that is open, until it is given to [`System::close`].
pub(super) type Handle = Resource<Descriptor>;

/// What has to be where a path leads, whether or not it is a symbolic link.
#[derive(Clone, Copy)]
pub(super) enum Links {
    Follow,
    Keep,
}

impl Links {
    fn flags(self) -> PathFlags {
        match self {
            Self::Follow => PathFlags::SYMLINK_FOLLOW,
            Self::Keep => PathFlags::empty(),
        }
    }
}

/// How a path is opened.
pub(super) struct Opening {
    pub(super) links: Links,
    pub(super) flags: OpenFlags,
    pub(super) access: DescriptorFlags,
}

/// The open files of one instance.
pub(super) struct System {
    context: WasiCtx,
    table: ResourceTable,
}

impl WasiView for System {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.context, table: &mut self.table }
    }
}

impl fmt::Debug for System {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("System").finish_non_exhaustive()
    }
}

fn lent(handle: &Handle) -> Handle {
    Resource::new_borrow(handle.rep())
}

/// The outcome of what never waits.
fn now<T>(future: impl Future<Output = FsResult<T>>) -> Answer<T> {
    poll_noop(pin!(future)).ok_or(IO)?.map_err(number)
}

/// Opens a folder of the host, with all that the process may do.
pub(super) fn open_folder(host: &Path, writable: bool) -> wasmtime::Result<Descriptor> {
    let perms = if writable { FsPerms::ReadWrite } else { FsPerms::ReadOnly };
    let mut builder = WasiCtxBuilder::new();
    builder.allow_blocking_current_thread(true).preopened_dir(host, "", perms)?;
    let mut system = System { context: builder.build(), table: ResourceTable::new() };
    let folders = system.files().get_directories()?;
    let (folder, _) = folders.into_iter().next().ok_or_else(|| wasmtime::Error::msg("the folder was not opened"))?;
    Ok(system.table.delete(folder)?)
}

impl System {
    pub(super) fn new() -> Self {
        let mut builder = WasiCtxBuilder::new();
        builder.allow_blocking_current_thread(true);
        Self { context: builder.build(), table: ResourceTable::new() }
    }

    fn files(&mut self) -> WasiFilesystemCtxView<'_> {
        self.filesystem()
    }

    /// Takes a folder that is open already.
    pub(super) fn admit(&mut self, folder: Descriptor) -> Answer<Handle> {
        self.table.push(folder).map_err(|_| IO)
    }

    /// Opens what is at `path`, which may block when that is neither a file nor a folder.
    pub(super) fn open(&mut self, folder: &Handle, path: String, how: &Opening) -> Answer<Handle> {
        now(self.files().open_at(lent(folder), how.links.flags(), path, how.flags, how.access))
    }

    pub(super) fn close(&mut self, handle: Handle) {
        // It is there, because handles are not copied.
        let _ = self.table.delete(handle);
    }

    pub(super) fn kind(&mut self, handle: &Handle) -> Answer<DescriptorType> {
        now(self.files().get_type(lent(handle)))
    }

    pub(super) fn stat(&mut self, handle: &Handle) -> Answer<DescriptorStat> {
        now(self.files().stat(lent(handle)))
    }

    pub(super) fn stat_at(&mut self, folder: &Handle, links: Links, path: &str) -> Answer<DescriptorStat> {
        now(self.files().stat_at(lent(folder), links.flags(), path.to_owned()))
    }

    /// A number that two names have in common exactly if they name the same file.
    pub(super) fn identity(&mut self, handle: &Handle) -> Answer<u64> {
        Ok(now(self.files().metadata_hash(lent(handle)))?.lower)
    }

    pub(super) fn identity_at(&mut self, folder: &Handle, links: Links, path: &str) -> Answer<u64> {
        Ok(now(self.files().metadata_hash_at(lent(folder), links.flags(), path.to_owned()))?.lower)
    }

    /// At most 64 KiB, whatever `len` is.
    pub(super) fn read(&mut self, file: &Handle, len: u32, offset: u64) -> Answer<Vec<u8>> {
        now(self.files().read(lent(file), u64::from(len), offset)).map(|(bytes, _)| bytes)
    }

    pub(super) fn write(&mut self, file: &Handle, bytes: Vec<u8>, offset: u64) -> Answer<u64> {
        now(self.files().write(lent(file), bytes, offset))
    }

    pub(super) fn set_size(&mut self, file: &Handle, size: u64) -> Answer<()> {
        now(self.files().set_size(lent(file), size))
    }

    pub(super) fn set_times(&mut self, handle: &Handle, [accessed, modified]: [NewTimestamp; 2]) -> Answer<()> {
        now(self.files().set_times(lent(handle), accessed, modified))
    }

    pub(super) fn set_times_at(
        &mut self,
        folder: &Handle,
        links: Links,
        path: String,
        [accessed, modified]: [NewTimestamp; 2],
    ) -> Answer<()> {
        now(self.files().set_times_at(lent(folder), links.flags(), path, accessed, modified))
    }

    /// The names in a folder with their types, in the order of the names. Those that are no text are left out: a mod
    /// could not say them.
    pub(super) fn list(&mut self, folder: &Handle) -> Answer<Vec<(String, DescriptorType)>> {
        let entries = now(self.files().read_directory(lent(folder)))?;
        let entries = self.table.delete(entries).map_err(|_| IO)?;
        let mut names: Vec<_> = entries.into_iter().flatten().map(|entry| (entry.name, entry.type_)).collect();
        names.sort_unstable_by(|(name, _), (other, _)| name.cmp(other));
        Ok(names)
    }

    pub(super) fn create_folder(&mut self, folder: &Handle, path: String) -> Answer<()> {
        now(self.files().create_directory_at(lent(folder), path))
    }

    pub(super) fn remove_folder(&mut self, folder: &Handle, path: String) -> Answer<()> {
        now(self.files().remove_directory_at(lent(folder), path))
    }

    pub(super) fn remove_file(&mut self, folder: &Handle, path: String) -> Answer<()> {
        now(self.files().unlink_file_at(lent(folder), path))
    }

    pub(super) fn rename(&mut self, from: &Handle, path: String, to: &Handle, new_path: String) -> Answer<()> {
        now(self.files().rename_at(lent(from), path, lent(to), new_path))
    }

    pub(super) fn link(&mut self, from: &Handle, path: String, to: &Handle, new_path: String) -> Answer<()> {
        now(self.files().link_at(lent(from), PathFlags::empty(), path, lent(to), new_path))
    }

    pub(super) fn symlink(&mut self, folder: &Handle, target: String, path: String) -> Answer<()> {
        now(self.files().symlink_at(lent(folder), target, path))
    }

    pub(super) fn read_link(&mut self, folder: &Handle, path: String) -> Answer<String> {
        now(self.files().readlink_at(lent(folder), path))
    }
}
