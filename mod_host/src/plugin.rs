//! A plugin in a program without Bevy: what the other rooms do, with the settings that most programs want.

mod builder;
mod closures;
mod error;
mod reload;

use std::{fmt, path::Path};

use mod_abi::Identity;

use self::{builder::Recipe, closures::Closures};
pub use self::{
    builder::WasmPluginBuilder,
    closures::{HostFunction, WithCaller, WithContext, WithoutContext},
    error::PluginError,
};
use crate::{
    codec::{Decode, Encode},
    compile::CompiledMod,
    context::HostCalls,
    function::Function,
    instance::Instance,
    manifest::Manifest,
    opaque::OpaqueTable,
};

/// A plugin that runs, with the functions that the host gave it.
///
/// `C` is the context: a value of the host's that its functions may change. See [`WasmPluginBuilder::with_context`].
///
/// A call that leaves the plugin's code in the middle (a trap, a panic, a timeout, a host function that refuses) is an
/// error, and so is every call after it, because the plugin's memory may be half-changed. [`WasmPlugin::restart`] starts it
/// anew.
///
/// It is `Sync`, and `Send` where its context is.
///
/// ```
/// use mod_host::{WasmPlugin, WasmPluginBuilder};
///
/// let builder = WasmPluginBuilder::from_file("examples/greeter.wasm")?;
/// let mut plugin: WasmPlugin = builder.import_function("announce", |text: String| text.len() as u32).finish()?;
/// let doubled: Vec<f64> = plugin.call_function_with_argument("double", &vec![1.0, 2.5])?;
/// assert_eq!(doubled, [2.0, 5.0]);
/// # Ok::<_, mod_host::PluginError>(())
/// ```
pub struct WasmPlugin<C = ()> {
    recipe: Recipe<C>,
    compiled: CompiledMod,
    instance: Instance,
    context: C,
}

impl WasmPlugin {
    /// Loads a plugin that needs nothing of the host but random numbers.
    ///
    /// ```
    /// use mod_host::WasmPlugin;
    ///
    /// // This one needs more, and says so.
    /// let error = WasmPlugin::load("examples/greeter.wasm").unwrap_err();
    /// assert!(error.to_string().starts_with("the mod needs what this game does not offer: `env.__announce`"));
    /// ```
    ///
    /// # Errors
    /// When the file cannot be read, is no plugin, or fails to start.
    pub fn load(path: impl AsRef<Path>) -> Result<Self, PluginError> {
        WasmPluginBuilder::from_file(path)?.finish()
    }
}

impl<C: 'static> WasmPlugin<C> {
    /// Calls a function without arguments, by its name without leading underscores.
    ///
    /// # Errors
    /// When there is no such function, when it fails, or when its result is no `R`.
    pub fn call_function<R: Decode>(&mut self, name: &str) -> Result<R, PluginError> {
        self.call_function_with_argument(name, &())
    }

    /// Calls a function with its argument. Several are a tuple.
    ///
    /// ```
    /// # use mod_host::WasmPluginBuilder;
    /// # let add = r#"(module (memory (export "memory") 1)
    /// #     (func (export "__alloc_buffer") (param i32) (result i32) (i32.const 64))
    /// #     (func (export "__free_buffer") (param i64))
    /// #     (func (export "__add") (param i64) (result i64)
    /// #         (i32.store (i32.const 64) (i32.add (i32.load (i32.const 64)) (i32.load (i32.const 68))))
    /// #         (i64.const 0x4000000004)))"#;
    /// let mut plugin = WasmPluginBuilder::from_bytes("adder", wat::parse_str(add)?).finish()?;
    /// let sum: u32 = plugin.call_function_with_argument("add", &(2_u32, 3_u32))?;
    /// assert_eq!(sum, 5);
    /// # Ok::<_, Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// As [`WasmPlugin::call_function`], and when the argument cannot be encoded.
    pub fn call_function_with_argument<A, R>(&mut self, name: &str, argument: &A) -> Result<R, PluginError>
    where
        A: Encode + ?Sized,
        R: Decode,
    {
        let mut host = Bridge { closures: &mut self.recipe.closures, context: &mut self.context };
        Ok(self.instance.call(name, argument, &mut host)?)
    }

    /// Looks a function up once, to be called often. Its types are compared with what the plugin states of them, if it does.
    ///
    /// ```
    /// # use mod_host::{CallError, PluginError, WasmPluginBuilder};
    /// # let builder = WasmPluginBuilder::from_file("examples/greeter.wasm")?;
    /// # let mut plugin = builder.import_function("announce", |text: String| text.len() as u32).finish()?;
    /// let double = plugin.function::<Vec<f64>, Vec<f64>>("double")?;
    /// assert_eq!(plugin.call(&double, &vec![21.0])?, [42.0]);
    ///
    /// // A handle belongs to what was running when it was made.
    /// plugin.restart()?;
    /// assert!(matches!(plugin.call(&double, &vec![21.0]), Err(PluginError::Call(CallError::Stale { .. }))));
    /// # Ok::<_, mod_host::PluginError>(())
    /// ```
    ///
    /// # Errors
    /// When there is no such function, or when it takes or returns something else.
    pub fn function<A, R>(&self, name: &str) -> Result<Function<A, R>, PluginError>
    where
        A: Encode + Decode,
        R: Decode,
    {
        Ok(self.instance.function(name)?)
    }

    /// Looks a function up that a plugin need not have.
    ///
    /// # Errors
    /// When there is one, and it takes or returns something else.
    pub fn optional_function<A, R>(&self, name: &str) -> Result<Option<Function<A, R>>, PluginError>
    where
        A: Encode + Decode,
        R: Decode,
    {
        Ok(self.instance.optional_function(name)?)
    }

    /// Calls a function that was looked up.
    ///
    /// # Errors
    /// [`CallError::Stale`](crate::CallError::Stale) when it was looked up before a reload or in another plugin, and as
    /// [`WasmPlugin::call_function`].
    pub fn call<A, R>(&mut self, function: &Function<A, R>, argument: &A) -> Result<R, PluginError>
    where
        A: Encode + ?Sized,
        R: Decode,
    {
        let mut host = Bridge { closures: &mut self.recipe.closures, context: &mut self.context };
        Ok(self.instance.call_function(function, argument, &mut host)?)
    }

    /// Who the plugin is.
    #[must_use]
    pub fn identity(&self) -> &Identity {
        &self.manifest().identity
    }

    /// Who the plugin is and what crosses its border.
    #[must_use]
    pub fn manifest(&self) -> &Manifest {
        self.compiled.manifest()
    }

    /// The context.
    #[must_use]
    pub fn context(&self) -> &C {
        &self.context
    }

    /// The context, to change it.
    pub fn context_mut(&mut self) -> &mut C {
        &mut self.context
    }

    /// Ends the plugin and returns the context.
    #[must_use]
    pub fn into_context(self) -> C {
        self.context
    }

    /// The host's values that the plugin holds handles to.
    pub fn opaque(&mut self) -> &mut OpaqueTable {
        self.instance.opaque()
    }

    /// The size of the plugin's memory, in bytes.
    #[must_use]
    pub fn memory_bytes(&self) -> usize {
        self.instance.memory_bytes()
    }

    /// Whether a call was left in the middle, so that the plugin cannot be called until it is started anew.
    #[must_use]
    pub fn is_poisoned(&self) -> bool {
        self.instance.is_poisoned()
    }
}

impl<C> fmt::Debug for WasmPlugin<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WasmPlugin").field("instance", &self.instance).finish_non_exhaustive()
    }
}

/// What a call may reach: the host's functions and its context.
struct Bridge<'a, C> {
    closures: &'a mut Closures<C>,
    context: &'a mut C,
}

impl<C: 'static> HostCalls for Bridge<'_, C> {
    fn call(
        &mut self,
        caller: &mut crate::Caller<'_>,
        function: usize,
        args: &[u8],
        result: &mut Vec<u8>,
    ) -> Result<(), String> {
        *result = self.closures.call(function, caller.with_context(self.context), args)?;
        Ok(())
    }
}
