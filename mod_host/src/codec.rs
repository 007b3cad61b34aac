//! From values to the bytes of the codec that a mod states, and back. What the values are for is not known here.

pub(crate) use mod_abi::codec::Codec;
use mod_abi::{
    Schema,
    codec::{self, DecodeError, EncodeError},
};
use serde::{Serialize, de::DeserializeOwned};

use crate::shape;

/// A value that can go to a mod, whichever codec the mod speaks: everything that serde can serialize, and
#[cfg_attr(feature = "nanoserde", doc = "[`Nano`].")]
#[cfg_attr(not(feature = "nanoserde"), doc = "`Nano` (with the feature `nanoserde`).")]
///
/// ```
/// use mod_host::{Codec, Encode};
///
/// assert_eq!((1_u8, "a").encode(Codec::Bincode)?, b"\x01\x01\0\0\0\0\0\0\0a");
/// # #[cfg(feature = "json")]
/// assert_eq!((1_u8, "a").encode(Codec::Json)?, br#"[1,"a"]"#);
/// # Ok::<_, mod_abi::codec::EncodeError>(())
/// ```
pub trait Encode {
    /// Its bytes.
    ///
    /// # Errors
    /// When the value cannot be written in that codec, or the codec is not enabled.
    fn encode(&self, codec: Codec) -> Result<Vec<u8>, EncodeError>;
}

/// A value that can come from a mod, whichever codec the mod speaks: everything that serde can deserialize, and
#[cfg_attr(feature = "nanoserde", doc = "[`Nano`].")]
#[cfg_attr(not(feature = "nanoserde"), doc = "`Nano` (with the feature `nanoserde`).")]
///
/// ```
/// use mod_host::{Codec, Decode};
///
/// assert_eq!(<(u8, bool)>::decode(&[7, 1], Codec::Bincode)?, (7, true));
/// assert!(<(u8, bool)>::decode(&[7, 2], Codec::Bincode).is_err());
/// // `None` for types of which serde does not tell.
/// assert_eq!(<(u8, bool)>::schema(Codec::Bincode).unwrap().to_string(), "(u8,bool)");
/// # Ok::<_, mod_abi::codec::DecodeError>(())
/// ```
pub trait Decode: Sized {
    /// Reads all of `bytes`, which may be any bytes at all.
    ///
    /// # Errors
    /// When they are not such a value in that codec, or the codec is not enabled.
    fn decode(bytes: &[u8], codec: Codec) -> Result<Self, DecodeError>;

    /// What the type looks like in that codec, as far as it can be found out without a value.
    #[must_use]
    fn schema(codec: Codec) -> Option<Schema>;
}

impl<T: Serialize + ?Sized> Encode for T {
    fn encode(&self, codec: Codec) -> Result<Vec<u8>, EncodeError> {
        match codec {
            Codec::Bincode => codec::encode(self),
            #[cfg(feature = "json")]
            Codec::Json | Codec::NanoserdeJson => codec::json::encode(self),
            #[cfg(not(feature = "json"))]
            Codec::Json | Codec::NanoserdeJson => Err(EncodeError::Json { reason: disabled(codec) }),
        }
    }
}

impl<T: DeserializeOwned> Decode for T {
    fn decode(bytes: &[u8], codec: Codec) -> Result<Self, DecodeError> {
        match codec {
            Codec::Bincode => codec::decode(bytes),
            #[cfg(feature = "json")]
            Codec::Json | Codec::NanoserdeJson => codec::json::decode(bytes),
            #[cfg(not(feature = "json"))]
            Codec::Json | Codec::NanoserdeJson => Err(DecodeError::Json { reason: disabled(codec) }),
        }
    }

    fn schema(codec: Codec) -> Option<Schema> {
        shape::of::<T>(codec != Codec::Bincode)
    }
}

#[cfg(not(feature = "json"))]
fn disabled(codec: Codec) -> String {
    format!("this build does not know the codec `{codec}`")
}

/// A value that is written and read by nanoserde instead of serde. Only mods with the codec `nanoserde-json` take it.
///
/// Several arguments are a `Nano` of a tuple, of which nanoserde knows those of up to four. Serde's types reach such a mod as
/// well. Only a struct or a variant with a single unnamed field looks different in the two: nanoserde puts the field into a
/// list. Such a type derives nanoserde's traits and crosses as a `Nano`.
///
/// ```
/// use mod_host::{Encode, Nano};
/// use nanoserde::{DeJson, SerJson};
///
/// #[derive(SerJson, DeJson)]
/// enum Weather {
///     Calm,
///     Wind(f32),
/// }
///
/// let text = Nano(Weather::Wind(2.5)).encode(mod_abi::codec::Codec::NanoserdeJson)?;
/// assert_eq!(text, br#"{"Wind":[2.5]}"#);
/// # Ok::<_, mod_abi::codec::EncodeError>(())
/// ```
#[cfg(feature = "nanoserde")]
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Nano<T>(pub T);

#[cfg(feature = "nanoserde")]
impl<T: nanoserde::SerJson> Encode for Nano<T> {
    fn encode(&self, codec: Codec) -> Result<Vec<u8>, EncodeError> {
        match codec {
            Codec::NanoserdeJson => codec::nano::encode(&self.0),
            other => Err(EncodeError::Json { reason: not_nano(other) }),
        }
    }
}

#[cfg(feature = "nanoserde")]
impl<T: nanoserde::DeJson> Decode for Nano<T> {
    fn decode(bytes: &[u8], codec: Codec) -> Result<Self, DecodeError> {
        match codec {
            Codec::NanoserdeJson => codec::nano::decode(bytes).map(Self),
            other => Err(DecodeError::Json { reason: not_nano(other) }),
        }
    }

    fn schema(_: Codec) -> Option<Schema> {
        None
    }
}

#[cfg(feature = "nanoserde")]
fn not_nano(codec: Codec) -> String {
    format!("the mod speaks `{codec}`, and a `Nano` crosses only as `{}`", Codec::NanoserdeJson)
}
