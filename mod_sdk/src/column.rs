//! One component of all rows of a query: used where it stands when it can be, decoded otherwise.
#![expect(unsafe_code, reason = "hands out references into the batch")]

use std::{
    cell::Cell,
    fmt,
    ops::{Deref, DerefMut},
    ptr,
};

use crate::{block::Block, buffer::OwnedBuffer, reflect::Reflect};

/// What a column keeps between two calls: decoded rows and outgoing bytes, for their capacity.
#[derive(Debug)]
pub struct ColumnState<T> {
    rows: Vec<T>,
    out: Vec<u8>,
    decoded: bool,
}

impl<T> Default for ColumnState<T> {
    fn default() -> Self {
        Self { rows: Vec::new(), out: Vec::new(), decoded: false }
    }
}

/// The rows of a column, while a system runs.
pub struct Column<T> {
    rows: *mut T,
    /// Null for a column that is only read.
    dirty: *const Cell<u64>,
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
    /// Column `index` of `block`. It is valid for as long as the block is and the state is left alone.
    pub(crate) fn fetch(&mut self, block: &Block<'_>, index: usize, write: bool) -> Column<T> {
        let header = block.header(index);
        let stride = header.stride as usize;
        if stride > 0 && T::STRIDE != Some(stride) {
            panic!(
                "the game sends {stride} bytes for each {}, and the mod expects {:?}",
                std::any::type_name::<T>(),
                T::STRIDE
            );
        }
        let dirty = if write { block.dirty(&header).cast::<Cell<u64>>().cast_const() } else { ptr::null() };
        let data = block.data(&header, stride).cast::<T>();
        self.decoded = !(T::IN_PLACE.is_yes() && stride == size_of::<T>() && data.is_aligned());
        if !self.decoded {
            return Column { rows: data, dirty };
        }
        self.rows.clear();
        self.rows.extend((0..block.rows()).map(|row| decode(block.row(&header, row), row)));
        Column { rows: self.rows.as_mut_ptr(), dirty }
    }

    /// The only row of the only column of `block`, if there is one.
    pub(crate) fn fetch_first<'w>(&'w mut self, block: Block<'w>) -> Option<&'w T> {
        let column = self.fetch(&block, 0, false);
        // SAFETY: block and state are borrowed for `'w`, and there is such a row.
        (block.rows() > 0).then(|| unsafe { column.get(0) })
    }

    /// The only row of the only column of `block`, to be changed.
    pub(crate) fn fetch_first_mut<'w>(&'w mut self, block: Block<'w>) -> Option<Mut<'w, T>> {
        let column = self.fetch(&block, 0, true);
        // SAFETY: block and state are borrowed for `'w`, there is such a row, and nobody else borrows it.
        (block.rows() > 0).then(|| unsafe { column.get_mut(0) })
    }

    /// Writes the changed rows of a decoded column back into `block`.
    pub(crate) fn finish(&mut self, block: &Block<'_>, index: usize) {
        if !self.decoded {
            return;
        }
        let header = block.header(index);
        let fixed = header.stride > 0;
        self.out.clear();
        for word in 0..self.rows.len().div_ceil(64) {
            let mut bits = block.dirty_word(&header, word);
            while bits != 0 {
                let row = word * 64 + bits.trailing_zeros() as usize;
                bits &= bits - 1;
                self.rows[row].write(&mut self.out);
                if fixed {
                    block.write_row(&header, row, &self.out);
                    self.out.clear();
                }
            }
        }
        if !fixed {
            block.set_out(index, &self.out);
        }
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
        Ok(_) => panic!("row {row} of {} has {} bytes too many", std::any::type_name::<T>(), bytes.len()),
        Err(error) => panic!("row {row} of {} cannot be read: {error}", std::any::type_name::<T>()),
    }
}

impl<T> Column<T> {
    /// The value of a row.
    ///
    /// # Safety
    /// The column should be valid for `'a`, `row` be smaller than its number of rows, and the row not be borrowed mutably.
    pub(crate) unsafe fn get<'a>(self, row: usize) -> &'a T {
        // SAFETY: `fetch` checked that all rows are inside of the block or decoded them, and that they are values of `T`;
        // the rest is what the caller promises.
        unsafe { &*self.rows.add(row) }
    }

    /// The value of a row, to be changed.
    ///
    /// # Safety
    /// The column should have been fetched for writing and be valid for `'a`, `row` be smaller than its number of rows,
    /// and the row not be borrowed.
    pub(crate) unsafe fn get_mut<'a>(self, row: usize) -> Mut<'a, T> {
        // SAFETY: as in `get`, and the dirty map has a word for each 64 rows. A `Cell` has the memory of its content, and
        // nobody borrows the words otherwise.
        unsafe { Mut { value: &mut *self.rows.add(row), dirty: &*self.dirty.add(row / 64), row } }
    }
}

/// A value that the system may change: the `&mut T` of a query.
///
/// Reading it changes nothing. Borrowing it mutably, as an assignment to a field does, marks it as changed: only such
/// rows go back into the game, and only they are `Changed` there.
pub struct Mut<'a, T> {
    value: &'a mut T,
    dirty: &'a Cell<u64>,
    row: usize,
}

impl<T> Mut<'_, T> {
    /// Replaces the value if it differs, and says whether it did. An equal value is not marked as changed.
    pub fn set_if_neq(&mut self, value: T) -> bool
    where
        T: PartialEq,
    {
        let differs = *self.value != value;
        if differs {
            **self = value;
        }
        differs
    }
}

impl<'a, T> From<&'a mut T> for Mut<'a, T> {
    /// A value that a test keeps. The mark that it was changed is leaked.
    fn from(value: &'a mut T) -> Self {
        Self { value, dirty: Box::leak(Box::default()), row: 0 }
    }
}

impl<T> Deref for Mut<'_, T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        self.value
    }
}

impl<T> DerefMut for Mut<'_, T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        self.dirty.set(self.dirty.get() | 1_u64.wrapping_shl(self.row as u32));
        self.value
    }
}

impl<T: fmt::Debug> fmt::Debug for Mut<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.value.fmt(f)
    }
}
