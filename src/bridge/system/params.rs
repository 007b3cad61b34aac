//! The parameters of a slot: from the World into a batch, and back.
#![expect(unsafe_code, reason = "reads and writes the World by the access that the slot declared")]

use bevy_ecs::{change_detection::Tick, entity::Entity, world::unsafe_world_cell::UnsafeWorldCell};
use mod_abi::{
    Buffer,
    batch::{BATCH_HEADER, batch_header_bytes},
};
use mod_host::Instance;

use crate::bridge::{
    bind::BoundParam,
    filter::Ticks,
    gather::{Block, GatherError},
    handle::SystemError,
    scatter::{Changes, GuestBytes},
    ticks::new_rows,
    value::Reflection,
};

/// The parameters of a system, with what is kept between two runs so that a frame allocates nothing.
#[derive(Debug)]
pub(super) struct Params {
    list: Vec<BoundParam>,
    /// Where each parameter's block starts in the batch, 0 for none.
    offsets: Vec<usize>,
    /// What each parameter brings back.
    changes: Vec<Changes>,
}

/// The size of a batch, or the resource for want of which there is none.
pub(super) enum Measured {
    Bytes(usize),
    Missing(String),
}

impl Params {
    pub(super) fn new(list: Vec<BoundParam>) -> Self {
        let changes = list.iter().map(|_| Changes::default()).collect();
        Self { list, offsets: Vec::new(), changes }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &BoundParam> {
        self.list.iter()
    }

    /// Sets what an observer was woken by.
    pub(super) fn set_event(&mut self, value: &[u8]) -> Result<(), GatherError> {
        let Some(BoundParam::Event(block)) = self.list.first_mut() else { return Ok(()) };
        block.clear_values();
        block.push_value(|_, out| {
            out.extend_from_slice(value);
            Ok(())
        })
    }

    /// Lays the batch out.
    ///
    /// # Safety
    /// The caller has the access that the parameters declare.
    pub(super) unsafe fn measure(
        &mut self,
        world: UnsafeWorldCell,
        reflection: Reflection,
        ticks: Ticks,
        limit: usize,
    ) -> Result<Measured, GatherError> {
        let mut end = batch_header_bytes(self.list.len()).ok_or(GatherError::TooLarge)?;
        self.offsets.clear();
        for param in &mut self.list {
            let block = match param {
                BoundParam::Block(block) | BoundParam::Event(block) => block,
                BoundParam::Messages(reader) => {
                    // SAFETY: passed on.
                    unsafe { reader.collect(world, reflection, limit)? };
                    &mut reader.block
                }
                BoundParam::World | BoundParam::Commands | BoundParam::WriteMessages(_) => {
                    self.offsets.push(0);
                    continue;
                }
            };
            // SAFETY: passed on.
            let bytes = unsafe { block.measure(world, reflection, ticks, limit.saturating_sub(end))? };
            if block.is_missing() {
                return Ok(Measured::Missing(block.name().to_owned()));
            }
            self.offsets.push(end);
            end = end.checked_add(bytes).ok_or(GatherError::TooLarge)?;
        }
        Ok(Measured::Bytes(end))
    }

    /// Fills the batch of the system `system`.
    ///
    /// # Safety
    /// The caller has the access that the parameters declare; the batch was just measured.
    pub(super) unsafe fn write(
        &self,
        system: u32,
        world: UnsafeWorldCell,
        reflection: Reflection,
        batch: &mut [u8],
    ) -> Result<(), GatherError> {
        let word = |value: usize| u32::try_from(value).map(u32::to_le_bytes).map_err(|_| GatherError::TooLarge);
        let header = [system.to_le_bytes(), word(self.list.len())?, word(batch.len())?, [0; 4]];
        for (place, bytes) in batch.chunks_exact_mut(4).zip(header) {
            place.copy_from_slice(&bytes);
        }
        for (place, offset) in batch[BATCH_HEADER..].chunks_exact_mut(4).zip(&self.offsets) {
            place.copy_from_slice(&word(*offset)?);
        }
        for (param, offset) in self.list.iter().zip(&self.offsets) {
            if let Some(block) = param.block() {
                // SAFETY: passed on.
                unsafe { block.write(world, reflection, &mut batch[*offset..])? };
            }
        }
        Ok(())
    }

    /// Takes back what the mod changed: all of it is checked before the first byte is stored.
    ///
    /// # Safety
    /// The caller has the access that the parameters declare, and the structure of the World did not change since the
    /// batch was measured.
    pub(super) unsafe fn scatter(
        &mut self,
        system: &str,
        instance: &Instance,
        world: UnsafeWorldCell,
        reflection: Reflection,
        tick: Tick,
    ) -> Result<(), SystemError> {
        let batch = instance.batch_bytes()?;
        let failed = |source| SystemError::Scatter { system: system.to_owned(), source };
        let blocks = || {
            let offsets = self.list.iter().zip(&self.offsets);
            offsets.filter_map(|(param, offset)| {
                param.block().map(|block| (block, batch.get(*offset..).unwrap_or_default()))
            })
        };
        for ((block, bytes), changes) in blocks().zip(&mut self.changes) {
            // SAFETY: passed on.
            unsafe { changes.check(block, bytes, world, instance, reflection) }.map_err(failed)?;
        }
        for ((block, bytes), changes) in blocks().zip(&mut self.changes) {
            // SAFETY: passed on. The structure of the World stays as it is while systems run.
            unsafe { changes.apply(block, bytes, world, tick) }.map_err(failed)?;
        }
        for param in &mut self.list {
            if let BoundParam::Messages(reader) = param {
                reader.commit();
            }
        }
        Ok(())
    }

    /// The row of an entity in the block of the parameter `param`.
    pub(super) fn row_of(&self, param: u32, world: UnsafeWorldCell, entity: u64) -> Result<Option<u32>, String> {
        let block = self.block(param)?;
        let row = Entity::try_from_bits(entity).and_then(|entity| block.selection.row_of(world, entity));
        Ok(row.and_then(|row| u32::try_from(row).ok()))
    }

    /// Which rows of a column are new to the system.
    ///
    /// # Safety
    /// The caller has the access that the parameters declare.
    pub(super) unsafe fn ticks(
        &self,
        (param, column): (u32, u32),
        world: UnsafeWorldCell,
        ticks: Ticks,
        out: &mut Vec<u8>,
    ) -> Result<(), String> {
        // SAFETY: passed on.
        unsafe { new_rows(self.block(param)?, column, world, ticks, out) }
    }

    fn block(&self, param: u32) -> Result<&Block, String> {
        match usize::try_from(param).ok().and_then(|param| self.list.get(param)) {
            Some(BoundParam::Block(block)) => Ok(block),
            _ => Err(format!("parameter {param} of the system has no rows")),
        }
    }
}

impl GuestBytes for Instance {
    fn at(&self, buffer: Buffer) -> Result<&[u8], String> {
        self.guest_bytes(buffer).map_err(|error| error.to_string())
    }
}
