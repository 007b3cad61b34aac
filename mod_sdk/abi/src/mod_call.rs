//! What comes back when a mod calls a function of another mod.
//!
//! Such a call can fail without any fault of the caller's, so its answer is a value that says what came of it, and not a
//! trap: a status in four bytes, and behind it the result or a sentence.

use alloc::vec::Vec;

/// The most bytes of the arguments of such a call, and of its result. What a mod gets from others should leave it the most
/// of its memory.
pub const MAX_MOD_CALL_BYTES: usize = 4 << 20;

/// What came of a call to another mod: the `u32` in front of its answer.
///
/// ```
/// use mod_abi::ModCallStatus;
///
/// let mut answer = Vec::new();
/// ModCallStatus::Busy.write(b"the mod `bees` is in the middle of a call", &mut answer);
/// assert_eq!(ModCallStatus::split(&answer), (ModCallStatus::Busy, &b"the mod `bees` is in the middle of a call"[..]));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u32)]
pub enum ModCallStatus {
    /// The result follows, in the codec of both mods. Behind every other status there is a sentence for people, as plain
    /// UTF-8.
    Answered = 0,
    /// There is no such mod, or it does not run.
    NotRunning = 1,
    /// The mod has no such function, or one of other types or in another codec.
    NoSuchFunction = 2,
    /// The mod is in the middle of a call that led to this one. No mod is entered twice.
    Busy = 3,
    /// The mod failed over it, or its result is no value of its type or too large. It is stopped if it cannot go on.
    Failed = 4,
    /// The call was not made, because its arguments are no values of their types or too large, or because it cannot be made
    /// at this moment; or there was no memory for its result.
    Refused = 5,
}

impl ModCallStatus {
    /// The status of a raw number. Unknown numbers are [`ModCallStatus::Refused`]: whatever they say, there is no result.
    #[must_use]
    pub const fn from_raw(raw: u32) -> Self {
        match raw {
            0 => Self::Answered,
            1 => Self::NotRunning,
            2 => Self::NoSuchFunction,
            3 => Self::Busy,
            4 => Self::Failed,
            _ => Self::Refused,
        }
    }

    /// Appends an answer: the status and what follows it.
    pub fn write(self, rest: &[u8], answer: &mut Vec<u8>) {
        answer.extend_from_slice(&(self as u32).to_le_bytes());
        answer.extend_from_slice(rest);
    }

    /// The status of an answer, and what follows it. An answer that is too short for a status is refused, without a word.
    #[must_use]
    pub fn split(answer: &[u8]) -> (Self, &[u8]) {
        match answer.split_first_chunk() {
            Some((status, rest)) => (Self::from_raw(u32::from_le_bytes(*status)), rest),
            None => (Self::Refused, &[]),
        }
    }
}
