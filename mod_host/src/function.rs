//! Handles to a mod's functions: found and compared once, and then called without a look at names.

use std::{any::type_name, fmt, marker::PhantomData, sync::Arc};

use mod_abi::{Direction, Schema, Signature, VariantFields, codec::Codec};
use wasmtime::TypedFunc;

use crate::{
    call::{decode, encode},
    codec::{Decode, Encode},
    context::HostCalls,
    error::CallError,
    instance::Instance,
    text,
};

/// A handle to a function of an [`Instance`] that takes `A` and returns `R`. Several arguments are a tuple, none is `()`.
///
/// See [`WasmPlugin::function`](crate::WasmPlugin::function) for an example. It may be kept in a struct of the host's:
///
/// ```
/// use mod_host::{Function, PluginError, WasmPlugin};
///
/// struct Rules {
///     plugin: WasmPlugin,
///     score: Function<(u32, String), f64>,
///     on_start: Option<Function<(), ()>>,
/// }
///
/// impl Rules {
///     fn load(path: &str) -> Result<Self, PluginError> {
///         let plugin = WasmPlugin::load(path)?;
///         let (score, on_start) = (plugin.function("score")?, plugin.optional_function("on_start")?);
///         Ok(Self { plugin, score, on_start })
///     }
/// }
/// # assert!(Rules::load("nowhere.wasm").is_err());
/// ```
pub struct Function<A: ?Sized, R> {
    name: String,
    /// The [`Instance::number`] of the instance that it belongs to. Only that store may call it.
    instance: u64,
    callable: Arc<TypedFunc<u64, u64>>,
    _signature: PhantomData<fn(&A) -> R>,
}

impl<A: ?Sized, R> Function<A, R> {
    /// The function's name, without leading underscores.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl<A: ?Sized, R> Clone for Function<A, R> {
    fn clone(&self) -> Self {
        let Self { name, instance, callable, .. } = self;
        Self { name: name.clone(), instance: *instance, callable: Arc::clone(callable), _signature: PhantomData }
    }
}

impl<A: ?Sized, R> fmt::Debug for Function<A, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Function({}: {} -> {})", self.name, type_name::<A>(), type_name::<R>())
    }
}

impl Instance {
    /// Looks a function up by its name, without leading underscores, and compares its types with what the mod states of
    /// them, if it does.
    ///
    /// # Errors
    /// [`CallError::NoSuchFunction`], [`CallError::WrongSignature`], [`CallError::Types`].
    pub fn function<A: Encode + Decode, R: Decode>(&self, name: &str) -> Result<Function<A, R>, CallError> {
        let callable = self.functions.callable.get(name).cloned().ok_or_else(|| self.no_such(name))?;
        let types = |reason: String| CallError::Types { function: text::clean(name), reason: text::clean(&reason) };
        let manifest = self.manifest();
        let codec = manifest.codec;
        let mut stated = manifest.functions.iter().filter(|stated| stated.direction == Direction::Export);
        let stated = stated.find(|stated| stated.name == name);
        // Looking at types takes time, and is of no use where there is nothing to compare.
        if stated.is_some() || codec == Codec::NanoserdeJson {
            let host = Signature { args: vec![A::schema(codec)], result: R::schema(codec) };
            if let Some(difference) = stated.and_then(|stated| stated.signature.difference(&host, codec)) {
                return Err(types(difference));
            }
            if codec == Codec::NanoserdeJson && differs_in_nanoserde(&host) {
                return Err(types(format!("speaks `{codec}`, {DIFFERS_IN_NANOSERDE}")));
            }
        }
        Ok(Function { name: name.to_owned(), instance: self.number, callable, _signature: PhantomData })
    }

    /// [`Instance::function`] for one that a mod need not have.
    ///
    /// # Errors
    /// [`CallError::WrongSignature`], [`CallError::Types`].
    pub fn optional_function<A: Encode + Decode, R: Decode>(
        &self,
        name: &str,
    ) -> Result<Option<Function<A, R>>, CallError> {
        match self.function(name) {
            Ok(function) => Ok(Some(function)),
            Err(CallError::NoSuchFunction { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Calls a function by its handle.
    ///
    /// # Errors
    /// [`CallError::Stale`] when the handle is not one of this instance, and any other [`CallError`].
    pub fn call_function<A: Encode + ?Sized, R: Decode>(
        &mut self,
        function: &Function<A, R>,
        args: &A,
        host: &mut dyn HostCalls,
    ) -> Result<R, CallError> {
        let name = function.name.as_str();
        if function.instance != self.number {
            return Err(CallError::Stale { function: text::clean(name) });
        }
        let codec = self.manifest().codec;
        let args = encode(name, args, codec)?;
        self.invoke(name, &function.callable, &args, host, |bytes| decode(name, bytes, codec))?
    }
}

/// The rest of a sentence about a function for which [`differs_in_nanoserde`] holds.
pub(crate) const DIFFERS_IN_NANOSERDE: &str =
    "which writes a single unnamed field otherwise than serde: use `Nano` for it";

/// Whether a struct or a variant in its types has a single unnamed field.
pub(crate) fn differs_in_nanoserde(host: &Signature) -> bool {
    host.args.iter().chain([&host.result]).flatten().any(has_single_field)
}

fn has_single_field(schema: &Schema) -> bool {
    let fields = |fields: &[(String, Schema)]| fields.iter().any(|(_, field)| has_single_field(field));
    match schema {
        Schema::Leaf(_) => false,
        Schema::Struct(named) => fields(named),
        Schema::Tuple(unnamed) => unnamed.len() == 1 || unnamed.iter().any(has_single_field),
        Schema::List(item) | Schema::Array(item, _) | Schema::Option(item) => has_single_field(item),
        Schema::Map(key, value) => has_single_field(key) || has_single_field(value),
        Schema::Enum(variants) => variants.iter().any(|variant| match &variant.fields {
            VariantFields::Unit => false,
            VariantFields::Tuple(unnamed) => unnamed.len() == 1 || unnamed.iter().any(has_single_field),
            VariantFields::Struct(named) => fields(named),
        }),
    }
}
