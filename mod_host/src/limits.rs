//! What a mod may use. Numbers only; who enforces them is not known here.

use std::time::Duration;

/// What a mod may use of the machine. One mod's limits never touch another's.
///
/// What a mod may use of the stack is [`EngineConfig::stack_bytes`](crate::EngineConfig::stack_bytes), because the engine checks it
/// for all mods alike.
///
/// ```
/// use std::time::Duration;
///
/// use mod_host::Limits;
///
/// let strict = Limits { call_time: Duration::from_millis(2), memory_bytes: 4 << 20, ..Limits::default() };
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Limits {
    /// Linear memory of an instance, in bytes. 64 MiB by default.
    pub memory_bytes: usize,
    /// Elements of each table of an instance. 100,000 by default.
    pub table_elements: usize,
    /// Wall time of one call, with everything that happens inside it. 100 ms by default.
    ///
    /// The clock ticks every millisecond; a call gets at least this long, and is stopped two ticks later at the latest. Time that
    /// a host function takes counts, but the call is only stopped when the function returns to the mod.
    pub call_time: Duration,
    /// Wall time of all calls in one frame of the host together, and of what the host does for them
    /// ([`Instance::spend`](crate::Instance::spend)). 100 ms by default.
    ///
    /// A frame begins with [`Instance::begin_frame`](crate::Instance::begin_frame); a host that has no frames has no such limit.
    /// Calls that another mod makes count for that one.
    pub frame_time: Duration,
    /// Wall time of each step of starting up: the start function, `_initialize`, and describing. 1 s by default.
    pub startup_time: Duration,
    /// Fuel of one call, where fuel ends calls and not time ([`EngineConfig::deterministic`]). One unit is about one
    /// instruction of the mod, or one byte that goes into a host function or comes out of it. 200,000,000 by default, which is
    /// on the order of 100 ms.
    ///
    /// [`EngineConfig::deterministic`]: crate::EngineConfig::deterministic
    pub call_fuel: u64,
    /// Fuel of all calls in one frame of the host together, as [`Limits::frame_time`]. 200,000,000 by default.
    pub frame_fuel: u64,
    /// Fuel of each step of starting up, as [`Limits::startup_time`]. 2,000,000,000 by default.
    pub startup_fuel: u64,
    /// Size of the file, in bytes. 32 MiB by default.
    pub file_bytes: usize,
    /// Bytes that go into one call of a host function, or of another mod, or come out of it. 16 MiB by default; between mods
    /// never more than [`MAX_MOD_CALL_BYTES`](crate::MAX_MOD_CALL_BYTES).
    pub import_bytes: usize,
    /// Lines that the mod logs in one second. 200 by default. What is more is dropped, and the number of dropped lines is
    /// told.
    pub log_lines: u32,
    /// How many calls into mods may stand in each other when this mod calls another one, the host's own call being the first. 16 by
    /// default, and at the most.
    pub nesting: usize,
    /// Commands that a mod leaves in a frame, with all its systems together, for the host that carries them out. 250,000
    /// by default.
    ///
    /// This and the two limits below count over a frame of the host, however often a system runs in it, and start anew with
    /// each instance. A mod that leaves more has failed, and nothing of the run that went beyond is carried out.
    pub commands_per_frame: usize,
    /// Bytes of those commands. 64 MiB by default.
    pub command_bytes_per_frame: usize,
    /// Messages that a mod writes and events that it triggers in a frame, of all types together. 10,000 by default. They are
    /// commands and count as such, too.
    pub messages_per_frame: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            memory_bytes: 64 << 20,
            table_elements: 100_000,
            call_time: Duration::from_millis(100),
            frame_time: Duration::from_millis(100),
            startup_time: Duration::from_secs(1),
            call_fuel: 200_000_000,
            frame_fuel: 200_000_000,
            startup_fuel: 2_000_000_000,
            file_bytes: 32 << 20,
            import_bytes: 16 << 20,
            log_lines: 200,
            nesting: 16,
            commands_per_frame: 250_000,
            command_bytes_per_frame: 64 << 20,
            messages_per_frame: 10_000,
        }
    }
}
