//! Which rows of a column are new to a system: computed only when the mod asks.
#![expect(unsafe_code, reason = "reads the ticks of rows whose types are only known at run time")]

use std::cell::UnsafeCell;

use bevy_ecs::{change_detection::Tick, world::unsafe_world_cell::UnsafeWorldCell};
use mod_abi::batch::dirty_map_bytes;

use crate::bridge::{
    filter::Ticks,
    gather::{Block, cells_of},
    query::Term,
};

/// Writes two maps in the form of a dirty map: the rows that changed, and those that were added.
///
/// # Safety
/// The caller may read the column's component.
pub(super) unsafe fn new_rows(
    block: &Block,
    column: u32,
    world: UnsafeWorldCell,
    ticks: Ticks,
    out: &mut Vec<u8>,
) -> Result<(), String> {
    let term = usize::try_from(column).ok().and_then(|column| block.columns.get(column)).map(|column| &column.term);
    let Some(Term::Data { ty, .. }) = term else { return Err(format!("column {column} holds no component")) };
    let bytes = dirty_map_bytes(block.selection.rows);
    out.clear();
    out.resize(bytes * 2, 0);
    let (changed, added) = out.split_at_mut(bytes);
    for segment in block.selection.segments() {
        // SAFETY: passed on.
        let Some(cells) = (unsafe { cells_of(world, &block.selection, segment, ty) }) else { continue };
        match cells.ticks() {
            Some((added_ticks, changed_ticks)) => {
                // SAFETY: passed on.
                unsafe {
                    mark(changed, segment.start, changed_ticks.iter(), ticks);
                    mark(added, segment.start, added_ticks.iter(), ticks);
                }
            }
            None => {
                for (row, cell) in (0..segment.len).filter_map(|index| Some((segment.start + index, cells.get(index)?)))
                {
                    // SAFETY: passed on.
                    unsafe {
                        mark(changed, row, std::iter::once(cell.changed), ticks);
                        mark(added, row, std::iter::once(cell.added), ticks);
                    }
                }
            }
        }
    }
    Ok(())
}

/// Marks those rows, from `start` on, whose ticks are new.
///
/// # Safety
/// Nobody writes the ticks meanwhile.
unsafe fn mark<'w>(map: &mut [u8], start: usize, of_rows: impl Iterator<Item = &'w UnsafeCell<Tick>>, ticks: Ticks) {
    for (index, tick) in of_rows.enumerate() {
        // SAFETY: the caller's promise.
        map[start + index] = u8::from(ticks.is_new(unsafe { *tick.get() }));
    }
}
