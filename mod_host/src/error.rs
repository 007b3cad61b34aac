//! Everything that can go wrong, as sentences for players and modders. Text of a mod that stands in them has been
//! cleaned before.

use std::time::Duration;

use mod_abi::{ABI_VERSION, FunctionError, IdentityError, OutOfRange, codec::Codec};

use crate::{backtrace::ModBacktrace, nearest::hint, text::short_type};

/// Why a mod could not be loaded: reading, compiling, linking or starting it failed.
///
/// ```
/// use mod_host::{Limits, LoadError, Manifest};
///
/// let error = Manifest::read(b"\0asm\x0d\0\x01\0", "component", &Limits::default()).unwrap_err();
/// assert!(matches!(error, LoadError::Component));
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LoadError {
    /// WebAssembly cannot run on this machine.
    #[error("WebAssembly cannot run here: {reason}")]
    Engine {
        /// What is missing.
        reason: String,
    },
    /// Larger than [`Limits::file_bytes`](crate::Limits::file_bytes).
    #[error(
        "the file has {bytes} bytes, more than the limit of {limit}: build the mod in release and without debug information, or \
         raise `file_bytes` in the limits"
    )]
    TooLarge {
        /// Its size.
        bytes: usize,
        /// The limit.
        limit: usize,
    },
    /// Something else than WebAssembly.
    #[error("this is not a WebAssembly file: it does not start with `\\0asm`")]
    NotWasm,
    /// A component, for which there is another contract.
    #[error(
        "this is a WebAssembly component, but mods are core modules: build it with \
         `cargo build --target wasm32-unknown-unknown` or `cargo build --target wasm32-wasip1`"
    )]
    Component,
    /// Truncated, malformed, or using a WebAssembly feature that mods do not have.
    #[error("this is not a valid WebAssembly module (was it written completely?): {reason}")]
    Invalid {
        /// What and where, from the validator.
        reason: String,
    },
    /// The identity section cannot be used.
    #[error("{source}")]
    Identity {
        /// What is wrong with it.
        source: IdentityError,
    },
    /// Versions or requirements in the identity that are none. All of them.
    #[error("the mod states versions that cannot be compared: {}", problems.join("; "))]
    Versions {
        /// One sentence each.
        problems: Vec<String>,
    },
    /// The mod states no identity, and the file's name cannot stand in for it.
    #[error(
        "the mod states no identity, and its file name `{file_stem}` cannot be its id: rename the file to 1 to 64 \
         ASCII letters, digits, `_` or `-`"
    )]
    FileName {
        /// The name without its extension.
        file_stem: String,
    },
    /// More than one identity section.
    #[error("the mod states {count} identities; does it link two crates that are mods themselves?")]
    DuplicateIdentity {
        /// How many there are.
        count: usize,
    },
    /// Built for another version of the contract.
    #[error(
        "the mod was built for version {found} of the mod ABI, but this game has version {ABI_VERSION}: {}",
        newer(*found)
    )]
    AbiVersion {
        /// The mod's version.
        found: u32,
    },
    /// A codec that this build does not know.
    #[error(
        "the mod's values are encoded as `{codec}`, but this game knows only {}: state one of them as `codec` in the mod's \
         Cargo.toml, or enable the host's feature for the other",
        codecs()
    )]
    Codec {
        /// What the mod states.
        codec: String,
    },
    /// A function of another codec than the mod's own.
    #[error(
        "the mod's values are encoded as `{codec}`, but its function `{function}` is built for `{stated}`: state the same \
         `codec` in the Cargo.toml of every crate that the mod is made of"
    )]
    FunctionCodec {
        /// The mod's codec.
        codec: Codec,
        /// The function.
        function: String,
        /// Its codec.
        stated: String,
    },
    /// What the mod states of its functions cannot be used.
    #[error("{source}")]
    Functions {
        /// What is wrong with it.
        source: FunctionError,
    },
    /// Exports that the contract needs are missing or have the wrong type. All of them.
    #[error("the mod does not export what a mod must: {}", problems.join("; "))]
    Exports {
        /// One sentence each.
        problems: Vec<String>,
    },
    /// The compiler refused a valid module, because some part of it is too large.
    #[error("the mod cannot be compiled: {reason}")]
    Compile {
        /// What the compiler said.
        reason: String,
    },
    /// Functions of mods that are not among the mod's dependencies. All such mods.
    #[error("the mod calls mods that it does not depend on: {}", problems.join("; "))]
    Undeclared {
        /// One sentence each.
        problems: Vec<String>,
    },
    /// Imports that the game does not offer, or offers with another type. All of them.
    #[error("the mod needs what this game does not offer: {}", problems.join("; "))]
    Imports {
        /// One sentence each.
        problems: Vec<String>,
    },
    /// The instance could not be made, for example because its first memory is above the limit.
    #[error("the mod cannot be instantiated: {reason}")]
    Instantiate {
        /// What the engine said.
        reason: String,
    },
    /// The mod's own code failed while it started.
    #[error("the mod failed while it started: {source}")]
    Start {
        /// How.
        source: CallError,
    },
}

impl LoadError {
    /// The mod's functions that were running, if it failed while it started and that is known.
    #[must_use]
    pub fn backtrace(&self) -> Option<&ModBacktrace> {
        if let Self::Start { source } = self { source.backtrace() } else { None }
    }
}

/// Why a call into a mod failed. Each names the function, in one line of text. [`CallError::backtrace`] has the rest.
///
/// ```
/// use mod_host::{CallError, PluginError, WasmPluginBuilder};
///
/// let builder = WasmPluginBuilder::from_file("examples/greeter.wasm")?;
/// let mut plugin = builder.import_function("announce", |_: String| -> u32 { panic!("the press is broken") }).finish()?;
/// let error = plugin.call_function_with_argument::<_, String>("greet", "Ada").unwrap_err();
/// assert!(matches!(&error, PluginError::Call(CallError::Import { import, .. }) if import == "announce"));
/// # Ok::<_, PluginError>(())
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CallError {
    /// The mod has no such export.
    #[error("the mod has no function `{function}`{}", hint(nearest.as_deref()))]
    NoSuchFunction {
        /// The name asked for.
        function: String,
        /// A name that it has and that looks alike.
        nearest: Option<String>,
    },
    /// The export is not a function from one buffer to another.
    #[error("`{function}` of the mod has the type {found}, but a function that can be called is (i64) -> (i64)")]
    WrongSignature {
        /// The name asked for.
        function: String,
        /// What it is.
        found: String,
    },
    /// The mod states other types for its function than the caller expects.
    #[error("`{function}` of the mod {reason}")]
    Types {
        /// The name asked for.
        function: String,
        /// What differs, as the rest of a sentence.
        reason: String,
    },
    /// A handle to a function of another instance, for example of an earlier version of the mod.
    #[error("the handle to `{function}` is not of this instance of the mod: look the function up again after a reload")]
    Stale {
        /// The function that was to be called.
        function: String,
    },
    /// The mod's code did something that WebAssembly forbids.
    #[error("`{function}` failed: {cause}{}", backtrace.in_brief())]
    Trap {
        /// The function that was called.
        function: String,
        /// What happened.
        cause: String,
        /// The mod's functions that were running.
        backtrace: ModBacktrace,
    },
    /// The mod panicked and told its reason.
    #[error("`{function}` panicked: {message}{}", backtrace.names())]
    Panic {
        /// The function that was called.
        function: String,
        /// The panic's text, usually with file and line.
        message: String,
        /// The mod's functions that were running.
        backtrace: ModBacktrace,
    },
    /// The call took longer than it may.
    #[error("`{function}` was stopped because it ran longer than {limit:?}{}", backtrace.in_brief())]
    Timeout {
        /// The function that was called.
        function: String,
        /// The time that it had.
        limit: Duration,
        /// The mod's functions that were running.
        backtrace: ModBacktrace,
    },
    /// All calls of one frame together took longer than they may. Before the call, if it was none of the mod's code that ran.
    #[error("`{function}` was stopped because the mod ran longer than {limit:?} in one frame{}", backtrace.in_brief())]
    FrameTimeout {
        /// The function that was called.
        function: String,
        /// The time that the mod has in a frame.
        limit: Duration,
        /// The mod's functions that were running.
        backtrace: ModBacktrace,
    },
    /// The call did more than it may.
    #[error("`{function}` was stopped because it used more than {limit} units of fuel{}", backtrace.in_brief())]
    OutOfFuel {
        /// The function that was called.
        function: String,
        /// The fuel that it had.
        limit: u64,
        /// The mod's functions that were running.
        backtrace: ModBacktrace,
    },
    /// All calls of one frame together did more than they may. Before the call, if it was none of the mod's code that ran.
    #[error("`{function}` was stopped because the mod used more than {limit} units of fuel in one frame{}", backtrace.in_brief())]
    OutOfFrameFuel {
        /// The function that was called.
        function: String,
        /// The fuel that the mod has in a frame.
        limit: u64,
        /// The mod's functions that were running.
        backtrace: ModBacktrace,
    },
    /// The mod wanted more memory than it may have, and could not go on without.
    #[error("`{function}` ran out of memory: the mod may use {limit} bytes{}", backtrace.in_brief())]
    OutOfMemory {
        /// The function that was called.
        function: String,
        /// The limit, in bytes.
        limit: usize,
        /// The mod's functions that were running. Empty if it was only asked for room.
        backtrace: ModBacktrace,
    },
    /// The mod named memory that it does not have.
    #[error("`{function}` returned a buffer that cannot be used: {source}")]
    BadBuffer {
        /// The function that was called.
        function: String,
        /// The buffer.
        source: OutOfRange,
    },
    /// The arguments cannot be turned into bytes. The mod was not called.
    #[error("the arguments of `{function}` ({}) cannot be encoded: {reason}", short_type(type_name))]
    Encode {
        /// The function that was to be called.
        function: String,
        /// The Rust type of the arguments.
        type_name: &'static str,
        /// What the codec said.
        reason: String,
    },
    /// The mod returned bytes that are not the value that the caller expects.
    #[error("the result of `{function}` is not a {}: {reason}", short_type(type_name))]
    Decode {
        /// The function that was called.
        function: String,
        /// The Rust type that was expected.
        type_name: &'static str,
        /// What the codec said.
        reason: String,
    },
    /// The mod says that the arguments are not what its function takes. It has done nothing and can be called again.
    #[error("`{function}` of the mod cannot read its arguments: {reason}")]
    Arguments {
        /// The function that was called.
        function: String,
        /// What the mod says about them.
        reason: String,
    },
    /// The mod called a function of the host, and that failed.
    #[error("`{function}` called `{import}`, which failed: {reason}{}", backtrace.in_brief())]
    Import {
        /// The function that was called.
        function: String,
        /// The host's function.
        import: String,
        /// What it said.
        reason: String,
        /// The mod's functions that were running.
        backtrace: ModBacktrace,
    },
    /// The mod ended its process, which a mod cannot do.
    #[error("`{function}` ended the mod with exit code {code}{}", backtrace.in_brief())]
    Exit {
        /// The function that was called.
        function: String,
        /// The code.
        code: i32,
        /// The mod's functions that were running.
        backtrace: ModBacktrace,
    },
    /// An earlier call failed in the middle of the mod's code, so that its memory cannot be trusted.
    #[error("`{function}` cannot be called, because the mod failed before; load it again")]
    Poisoned {
        /// The function that was to be called.
        function: String,
    },
    /// The mod returned something that the contract does not allow.
    #[error("`{function}` {reason}")]
    BadResult {
        /// The function that was called.
        function: String,
        /// What it did, as the rest of a sentence.
        reason: String,
    },
}

impl CallError {
    /// The mod's functions that were running, if the call was left in the middle of its code and that is known.
    #[must_use]
    pub fn backtrace(&self) -> Option<&ModBacktrace> {
        let backtrace = match self {
            Self::Trap { backtrace, .. }
            | Self::Panic { backtrace, .. }
            | Self::Timeout { backtrace, .. }
            | Self::FrameTimeout { backtrace, .. }
            | Self::OutOfFuel { backtrace, .. }
            | Self::OutOfFrameFuel { backtrace, .. }
            | Self::OutOfMemory { backtrace, .. }
            | Self::Import { backtrace, .. }
            | Self::Exit { backtrace, .. } => backtrace,
            _ => return None,
        };
        Some(backtrace).filter(|backtrace| !backtrace.is_empty())
    }
}

/// What helps when mod and host are of different versions of the contract.
const fn newer(found: u32) -> &'static str {
    if found < ABI_VERSION {
        "look for a newer version of the mod, or build it with the `bevy_mod_sdk` of this version"
    } else {
        "look for a newer version of the game, or build the mod with the `bevy_mod_sdk` of this version"
    }
}

fn codecs() -> String {
    let known: Vec<_> =
        Codec::ALL.into_iter().filter(|codec| codec.is_enabled()).map(|codec| format!("`{codec}`")).collect();
    known.join(", ")
}
