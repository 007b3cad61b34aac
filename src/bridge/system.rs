//! A mod's system in the game's schedule: a slot.
//!
//! A slot is a hand-written [`System`] that holds its access, its buffers and a cell with the mod that it runs. A reload
//! with the same signature puts a new mod into the cell, a fault empties it; the schedule never notices.
#![expect(unsafe_code, reason = "a system reads and writes the World through a cell, by the access it declared")]

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::Instant,
};

use bevy_asset::AssetServer;
use bevy_ecs::{
    change_detection::{CheckChangeTicks, Tick},
    component::ComponentId,
    query::{FilteredAccess, FilteredAccessSet},
    reflect::AppTypeRegistry,
    system::{RunSystemError, System, SystemStateFlags},
    world::{DeferredWorld, World, unsafe_world_cell::UnsafeWorldCell},
};
use bevy_utils::prelude::DebugName;
use mod_abi::describe::TypeIndex;
use mod_host::Instance;
use tracing::warn;

use crate::bridge::{
    apply::Outbox,
    bind::{BoundParam, BoundSystem},
    filter::Ticks,
    gather::GatherError,
    handle::{ModHandle, SystemError, catch, work},
    host::HostFunctions,
    messages,
    neighbours::{Chain, HostFunctionsOfMod, Neighbours, Reach},
    system::{
        gate::Gate,
        params::{Measured, Params},
        reach::SlotHost,
    },
    value::Reflection,
};

pub(crate) mod gate;
mod params;
mod reach;

/// The mod that a slot runs, shared with whoever may change that.
#[derive(Debug, Default)]
pub(crate) struct SlotCell(Mutex<Option<SlotTarget>>);

/// A system of a running mod.
#[derive(Debug, Clone)]
pub(crate) struct SlotTarget {
    pub(crate) handle: Arc<ModHandle>,
    /// The system's index in its mod.
    pub(crate) system: u32,
}

impl SlotCell {
    /// Puts another mod into the slot, or none.
    pub(crate) fn set(&self, target: Option<SlotTarget>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = target;
    }

    pub(crate) fn get(&self) -> Option<SlotTarget> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Components that stand for something other than data in a slot's access.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Tokens {
    /// Written by all systems of one mod, so that they run one after the other.
    pub(crate) of_mod: ComponentId,
    /// Read by all systems of all mods, and written by whoever calls mods from the game.
    pub(crate) runtime: ComponentId,
}

/// See the module's documentation.
pub(crate) struct Slot {
    /// `mod::system`, as Bevy shows it.
    name: DebugName,
    mod_id: String,
    /// The system's name in its mod, for messages: Bevy shows names only with its feature `debug`.
    system: String,
    cell: Arc<SlotCell>,
    tokens: Tokens,
    params: Params,
    /// Its run conditions, unless somebody else tests them.
    gate: Option<Gate>,
    reads_world: bool,
    /// Whether it may leave commands.
    commands: bool,
    /// The types of which its commands may write messages, if it may leave no others.
    writes: Vec<TypeIndex>,
    outbox: Outbox,
    /// The host functions that the mod imports, at the places by which instances name them.
    functions: HostFunctionsOfMod,
    imports: Vec<usize>,
    /// The mods that the mod may call.
    neighbours: Neighbours,
    types: AppTypeRegistry,
    assets: Option<AssetServer>,
    last_run: Tick,
    warned: bool,
}

impl Slot {
    /// A slot for a system of a mod that imports the host functions `imports` and calls the mods of `reach`.
    pub(crate) fn new(
        mod_id: &str,
        system: BoundSystem,
        cell: Arc<SlotCell>,
        tokens: Tokens,
        imports: Vec<usize>,
        reach: Reach,
    ) -> Self {
        let gate = Gate::new(mod_id, &system.name, &cell, system.conditions);
        Self {
            name: DebugName::owned(format!("{mod_id}::{}", system.name)),
            mod_id: mod_id.to_owned(),
            system: system.name,
            gate,
            cell,
            tokens,
            reads_world: system.params.iter().any(|param| matches!(param, BoundParam::World)),
            commands: system.params.iter().any(|param| matches!(param, BoundParam::Commands)),
            writes: system.params.iter().filter_map(BoundParam::written_message).collect(),
            params: Params::new(system.params),
            functions: Vec::new(),
            imports,
            neighbours: Neighbours::new(reach),
            types: AppTypeRegistry::default(),
            assets: None,
            last_run: Tick::new(0),
            warned: false,
            outbox: Outbox::default(),
        }
    }

    /// # Safety
    /// The caller has the access that `initialize` returned.
    unsafe fn run_target(
        &mut self,
        target: &SlotTarget,
        world: UnsafeWorldCell,
        ticks: Ticks,
    ) -> Result<(), SystemError> {
        let Self { params, types, assets, functions, neighbours, system, .. } = self;
        let handle = &target.handle;
        // A mod pays for the rows that it wants, as for its own code. Where there are none, the clock is not asked for them.
        let since = (!params.is_empty()).then(Instant::now);
        let gather = |error: GatherError| SystemError::Gather { system: system.clone(), reason: error.to_string() };
        let measured = {
            let registry = types.read();
            let reflection = Reflection { types: &registry, assets: assets.as_ref() };
            // SAFETY: passed on.
            unsafe { params.measure(world, reflection, ticks, handle.memory_limit) }
        };
        let bytes = match measured.map_err(gather)? {
            Measured::Bytes(bytes) => bytes,
            Measured::Missing(resource) => {
                if !self.warned {
                    warn!("{}: `{system}` does not run, because there is no resource {resource}", self.mod_id);
                    self.warned = true;
                }
                return Ok(());
            }
        };
        self.warned = false;
        let (reads_world, commands) = (self.reads_world, self.commands);
        let outbox = &mut self.outbox;
        let mut cross = |instance: &mut Instance| {
            {
                trace_room!("gather", id = &*handle.id, system);
                // Not locked during the call: code of the game runs then, and may want to write the registry.
                let registry = types.read();
                let reflection = Reflection { types: &registry, assets: assets.as_ref() };
                // SAFETY: passed on.
                unsafe { params.write(instance, (system, target.system), world, reflection, (bytes, ticks.this_run))? };
            }
            let left = {
                let chain = Chain::of(handle);
                let mut host =
                    SlotHost { functions, neighbours, chain, params, target, world, ticks, reads_world, commands };
                instance.run(system, &mut host)?
            };
            trace_room!("scatter", id = &*handle.id, system);
            let registry = types.read();
            let reflection = Reflection { types: &registry, assets: assets.as_ref() };
            // SAFETY: passed on.
            let mut taken = unsafe { params.scatter(system, instance, world, reflection, ticks.this_run)? };
            if !left.is_empty() {
                let bytes = instance.guest_bytes(left)?;
                taken += bytes.len();
                let declared = commands || messages::only_writes(bytes, &self.writes);
                outbox
                    .take(handle, declared, bytes)
                    .map_err(|source| SystemError::Commands { system: system.clone(), source })?;
            }
            instance.count_taken(taken);
            Ok(())
        };
        let entered = handle.enter(|instance| {
            let Some(since) = since else { return cross(instance) };
            instance.begin_work(since, work(bytes));
            let crossed = cross(instance);
            instance.end_work(work(bytes));
            crossed
        });
        entered.unwrap_or(Ok(()))
    }

    /// Takes the run conditions out of the slot. Whoever has them tests them from then on.
    pub(crate) fn take_gate(&mut self) -> Option<Gate> {
        self.gate.take()
    }

    /// Runs an observer's system, on the value that it was woken by. Its commands are left in the slot.
    pub(crate) fn wake(&mut self, value: &[u8], mut world: DeferredWorld) {
        if let Err(error) = self.params.set_event(value) {
            if let Some(target) = self.cell.get() {
                let (system, reason) = (self.system.clone(), error.to_string());
                target.handle.fail(&self.system, SystemError::Gather { system, reason });
            }
            return;
        }
        // SAFETY: a `DeferredWorld` may access everything, and a slot changes nothing of the World's structure.
        let ran = unsafe { self.run_unsafe((), world.as_unsafe_world_cell()) };
        // A slot keeps its mod's faults to itself: there is no error to see here.
        let _ = ran;
    }

    /// Carries out the commands of the host functions that the mod called, and those that it called.
    pub(crate) fn apply_functions(&mut self, world: &mut World) {
        // They carry what the mod sent, such as entities that are long gone.
        let functions = self.functions.iter_mut().flatten().chain(self.neighbours.functions_mut());
        let apply = || functions.for_each(|function| function.apply_deferred(world));
        if let Err(message) = catch(apply)
            && let Some(target) = self.cell.get()
        {
            target.handle.fail(&self.system, self.panicked(message));
        }
    }

    /// Whether the mod, or one that it calls, may call host functions.
    pub(crate) fn calls_functions(&self) -> bool {
        self.functions.iter().flatten().chain(self.neighbours.functions()).next().is_some()
    }

    /// Takes the commands that the mod left.
    pub(crate) fn take_outbox(&mut self) -> Outbox {
        std::mem::take(&mut self.outbox)
    }

    /// The system's name in its mod.
    pub(crate) fn system_name(&self) -> &str {
        &self.system
    }

    fn panicked(&self, message: String) -> SystemError {
        SystemError::Panicked { system: self.system.clone(), message }
    }
}

impl fmt::Debug for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Slot").field("name", &self.name).finish_non_exhaustive()
    }
}

impl System for Slot {
    type In = ();
    type Out = ();

    fn name(&self) -> DebugName {
        self.name.clone()
    }

    fn flags(&self) -> SystemStateFlags {
        let leaves_commands = self.commands || !self.writes.is_empty();
        let mut functions = self.functions.iter().flatten().chain(self.neighbours.functions());
        let deferred = leaves_commands || functions.any(|function| function.has_deferred());
        if deferred { SystemStateFlags::DEFERRED } else { SystemStateFlags::empty() }
    }

    unsafe fn run_unsafe(&mut self, (): (), world: UnsafeWorldCell) -> Result<(), RunSystemError> {
        let target = self.cell.get().filter(|target| !target.handle.is_faulted());
        // SAFETY: passed on. A system that does not run has not run: what changed meanwhile is still new to it.
        if target.is_some() && self.gate.as_mut().is_some_and(|gate| !unsafe { gate.holds(world) }) {
            return Ok(());
        }
        let tick = world.increment_change_tick();
        if let Some(target) = target {
            // As Bevy names those of systems that are functions.
            trace_room!("system", name = format!("{}::{}", self.mod_id, self.system));
            let ticks = Ticks { last_run: self.last_run, this_run: tick };
            // SAFETY: the caller has the access that `initialize` returned.
            let outcome = catch(|| unsafe { self.run_target(&target, world, ticks) });
            if let Err(error) = outcome.unwrap_or_else(|message| Err(self.panicked(message))) {
                target.handle.fail(&self.system, error);
            }
        }
        self.last_run = tick;
        Ok(())
    }

    fn apply_deferred(&mut self, world: &mut World) {
        self.apply_functions(world);
        self.outbox.carry_out(world, &self.system);
    }

    fn queue_deferred(&mut self, mut world: DeferredWorld) {
        self.outbox.queue(&mut world, &self.system);
        let functions = self.functions.iter_mut().flatten().chain(self.neighbours.functions_mut());
        functions.for_each(|function| function.queue_deferred(world.reborrow()));
    }

    fn initialize(&mut self, world: &mut World) -> FilteredAccessSet {
        self.types = world.get_resource_or_init::<AppTypeRegistry>().clone();
        self.assets = world.get_resource::<AssetServer>().cloned();
        let mut access = FilteredAccessSet::new();
        let mut tokens = FilteredAccess::default();
        tokens.add_write(self.tokens.of_mod);
        access.add(tokens);
        access.add_resource_read(self.tokens.runtime);
        for param in self.params.iter() {
            param.declare(&mut access);
        }
        if let Some(gate) = &mut self.gate {
            access.extend(gate.initialize(world));
        }
        self.functions = world.get_resource_or_init::<HostFunctions>().make_all(&self.imports);
        for function in self.functions.iter_mut().flatten() {
            access.extend(function.initialize(world));
        }
        self.neighbours.initialize(world, &mut access);
        access
    }

    fn check_change_tick(&mut self, check: CheckChangeTicks) {
        self.last_run.check_tick(check);
        self.params.forget();
        if let Some(gate) = &mut self.gate {
            gate.check_change_tick(check);
        }
        let functions = self.functions.iter_mut().flatten().chain(self.neighbours.functions_mut());
        functions.for_each(|function| function.check_change_tick(check));
    }

    fn get_last_run(&self) -> Tick {
        self.last_run
    }

    fn set_last_run(&mut self, last_run: Tick) {
        self.last_run = last_run;
    }
}

#[cfg(test)]
mod tests;
