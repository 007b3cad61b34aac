//! Calls of other mods: what comes back of them.

use std::{error::Error, fmt};

use mod_abi::ModCallStatus;
#[cfg(target_family = "wasm")]
use mod_abi::codec::DecodeError;

/// Why a call to another mod brought no result. The mod that called goes on.
///
/// ```
/// # mod the_mod {
/// use mod_sdk::prelude::*;
///
/// /// A function of the mod `bees`, which stands under `[package.metadata.mod.dependencies]` in the Cargo.toml.
/// #[import(mod = "bees")]
/// fn honey(amount: u32) -> Result<u32, ModCallError>;
///
/// fn breakfast() {
///     match honey(3) {
///         Ok(jars) => info!("{jars} jars"),
///         // Toast will do.
///         Err(ModCallError::NotRunning { .. }) => {}
///         Err(error) => warn!("no honey: {error}"),
///     }
/// }
/// # pub fn main() { breakfast() }
/// # }
/// # fn main() { the_mod::main() }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ModCallError {
    /// There is no such mod, or it does not run.
    NotRunning {
        /// A sentence about it, as in all of these.
        reason: String,
    },
    /// The mod has no such function, or one of other types or in another codec: it is of another version than was meant.
    NoSuchFunction {
        /// What differs.
        reason: String,
    },
    /// The mod is in the middle of a call that led to this one. No mod is called in the middle of its own code.
    Busy {
        /// Which mod it is.
        reason: String,
    },
    /// The mod failed over it, and is stopped if it cannot go on; or its result is no value of its type.
    Failed {
        /// Why.
        reason: String,
    },
    /// The call was not made or its result not handed over: the arguments are no values of their types or too large, or the
    /// call cannot be made at this moment.
    Refused {
        /// Why.
        reason: String,
    },
    /// The result is not of the type that this mod expects.
    Unreadable {
        /// What is wrong with it.
        reason: String,
    },
}

impl ModCallError {
    #[cfg_attr(not(target_family = "wasm"), allow(dead_code, reason = "in a native build there are no other mods"))]
    fn new(status: ModCallStatus, reason: String) -> Self {
        match status {
            ModCallStatus::NotRunning => Self::NotRunning { reason },
            ModCallStatus::NoSuchFunction => Self::NoSuchFunction { reason },
            ModCallStatus::Busy => Self::Busy { reason },
            ModCallStatus::Failed => Self::Failed { reason },
            ModCallStatus::Answered | ModCallStatus::Refused => Self::Refused { reason },
        }
    }
}

/// The result in an answer.
#[cfg_attr(not(target_family = "wasm"), allow(dead_code, reason = "in a native build there are no other mods"))]
pub(crate) fn result_of(answer: &[u8]) -> Result<&[u8], ModCallError> {
    match ModCallStatus::split(answer) {
        (ModCallStatus::Answered, result) => Ok(result),
        (status, reason) => Err(ModCallError::new(status, String::from_utf8_lossy(reason).into_owned())),
    }
}

#[cfg(target_family = "wasm")]
impl From<DecodeError> for ModCallError {
    fn from(error: DecodeError) -> Self {
        Self::Unreadable { reason: error.to_string() }
    }
}

/// The body of an import of another mod in a native build: what a test says in that mod's place.
#[cfg(not(target_family = "wasm"))]
#[doc(hidden)]
pub fn no_other_mods<Args: 'static, Import, R>(_: Import, id: &str, args: Args) -> Result<R, ModCallError>
where
    Import: crate::testing::Importable<Args, Answer = Result<R, ModCallError>>,
{
    crate::testing::answer::<Args, Import>(args).unwrap_or_else(|_| {
        Err(ModCallError::NotRunning { reason: format!("there is no mod `{id}` in a native build") })
    })
}

impl fmt::Display for ModCallError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotRunning { reason }
            | Self::NoSuchFunction { reason }
            | Self::Busy { reason }
            | Self::Failed { reason }
            | Self::Refused { reason } => f.write_str(reason),
            Self::Unreadable { reason } => write!(f, "the result is not what the mod expects: {reason}"),
        }
    }
}

impl Error for ModCallError {}

#[cfg(test)]
mod tests {
    use mod_abi::ModCallStatus;

    use super::{ModCallError, no_other_mods, result_of};

    fn answer(status: ModCallStatus, rest: &[u8]) -> Vec<u8> {
        let mut answer = Vec::new();
        status.write(rest, &mut answer);
        answer
    }

    #[test]
    fn answers_are_results() {
        assert_eq!(result_of(&answer(ModCallStatus::Answered, &[7])), Ok(&[7][..]));
        let busy = ModCallError::Busy { reason: "it is busy".to_owned() };
        assert_eq!(result_of(&answer(ModCallStatus::Busy, b"it is busy")), Err(busy.clone()));
        assert_eq!(busy.to_string(), "it is busy");
        // Such as from a later version.
        for odd in [&[][..], &[0, 0, 0], &[99, 0, 0, 0, 0xff]] {
            assert!(matches!(result_of(odd), Err(ModCallError::Refused { .. })), "{odd:?}");
        }
    }

    #[test]
    fn in_a_native_build_nobody_is_there() {
        fn honey(_: u32) -> Result<u8, ModCallError> {
            Ok(0)
        }

        assert!(matches!(no_other_mods(honey, "bees", (1,)), Err(ModCallError::NotRunning { .. })));
        let _honey = crate::testing::replace(honey, |jars: u32| Ok(jars as u8 + 1));
        assert_eq!(no_other_mods(honey, "bees", (1,)), Ok(2));
    }
}
