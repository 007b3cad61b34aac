#![no_main]
//! See `fuzz::identity`.

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzz::identity(bytes));
