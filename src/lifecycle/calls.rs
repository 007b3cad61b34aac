//! The game calls its mods: [`Mods`] in a system, [`CallMod::call_mod`] with the whole World.

mod function;
mod settings;

use std::{ops::Deref, sync::Arc};

use bevy_ecs::{
    system::{Res, ResMut, SystemParam},
    world::{Mut, World},
};
use mod_abi::Identity as ModIdentity;
use mod_host::{CallError, Caller, Decode, Encode, HostCalls, Instance, ModCall, ModCallFailure, ModCallStatus};
use thiserror::Error;

pub use self::{
    function::ModFunction,
    settings::{ModSetting, ModSettingError},
};
use crate::{
    bridge::{
        handle::{ModHandle, SystemError},
        host::HostFunctions,
        neighbours::Chain,
        on_demand::WORLD_FUNCTIONS,
    },
    lifecycle::{
        list::ModListFile,
        player::DeclaredSettings,
        registry::{ModRecord, ModRegistry, ModState},
        requests::Request,
    },
};

/// The mods of this game, for any system.
///
/// A system with this parameter never runs at the same time as a system of a mod. One that only looks takes
/// `Res<ModRegistry>`, to which this parameter dereferences.
///
/// ```
/// # use bevy::prelude::*;
/// # use bevy_wasm_mods::prelude::*;
/// fn ask(mut mods: Mods) -> Result {
///     if mods.is_running("orchard_wind") {
///         let doubled = mods.call::<_, Vec<f64>>("orchard_wind", "double", &vec![1.0, 2.0])?;
///         info!("{doubled:?}");
///     }
///     Ok(())
/// }
/// ```
#[derive(Debug, SystemParam)]
pub struct Mods<'w> {
    registry: ResMut<'w, ModRegistry>,
    list: ResMut<'w, ModListFile>,
    declared: Res<'w, DeclaredSettings>,
}

/// A mod, as the game may show it.
///
/// ```
/// # use bevy::prelude::*;
/// # use bevy_wasm_mods::prelude::*;
/// fn list(mods: Res<ModRegistry>) {
///     for ModInfo { id, version, file, state, .. } in mods.iter() {
///         info!("{id} {version} of {file}: {state:?}");
///     }
/// }
/// ```
#[derive(Debug, Clone)]
pub struct ModInfo {
    /// Its id.
    pub id: Arc<str>,
    /// Its version, empty if that could not be read.
    pub version: String,
    /// What it states of itself, such as its name, authors and description, if that could be read. Of a mod that runs, the
    /// version that does.
    pub identity: Option<Arc<ModIdentity>>,
    /// Its asset path.
    pub file: String,
    /// Whether it runs.
    pub state: ModState,
    /// Bytes of its memory after its last call.
    pub memory_bytes: usize,
}

/// A call from the game that brought no answer.
///
/// ```
/// # use bevy::prelude::*;
/// # use bevy_wasm_mods::prelude::*;
/// fn ask(mut mods: Mods) {
///     match mods.call::<_, f64>("orchard_wind", "force", &()) {
///         Ok(force) => info!("the wind has {force}"),
///         Err(ModCallError::NoSuchMod { .. }) => {} // a game without wind
///         Err(error) => warn!("{error}"),
///     }
/// }
/// ```
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ModCallError {
    /// There is no such mod.
    #[error("there is no mod `{id}`{}", nearest.as_ref().map(|n| format!(" (there is `{n}`)")).unwrap_or_default())]
    NoSuchMod {
        /// The id.
        id: String,
        /// The id of a mod of a similar name.
        nearest: Option<String>,
    },
    /// The mod does not run.
    #[error("the mod `{id}` does not run: {why}")]
    NotRunning {
        /// The id.
        id: String,
        /// Its state.
        why: String,
    },
    /// The mod is in the middle of a call, which led to this one.
    #[error("the mod `{id}` is in the middle of a call and cannot be called by what it called itself")]
    Busy {
        /// The id.
        id: String,
    },
    /// The game has no mods.
    #[error("this game has no `WasmModsPlugin`")]
    NoMods,
    /// The call itself failed.
    #[error("{id}: {source}")]
    Call {
        /// The mod's id.
        id: String,
        /// Which function, and why.
        source: CallError,
    },
}

impl Mods<'_> {
    /// Calls an export of a mod. Several arguments are a tuple; none is `&()`.
    ///
    /// Host functions that reach the World cannot be called meanwhile: see [`CallMod`].
    ///
    /// # Errors
    /// When there is no such mod or export, when the mod does not run, when the types do not fit, or when the mod fails.
    /// A mod that traps, panics or runs out of time is stopped, as if one of its systems had failed.
    pub fn call<A, R>(&mut self, mod_id: &str, export: &str, args: &A) -> Result<R, ModCallError>
    where
        A: Encode + ?Sized,
        R: Decode,
    {
        let handle = self.registry.running(mod_id)?;
        call(&handle, export, args, &mut NoWorld(Chain::of(&handle)))
    }

    /// Switches a mod off: from the next frame on none of its systems runs, and its memory is given back. What it keeps in
    /// `Persist` waits for it. So do mods that need it. The choice is kept where [`ModSettings::list`](crate::ModSettings::list)
    /// says.
    ///
    /// # Errors
    /// [`ModCallError::NoSuchMod`].
    pub fn disable(&mut self, mod_id: &str) -> Result<(), ModCallError> {
        self.registry.request(mod_id, Request::Disable)
    }

    /// Switches a mod on again. It finds what it kept.
    ///
    /// # Errors
    /// [`ModCallError::NoSuchMod`].
    pub fn enable(&mut self, mod_id: &str) -> Result<(), ModCallError> {
        self.registry.request(mod_id, Request::Enable)
    }

    /// Starts a mod anew from the bytes that were last read of its file, as if they had just changed. A mod that failed
    /// gets another chance.
    ///
    /// # Errors
    /// [`ModCallError::NoSuchMod`].
    pub fn reload(&mut self, mod_id: &str) -> Result<(), ModCallError> {
        self.registry.request(mod_id, Request::Reload)
    }

    /// Starts a mod anew from the module that ran last, with its start-up systems and without what it kept in `Persist`.
    ///
    /// This is one of the answers to a mod that has failed ([`FaultPolicy`](crate::FaultPolicy), which says how long it may
    /// wait), and earlier faults are forgotten. One that runs is stopped first, after its `OnUnload` systems, and what it has in the
    /// World goes as when it is switched off. One that never ran is loaded again, as [`Mods::reload`] does. One that is switched
    /// off stays so, and one that is on its way goes on.
    ///
    /// # Errors
    /// [`ModCallError::NoSuchMod`].
    pub fn restart(&mut self, mod_id: &str) -> Result<(), ModCallError> {
        self.registry.request(mod_id, Request::Restart)
    }

    /// Takes a mod out of the game with all that is known of it. It comes back when its file changes.
    ///
    /// # Errors
    /// [`ModCallError::NoSuchMod`].
    pub fn unload(&mut self, mod_id: &str) -> Result<(), ModCallError> {
        self.registry.request(mod_id, Request::Unload)
    }
}

impl Deref for Mods<'_> {
    type Target = ModRegistry;

    fn deref(&self) -> &ModRegistry {
        &self.registry
    }
}

/// Calls into mods with the whole World, so that host functions and on-demand access work in the middle of the call.
///
/// ```
/// # use bevy::prelude::*;
/// # use bevy_wasm_mods::prelude::*;
/// fn sell(world: &mut World) -> Result {
///     let coins: f64 = world.call_mod("orchard_market", "price", &12_u32)?;
///     info!("{coins} coins");
///     Ok(())
/// }
/// ```
pub trait CallMod {
    /// Calls an export of a mod, as [`Mods::call`] does.
    ///
    /// # Errors
    /// As [`Mods::call`].
    fn call_mod<A, R>(&mut self, mod_id: &str, export: &str, args: &A) -> Result<R, ModCallError>
    where
        A: Encode + ?Sized,
        R: Decode;

    /// Calls a function of a mod by its handle, as [`Mods::call_function`] does.
    ///
    /// # Errors
    /// As [`Mods::call_function`].
    fn call_mod_function<A, R>(&mut self, function: &ModFunction<A, R>, args: &A) -> Result<R, ModCallError>
    where
        A: Encode + ?Sized,
        R: Decode;
}

impl CallMod for World {
    fn call_mod<A, R>(&mut self, mod_id: &str, export: &str, args: &A) -> Result<R, ModCallError>
    where
        A: Encode + ?Sized,
        R: Decode,
    {
        let handle = self.get_resource::<ModRegistry>().ok_or(ModCallError::NoMods)?.running(mod_id)?;
        let mut host = WholeWorld { world: self, chain: Chain::of(&handle) };
        call(&handle, export, args, &mut host)
    }

    fn call_mod_function<A, R>(&mut self, function: &ModFunction<A, R>, args: &A) -> Result<R, ModCallError>
    where
        A: Encode + ?Sized,
        R: Decode,
    {
        function::call_with_world(self, function, args)
    }
}

fn call<A, R>(handle: &ModHandle, export: &str, args: &A, host: &mut dyn HostCalls) -> Result<R, ModCallError>
where
    A: Encode + ?Sized,
    R: Decode,
{
    entered(handle, export, |instance| instance.call(export, args, host))
}

/// Calls into a mod. One that is left in the middle of its code is stopped.
fn entered<R>(
    handle: &ModHandle,
    export: &str,
    call: impl FnOnce(&mut Instance) -> Result<R, CallError>,
) -> Result<R, ModCallError> {
    let id = handle.id.to_string();
    let entered = handle.enter(|instance| (call(instance), instance.is_poisoned()));
    let Ok((result, poisoned)) = entered else { return Err(ModCallError::Busy { id }) };
    result.map_err(|source| {
        if poisoned {
            let (export, reason) = (export.to_owned(), source.to_string());
            let backtrace = source.backtrace().cloned().unwrap_or_default();
            handle.fail(&export.clone(), SystemError::Stopped { export, reason, backtrace });
        }
        ModCallError::Call { id, source }
    })
}

impl ModRegistry {
    /// Whether the mod is loaded and its systems run.
    #[must_use]
    pub fn is_running(&self, mod_id: &str) -> bool {
        self.running(mod_id).is_ok()
    }

    /// The state of a mod, if it is known.
    #[must_use]
    pub fn state(&self, mod_id: &str) -> Option<&ModState> {
        self.mods.get(mod_id).map(|record| &record.state)
    }

    /// Whether every file in the mod folder that is known has come to rest: its mod runs, waits for the game, is switched
    /// off, or failed.
    #[must_use]
    pub fn all_settled(&self) -> bool {
        self.is_settled()
    }

    /// All mods that are known, by id.
    pub fn iter(&self) -> impl Iterator<Item = ModInfo> {
        self.mods.iter().map(|(id, record)| ModInfo {
            id: Arc::clone(id),
            version: record.version.clone(),
            identity: self.identity_of(id, record),
            file: record.file.clone(),
            state: record.state.clone(),
            memory_bytes: record.running.as_ref().map_or(0, |running| running.handle.memory_bytes()),
        })
    }

    fn identity_of(&self, id: &str, record: &ModRecord) -> Option<Arc<ModIdentity>> {
        let running = record.running.as_ref().filter(|_| record.is_running()).map(|running| &running.identity);
        let offered = || self.files.get(&record.file).and_then(|file| file.identity.as_ref());
        running.or_else(offered).filter(|identity| identity.id == id).cloned()
    }

    fn request(&mut self, id: &str, request: Request) -> Result<(), ModCallError> {
        let (id, _) = self.mods.get_key_value(id).ok_or_else(|| self.no_such(id))?;
        self.requests.push((Arc::clone(id), request));
        Ok(())
    }

    fn no_such(&self, id: &str) -> ModCallError {
        let wanted = id.to_ascii_lowercase();
        let nearest = self.mods.keys().find(|known| known.contains(&wanted) || wanted.contains(&***known));
        ModCallError::NoSuchMod { id: id.to_owned(), nearest: nearest.map(ToString::to_string) }
    }

    fn running(&self, id: &str) -> Result<Arc<ModHandle>, ModCallError> {
        let Some(record) = self.mods.get(id) else { return Err(self.no_such(id)) };
        let not_running = |why: String| ModCallError::NotRunning { id: id.to_owned(), why };
        match (&record.state, &record.running) {
            (ModState::Running, Some(running)) if !running.handle.is_faulted() => Ok(Arc::clone(&running.handle)),
            (ModState::Disabled, _) => Err(not_running("the game switched it off".to_owned())),
            (ModState::Failed(fault) | ModState::Undecided(fault), _) => Err(not_running(fault.cause.to_string())),
            (ModState::Restarting(fault), _) => {
                Err(not_running(format!("it is about to be restarted after a fault: {}", fault.cause)))
            }
            (ModState::Loading, _) => Err(not_running("it is being loaded".to_owned())),
            (ModState::Waiting { mods }, _) => {
                Err(not_running(format!("it waits for {}, which it needs", mods.join(", "))))
            }
            (ModState::Pending { types }, _) => Err(not_running(format!("it waits for {}", types.join(", ")))),
            _ => Err(not_running("it failed in this frame".to_owned())),
        }
    }
}

/// The host of a call from a system that does not hold the World.
struct NoWorld<'a>(Chain<'a>);

impl HostCalls for NoWorld<'_> {
    fn call(&mut self, _: &mut Caller<'_>, _: usize, _: &[u8], _: &mut Vec<u8>) -> Result<(), String> {
        Err(format!("{NO_WORLD}; call it with `world.call_mod`"))
    }

    fn call_mod(&mut self, call: &ModCall<'_>, result: &mut Vec<u8>) -> Result<(), ModCallFailure> {
        let callee = self.0.find(call)?;
        if callee.needs_world() {
            // The mod that calls should not be able to bring the other one down.
            let reason = format!("`{}` is of a mod that may call the game, but {NO_WORLD}", call.import);
            return Err(ModCallFailure::new(ModCallStatus::Refused, reason));
        }
        self.0.enter(&callee, call, &mut NoWorld(self.0.with(&callee.handle)), result)
    }
}

const NO_WORLD: &str = "a mod that the game calls through `Mods` cannot reach the World";

/// The host of a call that holds the World.
struct WholeWorld<'w, 'a> {
    world: &'w mut World,
    chain: Chain<'a>,
}

impl HostCalls for WholeWorld<'_, '_> {
    fn call(
        &mut self,
        caller: &mut Caller<'_>,
        function: usize,
        args: &[u8],
        result: &mut Vec<u8>,
    ) -> Result<(), String> {
        if let Some((_, function)) = WORLD_FUNCTIONS.get(function) {
            let handle = self.chain.handle();
            return handle.on_demand().answer(*function, args, self.world, handle, result);
        }
        let make = |_: &mut World, functions: Mut<HostFunctions>| functions.make(function);
        let function = self.world.resource_scope(make);
        function.ok_or("there is no such host function")?.call_once(caller, args, result, self.world)
    }

    fn call_mod(&mut self, call: &ModCall<'_>, result: &mut Vec<u8>) -> Result<(), ModCallFailure> {
        let callee = self.chain.find(call)?;
        let mut host = WholeWorld { world: self.world, chain: self.chain.with(&callee.handle) };
        self.chain.enter(&callee, call, &mut host, result)
    }
}
