#![no_main]
//! See `fuzz::functions`.

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzz::functions(bytes));
