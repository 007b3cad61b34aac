#![no_main]
//! See `fuzz::describe`.

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzz::describe(bytes));
