//! The game's clock: Bevy's own resource.

use std::time::Duration;

use crate::Resource;

/// How much time has passed, in all and since the last update.
///
/// In the fixed schedules it is the fixed clock, as in Bevy. A mod can only read it.
#[derive(Resource, Debug, Clone, Copy, Default, PartialEq)]
#[resource(path = "bevy_time::time::Time<()>")]
pub struct Time {
    context: (),
    wrap_period: Duration,
    delta: Duration,
    delta_secs: f32,
    delta_secs_f64: f64,
    elapsed: Duration,
    elapsed_secs: f32,
    elapsed_secs_f64: f64,
    elapsed_wrapped: Duration,
    elapsed_secs_wrapped: f32,
    elapsed_secs_wrapped_f64: f64,
}

impl Time {
    /// A clock for tests: `elapsed` since the start, of which the last update took `delta`.
    #[must_use]
    pub fn for_test(elapsed: Duration, delta: Duration) -> Self {
        let elapsed_secs = elapsed.as_secs_f32();
        let elapsed_secs_f64 = elapsed.as_secs_f64();
        Self {
            context: (),
            wrap_period: Duration::from_secs(3600),
            delta,
            delta_secs: delta.as_secs_f32(),
            delta_secs_f64: delta.as_secs_f64(),
            elapsed,
            elapsed_secs,
            elapsed_secs_f64,
            elapsed_wrapped: elapsed,
            elapsed_secs_wrapped: elapsed_secs,
            elapsed_secs_wrapped_f64: elapsed_secs_f64,
        }
    }

    /// How much time the last update took.
    #[must_use]
    pub const fn delta(&self) -> Duration {
        self.delta
    }

    /// How much time the last update took, in seconds.
    #[must_use]
    pub const fn delta_secs(&self) -> f32 {
        self.delta_secs
    }

    /// How much time the last update took, in seconds.
    #[must_use]
    pub const fn delta_secs_f64(&self) -> f64 {
        self.delta_secs_f64
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
        self.elapsed_secs
    }

    /// How much time has passed since the game started, in seconds.
    #[must_use]
    pub const fn elapsed_secs_f64(&self) -> f64 {
        self.elapsed_secs_f64
    }

    /// Like [`Time::elapsed_secs`], but starting again from zero after a while (an hour, if the game does not say
    /// otherwise), so that it stays precise.
    #[must_use]
    pub const fn elapsed_secs_wrapped(&self) -> f32 {
        self.elapsed_secs_wrapped
    }
}

#[cfg(test)]
mod tests {
    use super::Time;
    use crate::Reflect;

    #[test]
    fn the_shape_is_the_one_of_bevy() {
        let expected = "{context:(),wrap_period:duration,delta:duration,delta_secs:f32,delta_secs_f64:f64,\
                        elapsed:duration,elapsed_secs:f32,elapsed_secs_f64:f64,elapsed_wrapped:duration,\
                        elapsed_secs_wrapped:f32,elapsed_secs_wrapped_f64:f64}";
        assert_eq!(Time::schema().to_string(), expected);
    }
}
