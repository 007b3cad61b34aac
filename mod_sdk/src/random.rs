//! Random numbers of the game behind every `getrandom` of the mod, on `wasm32-unknown-unknown`. WASI has its own.
#![expect(unsafe_code, reason = "getrandom finds its source by symbols")]

use crate::imports;

/// What getrandom 0.2 calls, and with it rand 0.8.
///
/// # Safety
/// `len` bytes at `bytes` should be writable.
#[unsafe(no_mangle)]
unsafe fn __getrandom_custom(bytes: *mut u8, len: usize) -> u32 {
    // SAFETY: the caller promises the same.
    unsafe { imports::fill_random(bytes, len) }
}

/// What getrandom 0.3 and 0.4 call, and with them rand 0.9 and 0.10. Both have the same error type.
///
/// # Safety
/// `len` bytes at `bytes` should be writable.
#[cfg(getrandom_backend = "custom")]
#[unsafe(no_mangle)]
unsafe fn __getrandom_v03_custom(bytes: *mut u8, len: usize) -> Result<(), getrandom_04::Error> {
    // SAFETY: the caller promises the same.
    match unsafe { imports::fill_random(bytes, len) } {
        0 => Ok(()),
        code => Err(getrandom_04::Error::new_custom(code.try_into().unwrap_or(u16::MAX))),
    }
}
