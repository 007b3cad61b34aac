//! What runs just now, who panicked, and how long it took. Panics count wherever they are caught: the host turns some of
//! them into errors, and none should be there to turn.
#![expect(clippy::print_stderr, reason = "whoever hangs says so last")]

use std::{
    cell::Cell,
    env, fs,
    path::PathBuf,
    process,
    sync::{Mutex, MutexGuard, Once, PoisonError},
    thread,
    time::{Duration, Instant},
};

/// One step may take so long by the clock on the wall before the process is ended. Only an endless loop does.
const HUNG: Duration = Duration::from_secs(120);

static RUNNING: Mutex<Option<Running>> = Mutex::new(None);
static PANICS: Mutex<Vec<String>> = Mutex::new(Vec::new());

thread_local! {
    /// Whether panics of this thread are somebody else's.
    static EXCUSED: Cell<bool> = const { Cell::new(false) };
}

struct Running {
    case: String,
    input: Vec<u8>,
    step: &'static str,
    since: Instant,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Where inputs are kept that went wrong.
#[must_use]
pub fn folder() -> PathBuf {
    let target = env::var_os("CARGO_TARGET_DIR").map_or_else(|| crate::root().join("target"), PathBuf::from);
    target.join("hostile")
}

/// Keeps an input and returns its path.
pub fn keep(case: &str, input: &[u8]) -> PathBuf {
    let path = folder().join(case);
    let _ = fs::create_dir_all(folder()).and_then(|()| fs::write(&path, input));
    path
}

/// Begins a case: from here on panics are noted, and somebody looks at the clock.
pub fn begin(case: String, input: &[u8]) {
    static START: Once = Once::new();
    START.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            if EXCUSED.get() {
                return;
            }
            if locked(&RUNNING).is_some() {
                let thread = thread::current().name().unwrap_or("a thread").to_owned();
                locked(&PANICS).push(format!("{thread}: {panic}"));
            } else {
                before(panic);
            }
        }));
        thread::spawn(|| {
            loop {
                thread::sleep(Duration::from_millis(200));
                if let Some(running) = &*locked(&RUNNING)
                    && running.since.elapsed() > HUNG
                {
                    let path = keep(&running.case, &running.input);
                    eprintln!(
                        "HANG: {} in `{}` for more than {HUNG:?}: {}",
                        running.case,
                        running.step,
                        path.display()
                    );
                    process::exit(3);
                }
            }
        });
    });
    *locked(&RUNNING) = Some(Running { case, input: input.to_vec(), step: "", since: Instant::now() });
}

/// Says what is done next.
pub fn step(step: &'static str) {
    if let Some(running) = &mut *locked(&RUNNING) {
        running.step = step;
        running.since = Instant::now();
    }
}

/// Ends a case and returns the panics that it had.
pub fn end() -> Vec<String> {
    *locked(&RUNNING) = None;
    std::mem::take(&mut *locked(&PANICS))
}

/// Runs code whose panics are not the host's. `None` if it panicked.
pub fn excused<T>(work: impl FnOnce() -> T) -> Option<T> {
    EXCUSED.set(true);
    let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(work));
    EXCUSED.set(false);
    outcome.ok()
}

/// The time that this thread has computed so far. Unlike the clock on the wall it says the same on a busy machine. Linux
/// tells it; elsewhere it is the wall's.
#[must_use]
pub fn computed() -> Duration {
    static BEGIN: std::sync::LazyLock<Instant> = std::sync::LazyLock::new(Instant::now);
    let told = fs::read_to_string("/proc/thread-self/schedstat").ok();
    let nanos = told.and_then(|text| text.split(' ').next()?.parse().ok());
    nanos.map_or_else(|| BEGIN.elapsed(), Duration::from_nanos)
}
