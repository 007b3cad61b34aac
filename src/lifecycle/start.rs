//! Slots for the systems of a mod: those that run once, and those that go into the game's schedules.

use std::sync::Arc;

use bevy_ecs::{schedule::InternedScheduleLabel, system::System, world::World};

use crate::{
    bridge::{
        bind::BoundSystem,
        handle::ModHandle,
        system::{Slot, SlotCell, SlotTarget, Tokens},
        tokens::token_of,
    },
    lifecycle::{
        registry::{ModRegistry, Running, Signature, Slots},
        schedule::{self, Moment, ScheduledSlot, moment},
    },
};

/// A system with its index in its mod.
type IndexedSystem = (usize, BoundSystem);

/// The systems of a mod by when they run.
#[derive(Debug, Default)]
pub(crate) struct Systems {
    scheduled: Vec<IndexedSystem>,
    startup: Vec<IndexedSystem>,
    on_reload: Vec<IndexedSystem>,
    on_unload: Vec<IndexedSystem>,
}

impl Systems {
    pub(crate) fn sort(systems: Vec<BoundSystem>) -> Self {
        let mut sorted = Self::default();
        for (index, system) in systems.into_iter().enumerate() {
            let list = match moment(&system.schedule) {
                Some(Moment::Schedule(_)) => &mut sorted.scheduled,
                Some(Moment::Startup(_)) => &mut sorted.startup,
                Some(Moment::OnReload) => &mut sorted.on_reload,
                Some(Moment::OnUnload) => &mut sorted.on_unload,
                // Unknown schedules were refused when the description was bound.
                None => continue,
            };
            list.push((index, system));
        }
        let rank = |(_, system): &IndexedSystem| match moment(&system.schedule) {
            Some(Moment::Startup(rank)) => rank,
            _ => 0,
        };
        sorted.startup.sort_by_key(rank);
        sorted
    }
}

/// A running instance that gets its slots.
pub(crate) struct Start<'a> {
    id: &'a Arc<str>,
    handle: &'a Arc<ModHandle>,
    signature: &'a Signature,
    tokens: Tokens,
}

impl<'a> Start<'a> {
    pub(crate) fn new(
        world: &mut World,
        id: &'a Arc<str>,
        handle: &'a Arc<ModHandle>,
        signature: &'a Signature,
    ) -> Self {
        let tokens = Tokens { of_mod: token_of(world, id), runtime: world.register_component::<ModRegistry>() };
        Self { id, handle, signature, tokens }
    }

    fn slot(&self, index: usize, system: BoundSystem) -> (Slot, Arc<SlotCell>, u32) {
        let cell = Arc::new(SlotCell::default());
        // A description never holds more systems than fit.
        let number = u32::try_from(index).unwrap_or(u32::MAX);
        cell.set(Some(SlotTarget { handle: Arc::clone(self.handle), system: number }));
        let imports = self.signature.imports.clone();
        let slot = Slot::new(self.id, system, Arc::clone(&cell), self.tokens, imports);
        (slot, cell, number)
    }

    /// Runs the systems of the start-up.
    pub(crate) fn run_startup(&self, world: &mut World, systems: &mut Systems) {
        run_once(world, &mut self.ready(std::mem::take(&mut systems.startup)));
    }

    /// Runs the systems for a version that has taken over.
    pub(crate) fn run_on_reload(&self, world: &mut World, systems: &mut Systems) {
        run_once(world, &mut self.ready(std::mem::take(&mut systems.on_reload)));
    }

    /// Slots that run once, in their order.
    fn ready(&self, systems: Vec<IndexedSystem>) -> Vec<Slot> {
        in_order(systems).into_iter().map(|(index, system)| self.slot(index, system).0).collect()
    }

    /// Gives the instance its slots: those of an earlier version with the same signature, or new ones in the game's
    /// schedules. The earlier version's are empty then.
    pub(crate) fn take_slots(self, world: &mut World, systems: Systems, earlier: Option<Running>) -> Running {
        let on_unload = self.ready(systems.on_unload);
        let handle = Arc::clone(self.handle);
        let (slots, schedules) = match earlier {
            Some(earlier) if earlier.signature == *self.signature => {
                for (system, slot) in &earlier.slots {
                    slot.set(Some(SlotTarget { handle: Arc::clone(&handle), system: *system }));
                }
                (earlier.slots, earlier.schedules)
            }
            earlier => {
                if let Some(earlier) = earlier {
                    earlier.take_out(world, self.id);
                }
                self.schedule(world, systems.scheduled)
            }
        };
        Running { handle, signature: self.signature.clone(), slots, schedules, on_unload, probation: None }
    }

    /// Puts systems into their schedules.
    fn schedule(&self, world: &mut World, systems: Vec<IndexedSystem>) -> (Slots, Vec<InternedScheduleLabel>) {
        let mut cells = Vec::new();
        let mut schedules = Vec::new();
        let mut scheduled = Vec::new();
        for (index, system) in systems {
            let Some(Moment::Schedule(label)) = moment(&system.schedule) else { continue };
            let after = system.after.clone();
            let (slot, cell, number) = self.slot(index, system);
            cells.push((number, cell));
            if !schedules.contains(&label) {
                schedules.push(label);
            }
            scheduled.push(ScheduledSlot { schedule: label, index, after, system: Box::new(slot) });
        }
        schedule::add(world, self.id, scheduled);
        (cells, schedules)
    }
}

/// Runs slots that are in no schedule, one after the other.
pub(crate) fn run_once(world: &mut World, slots: &mut [Slot]) {
    for slot in slots {
        slot.initialize(world);
        // A slot keeps its mod's faults to itself: there is no error to see here.
        let _ = slot.run((), world);
    }
}

/// Systems each after those that they name.
fn in_order(mut systems: Vec<IndexedSystem>) -> Vec<IndexedSystem> {
    let mut ordered: Vec<IndexedSystem> = Vec::with_capacity(systems.len());
    while !systems.is_empty() {
        let waits_for = |after: &usize| systems.iter().any(|(index, _)| index == after);
        let next = systems.iter().position(|(_, system)| !system.after.iter().any(waits_for));
        // A circle was refused when the description was bound.
        ordered.push(systems.remove(next.unwrap_or(0)));
    }
    ordered
}
