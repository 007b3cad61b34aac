//! Batch to World: the rows that a mod changed go back, and are marked as changed exactly as Bevy would.
//!
//! Everything is checked before the first byte is stored: [`Changes::check`] reads what the mod left behind and refuses
//! it whole if any row is invalid, [`Changes::apply`] cannot fail on what a mod did.
#![expect(unsafe_code, reason = "writes components through pointers whose types are only known at run time")]

use std::ops::Range;

use bevy_ecs::{
    change_detection::{MaybeLocation, Tick},
    ptr::PtrMut,
    world::unsafe_world_cell::UnsafeWorldCell,
};
use bevy_reflect::TypeRegistry;
use mod_abi::{
    Buffer,
    batch::{BLOCK_HEADER, COLUMN_HEADER, ColumnHeader, dirty_map_bytes},
};
use thiserror::Error;

use crate::bridge::{
    gather::{Block, cells_of},
    plan::CopyPlan,
    query::Term,
    types::BoundType,
    value::{Input, Patch, ValueError},
};

/// What a mod left in its batch that the World cannot take.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ScatterError {
    /// A row holds bytes that are no value of its type.
    #[error("it wrote an invalid value into row {row} of {name}: {reason}")]
    Value {
        /// The type's short path.
        name: &'static str,
        /// The row, counted from zero.
        row: usize,
        /// What is wrong with the bytes.
        reason: String,
    },
    /// The dirty map has a bit for a row that there is not.
    #[error("it marked a row of {name} as written that lies past the last of {rows} rows")]
    PastTheEnd {
        /// The type's short path.
        name: &'static str,
        /// The number of rows.
        rows: usize,
    },
    /// The new rows of varying size are not where the mod says they are.
    #[error("its new rows of {name} cannot be read: {reason}")]
    Out {
        /// The type's short path.
        name: &'static str,
        /// Why.
        reason: String,
    },
    /// The batch is no longer what it was before the call.
    #[error("its batch is damaged")]
    Damaged,
}

/// The most bytes of new rows of varying size that a column may bring back in one call. Values that are built part by
/// part take many times their bytes.
const MAX_OUT: u32 = 4 << 20;

/// What one block brings back, checked.
#[derive(Debug, Default)]
pub(crate) struct Changes {
    columns: Vec<ColumnChanges>,
}

/// The changed rows of one column.
#[derive(Debug)]
struct ColumnChanges {
    index: usize,
    /// Where the column's fixed rows stand in the block.
    data: Range<usize>,
    /// The dirty map in the block.
    dirty: Range<usize>,
    /// Rows that do not go through a copy plan, in ascending order.
    patches: Vec<(usize, Patch)>,
    by_plan: bool,
}

impl Changes {
    /// Reads what the mod left in `bytes`, the block as it stands after the call.
    ///
    /// `guest` answers with the bytes at an address of the mod's memory.
    ///
    /// # Safety
    /// As [`Changes::apply`].
    pub(crate) unsafe fn check<'g>(
        block: &Block,
        bytes: &[u8],
        world: UnsafeWorldCell,
        guest: impl Fn(Buffer) -> Result<&'g [u8], String>,
        types: &TypeRegistry,
    ) -> Result<Self, ScatterError> {
        let mut changes = Self::default();
        for (index, column) in block.columns.iter().enumerate() {
            let Term::Data { ty, write: true } = &column.term else { continue };
            let place = |start: u32, len: usize| start as usize..start as usize + len;
            let dirty = place(column.header.dirty, dirty_map_bytes(block.rows));
            let data = place(column.header.data, column.header.data_len as usize);
            let map = bytes.get(dirty.clone()).ok_or(ScatterError::Damaged)?;
            if dirty_rows(map).marks_past(block.rows) {
                return Err(ScatterError::PastTheEnd { name: ty.name, rows: block.rows });
            }
            if map.iter().all(|byte| *byte == 0) {
                continue;
            }
            let rows = bytes.get(data.clone()).ok_or(ScatterError::Damaged)?;
            let stride = column.header.stride as usize;
            // SAFETY: passed on.
            let plan = unsafe { writing_plan(ty, block, world) };
            let mut patches = Vec::new();
            if stride == 0 && ty.stride.is_none() {
                let header = BLOCK_HEADER + index * COLUMN_HEADER;
                let header = bytes.get(header..).and_then(|bytes| bytes.first_chunk()).ok_or(ScatterError::Damaged)?;
                let header = ColumnHeader::from_bytes(header);
                let bad = |reason| ScatterError::Out { name: ty.name, reason };
                if header.out_len > MAX_OUT {
                    return Err(bad(format!("they take {} bytes, more than {MAX_OUT}", header.out_len)));
                }
                let out = guest(Buffer::new(header.out, header.out_len)).map_err(bad)?;
                patches = varying_rows(ty, map, out, types)?;
            } else {
                for row in dirty_rows(map).rows() {
                    let invalid = |source| invalid(ty, row, &source);
                    let bytes = rows.get(row * stride..(row + 1) * stride).ok_or(ScatterError::Damaged)?;
                    match plan {
                        Some(plan) => plan.check_row(bytes).map_err(invalid)?,
                        None => patches.push((row, Patch::read_all(bytes, ty.info, types).map_err(invalid)?)),
                    }
                }
            }
            changes.columns.push(ColumnChanges { index, data, dirty, patches, by_plan: plan.is_some() });
        }
        Ok(changes)
    }

    /// Whether nothing changed.
    pub(crate) fn is_empty(&self) -> bool {
        self.columns.is_empty()
    }

    /// Stores the changes. `bytes` is the block that was checked.
    ///
    /// # Safety
    /// The caller has the access that the block's query declares, and the structure of the World did not change since
    /// the block was measured.
    pub(crate) unsafe fn apply(
        self,
        block: &Block,
        bytes: &[u8],
        world: UnsafeWorldCell,
        tick: Tick,
    ) -> Result<(), ScatterError> {
        for column in self.columns {
            // SAFETY: passed on.
            unsafe { column.apply(block, bytes, world, tick)? };
        }
        Ok(())
    }
}

impl ColumnChanges {
    /// # Safety
    /// As [`Changes::apply`].
    unsafe fn apply(self, block: &Block, bytes: &[u8], world: UnsafeWorldCell, tick: Tick) -> Result<(), ScatterError> {
        let Some(Term::Data { ty, .. }) = block.columns.get(self.index).map(|column| &column.term) else {
            return Err(ScatterError::Damaged);
        };
        let stride = ty.stride.unwrap_or(0);
        let rows = bytes.get(self.data).ok_or(ScatterError::Damaged)?;
        let map = bytes.get(self.dirty).ok_or(ScatterError::Damaged)?;
        let mut dirty = dirty_rows(map).rows().peekable();
        let mut patches = self.patches.into_iter();
        let mut start = 0;
        for segment in &block.segments {
            // SAFETY: the caller may write this component.
            let cells = unsafe { cells_of(world, *segment, ty) }.map_err(|_| ScatterError::Damaged)?;
            let end = start + cells.len();
            let plan = ty.plan.get().and_then(Option::as_ref).filter(|_| self.by_plan);
            while let Some(row) = dirty.next_if(|row| *row < end) {
                let cell = cells.get(row - start).ok_or(ScatterError::Damaged)?;
                match plan {
                    // SAFETY: the caller may write this component, and the value is of the plan's type.
                    Some(plan) => unsafe {
                        plan.read_row(cell.value.as_ptr(), &rows[row * stride..(row + 1) * stride]);
                    },
                    None => {
                        let (_, patch) = patches.next().ok_or(ScatterError::Damaged)?;
                        // SAFETY: the caller may write this component, and nobody else looks at the value.
                        let value = unsafe { cell.value.assert_unique() };
                        patch_value(ty, row, patch, value)?;
                    }
                }
                // SAFETY: as above.
                unsafe { cell.set_changed(tick, MaybeLocation::caller()) };
            }
            start = end;
        }
        Ok(())
    }
}

/// The type's copy plan, if values may be written by it.
///
/// # Safety
/// As [`Changes::apply`].
unsafe fn writing_plan<'t>(ty: &'t BoundType, block: &Block, world: UnsafeWorldCell) -> Option<&'t CopyPlan> {
    let plan = ty.plan.get().and_then(Option::as_ref)?;
    if let Some(writes) = ty.writes_by_plan.get() {
        return writes.then_some(plan);
    }
    // SAFETY: the caller may write this component.
    let cells = block.segments.iter().find_map(|segment| unsafe { cells_of(world, *segment, ty) }.ok());
    let sample = cells.and_then(|cells| cells.get(0))?;
    let writes = *ty.writes_by_plan.get_or_init(|| {
        // SAFETY: the caller may write this component, and nobody else looks at the value, which is of the type that
        // `from_ptr` was made for.
        let sample = unsafe { ty.from_ptr.0.as_reflect_mut(sample.value.assert_unique()) };
        plan.may_write(sample)
    });
    writes.then_some(plan)
}

fn patch_value(ty: &BoundType, row: usize, patch: Patch, value: PtrMut) -> Result<(), ScatterError> {
    // SAFETY: the value is of the type that `from_ptr` was made for.
    let value = unsafe { ty.from_ptr.0.as_reflect_mut(value) };
    patch.apply(value.as_partial_reflect_mut()).map_err(|source| invalid(ty, row, &source))
}

fn invalid(ty: &BoundType, row: usize, source: &ValueError) -> ScatterError {
    ScatterError::Value { name: ty.name, row, reason: source.to_string() }
}

/// The new encodings of the dirty rows, one after the other.
fn varying_rows(
    ty: &BoundType,
    map: &[u8],
    out: &[u8],
    types: &TypeRegistry,
) -> Result<Vec<(usize, Patch)>, ScatterError> {
    let mut input = Input(out);
    let patches = dirty_rows(map).rows().map(|row| {
        let patch = Patch::read(&mut input, ty.info, types);
        patch.map(|patch| (row, patch)).map_err(|source| invalid(ty, row, &source))
    });
    let patches = patches.collect::<Result<Vec<_>, _>>()?;
    if input.0.is_empty() {
        Ok(patches)
    } else {
        Err(ScatterError::Out { name: ty.name, reason: ValueError::LeftOver(input.0.len()).to_string() })
    }
}

/// A dirty map: 64 rows to a little-endian `u64`, lowest bit first.
#[derive(Clone, Copy)]
struct DirtyMap<'a>(&'a [u8]);

fn dirty_rows(map: &[u8]) -> DirtyMap<'_> {
    DirtyMap(map)
}

impl<'a> DirtyMap<'a> {
    fn words(self) -> impl Iterator<Item = u64> + 'a {
        let (words, _) = self.0.as_chunks::<8>();
        words.iter().map(|word| u64::from_le_bytes(*word))
    }

    /// The marked rows, in ascending order.
    fn rows(self) -> impl Iterator<Item = usize> + 'a {
        self.words().enumerate().flat_map(|(index, mut word)| {
            std::iter::from_fn(move || {
                (word != 0).then(|| {
                    let bit = word.trailing_zeros() as usize;
                    word &= word - 1;
                    index * 64 + bit
                })
            })
        })
    }

    /// Whether a row is marked that is not one of the first `rows`.
    fn marks_past(self, rows: usize) -> bool {
        let last = self.words().enumerate().last();
        last.is_some_and(|(index, word)| word != 0 && index * 64 + (63 - word.leading_zeros() as usize) >= rows)
    }
}

#[cfg(test)]
mod tests {
    use super::dirty_rows;

    #[test]
    fn rows_of_a_dirty_map() {
        let mut map = [0_u8; 16];
        map[0] = 0b1000_0001;
        map[9] = 0b10;
        assert_eq!(dirty_rows(&map).rows().collect::<Vec<_>>(), [0, 7, 73]);
        assert!(dirty_rows(&map).marks_past(73));
        assert!(!dirty_rows(&map).marks_past(74));
        assert!(!dirty_rows(&[]).marks_past(0));
    }
}
