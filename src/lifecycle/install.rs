//! From a prepared mod to systems in the game: at a frame boundary, with the whole World at hand.

use std::{collections::HashSet, sync::Arc};

use bevy_ecs::world::World;
use mod_abi::state::carry_over;
use tracing::{info, warn};

use crate::{
    bridge::{
        bind::{BoundSystem, SystemBindError},
        definitions::{self, Entries},
        frame::FrameNumber,
        grant::Grants,
        handle::{ModHandle, SystemError},
        initial::{self, InitialResources},
        observers::bind::{BoundObserver, bind_mod},
        player::SettingsLayout,
        query::Bound,
    },
    lifecycle::{
        fault::{FaultCause, ModEvent, ModFault},
        hand_over::{leave_state, probation},
        leftovers, player,
        prepare::Prepared,
        reach,
        registry::{ModRecord, ModRegistry, ModState, Signature},
        requests::Request,
        schedule::{self, moment},
        settings::ModSettings,
        start::{Start, Systems, run_once},
    },
};

/// What came of an attempt to install.
pub(crate) enum Installed {
    Done,
    /// Some types have not been met yet; here is the mod back.
    Waiting(Box<Prepared>, Vec<String>),
    /// The game switched the mod off.
    Disabled,
}

/// Puts a prepared mod into the game, in the place of its earlier version if there is one.
///
/// Code of the mod and of the game runs meanwhile: what is known of the mods is borrowed for moments only. Until the new
/// version has its state and has started, the earlier one is left as it is.
pub(crate) fn install(world: &mut World, file: &str, prepared: Prepared) -> Result<Installed, Box<ModFault>> {
    trace_room!("install", id = prepared.identity.id, file);
    let id: Arc<str> = prepared.identity.id.as_str().into();
    let version = prepared.identity.version.clone();
    let fault = |function, cause| {
        let (mod_id, version, file) = (id.to_string(), Some(version.clone()), file.to_owned());
        Box::new(ModFault { mod_id, version, file, function, frame: None, cause })
    };
    if matches!(world.resource::<ModRegistry>().state(&id), Some(ModState::Disabled)) {
        return Ok(Installed::Disabled);
    }
    let uncallable = reach::check(world, prepared.instance.manifest());
    let uncallable = uncallable.map_err(|problems| fault(None, FaultCause::Calls { problems }))?;
    let settings = SettingsLayout::find(&prepared.description, &prepared.identity.settings);
    let settings = settings.map_err(|error| fault(None, bind_fault([error.into()])))?;
    let types = definitions::register(world, &id, &prepared.description.types);
    let types = types.map_err(|errors| fault(None, bind_fault(errors.into_iter().map(SystemBindError::from))))?;
    // While the new version is bound, its own types mean what it says. Until it has taken over, the earlier one's are put
    // back whenever that one runs.
    let earlier_types = definitions::swap(world, types);
    let grants = Grants::new(&id, world.resource::<ModSettings>().permissions_of(&id));
    let bound = bind(world, &prepared, &grants);
    let (mut systems, resources) = match bound {
        Ok(Bound::Ready((systems, observers, resources))) => (Systems::sort(&id, systems, observers), resources),
        Ok(Bound::Waiting(types)) => {
            if runs(world, &id) {
                definitions::swap(world, earlier_types);
            } else {
                // Another mod may wait for these very types.
                settle_types(world, &id, &earlier_types);
            }
            return Ok(Installed::Waiting(Box::new(prepared), types));
        }
        Err(errors) => {
            definitions::swap(world, earlier_types);
            withdraw(world, &id, &grants, &errors);
            return Err(fault(None, bind_fault(errors)));
        }
    };
    let Prepared { identity, imports, description, instance, fresh, is_restart } = prepared;
    let reach = reach::find(world, instance.manifest());
    let signature = Signature { description, imports, reach };
    let earlier = world.resource::<ModRegistry>().mods.get(&id).and_then(|record| record.running.as_ref());
    if earlier.is_none_or(|earlier| earlier.signature != signature)
        && let Err(conflict) = schedule::check(world, &id, &systems.places)
    {
        definitions::swap(world, earlier_types);
        return Err(fault(None, FaultCause::Order(conflict)));
    }
    let types = signature.description.types.clone();
    let (running_mods, frame) = (reach::running_mods(world), FrameNumber::of(world));
    let usage = world.resource_mut::<ModRegistry>().usages.counters_of(&id);
    let handle = Arc::new(ModHandle::new(grants, instance, types, running_mods, frame, usage));
    let start = Start::new(world, &id, &handle, &signature);

    let types = definitions::swap(world, earlier_types);
    let was_running = runs(world, &id);
    let left = leave_state(world, &id);
    // One that was switched off has left nothing, unless the game keeps that.
    let starts_anew = leftovers::are_removed(world) && (!was_running || left.is_none());
    let earlier_types = definitions::swap(world, types);
    let mut lost = Vec::new();
    let restored = left.as_ref().map_or(Ok(()), |left| {
        let carried = carry_over(left, &fresh);
        lost = carried.losses;
        handle.enter(|instance| instance.restore(&carried.states)).unwrap_or(Ok(()))
    });
    if let Err(error) = restored {
        definitions::swap(world, earlier_types);
        return Err(fault(Some("__mod_restore".to_owned()), FaultCause::HandOver(error)));
    }
    if starts_anew {
        // What a version has left that failed would be there twice.
        leftovers::remove(world, &id);
    }
    definitions::copy(world, &earlier_types);
    // Observers see what their mod does when it starts. Those of a version that runs go on until it has been replaced.
    let observers = (!was_running).then(|| start.observe(world, &mut systems));
    let inserted = player::begin(world, &id, settings.as_ref(), &identity.settings);
    if let Err(message) = inserted.and_then(|()| resources.insert(world, &id)) {
        let system = "initial resources".to_owned();
        handle.fail(&system.clone(), SystemError::Panicked { system, message });
    } else if left.is_some() && !starts_anew {
        start.run_on_reload(world, &mut systems);
    } else {
        start.run_startup(world, &mut systems);
    }
    // An earlier version goes on if this one cannot even start.
    if let Some(failed) = handle.take_fault() {
        if let Some(observers) = observers {
            observers.remove(world);
        }
        leftovers::free_ids(world, &handle);
        let types = definitions::swap(world, earlier_types);
        definitions::migrate(world, &types);
        let fault = fault(Some(failed.function), FaultCause::System(failed.error));
        return Err(Box::new(ModFault { frame: Some(failed.frame), ..*fault }));
    }
    definitions::drop_others(world, &earlier_types);
    settle_types(world, &id, &earlier_types);

    unload(world, file, |other, _| *other != id, "its file holds another mod now");
    let mut earlier = world.resource_mut::<ModRegistry>().mods.remove(&id);
    let probation = probation(world, earlier.as_mut());
    let earlier = earlier.and_then(|record| record.running);
    let is_reload = earlier.is_some();
    let replaced = earlier.as_ref().map(|earlier| Arc::clone(&earlier.handle));
    let mut running = start.take_slots(world, Arc::new(identity), systems, observers, earlier);
    if let Some(replaced) = replaced.filter(|_| probation.is_none()) {
        leftovers::free_ids(world, &replaced);
    }
    running.probation = probation;
    let restarts = &mut world.resource_mut::<ModRegistry>().into_inner().restarts;
    let what = if is_restart {
        restarts.note_restart(&id);
        "restarted"
    } else {
        restarts.forget(&id);
        if is_reload { "reloaded" } else { "loaded" }
    };
    info!("{id} {version}: {what}");
    lost.iter().for_each(|lost| warn!("{id}: {lost}"));
    uncallable.iter().for_each(|problem| warn!("{id}: {problem}; calling it is an error"));
    let record = ModRecord { running: Some(running), ..ModRecord::new(file.to_owned(), version, ModState::Running) };
    world.resource_mut::<ModRegistry>().mods.insert(Arc::clone(&id), record);
    let lost = lost.into();
    world.write_message(match is_reload {
        _ if is_restart => ModEvent::Restarted { id },
        true => ModEvent::Reloaded { id, lost },
        false => ModEvent::Loaded { id },
    });
    Ok(Installed::Done)
}

/// What a mod has in a World to which it is bound.
type BoundAll = (Vec<BoundSystem>, Vec<BoundObserver>, InitialResources);

/// Where all that a mod states meets what there is and what the game grants: the functions that it imports, its systems and
/// observers, and the resources that it starts with. Everything that is wrong is found at once.
fn bind(world: &mut World, prepared: &Prepared, grants: &Grants) -> Result<Bound<BoundAll>, Vec<SystemBindError>> {
    trace_room!("bind", id = prepared.identity.id);
    let (refused, bearable) = grants.refused_calls(prepared.instance.manifest());
    let bound = bind_mod(world, &prepared.description, |name| moment(name).is_some(), grants);
    let resources = initial::build(world, &prepared.description, grants);
    let mut errors: Vec<_> = refused.into_iter().map(SystemBindError::from).collect();
    let bound = match (bound, resources) {
        (Ok(Bound::Ready((systems, observers))), Ok(Bound::Ready(resources))) => {
            Bound::Ready((systems, observers, resources))
        }
        (Ok(bound), Ok(resources)) => {
            let names = |waiting| if let Bound::Waiting(names) = waiting { names } else { Vec::new() };
            let mut types = names(bound.map(drop));
            types.extend(names(resources.map(drop)));
            types.sort_unstable();
            types.dedup();
            Bound::Waiting(types)
        }
        (bound, resources) => {
            errors.extend(bound.err().into_iter().chain(resources.err()).flatten());
            // The other mistakes may not matter then.
            errors.sort_by_key(|error| !matches!(error, SystemBindError::NotGranted(_)));
            return Err(errors);
        }
    };
    if !errors.is_empty() {
        return Err(errors);
    }
    if matches!(bound, Bound::Ready(_)) {
        bearable.iter().for_each(|refused| warn!("{}: {refused}; calling it is an error", grants.mod_id()));
    }
    Ok(bound)
}

/// A version that runs under other permissions does not go on when a new one is refused by those that hold now: it would keep
/// what the game has taken back.
fn withdraw(world: &World, id: &Arc<str>, grants: &Grants, errors: &[SystemBindError]) {
    let is_refused = errors.iter().any(|error| matches!(error, SystemBindError::NotGranted(_)));
    let running = world.resource::<ModRegistry>().mods.get(id).and_then(|record| record.running.as_ref());
    if let Some(running) = running.filter(|running| is_refused && running.handle.grants != *grants) {
        running.handle.set_stale();
    }
}

fn bind_fault(errors: impl IntoIterator<Item = SystemBindError>) -> FaultCause {
    FaultCause::Bind(errors.into_iter().collect())
}

fn runs(world: &World, id: &Arc<str>) -> bool {
    world.resource::<ModRegistry>().mods.get(id).is_some_and(ModRecord::is_running)
}

/// Has the other mods bound again that use types of this one which were otherwise in `before`.
pub(crate) fn settle_types(world: &mut World, id: &Arc<str>, before: &Entries) {
    let changed = definitions::settle(world, before);
    if changed.is_empty() {
        return;
    }
    bind_users_again(world, id, &changed);
}

/// The same for types that a mod has changed in the middle of a frame.
pub(crate) fn settle_late_types(world: &mut World) {
    for (id, changed) in definitions::take_late_changes(world) {
        bind_users_again(world, &id, &changed);
    }
}

/// Has the other mods bound again that use types of this one which have changed.
fn bind_users_again(world: &mut World, id: &str, changed: &HashSet<Arc<str>>) {
    let mut runtime = world.resource_mut::<ModRegistry>();
    let runtime = &mut *runtime;
    for (other, record) in runtime.mods.iter().filter(|(other, _)| ***other != *id) {
        let Some(running) = &record.running else { continue };
        if running.handle.types().iter().any(|ty| changed.contains(ty.path.as_str())) {
            // One that has failed may come back, and would find its slots as they were.
            running.handle.set_stale();
            if record.is_running() {
                runtime.requests.push((Arc::clone(other), Request::Reload));
            }
        }
    }
}

/// Takes the mods of a file that `which` chooses out of the game.
pub(crate) fn unload(world: &mut World, file: &str, which: impl Fn(&Arc<str>, &ModRecord) -> bool, why: &str) {
    let mods = &mut world.resource_mut::<ModRegistry>().mods;
    let gone: Vec<_> = mods.extract_if(.., |id, record| record.file == file && which(id, record)).collect();
    for (id, record) in gone {
        let is_running = record.is_running();
        if let Some(mut running) = record.running {
            if is_running {
                run_once(world, &mut running.on_unload);
            }
            running.retire(world, &id);
        }
        // One that only showed that its file is being read has left nothing.
        if !matches!(record.state, ModState::Loading) {
            leftovers::remove(world, &id);
            definitions::withdraw(world, &id);
        }
        // What was never told to be there need not be told to be gone.
        if !matches!(record.state, ModState::Loading) {
            info!("{id} {}: unloaded, {why}", record.version);
            world.write_message(ModEvent::Unloaded { id });
        }
    }
}
