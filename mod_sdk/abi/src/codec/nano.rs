//! The codec `nanoserde-json`: JSON without serde.
//!
//! As in [`json`](super::json) an empty buffer means `null`, which is what the unit type and `None` are.
//!
//! nanoserde alone is no match for hostile text: an unknown field whose value breaks off makes it panic or search for ever,
//! each comment takes stack, and what stands behind the value is not looked at. So the text is looked over first.

mod look_over;

use alloc::{
    string::{String, ToString},
    vec::Vec,
};

use nanoserde::{DeJson, SerJson};

use super::{DecodeError, EncodeError, MAX_VALUE_BYTES, count};

/// What an empty buffer stands for.
const NULL: &str = "null";

/// The text of `value`.
///
/// # Errors
/// When the text is longer than [`MAX_VALUE_BYTES`].
pub fn encode<T: SerJson + ?Sized>(value: &T) -> Result<Vec<u8>, EncodeError> {
    let text = without_last_commas(value.serialize_json());
    match text.len() {
        _ if text == NULL => Ok(Vec::new()),
        bytes if bytes > MAX_VALUE_BYTES => Err(EncodeError::TooLarge { bytes }),
        _ => Ok(text.into_bytes()),
    }
}

/// nanoserde leaves a comma behind the fields of a variant whose last one is `None`, which no other reader of JSON takes.
fn without_last_commas(text: String) -> String {
    if !text.contains(",}") {
        return text;
    }
    let mut out = String::with_capacity(text.len());
    let (mut in_string, mut escaped) = (false, false);
    for letter in text.chars() {
        match letter {
            _ if escaped => escaped = false,
            '\\' => escaped = in_string,
            '"' => in_string = !in_string,
            '}' if !in_string && out.ends_with(',') => drop(out.pop()),
            _ => {}
        }
        out.push(letter);
    }
    out
}

/// The value that `text` holds.
///
/// # Errors
/// When the text is not JSON of such a value, when it goes on behind the value, when it nests deeper than 128, when it is
/// longer than [`MAX_VALUE_BYTES`], or when it holds more than [`MAX_JSON_VALUES`](super::MAX_JSON_VALUES) values.
pub fn decode<T: DeJson>(text: &[u8]) -> Result<T, DecodeError> {
    let error = |reason: String| DecodeError::Json { reason };
    if text.len() > MAX_VALUE_BYTES {
        return Err(DecodeError::TooLarge { bytes: text.len() });
    }
    if count::holds_too_many(text) {
        return Err(error(count::TOO_MANY.to_string()));
    }
    let text = core::str::from_utf8(text).map_err(|reason| error(reason.to_string()))?;
    let text = if text.is_empty() { NULL } else { text };
    look_over::look_over(text.as_bytes()).map_err(|reason| error(reason.to_string()))?;
    T::deserialize_json(text).map_err(|reason| error(reason.to_string()))
}

#[cfg(test)]
#[expect(clippy::question_mark, reason = "the derive of nanoserde writes such code")]
mod tests {
    use alloc::{format, string::String, vec, vec::Vec};

    use nanoserde::{DeJson, SerJson};

    use super::{decode, encode};

    #[derive(Debug, PartialEq, SerJson, DeJson)]
    struct Node {
        children: Vec<Node>,
    }

    #[test]
    fn values_cross() {
        let value: (String, Vec<f64>) = (String::from("grüße \" \\ [{"), vec![1.5, -2.0]);
        assert_eq!(decode::<(String, Vec<f64>)>(&encode(&value).unwrap()).unwrap(), value);
        assert_eq!(encode(&None::<u32>).unwrap(), b"");
        for text in [&b""[..], b"null"] {
            assert_eq!(decode::<Option<u32>>(text).unwrap(), None);
        }
    }

    #[derive(Debug, PartialEq, SerJson, DeJson)]
    enum Wrap {
        Plain,
        Paper(String),
        Box { lid: String, ribbon: Option<u8> },
    }

    #[test]
    fn enums_are_json_too() {
        let wrapped = |lid: &str, ribbon| Wrap::Box { lid: String::from(lid), ribbon };
        for (value, text) in [
            (Wrap::Plain, r#""Plain""#),
            (Wrap::Paper(String::from(",}")), r#"{"Paper":[",}"]}"#),
            (wrapped("a", Some(1)), r#"{"Box":{"lid":"a","ribbon":1}}"#),
            (wrapped("\\\",}", None), r#"{"Box":{"lid":"\\\",}"}}"#),
        ] {
            assert_eq!(String::from_utf8(encode(&value).unwrap()).unwrap(), text);
            assert_eq!(decode::<Wrap>(text.as_bytes()).unwrap(), value);
        }
    }

    #[test]
    fn hostile_text_is_an_error() {
        let nested = |depth: usize| format!("{}{}", "{\"children\":[".repeat(depth), "]}".repeat(depth));
        assert!(decode::<Node>(nested(60).as_bytes()).is_ok());
        let error = decode::<Node>(nested(100_000).as_bytes()).unwrap_err();
        assert_eq!(format!("{error}"), "the text cannot be read as JSON: it nests too deep");
        for text in [&b"\xff"[..], b"{", b"[1", b"{\"children\":7}", b"\"\\", b"{\"children\":[]}x", b"[{]}"] {
            assert!(decode::<Node>(text).is_err(), "{text:?}");
        }
        // Values of unknown fields, which nanoserde would skip.
        for value in ["", "[", "[{", ",", ":", "}", "x", "[1,}", "1-2", "[\"]", "//", "[\0]"] {
            assert!(decode::<Node>(format!("{{\"children\":[],\"y\":{value}").as_bytes()).is_err(), "{value}");
            assert!(decode::<Node>(format!("{{\"y\":{value},\"children\":[]}}").as_bytes()).is_err(), "{value}");
        }
        assert!(decode::<u8>("/**/".repeat(1_000_000).as_bytes()).is_err());
        assert!(decode::<Node>(b"{\"y\":[{\"z\":[1, -2.5e3, true, null, \"]\\\"\"]}], \"children\" : [],}").is_ok());
    }
}
