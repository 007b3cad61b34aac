//! Mods that are there when the game starts come into it in waves. Which ones come, and how, is not known here.
//!
//! Whenever systems come into a schedule, Bevy builds it anew when it runs next, which takes longer the more systems there
//! are. If each of a hundred mods came as soon as it was compiled, a hundred frames in a row would be longer than they should
//! be. So they wait for one another a little. Within a frame, only so many come as it can spare.

use std::time::{Duration, Instant};

/// How long mods wait for one another while others are on their way.
const PAUSE: Duration = Duration::from_millis(250);
/// What a frame spares for mods that come: a quarter of one at 60 a second. One more may come that takes longer.
const BUDGET: Duration = Duration::from_millis(4);

/// When the mods of the start may come.
#[derive(Debug)]
pub(crate) struct Waves {
    /// When the mods of this frame began to come.
    frame: Instant,
    /// Whether a wave is coming in.
    is_open: bool,
    /// Whether any mod came with it.
    has_come: bool,
    /// When the one before was over.
    last: Option<Instant>,
}

impl Waves {
    pub(crate) fn new() -> Self {
        Self { frame: Instant::now(), is_open: false, has_come: false, last: None }
    }

    /// Begins a frame. `are_more` says whether other mods are on their way, which those that are ready may wait for.
    pub(crate) fn begin_frame(&mut self, now: Instant, are_more: bool) {
        self.frame = now;
        let is_time = self.last.is_none_or(|last| now.saturating_duration_since(last) >= PAUSE);
        self.is_open |= is_time || !are_more;
    }

    /// Whether another one may come in this frame.
    pub(crate) fn may_come(&self, now: Instant) -> bool {
        self.is_open && now.saturating_duration_since(self.frame) < BUDGET
    }

    /// One comes.
    pub(crate) fn come(&mut self) {
        self.has_come = true;
    }

    /// None is left that could come in this frame.
    pub(crate) fn end_frame(&mut self, now: Instant) {
        // What did not come for want of time comes in the next frame.
        if self.has_come && self.may_come(now) {
            (self.is_open, self.has_come, self.last) = (false, false, Some(now));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::{BUDGET, PAUSE, Waves};

    const FRAME: Duration = Duration::from_millis(16);

    #[test]
    fn those_that_are_ready_wait_for_those_that_are_not() {
        let (mut waves, start) = (Waves::new(), Instant::now());
        waves.begin_frame(start, true);
        assert!(waves.may_come(start));
        // Nobody was ready: the first one does not wait.
        waves.end_frame(start);
        waves.begin_frame(start + FRAME, true);
        assert!(waves.may_come(start + FRAME));
        waves.come();
        waves.end_frame(start + FRAME);
        waves.begin_frame(start + 2 * FRAME, true);
        assert!(!waves.may_come(start + 2 * FRAME));
        waves.end_frame(start + 2 * FRAME);
        waves.begin_frame(start + FRAME + PAUSE, true);
        assert!(waves.may_come(start + FRAME + PAUSE));
    }

    #[test]
    fn the_last_ones_wait_for_nobody() {
        let (mut waves, start) = (Waves::new(), Instant::now());
        waves.begin_frame(start, true);
        waves.come();
        waves.end_frame(start);
        waves.begin_frame(start + FRAME, false);
        assert!(waves.may_come(start + FRAME));
    }

    #[test]
    fn a_wave_goes_on_in_the_next_frame() {
        let (mut waves, start) = (Waves::new(), Instant::now());
        waves.begin_frame(start, true);
        waves.come();
        assert!(!waves.may_come(start + BUDGET));
        waves.end_frame(start + BUDGET);
        waves.begin_frame(start + FRAME, true);
        assert!(waves.may_come(start + FRAME));
        waves.come();
        waves.end_frame(start + FRAME);
        waves.begin_frame(start + 2 * FRAME, true);
        assert!(!waves.may_come(start + 2 * FRAME));
    }
}
