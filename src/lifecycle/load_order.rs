//! Which of the mods run, and in which order: what [`resolve`] says of all that the files offer, and what follows of it.
//!
//! It is asked again whenever a file offers another mod, a mod is switched on or off, or the game is another one. Who runs
//! comes into the game in that order ([`next_to_install`]), and its systems stand in it
//! ([`schedule`](crate::lifecycle::schedule)). A mod that fails while it runs stays where it is: those that need it go on,
//! and their calls into it are errors.

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    sync::Arc,
    time::{Duration, Instant},
};

use bevy_ecs::world::World;
use mod_abi::{DependencyKind, Identity};
use mod_host::{Candidate, GameIdentity, Refused, Resolution, ResolveProblem, resolve};
use tracing::{error, info, warn};

use crate::bridge::observers::dispatch;
use crate::lifecycle::{
    fault::{FaultCause, ModFault},
    list::ModListFile,
    registry::{FileRecord, ModRecord, ModRegistry, ModState, Stage},
    requests::switch_off,
    schedule,
    settings::ModSettings,
    settle::note_failure,
};

/// How long files that come or change in play may keep a decision waiting: two that belong together may not come at once.
const PATIENCE: Duration = Duration::from_secs(1);

/// What was decided.
#[derive(Debug, Default)]
pub(crate) struct LoadOrder {
    /// Since when it may not be right any more.
    stale_since: Option<Instant>,
    /// For which game it was decided.
    game: Option<GameIdentity>,
    /// Who runs, in the order in which they are loaded.
    chosen: Vec<Chosen>,
    /// Whether a mod goes on for now that does not fit with what is on its way.
    is_put_off: bool,
    /// All that is wrong.
    problems: Vec<Arc<ResolveProblem>>,
}

/// A mod that runs, or will.
#[derive(Debug)]
struct Chosen {
    id: Arc<str>,
    file: String,
}

impl LoadOrder {
    /// Has it decided anew.
    pub(crate) fn look_again(&mut self) {
        self.stale_since.get_or_insert_with(Instant::now);
    }

    /// Something that was on its way has come to rest: decides what was put off.
    pub(crate) fn decide_what_was_put_off(&mut self) {
        if std::mem::take(&mut self.is_put_off) {
            self.look_again();
        }
    }

    pub(crate) fn is_stale(&self) -> bool {
        self.stale_since.is_some()
    }

    /// The ids of those that run, in their order.
    pub(crate) fn ids(&self) -> impl Iterator<Item = &Arc<str>> {
        self.chosen.iter().map(|chosen| &chosen.id)
    }
}

/// What becomes of the mod that a file offers.
enum Fate {
    Runs,
    /// For these of the problems.
    Refused(Vec<usize>),
    Disabled,
}

/// Decides who runs, when there is a reason to and it is known what all files offer.
pub(crate) fn decide(world: &mut World) {
    if world.resource::<ModRegistry>().load_order.game != world.resource::<ModSettings>().game {
        let game = world.resource::<ModSettings>().game.clone();
        let mut registry = world.resource_mut::<ModRegistry>();
        registry.load_order.game = game;
        registry.load_order.look_again();
    }
    let registry = world.resource::<ModRegistry>();
    let Some(since) = registry.load_order.stale_since else { return };
    let is_awaited = |first: bool| registry.files.values().any(|file| file.is_unknown() && (file.first || !first));
    if registry.is_starting() || is_awaited(true) || is_awaited(false) && since.elapsed() < PATIENCE {
        return;
    }
    trace_room!("choose");
    let mut resolution = ask(world);
    while take_back(world, &resolution) {
        resolution = ask(world);
    }
    let fates = fates(world, &resolution);
    let spared = spared(world.resource::<ModRegistry>(), &resolution);
    let mut registry = world.resource_mut::<ModRegistry>();
    registry.load_order.stale_since = None;
    registry.load_order.is_put_off = !spared.is_empty();
    let chosen = resolution.order.iter();
    let chosen = chosen.map(|one| Chosen { id: one.id.as_str().into(), file: one.origin.clone() }).collect();
    let before = std::mem::replace(&mut registry.load_order.chosen, chosen);
    let problems: Vec<_> = resolution.problems.into_iter().map(Arc::new).collect();
    let known = std::mem::replace(&mut registry.load_order.problems, problems.clone());
    for problem in problems.iter().filter(|problem| !known.contains(problem)) {
        if problem.is_warning() {
            warn!("{problem}");
        } else {
            error!("{problem}");
        }
    }
    for (file, identity, fate) in fates {
        match fate {
            Fate::Runs => run(world, &file),
            Fate::Disabled => disable(world, &file, &identity),
            Fate::Refused(_) if spared.contains(&file) => {}
            Fate::Refused(places) => {
                let own = places.iter().filter_map(|place| problems.get(*place));
                refuse(world, &file, &identity, own.cloned().collect());
            }
        }
    }
    let ids: Vec<Arc<str>> = world.resource::<ModRegistry>().load_order.ids().cloned().collect();
    dispatch::set_load_order(world, ids.iter());
    let registry = world.resource::<ModRegistry>();
    let had_place: HashSet<&Arc<str>> = before.iter().map(|chosen| &chosen.id).collect();
    let has_now = |id: &&Arc<str>| !had_place.contains(id) && registry.mods.get(*id).is_some_and(ModRecord::is_running);
    if is_other_order(&before, &registry.load_order.chosen) || registry.load_order.ids().any(|id| has_now(&id)) {
        schedule::put_in_order(world);
    }
}

fn ask(world: &World) -> Resolution {
    let (registry, list) = (world.resource::<ModRegistry>(), world.resource::<ModListFile>());
    let candidates = registry.files.iter().filter_map(|(file, record)| {
        let identity = record.identity.as_deref().filter(|identity| list.is_enabled(&identity.id))?;
        Some(Candidate { identity, origin: file })
    });
    let candidates: Vec<_> = candidates.collect();
    resolve(&candidates, list.list().disabled(), registry.load_order.game.as_ref())
}

/// New versions that are refused do not take over: their files offer what runs of them. Returns whether there were any.
fn take_back(world: &mut World, resolution: &Resolution) -> bool {
    let registry = world.resource::<ModRegistry>();
    let is_new = |refused: &&Refused| {
        let record = registry.files.get(&refused.file.origin);
        record.is_some_and(|record| record.is_coming()) && registry.runs_of(&refused.file.origin).is_some()
    };
    // Those that only need another one which is refused may fit with the version of it that goes on.
    let is_own = |refused: &Refused| {
        let mut problems = refused.problems.iter().filter_map(|place| resolution.problems.get(*place));
        problems.any(|problem| !matches!(problem, ResolveProblem::NeedsRefused { .. }))
    };
    let mut new: Vec<&Refused> = resolution.refused.iter().filter(is_new).collect();
    if new.iter().any(|refused| is_own(refused)) {
        new.retain(|refused| is_own(refused));
    }
    for refused in &new {
        let file = refused.file.origin.as_str();
        let problems = refused.problems.iter().filter_map(|place| resolution.problems.get(*place));
        let problems = problems.cloned().map(Arc::new).collect();
        let fault = fault(file, &refused.file.id, &refused.file.version, problems);
        let mut registry = world.resource_mut::<ModRegistry>();
        registry.stop_preparing(file, Stage::Settled);
        registry.withdraw_offer(file);
        let (fault, _) = note_failure(world, file, fault);
        error!("{fault}; the version that runs goes on");
    }
    !new.is_empty()
}

/// The files of refused mods that run and need one of which a new version is on its way, while the version that runs fits
/// them: that one may be no good, and then they would have been stopped for nothing.
fn spared(registry: &ModRegistry, resolution: &Resolution) -> HashSet<String> {
    let is_new = |(name, file): (&String, &FileRecord)| {
        let runs = registry.runs_of(name)?;
        (file.is_coming() || matches!(file.stage, Stage::Held(_) | Stage::Waiting(_))).then(|| runs.id.clone())
    };
    let mut unsure: HashSet<String> = registry.files.iter().filter_map(is_new).collect();
    let mut spared = HashSet::new();
    if unsure.is_empty() {
        return spared;
    }
    loop {
        let before = spared.len();
        for refused in &resolution.refused {
            let file = &refused.file.origin;
            let Some(running) = registry.runs_of(file) else { continue };
            let mut needed = running.dependencies.iter().filter(|one| one.kind == DependencyKind::Required);
            if !spared.contains(file) && needed.any(|one| unsure.contains(&one.id)) {
                unsure.insert(running.id.clone());
                spared.insert(file.clone());
            }
        }
        if spared.len() == before {
            return spared;
        }
    }
}

fn fates(world: &World, resolution: &Resolution) -> Vec<(String, Arc<Identity>, Fate)> {
    let (registry, list) = (world.resource::<ModRegistry>(), world.resource::<ModListFile>());
    let refused: HashMap<&str, &Refused> =
        resolution.refused.iter().map(|refused| (refused.file.origin.as_str(), refused)).collect();
    let fate = |(file, record): (&String, &FileRecord)| {
        let identity = Arc::clone(record.identity.as_ref()?);
        let fate = match refused.get(file.as_str()) {
            _ if !list.is_enabled(&identity.id) => Fate::Disabled,
            Some(refused) => Fate::Refused(refused.problems.clone()),
            None => Fate::Runs,
        };
        Some((file.clone(), identity, fate))
    };
    registry.files.iter().filter_map(fate).collect()
}

fn run(world: &mut World, file: &str) {
    let mut registry = world.resource_mut::<ModRegistry>();
    let runs = registry.runs_of(file).is_some();
    let Some(record) = registry.files.get_mut(file) else { return };
    record.refusal = None;
    match record.stage {
        // It was to give way to another file, which has gone before it could take over.
        Stage::Refused if runs => record.stage = Stage::Settled,
        // Its bytes are not what was decided on.
        Stage::Refused if record.is_withdrawn => record.stage = Stage::Queued,
        Stage::Refused | Stage::Identified => record.stage = Stage::Chosen,
        _ => {}
    }
}

/// Keeps a mod that is switched off from being loaded.
fn disable(world: &mut World, file: &str, identity: &Identity) {
    let mut registry = world.resource_mut::<ModRegistry>();
    registry.stop_preparing(file, Stage::Refused);
    let id: Arc<str> = identity.id.as_str().into();
    match registry.mods.get_mut(&id) {
        Some(record) if record.file != file || matches!(record.state, ModState::Disabled) => {}
        Some(record) if matches!(record.state, ModState::Loading) => {
            record.state = ModState::Disabled;
            record.version.clone_from(&identity.version);
            info!("{id} {}: it is switched off", identity.version);
        }
        Some(_) => switch_off(world, &id, ModState::Disabled),
        None => {
            let record = ModRecord::new(file.to_owned(), identity.version.clone(), ModState::Disabled);
            registry.mods.insert(id, record);
        }
    }
}

/// Stops a mod that does not run with the others, or never starts it, and tells of it once.
fn refuse(world: &mut World, file: &str, identity: &Identity, problems: Vec<Arc<ResolveProblem>>) {
    let mut registry = world.resource_mut::<ModRegistry>();
    registry.stop_preparing(file, Stage::Refused);
    let id: Arc<str> = identity.id.as_str().into();
    let gives_way = registry.load_order.ids().any(|chosen| *chosen == id);
    let runs = registry.mods.get(&id).is_some_and(|record| record.is_running() && record.file == file);
    let fault = fault(file, &identity.id, &identity.version, problems);
    let refusal = fault.cause.to_string();
    let is_shown = registry.mods.get(&id).is_none_or(|record| {
        let is_refused = |fault: &ModFault| matches!(fault.cause, FaultCause::Refused(_));
        record.file != file || record.state.fault().is_some_and(|fault| is_refused(fault)) || record.is_running()
    });
    let Some(record) = registry.files.get_mut(file) else { return };
    let is_told = is_shown && record.refusal.as_ref() == Some(&refusal);
    record.refusal = Some(refusal);
    // One that gives way to another file with the same mod goes on until that one takes over.
    if runs && !gives_way {
        switch_off(world, &id, ModState::Loading);
    }
    if !is_told || runs && !gives_way {
        note_failure(world, file, fault);
    }
}

fn fault(file: &str, id: &str, version: &str, problems: Vec<Arc<ResolveProblem>>) -> Box<ModFault> {
    let (mod_id, version, file) = (id.to_owned(), Some(version.to_owned()), file.to_owned());
    Box::new(ModFault { mod_id, version, file, function: None, frame: None, cause: FaultCause::Refused(problems) })
}

/// Whether two that are in both stand otherwise.
fn is_other_order(before: &[Chosen], after: &[Chosen]) -> bool {
    let ids = |of: &[Chosen]| of.iter().map(|chosen| Arc::clone(&chosen.id)).collect::<BTreeSet<_>>();
    let (in_before, in_after) = (ids(before), ids(after));
    let before = before.iter().map(|chosen| &chosen.id).filter(|id| in_after.contains(*id));
    let after = after.iter().map(|chosen| &chosen.id).filter(|id| in_before.contains(*id));
    !before.eq(after)
}

/// Whether a prepared mod may be installed, as far as the mods before it are concerned.
enum Turn {
    Now,
    /// One of them will be there soon.
    Later,
    /// It needs these, which do not run.
    Held(Vec<String>),
}

/// The file whose mod may be installed now, if there is one.
pub(crate) fn next_to_install(registry: &ModRegistry) -> Option<String> {
    // What was decided may not hold any more.
    if registry.load_order.is_stale() {
        return None;
    }
    let mut first_is_coming = registry.is_starting() || registry.starts_together && registry.are_first_getting_ready();
    let may_come = registry.starts_together || registry.waves.may_come(Instant::now());
    for (place, chosen) in registry.load_order.chosen.iter().enumerate() {
        let Some(file) = registry.files.get(&chosen.file) else { continue };
        if let Stage::Prepared(prepared) | Stage::Held(prepared) = &file.stage
            && !(file.first && (first_is_coming || !may_come))
            && matches!(turn(registry, place, &prepared.identity), Turn::Now)
        {
            return Some(chosen.file.clone());
        }
        first_is_coming |= file.first && file.is_coming();
    }
    None
}

fn turn(registry: &ModRegistry, place: usize, identity: &Identity) -> Turn {
    let dependencies = identity.dependencies.iter().filter(|one| one.kind != DependencyKind::Incompatible);
    let after = dependencies.map(|one| (one.id.as_str(), one.kind == DependencyKind::Required));
    let after: HashMap<&str, bool> = identity.load_after.iter().map(|id| (id.as_str(), false)).chain(after).collect();
    let mut held = Vec::new();
    for before in registry.load_order.chosen.iter().take(place) {
        let Some(is_needed) = after.get(&*before.id) else { continue };
        if registry.files.get(&before.file).is_some_and(|file| file.is_coming()) {
            return Turn::Later;
        }
        if *is_needed && !registry.mods.get(&before.id).is_some_and(ModRecord::is_running) {
            held.push(before.id.to_string());
        }
    }
    if held.is_empty() { Turn::Now } else { Turn::Held(held) }
}

/// Puts those off that need a mod which does not run, and says so once.
pub(crate) fn hold(world: &mut World) {
    let mut registry = world.resource_mut::<ModRegistry>();
    let registry = &mut *registry;
    let is_held = |(place, chosen): (usize, &Chosen)| {
        let Stage::Prepared(prepared) = &registry.files.get(&chosen.file)?.stage else { return None };
        let Turn::Held(mods) = turn(registry, place, &prepared.identity) else { return None };
        Some((chosen.id.clone(), chosen.file.clone(), prepared.identity.version.clone(), mods))
    };
    let held: Vec<_> = registry.load_order.chosen.iter().enumerate().filter_map(is_held).collect();
    for (id, name, version, mods) in held {
        let Some(file) = registry.files.get_mut(&name) else { continue };
        file.first = false;
        file.stage = match std::mem::replace(&mut file.stage, Stage::Settled) {
            Stage::Prepared(prepared) => Stage::Held(prepared),
            other => other,
        };
        let list = mods.join(", ");
        match registry.mods.get_mut(&id) {
            // An earlier version goes on until this one can take its place.
            Some(record) if record.is_running() => {
                warn!("{id}: the new version waits until {list} runs, which it needs")
            }
            Some(record) => {
                warn!("{id} waits: it needs {list}, which does not run");
                (record.state, record.file, record.version) = (ModState::Waiting { mods }, name, version);
            }
            None => {
                warn!("{id} waits: it needs {list}, which does not run");
                registry.mods.insert(id, ModRecord::new(name, version, ModState::Waiting { mods }));
            }
        }
    }
}

impl ModRegistry {
    /// Everything that is wrong with the mods that there are: which are missing, of the wrong version, in each other's way,
    /// there twice, or for another game. Each is a sentence with a way out, for whoever looks after the mods.
    ///
    /// ```
    /// # use bevy::prelude::*;
    /// # use bevy_wasm_mods::prelude::*;
    /// fn show(mods: Res<ModRegistry>) {
    ///     for problem in mods.problems() {
    ///         println!("{problem}");
    ///     }
    /// }
    /// ```
    #[must_use]
    pub fn problems(&self) -> &[Arc<ResolveProblem>] {
        &self.load_order.problems
    }

    /// The ids of the mods that were chosen to run, in the order in which they are loaded: one comes after those that it needs,
    /// and else the one whose id is first. Some of them may be on their way, or have failed.
    pub fn load_order(&self) -> impl Iterator<Item = &str> {
        self.load_order.ids().map(|id| &**id)
    }

    /// Drops what was done with a file's bytes.
    pub(crate) fn stop_preparing(&mut self, file: &str, stage: Stage) {
        if let Some(record) = self.files.get_mut(file) {
            record.settle(stage);
        }
    }
}
