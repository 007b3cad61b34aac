//! The functions of `env`: the raw imports, and the way to the host's functions. What those functions do is not known here.
//!
//! Time limits are not checked inside imports, so each bounds its own work, and none allocates what a mod asks for
//! without a limit.

use std::{collections::HashMap, mem};

use mod_abi::{
    Buffer,
    names::{
        ALLOC_BUFFER, ENTITY_RESERVE, GETRANDOM, JOB_CANCEL, JOB_STATE, JOB_TAKE, LOG, LogLevel, NO_ROW, PANIC,
        QUERY_ROW,
    },
};
use wasmtime::{Caller, Func, Store};

use crate::{
    budget::charge_import,
    caller,
    fault::{Fault, Stop},
    memory,
    state::State,
    text::{self, MAX_BYTES},
};

/// The most random bytes that one call gives.
pub(crate) const MAX_RANDOM: u32 = 1 << 20;
/// Memory for results that is kept between calls of host functions.
pub(super) const KEPT_SCRATCH: usize = 1 << 20;

/// Why a mod gets no values in its start function.
pub(super) const IN_START: &str =
    "the start function runs before the mod can be given memory for an answer; call it in `_initialize` or later";

/// Answers of `__getrandom`.
const TOO_MANY: u32 = 1;
const OUT_OF_RANGE: u32 = 2;
const NO_ENTROPY: u32 = 3;

/// Why there are no random bytes.
pub(crate) enum NoRandom {
    TooMany,
    OutOfRange,
    NoEntropy,
}

/// A function of `env`.
pub(super) fn function(
    store: &mut Store<State>,
    name: &str,
    indices: &HashMap<&str, usize>,
) -> wasmtime::Result<Option<Func>> {
    let func = match name {
        GETRANDOM => Func::try_wrap(store, get_random)?,
        LOG => Func::try_wrap(store, log)?,
        PANIC => Func::try_wrap(store, panicked)?,
        ENTITY_RESERVE => Func::try_wrap(store, reserve_entity)?,
        QUERY_ROW => Func::try_wrap(store, query_row)?,
        JOB_STATE => Func::try_wrap(store, job_state)?,
        JOB_TAKE => Func::try_wrap(store, job_take)?,
        JOB_CANCEL => Func::try_wrap(store, job_cancel)?,
        _ => {
            let Some(index) = name.strip_prefix("__").and_then(|bare| indices.get(bare)).copied() else {
                return Ok(None);
            };
            Func::try_wrap(store, move |caller: Caller<'_, State>, args: u64| host_function(caller, index, args))?
        }
    };
    Ok(Some(func))
}

/// Fills the mod's memory with random bytes.
pub(crate) fn random(caller: &mut Caller<'_, State>, ptr: u32, len: u32) -> Result<(), NoRandom> {
    if len > MAX_RANDOM {
        return Err(NoRandom::TooMany);
    }
    charge_import(caller, size(len));
    let (memory, state) = memory::of_caller(caller).ok_or(NoRandom::OutOfRange)?;
    let bytes = memory::slice_mut(memory, Buffer::new(ptr, len)).map_err(|_| NoRandom::OutOfRange)?;
    state.usage.add_in(bytes.len());
    state.entropy.fill(bytes).map_err(|_| NoRandom::NoEntropy)
}

fn get_random(mut caller: Caller<'_, State>, ptr: u32, len: u32) -> u32 {
    match random(&mut caller, ptr, len) {
        Ok(()) => 0,
        Err(NoRandom::TooMany) => TOO_MANY,
        Err(NoRandom::OutOfRange) => OUT_OF_RANGE,
        Err(NoRandom::NoEntropy) => NO_ENTROPY,
    }
}

fn size(len: u32) -> usize {
    usize::try_from(len).unwrap_or(usize::MAX)
}

/// The mod's text at an address, cut before it is copied.
fn text_at(memory: &[u8], ptr: u32, len: u32) -> Result<String, String> {
    let buffer = Buffer::new(ptr, len);
    let bytes = memory::slice(memory, buffer).map_err(|error| error.to_string())?;
    // One byte more than is kept shows that something was cut.
    Ok(text::clean_bytes(bytes.get(..MAX_BYTES.saturating_add(1)).unwrap_or(bytes)))
}

fn log(mut caller: Caller<'_, State>, level: u32, ptr: u32, len: u32) -> wasmtime::Result<()> {
    let fault = |reason: &str| Fault::Import { import: LOG.to_owned(), reason: reason.to_owned() };
    let (memory, state) = memory::of_caller(&mut caller).ok_or_else(|| fault("the mod has no memory"))?;
    let line = text_at(memory, ptr, len).map_err(|reason| fault(&reason))?;
    state.log.line(LogLevel::from_raw(level), &line);
    charge_import(&mut caller, line.len());
    Ok(())
}

/// Never fails: a trap follows, and it is the one that counts.
fn panicked(mut caller: Caller<'_, State>, ptr: u32, len: u32) {
    charge_import(&mut caller, MAX_BYTES);
    if let Some((memory, state)) = memory::of_caller(&mut caller) {
        let message = text_at(memory, ptr, len);
        state.panic = Some(message.unwrap_or_else(|reason| format!("its message cannot be read: {reason}")));
    }
}

fn reserve_entity(mut caller: Caller<'_, State>) -> wasmtime::Result<u64> {
    charge_import(&mut caller, 0);
    let reserved = caller.data_mut().host.ask(|host| host.reserve_entity());
    Ok(reserved.map_err(|reason| refused(ENTITY_RESERVE, &reason))?)
}

fn query_row(mut caller: Caller<'_, State>, param: u32, entity: u64) -> wasmtime::Result<u32> {
    charge_import(&mut caller, 0);
    let row = caller.data_mut().host.ask(|host| host.query_row(param, entity));
    Ok(row.map_err(|reason| refused(QUERY_ROW, &reason))?.unwrap_or(NO_ROW))
}

fn job_state(mut caller: Caller<'_, State>, ticket: u64) -> u32 {
    charge_import(&mut caller, 0);
    caller.data().holdings.jobs.state(ticket) as u32
}

/// The mod owns the buffer.
fn job_take(mut caller: Caller<'_, State>, ticket: u64) -> wasmtime::Result<u64> {
    // The start function runs before anybody knows where the mod would have room for a result.
    let guest = caller.data().guest.clone().ok_or_else(|| refused(JOB_TAKE, IN_START))?;
    let holdings = &mut caller.data_mut().holdings;
    let codec = holdings.compiled.manifest().codec;
    let result = holdings.jobs.take(ticket, codec).map_err(|reason| refused(JOB_TAKE, &reason))?;
    check_size(caller.data(), result.len(), "its result has").map_err(|reason| refused(JOB_TAKE, &reason))?;
    charge_import(&mut caller, result.len());
    Ok(guest.give(&mut caller, &result).map_err(Stop::into_error)?.to_raw())
}

fn job_cancel(mut caller: Caller<'_, State>, ticket: u64) {
    charge_import(&mut caller, 0);
    caller.data_mut().holdings.jobs.cancel(ticket);
}

fn refused(import: &str, reason: &str) -> Fault {
    Fault::Import { import: import.to_owned(), reason: text::clean(reason) }
}

/// The mod passes a buffer that the host reads and frees, and gets one that is its own.
fn host_function(mut caller: Caller<'_, State>, index: usize, args: u64) -> wasmtime::Result<u64> {
    let args = Buffer::from_raw(args);
    let mut result = mem::take(&mut caller.data_mut().scratch);
    result.clear();
    trace_room!(
        "import",
        id = caller.data().holdings.compiled.manifest().identity.id,
        function = caller.data().host_functions.get(index).map(|function| function.name.as_str())
    );
    charge_import(&mut caller, size(args.len()));
    if let Err(reason) = call_host(&mut caller, index, args, &mut result) {
        let name = caller.data().host_functions.get(index).map(|function| function.name.as_str());
        return Err(refused(name.unwrap_or_default(), &reason).into());
    }
    charge_import(&mut caller, result.len());
    let given = exchange(&mut caller, args, &result).map_err(Stop::into_error)?;
    if result.capacity() <= KEPT_SCRATCH {
        caller.data_mut().scratch = result;
    }
    Ok(given.to_raw())
}

/// Has the host answer.
///
/// # Errors
/// The reason, as a sentence for people.
fn call_host(caller: &mut Caller<'_, State>, index: usize, args: Buffer, result: &mut Vec<u8>) -> Result<(), String> {
    let (memory, state) = memory::of_caller(caller).ok_or("the mod has no memory")?;
    let args = memory::slice(memory, args).map_err(|error| format!("its arguments cannot be read, because {error}"))?;
    check_size(state, args.len(), "its arguments have")?;
    state.usage.add_out(args.len());
    let State { host, holdings, .. } = state;
    let mut nothing = ();
    let mut asked = caller::Caller::new(holdings, &mut nothing);
    host.ask(|host| host.call(&mut asked, index, args, result))?;
    check_size(state, result.len(), "its result has")
}

/// Whether so many bytes may go into an import or come out of it.
fn check_size(state: &State, bytes: usize, what: &str) -> Result<(), String> {
    let most = state.import_bytes;
    if bytes <= most { Ok(()) } else { Err(format!("{what} {bytes} bytes, more than the limit of {most}")) }
}

/// Frees the arguments and hands over the result. It takes the place of the arguments if it fits there, which saves two calls
/// into the mod.
fn exchange(caller: &mut Caller<'_, State>, args: Buffer, result: &[u8]) -> Result<Buffer, Stop> {
    // Who states no identity is from before that was in the contract.
    let may_reuse = caller.data().holdings.compiled.manifest().stated_identity;
    let reused = u32::try_from(result.len()).ok().and_then(|len| args.resized(len)).filter(|_| may_reuse);
    if let (Some(reused), Some((memory, state))) = (reused, memory::of_caller(caller))
        && let Ok(place) = memory::slice_mut(memory, reused)
    {
        place.copy_from_slice(result);
        state.usage.add_in(result.len());
        return Ok(reused);
    }
    let guest = caller.data().guest.clone().ok_or(Fault::Missing(ALLOC_BUFFER))?;
    guest.free(&mut *caller, args)?;
    guest.give(caller, result)
}
