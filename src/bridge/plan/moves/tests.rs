//! Any runs of bytes, against one byte after the other.
//!
//! Buffers end where the rows do and gaps in values hold nothing, so that Miri sees whatever is touched besides.
#![expect(unsafe_code, reason = "copies values of its own")]

use std::{mem::MaybeUninit, ptr::NonNull};

use bevy_ecs::ptr::Ptr;
use proptest::{
    collection::vec,
    prelude::{Just, ProptestConfig, Strategy, any, prop_assert_eq, prop_oneof, proptest},
};

use super::{Moves, Span};
use crate::bridge::plan::{CopyPlan, Kind, Run};

/// What stands where nothing may be written.
const UNTOUCHED: u8 = 0x5a;

/// Runs of bytes that lie in values in another order than in rows, with gaps.
#[derive(Debug, Clone)]
struct Layout {
    spans: Vec<Span>,
    size: usize,
    stride: usize,
}

/// Lengths, each with the gap before it and its place in memory.
fn layout() -> impl Strategy<Value = Layout> {
    let len = prop_oneof![4 => (1..8_usize).prop_map(|words| words * 4), 1 => 1..24_usize];
    let gap = prop_oneof![3 => Just(0_usize), 1 => (1..5_usize).prop_map(|words| words * 4), 1 => 1..12_usize];
    let in_order = any::<bool>();
    (vec((len, gap.clone(), any::<u16>()), 1..6), gap, in_order).prop_map(|(parts, last, in_order)| {
        let mut order: Vec<usize> = (0..parts.len()).collect();
        if !in_order {
            order.sort_by_key(|part| parts[*part].2);
        }
        let mut places = vec![0; parts.len()];
        let mut size = 0;
        for part in order {
            let (len, gap, _) = parts[part];
            places[part] = size + gap;
            size += gap + len;
        }
        let mut stride = 0;
        let mut spans = Vec::new();
        for ((len, ..), memory) in parts.iter().zip(places) {
            spans.push((memory, stride, *len));
            stride += len;
        }
        Layout { spans, size: size + last, stride }
    })
}

impl Layout {
    fn plan(&self) -> CopyPlan {
        let run = |(memory, wire, len): &Span| Run { kind: Kind::Copy, memory: *memory, wire: *wire, len: *len };
        CopyPlan::with_checks(self.stride, self.size, self.spans.iter().map(run).collect(), Vec::new())
    }

    /// Pairs of places, in the values and in the rows, of each byte that crosses.
    fn bytes(&self, rows: usize) -> impl Iterator<Item = (usize, usize)> {
        (0..rows).flat_map(move |row| {
            self.spans.iter().flat_map(move |(memory, wire, len)| {
                (0..*len).map(move |byte| (row * self.size + memory + byte, row * self.stride + wire + byte))
            })
        })
    }

    /// Values with these bytes, and with nothing in their gaps.
    fn values(&self, rows: usize, bytes: &[u8]) -> Vec<MaybeUninit<u8>> {
        let mut values = vec![MaybeUninit::uninit(); rows * self.size];
        for (place, wire) in self.bytes(rows) {
            values[place].write(bytes[wire]);
        }
        values
    }

    fn row_bytes(&self, rows: usize, seed: &[u8]) -> Vec<u8> {
        seed.iter().copied().cycle().take(rows * self.stride).collect()
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: if cfg!(miri) { 10 } else { 512 }, ..Default::default() })]

    #[test]
    fn rows_are_what_the_values_hold(
        layout in layout(),
        rows in 0..if cfg!(miri) { 12_usize } else { 100 },
        seed in vec(any::<u8>(), 1..24),
    ) {
        let expected = layout.row_bytes(rows, &seed);
        let values = layout.values(rows, &expected);
        if let Some(moves) = Moves::out(&layout.spans, layout.size, layout.stride) {
            let mut bytes = vec![UNTOUCHED; expected.len()];
            // SAFETY: there are so many values, and so many rows.
            let done = unsafe { moves.copy(values.as_ptr().cast(), bytes.as_mut_ptr(), rows) };
            assert!(done <= rows);
            prop_assert_eq!(&bytes[..done * layout.stride], &expected[..done * layout.stride]);
        }
        let mut bytes = vec![UNTOUCHED; expected.len()];
        // SAFETY: there are so many values.
        unsafe { layout.plan().write_rows(Ptr::new(NonNull::from(&values[..]).cast()), rows, &mut bytes) };
        prop_assert_eq!(bytes, expected);
    }

    #[test]
    fn values_get_what_the_rows_hold_and_nothing_else_changes(
        layout in layout(),
        rows in 0..if cfg!(miri) { 12_usize } else { 100 },
        seed in vec(any::<u8>(), 1..24),
    ) {
        let bytes = layout.row_bytes(rows, &seed);
        let expected = |rows| {
            let mut expected = vec![UNTOUCHED; bytes.len() / layout.stride * layout.size];
            layout.bytes(rows).for_each(|(place, wire)| expected[place] = bytes[wire]);
            expected
        };
        if let Some(moves) = Moves::back(&layout.spans, layout.size, layout.stride) {
            let mut values = vec![UNTOUCHED; rows * layout.size];
            // SAFETY: there are so many rows, and so many values.
            let done = unsafe { moves.copy(bytes.as_ptr(), values.as_mut_ptr(), rows) };
            assert!(done <= rows);
            // Not even for a moment anything is written into values that are left to others.
            prop_assert_eq!(values, expected(done));
        }
        let mut values = vec![UNTOUCHED; rows * layout.size];
        // SAFETY: there are so many values, which nobody else sees.
        unsafe { layout.plan().read_rows(values.as_mut_ptr(), rows, &bytes) };
        prop_assert_eq!(values, expected(rows));
    }
}

/// The last 16 bytes of a move may lie in a gap: they are copied without being looked at.
#[test]
fn a_move_past_a_run_may_take_bytes_that_are_nothing() {
    let layout = Layout { spans: vec![(0, 0, 12), (16, 12, 8)], size: 24, stride: 20 };
    let expected = layout.row_bytes(5, &[1, 2, 3, 4, 5, 6, 7]);
    let values = layout.values(5, &expected);
    let moves = Moves::out(&layout.spans, layout.size, layout.stride).expect("there are moves");
    assert_eq!(moves.wide.len(), 2);
    let mut bytes = vec![UNTOUCHED; expected.len()];
    // SAFETY: there are so many values, and so many rows.
    let done = unsafe { moves.copy(values.as_ptr().cast(), bytes.as_mut_ptr(), 5) };
    assert_eq!(done, 4);
    assert_eq!(bytes[..done * 20], expected[..done * 20]);
}
