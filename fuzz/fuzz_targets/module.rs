//! The reader of files, which stands in front of the engine.
#![no_main]

use mod_host::{Limits, Manifest};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let limits = Limits { file_bytes: 1 << 16, ..Limits::default() };
    let identity = Manifest::read_identity(bytes, "fuzzed", &limits);
    if let Ok(manifest) = Manifest::read(bytes, "fuzzed", &limits) {
        assert_eq!(identity.ok(), Some(manifest.identity));
    }
});
