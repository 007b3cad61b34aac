//! What a contender has to bring. What is done with it is not known here.

use std::{fmt, path::Path, str::FromStr};

use bevy::prelude::App;

/// What mods do in a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Row {
    /// A system that does nothing, in each of `n` mods.
    Idle,
    /// Reads `Velocity` and updates `Transform` of `n` entities.
    Move,
    /// Each of `n` mods counts ten counters up.
    Many,
    /// Despawns all sparks, and spawns a thousand.
    Spawn,
    /// Adds up a thousand messages.
    Messages,
    /// Calls a function of the game ten thousand times.
    Calls,
}

impl Row {
    /// All of them.
    pub const ALL: [Self; 6] = [Self::Idle, Self::Move, Self::Many, Self::Spawn, Self::Messages, Self::Calls];

    /// As it stands in the lines between runner and contender, and in the names of mods.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Idle => "idle",
            Self::Move => "move",
            Self::Many => "many",
            Self::Spawn => "spawn",
            Self::Messages => "messages",
            Self::Calls => "calls",
        }
    }
}

/// One thing to measure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Case {
    pub row: Row,
    /// How much of it: entities, mods, messages or calls.
    pub n: usize,
}

impl Case {
    /// How many mods take part.
    #[must_use]
    pub fn mods(self) -> usize {
        match self.row {
            Row::Idle | Row::Many => self.n,
            Row::Move | Row::Spawn | Row::Messages | Row::Calls => 1,
        }
    }
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.row.name(), self.n)
    }
}

impl FromStr for Case {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (row, n) = text.split_once(' ').ok_or("a row and a number should be asked for")?;
        let row = Row::ALL.into_iter().find(|known| known.name() == row).ok_or(format!("there is no row {row}"))?;
        Ok(Self { row, n: n.parse().map_err(|error| format!("{n}: {error}"))? })
    }
}

/// One way to run mods.
pub trait Contender {
    /// Why there is nothing to measure in a row, for people.
    ///
    /// # Errors
    /// The reason.
    fn can(&self, row: Row) -> Result<(), &'static str> {
        let _ = row;
        Ok(())
    }

    /// Adds what every game with such mods has, even without any of them. The game's folder of assets is `assets`, and its
    /// mods are in `assets/mods`.
    fn add_plugins(&self, app: &mut App, assets: &Path);

    /// Adds the mods, whose files have these names in `assets/mods`. The entities are there.
    fn add_mods(&self, app: &mut App, case: Case, files: &[String]);

    /// Whether all mods take part from the next frame on.
    fn are_ready(&self, app: &mut App, case: Case) -> bool;
}
