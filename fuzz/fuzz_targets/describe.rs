//! See `fuzz::describe`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzz::describe(bytes));
