//! A schema's text, put together while the mod compiles.
//!
//! The functions section of a mod needs the text of types before the mod runs, and its length as a constant. A type with
//! parameters has no constant length of its own, so the parts are kept apart until the type is known whole.

use std::fmt;

/// The text of a [`Schema`](crate::Schema), as [`Reflect::SCHEMA`](crate::Reflect::SCHEMA) states it.
///
/// ```
/// use mod_sdk::{Reflect, SchemaText};
///
/// const SPOT: SchemaText = SchemaText::Struct(&[("x", f32::SCHEMA), ("tags", Vec::<String>::SCHEMA)]);
/// assert_eq!(SPOT.to_string(), "{x:f32,tags:[str]}");
/// ```
#[derive(Debug, Clone, Copy)]
pub enum SchemaText {
    /// A text.
    Text(&'static str),
    /// A number, as decimal digits.
    Number(u32),
    /// One after the other.
    Parts(&'static [Self]),
    /// Named fields.
    Struct(&'static [(&'static str, Self)]),
    /// Unnamed fields.
    Tuple(&'static [Self]),
    /// The text of a type that `serde` may write in another form, because of attributes that only `serde` understands.
    NotForSerde(&'static Self),
}

/// The longest text of a type that a functions section states.
const MAX_STATED: usize = 4096;

impl SchemaText {
    /// The number of bytes.
    #[expect(clippy::len_without_is_empty, reason = "no schema is an empty text")]
    #[must_use]
    pub const fn len(self) -> usize {
        self.write(&mut [], 0)
    }

    /// The bytes, of which there are `N`.
    #[doc(hidden)]
    #[must_use]
    pub const fn bytes<const N: usize>(self) -> [u8; N] {
        let mut out = [0; N];
        self.write(&mut out, 0);
        out
    }

    /// The text as a functions section states it: `_`, which is a type that is not stated, where it is too long, or where
    /// `serde` may write something else.
    #[doc(hidden)]
    #[must_use]
    pub const fn stated(self) -> Self {
        if self.is_for_serde() && self.len() <= MAX_STATED { self } else { Self::Text("_") }
    }

    const fn is_for_serde(self) -> bool {
        match self {
            Self::Text(_) | Self::Number(_) => true,
            Self::NotForSerde(_) => false,
            Self::Parts(parts) | Self::Tuple(parts) => {
                let mut index = 0;
                while index < parts.len() {
                    if !parts[index].is_for_serde() {
                        return false;
                    }
                    index += 1;
                }
                true
            }
            Self::Struct(fields) => {
                let mut index = 0;
                while index < fields.len() {
                    if !fields[index].1.is_for_serde() {
                        return false;
                    }
                    index += 1;
                }
                true
            }
        }
    }

    /// Writes the bytes from `at` on, as far as there is room, and returns where they end.
    const fn write(self, out: &mut [u8], at: usize) -> usize {
        match self {
            Self::Text(text) => put(text, out, at),
            Self::Number(number) => put_number(number, out, at),
            Self::NotForSerde(text) => text.write(out, at),
            Self::Parts(parts) => put_all(parts, "", out, at),
            Self::Tuple(parts) => {
                let at = put("(", out, at);
                let at = put_all(parts, ",", out, at);
                put(")", out, at)
            }
            Self::Struct(fields) => {
                let (mut at, mut index) = (put("{", out, at), 0);
                while index < fields.len() {
                    let (name, text) = fields[index];
                    at = put(if index > 0 { "," } else { "" }, out, at);
                    at = put(name, out, at);
                    at = put(":", out, at);
                    at = text.write(out, at);
                    index += 1;
                }
                put("}", out, at)
            }
        }
    }
}

const fn put(text: &str, out: &mut [u8], at: usize) -> usize {
    let (text, mut index) = (text.as_bytes(), 0);
    while index < text.len() && at + index < out.len() {
        out[at + index] = text[index];
        index += 1;
    }
    at + text.len()
}

const fn put_number(mut number: u32, out: &mut [u8], at: usize) -> usize {
    let digits = match number.checked_ilog10() {
        Some(log) => log as usize + 1,
        None => 1,
    };
    let mut place = at + digits;
    while place > at {
        place -= 1;
        if place < out.len() {
            out[place] = b'0' + (number % 10) as u8;
        }
        number /= 10;
    }
    at + digits
}

const fn put_all(parts: &[SchemaText], between: &str, out: &mut [u8], mut at: usize) -> usize {
    let mut index = 0;
    while index < parts.len() {
        at = put(if index > 0 { between } else { "" }, out, at);
        at = parts[index].write(out, at);
        index += 1;
    }
    at
}

impl fmt::Display for SchemaText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut bytes = vec![0; self.len()];
        self.write(&mut bytes, 0);
        f.write_str(&String::from_utf8_lossy(&bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::{MAX_STATED, SchemaText};

    #[test]
    fn every_part_is_written() {
        const U8: SchemaText = SchemaText::Text("u8");
        const TEXT: SchemaText = SchemaText::Parts(&[
            SchemaText::Text("<A|B"),
            SchemaText::Tuple(&[U8, SchemaText::NotForSerde(&U8)]),
            SchemaText::Text("|ä"),
            SchemaText::Struct(&[("x", SchemaText::Number(0)), ("y", SchemaText::Number(u32::MAX))]),
            SchemaText::Text(">"),
        ]);
        const BYTES: [u8; TEXT.len()] = TEXT.bytes();
        assert_eq!(str::from_utf8(&BYTES), Ok("<A|B(u8,u8)|ä{x:0,y:4294967295}>"));
        assert_eq!(TEXT.to_string().as_bytes(), BYTES);
    }

    #[test]
    fn not_every_text_is_stated() {
        static LONG: [SchemaText; MAX_STATED] = [SchemaText::Text("u8"); MAX_STATED];
        const ODD: SchemaText = SchemaText::Struct(&[("x", SchemaText::NotForSerde(&SchemaText::Text("u8")))]);
        for text in [ODD, SchemaText::Tuple(&[ODD]), SchemaText::Tuple(&LONG)] {
            assert_eq!(text.stated().to_string(), "_");
        }
        assert_eq!(SchemaText::Struct(&[("x", SchemaText::Text("u8"))]).stated().to_string(), "{x:u8}");
    }
}
