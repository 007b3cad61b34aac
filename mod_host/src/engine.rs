//! The engine: how modules are compiled, and the clock that ends calls. Mods are not known here.

use std::{
    num::NonZeroUsize,
    path::PathBuf,
    sync::{Mutex, PoisonError},
    thread,
    time::Duration,
};

use wasmparser::WasmFeatures;
use wasmtime::{Cache, CacheConfig, Config, Engine, EngineWeak, OptLevel, WasmBacktraceDetails};

use crate::{error::LoadError, text};

/// What mods may use of WebAssembly: version 2 of the specification without garbage-collected references, and three
/// small later proposals. The validator and the engine are both told this, so that they cannot disagree.
pub(crate) const FEATURES: WasmFeatures = WasmFeatures::WASM2
    .difference(WasmFeatures::GC_TYPES)
    .union(WasmFeatures::EXTENDED_CONST)
    .union(WasmFeatures::RELAXED_SIMD)
    .union(WasmFeatures::TAIL_CALL);

/// The stack that a mod's functions share, in bytes. Threads have 2 MiB where nobody chose, of
/// which the host's frames need a part.
const STACK_BYTES: usize = 512 << 10;
/// Frames that a backtrace shows.
const MAX_FRAMES: NonZeroUsize = match NonZeroUsize::new(16) {
    Some(frames) => frames,
    None => NonZeroUsize::MIN,
};
/// How often the clock ticks: the precision of time limits.
const TICK: Duration = Duration::from_millis(1);

/// How an engine is set up.
///
/// ```
/// use mod_host::{CompileCache, EngineConfig};
///
/// let mut config = EngineConfig::default();
/// config.cache = CompileCache::User;
/// ```
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct EngineConfig {
    /// Where compiled mods are kept.
    pub cache: CompileCache,
}

/// Where compiled mods are kept, so that they need not be compiled again.
///
/// What is kept is native code that is run as it is: the folder must be writable for nobody but the user, and never lie
/// where players or mods put files. A folder that cannot be used means that nothing is kept, and is no error. Entries are
/// found by the module's bytes, the engine's settings and version, and old ones are removed. See [`EngineConfig`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum CompileCache {
    /// Nothing is kept.
    #[default]
    Off,
    /// In the folder for caches of the user who runs the program, as wasmtime chooses it.
    User,
    /// In this folder, which must be absolute.
    In(PathBuf),
}

impl CompileCache {
    fn open(&self) -> Option<Cache> {
        let mut config = CacheConfig::new();
        match self {
            Self::Off => return None,
            Self::User => {}
            Self::In(folder) => {
                config.with_directory(folder);
            }
        }
        Cache::new(config).ok()
    }
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
    cache: Option<Cache>,
}

impl HostEngine {
    /// Makes an engine.
    ///
    /// # Errors
    /// [`LoadError::Engine`] when this machine cannot run WebAssembly or start a thread.
    pub fn new(config: &EngineConfig) -> Result<Self, LoadError> {
        let error = |reason: &dyn std::fmt::Display| LoadError::Engine { reason: text::clean(&reason.to_string()) };
        let cache = config.cache.open();
        let mut config = engine_config();
        config.cache(cache.clone());
        let engine = Engine::new(&config).map_err(|reason| error(&reason))?;
        let weak = engine.weak();
        thread::Builder::new()
            .name("mod_host epoch".to_owned())
            .spawn(move || tick(&weak))
            .map_err(|reason| error(&reason))?;
        Ok(Self { engine, cache })
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
            return Ok(Self { engine, cache: None });
        }
        let made = Self::new(&EngineConfig::default())?;
        *shared = Some(made.engine.weak());
        Ok(made)
    }

    /// How many compiled mods were found in the cache so far.
    #[must_use]
    pub fn cache_hits(&self) -> usize {
        self.cache.as_ref().map_or(0, Cache::cache_hits)
    }

    pub(crate) fn wasmtime(&self) -> &Engine {
        &self.engine
    }
}

fn engine_config() -> Config {
    let mut config = Config::new();
    config
        .wasm_features(WasmFeatures::all(), false)
        .wasm_features(FEATURES, true)
        // The same results on every machine.
        .relaxed_simd_deterministic(true)
        .epoch_interruption(true)
        .max_wasm_stack(STACK_BYTES)
        .wasm_backtrace_max_frames(Some(MAX_FRAMES))
        // Reading a mod's DWARF sections is much code for the benefit of line numbers.
        .wasm_backtrace_details(WasmBacktraceDetails::Disable)
        .cranelift_opt_level(OptLevel::Speed);
    config
}

/// Ticks until nobody holds the engine any more. A weak handle, because a strong one would keep it for ever.
fn tick(engine: &EngineWeak) {
    loop {
        thread::sleep(TICK);
        match engine.upgrade() {
            Some(engine) => engine.increment_epoch(),
            None => break,
        }
    }
}
