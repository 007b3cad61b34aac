//! Work of the game that takes its time.
//!
//! A ticket is read where a codec reads a value, but its result is read later, when all that is known is the ticket's type.
//! So the codec leaves a note there of how such results are read. That keeps tickets free of the codec: they can be fields,
//! locals and components like any number.

use std::{
    any::{Any, TypeId},
    cell::RefCell,
    collections::BTreeMap,
    error::Error,
    fmt,
    hash::{Hash, Hasher},
    marker::PhantomData,
};

use mod_abi::codec::{self, DecodeError};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::DeserializeOwned};

use crate::{
    imports,
    reflect::{ReadError, Reflect, SchemaText},
};

/// What an `#[import]` returns for work that takes its time: the game goes on with it in the background, and the mod asks
/// from time to time whether the result is there.
///
/// It plays the part of Bevy's `Task`, and is asked as `poll_once` asks one. Other than a `Task` it is only a number: it may
/// be copied and kept anywhere, in a [`Local`](crate::Local), a [`Persist`](crate::Persist) or a component, and dropping it
/// does **not** cancel the work, because a component is dropped whenever a system has looked at it. Say [`Ticket::cancel`]
/// when the result is no longer wanted.
///
/// The result comes once. A ticket of an earlier version of the mod is [`JobError::Unknown`]: after a reload, ask anew.
///
/// ```
/// use mod_sdk::prelude::*;
///
/// #[import]
/// fn find_path(from: Vec2, to: Vec2) -> Ticket<Vec<Vec2>>;
///
/// fn walk(mut ticket: Local<Option<Ticket<Vec<Vec2>>>>) {
///     let asked = *ticket.get_or_insert_with(|| find_path(Vec2::ZERO, Vec2::ONE));
///     if let Some(path) = asked.poll() {
///         *ticket = None;
///         match path {
///             Ok(path) => info!("{} steps", path.len()),
///             Err(error) => warn!("no path: {error}"),
///         }
///     }
/// }
/// ```
#[must_use = "the result of the work can only be had with its ticket"]
pub struct Ticket<R> {
    number: u64,
    result: PhantomData<fn() -> R>,
}

/// Why there is no result.
///
/// ```
/// use mod_sdk::{JobError, testing};
///
/// let ticket = testing::ticket::<u32>();
/// testing::finish(ticket, Err(JobError::Failed { reason: "the map has a hole".to_owned() }));
/// match ticket.poll() {
///     Some(Err(error)) => assert!(error.to_string().contains("the map has a hole")),
///     other => panic!("{other:?}"),
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum JobError {
    /// The work failed.
    Failed {
        /// What the game says about it.
        reason: String,
    },
    /// The game's result is not of the ticket's type.
    Unreadable {
        /// What is wrong with it.
        reason: String,
    },
    /// The game knows no such work: its result was taken, it was cancelled, or it belonged to the mod before a reload.
    Unknown,
}

/// What the game says of a job.
pub(crate) enum Answer<R> {
    Pending,
    Done(Result<R, JobError>),
}

impl<R: 'static> Ticket<R> {
    /// The result, if it is there: then the ticket is used up. `None` while the work goes on.
    #[must_use = "the result comes only once"]
    pub fn poll(&self) -> Option<Result<R, JobError>> {
        match imports::job_poll(self.number) {
            Answer::Pending => None,
            Answer::Done(result) => Some(result),
        }
    }

    /// Whether [`poll`](Self::poll) would say more than `None`.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        imports::job_is_finished(self.number)
    }

    /// Tells the game that the result is no longer wanted. The ticket is unknown from then on.
    pub fn cancel(self) {
        imports::job_cancel(self.number);
    }
}

impl<R> Ticket<R> {
    pub(crate) const fn new(number: u64) -> Self {
        Self { number, result: PhantomData }
    }

    #[cfg(not(target_family = "wasm"))]
    pub(crate) const fn number(self) -> u64 {
        self.number
    }
}

type Decode<R> = fn(&[u8]) -> Result<R, DecodeError>;

thread_local! {
    /// How results are read, by their types: a [`Decode`] each.
    static DECODES: RefCell<BTreeMap<TypeId, Box<dyn Any>>> = const { RefCell::new(BTreeMap::new()) };
}

/// Notes how results of that type are read.
fn note<R: 'static>(decode: Decode<R>) {
    DECODES.with_borrow_mut(|decodes| {
        decodes.entry(TypeId::of::<R>()).or_insert_with(|| Box::new(decode));
    });
}

/// Reads a result.
#[cfg(any(target_family = "wasm", test))]
pub(crate) fn decode<R: 'static>(bytes: &[u8]) -> Result<R, JobError> {
    let decode = DECODES.with_borrow(|decodes| decodes.get(&TypeId::of::<R>())?.downcast_ref::<Decode<R>>().copied());
    // Without a note there was no such ticket in this run of the mod.
    let decode = decode.ok_or(JobError::Unknown)?;
    decode(bytes).map_err(|error| JobError::Unreadable { reason: error.to_string() })
}

impl<R> Serialize for Ticket<R> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u64(self.number)
    }
}

impl<'de, R: DeserializeOwned + 'static> Deserialize<'de> for Ticket<R> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // Of the codecs with serde one is text.
        #[cfg(feature = "json")]
        note::<R>(if deserializer.is_human_readable() { codec::json::decode } else { codec::decode });
        #[cfg(not(feature = "json"))]
        note::<R>(codec::decode);
        u64::deserialize(deserializer).map(Self::new)
    }
}

#[cfg(feature = "nanoserde")]
mod nano {
    use std::str::Chars;

    use mod_abi::codec::nano;
    use nanoserde::{DeJson, DeJsonErr, DeJsonState, SerJson, SerJsonState};

    use super::{Ticket, note};

    impl<R> SerJson for Ticket<R> {
        fn ser_json(&self, depth: usize, state: &mut SerJsonState) {
            self.number.ser_json(depth, state);
        }
    }

    impl<R: DeJson + 'static> DeJson for Ticket<R> {
        fn de_json(state: &mut DeJsonState, input: &mut Chars<'_>) -> Result<Self, DeJsonErr> {
            note::<R>(nano::decode);
            u64::de_json(state, input).map(Self::new)
        }
    }
}

impl<R: 'static> Reflect for Ticket<R> {
    const STRIDE: Option<usize> = u64::STRIDE;
    const SCHEMA: SchemaText = u64::SCHEMA;

    fn write(&self, out: &mut Vec<u8>) {
        self.number.write(out);
    }

    fn read(input: &mut &[u8]) -> Result<Self, ReadError> {
        u64::read(input).map(Self::new)
    }
}

// Not derived: nothing of this asks anything of `R`.
impl<R> Clone for Ticket<R> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<R> Copy for Ticket<R> {}

impl<R> PartialEq for Ticket<R> {
    fn eq(&self, other: &Self) -> bool {
        self.number == other.number
    }
}

impl<R> Eq for Ticket<R> {}

impl<R> Hash for Ticket<R> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.number.hash(state);
    }
}

impl<R> fmt::Debug for Ticket<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Ticket({})", self.number)
    }
}

impl fmt::Display for JobError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failed { reason } => f.write_str(reason),
            Self::Unreadable { reason } => write!(f, "the result is not what the mod expects: {reason}"),
            Self::Unknown => f.write_str(
                "the game knows no such work: its result was taken, it was cancelled, or the mod was reloaded",
            ),
        }
    }
}

impl Error for JobError {}

#[cfg(test)]
mod tests {
    use mod_abi::codec;

    use super::{JobError, Ticket, decode};
    use crate::{Reflect, testing};

    #[test]
    fn it_is_a_number() {
        let ticket = Ticket::<String>::new(7);
        let bytes = codec::encode(&ticket).unwrap();
        assert_eq!(bytes, codec::encode(&7_u64).unwrap());
        let mut written = Vec::new();
        ticket.write(&mut written);
        assert_eq!(written, bytes);
        assert_eq!(Ticket::read(&mut bytes.as_slice()), Ok(ticket));
        assert_eq!((Ticket::<String>::SCHEMA.to_string(), format!("{ticket:?}")), ("u64".into(), "Ticket(7)".into()));
    }

    #[test]
    fn results_are_read_in_the_codec_of_the_ticket() {
        #[derive(serde::Serialize, serde::Deserialize, Debug, PartialEq)]
        struct Square(u16);
        let square = codec::encode(&Square(3)).unwrap();
        assert_eq!(decode::<Square>(&square), Err(JobError::Unknown));
        let _: Ticket<Square> = codec::decode(&codec::encode(&1_u64).unwrap()).unwrap();
        assert_eq!(decode::<Square>(&square), Ok(Square(3)));
        assert!(matches!(decode::<Square>(&square[1..]), Err(JobError::Unreadable { .. })));
    }

    #[cfg(feature = "json")]
    #[test]
    fn in_json_too() {
        let _: Vec<Ticket<Option<u16>>> = codec::json::decode(b"[1]").unwrap();
        assert_eq!((decode::<Option<u16>>(b"3"), decode::<Option<u16>>(b"")), (Ok(Some(3)), Ok(None)));
    }

    #[cfg(feature = "nanoserde")]
    #[test]
    fn in_nanoserde_too() {
        let ticket: Ticket<(u16, String)> = codec::nano::decode(b"1").unwrap();
        assert_eq!(codec::nano::encode(&ticket).unwrap(), b"1");
        assert_eq!(decode::<(u16, String)>(br#"[3,"x"]"#), Ok((3, "x".to_owned())));
    }

    #[test]
    fn a_result_comes_once() {
        let ticket = testing::ticket::<u32>();
        assert!(!ticket.is_finished());
        assert_eq!(ticket.poll(), None);
        testing::finish(ticket, Ok(9));
        assert!(ticket.is_finished());
        assert_eq!(ticket.poll(), Some(Ok(9)));
        assert_eq!(ticket.poll(), Some(Err(JobError::Unknown)));
        let cancelled = testing::ticket::<u32>();
        cancelled.cancel();
        assert_eq!(cancelled.poll(), Some(Err(JobError::Unknown)));
        testing::finish(cancelled, Ok(1));
        assert_eq!(cancelled.poll(), Some(Err(JobError::Unknown)));
    }
}
