//! How values become bytes: bincode in its legacy configuration.
//!
//! Little endian, integers of fixed width, lengths as `u64`, enum variants as `u32`. The configuration is the default
//! of bincode 1, so plugins built with that crate speak it too. Arguments are the tuple of all arguments; a single
//! argument stands bare, and none is the empty tuple, which takes no bytes.

use alloc::vec::Vec;
use core::fmt;

use bincode::config::{self, Configuration, Fixint, Limit, LittleEndian};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

/// The most bytes that one value may take, in either direction: 64 MiB.
pub const MAX_VALUE_BYTES: usize = 64 << 20;

type Legacy = Configuration<LittleEndian, Fixint, Limit<MAX_VALUE_BYTES>>;

fn legacy() -> Legacy {
    config::legacy().with_limit::<MAX_VALUE_BYTES>()
}

/// A value that could not be turned into bytes.
#[derive(Debug)]
pub struct EncodeError(bincode::error::EncodeError);

/// Bytes that are not the value they should be.
#[derive(Debug)]
pub enum DecodeError {
    /// The bytes do not follow the format, or claim to be larger than [`MAX_VALUE_BYTES`].
    Malformed(bincode::error::DecodeError),
    /// The value ended before the bytes did: the two sides mean different types.
    LeftOver {
        /// Bytes after the end of the value.
        bytes: usize,
    },
}

/// The bytes of `value`.
///
/// # Errors
/// When the value's own `Serialize` fails, or the format cannot hold it (a sequence of unknown length).
pub fn encode<T: Serialize + ?Sized>(value: &T) -> Result<Vec<u8>, EncodeError> {
    bincode::serde::encode_to_vec(value, legacy()).map_err(EncodeError)
}

/// The value that `bytes` hold, all of them.
///
/// # Errors
/// When the bytes are not such a value, or when some are left over.
pub fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, DecodeError> {
    let (value, used) = bincode::serde::decode_from_slice(bytes, legacy()).map_err(DecodeError::Malformed)?;
    match bytes.len().saturating_sub(used) {
        0 => Ok(value),
        bytes => Err(DecodeError::LeftOver { bytes }),
    }
}

/// Takes a value from the front of `bytes`. It may borrow from them.
///
/// # Errors
/// When they do not begin with such a value.
pub fn decode_front<'a, T: Deserialize<'a>>(bytes: &mut &'a [u8]) -> Result<T, DecodeError> {
    let decoded = bincode::serde::borrow_decode_from_slice(bytes, legacy());
    let (value, used) = decoded.map_err(DecodeError::Malformed)?;
    *bytes = bytes.get(used..).unwrap_or_default();
    Ok(value)
}

impl fmt::Display for EncodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the value cannot be encoded: {}", self.0)
    }
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed(error) => write!(f, "the bytes cannot be decoded: {error}"),
            Self::LeftOver { bytes } => write!(f, "{bytes} bytes are left over after the value"),
        }
    }
}

impl core::error::Error for EncodeError {}
impl core::error::Error for DecodeError {}
