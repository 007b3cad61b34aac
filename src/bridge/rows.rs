//! The rows of a query in the World's storage: where each lies, and its ticks.
//!
//! The only room that reaches into tables and sparse sets. Whether that is allowed is the caller's to know; what lies
//! where is decided here.
#![expect(unsafe_code, reason = "reads columns of tables by row, as Bevy's own queries do")]

use std::{cell::UnsafeCell, panic::Location};

use bevy_ecs::{
    archetype::{ArchetypeEntity, ArchetypeId},
    change_detection::{MaybeLocation, Tick},
    component::StorageType,
    entity::Entity,
    ptr::Ptr,
    storage::{Column, ComponentSparseSet, Table, TableId, TableRow},
    world::unsafe_world_cell::UnsafeWorldCell,
};
use nonmax::NonMaxU32;

use crate::bridge::types::BoundType;

/// Rows that lie together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Segment {
    /// All rows of a table.
    Table(TableId),
    /// The rows of one archetype, between those of others in the same table.
    Archetype(ArchetypeId),
    /// One entity.
    Entity(Entity),
}

/// The rows of a segment as they are found in its table.
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
    changed: &'w UnsafeCell<Tick>,
    changed_by: MaybeLocation<&'w UnsafeCell<&'static Location<'static>>>,
}

impl<'w> Rows<'w> {
    /// The rows of a segment, or `None` if there is no such table, archetype or entity.
    ///
    /// # Safety
    /// No reference to the World's structure that would let it change is used while the result lives.
    pub(crate) unsafe fn of(world: UnsafeWorldCell<'w>, segment: Segment) -> Option<Self> {
        // SAFETY: only the structure of tables is read here; values are read through `Cells`, whose maker has to
        // hold the access.
        let tables = unsafe { &world.storages().tables };
        Some(match segment {
            Segment::Table(id) => {
                let table = tables.get(id)?;
                Self { world, table, places: Places::All(table.entities()) }
            }
            Segment::Archetype(id) => {
                let archetype = world.archetypes().get(id)?;
                let table = tables.get(archetype.table_id())?;
                Self { world, table, places: Places::Listed(archetype.entities()) }
            }
            Segment::Entity(entity) => {
                let location = world.get_entity(entity).ok()?.location();
                let table = tables.get(location.table_id)?;
                Self { world, table, places: Places::One(entity, location.table_row) }
            }
        })
    }

    pub(crate) fn len(&self) -> usize {
        match self.places {
            Places::All(entities) => entities.len(),
            Places::Listed(entities) => entities.len(),
            Places::One(..) => 1,
        }
    }

    pub(crate) fn entities(&self) -> impl Iterator<Item = Entity> {
        let rows = *self;
        (0..rows.len()).filter_map(move |index| rows.entity(index))
    }

    fn entity(&self, index: usize) -> Option<Entity> {
        match self.places {
            Places::All(entities) => entities.get(index).copied(),
            Places::Listed(entities) => entities.get(index).map(ArchetypeEntity::id),
            Places::One(entity, _) => (index == 0).then_some(entity),
        }
    }

    fn table_row(&self, index: usize) -> Option<TableRow> {
        match self.places {
            Places::All(entities) if index < entities.len() => {
                u32::try_from(index).ok().and_then(NonMaxU32::new).map(TableRow::new)
            }
            Places::All(_) => None,
            Places::Listed(entities) => entities.get(index).map(ArchetypeEntity::table_row),
            Places::One(_, row) => (index == 0).then_some(row),
        }
    }

    /// The values of one component, or `None` where these rows have none.
    pub(crate) fn cells(&self, ty: &BoundType) -> Option<Cells<'w>> {
        let storage = match ty.storage {
            StorageType::Table => Storage::Column(self.table.get_column(ty.component)?),
            StorageType::SparseSet => {
                // SAFETY: as in `of`.
                let sets = unsafe { &self.world.storages().sparse_sets };
                Storage::SparseSet(sets.get(ty.component)?)
            }
        };
        Some(Cells { rows: *self, storage })
    }
}

impl<'w> Cells<'w> {
    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }

    /// The first value, if all of them stand one after the other in memory.
    pub(crate) fn contiguous(&self) -> Option<Ptr<'w>> {
        match (&self.storage, self.rows.places) {
            (Storage::Column(_), Places::All(_)) => self.get(0).map(|cell| cell.value),
            _ => None,
        }
    }

    /// The value of one row.
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
                        changed: column.get_changed_tick_unchecked(row),
                        changed_by: column.get_changed_by_unchecked(row),
                    })
                }
            }
            Storage::SparseSet(set) => {
                let (value, ticks) = set.get_with_ticks(self.rows.entity(index)?)?;
                Some(Cell { value, changed: ticks.changed, changed_by: ticks.changed_by })
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
