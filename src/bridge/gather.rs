//! World to batch: the rows of a query or a resource as a block of columns.
//!
//! A [`Block`] lives as long as its system and keeps its buffers, so that a frame allocates nothing. Each frame has two
//! steps, because the size has to be known before there is a place to write to: [`Block::measure`] finds the rows and
//! lays them out, [`Block::write`] copies them.
#![expect(unsafe_code, reason = "reads components through pointers whose types are only known at run time")]

use bevy_ecs::{
    archetype::ArchetypeId,
    component::ComponentId,
    entity::Entity,
    query::FilteredAccess,
    resource::IS_RESOURCE,
    storage::TableId,
    world::{World, unsafe_world_cell::UnsafeWorldCell},
};
use mod_abi::batch::{BLOCK_HEADER, COLUMN_HEADER, ColumnHeader, align_up, block_header_bytes, dirty_map_bytes};
use thiserror::Error;

use crate::bridge::{
    plan::CopyPlan,
    query::{BoundQuery, Matcher, Term, matches},
    rows::{Cells, Rows, Segment},
    types::BoundType,
    value::{self, ValueError},
};

/// Rows that could not be given to a mod.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub(crate) enum GatherError {
    #[error("what it should read takes more bytes than its memory may have")]
    TooLarge,
    #[error("a value of {name} could not be read: {source}")]
    Value { name: &'static str, source: ValueError },
    #[error("the World changed while its rows were read")]
    Changed,
}

/// Where the rows of a block come from.
#[derive(Debug)]
enum Source {
    Query { access: FilteredAccess, matcher: Matcher },
    Resource(ComponentId),
}

/// A query's or a resource's rows, laid out.
#[derive(Debug)]
pub(crate) struct Block {
    source: Source,
    pub(super) columns: Vec<Column>,
    pub(super) segments: Vec<Segment>,
    pub(super) rows: usize,
    bytes: usize,
    /// Scratch: the matched archetypes by table, with their rows.
    matched: Vec<(TableId, ArchetypeId, u32)>,
}

/// One column of a block.
#[derive(Debug)]
pub(super) struct Column {
    pub(super) term: Term,
    pub(super) header: ColumnHeader,
    /// Rows of varying size, encoded while measuring: their bytes, and where each starts.
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
            Term::Data { ty, .. } => ty.stride,
        }
    }
}

impl Block {
    /// A block for the rows of a query.
    pub(crate) fn of_query(query: BoundQuery) -> Self {
        let source = Source::Query { access: query.access, matcher: Matcher::new() };
        Self::new(source, query.terms)
    }

    /// A block for a resource: one row, or none while the resource is missing.
    pub(crate) fn of_resource(component: ComponentId, term: Term) -> Self {
        Self::new(Source::Resource(component), vec![term])
    }

    fn new(source: Source, terms: Vec<Term>) -> Self {
        let columns = terms.into_iter().map(Column::new).collect();
        Self { source, columns, segments: Vec::new(), rows: 0, bytes: 0, matched: Vec::new() }
    }

    /// A block without rows, for a query that cannot match yet.
    pub(crate) fn empty(columns: usize) -> Self {
        let source = Source::Query { access: FilteredAccess::matches_nothing(), matcher: Matcher::new() };
        Self::new(source, vec![Term::Entity; columns])
    }

    /// Reads the rows, or only those of `entity`, into a block of its own.
    pub(crate) fn read(
        &mut self,
        world: &World,
        entity: Option<Entity>,
        limit: usize,
        out: &mut Vec<u8>,
    ) -> Result<(), GatherError> {
        let world = world.as_unsafe_world_cell_readonly();
        // SAFETY: the cell comes from a `&World`, which may read everything and keeps it from changing.
        unsafe {
            let bytes = match entity {
                Some(entity) => self.measure_one(world, entity, limit)?,
                None => self.measure(world, limit)?,
            };
            out.clear();
            out.resize(bytes, 0);
            self.write(world, out)
        }
    }

    /// What the scheduler has to know of this block.
    pub(crate) fn access(&self) -> FilteredAccess {
        let component = match &self.source {
            Source::Query { access, .. } => return access.clone(),
            Source::Resource(component) => *component,
        };
        let mut access = FilteredAccess::default();
        access.and_with(IS_RESOURCE);
        if self.columns.iter().any(|column| matches!(column.term, Term::Data { write: true, .. })) {
            access.add_write(component);
        } else {
            access.add_read(component);
        }
        access
    }

    /// The short path of the first type that the block holds, for messages.
    pub(crate) fn name(&self) -> &'static str {
        let name = |column: &Column| match &column.term {
            Term::Data { ty, .. } => Some(ty.name),
            Term::Entity => None,
        };
        self.columns.iter().find_map(name).unwrap_or("Entity")
    }

    /// Whether this block is a resource that is missing.
    pub(crate) fn is_missing(&self) -> bool {
        matches!(self.source, Source::Resource(_)) && self.rows == 0
    }

    /// Finds the rows and returns the bytes that the block takes, which are at most `limit`.
    ///
    /// # Safety
    /// The caller has the access that the block's query declares.
    pub(crate) unsafe fn measure(&mut self, world: UnsafeWorldCell, limit: usize) -> Result<usize, GatherError> {
        self.segments.clear();
        match &mut self.source {
            Source::Query { access, matcher } => {
                matcher.update(world.archetypes(), access);
                // SAFETY: only the number of rows of tables is read.
                unsafe { segments_of(world, matcher, &mut self.matched, &mut self.segments) };
            }
            Source::Resource(component) => {
                // SAFETY: the caller may read this resource.
                let entity = unsafe { world.resource_entities() }.get(*component);
                // A resource that was removed leaves its entity behind.
                let holds =
                    |entity: &Entity| world.get_entity(*entity).is_ok_and(|entity| entity.contains_id(*component));
                self.segments.extend(entity.filter(holds).map(Segment::Entity));
            }
        }
        // SAFETY: passed on.
        unsafe { self.lay_out(world, limit) }
    }

    /// As [`Block::measure`], but for one entity: one row, or none if it does not match.
    ///
    /// # Safety
    /// The caller has the access that the block's query declares.
    unsafe fn measure_one(
        &mut self,
        world: UnsafeWorldCell,
        entity: Entity,
        limit: usize,
    ) -> Result<usize, GatherError> {
        self.segments.clear();
        if let (Source::Query { access, .. }, Ok(found)) = (&self.source, world.get_entity(entity))
            && matches(access, found.archetype())
        {
            self.segments.push(Segment::Entity(entity));
        }
        // SAFETY: passed on.
        unsafe { self.lay_out(world, limit) }
    }

    /// # Safety
    /// The caller has the access that the block's query declares.
    unsafe fn lay_out(&mut self, world: UnsafeWorldCell, limit: usize) -> Result<usize, GatherError> {
        self.rows = self.segments.iter().try_fold(0_usize, |sum, segment| {
            // SAFETY: only the number of rows is read.
            let rows = unsafe { Rows::of(world, *segment) }.ok_or(GatherError::Changed)?;
            sum.checked_add(rows.len()).filter(|sum| u32::try_from(*sum).is_ok()).ok_or(GatherError::TooLarge)
        })?;
        let mut layout = Layout::after_headers(self.columns.len(), limit)?;
        for column in &mut self.columns {
            let rows = self.rows;
            column.header = ColumnHeader::default();
            match column.stride() {
                Some(stride) => {
                    let len = rows.checked_mul(stride).ok_or(GatherError::TooLarge)?;
                    column.header.stride = u32::try_from(stride).map_err(|_| GatherError::TooLarge)?;
                    (column.header.data, column.header.data_len) = layout.place(len)?;
                }
                None => {
                    // SAFETY: passed on.
                    unsafe { column.encode(world, &self.segments, limit)? };
                    (column.header.data, column.header.data_len) = layout.place(column.data.len())?;
                    column.header.offsets = layout.place(column.offsets.len() * 4)?.0;
                }
            }
            if matches!(column.term, Term::Data { write: true, .. }) {
                column.header.dirty = layout.place(dirty_map_bytes(rows))?.0;
            }
        }
        self.bytes = layout.end;
        Ok(self.bytes)
    }

    /// Writes the block into `out`, which has the size that was measured.
    ///
    /// # Safety
    /// The caller has the access that the block's query declares, and nothing of the World changed since the block
    /// was measured.
    pub(crate) unsafe fn write(&self, world: UnsafeWorldCell, out: &mut [u8]) -> Result<(), GatherError> {
        let words = [self.rows, self.columns.len(), self.bytes, 0];
        for (place, word) in out.chunks_exact_mut(4).zip(words) {
            place.copy_from_slice(&u32::try_from(word).map_err(|_| GatherError::TooLarge)?.to_le_bytes());
        }
        for (index, column) in self.columns.iter().enumerate() {
            let header = BLOCK_HEADER + index * COLUMN_HEADER;
            out[header..header + COLUMN_HEADER].copy_from_slice(&column.header.to_bytes());
            let place = |start: u32, len: usize| start as usize..start as usize + len;
            let data = place(column.header.data, column.header.data_len as usize);
            if column.header.dirty != 0 {
                out[place(column.header.dirty, dirty_map_bytes(self.rows))].fill(0);
            }
            match (&column.term, column.header.stride as usize) {
                // SAFETY: passed on.
                (Term::Entity, _) => unsafe { self.write_entities(world, &mut out[data])? },
                (Term::Data { .. }, 0) => {
                    out[data].copy_from_slice(&column.data);
                    let offsets = place(column.header.offsets, column.offsets.len() * 4);
                    for (place, offset) in out[offsets].chunks_exact_mut(4).zip(&column.offsets) {
                        place.copy_from_slice(&offset.to_le_bytes());
                    }
                }
                // SAFETY: passed on.
                (Term::Data { ty, .. }, stride) => unsafe { self.write_column(world, ty, stride, &mut out[data])? },
            }
        }
        Ok(())
    }

    /// # Safety
    /// As [`Block::write`].
    unsafe fn write_entities(&self, world: UnsafeWorldCell, out: &mut [u8]) -> Result<(), GatherError> {
        let mut places = out.chunks_exact_mut(size_of::<u64>());
        for segment in &self.segments {
            // SAFETY: only entity ids are read.
            let rows = unsafe { Rows::of(world, *segment) }.ok_or(GatherError::Changed)?;
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
        ty: &BoundType,
        stride: usize,
        out: &mut [u8],
    ) -> Result<(), GatherError> {
        let mut out = out;
        for segment in &self.segments {
            // SAFETY: the caller may read this component.
            let cells = unsafe { cells_of(world, *segment, ty)? };
            if cells.len() == 0 {
                continue;
            }
            let rows;
            (rows, out) = out.split_at_mut(cells.len() * stride);
            match (plan_of(ty, &cells), cells.contiguous()) {
                // SAFETY: the caller may read this component, the values are of the plan's type, and all of the
                // segment's stand one after the other.
                (Some(plan), Some(first)) => unsafe { plan.write_rows(first, cells.len(), rows) },
                (plan, _) => {
                    for (index, row) in rows.chunks_exact_mut(stride).enumerate() {
                        let cell = cells.get(index).ok_or(GatherError::Changed)?;
                        match plan {
                            // SAFETY: as above, for one value.
                            Some(plan) => unsafe { plan.write_row(cell.value, row) },
                            None => {
                                let mut bytes = Vec::with_capacity(stride);
                                // SAFETY: the value is of the type that `from_ptr` was made for.
                                let value = unsafe { ty.from_ptr.0.as_reflect(cell.value) };
                                let failed = |source| GatherError::Value { name: ty.name, source };
                                value::write(value.as_partial_reflect(), &mut bytes).map_err(failed)?;
                                if bytes.len() != stride {
                                    return Err(failed(ValueError::Unexpected(ty.name.to_owned())));
                                }
                                row.copy_from_slice(&bytes);
                            }
                        }
                    }
                }
            }
        }
        Ok(())
    }
}

impl Column {
    /// Encodes rows of varying size.
    ///
    /// # Safety
    /// The caller may read the column's component.
    unsafe fn encode(&mut self, world: UnsafeWorldCell, segments: &[Segment], limit: usize) -> Result<(), GatherError> {
        let Term::Data { ty, .. } = &self.term else { return Ok(()) };
        self.data.clear();
        self.offsets.clear();
        self.offsets.push(0);
        for segment in segments {
            // SAFETY: the caller may read this component.
            let cells = unsafe { cells_of(world, *segment, ty)? };
            for index in 0..cells.len() {
                let cell = cells.get(index).ok_or(GatherError::Changed)?;
                // SAFETY: the value is of the type that `from_ptr` was made for.
                let value = unsafe { ty.from_ptr.0.as_reflect(cell.value) };
                value::write(value.as_partial_reflect(), &mut self.data)
                    .map_err(|source| GatherError::Value { name: ty.name, source })?;
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

/// The type's plan, made from the first value that there is.
pub(super) fn plan_of<'t>(ty: &'t BoundType, cells: &Cells) -> Option<&'t CopyPlan> {
    ty.stride.filter(|stride| *stride > 0)?;
    if let Some(plan) = ty.plan.get() {
        return plan.as_ref();
    }
    let sample = cells.get(0)?;
    let plan = ty.plan.get_or_init(|| {
        // SAFETY: the value is of the type that `from_ptr` was made for, and whoever made `cells` may read it.
        let sample = unsafe { ty.from_ptr.0.as_reflect(sample.value) };
        CopyPlan::of(sample).filter(|plan| Some(plan.stride()) == ty.stride)
    });
    plan.as_ref()
}

/// The values of a component in a segment.
///
/// # Safety
/// The caller may read the component.
pub(super) unsafe fn cells_of<'w>(
    world: UnsafeWorldCell<'w>,
    segment: Segment,
    ty: &BoundType,
) -> Result<Cells<'w>, GatherError> {
    // SAFETY: the caller may read the component.
    unsafe { Rows::of(world, segment) }.and_then(|rows| rows.cells(ty)).ok_or(GatherError::Changed)
}

/// The segments of all matched rows, whole tables where every row of one matches.
///
/// # Safety
/// The structure of the World does not change meanwhile.
unsafe fn segments_of(
    world: UnsafeWorldCell,
    matcher: &Matcher,
    matched: &mut Vec<(TableId, ArchetypeId, u32)>,
    segments: &mut Vec<Segment>,
) {
    let archetypes = matcher.matched().iter().filter_map(|id| world.archetypes().get(*id));
    let archetypes = archetypes.filter(|archetype| !archetype.is_empty());
    matched.clear();
    matched.extend(archetypes.map(|archetype| (archetype.table_id(), archetype.id(), archetype.len())));
    // A table can hold several archetypes, not all of which match.
    matched.sort_by_key(|(table, ..)| table.as_usize());
    // SAFETY: only the number of rows is read.
    let tables = unsafe { &world.storages().tables };
    for group in matched.chunk_by(|a, b| a.0 == b.0) {
        let rows: u32 = group.iter().map(|(.., rows)| rows).sum();
        match group.first() {
            Some((table, ..)) if tables.get(*table).is_some_and(|table| table.entity_count() == rows) => {
                segments.push(Segment::Table(*table));
            }
            _ => segments.extend(group.iter().map(|(_, archetype, _)| Segment::Archetype(*archetype))),
        }
    }
}

/// Gives places to the parts of a block.
struct Layout {
    end: usize,
    limit: usize,
}

impl Layout {
    fn after_headers(columns: usize, limit: usize) -> Result<Self, GatherError> {
        block_header_bytes(columns).map(|end| Self { end, limit }).ok_or(GatherError::TooLarge)
    }

    /// An aligned place for `len` bytes: its offset, and `len` as it is written down.
    fn place(&mut self, len: usize) -> Result<(u32, u32), GatherError> {
        let offset = self.end;
        let end = offset.checked_add(len).and_then(align_up).filter(|end| *end <= self.limit);
        let end = end.ok_or(GatherError::TooLarge)?;
        self.end = end;
        match (u32::try_from(offset), u32::try_from(len), u32::try_from(end)) {
            (Ok(offset), Ok(len), Ok(_)) => Ok((offset, len)),
            _ => Err(GatherError::TooLarge),
        }
    }
}
