//! The game's clocks: Bevy's own resources.
//!
//! Of a clock only what a mod cannot work out crosses: the durations, and the context where it has anything to say. Bevy
//! computes the seconds from the durations in the same way.

mod context;

use std::{fmt, time::Duration};

pub use context::{Fixed, Real, TimeContext, Virtual};
use mod_abi::describe::TypeRole;

use crate::{
    component::Resource,
    reflect::{ReadError, Reflect, SchemaText, sum_of_strides},
};

/// A clock: how much time has passed, in all and since the last update.
///
/// - `Time` is the clock of the schedule: in the fixed schedules `Time<Fixed>`, and `Time<Virtual>` in the others.
/// - [`Time<Real>`](Real) never pauses.
/// - [`Time<Virtual>`](Virtual) is the game's time, which can be paused and sped up.
/// - [`Time<Fixed>`](Fixed) goes in steps of the same length.
///
/// The clocks are the game's to set: a mod can only read them.
///
/// ```
/// # use mod_sdk::prelude::*;
/// fn pulse(time: Res<Time>, clock: Res<Time<Virtual>>, mut hearts: Query<&mut Transform>) {
///     if clock.is_paused() {
///         return;
///     }
///     for mut heart in &mut hearts {
///         heart.scale = Vec3::splat(1.0 + 0.1 * (time.elapsed_secs_wrapped() * 4.0).sin());
///     }
/// }
/// ```
#[derive(Clone, Copy, Default, PartialEq)]
pub struct Time<T: TimeContext = ()> {
    context: T,
    delta: Duration,
    elapsed: Duration,
    elapsed_wrapped: Duration,
}

impl Time {
    /// A clock for tests: `elapsed` since the start, of which the last update took `delta`.
    #[must_use]
    pub const fn for_test(elapsed: Duration, delta: Duration) -> Self {
        Self { context: (), delta, elapsed, elapsed_wrapped: elapsed }
    }
}

impl<T: TimeContext> Time<T> {
    /// The same clock with another context, for tests.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use mod_sdk::prelude::*;
    /// let second = Duration::from_secs(1);
    /// let clock = Time::for_test(second, second).with_context(Virtual::for_test(2.0, true));
    /// assert!(clock.is_paused());
    /// ```
    #[must_use]
    pub fn with_context<U: TimeContext>(self, context: U) -> Time<U> {
        Time { context, delta: self.delta, elapsed: self.elapsed, elapsed_wrapped: self.elapsed_wrapped }
    }

    /// What is particular to the clock.
    #[must_use]
    pub const fn context(&self) -> &T {
        &self.context
    }

    /// The clock without what is particular to it.
    #[must_use]
    pub fn as_generic(&self) -> Time {
        (*self).with_context(())
    }

    /// How much time the last update took.
    #[must_use]
    pub const fn delta(&self) -> Duration {
        self.delta
    }

    /// How much time the last update took, in seconds.
    #[must_use]
    pub const fn delta_secs(&self) -> f32 {
        self.delta.as_secs_f32()
    }

    /// How much time the last update took, in seconds.
    #[must_use]
    pub const fn delta_secs_f64(&self) -> f64 {
        self.delta.as_secs_f64()
    }

    /// How much time has passed since the game started.
    #[must_use]
    pub const fn elapsed(&self) -> Duration {
        self.elapsed
    }

    /// How much time has passed since the game started, in seconds. It loses precision over the hours; see
    /// [`Time::elapsed_secs_wrapped`].
    #[must_use]
    pub const fn elapsed_secs(&self) -> f32 {
        self.elapsed.as_secs_f32()
    }

    /// How much time has passed since the game started, in seconds.
    #[must_use]
    pub const fn elapsed_secs_f64(&self) -> f64 {
        self.elapsed.as_secs_f64()
    }

    /// Like [`Time::elapsed`], but starting again from zero after a while (an hour, if the game does not say otherwise).
    #[must_use]
    pub const fn elapsed_wrapped(&self) -> Duration {
        self.elapsed_wrapped
    }

    /// Like [`Time::elapsed_secs`], but starting again from zero after a while (an hour, if the game does not say
    /// otherwise), so that it stays precise.
    #[must_use]
    pub const fn elapsed_secs_wrapped(&self) -> f32 {
        self.elapsed_wrapped.as_secs_f32()
    }

    /// Like [`Time::elapsed_secs_f64`], but starting again from zero after a while (an hour, if the game does not say
    /// otherwise).
    #[must_use]
    pub const fn elapsed_secs_wrapped_f64(&self) -> f64 {
        self.elapsed_wrapped.as_secs_f64()
    }
}

impl<T: TimeContext> Time<T> {
    const NAMED_CONTEXT: SchemaText =
        SchemaText::Parts(&[SchemaText::Text("context:"), T::SCHEMA, SchemaText::Text(",")]);
    /// A context without any bytes need not be named.
    const CONTEXT_SCHEMA: SchemaText = match T::STRIDE {
        Some(0) => SchemaText::Text(""),
        _ => Self::NAMED_CONTEXT,
    };
}

impl<T: TimeContext> Reflect for Time<T> {
    const STRIDE: Option<usize> = sum_of_strides(&[T::STRIDE, <[Duration; 3]>::STRIDE]);
    const SCHEMA: SchemaText = SchemaText::Parts(&[
        SchemaText::Text("{"),
        Self::CONTEXT_SCHEMA,
        SchemaText::Text("delta:duration,elapsed:duration,elapsed_wrapped:duration}"),
    ]);

    fn write(&self, out: &mut Vec<u8>) {
        self.context.write(out);
        [self.delta, self.elapsed, self.elapsed_wrapped].write(out);
    }

    fn read(input: &mut &[u8]) -> Result<Self, ReadError> {
        let context = T::read(input)?;
        let [delta, elapsed, elapsed_wrapped] = Reflect::read(input)?;
        Ok(Self { context, delta, elapsed, elapsed_wrapped })
    }
}

impl<T: TimeContext> Resource for Time<T> {
    const PATH: &'static str = T::CLOCK;

    fn role() -> TypeRole {
        TypeRole::Part
    }
}

impl<T: TimeContext> fmt::Debug for Time<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Time")
            .field("context", &self.context)
            .field("delta", &self.delta)
            .field("elapsed", &self.elapsed)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use mod_abi::describe::TypeRole;

    use super::{Fixed, Real, Time, Virtual};
    use crate::{Reflect, Resource};

    #[test]
    fn the_shapes_are_parts_of_those_of_bevy() {
        const DURATIONS: &str = "delta:duration,elapsed:duration,elapsed_wrapped:duration}";
        let check = |schema: String, context: &str| assert_eq!(schema, format!("{{{context}{DURATIONS}"));
        check(Time::<()>::schema().to_string(), "");
        check(Time::<Real>::schema().to_string(), "");
        let context = "context:{max_delta:duration,paused:bool,relative_speed:f64,effective_speed:f64},";
        check(Time::<Virtual>::schema().to_string(), context);
        check(Time::<Fixed>::schema().to_string(), "context:{timestep:duration,overstep:duration},");
        assert_eq!(Time::<Fixed>::PATH, "bevy_time::time::Time<bevy_time::fixed::Fixed>");
        assert_eq!(<Time as Resource>::role(), TypeRole::Part);
    }

    #[test]
    fn clocks_keep_their_bytes() {
        fn check<T: Reflect + PartialEq + std::fmt::Debug>(value: T) {
            let mut bytes = Vec::new();
            value.write(&mut bytes);
            assert_eq!(T::STRIDE, Some(bytes.len()));
            assert_eq!(T::read(&mut bytes.as_slice()), Ok(value));
        }
        let time = Time::for_test(Duration::from_millis(1500), Duration::from_millis(250));
        check(time);
        check(time.with_context(Real::default()));
        check(time.with_context(Fixed::default()));
        let clock = time.with_context(Virtual::for_test(2.0, false));
        check(clock);
        assert_eq!((clock.as_generic(), clock.elapsed_secs(), clock.delta_secs()), (time, 1.5, 0.25));
    }

    #[test]
    fn clocks_say_what_is_particular_to_them() {
        let (second, tenth) = (Duration::from_secs(1), Duration::from_millis(100));
        let fixed = Time::for_test(second, tenth).with_context(Fixed::for_test(second, tenth));
        assert_eq!((fixed.timestep(), fixed.overstep(), fixed.overstep_fraction()), (second, tenth, 0.1));
        let paused = Time::for_test(second, tenth).with_context(Virtual::for_test(2.0, true));
        assert!(paused.is_paused() && paused.was_paused());
        assert_eq!((paused.relative_speed(), paused.effective_speed()), (2.0, 0.0));
    }
}
