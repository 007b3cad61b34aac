//! What a call may take, and what is left of a frame: in time or in fuel. Set before a call and looked at after it; who calls, and
//! what, is not known here.

use std::time::{Duration, Instant};

use wasmtime::{AsContext, AsContextMut, Caller, Store, UpdateDeadline};

use crate::{backtrace::ModBacktrace, error::CallError, limits::Limits, state::State};

/// What ends calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Meter {
    /// The epochs of the engine, one a millisecond.
    Clock,
    /// What the mod's code does, counted.
    Fuel,
}

/// Whose limit holds for a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    /// A step of starting up, or of handing over. It does not count for a frame.
    Startup,
    /// Any other call.
    Call,
}

/// The limit that ended a call, or that ends the running one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reached {
    Time(Duration),
    FrameTime(Duration),
    Fuel(u64),
    FrameFuel(u64),
}

impl Reached {
    pub(crate) fn into_error(self, function: String, backtrace: ModBacktrace) -> CallError {
        match self {
            Self::Time(limit) => CallError::Timeout { function, limit, backtrace },
            Self::FrameTime(limit) => CallError::FrameTimeout { function, limit, backtrace },
            Self::Fuel(limit) => CallError::OutOfFuel { function, limit, backtrace },
            Self::FrameFuel(limit) => CallError::OutOfFrameFuel { function, limit, backtrace },
        }
    }
}

/// What an instance may take and has taken.
#[derive(Debug)]
pub(crate) struct Budget {
    meter: Meter,
    running: Running,
    /// What was taken since the frame began, if the host has frames.
    frame: Option<Spent>,
    /// Since when the host works for the mod and the frame has not paid for it.
    work: Option<Instant>,
    /// The time that was taken since somebody last asked, with frames and without.
    pub(crate) used: Duration,
}

/// The running call, or the last one.
#[derive(Debug)]
struct Running {
    since: Instant,
    time: Duration,
    fuel: u64,
    reached: Reached,
    counts: bool,
    /// Whether another mod makes it, whose time it is then.
    is_nested: bool,
}

/// What calls took.
#[derive(Debug, Default, Clone, Copy)]
struct Spent {
    time: Duration,
    fuel: u64,
}

impl Budget {
    pub(crate) fn new(meter: Meter) -> Self {
        let (since, time) = (Instant::now(), Duration::ZERO);
        Self {
            meter,
            running: Running { since, time, fuel: 0, reached: Reached::Time(time), counts: false, is_nested: false },
            frame: None,
            work: None,
            used: Duration::ZERO,
        }
    }

    /// What ended the running call, if a limit did.
    pub(crate) fn reached(&self) -> Reached {
        self.running.reached
    }

    /// Begins a frame. It pays first for what the one before took above its limits, which shows only when it is done.
    pub(crate) fn begin_frame(&mut self, limits: &Limits) {
        let before = self.frame.unwrap_or_default();
        self.frame = Some(Spent {
            time: before.time.saturating_sub(limits.frame_time),
            fuel: before.fuel.saturating_sub(limits.frame_fuel),
        });
    }

    /// Leaves frames, until one begins.
    pub(crate) fn end_frames(&mut self) {
        self.frame = None;
    }

    /// The time that was taken since the frame began.
    pub(crate) fn frame_spent(&self) -> Duration {
        self.frame.map_or(Duration::ZERO, |spent| spent.time)
    }

    /// Has the frame pay for what was done for the mod beside its calls.
    pub(crate) fn spend(&mut self, time: Duration, fuel: u64) {
        self.used = self.used.saturating_add(time);
        if let Some(spent) = &mut self.frame {
            spent.time = spent.time.saturating_add(time);
            spent.fuel = spent.fuel.saturating_add(fuel);
        }
    }

    /// The host has been working for the mod since then, and goes on until [`Budget::end_work`]. Calls meanwhile are part of it,
    /// so that one look at the clock ends one and begins the other.
    pub(crate) fn begin_work(&mut self, since: Instant, fuel: u64) {
        self.work = Some(since);
        self.spend(Duration::ZERO, fuel);
    }

    /// Has the frame pay for the work that began.
    pub(crate) fn end_work(&mut self, fuel: u64) {
        let time = self.work.take().map_or(Duration::ZERO, |since| since.elapsed());
        self.spend(time, fuel);
    }

    /// Whether the next frame has nothing to pay for.
    pub(crate) fn is_even(&self) -> bool {
        self.frame.is_none_or(|spent| spent.time.is_zero() && spent.fuel == 0)
    }

    /// What a call may take: the limit of its own, or what is left of the frame's.
    fn allow(&mut self, limits: &Limits, step: Step, is_nested: bool) -> Result<(), Reached> {
        let now = Instant::now();
        if let Some(since) = self.work {
            self.spend(now.saturating_duration_since(since), 0);
            self.work = Some(now);
        }
        let (time, fuel) = match step {
            Step::Startup => (limits.startup_time, limits.startup_fuel),
            Step::Call => (limits.call_time, limits.call_fuel),
        };
        // What a mod does for another one is the other's to answer for.
        let frame = self.frame.filter(|_| step == Step::Call && !is_nested);
        let spent = frame.unwrap_or_default();
        let (time_left, fuel_left) = match frame {
            Some(_) => (limits.frame_time.saturating_sub(spent.time), limits.frame_fuel.saturating_sub(spent.fuel)),
            None => (Duration::MAX, u64::MAX),
        };
        let reached = match self.meter {
            Meter::Clock if time_left < time => Reached::FrameTime(limits.frame_time),
            Meter::Clock => Reached::Time(time),
            Meter::Fuel if fuel_left < fuel => Reached::FrameFuel(limits.frame_fuel),
            Meter::Fuel => Reached::Fuel(fuel),
        };
        let (time, fuel) = (time.min(time_left), fuel.min(fuel_left));
        let is_over = match reached {
            Reached::FrameTime(_) => time.is_zero(),
            Reached::FrameFuel(_) => fuel == 0,
            Reached::Time(_) | Reached::Fuel(_) => false,
        };
        if is_over {
            return Err(reached);
        }
        self.running = Running { since: now, time, fuel, reached, counts: frame.is_some(), is_nested };
        Ok(())
    }
}

/// Sets what ends the next call. `is_nested` is for a call that another mod makes.
///
/// # Errors
/// What is used up already, so that nothing may be called.
pub(crate) fn begin(store: &mut Store<State>, limits: &Limits, step: Step, is_nested: bool) -> Result<(), Reached> {
    let budget = &mut store.data_mut().budget;
    budget.allow(limits, step, is_nested)?;
    let (meter, time, fuel) = (budget.meter, budget.running.time, budget.running.fuel);
    match meter {
        Meter::Clock => store.set_epoch_deadline(epochs(time)),
        Meter::Fuel => set_fuel(store, fuel),
    }
    Ok(())
}

/// Notes what the call took, and returns its fuel.
pub(crate) fn end(store: &mut Store<State>) -> u64 {
    let left = match store.data().budget.meter {
        Meter::Clock => 0,
        Meter::Fuel => store.get_fuel().unwrap_or(0),
    };
    let Budget { meter, running, frame, work, used } = &mut store.data_mut().budget;
    let fuel = if *meter == Meter::Fuel { running.fuel.saturating_sub(left) } else { 0 };
    let mut frame = frame.as_mut().filter(|_| running.counts);
    match work {
        // Paid for together with what follows.
        Some(work) if frame.is_some() => *work = running.since,
        // The frame does not pay for this call.
        Some(work) => *work = Instant::now(),
        None if running.is_nested => {}
        None => {
            let time = running.since.elapsed();
            *used = used.saturating_add(time);
            if let Some(frame) = &mut frame {
                frame.time = frame.time.saturating_add(time);
            }
        }
    }
    if let Some(frame) = frame {
        frame.fuel = frame.fuel.saturating_add(fuel);
    }
    fuel
}

/// Has a call of another mod's that was stopped for its time count for the mod that was called: its caller is excused.
pub(crate) fn blame(store: &mut Store<State>) {
    let Budget { running, used, .. } = &mut store.data_mut().budget;
    if running.is_nested {
        *used = used.saturating_add(running.since.elapsed());
    }
}

/// Lets the running call take so much longer: another mod took that time without an end.
pub(crate) fn excuse(caller: &mut Caller<'_, State>, time: Duration) {
    let Budget { meter, running, .. } = &mut caller.data_mut().budget;
    if time.is_zero() || *meter == Meter::Fuel {
        return;
    }
    // As if the call had begun later: neither it nor the frame pays.
    running.since = running.since.checked_add(time).unwrap_or(running.since);
    let left = running.time.saturating_sub(running.since.elapsed());
    caller.as_context_mut().set_epoch_deadline(epochs(left));
}

/// Takes fuel for what the host does in the middle of a call: its work is not the mod's code, so nothing else counts it. A mod
/// that has no more is stopped when its own code goes on.
pub(crate) fn charge(caller: &mut Caller<'_, State>, units: u64) {
    if caller.data().budget.meter == Meter::Fuel {
        let left = caller.as_context().get_fuel().unwrap_or(0).saturating_sub(units);
        // It only fails where the engine counts none.
        let _ = caller.as_context_mut().set_fuel(left);
    }
}

/// [`charge`] for one call of an import that copies, encodes or makes so many bytes.
pub(crate) fn charge_import(caller: &mut Caller<'_, State>, bytes: usize) {
    charge(caller, u64::try_from(bytes).unwrap_or(u64::MAX).saturating_add(IMPORT));
}

fn set_fuel(store: &mut Store<State>, fuel: u64) {
    // It only fails where the engine counts none.
    let _ = store.set_fuel(fuel);
}

/// Units of fuel for one call of an import, whatever it does: about what it takes to get there and back.
const IMPORT: u64 = 100;
/// The longest time that can be limited. Longer ones are this long.
const LONGEST_MILLIS: u64 = u32::MAX as u64;

/// The epochs, one a millisecond, after which the time of a call is looked at that may take `limit`.
fn epochs(limit: Duration) -> u64 {
    let millis = limit.as_micros().div_ceil(1_000);
    u64::try_from(millis).unwrap_or(LONGEST_MILLIS).clamp(1, LONGEST_MILLIS)
}

/// Has the clock that ends calls ask, when a deadline has come, whether the time is really over. Ticks that were late come all at
/// once, and a call should not pay for those that were due before it began.
pub(crate) fn watch(store: &mut Store<State>) {
    store.epoch_deadline_callback(|store| {
        let running = &store.data().budget.running;
        let left = running.time.saturating_sub(running.since.elapsed());
        Ok(if left.is_zero() { UpdateDeadline::Interrupt } else { UpdateDeadline::Continue(epochs(left)) })
    });
}
