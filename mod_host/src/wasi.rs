//! What a mod gets of the machine when the game grants it: folders, variables, and the time of day.
//!
//! For a mod with grants these functions of preview 1 take the place of those in `preview1`; what is not here (random
//! numbers, output, exit, and everything that could wait) stays as it is, and so does everything for a mod without
//! grants.
//!
//! In reading order: `grants` (what a game says), `folder` (one of what it granted), `table` (what an instance has open),
//! `paths` and `files` (what it does with it), `encode` and `errno` (how that looks in its memory), and `system`, where
//! wasmtime-wasi resolves the paths.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{SystemTime, UNIX_EPOCH},
};

use mod_abi::Buffer;
use wasmtime::{Caller, Func, Store};

use crate::{
    budget::charge,
    preview1::{self, with_memory, write},
    state::{Clock, State},
};

mod encode;
mod errno;
mod files;
mod folder;
mod grants;
mod paths;
mod system;
mod table;

pub use grants::{WasiError, WasiGrant, WasiGrants, WasiGuard};

use errno::{Answer, FAULT, NOTSUP};
use grants::Grant;
use paths::Request;
use table::Table;

/// What one instance has.
#[derive(Debug)]
pub(crate) struct Granted {
    table: Arc<Mutex<Table>>,
    grants: Vec<Arc<Grant>>,
}

impl Granted {
    /// What the game grants to this mod now, if anything.
    pub(crate) fn new(grants: &WasiGrants, mod_id: &str) -> Option<Self> {
        let (table, grants) = grants.share(mod_id)?;
        Some(Self { table, grants })
    }

    fn grants(&self) -> impl Iterator<Item = &Grant> {
        self.grants.iter().map(|grant| &**grant).filter(|grant| !grant.is_revoked())
    }

    fn variables(&self) -> impl Iterator<Item = String> {
        self.grants().flat_map(|grant| &grant.variables).map(|(key, value)| format!("{key}={value}\0"))
    }
}

/// Runs `body` on what the mod has open and on its memory, and makes an error number of its outcome.
fn with_table(caller: &mut Caller<'_, State>, body: impl FnOnce(&mut Table, &mut [u8]) -> Answer<()>) -> i32 {
    charge(caller, FILE);
    with_memory(caller, |memory, state| {
        let granted = state.wasi.as_ref().ok_or(NOTSUP)?;
        body(&mut granted.table.lock().unwrap_or_else(PoisonError::into_inner), memory)
    })
}

type In<'a> = Caller<'a, State>;

/// The function called `name`, or `None` where nothing is granted or `preview1` has it.
pub(crate) fn function(store: &mut Store<State>, name: &str) -> wasmtime::Result<Option<Func>> {
    if store.data().wasi.is_none() {
        return Ok(None);
    }
    if let Some(func) = of_path(store, name)? {
        return Ok(Some(func));
    }
    let func = match name {
        "clock_time_get" => Func::try_wrap(store, clock_time_get)?,
        "environ_get" => Func::try_wrap(store, environ_get)?,
        "environ_sizes_get" => Func::try_wrap(store, environ_sizes_get)?,
        "fd_advise" => Func::try_wrap(store, |mut caller: In<'_>, fd: u32, _: u64, _: u64, _: u32| {
            with_table(&mut caller, |table, _| files::exists(table, fd))
        })?,
        "fd_allocate" => Func::try_wrap(store, |mut caller: In<'_>, fd: u32, _: u64, _: u64| {
            with_table(&mut caller, |table, _| files::allocate(table, fd))
        })?,
        "fd_close" => {
            Func::try_wrap(store, |mut caller: In<'_>, fd: u32| with_table(&mut caller, |table, _| table.close(fd)))?
        }
        // Waiting for the disk could take as long as the disk likes.
        "fd_datasync" | "fd_sync" => Func::try_wrap(store, |mut caller: In<'_>, fd: u32| {
            with_table(&mut caller, |table, _| files::exists(table, fd))
        })?,
        "fd_fdstat_get" => Func::try_wrap(store, |mut caller: In<'_>, fd: u32, out: u32| {
            with_table(&mut caller, |table, memory| files::fdstat_get(table, memory, fd, out))
        })?,
        "fd_fdstat_set_flags" => Func::try_wrap(store, |mut caller: In<'_>, fd: u32, flags: u32| {
            with_table(&mut caller, |table, _| files::fdstat_set_flags(table, fd, flags))
        })?,
        "fd_filestat_get" => Func::try_wrap(store, |mut caller: In<'_>, fd: u32, out: u32| {
            with_table(&mut caller, |table, memory| files::filestat_get(table, memory, fd, out))
        })?,
        "fd_filestat_set_size" => Func::try_wrap(store, |mut caller: In<'_>, fd: u32, size: u64| {
            with_table(&mut caller, |table, _| files::filestat_set_size(table, fd, size))
        })?,
        "fd_filestat_set_times" => {
            Func::try_wrap(store, |mut caller: In<'_>, fd: u32, accessed: u64, modified: u64, which: u32| {
                with_table(&mut caller, |table, _| files::filestat_set_times(table, fd, accessed, modified, which))
            })?
        }
        "fd_pread" => {
            Func::try_wrap(store, |mut caller: In<'_>, fd: u32, list: u32, count: u32, at: u64, out: u32| {
                with_table(&mut caller, |table, memory| files::read(table, memory, fd, (list, count), Some(at), out))
            })?
        }
        "fd_prestat_dir_name" => Func::try_wrap(store, |mut caller: In<'_>, fd: u32, out: u32, len: u32| {
            with_table(&mut caller, |table, memory| files::prestat_dir_name(table, memory, fd, out, len))
        })?,
        "fd_prestat_get" => Func::try_wrap(store, |mut caller: In<'_>, fd: u32, out: u32| {
            with_table(&mut caller, |table, memory| files::prestat_get(table, memory, fd, out))
        })?,
        "fd_pwrite" => {
            Func::try_wrap(store, |mut caller: In<'_>, fd: u32, list: u32, count: u32, at: u64, out: u32| {
                with_table(&mut caller, |table, memory| files::write(table, memory, fd, (list, count), Some(at), out))
            })?
        }
        "fd_read" => Func::try_wrap(store, |mut caller: In<'_>, fd: u32, list: u32, count: u32, out: u32| {
            with_table(&mut caller, |table, memory| files::read(table, memory, fd, (list, count), None, out))
        })?,
        "fd_readdir" => {
            Func::try_wrap(store, |mut caller: In<'_>, fd: u32, ptr: u32, len: u32, cookie: u64, out: u32| {
                let buffer = Buffer::new(ptr, len);
                with_table(&mut caller, |table, memory| files::readdir(table, memory, fd, buffer, cookie, out))
            })?
        }
        "fd_renumber" => Func::try_wrap(store, |mut caller: In<'_>, from: u32, to: u32| {
            with_table(&mut caller, |table, _| table.renumber(from, to))
        })?,
        "fd_seek" => Func::try_wrap(store, |mut caller: In<'_>, fd: u32, delta: i64, whence: u32, out: u32| {
            with_table(&mut caller, |table, memory| files::seek(table, memory, fd, delta, whence, out))
        })?,
        "fd_tell" => Func::try_wrap(store, |mut caller: In<'_>, fd: u32, out: u32| {
            with_table(&mut caller, |table, memory| files::tell(table, memory, fd, out))
        })?,
        "fd_write" => Func::try_wrap(store, |mut caller: In<'_>, fd: u32, list: u32, count: u32, out: u32| {
            if fd < table::FIRST {
                return preview1::fd_write(caller, fd, list, count, out);
            }
            with_table(&mut caller, |table, memory| files::write(table, memory, fd, (list, count), None, out))
        })?,
        _ => return Ok(None),
    };
    Ok(Some(func))
}

/// The functions that take a path.
fn of_path(store: &mut Store<State>, name: &str) -> wasmtime::Result<Option<Func>> {
    let func = match name {
        "path_create_directory" => Func::try_wrap(store, |mut caller: In<'_>, fd: u32, ptr: u32, len: u32| {
            with_table(&mut caller, |table, memory| paths::create_directory(table, memory, fd, (ptr, len)))
        })?,
        "path_filestat_get" => {
            Func::try_wrap(store, |mut caller: In<'_>, fd: u32, flags: u32, ptr: u32, len: u32, out: u32| {
                with_table(&mut caller, |table, memory| paths::filestat_get(table, memory, fd, flags, (ptr, len), out))
            })?
        }
        "path_filestat_set_times" => Func::try_wrap(
            store,
            |mut caller: In<'_>, fd: u32, flags: u32, ptr: u32, len: u32, accessed: u64, modified: u64, which: u32| {
                with_table(&mut caller, |table, memory| {
                    let times = (accessed, modified);
                    paths::filestat_set_times(table, memory, (fd, flags), (ptr, len), times, which)
                })
            },
        )?,
        "path_link" => Func::try_wrap(
            store,
            |mut caller: In<'_>, fd: u32, flags: u32, ptr: u32, len: u32, new_fd: u32, new_ptr: u32, new_len: u32| {
                with_table(&mut caller, |table, memory| {
                    paths::link(table, memory, flags, (fd, (ptr, len)), (new_fd, (new_ptr, new_len)))
                })
            },
        )?,
        "path_open" => Func::try_wrap(
            store,
            |mut caller: In<'_>,
             fd: u32,
             links: u32,
             ptr: u32,
             len: u32,
             flags: u32,
             rights: u64,
             _: u64,
             fd_flags: u32,
             out: u32| {
                let request = Request { links, path: (ptr, len), flags, rights, fd_flags };
                with_table(&mut caller, |table, memory| paths::open(table, memory, fd, &request, out))
            },
        )?,
        "path_readlink" => {
            Func::try_wrap(store, |mut caller: In<'_>, fd: u32, ptr: u32, len: u32, to: u32, room: u32, out: u32| {
                let buffer = Buffer::new(to, room);
                with_table(&mut caller, |table, memory| paths::readlink(table, memory, fd, (ptr, len), buffer, out))
            })?
        }
        "path_remove_directory" => Func::try_wrap(store, |mut caller: In<'_>, fd: u32, ptr: u32, len: u32| {
            with_table(&mut caller, |table, memory| paths::remove_directory(table, memory, fd, (ptr, len)))
        })?,
        "path_rename" => Func::try_wrap(
            store,
            |mut caller: In<'_>, fd: u32, ptr: u32, len: u32, new_fd: u32, new_ptr: u32, new_len: u32| {
                with_table(&mut caller, |table, memory| {
                    paths::rename(table, memory, (fd, (ptr, len)), (new_fd, (new_ptr, new_len)))
                })
            },
        )?,
        "path_symlink" => {
            Func::try_wrap(store, |mut caller: In<'_>, target: u32, size: u32, fd: u32, ptr: u32, len: u32| {
                with_table(&mut caller, |table, memory| paths::symlink(table, memory, (target, size), fd, (ptr, len)))
            })?
        }
        "path_unlink_file" => Func::try_wrap(store, |mut caller: In<'_>, fd: u32, ptr: u32, len: u32| {
            with_table(&mut caller, |table, memory| paths::unlink_file(table, memory, fd, (ptr, len)))
        })?,
        _ => return Ok(None),
    };
    Ok(Some(func))
}

/// Units of fuel for what a system does with a file.
const FILE: u64 = 10_000;
/// The clock that says the time of day.
const REALTIME: u32 = 0;

fn clock_time_get(mut caller: In<'_>, clock: u32, precision: u64, out: u32) -> i32 {
    let has_clock = |granted: &Granted| granted.grants().any(|grant| grant.wall_clock);
    let is_set = matches!(caller.data().clock, Clock::Set(_));
    if clock != REALTIME || is_set || !caller.data().wasi.as_ref().is_some_and(has_clock) {
        return preview1::clock_time_get(caller, clock, precision, out);
    }
    with_memory(&mut caller, |memory, _| {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        write(memory, out, &u64::try_from(now.as_nanos()).unwrap_or(u64::MAX).to_le_bytes())
    })
}

fn environ_sizes_get(mut caller: In<'_>, count: u32, bytes: u32) -> i32 {
    with_memory(&mut caller, |memory, state| {
        let granted = state.wasi.as_ref().ok_or(NOTSUP)?;
        let lengths = granted.variables().map(|variable| variable.len());
        let (number, total) = lengths
            .fold((0_u32, 0_usize), |(number, total), len| (number.saturating_add(1), total.saturating_add(len)));
        write(memory, count, &number.to_le_bytes())?;
        write(memory, bytes, &u32::try_from(total).map_err(|_| FAULT)?.to_le_bytes())
    })
}

fn environ_get(mut caller: In<'_>, list: u32, bytes: u32) -> i32 {
    with_memory(&mut caller, |memory, state| {
        let granted = state.wasi.as_ref().ok_or(NOTSUP)?;
        let (mut slot, mut at) = (list, bytes);
        for variable in granted.variables() {
            write(memory, slot, &at.to_le_bytes())?;
            write(memory, at, variable.as_bytes())?;
            slot = slot.checked_add(4).ok_or(FAULT)?;
            at = u32::try_from(variable.len()).ok().and_then(|len| at.checked_add(len)).ok_or(FAULT)?;
        }
        Ok(())
    })
}
