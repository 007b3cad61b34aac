//! What a block left in the mod's memory in the run before, so that only rows that changed since are written again. Which memory
//! that is, and whether it is still as the mod left it, is the caller's to know.
//!
//! Kept are the rows of whole tables. A segment counts as unchanged if the same entities stand in the same rows; of its rows those are
//! written again whose change tick has moved, and those that the mod itself has changed without marking them.
#![expect(unsafe_code, reason = "looks at tables while systems run")]

use std::{cell::UnsafeCell, ops::Range};

use bevy_ecs::{change_detection::Tick, entity::Entity, world::unsafe_world_cell::UnsafeWorldCell};
use mod_abi::batch::{ColumnHeader, STALE};

use crate::bridge::{
    gather::GatherError,
    plan::CopyPlan,
    rows::{Cells, Place, Segment},
    selection::Selection,
};

/// Rows that are written together if one of them has changed.
const GROUP: usize = 32;
/// A change tick older than this may have been moved by Bevy, which keeps ticks from growing without end.
const TOO_OLD: u32 = 1 << 30;

/// What is to be done with the memory of a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Keep {
    /// Nothing is known of it, and nothing has to be.
    Nothing,
    /// Nothing is known of it, but it is kept for the next run.
    Begin,
    /// It is as the mod left it after the run at `last`, all of whose changes are in the World.
    Since { last: Tick, this_run: Tick },
}

/// What stands in the memory of a block. Empty, it knows nothing.
#[derive(Debug, Default)]
pub(super) struct Kept {
    headers: Vec<ColumnHeader>,
    segments: Vec<Segment>,
    /// Whether each segment has the same entities in the same rows.
    same: Vec<bool>,
    /// Of all rows of whole tables.
    entities: Vec<Entity>,
    /// The run before and this one.
    ticks: Option<(Tick, Tick)>,
}

impl Keep {
    /// What the run at `last` left, if it can be compared with the change ticks of today.
    pub(crate) fn since(last: Tick, this_run: Tick) -> Self {
        if age(last, this_run) > TOO_OLD { Self::Begin } else { Self::Since { last, this_run } }
    }
}

impl Kept {
    /// Compares the rows with those of the run before, and remembers them for the next.
    ///
    /// # Safety
    /// The caller has the access of the selection's query.
    pub(super) unsafe fn update(
        &mut self,
        world: UnsafeWorldCell,
        selection: &Selection,
        keep: Keep,
    ) -> Result<(), GatherError> {
        self.same.clear();
        self.ticks = match keep {
            Keep::Since { last, this_run } => Some((last, this_run)),
            Keep::Begin | Keep::Nothing => None,
        };
        if self.ticks.is_none() {
            self.headers.clear();
            self.segments.clear();
        }
        if keep == Keep::Nothing {
            return Ok(());
        }
        // SAFETY: passed on.
        unsafe { self.compare(world, selection) }
    }

    /// # Safety
    /// As [`Kept::update`].
    unsafe fn compare(&mut self, world: UnsafeWorldCell, selection: &Selection) -> Result<(), GatherError> {
        self.entities.resize(selection.rows, Entity::PLACEHOLDER);
        for (index, segment) in selection.segments().iter().enumerate() {
            let was = self.segments.get(index) == Some(segment);
            let is_whole = segment.picked.is_none() && matches!(segment.place, Place::Table(_));
            let mut same = false;
            if is_whole {
                // SAFETY: only entity ids are read.
                let rows = unsafe { selection.rows_of(world, segment) }.ok_or(GatherError::Changed)?;
                let entities = rows.table_entities().ok_or(GatherError::Changed)?;
                let kept = &mut self.entities[segment.start..segment.start + segment.len];
                same = was && are_equal(kept, entities);
                if !same {
                    kept.copy_from_slice(entities);
                }
            }
            self.same.push(same);
        }
        self.segments.clear();
        self.segments.extend_from_slice(selection.segments());
        Ok(())
    }

    /// Whether a column is where it was, and as large. From then on it is expected there.
    pub(super) fn is_in_place(&mut self, index: usize, header: ColumnHeader) -> bool {
        match self.headers.get_mut(index) {
            Some(known) => std::mem::replace(known, header) == header,
            None => {
                self.headers.push(header);
                false
            }
        }
    }

    /// The ticks of the run before and of this one, if a segment has the same entities as then.
    pub(super) fn since(&self, segment: usize) -> Option<(Tick, Tick)> {
        self.ticks.filter(|_| self.same.get(segment) == Some(&true))
    }
}

/// Writes those rows of a segment again that have changed between two ticks, or that `dirty`, the segment's part of the map as
/// the mod left it, calls stale. `None` if the rows do not stand one after the other.
///
/// # Safety
/// The caller may read the component of `cells`, whose values are of the plan's type.
pub(super) unsafe fn write_changed(
    plan: &CopyPlan,
    cells: &Cells,
    (last, this_run): (Tick, Tick),
    dirty: Option<&[u8]>,
    out: &mut [u8],
) -> Option<()> {
    let (first, (_, changed)) = (cells.contiguous()?, cells.ticks()?);
    let (size, stride) = (plan.size(), plan.stride());
    let is_stale = |rows: Range<usize>| {
        dirty.and_then(|map| map.get(rows)).is_some_and(|map| map.iter().any(|mark| mark & STALE != 0))
    };
    let is_to_write = |from: usize| {
        let ticks = changed.get(from..(from + GROUP).min(changed.len())).unwrap_or_default();
        // SAFETY: the caller may read the component, and so its ticks.
        unsafe { has_changed(ticks, last, this_run) || is_stale(from..from + ticks.len()) }
    };
    let mut from = 0;
    while from < changed.len() {
        let mut end = from;
        while end < changed.len() && is_to_write(end) {
            end += GROUP;
        }
        let rows = from..end.min(changed.len());
        if !rows.is_empty() {
            let out = out.get_mut(rows.start * stride..rows.end * stride)?;
            // SAFETY: the values stand one after the other, and there is one for each tick; the rest is the caller's promise.
            unsafe { plan.write_rows(first.byte_add(rows.start * size), rows.len(), out) };
        }
        // The group at `end`, if there is one, was just looked at.
        from = end + GROUP;
    }
    Some(())
}

/// How many ticks ago something was.
fn age(tick: Tick, this_run: Tick) -> u32 {
    this_run.get().wrapping_sub(tick.get())
}

/// Whether any of these is newer than `last`.
///
/// # Safety
/// The caller may read the ticks.
unsafe fn has_changed(ticks: &[UnsafeCell<Tick>], last: Tick, this_run: Tick) -> bool {
    let known = age(last, this_run);
    // Without an early end, so that it is done many at a time.
    // SAFETY: passed on.
    ticks.iter().fold(false, |any, tick| any | (age(unsafe { *tick.get() }, this_run) < known))
}

/// As `==`, but many at a time.
fn are_equal(a: &[Entity], b: &[Entity]) -> bool {
    a.len() == b.len()
        && a.chunks(GROUP)
            .zip(b.chunks(GROUP))
            .all(|(a, b)| a.iter().zip(b).fold(0, |different, (a, b)| different | (a.to_bits() ^ b.to_bits())) == 0)
}
