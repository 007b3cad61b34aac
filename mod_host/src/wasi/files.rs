//! The functions of preview 1 that take a descriptor. Paths are not known here.
//!
//! None of them waits. What would (a write-back to the disk) is left to the operating system.

use mod_abi::Buffer;

use super::{
    encode::{ALL_RIGHTS, Record, filestat, filetype, gather, pieces, scatter, times},
    errno::{Answer, FAULT, FBIG, INVAL, NAMETOOLONG, NOTSUP},
    table::{Entry, OpenFile, Table},
};
use crate::{memory, preview1::write as put};

/// Flags of a descriptor: writes go to the end of the file.
pub(super) const APPEND: u32 = 1;
/// Flags of a descriptor: accepted, and without meaning for files.
pub(super) const NONBLOCK: u32 = 4;

/// Offsets that operating systems know.
const MAX_OFFSET: u64 = i64::MAX as u64;

pub(super) fn prestat_get(table: &Table, memory: &mut [u8], fd: u32, out: u32) -> Answer<()> {
    let len = u32::try_from(table.preopen(fd)?.len()).map_err(|_| NAMETOOLONG)?;
    put(memory, out, &Record::<8>::new().with(4, &len.to_le_bytes()).0)
}

pub(super) fn prestat_dir_name(table: &Table, memory: &mut [u8], fd: u32, out: u32, len: u32) -> Answer<()> {
    let name = table.preopen(fd)?;
    if usize::try_from(len).is_ok_and(|len| name.len() > len) {
        return Err(NAMETOOLONG);
    }
    put(memory, out, name.as_bytes())
}

/// Whether there is such a file: for functions that have nothing to do.
pub(super) fn exists(table: &mut Table, fd: u32) -> Answer<()> {
    table.entry(fd).map(|_| ())
}

/// Room cannot be reserved on every system, so it never can.
pub(super) fn allocate(table: &mut Table, fd: u32) -> Answer<()> {
    exists(table, fd)?;
    Err(NOTSUP)
}

pub(super) fn fdstat_get(table: &mut Table, memory: &mut [u8], fd: u32, out: u32) -> Answer<()> {
    let (system, entry, _) = table.entry(fd)?;
    let kind = filetype(system.kind(entry.handle())?);
    let append = matches!(entry, Entry::File(file) if file.append);
    let record = Record::<24>::new()
        .with(0, &[kind])
        .with(2, &u16::from(append).to_le_bytes())
        .with(8, &ALL_RIGHTS.to_le_bytes())
        .with(16, &ALL_RIGHTS.to_le_bytes());
    put(memory, out, &record.0)
}

pub(super) fn fdstat_set_flags(table: &mut Table, fd: u32, flags: u32) -> Answer<()> {
    let (_, file, _) = table.file(fd)?;
    if flags & !(APPEND | NONBLOCK) != 0 {
        return Err(INVAL);
    }
    file.append = flags & APPEND != 0;
    Ok(())
}

pub(super) fn filestat_get(table: &mut Table, memory: &mut [u8], fd: u32, out: u32) -> Answer<()> {
    let (system, entry, _) = table.entry(fd)?;
    let stat = system.stat(entry.handle())?;
    let identity = system.identity(entry.handle())?;
    put(memory, out, &filestat(&stat, identity).0)
}

pub(super) fn filestat_set_size(table: &mut Table, fd: u32, size: u64) -> Answer<()> {
    let (system, file, folder) = table.file(fd)?;
    let _alone = folder.alone();
    let before = system.stat(&file.handle)?.size;
    folder.charged(size.saturating_sub(before), || system.set_size(&file.handle, size))?;
    folder.credit(before.saturating_sub(size));
    Ok(())
}

pub(super) fn filestat_set_times(table: &mut Table, fd: u32, accessed: u64, modified: u64, flags: u32) -> Answer<()> {
    let (system, entry, _) = table.entry(fd)?;
    system.set_times(entry.handle(), times(accessed, modified, flags)?)
}

/// Reads at the file's position, or at `at`.
pub(super) fn read(
    table: &mut Table,
    memory: &mut [u8],
    fd: u32,
    (list, count): (u32, u32),
    at: Option<u64>,
    out: u32,
) -> Answer<()> {
    let (system, file, _) = table.file(fd)?;
    let pieces = pieces(memory, list, count)?;
    let wanted = pieces.iter().fold(0_u32, |sum, piece| sum.saturating_add(piece.len()));
    let bytes = system.read(&file.handle, wanted, at.unwrap_or(file.position))?;
    let len = u32::try_from(bytes.len()).map_err(|_| FAULT)?;
    scatter(memory, &pieces, &bytes)?;
    put(memory, out, &len.to_le_bytes())?;
    if at.is_none() {
        file.position = file.position.saturating_add(u64::from(len));
    }
    Ok(())
}

/// Writes at the file's position, at `at`, or at its end if it is open for that.
pub(super) fn write(
    table: &mut Table,
    memory: &mut [u8],
    fd: u32,
    (list, count): (u32, u32),
    at: Option<u64>,
    out: u32,
) -> Answer<()> {
    let (system, file, folder) = table.file(fd)?;
    let bytes = gather(memory, &pieces(memory, list, count)?)?;
    let _alone = folder.alone();
    let size = system.stat(&file.handle)?.size;
    let offset = if file.append { size } else { at.unwrap_or(file.position) };
    let wanted = u64::try_from(bytes.len()).map_err(|_| FBIG)?;
    let end = offset.checked_add(wanted).filter(|end| *end <= MAX_OFFSET).ok_or(FBIG)?;
    let growth = end.saturating_sub(size);
    let written = folder.charged(growth, || system.write(&file.handle, bytes, offset))?;
    let end = offset.saturating_add(written);
    // The disk may have taken less.
    folder.credit(growth.saturating_sub(end.saturating_sub(size)));
    if at.is_none() {
        file.position = end;
    }
    put(memory, out, &u32::try_from(written).map_err(|_| FAULT)?.to_le_bytes())
}

/// Where a seek begins to count.
const FROM_START: u32 = 0;
const FROM_POSITION: u32 = 1;
const FROM_END: u32 = 2;

pub(super) fn seek(table: &mut Table, memory: &mut [u8], fd: u32, delta: i64, whence: u32, out: u32) -> Answer<()> {
    let (system, file, _) = table.file(fd)?;
    let base = match whence {
        FROM_START => 0,
        FROM_POSITION => file.position,
        FROM_END => system.stat(&file.handle)?.size,
        _ => return Err(INVAL),
    };
    file.position = base.checked_add_signed(delta).filter(|position| *position <= MAX_OFFSET).ok_or(INVAL)?;
    tell_position(file, memory, out)
}

pub(super) fn tell(table: &mut Table, memory: &mut [u8], fd: u32, out: u32) -> Answer<()> {
    let (_, file, _) = table.file(fd)?;
    tell_position(file, memory, out)
}

fn tell_position(file: &OpenFile, memory: &mut [u8], out: u32) -> Answer<()> {
    put(memory, out, &file.position.to_le_bytes())
}

/// Fills `buffer` with entries from the one numbered `cookie` on, the last one cut off where it is full. The folder is
/// read when its first entry is asked for, and again when its listing is gone meanwhile.
pub(super) fn readdir(
    table: &mut Table,
    memory: &mut [u8],
    fd: u32,
    buffer: Buffer,
    cookie: u64,
    out: u32,
) -> Answer<()> {
    let (system, folder, _) = table.folder(fd)?;
    if cookie == 0 || folder.listing.is_empty() {
        folder.listing = Vec::new();
        let listing = system.list(&folder.handle)?;
        table.make_room(listing.len())?;
        table.folder(fd)?.1.listing = listing;
    }
    let (_, folder, _) = table.folder(fd)?;
    let skipped = usize::try_from(cookie).unwrap_or(usize::MAX);
    let own = [(".", 3), ("..", 3)].into_iter();
    let entries = own.chain(folder.listing.iter().map(|(name, ty)| (name.as_str(), filetype(*ty))));
    let place = memory::slice_mut(memory, buffer).map_err(|_| FAULT)?;
    let mut left = &mut *place;
    for ((name, ty), next) in entries.zip(1_u64..).skip(skipped) {
        let len = u32::try_from(name.len()).map_err(|_| NAMETOOLONG)?;
        // The third field, the file's number, is 0: the mod's own library asks for it where it is needed.
        let head = Record::<24>::new().with(0, &next.to_le_bytes()).with(16, &len.to_le_bytes()).with(20, &[ty]);
        left = fill(fill(left, &head.0), name.as_bytes());
        if left.is_empty() {
            break;
        }
    }
    if !left.is_empty() {
        // Nobody asks for more.
        folder.listing = Vec::new();
    }
    let left = u32::try_from(left.len()).map_err(|_| FAULT)?;
    put(memory, out, &buffer.len().saturating_sub(left).to_le_bytes())
}

/// Copies what there is room for, and returns the rest of the room.
fn fill<'a>(place: &'a mut [u8], bytes: &[u8]) -> &'a mut [u8] {
    let len = bytes.len().min(place.len());
    let Some((now, later)) = place.split_at_mut_checked(len) else { return &mut [] };
    now.iter_mut().zip(bytes).for_each(|(place, byte)| *place = *byte);
    later
}
