//! Builds the crates of `tests/guests` for the tests that load real mods. Never committed.

use std::path::Path;

use crate::{
    files,
    languages::{self, BuildError, rust},
};

/// What the names of those begin with that are built to be weighed: the same functions in each codec.
const WEIGHED: &str = "size_";

const TARGETS: [&str; 2] = ["wasm32-unknown-unknown", "wasm32-wasip1"];

/// Builds every guest for every target into `target/guests/<target>` and returns a line for each target. A target
/// that is not installed is skipped and said so, which is no error: the tests that need it skip themselves.
pub(crate) fn build(root: &Path) -> Result<Vec<String>, BuildError> {
    let workspace = root.join("tests/guests");
    let guests = languages::members(&workspace)?;
    if guests.is_empty() {
        return Ok(vec!["skipped: there are no crates in tests/guests".to_owned()]);
    }
    let mut lines = Vec::new();
    for target in TARGETS {
        let built = match rust::build(root, &workspace, target) {
            Err(BuildError::NoTarget { .. }) => {
                lines.push(format!("{target}: skipped, because it is not installed (rustup target add {target})"));
                continue;
            }
            built => built?,
        };
        let folder = root.join("target/guests").join(target);
        let mut sizes = Vec::new();
        for guest in &guests {
            let bytes = rust::module(&built, &guest.name)?;
            if guest.name.starts_with(WEIGHED) {
                sizes.push(format!("{} {:.1} KiB", guest.name, bytes.len() as f64 / 1024.0));
            }
            files::write(&folder.join(&guest.name).with_extension("wasm"), &bytes)?;
        }
        lines.push(format!("{target}: {} guests built; {}", guests.len(), sizes.join(", ")));
    }
    Ok(lines)
}
