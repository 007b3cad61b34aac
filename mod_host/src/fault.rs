//! From what stopped a call, or the making of an instance, to the error that a person reads. The host's functions are
//! not known here.

use std::fmt;

use mod_abi::OutOfRange;
use wasmtime::Trap;

use crate::{
    backtrace::ModBacktrace,
    error::{CallError, LoadError},
    state::State,
    text,
};

/// What this crate itself finds wrong during a call.
#[derive(Debug)]
pub(crate) enum Fault {
    /// An import failed. The reason is clean.
    Import { import: String, reason: String },
    /// The mod ended its process.
    Exit { code: i32 },
    /// The allocator answered zero.
    NoMemory,
    /// The mod does not have this export.
    Missing(&'static str),
    /// A buffer that the mod named.
    BadBuffer(OutOfRange),
    /// A result that the contract does not allow.
    BadResult(String),
    /// The function cannot read its arguments. The reason is clean.
    Arguments { reason: String },
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self:?}")
    }
}

impl std::error::Error for Fault {}

/// Why a call ended early.
pub(crate) enum Stop {
    /// Code of the mod was left in the middle: a trap, or an error of an import on its way through the mod.
    Guest(wasmtime::Error),
    /// The host noticed something outside the mod's code, which could go on.
    Host(Fault),
}

impl From<wasmtime::Error> for Stop {
    fn from(error: wasmtime::Error) -> Self {
        Self::Guest(error)
    }
}

impl From<Fault> for Stop {
    fn from(fault: Fault) -> Self {
        Self::Host(fault)
    }
}

impl Stop {
    /// The error with which an import ends the mod's code.
    pub(crate) fn into_error(self) -> wasmtime::Error {
        match self {
            Self::Guest(error) => error,
            Self::Host(fault) => wasmtime::Error::new(fault),
        }
    }

    /// Whether the mod's code was left in the middle.
    pub(crate) const fn poisons(&self) -> bool {
        matches!(self, Self::Guest(_))
    }

    /// The error of a call to `function`.
    pub(crate) fn into_call_error(self, function: &str, state: &mut State) -> CallError {
        let function = text::clean(function);
        let error = match self {
            Self::Host(fault) => return from_fault(function, &fault, ModBacktrace::default(), state),
            Self::Guest(error) => error,
        };
        let backtrace = ModBacktrace::of(&error, state.holdings.compiled.lines());
        if let Some(fault) = error.downcast_ref::<Fault>() {
            return from_fault(function, fault, backtrace, state);
        }
        let trap = error.downcast_ref::<Trap>();
        if matches!(trap, Some(Trap::Interrupt | Trap::OutOfFuel)) {
            return state.budget.reached().into_error(function, backtrace);
        }
        // A program that gets no memory ends itself, or follows a null pointer.
        let gave_up = matches!(trap, Some(Trap::UnreachableCodeReached | Trap::MemoryOutOfBounds));
        let panic = state.panic.take();
        if state.limiter.refused && (gave_up || panic.is_some()) {
            return CallError::OutOfMemory { function, limit: state.limiter.memory_bytes, backtrace };
        }
        if let Some(message) = panic {
            return CallError::Panic { function, message, backtrace };
        }
        let cause = error.root_cause().to_string();
        let cause = text::clean(cause.strip_prefix("wasm trap: ").unwrap_or(&cause));
        CallError::Trap { function, cause, backtrace }
    }
}

/// The error of an instance that the engine could not make, without code of the mod being at fault.
pub(crate) fn instantiate(error: &wasmtime::Error) -> LoadError {
    LoadError::Instantiate { reason: text::clean(&format!("{error:#}")) }
}

fn from_fault(function: String, fault: &Fault, backtrace: ModBacktrace, state: &State) -> CallError {
    match fault {
        Fault::Import { import, reason } => {
            CallError::Import { function, import: import.clone(), reason: reason.clone(), backtrace }
        }
        Fault::Exit { code } => CallError::Exit { function, code: *code, backtrace },
        Fault::NoMemory => CallError::OutOfMemory { function, limit: state.limiter.memory_bytes, backtrace },
        Fault::Missing(export) => CallError::NoSuchFunction { function: (*export).to_owned(), nearest: None },
        Fault::BadBuffer(source) => CallError::BadBuffer { function, source: *source },
        Fault::BadResult(reason) => CallError::BadResult { function, reason: reason.clone() },
        Fault::Arguments { reason } => CallError::Arguments { function, reason: reason.clone() },
    }
}
