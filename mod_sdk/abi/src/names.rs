//! The names of everything that crosses the border.

use alloc::{format, string::String};

/// The version of the contract. A mod states the version it was built for in its identity section.
pub const ABI_VERSION: u32 = 3;

/// The module that every import of a mod comes from (except those of other mods and of WASI preview 1).
pub const IMPORT_MODULE: &str = "env";

/// What the module begins with that functions of another mod are imported from. The id of that mod follows. The functions
/// answer with a [`ModCallStatus`](crate::ModCallStatus).
pub const MOD_IMPORT_PREFIX: &str = "mod:";

/// The custom section that holds a mod's [`Identity`](crate::Identity).
pub const IDENTITY_SECTION: &str = "bevy_mod";

/// The custom sections that state a mod's functions, one [`FunctionDesc`](crate::FunctionDesc) a line.
pub const FUNCTIONS_SECTION: &str = "bevy_mod_functions";

/// The exported linear memory.
pub const MEMORY: &str = "memory";
/// `fn(len: u32) -> u32`: memory for `len` bytes, aligned to 16 bytes. Zero means "no memory left".
pub const ALLOC_BUFFER: &str = "__alloc_buffer";
/// `fn(buffer: u64)`: gives a buffer back to the mod's allocator.
pub const FREE_BUFFER: &str = "__free_buffer";
/// `fn()`: optional. The host calls it exactly once, before anything else.
pub const INITIALIZE: &str = "_initialize";
/// `fn(u64) -> u64`: optional. Takes nothing and returns an encoded
/// [`ModDescription`](crate::describe::ModDescription).
pub const DESCRIBE: &str = "__mod_describe";
/// `fn(u64) -> u64`: runs one system or observer over a [batch](crate::batch) and returns its
/// [commands](crate::command): a buffer that stays the mod's and lasts until it is called again, or 0 for none. Needed by
/// mods that describe systems or observers.
pub const RUN: &str = "__mod_run";

/// `fn(u64) -> u64`: optional. Takes nothing and returns the encoded list of
/// [`SavedState`](crate::state::SavedState)s: what outlives a reload.
pub const SAVE: &str = "__mod_save";
/// `fn(u64) -> u64`: optional, beside [`SAVE`]. Takes such a list, of the names and schemas that this version of the mod
/// saves, and returns nothing.
pub const RESTORE: &str = "__mod_restore";

/// `fn(ptr: u32, len: u32) -> u32`: fills memory with random bytes. Zero, or an error code.
pub const GETRANDOM: &str = "__getrandom";
/// `fn(ptr: u32, len: u32)`: tells the host the text of a panic, just before the trap.
pub const PANIC: &str = "__panic";
/// `fn(level: u32, ptr: u32, len: u32)`: one line for the game's log.
pub const LOG: &str = "__log";

/// `fn() -> u64`: the id of an entity that does not exist yet, for a
/// [spawn command](crate::command::Command::Spawn) of the same call.
pub const ENTITY_RESERVE: &str = "__entity_reserve";
/// `fn(param: u32, entity: u64) -> u32`: the row of an entity in the block of a query, which is the running system's
/// parameter at that index, or [`NO_ROW`].
pub const QUERY_ROW: &str = "__query_row";
/// The answer of [`QUERY_ROW`] for an entity that is not in the query.
pub const NO_ROW: u32 = u32::MAX;

/// `fn(ticket: u64) -> u32`: the [`JobState`](crate::JobState) of a job that a host function has started, as a number.
pub const JOB_STATE: &str = "__job_state";
/// `fn(ticket: u64) -> u64`: a buffer that is the mod's own with the result of a job that is done, in the mod's codec, or
/// with the reason of one that failed, as text. Empty for any other ticket. The ticket is unknown afterwards.
pub const JOB_TAKE: &str = "__job_take";
/// `fn(ticket: u64)`: the mod does not want the result any more. The ticket is unknown afterwards.
pub const JOB_CANCEL: &str = "__job_cancel";

/// Host function `(param: u32, column: u32)`: which rows of a column changed since the running system last ran. The result
/// is two maps in the form of a dirty map, the rows that changed and those that were added, as they are.
pub const QUERY_TICKS: &str = "query_ticks";

/// Host function `(TypeDesc) -> u32`: the index that a type has from now on in this instance's list of types. A type that is
/// not in the list yet is appended behind those of the description. Needed because a mod in Rust learns only at run time
/// which types it spawns. An instance has at most 1024 types. Allowed in any call.
pub const TYPE_INDEX: &str = "type_index";

/// Host function behind on-demand access: prepares a [`WorldRequest`](crate::describe::WorldRequest).
pub const WORLD_PREPARE: &str = "world_prepare";
/// Host function behind on-demand access: all rows of a prepared query.
pub const WORLD_QUERY: &str = "world_query";
/// Host function behind on-demand access: the row of one entity.
pub const WORLD_GET: &str = "world_get";
/// Host function behind on-demand access: a prepared resource.
pub const WORLD_RESOURCE: &str = "world_resource";
/// Host function behind on-demand access: how many rows a prepared query has, as a `u32`.
pub const WORLD_COUNT: &str = "world_count";
/// Host function behind on-demand access: whether an entity exists, as a `bool`.
pub const WORLD_CONTAINS: &str = "world_contains";

/// Names that `#[export]` and a game's host functions may not take, without their leading underscores: the
/// contract's own, and those that the linker, libc or WASI define with two underscores in front.
pub const RESERVED: &[&str] = &[
    "alloc_buffer",
    "data_end",
    "dso_handle",
    "entity_reserve",
    "free_buffer",
    "getrandom",
    "global_base",
    "heap_base",
    "heap_end",
    "indirect_function_table",
    "job_cancel",
    "job_state",
    "job_take",
    "log",
    "main_argc_argv",
    "main_void",
    "memory_base",
    "mod_describe",
    "mod_restore",
    "mod_run",
    "mod_save",
    "original_main",
    "panic",
    "query_row",
    "query_ticks",
    "stack_high",
    "stack_low",
    "stack_pointer",
    "table_base",
    "tls_align",
    "tls_base",
    "tls_size",
    "type_index",
    "wasilibc_cwd",
    "wasm_apply_data_relocs",
    "wasm_call_ctors",
    "wasm_call_dtors",
    "wasm_init_memory",
    "wasm_init_memory_flag",
    "wasm_init_tls",
    "world_contains",
    "world_count",
    "world_get",
    "world_prepare",
    "world_query",
    "world_resource",
];

/// Whether `name` belongs to the contract or to the tool chain.
#[must_use]
pub fn is_reserved(name: &str) -> bool {
    RESERVED.contains(&name)
}

/// The symbol under which a function crosses: its name with two underscores in front.
///
/// ```
/// assert_eq!(mod_abi::names::symbol("double"), "__double");
/// ```
#[must_use]
pub fn symbol(name: &str) -> String {
    format!("__{name}")
}

/// Severity of a line that a mod logs, as the first argument of [`LOG`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u32)]
pub enum LogLevel {
    /// The mod cannot do what it should.
    Error = 1,
    /// Something the player or the modder should look at.
    Warn = 2,
    /// What happens, in normal play.
    Info = 3,
    /// For the modder.
    Debug = 4,
    /// For the modder, every frame.
    Trace = 5,
}

impl LogLevel {
    /// The level of a raw number. Unknown numbers are [`LogLevel::Trace`], the quietest.
    #[must_use]
    pub fn from_raw(raw: u32) -> Self {
        match raw {
            1 => Self::Error,
            2 => Self::Warn,
            3 => Self::Info,
            4 => Self::Debug,
            _ => Self::Trace,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{RESERVED, is_reserved};

    #[test]
    fn reserved_names_are_sorted_and_found() {
        assert!(RESERVED.is_sorted());
        assert!(is_reserved("heap_base"));
        assert!(!is_reserved("double"));
    }
}
