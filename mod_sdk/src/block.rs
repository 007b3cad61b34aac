//! A batch of the game's rows, as it lies in memory: its numbers are read here, and its bounds are checked here.
//!
//! A batch that contradicts itself is a fault of the host; it ends the call with a panic that says what is wrong.
#![expect(unsafe_code, reason = "reads and writes memory that the host has filled")]

use std::{marker::PhantomData, ptr, slice};

use mod_abi::batch::{ALIGN, BATCH_HEADER, BLOCK_HEADER, CHANGED, COLUMN_HEADER, ColumnHeader, dirty_map_bytes};

use crate::buffer::OwnedBuffer;

/// Memory that the host filled and that nobody else uses during `'w`.
#[derive(Debug, Clone, Copy)]
struct Bytes<'w> {
    start: *mut u8,
    len: usize,
    marker: PhantomData<&'w mut [u8]>,
}

impl<'w> Bytes<'w> {
    /// A pointer to `len` bytes at `offset`.
    fn part(self, offset: usize, len: usize) -> *mut u8 {
        let inside = offset.checked_add(len).is_some_and(|end| end <= self.len);
        assert!(inside, "the game's batch is malformed: {len} bytes at {offset} do not fit into {}", self.len);
        // SAFETY: the offset is inside of the memory.
        unsafe { self.start.add(offset) }
    }

    /// `len` bytes at `offset`, for a look that ends before they are written.
    fn slice(self, offset: usize, len: usize) -> &'w [u8] {
        let part = self.part(offset, len);
        // SAFETY: the bytes are inside of memory that is readable for `'w`; `Block` writes through raw pointers only, and
        // not while it looks.
        unsafe { slice::from_raw_parts(part, len) }
    }

    fn u32(self, offset: usize) -> usize {
        let (numbers, _) = self.slice(offset, 4).as_chunks::<4>();
        u32::from_le_bytes(numbers[0]) as usize
    }

    fn write(self, offset: usize, bytes: &[u8]) {
        let part = self.part(offset, bytes.len());
        // SAFETY: the part is inside of memory that belongs to this call.
        unsafe { ptr::copy(bytes.as_ptr(), part, bytes.len()) };
    }
}

/// What the host sends along with the call of a system.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Batch<'w> {
    bytes: Bytes<'w>,
    blocks: usize,
}

impl<'w> Batch<'w> {
    /// The batch in the `len` bytes at `start`.
    ///
    /// # Safety
    /// The memory should be initialised, aligned to 16, readable and writable, and used by nobody else during `'w`; the
    /// parts that its headers name should not overlap.
    pub(crate) unsafe fn new(start: *mut u8, len: usize) -> Self {
        let bytes = Bytes { start, len, marker: PhantomData };
        let blocks = bytes.u32(4);
        let _ = bytes.part(BATCH_HEADER, blocks.saturating_mul(4));
        Self { bytes, blocks }
    }

    /// The index of the system to run.
    pub(crate) fn system(&self) -> usize {
        self.bytes.u32(0)
    }

    /// The block of a parameter, if it has one.
    pub(crate) fn block(&self, index: usize) -> Option<Block<'w>> {
        assert!(index < self.blocks, "the game's batch is malformed: {} blocks, asked for {index}", self.blocks);
        let offset = match self.bytes.u32(BATCH_HEADER + index * 4) {
            0 => return None,
            offset => offset,
        };
        let start = self.bytes.part(offset, BLOCK_HEADER);
        // SAFETY: the block lies inside of the batch, whose promises it inherits.
        Some(unsafe { Block::new(start, self.bytes.len - offset, index as u32) })
    }
}

/// The blocks of a batch, in the order of the parameters that have one.
#[derive(Debug)]
pub struct Blocks<'w> {
    batch: Batch<'w>,
    next: usize,
}

impl<'w> Blocks<'w> {
    pub(crate) fn new(batch: Batch<'w>) -> Self {
        Self { batch, next: 0 }
    }

    /// The next parameter's place, which a parameter without rows leaves empty.
    pub(crate) fn next(&mut self) -> Option<Block<'w>> {
        self.next += 1;
        self.batch.block(self.next - 1)
    }

    /// The rows of the next parameter.
    pub(crate) fn next_rows(&mut self) -> Block<'w> {
        self.next().unwrap_or_else(|| panic!("the game's batch is malformed: block {} is missing", self.next - 1))
    }
}

/// The index of a block that belongs to no parameter.
const NO_PARAM: u32 = u32::MAX;

/// The rows of one parameter.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Block<'w> {
    bytes: Bytes<'w>,
    rows: usize,
    columns: usize,
    param: u32,
}

impl<'w> Block<'w> {
    /// The block that the game has answered with.
    pub(crate) fn of_answer(answer: &'w OwnedBuffer) -> Self {
        // SAFETY: the buffer is initialised, aligned and borrowed. It is only read, and nobody writes to it.
        unsafe { Self::new(answer.start(), answer.len(), NO_PARAM) }
    }

    /// The block at `start`, in at most `len` bytes, of the parameter at index `param`.
    ///
    /// # Safety
    /// The same as for [`Batch::new`].
    unsafe fn new(start: *mut u8, len: usize, param: u32) -> Self {
        assert!(start.addr().is_multiple_of(ALIGN), "the game's batch is malformed: a block is not aligned");
        let bytes = Bytes { start, len, marker: PhantomData };
        let stated = bytes.u32(8);
        let _ = bytes.part(0, stated);
        Self { bytes: Bytes { len: stated, ..bytes }, rows: bytes.u32(0), columns: bytes.u32(4), param }
    }

    /// The index of the parameter, by which the game can be asked about it.
    pub(crate) fn param(&self) -> u32 {
        self.param
    }

    /// The number of rows.
    pub(crate) fn rows(&self) -> usize {
        self.rows
    }

    /// The header of a column.
    pub(crate) fn header(&self, column: usize) -> ColumnHeader {
        assert!(column < self.columns, "the game's batch is malformed: column {column} of {}", self.columns);
        let (headers, _) =
            self.bytes.slice(BLOCK_HEADER + column * COLUMN_HEADER, COLUMN_HEADER).as_chunks::<COLUMN_HEADER>();
        ColumnHeader::from_bytes(&headers[0])
    }

    /// The rows of a column, `stride` bytes each.
    pub(crate) fn data(&self, header: &ColumnHeader, stride: usize) -> *mut u8 {
        self.bytes.part(header.data as usize, self.rows.saturating_mul(stride))
    }

    /// The bytes of a row.
    pub(crate) fn row(&self, header: &ColumnHeader, row: usize) -> &[u8] {
        let data = header.data as usize;
        if header.stride > 0 {
            let stride = header.stride as usize;
            return self.bytes.slice(data.saturating_add(row.saturating_mul(stride)), stride);
        }
        if header.offsets == 0 {
            return &[];
        }
        let offsets = (header.offsets as usize).saturating_add(row.saturating_mul(4));
        let (start, end) = (self.bytes.u32(offsets), self.bytes.u32(offsets.saturating_add(4)));
        let len = end.checked_sub(start).expect("the game's batch is malformed: a row ends before it starts");
        self.bytes.slice(data.saturating_add(start), len)
    }

    /// Replaces the bytes of a row of fixed size.
    pub(crate) fn write_row(&self, header: &ColumnHeader, row: usize, bytes: &[u8]) {
        assert_eq!(bytes.len(), header.stride as usize, "a value changed its size");
        self.bytes.write((header.data as usize).saturating_add(row.saturating_mul(bytes.len())), bytes);
    }

    /// A column's dirty map: a byte for each row.
    pub(crate) fn dirty(&self, header: &ColumnHeader) -> *mut u8 {
        assert!(header.dirty != 0, "the game's batch is malformed: a column that may be written has no dirty map");
        self.map(header.dirty)
    }

    /// Which rows have the component of an optional column, in the form of a dirty map.
    pub(crate) fn present(&self, header: &ColumnHeader) -> *const u8 {
        assert!(header.present != 0, "the game's batch is malformed: an optional column does not say who has it");
        self.map(header.present).cast_const()
    }

    /// A map with a byte for each row.
    fn map(&self, offset: u32) -> *mut u8 {
        self.bytes.part(offset as usize, dirty_map_bytes(self.rows))
    }

    /// Whether a row is marked as changed in a column's dirty map.
    pub(crate) fn is_dirty(&self, header: &ColumnHeader, row: usize) -> bool {
        self.bytes.slice((header.dirty as usize).saturating_add(row), 1)[0] & CHANGED != 0
    }

    /// Tells the host where the new encodings of a column's dirty rows are.
    pub(crate) fn set_out(&self, column: usize, out: &[u8]) {
        let at = BLOCK_HEADER + column * COLUMN_HEADER + ColumnHeader::OUT;
        let address = out.as_ptr().expose_provenance() as u32;
        self.bytes.write(at, &address.to_le_bytes());
        self.bytes.write(at + 4, &(out.len() as u32).to_le_bytes());
        #[cfg(not(target_family = "wasm"))]
        crate::testing::keep_out(address, out);
    }
}
