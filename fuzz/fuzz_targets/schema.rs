#![no_main]
//! See `fuzz::schema`.

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzz::schema(bytes));
