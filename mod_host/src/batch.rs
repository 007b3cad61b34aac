//! Where batches stand in the mod's memory: a scratch area for all calls, and areas of their own for systems whose batches are
//! worth keeping from one run to the next. What a batch holds is not known here.

use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicU64, Ordering},
};

use mod_abi::{
    Buffer,
    batch::{ALIGN, align_up},
    names::ALLOC_BUFFER,
};

use crate::{
    backtrace::ModBacktrace,
    budget::Step,
    context::NoHostCalls,
    error::CallError,
    fault::{Fault, Stop},
    instance::Instance,
};

/// The smallest area, in bytes.
const MIN_AREA: usize = 1 << 10;
/// Of which part of its bytes an area has headroom, so that a batch that grows a little does not need a new one: the shared area is
/// one, those that are kept are many.
const SHARED_HEADROOM: usize = 2;
const KEPT_HEADROOM: usize = 8;
/// Which part of the memory that a mod may have its kept areas may take, all of them together.
const KEPT_PART: usize = 4;

/// Tells a batch from every other one, of any instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BatchId(u64);

impl BatchId {
    fn new() -> Self {
        static IDS: AtomicU64 = AtomicU64::new(0);
        Self(IDS.fetch_add(1, Ordering::Relaxed))
    }
}

/// A batch in an area of its own: see [`Instance::batch_of`].
#[derive(Debug)]
pub struct KeptBatch<'a> {
    /// The bytes, with what was in them before.
    pub bytes: &'a mut [u8],
    /// This batch.
    pub id: BatchId,
    /// The batch that was here before, if the area still holds all of it, as the mod left it.
    pub before: Option<BatchId>,
}

/// The areas of an instance.
#[derive(Debug, Default)]
pub(crate) struct Batches {
    /// For everybody. Empty before it is first needed.
    shared: Buffer,
    /// By place.
    kept: BTreeMap<u32, Area>,
    /// The last batch.
    last: Buffer,
    /// Whether the mod once had no room for an area, so that none is kept any more: it would be made and given back in each frame.
    is_short: bool,
}

/// An area that is one system's.
#[derive(Debug)]
struct Area {
    buffer: Buffer,
    /// The batch that it holds.
    id: BatchId,
}

impl Batches {
    pub(crate) const fn last(&self) -> Buffer {
        self.last
    }

    fn kept_bytes(&self) -> usize {
        self.kept.values().map(|area| bytes_of(area.buffer)).fold(0, usize::saturating_add)
    }
}

impl Instance {
    /// The scratch area in the mod's memory for one call of [`Instance::run`]: `len` bytes at an address that is a
    /// multiple of 16. It is kept and reused, so it holds what was there before.
    ///
    /// # Errors
    /// [`CallError::OutOfMemory`] when the mod has no room, [`CallError::BadResult`] when its allocator does not
    /// align, and whatever else its allocator may do.
    pub fn batch(&mut self, len: usize) -> Result<&mut [u8], CallError> {
        if self.poisoned || len > bytes_of(self.batches.shared) {
            let old = std::mem::take(&mut self.batches.shared);
            self.batches.last = Buffer::default();
            self.batches.shared = self.new_area(old, len, SHARED_HEADROOM)?;
        }
        self.take(self.batches.shared, len)
    }

    /// As [`Instance::batch`], but in an area that only batches of the same `place` have, so that what has not changed since need not
    /// be written again. The areas take at most a quarter of the memory that the mod may have; what does not fit, or finds no
    /// room, shares the common area and is never kept. A mod that had no room once keeps none from then on.
    ///
    /// # Errors
    /// As [`Instance::batch`].
    pub fn batch_of(&mut self, place: u32, len: usize) -> Result<KeptBatch<'_>, CallError> {
        let id = BatchId::new();
        if let Some(area) = self.batches.kept.get_mut(&place)
            && bytes_of(area.buffer) >= len
            && !self.poisoned
        {
            let (buffer, before) = (area.buffer, std::mem::replace(&mut area.id, id));
            return Ok(KeptBatch { bytes: self.take(buffer, len)?, id, before: Some(before) });
        }
        if self.batches.is_short {
            return Ok(KeptBatch { bytes: self.batch(len)?, id, before: None });
        }
        let old = self.batches.kept.remove(&place).map(|area| area.buffer).unwrap_or_default();
        let room = (self.limits.memory_bytes / KEPT_PART).saturating_sub(self.batches.kept_bytes());
        if roomy(len, KEPT_HEADROOM) > room {
            self.free_area(old)?;
            return Ok(KeptBatch { bytes: self.batch(len)?, id, before: None });
        }
        match self.new_area(old, len, KEPT_HEADROOM) {
            Ok(buffer) => {
                self.batches.kept.insert(place, Area { buffer, id });
                Ok(KeptBatch { bytes: self.take(buffer, len)?, id, before: None })
            }
            // The mod needs its memory itself.
            Err(CallError::OutOfMemory { .. }) if !self.poisoned => {
                self.batches.is_short = true;
                for area in std::mem::take(&mut self.batches.kept).into_values() {
                    self.free_area(area.buffer)?;
                }
                Ok(KeptBatch { bytes: self.batch(len)?, id, before: None })
            }
            Err(error) => Err(error),
        }
    }

    /// The last batch, as the mod left it.
    ///
    /// # Errors
    /// [`CallError::Poisoned`].
    pub fn batch_bytes(&self) -> Result<&[u8], CallError> {
        self.guest_bytes(self.batches.last)
    }

    /// The first `len` bytes of an area, as the last batch.
    fn take(&mut self, area: Buffer, len: usize) -> Result<&mut [u8], CallError> {
        self.batches.last = Buffer::new(area.ptr(), u32::try_from(len).unwrap_or(u32::MAX));
        self.guest
            .bytes_mut(&mut self.store, self.batches.last)
            .map_err(|source| CallError::BadBuffer { function: ALLOC_BUFFER.to_owned(), source })
    }

    /// Gives an area back and takes one with headroom, so that a growing batch does not replace it every frame.
    fn new_area(&mut self, old: Buffer, len: usize, headroom: usize) -> Result<Buffer, CallError> {
        let Ok(exact) = u32::try_from(len) else {
            let (function, backtrace) = (ALLOC_BUFFER.to_owned(), ModBacktrace::default());
            return Err(CallError::OutOfMemory { function, limit: self.limits.memory_bytes, backtrace });
        };
        let roomy = u32::try_from(roomy(len, headroom)).unwrap_or(exact);
        self.enter(ALLOC_BUFFER, Step::Call, &mut NoHostCalls, |store, guest, _| {
            guest.free(&mut *store, old)?;
            let area = match guest.allocate(&mut *store, roomy) {
                Err(Stop::Host(Fault::NoMemory)) if roomy > exact => guest.allocate(&mut *store, exact)?,
                other => other?,
            };
            let address = usize::try_from(area.ptr()).unwrap_or(usize::MAX);
            if !address.is_multiple_of(ALIGN) {
                guest.free(&mut *store, area)?;
                let reason = format!("returned the address {address}, which is not a multiple of {ALIGN}");
                return Err(Fault::BadResult(reason).into());
            }
            Ok(area)
        })
    }

    fn free_area(&mut self, area: Buffer) -> Result<(), CallError> {
        if area.is_empty() {
            return Ok(());
        }
        self.enter(ALLOC_BUFFER, Step::Call, &mut NoHostCalls, |store, guest, _| guest.free(&mut *store, area))
    }
}

/// What is asked for, for a batch of so many bytes.
fn roomy(len: usize, headroom: usize) -> usize {
    let more = len.checked_div(headroom).unwrap_or_default();
    align_up(len.saturating_add(more).max(MIN_AREA)).unwrap_or(usize::MAX)
}

/// The size of a buffer of the mod's, whose addresses have 32 bits.
fn bytes_of(buffer: Buffer) -> usize {
    usize::try_from(buffer.len()).unwrap_or(usize::MAX)
}
