//! Builds the crates of `tests/guests` for the tests that load real mods. Never committed.

use std::path::Path;

use crate::wasm_build::{self, BuildError};

const TARGETS: [&str; 2] = ["wasm32-unknown-unknown", "wasm32-wasip1"];

/// Builds every guest for every target into `target/guests/<target>` and returns a line for each target. A target
/// that is not installed is skipped and said so, which is no error: the tests that need it skip themselves.
pub(crate) fn build(root: &Path) -> Result<Vec<String>, BuildError> {
    let workspace = root.join("tests/guests");
    let guests = wasm_build::members(&workspace)?;
    if guests.is_empty() {
        return Ok(vec!["skipped: there are no crates in tests/guests".to_owned()]);
    }
    let mut lines = Vec::new();
    for target in TARGETS {
        let built = match wasm_build::build(root, &workspace, target) {
            Err(BuildError::NoTarget { .. }) => {
                lines.push(format!("{target}: skipped, because it is not installed (rustup target add {target})"));
                continue;
            }
            built => built?,
        };
        let folder = root.join("target/guests").join(target);
        for guest in &guests {
            let bytes = wasm_build::module(&built, &guest.name)?;
            wasm_build::write(&folder.join(&guest.name).with_extension("wasm"), &bytes)?;
        }
        lines.push(format!("{target}: {} guests built", guests.len()));
    }
    Ok(lines)
}
