//! How many mods are prepared at once. Which ones is not known here.

use std::sync::Arc;

use async_lock::Semaphore;

/// The places in which mods are prepared. Who has none waits for one in the background, so that the next mod begins when
/// one is done, and not a frame later. In between, what else the game has given to the background gets its turn.
///
/// A preparation that nobody wants any more is dropped, and gives back its place when the code that it was in has come to an
/// end.
#[derive(Debug)]
pub(crate) struct Places {
    count: usize,
    free: Arc<Semaphore>,
}

impl Places {
    pub(crate) fn new() -> Self {
        Self { count: 1, free: Arc::new(Semaphore::new(1)) }
    }

    /// The places, of which the game wants so many now, at least one. After a change, those that have one keep it.
    pub(crate) fn get(&mut self, count: usize) -> Arc<Semaphore> {
        let count = count.max(1);
        if self.count != count {
            *self = Self { count, free: Arc::new(Semaphore::new(count)) };
        }
        Arc::clone(&self.free)
    }
}
