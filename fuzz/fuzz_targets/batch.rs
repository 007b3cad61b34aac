#![no_main]
//! See `fuzz::batch`.

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzz::batch(bytes));
