//! Functions of the game that the SDK itself calls, and calls of those that a mod names with `#[import]`.
//!
//! In a native build there is no game: the log goes to standard error, a test answers about its own rows, and everything
//! else panics.
#![cfg_attr(target_family = "wasm", expect(unsafe_code, reason = "imports of the contract are foreign functions"))]

mod commands;
mod jobs;

pub(crate) use commands::entity_reserve;
#[cfg(target_family = "wasm")]
pub(crate) use commands::type_index;
#[cfg(all(target_family = "wasm", target_os = "unknown"))]
pub(crate) use in_mod::fill_random;
#[cfg(target_family = "wasm")]
pub(crate) use in_mod::{
    call, call_encoded, log, panicked, query_row, query_ticks, world_contains, world_count, world_get, world_prepare,
    world_query, world_resource,
};
pub(crate) use jobs::{job_cancel, job_is_finished, job_poll};
#[cfg(not(target_family = "wasm"))]
pub(crate) use native::{
    log, query_row, query_ticks, world_contains, world_count, world_get, world_prepare, world_query, world_resource,
};

#[cfg(target_family = "wasm")]
mod in_mod {
    use mod_abi::{
        codec::{self, EncodeError},
        names::LogLevel,
    };
    use serde::Serialize;

    use crate::buffer::OwnedBuffer;

    #[link(wasm_import_module = "env")]
    unsafe extern "C" {
        fn __log(level: u32, text: *const u8, len: usize);
        fn __panic(text: *const u8, len: usize);
        #[cfg(target_os = "unknown")]
        fn __getrandom(bytes: *mut u8, len: usize) -> u32;
        safe fn __world_prepare(raw: u64) -> u64;
        safe fn __world_query(raw: u64) -> u64;
        safe fn __world_get(raw: u64) -> u64;
        safe fn __world_resource(raw: u64) -> u64;
        safe fn __world_count(raw: u64) -> u64;
        safe fn __world_contains(raw: u64) -> u64;
        safe fn __query_row(param: u32, entity: u64) -> u32;
        safe fn __query_ticks(raw: u64) -> u64;
    }

    pub(crate) fn log(level: LogLevel, line: &str) {
        // SAFETY: the host reads the text during the call and keeps no pointer.
        unsafe { __log(level as u32, line.as_ptr(), line.len()) };
    }

    pub(crate) fn panicked(text: &str) {
        // SAFETY: the host reads the text during the call and keeps no pointer.
        unsafe { __panic(text.as_ptr(), text.len()) };
    }

    /// # Safety
    /// `len` bytes at `bytes` should be writable.
    #[cfg(target_os = "unknown")]
    pub(crate) unsafe fn fill_random(bytes: *mut u8, len: usize) -> u32 {
        // SAFETY: the host writes during the call and keeps no pointer; the rest is what the caller promises.
        unsafe { __getrandom(bytes, len) }
    }

    /// Calls an import of the contract. The answer belongs to the mod.
    pub(crate) fn call<Args: Serialize>(name: &str, args: &Args, import: extern "C" fn(u64) -> u64) -> OwnedBuffer {
        call_encoded(name, codec::encode(args), import)
    }

    /// Calls an import with encoded arguments. The answer belongs to the mod.
    pub(crate) fn call_encoded(
        name: &str,
        args: Result<Vec<u8>, EncodeError>,
        import: extern "C" fn(u64) -> u64,
    ) -> OwnedBuffer {
        let args = args.unwrap_or_else(|error| panic!("the arguments of `{name}`: {error}"));
        let answer = import(OwnedBuffer::copy_of(&args).into_raw());
        // SAFETY: the contract has the host answer with a buffer from `__alloc_buffer` that it gives away.
        unsafe { OwnedBuffer::from_raw(answer) }
    }

    pub(crate) fn world_prepare(request: &impl Serialize) -> OwnedBuffer {
        call("world_prepare", request, __world_prepare)
    }

    pub(crate) fn world_query(handle: u32) -> OwnedBuffer {
        call("world_query", &handle, __world_query)
    }

    pub(crate) fn world_get(handle: u32, entity: u64) -> OwnedBuffer {
        call("world_get", &(handle, entity), __world_get)
    }

    pub(crate) fn world_resource(handle: u32) -> OwnedBuffer {
        call("world_resource", &handle, __world_resource)
    }

    pub(crate) fn world_count(handle: u32) -> OwnedBuffer {
        call("world_count", &handle, __world_count)
    }

    pub(crate) fn world_contains(entity: u64) -> OwnedBuffer {
        call("world_contains", &entity, __world_contains)
    }

    pub(crate) fn query_row(param: u32, entity: u64) -> u32 {
        __query_row(param, entity)
    }

    pub(crate) fn query_ticks(param: u32, column: u32) -> OwnedBuffer {
        call("query_ticks", &(param, column), __query_ticks)
    }
}

#[cfg(not(target_family = "wasm"))]
mod native {
    use mod_abi::names::LogLevel;
    use serde::Serialize;

    use crate::{buffer::OwnedBuffer, testing};

    #[expect(clippy::print_stderr, reason = "the log of a mod that runs as a test")]
    pub(crate) fn log(level: LogLevel, line: &str) {
        eprintln!("{level:?}: {line}");
    }

    fn no_game() -> ! {
        panic!("a `World` is provided by the game and cannot be reached in a native build")
    }

    pub(crate) fn world_prepare(_: &impl Serialize) -> OwnedBuffer {
        no_game()
    }

    pub(crate) fn world_query(_: u32) -> OwnedBuffer {
        no_game()
    }

    pub(crate) fn world_get(_: u32, _: u64) -> OwnedBuffer {
        no_game()
    }

    pub(crate) fn world_resource(_: u32) -> OwnedBuffer {
        no_game()
    }

    pub(crate) fn world_count(_: u32) -> OwnedBuffer {
        no_game()
    }

    pub(crate) fn world_contains(_: u64) -> OwnedBuffer {
        no_game()
    }

    pub(crate) fn query_row(param: u32, entity: u64) -> u32 {
        testing::query_row(param, entity)
    }

    pub(crate) fn query_ticks(param: u32, column: u32) -> OwnedBuffer {
        OwnedBuffer::copy_of(&testing::query_ticks(param, column))
    }
}
