//! Which rows of the World a query means in this frame, and where each stands in the block.
#![expect(unsafe_code, reason = "looks at tables while systems run")]

use bevy_ecs::{
    archetype::{Archetype, ArchetypeGeneration, ArchetypeId, Archetypes},
    entity::Entity,
    query::FilteredAccess,
    storage::TableId,
    world::unsafe_world_cell::UnsafeWorldCell,
};

use crate::bridge::{
    filter::{Filter, Ticks},
    gather::GatherError,
    rows::{Place, Rows, Segment},
};

/// The rows of a query. It keeps its lists, so that a frame allocates nothing.
#[derive(Debug)]
pub(crate) struct Selection {
    access: FilteredAccess,
    filter: Option<Filter>,
    generation: ArchetypeGeneration,
    /// The archetypes that match, kept up to date as new ones appear: sorted by table.
    matched: Vec<(TableId, ArchetypeId)>,
    segments: Vec<Segment>,
    /// The rows of segments that do not have all rows of their places.
    picked: Vec<u32>,
    /// The number of rows of all segments.
    pub(super) rows: usize,
}

impl Selection {
    /// The rows that a query means.
    pub(super) fn of_query(access: FilteredAccess, filter: Option<Filter>) -> Self {
        let (generation, matched) = (ArchetypeGeneration::initial(), Vec::new());
        Self { access, filter, generation, matched, segments: Vec::new(), picked: Vec::new(), rows: 0 }
    }

    /// No rows, until others are set.
    pub(super) fn nothing() -> Self {
        Self::of_query(FilteredAccess::matches_nothing(), None)
    }

    /// What the query reads and writes, and where.
    pub(super) fn access(&self) -> &FilteredAccess {
        &self.access
    }

    pub(super) fn segments(&self) -> &[Segment] {
        &self.segments
    }

    /// The rows of a segment, or `None` if the World changed since.
    ///
    /// # Safety
    /// As [`Rows::of_place`].
    pub(super) unsafe fn rows_of<'w>(&'w self, world: UnsafeWorldCell<'w>, segment: &Segment) -> Option<Rows<'w>> {
        // SAFETY: passed on.
        unsafe { Rows::of(world, segment, &self.picked) }
    }

    /// Selects one entity, or none.
    pub(super) fn set_entity(&mut self, entity: Option<Entity>) {
        self.clear();
        if let Some(entity) = entity {
            self.push(Place::Entity(entity), 1, None);
        }
    }

    /// Whether an entity meets the query.
    ///
    /// # Safety
    /// The caller may read what the query reads.
    pub(super) unsafe fn matches(&mut self, world: UnsafeWorldCell, entity: Entity, ticks: Ticks) -> bool {
        let Ok(found) = world.get_entity(entity) else { return false };
        if !matches(&self.access, found.archetype()) {
            return false;
        }
        let Some(filter) = &self.filter else { return true };
        self.picked.clear();
        // SAFETY: passed on.
        unsafe {
            if let Some(rows) = Rows::of_place(world, Place::Entity(entity)) {
                filter.pick(&rows, ticks, &mut self.picked);
            }
        }
        !self.picked.is_empty()
    }

    /// Selects all rows that the query means now.
    ///
    /// # Safety
    /// The caller may read what the query reads, and the structure of the World does not change meanwhile.
    pub(super) unsafe fn update(&mut self, world: UnsafeWorldCell, ticks: Ticks) -> Result<(), GatherError> {
        self.clear();
        self.find_archetypes(world.archetypes());
        // Taken out meanwhile, because segments are added while it is walked.
        let matched = std::mem::take(&mut self.matched);
        for group in matched.chunk_by(|a, b| a.0 == b.0) {
            // SAFETY: passed on.
            unsafe { self.add_table(world, group, ticks) };
        }
        self.matched = matched;
        Ok(())
    }

    fn clear(&mut self) {
        self.segments.clear();
        self.picked.clear();
        self.rows = 0;
    }

    fn push(&mut self, place: Place, len: usize, picked: Option<usize>) {
        if len > 0 {
            self.segments.push(Segment { place, start: self.rows, len, picked });
            self.rows += len;
        }
    }

    /// Looks at the archetypes that appeared since the last call.
    fn find_archetypes(&mut self, archetypes: &Archetypes) {
        if self.generation == archetypes.generation() {
            return;
        }
        let new = archetypes[self.generation..].iter().filter(|archetype| matches(&self.access, archetype));
        self.matched.extend(new.map(|archetype| (archetype.table_id(), archetype.id())));
        self.matched.sort_unstable_by_key(|(table, archetype)| (table.as_usize(), archetype.index()));
        self.generation = archetypes.generation();
    }

    /// Adds the rows of the archetypes that match in one table: the whole table where they are all of it.
    ///
    /// # Safety
    /// As [`Selection::update`].
    unsafe fn add_table(&mut self, world: UnsafeWorldCell, group: &[(TableId, ArchetypeId)], ticks: Ticks) {
        let rows_of = |(_, archetype): &(TableId, ArchetypeId)| {
            world.archetypes().get(*archetype).map_or(0, |archetype| archetype.len() as usize)
        };
        let Some((table, _)) = group.first() else { return };
        let rows = group.iter().map(rows_of).sum::<usize>();
        if rows == 0 {
            return;
        }
        // A table can hold several archetypes, not all of which match.
        // SAFETY: only the number of rows is read.
        let all = unsafe { world.storages().tables.get(*table).map(|table| table.entity_count() as usize) };
        if all == Some(rows) {
            // SAFETY: passed on.
            unsafe { self.add_place(world, Place::Table(*table), rows, ticks) };
            return;
        }
        for (table, archetype) in group {
            // SAFETY: passed on.
            unsafe {
                self.add_place(world, Place::Archetype(*table, *archetype), rows_of(&(*table, *archetype)), ticks)
            };
        }
    }

    /// # Safety
    /// As [`Selection::update`].
    unsafe fn add_place(&mut self, world: UnsafeWorldCell, place: Place, len: usize, ticks: Ticks) {
        let Some(filter) = &self.filter else { return self.push(place, len, None) };
        let start = self.picked.len();
        // SAFETY: passed on.
        unsafe {
            if let Some(rows) = Rows::of_place(world, place) {
                filter.pick(&rows, ticks, &mut self.picked);
            }
        }
        self.push(place, self.picked.len() - start, Some(start));
    }

    /// The row of an entity, if it is among those that were selected.
    pub(crate) fn row_of(&self, world: UnsafeWorldCell, entity: Entity) -> Option<usize> {
        let location = world.get_entity(entity).ok()?.location();
        let key = |segment: &Segment| match segment.place {
            Place::Table(table) => (table.as_usize(), None),
            Place::Archetype(table, archetype) => (table.as_usize(), Some(archetype.index())),
            Place::Entity(_) => (usize::MAX, None),
        };
        let find = |wanted| self.segments.binary_search_by_key(&wanted, key).ok();
        let table = location.table_id.as_usize();
        let (segment, place) = match find((table, None)) {
            Some(found) => (self.segments.get(found)?, location.table_row.index()),
            None => {
                let found = find((table, Some(location.archetype_id.index())))?;
                (self.segments.get(found)?, location.archetype_row.index())
            }
        };
        let index = match segment.picked {
            None => place,
            Some(start) => {
                let picked = self.picked.get(start..start + segment.len)?;
                picked.binary_search(&u32::try_from(place).ok()?).ok()?
            }
        };
        (index < segment.len).then_some(segment.start + index)
    }
}

/// Whether the entities of an archetype match: one filter set has to hold.
fn matches(access: &FilteredAccess, archetype: &Archetype) -> bool {
    access.filter_sets().iter().any(|filter| {
        filter.with().iter().all(|component| archetype.contains(component))
            && !filter.without().iter().any(|component| archetype.contains(component))
    })
}
