#![no_main]
//! See `fuzz::commands`.

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzz::commands(bytes));
