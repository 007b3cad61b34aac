//! Calls from one mod to another: what is compared before, what is checked of their bytes, and how the other answers.
//! Where the other mod comes from is the host's to know.

use std::{
    collections::HashMap,
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use mod_abi::{
    Direction, FunctionDesc, MAX_MOD_CALL_BYTES, ModCallStatus, Schema, Signature, check_value, codec::Codec,
    take_value,
};

use crate::{
    backtrace::ModBacktrace,
    context::HostCalls,
    error::CallError,
    instance::Instance,
    manifest::{MAX_PROBLEMS, Manifest},
    nearest::{hint, nearest},
    text,
};

/// A function of another mod that a mod imports: from the module `mod:` and the other's id.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ModImport {
    /// The id of the other mod.
    pub mod_id: String,
    /// The function's name, without leading underscores.
    pub name: String,
}

impl fmt::Display for ModImport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}::{}", self.mod_id, self.name)
    }
}

/// The instance that was last found to have a function as the caller means it. An atomic only so that a store can be shared:
/// nobody writes it but the thread that calls.
#[derive(Debug)]
pub(crate) struct Compared(AtomicU64);

impl Compared {
    /// With none. Instances are never that many.
    pub(crate) const fn with_none() -> Self {
        Self(AtomicU64::new(u64::MAX))
    }
}

/// A call from one mod to another, as the host gets it through [`HostCalls::call_mod`].
#[derive(Debug)]
pub struct ModCall<'a> {
    /// The mod that calls.
    pub caller: &'a Manifest,
    /// The place of the function in the caller's [`Manifest::mod_functions`].
    pub index: usize,
    /// What it calls.
    pub import: &'a ModImport,
    /// The encoded arguments: any bytes at all, though at most [`MAX_MOD_CALL_BYTES`].
    pub args: &'a [u8],
    compared: &'a Compared,
}

/// A call to another mod that brought no result: what the mod that called is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModCallFailure {
    status: ModCallStatus,
    reason: String,
    backtrace: ModBacktrace,
}

impl ModCallFailure {
    /// A failure with its reason, a sentence for people.
    #[must_use]
    pub fn new(status: ModCallStatus, reason: impl AsRef<str>) -> Self {
        // There is no result behind it.
        let status = if status == ModCallStatus::Answered { ModCallStatus::Refused } else { status };
        Self { status, reason: text::clean(reason.as_ref()), backtrace: ModBacktrace::default() }
    }

    /// What kind of failure it is.
    #[must_use]
    pub fn status(&self) -> ModCallStatus {
        self.status
    }

    /// Why.
    #[must_use]
    pub fn reason(&self) -> &str {
        &self.reason
    }

    /// The functions that were running in the mod that was called, if it was left in the middle of its code. They are for
    /// whoever tells of its fault: the mod that called is not told.
    #[must_use]
    pub fn backtrace(&self) -> &ModBacktrace {
        &self.backtrace
    }
}

impl fmt::Display for ModCallFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason)
    }
}

impl std::error::Error for ModCallFailure {}

impl<'a> ModCall<'a> {
    /// The call of the function at that place, if there is one.
    pub(crate) fn new(caller: &'a Manifest, index: usize, args: &'a [u8], compared: &'a Compared) -> Option<Self> {
        Some(Self { caller, index, import: caller.mod_functions.get(index)?, args, compared })
    }

    /// What the caller states of the function.
    fn stated(&self) -> Option<&'a Signature> {
        stated(self.caller, Direction::Import, Some(&self.import.mod_id), &self.import.name)
    }

    /// Checks the arguments against what the called mod states. Neither it nor its allocator should meet what another mod
    /// made up.
    fn check_args(&self, callee: &Manifest) -> Result<(), ModCallFailure> {
        let refused = |reason: String| Err(ModCallFailure::new(ModCallStatus::Refused, reason));
        if self.args.len() > MAX_MOD_CALL_BYTES {
            let bytes = self.args.len();
            return refused(format!(
                "the arguments of `{}` have {bytes} bytes, more than {MAX_MOD_CALL_BYTES}",
                self.import
            ));
        }
        match stated(callee, Direction::Export, None, &self.import.name) {
            Some(signature) if !fits(&signature.args, self.args, callee.codec) => {
                refused(format!("the arguments of `{}` are no values of their types", self.import))
            }
            _ => Ok(()),
        }
    }

    /// Checks the result against what the caller states.
    fn check_result(&self, result: &[u8]) -> Result<(), ModCallFailure> {
        let failed = |reason: String| Err(ModCallFailure::new(ModCallStatus::Failed, reason));
        if result.len() > MAX_MOD_CALL_BYTES {
            let bytes = result.len();
            return failed(format!(
                "the result of `{}` has {bytes} bytes, more than {MAX_MOD_CALL_BYTES}",
                self.import
            ));
        }
        match self.stated() {
            Some(Signature { result: Some(schema), .. })
                if self.caller.codec == Codec::Bincode && check_value(schema, result).is_err() =>
            {
                failed(format!("the result of `{}` is no value of its type", self.import))
            }
            _ => Ok(()),
        }
    }
}

/// Whether bytes are arguments of these types, as far as that can be told. JSON is for the mod's own reader to judge.
fn fits(types: &[Option<Schema>], args: &[u8], codec: Codec) -> bool {
    if codec != Codec::Bincode {
        return true;
    }
    let mut rest = args;
    for ty in types {
        let Some(ty) = ty else { return true };
        if take_value(ty, &mut rest).is_err() {
            return false;
        }
    }
    rest.is_empty()
}

fn stated<'a>(manifest: &'a Manifest, direction: Direction, mod_id: Option<&str>, name: &str) -> Option<&'a Signature> {
    let is_it = |function: &&FunctionDesc| {
        function.direction == direction && function.name == name && function.mod_id.as_deref() == mod_id
    };
    manifest.functions.iter().find(is_it).map(|function| &function.signature)
}

/// Whether `callee` has the function that `caller` imports, of the same types and in the same codec.
fn compare(
    caller: &Manifest,
    import: &ModImport,
    ours: Option<&Signature>,
    callee: &Manifest,
    theirs: Option<&Signature>,
) -> Result<(), ModCallFailure> {
    let differs = |reason: String| Err(ModCallFailure::new(ModCallStatus::NoSuchFunction, reason));
    if callee.exports.binary_search(&import.name).is_err() {
        let nearest = nearest(&import.name, callee.exports.iter().map(String::as_str));
        let id = &import.mod_id;
        return differs(format!("the mod `{id}` has no function `{}`{}", import.name, hint(nearest.as_deref())));
    }
    // The bytes go from one mod to the other as they are.
    if caller.codec != callee.codec {
        return differs(format!("`{import}` speaks `{}`, but the mod speaks `{}`", callee.codec, caller.codec));
    }
    match ours.zip(theirs).and_then(|(ours, theirs)| theirs.difference(ours, callee.codec)) {
        Some(difference) => differs(format!("`{import}` {}", in_words_of_mods(&difference))),
        None => Ok(()),
    }
}

/// A difference between two signatures where a mod, and not the host, is the one that calls.
pub(crate) fn in_words_of_mods(difference: &str) -> String {
    difference.replace("the host passes", "the mod passes").replace("the host expects", "the mod expects")
}

impl Manifest {
    /// Compares all functions that this mod imports from `callee` with what that mod has: a sentence for each that is
    /// missing or different, up to 64.
    #[must_use]
    pub fn differences_from(&self, callee: &Self) -> Vec<String> {
        type Stated<'a> = HashMap<&'a str, &'a Signature>;
        fn all<'a>(functions: &'a [FunctionDesc], is_meant: impl Fn(&FunctionDesc) -> bool) -> Stated<'a> {
            let meant = functions.iter().filter(|function| is_meant(function));
            meant.map(|function| (function.name.as_str(), &function.signature)).collect()
        }
        let id = &callee.identity.id;
        let ours = all(&self.functions, |function| function.mod_id.as_ref() == Some(id));
        let theirs = all(&callee.functions, |function| function.direction == Direction::Export);
        let imports = self.mod_functions.iter().filter(|import| import.mod_id == *id);
        let compared = imports.filter_map(|import| {
            let name = import.name.as_str();
            compare(self, import, ours.get(name).copied(), callee, theirs.get(name).copied()).err()
        });
        compared.take(MAX_PROBLEMS).map(|difference| difference.reason).collect()
    }
}

impl Instance {
    /// Runs a function for another mod that imports it, and appends the encoded result to `result`.
    ///
    /// The types and codecs of both mods are compared when the function is called for the first time in this instance, and
    /// so again after a reload. Bytes are checked each time, in the codec `bincode` and as far as the mods state their
    /// types: the arguments before this mod sees them, the result before the other does. After a failure
    /// [`Instance::is_poisoned`] tells whether this mod was left in the middle.
    ///
    /// ```
    /// use mod_host::{HostCalls, Instance, ModCall, ModCallFailure, ModCallStatus, NoHostCalls};
    /// # use mod_host::{Caller, CompiledMod, HostEngine, InstanceConfig, Limits};
    ///
    /// /// The other mod, for as long as one of them runs.
    /// struct Neighbour<'a>(&'a mut Instance);
    ///
    /// impl HostCalls for Neighbour<'_> {
    ///     fn call_mod(&mut self, call: &ModCall<'_>, result: &mut Vec<u8>) -> Result<(), ModCallFailure> {
    ///         if call.import.mod_id != self.0.manifest().identity.id {
    ///             return Err(ModCallFailure::new(ModCallStatus::NotRunning, "it is not here"));
    ///         }
    ///         self.0.answer_mod(call, &mut NoHostCalls, result)
    ///     }
    ///     # fn call(&mut self, _: &mut Caller<'_>, _: usize, _: &[u8], _: &mut Vec<u8>) -> Result<(), String> {
    ///     #     Err("there are no host functions".to_owned())
    ///     # }
    /// }
    /// # let load = |text: &str| -> Result<Instance, Box<dyn std::error::Error>> {
    /// #     let (bytes, limits) = (wat::parse_str(text)?, Limits::default());
    /// #     let compiled = CompiledMod::new(&HostEngine::shared()?, &bytes, "wasps", &limits)?;
    /// #     Ok(Instance::new(&compiled, InstanceConfig::default())?)
    /// # };
    /// # let alloc = r#"(memory (export "memory") 1) (global $top (mut i32) (i32.const 4096))
    /// #     (func (export "__alloc_buffer") (param i32) (result i32)
    /// #         (global.set $top (i32.add (global.get $top) (i32.const 16))) (global.get $top))
    /// #     (func (export "__free_buffer") (param i64))"#;
    /// # let mut bees = load(&format!(r#"(module {alloc} (@custom "bevy_mod" "abi: 3\nid: bees\nversion: 1.0.0\n")
    /// #     (func (export "__honey") (param i64) (result i64) (local.get 0)))"#))?;
    /// # let mut wasps = load(&format!(r#"(module (import "mod:bees" "__honey" (func $honey (param i64) (result i64)))
    /// #     {alloc} (@custom "bevy_mod" "abi: 3\nid: wasps\nversion: 1.0.0\ndependency: bees\n")
    /// #     (func (export "__steal") (param i64) (result i64) (call $honey (local.get 0))))"#))?;
    ///
    /// // `steal` calls `honey` of the mod `bees` and returns the whole answer: a status and the result.
    /// let answer: (u32, u32) = wasps.call("steal", &7_u32, &mut Neighbour(&mut bees))?;
    /// assert_eq!(answer, (ModCallStatus::Answered as u32, 7));
    /// # Ok::<_, Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// When there is no such function, its types differ, the bytes do not fit, or this mod fails.
    pub fn answer_mod(
        &mut self,
        call: &ModCall<'_>,
        host: &mut dyn HostCalls,
        result: &mut Vec<u8>,
    ) -> Result<(), ModCallFailure> {
        let name = call.import.name.as_str();
        if self.is_poisoned() {
            return Err(not_running(&call.import.mod_id));
        }
        if call.compared.0.load(Ordering::Relaxed) != self.number {
            let theirs = stated(self.manifest(), Direction::Export, None, name);
            compare(call.caller, call.import, call.stated(), self.manifest(), theirs)?;
            call.compared.0.store(self.number, Ordering::Relaxed);
        }
        call.check_args(self.manifest())?;
        let callable = match self.functions.callable.get(name) {
            Some(callable) => Arc::clone(callable),
            None => return Err(self.failure(call, &self.no_such(name))),
        };
        let called = self.invoke(name, &callable, call.args, host, |bytes| {
            call.check_result(bytes)?;
            result.extend_from_slice(bytes);
            Ok(())
        });
        called.unwrap_or_else(|error| Err(self.failure(call, &error)))
    }

    fn failure(&self, call: &ModCall<'_>, error: &CallError) -> ModCallFailure {
        let status = match error {
            CallError::NoSuchFunction { .. } | CallError::WrongSignature { .. } => ModCallStatus::NoSuchFunction,
            CallError::Arguments { .. } => ModCallStatus::Refused,
            // Its arguments found no place in the mod.
            CallError::OutOfMemory { .. } if !self.is_poisoned() => ModCallStatus::Refused,
            _ => ModCallStatus::Failed,
        };
        let failure = ModCallFailure::new(status, format!("{}: {error}", call.import.mod_id));
        ModCallFailure { backtrace: error.backtrace().cloned().unwrap_or_default(), ..failure }
    }
}

/// The failure of a call to a mod that is not there.
pub(crate) fn not_running(id: &str) -> ModCallFailure {
    ModCallFailure::new(ModCallStatus::NotRunning, format!("there is no mod `{id}`, or it does not run"))
}
