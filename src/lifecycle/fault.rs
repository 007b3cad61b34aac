//! Everything that can go wrong with a mod ends here, as a value with the mod's name on it.

use std::{fmt, sync::Arc};

use bevy_ecs::message::Message;
use mod_abi::SettingValue;
use mod_host::{CallError, LoadError, ResolveProblem};
use thiserror::Error;

use crate::{
    bridge::{bind::SystemBindError, handle::SystemError},
    lifecycle::schedule::OrderConflict,
};

/// What failed, in which mod, and why. Its text is one line that a player can paste into a bug report.
#[derive(Debug)]
pub struct ModFault {
    /// The mod's id, or its file's name if the id could not be read.
    pub mod_id: String,
    /// The mod's version, if it could be read.
    pub version: Option<String>,
    /// The mod's asset path.
    pub file: String,
    /// The system or export that failed, if the mod was running.
    pub function: Option<String>,
    /// Why.
    pub cause: FaultCause,
}

/// Why a mod failed.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum FaultCause {
    /// Its file could not be read.
    #[error("{0}")]
    Read(String),
    /// It lies in a folder that is called otherwise than it is.
    #[error(
        "it lies in the folder `{folder}`, but its id is `{id}`, so its assets would be looked for in the folder `{id}`; \
         rename the folder to `{id}`"
    )]
    Folder {
        /// The folder's name.
        folder: String,
        /// The mod's id.
        id: String,
    },
    /// Its module could not be validated, compiled, linked or started.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// Code of this crate or of the compiler panicked on it.
    #[error("it could not be prepared, because the compiler of mods panicked: {0}")]
    Panicked(String),
    /// It could not say what it wants.
    #[error("it could not be asked for its systems: {0}")]
    Describe(CallError),
    /// It could not say what it keeps over a reload, or take over what its earlier version kept.
    #[error("its state could not be handed over: {0}")]
    HandOver(CallError),
    /// It cannot run together with the other mods, or not in this game: everything that is wrong, each with a way out.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    Refused(Vec<Arc<ResolveProblem>>),
    /// It wants what this game does not have.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    Bind(Vec<SystemBindError>),
    /// Its systems would contradict the order of the game's or of another mod's.
    #[error(transparent)]
    Order(#[from] OrderConflict),
    /// It calls functions of other mods that they do not have, or have otherwise.
    #[error("it calls functions of other mods that are not as it needs them: {}", problems.join("; "))]
    Calls {
        /// One sentence each.
        problems: Vec<String>,
    },
    /// One of its systems failed.
    #[error(transparent)]
    System(#[from] SystemError),
}

impl fmt::Display for ModFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.mod_id)?;
        if let Some(version) = &self.version {
            write!(f, " {version}")?;
        }
        write!(f, " ({}): {}", self.file, self.cause)
    }
}

impl std::error::Error for ModFault {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.cause)
    }
}

/// What happened to a mod, as a Bevy message.
#[derive(Debug, Clone, Message)]
#[non_exhaustive]
pub enum ModEvent {
    /// It was loaded and its systems run from this frame on.
    Loaded {
        /// The mod's id.
        id: Arc<str>,
    },
    /// A new version took the old one's place.
    Reloaded {
        /// The mod's id.
        id: Arc<str>,
        /// What of the old version's state has no place in the new one: a sentence for each value or field.
        lost: Arc<[String]>,
    },
    /// A new version failed soon after it took over, and the earlier one goes on where it was.
    Resumed {
        /// The mod's id.
        id: Arc<str>,
        /// The version that goes on.
        version: String,
    },
    /// A save was restored: the mod has taken over what the save has of it, or has started anew if that is nothing.
    Restored {
        /// The mod's id.
        id: Arc<str>,
        /// What of the save has no place in this version or in this World: a sentence for each thing.
        lost: Arc<[String]>,
    },
    /// The game switched it off.
    Disabled {
        /// The mod's id.
        id: Arc<str>,
    },
    /// It could not be loaded, or it failed while it ran and was stopped.
    Failed {
        /// The mod's id, or its file's name if the id could not be read.
        id: Arc<str>,
        /// What failed, and why.
        fault: Arc<ModFault>,
    },
    /// Its file is gone, or the game unloaded it.
    Unloaded {
        /// The mod's id.
        id: Arc<str>,
    },
    /// One of its settings has another value from this frame on.
    SettingChanged {
        /// The mod's id.
        id: Arc<str>,
        /// The setting.
        name: Arc<str>,
        /// The value that holds now.
        value: SettingValue,
    },
}
