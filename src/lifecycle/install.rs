//! From a prepared mod to systems in the game: at a frame boundary, with the whole World at hand.

use std::sync::Arc;

use bevy_ecs::{system::System, world::World};
use mod_abi::describe::ModDescription;
use tracing::{error, info};

use crate::{
    bridge::{
        bind::{BoundSystem, bind_systems},
        handle::ModHandle,
        query::Bound,
        system::{Slot, SlotCell, SlotTarget, Tokens},
        tokens::token_of,
    },
    lifecycle::{
        fault::{FaultCause, ModEvent, ModFault},
        prepare::Prepared,
        runtime::{ModRecord, ModRuntime, ModState, Running, Signature},
        schedule::{self, ScheduledSlot, schedule_named, startup_rank},
        settings::ModSettings,
    },
};

/// What came of an attempt to install.
pub(crate) enum Installed {
    Done,
    /// Some types have not been met yet; here is the mod back.
    Waiting(Box<Prepared>, Vec<&'static str>),
    /// The mod in the other file, which is named here, keeps the id; here is this one back.
    Duplicate(Box<Prepared>, String),
}

/// Puts a prepared mod into the game, in the place of its earlier version if there is one.
///
/// Code of the mod and of the game runs meanwhile: what is known of the mods is borrowed for moments only.
pub(crate) fn install(world: &mut World, file: &str, prepared: Prepared) -> Result<Installed, Box<ModFault>> {
    let id: Arc<str> = prepared.identity.id.as_str().into();
    let version = prepared.identity.version.clone();
    let fault = |function, cause| {
        let (mod_id, version, file) = (id.to_string(), Some(version.clone()), file.to_owned());
        Box::new(ModFault { mod_id, version, file, function, cause })
    };
    if let Some(other) = world.resource::<ModRuntime>().mods.get(&id)
        && other.file != file
        && matches!(other.state, ModState::Running | ModState::Pending { .. })
    {
        let other = other.file.clone();
        return Ok(Installed::Duplicate(Box::new(prepared), other));
    }
    let bound = bind_systems(world, &prepared.description, is_schedule);
    let systems = match bound.map_err(|errors| fault(None, FaultCause::Bind(errors)))? {
        Bound::Ready(systems) => systems,
        Bound::Waiting(types) => return Ok(Installed::Waiting(Box::new(prepared), types)),
    };
    let Prepared { imports, description, instance, .. } = prepared;
    let signature = signature_of(&description, &imports);
    let memory_limit = world.resource::<ModSettings>().limits.memory_bytes;
    let handle = Arc::new(ModHandle::new(Arc::clone(&id), instance, memory_limit));
    let tokens = Tokens { of_mod: token_of(world, &id), runtime: world.register_component::<ModRuntime>() };

    let (in_schedules, at_startup): (Vec<_>, Vec<_>) =
        systems.into_iter().enumerate().partition(|(_, system)| startup_rank(&system.schedule).is_none());
    let start = Start { world, id: &id, handle: &handle, tokens, imports: &imports };
    start.run_once(at_startup);
    // An earlier version goes on if this one cannot even start.
    if let Some(failed) = handle.take_fault() {
        return Err(fault(Some(failed.function), FaultCause::System(failed.error)));
    }

    unload(world, file, |other, _| *other != id, "its file holds another mod now");
    let earlier = world.resource_mut::<ModRuntime>().mods.remove(&id).and_then(|record| record.running);
    let is_reload = earlier.is_some();
    let running = match earlier {
        Some(earlier) if earlier.signature == signature => {
            for (system, slot) in &earlier.slots {
                slot.set(Some(SlotTarget { handle: Arc::clone(&handle), system: *system }));
            }
            Running { handle, ..earlier }
        }
        earlier => {
            if let Some(earlier) = earlier {
                remove(world, &id, &earlier);
            }
            let start = Start { world, id: &id, handle: &handle, tokens, imports: &imports };
            let (slots, schedules) = start.schedule(in_schedules);
            Running { handle, signature, slots, schedules }
        }
    };
    info!("{id} {version}: {}", if is_reload { "reloaded" } else { "loaded" });
    let record = ModRecord { file: file.to_owned(), version, state: ModState::Running, running: Some(running) };
    world.resource_mut::<ModRuntime>().mods.insert(Arc::clone(&id), record);
    world.write_message(if is_reload { ModEvent::Reloaded { id } } else { ModEvent::Loaded { id } });
    Ok(Installed::Done)
}

/// Takes the mods of a file that `which` chooses out of the game.
pub(crate) fn unload(world: &mut World, file: &str, which: impl Fn(&Arc<str>, &ModRecord) -> bool, why: &str) {
    let mods = &mut world.resource_mut::<ModRuntime>().mods;
    let gone: Vec<_> = mods.extract_if(.., |id, record| record.file == file && which(id, record)).collect();
    for (id, record) in gone {
        if let Some(running) = &record.running {
            remove(world, &id, running);
        }
        // What was never told to be there need not be told to be gone.
        if !matches!(record.state, ModState::Loading) {
            info!("{id} {}: unloaded, {why}", record.version);
            world.write_message(ModEvent::Unloaded { id });
        }
    }
}

/// Takes a mod's systems out of the game.
fn remove(world: &mut World, id: &Arc<str>, running: &Running) {
    running.empty_slots();
    for label in &running.schedules {
        // The slots are empty, so a schedule that keeps them only keeps systems that do nothing.
        if let Err(error) = schedule::remove(world, id, *label) {
            error!("the systems of {id} could not be taken out of {label:?}: {error}");
        }
    }
}

fn is_schedule(name: &str) -> bool {
    schedule_named(name).is_some() || startup_rank(name).is_some()
}

fn signature_of(description: &ModDescription, imports: &[usize]) -> Signature {
    Signature { types: description.types.clone(), systems: description.systems.clone(), imports: imports.to_vec() }
}

/// What every slot of a mod that starts is made from.
struct Start<'a> {
    world: &'a mut World,
    id: &'a Arc<str>,
    handle: &'a Arc<ModHandle>,
    tokens: Tokens,
    imports: &'a [usize],
}

type IndexedSystem = (usize, BoundSystem);

impl Start<'_> {
    fn slot(&self, index: usize, system: BoundSystem) -> (Slot, Arc<SlotCell>, u32) {
        let cell = Arc::new(SlotCell::default());
        // A description never holds more systems than fit.
        let number = u32::try_from(index).unwrap_or(u32::MAX);
        cell.set(Some(SlotTarget { handle: Arc::clone(self.handle), system: number }));
        let slot = Slot::new(self.id, system, Arc::clone(&cell), self.tokens, self.imports.to_vec());
        (slot, cell, number)
    }

    /// Runs the start-up systems, in their order.
    fn run_once(self, systems: Vec<IndexedSystem>) {
        for (index, system) in startup_order(systems) {
            let (mut slot, ..) = self.slot(index, system);
            slot.initialize(self.world);
            // A slot keeps its mod's faults to itself: there is no error to see here.
            let _ = slot.run((), self.world);
        }
    }

    /// Puts the systems into their schedules.
    fn schedule(
        self,
        systems: Vec<IndexedSystem>,
    ) -> (Vec<(u32, Arc<SlotCell>)>, Vec<bevy_ecs::schedule::InternedScheduleLabel>) {
        let mut cells = Vec::new();
        let mut schedules = Vec::new();
        let mut scheduled = Vec::new();
        for (index, system) in systems {
            let Some(label) = schedule_named(&system.schedule) else { continue };
            let after = system.after.clone();
            let (slot, cell, number) = self.slot(index, system);
            cells.push((number, cell));
            if !schedules.contains(&label) {
                schedules.push(label);
            }
            scheduled.push(ScheduledSlot { schedule: label, index, after, system: Box::new(slot) });
        }
        schedule::add(self.world, self.id, scheduled);
        (cells, schedules)
    }
}

/// Start-up systems by schedule, and inside one each after those that it names.
fn startup_order(mut systems: Vec<IndexedSystem>) -> Vec<IndexedSystem> {
    systems.sort_by_key(|(_, system)| startup_rank(&system.schedule));
    let mut ordered: Vec<IndexedSystem> = Vec::with_capacity(systems.len());
    while !systems.is_empty() {
        let waits_for = |after: &usize| systems.iter().any(|(index, _)| index == after);
        let next = systems.iter().position(|(_, system)| !system.after.iter().any(waits_for));
        // A circle was refused when the description was checked.
        ordered.push(systems.remove(next.unwrap_or(0)));
    }
    ordered
}
