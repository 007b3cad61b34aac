//! The structures of preview 1 as bytes in a mod's memory, both ways.
//! See <https://github.com/WebAssembly/WASI/blob/main/legacy/preview1/docs.md>.

use mod_abi::Buffer;
use wasmtime_wasi::p2::bindings::{
    clocks::wall_clock::Datetime,
    filesystem::types::{DescriptorStat, DescriptorType, NewTimestamp},
};

use super::errno::{Answer, FAULT, ILSEQ, INVAL, NAMETOOLONG};
use crate::{memory, preview1::MAX_PIECES};

/// The longest path, in bytes, as on Linux.
const MAX_PATH: u32 = 4 << 10;
/// The most bytes that one call reads or writes. A caller that has more calls again, and can be stopped in between.
const MAX_TRANSFER: u32 = 64 << 10;
/// Every right. Who may do what is decided when they try: a program that reads here that it may not write would open
/// the file for reading instead.
pub(super) const ALL_RIGHTS: u64 = (1 << 30) - 1;

const NANOS: u64 = 1_000_000_000;

/// Bytes with fields at fixed places.
pub(super) struct Record<const N: usize>(pub(super) [u8; N]);

impl<const N: usize> Record<N> {
    pub(super) const fn new() -> Self {
        Self([0; N])
    }

    /// With a field at `at`.
    pub(super) fn with(mut self, at: usize, field: &[u8]) -> Self {
        if let Some(place) = self.0.get_mut(at..).and_then(|rest| rest.get_mut(..field.len())) {
            place.copy_from_slice(field);
        }
        self
    }
}

/// The number of a type of file.
pub(super) fn filetype(ty: DescriptorType) -> u8 {
    match ty {
        DescriptorType::Unknown | DescriptorType::Fifo => 0,
        DescriptorType::BlockDevice => 1,
        DescriptorType::CharacterDevice => 2,
        DescriptorType::Directory => 3,
        DescriptorType::RegularFile => 4,
        DescriptorType::Socket => 6,
        DescriptorType::SymbolicLink => 7,
    }
}

fn nanos(time: Option<Datetime>) -> u64 {
    time.map_or(0, |time| time.seconds.saturating_mul(NANOS).saturating_add(u64::from(time.nanoseconds)))
}

/// A `filestat`.
pub(super) fn filestat(stat: &DescriptorStat, identity: u64) -> Record<64> {
    Record::new()
        .with(0, &1_u64.to_le_bytes())
        .with(8, &identity.to_le_bytes())
        .with(16, &[filetype(stat.type_)])
        .with(24, &stat.link_count.to_le_bytes())
        .with(32, &stat.size.to_le_bytes())
        .with(40, &nanos(stat.data_access_timestamp).to_le_bytes())
        .with(48, &nanos(stat.data_modification_timestamp).to_le_bytes())
        .with(56, &nanos(stat.status_change_timestamp).to_le_bytes())
}

/// The times that a mod wants for a file: of the last access and of the last change.
pub(super) fn times(accessed: u64, modified: u64, flags: u32) -> Answer<[NewTimestamp; 2]> {
    let time = |nanos: u64, flags: u32| match flags & 0b11 {
        0 => Ok(NewTimestamp::NoChange),
        1 => Ok(NewTimestamp::Timestamp(Datetime {
            seconds: nanos.div_euclid(NANOS),
            nanoseconds: u32::try_from(nanos.rem_euclid(NANOS)).map_err(|_| INVAL)?,
        })),
        2 => Ok(NewTimestamp::Now),
        _ => Err(INVAL),
    };
    if flags >> 4 == 0 { Ok([time(accessed, flags)?, time(modified, flags >> 2)?]) } else { Err(INVAL) }
}

/// A path, or what a link says.
pub(super) fn path(memory: &[u8], ptr: u32, len: u32) -> Answer<String> {
    if len > MAX_PATH {
        return Err(NAMETOOLONG);
    }
    let bytes = memory::slice(memory, Buffer::new(ptr, len)).map_err(|_| FAULT)?;
    let path = str::from_utf8(bytes).map_err(|_| ILSEQ)?;
    if path.contains('\0') { Err(INVAL) } else { Ok(path.to_owned()) }
}

/// The pieces of memory that one call fills or takes, no more than it may.
pub(super) fn pieces(memory: &[u8], list: u32, count: u32) -> Answer<Vec<Buffer>> {
    if count > MAX_PIECES {
        return Err(INVAL);
    }
    let list = memory::slice(memory, Buffer::new(list, count.saturating_mul(8))).map_err(|_| FAULT)?;
    let mut left = MAX_TRANSFER;
    let mut pieces = Vec::new();
    for piece in list.as_chunks::<8>().0 {
        // An address and a length, little endian: a buffer with its halves swapped.
        let piece = Buffer::from_raw(u64::from_le_bytes(*piece).rotate_left(32));
        let piece = Buffer::new(piece.ptr(), piece.len().min(left));
        memory::slice(memory, piece).map_err(|_| FAULT)?;
        left = left.saturating_sub(piece.len());
        pieces.push(piece);
    }
    Ok(pieces)
}

/// The bytes of all pieces.
pub(super) fn gather(memory: &[u8], pieces: &[Buffer]) -> Answer<Vec<u8>> {
    let mut bytes = Vec::new();
    for piece in pieces {
        bytes.extend_from_slice(memory::slice(memory, *piece).map_err(|_| FAULT)?);
    }
    Ok(bytes)
}

/// Fills the pieces one after the other, as far as the bytes go.
pub(super) fn scatter(memory: &mut [u8], pieces: &[Buffer], mut bytes: &[u8]) -> Answer<()> {
    for piece in pieces {
        let place = memory::slice_mut(memory, *piece).map_err(|_| FAULT)?;
        let (now, later) = bytes.split_at_checked(place.len()).unwrap_or((bytes, &[]));
        place.iter_mut().zip(now).for_each(|(place, byte)| *place = *byte);
        bytes = later;
    }
    Ok(())
}
