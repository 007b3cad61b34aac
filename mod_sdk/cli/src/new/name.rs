//! What a mod may be called: an id to games, and a crate to cargo.

use mod_abi::Identity;
use thiserror::Error;

/// A name that a mod cannot have.
#[derive(Debug, Error, PartialEq, Eq)]
pub(crate) enum NameError {
    /// No id.
    #[error("{0:?} cannot be the id of a mod: a name has 1 to 64 ASCII letters, digits, `_` or `-`")]
    Id(String),
    /// No crate.
    #[error("{name:?} cannot be the name of a crate, because it {reason}: choose another one")]
    Crate {
        /// The name.
        name: String,
        /// What it does.
        reason: &'static str,
    },
}

/// Words of Rust, which no crate can be called.
const WORDS: &[&str] = &[
    "abstract", "as", "async", "await", "become", "box", "break", "const", "continue", "crate", "do", "dyn", "else",
    "enum", "extern", "false", "final", "fn", "for", "gen", "if", "impl", "in", "let", "loop", "macro", "match", "mod",
    "move", "mut", "override", "priv", "pub", "ref", "return", "self", "Self", "static", "struct", "super", "trait",
    "true", "try", "type", "typeof", "unsafe", "unsized", "use", "virtual", "where", "while", "yield",
];

/// Crates that every mod has, and what else cargo keeps for itself.
const TAKEN: &[&str] = &[
    "alloc",
    "bevy_mod_sdk",
    "build",
    "core",
    "deps",
    "examples",
    "glam",
    "incremental",
    "mod_abi",
    "mod_sdk",
    "proc_macro",
    "rand",
    "serde",
    "std",
    "test",
];

/// Whether a mod can be called so.
pub(crate) fn check(name: &str) -> Result<(), NameError> {
    Identity::from_file_name(name).map_err(|_| NameError::Id(name.to_owned()))?;
    let wrong = |reason| Err(NameError::Crate { name: name.to_owned(), reason });
    let ident = name.replace('-', "_");
    if !name.starts_with(|c: char| c.is_ascii_alphabetic()) {
        wrong("does not begin with a letter")
    } else if WORDS.contains(&ident.as_str()) {
        wrong("is a word of Rust")
    } else if TAKEN.contains(&ident.as_str()) {
        wrong("is taken by a crate that every mod has, or by cargo")
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::check;

    #[test]
    fn names_are_ids_and_crates() {
        for name in ["bees", "orchard_pests", "Orchard-Pests2", "b"] {
            assert_eq!(check(name), Ok(()));
        }
        for (name, part) in [
            ("", "cannot be the id of a mod"),
            ("two words", "cannot be the id of a mod"),
            ("../up", "cannot be the id of a mod"),
            ("bäume", "cannot be the id of a mod"),
            (&"b".repeat(65), "cannot be the id of a mod"),
            ("1st", "does not begin with a letter"),
            ("-v", "does not begin with a letter"),
            ("match", "is a word of Rust"),
            ("mod-sdk", "is taken"),
        ] {
            let error = check(name).expect_err(name).to_string();
            assert!(error.contains(part), "{error}");
        }
    }
}
