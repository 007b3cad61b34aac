//! Paths of source files, short enough for a line of a log. Which code is of which file is not known here.

use crate::text;

/// The longest folder or name that is looked at, in bytes.
pub(super) const MAX_READ: usize = 512;
/// The longest path that is kept, in bytes.
const MAX_KEPT: usize = 160;

/// A source file of a mod.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SourceFile {
    /// Clean, with `/` between its parts.
    pub(super) path: Box<str>,
    /// Whether the compiler was told its path from the folder in which it ran, as cargo does for the crates of a workspace. The
    /// crates of a registry have absolute paths, and the standard library begins with `library/core` and so on.
    pub(super) own: bool,
}

impl SourceFile {
    /// The file `name` in `folder`, which counts from `built_in` if it is relative.
    ///
    /// The folders of whoever built the mod are left out. A relative path stays as it is: `orchard_wind/src/lib.rs`. Of an
    /// absolute one the part from the crate's folder on is kept, which is where `src` lies: `glam-0.32.1/src/vec3.rs` and
    /// `core/src/option.rs`; without `src`, its last three parts.
    pub(super) fn new(built_in: Option<&[u8]>, folder: Option<&[u8]>, name: &[u8]) -> Option<Self> {
        let text = |bytes: &[u8]| text::clean_bytes(bytes).replace('\\', "/");
        let (built_in, folder, name) = (built_in.map(text), folder.map(text), text(name));
        let whole = match folder {
            Some(folder) if !is_absolute(&name) && !folder.is_empty() => format!("{folder}/{name}"),
            _ => name,
        };
        let inside = built_in.filter(|built_in| !built_in.is_empty()).and_then(|built_in| {
            whole.strip_prefix(built_in.trim_end_matches('/')).filter(|rest| rest.starts_with('/'))
        });
        let mut parts = Vec::new();
        for part in inside.unwrap_or(&whole).split('/') {
            match part {
                "" | "." => {}
                ".." if parts.last().is_some_and(|last| *last != "..") => {
                    parts.pop();
                }
                part => parts.push(part),
            }
        }
        let is_std = matches!(*parts, ["library", "core" | "alloc" | "std" | "panic_abort" | "compiler-builtins", ..]);
        let own = (inside.is_some() || !is_absolute(&whole)) && !is_std;
        let all = parts.join("/");
        let path = if own && all.len() <= MAX_KEPT { all } else { tail(&parts) };
        (!parts.iter().all(|part| *part == "..")).then(|| Self { path: path.into(), own })
    }
}

/// Whether it is the whole of a path, on any system.
fn is_absolute(path: &str) -> bool {
    path.starts_with('/') || path.as_bytes().get(1) == Some(&b':')
}

/// The end of a path that tells most.
fn tail(parts: &[&str]) -> String {
    let source = parts.iter().rposition(|part| *part == "src");
    let begin = source.map_or(parts.len().saturating_sub(3), |place| place.saturating_sub(1));
    let tail = parts.get(begin..).unwrap_or_default().join("/");
    match tail.len().checked_sub(MAX_KEPT) {
        Some(excess) if excess > 0 => {
            let begin = tail.char_indices().map(|(at, _)| at).find(|at| *at >= excess).unwrap_or(tail.len());
            tail.get(begin..).unwrap_or_default().to_owned()
        }
        _ => tail,
    }
}

#[cfg(test)]
mod tests {
    use super::{MAX_KEPT, SourceFile};

    #[track_caller]
    fn check(built_in: &str, folder: &str, name: &str, path: &str, own: bool) {
        let some = |text: &'static str| Some(text.as_bytes()).filter(|text| !text.is_empty());
        let leak = |text: &str| -> &'static str { Box::leak(text.to_owned().into_boxed_str()) };
        let file = SourceFile::new(some(leak(built_in)), some(leak(folder)), name.as_bytes());
        assert_eq!(file, Some(SourceFile { path: path.into(), own }), "{built_in} {folder} {name}");
    }

    #[test]
    fn own_files_keep_their_paths_and_others_lose_the_folders_of_whoever_built() {
        check("", "", "src/lib.rs", "src/lib.rs", true);
        check("", "orchard_wind/src", "lib.rs", "orchard_wind/src/lib.rs", true);
        check("", "./orchard_wind/src/../tests", "all.rs", "orchard_wind/tests/all.rs", true);
        check("", "../shared/src", "lib.rs", "../shared/src/lib.rs", true);
        let registry = "/home/ada/.cargo/registry/src/registry.example-1949cf8c6b5b557f/glam-0.32.1";
        check("", registry, "src/f32/vec3.rs", "glam-0.32.1/src/f32/vec3.rs", false);
        check("", "/rustc/59807616e1", "library/core/src/option.rs", "core/src/option.rs", false);
        check("/rustc/59807616e1", "", "library/std/src/panicking.rs", "std/src/panicking.rs", false);
        check("", "", "library/src/lib.rs", "library/src/lib.rs", true);
        check("", "C:\\Users\\ada\\mods\\wind\\src", "lib.rs", "wind/src/lib.rs", false);
        check("", "/usr/include", "/opt/wasi/include/wasm32/stdio.h", "include/wasm32/stdio.h", false);
        // Version 5 states the folder in which the compiler ran.
        check("/home/ada/mods", "", "wind/src/lib.rs", "wind/src/lib.rs", true);
        check("/home/ada/mods/", "/home/ada/mods/wind/src", "lib.rs", "wind/src/lib.rs", true);
        check("C:\\mods", "C:\\mods\\wind", "mod.c", "wind/mod.c", true);
        check("/home/ada/mods", "/home/ada/mods2/wind/src", "lib.rs", "wind/src/lib.rs", false);
    }

    #[test]
    fn hostile_paths_are_clean_and_short() {
        check("", "", "a\nb\u{1b}[31m\u{202e}.rs", "a b[31m.rs", true);
        for name in ["ä/".repeat(300), "ä".repeat(400), format!("src/{}", "x".repeat(900)), "../".repeat(300)] {
            let file = SourceFile::new(None, None, name.as_bytes());
            assert!(file.is_none_or(|file| file.path.len() <= MAX_KEPT));
        }
        assert_eq!(SourceFile::new(None, None, b""), None);
        assert_eq!(SourceFile::new(None, None, b"/./.."), None);
    }
}
