//! Everything that can go wrong with a mod ends here, as a value with the mod's name on it.

use std::{fmt, sync::Arc};

use bevy_ecs::message::Message;
use mod_abi::SettingValue;
use mod_host::{CallError, LoadError, ModBacktrace, ResolveProblem};
use thiserror::Error;

use crate::{
    bridge::{bind::SystemBindError, handle::SystemError},
    lifecycle::{files::one_line, schedule::OrderConflict},
};

/// What failed, in which mod, when, and why. Its text is one line, and [`ModFault::report`] all that is known, for a player to
/// paste into a bug report.
///
/// ```
/// # use bevy::prelude::*;
/// # use bevy_wasm_mods::prelude::*;
/// /// Keeps what a modder needs to know.
/// fn keep_reports(mut events: MessageReader<ModEvent>) -> Result {
///     for event in events.read() {
///         if let ModEvent::Failed { id, fault } = event {
///             std::fs::write(format!("fault_of_{id}.txt"), fault.report())?;
///         }
///     }
///     Ok(())
/// }
/// ```
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
    /// The frame of the game in which it failed or could not be loaded, from 0 as Bevy's `FrameCount` counts. `None` only
    /// before it is told.
    pub frame: Option<u32>,
    /// Why.
    pub cause: FaultCause,
}

/// Why a mod failed.
///
/// ```
/// # use bevy::prelude::*;
/// # use bevy_wasm_mods::prelude::*;
/// use bevy_wasm_mods::FaultCause;
///
/// /// Whose fault is it: of the file, of the folder of mods as a whole, or of code that ran?
/// fn tell(mut events: MessageReader<ModEvent>) {
///     for event in events.read() {
///         if let ModEvent::Failed { id, fault } = event {
///             match &fault.cause {
///                 FaultCause::Refused(problems) => info!("{id} does not fit: {} problems", problems.len()),
///                 FaultCause::System(error) => info!("{id} failed while it ran: {error}"),
///                 other => info!("{id} was not loaded: {other}"),
///             }
///         }
///     }
/// }
/// ```
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

impl FaultCause {
    /// The mod's functions that were running, if it failed in the middle of its code and that is known.
    #[must_use]
    pub fn backtrace(&self) -> Option<&ModBacktrace> {
        match self {
            Self::Load(error) => error.backtrace(),
            Self::Describe(error) | Self::HandOver(error) => error.backtrace(),
            Self::System(error) => error.backtrace(),
            _ => None,
        }
    }
}

impl ModFault {
    /// The mod's functions that were running, if it failed in the middle of its code and that is known.
    #[must_use]
    pub fn backtrace(&self) -> Option<&ModBacktrace> {
        self.cause.backtrace()
    }

    /// All that is known, in several lines:
    ///
    /// ```text
    /// mod:      orchard_wind 1.2.3
    /// file:     mods/orchard_wind.wasm
    /// function: blow
    /// frame:    1284
    /// cause:    `blow` panicked: no wind (orchard_wind/src/lib.rs:31:9) (in orchard_wind::gust < orchard_wind::blow)
    /// backtrace, innermost first:
    ///    0: orchard_wind::gust
    ///              at orchard_wind/src/lib.rs:31
    ///    1: orchard_wind::blow
    ///              at orchard_wind/src/lib.rs:24
    /// ```
    ///
    /// What came from the mod cannot add lines of its own.
    #[must_use]
    pub fn report(&self) -> String {
        let version = self.version.as_ref().map(|version| format!(" {version}")).unwrap_or_default();
        let known = [
            ("mod:     ", Some(format!("{}{version}", self.mod_id))),
            ("file:    ", Some(self.file.clone())),
            ("function:", self.function.clone()),
            ("frame:   ", self.frame.map(|frame| frame.to_string())),
            ("cause:   ", Some(self.cause.to_string())),
        ];
        let lines = known.iter().filter_map(|(label, text)| Some(format!("{label} {}\n", joined(text.as_ref()?))));
        let mut report: String = lines.collect();
        if let Some(backtrace) = self.backtrace() {
            report.push_str(&format!("backtrace, innermost first:\n{backtrace}"));
            report.push_str(how_to_know_more(backtrace));
        }
        report
    }
}

/// What a modder can do about a backtrace that does not tell much.
fn how_to_know_more(backtrace: &ModBacktrace) -> &'static str {
    let frames = backtrace.frames();
    if frames.iter().all(|frame| frame.function.is_none()) {
        "note: the mod was built without names of functions; `strip = \"debuginfo\"` in its profile keeps them\n"
    } else if frames.iter().all(|frame| frame.location.is_none()) {
        "note: `debug = \"line-tables-only\"` and `strip = \"none\"` in the mod's profile add files and lines\n"
    } else {
        ""
    }
}

/// A text on one line: what the game's own code says may have several.
fn joined(text: &str) -> String {
    one_line(&text.replace(['\n', '\r', '\t'], " "))
}

impl fmt::Display for ModFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut line = self.mod_id.clone();
        if let Some(version) = &self.version {
            line.extend([" ", version]);
        }
        line.extend([" (", &self.file, ")"]);
        // Where no code of the mod ran, the frame tells nothing.
        if let (Some(_), Some(frame)) = (&self.function, self.frame) {
            line.push_str(&format!(" in frame {frame}"));
        }
        write!(f, "{}: {}", joined(&line), joined(&self.cause.to_string()))
    }
}

impl std::error::Error for ModFault {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.cause)
    }
}

/// What happened to a mod, as a Bevy message.
///
/// ```
/// # use bevy::prelude::*;
/// # use bevy_wasm_mods::prelude::*;
/// fn tell(mut events: MessageReader<ModEvent>) {
///     for event in events.read() {
///         match event {
///             ModEvent::Loaded { id } => info!("{id} is new"),
///             ModEvent::Reloaded { id, lost } => info!("{id} was replaced, and has lost {lost:?}"),
///             ModEvent::Failed { id, fault } => info!("{id} was stopped: {fault}"),
///             _ => {}
///         }
///     }
/// }
/// ```
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
    /// It could not be loaded, or it failed while it ran and was stopped. What becomes of it then, its
    /// [`ModState`](crate::ModState) says, by the [`FaultPolicy`](crate::FaultPolicy) of the game.
    Failed {
        /// The mod's id, or its file's name if the id could not be read.
        id: Arc<str>,
        /// What failed, and why.
        fault: Arc<ModFault>,
    },
    /// A fresh instance of it runs from this frame on: it had failed, or the game wanted it.
    Restarted {
        /// The mod's id.
        id: Arc<str>,
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
