//! The fast way through a copy plan: each row as a handful of moves of 16, 8 and 4 bytes.
//!
//! A run of 12 bytes, which is what most fields of a `Transform` are, takes two moves; one move of 16 bytes does it as
//! well, where the four bytes too many are written again by a later move. That is so for most rows, and the last few go
//! the exact way.
#![expect(unsafe_code, reason = "copies the bytes of components whose types are only known at run time")]

/// A run of bytes: where it stands in the value, where in the row, and its length.
pub(super) type Span = (usize, usize, usize);

/// A move: where it takes bytes from, and where it puts them.
type Move = (usize, usize);

/// The moves that copy one row.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Moves {
    /// Of 16 bytes, in the order of their targets. They come first.
    wide: Vec<Move>,
    eight: Vec<Move>,
    four: Vec<Move>,
    /// All rows are one run of bytes.
    whole: bool,
    from_stride: usize,
    to_stride: usize,
}

impl Moves {
    /// The moves from values of `size` bytes into rows of `stride` bytes. `None` where a run is not made of such moves.
    pub(super) fn out(spans: &[Span], size: usize, stride: usize) -> Option<Self> {
        // A row has no gaps, so whatever is written too much is written again, by a later move or by the next row.
        let spans = spans.iter().map(|(memory, wire, len)| (*memory, *wire, *len));
        Self::new(spans, (size, stride), |_| true)
    }

    /// The moves from rows back into values.
    pub(super) fn back(spans: &[Span], size: usize, stride: usize) -> Option<Self> {
        let mut spans: Vec<_> = spans.iter().map(|(memory, wire, len)| (*wire, *memory, *len)).collect();
        spans.sort_unstable_by_key(|(_, memory, _)| *memory);
        // What no run covers is not the mod's to write, be it padding or a field that does not cross.
        let covered =
            |range: std::ops::Range<usize>| {
                let end = spans.iter().fold(range.start, |end, (_, memory, len)| {
                    if (*memory..memory + len).contains(&end) { memory + len } else { end }
                });
                end >= range.end
            };
        Self::new(spans.iter().copied(), (stride, size), covered)
    }

    fn new(
        spans: impl Iterator<Item = Span>,
        (from_stride, to_stride): (usize, usize),
        may_overwrite: impl Fn(std::ops::Range<usize>) -> bool,
    ) -> Option<Self> {
        let mut moves = Self { from_stride, to_stride, ..Self::default() };
        let mut bytes = 0;
        for (from, to, len) in spans {
            bytes += len;
            let mut done = 0;
            while len - done >= 16 || (len > done && may_overwrite(to + len..to + done + 16)) {
                moves.wide.push((from + done, to + done));
                done = (done + 16).min(len);
            }
            if len - done >= 8 {
                moves.eight.push((from + done, to + done));
                done += 8;
            }
            if len - done >= 4 {
                moves.four.push((from + done, to + done));
                done += 4;
            }
            if done < len {
                return None;
            }
        }
        moves.whole = from_stride == to_stride && bytes == to_stride && moves.is_in_place();
        (bytes > 0).then_some(moves)
    }

    fn is_in_place(&self) -> bool {
        [&self.wide, &self.eight, &self.four].into_iter().flatten().all(|(from, to)| from == to)
    }

    /// Copies rows one after the other and returns how many it did: all but the last few.
    ///
    /// # Safety
    /// `rows` values, or rows, stand one after the other at `from` and may be read; as many at `to` may be written, and
    /// none of them is one of the others.
    pub(super) unsafe fn copy(&self, from: *const u8, to: *mut u8, rows: usize) -> usize {
        if self.whole {
            // SAFETY: all of it is there, by the caller's promise.
            unsafe { to.copy_from_nonoverlapping(from, rows * self.to_stride) };
            return rows;
        }
        // Rows after which at least 16 bytes follow on both sides.
        let last = 16_usize.div_ceil(self.from_stride).max(16_usize.div_ceil(self.to_stride));
        let rows = rows.saturating_sub(last);
        // With lengths that are known when compiling, a row is a few instructions.
        macro_rules! with {
            ($($wide:literal $eight:literal $four:literal)*) => {
                match (self.wide.len(), self.eight.len(), self.four.len()) {
                    $(($wide, $eight, $four) => {
                        let (mut wide, mut eight, mut four) = ([(0, 0); $wide], [(0, 0); $eight], [(0, 0); $four]);
                        wide.copy_from_slice(&self.wide);
                        eight.copy_from_slice(&self.eight);
                        four.copy_from_slice(&self.four);
                        // SAFETY: passed on.
                        unsafe { self.copy_by(&wide, &eight, &four, from, to, rows) }
                    })*
                    // SAFETY: passed on.
                    _ => unsafe { self.copy_by(&self.wide[..], &self.eight[..], &self.four[..], from, to, rows) },
                }
            };
        }
        with! {
            1 0 0  2 0 0  3 0 0  4 0 0
            0 1 0  0 0 1  0 1 1
            1 1 0  1 0 1  1 1 1
            2 1 0  2 0 1  2 1 1
            3 1 0  3 0 1  3 1 1
        }
        rows
    }

    /// # Safety
    /// As [`Moves::copy`], and 16 bytes follow on both sides after all rows.
    #[inline(always)]
    unsafe fn copy_by(
        &self,
        wide: &(impl AsRef<[Move]> + ?Sized),
        eight: &(impl AsRef<[Move]> + ?Sized),
        four: &(impl AsRef<[Move]> + ?Sized),
        from: *const u8,
        to: *mut u8,
        rows: usize,
    ) {
        for row in 0..rows {
            // SAFETY: the caller has so many rows.
            let (from, to) = unsafe { (from.add(row * self.from_stride), to.add(row * self.to_stride)) };
            // Copied without being looked at: what follows a run may be padding, which holds no bytes that one may read.
            for (at, place) in wide.as_ref() {
                // SAFETY: a move begins inside of its row, and 16 bytes follow each row.
                unsafe { to.add(*place).copy_from_nonoverlapping(from.add(*at), 16) };
            }
            for (at, place) in eight.as_ref() {
                // SAFETY: such a move lies inside of its row.
                unsafe { to.add(*place).copy_from_nonoverlapping(from.add(*at), 8) };
            }
            for (at, place) in four.as_ref() {
                // SAFETY: such a move lies inside of its row.
                unsafe { to.add(*place).copy_from_nonoverlapping(from.add(*at), 4) };
            }
        }
    }
}

#[cfg(test)]
mod tests;
