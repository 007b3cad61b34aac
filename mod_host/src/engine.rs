//! The engine: how modules are compiled, and the clock that ends calls. Mods are not known here.

use std::{
    num::NonZeroUsize,
    ops::RangeInclusive,
    sync::{Arc, Mutex, PoisonError},
    thread,
    time::{Duration, Instant},
};

use wasmparser::WasmFeatures;
use wasmtime::{Config, Engine, EngineWeak, Module, OptLevel, WasmBacktraceDetails};

use crate::{
    backtrace::ENGINE_FRAMES,
    budget::Meter,
    cache::{Cache, CompileCache, Key},
    error::LoadError,
    text,
};

/// What mods may use of WebAssembly: version 2 of the specification without garbage-collected references, and three
/// small later proposals. The validator and the engine are both told this, so that they cannot disagree.
pub(crate) const FEATURES: WasmFeatures = WasmFeatures::WASM2
    .difference(WasmFeatures::GC_TYPES)
    .union(WasmFeatures::EXTENDED_CONST)
    .union(WasmFeatures::RELAXED_SIMD)
    .union(WasmFeatures::TAIL_CALL);

/// What a mod's functions may use of the stack, in bytes, where the host does not choose. Threads have 2 MiB where nobody
/// chose, of which the host's frames need a part.
const STACK_BYTES: usize = 512 << 10;
/// The least and the most that a host may choose.
const STACK_RANGE: RangeInclusive<usize> = (32 << 10)..=(1 << 20);
/// What all compiled mods may take on disk where the host does not choose: about those of 800 mods of usual size.
const CACHE_BYTES: u64 = 512 << 20;
/// Frames that a backtrace notes.
const MAX_FRAMES: NonZeroUsize = match NonZeroUsize::new(ENGINE_FRAMES) {
    Some(frames) => frames,
    None => NonZeroUsize::MIN,
};
/// How often the clock ticks: the precision of time limits.
const TICK: Duration = Duration::from_millis(1);
/// After so many ticks that did not come in time, because the machine slept, the clock goes on as if nothing had been.
const MOST_LATE: u32 = 1_000;

/// How an engine is set up.
///
/// ```
/// use mod_host::{CompileCache, EngineConfig};
///
/// let mut config = EngineConfig::default();
/// config.cache = CompileCache::User;
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct EngineConfig {
    /// Where compiled mods are kept.
    pub cache: CompileCache,
    /// What all compiled mods in that folder may take together, in bytes, whoever keeps them there: 512 MiB by default. A mod
    /// that would take more than a quarter of it is not kept.
    pub cache_bytes: u64,
    /// How the code of mods runs.
    pub execution: Execution,
    /// Whether mods compute the same from the same on every machine and in every run.
    ///
    /// Calls are then ended by [`Limits::call_fuel`](crate::Limits::call_fuel) and its like and not by time, floating-point numbers
    /// that are none have the same bits everywhere (code with many of them may take twice as long), and the clocks of mods
    /// stand until the host sets them ([`Instance::set_time`](crate::Instance::set_time)). Random numbers are for the host to
    /// seed ([`Entropy::Seeded`](crate::Entropy::Seeded)).
    pub deterministic: bool,
    /// What the functions of a mod may use of the stack of the thread that calls them, in bytes: 512 KiB by default, and 32 KiB to
    /// 1 MiB. It is one number for all mods of an engine, because the engine checks it.
    pub stack_bytes: usize,
}

impl Default for EngineConfig {
    fn default() -> Self {
        Self {
            cache: CompileCache::default(),
            cache_bytes: CACHE_BYTES,
            execution: Execution::default(),
            deterministic: false,
            stack_bytes: STACK_BYTES,
        }
    }
}

/// How the code of mods runs. See [`EngineConfig`].
///
/// ```
/// use mod_host::{EngineConfig, Execution, HostEngine};
///
/// // A game that reports its own crashes wants all signals for itself.
/// let mut config = EngineConfig::default();
/// config.execution = Execution::NativeWithoutSignals;
/// let engine = HostEngine::new(&config)?;
/// # Ok::<_, mod_host::LoadError>(())
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Execution {
    /// Compiled for this machine. What WebAssembly forbids is noticed by the processor, as a signal (on Windows an exception)
    /// that the engine handles: it installs handlers for the whole program when the first engine is made, and passes on what
    /// is not a mod's. A crash handler that is installed later has to pass on what it does not know, too.
    #[default]
    Native,
    /// Compiled for this machine, with every access to memory checked by code. No signal is handled, so nothing is shared with
    /// a crash handler. Takes about twice as long in loops over memory.
    NativeWithoutSignals,
    /// Interpreted, for platforms on which programs may not make code while they run. Takes about 100 times as long in loops.
    /// No signal is handled. Mods are still compiled, to the code of wasmtime's interpreter, Pulley.
    #[cfg(feature = "interpreter")]
    Interpreted,
}

/// A compiler and the clock that ends calls in time. One is enough for a program; clones are the same engine.
///
/// The clock is a thread that ends when the last clone, compiled mod and instance are gone.
///
/// ```
/// use mod_host::{EngineConfig, HostEngine, WasmPluginBuilder};
///
/// let engine = HostEngine::new(&EngineConfig::default())?;
/// let plugin = WasmPluginBuilder::from_file("examples/greeter.wasm")?
///     .engine(&engine)
///     .import_function("announce", |text: String| text.len() as u32)
///     .finish()?;
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct HostEngine {
    engine: Engine,
    cache: Option<Arc<Cache>>,
    /// Why there is none.
    cache_problem: Option<Arc<str>>,
    meter: Meter,
}

impl HostEngine {
    /// Makes an engine.
    ///
    /// # Errors
    /// [`LoadError::Engine`] when this machine cannot run WebAssembly or start a thread.
    pub fn new(config: &EngineConfig) -> Result<Self, LoadError> {
        let error = |reason: &dyn std::fmt::Display| LoadError::Engine { reason: text::clean(&reason.to_string()) };
        let meter = if config.deterministic { Meter::Fuel } else { Meter::Clock };
        let settings = engine_config(config, meter).map_err(|reason| error(&reason))?;
        let engine = Engine::new(&settings).map_err(|reason| error(&reason))?;
        if meter == Meter::Clock {
            let weak = engine.weak();
            thread::Builder::new()
                .name("mod_host epoch".to_owned())
                .spawn(move || tick(&weak))
                .map_err(|reason| error(&reason))?;
        }
        let (cache, cache_problem) = match Cache::open(&config.cache, config.cache_bytes, &engine) {
            Ok(cache) => (cache, None),
            Err(reason) => (None, Some(text::clean(&reason).into())),
        };
        Ok(Self { engine, cache, cache_problem, meter })
    }

    /// The engine that everybody in this program shares who does not make one: with default settings, and for as long as
    /// somebody uses it.
    ///
    /// # Errors
    /// As [`HostEngine::new`].
    pub fn shared() -> Result<Self, LoadError> {
        static SHARED: Mutex<Option<EngineWeak>> = Mutex::new(None);
        let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(engine) = shared.as_ref().and_then(EngineWeak::upgrade) {
            return Ok(Self { engine, cache: None, cache_problem: None, meter: Meter::Clock });
        }
        let made = Self::new(&EngineConfig::default())?;
        *shared = Some(made.engine.weak());
        Ok(made)
    }

    /// How many compiled mods were found in the cache so far.
    #[must_use]
    pub fn cache_hits(&self) -> usize {
        self.cache.as_ref().map_or(0, |cache| cache.hits())
    }

    /// Why no compiled mods are kept, if they should be: a sentence without its end, for a log.
    #[must_use]
    pub fn cache_problem(&self) -> Option<&str> {
        self.cache_problem.as_deref()
    }

    /// Where a module would be in the cache, if there is one, and what is there.
    pub(crate) fn find(&self, wasm: &[u8]) -> Option<(Key, Option<Module>)> {
        let cache = self.cache.as_ref()?;
        let key = cache.key(wasm);
        let found = cache.get(&self.engine, &key);
        Some((key, found))
    }

    /// Compiles a module, and keeps it if there is a place for it.
    pub(crate) fn compile(&self, wasm: &[u8], place: Option<Key>) -> wasmtime::Result<Module> {
        // Not `Module::new`: only the binary format, never text.
        let module = Module::from_binary(&self.engine, wasm)?;
        if let (Some(cache), Some(key)) = (&self.cache, place) {
            cache.put(&key, &module);
        }
        Ok(module)
    }

    /// What ends calls.
    pub(crate) fn meter(&self) -> Meter {
        self.meter
    }
}

fn engine_config(wanted: &EngineConfig, meter: Meter) -> wasmtime::Result<Config> {
    let mut config = Config::new();
    match wanted.execution {
        Execution::Native => {}
        Execution::NativeWithoutSignals => drop(config.signals_based_traps(false)),
        #[cfg(feature = "interpreter")]
        Execution::Interpreted => drop(config.target(INTERPRETER)?.signals_based_traps(false)),
    }
    config
        .wasm_features(WasmFeatures::all(), false)
        .wasm_features(FEATURES, true)
        // The same results on every machine.
        .relaxed_simd_deterministic(true)
        .epoch_interruption(meter == Meter::Clock)
        .consume_fuel(meter == Meter::Fuel)
        .cranelift_nan_canonicalization(meter == Meter::Fuel)
        .max_wasm_stack(wanted.stack_bytes.clamp(*STACK_RANGE.start(), *STACK_RANGE.end()))
        .wasm_backtrace_max_frames(Some(MAX_FRAMES))
        // wasmtime would read a mod's DWARF sections without limits, when it fails, in the game's thread. `lines` reads what
        // is needed before.
        .wasm_backtrace_details(WasmBacktraceDetails::Disable)
        .cranelift_opt_level(OptLevel::Speed);
    Ok(config)
}

/// What the interpreter runs, for this machine.
#[cfg(feature = "interpreter")]
const INTERPRETER: &str = match (cfg!(target_pointer_width = "64"), cfg!(target_endian = "little")) {
    (true, true) => "pulley64",
    (true, false) => "pulley64be",
    (false, true) => "pulley32",
    (false, false) => "pulley32be",
};

/// Ticks until nobody holds the engine any more. A weak handle, because a strong one would keep it for ever.
///
/// A sleep takes longer than it should, so the ticks that are due are counted: else a limit of a second would be off by
/// many milliseconds.
fn tick(engine: &EngineWeak) {
    let mut next = Instant::now();
    loop {
        next = next.checked_add(TICK).unwrap_or(next);
        thread::sleep(next.saturating_duration_since(Instant::now()));
        let Some(engine) = engine.upgrade() else { break };
        engine.increment_epoch();
        let late = next.elapsed();
        if late > TICK.saturating_mul(MOST_LATE) {
            next = Instant::now();
        }
    }
}
