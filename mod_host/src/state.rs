//! What the store of an instance carries for its imports and limits. Who calls is not known here.

use std::{
    fmt,
    sync::Arc,
    time::{Duration, Instant},
};

use mod_abi::names::LogLevel;
use wasmtime::ResourceLimiter;

use crate::{
    budget::{Budget, Meter},
    caller::Holdings,
    compile::CompiledMod,
    context::HostSlot,
    entropy::Source,
    host_function::HostFunctionDesc,
    job::Jobs,
    limits::Limits,
    log::{LineBuffer, Log, LogSink},
    memory::Guest,
    mod_call::Compared,
    opaque::OpaqueTable,
    usage::Usage,
};

/// A program has one table; a few more do no harm.
const MAX_TABLES: usize = 8;

/// The data of an instance's store. To others it is opaque.
#[cfg_attr(not(feature = "unstable-linker"), expect(unreachable_pub, reason = "only that feature names it outside"))]
pub struct State {
    pub(crate) limiter: Limiter,
    pub(crate) entropy: Source,
    pub(crate) log: Log,
    pub(crate) stdout: LineBuffer,
    pub(crate) stderr: LineBuffer,
    /// What the running call may reach.
    pub(crate) host: HostSlot,
    /// What the host offers.
    pub(crate) host_functions: Arc<[HostFunctionDesc]>,
    /// What the host keeps for the mod.
    pub(crate) holdings: Holdings,
    /// For each function of other mods, what it was compared with.
    pub(crate) compared: Vec<Compared>,
    /// What calls may take and have taken.
    pub(crate) budget: Budget,
    /// What it did since somebody last asked.
    pub(crate) usage: Usage,
    /// The most bytes that go into one import or come out of it.
    pub(crate) import_bytes: usize,
    /// The most calls from mod to mod that stand in each other.
    pub(crate) nesting: usize,
    /// The text of the panic that the running call announced.
    pub(crate) panic: Option<String>,
    /// The mod's memory and allocator, once it is instantiated.
    pub(crate) guest: Option<Arc<Guest>>,
    /// Reused for the results of host functions.
    pub(crate) scratch: Vec<u8>,
    /// What the mod sees of the time.
    pub(crate) clock: Clock,
    /// What the game grants to the mod.
    #[cfg(feature = "wasi")]
    pub(crate) wasi: Option<crate::wasi::Granted>,
}

impl State {
    pub(crate) fn new(
        compiled: CompiledMod,
        limits: &Limits,
        entropy: Source,
        log: Arc<dyn LogSink>,
        host_functions: Arc<[HostFunctionDesc]>,
    ) -> Self {
        let meter = compiled.meter();
        Self {
            limiter: Limiter {
                memory_bytes: limits.memory_bytes,
                table_elements: limits.table_elements,
                refused: false,
            },
            entropy,
            log: Log::new(log, limits.log_lines),
            stdout: LineBuffer::new(LogLevel::Info),
            stderr: LineBuffer::new(LogLevel::Warn),
            host: HostSlot::empty(),
            host_functions,
            compared: compiled.manifest().mod_functions.iter().map(|_| Compared::with_none()).collect(),
            budget: Budget::new(meter),
            usage: Usage::default(),
            import_bytes: limits.import_bytes,
            nesting: limits.nesting,
            holdings: Holdings { compiled, jobs: Jobs::default(), opaque: OpaqueTable::new() },
            panic: None,
            guest: None,
            scratch: Vec::new(),
            clock: Clock::new(meter),
            #[cfg(feature = "wasi")]
            wasi: None,
        }
    }

    /// Forgets what an earlier call left behind.
    pub(crate) fn begin_call(&mut self) {
        self.limiter.refused = false;
        self.panic = None;
    }

    /// Passes on half-written lines: nothing will complete them.
    pub(crate) fn flush(&mut self) {
        self.stdout.flush(&mut self.log);
        self.stderr.flush(&mut self.log);
        self.log.tell_dropped();
    }
}

impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoreData").finish_non_exhaustive()
    }
}

impl Drop for State {
    fn drop(&mut self) {
        self.flush();
    }
}

/// The time that a mod sees, since its start.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Clock {
    Running(Instant),
    Set(Duration),
}

impl Clock {
    /// Where calls have to come out the same in every run, no clock runs by itself.
    fn new(meter: Meter) -> Self {
        match meter {
            Meter::Clock => Self::Running(Instant::now()),
            Meter::Fuel => Self::Set(Duration::ZERO),
        }
    }

    pub(crate) fn now(&self) -> Duration {
        match self {
            Self::Running(start) => start.elapsed(),
            Self::Set(time) => *time,
        }
    }
}

/// Refuses growth above the limits. The mod sees -1, as it would on a machine that is full.
pub(crate) struct Limiter {
    pub(crate) memory_bytes: usize,
    table_elements: usize,
    /// Whether memory was refused since the call began: the likely cause of what goes wrong afterwards.
    pub(crate) refused: bool,
}

impl ResourceLimiter for Limiter {
    fn memory_growing(&mut self, _: usize, desired: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        let allowed = desired <= self.memory_bytes;
        self.refused |= !allowed;
        Ok(allowed)
    }

    fn table_growing(&mut self, _: usize, desired: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        Ok(desired <= self.table_elements)
    }

    fn instances(&self) -> usize {
        1
    }

    fn memories(&self) -> usize {
        1
    }

    fn tables(&self) -> usize {
        MAX_TABLES
    }
}
