//! How many values a text of JSON holds. Whether it is JSON is not known here.

/// The most values in one text. Two bytes, such as `0,` or `{}`, may become a value of any size, so that their number is
/// what has to be limited and not only their bytes.
pub const MAX_JSON_VALUES: usize = 1 << 20;

/// What is said of a text with more.
pub(super) const TOO_MANY: &str = "it holds more than 1048576 values";

/// Whether a text holds more values than it may. Every value but the first comes behind a comma, or behind what opens a
/// list or an object.
pub(super) fn holds_too_many(text: &[u8]) -> bool {
    // A text that is shorter has no room for them.
    text.len() > MAX_JSON_VALUES && count(text) > MAX_JSON_VALUES
}

fn count(text: &[u8]) -> usize {
    let (mut in_string, mut escaped, mut values) = (false, false, 1_usize);
    for byte in text {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = in_string,
            b'"' => in_string = !in_string,
            b',' | b'[' | b'{' if !in_string => values = values.saturating_add(1),
            _ => {}
        }
    }
    values
}

#[cfg(test)]
mod tests {
    use super::{MAX_JSON_VALUES, count, holds_too_many};

    #[test]
    fn values_are_counted_and_not_what_is_in_texts() {
        for (text, values) in
            [("", 1), ("0", 1), ("[0,1]", 3), (r#"{"a":[],"b":{}}"#, 5), (r#"[",,[","\\",",\","]"#, 4)]
        {
            assert_eq!(count(text.as_bytes()), values, "{text}");
        }
        assert!(!holds_too_many(&[b','; MAX_JSON_VALUES - 1]));
        assert!(holds_too_many(&[b','; MAX_JSON_VALUES + 1]));
    }
}
