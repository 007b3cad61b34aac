//! The World's rows as columns in a mod's memory: what one call of a system carries.
//!
//! ```text
//! batch    u32 system   u32 blocks   u32 bytes   u32 0
//!          u32 offset of each block from the batch's start (0: the parameter has none), padded to 16
//! block    u32 rows     u32 columns  u32 bytes   u32 0
//!          32 bytes for each column: a ColumnHeader
//!          the data of the columns, each aligned to 16
//! ```
//!
//! All numbers are little endian. Offsets inside a block count from the block's start, so that a block means the same
//! wherever it lies: in the batch of a call, or alone as the answer to an on-demand request. A batch and a block start
//! at addresses that are multiples of 16.
//!
//! Rows of a fixed size stand one after the other, `stride` bytes each. Rows of varying size (`stride` 0) are found
//! through `offsets`, `rows + 1` times `u32`, counted from `data`.
//!
//! A system that changes rows writes them where they stand and sets their bytes in the dirty map to 1: a byte for each row.
//! (With a bit for each row, a loop over all of them would wait for each store before the next.) For rows of varying size it leaves the new encodings of the dirty rows, in ascending order and
//! without gaps, in memory of its own and writes the address and length into `out` and `out_len`; it owns that memory
//! and may free it when it is called again.

/// Everything in a batch that carries data is aligned to this many bytes.
pub const ALIGN: usize = 16;
/// Bytes in front of a batch's block offsets.
pub const BATCH_HEADER: usize = 16;
/// Bytes in front of a block's column headers.
pub const BLOCK_HEADER: usize = 16;
/// Bytes of a [`ColumnHeader`].
pub const COLUMN_HEADER: usize = 32;
/// The most rows that a block can hold.
pub const MAX_ROWS: usize = u32::MAX as usize;

/// In a dirty map: the row is changed.
pub const CHANGED: u8 = 1;
/// In a dirty map: the row is no longer what the game has, and not marked as changed. It is written again for the next run.
pub const STALE: u8 = 2;

/// Where a column's parts are. Offsets are in bytes from the block's start; 0 means that there is no such part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ColumnHeader {
    /// The first row.
    pub data: u32,
    /// Bytes of all rows.
    pub data_len: u32,
    /// Bytes of each row, or 0 where they differ.
    pub stride: u32,
    /// Where each row starts, if they differ in size.
    pub offsets: u32,
    /// The dirty map, if the column may be written.
    pub dirty: u32,
    /// Which rows have the component, in the form of the dirty map, if the component is optional. The rows
    /// without have zeros for their data, or nothing if rows vary.
    pub present: u32,
    /// Written by the mod: the address of the new rows of varying size.
    pub out: u32,
    /// Written by the mod: the bytes at `out`.
    pub out_len: u32,
}

impl ColumnHeader {
    /// The byte, from the header's start, at which [`ColumnHeader::out`] stands.
    pub const OUT: usize = 24;

    /// The header as it stands in memory.
    #[must_use]
    pub fn to_bytes(self) -> [u8; COLUMN_HEADER] {
        let mut bytes = [0; COLUMN_HEADER];
        let words =
            [self.data, self.data_len, self.stride, self.offsets, self.dirty, self.present, self.out, self.out_len];
        for (place, word) in bytes.chunks_exact_mut(4).zip(words) {
            place.copy_from_slice(&word.to_le_bytes());
        }
        bytes
    }

    /// Reads a header.
    #[must_use]
    pub fn from_bytes(bytes: &[u8; COLUMN_HEADER]) -> Self {
        let (words, _) = bytes.as_chunks::<4>();
        let mut words = words.iter().map(|word| u32::from_le_bytes(*word));
        let mut next = || words.next().unwrap_or(0);
        Self {
            data: next(),
            data_len: next(),
            stride: next(),
            offsets: next(),
            dirty: next(),
            present: next(),
            out: next(),
            out_len: next(),
        }
    }
}

/// `offset` moved up to the next multiple of [`ALIGN`], or `None` past the end of the address space.
#[must_use]
pub const fn align_up(offset: usize) -> Option<usize> {
    match offset.checked_add(ALIGN - 1) {
        Some(sum) => Some(sum & !(ALIGN - 1)),
        None => None,
    }
}

/// Bytes of a dirty map, or another map of `rows` rows: a byte for each, 0 or 1, padded with zeros to a multiple of 8.
#[must_use]
pub const fn dirty_map_bytes(rows: usize) -> usize {
    rows.div_ceil(8).saturating_mul(8)
}

/// Bytes of a batch's header with its block offsets, aligned.
#[must_use]
pub const fn batch_header_bytes(blocks: usize) -> Option<usize> {
    match blocks.checked_mul(4) {
        Some(offsets) => match offsets.checked_add(BATCH_HEADER) {
            Some(bytes) => align_up(bytes),
            None => None,
        },
        None => None,
    }
}

/// Bytes of a block's header with its column headers, aligned.
#[must_use]
pub const fn block_header_bytes(columns: usize) -> Option<usize> {
    match columns.checked_mul(COLUMN_HEADER) {
        Some(headers) => match headers.checked_add(BLOCK_HEADER) {
            Some(bytes) => align_up(bytes),
            None => None,
        },
        None => None,
    }
}
