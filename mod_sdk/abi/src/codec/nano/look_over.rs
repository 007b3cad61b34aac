//! Whether a text is put together like one JSON value. What its numbers and words are is left to nanoserde.

use alloc::vec::Vec;

/// How deep values may nest: reading one takes stack for each level.
const MAX_DEPTH: usize = 128;

/// What may stand at a place.
#[derive(Clone, Copy, PartialEq)]
enum Next {
    /// A value, and in a list its end.
    Value,
    /// The name of a field, or the end of the object. nanoserde leaves a comma behind when the last field of a variant is
    /// `None`, so an end may follow one.
    Name,
    /// The colon behind a name.
    Colon,
    /// A comma or the end of what is open.
    Comma,
}

/// Looks the text over once, from front to back.
pub(super) fn look_over(text: &[u8]) -> Result<(), &'static str> {
    const MALFORMED: Result<(), &str> = Err("it is not put together like JSON");
    let mut rest = text;
    let mut open = Vec::new();
    let mut next = Next::Value;
    while let Some((first, behind)) = rest.split_first() {
        rest = behind;
        next = match (first, next, open.last()) {
            (b' ' | b'\t' | b'\r' | b'\n', ..) => next,
            (b'[' | b'{', Next::Value, _) => {
                open.push(*first);
                if open.len() > MAX_DEPTH {
                    return Err("it nests too deep");
                }
                if *first == b'[' { Next::Value } else { Next::Name }
            }
            (b']', Next::Value | Next::Comma, Some(b'[')) | (b'}', Next::Name | Next::Comma, Some(b'{')) => {
                open.pop();
                Next::Comma
            }
            (b',', Next::Comma, Some(b'[')) => Next::Value,
            (b',', Next::Comma, Some(_)) => Next::Name,
            (b':', Next::Colon, _) => Next::Value,
            (b'"', Next::Name, _) => {
                rest = behind_string(rest);
                Next::Colon
            }
            (b'"', Next::Value, _) => {
                rest = behind_string(rest);
                Next::Comma
            }
            (b'+' | b'-' | b'0'..=b'9' | b'a'..=b'z', Next::Value, _) => {
                rest = behind_word(rest);
                Next::Comma
            }
            _ => return MALFORMED,
        };
    }
    if open.is_empty() && next == Next::Comma { Ok(()) } else { MALFORMED }
}

/// What follows the string that has begun. Nothing, if it has no end.
fn behind_string(mut rest: &[u8]) -> &[u8] {
    while let Some((first, behind)) = rest.split_first() {
        rest = match (first, behind) {
            (b'"', behind) => return behind,
            (b'\\', [_, behind @ ..]) => behind,
            (_, behind) => behind,
        };
    }
    rest
}

/// What follows the number or the word that has begun.
fn behind_word(rest: &[u8]) -> &[u8] {
    let is_inside = |byte: &&u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.');
    let len = rest.iter().take_while(is_inside).count();
    rest.get(len..).unwrap_or_default()
}
