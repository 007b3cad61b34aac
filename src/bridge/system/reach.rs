//! What a running system of a mod may reach: host functions, other mods, its own rows, and, if it may, the World.
#![expect(unsafe_code, reason = "runs systems and reads the World by the access that the slot declared")]

use bevy_ecs::world::unsafe_world_cell::UnsafeWorldCell;
use mod_host::{Caller, HostCalls, ModCall, ModCallFailure};

use super::{SlotTarget, params::Params};
use crate::bridge::{
    filter::Ticks,
    host::HostFunction,
    neighbours::{Chain, Neighbours},
    on_demand::{WORLD_FUNCTIONS, WorldFunction, arguments, reply},
};

/// The most entities that a mod may hold ids of without having spawned them.
const MAX_RESERVED: usize = 250_000;

/// See the module's documentation.
pub(super) struct SlotHost<'s, 'w> {
    pub(super) functions: &'s mut [Option<Box<dyn HostFunction>>],
    pub(super) neighbours: &'s mut Neighbours,
    pub(super) chain: Chain<'s>,
    pub(super) params: &'s Params,
    pub(super) target: &'s SlotTarget,
    pub(super) world: UnsafeWorldCell<'w>,
    pub(super) ticks: Ticks,
    pub(super) reads_world: bool,
    pub(super) commands: bool,
}

impl HostCalls for SlotHost<'_, '_> {
    fn call(
        &mut self,
        caller: &mut Caller<'_>,
        function: usize,
        args: &[u8],
        result: &mut Vec<u8>,
    ) -> Result<(), String> {
        if let Some((_, function)) = WORLD_FUNCTIONS.get(function) {
            return self.answer(*function, args, result);
        }
        match self.functions.get_mut(function) {
            // SAFETY: the slot's access holds that of every function in this list.
            Some(Some(function)) => unsafe { function.call(caller, args, result, self.world) },
            _ => Err("this system may not call it".to_owned()),
        }
    }

    fn call_mod(&mut self, call: &ModCall<'_>, result: &mut Vec<u8>) -> Result<(), ModCallFailure> {
        // SAFETY: the slot's access holds that of its neighbours.
        unsafe { self.neighbours.call(&self.chain, call, result, self.world) }
    }

    fn reserve_entity(&mut self) -> Result<u64, String> {
        if !self.commands {
            return Err("only a system with `Commands` may spawn entities".to_owned());
        }
        let mut reserved = self.target.handle.reserved();
        if reserved.len() >= MAX_RESERVED {
            return Err(format!("it spawned more than {MAX_RESERVED} entities at once"));
        }
        let entity = self.world.entity_allocator().alloc();
        reserved.insert(entity);
        Ok(entity.to_bits())
    }

    fn query_row(&mut self, param: u32, entity: u64) -> Result<Option<u32>, String> {
        self.params.row_of(param, self.world, entity)
    }
}

impl SlotHost<'_, '_> {
    fn answer(&mut self, function: WorldFunction, args: &[u8], result: &mut Vec<u8>) -> Result<(), String> {
        let handle = &self.target.handle;
        match function {
            WorldFunction::TypeIndex => reply(&handle.type_index(arguments(args)?)?, result),
            // SAFETY: the slot's access holds that of its parameters, and until its call has returned nothing of it is
            // written.
            WorldFunction::Ticks => unsafe { self.params.ticks(arguments(args)?, self.world, self.ticks, result) },
            _ if !self.reads_world => Err("only a system with a `World` parameter may read on demand".to_owned()),
            _ => {
                // SAFETY: a slot with a `World` parameter declares read access to everything, and until its call has
                // returned nothing is written.
                let world = unsafe { self.world.world() };
                handle.on_demand().answer(function, args, world, handle, result)
            }
        }
    }
}
