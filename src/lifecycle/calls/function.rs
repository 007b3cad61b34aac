//! Handles to functions of mods: found and compared once, and then called without a look at names.

use std::sync::Arc;

use bevy_ecs::world::World;
use mod_host::{CallError, Decode, Encode, Function, HostCalls};

use super::{ModCallError, Mods, NoWorld, WholeWorld, entered};
use crate::{
    bridge::{handle::ModHandle, neighbours::Chain},
    lifecycle::registry::ModRegistry,
};

/// A handle to a function of a mod that takes `A` and returns `R`. [`Mods::function`] makes it.
///
/// It belongs to the mod as it runs then. After a reload the next call is an error, and the function has to be looked up
/// again: its types may have changed.
#[derive(Debug)]
pub struct ModFunction<A: ?Sized, R> {
    mod_id: Arc<str>,
    function: Function<A, R>,
}

impl<A: ?Sized, R> ModFunction<A, R> {
    /// The mod whose function it is.
    #[must_use]
    pub fn mod_id(&self) -> &str {
        &self.mod_id
    }

    /// The function's name.
    #[must_use]
    pub fn name(&self) -> &str {
        self.function.name()
    }
}

impl<A: ?Sized, R> Clone for ModFunction<A, R> {
    fn clone(&self) -> Self {
        Self { mod_id: Arc::clone(&self.mod_id), function: self.function.clone() }
    }
}

impl Mods<'_> {
    /// Looks a function of a mod up, to be called often. Its types are compared with what the mod states of them, so that a
    /// difference is an error here and not a value that nobody meant.
    ///
    /// ```
    /// # use bevy::prelude::*;
    /// # use bevy_wasm_mods::prelude::*;
    /// #[derive(Resource, Default)]
    /// struct Doubler(Option<ModFunction<Vec<f64>, Vec<f64>>>);
    ///
    /// fn double(mut mods: Mods, mut doubler: ResMut<Doubler>, mut events: MessageReader<ModEvent>) -> Result {
    ///     // Loaded or reloaded: look it up again.
    ///     if events.read().count() > 0 {
    ///         doubler.0 = mods.function("orchard_wind", "double").ok();
    ///     }
    ///     if let Some(double) = &doubler.0 {
    ///         info!("{:?}", mods.call_function(double, &vec![1.0, 2.0])?);
    ///     }
    ///     Ok(())
    /// }
    /// ```
    ///
    /// # Errors
    /// When there is no such mod or function, when the mod does not run, or when the function takes or returns something
    /// else.
    pub fn function<A: Encode + Decode, R: Decode>(
        &self,
        mod_id: &str,
        export: &str,
    ) -> Result<ModFunction<A, R>, ModCallError> {
        let handle = self.registry.running(mod_id)?;
        let found = handle.enter(|instance| instance.function(export));
        let id = || handle.id.to_string();
        let found = found.map_err(|_| ModCallError::Busy { id: id() })?;
        let function = found.map_err(|source| ModCallError::Call { id: id(), source })?;
        Ok(ModFunction { mod_id: Arc::clone(&handle.id), function })
    }

    /// [`Mods::function`] for one that a mod need not have.
    ///
    /// # Errors
    /// As [`Mods::function`], but a mod without the function is none.
    pub fn optional_function<A: Encode + Decode, R: Decode>(
        &self,
        mod_id: &str,
        export: &str,
    ) -> Result<Option<ModFunction<A, R>>, ModCallError> {
        match self.function(mod_id, export) {
            Ok(function) => Ok(Some(function)),
            Err(ModCallError::Call { source: CallError::NoSuchFunction { .. }, .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Calls a function by its handle, as [`Mods::call`] does by its name.
    ///
    /// # Errors
    /// [`CallError::Stale`] after a reload, and as [`Mods::call`].
    pub fn call_function<A, R>(&mut self, function: &ModFunction<A, R>, args: &A) -> Result<R, ModCallError>
    where
        A: Encode + ?Sized,
        R: Decode,
    {
        let handle = self.registry.running(&function.mod_id)?;
        call(&handle, function, args, &mut NoWorld(Chain::of(&handle)))
    }
}

/// [`CallMod::call_mod_function`](super::CallMod::call_mod_function)
pub(super) fn call_with_world<A, R>(
    world: &mut World,
    function: &ModFunction<A, R>,
    args: &A,
) -> Result<R, ModCallError>
where
    A: Encode + ?Sized,
    R: Decode,
{
    let registry = world.get_resource::<ModRegistry>().ok_or(ModCallError::NoMods)?;
    let handle = registry.running(&function.mod_id)?;
    call(&handle, function, args, &mut WholeWorld { world, chain: Chain::of(&handle) })
}

fn call<A, R>(
    handle: &ModHandle,
    function: &ModFunction<A, R>,
    args: &A,
    host: &mut dyn HostCalls,
) -> Result<R, ModCallError>
where
    A: Encode + ?Sized,
    R: Decode,
{
    entered(handle, function.name(), |instance| instance.call_function(&function.function, args, host))
}
