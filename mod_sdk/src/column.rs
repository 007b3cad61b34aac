//! One component of all rows of a query: used where it stands when it can be, decoded otherwise.
#![expect(unsafe_code, reason = "hands out references into the batch")]

mod optional;

use std::{any::type_name, cell::Cell, fmt, ptr};

use mod_abi::batch::ColumnHeader;
pub(crate) use optional::{OptionalColumn, OptionalState, Present};

use crate::{
    block::Block,
    buffer::OwnedBuffer,
    change_detection::{Mut, Ref, Ticks},
    reflect::Reflect,
};

/// What a column keeps between two calls: decoded rows and outgoing bytes, for their capacity.
#[derive(Debug)]
pub struct ColumnState<T> {
    rows: Vec<T>,
    out: Vec<u8>,
    decoded: bool,
    ticks: Ticks,
}

impl<T> Default for ColumnState<T> {
    fn default() -> Self {
        Self { rows: Vec::new(), out: Vec::new(), decoded: false, ticks: Ticks::default() }
    }
}

/// The rows of a column, while a system runs.
pub struct Column<T> {
    rows: *mut T,
    marks: Marks,
}

impl<T> Clone for Column<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Column<T> {}

impl<T> fmt::Debug for Column<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Column").field("rows", &self.rows).finish_non_exhaustive()
    }
}

impl<T: Reflect> ColumnState<T> {
    /// Column `index` of `block`. It is valid for as long as the block is and the state is left alone; if the state is
    /// moved, then only to be read, and without its marks.
    pub(crate) fn fetch(&mut self, block: &Block<'_>, index: usize, write: bool) -> Column<T> {
        let header = block.header(index);
        let in_place = in_place(block, &header);
        self.decoded = in_place.is_none();
        let rows = in_place.unwrap_or_else(|| {
            self.rows.clear();
            self.rows.extend((0..block.rows()).map(|row| decode(block.row(&header, row), row)));
            self.rows.as_mut_ptr()
        });
        Column { rows, marks: Marks::new(block, index, write, &mut self.ticks) }
    }

    /// The only row of the only column of `block`, if there is one.
    pub(crate) fn fetch_first<'w>(&'w mut self, block: Block<'w>) -> Option<Ref<'w, T>> {
        let column = self.fetch(&block, 0, false);
        // SAFETY: block and state are borrowed for `'w`, and there is such a row.
        (block.rows() > 0).then(|| unsafe { column.get_ref(0) })
    }

    /// All rows of the only column of `block`.
    pub(crate) fn fetch_all<'w>(&'w mut self, block: Block<'w>) -> &'w [T] {
        let column = self.fetch(&block, 0, false);
        // SAFETY: block and state are borrowed for `'w`, and the column has that many rows, one behind the other.
        unsafe { std::slice::from_raw_parts(column.rows, block.rows()) }
    }

    /// The only row of the only column of `block`, to be changed.
    pub(crate) fn fetch_first_mut<'w>(&'w mut self, block: Block<'w>) -> Option<Mut<'w, T>> {
        let column = self.fetch(&block, 0, true);
        // SAFETY: block and state are borrowed for `'w`, there is such a row, and nobody else borrows it.
        (block.rows() > 0).then(|| unsafe { column.get_mut(0) })
    }

    /// Writes the changed rows of a decoded column back into `block`.
    pub(crate) fn finish(&mut self, block: &Block<'_>, index: usize) {
        if self.decoded {
            write_back(block, index, &mut self.out, |row, out| self.rows[row].write(out));
        }
    }
}

/// The rows of a column as they stand in the batch, if they need no decoding.
fn in_place<T: Reflect>(block: &Block<'_>, header: &ColumnHeader) -> Option<*mut T> {
    let stride = header.stride as usize;
    if stride > 0 && T::STRIDE != Some(stride) {
        panic!("the game sends {stride} bytes for each {}, and the mod expects {:?}", type_name::<T>(), T::STRIDE);
    }
    let data = block.data(header, stride).cast::<T>();
    (T::IN_PLACE.is_yes() && stride == size_of::<T>() && data.is_aligned()).then_some(data)
}

/// Writes the dirty rows of a decoded column back, each as `write` encodes it.
fn write_back(block: &Block<'_>, index: usize, out: &mut Vec<u8>, mut write: impl FnMut(usize, &mut Vec<u8>)) {
    let header = block.header(index);
    let fixed = header.stride > 0;
    out.clear();
    for row in (0..block.rows()).filter(|row| block.is_dirty(&header, *row)) {
        write(row, out);
        if fixed {
            block.write_row(&header, row, out);
            out.clear();
        }
    }
    if !fixed {
        block.set_out(index, out);
    }
}

/// A copy of the first row of an answer that is a block of one column, if it has a row.
pub(crate) fn decode_first<T: Reflect>(answer: &OwnedBuffer) -> Option<T> {
    let block = Block::of_answer(answer);
    (block.rows() > 0).then(|| decode(block.row(&block.header(0), 0), 0))
}

fn decode<T: Reflect>(mut bytes: &[u8], row: usize) -> T {
    let value = T::read(&mut bytes);
    match value {
        Ok(value) if bytes.is_empty() => value,
        Ok(_) => panic!("row {row} of {} has {} bytes too many", type_name::<T>(), bytes.len()),
        Err(error) => panic!("row {row} of {} cannot be read: {error}", type_name::<T>()),
    }
}

impl<T> Column<T> {
    /// The value of a row.
    ///
    /// # Safety
    /// The column should be valid for `'a`, `row` be smaller than its number of rows, and the row not be borrowed mutably.
    #[inline]
    pub(crate) unsafe fn get<'a>(self, row: usize) -> &'a T {
        // SAFETY: `fetch` checked that all rows are inside of the block or decoded them, and that they are values of `T`;
        // the rest is what the caller promises.
        unsafe { &*self.rows.add(row) }
    }

    /// The value of a row, with its marks.
    ///
    /// # Safety
    /// As for `get`, and the state from which the column was fetched should not have been moved.
    #[inline]
    pub(crate) unsafe fn get_ref<'a>(self, row: usize) -> Ref<'a, T> {
        // SAFETY: the caller promises the same.
        unsafe { self.marks.of_ref(self.get(row), row) }
    }

    /// The value of a row, to be changed.
    ///
    /// # Safety
    /// The column should have been fetched for writing from a state that has not been moved and be valid for `'a`, `row`
    /// be smaller than its number of rows, and the row not be borrowed.
    #[inline]
    pub(crate) unsafe fn get_mut<'a>(self, row: usize) -> Mut<'a, T> {
        // SAFETY: as in `get`, and the caller promises what the marks ask for.
        unsafe { self.marks.of_mut(&mut *self.rows.add(row), row) }
    }
}

/// Where a column's marks are: those that this run sets, and those of the game.
#[derive(Debug, Clone, Copy)]
struct Marks {
    /// Null for a column that is only read.
    dirty: *const Cell<u8>,
    ticks: *const Ticks,
}

impl Marks {
    /// The marks of column `index` of `block`, with `ticks` for what the game will say.
    fn new(block: &Block<'_>, index: usize, write: bool, ticks: &mut Ticks) -> Self {
        *ticks = Ticks::new(block, index);
        let dirty = if write { block.dirty(&block.header(index)).cast::<Cell<u8>>().cast_const() } else { ptr::null() };
        Self { dirty, ticks: ptr::from_mut(ticks).cast_const() }
    }

    /// # Safety
    /// The marks should be of a column to write and valid for `'a`, and `row` smaller than its number of rows.
    #[inline]
    unsafe fn of_mut<'a, T>(self, value: &'a mut T, row: usize) -> Mut<'a, T> {
        // SAFETY: the dirty map has a byte for each row. A `Cell` has the memory of its content, and nobody borrows
        // the words otherwise. The ticks are only ever shared.
        unsafe { Mut::new(value, &*self.dirty.add(row), &*self.ticks, row) }
    }

    /// # Safety
    /// The marks should be valid for `'a`, and `row` smaller than the column's number of rows.
    #[inline]
    unsafe fn of_ref<'a, T>(self, value: &'a T, row: usize) -> Ref<'a, T> {
        // SAFETY: as in `of_mut`; the map is only there for a column to write.
        let dirty = (!self.dirty.is_null()).then(|| unsafe { &*self.dirty.add(row) });
        // SAFETY: the ticks are only ever shared.
        Ref::new(value, dirty, unsafe { &*self.ticks }, row)
    }
}
