//! Host functions: systems of the game that a mod calls in the middle of its own.
//!
//! A host function is any system with input and output that is not exclusive and can be cloned. Every slot whose mod
//! imports it holds a clone: its `Local`s belong to that slot, its access joins the slot's, and its commands apply at
//! the slot's own sync point.
#![expect(unsafe_code, reason = "runs systems on a world cell whose access the calling slot has declared")]

mod input;
mod output;

use std::{any::type_name, fmt, marker::PhantomData, sync::Arc};

use bevy_ecs::{
    change_detection::CheckChangeTicks,
    query::FilteredAccessSet,
    resource::Resource,
    system::{IntoSystem, System},
    world::{DeferredWorld, World, unsafe_world_cell::UnsafeWorldCell},
};
use mod_abi::{Signature, names};
use mod_host::{Caller, Codec, HostFunctionDesc, OutputDesc};

pub use self::{
    input::{FromMod, ModImportInput},
    output::ModImportOutput,
};
use crate::bridge::{handle::catch, on_demand::WORLD_FUNCTIONS};

/// A host function as one slot holds it.
pub(crate) trait HostFunction: Send + Sync {
    fn initialize(&mut self, world: &mut World) -> FilteredAccessSet;

    /// # Safety
    /// The caller has the access that `initialize` returned, for this world.
    unsafe fn call(
        &mut self,
        caller: &mut Caller<'_>,
        args: &[u8],
        result: &mut Vec<u8>,
        world: UnsafeWorldCell,
    ) -> Result<(), String>;

    fn apply_deferred(&mut self, world: &mut World);
    fn queue_deferred(&mut self, world: DeferredWorld);
    fn check_change_tick(&mut self, check: CheckChangeTicks);
    fn has_deferred(&self) -> bool;

    /// Runs the function once, outside a slot.
    fn call_once(
        &mut self,
        caller: &mut Caller<'_>,
        args: &[u8],
        result: &mut Vec<u8>,
        world: &mut World,
    ) -> Result<(), String> {
        self.initialize(world);
        // SAFETY: the cell comes from a `&mut World`, which may do everything.
        let answer = unsafe { self.call(caller, args, result, world.as_unsafe_world_cell()) };
        catch(|| self.apply_deferred(world)).map_err(|panic| format!("its commands panicked: {panic}"))?;
        answer
    }
}

/// A system, with the marker of its output.
struct SystemFunction<S, M>(S, PhantomData<fn() -> M>);

impl<I, O, M, S> HostFunction for SystemFunction<S, M>
where
    I: ModImportInput + 'static,
    O: ModImportOutput<M> + 'static,
    S: System<In = I, Out = O>,
{
    fn initialize(&mut self, world: &mut World) -> FilteredAccessSet {
        self.0.initialize(world)
    }

    unsafe fn call(
        &mut self,
        caller: &mut Caller<'_>,
        args: &[u8],
        result: &mut Vec<u8>,
        world: UnsafeWorldCell,
    ) -> Result<(), String> {
        // Reading and writing are code of the game, too: that of its types.
        let answer = catch(|| {
            let input = I::read(caller, args)?;
            // SAFETY: the caller has this system's access, and exclusive systems are refused when they are added.
            let output = unsafe { self.0.run_unsafe(input, world) }.map_err(|error| error.to_string())?;
            output.into_bytes(caller)
        });
        *result = answer.map_err(|panic| format!("it panicked: {panic}"))??;
        Ok(())
    }

    fn apply_deferred(&mut self, world: &mut World) {
        self.0.apply_deferred(world);
    }

    fn queue_deferred(&mut self, world: DeferredWorld) {
        self.0.queue_deferred(world);
    }

    fn check_change_tick(&mut self, check: CheckChangeTicks) {
        self.0.check_change_tick(check);
    }

    fn has_deferred(&self) -> bool {
        self.0.has_deferred()
    }
}

type Factory = Arc<dyn Fn() -> Box<dyn HostFunction> + Send + Sync>;

/// A system of the game that is a host function.
#[derive(Clone)]
struct Offered {
    make: Factory,
    takes: &'static str,
    returns: OutputDesc,
}

/// The host functions that this game offers, by name. The place in the list is how an instance names a function, so
/// entries are never removed.
#[derive(Resource)]
pub(crate) struct HostFunctions {
    offered: Vec<HostFunctionDesc>,
    systems: Vec<Option<Offered>>,
}

impl fmt::Debug for HostFunctions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HostFunctions").field("offered", &self.offered).finish_non_exhaustive()
    }
}

impl Default for HostFunctions {
    fn default() -> Self {
        let offered = WORLD_FUNCTIONS.map(|(name, _)| HostFunctionDesc::from(name));
        Self { systems: vec![None; offered.len()], offered: offered.to_vec() }
    }
}

impl HostFunctions {
    /// What is offered, in its order.
    pub(crate) fn offered(&self) -> Arc<[HostFunctionDesc]> {
        self.offered.iter().cloned().collect()
    }

    pub(crate) fn index_of(&self, name: &str) -> Option<usize> {
        self.offered.iter().position(|known| known.name == name)
    }

    /// The functions of the game, with the types of their arguments and results, in no order.
    pub(crate) fn of_game(&self) -> impl Iterator<Item = (&HostFunctionDesc, &'static str, OutputDesc)> {
        let systems = self.offered.iter().zip(&self.systems);
        systems.filter_map(|(desc, system)| system.as_ref().map(|system| (desc, system.takes, system.returns)))
    }

    /// A clone of a function, or `None` for those that are not systems.
    pub(crate) fn make(&self, index: usize) -> Option<Box<dyn HostFunction>> {
        self.systems.get(index).and_then(Option::as_ref).map(|system| (system.make)())
    }

    /// A clone of each of these functions, at its place.
    pub(crate) fn make_all(&self, places: &[usize]) -> Vec<Option<Box<dyn HostFunction>>> {
        let last = places.iter().max().map_or(0, |last| last + 1);
        (0..last).map(|index| places.contains(&index).then(|| self.make(index)).flatten()).collect()
    }

    /// Adds a function, or replaces the one of that name.
    ///
    /// # Panics
    /// When the system cannot be a host function, or the name is reserved: mistakes of the game's own code.
    pub(crate) fn add<I, O, M, N, F>(world: &mut World, name: &str, function: F)
    where
        I: ModImportInput + 'static,
        O: ModImportOutput<N> + 'static,
        N: 'static,
        F: IntoSystem<I, O, M> + Clone + Send + Sync + 'static,
    {
        assert!(!names::is_reserved(name), "`{name}` cannot be the name of a mod import: it belongs to the ABI");
        let mut trial = IntoSystem::into_system(function.clone());
        let refused = "cannot be a mod import, because it would run in the middle of a mod's system";
        assert!(!trial.is_exclusive(), "the exclusive system `{}` {refused}", type_name::<F>());
        trial.initialize(world);
        assert!(trial.is_send(), "the system `{}`, which reads non-send data, {refused}", type_name::<F>());
        let make: Factory =
            Arc::new(move || Box::new(SystemFunction::<_, N>(IntoSystem::into_system(function.clone()), PhantomData)));
        let system = Some(Offered { make, takes: I::type_name(), returns: O::desc() });
        let desc = HostFunctionDesc { name: name.to_owned(), signature: Some(signature::<I>) };
        let mut functions = world.get_resource_or_init::<Self>();
        match functions.index_of(name) {
            Some(index) => (functions.offered[index], functions.systems[index]) = (desc, system),
            None => {
                functions.offered.push(desc);
                functions.systems.push(system);
            }
        }
    }
}

/// What a function takes. What it returns is known by a value only.
fn signature<I: ModImportInput>(codec: Codec) -> Signature {
    Signature { args: I::args(codec), result: None }
}
