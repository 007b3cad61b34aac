//! What a plugin is made of and what it gets. How it is called is not known here.

use std::{
    fmt, fs,
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
    sync::Arc,
};

use mod_abi::names::{LogLevel, is_reserved};

use super::{
    PluginError, WasmPlugin,
    closures::{Closures, HostFunction, WithCaller, WithContext, WithoutContext},
};
use crate::{
    compile::CompiledMod,
    engine::HostEngine,
    entropy::Entropy,
    error::LoadError,
    instance::{Instance, InstanceConfig},
    limits::Limits,
    log::LogSink,
};

/// Everything but the bytes that a plugin is made of, kept to make it again.
pub(super) struct Recipe<C> {
    engine: Option<HostEngine>,
    file_stem: String,
    config: InstanceConfig,
    pub(super) closures: Closures<C>,
    /// The first name of a host function that cannot be one.
    reserved: Option<String>,
}

impl<C: 'static> Recipe<C> {
    pub(super) fn compile(&self, bytes: &[u8]) -> Result<CompiledMod, LoadError> {
        let engine = match &self.engine {
            Some(engine) => engine.clone(),
            None => HostEngine::shared()?,
        };
        CompiledMod::new(&engine, bytes, &self.file_stem, &self.config.limits)
    }

    pub(super) fn start(&self, compiled: &CompiledMod) -> Result<Instance, LoadError> {
        let mut config = self.config.clone();
        config.host_functions = self.closures.descs();
        Instance::new(compiled, config)
    }
}

/// Makes a [`WasmPlugin`].
///
/// ```
/// use std::time::Duration;
///
/// use mod_host::{Limits, WasmPluginBuilder};
///
/// let mut plugin = WasmPluginBuilder::from_file("examples/greeter.wasm")?
///     .limits(Limits { call_time: Duration::from_millis(5), memory_bytes: 16 << 20, ..Limits::default() })
///     .seed(42)
///     .with_context(Vec::new())
///     .import_function_with_context("announce", |news: &mut Vec<String>, text: String| {
///         news.push(text);
///         news.len() as u32
///     })
///     .finish()?;
/// assert_eq!(plugin.identity().id, "greeter");
/// # Ok::<_, mod_host::PluginError>(())
/// ```
pub struct WasmPluginBuilder<C = ()> {
    bytes: Vec<u8>,
    recipe: Recipe<C>,
    context: C,
}

impl WasmPluginBuilder {
    /// A plugin from a file.
    ///
    /// # Errors
    /// [`PluginError::File`]. What the file holds is looked at in [`WasmPluginBuilder::finish`].
    pub fn from_file(path: impl AsRef<Path>) -> Result<Self, PluginError> {
        let path = path.as_ref();
        let stem = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
        Ok(Self::from_bytes(stem, read(path)?))
    }

    /// A plugin from its bytes. `name` is its id if the plugin does not state one itself.
    #[must_use]
    pub fn from_bytes(name: impl Into<String>, bytes: impl Into<Vec<u8>>) -> Self {
        let recipe = Recipe {
            engine: None,
            file_stem: name.into(),
            config: InstanceConfig::default(),
            closures: Closures::default(),
            reserved: None,
        };
        Self { bytes: bytes.into(), recipe, context: () }
    }

    /// Gives the plugin's host functions a value to work with: see
    /// [`import_function_with_context`](WasmPluginBuilder::import_function_with_context).
    #[must_use]
    pub fn with_context<C: 'static>(self, context: C) -> WasmPluginBuilder<C> {
        let Self { bytes, recipe: Recipe { engine, file_stem, config, closures, reserved }, context: () } = self;
        let recipe = Recipe { engine, file_stem, config, closures: closures.with_context(), reserved };
        WasmPluginBuilder { bytes, recipe, context }
    }
}

impl<C: 'static> WasmPluginBuilder<C> {
    /// What the plugin may use of the machine.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.recipe.config.limits = limits;
        self
    }

    /// Random numbers that are the same in every run, instead of those of the operating system.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.recipe.config.entropy = Entropy::Seeded(seed);
        self
    }

    /// What the plugin gets of the machine: what is granted to its id, and nothing else.
    #[cfg(feature = "wasi")]
    #[must_use]
    pub fn wasi(mut self, grants: &crate::WasiGrants) -> Self {
        self.recipe.config.wasi = grants.clone();
        self
    }

    /// Takes the lines that the plugin logs. Without it they are dropped.
    #[must_use]
    pub fn log(mut self, log: impl Fn(LogLevel, &str) + Send + Sync + 'static) -> Self {
        struct Sink<F>(F);
        impl<F: Fn(LogLevel, &str) + Send + Sync> LogSink for Sink<F> {
            fn log(&self, level: LogLevel, line: &str) {
                // A line that cannot be printed should not end the program in the middle of a call.
                let _ = catch_unwind(AssertUnwindSafe(|| (self.0)(level, line)));
            }
        }
        self.recipe.config.log = Arc::new(Sink(log));
        self
    }

    /// The engine to compile and run with. Without it, all plugins of the program share one that keeps nothing on disk.
    #[must_use]
    pub fn engine(mut self, engine: &HostEngine) -> Self {
        self.recipe.engine = Some(engine.clone());
        self
    }

    /// UNSTABLE: defines imports on wasmtime's own linker, for what this crate has no words for. `define` is called for each
    /// instance that is made, also after a reload. Names that this crate offers itself cannot be replaced.
    ///
    /// ```
    /// use mod_host::{StoreData, WasmPluginBuilder, wasmtime::{Caller, Linker}};
    ///
    /// let plugin = r#"(module (import "clock" "frame" (func $frame (result i64))) (memory (export "memory") 1)
    ///     (func (export "__alloc_buffer") (param i32) (result i32) (i32.const 64))
    ///     (func (export "__free_buffer") (param i64))
    ///     (func (export "__now") (param i64) (result i64)
    ///         (i64.store (i32.const 64) (call $frame)) (i64.const 0x4000000008)))"#;
    /// let mut plugin = WasmPluginBuilder::from_bytes("clock", wat::parse_str(plugin)?)
    ///     .with_linker(|linker: &mut Linker<StoreData>| {
    ///         linker.func_wrap("clock", "frame", |_: Caller<'_, StoreData>| 60_u64)?;
    ///         Ok(())
    ///     })
    ///     .finish()?;
    /// assert_eq!(plugin.call_function::<u64>("now")?, 60);
    /// # Ok::<_, Box<dyn std::error::Error>>(())
    /// ```
    #[cfg(feature = "unstable-linker")]
    #[must_use]
    pub fn with_linker(
        mut self,
        define: impl Fn(&mut wasmtime::Linker<crate::StoreData>) -> wasmtime::Result<()> + Send + Sync + 'static,
    ) -> Self {
        self.recipe.config.linker = Some(Arc::new(define));
        self
    }

    /// Offers a function that the plugin can call, under a name without leading underscores: a closure of up to 12
    /// arguments. It may return whatever [`HostOutput`](crate::HostOutput) says. If it panics, the plugin's call is an error;
    /// what it captured, and the context, stay as the panic left them.
    ///
    /// Arguments are of types that serde can deserialize, and own what they hold: `String`, not `&str`.
    ///
    /// ```
    /// # use mod_host::WasmPluginBuilder;
    /// # let module = wat::parse_str(r#"(module (memory (export "memory") 1))"#)?;
    /// let mut last = 0;
    /// let plugin = WasmPluginBuilder::from_bytes("counter", module)
    ///     .import_function("next", move || {
    ///         last += 1;
    ///         last
    ///     })
    ///     .import_function("join", |texts: Vec<String>, between: String| texts.join(&between))
    ///     .finish()?;
    /// # Ok::<_, Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// A later function of the same name replaces the earlier one. None can be called while the plugin starts.
    #[must_use]
    pub fn import_function<M>(self, name: &str, function: impl HostFunction<C, WithoutContext<M>>) -> Self {
        self.import(name, function)
    }

    /// Offers a function whose first parameter is `&mut C`, the context.
    #[must_use]
    pub fn import_function_with_context<M>(self, name: &str, function: impl HostFunction<C, WithContext<M>>) -> Self {
        self.import(name, function)
    }

    /// Offers a function whose first parameter is `&mut Caller<C>`: who the plugin is, the context, and the values that the
    /// plugin holds handles to.
    ///
    /// ```
    /// use mod_host::{Caller, Opaque, Refusal, WasmPluginBuilder};
    ///
    /// struct Door(String);
    ///
    /// # let module = wat::parse_str(r#"(module (memory (export "memory") 1))"#)?;
    /// let plugin = WasmPluginBuilder::from_bytes("thief", module)
    ///     .import_function_with_caller("open", |caller: &mut Caller<'_>, name: String| -> Result<_, Refusal> {
    ///         let name = format!("{name}, opened by {}", caller.identity().id);
    ///         Ok(caller.opaque().insert(Door(name))?)
    ///     })
    ///     .import_function_with_caller("name", |caller: &mut Caller<'_>, door: Opaque<Door>| -> Result<_, Refusal> {
    ///         Ok(caller.opaque().get(door)?.0.clone())
    ///     })
    ///     .finish()?;
    /// # Ok::<_, Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn import_function_with_caller<M>(self, name: &str, function: impl HostFunction<C, WithCaller<M>>) -> Self {
        self.import(name, function)
    }

    fn import<M>(mut self, name: &str, function: impl HostFunction<C, M>) -> Self {
        if is_reserved(name) {
            self.recipe.reserved.get_or_insert_with(|| name.to_owned());
        }
        self.recipe.closures.add(name, function);
        self
    }

    /// Checks, compiles and starts the plugin.
    ///
    /// # Errors
    /// Any [`LoadError`], as [`PluginError::Load`], and [`PluginError::ReservedName`] when a host function has a name that
    /// is the contract's own.
    pub fn finish(self) -> Result<WasmPlugin<C>, PluginError> {
        let Self { bytes, recipe, context } = self;
        if let Some(name) = recipe.reserved {
            return Err(PluginError::ReservedName { name });
        }
        let compiled = recipe.compile(&bytes)?;
        let instance = recipe.start(&compiled)?;
        Ok(WasmPlugin { recipe, compiled, instance, context })
    }
}

impl<C> fmt::Debug for WasmPluginBuilder<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WasmPluginBuilder")
            .field("file_stem", &self.recipe.file_stem)
            .field("config", &self.recipe.config)
            .finish_non_exhaustive()
    }
}

pub(super) fn read(path: &Path) -> Result<Vec<u8>, PluginError> {
    fs::read(path).map_err(|source| PluginError::File { path: PathBuf::from(path), source })
}
