//! The rows of a query in the World's storage: where each lies, and its ticks.
//!
//! The only room that reaches into tables and sparse sets. Whether that is allowed is the caller's to know; what lies
//! where is decided here.
#![expect(unsafe_code, reason = "reads columns of tables by row, as Bevy's own queries do")]

use std::{cell::UnsafeCell, ops::Range, panic::Location};

use bevy_ecs::{
    archetype::{ArchetypeEntity, ArchetypeId},
    change_detection::{MaybeLocation, Tick},
    component::{ComponentId, StorageType},
    entity::Entity,
    ptr::Ptr,
    storage::{Column, ComponentSparseSet, Table, TableId, TableRow},
    world::unsafe_world_cell::UnsafeWorldCell,
};
use nonmax::NonMaxU32;

/// Rows of a block that lie together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Segment {
    pub(crate) place: Place,
    /// The number of its first row in the block.
    pub(crate) start: usize,
    pub(crate) len: usize,
    /// Where the list of those rows of the place starts that are in the segment. Without a list, all are.
    pub(crate) picked: Option<usize>,
}

/// Where the rows of a segment lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// A table.
    Table(TableId),
    /// The rows of one archetype, between those of others in the same table.
    Archetype(TableId, ArchetypeId),
    /// One entity.
    Entity(Entity),
}

/// The rows of a place as they are found in its table.
#[derive(Clone, Copy)]
enum Places<'w> {
    All(&'w [Entity]),
    Listed(&'w [ArchetypeEntity]),
    One(Entity, TableRow),
}

/// A segment of this World.
#[derive(Clone, Copy)]
pub(crate) struct Rows<'w> {
    world: UnsafeWorldCell<'w>,
    table: &'w Table,
    places: Places<'w>,
    /// Which of the places, if not all.
    picked: Option<&'w [u32]>,
}

/// A component of the rows of a segment.
pub(crate) struct Cells<'w> {
    rows: Rows<'w>,
    storage: Storage<'w>,
}

enum Storage<'w> {
    Column(&'w Column),
    SparseSet(&'w ComponentSparseSet),
}

/// One value with what Bevy remembers of its changes.
pub(crate) struct Cell<'w> {
    pub(crate) value: Ptr<'w>,
    pub(crate) added: &'w UnsafeCell<Tick>,
    pub(crate) changed: &'w UnsafeCell<Tick>,
    changed_by: MaybeLocation<&'w UnsafeCell<&'static Location<'static>>>,
}

impl<'w> Rows<'w> {
    /// The rows at a place, or `None` if there is no such table, archetype or entity.
    ///
    /// # Safety
    /// No reference to the World's structure that would let it change is used while the result lives.
    pub(crate) unsafe fn of_place(world: UnsafeWorldCell<'w>, place: Place) -> Option<Self> {
        // SAFETY: only the structure of tables is read here; values are read through `Cells`, whose maker has to
        // hold the access.
        let tables = unsafe { &world.storages().tables };
        let (table, places) = match place {
            Place::Table(id) => {
                let table = tables.get(id)?;
                (table, Places::All(table.entities()))
            }
            Place::Archetype(table, archetype) => {
                let entities = world.archetypes().get(archetype)?.entities();
                (tables.get(table)?, Places::Listed(entities))
            }
            Place::Entity(entity) => {
                let location = world.get_entity(entity).ok()?.location();
                (tables.get(location.table_id)?, Places::One(entity, location.table_row))
            }
        };
        Some(Self { world, table, places, picked: None })
    }

    /// The rows of a segment, of which `picked` has the lists.
    ///
    /// # Safety
    /// As [`Rows::of_place`].
    pub(crate) unsafe fn of(world: UnsafeWorldCell<'w>, segment: &Segment, picked: &'w [u32]) -> Option<Self> {
        // SAFETY: passed on.
        let rows = unsafe { Self::of_place(world, segment.place)? };
        match segment.picked {
            None if rows.len() == segment.len => Some(rows),
            None => None,
            Some(start) => Some(Self { picked: Some(picked.get(start..start.checked_add(segment.len)?)?), ..rows }),
        }
    }

    pub(crate) fn len(&self) -> usize {
        match (self.picked, self.places) {
            (Some(picked), _) => picked.len(),
            (None, Places::All(entities)) => entities.len(),
            (None, Places::Listed(entities)) => entities.len(),
            (None, Places::One(..)) => 1,
        }
    }

    pub(crate) fn entities(&self) -> impl Iterator<Item = Entity> {
        let rows = *self;
        (0..rows.len()).filter_map(move |index| rows.entity(index))
    }

    /// The entities of a whole table, in the order of its rows.
    pub(crate) fn table_entities(&self) -> Option<&'w [Entity]> {
        match (self.places, self.picked) {
            (Places::All(entities), None) => Some(entities),
            _ => None,
        }
    }

    fn place(&self, index: usize) -> Option<usize> {
        match self.picked {
            Some(picked) => picked.get(index).map(|place| *place as usize),
            None => Some(index),
        }
    }

    fn entity(&self, index: usize) -> Option<Entity> {
        let place = self.place(index)?;
        match self.places {
            Places::All(entities) => entities.get(place).copied(),
            Places::Listed(entities) => entities.get(place).map(ArchetypeEntity::id),
            Places::One(entity, _) => (place == 0).then_some(entity),
        }
    }

    fn table_row(&self, index: usize) -> Option<TableRow> {
        let place = self.place(index)?;
        match self.places {
            Places::All(entities) if place < entities.len() => {
                u32::try_from(place).ok().and_then(NonMaxU32::new).map(TableRow::new)
            }
            Places::All(_) => None,
            Places::Listed(entities) => entities.get(place).map(ArchetypeEntity::table_row),
            Places::One(_, row) => (place == 0).then_some(row),
        }
    }

    /// The values of one component, or `None` where these rows have none.
    pub(crate) fn cells(&self, component: ComponentId, storage: StorageType) -> Option<Cells<'w>> {
        let storage = match storage {
            StorageType::Table => Storage::Column(self.table.get_column(component)?),
            StorageType::SparseSet => {
                // SAFETY: as in `of`.
                let sets = unsafe { &self.world.storages().sparse_sets };
                Storage::SparseSet(sets.get(component)?)
            }
        };
        Some(Cells { rows: *self, storage })
    }
}

impl<'w> Cells<'w> {
    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether all values and their ticks stand one after the other in memory.
    pub(crate) fn is_contiguous(&self) -> bool {
        matches!((&self.storage, self.rows.places, self.rows.picked), (Storage::Column(_), Places::All(_), None))
    }

    /// The first value, if all of them stand one after the other in memory.
    pub(crate) fn contiguous(&self) -> Option<Ptr<'w>> {
        if self.is_contiguous() { self.get(0).map(|cell| cell.value) } else { None }
    }

    /// When each row was added and changed, if the ticks stand one after the other in memory.
    pub(crate) fn ticks(&self) -> Option<(&'w [UnsafeCell<Tick>], &'w [UnsafeCell<Tick>])> {
        match self.storage {
            Storage::Column(column) if self.is_contiguous() => {
                let len = self.rows.table.entity_count() as usize;
                // SAFETY: a column is as long as its table.
                unsafe { Some((column.get_added_ticks_slice(len), column.get_changed_ticks_slice(len))) }
            }
            _ => None,
        }
    }

    /// Notes changes of rows that stand one after the other, or `None` if they do not.
    ///
    /// # Safety
    /// The caller may write this component, and nobody else looks at these values or their ticks.
    pub(crate) unsafe fn set_changed(&self, rows: Range<usize>, tick: Tick, by: MaybeLocation) -> Option<()> {
        let Storage::Column(column) = self.storage else { return None };
        let (_, changed) = self.ticks()?;
        for place in changed.get(rows.clone())? {
            // SAFETY: the caller promises that nobody else looks.
            unsafe { *place.get() = tick };
        }
        // SAFETY: a column is as long as its table.
        let places = unsafe { column.get_changed_by_slice(self.rows.table.entity_count() as usize) };
        places.zip(by).map(|(places, by)| {
            for place in places.get(rows).unwrap_or_default() {
                // SAFETY: as above.
                unsafe { *place.get() = by };
            }
        });
        Some(())
    }

    /// Whether a row has the component. Only in a sparse set some may have none.
    pub(crate) fn has(&self, index: usize) -> bool {
        match self.storage {
            Storage::Column(_) => index < self.len(),
            Storage::SparseSet(set) => self.rows.entity(index).is_some_and(|entity| set.contains(entity)),
        }
    }

    /// The value of one row, if it has the component.
    pub(crate) fn get(&self, index: usize) -> Option<Cell<'w>> {
        match self.storage {
            Storage::Column(column) => {
                let row = self.rows.table_row(index)?;
                if row.index() >= self.rows.table.entity_count() as usize {
                    return None;
                }
                // SAFETY: the row was just compared with the number of rows of the column's table.
                unsafe {
                    Some(Cell {
                        value: column.get_data_unchecked(row),
                        added: column.get_added_tick_unchecked(row),
                        changed: column.get_changed_tick_unchecked(row),
                        changed_by: column.get_changed_by_unchecked(row),
                    })
                }
            }
            Storage::SparseSet(set) => {
                let (value, ticks) = set.get_with_ticks(self.rows.entity(index)?)?;
                Some(Cell { value, added: ticks.added, changed: ticks.changed, changed_by: ticks.changed_by })
            }
        }
    }
}

impl Cell<'_> {
    /// Notes a change as `DerefMut` of Bevy's own `Mut` does.
    ///
    /// # Safety
    /// The caller may write this component, and nobody else looks at this value or its ticks.
    pub(crate) unsafe fn set_changed(&self, tick: Tick, by: MaybeLocation) {
        // SAFETY: the caller promises that nobody else looks.
        unsafe { *self.changed.get() = tick };
        self.changed_by.zip(by).map(|(place, by)| {
            // SAFETY: as above.
            unsafe { *place.get() = by };
        });
    }
}
