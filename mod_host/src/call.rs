//! Calls into a mod: the deadline is set, the call made, and what stopped it becomes an error. What is called, and
//! what the bytes mean, is not known here.

use std::{
    any::type_name,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use mod_abi::{
    Buffer,
    codec::Codec,
    describe::{ConditionTest, ModDescription, OrderDesc, OrderTarget},
    names::{DESCRIBE, RESTORE, RUN, SAVE, is_reserved, symbol},
    state::SavedState,
};
use wasmtime::{ExternType, Store, TypedFunc};

use crate::{
    backtrace::ModBacktrace,
    budget::{self, Step},
    codec::{Decode, Encode},
    context::{HostCalls, NoHostCalls, with_host},
    error::CallError,
    fault::{Fault, Stop},
    instance::{Functions, Instance},
    manifest::signature,
    memory::Guest,
    nearest::nearest,
    nesting::Nesting,
    state::State,
    text,
};

/// The most values that a mod may keep over a reload.
const MAX_STATES: usize = 1024;

impl Instance {
    /// Calls a function by its name, without leading underscores. Several arguments are a tuple, none is `()`, a
    /// single one stands bare.
    ///
    /// # Errors
    /// Any [`CallError`]. After one that left the mod's code in the middle, the instance is poisoned.
    pub fn call<A: Encode + ?Sized, R: Decode>(
        &mut self,
        function: &str,
        args: &A,
        host: &mut dyn HostCalls,
    ) -> Result<R, CallError> {
        let codec = self.manifest().codec;
        let args = encode(function, args, codec)?;
        let callable = self.callable(function)?;
        self.invoke(function, &callable, &args, host, |bytes| decode(function, bytes, codec))?
    }

    /// [`Instance::call`] with arguments that are encoded already, and a result that is left as it is.
    ///
    /// # Errors
    /// Any [`CallError`] but those of encoding and decoding.
    pub fn call_bytes(&mut self, function: &str, args: &[u8], host: &mut dyn HostCalls) -> Result<Vec<u8>, CallError> {
        let callable = self.callable(function)?;
        self.invoke(function, &callable, args, host, <[u8]>::to_vec)
    }

    /// Asks the mod what it offers and needs, under [`Limits::startup_time`](crate::Limits::startup_time). A mod that
    /// does not describe itself offers nothing. Names in the answer have no control characters.
    ///
    /// # Errors
    /// Any [`CallError`].
    pub fn describe(&mut self) -> Result<ModDescription, CallError> {
        trace_room!("describe", id = self.manifest().identity.id);
        self.contract(DESCRIBE, |functions| functions.describe.as_ref(), &[]).map(cleaned)
    }

    /// Asks the mod for what should outlive it, under [`Limits::startup_time`](crate::Limits::startup_time). A mod
    /// without a save export keeps nothing.
    ///
    /// # Errors
    /// Any [`CallError`]; [`CallError::BadResult`] for more than 1024 values.
    pub fn save(&mut self) -> Result<Vec<SavedState>, CallError> {
        let mut states: Vec<SavedState> = self.contract(SAVE, |functions| functions.save.as_ref(), &[])?;
        if states.len() > MAX_STATES {
            let reason = format!("returned {} values to keep, more than {MAX_STATES}", states.len());
            return Err(CallError::BadResult { function: SAVE.to_owned(), reason });
        }
        states.iter_mut().for_each(|state| state.name = text::clean(&state.name));
        Ok(states)
    }

    /// Gives the mod what an earlier version kept, made to fit by
    /// [`carry_over`](mod_abi::state::carry_over), under [`Limits::startup_time`](crate::Limits::startup_time).
    ///
    /// # Errors
    /// Any [`CallError`].
    pub fn restore(&mut self, states: &[SavedState]) -> Result<(), CallError> {
        let args = encode(RESTORE, states, Codec::Bincode)?;
        self.contract(RESTORE, |functions| functions.restore.as_ref(), &args)
    }

    /// Calls an optional function of the contract. One that is missing answers with nothing.
    fn contract<R: Decode + Default>(
        &mut self,
        name: &'static str,
        function: impl Fn(&Functions) -> Option<&TypedFunc<u64, u64>>,
        args: &[u8],
    ) -> Result<R, CallError> {
        if function(&self.functions).is_none() {
            return Ok(R::default());
        }
        let answer = self.enter(name, Step::Startup, &mut NoHostCalls, |store, guest, functions| {
            let function = function(functions);
            function
                .map(|function| exchange(store, guest, function, args, |bytes| decode(name, bytes, Codec::Bincode)))
                .transpose()
        })?;
        answer.unwrap_or_else(|| Ok(R::default()))
    }

    /// Runs a system over the last batch and returns where it left its commands: [`Instance::guest_bytes`] reads them.
    /// `system` is its name, for errors.
    ///
    /// # Errors
    /// Any [`CallError`].
    pub fn run(&mut self, system: &str, host: &mut dyn HostCalls) -> Result<Buffer, CallError> {
        let batch = self.batches.last();
        let len = usize::try_from(batch.len()).unwrap_or(usize::MAX);
        self.enter(system, Step::Call, host, |store, _, functions| {
            let run = functions.run.as_ref().ok_or(Fault::Missing(RUN))?;
            let usage = &mut store.data_mut().usage;
            usage.add_call();
            usage.add_in(len);
            Ok(Buffer::from_raw(run.call(store, batch.to_raw())?))
        })
    }

    /// The function of that name. A poisoned instance has none.
    fn callable(&self, function: &str) -> Result<Arc<TypedFunc<u64, u64>>, CallError> {
        match self.functions.callable.get(function) {
            _ if self.poisoned => Err(CallError::Poisoned { function: text::clean(function) }),
            Some(callable) => Ok(Arc::clone(callable)),
            None => Err(self.no_such(function)),
        }
    }

    /// Calls a function of this instance's store.
    pub(crate) fn invoke<T>(
        &mut self,
        function: &str,
        callable: &TypedFunc<u64, u64>,
        args: &[u8],
        host: &mut dyn HostCalls,
        read: impl FnOnce(&[u8]) -> T,
    ) -> Result<T, CallError> {
        self.enter(function, Step::Call, host, |store, guest, _| exchange(store, guest, callable, args, read))
    }

    /// Why a name cannot be called.
    pub(crate) fn no_such(&self, function: &str) -> CallError {
        let found = match self.compiled.module().get_export(&symbol(function)) {
            Some(ExternType::Func(ty)) if !is_reserved(function) => Some(ty),
            _ => None,
        };
        let function = text::clean(function);
        match found {
            Some(ty) => {
                CallError::WrongSignature { function, found: text::clean(&signature(ty.params(), ty.results())) }
            }
            None => {
                let nearest = nearest(&function, self.manifest().exports.iter().map(String::as_str));
                CallError::NoSuchFunction { function, nearest }
            }
        }
    }

    /// The only way into the mod: refuses when poisoned, sets the deadline for all that `body` does, and poisons the
    /// instance unless the mod's code ended by itself (also when the host panics on its way through).
    pub(crate) fn enter<T>(
        &mut self,
        function: &str,
        step: Step,
        host: &mut dyn HostCalls,
        body: impl FnOnce(&mut Store<State>, &Guest, &Functions) -> Result<T, Stop>,
    ) -> Result<T, CallError> {
        if self.poisoned {
            return Err(CallError::Poisoned { function: text::clean(function) });
        }
        trace_room!("call", id = self.compiled.manifest().identity.id, function);
        let mut nesting = Nesting::enter();
        budget::begin(&mut self.store, &self.limits, step, nesting.is_nested())
            .map_err(|used_up| used_up.into_error(text::clean(function), ModBacktrace::default()))?;
        self.poisoned = true;
        self.store.data_mut().begin_call();
        let Self { store, guest, functions, .. } = self;
        let outcome = with_host(store, host, |store| body(store, guest, functions));
        let fuel = budget::end(store);
        match outcome {
            Ok(value) => {
                self.poisoned = false;
                nesting.took(fuel);
                Ok(value)
            }
            Err(stop) => {
                self.poisoned = stop.poisons();
                let state = self.store.data_mut();
                if stop.poisons() {
                    state.flush();
                }
                let error = stop.into_call_error(function, state);
                match error {
                    // The mod's own fault: nobody else is to pay.
                    CallError::Timeout { .. } => {
                        nesting.excuse();
                        budget::blame(&mut self.store);
                    }
                    CallError::OutOfFuel { .. } => {}
                    _ => nesting.took(fuel),
                }
                Err(error)
            }
        }
    }
}

/// Hands over the arguments, calls, reads the result and gives it back to the mod's allocator.
fn exchange<T>(
    store: &mut Store<State>,
    guest: &Guest,
    function: &TypedFunc<u64, u64>,
    args: &[u8],
    read: impl FnOnce(&[u8]) -> T,
) -> Result<T, Stop> {
    store.data_mut().usage.add_call();
    let args = guest.give(&mut *store, args)?;
    let result = Buffer::from_raw(function.call(&mut *store, args.to_raw())?);
    if result == Buffer::REFUSED {
        // The text was cleaned when it came.
        let reason = store.data_mut().panic.take().unwrap_or_else(|| "it does not say why".to_owned());
        return Err(Fault::Arguments { reason }.into());
    }
    let bytes = guest.bytes(store, result).map_err(Fault::BadBuffer)?;
    let (value, len) = (read(bytes), bytes.len());
    store.data_mut().usage.add_out(len);
    guest.free(store, result)?;
    Ok(value)
}

pub(crate) fn encode<A: Encode + ?Sized>(function: &str, args: &A, codec: Codec) -> Result<Vec<u8>, CallError> {
    args.encode(codec).map_err(|error| CallError::Encode {
        function: text::clean(function),
        type_name: type_name::<A>(),
        reason: text::clean(&error.to_string()),
    })
}

pub(crate) fn decode<R: Decode>(function: &str, bytes: &[u8], codec: Codec) -> Result<R, CallError> {
    // Reading is code of the host's types. The mod has done its part, and its result is still to be given back.
    let reason = match catch_unwind(AssertUnwindSafe(|| R::decode(bytes, codec))) {
        Ok(Ok(value)) => return Ok(value),
        Ok(Err(error)) => text::clean(&error.to_string()),
        Err(panic) => format!("it panicked: {}", text::of_panic(&*panic)),
    };
    Err(CallError::Decode { function: text::clean(function), type_name: type_name::<R>(), reason })
}

/// The description's names will stand in logs and errors.
fn cleaned(mut description: ModDescription) -> ModDescription {
    let ModDescription { types, systems, observers, resources: _ } = &mut description;
    let named = |target: &mut OrderTarget| match target {
        OrderTarget::Named(name) | OrderTarget::Set(name) => clean_name(name),
        OrderTarget::System(_) => {}
    };
    for system in &mut *systems {
        system.order.iter_mut().for_each(|(OrderDesc::After(target) | OrderDesc::Before(target))| named(target));
        for condition in &mut system.conditions {
            if let ConditionTest::InState(state) = &mut condition.test {
                clean_name(state);
            }
        }
    }
    let names = types
        .iter_mut()
        .map(|ty| &mut ty.path)
        .chain(systems.iter_mut().flat_map(|system| [&mut system.name, &mut system.schedule]))
        .chain(observers.iter_mut().map(|observer| &mut observer.name));
    names.for_each(clean_name);
    description
}

fn clean_name(name: &mut String) {
    if !text::is_clean(name) {
        *name = text::clean(name);
    }
}
