//! Long work: tickets as a mod sees them, from every state of a job.

use std::{
    collections::HashSet,
    sync::{Arc, Mutex, mpsc},
    thread,
    time::Duration,
};

use mod_abi::JobState;
use mod_host::{Codec, Job, JobSender, Limits, MAX_JOBS, Refusal, WasmPlugin, WasmPluginBuilder};
use serde::{Serialize, Serializer};

use crate::harness::{Raw, assert_contains, codecs, plugin, speaking, through};

const JOBS: &str = r#"
    (import "env" "__job_state" (func $state (param i64) (result i32)))
    (import "env" "__job_take" (func $take (param i64) (result i64)))
    (import "env" "__job_cancel" (func $cancel (param i64)))"#;

/// `state`, `take` and `cancel` take the ticket as its eight bytes.
const BODY: &str = r#"
    (func (export "__state") (param $b i64) (result i64)
        (i32.store8 (i32.const 16) (call $state (i64.load (call $ptr (local.get $b)))))
        (call $buf (i32.const 16) (i32.const 1)))
    (func (export "__take") (param $b i64) (result i64) (call $take (i64.load (call $ptr (local.get $b)))))
    (func (export "__cancel") (param $b i64) (result i64)
        (call $cancel (i64.load (call $ptr (local.get $b)))) (i64.const 0))"#;

fn working(codec: Codec) -> WasmPluginBuilder {
    let (imports, exports) = through(&["start"]);
    plugin(&[JOBS, &imports].concat(), &[BODY, &exports, &speaking(codec)].concat())
}

fn start<C: 'static>(plugin: &mut WasmPlugin<C>) -> u64 {
    plugin.call_function("through_start").unwrap()
}

fn ticket(number: u64) -> Raw {
    Raw(number.to_le_bytes().to_vec())
}

fn state<C: 'static>(plugin: &mut WasmPlugin<C>, number: u64) -> JobState {
    let Raw(answer) = plugin.call_function_with_argument("state", &ticket(number)).unwrap();
    JobState::from_raw(u32::from(*answer.first().unwrap()))
}

fn take<C: 'static>(plugin: &mut WasmPlugin<C>, number: u64) -> Vec<u8> {
    plugin.call_function_with_argument::<_, Raw>("take", &ticket(number)).unwrap().0
}

/// A plugin whose jobs are finished by the test.
type Senders = Arc<Mutex<Vec<JobSender<(u8, String)>>>>;

fn manual(codec: Codec) -> (WasmPlugin, Senders) {
    let senders = Senders::default();
    let kept = Arc::clone(&senders);
    let plugin = working(codec).import_function("start", move || {
        let (sender, job) = Job::channel();
        kept.lock().unwrap().push(sender);
        job
    });
    (plugin.finish().unwrap(), senders)
}

#[test]
fn a_ticket_goes_through_its_states_in_every_codec() {
    for codec in codecs() {
        let (mut plugin, senders) = manual(codec);
        let number = start(&mut plugin);
        assert_ne!(number, 0);
        for _ in 0..2 {
            assert_eq!(state(&mut plugin, number), JobState::Pending);
            assert_eq!(take(&mut plugin, number), b"", "a job that goes on has nothing yet, and is not lost");
        }
        senders.lock().unwrap().pop().unwrap().send((7, "x".to_owned()));
        assert_eq!(state(&mut plugin, number), JobState::Done);
        let expected: &[u8] = match codec {
            Codec::Bincode => b"\x07\x01\0\0\0\0\0\0\0x",
            _ => br#"[7,"x"]"#,
        };
        assert_eq!(take(&mut plugin, number), expected);
        assert_eq!(state(&mut plugin, number), JobState::Unknown);
        assert_eq!(take(&mut plugin, number), b"");
    }
}

#[test]
fn a_failure_is_a_text_in_every_codec() {
    for codec in codecs() {
        let (mut plugin, senders) = manual(codec);
        let (failed, dropped) = (start(&mut plugin), start(&mut plugin));
        let mut senders = senders.lock().unwrap();
        drop(senders.pop().unwrap());
        senders.pop().unwrap().fail("no way\n\u{1b}[2J");
        for (number, reason) in [(failed, "no way [2J"), (dropped, "it was given up")] {
            assert_eq!(state(&mut plugin, number), JobState::Failed);
            assert_eq!(take(&mut plugin, number), reason.as_bytes());
            assert_eq!(state(&mut plugin, number), JobState::Unknown);
        }
    }
}

#[test]
fn nobody_works_for_a_mod_that_does_not_want_it() {
    let (mut plugin, senders) = manual(Codec::Bincode);
    let cancelled = start(&mut plugin);
    start(&mut plugin);
    let is_wanted = |index: usize| senders.lock().unwrap().get(index).unwrap().is_wanted();
    assert!(is_wanted(0) && is_wanted(1));
    plugin.call_function_with_argument::<_, ()>("cancel", &ticket(cancelled)).unwrap();
    assert_eq!(state(&mut plugin, cancelled), JobState::Unknown);
    assert!(!is_wanted(0) && is_wanted(1));
    plugin.restart().unwrap();
    assert!(!is_wanted(1), "what the mod waited for went with it");
    start(&mut plugin);
    drop(plugin);
    assert!(!is_wanted(2));
    // To send to nobody does no harm.
    for sender in senders.lock().unwrap().drain(..) {
        sender.send((1, String::new()));
    }
}

#[test]
fn tickets_of_others_and_garbage_mean_nothing() {
    let (mut plugin, _senders) = manual(Codec::Bincode);
    let (mut other, _) = manual(Codec::Bincode);
    let number = start(&mut plugin);
    let check = |plugin: &mut WasmPlugin, unknown: u64| {
        assert_eq!(state(plugin, unknown), JobState::Unknown, "{unknown}");
        assert_eq!(take(plugin, unknown), b"");
        plugin.call_function_with_argument::<_, ()>("cancel", &ticket(unknown)).unwrap();
    };
    check(&mut other, number);
    for garbage in [0, number + 1_000_000, number << 32, u64::MAX, 1 << 63] {
        check(&mut plugin, garbage);
    }
    assert_eq!(state(&mut plugin, number), JobState::Pending);
}

#[test]
fn a_mod_holds_a_limited_number_of_tickets() {
    let (mut plugin, senders) = manual(Codec::Bincode);
    let numbers: Vec<u64> = (0..MAX_JOBS).map(|_| start(&mut plugin)).collect();
    plugin.call_function_with_argument::<_, ()>("cancel", &ticket(numbers[0])).unwrap();
    // The work goes on until whoever does it lets it be.
    plugin.call_function::<u64>("through_start").unwrap_err();
    plugin.restart().unwrap();
    let numbers: Vec<u64> = (0..MAX_JOBS).map(|_| start(&mut plugin)).collect();
    plugin.call_function_with_argument::<_, ()>("cancel", &ticket(numbers[0])).unwrap();
    senders.lock().unwrap().drain(..=MAX_JOBS + 1);
    start(&mut plugin);
    let error = plugin.call_function::<u64>("through_start").unwrap_err().to_string();
    assert_eq!(
        error,
        "`through_start` called `start`, which failed: 1024 jobs go on for the mod, which is the most that may"
    );
    assert!(!senders.lock().unwrap().last().unwrap().is_wanted());
}

#[test]
fn every_way_to_make_a_job() {
    fn result<R: mod_host::Encode + Send + 'static>(make: impl Fn() -> Job<R> + Send + 'static) -> (JobState, Vec<u8>) {
        let mut plugin = working(Codec::Bincode).import_function("start", make).finish().unwrap();
        let number = start(&mut plugin);
        loop {
            match state(&mut plugin, number) {
                JobState::Pending => std::thread::yield_now(),
                over => return (over, take(&mut plugin, number)),
            }
        }
    }
    assert_eq!(result(|| Job::ready(5_u8)), (JobState::Done, vec![5]));
    assert_eq!(result(|| Job::ready(())), (JobState::Done, vec![]));
    assert_eq!(result(|| Job::spawn(|| 6_u8)), (JobState::Done, vec![6]));
    let panicking = || Job::<u8>::spawn(|| std::panic::resume_unwind(Box::new("oh no")));
    assert_eq!(result(panicking), (JobState::Failed, b"it panicked: oh no".to_vec()));
    let asked = || {
        let mut left = 3_u8;
        Job::asking(move || {
            left -= 1;
            (left == 0).then_some(Ok(8_u8))
        })
    };
    assert_eq!(result(asked), (JobState::Done, vec![8]));
    assert_eq!(result(|| Job::<u8>::asking(|| Some(Err("no".to_owned())))), (JobState::Failed, b"no".to_vec()));
    let panicking = || Job::<u8>::asking(|| std::panic::resume_unwind(Box::new("oh no")));
    assert_eq!(result(panicking), (JobState::Failed, b"it panicked: oh no".to_vec()));
}

#[test]
fn a_job_may_be_refused() {
    let refusing = |number: u64| match number {
        0 => Err(Refusal::new("there is nothing to do")),
        _ => Ok(Job::ready(number)),
    };
    let mut plugin = working(Codec::Bincode).import_function("start", refusing).finish().unwrap();
    let number: u64 = plugin.call_function_with_argument("through_start", &9_u64).unwrap();
    assert_eq!(take(&mut plugin, number), 9_u64.to_le_bytes());
    let error = plugin.call_function_with_argument::<_, u64>("through_start", &0_u64).unwrap_err().to_string();
    assert_eq!(error, "`through_start` called `start`, which failed: there is nothing to do");
}

/// A value that makes trouble when it is encoded.
struct Trouble(fn() -> String);

impl Serialize for Trouble {
    fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        Err(serde::ser::Error::custom(self.0()))
    }
}

#[test]
fn results_that_cannot_cross_end_the_call() {
    fn error<R: mod_host::Encode + Send + 'static>(make: fn() -> R) -> String {
        let limits = Limits { memory_bytes: 1 << 20, ..Limits::default() };
        let builder = working(Codec::Bincode).limits(limits).import_function("start", move || Job::ready(make()));
        let mut plugin = builder.finish().unwrap();
        let number = start(&mut plugin);
        let error = plugin.call_function_with_argument::<_, Raw>("take", &ticket(number)).unwrap_err();
        assert!(plugin.is_poisoned());
        error.to_string()
    }
    let refused = "`take` called `__job_take`, which failed: ";
    let text = error(|| Trouble(|| "out of ink".to_owned()));
    assert_contains(&text, refused);
    assert_contains(&text, "out of ink");
    let text = error(|| Trouble(|| std::panic::resume_unwind(Box::new("the pen broke"))));
    assert_eq!(text, format!("{refused}it panicked: the pen broke"));
    let text = error(|| "x".repeat(2 << 20));
    assert_eq!(text, "`take` ran out of memory: the mod may use 1048576 bytes");
}

#[test]
fn a_job_that_is_given_back_may_panic_on_its_way_out() {
    struct Loud;
    impl Drop for Loud {
        fn drop(&mut self) {
            std::panic::resume_unwind(Box::new("dropped"));
        }
    }
    let start_loud = || {
        let mut loud = Some(Loud);
        Job::<u8>::asking(move || {
            std::mem::forget(loud.take());
            None
        })
    };
    let mut plugin = working(Codec::Bincode).import_function("start", start_loud).finish().unwrap();
    let number = start(&mut plugin);
    plugin.call_function_with_argument::<_, ()>("cancel", &ticket(number)).unwrap();
    assert_eq!(state(&mut plugin, number), JobState::Unknown);
}

#[test]
fn a_result_that_is_taken_may_panic_on_its_way_out() {
    #[derive(Serialize)]
    struct Loud(u8);
    impl Drop for Loud {
        fn drop(&mut self) {
            std::panic::resume_unwind(Box::new("dropped"));
        }
    }
    let mut plugin = working(Codec::Bincode).import_function("start", || Job::ready(Loud(1))).finish().unwrap();
    let number = start(&mut plugin);
    let error = plugin.call_function_with_argument::<_, Raw>("take", &ticket(number)).unwrap_err();
    assert_eq!(error.to_string(), "`take` called `__job_take`, which failed: it panicked: dropped");
}

#[test]
fn what_is_asked_may_panic_on_its_way_out() {
    struct Loud;
    impl Drop for Loud {
        fn drop(&mut self) {
            std::panic::resume_unwind(Box::new("dropped"));
        }
    }
    let start_loud = || {
        let loud = Loud;
        Job::asking(move || {
            let _ = &loud;
            Some(Ok(4_u8))
        })
    };
    let mut plugin = working(Codec::Bincode).import_function("start", start_loud).finish().unwrap();
    let number = start(&mut plugin);
    assert_eq!(state(&mut plugin, number), JobState::Done);
    assert_eq!(take(&mut plugin, number), [4]);
    // Two at once: a panic while another one is on its way would end the process.
    let unfinished = [start(&mut plugin), start(&mut plugin)];
    assert!(!unfinished.contains(&0));
    drop(plugin);
}

#[test]
fn a_start_function_is_told_that_it_is_too_early_for_an_answer() {
    let start = "(func $begin (drop (call $take (i64.const 1)))) (start $begin)";
    let error = plugin(JOBS, start).finish().unwrap_err().to_string();
    assert_contains(
        &error,
        "the mod failed while it started: `the start function` called `__job_take`, which failed: ",
    );
    assert_contains(&error, "call it in `_initialize` or later");
    let initialize = r#"(func (export "_initialize") (drop (call $take (i64.const 1))))"#;
    plugin(JOBS, initialize).finish().unwrap();
}

/// Starts a job and cancels it, as often as its argument says.
const START_AND_CANCEL: &str = r#"
    (func (export "__start_and_cancel") (param $b i64) (result i64) (local $left i32) (local $ticket i64)
        (local.set $left (i32.load (call $ptr (local.get $b))))
        (loop $again
            (local.set $ticket (call $start (i64.const 0)))
            (call $cancel (i64.load (call $ptr (local.get $ticket))))
            (call $free (local.get $ticket))
            (local.set $left (i32.sub (local.get $left) (i32.const 1)))
            (br_if $again (local.get $left)))
        (i64.const 0))"#;

/// A plugin whose jobs note the thread that they are done on, and then wait until the other end of the channel is gone.
fn starting_and_cancelling() -> (WasmPlugin, mpsc::Receiver<thread::ThreadId>, mpsc::Sender<()>) {
    let ((seen, threads), (open, gate)) = (mpsc::channel(), mpsc::channel::<()>());
    let gate = Arc::new(Mutex::new(gate));
    let (imports, exports) = through(&["start"]);
    let limits = Limits { call_time: Duration::from_secs(20), ..Limits::default() };
    let plugin = plugin(&[JOBS, &imports].concat(), &[START_AND_CANCEL, BODY, &exports].concat());
    let plugin = plugin.limits(limits).import_function("start", move || {
        let (seen, gate) = (seen.clone(), Arc::clone(&gate));
        Job::spawn(move || {
            let _ = seen.send(thread::current().id());
            let _ = gate.lock().map(|gate| gate.recv());
        })
    });
    (plugin.finish().unwrap(), threads, open)
}

#[test]
fn jobs_that_are_started_and_cancelled_without_an_end_share_a_few_threads() {
    let (mut plugin, threads, open) = starting_and_cancelling();
    let most = thread::available_parallelism().map_or(1, usize::from).max(4);
    // More that are wanted than there are threads: they come first, so nothing else gets a thread before the gate opens.
    for _ in 0..3 * most {
        start(&mut plugin);
    }
    let error = plugin.call_function_with_argument::<_, ()>("start_and_cancel", &3_000_u32).unwrap_err().to_string();
    assert_contains(&error, "1024 jobs go on for the mod, which is the most that may");
    drop(plugin);
    drop(open);
    // Ends when every job is over: each holds the other end.
    let distinct: HashSet<_> = threads.iter().collect();
    assert!(distinct.len() <= most, "{} threads worked for a mod that is gone", distinct.len());
}

#[test]
fn a_cancelled_job_that_waits_for_its_turn_is_never_run() {
    let (mut plugin, threads, open) = starting_and_cancelling();
    // Jobs that are wanted keep every thread busy.
    let most = thread::available_parallelism().map_or(1, usize::from).max(4);
    let wanted: Vec<u64> = (0..most).map(|_| start(&mut plugin)).collect();
    plugin.call_function_with_argument::<_, ()>("start_and_cancel", &100_u32).unwrap();
    drop(open);
    while wanted.iter().any(|number| state(&mut plugin, *number) == JobState::Pending) {
        thread::yield_now();
    }
    drop(plugin);
    assert_eq!(threads.iter().count(), most, "only what was wanted was run");
}
