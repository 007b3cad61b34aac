#![no_main]
//! See `fuzz::value`.

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzz::value(bytes));
