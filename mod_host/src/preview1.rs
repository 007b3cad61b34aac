//! The part of WASI preview 1 that a mod built for `wasm32-wasip1` needs to start, print and draw random numbers.
//!
//! No files, no network and no ambient time: both clocks count from the instance's start, in whole microseconds.
//! Functions that exist in preview 1 but not here answer "not supported", so that a mod which merely links them runs.
//! See <https://github.com/WebAssembly/WASI/blob/main/legacy/preview1/docs.md>.

use mod_abi::Buffer;
use wasmtime::{Caller, Func, FuncType, Store, Val, ValType};

use crate::{
    budget::charge_import,
    fault::Fault,
    imports::{NoRandom, random},
    memory,
    state::State,
};

/// The module that these are imported from.
pub(crate) const MODULE: &str = "wasi_snapshot_preview1";

/// Every function of preview 1.
pub(crate) const NAMES: &[&str] = &[
    "args_get",
    "args_sizes_get",
    "clock_res_get",
    "clock_time_get",
    "environ_get",
    "environ_sizes_get",
    "fd_advise",
    "fd_allocate",
    "fd_close",
    "fd_datasync",
    "fd_fdstat_get",
    "fd_fdstat_set_flags",
    "fd_fdstat_set_rights",
    "fd_filestat_get",
    "fd_filestat_set_size",
    "fd_filestat_set_times",
    "fd_pread",
    "fd_prestat_dir_name",
    "fd_prestat_get",
    "fd_pwrite",
    "fd_read",
    "fd_readdir",
    "fd_renumber",
    "fd_seek",
    "fd_sync",
    "fd_tell",
    "fd_write",
    "path_create_directory",
    "path_filestat_get",
    "path_filestat_set_times",
    "path_link",
    "path_open",
    "path_readlink",
    "path_remove_directory",
    "path_rename",
    "path_symlink",
    "path_unlink_file",
    "poll_oneoff",
    "proc_exit",
    "proc_raise",
    "random_get",
    "sched_yield",
    "sock_accept",
    "sock_recv",
    "sock_send",
    "sock_shutdown",
];

// Error numbers of preview 1.
const SUCCESS: i32 = 0;
const BADF: i32 = 8;
const FAULT: i32 = 21;
const INVAL: i32 = 28;
const IO: i32 = 29;
const NOTSUP: i32 = 58;

/// Nanoseconds between two readings that differ.
const RESOLUTION: u64 = 1_000;
/// The most pieces that one write may have, as on Linux.
pub(crate) const MAX_PIECES: u32 = 1_024;
/// The most bytes that one write takes, each of which may end a line. A caller that has more calls again, and can be
/// stopped in between.
const MAX_WRITE: u32 = 4 << 10;

/// The function called `name`, or `None` if preview 1 has none. `ty` is what the mod believes its type to be, which
/// decides the type of those that are not supported.
pub(crate) fn function(store: &mut Store<State>, name: &str, ty: &FuncType) -> wasmtime::Result<Option<Func>> {
    let func = match name {
        "args_get" | "environ_get" => Func::try_wrap(store, |_: u32, _: u32| SUCCESS)?,
        "args_sizes_get" | "environ_sizes_get" => Func::try_wrap(store, empty_sizes)?,
        "clock_res_get" => Func::try_wrap(store, clock_res_get)?,
        "clock_time_get" => Func::try_wrap(store, clock_time_get)?,
        "fd_prestat_get" => Func::try_wrap(store, |_: u32, _: u32| BADF)?,
        "fd_write" => Func::try_wrap(store, fd_write)?,
        "proc_exit" => Func::try_wrap(store, proc_exit)?,
        "random_get" => Func::try_wrap(store, random_get)?,
        "sched_yield" => Func::try_wrap(store, || SUCCESS)?,
        name if NAMES.contains(&name) => return unsupported(store, ty).map(Some),
        _ => return Ok(None),
    };
    Ok(Some(func))
}

/// Takes whatever the mod passes and answers "not supported".
fn unsupported(store: &mut Store<State>, ty: &FuncType) -> wasmtime::Result<Func> {
    let engine = store.engine().clone();
    let ty = FuncType::try_new(&engine, ty.params(), [ValType::I32])?;
    Func::try_new(store, ty, |_: Caller<'_, State>, _: &[Val], results: &mut [Val]| {
        results.fill(Val::I32(NOTSUP));
        Ok(())
    })
}

pub(crate) fn write(memory: &mut [u8], ptr: u32, bytes: &[u8]) -> Result<(), i32> {
    let len = u32::try_from(bytes.len()).map_err(|_| FAULT)?;
    memory::slice_mut(memory, Buffer::new(ptr, len)).map_err(|_| FAULT)?.copy_from_slice(bytes);
    Ok(())
}

/// Runs `body` on the mod's memory and makes an error number of its outcome.
pub(crate) fn with_memory(
    caller: &mut Caller<'_, State>,
    body: impl FnOnce(&mut [u8], &mut State) -> Result<(), i32>,
) -> i32 {
    charge_import(caller, 0);
    let outcome = memory::of_caller(caller).ok_or(FAULT).and_then(|(memory, state)| body(memory, state));
    outcome.err().unwrap_or(SUCCESS)
}

fn empty_sizes(mut caller: Caller<'_, State>, count: u32, bytes: u32) -> i32 {
    with_memory(&mut caller, |memory, _| {
        write(memory, count, &0_u32.to_le_bytes())?;
        write(memory, bytes, &0_u32.to_le_bytes())
    })
}

/// The real-time and the monotonic clock.
fn known_clock(clock: u32) -> Result<(), i32> {
    if clock <= 1 { Ok(()) } else { Err(INVAL) }
}

fn clock_res_get(mut caller: Caller<'_, State>, clock: u32, out: u32) -> i32 {
    with_memory(&mut caller, |memory, _| {
        known_clock(clock)?;
        write(memory, out, &RESOLUTION.to_le_bytes())
    })
}

pub(crate) fn clock_time_get(mut caller: Caller<'_, State>, clock: u32, _precision: u64, out: u32) -> i32 {
    with_memory(&mut caller, |memory, state| {
        known_clock(clock)?;
        let micros = u64::try_from(state.clock.now().as_micros()).unwrap_or(u64::MAX);
        write(memory, out, &micros.saturating_mul(RESOLUTION).to_le_bytes())
    })
}

fn random_get(mut caller: Caller<'_, State>, ptr: u32, len: u32) -> i32 {
    match random(&mut caller, ptr, len) {
        Ok(()) => SUCCESS,
        Err(NoRandom::TooMany) => INVAL,
        Err(NoRandom::OutOfRange) => FAULT,
        Err(NoRandom::NoEntropy) => IO,
    }
}

pub(crate) fn fd_write(mut caller: Caller<'_, State>, fd: u32, pieces: u32, count: u32, written: u32) -> i32 {
    charge_import(&mut caller, MAX_WRITE as usize);
    with_memory(&mut caller, |memory, state| {
        let State { stdout, stderr, log, .. } = state;
        let lines = match fd {
            1 => stdout,
            2 => stderr,
            _ => return Err(BADF),
        };
        if count > MAX_PIECES {
            return Err(INVAL);
        }
        let list = Buffer::new(pieces, count.saturating_mul(8));
        let (pieces, _) = memory::slice(memory, list).map_err(|_| FAULT)?.as_chunks::<8>();
        let mut left = MAX_WRITE;
        for piece in pieces {
            // An address and a length, little endian: a buffer with its halves swapped.
            let piece = Buffer::from_raw(u64::from_le_bytes(*piece).rotate_left(32));
            let taken = Buffer::new(piece.ptr(), piece.len().min(left));
            lines.push(memory::slice(memory, taken).map_err(|_| FAULT)?, log);
            left = left.saturating_sub(taken.len());
        }
        write(memory, written, &MAX_WRITE.saturating_sub(left).to_le_bytes())
    })
}

fn proc_exit(_: Caller<'_, State>, code: i32) -> wasmtime::Result<()> {
    Err(wasmtime::Error::new(Fault::Exit { code }))
}
