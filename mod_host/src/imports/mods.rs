//! The functions of other mods: from the import to the host, which knows the other mods, and the answer back. That a call
//! fails is an answer, too: the mod that calls can go on.

use std::mem;

use mod_abi::{Buffer, MAX_MOD_CALL_BYTES, ModCallStatus, names::MOD_IMPORT_PREFIX};
use wasmtime::{Caller, Func, Store};

use super::env::{IN_START, KEPT_SCRATCH};
use crate::{
    budget::{charge, charge_import, excuse},
    fault::{Fault, Stop},
    memory,
    mod_call::{ModCall, ModCallFailure, ModImport},
    nesting,
    state::State,
    text,
};

/// The function of another mod, if that is what is imported.
pub(super) fn function(store: &mut Store<State>, module: &str, name: &str) -> wasmtime::Result<Option<Func>> {
    let Some((mod_id, name)) = module.strip_prefix(MOD_IMPORT_PREFIX).zip(name.strip_prefix("__")) else {
        return Ok(None);
    };
    let wanted = ModImport { mod_id: mod_id.to_owned(), name: name.to_owned() };
    let Ok(index) = store.data().holdings.compiled.manifest().mod_functions.binary_search(&wanted) else {
        return Ok(None);
    };
    Func::try_wrap(store, move |caller: Caller<'_, State>, args: u64| call(caller, index, args)).map(Some)
}

/// The mod passes a buffer that the host reads and frees, and gets one that is its own.
fn call(mut caller: Caller<'_, State>, index: usize, args: u64) -> wasmtime::Result<u64> {
    let args = Buffer::from_raw(args);
    let mut answer = mem::take(&mut caller.data_mut().scratch);
    answer.clear();
    trace_room!(
        "import",
        id = caller.data().holdings.compiled.manifest().identity.id,
        function = caller.data().holdings.compiled.manifest().mod_functions.get(index).map(tracing::field::display)
    );
    charge_import(&mut caller, usize::try_from(args.len()).unwrap_or(usize::MAX));
    let (excused, fuel) = (nesting::excused(), nesting::fuel_inside());
    let outcome = ask(&mut caller, index, args, &mut answer)?;
    excuse(&mut caller, nesting::excused().saturating_sub(excused));
    charge(&mut caller, nesting::fuel_inside().saturating_sub(fuel));
    charge_import(&mut caller, answer.len());
    match outcome {
        Ok(()) => drop(answer.splice(0..0, (ModCallStatus::Answered as u32).to_le_bytes())),
        Err(failure) => tell(&failure, &mut answer),
    }
    let given = exchange(&mut caller, index, args, &mut answer).map_err(Stop::into_error)?;
    if answer.capacity() <= KEPT_SCRATCH {
        caller.data_mut().scratch = answer;
    }
    Ok(given.to_raw())
}

fn ask(
    caller: &mut Caller<'_, State>,
    index: usize,
    args: Buffer,
    result: &mut Vec<u8>,
) -> Result<Result<(), ModCallFailure>, Fault> {
    let import = caller.data().holdings.compiled.manifest().mod_functions.get(index).map(ToString::to_string);
    let fault = |reason: &str| Fault::Import { import: import.unwrap_or_default(), reason: text::clean(reason) };
    let Some((memory, state)) = memory::of_caller(caller) else { return Err(fault("the mod has no memory")) };
    let args = match memory::slice(memory, args) {
        Ok(args) => args,
        Err(error) => return Err(fault(&format!("its arguments cannot be read, because {error}"))),
    };
    state.usage.add_out(args.len());
    let (most, nesting) = (state.import_bytes.min(MAX_MOD_CALL_BYTES), state.nesting);
    let State { host, holdings, compared, .. } = state;
    let compared = compared.get(index);
    let call = compared.and_then(|compared| ModCall::new(holdings.compiled.manifest(), index, args, compared));
    let Some(call) = call else { return Err(fault("there is no such import")) };
    let refused = |reason: &str| Err(ModCallFailure::new(ModCallStatus::Refused, reason));
    if args.len() > most {
        return Ok(refused("its arguments are too large"));
    }
    if !nesting::has_room(nesting) {
        return Ok(refused("too many calls from mod to mod stand in each other"));
    }
    let asked = host.ask(|host| Ok(host.call_mod(&call, result)));
    let asked = asked.unwrap_or_else(|_| refused("other mods cannot be called here"));
    Ok(if asked.is_ok() && result.len() > most { refused("its result is too large") } else { asked })
}

fn tell(failure: &ModCallFailure, answer: &mut Vec<u8>) {
    answer.clear();
    failure.status().write(failure.reason().as_bytes(), answer);
}

/// Frees the arguments and hands over the answer. One that the mod has no memory for is told in few words.
fn exchange(caller: &mut Caller<'_, State>, index: usize, args: Buffer, answer: &mut Vec<u8>) -> Result<Buffer, Stop> {
    let Some(guest) = caller.data().guest.clone() else {
        let import = caller.data().holdings.compiled.manifest().mod_functions.get(index).map(ToString::to_string);
        return Err(Fault::Import { import: import.unwrap_or_default(), reason: IN_START.to_owned() }.into());
    };
    guest.free(&mut *caller, args)?;
    match guest.give(&mut *caller, answer) {
        Err(Stop::Host(Fault::NoMemory)) => {
            let reason = format!("the mod has no memory for an answer of {} bytes", answer.len());
            tell(&ModCallFailure::new(ModCallStatus::Refused, reason), answer);
            guest.give(caller, answer)
        }
        given => given,
    }
}
