//! Slots for the systems of a mod: those that run once, and those that go into the game's schedules.

use std::sync::Arc;

use bevy_ecs::{
    schedule::{BoxedCondition, InternedScheduleLabel},
    system::System,
    world::World,
};
use mod_abi::Identity;

use crate::{
    bridge::{
        bind::{BoundSystem, order::BoundTarget},
        handle::ModHandle,
        observers::{self, NewObserver, Observers, bind::BoundObserver},
        system::{Slot, SlotCell, SlotTarget, Tokens},
        tokens::token_of,
    },
    lifecycle::{
        reach,
        registry::{ModRegistry, Running, Signature, Slots},
        schedule::{self, Moment, Place, ScheduledSlot, moment_of},
    },
};

/// A system with its index in its mod.
type IndexedSystem = (usize, BoundSystem);

/// The systems of a mod by when they run.
#[derive(Default)]
pub(crate) struct Systems {
    scheduled: Vec<IndexedSystem>,
    startup: Vec<IndexedSystem>,
    on_reload: Vec<IndexedSystem>,
    on_unload: Vec<IndexedSystem>,
    observers: Vec<(usize, BoundObserver)>,
    /// Where each of the scheduled systems stands.
    pub(crate) places: Vec<Place>,
}

impl Systems {
    /// Sorts the systems and observers of the mod with that id.
    pub(crate) fn sort(id: &Arc<str>, systems: Vec<BoundSystem>, observers: Vec<BoundObserver>) -> Self {
        let names: Vec<&str> = systems.iter().map(|system| system.name.as_str()).collect();
        let places = systems.iter().filter_map(|system| Place::of(id, system, &names)).collect();
        // Observers follow the systems in the mod's numbering.
        let observers = (systems.len()..).zip(observers).collect();
        let mut sorted = Self { observers, places, ..Self::default() };
        for (index, system) in systems.into_iter().enumerate() {
            let list = match moment_of(&system) {
                Some(Moment::Schedule(_)) => &mut sorted.scheduled,
                Some(Moment::Startup(_)) => &mut sorted.startup,
                Some(Moment::OnReload) => &mut sorted.on_reload,
                Some(Moment::OnUnload) => &mut sorted.on_unload,
                // Unknown schedules were refused when the description was bound.
                None => continue,
            };
            list.push((index, system));
        }
        let rank = |(_, system): &IndexedSystem| match moment_of(system) {
            Some(Moment::Startup(rank)) => rank,
            _ => 0,
        };
        sorted.startup.sort_by_key(rank);
        sorted
    }
}

/// Which systems of a mod run once when it starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Once {
    /// Those of the start-up.
    Startup,
    /// Those for a version that has taken over.
    OnReload,
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
        let slot = Slot::new(self.id, system, Arc::clone(&cell), self.tokens, imports, self.signature.reach.clone());
        (slot, cell, number)
    }

    /// Runs the systems of the start-up.
    pub(crate) fn run_startup(&self, world: &mut World, systems: &mut Systems) {
        run_once(world, &mut self.once(systems, Once::Startup));
    }

    /// Runs the systems for a version that has taken over.
    pub(crate) fn run_on_reload(&self, world: &mut World, systems: &mut Systems) {
        run_once(world, &mut self.once(systems, Once::OnReload));
    }

    /// The slots of the systems that run once, in their order, to [run](run_once).
    pub(crate) fn once(&self, systems: &mut Systems, which: Once) -> Vec<Slot> {
        self.ready(std::mem::take(match which {
            Once::Startup => &mut systems.startup,
            Once::OnReload => &mut systems.on_reload,
        }))
    }

    /// Slots that run once, in their order.
    fn ready(&self, systems: Vec<IndexedSystem>) -> Vec<Slot> {
        in_order(self.id, systems).into_iter().map(|(index, system)| self.slot(index, system).0).collect()
    }

    /// Puts the observers into the game.
    pub(crate) fn observe(&self, world: &mut World, systems: &mut Systems) -> Observers {
        let new = std::mem::take(&mut systems.observers).into_iter().map(|(index, observer)| {
            let (slot, cell, index) = self.slot(index, observer.system);
            NewObserver { index, slot, cell, woken_by: observer.woken_by }
        });
        observers::spawn(world, self.id, new.collect())
    }

    /// Gives the instance its slots, unless its `observers` are there already: those of an earlier version with the same signature, or new ones in the game's
    /// schedules. The earlier version's are empty then.
    pub(crate) fn take_slots(
        self,
        world: &mut World,
        identity: Arc<Identity>,
        mut systems: Systems,
        observers: Option<Observers>,
        earlier: Option<Running>,
    ) -> Running {
        let on_unload = self.ready(std::mem::take(&mut systems.on_unload));
        let handle = Arc::clone(self.handle);
        let (slots, schedules, observers) = match earlier {
            // Slots of a stale version are bound to types that are no more.
            Some(earlier) if earlier.signature == *self.signature && !earlier.handle.is_stale() => {
                for (system, slot) in &earlier.slots {
                    slot.set(Some(SlotTarget { handle: Arc::clone(&handle), system: *system }));
                }
                let observers = match observers {
                    Some(observers) => {
                        earlier.observers.remove(world);
                        observers
                    }
                    None => {
                        earlier.observers.set(Some(&handle));
                        earlier.observers
                    }
                };
                (earlier.slots, earlier.schedules, observers)
            }
            earlier => {
                if let Some(earlier) = earlier {
                    earlier.take_out(world, self.id);
                }
                let observers = observers.unwrap_or_else(|| self.observe(world, &mut systems));
                let (slots, schedules) = self.schedule(world, systems.scheduled, systems.places);
                (slots, schedules, observers)
            }
        };
        let signature = self.signature.clone();
        reach::running_mods(world).insert(&handle, &signature.imports);
        Running { identity, handle, signature, slots, schedules, observers, on_unload, probation: None }
    }

    /// Puts systems into their schedules.
    fn schedule(
        &self,
        world: &mut World,
        systems: Vec<IndexedSystem>,
        places: Vec<Place>,
    ) -> (Slots, Vec<InternedScheduleLabel>) {
        let mut cells = Vec::new();
        let mut schedules = Vec::new();
        let mut scheduled = Vec::new();
        for ((index, system), place) in systems.into_iter().zip(places) {
            let (mut slot, cell, number) = self.slot(index, system);
            cells.push((number, cell));
            if !schedules.contains(&place.schedule) {
                schedules.push(place.schedule);
            }
            let condition = slot.take_gate().map(|gate| Box::new(gate) as BoxedCondition);
            scheduled.push(ScheduledSlot { place, system: Box::new(slot), condition });
        }
        schedule::add(world, scheduled);
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

/// Systems of a mod that run once, each after those that it should run after. An order by others than the mod's own means
/// nothing to them: nothing else runs meanwhile.
fn in_order(id: &str, mut systems: Vec<IndexedSystem>) -> Vec<IndexedSystem> {
    let index_of = |target: &BoundTarget| match target {
        BoundTarget::System { mod_id, system } if mod_id == id => {
            systems.iter().find(|(_, other)| other.name == *system).map(|(index, _)| *index)
        }
        _ => None,
    };
    let by_name = systems.iter().flat_map(|(index, system)| {
        let edge = |before, other| if before { (*index, other) } else { (other, *index) };
        system.order.iter().filter_map(move |order| Some(edge(order.before, index_of(&order.target)?)))
    });
    let by_index = systems.iter().flat_map(|(index, system)| system.after.iter().map(|after| (*after, *index)));
    let edges: Vec<(usize, usize)> = by_name.chain(by_index).collect();
    let mut ordered: Vec<IndexedSystem> = Vec::with_capacity(systems.len());
    while !systems.is_empty() {
        let is_left = |wanted: usize| systems.iter().any(|(index, _)| *index == wanted);
        let waits = |index: usize| edges.iter().any(|(earlier, later)| *later == index && is_left(*earlier));
        let next = systems.iter().position(|(index, _)| !waits(*index));
        // A circle by index was refused when the description was bound; one by name is cut.
        ordered.push(systems.remove(next.unwrap_or(0)));
    }
    ordered
}
