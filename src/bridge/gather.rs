//! World to batch: the rows of a query or a resource as a block of columns.
//!
//! A [`Block`] lives as long as its system and keeps its buffers, so that a frame allocates nothing. Each frame has two
//! steps, because the size has to be known before there is a place to write to: [`Block::measure`] finds the rows and
//! lays them out, [`Block::write`] copies them.
#![expect(unsafe_code, reason = "reads components through pointers whose types are only known at run time")]

use std::sync::Arc;

use bevy_ecs::{
    change_detection::Tick,
    component::ComponentId,
    entity::Entity,
    query::FilteredAccess,
    resource::IS_RESOURCE,
    world::{World, unsafe_world_cell::UnsafeWorldCell},
};
use mod_abi::batch::{BLOCK_HEADER, COLUMN_HEADER, ColumnHeader, dirty_map_bytes};
use thiserror::Error;

pub(crate) use self::kept::Keep;
use self::{
    kept::{Kept, write_changed},
    layout::Layout,
};
use crate::bridge::{
    crossing::Crossing,
    filter::Ticks,
    query::{BoundQuery, Term},
    rows::{Cells, Rows, Segment},
    selection::Selection,
    types::BoundType,
    value::{Reflection, ValueError},
};

mod kept;
mod layout;

/// Rows that could not be given to a mod.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub(crate) enum GatherError {
    #[error("what it should read takes more bytes than its memory may have")]
    TooLarge,
    #[error("a value of {name} could not be read: {source}")]
    Value { name: String, source: ValueError },
    #[error("the World changed while its rows were read")]
    Changed,
    #[error("another version of the mod that defines {name} gave it another form; reload this one")]
    Redefined { name: String },
}

/// Where the rows of a block come from.
#[derive(Debug)]
enum Source {
    Query,
    Resource {
        component: ComponentId,
        optional: bool,
    },
    /// They were put there: messages, or what an observer was woken by.
    Values,
}

/// A query's or a resource's rows, laid out.
#[derive(Debug)]
pub(crate) struct Block {
    source: Source,
    pub(super) columns: Vec<Column>,
    pub(super) selection: Selection,
    bytes: usize,
    kept: Kept,
}

/// One column of a block.
#[derive(Debug)]
pub(super) struct Column {
    pub(super) term: Term,
    pub(super) header: ColumnHeader,
    /// Rows that are encoded while measuring: their bytes, and where each starts.
    data: Vec<u8>,
    offsets: Vec<u32>,
}

impl Column {
    fn new(term: Term) -> Self {
        Self { term, header: ColumnHeader::default(), data: Vec::new(), offsets: Vec::new() }
    }

    fn stride(&self) -> Option<usize> {
        match &self.term {
            Term::Entity => Some(size_of::<u64>()),
            Term::Has(_) => Some(0),
            Term::Data { ty, .. } => ty.crossing.stride,
            Term::Value(crossing) => crossing.stride,
        }
    }

    fn is_written(&self) -> bool {
        matches!(self.term, Term::Data { write: true, .. })
    }
}

impl Block {
    /// A block for the rows of a query.
    pub(crate) fn of_query(query: BoundQuery) -> Self {
        let selection = Selection::of_query(query.access, query.filter);
        Self::new(Source::Query, selection, query.terms)
    }

    /// A block for a resource: one row, or none while the resource is missing.
    pub(crate) fn of_resource(component: ComponentId, term: Term, optional: bool) -> Self {
        Self::new(Source::Resource { component, optional }, Selection::nothing(), vec![term])
    }

    /// A block for values that are no components, such as messages.
    pub(crate) fn of_values(crossing: Arc<Crossing>) -> Self {
        Self::new(Source::Values, Selection::nothing(), vec![Term::Value(crossing)])
    }

    fn new(source: Source, selection: Selection, terms: Vec<Term>) -> Self {
        Self {
            source,
            columns: terms.into_iter().map(Column::new).collect(),
            selection,
            bytes: 0,
            kept: Kept::default(),
        }
    }

    /// A block without rows, for a query that cannot match yet.
    pub(crate) fn empty(columns: usize) -> Self {
        Self::new(Source::Query, Selection::nothing(), vec![Term::Entity; columns])
    }

    /// Reads the rows, or only those of `entity`, into a block of its own.
    pub(crate) fn read(
        &mut self,
        world: &World,
        reflection: Reflection,
        entity: Option<Entity>,
        limit: usize,
        out: &mut Vec<u8>,
    ) -> Result<(), GatherError> {
        let ticks = Ticks { last_run: world.last_change_tick(), this_run: world.read_change_tick() };
        let world = world.as_unsafe_world_cell_readonly();
        // SAFETY: the cell comes from a `&World`, which may read everything and keeps it from changing.
        unsafe {
            let bytes = match entity {
                Some(entity) => self.measure_one(world, reflection, ticks, entity, limit)?,
                None => self.measure(world, reflection, ticks, limit)?,
            };
            out.clear();
            out.resize(bytes, 0);
            self.write(world, reflection, Keep::Nothing, out)
        }
    }

    /// How many rows there are, without reading them.
    pub(crate) fn count(&mut self, world: &World) -> Result<usize, GatherError> {
        let ticks = Ticks { last_run: world.last_change_tick(), this_run: world.read_change_tick() };
        // SAFETY: the cell comes from a `&World`, which may read everything and keeps it from changing.
        unsafe { self.select(world.as_unsafe_world_cell_readonly(), ticks)? };
        Ok(self.selection.rows)
    }

    /// What the scheduler has to know of this block.
    pub(crate) fn access(&self) -> FilteredAccess {
        let component = match &self.source {
            Source::Query => return self.selection.access().clone(),
            Source::Values => return FilteredAccess::matches_nothing(),
            Source::Resource { component, .. } => *component,
        };
        let mut access = FilteredAccess::default();
        access.and_with(IS_RESOURCE);
        if self.columns.iter().any(Column::is_written) {
            access.add_write(component);
        } else {
            access.add_read(component);
        }
        access
    }

    /// The short path of the first type that the block holds, for messages.
    pub(crate) fn name(&self) -> &str {
        self.columns.iter().find_map(Column::name).unwrap_or("Entity")
    }

    /// Whether this block is a resource that is missing and has to be there.
    pub(crate) fn is_missing(&self) -> bool {
        matches!(self.source, Source::Resource { optional: false, .. }) && self.selection.rows == 0
    }

    /// Starts a new list of values that are no components.
    pub(crate) fn clear_values(&mut self) {
        for column in &mut self.columns {
            column.data.clear();
            column.offsets.clear();
            if column.stride().is_none() {
                column.offsets.push(0);
            }
        }
        self.selection.rows = 0;
    }

    /// Adds a value to the list, which was started.
    pub(crate) fn push_value(
        &mut self,
        encode: impl FnOnce(&Crossing, &mut Vec<u8>) -> Result<(), ValueError>,
    ) -> Result<(), GatherError> {
        let Some(column) = self.columns.first_mut() else { return Ok(()) };
        let Term::Value(crossing) = &column.term else { return Ok(()) };
        let failed = |source| GatherError::Value { name: crossing.name.to_string(), source };
        let start = column.data.len();
        encode(crossing, &mut column.data).map_err(failed)?;
        match crossing.stride {
            Some(stride) if column.data.len() - start != stride => {
                return Err(failed(ValueError::Unexpected(crossing.path.to_string())));
            }
            Some(_) => {}
            None => column.offsets.push(u32::try_from(column.data.len()).map_err(|_| GatherError::TooLarge)?),
        }
        self.selection.rows += 1;
        Ok(())
    }

    /// Bytes of the list of values.
    pub(crate) fn value_bytes(&self) -> usize {
        self.columns.iter().map(|column| column.data.len()).sum()
    }

    /// Finds the rows and returns the bytes that the block takes, which are at most `limit`.
    ///
    /// # Safety
    /// The caller has the access that the block's query declares.
    pub(crate) unsafe fn measure(
        &mut self,
        world: UnsafeWorldCell,
        reflection: Reflection,
        ticks: Ticks,
        limit: usize,
    ) -> Result<usize, GatherError> {
        // SAFETY: passed on.
        unsafe {
            self.select(world, ticks)?;
            self.lay_out(world, reflection, limit)
        }
    }

    /// # Safety
    /// The caller has the access that the block's query declares.
    unsafe fn select(&mut self, world: UnsafeWorldCell, ticks: Ticks) -> Result<(), GatherError> {
        match &self.source {
            // SAFETY: passed on.
            Source::Query => unsafe { self.selection.update(world, ticks) },
            Source::Resource { component, .. } => {
                // SAFETY: the caller may read this resource.
                let entity = unsafe { world.resource_entities() }.get(*component);
                // A resource that was removed leaves its entity behind.
                let holds =
                    |entity: &Entity| world.get_entity(*entity).is_ok_and(|entity| entity.contains_id(*component));
                self.selection.set_entity(entity.filter(holds));
                Ok(())
            }
            Source::Values => Ok(()),
        }
    }

    /// As [`Block::measure`], but for one entity: one row, or none if it does not match.
    ///
    /// # Safety
    /// The caller has the access that the block's query declares.
    unsafe fn measure_one(
        &mut self,
        world: UnsafeWorldCell,
        reflection: Reflection,
        ticks: Ticks,
        entity: Entity,
        limit: usize,
    ) -> Result<usize, GatherError> {
        // SAFETY: passed on.
        unsafe {
            let matches = matches!(self.source, Source::Query) && self.selection.matches(world, entity, ticks);
            self.selection.set_entity(Some(entity).filter(|_| matches));
            self.lay_out(world, reflection, limit)
        }
    }

    /// # Safety
    /// The caller has the access that the block's query declares.
    unsafe fn lay_out(
        &mut self,
        world: UnsafeWorldCell,
        reflection: Reflection,
        limit: usize,
    ) -> Result<usize, GatherError> {
        let rows = self.selection.rows;
        if u32::try_from(rows).is_err() {
            return Err(GatherError::TooLarge);
        }
        let mut layout = Layout::after_headers(self.columns.len(), limit)?;
        for column in &mut self.columns {
            column.header = ColumnHeader::default();
            match column.stride() {
                Some(stride) => {
                    let len = rows.checked_mul(stride).ok_or(GatherError::TooLarge)?;
                    column.header.stride = u32::try_from(stride).map_err(|_| GatherError::TooLarge)?;
                    (column.header.data, column.header.data_len) = layout.place(len)?;
                }
                None => {
                    if !matches!(self.source, Source::Values) {
                        // SAFETY: passed on.
                        unsafe { column.encode(world, reflection, &self.selection, limit)? };
                    }
                    (column.header.data, column.header.data_len) = layout.place(column.data.len())?;
                    column.header.offsets = layout.place(column.offsets.len() * 4)?.0;
                }
            }
            if column.is_written() {
                column.header.dirty = layout.place(dirty_map_bytes(rows))?.0;
            }
            if matches!(column.term, Term::Has(_) | Term::Data { optional: true, .. }) {
                column.header.present = layout.place(dirty_map_bytes(rows))?.0;
            }
        }
        self.bytes = layout.end;
        Ok(self.bytes)
    }

    /// Writes the block into `out`, which has the size that was measured. What `out` holds is `keep`'s to say.
    ///
    /// # Safety
    /// The caller has the access that the block's query declares, and nothing of the World changed since the block
    /// was measured.
    pub(crate) unsafe fn write(
        &mut self,
        world: UnsafeWorldCell,
        reflection: Reflection,
        keep: Keep,
        out: &mut [u8],
    ) -> Result<(), GatherError> {
        let mut kept = std::mem::take(&mut self.kept);
        // SAFETY: passed on.
        let written = unsafe {
            kept.update(world, &self.selection, keep)
                .and_then(|()| self.write_parts(world, reflection, keep, &mut kept, out))
        };
        self.kept = kept;
        written
    }

    /// # Safety
    /// As [`Block::write`].
    unsafe fn write_parts(
        &self,
        world: UnsafeWorldCell,
        reflection: Reflection,
        keep: Keep,
        kept: &mut Kept,
        out: &mut [u8],
    ) -> Result<(), GatherError> {
        let rows = self.selection.rows;
        let words = [rows, self.columns.len(), self.bytes, 0];
        for (place, word) in out.chunks_exact_mut(4).zip(words) {
            place.copy_from_slice(&u32::try_from(word).map_err(|_| GatherError::TooLarge)?.to_le_bytes());
        }
        for (index, column) in self.columns.iter().enumerate() {
            let header = BLOCK_HEADER + index * COLUMN_HEADER;
            out[header..header + COLUMN_HEADER].copy_from_slice(&column.header.to_bytes());
            let place = |start: u32, len: usize| start as usize..start as usize + len;
            let data = place(column.header.data, column.header.data_len as usize);
            let in_place = keep != Keep::Nothing && kept.is_in_place(index, column.header);
            if let (1.., Term::Has(ty) | Term::Data { ty, .. }) = (column.header.present, &column.term) {
                let map = &mut out[place(column.header.present, dirty_map_bytes(rows))];
                // SAFETY: passed on.
                unsafe { self.write_present(world, ty, map)? };
            }
            match (&column.term, column.header.stride as usize) {
                (Term::Has(_), _) => {}
                // SAFETY: passed on.
                (Term::Entity, _) => unsafe { self.write_entities(world, &mut out[data])? },
                (Term::Value(_), 1..) => out[data].copy_from_slice(&column.data),
                (Term::Data { .. } | Term::Value(_), 0) => {
                    out[data].copy_from_slice(&column.data);
                    let offsets = place(column.header.offsets, column.offsets.len() * 4);
                    for (place, offset) in out[offsets].chunks_exact_mut(4).zip(&column.offsets) {
                        place.copy_from_slice(&offset.to_le_bytes());
                    }
                }
                (Term::Data { ty, .. }, stride) => {
                    // The map stands behind the rows.
                    let (out, rest) = out.split_at_mut(data.end);
                    let dirty = column.header.dirty as usize;
                    let dirty = dirty.checked_sub(data.end).and_then(|start| rest.get(start..start + rows));
                    let kept = in_place.then_some((&*kept, dirty));
                    // SAFETY: passed on.
                    unsafe { self.write_column(world, reflection, ty, stride, kept, &mut out[data])? };
                }
            }
            if column.header.dirty != 0 {
                out[place(column.header.dirty, dirty_map_bytes(rows))].fill(0);
            }
        }
        Ok(())
    }

    /// # Safety
    /// As [`Block::write`].
    unsafe fn write_present(&self, world: UnsafeWorldCell, ty: &BoundType, map: &mut [u8]) -> Result<(), GatherError> {
        map.fill(0);
        for segment in self.selection.segments() {
            // SAFETY: only the structure of tables is read.
            let rows = unsafe { self.selection.rows_of(world, segment) }.ok_or(GatherError::Changed)?;
            let Some(cells) = rows.cells(ty.component, ty.storage) else { continue };
            for index in (0..rows.len()).filter(|index| cells.has(*index)) {
                map[segment.start + index] = 1;
            }
        }
        Ok(())
    }

    /// # Safety
    /// As [`Block::write`].
    unsafe fn write_entities(&self, world: UnsafeWorldCell, out: &mut [u8]) -> Result<(), GatherError> {
        let mut places = out.chunks_exact_mut(size_of::<u64>());
        for segment in self.selection.segments() {
            // SAFETY: only entity ids are read.
            let rows = unsafe { self.selection.rows_of(world, segment) }.ok_or(GatherError::Changed)?;
            for (entity, place) in rows.entities().zip(&mut places) {
                place.copy_from_slice(&entity.to_bits().to_le_bytes());
            }
        }
        Ok(())
    }

    /// # Safety
    /// As [`Block::write`].
    unsafe fn write_column(
        &self,
        world: UnsafeWorldCell,
        reflection: Reflection,
        ty: &BoundType,
        stride: usize,
        kept: Option<(&Kept, Option<&[u8]>)>,
        out: &mut [u8],
    ) -> Result<(), GatherError> {
        let mut out = out;
        for (index, segment) in self.selection.segments().iter().enumerate() {
            let known = kept.and_then(|(kept, dirty)| {
                let dirty = dirty.and_then(|map| map.get(segment.start..segment.start + segment.len));
                kept.since(index).map(|ticks| Known { ticks, dirty })
            });
            let rows;
            (rows, out) = out.split_at_mut(segment.len * stride);
            // SAFETY: only the structure of tables is read.
            let place = unsafe { self.selection.rows_of(world, segment) }.ok_or(GatherError::Changed)?;
            match place.cells(ty.component, ty.storage) {
                // SAFETY: the caller may read this component.
                Some(cells) => unsafe { write_cells(&ty.crossing, &cells, reflection, stride, known, rows)? },
                // None of them has the optional component.
                None => rows.fill(0),
            }
        }
        Ok(())
    }
}

/// What a segment's place holds already: the rows as they were at the first of these ticks, and which of them are stale.
struct Known<'a> {
    ticks: (Tick, Tick),
    dirty: Option<&'a [u8]>,
}

/// Writes the values of a segment, or zeros where there is none.
///
/// # Safety
/// The caller may read the component.
unsafe fn write_cells(
    crossing: &Crossing,
    cells: &Cells,
    reflection: Reflection,
    stride: usize,
    known: Option<Known>,
    rows: &mut [u8],
) -> Result<(), GatherError> {
    let sample = || (0..cells.len()).find_map(|index| cells.get(index)).map(|cell| cell.value);
    // SAFETY: the caller may read this component.
    let plan = unsafe { crossing.plan(reflection, sample) };
    if let (Some(plan), Some(Known { ticks, dirty })) = (plan, known) {
        // SAFETY: the caller may read this component, and the values are of the plan's type.
        if unsafe { write_changed(plan, cells, ticks, dirty, rows) }.is_some() {
            return Ok(());
        }
    }
    if let (Some(plan), Some(first)) = (plan, cells.contiguous()) {
        // SAFETY: the caller may read this component, the values are of the plan's type, and all of the segment's
        // stand one after the other.
        unsafe { plan.write_rows(first, cells.len(), rows) };
        return Ok(());
    }
    let mut bytes = Vec::new();
    for (index, row) in rows.chunks_exact_mut(stride).enumerate() {
        match (cells.get(index), plan) {
            (None, _) => row.fill(0),
            // SAFETY: as above, for one value.
            (Some(cell), Some(plan)) => unsafe { plan.write_row(cell.value, row) },
            (Some(cell), None) => {
                let failed = |source| GatherError::Value { name: crossing.name.to_string(), source };
                bytes.clear();
                // SAFETY: the caller may read this component, and the value is of its type.
                unsafe { crossing.write(cell.value, reflection, &mut bytes) }.map_err(failed)?;
                if bytes.len() != stride {
                    return Err(failed(ValueError::Unexpected(crossing.path.to_string())));
                }
                row.copy_from_slice(&bytes);
            }
        }
    }
    Ok(())
}

impl Column {
    fn name(&self) -> Option<&str> {
        match &self.term {
            Term::Data { ty, .. } | Term::Has(ty) => Some(ty.name()),
            Term::Value(crossing) => Some(&crossing.name),
            Term::Entity => None,
        }
    }

    /// Encodes rows of varying size.
    ///
    /// # Safety
    /// The caller may read the column's component.
    unsafe fn encode(
        &mut self,
        world: UnsafeWorldCell,
        reflection: Reflection,
        selection: &Selection,
        limit: usize,
    ) -> Result<(), GatherError> {
        let Term::Data { ty, .. } = &self.term else { return Ok(()) };
        self.data.clear();
        self.offsets.clear();
        self.offsets.push(0);
        for segment in selection.segments() {
            // SAFETY: only the structure of tables is read.
            let rows = unsafe { selection.rows_of(world, segment) }.ok_or(GatherError::Changed)?;
            let cells = rows.cells(ty.component, ty.storage);
            for index in 0..rows.len() {
                if let Some(cell) = cells.as_ref().and_then(|cells| cells.get(index)) {
                    // SAFETY: the caller may read this component, and the value is of its type.
                    unsafe { ty.crossing.write(cell.value, reflection, &mut self.data) }
                        .map_err(|source| GatherError::Value { name: ty.name().to_string(), source })?;
                }
                let end = u32::try_from(self.data.len()).map_err(|_| GatherError::TooLarge)?;
                if self.data.len() > limit {
                    return Err(GatherError::TooLarge);
                }
                self.offsets.push(end);
            }
        }
        Ok(())
    }
}

/// The rows of a segment in which each has the component, with its values.
///
/// # Safety
/// The caller may read the component.
pub(super) unsafe fn cells_of<'w>(
    world: UnsafeWorldCell<'w>,
    selection: &'w Selection,
    segment: &Segment,
    ty: &BoundType,
) -> Option<Cells<'w>> {
    // SAFETY: the caller may read the component.
    let rows: Rows<'w> = unsafe { selection.rows_of(world, segment)? };
    rows.cells(ty.component, ty.storage)
}

#[cfg(test)]
mod tests;
