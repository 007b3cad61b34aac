//! Memory that crosses the border: bytes with an alignment of 16, owned by whoever received them.
#![expect(unsafe_code, reason = "memory of its own alignment, given away and taken over as a number")]

use std::{
    alloc::{Layout, alloc, dealloc},
    ptr::NonNull,
    slice,
};

use mod_abi::batch::ALIGN;

/// A run of bytes on the heap, aligned to 16.
#[derive(Debug)]
pub(crate) struct OwnedBuffer {
    start: NonNull<u8>,
    len: usize,
}

/// What empty buffers point to.
#[repr(align(16))]
struct Aligned;

/// In whole granules: the game may give a buffer back as one of another length, if that fills as many of them.
fn layout(len: usize) -> Option<Layout> {
    Layout::from_size_align(len.checked_next_multiple_of(ALIGN)?, ALIGN).ok()
}

impl OwnedBuffer {
    /// A copy of `bytes`.
    pub(crate) fn copy_of(bytes: &[u8]) -> Self {
        let buffer = Self::allocate(bytes.len()).expect("memory for a value that leaves the mod");
        // SAFETY: the buffer is new and has as many bytes as are copied.
        unsafe { buffer.start.copy_from_nonoverlapping(NonNull::from(bytes).cast(), bytes.len()) };
        buffer
    }

    /// Memory for `len` bytes that somebody has still to fill, or `None` when there is none left.
    fn allocate(len: usize) -> Option<Self> {
        let start = match len {
            0 => NonNull::<Aligned>::dangling().cast(),
            // SAFETY: the layout is not empty.
            _ => NonNull::new(unsafe { alloc(layout(len)?) })?,
        };
        Some(Self { start, len })
    }

    /// The first byte. All bytes may be read and written through it for as long as the buffer lives.
    pub(crate) fn start(&self) -> *mut u8 {
        self.start.as_ptr()
    }

    /// The number of bytes.
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// The bytes.
    pub(crate) fn bytes(&self) -> &[u8] {
        // SAFETY: the buffer has `len` bytes, filled by `copy_of` or by the host, which owned it until then.
        unsafe { slice::from_raw_parts(self.start.as_ptr(), self.len) }
    }
}

impl Drop for OwnedBuffer {
    fn drop(&mut self) {
        if let (1.., Some(layout)) = (self.len, layout(self.len)) {
            // SAFETY: `allocate` took it from the same allocator with the same layout.
            unsafe { dealloc(self.start.as_ptr(), layout) };
        }
    }
}

/// Buffers as the numbers that cross. Only there do pointers fit into 32 bits.
#[cfg(target_family = "wasm")]
mod raw {
    use std::{mem::forget, ptr::NonNull};

    use mod_abi::Buffer;

    use super::OwnedBuffer;

    impl OwnedBuffer {
        /// Takes over a buffer that the host hands to the mod.
        ///
        /// # Safety
        /// The buffer should come from `__alloc_buffer` with the same length, and nobody else should use it any more.
        pub(crate) unsafe fn from_raw(raw: u64) -> Self {
            let buffer = Buffer::from_raw(raw);
            let start = NonNull::new(buffer.ptr() as *mut u8).filter(|_| !buffer.is_empty());
            match start {
                Some(start) => Self { start, len: buffer.len() as usize },
                None => Self::copy_of(&[]),
            }
        }

        /// Hands the buffer to the host, which gives it back through `__free_buffer`.
        pub(crate) fn into_raw(self) -> u64 {
            let raw = Buffer::new(self.start.as_ptr() as u32, self.len as u32).to_raw();
            forget(self);
            raw
        }
    }

    /// The contract's `__alloc_buffer`.
    #[unsafe(no_mangle)]
    extern "C" fn __alloc_buffer(len: u32) -> u32 {
        OwnedBuffer::allocate(len as usize).map_or(0, |buffer| {
            let start = buffer.start.as_ptr() as u32;
            forget(buffer);
            start
        })
    }

    /// The contract's `__free_buffer`.
    #[unsafe(no_mangle)]
    extern "C" fn __free_buffer(raw: u64) {
        // SAFETY: the contract has the host free only buffers that it got from the mod, and each only once.
        drop(unsafe { OwnedBuffer::from_raw(raw) });
    }
}

#[cfg(test)]
mod tests {
    use super::OwnedBuffer;

    #[test]
    fn buffers_are_aligned_copies() {
        for len in [0, 1, 15, 16, 4096] {
            let bytes = vec![7; len];
            let buffer = OwnedBuffer::copy_of(&bytes);
            assert_eq!(buffer.bytes(), bytes);
            assert_eq!(buffer.start().addr() % 16, 0);
            assert_eq!(buffer.len(), len);
        }
    }
}
