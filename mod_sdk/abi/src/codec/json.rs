//! The codec `json`: `serde_json`.
//!
//! `null`, which is also what the unit type is, takes no bytes: an empty buffer means `null`. Readers accept both.

use alloc::{string::ToString, vec::Vec};

use serde::{Serialize, de::DeserializeOwned};

use super::{DecodeError, EncodeError, MAX_VALUE_BYTES, count};

/// What an empty buffer stands for.
const NULL: &[u8] = b"null";

/// The text of `value`.
///
/// # Errors
/// When the value's own `Serialize` fails, when a map's key is no text and no number, or when the text is longer than
/// [`MAX_VALUE_BYTES`].
pub fn encode<T: Serialize + ?Sized>(value: &T) -> Result<Vec<u8>, EncodeError> {
    let text = serde_json::to_vec(value).map_err(|error| EncodeError::Json { reason: error.to_string() })?;
    match text.len() {
        _ if text == NULL => Ok(Vec::new()),
        bytes if bytes > MAX_VALUE_BYTES => Err(EncodeError::TooLarge { bytes }),
        _ => Ok(text),
    }
}

/// The value that `text` holds, all of it.
///
/// # Errors
/// When the text is not JSON of such a value, when it goes on behind the value, when it nests deeper than 128, when it is
/// longer than [`MAX_VALUE_BYTES`], or when it holds more than [`MAX_JSON_VALUES`](super::MAX_JSON_VALUES) values.
pub fn decode<T: DeserializeOwned>(text: &[u8]) -> Result<T, DecodeError> {
    let text = match text.len() {
        0 => NULL,
        bytes if bytes > MAX_VALUE_BYTES => return Err(DecodeError::TooLarge { bytes }),
        _ => text,
    };
    if count::holds_too_many(text) {
        return Err(DecodeError::Json { reason: count::TOO_MANY.to_string() });
    }
    serde_json::from_slice(text).map_err(|error| DecodeError::Json { reason: error.to_string() })
}
