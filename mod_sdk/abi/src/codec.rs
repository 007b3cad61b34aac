//! How values become bytes.
//!
//! Everything that belongs to the contract itself, such as descriptions, batches and commands, is bincode in its legacy
//! configuration: [`encode`], [`decode`]. The functions that a mod exports and imports speak the [`Codec`] that the mod
//! states in its [`Identity`](crate::Identity).
//!
//! Bincode here is little endian, with integers of fixed width, lengths as `u64` and enum variants as `u32`. The
//! configuration is the default of bincode 1, so plugins built with that crate speak it too.
//!
//! In every codec arguments are the tuple of all arguments; a single argument stands bare, and none is the empty tuple,
//! which takes no bytes.

#[cfg(any(feature = "json", feature = "nanoserde"))]
mod count;
#[cfg(feature = "json")]
pub mod json;
#[cfg(feature = "nanoserde")]
pub mod nano;
mod reader;

use alloc::{string::String, vec::Vec};
use core::fmt;

use bincode::config::{self, Configuration, Fixint, Limit, LittleEndian};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

#[cfg(any(feature = "json", feature = "nanoserde"))]
pub use self::count::MAX_JSON_VALUES;
use self::reader::Reader;

/// The most bytes that one value may take, in either direction: 64 MiB.
pub const MAX_VALUE_BYTES: usize = 64 << 20;

type Legacy = Configuration<LittleEndian, Fixint, Limit<MAX_VALUE_BYTES>>;

fn legacy() -> Legacy {
    config::legacy().with_limit::<MAX_VALUE_BYTES>()
}

/// How the values of a mod's functions become bytes.
///
/// ```
/// use mod_abi::codec::Codec;
///
/// assert_eq!(Codec::from_name("json"), Some(Codec::Json));
/// assert_eq!(Codec::NanoserdeJson.name(), "nanoserde-json");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Codec {
    /// Bincode in its legacy configuration.
    #[default]
    Bincode,
    /// JSON as `serde_json` writes and reads it.
    Json,
    /// JSON as `nanoserde` writes and reads it. It differs from [`Codec::Json`] where a struct or a variant has a
    /// single unnamed field, which stands in a list.
    NanoserdeJson,
}

impl Codec {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Bincode, Self::Json, Self::NanoserdeJson];

    /// The word for it in an identity section.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Bincode => "bincode",
            Self::Json => "json",
            Self::NanoserdeJson => "nanoserde-json",
        }
    }

    /// The codec of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|codec| codec.name() == name)
    }

    /// Whether this build knows it. [`Codec::Json`] needs the feature `json`, [`Codec::NanoserdeJson`] the feature
    /// `nanoserde`.
    #[must_use]
    pub const fn is_enabled(self) -> bool {
        match self {
            Self::Bincode => true,
            Self::Json => cfg!(feature = "json"),
            Self::NanoserdeJson => cfg!(feature = "nanoserde"),
        }
    }
}

impl fmt::Display for Codec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A value that could not be turned into bytes.
#[derive(Debug)]
#[non_exhaustive]
pub enum EncodeError {
    /// The value's own `Serialize` failed, or bincode cannot hold it.
    Bincode(bincode::error::EncodeError),
    /// JSON cannot hold it.
    Json {
        /// Why.
        reason: String,
    },
    /// More than [`MAX_VALUE_BYTES`].
    TooLarge {
        /// Its bytes.
        bytes: usize,
    },
}

/// Bytes that are not the value they should be.
#[derive(Debug)]
#[non_exhaustive]
pub enum DecodeError {
    /// The bytes do not follow bincode, or claim to be larger than [`MAX_VALUE_BYTES`].
    Malformed(bincode::error::DecodeError),
    /// The text is not JSON of such a value.
    Json {
        /// What was wrong, and where.
        reason: String,
    },
    /// More than [`MAX_VALUE_BYTES`].
    TooLarge {
        /// How many.
        bytes: usize,
    },
    /// The value ended before the bytes did: the two sides mean different types.
    LeftOver {
        /// Bytes after the end of the value.
        bytes: usize,
    },
}

/// The bytes of `value`.
///
/// # Errors
/// When the value's own `Serialize` fails, when the format cannot hold it (a sequence of unknown length), or when it takes
/// more than [`MAX_VALUE_BYTES`].
pub fn encode<T: Serialize + ?Sized>(value: &T) -> Result<Vec<u8>, EncodeError> {
    let bytes = bincode::serde::encode_to_vec(value, legacy()).map_err(EncodeError::Bincode)?;
    // bincode's own limit is for reading.
    if bytes.len() > MAX_VALUE_BYTES { Err(EncodeError::TooLarge { bytes: bytes.len() }) } else { Ok(bytes) }
}

/// The value that `bytes` hold, all of them.
///
/// # Errors
/// When the bytes are not such a value, when it nests deeper than 128 or holds a list of values that take no bytes, or when
/// some are left over.
pub fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, DecodeError> {
    let mut reader = Reader::new(bytes);
    let value = T::deserialize(&mut reader).map_err(DecodeError::Malformed)?;
    match reader.rest().len() {
        0 => Ok(value),
        bytes => Err(DecodeError::LeftOver { bytes }),
    }
}

/// Takes a value from the front of `bytes`. It may borrow from them.
///
/// # Errors
/// When they do not begin with such a value, and as [`decode`].
pub fn decode_front<'a, T: Deserialize<'a>>(bytes: &mut &'a [u8]) -> Result<T, DecodeError> {
    let mut reader = Reader::new(bytes);
    let value = T::deserialize(&mut reader).map_err(DecodeError::Malformed)?;
    *bytes = reader.rest();
    Ok(value)
}

impl fmt::Display for EncodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bincode(error) => {
                f.write_str("the value cannot be encoded: ")?;
                not_encoded(f, error)
            }
            Self::Json { reason } => write!(f, "the value cannot be written as JSON: {reason}"),
            Self::TooLarge { bytes } => too_large(f, *bytes),
        }
    }
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed(error) => {
                f.write_str("the bytes cannot be decoded: ")?;
                malformed(f, error)
            }
            Self::Json { reason } => write!(f, "the text cannot be read as JSON: {reason}"),
            Self::TooLarge { bytes } => too_large(f, *bytes),
            Self::LeftOver { bytes } => write!(f, "{bytes} bytes are left over after the value"),
        }
    }
}

/// What bincode only says in its own terms, as the rest of a sentence.
fn not_encoded(f: &mut fmt::Formatter<'_>, error: &bincode::error::EncodeError) -> fmt::Result {
    use bincode::error::EncodeError;
    match error {
        EncodeError::Other(reason) => f.write_str(reason),
        EncodeError::OtherString(reason) => f.write_str(reason),
        EncodeError::Serde(_) => f.write_str("a list does not say how long it is"),
        _ => f.write_str("bincode cannot hold it"),
    }
}

/// What bincode only says in its own terms, as the rest of a sentence.
fn malformed(f: &mut fmt::Formatter<'_>, error: &bincode::error::DecodeError) -> fmt::Result {
    use bincode::error::DecodeError;
    match error {
        DecodeError::UnexpectedEnd { .. } => f.write_str("they end too early"),
        DecodeError::LimitExceeded => write!(f, "they claim to be more than {MAX_VALUE_BYTES} bytes"),
        DecodeError::Utf8 { .. } => f.write_str("a text in them is not UTF-8"),
        DecodeError::InvalidCharEncoding(_) => f.write_str("a char in them is not UTF-8"),
        DecodeError::InvalidBooleanValue(found) => write!(f, "a bool in them is {found}, and not 0 or 1"),
        DecodeError::UnexpectedVariant { found, .. } => write!(f, "they name the variant {found}, which is not one"),
        DecodeError::NonZeroTypeIsZero { .. } => f.write_str("a number in them is 0 and must not be"),
        DecodeError::OutsideUsizeRange(found) => write!(f, "the number {found} in them is too large"),
        DecodeError::Other(reason) => f.write_str(reason),
        DecodeError::OtherString(reason) => f.write_str(reason),
        // Of serde's own errors only this can come from bytes: the type asks what they are, and bincode does not say.
        DecodeError::Serde(_) => f.write_str("the type cannot be read from bytes that do not describe themselves"),
        _ => f.write_str("they are not what the type takes"),
    }
}

fn too_large(f: &mut fmt::Formatter<'_>, bytes: usize) -> fmt::Result {
    write!(f, "the value has {bytes} bytes, more than {MAX_VALUE_BYTES}")
}

impl core::error::Error for EncodeError {}
impl core::error::Error for DecodeError {}
