//! What a mod finds in `env`: the raw imports and the host's functions. What those functions do is not known here.
//!
//! Time limits are not checked inside imports, so each bounds its own work, and none allocates what a mod asks for
//! without a limit.

use std::{collections::HashMap, mem};

use mod_abi::{
    Buffer,
    names::{ALLOC_BUFFER, ENTITY_RESERVE, GETRANDOM, IMPORT_MODULE, LOG, LogLevel, NO_ROW, PANIC, QUERY_ROW},
};
use wasmtime::{Caller, Extern, ExternType, Func, FuncType, Module, Store};

use crate::{
    error::LoadError,
    fault::{Fault, Stop, instantiate},
    manifest::{MAX_PROBLEMS, signature},
    memory,
    nearest::{hint, nearest},
    preview1,
    state::State,
    text::{self, MAX_BYTES},
};

/// The most random bytes that one call gives.
pub(crate) const MAX_RANDOM: u32 = 1 << 20;
/// Memory for results that is kept between calls of host functions.
const KEPT_SCRATCH: usize = 1 << 20;

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

/// Everything that `module` imports, in its order.
pub(crate) fn link(store: &mut Store<State>, module: &Module) -> Result<Vec<Extern>, LoadError> {
    let names = store.data().host_functions.clone();
    // Names that are imported as something else are looked up too, to tell what they are.
    let nothing = FuncType::try_new(store.engine(), [], []).map_err(|error| instantiate(&error.into()))?;
    let indices: HashMap<&str, usize> = names.iter().enumerate().map(|(index, name)| (name.as_str(), index)).collect();
    // Each function is made once, however often a mod imports it.
    let mut made: HashMap<(&str, &str), Func> = HashMap::new();
    let mut externs = Vec::new();
    let mut problems = Vec::new();
    let mut unlisted = 0_usize;
    for import in module.imports() {
        let key = (import.module(), import.name());
        let ty = import.ty();
        let func = match made.get(&key) {
            Some(func) => Some(*func),
            None => {
                offered(store, key, ty.func().unwrap_or(&nothing), &indices).map_err(|error| instantiate(&error))?
            }
        };
        let problem = match (func, &ty) {
            (Some(func), ExternType::Func(ty)) if func.matches_ty(&*store, ty) => {
                made.insert(key, func);
                externs.push(Extern::Func(func));
                continue;
            }
            _ if problems.len() >= MAX_PROBLEMS => {
                unlisted = unlisted.saturating_add(1);
                continue;
            }
            (Some(func), _) => mismatch(key, &ty, &func.ty(&*store)),
            (None, _) => missing(key, &ty, &indices),
        };
        problems.push(problem);
    }
    if unlisted > 0 {
        problems.push(format!("and {unlisted} more"));
    }
    if problems.is_empty() { Ok(externs) } else { Err(LoadError::Imports { problems }) }
}

fn offered(
    store: &mut Store<State>,
    (module, name): (&str, &str),
    ty: &FuncType,
    indices: &HashMap<&str, usize>,
) -> wasmtime::Result<Option<Func>> {
    match module {
        IMPORT_MODULE => env(store, name, indices),
        preview1::MODULE => preview1::function(store, name, ty),
        _ => Ok(None),
    }
}

fn full_name((module, name): (&str, &str)) -> String {
    text::clean(&format!("{module}.{name}"))
}

fn mismatch(key: (&str, &str), wanted: &ExternType, offered: &FuncType) -> String {
    let (name, wanted) = (full_name(key), kind(wanted));
    format!("`{name}` is {}, but the mod wants {wanted}", function_kind(offered))
}

fn missing((module, name): (&str, &str), wanted: &ExternType, indices: &HashMap<&str, usize>) -> String {
    let nearest = match (module, name.strip_prefix("__")) {
        (IMPORT_MODULE, Some(bare)) => nearest(bare, indices.keys().copied()).map(|name| format!("__{name}")),
        (preview1::MODULE, _) => nearest(name, preview1::NAMES.iter().copied()),
        _ => None,
    };
    format!("`{}` ({}){}", full_name((module, name)), kind(wanted), hint(nearest.as_deref()))
}

fn kind(ty: &ExternType) -> String {
    match ty {
        ExternType::Func(ty) => function_kind(ty),
        ExternType::Global(_) => "a global".to_owned(),
        ExternType::Table(_) => "a table".to_owned(),
        ExternType::Memory(_) => "a memory".to_owned(),
        ExternType::Tag(_) => "a tag".to_owned(),
    }
}

fn function_kind(ty: &FuncType) -> String {
    text::clean(&format!("a function {}", signature(ty.params(), ty.results())))
}

/// A function of `env`.
fn env(store: &mut Store<State>, name: &str, indices: &HashMap<&str, usize>) -> wasmtime::Result<Option<Func>> {
    let func = match name {
        GETRANDOM => Func::try_wrap(store, get_random)?,
        LOG => Func::try_wrap(store, log)?,
        PANIC => Func::try_wrap(store, panicked)?,
        ENTITY_RESERVE => Func::try_wrap(store, reserve_entity)?,
        QUERY_ROW => Func::try_wrap(store, query_row)?,
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
    let (memory, state) = memory::of_caller(caller).ok_or(NoRandom::OutOfRange)?;
    let bytes = memory::slice_mut(memory, Buffer::new(ptr, len)).map_err(|_| NoRandom::OutOfRange)?;
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
    state.log.log(LogLevel::from_raw(level), &line);
    Ok(())
}

/// Never fails: a trap follows, and it is the one that counts.
fn panicked(mut caller: Caller<'_, State>, ptr: u32, len: u32) {
    if let Some((memory, state)) = memory::of_caller(&mut caller) {
        let message = text_at(memory, ptr, len);
        state.panic = Some(message.unwrap_or_else(|reason| format!("its message cannot be read: {reason}")));
    }
}

fn reserve_entity(mut caller: Caller<'_, State>) -> wasmtime::Result<u64> {
    let reserved = caller.data_mut().host.ask(|host| host.reserve_entity());
    Ok(reserved.map_err(|reason| refused(ENTITY_RESERVE, &reason))?)
}

fn query_row(mut caller: Caller<'_, State>, param: u32, entity: u64) -> wasmtime::Result<u32> {
    let row = caller.data_mut().host.ask(|host| host.query_row(param, entity));
    Ok(row.map_err(|reason| refused(QUERY_ROW, &reason))?.unwrap_or(NO_ROW))
}

fn refused(import: &str, reason: &str) -> Fault {
    Fault::Import { import: import.to_owned(), reason: text::clean(reason) }
}

/// The mod passes a buffer that the host reads and frees, and gets one that is its own.
fn host_function(mut caller: Caller<'_, State>, index: usize, args: u64) -> wasmtime::Result<u64> {
    let args = Buffer::from_raw(args);
    let mut result = mem::take(&mut caller.data_mut().scratch);
    result.clear();
    call_host(&mut caller, index, args, &mut result)?;
    let given = exchange(&mut caller, args, &result).map_err(Stop::into_error)?;
    if result.capacity() <= KEPT_SCRATCH {
        caller.data_mut().scratch = result;
    }
    Ok(given.to_raw())
}

fn call_host(caller: &mut Caller<'_, State>, index: usize, args: Buffer, result: &mut Vec<u8>) -> Result<(), Fault> {
    let names = caller.data().host_functions.clone();
    let fault = |reason: &str| Fault::Import {
        import: names.get(index).cloned().unwrap_or_default(),
        reason: text::clean(reason),
    };
    let (memory, state) = memory::of_caller(caller).ok_or_else(|| fault("the mod has no memory"))?;
    let args = memory::slice(memory, args)
        .map_err(|error| fault(&format!("its arguments cannot be read, because {error}")))?;
    state.host.ask(|host| host.call(index, args, result)).map_err(|reason| fault(&reason))
}

/// Frees the arguments and hands over the result.
fn exchange(caller: &mut Caller<'_, State>, args: Buffer, result: &[u8]) -> Result<Buffer, Stop> {
    let guest = caller.data().guest.clone().ok_or(Fault::Missing(ALLOC_BUFFER))?;
    guest.free(&mut *caller, args)?;
    guest.give(caller, result)
}
