//! One component of those rows of a query that have it.
#![expect(unsafe_code, reason = "hands out references into the batch")]

use std::{fmt, ptr};

use super::{Marks, decode, in_place, write_back};
use crate::{
    block::Block,
    change_detection::{Mut, Ref, Ticks},
    reflect::Reflect,
};

/// What an optional column keeps between two calls.
#[derive(Debug)]
pub struct OptionalState<T> {
    slots: Vec<Option<T>>,
    out: Vec<u8>,
    decoded: bool,
    ticks: Ticks,
}

impl<T> Default for OptionalState<T> {
    fn default() -> Self {
        Self { slots: Vec::new(), out: Vec::new(), decoded: false, ticks: Ticks::default() }
    }
}

/// The rows of an optional column, while a system runs.
pub struct OptionalColumn<T> {
    /// The decoded rows, or null when they are used where they stand.
    slots: *mut Option<T>,
    rows: *mut T,
    present: Present,
    marks: Marks,
}

impl<T> Clone for OptionalColumn<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for OptionalColumn<T> {}

impl<T> fmt::Debug for OptionalColumn<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OptionalColumn").field("rows", &self.rows).finish_non_exhaustive()
    }
}

impl<T: Reflect> OptionalState<T> {
    /// Column `index` of `block`. It is valid for as long as the block is and the state is left alone; if the state is
    /// moved, then only to be read, and without its marks.
    pub(crate) fn fetch(&mut self, block: &Block<'_>, index: usize, write: bool) -> OptionalColumn<T> {
        let header = block.header(index);
        let present = Present::fetch(block, index);
        let in_place = in_place(block, &header);
        self.decoded = in_place.is_none();
        if self.decoded {
            self.slots.clear();
            self.slots.extend((0..block.rows()).map(|row| {
                // SAFETY: the map belongs to the borrowed block, which has that row.
                let is_present = unsafe { present.has(row) };
                is_present.then(|| decode(block.row(&header, row), row))
            }));
        }
        OptionalColumn {
            slots: if self.decoded { self.slots.as_mut_ptr() } else { ptr::null_mut() },
            rows: in_place.unwrap_or(ptr::null_mut()),
            present,
            marks: Marks::new(block, index, write, &mut self.ticks),
        }
    }

    /// Writes the changed rows of a decoded column back into `block`.
    pub(crate) fn finish(&mut self, block: &Block<'_>, index: usize) {
        if self.decoded {
            write_back(block, index, &mut self.out, |row, out| {
                // Only rows that are there are handed out, so no other one is dirty.
                if let Some(value) = &self.slots[row] {
                    value.write(out);
                }
            });
        }
    }
}

impl<T> OptionalColumn<T> {
    /// The value of a row, if it has one.
    ///
    /// # Safety
    /// The column should be valid for `'a`, `row` be smaller than its number of rows, and the row not be borrowed mutably.
    #[inline]
    pub(crate) unsafe fn get<'a>(self, row: usize) -> Option<&'a T> {
        if self.slots.is_null() {
            // SAFETY: `fetch` checked that all rows are inside of the block and used where they stand; the rest is what
            // the caller promises.
            unsafe { self.present.has(row).then(|| &*self.rows.add(row)) }
        } else {
            // SAFETY: `fetch` made a slot for each row; the rest is what the caller promises.
            unsafe { &*self.slots.add(row) }.as_ref()
        }
    }

    /// The value of a row with its marks, if it has one.
    ///
    /// # Safety
    /// As for `get`, and the state from which the column was fetched should not have been moved.
    #[inline]
    pub(crate) unsafe fn get_ref<'a>(self, row: usize) -> Option<Ref<'a, T>> {
        // SAFETY: the caller promises the same.
        unsafe { self.get(row).map(|value| self.marks.of_ref(value, row)) }
    }

    /// The value of a row, to be changed, if it has one.
    ///
    /// # Safety
    /// The column should have been fetched for writing from a state that has not been moved and be valid for `'a`, `row`
    /// be smaller than its number of rows, and the row not be borrowed.
    #[inline]
    pub(crate) unsafe fn get_mut<'a>(self, row: usize) -> Option<Mut<'a, T>> {
        let value = if self.slots.is_null() {
            // SAFETY: as in `get`.
            unsafe { self.present.has(row).then(|| &mut *self.rows.add(row)) }
        } else {
            // SAFETY: as in `get`.
            unsafe { &mut *self.slots.add(row) }.as_mut()
        };
        // SAFETY: the caller promises what the marks ask for.
        value.map(|value| unsafe { self.marks.of_mut(value, row) })
    }
}

/// Which rows have a component: a bit for each, 64 to a word.
#[derive(Debug, Clone, Copy)]
pub struct Present(*const u8);

impl Present {
    /// The map of column `index` of `block`. It is valid for as long as the block is.
    pub(crate) fn fetch(block: &Block<'_>, index: usize) -> Self {
        Self(block.present(&block.header(index)))
    }

    /// Whether a row has the component.
    ///
    /// # Safety
    /// The map should be valid, and `row` be smaller than its number of rows.
    #[inline]
    pub(crate) unsafe fn has(self, row: usize) -> bool {
        // SAFETY: `Block::present` checked that there is a byte for each row.
        unsafe { *self.0.add(row) != 0 }
    }
}
