//! The functions of preview 1 that take a path. wasmtime-wasi resolves every path below the folder that it starts from;
//! here it is decided what may be opened, made and removed there, and what that costs.

use std::{
    path::{Component, Path},
    sync::Arc,
};

use mod_abi::Buffer;
use wasmtime_wasi::p2::bindings::filesystem::types::{DescriptorFlags, DescriptorType, OpenFlags};

use super::{
    encode::{filestat, path as text, times},
    errno::{ACCES, Answer, FAULT, INVAL, LOOP, NOENT, NOTSUP, PERM, XDEV},
    files::{APPEND, NONBLOCK},
    folder::{ENTRY, Folder, cost},
    system::{Handle, Links, Opening, System},
    table::{Entry, OpenFile, OpenFolder, Table},
};
use crate::preview1::write as put;

/// Where the bytes of a path are.
pub(super) type Place = (u32, u32);

/// Rights of `path_open` that say what a file is opened for.
const RIGHT_READ: u64 = 1 << 1;
const RIGHT_WRITE: u64 = 1 << 6;
/// Flags of a descriptor: writes wait for the disk.
const SYNC: u32 = 2 | 8 | 16;

fn links(flags: u32) -> Answer<Links> {
    match flags {
        0 => Ok(Links::Keep),
        1 => Ok(Links::Follow),
        _ => Err(INVAL),
    }
}

/// What `path_open` is asked for.
pub(super) struct Request {
    pub(super) links: u32,
    pub(super) path: Place,
    pub(super) flags: u32,
    pub(super) rights: u64,
    pub(super) fd_flags: u32,
}

impl Request {
    fn opening(&self) -> Answer<Opening> {
        if self.fd_flags & SYNC != 0 {
            return Err(NOTSUP);
        }
        if self.flags >> 4 != 0 || self.fd_flags & !(APPEND | NONBLOCK) != 0 {
            return Err(INVAL);
        }
        let flags = [OpenFlags::CREATE, OpenFlags::DIRECTORY, OpenFlags::EXCLUSIVE, OpenFlags::TRUNCATE];
        let flags = flags.into_iter().enumerate().filter(|(bit, _)| self.flags & (1 << bit) != 0);
        let access = [(RIGHT_READ, DescriptorFlags::READ), (RIGHT_WRITE, DescriptorFlags::WRITE)];
        let access = access.into_iter().filter(|(right, _)| self.rights & right != 0);
        Ok(Opening {
            links: links(self.links)?,
            flags: flags.fold(OpenFlags::empty(), |all, (_, flag)| all | flag),
            access: access.fold(DescriptorFlags::empty(), |all, (_, flag)| all | flag),
        })
    }
}

pub(super) fn open(table: &mut Table, memory: &mut [u8], fd: u32, request: &Request, out: u32) -> Answer<()> {
    let path = text(memory, request.path.0, request.path.1)?;
    let how = request.opening()?;
    table.check_room()?;
    let (system, start, folder) = table.folder(fd)?;
    let folder = Arc::clone(folder);
    let entry = {
        let _alone = folder.alone();
        let handle = open_counted(system, &start.handle, &folder, path, &how)?;
        admit(system, handle, &folder, request.fd_flags & APPEND != 0)?
    };
    let fd = table.insert(folder, entry)?;
    put(memory, out, &fd.to_le_bytes()).inspect_err(|_| table.close(fd).unwrap_or_default())
}

/// Opens a path, and counts what comes and goes with it.
fn open_counted(system: &mut System, start: &Handle, folder: &Folder, path: String, how: &Opening) -> Answer<Handle> {
    let before = match system.stat_at(start, how.links, &path) {
        Ok(stat) => Some(stat),
        Err(NOENT) => None,
        Err(error) => return Err(error),
    };
    match &before {
        None if how.flags.contains(OpenFlags::CREATE) => folder.charged(ENTRY, || system.open(start, path, how)),
        None => system.open(start, path, how),
        Some(stat) => {
            check_kind(stat.type_)?;
            let handle = system.open(start, path, how)?;
            if how.flags.contains(OpenFlags::TRUNCATE) {
                folder.credit(stat.size);
            }
            Ok(handle)
        }
    }
}

/// Only files and folders are opened: opening a named pipe waits for somebody at its other end, and devices do what
/// they like. Mods make neither; the system's own way to open without waiting is not offered by wasmtime-wasi.
fn check_kind(kind: DescriptorType) -> Answer<()> {
    match kind {
        DescriptorType::RegularFile | DescriptorType::Directory => Ok(()),
        DescriptorType::SymbolicLink => Err(LOOP),
        _ => Err(ACCES),
    }
}

/// Makes an entry of what was opened, or closes it again.
fn admit(system: &mut System, handle: Handle, folder: &Arc<Folder>, append: bool) -> Answer<Entry> {
    let kind = system.kind(&handle).and_then(|kind| check_kind(kind).map(|()| kind));
    let identity = kind.and_then(|kind| Ok((kind, system.identity(&handle)?)));
    match identity {
        Ok((DescriptorType::Directory, _)) => Ok(Entry::Folder(OpenFolder { handle, listing: Vec::new() })),
        Ok((_, identity)) => Ok(Entry::File(OpenFile { handle, position: 0, append, _mark: folder.mark(identity) })),
        Err(error) => {
            system.close(handle);
            Err(error)
        }
    }
}

pub(super) fn filestat_get(
    table: &mut Table,
    memory: &mut [u8],
    fd: u32,
    flags: u32,
    path: Place,
    out: u32,
) -> Answer<()> {
    let (path, links) = (text(memory, path.0, path.1)?, links(flags)?);
    let (system, start, _) = table.folder(fd)?;
    let stat = system.stat_at(&start.handle, links, &path)?;
    let identity = system.identity_at(&start.handle, links, &path)?;
    put(memory, out, &filestat(&stat, identity).0)
}

pub(super) fn filestat_set_times(
    table: &mut Table,
    memory: &[u8],
    (fd, flags): (u32, u32),
    path: Place,
    (accessed, modified): (u64, u64),
    which: u32,
) -> Answer<()> {
    let (path, links) = (text(memory, path.0, path.1)?, links(flags)?);
    let (system, start, _) = table.folder(fd)?;
    system.set_times_at(&start.handle, links, path, times(accessed, modified, which)?)
}

pub(super) fn create_directory(table: &mut Table, memory: &[u8], fd: u32, path: Place) -> Answer<()> {
    let path = text(memory, path.0, path.1)?;
    let (system, start, folder) = table.folder(fd)?;
    folder.charged(ENTRY, || system.create_folder(&start.handle, path))
}

pub(super) fn remove_directory(table: &mut Table, memory: &[u8], fd: u32, path: Place) -> Answer<()> {
    let path = text(memory, path.0, path.1)?;
    let (system, start, folder) = table.folder(fd)?;
    system.remove_folder(&start.handle, path)?;
    folder.credit(ENTRY);
    Ok(())
}

pub(super) fn unlink_file(table: &mut Table, memory: &[u8], fd: u32, path: Place) -> Answer<()> {
    let path = text(memory, path.0, path.1)?;
    let (system, start, folder) = table.folder(fd)?;
    let _alone = folder.alone();
    let going = system.stat_at(&start.handle, Links::Keep, &path)?;
    folder.check_closed(system.identity_at(&start.handle, Links::Keep, &path)?)?;
    system.remove_file(&start.handle, path)?;
    folder.credit(cost(&going));
    Ok(())
}

/// Renames within one granted folder. To every other it is a different disk, which programs know how to handle: each
/// folder has its own quota, and is revoked alone.
pub(super) fn rename(
    table: &mut Table,
    memory: &[u8],
    (fd, path): (u32, Place),
    (new_fd, new_path): (u32, Place),
) -> Answer<()> {
    let (path, new_path) = (text(memory, path.0, path.1)?, text(memory, new_path.0, new_path.1)?);
    let (system, [from, to], folder) = table.two_folders(fd, new_fd, XDEV)?;
    if !folder.is_writable() {
        return Err(PERM);
    }
    let _alone = folder.alone();
    let mut replaced = 0;
    if let Ok(stat) = system.stat_at(to, Links::Keep, &new_path) {
        let identity = system.identity_at(to, Links::Keep, &new_path)?;
        // Two names of one file: then nothing happens at all.
        if system.identity_at(from, Links::Keep, &path)? != identity {
            folder.check_closed(identity)?;
            replaced = cost(&stat);
        }
    }
    system.rename(from, path, to, new_path)?;
    folder.credit(replaced);
    Ok(())
}

/// Gives a file a second name, in the same granted folder. In another one it would outlive what was granted.
pub(super) fn link(
    table: &mut Table,
    memory: &[u8],
    flags: u32,
    (fd, path): (u32, Place),
    (new_fd, new_path): (u32, Place),
) -> Answer<()> {
    let (path, new_path) = (text(memory, path.0, path.1)?, text(memory, new_path.0, new_path.1)?);
    if flags != 0 {
        return Err(INVAL);
    }
    let (system, [from, to], folder) = table.two_folders(fd, new_fd, XDEV)?;
    // Whoever takes a name away looks whether it is the last one.
    let _alone = folder.alone();
    folder.charged(ENTRY, || system.link(from, path, to, new_path))
}

/// Makes a symbolic link that points down. The mod itself could follow no other; the game, which may look into the
/// folder too, could.
pub(super) fn symlink(table: &mut Table, memory: &[u8], target: Place, fd: u32, path: Place) -> Answer<()> {
    let (target, path) = (text(memory, target.0, target.1)?, text(memory, path.0, path.1)?);
    let (system, start, folder) = table.folder(fd)?;
    if !Path::new(&target).components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir)) {
        return Err(PERM);
    }
    folder.charged(ENTRY, || system.symlink(&start.handle, target, path))
}

pub(super) fn readlink(
    table: &mut Table,
    memory: &mut [u8],
    fd: u32,
    path: Place,
    buffer: Buffer,
    out: u32,
) -> Answer<()> {
    let path = text(memory, path.0, path.1)?;
    let (system, start, _) = table.folder(fd)?;
    let target = system.read_link(&start.handle, path)?;
    // Where a link of the game leads outside is not for the mod to know.
    if Path::new(&target).components().any(|part| matches!(part, Component::ParentDir)) {
        return Err(PERM);
    }
    let room = usize::try_from(buffer.len()).map_err(|_| FAULT)?;
    let taken = target.as_bytes().get(..room).unwrap_or(target.as_bytes());
    put(memory, buffer.ptr(), taken)?;
    let len = u32::try_from(taken.len()).map_err(|_| FAULT)?;
    put(memory, out, &len.to_le_bytes())
}
