#![no_main]
//! See `fuzz::codec`.

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzz::codec(bytes));
