//! The copy plan: how the memory of a component becomes its bytes, found by walking one value through reflection.
//!
//! bincode's encoding of a value of fixed size is its leaves, packed. So once it is known where the leaves lie in
//! memory, rows cross by copying runs of bytes, with no call per field and no registration by the game. Leaves with
//! invalid bit patterns have operations of their own and are checked before anything is stored.
//!
//! What is assumed of a type: that each of its leaves lies at the same offset in every value. The plan checks the rest
//! when it is made (every leaf inside the value, aligned, and none over another, because a hand-written `Reflect` may
//! answer with any address) and compares its bytes with those of the reflection path for the value it was made from.
#![expect(unsafe_code, reason = "copies the bytes of components whose types are only known at run time")]

use std::{ops::Range, time::Duration};

use bevy_ecs::{entity::Entity, ptr::Ptr};
use bevy_reflect::{PartialReflect, Reflect, ReflectMut, ReflectRef};
use mod_abi::{Leaf, Schema};

use crate::bridge::{
    plan::moves::Moves,
    schema::leaf_of,
    shape::{Shape, field, field_mut},
    value::{self, Reflection, ValueError, read_duration, read_entity},
};

/// Rows that are copied leaf by leaf before the next ones: few enough to stay in the cache.
const BLOCK: usize = 256;

mod moves;

/// Bytes of a duration on the wire.
const DURATION: usize = 12;
/// The most leaves with invalid bit patterns that a packed type may have. A list of types that cannot be longer than a
/// description would still make every row expensive.
const MAX_CHECKS: usize = 4096;

/// How a leaf, or a run of neighbouring leaves, crosses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Bytes for which every pattern is valid.
    Copy,
    Bool,
    Entity,
    Duration,
}

/// One run of bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Run {
    kind: Kind,
    /// Offset in the value.
    memory: usize,
    /// Offset in the row's bytes.
    wire: usize,
    /// Bytes on the wire. In memory they are as many, but for a `Duration`.
    len: usize,
}

impl Run {
    fn memory_range(&self) -> Range<usize> {
        let len = if self.kind == Kind::Duration { size_of::<Duration>() } else { self.len };
        self.memory..self.memory + len
    }
}

/// How values of one type become bytes of a fixed number, and back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CopyPlan {
    runs: Vec<Run>,
    /// Leaves with invalid bit patterns, and where they stand on the wire.
    checks: Vec<(Kind, usize)>,
    /// Bytes of a row.
    stride: usize,
    /// Bytes of a value in memory, from one to the next.
    size: usize,
    /// How most rows are copied out of values, and back into them.
    out: Option<Moves>,
    back: Option<Moves>,
}

impl CopyPlan {
    /// Makes the plan for the type of `sample`, or `None` where its rows are not of a fixed size or its reflection
    /// does not show where its leaves are.
    pub(crate) fn of(sample: &dyn Reflect, shape: &Shape, reflection: Reflection) -> Option<Self> {
        let mut walk = Walk { base: address(sample), size: size_of_val(sample), wire: 0, runs: Vec::new() };
        walk.visit_part(sample.as_partial_reflect(), shape)?;
        walk.without_overlap()?;
        let plan = Self::new(walk.wire, walk.size, walk.runs);
        plan.agrees_with_reflection(sample, shape, reflection).then_some(plan)
    }

    /// Makes the plan for values whose memory is their encoding, or `None` where that is not of a fixed size.
    pub(crate) fn packed(schema: &Schema) -> Option<Self> {
        let size = schema.fixed_size()?;
        let mut checks = Vec::new();
        packed_checks(schema, &mut 0, &mut checks)?;
        let all = Run { kind: Kind::Copy, memory: 0, wire: 0, len: size };
        let runs = if size > 0 { vec![all] } else { Vec::new() };
        Some(Self::with_checks(size, size, runs, checks))
    }

    fn new(stride: usize, size: usize, runs: Vec<Run>) -> Self {
        let checks = runs.iter().filter(|run| run.kind != Kind::Copy).map(|run| (run.kind, run.wire)).collect();
        Self::with_checks(stride, size, merge(runs), checks)
    }

    fn with_checks(stride: usize, size: usize, runs: Vec<Run>, checks: Vec<(Kind, usize)>) -> Self {
        let spans: Vec<_> = runs.iter().map(|run| (run.memory, run.wire, run.len)).collect();
        let all = |kinds: &[Kind]| runs.iter().all(|run| kinds.contains(&run.kind));
        // A `bool` is a byte, but not every byte is a `bool`.
        let out = all(&[Kind::Copy, Kind::Bool]).then(|| Moves::out(&spans, size, stride)).flatten();
        let back = all(&[Kind::Copy]).then(|| Moves::back(&spans, size, stride)).flatten();
        Self { runs, checks, stride, size, out, back }
    }

    /// Bytes of a row.
    pub(crate) fn stride(&self) -> usize {
        self.stride
    }

    /// Bytes of a value in memory, from one to the next.
    pub(crate) fn size(&self) -> usize {
        self.size
    }

    /// Whether reflection lets these very leaves be written: a hand-written `Reflect` may show what it does not give away.
    pub(crate) fn may_write(&self, sample: &mut dyn Reflect, shape: &Shape) -> bool {
        let mut walk = Walk { base: address(sample), size: size_of_val(sample), wire: 0, runs: Vec::new() };
        walk.visit_part_mut(sample.as_partial_reflect_mut(), shape).is_some() && merge(walk.runs) == self.runs
    }

    fn agrees_with_reflection(&self, sample: &dyn Reflect, shape: &Shape, reflection: Reflection) -> bool {
        let mut expected = Vec::with_capacity(self.stride);
        let mut bytes = vec![0; self.stride];
        // SAFETY: `sample` is a live value of the type that this plan was made for, and `bytes` holds one row.
        unsafe { self.write_row(Ptr::new(std::ptr::NonNull::from(sample).cast()), &mut bytes) };
        value::write(sample.as_partial_reflect(), shape, reflection, &mut expected).is_ok() && bytes == expected
    }

    /// Writes one value's bytes into `out`, which holds `stride` bytes.
    ///
    /// # Safety
    /// `value` points to a value of the plan's type that nobody writes meanwhile.
    pub(crate) unsafe fn write_row(&self, value: Ptr, out: &mut [u8]) {
        // SAFETY: one value is a run of one.
        unsafe { self.write_rows(value, 1, out) };
    }

    /// Writes the bytes of `rows` values that stand one after the other into `out`.
    ///
    /// # Safety
    /// `first` points to the first of `rows` contiguous values of the plan's type, which nobody writes meanwhile.
    ///
    /// # Panics
    /// When `out` does not hold `rows` rows.
    pub(crate) unsafe fn write_rows(&self, first: Ptr, rows: usize, out: &mut [u8]) {
        assert_eq!(out.len(), rows * self.stride, "a column should hold its rows");
        let first: *const u8 = first.as_ptr();
        // SAFETY: the values may be read, and `out` has a row for each.
        let done = self.out.as_ref().map_or(0, |moves| unsafe { moves.copy(first, out.as_mut_ptr(), rows) });
        for start in (done..rows).step_by(BLOCK) {
            let block = BLOCK.min(rows - start);
            let out = &mut out[start * self.stride..(start + block) * self.stride];
            // SAFETY: `start` is less than `rows`, so the value lies in the caller's run.
            let first = unsafe { first.add(start * self.size) };
            for run in &self.runs {
                let places = out.chunks_exact_mut(self.stride).map(|row| &mut row[run.wire..run.wire + run.len]);
                // SAFETY: every run lies inside a value, and `block` values follow `first`.
                unsafe { write_run(run, first, self.size, places) };
            }
        }
    }

    /// Whether every pattern of bits is a value, so that rows need no [`CopyPlan::check_row`].
    pub(crate) fn accepts_all(&self) -> bool {
        self.checks.is_empty()
    }

    /// Whether `row` holds valid bytes for every leaf.
    pub(crate) fn check_row(&self, row: &[u8]) -> Result<(), ValueError> {
        for (kind, wire) in &self.checks {
            let bytes = &row[*wire..];
            match kind {
                Kind::Copy => {}
                Kind::Bool if bytes[0] <= 1 => {}
                Kind::Bool => return Err(ValueError::Invalid { what: "bool", value: bytes[0].into() }),
                Kind::Entity => {
                    read_entity(number(bytes))?;
                }
                Kind::Duration => {
                    duration(&bytes[..DURATION])?;
                }
            }
        }
        Ok(())
    }

    /// Stores the bytes of many rows into values that stand one after the other. Bytes that [`CopyPlan::check_row`]
    /// refuses are not stored.
    ///
    /// # Safety
    /// `first` points to the first of `rows` contiguous values of the plan's type, which nobody else reads or writes
    /// meanwhile.
    ///
    /// # Panics
    /// When `bytes` are not that many rows.
    pub(crate) unsafe fn read_rows(&self, first: *mut u8, rows: usize, bytes: &[u8]) {
        assert_eq!(bytes.len(), rows * self.stride, "there should be bytes for each row");
        // SAFETY: the values may be written, and there is a row for each.
        let done = self.back.as_ref().map_or(0, |moves| unsafe { moves.copy(bytes.as_ptr(), first, rows) });
        for start in (done..rows).step_by(BLOCK) {
            let block = BLOCK.min(rows - start);
            let bytes = &bytes[start * self.stride..(start + block) * self.stride];
            // SAFETY: `start` is less than `rows`, so the value lies in the caller's run.
            let first = unsafe { first.add(start * self.size) };
            for run in &self.runs {
                let places = bytes.chunks_exact(self.stride).map(|row| &row[run.wire..run.wire + run.len]);
                // SAFETY: every run lies inside a value, and `block` values follow `first`.
                unsafe { read_run(run, first, self.size, places) };
            }
        }
    }

    /// Stores the bytes of one row into a value. Bytes that [`CopyPlan::check_row`] refuses are not stored.
    ///
    /// # Safety
    /// `value` points to a value of the plan's type that nobody else reads or writes meanwhile.
    pub(crate) unsafe fn read_row(&self, value: *mut u8, row: &[u8]) {
        // SAFETY: one value is a run of one.
        unsafe { self.read_rows(value, 1, row) };
    }
}

/// Stores one run of many rows into its places in their values.
///
/// # Safety
/// `first` points to as many values of `size` bytes as there are rows, which nobody else reads or writes, and `run` lies
/// inside each.
unsafe fn read_run<'a>(run: &Run, first: *mut u8, size: usize, rows: impl Iterator<Item = &'a [u8]>) {
    /// # Safety
    /// As the outer function; `N` is the run's length.
    unsafe fn copy<'a, const N: usize>(run: &Run, first: *mut u8, size: usize, rows: impl Iterator<Item = &'a [u8]>) {
        for (index, row) in rows.enumerate() {
            // SAFETY: the caller's run of values reaches up to `index`, and any bytes are valid for these leaves.
            unsafe { first.add(index * size + run.memory).copy_from_nonoverlapping(row.as_ptr(), N) };
        }
    }

    match (run.kind, run.len) {
        // SAFETY: passed on; the length was just looked at.
        (Kind::Copy, 4) => unsafe { copy::<4>(run, first, size, rows) },
        // SAFETY: as above.
        (Kind::Copy, 8) => unsafe { copy::<8>(run, first, size, rows) },
        // SAFETY: as above.
        (Kind::Copy, 12) => unsafe { copy::<12>(run, first, size, rows) },
        // SAFETY: as above.
        (Kind::Copy, 16) => unsafe { copy::<16>(run, first, size, rows) },
        (kind, len) => {
            for (index, bytes) in rows.enumerate() {
                // SAFETY: the caller's run of values reaches up to `index`.
                let place = unsafe { first.add(index * size + run.memory) };
                match kind {
                    Kind::Bool if bytes[0] > 1 => {}
                    Kind::Copy | Kind::Bool => {
                        // SAFETY: the place holds `len` bytes, any of which are valid for these leaves.
                        unsafe { place.copy_from_nonoverlapping(bytes.as_ptr(), len) };
                    }
                    Kind::Entity => {
                        if let Ok(entity) = read_entity(number(bytes)) {
                            // SAFETY: the place holds an `Entity`, aligned.
                            unsafe { place.cast::<Entity>().write(entity) };
                        }
                    }
                    Kind::Duration => {
                        if let Ok(duration) = duration(bytes) {
                            // SAFETY: the place holds a `Duration`, aligned.
                            unsafe { place.cast::<Duration>().write(duration) };
                        }
                    }
                }
            }
        }
    }
}

/// Copies one run of many values to its places.
///
/// # Safety
/// `first` points to as many values of `size` bytes as there are places, and `run` lies inside each.
unsafe fn write_run<'a>(run: &Run, first: *const u8, size: usize, places: impl Iterator<Item = &'a mut [u8]>) {
    /// # Safety
    /// As the outer function; `N` is the run's length.
    unsafe fn copy<'a, const N: usize>(
        run: &Run,
        first: *const u8,
        size: usize,
        places: impl Iterator<Item = &'a mut [u8]>,
    ) {
        for (index, place) in places.enumerate() {
            // SAFETY: the caller's run of values reaches up to `index`.
            let from = unsafe { first.add(index * size + run.memory) };
            // SAFETY: `N` bytes lie at `from`, and `place` holds as many.
            unsafe { place.as_mut_ptr().copy_from_nonoverlapping(from, N) };
        }
    }
    // A length that is known when compiling makes the copy one or two instructions.
    match (run.kind, run.len) {
        // SAFETY: this function's own contract, in all arms.
        (Kind::Copy | Kind::Bool, 1) => unsafe { copy::<1>(run, first, size, places) },
        // SAFETY: as above.
        (Kind::Copy, 2) => unsafe { copy::<2>(run, first, size, places) },
        // SAFETY: as above.
        (Kind::Copy, 4) => unsafe { copy::<4>(run, first, size, places) },
        // SAFETY: as above.
        (Kind::Copy, 8) => unsafe { copy::<8>(run, first, size, places) },
        // SAFETY: as above.
        (Kind::Copy, 12) => unsafe { copy::<12>(run, first, size, places) },
        // SAFETY: as above.
        (Kind::Copy, 16) => unsafe { copy::<16>(run, first, size, places) },
        (kind, len) => {
            for (index, place) in places.enumerate() {
                // SAFETY: the caller's run of values reaches up to `index`.
                let from = unsafe { first.add(index * size + run.memory) };
                match kind {
                    Kind::Copy | Kind::Bool => {
                        // SAFETY: `len` bytes lie at `from`, and `place` holds as many.
                        unsafe { place.as_mut_ptr().copy_from_nonoverlapping(from, len) };
                    }
                    Kind::Entity => {
                        // SAFETY: an `Entity` lies at `from`, aligned.
                        let entity = unsafe { from.cast::<Entity>().read() };
                        place.copy_from_slice(&entity.to_bits().to_le_bytes());
                    }
                    Kind::Duration => {
                        // SAFETY: a `Duration` lies at `from`, aligned.
                        let duration = unsafe { from.cast::<Duration>().read() };
                        place[..8].copy_from_slice(&duration.as_secs().to_le_bytes());
                        place[8..].copy_from_slice(&duration.subsec_nanos().to_le_bytes());
                    }
                }
            }
        }
    }
}

fn number(bytes: &[u8]) -> u64 {
    bytes.first_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes))
}

fn duration(bytes: &[u8]) -> Result<Duration, ValueError> {
    let nanos = bytes.last_chunk().map_or(u32::MAX, |bytes| u32::from_le_bytes(*bytes));
    read_duration(number(bytes), nanos)
}

fn address(value: &dyn Reflect) -> usize {
    std::ptr::from_ref(value).cast::<u8>().addr()
}

/// The leaves of a schema that have invalid bit patterns, with their places. `None` if there are too many of them.
fn packed_checks(schema: &Schema, wire: &mut usize, checks: &mut Vec<(Kind, usize)>) -> Option<()> {
    match schema {
        Schema::Leaf(leaf) => {
            let kind = match leaf {
                Leaf::Bool => Some(Kind::Bool),
                Leaf::Entity => Some(Kind::Entity),
                Leaf::Duration => Some(Kind::Duration),
                _ => None,
            };
            checks.extend(kind.map(|kind| (kind, *wire)));
            *wire += leaf.size()?;
            (checks.len() <= MAX_CHECKS).then_some(())
        }
        Schema::Struct(fields) => fields.iter().try_for_each(|(_, field)| packed_checks(field, wire, checks)),
        Schema::Tuple(fields) => fields.iter().try_for_each(|field| packed_checks(field, wire, checks)),
        Schema::Array(item, len) => {
            let start = checks.len();
            let before = *wire;
            if *len > 0 {
                packed_checks(item, wire, checks)?;
            }
            if checks.len() > start {
                return (1..*len).try_for_each(|_| packed_checks(item, wire, checks));
            }
            *wire = before + schema.fixed_size()?;
            Some(())
        }
        _ => None,
    }
}

/// A walk over a value's leaves in the order of the wire.
struct Walk {
    base: usize,
    size: usize,
    wire: usize,
    runs: Vec<Run>,
}

impl Walk {
    fn visit_part(&mut self, value: &dyn PartialReflect, shape: &Shape) -> Option<()> {
        let Shape::Fields(fields) = shape else { return self.visit(value) };
        let value = value.reflect_ref();
        fields.iter().try_for_each(|(index, shape)| self.visit_part(field(&value, *index)?, shape))
    }

    fn visit_part_mut(&mut self, value: &mut dyn PartialReflect, shape: &Shape) -> Option<()> {
        let Shape::Fields(fields) = shape else { return self.visit_mut(value) };
        let mut value = value.reflect_mut();
        fields.iter().try_for_each(|(index, shape)| self.visit_part_mut(field_mut(&mut value, *index)?, shape))
    }

    fn visit(&mut self, value: &dyn PartialReflect) -> Option<()> {
        match value.reflect_ref() {
            ReflectRef::Struct(value) => value.iter_fields().try_for_each(|(_, field)| self.visit(field)),
            ReflectRef::TupleStruct(value) => value.iter_fields().try_for_each(|field| self.visit(field)),
            ReflectRef::Tuple(value) => value.iter_fields().try_for_each(|field| self.visit(field)),
            ReflectRef::Array(value) => value.iter().try_for_each(|item| self.visit(item)),
            ReflectRef::Opaque(_) => self.leaf(value.try_as_reflect()?),
            _ => None,
        }
    }

    fn visit_mut(&mut self, value: &mut dyn PartialReflect) -> Option<()> {
        match value.reflect_mut() {
            ReflectMut::Struct(value) => {
                (0..value.field_len()).try_for_each(|index| self.visit_mut(value.field_at_mut(index)?))
            }
            ReflectMut::TupleStruct(value) => {
                (0..value.field_len()).try_for_each(|index| self.visit_mut(value.field_mut(index)?))
            }
            ReflectMut::Tuple(value) => {
                (0..value.field_len()).try_for_each(|index| self.visit_mut(value.field_mut(index)?))
            }
            ReflectMut::Array(value) => (0..value.len()).try_for_each(|index| self.visit_mut(value.get_mut(index)?)),
            ReflectMut::Opaque(value) => self.leaf(value.try_as_reflect()?),
            _ => None,
        }
    }

    fn leaf(&mut self, value: &dyn Reflect) -> Option<()> {
        let leaf = leaf_of(value.as_any().type_id())?;
        let len = leaf.size()?;
        let kind = match leaf {
            Leaf::Bool => Kind::Bool,
            Leaf::Entity => Kind::Entity,
            Leaf::Duration => Kind::Duration,
            // On other platforms a `usize` is not what crosses.
            _ if size_of_val(value) != len || cfg!(target_endian = "big") => return None,
            _ => Kind::Copy,
        };
        let memory = address(value).checked_sub(self.base)?;
        let run = Run { kind, memory, wire: self.wire, len };
        let aligned = memory.is_multiple_of(align_of_val(value));
        let inside = run.memory_range().end <= self.size;
        self.runs.push(run);
        self.wire += len;
        (aligned && inside).then_some(())
    }

    fn without_overlap(&self) -> Option<()> {
        let mut ranges: Vec<_> = self.runs.iter().map(Run::memory_range).collect();
        ranges.sort_by_key(|range| range.start);
        ranges.is_sorted_by(|a, b| a.end <= b.start).then_some(())
    }
}

/// Joins runs that follow each other both in memory and on the wire.
fn merge(runs: Vec<Run>) -> Vec<Run> {
    let mut merged: Vec<Run> = Vec::with_capacity(runs.len());
    for run in runs {
        match merged.last_mut() {
            Some(last) if last.kind == Kind::Copy && run.kind == Kind::Copy && last.memory + last.len == run.memory => {
                last.len += run.len;
            }
            _ => merged.push(run),
        }
    }
    merged
}

#[cfg(test)]
mod tests;
