//! After a fault: whether the mod is restarted, when, and with what.
//!
//! A restart is the second half of a load. Its module is there, so nothing is read, judged or compiled; a fresh instance is
//! started in the background and goes the way of every prepared mod from there on. What it must not do is to keep the game busy:
//! each restart waits longer than the one before, until the mod has run well for a while.

use std::{
    collections::{BTreeMap, VecDeque},
    fmt,
    sync::Arc,
};

use bevy_ecs::world::World;
use bevy_tasks::{AsyncComputeTaskPool, TaskPool};
use mod_host::{CompiledMod, LoadError};
use tracing::warn;

use crate::{
    bridge::handle::catch,
    lifecycle::{
        bytes::{file_fault, workshop},
        fault::{FaultCause, ModFault},
        fault_policy::FaultPolicy,
        files::one_line,
        prepare::{Prepared, Workshop, start},
        registry::{FileRecord, ModRecord, ModRegistry, ModState, Stage},
        requests::{Request, prepare_again, switch_off},
        settings::ModSettings,
    },
};

/// After so many frames without a fault, a mod is restarted at once again.
const CALM_FRAMES: u64 = 600;
/// The longest that a mod waits for a restart, in frames.
const LONGEST_WAIT: u64 = 1024;

/// The mods that failed and may be restarted, or have been.
#[derive(Debug, Default)]
pub(crate) struct Restarts {
    /// Frame boundaries so far.
    frame: u64,
    mods: BTreeMap<Arc<str>, Troubled>,
}

/// A mod that has failed since it was loaded.
#[derive(Debug)]
struct Troubled {
    /// What a fresh instance is made of.
    module: CompiledMod,
    /// The frames of the faults that count as strikes.
    strikes: VecDeque<u64>,
    /// How long it waited for its last restart. `None` if it had none yet.
    wait: Option<u64>,
    /// The first frame in which it may be restarted.
    due: u64,
    /// Whether it is to be restarted.
    is_wanted: bool,
    /// Since when it runs again.
    since: Option<u64>,
}

impl Troubled {
    fn new(module: CompiledMod) -> Self {
        Self { module, strikes: VecDeque::new(), wait: None, due: 0, is_wanted: false, since: None }
    }

    /// Notes a fault: how long it waits if it is restarted.
    fn fail(&mut self, frame: u64) {
        let ran = self.since.take().map(|since| frame.saturating_sub(since));
        let wait = next_wait(self.wait, ran);
        (self.wait, self.due) = (Some(wait), frame.saturating_add(wait));
    }

    /// How many faults there were in the last `window` frames, with one in this frame.
    fn strike(&mut self, frame: u64, window: u32) -> usize {
        self.strikes.push_back(frame);
        let window = u64::from(window.max(1));
        self.strikes.retain(|strike| frame.saturating_sub(*strike) < window);
        self.strikes.len()
    }
}

/// How many frames a mod waits that waited so long before, if it did, and then ran for so many frames, if it could start.
fn next_wait(before: Option<u64>, ran: Option<u64>) -> u64 {
    match before {
        Some(before) if ran.is_none_or(|ran| ran < CALM_FRAMES) => before.saturating_mul(2).clamp(1, LONGEST_WAIT),
        _ => 0,
    }
}

/// What becomes of a mod that failed, as the end of a sentence about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    Stopped,
    Struck { faults: usize, frames: u32 },
    Undecided,
    Restarts { frames: u64 },
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stopped | Self::Struck { faults: 0 | 1, .. } => f.write_str("it is stopped"),
            Self::Struck { faults, frames } => {
                write!(f, "it is stopped, because it failed {faults} times within {frames} frames")
            }
            Self::Undecided => f.write_str("it is stopped until the game decides what becomes of it"),
            Self::Restarts { frames: 0 } => f.write_str("it is restarted"),
            Self::Restarts { frames: 1 } => f.write_str("it is restarted after a frame"),
            Self::Restarts { frames } => write!(f, "it is restarted after {frames} frames"),
        }
    }
}

/// The frame boundary.
pub(crate) fn new_frame(world: &mut World) {
    world.resource_mut::<ModRegistry>().restarts.frame += 1;
}

/// Whether a fault was made by the mod's own code as it started. What the game does not have will not be there the next time.
pub(crate) fn is_own_fault(cause: &FaultCause) -> bool {
    matches!(
        cause,
        FaultCause::System(_)
            | FaultCause::Load(LoadError::Start { .. })
            | FaultCause::Describe(_)
            | FaultCause::HandOver(_)
    )
}

/// Decides what becomes of a mod that has just failed with that fault, and notes it in its state.
pub(crate) fn decide(world: &mut World, id: &Arc<str>, fault: &Arc<ModFault>, module: &CompiledMod) -> Outcome {
    let policy = world.resource::<ModSettings>().fault_policy_of(id);
    let mut registry = world.resource_mut::<ModRegistry>();
    let ModRegistry { mods, files, restarts, .. } = &mut *registry;
    // Another mod may have its name, or the game has switched it off.
    let record = mods.get_mut(id).filter(|record| is_of(&record.state, fault));
    let Some(ModRecord { state, file, .. }) = record else { return Outcome::Stopped };
    // Its file holds other bytes, which wait for something.
    let waits = |file: &FileRecord| matches!(file.stage, Stage::Held(_) | Stage::Waiting(_) | Stage::Refused);
    let is_superseded = files.get(file).is_none_or(waits);
    let frame = restarts.frame;
    let troubled = restarts.mods.entry(Arc::clone(id)).or_insert_with(|| Troubled::new(module.clone()));
    troubled.module = module.clone();
    troubled.fail(frame);
    let outcome = match policy {
        FaultPolicy::Restart | FaultPolicy::Strikes { .. } if is_superseded => Outcome::Stopped,
        FaultPolicy::Disable => Outcome::Stopped,
        FaultPolicy::Ask => Outcome::Undecided,
        FaultPolicy::Strikes { faults, frames } => {
            let found = troubled.strike(frame, frames);
            let is_too_much = usize::try_from(faults).is_ok_and(|faults| found >= faults);
            if is_too_much { Outcome::Struck { faults: found, frames } } else { troubled.again() }
        }
        FaultPolicy::Restart => troubled.again(),
    };
    troubled.is_wanted = matches!(outcome, Outcome::Restarts { .. });
    *state = match outcome {
        Outcome::Stopped | Outcome::Struck { .. } => ModState::Failed(Arc::clone(fault)),
        Outcome::Undecided => ModState::Undecided(Arc::clone(fault)),
        Outcome::Restarts { .. } => ModState::Restarting(Arc::clone(fault)),
    };
    outcome
}

impl Troubled {
    fn again(&self) -> Outcome {
        Outcome::Restarts { frames: self.wait.unwrap_or_default() }
    }
}

/// A mod that failed with that fault as it started is not tried again.
pub(crate) fn give_up(world: &mut World, id: &str, fault: &Arc<ModFault>) {
    let mut registry = world.resource_mut::<ModRegistry>();
    // Another mod may have its name.
    if registry.mods.get(id).is_some_and(|record| is_of(&record.state, fault)) {
        registry.restarts.forget(id);
    }
}

fn is_of(state: &ModState, fault: &Arc<ModFault>) -> bool {
    state.fault().is_some_and(|known| Arc::ptr_eq(known, fault))
}

/// Whether nothing of a file is on its way or waits.
fn rests(file: &FileRecord) -> bool {
    matches!(file.stage, Stage::Settled) && !file.reading
}

/// The game wants a mod to be restarted. Earlier faults are forgotten.
pub(crate) fn ask(world: &mut World, id: &Arc<str>) {
    let mut registry = world.resource_mut::<ModRegistry>();
    let ModRegistry { mods, files, restarts, requests, .. } = &mut *registry;
    let Some(record) = mods.get_mut(id) else { return };
    let Some(file) = files.get(&record.file) else { return };
    let troubled = restarts.mods.get_mut(id);
    // What is on its way in the file comes first. It may be no good, and then the wish should still be there.
    let mut ask_again = || {
        let wish = (Arc::clone(id), Request::Restart);
        if !requests.contains(&wish) {
            requests.push(wish);
        }
    };
    match (&record.state, troubled) {
        (ModState::Running, troubled) => {
            let Some(running) = &record.running else { return };
            // It has failed in this frame: that is the next boundary's to tell.
            if running.handle.is_faulted() {
                return;
            }
            if file.is_unknown() || file.is_coming() {
                return ask_again();
            }
            if !rests(file) {
                warn!("{id}: it is not restarted, because other bytes of its file wait to take its place");
                return;
            }
            let module = running.handle.compiled().clone();
            match troubled {
                Some(troubled) => troubled.strikes.clear(),
                None => drop(restarts.mods.insert(Arc::clone(id), Troubled::new(module))),
            }
            switch_off(world, id, ModState::Loading);
            let mut registry = world.resource_mut::<ModRegistry>();
            let ModRegistry { mods, restarts, .. } = &mut *registry;
            if let (Some(record), Some(troubled)) = (mods.get_mut(id), restarts.mods.get_mut(id)) {
                record.saved = None;
                (troubled.is_wanted, troubled.since) = (true, None);
            }
        }
        (ModState::Restarting(_), Some(troubled)) => troubled.strikes.clear(),
        (ModState::Failed(fault) | ModState::Undecided(fault), Some(troubled)) if rests(file) => {
            troubled.strikes.clear();
            troubled.is_wanted = true;
            record.state = ModState::Restarting(Arc::clone(fault));
        }
        (ModState::Failed(_) | ModState::Undecided(_), _) if file.is_unknown() || file.is_coming() => ask_again(),
        // It never ran.
        (ModState::Failed(_) | ModState::Undecided(_), _) => prepare_again(world, id),
        _ => {}
    }
}

/// Starts fresh instances in the background for the mods whose turn it is, only so many at once.
pub(crate) fn begin(world: &mut World) {
    let mut registry = world.resource_mut::<ModRegistry>();
    let ModRegistry { mods, files, restarts, .. } = &mut *registry;
    let Restarts { frame, mods: troubled } = restarts;
    if troubled.is_empty() {
        return;
    }
    let mut due = Vec::new();
    troubled.retain(|id, troubled| {
        let Some(record) = mods.get(id).filter(|record| !matches!(record.state, ModState::Disabled)) else {
            return false;
        };
        // Something else may have come of it meanwhile.
        troubled.is_wanted &= matches!(record.state, ModState::Restarting(_) | ModState::Loading);
        // What is on its way in its file takes its place.
        if troubled.is_wanted && troubled.due <= *frame && files.get(&record.file).is_some_and(rests) {
            due.push((Arc::clone(id), record.file.clone()));
        }
        true
    });
    if due.is_empty() {
        return;
    }
    let Some(workshop) = workshop(world) else { return };
    let settings = world.resource::<ModSettings>().clone();
    let mut registry = world.resource_mut::<ModRegistry>();
    let ModRegistry { files, restarts, places, starts_together, .. } = &mut *registry;
    // Where frames have to be the same in every run, the next one waits for these, and so they wait for nobody.
    let places = (!*starts_together).then(|| places.get(settings.compile_tasks));
    for (id, name) in due {
        let (Some(file), Some(troubled)) = (files.get_mut(&name), restarts.mods.get_mut(&id)) else { continue };
        troubled.is_wanted = false;
        let workshop = Workshop { limits: settings.limits_of(&id).clone(), ..workshop.clone() };
        let (module, places) = (troubled.module.clone(), places.clone());
        let work = async move {
            let _place = match &places {
                Some(places) => Some(places.acquire().await),
                None => None,
            };
            let prepared = catch(|| {
                trace_room!("restart", id = &*id, file = name);
                start(&workshop, &module, &name)
            });
            let prepared =
                prepared.unwrap_or_else(|panic| Err(file_fault(&name, FaultCause::Panicked(one_line(&panic)))));
            prepared.map(|prepared| Prepared { is_restart: true, ..prepared })
        };
        file.stage = Stage::Preparing(AsyncComputeTaskPool::get_or_init(TaskPool::default).spawn(work));
        file.starts_anew = true;
    }
}

impl Restarts {
    /// A mod runs again.
    pub(crate) fn note_restart(&mut self, id: &str) {
        if let Some(troubled) = self.mods.get_mut(id) {
            troubled.since = Some(self.frame);
        }
    }

    /// The module of a mod that failed.
    pub(crate) fn module(&self, id: &str) -> Option<CompiledMod> {
        self.mods.get(id).map(|troubled| troubled.module.clone())
    }

    /// A mod was loaded, or cannot be: what it did before does not count any more.
    pub(crate) fn forget(&mut self, id: &str) {
        self.mods.remove(id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_until_a_mod_has_run_for_a_while() {
        let mut wait = None;
        let mut waits = Vec::new();
        for ran in (0..12).map(|place| (place % 3 > 0).then_some(CALM_FRAMES - 1)) {
            wait = Some(next_wait(wait, ran));
            waits.extend(wait);
        }
        assert_eq!(waits, [0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024]);
        assert_eq!(next_wait(wait, Some(0)), LONGEST_WAIT);
        assert_eq!(next_wait(wait, Some(CALM_FRAMES)), 0);
    }
}
