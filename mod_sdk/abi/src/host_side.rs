//! What stays in the host: jobs that it has started for a mod, and values that a mod only holds by a number.

use serde::{Deserialize, Serialize};

/// How far a job is that a host function has started. The host function returned a ticket, a `u64` that is never 0 and
/// never used twice; the mod asks with [`JOB_STATE`](crate::names::JOB_STATE).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
pub enum JobState {
    /// It goes on.
    Pending = 0,
    /// Its result waits.
    Done = 1,
    /// It will have no result. The reason waits.
    Failed = 2,
    /// There is no such job: never, not any more, or not for this mod.
    Unknown = 3,
}

impl JobState {
    /// The state of a raw number. Unknown numbers are [`JobState::Unknown`].
    #[must_use]
    pub const fn from_raw(raw: u32) -> Self {
        match raw {
            0 => Self::Pending,
            1 => Self::Done,
            2 => Self::Failed,
            _ => Self::Unknown,
        }
    }
}

/// What a mod holds of a value that stays in the host. To the mod it means nothing; it gets it from a host function, and
/// passes it to others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "nanoserde", derive(nanoserde::SerJson, nanoserde::DeJson))]
pub struct OpaqueId {
    /// Which table of the host gave it out. No two tables of a running program have the same number.
    pub table: u32,
    /// What kind of value it is.
    pub kind: u32,
    /// The place in the table.
    pub index: u32,
    /// How often that place has been used: a later value at the same place has another number.
    pub generation: u32,
}
