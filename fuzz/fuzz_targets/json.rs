#![no_main]
//! See `fuzz::json`.

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzz::json(bytes));
