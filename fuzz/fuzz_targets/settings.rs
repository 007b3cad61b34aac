#![no_main]
//! See `fuzz::settings`.

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzz::settings(bytes));
