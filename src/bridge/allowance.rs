//! What a mod may still leave in a frame: commands, their bytes, and messages, of all its systems and observers together.
//!
//! Each instance has its own, and the lifecycle says when a frame begins.

use std::sync::atomic::{AtomicUsize, Ordering};

use mod_host::Limits;

/// What a mod may leave in a frame, and what it has left since the frame began.
#[derive(Debug)]
pub(crate) struct Allowance {
    /// Commands.
    pub(crate) commands: Meter,
    /// Bytes of commands.
    pub(crate) bytes: Meter,
    /// Messages and events, which are commands as well.
    pub(crate) messages: Meter,
}

/// One limit, and how much of it is used.
#[derive(Debug)]
pub(crate) struct Meter {
    pub(crate) limit: usize,
    used: AtomicUsize,
}

impl Allowance {
    pub(crate) fn new(limits: &Limits) -> Self {
        Self {
            commands: Meter::new(limits.commands_per_frame),
            bytes: Meter::new(limits.command_bytes_per_frame),
            messages: Meter::new(limits.messages_per_frame),
        }
    }

    /// A frame begins.
    pub(crate) fn new_frame(&self) {
        for meter in [&self.commands, &self.bytes, &self.messages] {
            meter.used.store(0, Ordering::Relaxed);
        }
    }
}

// Systems of one mod never run beside each other: the numbers are shared, not contended.
impl Meter {
    fn new(limit: usize) -> Self {
        Self { limit, used: AtomicUsize::new(0) }
    }

    /// How much is left.
    pub(crate) fn left(&self) -> usize {
        self.limit.saturating_sub(self.used.load(Ordering::Relaxed))
    }

    /// Uses so much of it, if so much is left.
    pub(crate) fn take(&self, amount: usize) -> bool {
        let take = |used: usize| used.checked_add(amount).filter(|used| *used <= self.limit);
        self.used.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_refused_uses_nothing() {
        let meter = Meter::new(10);
        assert!(meter.take(7));
        assert!(!meter.take(4));
        assert_eq!(meter.left(), 3);
        assert!(!meter.take(usize::MAX));
        assert!(meter.take(3) && meter.take(0) && !meter.take(1));
    }

    #[test]
    fn a_frame_gives_everything_back() {
        let allowance = Allowance::new(&Limits { messages_per_frame: 2, ..Limits::default() });
        assert!(allowance.messages.take(2) && allowance.bytes.take(9));
        allowance.new_frame();
        assert_eq!((allowance.messages.left(), allowance.bytes.left()), (2, Limits::default().command_bytes_per_frame));
    }
}
