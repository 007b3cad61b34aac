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
use mod_abi::Leaf;

use crate::bridge::{
    schema::leaf_of,
    value::{self, ValueError, read_duration, read_entity},
};

/// Rows that are copied leaf by leaf before the next ones: few enough to stay in the cache.
const BLOCK: usize = 256;

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
    /// Bytes of a row.
    stride: usize,
    /// Bytes of a value in memory, from one to the next.
    size: usize,
}

impl CopyPlan {
    /// Makes the plan for the type of `sample`, or `None` where its rows are not of a fixed size or its reflection
    /// does not show where its leaves are.
    pub(crate) fn of(sample: &dyn Reflect) -> Option<Self> {
        let mut walk = Walk { base: address(sample), size: size_of_val(sample), wire: 0, runs: Vec::new() };
        walk.visit(sample.as_partial_reflect())?;
        walk.without_overlap()?;
        let plan = Self { stride: walk.wire, size: walk.size, runs: merge(walk.runs) };
        plan.agrees_with_reflection(sample).then_some(plan)
    }

    /// Bytes of a row.
    pub(crate) fn stride(&self) -> usize {
        self.stride
    }

    /// Whether reflection lets these very leaves be written: a hand-written `Reflect` may show what it does not give away.
    pub(crate) fn may_write(&self, sample: &mut dyn Reflect) -> bool {
        let mut walk = Walk { base: address(sample), size: size_of_val(sample), wire: 0, runs: Vec::new() };
        walk.visit_mut(sample.as_partial_reflect_mut()).is_some() && merge(walk.runs) == self.runs
    }

    fn agrees_with_reflection(&self, sample: &dyn Reflect) -> bool {
        let mut expected = Vec::with_capacity(self.stride);
        let mut bytes = vec![0; self.stride];
        // SAFETY: `sample` is a live value of the type that this plan was made for, and `bytes` holds one row.
        unsafe { self.write_row(Ptr::new(std::ptr::NonNull::from(sample).cast()), &mut bytes) };
        value::write(sample.as_partial_reflect(), &mut expected).is_ok() && bytes == expected
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
        for start in (0..rows).step_by(BLOCK) {
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

    /// Whether `row` holds valid bytes for every leaf.
    pub(crate) fn check_row(&self, row: &[u8]) -> Result<(), ValueError> {
        for run in &self.runs {
            let bytes = &row[run.wire..run.wire + run.len];
            match run.kind {
                Kind::Copy => {}
                Kind::Bool if bytes[0] <= 1 => {}
                Kind::Bool => return Err(ValueError::Invalid { what: "bool", value: bytes[0].into() }),
                Kind::Entity => {
                    read_entity(number(bytes))?;
                }
                Kind::Duration => {
                    duration(bytes)?;
                }
            }
        }
        Ok(())
    }

    /// Stores the bytes of one row into a value. Bytes that [`CopyPlan::check_row`] refuses are not stored.
    ///
    /// # Safety
    /// `value` points to a value of the plan's type that nobody else reads or writes meanwhile.
    pub(crate) unsafe fn read_row(&self, value: *mut u8, row: &[u8]) {
        for run in &self.runs {
            let bytes = &row[run.wire..run.wire + run.len];
            // SAFETY: every run lies inside the value and is aligned for its leaf.
            let place = unsafe { value.add(run.memory) };
            match run.kind {
                Kind::Bool if bytes[0] > 1 => {}
                Kind::Copy | Kind::Bool => {
                    // SAFETY: the place holds `len` bytes, any of which are valid for these leaves.
                    unsafe { place.copy_from_nonoverlapping(bytes.as_ptr(), bytes.len()) };
                }
                Kind::Entity => {
                    if let Ok(entity) = read_entity(number(bytes)) {
                        // SAFETY: the place holds an `Entity`.
                        unsafe { place.cast::<Entity>().write(entity) };
                    }
                }
                Kind::Duration => {
                    if let Ok(duration) = duration(bytes) {
                        // SAFETY: the place holds a `Duration`.
                        unsafe { place.cast::<Duration>().write(duration) };
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

/// A walk over a value's leaves in the order of the wire.
struct Walk {
    base: usize,
    size: usize,
    wire: usize,
    runs: Vec<Run>,
}

impl Walk {
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
mod tests {
    use std::{ptr::NonNull, time::Duration};

    use bevy_ecs::{entity::Entity, ptr::Ptr};
    use bevy_reflect::{Reflect, Typed};
    use mod_abi::codec;
    use proptest::prelude::{Strategy, any, proptest};

    use super::CopyPlan;
    use crate::bridge::{
        schema::schema_of,
        value::{self, ValueError},
    };

    /// Every leaf, with gaps in memory and neighbours out of order.
    #[derive(Reflect, Debug, Clone, PartialEq)]
    struct Everything {
        flag: bool,
        wide: u64,
        small: (u8, i16),
        place: [f32; 3],
        owner: Entity,
        since: Duration,
        huge: i128,
        level: Level,
    }

    #[derive(Reflect, Debug, Clone, PartialEq)]
    struct Level(u8, usize);

    #[derive(Reflect)]
    struct Varying(Vec<u8>);

    fn everything() -> impl Strategy<Value = Everything> {
        let numbers = (any::<bool>(), any::<u64>(), any::<(u8, i16)>(), any::<[f32; 3]>());
        let others = (1..u64::MAX, 0..1_000_000_000_u32, any::<i128>(), any::<(u8, usize)>());
        (numbers, others).prop_map(|((flag, wide, small, place), (bits, nanos, huge, (level, deep)))| Everything {
            flag,
            wide,
            small,
            place,
            owner: Entity::try_from_bits(bits | 1).expect("its low half is not zero"),
            since: Duration::new(wide, nanos),
            huge,
            level: Level(level, deep),
        })
    }

    fn bytes_of(plan: &CopyPlan, value: &Everything) -> Vec<u8> {
        let mut bytes = vec![0xaa; plan.stride()];
        // SAFETY: the plan was made for this type.
        unsafe { plan.write_row(Ptr::from(value), &mut bytes) };
        bytes
    }

    proptest! {
        #[test]
        fn plan_and_reflection_and_codec_agree(value in everything(), other in everything()) {
            let plan = CopyPlan::of(&other).expect("all of it is of a fixed size");
            let bytes = bytes_of(&plan, &value);
            let mut by_reflection = Vec::new();
            value::write(&value, &mut by_reflection).expect("it has an encoding");
            assert_eq!(bytes, by_reflection);
            let Everything { flag, wide, small, place, owner, since, huge, level } = &value;
            let by_codec = (flag, wide, small, place, owner.to_bits(), since, huge, (level.0, level.1 as u64));
            assert_eq!(bytes, codec::encode(&by_codec).expect("it has an encoding"));
            assert_eq!(schema_of(Everything::type_info()).expect("a schema").fixed_size(), Some(bytes.len()));

            let mut target = other;
            plan.check_row(&bytes).expect("these bytes are valid");
            // SAFETY: the plan was made for this type, and nobody else sees the target.
            unsafe { plan.read_row((&raw mut target).cast(), &bytes) };
            assert_eq!(bytes_of(&plan, &target), bytes);
        }

        #[test]
        fn whatever_a_mod_writes_leaves_a_valid_value(
            value in everything(),
            noise in proptest::collection::vec(any::<u8>(), 512),
        ) {
            let plan = CopyPlan::of(&value).expect("all of it is of a fixed size");
            let row = &noise[..plan.stride()];
            let mut target = value;
            let valid = plan.check_row(row).is_ok();
            // SAFETY: as above. Bytes that are not valid are left out.
            unsafe { plan.read_row((&raw mut target).cast(), row) };
            assert_eq!(bytes_of(&plan, &target) == row, valid);
        }
    }

    #[test]
    fn many_rows_are_the_same_as_one_after_the_other() {
        let rows: Vec<_> = (0..1000_u16).map(|n| (n, f64::from(n), [n as u8; 3])).collect();
        let plan = CopyPlan::of(&rows[0]).expect("all of it is of a fixed size");
        let mut bytes = vec![0; plan.stride() * rows.len()];
        // SAFETY: the slice holds as many values as are asked for.
        unsafe { plan.write_rows(Ptr::new(NonNull::from(&rows[..]).cast()), rows.len(), &mut bytes) };
        let expected: Vec<_> = rows.iter().flat_map(|row| codec::encode(row).expect("it has an encoding")).collect();
        assert_eq!(bytes, expected);
    }

    #[test]
    fn types_of_varying_size_have_no_plan() {
        assert_eq!(CopyPlan::of(&Varying(vec![1])), None);
    }

    #[test]
    fn invalid_bits_are_found() {
        let plan = CopyPlan::of(&(true, Duration::ZERO)).expect("all of it is of a fixed size");
        let row = |flag: u8, nanos: u32| [&[flag][..], &0_u64.to_le_bytes(), &nanos.to_le_bytes()].concat();
        assert_eq!(plan.check_row(&row(1, 999_999_999)), Ok(()));
        assert_eq!(plan.check_row(&row(2, 0)), Err(ValueError::Invalid { what: "bool", value: 2 }));
        assert!(plan.check_row(&row(0, 1_000_000_000)).is_err());
    }
}
