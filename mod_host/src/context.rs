//! What a running call may reach on the host's side: a pointer that is in the store for exactly as long as the call
//! takes. The only unsafe code of this crate. What the host does with a call is not known here.

use std::ptr::NonNull;

use wasmtime::Store;

use crate::{
    caller::Caller,
    mod_call::{ModCall, ModCallFailure, not_running},
    state::State,
};

/// What the mod may call while a call into it runs.
///
/// The mod is in the middle of a call then, so an implementation cannot enter the same instance again; it has no
/// access to it.
///
/// ```
/// use mod_host::{Caller, HostCalls, NoHostCalls};
///
/// /// A world that lives elsewhere, lent for one call.
/// struct Lent<'a>(&'a mut Vec<String>);
///
/// impl HostCalls for Lent<'_> {
///     fn call(&mut self, caller: &mut Caller<'_>, _: usize, args: &[u8], result: &mut Vec<u8>) -> Result<(), String> {
///         self.0.push(caller.arguments(args)?);
///         *result = caller.answer(self.0.len() as u32)?;
///         Ok(())
///     }
/// }
///
/// # use mod_host::{CompiledMod, HostEngine, Instance, InstanceConfig, Limits};
/// # let bytes = std::fs::read("examples/greeter.wasm")?;
/// # let compiled = CompiledMod::new(&HostEngine::shared()?, &bytes, "greeter", &Limits::default())?;
/// let mut config = InstanceConfig::default();
/// config.host_functions = ["announce".into()].into();
/// let mut instance = Instance::new(&compiled, config)?;
/// let mut news = Vec::new();
/// let greeting: String = instance.call("greet", "Ada", &mut Lent(&mut news))?;
/// assert_eq!(news, [greeting]);
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
pub trait HostCalls {
    /// Runs a host function.
    ///
    /// `function` is its index in [`InstanceConfig::host_functions`](crate::InstanceConfig::host_functions). `args`
    /// are the encoded arguments as the mod wrote them: any bytes at all, which [`Caller::arguments`] reads. The encoded
    /// result, as [`Caller::answer`] makes it, goes into `result`, which is empty.
    ///
    /// # Errors
    /// The reason, as a sentence for people. The mod's call ends with it, and the instance cannot be used again.
    fn call(
        &mut self,
        caller: &mut Caller<'_>,
        function: usize,
        args: &[u8],
        result: &mut Vec<u8>,
    ) -> Result<(), String>;

    /// Runs a function of another mod, for a mod that imports it, and appends the encoded result to `result`, which is
    /// empty: [`Instance::answer_mod`] does. A host that keeps its mods apart need not do anything.
    ///
    /// The mod that calls is in the middle of its code, so it must not be entered again on the way: such a call is
    /// [`ModCallStatus::Busy`].
    ///
    /// # Errors
    /// Why there is no result. The mod that calls gets it as an answer, and goes on.
    ///
    /// [`Instance::answer_mod`]: crate::Instance::answer_mod
    /// [`ModCallStatus::Busy`]: crate::ModCallStatus::Busy
    fn call_mod(&mut self, call: &ModCall<'_>, result: &mut Vec<u8>) -> Result<(), ModCallFailure> {
        let _ = result;
        Err(not_running(&call.import.mod_id))
    }

    /// The id of an entity that does not exist yet, for the mod to spawn.
    ///
    /// # Errors
    /// As [`HostCalls::call`].
    fn reserve_entity(&mut self) -> Result<u64, String> {
        Err("entities can only be spawned by a system with `Commands`".to_owned())
    }

    /// The row of an entity in the block of the running system's parameter `param`, if it has one.
    ///
    /// # Errors
    /// As [`HostCalls::call`].
    fn query_row(&mut self, param: u32, entity: u64) -> Result<Option<u32>, String> {
        let _ = (param, entity);
        Err("there are rows only while a system runs".to_owned())
    }
}

/// Refuses every call: for calls into a mod that have nothing of the host to offer, as in the example of [`Instance`].
///
/// [`Instance`]: crate::Instance
#[derive(Debug, Clone, Copy, Default)]
pub struct NoHostCalls;

const REFUSAL: &str = "host functions cannot be called here";

impl HostCalls for NoHostCalls {
    fn call(&mut self, _: &mut Caller<'_>, _: usize, _: &[u8], _: &mut Vec<u8>) -> Result<(), String> {
        Err(REFUSAL.to_owned())
    }
}

/// The place in a store for the [`HostCalls`] of the running call. Empty between calls.
pub(crate) struct HostSlot(Option<NonNull<dyn HostCalls>>);

#[expect(unsafe_code, reason = "a pointer is not Send, but this one only exists while a call runs")]
// SAFETY: The slot is filled only inside `with_host`, which borrows the store mutably and empties the slot before it
// returns or unwinds. A store that can be moved to another thread therefore has an empty slot.
unsafe impl Send for HostSlot {}

#[expect(unsafe_code, reason = "a pointer is not Sync, but a shared reference to this one can do nothing")]
// SAFETY: Everything that looks at the pointer takes `&mut self`.
unsafe impl Sync for HostSlot {}

impl HostSlot {
    pub(crate) const fn empty() -> Self {
        Self(None)
    }

    /// Asks the host, if a call runs.
    pub(crate) fn ask<T>(&mut self, ask: impl FnOnce(&mut dyn HostCalls) -> Result<T, String>) -> Result<T, String> {
        // Taken out meanwhile, so that there cannot be two mutable references, whatever the host does.
        let Some(mut host) = self.0.take() else { return Err(REFUSAL.to_owned()) };
        #[expect(unsafe_code, reason = "the store cannot hold a reference with a lifetime")]
        // SAFETY: The pointer was made from a mutable reference in `with_host`, which still borrows its target and is
        // further up on this thread's stack, because it empties the slot before it ends. No other reference is made
        // from it, because it is not in the slot while this one lives.
        let outcome = ask(unsafe { host.as_mut() });
        self.0 = Some(host);
        outcome
    }
}

/// Runs `body` with `host` in the store's slot.
pub(crate) fn with_host<T>(
    store: &mut Store<State>,
    host: &mut dyn HostCalls,
    body: impl FnOnce(&mut Store<State>) -> T,
) -> T {
    /// Empties the slot, also when `body` panics.
    struct Guard<'a>(&'a mut Store<State>);
    impl Drop for Guard<'_> {
        fn drop(&mut self) {
            self.0.data_mut().host = HostSlot::empty();
        }
    }

    let host: NonNull<dyn HostCalls + '_> = NonNull::from(host);
    #[expect(unsafe_code, reason = "the store's data must be 'static")]
    // SAFETY: Only the lifetime bound of the trait object changes. The guard below takes the pointer out of the
    // store before the borrow of `host` ends, and nothing else can reach the slot without the store.
    let host = unsafe { std::mem::transmute::<NonNull<dyn HostCalls + '_>, NonNull<dyn HostCalls + 'static>>(host) };
    store.data_mut().host = HostSlot(Some(host));
    let guard = Guard(store);
    body(guard.0)
}
