//! Values without parts.

use std::time::Duration;

use mod_abi::Leaf;

use super::{InPlace, ReadError, Reflect, SchemaText, take};

macro_rules! numbers {
    ($($number:ty => $leaf:ident,)*) => {$(
        impl Reflect for $number {
            const STRIDE: Option<usize> = Some(size_of::<Self>());
            const SCHEMA: SchemaText = SchemaText::Text(Leaf::$leaf.name());
            // Every pattern of bits is a number, and the bytes are its memory on a little-endian machine.
            const IN_PLACE: InPlace = InPlace::leaf(true);

            fn write(&self, out: &mut Vec<u8>) {
                out.extend_from_slice(&self.to_le_bytes());
            }

            fn read(input: &mut &[u8]) -> Result<Self, ReadError> {
                let mut bytes = [0; size_of::<Self>()];
                bytes.copy_from_slice(take(input, size_of::<Self>())?);
                Ok(Self::from_le_bytes(bytes))
            }
        }
    )*};
}

numbers! {
    u8 => U8,
    u16 => U16,
    u32 => U32,
    u64 => U64,
    u128 => U128,
    i8 => I8,
    i16 => I16,
    i32 => I32,
    i64 => I64,
    i128 => I128,
    f32 => F32,
    f64 => F64,
}

/// Leaves that cross as another type.
macro_rules! converted {
    ($($(#[$why:meta])* $leaf:ty => $name:ident, $bytes:ty, |$value:ident| $write:expr, |$read:ident| $convert:expr;)*) => {$(
        $(#[$why])*
        impl Reflect for $leaf {
            const STRIDE: Option<usize> = <$bytes>::STRIDE;
            const SCHEMA: SchemaText = SchemaText::Text(Leaf::$name.name());

            fn write(&self, out: &mut Vec<u8>) {
                let $value = self;
                let bytes: $bytes = $write;
                bytes.write(out);
            }

            fn read(input: &mut &[u8]) -> Result<Self, ReadError> {
                let $read = <$bytes>::read(input)?;
                $convert
            }
        }
    )*};
}

converted! {
    bool => Bool, u8, |value| u8::from(*value), |byte| match byte {
        0 => Ok(false),
        1 => Ok(true),
        _ => Err(ReadError::new("a bool was neither 0 nor 1")),
    };
    // A mod's `usize` has 32 bits and the game's 64: it crosses as the larger one.
    usize => U64, u64, |value| *value as u64, |number| {
        Self::try_from(number).map_err(|_| ReadError::new("a usize is too large for a mod"))
    };
    isize => I64, i64, |value| *value as i64, |number| {
        Self::try_from(number).map_err(|_| ReadError::new("an isize is too large for a mod"))
    };
    Duration => Duration, (u64, u32), |value| (value.as_secs(), value.subsec_nanos()), |parts| match parts {
        (seconds, nanos @ 0..1_000_000_000) => Ok(Self::new(seconds, nanos)),
        _ => Err(ReadError::new("a duration has a second or more of nanoseconds")),
    };
}

impl Reflect for char {
    const STRIDE: Option<usize> = None;
    const SCHEMA: SchemaText = SchemaText::Text(Leaf::Char.name());

    fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.encode_utf8(&mut [0; 4]).as_bytes());
    }

    fn read(input: &mut &[u8]) -> Result<Self, ReadError> {
        const INVALID: ReadError = ReadError::new("a char is not UTF-8");
        let len = match input.first() {
            None => return Err(ReadError::new("the bytes end too early")),
            Some(0x00..=0x7f) => 1,
            Some(0xc0..=0xdf) => 2,
            Some(0xe0..=0xef) => 3,
            Some(0xf0..=0xf7) => 4,
            Some(_) => return Err(INVALID),
        };
        let text = str::from_utf8(take(input, len)?).map_err(|_| INVALID)?;
        text.chars().next().ok_or(INVALID)
    }
}

impl Reflect for String {
    const STRIDE: Option<usize> = None;
    const SCHEMA: SchemaText = SchemaText::Text(Leaf::Str.name());

    fn write(&self, out: &mut Vec<u8>) {
        self.len().write(out);
        out.extend_from_slice(self.as_bytes());
    }

    fn read(input: &mut &[u8]) -> Result<Self, ReadError> {
        let len = usize::read(input)?;
        let text = str::from_utf8(take(input, len)?).map_err(|_| ReadError::new("a string is not UTF-8"))?;
        Ok(text.to_owned())
    }
}
