//! What a mod may do to begin with: files of Rust beside this one, which are tested as the mods that they become.

use std::fmt;

use clap::ValueEnum;

/// What a new mod does.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Template {
    /// Moves every entity with a `Transform`.
    #[default]
    System,
    /// Throws dice with `rand`, and lets the game throw them.
    Dice,
    /// Has a component of its own, on entities that it spawns, and keeps a number over reloads.
    Component,
}

impl Template {
    /// The mod's `src/lib.rs`.
    pub(crate) fn code(self) -> &'static str {
        match self {
            Self::System => include_str!("templates/system.rs"),
            Self::Dice => include_str!("templates/dice.rs"),
            Self::Component => include_str!("templates/component.rs"),
        }
    }

    /// Lines for the dependencies, beside the SDK's.
    pub(crate) fn dependencies(self) -> &'static str {
        match self {
            Self::Dice => "rand = { version = \"0.10.3\", default-features = false, features = [\"thread_rng\"] }\n",
            Self::System | Self::Component => "",
        }
    }

    /// The mod's `.cargo/config.toml`, where it needs one.
    pub(crate) fn config(self) -> Option<&'static str> {
        (self == Self::Dice).then_some(include_str!("templates/config.toml"))
    }
}

impl fmt::Display for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::System => "system",
            Self::Dice => "dice",
            Self::Component => "component",
        })
    }
}
