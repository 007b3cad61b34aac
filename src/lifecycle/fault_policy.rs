//! What a game wants to become of a mod that failed.

/// What becomes of a mod that fails while it runs, or in its start-up systems: that traps, panics, takes too long, writes what cannot be, or leaves
/// commands that cannot be carried out.
///
/// Whatever it is, the failed instance is never called again, its systems run no more, and a [`ModEvent::Failed`] tells why. The
/// policy says what comes after that. A restart gives the mod a fresh instance of the same module: it begins as a mod does that
/// is loaded, with its start-up systems and without what it kept in `Persist`, because an instance that failed cannot be asked
/// for that. What the failed one left in the World goes then, or stays with [`Leftovers::Keep`]. A [`ModEvent::Restarted`]
/// tells of it. Until then calls of the mod answer that it does not run, and mods that need it go on.
///
/// # Restarts are bounded
///
/// A fresh instance starts in the background, within [`ModLimits::startup_time`](crate::ModLimits::startup_time), and goes into
/// the game at a frame boundary. A mod that fails for the first time begins again at once. If it fails again within 600 frames, it
/// waits one frame, then two, then four, up to 1,024; after 600 frames without a fault the next restart is at once again. So a
/// mod that fails in each frame is restarted about ten times in its first 1,000 frames, and once in 1,000 frames from then on.
/// Restarts that the game asks for ([`Mods::restart`]) wait as long, counted from the fault.
///
/// # What no policy is for
///
/// A file that is no mod, or one that does not fit this game, fails as it is loaded and is not tried again before it changes.
/// A new version that fails on probation ([`ModSettings::probation_frames`]) gives its place to the version before, which goes on
/// with its state. When a file with other bytes is loaded, or the game asks for [`Mods::reload`], earlier faults are forgotten.
///
/// ```
/// # use bevy::prelude::*;
/// # use bevy_wasm_mods::prelude::*;
/// # use bevy_wasm_mods::{FaultPolicy, ModOverrides};
/// // Three faults within ten seconds at 60 frames a second end a mod; the one with the weather may always go on.
/// let mut settings = ModSettings { fault_policy: FaultPolicy::Strikes { faults: 3, frames: 600 }, ..default() };
/// let weather = ModOverrides { fault_policy: Some(FaultPolicy::Restart), ..default() };
/// settings.overrides.insert("orchard_weather".to_owned(), weather);
/// ```
///
/// [`ModEvent::Failed`]: crate::ModEvent::Failed
/// [`ModEvent::Restarted`]: crate::ModEvent::Restarted
/// [`Leftovers::Keep`]: crate::Leftovers::Keep
/// [`Mods::restart`]: crate::Mods::restart
/// [`Mods::reload`]: crate::Mods::reload
/// [`ModSettings::probation_frames`]: crate::ModSettings::probation_frames
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum FaultPolicy {
    /// It is stopped, until its file changes or the game starts it again.
    #[default]
    Disable,
    /// It is restarted, however often it fails.
    Restart,
    /// It is restarted, unless this is too much: with so many `faults` within the last `frames` frames, this one
    /// counted, it is stopped as with [`FaultPolicy::Disable`]. One fault, or none, always is too much.
    ///
    /// The window is one of frames and not of time, so that the same faults in the same frames have the same end.
    Strikes {
        /// How many faults stop the mod.
        faults: u32,
        /// For how many frames a fault counts.
        frames: u32,
    },
    /// It is stopped, and the game decides: its state is [`ModState::Undecided`](crate::ModState::Undecided) until the game answers
    /// with [`Mods::restart`](crate::Mods::restart), [`Mods::disable`](crate::Mods::disable),
    /// [`Mods::unload`](crate::Mods::unload) or [`Mods::reload`](crate::Mods::reload). New bytes in its file are an answer, too.
    ///
    /// ```
    /// # use bevy::prelude::*;
    /// # use bevy_wasm_mods::prelude::*;
    /// /// What the player clicked in the window that shows what failed.
    /// #[derive(Resource, Default)]
    /// enum Answer {
    ///     #[default]
    ///     NotYet,
    ///     TryAgain,
    ///     SwitchOff,
    /// }
    ///
    /// fn decide(mut mods: Mods, answer: Res<Answer>) -> Result {
    ///     let asks = |info: &ModInfo| matches!(info.state, ModState::Undecided(_));
    ///     let undecided: Vec<_> = mods.iter().filter(asks).collect();
    ///     for info in undecided {
    ///         match *answer {
    ///             Answer::NotYet => info!("what shall become of {}? {:?}", info.id, info.state.fault()),
    ///             Answer::TryAgain => mods.restart(&info.id)?,
    ///             Answer::SwitchOff => mods.disable(&info.id)?,
    ///         }
    ///     }
    ///     Ok(())
    /// }
    /// ```
    Ask,
}
