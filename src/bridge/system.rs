//! A mod's system in the game's schedule: a slot.
//!
//! A slot is a hand-written [`System`] that holds its access, its buffers and a cell with the mod that it runs. A reload
//! with the same signature puts a new mod into the cell, a fault empties it; the schedule never notices.
#![expect(unsafe_code, reason = "a system reads and writes the World through a cell, by the access it declared")]

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use bevy_ecs::{
    change_detection::{CheckChangeTicks, Tick},
    component::ComponentId,
    query::{FilteredAccess, FilteredAccessSet},
    reflect::AppTypeRegistry,
    system::{RunSystemError, System, SystemStateFlags},
    world::{DeferredWorld, World, unsafe_world_cell::UnsafeWorldCell},
};
use bevy_utils::prelude::DebugName;
use mod_abi::batch::{BATCH_HEADER, batch_header_bytes};
use mod_host::{HostCalls, Instance};
use tracing::{trace_span, warn};

use crate::bridge::{
    bind::{BoundParam, BoundSystem},
    gather::GatherError,
    handle::{ModHandle, SystemError, catch},
    host::{HostFunction, HostFunctions},
    on_demand::WORLD_FUNCTIONS,
    scatter::Changes,
};

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

    fn get(&self) -> Option<SlotTarget> {
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
    params: Vec<BoundParam>,
    reads_world: bool,
    /// The host functions that the mod imports, at the places by which instances name them.
    functions: Vec<Option<Box<dyn HostFunction>>>,
    imports: Vec<usize>,
    types: AppTypeRegistry,
    last_run: Tick,
    warned: bool,
    /// Scratch: where each parameter's block starts in the batch, 0 for none.
    offsets: Vec<usize>,
}

impl Slot {
    /// A slot for a system of a mod that imports the host functions `imports`.
    pub(crate) fn new(
        mod_id: &str,
        system: BoundSystem,
        cell: Arc<SlotCell>,
        tokens: Tokens,
        imports: Vec<usize>,
    ) -> Self {
        Self {
            name: DebugName::owned(format!("{mod_id}::{}", system.name)),
            mod_id: mod_id.to_owned(),
            system: system.name,
            cell,
            tokens,
            reads_world: system.params.iter().any(|param| matches!(param, BoundParam::World)),
            params: system.params,
            functions: Vec::new(),
            imports,
            types: AppTypeRegistry::default(),
            last_run: Tick::new(0),
            warned: false,
            offsets: Vec::new(),
        }
    }

    /// # Safety
    /// The caller has the access that `initialize` returned.
    unsafe fn run_target(
        &mut self,
        target: &SlotTarget,
        world: UnsafeWorldCell,
        tick: Tick,
    ) -> Result<(), SystemError> {
        // SAFETY: passed on.
        let measured = unsafe { self.measure(world, target.handle.memory_limit) };
        let Some(bytes) = measured.map_err(|error| SystemError::gather(&self.system, &error))? else {
            return Ok(());
        };
        let entered = target.handle.enter(|instance| {
            {
                let _span = trace_span!("gather").entered();
                let batch = instance.batch(bytes)?;
                // SAFETY: passed on.
                let written = unsafe { self.write(target.system, world, batch) };
                written.map_err(|error| SystemError::gather(&self.system, &error))?;
            }
            {
                let _span = trace_span!("call").entered();
                let functions = &mut self.functions;
                let mut host = SlotHost { functions, target, world, reads_world: self.reads_world };
                instance.run(&self.system, &mut host)?;
            }
            let _span = trace_span!("scatter").entered();
            // SAFETY: passed on.
            unsafe { self.scatter(instance, world, tick) }
        });
        entered.unwrap_or(Ok(()))
    }

    /// Takes back what the mod changed.
    ///
    /// # Safety
    /// As [`Slot::run_target`].
    unsafe fn scatter(&self, instance: &Instance, world: UnsafeWorldCell, tick: Tick) -> Result<(), SystemError> {
        let batch = instance.batch_bytes()?;
        let failed = |source| SystemError::Scatter { system: self.system.clone(), source };
        let guest = |buffer| instance.guest_bytes(buffer).map_err(|error| error.to_string());
        let types = self.types.read();
        let mut all = Vec::new();
        for (param, offset) in self.params.iter().zip(&self.offsets) {
            if let BoundParam::Block(block) = param {
                let bytes = batch.get(*offset..).unwrap_or_default();
                // SAFETY: passed on.
                let changes = unsafe { Changes::check(block, bytes, world, guest, &types) }.map_err(failed)?;
                if !changes.is_empty() {
                    all.push((block, bytes, changes));
                }
            }
        }
        for (block, bytes, changes) in all {
            // SAFETY: passed on. The structure of the World stays as it is while systems run.
            unsafe { changes.apply(block, bytes, world, tick) }.map_err(failed)?;
        }
        Ok(())
    }

    /// Lays the batch out and returns its size, or `None` if a resource is missing, so that the system cannot run.
    ///
    /// # Safety
    /// As [`Slot::run_target`].
    unsafe fn measure(&mut self, world: UnsafeWorldCell, limit: usize) -> Result<Option<usize>, GatherError> {
        let mut end = batch_header_bytes(self.params.len()).ok_or(GatherError::TooLarge)?;
        self.offsets.clear();
        for param in &mut self.params {
            let BoundParam::Block(block) = param else {
                self.offsets.push(0);
                continue;
            };
            // SAFETY: passed on.
            let bytes = unsafe { block.measure(world, limit.saturating_sub(end))? };
            if block.is_missing() {
                if !self.warned {
                    let resource = block.name();
                    warn!("{}: `{}` does not run, because there is no resource {resource}", self.mod_id, self.system);
                    self.warned = true;
                }
                return Ok(None);
            }
            self.offsets.push(end);
            end = end.checked_add(bytes).ok_or(GatherError::TooLarge)?;
        }
        self.warned = false;
        Ok(Some(end))
    }

    fn panicked(&self, message: String) -> SystemError {
        SystemError::Panicked { system: self.system.clone(), message }
    }

    /// # Safety
    /// As [`Slot::run_target`]; the batch was just measured.
    unsafe fn write(&self, system: u32, world: UnsafeWorldCell, batch: &mut [u8]) -> Result<(), GatherError> {
        let word = |value: usize| u32::try_from(value).map(u32::to_le_bytes).map_err(|_| GatherError::TooLarge);
        let header = [system.to_le_bytes(), word(self.params.len())?, word(batch.len())?, [0; 4]];
        for (place, bytes) in batch.chunks_exact_mut(4).zip(header) {
            place.copy_from_slice(&bytes);
        }
        for (place, offset) in batch[BATCH_HEADER..].chunks_exact_mut(4).zip(&self.offsets) {
            place.copy_from_slice(&word(*offset)?);
        }
        for (param, offset) in self.params.iter().zip(&self.offsets) {
            if let BoundParam::Block(block) = param {
                // SAFETY: passed on.
                unsafe { block.write(world, &mut batch[*offset..])? };
            }
        }
        Ok(())
    }
}

impl fmt::Debug for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Slot").field("name", &self.name).finish_non_exhaustive()
    }
}

/// What a running system of a mod may reach.
struct SlotHost<'s, 'w> {
    functions: &'s mut [Option<Box<dyn HostFunction>>],
    target: &'s SlotTarget,
    world: UnsafeWorldCell<'w>,
    reads_world: bool,
}

impl HostCalls for SlotHost<'_, '_> {
    fn call(&mut self, function: usize, args: &[u8], result: &mut Vec<u8>) -> Result<(), String> {
        if let Some((_, function)) = WORLD_FUNCTIONS.get(function) {
            if !self.reads_world {
                return Err("only a system with a `World` parameter may read on demand".to_owned());
            }
            // SAFETY: a slot with a `World` parameter declares read access to everything, and until its call has
            // returned nothing is written.
            let world = unsafe { self.world.world() };
            let handle = &self.target.handle;
            return handle.on_demand().answer(*function, args, world, handle.memory_limit, result);
        }
        match self.functions.get_mut(function) {
            // SAFETY: the slot's access holds that of every function in this list.
            Some(Some(function)) => unsafe { function.call(args, result, self.world) },
            _ => Err("this system may not call it".to_owned()),
        }
    }
}

impl System for Slot {
    type In = ();
    type Out = ();

    fn name(&self) -> DebugName {
        self.name.clone()
    }

    fn flags(&self) -> SystemStateFlags {
        let deferred = self.functions.iter().flatten().any(|function| function.has_deferred());
        if deferred { SystemStateFlags::DEFERRED } else { SystemStateFlags::empty() }
    }

    unsafe fn run_unsafe(&mut self, (): (), world: UnsafeWorldCell) -> Result<(), RunSystemError> {
        let tick = world.increment_change_tick();
        if let Some(target) = self.cell.get().filter(|target| !target.handle.is_faulted()) {
            let _span = trace_span!("mod_system", id = self.mod_id, system = self.system).entered();
            // SAFETY: the caller has the access that `initialize` returned.
            let outcome = catch(|| unsafe { self.run_target(&target, world, tick) });
            if let Err(error) = outcome.unwrap_or_else(|message| Err(self.panicked(message))) {
                target.handle.fail(&self.system, error);
            }
        }
        self.last_run = tick;
        Ok(())
    }

    fn apply_deferred(&mut self, world: &mut World) {
        // Commands of host functions carry what the mod sent, such as entities that are long gone.
        let apply = || self.functions.iter_mut().flatten().for_each(|function| function.apply_deferred(world));
        if let Err(message) = catch(apply)
            && let Some(target) = self.cell.get()
        {
            target.handle.fail(&self.system, self.panicked(message));
        }
    }

    fn queue_deferred(&mut self, mut world: DeferredWorld) {
        self.functions.iter_mut().flatten().for_each(|function| function.queue_deferred(world.reborrow()));
    }

    fn initialize(&mut self, world: &mut World) -> FilteredAccessSet {
        self.types = world.get_resource_or_init::<AppTypeRegistry>().clone();
        let mut access = FilteredAccessSet::new();
        let mut tokens = FilteredAccess::default();
        tokens.add_write(self.tokens.of_mod);
        access.add(tokens);
        access.add_resource_read(self.tokens.runtime);
        for param in &self.params {
            param.declare(&mut access);
        }
        let functions = world.get_resource_or_init::<HostFunctions>();
        let last = self.imports.iter().max().map_or(0, |last| last + 1);
        let made = (0..last).map(|index| self.imports.contains(&index).then(|| functions.make(index)).flatten());
        self.functions = made.collect();
        for function in self.functions.iter_mut().flatten() {
            access.extend(function.initialize(world));
        }
        access
    }

    fn check_change_tick(&mut self, check: CheckChangeTicks) {
        self.last_run.check_tick(check);
        self.functions.iter_mut().flatten().for_each(|function| function.check_change_tick(check));
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
