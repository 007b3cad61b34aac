//! Who calls a host function, and how the answer goes back. What the function does is not known here.

use std::{any::type_name, fmt, marker::PhantomData, sync::Arc};

use mod_abi::{Identity, codec::Codec};

use crate::{
    codec::{Decode, Encode},
    compile::CompiledMod,
    job::{Job, Jobs},
    opaque::OpaqueTable,
};

/// What the host keeps for one instance.
pub(crate) struct Holdings {
    /// Who the mod is.
    pub(crate) compiled: CompiledMod,
    pub(crate) jobs: Jobs,
    pub(crate) opaque: OpaqueTable,
}

/// The mod that calls a host function.
///
/// `C` is the context of the [`WasmPlugin`](crate::WasmPlugin) that the mod runs in.
///
/// ```
/// use mod_host::{Caller, WasmPluginBuilder};
///
/// let mut plugin = WasmPluginBuilder::from_file("examples/greeter.wasm")?
///     .with_context(Vec::new())
///     .import_function_with_caller("announce", |caller: &mut Caller<'_, Vec<String>>, text: String| -> u32 {
///         let line = format!("{}: {text}", caller.identity().id);
///         caller.context().push(line);
///         0
///     })
///     .finish()?;
/// plugin.call_function_with_argument::<_, String>("greet", "Ada")?;
/// assert_eq!(plugin.context().as_slice(), ["greeter: Hello, Ada!"]);
/// # Ok::<_, mod_host::PluginError>(())
/// ```
pub struct Caller<'a, C = ()> {
    holdings: &'a mut Holdings,
    context: &'a mut C,
}

impl<'a, C> Caller<'a, C> {
    pub(crate) fn new(holdings: &'a mut Holdings, context: &'a mut C) -> Self {
        Self { holdings, context }
    }

    /// The same mod with another context.
    pub(crate) fn with_context<'b, D>(&'b mut self, context: &'b mut D) -> Caller<'b, D> {
        Caller { holdings: self.holdings, context }
    }

    /// Who the mod is.
    #[must_use]
    pub fn identity(&self) -> &Identity {
        &self.holdings.compiled.manifest().identity
    }

    /// How its values become bytes.
    #[must_use]
    pub fn codec(&self) -> Codec {
        self.holdings.compiled.manifest().codec
    }

    /// What the host gave the plugin to work with.
    pub fn context(&mut self) -> &mut C {
        self.context
    }

    /// The host's values that the mod holds handles to.
    pub fn opaque(&mut self) -> &mut OpaqueTable {
        &mut self.holdings.opaque
    }

    /// [`Caller::context`] and [`Caller::opaque`], for functions that need both at once.
    pub fn parts(&mut self) -> (&mut C, &mut OpaqueTable) {
        (self.context, &mut self.holdings.opaque)
    }

    /// Reads arguments that the mod wrote.
    ///
    /// # Errors
    /// When they are not what the function takes, as a sentence for people.
    pub fn arguments<A: Decode>(&self, args: &[u8]) -> Result<A, String> {
        A::decode(args, self.codec()).map_err(|error| format!("its arguments do not fit: {error}"))
    }

    /// The bytes of an answer.
    ///
    /// # Errors
    /// When the function refused, or the answer cannot be encoded, as a sentence for people.
    pub fn answer<M>(&mut self, output: impl HostOutput<M>) -> Result<Vec<u8>, String> {
        output.into_bytes(&mut self.with_context(&mut ()))
    }

    /// Takes a job on and returns its ticket.
    fn start<R: Encode + Send + 'static>(&mut self, job: Job<R>) -> Result<u64, String> {
        self.holdings.jobs.add(job)
    }
}

impl<C> fmt::Debug for Caller<'_, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Caller").field("id", &self.identity().id).field("codec", &self.codec()).finish_non_exhaustive()
    }
}

/// Why a host function does not do what a mod asks it to. The mod's call ends with it, and the mod with the call.
///
/// A refusal leaves the mod's code in the middle, as a trap does: what the code held or had half-changed stays so, and its
/// stack is not taken back. So the instance is poisoned. A mod that should be able to go on gets a `Result` of types that
/// serde knows instead: that is a value like any other.
///
/// Every error becomes a refusal with `?`. For that to work, `Refusal` is no [`Error`](std::error::Error) itself.
///
/// ```
/// use mod_host::{Refusal, WasmPluginBuilder};
///
/// # let module = wat::parse_str(r#"(module (memory (export "memory") 1))"#)?;
/// let plugin = WasmPluginBuilder::from_bytes("radio", module)
///     .import_function("set_volume", |volume: f32| match volume {
///         0.0..=1.0 => Ok(()),
///         _ => Err(Refusal::new(format!("the volume {volume} is not between 0 and 1"))),
///     })
///     .import_function("tune", |frequency: String| -> Result<f32, Refusal> { Ok(frequency.parse()?) })
///     // The mod goes on with either.
///     .import_function("is_music", |frequency: f32| match frequency {
///         87.5..=108.0 => Ok(frequency > 100.0),
///         _ => Err("there is nothing but noise".to_owned()),
///     })
///     .finish()?;
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal(Arc<str>);

impl Refusal {
    /// A refusal with its reason, a sentence for people.
    #[must_use]
    pub fn new(reason: impl AsRef<str>) -> Self {
        Self(reason.as_ref().into())
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<E: std::error::Error> From<E> for Refusal {
    fn from(error: E) -> Self {
        Self::new(error.to_string())
    }
}

/// What a host function may return: a value that can be encoded, a [`Job`], or a `Result` of either and a [`Refusal`].
///
/// `M` only tells the three apart, and is always inferred.
///
/// ```
/// use mod_host::{Job, Refusal, WasmPluginBuilder};
///
/// # let module = wat::parse_str(r#"(module (memory (export "memory") 1))"#)?;
/// let plugin = WasmPluginBuilder::from_bytes("demanding", module)
///     .import_function("value", |a: u8, b: u8| Some(a + b))
///     .import_function("job", |number: u64| Job::spawn(move || (1..=number).product::<u64>()))
///     .import_function("either", |name: String| match name.as_str() {
///         "" => Err(Refusal::new("a name should not be empty")),
///         name => Ok(name.len() as u64),
///     })
///     .finish()?;
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
pub trait HostOutput<M> {
    /// The bytes for the mod.
    ///
    /// # Errors
    /// The reason why there are none, as a sentence for people.
    fn into_bytes(self, caller: &mut Caller<'_>) -> Result<Vec<u8>, String>;

    /// What the mod gets in the end.
    #[must_use]
    fn desc() -> OutputDesc;
}

/// What a host function returns, as far as its type tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OutputDesc {
    /// The type of the result, in Rust's words.
    pub type_name: &'static str,
    /// Whether the mod gets a ticket for it.
    pub ticket: bool,
}

impl OutputDesc {
    /// A result of that type.
    #[must_use]
    pub fn of<T: ?Sized>(ticket: bool) -> Self {
        Self { type_name: type_name::<T>(), ticket }
    }
}

#[doc(hidden)]
#[derive(Debug)]
pub struct IsValue;

impl<T: Encode> HostOutput<IsValue> for T {
    fn into_bytes(self, caller: &mut Caller<'_>) -> Result<Vec<u8>, String> {
        self.encode(caller.codec()).map_err(|error| error.to_string())
    }

    fn desc() -> OutputDesc {
        OutputDesc::of::<T>(false)
    }
}

#[doc(hidden)]
#[derive(Debug)]
pub struct IsResult<M>(PhantomData<M>);

impl<M, T: HostOutput<M>> HostOutput<IsResult<M>> for Result<T, Refusal> {
    fn into_bytes(self, caller: &mut Caller<'_>) -> Result<Vec<u8>, String> {
        self.map_err(|refusal| refusal.to_string())?.into_bytes(caller)
    }

    fn desc() -> OutputDesc {
        T::desc()
    }
}

#[doc(hidden)]
#[derive(Debug)]
pub struct IsJob;

impl<R: Encode + Send + 'static> HostOutput<IsJob> for Job<R> {
    fn into_bytes(self, caller: &mut Caller<'_>) -> Result<Vec<u8>, String> {
        caller.start(self)?.into_bytes(caller)
    }

    fn desc() -> OutputDesc {
        OutputDesc::of::<R>(true)
    }
}
