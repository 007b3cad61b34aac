//! Long work for a mod: a host function starts it and answers with a ticket at once; the mod asks for the result later. A
//! call into a mod never waits. What the work is is not known here.

mod pool;

use std::{
    any::type_name,
    collections::HashMap,
    fmt, mem,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc, Mutex, PoisonError, Weak,
        atomic::{AtomicU64, Ordering},
    },
};

use mod_abi::{JobState, codec::Codec};

use crate::{codec::Encode, text};

/// How many tickets an instance may hold, and how much work may go on for it, wanted or not: a mod that never asks, or that
/// starts and cancels without an end, should not fill the machine.
pub const MAX_JOBS: usize = 1024;

/// Work whose result a mod fetches when it is there. Return it from a host function: the mod gets a ticket.
///
/// Whoever does the work holds the [`JobSender`]. When nobody waits for the result any more (the mod gave the ticket back,
/// or is gone), [`JobSender::is_wanted`] says so.
///
/// ```
/// use mod_host::{Job, WasmPluginBuilder};
///
/// # let module = wat::parse_str(r#"(module (memory (export "memory") 1))"#)?;
/// let plugin = WasmPluginBuilder::from_bytes("mathematician", module)
///     .import_function("factorise", |number: u64| {
///         Job::spawn(move || (2..=number).find(|factor| number % factor == 0))
///     })
///     .finish()?;
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
pub struct Job<R> {
    outcome: Arc<Mutex<Outcome<R>>>,
    /// Work that waits for the job to be taken on.
    start: Option<Box<dyn FnOnce() + Send>>,
    /// Alive as long as somebody works on it.
    work: Weak<()>,
}

/// The other end of a [`Job`]. Dropped without a word, the job has failed.
///
/// ```
/// use std::{sync::mpsc, thread};
///
/// use mod_host::{Job, JobSender, WasmPluginBuilder};
///
/// // One thread does the work of all plugins.
/// let (orders, inbox) = mpsc::channel::<(u64, JobSender<u64>)>();
/// thread::spawn(move || {
///     for (number, answer) in inbox {
///         if answer.is_wanted() {
///             answer.send(number.isqrt());
///         }
///     }
/// });
/// # let module = wat::parse_str(r#"(module (memory (export "memory") 1))"#)?;
/// let plugin = WasmPluginBuilder::from_bytes("mathematician", module)
///     .import_function("root", move |number: u64| {
///         let (answer, job) = Job::channel();
///         // If the thread is gone, so is the sender: the job has failed.
///         let _ = orders.send((number, answer));
///         job
///     })
///     .finish()?;
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
pub struct JobSender<R> {
    outcome: Weak<Mutex<Outcome<R>>>,
    /// Shows that the work is not over.
    _work: Arc<()>,
}

enum Outcome<R> {
    Pending,
    /// To be asked.
    Asked(Box<dyn FnMut() -> Option<Result<R, String>> + Send>),
    Done(R),
    Failed(String),
    /// The mod has it.
    Taken,
}

impl<R> Job<R> {
    /// A job, and the end through which its result will come, from any thread.
    #[must_use]
    pub fn channel() -> (JobSender<R>, Self) {
        let (job, work) = (Self::of(Outcome::Pending), Arc::new(()));
        let work_of_job = Arc::downgrade(&work);
        let sender = JobSender { outcome: Arc::downgrade(&job.outcome), _work: work };
        (sender, Self { work: work_of_job, ..job })
    }

    /// A job that is asked for its outcome each time that the mod asks, until it has one: the result, or the reason why there
    /// is none. It is dropped when nobody wants it any more.
    ///
    /// `ask` runs in the middle of a call, so it must not wait.
    #[must_use]
    pub fn asking(ask: impl FnMut() -> Option<Result<R, String>> + Send + 'static) -> Self {
        Self::of(Outcome::Asked(Box::new(ask)))
    }

    /// A job that is done already.
    #[must_use]
    pub fn ready(result: R) -> Self {
        Self::of(Outcome::Done(result))
    }

    fn of(outcome: Outcome<R>) -> Self {
        Self { outcome: Arc::new(Mutex::new(outcome)), start: None, work: Weak::new() }
    }
}

impl<R: Send + 'static> Job<R> {
    /// Does the work on one of a few threads that all plugins of the program share, once the job was returned from a host
    /// function. If it panics, or if there is no thread to be had, the job has failed. Work that nobody wants any more when
    /// its turn comes is not begun.
    #[must_use]
    pub fn spawn(work: impl FnOnce() -> R + Send + 'static) -> Self {
        let (sender, job) = Self::channel();
        let run = move || match sender.is_wanted().then(|| caught(work)) {
            Some(Ok(result)) => sender.send(result),
            Some(Err(reason)) => sender.fail(reason),
            None => {}
        };
        Self { start: Some(Box::new(run)), ..job }
    }
}

impl<R> JobSender<R> {
    /// Hands the result over.
    pub fn send(self, result: R) {
        self.settle(Outcome::Done(result));
    }

    /// There will be no result. The mod gets the reason as a text.
    pub fn fail(self, reason: impl Into<String>) {
        self.settle(Outcome::Failed(reason.into()));
    }

    /// Whether somebody still waits for the result.
    #[must_use]
    pub fn is_wanted(&self) -> bool {
        self.outcome.strong_count() > 0
    }

    fn settle(&self, to: Outcome<R>) {
        let Some(outcome) = self.outcome.upgrade() else { return };
        let mut outcome = outcome.lock().unwrap_or_else(PoisonError::into_inner);
        if matches!(*outcome, Outcome::Pending) {
            *outcome = to;
        }
    }
}

impl<R> Drop for JobSender<R> {
    fn drop(&mut self) {
        self.settle(Outcome::Failed("it was given up".to_owned()));
    }
}

impl<R> fmt::Debug for Job<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Job<{}>", type_name::<R>())
    }
}

impl<R> fmt::Debug for JobSender<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JobSender").field("is_wanted", &self.is_wanted()).finish_non_exhaustive()
    }
}

/// Does something of the host's in the middle of a mod's call. A panic becomes a sentence.
fn caught<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(work)).map_err(|panic| format!("it panicked: {}", text::of_panic(&*panic)))
}

/// A job whose result is of some type.
trait AnyJob: Send + Sync {
    fn state(&self) -> JobState;
    /// The bytes of the result or of the reason. Nothing is left.
    fn take(&self, codec: Codec) -> Result<Vec<u8>, String>;
}

impl<R> Outcome<R> {
    /// Asks those that have to be asked.
    fn refresh(&mut self) {
        let Self::Asked(ask) = self else { return };
        let settled = match caught(ask) {
            Ok(None) => return,
            Ok(Some(Ok(result))) => Self::Done(result),
            Ok(Some(Err(reason))) | Err(reason) => Self::Failed(reason),
        };
        let asked = mem::replace(self, settled);
        // What was asked is the host's, and may have something to do when it goes.
        let _ = caught(|| drop(asked));
    }
}

impl<R: Encode + Send> AnyJob for Mutex<Outcome<R>> {
    fn state(&self) -> JobState {
        let mut outcome = self.lock().unwrap_or_else(PoisonError::into_inner);
        outcome.refresh();
        match &*outcome {
            Outcome::Pending | Outcome::Asked(_) => JobState::Pending,
            Outcome::Done(_) => JobState::Done,
            Outcome::Failed(_) => JobState::Failed,
            Outcome::Taken => JobState::Unknown,
        }
    }

    fn take(&self, codec: Codec) -> Result<Vec<u8>, String> {
        let outcome = mem::replace(&mut *self.lock().unwrap_or_else(PoisonError::into_inner), Outcome::Taken);
        match outcome {
            // The value ends in there, too.
            Outcome::Done(result) => {
                let encode = move || result.encode(codec);
                caught(encode)?.map_err(|error| error.to_string())
            }
            Outcome::Failed(reason) => Ok(text::clean(&reason).into_bytes()),
            Outcome::Pending | Outcome::Asked(_) | Outcome::Taken => Ok(Vec::new()),
        }
    }
}

/// The jobs of one instance, by ticket.
#[derive(Default)]
pub(crate) struct Jobs {
    tickets: HashMap<u64, Arc<dyn AnyJob>>,
    /// Work that was begun for the mod and may go on, also where its ticket is gone.
    work: Vec<Weak<()>>,
}

impl Jobs {
    /// Takes a job on and returns its ticket.
    pub(crate) fn add<R: Encode + Send + 'static>(&mut self, job: Job<R>) -> Result<u64, String> {
        /// Never used twice, so that a ticket that outlives its instance means nothing to the next one.
        static TICKETS: AtomicU64 = AtomicU64::new(1);
        self.work.retain(|work| work.strong_count() > 0);
        if self.tickets.len().max(self.work.len()) >= MAX_JOBS {
            return Err(format!("{MAX_JOBS} jobs go on for the mod, which is the most that may"));
        }
        let ticket = TICKETS.fetch_add(1, Ordering::Relaxed);
        self.tickets.insert(ticket, job.outcome);
        self.work.push(job.work);
        if let Some(start) = job.start {
            pool::submit(start);
        }
        Ok(ticket)
    }

    pub(crate) fn state(&self, ticket: u64) -> JobState {
        self.tickets.get(&ticket).map_or(JobState::Unknown, |job| job.state())
    }

    /// What a job that is over has left, and nothing for any other ticket.
    pub(crate) fn take(&mut self, ticket: u64, codec: Codec) -> Result<Vec<u8>, String> {
        let is_over = !matches!(self.state(ticket), JobState::Pending | JobState::Unknown);
        let job = if is_over { self.tickets.remove(&ticket) } else { None };
        job.map_or_else(|| Ok(Vec::new()), |job| job.take(codec))
    }

    pub(crate) fn cancel(&mut self, ticket: u64) {
        let job = self.tickets.remove(&ticket);
        // What was to be asked goes with it, and may have something to do then.
        let _ = caught(|| drop(job));
    }
}

impl Drop for Jobs {
    fn drop(&mut self) {
        // One by one: a second panic on the way of a first one would end the process.
        for (_, job) in self.tickets.drain() {
            let _ = caught(|| drop(job));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    };

    use mod_abi::{JobState, codec::Codec};

    use super::{Job, Jobs, MAX_JOBS};

    #[test]
    fn a_result_is_there_once() {
        let mut jobs = Jobs::default();
        let (sender, job) = Job::<u32>::channel();
        let ticket = jobs.add(job).unwrap();
        assert_eq!((jobs.state(ticket), jobs.take(ticket, Codec::Bincode)), (JobState::Pending, Ok(vec![])));
        assert!(sender.is_wanted());
        sender.send(7);
        assert_eq!(jobs.state(ticket), JobState::Done);
        assert_eq!(jobs.take(ticket, Codec::Bincode), Ok(vec![7, 0, 0, 0]));
        assert_eq!((jobs.state(ticket), jobs.take(ticket, Codec::Bincode)), (JobState::Unknown, Ok(vec![])));
    }

    #[test]
    fn failures_are_told() {
        let mut jobs = Jobs::default();
        let (sender, job) = Job::<u32>::channel();
        let dropped = jobs.add(job).unwrap();
        drop(sender);
        let (sender, job) = Job::<u32>::channel();
        let failed = jobs.add(job).unwrap();
        sender.fail("no\nway");
        for (ticket, reason) in [(dropped, "it was given up"), (failed, "no way")] {
            assert_eq!(jobs.state(ticket), JobState::Failed);
            assert_eq!(jobs.take(ticket, Codec::Bincode), Ok(reason.as_bytes().to_vec()));
        }
    }

    #[test]
    fn a_thread_works_and_its_panic_is_a_failure() {
        let mut jobs = Jobs::default();
        let done = jobs.add(Job::spawn(|| 6_u8 * 7)).unwrap();
        let failed = jobs.add(Job::<u8>::spawn(|| std::panic::resume_unwind(Box::new("oh no")))).unwrap();
        for ticket in [done, failed] {
            while jobs.state(ticket) == JobState::Pending {
                std::thread::yield_now();
            }
        }
        assert_eq!(jobs.take(done, Codec::Bincode), Ok(vec![42]));
        assert_eq!(jobs.take(failed, Codec::Bincode), Ok(b"it panicked: oh no".to_vec()));
    }

    #[test]
    fn a_job_can_be_asked() {
        let mut jobs = Jobs::default();
        let mut asked = 0_u8;
        let counting = Job::asking(move || {
            asked += 1;
            (asked == 3).then_some(Ok(asked))
        });
        let counting = jobs.add(counting).unwrap();
        let states = [(); 3].map(|()| jobs.state(counting));
        assert_eq!(states, [JobState::Pending, JobState::Pending, JobState::Done]);
        assert_eq!(jobs.take(counting, Codec::Bincode), Ok(vec![3]));
        let panicking = jobs.add(Job::<u8>::asking(|| std::panic::resume_unwind(Box::new("oh no")))).unwrap();
        assert_eq!(jobs.state(panicking), JobState::Failed);
        assert_eq!(jobs.take(panicking, Codec::Bincode), Ok(b"it panicked: oh no".to_vec()));
    }

    #[test]
    fn work_counts_until_it_is_over() {
        let mut jobs = Jobs::default();
        let mut senders = Vec::new();
        for _ in 0..MAX_JOBS {
            let (sender, job) = Job::<u8>::channel();
            senders.push(sender);
            let ticket = jobs.add(job).unwrap();
            jobs.cancel(ticket);
        }
        assert!(jobs.add(Job::<u8>::channel().1).is_err());
        senders.pop();
        assert!(jobs.add(Job::<u8>::channel().1).is_ok());
    }

    #[test]
    fn started_and_cancelled_without_an_end() {
        let (mut jobs, (running, peak)) =
            (Jobs::default(), (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0))));
        let gate = Arc::new(Mutex::new(()));
        let closed = gate.lock().unwrap();
        for _ in 0..3_000 {
            let (gate, running, peak) = (Arc::clone(&gate), Arc::clone(&running), Arc::clone(&peak));
            let job = Job::spawn(move || {
                peak.fetch_max(running.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                drop(gate.lock());
                running.fetch_sub(1, Ordering::SeqCst);
            });
            if let Ok(ticket) = jobs.add(job) {
                jobs.cancel(ticket);
            }
        }
        drop(closed);
        // What nobody wants any more is not begun.
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZeroUsize::get);
        assert!(peak.load(Ordering::SeqCst) <= cores.max(4));
    }

    #[test]
    fn a_result_may_panic_when_it_ends() {
        struct Bomb;
        impl Drop for Bomb {
            fn drop(&mut self) {
                std::panic::resume_unwind(Box::new("boom"));
            }
        }
        impl serde::Serialize for Bomb {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_u8(1)
            }
        }
        let mut jobs = Jobs::default();
        let ticket = jobs.add(Job::ready(Bomb)).unwrap();
        assert_eq!(jobs.take(ticket, Codec::Bincode), Err("it panicked: boom".to_owned()));
    }

    #[test]
    fn nobody_wants_a_cancelled_job() {
        let mut jobs = Jobs::default();
        let (sender, job) = Job::<u32>::channel();
        let ticket = jobs.add(job).unwrap();
        jobs.cancel(ticket);
        assert!(!sender.is_wanted());
        sender.send(1);
        assert_eq!(jobs.state(ticket), JobState::Unknown);
    }

    #[test]
    fn tickets_have_an_end() {
        let mut jobs = Jobs::default();
        let tickets: Vec<_> = (0..MAX_JOBS).map(|_| jobs.add(Job::ready(1_u8)).unwrap()).collect();
        assert!(jobs.add(Job::ready(1_u8)).is_err());
        assert_eq!(jobs.take(tickets[3], Codec::Bincode), Ok(vec![1]));
        assert!(jobs.add(Job::ready(1_u8)).is_ok());
    }
}
