//! The file descriptors of one instance: what each stands for, and to which folder it belongs. What is done with them
//! is not known here.

use std::{collections::BTreeMap, sync::Arc};

use wasmtime_wasi::p2::bindings::filesystem::types::DescriptorType;

use super::{
    errno::{ACCES, Answer, BADF, FBIG, ISDIR, MFILE, NOTDIR, NOTSUP},
    folder::{Folder, OpenMark},
    system::{Handle, System},
};

/// The first descriptor that is not a standard stream. Preopened folders start here: programs look for them from here on.
pub(super) const FIRST: u32 = 3;
/// The most files and folders that an instance has open.
const MAX_OPEN: usize = 64;
/// The most names that the listings of all open folders have together.
const MAX_LISTED: usize = 1 << 16;

/// All descriptors of an instance but the standard streams.
#[derive(Debug)]
pub(super) struct Table {
    system: System,
    slots: BTreeMap<u32, Slot>,
}

#[derive(Debug)]
struct Slot {
    folder: Arc<Folder>,
    is_preopen: bool,
    /// `None` when the folder was revoked. The number stays, so that it means nothing else meanwhile.
    entry: Option<Entry>,
}

/// Something open.
#[derive(Debug)]
pub(super) enum Entry {
    Folder(OpenFolder),
    File(OpenFile),
}

#[derive(Debug)]
pub(super) struct OpenFolder {
    pub(super) handle: Handle,
    /// Its content as it was when the mod began to read it. Empty before that, after the end, and when others took its room.
    pub(super) listing: Vec<(String, DescriptorType)>,
}

#[derive(Debug)]
pub(super) struct OpenFile {
    pub(super) handle: Handle,
    pub(super) position: u64,
    pub(super) append: bool,
    pub(super) _mark: Option<OpenMark>,
}

impl Entry {
    pub(super) fn handle(&self) -> &Handle {
        match self {
            Self::Folder(folder) => &folder.handle,
            Self::File(file) => &file.handle,
        }
    }

    fn into_handle(self) -> Handle {
        match self {
            Self::Folder(folder) => folder.handle,
            Self::File(file) => file.handle,
        }
    }
}

impl Table {
    /// A table with these folders open, in this order.
    pub(super) fn new(folders: impl IntoIterator<Item = Arc<Folder>>) -> Self {
        let mut table = Self { system: System::new(), slots: BTreeMap::new() };
        for (fd, folder) in (FIRST..).zip(folders) {
            let handle = folder.descriptor().and_then(|open| table.system.admit(open).ok());
            let entry = handle.map(|handle| Entry::Folder(OpenFolder { handle, listing: Vec::new() }));
            table.slots.insert(fd, Slot { folder, is_preopen: true, entry });
        }
        table
    }

    /// Makes room for a listing, so that they do not add up over all descriptors. Several small ones are kept: programs
    /// that walk a tree go into a folder before they have read all of the one above, and may remove what they found.
    pub(super) fn make_room(&mut self, names: usize) -> Answer<()> {
        let room = MAX_LISTED.checked_sub(names).ok_or(FBIG)?;
        if self.listings().fold(0, |sum: usize, listing| sum.saturating_add(listing.len())) > room {
            self.listings().for_each(|listing| *listing = Vec::new());
        }
        Ok(())
    }

    fn listings(&mut self) -> impl Iterator<Item = &mut Vec<(String, DescriptorType)>> {
        self.slots.values_mut().filter_map(|slot| match &mut slot.entry {
            Some(Entry::Folder(folder)) => Some(&mut folder.listing),
            _ => None,
        })
    }

    fn slot(&self, fd: u32) -> Answer<&Slot> {
        // What a mod without grants is told of the standard streams.
        if fd < FIRST { Err(NOTSUP) } else { self.slots.get(&fd).ok_or(BADF) }
    }

    /// The name of a folder that was open from the beginning. Also of one that was revoked: programs that find
    /// anything but a folder before the last one do not start.
    pub(super) fn preopen(&self, fd: u32) -> Answer<&str> {
        self.slots.get(&fd).filter(|slot| slot.is_preopen).map(|slot| slot.folder.guest.as_str()).ok_or(BADF)
    }

    pub(super) fn entry(&mut self, fd: u32) -> Answer<(&mut System, &mut Entry, &Arc<Folder>)> {
        self.slot(fd)?;
        let slot = self.slots.get_mut(&fd).ok_or(BADF)?;
        Ok((&mut self.system, slot.entry.as_mut().ok_or(ACCES)?, &slot.folder))
    }

    pub(super) fn file(&mut self, fd: u32) -> Answer<(&mut System, &mut OpenFile, &Arc<Folder>)> {
        match self.entry(fd)? {
            (system, Entry::File(file), folder) => Ok((system, file, folder)),
            _ => Err(ISDIR),
        }
    }

    pub(super) fn folder(&mut self, fd: u32) -> Answer<(&mut System, &mut OpenFolder, &Arc<Folder>)> {
        match self.entry(fd)? {
            (system, Entry::Folder(open), folder) => Ok((system, open, folder)),
            _ => Err(NOTDIR),
        }
    }

    /// Two folders, and the one that was granted, if it is the same: otherwise `not_same`.
    pub(super) fn two_folders(
        &mut self,
        first: u32,
        second: u32,
        not_same: i32,
    ) -> Answer<(&mut System, [&Handle; 2], &Arc<Folder>)> {
        let (_, _, granted) = self.folder(first)?;
        let granted = Arc::clone(granted);
        let (_, _, other) = self.folder(second)?;
        if !Arc::ptr_eq(&granted, other) {
            return Err(not_same);
        }
        let Self { system, slots } = self;
        let find = |fd| slots.get(&fd).and_then(|slot| slot.entry.as_ref()).map(Entry::handle).ok_or(BADF);
        let folder = slots.get(&first).map(|slot| &slot.folder).ok_or(BADF)?;
        Ok((system, [find(first)?, find(second)?], folder))
    }

    /// Refuses when nothing more may be opened.
    pub(super) fn check_room(&self) -> Answer<()> {
        if self.slots.len() < MAX_OPEN { Ok(()) } else { Err(MFILE) }
    }

    /// Gives something open the lowest number that is free.
    pub(super) fn insert(&mut self, folder: Arc<Folder>, entry: Entry) -> Answer<u32> {
        let fd = (FIRST..).find(|fd| !self.slots.contains_key(fd)).ok_or(MFILE)?;
        self.slots.insert(fd, Slot { folder, is_preopen: false, entry: Some(entry) });
        Ok(fd)
    }

    /// Closes a descriptor. Its number is free again.
    pub(super) fn close(&mut self, fd: u32) -> Answer<()> {
        self.slot(fd)?;
        let slot = self.slots.remove(&fd);
        if let Some(entry) = slot.and_then(|slot| slot.entry) {
            self.system.close(entry.into_handle());
        }
        Ok(())
    }

    /// Closes `to` and gives its number to `from`.
    pub(super) fn renumber(&mut self, from: u32, to: u32) -> Answer<()> {
        self.slot(from)?;
        self.slot(to)?;
        if from != to {
            self.close(to)?;
            let slot = self.slots.remove(&from).ok_or(BADF)?;
            self.slots.insert(to, slot);
        }
        Ok(())
    }

    /// Closes everything that belongs to a folder. The numbers stay taken.
    pub(super) fn revoke(&mut self, folder: &Arc<Folder>) {
        for slot in self.slots.values_mut().filter(|slot| Arc::ptr_eq(&slot.folder, folder)) {
            if let Some(entry) = slot.entry.take() {
                self.system.close(entry.into_handle());
            }
        }
    }
}
