//! The way in: each export that the macros make ends here.
#![expect(unsafe_code, reason = "takes over what the host hands to the mod")]

use std::{
    cell::RefCell,
    panic::{self, PanicHookInfo},
    sync::Once,
};

use mod_abi::{
    Buffer,
    codec::{self, DecodeError, EncodeError},
    state::SavedState,
};
use serde::Serialize;

use crate::{app::App, block::Batch, buffer::OwnedBuffer, codecs::bincode, imports, persist, runtime::Runtime};

thread_local! {
    /// Built by the first call that needs it. A mod has one thread, and its systems run one after the other.
    static RUNTIME: RefCell<Option<Runtime>> = const { RefCell::new(None) };
}

fn with_runtime<R>(main: fn(&mut App), f: impl FnOnce(&mut Runtime) -> R) -> R {
    RUNTIME.with_borrow_mut(|runtime| f(runtime.get_or_insert_with(|| Runtime::new(main))))
}

/// Has panics tell the game what they say. There is no earlier moment for it on both targets than the first call.
fn begin() {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| panic::set_hook(Box::new(report)));
}

fn report(info: &PanicHookInfo<'_>) {
    let message = info.payload_as_str().unwrap_or("a panic without a message");
    match info.location() {
        Some(place) => imports::panicked(&format!("{message} ({place})")),
        None => imports::panicked(message),
    }
}

/// The answer of `__mod_describe`.
pub fn describe(main: fn(&mut App), args: u64) -> u64 {
    begin();
    // SAFETY: the contract has the host give the arguments away.
    drop(unsafe { OwnedBuffer::from_raw(args) });
    answer("__mod_describe", &with_runtime(main, |runtime| runtime.describe()))
}

/// Runs a system or an observer for `__mod_run`, and answers with its commands. The batch stays with the host, which uses its memory again for the next call.
pub fn run(main: fn(&mut App), batch: u64) -> u64 {
    begin();
    let buffer = Buffer::from_raw(batch);
    // SAFETY: the contract has the host lay the batch out as stated, and leave it alone during the call.
    let batch = unsafe { Batch::new(buffer.ptr() as *mut u8, buffer.len() as usize) };
    with_runtime(main, |runtime| match runtime.run(batch) {
        [] => 0,
        // They stay where they are until the next call.
        commands => Buffer::new(commands.as_ptr() as u32, commands.len() as u32).to_raw(),
    })
}

/// The answer of `__mod_save`.
pub fn save(main: fn(&mut App), args: u64) -> u64 {
    begin();
    // SAFETY: the contract has the host give the arguments away.
    drop(unsafe { OwnedBuffer::from_raw(args) });
    // The values are made with the systems that ask for them.
    with_runtime(main, |_| answer("__mod_save", &persist::save_all()))
}

/// Takes what an earlier version kept, for `__mod_restore`.
pub fn restore(main: fn(&mut App), args: u64) -> u64 {
    bincode::export("__mod_restore", args, |states: Vec<SavedState<String>>| {
        with_runtime(main, |_| persist::restore_all(&states));
    })
}

/// Calls a function that the mod exports, with arguments that `decode` reads and a result that `encode` writes.
pub(crate) fn export<Args, R>(
    name: &str,
    args: u64,
    decode: fn(&[u8]) -> Result<Args, DecodeError>,
    encode: fn(&R) -> Result<Vec<u8>, EncodeError>,
    function: impl FnOnce(Args) -> R,
) -> u64 {
    begin();
    // SAFETY: the contract has the host give the arguments away.
    let bytes = unsafe { OwnedBuffer::from_raw(args) };
    let args = decode(bytes.bytes());
    drop(bytes);
    let args = match args {
        Ok(args) => args,
        // Whoever sent them made the mistake, so this is no reason to panic.
        Err(error) => {
            imports::panicked(&error.to_string());
            return Buffer::REFUSED.to_raw();
        }
    };
    let bytes = encode(&function(args));
    let bytes = bytes.unwrap_or_else(|error| panic!("the result of `{name}`: {error}"));
    OwnedBuffer::copy_of(&bytes).into_raw()
}

/// Answers a call of the contract.
fn answer<T: Serialize>(name: &str, value: &T) -> u64 {
    let bytes = codec::encode(value).unwrap_or_else(|error| panic!("the result of `{name}`: {error}"));
    OwnedBuffer::copy_of(&bytes).into_raw()
}

unsafe extern "C" {
    safe fn __wasm_call_ctors();
}

/// Runs the constructors of linked libraries, among them WASI's C library. That somebody refers to them keeps the linker
/// from wrapping every export in calls to them.
#[unsafe(no_mangle)]
extern "C" fn _initialize() {
    __wasm_call_ctors();
}
