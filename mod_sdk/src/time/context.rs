//! What is particular to each of the game's clocks.

use std::{fmt::Debug, time::Duration};

use super::Time;
use crate::Reflect;

/// What tells a clock from the others: `()`, [`Real`], [`Virtual`] or [`Fixed`]. It is not meant to be implemented by
/// mods.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no clock",
    label = "not a clock",
    note = "the game has `Time`, `Time<Real>`, `Time<Virtual>` and `Time<Fixed>`"
)]
pub trait TimeContext: Reflect + Copy + Debug + Default + PartialEq {
    /// The path of the clock.
    #[doc(hidden)]
    const CLOCK: &'static str;
}

impl TimeContext for () {
    const CLOCK: &'static str = "bevy_time::time::Time<()>";
}

/// The context of the clock on the wall, which nobody can pause: `Res<Time<Real>>`.
///
/// ```
/// # use mod_sdk::prelude::*;
/// fn remind(clock: Res<Time<Real>>) {
///     if clock.elapsed().as_secs() > 3600 {
///         info!("time for a break");
///     }
/// }
/// ```
#[derive(Reflect, Debug, Clone, Copy, Default, PartialEq)]
pub struct Real(());

impl TimeContext for Real {
    const CLOCK: &'static str = "bevy_time::time::Time<bevy_time::real::Real>";
}

/// The context of the game's clock, which can be paused and go at another speed: `Res<Time<Virtual>>`.
///
/// ```
/// # use mod_sdk::prelude::*;
/// fn rest(clock: Res<Time<Virtual>>) {
///     if clock.is_paused() {
///         info!("the player has paused the game");
///     }
/// }
/// ```
#[derive(Reflect, Debug, Clone, Copy, PartialEq)]
pub struct Virtual {
    max_delta: Duration,
    paused: bool,
    relative_speed: f64,
    effective_speed: f64,
}

impl TimeContext for Virtual {
    const CLOCK: &'static str = "bevy_time::time::Time<bevy_time::virt::Virtual>";
}

impl Default for Virtual {
    fn default() -> Self {
        Self::for_test(1.0, false)
    }
}

impl Virtual {
    /// The context of a clock for tests, that goes at that speed or has been paused.
    #[must_use]
    pub const fn for_test(relative_speed: f64, paused: bool) -> Self {
        let effective_speed = if paused { 0.0 } else { relative_speed };
        Self { max_delta: Duration::from_millis(250), paused, relative_speed, effective_speed }
    }
}

impl Time<Virtual> {
    /// The most time that an update takes. What is above is lost.
    #[must_use]
    pub const fn max_delta(&self) -> Duration {
        self.context.max_delta
    }

    /// How fast the clock goes, compared with the one on the wall, when it is not paused.
    #[must_use]
    pub const fn relative_speed(&self) -> f32 {
        self.context.relative_speed as f32
    }

    /// How fast the clock goes, compared with the one on the wall, when it is not paused.
    #[must_use]
    pub const fn relative_speed_f64(&self) -> f64 {
        self.context.relative_speed
    }

    /// How fast the clock went in the last update: zero if it was paused.
    #[must_use]
    pub const fn effective_speed(&self) -> f32 {
        self.context.effective_speed as f32
    }

    /// How fast the clock went in the last update: zero if it was paused.
    #[must_use]
    pub const fn effective_speed_f64(&self) -> f64 {
        self.context.effective_speed
    }

    /// Whether the clock will stand still from the next update on.
    #[must_use]
    pub const fn is_paused(&self) -> bool {
        self.context.paused
    }

    /// Whether the clock stood still in the last update.
    #[must_use]
    pub fn was_paused(&self) -> bool {
        self.context.effective_speed == 0.0
    }
}

/// The context of the clock that goes in steps of the same length, in the fixed schedules: `Res<Time<Fixed>>`.
#[derive(Reflect, Debug, Clone, Copy, PartialEq)]
pub struct Fixed {
    timestep: Duration,
    overstep: Duration,
}

impl TimeContext for Fixed {
    const CLOCK: &'static str = "bevy_time::time::Time<bevy_time::fixed::Fixed>";
}

impl Default for Fixed {
    fn default() -> Self {
        Self::for_test(Duration::from_micros(15625), Duration::ZERO)
    }
}

impl Fixed {
    /// The context of a clock for tests, with steps of that length, the last one so long ago.
    #[must_use]
    pub const fn for_test(timestep: Duration, overstep: Duration) -> Self {
        Self { timestep, overstep }
    }
}

impl Time<Fixed> {
    /// The length of a step.
    #[must_use]
    pub const fn timestep(&self) -> Duration {
        self.context.timestep
    }

    /// How much time has passed since the last step, by the virtual clock.
    #[must_use]
    pub const fn overstep(&self) -> Duration {
        self.context.overstep
    }

    /// [`Time::overstep`] as a part of a step: how far to go from the last step to the next one when drawing.
    #[must_use]
    pub const fn overstep_fraction(&self) -> f32 {
        self.context.overstep.as_secs_f32() / self.context.timestep.as_secs_f32()
    }

    /// [`Time::overstep`] as a part of a step.
    #[must_use]
    pub const fn overstep_fraction_f64(&self) -> f64 {
        self.context.overstep.as_secs_f64() / self.context.timestep.as_secs_f64()
    }
}
