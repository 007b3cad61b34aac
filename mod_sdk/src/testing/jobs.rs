//! Work that a test does in the game's place.

use std::{any::Any, cell::RefCell, collections::BTreeMap};

use crate::ticket::{JobError, Ticket};

#[derive(Default)]
struct Jobs {
    /// How many tickets there were.
    count: u64,
    /// The results by ticket, `None` while they are not there.
    results: BTreeMap<u64, Option<Box<dyn Any>>>,
}

thread_local! {
    static JOBS: RefCell<Jobs> = RefCell::default();
}

/// A ticket as the game gives one for work that goes on until [`finish`].
///
/// ```
/// use mod_sdk::{JobError, testing};
///
/// let ticket = testing::ticket::<u32>();
/// assert_eq!(ticket.poll(), None);
/// testing::finish(ticket, Ok(4));
/// assert_eq!(ticket.poll(), Some(Ok(4)));
/// assert_eq!(ticket.poll(), Some(Err(JobError::Unknown)));
/// ```
pub fn ticket<R: 'static>() -> Ticket<R> {
    JOBS.with_borrow_mut(|jobs| {
        jobs.count += 1;
        jobs.results.insert(jobs.count, None);
        Ticket::new(jobs.count)
    })
}

/// Ends the work for a ticket. One that was cancelled stays unknown.
pub fn finish<R: 'static>(ticket: Ticket<R>, result: Result<R, JobError>) {
    JOBS.with_borrow_mut(|jobs| {
        if let Some(place) = jobs.results.get_mut(&ticket.number()) {
            *place = Some(Box::new(result));
        }
    });
}

/// The result, which is gone afterwards: `None` for a ticket that is unknown, and inside of it `None` while it is pending.
pub(crate) fn take<R: 'static>(ticket: u64) -> Option<Option<Result<R, JobError>>> {
    JOBS.with_borrow_mut(|jobs| {
        if jobs.results.get(&ticket)?.is_none() {
            return Some(None);
        }
        // A test could read another type's ticket from the same number.
        jobs.results.remove(&ticket)??.downcast().ok().map(|result| Some(*result))
    })
}

pub(crate) fn is_finished(ticket: u64) -> bool {
    JOBS.with_borrow(|jobs| !matches!(jobs.results.get(&ticket), Some(None)))
}

pub(crate) fn cancel(ticket: u64) {
    JOBS.with_borrow_mut(|jobs| jobs.results.remove(&ticket));
}
