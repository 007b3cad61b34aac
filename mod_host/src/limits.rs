//! What a mod may use. Numbers only; who enforces them is not known here.

use std::time::Duration;

/// What a mod may use of the machine.
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
    /// The clock ticks every millisecond; a call gets at least this long and a tick more. Time that a host function
    /// takes counts, but the call is only stopped when the function returns to the mod.
    pub call_time: Duration,
    /// Wall time of each step of starting up: the start function, `_initialize`, and describing. 1 s by default.
    pub startup_time: Duration,
    /// Size of the file, in bytes. 32 MiB by default.
    pub file_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            memory_bytes: 64 << 20,
            table_elements: 100_000,
            call_time: Duration::from_millis(100),
            startup_time: Duration::from_secs(1),
            file_bytes: 32 << 20,
        }
    }
}

/// The longest time that can be limited. Longer ones are this long.
const LONGEST_MILLIS: u64 = u32::MAX as u64;

/// The epochs, one a millisecond, after which a call that may take `limit` is stopped. The current epoch may end at
/// once, so one is added.
pub(crate) fn epochs(limit: Duration) -> u64 {
    u64::try_from(limit.as_millis()).unwrap_or(LONGEST_MILLIS).min(LONGEST_MILLIS).saturating_add(1)
}
