//! Batch to World: the rows that a mod changed go back, and are marked as changed exactly as Bevy would.
//!
//! Everything is checked before the first byte is stored: [`Changes::check`] reads what the mod left behind and refuses
//! it whole if any row is invalid, [`Changes::apply`] cannot fail on what a mod did.
#![expect(unsafe_code, reason = "writes components through pointers whose types are only known at run time")]

use std::ops::Range;

use bevy_ecs::{
    change_detection::{MaybeLocation, Tick},
    world::unsafe_world_cell::UnsafeWorldCell,
};
use mod_abi::{
    Buffer,
    batch::{BLOCK_HEADER, CHANGED, COLUMN_HEADER, ColumnHeader, dirty_map_bytes},
};
use thiserror::Error;

use crate::bridge::{
    crossing::Change,
    gather::{Block, cells_of},
    plan::CopyPlan,
    query::Term,
    rows::Cells,
    selection::Selection,
    types::BoundType,
    value::{Input, Reflection, ValueError},
};

/// What a mod left in its batch that the World cannot take.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ScatterError {
    /// A row holds bytes that are no value of its type.
    #[error("it wrote an invalid value into row {row} of {name}: {reason}")]
    Value {
        /// The type's short path.
        name: String,
        /// The row, counted from zero.
        row: usize,
        /// What is wrong with the bytes.
        reason: String,
    },
    /// The dirty map has a bit for a row that there is not.
    #[error("it marked a row of {name} as written that lies past the last of {rows} rows")]
    PastTheEnd {
        /// The type's short path.
        name: String,
        /// The number of rows.
        rows: usize,
    },
    /// The dirty map has a bit for a row that has no such component.
    #[error("it marked row {row} of {name} as written, which has no such component")]
    Absent {
        /// The type's short path.
        name: String,
        /// The row, counted from zero.
        row: usize,
    },
    /// The new rows of varying size are not where the mod says they are.
    #[error("its new rows of {name} cannot be read: {reason}")]
    Out {
        /// The type's short path.
        name: String,
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
    changes: Vec<Change>,
    /// The bytes of rows of varying size.
    varying: usize,
}

/// Bytes at an address of the mod's memory.
pub(crate) trait GuestBytes {
    fn at(&self, buffer: Buffer) -> Result<&[u8], String>;
}

impl Changes {
    /// Reads what the mod left in `bytes`, the block as it stands after the call.
    ///
    /// # Safety
    /// As [`Changes::apply`].
    pub(crate) unsafe fn check(
        &mut self,
        block: &Block,
        bytes: &[u8],
        world: UnsafeWorldCell,
        guest: &impl GuestBytes,
        reflection: Reflection,
    ) -> Result<(), ScatterError> {
        self.columns.clear();
        let selection = &block.selection;
        for (index, column) in block.columns.iter().enumerate() {
            let Term::Data { ty, write: true, optional } = &column.term else { continue };
            let place = |start: u32, len: usize| start as usize..start as usize + len;
            let map_bytes = dirty_map_bytes(selection.rows);
            let dirty = place(column.header.dirty, map_bytes);
            let data = place(column.header.data, column.header.data_len as usize);
            let map = bytes.get(dirty.clone()).ok_or(ScatterError::Damaged)?;
            if dirty_rows(map).marks_past(selection.rows) {
                return Err(ScatterError::PastTheEnd { name: ty.name().to_string(), rows: selection.rows });
            }
            if dirty_rows(map).rows().next().is_none() {
                continue;
            }
            if *optional {
                // SAFETY: passed on.
                unsafe { check_present(selection, ty, map, world)? };
            }
            let rows = bytes.get(data.clone()).ok_or(ScatterError::Damaged)?;
            let stride = column.header.stride as usize;
            // SAFETY: passed on.
            let plan = unsafe { writing_plan(ty, selection, world) };
            let (mut changes, mut varying) = (Vec::new(), 0);
            if ty.crossing.stride.is_none() {
                let header = BLOCK_HEADER + index * COLUMN_HEADER;
                let header = bytes.get(header..).and_then(|bytes| bytes.first_chunk()).ok_or(ScatterError::Damaged)?;
                let header = ColumnHeader::from_bytes(header);
                changes = varying_rows(ty, map, header, guest, reflection)?;
                varying = header.out_len as usize;
            } else if !plan.is_some_and(CopyPlan::accepts_all) {
                for row in dirty_rows(map).rows() {
                    let invalid = |source| invalid(ty, row, &source);
                    let bytes = rows.get(row * stride..(row + 1) * stride).ok_or(ScatterError::Damaged)?;
                    match plan {
                        Some(plan) => plan.check_row(bytes).map_err(invalid)?,
                        None => changes.push(ty.crossing.read_all(bytes, reflection).map_err(invalid)?),
                    }
                }
            }
            self.columns.push(ColumnChanges { index, data, dirty, changes, varying });
        }
        Ok(())
    }

    /// Stores the changes, and returns how many bytes they took. `bytes` is the block that was checked.
    ///
    /// # Safety
    /// The caller has the access that the block's query declares, and the structure of the World did not change since
    /// the block was measured.
    pub(crate) unsafe fn apply(
        &mut self,
        block: &Block,
        bytes: &[u8],
        world: UnsafeWorldCell,
        tick: Tick,
    ) -> Result<usize, ScatterError> {
        let mut taken = 0;
        for column in self.columns.drain(..) {
            // SAFETY: passed on.
            taken += unsafe { column.apply(block, bytes, world, tick)? };
        }
        Ok(taken)
    }
}

impl ColumnChanges {
    /// # Safety
    /// As [`Changes::apply`].
    unsafe fn apply(
        self,
        block: &Block,
        bytes: &[u8],
        world: UnsafeWorldCell,
        tick: Tick,
    ) -> Result<usize, ScatterError> {
        let Some(Term::Data { ty, .. }) = block.columns.get(self.index).map(|column| &column.term) else {
            return Err(ScatterError::Damaged);
        };
        let stride = ty.crossing.stride.unwrap_or(0);
        let rows = bytes.get(self.data).ok_or(ScatterError::Damaged)?;
        let map = dirty_rows(bytes.get(self.dirty).ok_or(ScatterError::Damaged)?);
        let plan = ty.crossing.known_writing_plan();
        let mut changes = self.changes.into_iter();
        let mut taken = self.varying;
        for segment in block.selection.segments() {
            // SAFETY: the caller may write this component.
            let Some(cells) = (unsafe { cells_of(world, &block.selection, segment, ty) }) else { continue };
            let end = segment.start + segment.len;
            for run in map.runs(segment.start..end) {
                let within = run.start - segment.start..run.end - segment.start;
                taken += run.len() * stride;
                match plan {
                    Some(plan) => {
                        let rows = rows.get(run.start * stride..run.end * stride).ok_or(ScatterError::Damaged)?;
                        // SAFETY: the caller may write this component, and nobody else looks at its values, which are of
                        // the plan's type.
                        unsafe { store_rows(plan, &cells, within, rows, tick)? };
                    }
                    None => {
                        for index in within {
                            let cell = cells.get(index).ok_or(ScatterError::Damaged)?;
                            let change = changes.next().ok_or(ScatterError::Damaged)?;
                            // SAFETY: the caller may write this component, and nobody else looks at the value.
                            let outcome = unsafe { ty.crossing.apply(change, cell.value.assert_unique()) };
                            outcome.map_err(|source| invalid(ty, segment.start + index, &source))?;
                            // SAFETY: as above.
                            unsafe { cell.set_changed(tick, MaybeLocation::caller()) };
                        }
                    }
                }
            }
        }
        Ok(taken)
    }
}

/// Stores the rows `within` a segment.
///
/// # Safety
/// The caller may write the component of `cells`, whose values are of the plan's type, and nobody else looks at them.
unsafe fn store_rows(
    plan: &CopyPlan,
    cells: &Cells,
    within: Range<usize>,
    rows: &[u8],
    tick: Tick,
) -> Result<(), ScatterError> {
    let by = MaybeLocation::caller();
    if cells.is_contiguous() {
        let first = cells.get(within.start).ok_or(ScatterError::Damaged)?;
        // SAFETY: the values of a contiguous segment stand one after the other; the rest is the caller's promise.
        unsafe {
            plan.read_rows(first.value.as_ptr(), within.len(), rows);
            return cells.set_changed(within, tick, by).ok_or(ScatterError::Damaged);
        }
    }
    let stride = plan.stride();
    for (index, at) in within.zip(0..) {
        let cell = cells.get(index).ok_or(ScatterError::Damaged)?;
        // SAFETY: the caller's promise.
        unsafe {
            plan.read_row(cell.value.as_ptr(), &rows[at * stride..(at + 1) * stride]);
            cell.set_changed(tick, by);
        }
    }
    Ok(())
}

/// Refuses rows that are marked as written and have no such component.
///
/// # Safety
/// As [`Changes::apply`].
unsafe fn check_present(
    selection: &Selection,
    ty: &BoundType,
    map: &[u8],
    world: UnsafeWorldCell,
) -> Result<(), ScatterError> {
    for segment in selection.segments() {
        // SAFETY: passed on.
        let cells = unsafe { cells_of(world, selection, segment, ty) };
        for row in dirty_rows(map).runs(segment.start..segment.start + segment.len).flatten() {
            if !cells.as_ref().is_some_and(|cells| cells.has(row - segment.start)) {
                return Err(ScatterError::Absent { name: ty.name().to_string(), row });
            }
        }
    }
    Ok(())
}

/// The type's copy plan, if values may be written by it.
///
/// # Safety
/// As [`Changes::apply`].
unsafe fn writing_plan<'t>(ty: &'t BoundType, selection: &Selection, world: UnsafeWorldCell) -> Option<&'t CopyPlan> {
    let sample = || {
        selection.segments().iter().find_map(|segment| {
            // SAFETY: the caller may write this component.
            let cells = unsafe { cells_of(world, selection, segment, ty)? };
            let cell = (0..cells.len()).find_map(|index| cells.get(index))?;
            // SAFETY: as above, and nobody else looks at the value.
            Some(unsafe { cell.value.assert_unique() })
        })
    };
    // SAFETY: the sample may be written.
    unsafe { ty.crossing.writing_plan(sample) }
}

fn invalid(ty: &BoundType, row: usize, source: &ValueError) -> ScatterError {
    ScatterError::Value { name: ty.name().to_string(), row, reason: source.to_string() }
}

/// The new encodings of the dirty rows, one after the other.
fn varying_rows(
    ty: &BoundType,
    map: &[u8],
    header: ColumnHeader,
    guest: &impl GuestBytes,
    reflection: Reflection,
) -> Result<Vec<Change>, ScatterError> {
    let bad = |reason| ScatterError::Out { name: ty.name().to_string(), reason };
    if header.out_len > MAX_OUT {
        return Err(bad(format!("they take {} bytes, more than {MAX_OUT}", header.out_len)));
    }
    let mut input = Input(guest.at(Buffer::new(header.out, header.out_len)).map_err(bad)?);
    let changes = dirty_rows(map).rows().map(|row| {
        let change = ty.crossing.read(&mut input, reflection);
        change.map_err(|source| invalid(ty, row, &source))
    });
    let changes = changes.collect::<Result<Vec<_>, _>>()?;
    input.finish().map_err(|error| bad(error.to_string()))?;
    Ok(changes)
}

/// A dirty map: a byte for each row, whose lowest bit says that it has changed, and zeros up to a multiple of eight.
#[derive(Clone, Copy)]
struct DirtyMap<'a>(&'a [u8]);

fn dirty_rows(map: &[u8]) -> DirtyMap<'_> {
    DirtyMap(map)
}

impl<'a> DirtyMap<'a> {
    /// The marked rows, in ascending order.
    fn rows(self) -> impl Iterator<Item = usize> + 'a {
        self.runs(0..self.0.len()).flatten()
    }

    /// The marked rows among `rows`, as runs of neighbours.
    fn runs(self, rows: Range<usize>) -> impl Iterator<Item = Range<usize>> + 'a {
        let (map, end) = (self.0, rows.end.min(self.0.len()));
        let mut at = rows.start;
        std::iter::from_fn(move || {
            let start = skip(map, at..end, |word| word & ALL_CHANGED == 0, |byte| byte & CHANGED == 0);
            at = skip(map, start..end, |word| word & ALL_CHANGED == ALL_CHANGED, |byte| byte & CHANGED != 0);
            (start < end).then_some(start..at)
        })
    }

    /// Whether a row is marked that is not one of the first `rows`.
    fn marks_past(self, rows: usize) -> bool {
        self.0.get(rows..).is_some_and(|rest| rest.iter().any(|byte| *byte != 0))
    }
}

/// Eight rows that have changed.
const ALL_CHANGED: u64 = u64::from_le_bytes([CHANGED; 8]);

/// The first of `rows` that is not to be skipped, or their end: eight at a time, and then one by one.
fn skip(map: &[u8], rows: Range<usize>, whole: impl Fn(u64) -> bool, one: impl Fn(u8) -> bool) -> usize {
    let rest = map.get(rows.clone()).unwrap_or_default();
    let (words, _) = rest.as_chunks::<8>();
    let words = words.iter().take_while(|word| whole(u64::from_le_bytes(**word))).count();
    let bytes = rest.iter().skip(words * 8).take_while(|byte| one(**byte)).count();
    rows.start + words * 8 + bytes
}

#[cfg(test)]
mod tests {
    use std::ops::Range;

    use proptest::{
        collection::vec,
        prelude::{Just, ProptestConfig, Strategy, any, prop_assert_eq, prop_oneof, proptest},
    };

    use super::dirty_rows;

    #[test]
    fn rows_of_a_dirty_map() {
        let mut map = [0_u8; 80];
        (map[0], map[7], map[8], map[9], map[73]) = (1, 1, 255, 2, 1);
        assert_eq!(dirty_rows(&map).rows().collect::<Vec<_>>(), [0, 7, 8, 73]);
        assert_eq!(dirty_rows(&map).runs(0..80).collect::<Vec<_>>(), [0..1, 7..9, 73..74]);
        assert!(dirty_rows(&map).runs(1..73).eq(std::iter::once(7..9)));
        assert!(dirty_rows(&[1; 104]).runs(3..100).eq(std::iter::once(3..100)));
        assert!(dirty_rows(&map).marks_past(73));
        assert!(!dirty_rows(&map).marks_past(74));
        assert!(!dirty_rows(&[]).marks_past(0));
    }

    /// Stretches of rows that are marked, rows that are not, and bytes that no SDK would write.
    fn map() -> impl Strategy<Value = Vec<u8>> {
        let stretch = prop_oneof![
            (Just(0_u8), 0..30_usize).prop_map(|(byte, len)| vec![byte; len]),
            (Just(1_u8), 0..30_usize).prop_map(|(byte, len)| vec![byte; len]),
            vec(any::<u8>(), 0..10),
        ];
        vec(stretch, 0..6).prop_map(|stretches| stretches.concat())
    }

    fn naive_runs(map: &[u8], rows: Range<usize>) -> Vec<Range<usize>> {
        let mut runs: Vec<Range<usize>> = Vec::new();
        for row in rows.filter(|row| map.get(*row).is_some_and(|byte| byte & 1 == 1)) {
            match runs.last_mut() {
                Some(last) if last.end == row => last.end = row + 1,
                _ => runs.push(row..row + 1),
            }
        }
        runs
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: if cfg!(miri) { 16 } else { 256 }, ..Default::default() })]

        #[test]
        fn runs_are_what_one_look_at_each_row_finds(map in map(), start in 0..120_usize, len in 0..120_usize) {
            let rows = start..start + len;
            prop_assert_eq!(dirty_rows(&map).runs(rows.clone()).collect::<Vec<_>>(), naive_runs(&map, rows));
            let all: Vec<usize> = naive_runs(&map, 0..map.len()).into_iter().flatten().collect();
            prop_assert_eq!(dirty_rows(&map).marks_past(start), map.iter().skip(start).any(|byte| *byte != 0));
            prop_assert_eq!(dirty_rows(&map).rows().collect::<Vec<_>>(), all);
        }
    }
}
