//! A few threads for the work of all plugins of a program. What the work is is not known here.

use std::{
    collections::VecDeque,
    num::NonZeroUsize,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Mutex, MutexGuard, PoisonError},
    thread,
};

type Work = Box<dyn FnOnce() + Send>;

/// Threads that there are at the least, because work may wait for something else than a core.
const FEWEST_THREADS: usize = 4;

struct Pool {
    waiting: VecDeque<Work>,
    threads: usize,
}

static POOL: Mutex<Pool> = Mutex::new(Pool { waiting: VecDeque::new(), threads: 0 });

fn pool() -> MutexGuard<'static, Pool> {
    POOL.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Does the work when its turn comes. Without any thread it is dropped.
pub(super) fn submit(work: Work) {
    let most = thread::available_parallelism().map_or(FEWEST_THREADS, NonZeroUsize::get).max(FEWEST_THREADS);
    let mut pool = pool();
    pool.waiting.push_back(work);
    if pool.threads >= most {
        return;
    }
    match thread::Builder::new().name("mod_host job".to_owned()).spawn(run) {
        Ok(_) => pool.threads = pool.threads.saturating_add(1),
        // Those that are there will do it.
        Err(_) if pool.threads > 0 => {}
        Err(_) => {
            let dropped = std::mem::take(&mut pool.waiting);
            drop(pool);
            drop(dropped);
        }
    }
}

/// Works until nothing waits any more.
fn run() {
    while let Some(work) = next() {
        // Work catches its own panics; what is left is what it drops.
        let _ = catch_unwind(AssertUnwindSafe(work));
    }
}

/// The thread that finds nothing ends, and is no longer counted.
fn next() -> Option<Work> {
    let mut pool = pool();
    let work = pool.waiting.pop_front();
    if work.is_none() {
        pool.threads = pool.threads.saturating_sub(1);
    }
    work
}
