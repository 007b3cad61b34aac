//! One running mod: its store, its functions and its memory. How it is called stands in `call`.

use std::{
    collections::HashMap,
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use mod_abi::{
    Buffer,
    names::{DESCRIBE, INITIALIZE, RESTORE, RUN, SAVE, symbol},
};
use wasmtime::{Store, Trap, TypedFunc};

use crate::{
    batch::Batches,
    budget::{self, Step},
    compile::CompiledMod,
    context::NoHostCalls,
    entropy::{Entropy, Source},
    error::{CallError, LoadError},
    fault::{Fault, Stop, instantiate},
    host_function::HostFunctionDesc,
    imports,
    limits::Limits,
    linker::{LinkerHook, RawImports},
    log::{LogSink, NoLog},
    manifest::Manifest,
    memory::Guest,
    opaque::OpaqueTable,
    state::{Clock, State},
    usage::Usage,
};

/// Of instances. Never used twice.
static NUMBERS: AtomicU64 = AtomicU64::new(0);

/// What an instance may use and reach.
///
/// ```
/// use mod_host::{InstanceConfig, Limits};
///
/// let mut config = InstanceConfig::default();
/// config.limits = Limits { memory_bytes: 16 << 20, ..Limits::default() };
/// ```
#[derive(Clone)]
#[non_exhaustive]
pub struct InstanceConfig {
    /// What it may use of the machine.
    pub limits: Limits,
    /// Where its random numbers come from.
    pub entropy: Entropy,
    /// Who takes the lines that it logs.
    pub log: Arc<dyn LogSink>,
    /// The functions that the host offers. A function's index here is how [`HostCalls`](crate::HostCalls) is told which one
    /// the mod called.
    pub host_functions: Arc<[HostFunctionDesc]>,
    /// UNSTABLE: defines further imports.
    #[cfg(feature = "unstable-linker")]
    pub linker: Option<LinkerHook>,
    /// What mods get of the machine. Nothing by default.
    #[cfg(feature = "wasi")]
    pub wasi: crate::WasiGrants,
}

impl Default for InstanceConfig {
    /// The default limits, random numbers of the operating system, no log, and no host functions.
    fn default() -> Self {
        Self {
            limits: Limits::default(),
            entropy: Entropy::default(),
            log: Arc::new(NoLog),
            host_functions: Arc::new([]),
            #[cfg(feature = "unstable-linker")]
            linker: None,
            #[cfg(feature = "wasi")]
            wasi: crate::WasiGrants::default(),
        }
    }
}

impl InstanceConfig {
    fn linker_hook(&self) -> Option<&LinkerHook> {
        #[cfg(feature = "unstable-linker")]
        return self.linker.as_ref();
        #[cfg(not(feature = "unstable-linker"))]
        return None;
    }
}

impl fmt::Debug for InstanceConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InstanceConfig")
            .field("limits", &self.limits)
            .field("entropy", &self.entropy)
            .field("host_functions", &self.host_functions)
            .finish_non_exhaustive()
    }
}

/// A mod that runs: its memory, its state between calls, and everything that was promised to it.
///
/// After a call that left the mod's code in the middle (a trap, a panic, a timeout, a refused host function), the
/// instance is poisoned: its memory may be half-changed, so it is never entered again.
///
/// ```
/// use mod_host::{CompiledMod, HostEngine, Instance, InstanceConfig, Limits, NoHostCalls};
///
/// let bytes = std::fs::read("examples/greeter.wasm")?;
/// let greeter = CompiledMod::new(&HostEngine::shared()?, &bytes, "greeter", &Limits::default())?;
/// let mut config = InstanceConfig::default();
/// config.host_functions = ["announce".into()].into();
///
/// let mut instance = Instance::new(&greeter, config)?;
/// let doubled: Vec<f64> = instance.call("double", &[1.5, 21.0].as_slice(), &mut NoHostCalls)?;
/// assert_eq!(doubled, [3.0, 42.0]);
///
/// let error = instance.call::<_, String>("greet", "Ada", &mut NoHostCalls).unwrap_err();
/// assert_eq!(error.to_string(), "`greet` called `announce`, which failed: host functions cannot be called here");
/// assert!(instance.is_poisoned());
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
pub struct Instance {
    pub(crate) store: Store<State>,
    pub(crate) guest: Arc<Guest>,
    pub(crate) functions: Functions,
    pub(crate) compiled: CompiledMod,
    pub(crate) limits: Limits,
    /// What it was started with.
    config: InstanceConfig,
    pub(crate) batches: Batches,
    pub(crate) poisoned: bool,
    /// Tells this instance from every other one, for handles to its functions.
    pub(crate) number: u64,
}

/// The mod's functions, looked up once.
pub(crate) struct Functions {
    pub(crate) callable: HashMap<String, Arc<TypedFunc<u64, u64>>>,
    pub(crate) describe: Option<TypedFunc<u64, u64>>,
    pub(crate) run: Option<TypedFunc<u64, u64>>,
    pub(crate) save: Option<TypedFunc<u64, u64>>,
    pub(crate) restore: Option<TypedFunc<u64, u64>>,
}

impl Instance {
    /// Links and starts a compiled mod. Its start function runs here, and then `_initialize`, once.
    ///
    /// # Errors
    /// [`LoadError::Imports`] with everything that the mod wants and the host does not offer,
    /// [`LoadError::Instantiate`], or [`LoadError::Start`] when the mod's own code fails or takes longer than
    /// [`Limits::startup_time`].
    pub fn new(compiled: &CompiledMod, config: InstanceConfig) -> Result<Self, LoadError> {
        trace_room!("instance", id = compiled.manifest().identity.id);
        let module = compiled.module();
        let raw = RawImports::new(module.engine(), config.linker_hook())?;
        #[cfg(feature = "wasi")]
        let granted = crate::wasi::Granted::new(&config.wasi, &compiled.manifest().identity.id);
        let InstanceConfig { limits, entropy, log, host_functions, .. } = config.clone();
        let source = Source::new(entropy, &compiled.manifest().identity.id);
        let state = State::new(compiled.clone(), &limits, source, log, host_functions);
        let mut store = Store::try_new(module.engine(), state).map_err(|error| instantiate(&error))?;
        #[cfg(feature = "wasi")]
        {
            store.data_mut().wasi = granted;
        }
        store.limiter(|state| &mut state.limiter);
        budget::watch(&mut store);
        let imports = imports::link(&mut store, module, &raw)?;

        // It is not nested in the sense of a budget, whoever makes it: nobody else pays for it.
        let started = budget::begin(&mut store, &limits, Step::Startup, false);
        debug_assert!(started.is_ok(), "a start counts for no frame");
        let raw =
            wasmtime::Instance::new(&mut store, module, &imports).map_err(|error| start_error(error, &mut store))?;
        let guest = Guest::find(&mut store, &raw)
            .ok_or_else(|| LoadError::Instantiate { reason: "the mod has no memory".to_owned() })?;
        let guest = Arc::new(guest);
        store.data_mut().guest = Some(Arc::clone(&guest));

        let mut typed = |name: &str| raw.get_typed_func::<u64, u64>(&mut store, name).ok();
        let exports = &compiled.manifest().exports;
        let functions = Functions {
            callable: exports.iter().filter_map(|name| Some((name.clone(), Arc::new(typed(&symbol(name))?)))).collect(),
            describe: typed(DESCRIBE),
            run: typed(RUN),
            save: typed(SAVE),
            restore: typed(RESTORE),
        };
        let initialize = raw.get_typed_func::<(), ()>(&mut store, INITIALIZE).ok();
        let mut instance = Self {
            store,
            guest,
            functions,
            compiled: compiled.clone(),
            limits,
            config,
            batches: Batches::default(),
            poisoned: false,
            number: NUMBERS.fetch_add(1, Ordering::Relaxed),
        };
        if let Some(initialize) = initialize {
            instance
                .enter(INITIALIZE, Step::Startup, &mut NoHostCalls, |store, _, _| Ok(initialize.call(store, ())?))
                .map_err(|source| LoadError::Start { source })?;
        }
        Ok(instance)
    }

    /// Starts the same module once more, with the same limits, log and host functions: an instance as this one was at its
    /// start. This one stays as it is, and may be poisoned.
    ///
    /// # Errors
    /// As [`Instance::new`].
    pub fn start_anew(&self) -> Result<Self, LoadError> {
        Self::new(&self.compiled, self.config.clone())
    }

    /// Whether a call was left in the middle. Every later call answers [`CallError::Poisoned`].
    #[must_use]
    pub fn is_poisoned(&self) -> bool {
        self.poisoned
    }

    /// The size of the mod's linear memory, in bytes.
    #[must_use]
    pub fn memory_bytes(&self) -> usize {
        self.guest.size(&self.store)
    }

    /// Begins a frame of the host, in which the mod has [`Limits::frame_time`] and [`Limits::frame_fuel`]. These hold from the first
    /// frame on. If more than that was [spent](Instance::spend) in the frame before, this one pays for the rest.
    pub fn begin_frame(&mut self) {
        let state = self.store.data_mut();
        state.budget.begin_frame(&self.limits);
        state.log.begin_frame();
    }

    /// Leaves the frames of the host, and forgets what was spent in them, until the next one begins.
    pub fn end_frames(&mut self) {
        self.store.data_mut().budget.end_frames();
    }

    /// The time that calls took since the frame began, and what else was [spent](Instance::spend).
    #[must_use]
    pub fn frame_spent(&self) -> Duration {
        self.store.data().budget.frame_spent()
    }

    /// Counts what the host did for the mod in this frame beside its calls, such as copying what it reads: as `time` for
    /// [`Limits::frame_time`], and as `fuel` for [`Limits::frame_fuel`]. When that is used up, the next call is refused.
    pub fn spend(&mut self, time: Duration, fuel: u64) {
        self.store.data_mut().budget.spend(time, fuel);
    }

    /// What it did since this was last asked, or since its start. Counting costs next to nothing, so it is always done.
    pub fn take_usage(&mut self) -> Usage {
        let state = self.store.data_mut();
        let time = std::mem::take(&mut state.budget.used);
        Usage { time, ..std::mem::take(&mut state.usage) }
    }

    /// Counts bytes that the host copied out of its memory itself, for [`Usage::bytes_out`]: the host knows how much of a batch it
    /// wants back.
    pub fn count_taken(&mut self, bytes: usize) {
        self.store.data_mut().usage.add_out(bytes);
    }

    /// Has the frame pay for all that the host does for the mod from `since` on, until [`Instance::end_work`]: as
    /// [`Instance::spend`], for work that has calls in the middle of it. One look at the clock then ends the work and begins the
    /// call. `fuel` is paid at once.
    ///
    /// ```no_run
    /// # use mod_host::{Instance, NoHostCalls};
    /// # fn run(instance: &mut Instance) -> Result<(), mod_host::CallError> {
    /// instance.begin_work(std::time::Instant::now(), 4);
    /// let outcome = instance.call::<(), ()>("turn", &(), &mut NoHostCalls);
    /// instance.end_work(0);
    /// # outcome
    /// # }
    /// ```
    pub fn begin_work(&mut self, since: Instant, fuel: u64) {
        self.store.data_mut().budget.begin_work(since, fuel);
    }

    /// Ends what [`Instance::begin_work`] began. Without that, only the fuel is paid.
    pub fn end_work(&mut self, fuel: u64) {
        self.store.data_mut().budget.end_work(fuel);
    }

    /// Whether a host may leave out [`Instance::begin_frame`] until it uses the instance again: there is nothing for the next
    /// frame to pay for, and nothing that the log has to say.
    #[must_use]
    pub fn is_at_rest(&self) -> bool {
        let state = self.store.data();
        state.budget.is_even() && !state.log.has_dropped()
    }

    /// Sets the clocks that the mod sees, both the real-time and the monotonic one, to so long after its start. From then on they
    /// stand still between two such calls. In an engine that is [`deterministic`](crate::EngineConfig::deterministic) they
    /// stand at zero before the first; in others they run by themselves until then.
    pub fn set_time(&mut self, since_start: Duration) {
        self.store.data_mut().clock = Clock::Set(since_start);
    }

    /// What it may use of the machine.
    #[must_use]
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Who the mod is and what crosses its border.
    #[must_use]
    pub fn manifest(&self) -> &Manifest {
        self.compiled.manifest()
    }

    /// What it was made from.
    #[must_use]
    pub fn compiled(&self) -> &CompiledMod {
        &self.compiled
    }

    /// The host's values that the mod holds handles to.
    pub fn opaque(&mut self) -> &mut OpaqueTable {
        &mut self.store.data_mut().holdings.opaque
    }

    /// The bytes that `buffer` names in the mod's memory.
    ///
    /// # Errors
    /// [`CallError::BadBuffer`] when it names bytes outside, [`CallError::Poisoned`].
    pub fn guest_bytes(&self, buffer: Buffer) -> Result<&[u8], CallError> {
        let function = || "guest_bytes".to_owned();
        if self.poisoned {
            return Err(CallError::Poisoned { function: function() });
        }
        self.guest.bytes(&self.store, buffer).map_err(|source| CallError::BadBuffer { function: function(), source })
    }
}

impl fmt::Debug for Instance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Instance")
            .field("id", &self.manifest().identity.id)
            .field("memory_bytes", &self.memory_bytes())
            .field("poisoned", &self.poisoned)
            .finish_non_exhaustive()
    }
}

/// The mod's code failed, or the engine could not give it what it declares.
fn start_error(error: wasmtime::Error, store: &mut Store<State>) -> LoadError {
    if error.is::<Trap>() || error.is::<Fault>() {
        let state = store.data_mut();
        state.flush();
        LoadError::Start { source: Stop::Guest(error).into_call_error("the start function", state) }
    } else {
        instantiate(&error)
    }
}
