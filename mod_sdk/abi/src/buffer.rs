//! A pointer and a length in one number: the only thing that crosses by value.

use core::{fmt, ops::Range};

/// A run of bytes in a mod's linear memory: the pointer in the high 32 bits, the length in the low 32 bits.
///
/// ```
/// use mod_abi::Buffer;
///
/// let buffer = Buffer::new(0x10, 3);
/// assert_eq!(buffer.to_raw(), 0x0000_0010_0000_0003);
/// assert_eq!(buffer.range_in(32), Ok(16..19));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Buffer {
    ptr: u32,
    len: u32,
}

/// A [`Buffer`] that does not lie inside the memory it should point into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OutOfRange {
    /// The buffer as it came.
    pub buffer: Buffer,
    /// The size of the memory, in bytes.
    pub memory: usize,
}

impl Buffer {
    /// What a function of a mod returns in place of a result when it cannot read its arguments. No memory has such bytes.
    pub const REFUSED: Self = Self::new(u32::MAX, u32::MAX);
    /// Mods allocate buffers in units of so many bytes, and align them to as many.
    pub const GRANULE: u32 = 16;

    /// A buffer of `len` bytes at address `ptr`.
    #[must_use]
    pub const fn new(ptr: u32, len: u32) -> Self {
        Self { ptr, len }
    }

    /// Takes a buffer apart as it came over the border.
    #[must_use]
    pub const fn from_raw(raw: u64) -> Self {
        Self { ptr: (raw >> 32) as u32, len: raw as u32 }
    }

    /// The number that crosses the border.
    #[must_use]
    pub const fn to_raw(self) -> u64 {
        ((self.ptr as u64) << 32) | self.len as u64
    }

    /// The address of the first byte.
    #[must_use]
    pub const fn ptr(self) -> u32 {
        self.ptr
    }

    /// The number of bytes.
    #[must_use]
    pub const fn len(self) -> u32 {
        self.len
    }

    /// Whether there are no bytes. The pointer of an empty buffer has no meaning.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.len == 0
    }

    /// The same memory as a buffer of another length, if that fills as many [granules](Self::GRANULE): to the mod's allocator it
    /// is the same buffer. No memory stands behind empty ones.
    ///
    /// ```
    /// use mod_abi::Buffer;
    ///
    /// let buffer = Buffer::new(0x20, 3);
    /// assert_eq!(buffer.resized(16), Some(Buffer::new(0x20, 16)));
    /// assert_eq!(buffer.resized(17), None);
    /// assert_eq!(buffer.resized(0), None);
    /// ```
    #[must_use]
    pub const fn resized(self, len: u32) -> Option<Self> {
        let is_same = len > 0 && self.len > 0 && len.div_ceil(Self::GRANULE) == self.len.div_ceil(Self::GRANULE);
        if is_same { Some(Self::new(self.ptr, len)) } else { None }
    }

    /// The bytes as a range into a memory of `memory` bytes.
    ///
    /// # Errors
    /// When the buffer starts or ends outside the memory. An empty buffer is always `0..0`.
    pub fn range_in(self, memory: usize) -> Result<Range<usize>, OutOfRange> {
        if self.is_empty() {
            return Ok(0..0);
        }
        let out_of_range = OutOfRange { buffer: self, memory };
        let start = usize::try_from(self.ptr).map_err(|_| out_of_range)?;
        let len = usize::try_from(self.len).map_err(|_| out_of_range)?;
        match start.checked_add(len) {
            Some(end) if end <= memory => Ok(start..end),
            _ => Err(out_of_range),
        }
    }
}

impl fmt::Display for OutOfRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "a buffer of {} bytes at address {} does not lie inside the memory of {} bytes",
            self.buffer.len, self.buffer.ptr, self.memory
        )
    }
}

impl core::error::Error for OutOfRange {}

#[cfg(test)]
mod tests {
    use super::Buffer;

    #[test]
    fn the_pointer_is_high_and_the_length_low() {
        assert_eq!(Buffer::new(1, 2).to_raw(), 0x0000_0001_0000_0002);
        assert_eq!(Buffer::from_raw(0xffff_fffe_0000_0001), Buffer::new(0xffff_fffe, 1));
        let buffer = Buffer::new(0x1234_5678, 0x9abc_def0);
        assert_eq!(Buffer::from_raw(buffer.to_raw()), buffer);
    }

    #[test]
    fn ranges_are_checked_in_pointer_length_and_sum() {
        assert_eq!(Buffer::new(0, 64).range_in(64), Ok(0..64));
        assert_eq!(Buffer::new(64, 0).range_in(64), Ok(0..0));
        assert_eq!(Buffer::new(u32::MAX, 0).range_in(64), Ok(0..0));
        for (ptr, len) in [(0, 65), (64, 1), (63, 2), (u32::MAX, 1), (1, u32::MAX), (u32::MAX, u32::MAX)] {
            assert!(Buffer::new(ptr, len).range_in(64).is_err(), "{ptr} {len}");
        }
    }
}
