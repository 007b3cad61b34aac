//! The parameters of a slot: from the World into a batch, and back.
#![expect(unsafe_code, reason = "reads and writes the World by the access that the slot declared")]

use bevy_ecs::{change_detection::Tick, entity::Entity, world::unsafe_world_cell::UnsafeWorldCell};
use mod_abi::{
    Buffer,
    batch::{BATCH_HEADER, batch_header_bytes},
};
use mod_host::{BatchId, CallError, Instance};

use crate::bridge::{
    bind::BoundParam,
    filter::Ticks,
    gather::{Block, GatherError, Keep},
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
    /// What the last run left in the mod's memory, if all that it changed is in the World.
    left: Option<Left>,
    /// What this run will have left.
    leaving: Option<Left>,
}

/// A batch that stays in the mod's memory.
#[derive(Debug, PartialEq, Eq)]
struct Left {
    id: BatchId,
    /// The run's tick.
    tick: Tick,
    bytes: usize,
    offsets: Vec<usize>,
}

/// Batches of at least so many bytes are kept. To find out what has changed costs more than it saves for smaller ones.
const KEEP_FROM: usize = 16 << 10;

/// The size of a batch, or the resource for want of which there is none.
pub(super) enum Measured {
    Bytes(usize),
    Missing(String),
}

impl Params {
    pub(super) fn new(list: Vec<BoundParam>) -> Self {
        let changes = list.iter().map(|_| Changes::default()).collect();
        Self { list, offsets: Vec::new(), changes, left: None, leaving: None }
    }

    /// Whether there is nothing to bring to the mod and back.
    pub(super) fn is_empty(&self) -> bool {
        self.list.is_empty()
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

    /// Puts the batch of the system `system` into the mod's memory.
    ///
    /// # Safety
    /// The caller has the access that the parameters declare; the batch was just measured, as so many bytes.
    pub(super) unsafe fn write(
        &mut self,
        instance: &mut Instance,
        (name, system): (&str, u32),
        world: UnsafeWorldCell,
        reflection: Reflection,
        (bytes, tick): (usize, Tick),
    ) -> Result<(), SystemError> {
        let (batch, keep) = self.place(instance, system, bytes, tick)?;
        // SAFETY: passed on.
        let filled = unsafe { self.fill(system, world, reflection, keep, batch) };
        filled.map_err(|error| SystemError::Gather { system: name.to_owned(), reason: error.to_string() })
    }

    /// Where the batch goes, and what stands there.
    fn place<'i>(
        &mut self,
        instance: &'i mut Instance,
        system: u32,
        bytes: usize,
        tick: Tick,
    ) -> Result<(&'i mut [u8], Keep), CallError> {
        let left = self.left.take();
        self.leaving = None;
        if bytes < KEEP_FROM {
            return Ok((instance.batch(bytes)?, Keep::Nothing));
        }
        let batch = instance.batch_of(system, bytes)?;
        let is_left =
            |left: &Left| Some(left.id) == batch.before && left.bytes == bytes && left.offsets == self.offsets;
        let keep = left.as_ref().filter(|left| is_left(left)).map_or(Keep::Begin, |left| Keep::since(left.tick, tick));
        let mut offsets = left.map(|left| left.offsets).unwrap_or_default();
        offsets.clone_from(&self.offsets);
        self.leaving = Some(Left { id: batch.id, tick, bytes, offsets });
        Ok((batch.bytes, keep))
    }

    /// Forgets what is left in the mod's memory: change ticks are about to be moved.
    pub(super) fn forget(&mut self) {
        self.left = None;
    }

    /// # Safety
    /// As [`Params::write`].
    unsafe fn fill(
        &mut self,
        system: u32,
        world: UnsafeWorldCell,
        reflection: Reflection,
        keep: Keep,
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
        for (param, offset) in self.list.iter_mut().zip(&self.offsets) {
            if let Some(block) = param.block_mut() {
                // SAFETY: passed on.
                unsafe { block.write(world, reflection, keep, &mut batch[*offset..])? };
            }
        }
        Ok(())
    }

    /// Takes back what the mod changed: all of it is checked before the first byte is stored. Returns how many bytes that took.
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
    ) -> Result<usize, SystemError> {
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
        let mut taken = 0;
        for ((block, bytes), changes) in blocks().zip(&mut self.changes) {
            // SAFETY: passed on. The structure of the World stays as it is while systems run.
            taken += unsafe { changes.apply(block, bytes, world, tick) }.map_err(failed)?;
        }
        for param in &mut self.list {
            if let BoundParam::Messages(reader) = param {
                reader.commit();
            }
        }
        self.left = self.leaving.take();
        Ok(taken)
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
