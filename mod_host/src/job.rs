//! Long work for a mod: a host function starts it and answers with a ticket at once; the mod asks for the result later. A
//! call into a mod never waits. What the work is is not known here.

use std::{
    any::type_name,
    collections::HashMap,
    fmt, mem,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc, Mutex, PoisonError, Weak,
        atomic::{AtomicU64, Ordering},
    },
    thread,
};

use mod_abi::{JobState, codec::Codec};

use crate::{codec::Encode, text};

/// How many tickets an instance may hold: a mod that never asks should not fill the machine.
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
        let outcome = Arc::new(Mutex::new(Outcome::Pending));
        (JobSender { outcome: Arc::downgrade(&outcome) }, Self { outcome })
    }

    /// A job that is asked for its outcome each time that the mod asks, until it has one: the result, or the reason why there
    /// is none. It is dropped when nobody wants it any more.
    ///
    /// `ask` runs in the middle of a call, so it must not wait.
    #[must_use]
    pub fn asking(ask: impl FnMut() -> Option<Result<R, String>> + Send + 'static) -> Self {
        Self { outcome: Arc::new(Mutex::new(Outcome::Asked(Box::new(ask)))) }
    }

    /// A job that is done already.
    #[must_use]
    pub fn ready(result: R) -> Self {
        Self { outcome: Arc::new(Mutex::new(Outcome::Done(result))) }
    }
}

impl<R: Send + 'static> Job<R> {
    /// Does the work on a thread of its own. If it panics, or if there is no thread to be had, the job has failed.
    #[must_use]
    pub fn spawn(work: impl FnOnce() -> R + Send + 'static) -> Self {
        let (sender, job) = Self::channel();
        let run = move || match caught(work) {
            Ok(result) => sender.send(result),
            Err(reason) => sender.fail(reason),
        };
        // Without a thread the closure is dropped, and the sender with it.
        let _ = thread::Builder::new().name("mod_host job".to_owned()).spawn(run);
        job
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
        match caught(ask) {
            Ok(None) => {}
            Ok(Some(Ok(result))) => *self = Self::Done(result),
            Ok(Some(Err(reason))) | Err(reason) => *self = Self::Failed(reason),
        }
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
            Outcome::Done(result) => caught(|| result.encode(codec))?.map_err(|error| error.to_string()),
            Outcome::Failed(reason) => Ok(text::clean(&reason).into_bytes()),
            Outcome::Pending | Outcome::Asked(_) | Outcome::Taken => Ok(Vec::new()),
        }
    }
}

/// The jobs of one instance, by ticket.
#[derive(Default)]
pub(crate) struct Jobs(HashMap<u64, Arc<dyn AnyJob>>);

impl Jobs {
    /// Takes a job on and returns its ticket.
    pub(crate) fn add<R: Encode + Send + 'static>(&mut self, job: Job<R>) -> Result<u64, String> {
        /// Never used twice, so that a ticket that outlives its instance means nothing to the next one.
        static TICKETS: AtomicU64 = AtomicU64::new(1);
        if self.0.len() >= MAX_JOBS {
            return Err(format!("the mod waits for {MAX_JOBS} jobs, which is the most that it may"));
        }
        let ticket = TICKETS.fetch_add(1, Ordering::Relaxed);
        self.0.insert(ticket, job.outcome);
        Ok(ticket)
    }

    pub(crate) fn state(&self, ticket: u64) -> JobState {
        self.0.get(&ticket).map_or(JobState::Unknown, |job| job.state())
    }

    /// What a job that is over has left, and nothing for any other ticket.
    pub(crate) fn take(&mut self, ticket: u64, codec: Codec) -> Result<Vec<u8>, String> {
        let is_over = !matches!(self.state(ticket), JobState::Pending | JobState::Unknown);
        let job = if is_over { self.0.remove(&ticket) } else { None };
        job.map_or_else(|| Ok(Vec::new()), |job| job.take(codec))
    }

    pub(crate) fn cancel(&mut self, ticket: u64) {
        let job = self.0.remove(&ticket);
        // What was to be asked goes with it, and may have something to do then.
        let _ = caught(|| drop(job));
    }
}

#[cfg(test)]
mod tests {
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
