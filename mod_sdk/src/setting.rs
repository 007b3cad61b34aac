//! What `#[resource(settings)]` asks of its fields while the mod compiles, and how a native test gets the defaults.
//!
//! The questions are about the texts of schemas, so that a field may be of any type that looks right.

use crate::reflect::Reflect;

/// Whether a field is a `bool`.
#[doc(hidden)]
#[must_use]
pub const fn is_bool(schema: &[u8]) -> bool {
    is(schema, "bool")
}

/// Whether a field is a float.
#[doc(hidden)]
#[must_use]
pub const fn is_float(schema: &[u8]) -> bool {
    is(schema, "f32") || is(schema, "f64")
}

/// Whether a field is a text.
#[doc(hidden)]
#[must_use]
pub const fn is_text(schema: &[u8]) -> bool {
    is(schema, "str")
}

/// Whether a field is an integer.
#[doc(hidden)]
#[must_use]
pub const fn is_int(schema: &[u8]) -> bool {
    integers(schema).is_some()
}

/// Whether a field is an integer that has all of these numbers.
#[doc(hidden)]
#[must_use]
pub const fn has_all(schema: &[u8], min: i64, max: i64) -> bool {
    match integers(schema) {
        Some((least, most)) => least <= min as i128 && max as i128 <= most,
        None => false,
    }
}

/// Whether a field is a text, or an enum with a variant without fields for each of these words.
#[doc(hidden)]
#[must_use]
pub const fn has_choices(schema: &[u8], choices: &[&str]) -> bool {
    let mut index = 0;
    while index < choices.len() {
        if !is_text(schema) && variant(schema, choices[index].as_bytes()).is_none() {
            return false;
        }
        index += 1;
    }
    true
}

/// The value of a field that holds a text or a choice.
///
/// # Panics
/// When the field can hold neither, which the derive has checked.
#[doc(hidden)]
#[must_use]
pub fn worded<T: Reflect>(word: &str) -> T {
    let mut bytes = Vec::new();
    match variant(T::SCHEMA.to_string().as_bytes(), word.as_bytes()) {
        Some(index) => index.write(&mut bytes),
        None => word.to_owned().write(&mut bytes),
    }
    T::read(&mut &*bytes).unwrap_or_else(|error| panic!("{word:?} is no value of its field: {error}"))
}

const fn is(schema: &[u8], leaf: &str) -> bool {
    same(schema, leaf.as_bytes(), false)
}

/// The least and the most of an integer.
const fn integers(schema: &[u8]) -> Option<(i128, i128)> {
    let (signed, bits) = match schema {
        [b'u', bits @ ..] => (false, bits),
        [b'i', bits @ ..] => (true, bits),
        _ => return None,
    };
    let bits: u32 = match bits {
        b"8" => 8,
        b"16" => 16,
        b"32" => 32,
        b"64" => 64,
        b"128" if signed => return Some((i128::MIN, i128::MAX)),
        b"128" => return Some((0, i128::MAX)),
        _ => return None,
    };
    let half = 1_i128 << (bits - 1);
    Some(if signed { (-half, half - 1) } else { (0, 2 * half - 1) })
}

/// The index of the variant without fields of an enum that means a word.
const fn variant(schema: &[u8], word: &[u8]) -> Option<u32> {
    let Some((b'<', _)) = schema.split_first() else { return None };
    let (mut depth, mut start, mut at, mut index) = (0_u32, 1, 0, 0);
    while at < schema.len() {
        match schema[at] {
            b'<' | b'(' | b'{' | b'[' => depth += 1,
            // The arrow of a map closes nothing.
            b'>' if schema[at - 1] == b'=' => {}
            b'|' | b'>' if depth == 1 => {
                if same(schema.split_at(at).0.split_at(start).1, word, true) {
                    return Some(index);
                }
                index += 1;
                start = at + 1;
            }
            b'>' | b')' | b'}' | b']' => depth -= 1,
            _ => {}
        }
        at += 1;
    }
    None
}

/// Whether two names are the same; if that is enough, by their letters and digits, whether large or small.
const fn same(one: &[u8], other: &[u8], by_letters: bool) -> bool {
    let (mut left, mut right) = (0, 0);
    loop {
        while by_letters && left < one.len() && is_mark(one[left]) {
            left += 1;
        }
        while by_letters && right < other.len() && is_mark(other[right]) {
            right += 1;
        }
        if left == one.len() || right == other.len() {
            return left == one.len() && right == other.len();
        }
        let equal = if by_letters { one[left].eq_ignore_ascii_case(&other[right]) } else { one[left] == other[right] };
        if !equal {
            return false;
        }
        left += 1;
        right += 1;
    }
}

/// What does not count of the name of a choice. Brackets do: a variant with fields is no choice.
const fn is_mark(byte: u8) -> bool {
    matches!(byte, b'_' | b'-')
}

#[cfg(test)]
mod tests {
    use super::{has_all, has_choices, is_bool, is_float, is_int, is_text, variant, worded};

    #[test]
    fn fields_are_told_apart_as_the_game_does() {
        for (line, choices) in [
            ("a bool true -", &[][..]),
            ("a int 1 0..255", &[]),
            ("a int 1 -128..127", &[]),
            ("a int 1 0..", &[]),
            ("a int 1 -", &[]),
            ("a float 1 -", &[]),
            ("a text \"\" -", &[]),
            ("a choice x x|very-slow", &["x", "very-slow"]),
        ] {
            let setting: mod_abi::SettingDesc = line.parse().expect("a setting");
            for text in [
                "bool",
                "u8",
                "u16",
                "u32",
                "u64",
                "u128",
                "i8",
                "i16",
                "i32",
                "i64",
                "i128",
                "f32",
                "f64",
                "str",
                "char",
                "entity",
                "?bool",
                "[u8]",
                "{a:u8}",
                "(u8)",
                "<X|VerySlow>",
                "<X|very_slow|Y>",
                "<VerySlow>",
                "<A(<X|VerySlow>)|B>",
                "<X(u8)|VerySlow>",
                "<X|VerySlow{a:u8}>",
                "<A({u8=>str})|X|VerySlow>",
                "<A([u8;4])|x|veryslow>",
            ] {
                let schema = mod_abi::Schema::parse(text).expect("a schema");
                let text = text.as_bytes();
                let fits = match setting.kind {
                    mod_abi::SettingKind::Bool { .. } => is_bool(text),
                    mod_abi::SettingKind::Int { min, max, .. } => {
                        is_int(text) && has_all(text, min.unwrap_or(i64::MIN), max.unwrap_or(i64::MAX))
                    }
                    mod_abi::SettingKind::Float { .. } => is_float(text),
                    mod_abi::SettingKind::Text { .. } => is_text(text),
                    mod_abi::SettingKind::Choice { .. } => has_choices(text, choices),
                };
                assert_eq!(fits, setting.check_field(&schema).is_ok(), "{line} {schema}");
            }
        }
        assert_eq!(variant(b"<A({u8=>str})|X|VerySlow>", b"very-slow"), Some(2));
        assert_eq!(worded::<String>("very-slow"), "very-slow");
    }
}
