#![no_main]
//! See `fuzz::state`.

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzz::state(bytes));
