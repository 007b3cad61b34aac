//! Text that a mod wrote, made harmless for logs, terminals and error messages. The only place that does this.

use std::{any::Any, fmt};

/// The most bytes of a mod's text that are looked at and kept.
pub(crate) const MAX_BYTES: usize = 4 << 10;

/// The most bytes of a function's name that are kept. Rust's names hold whole types.
const MAX_NAME_BYTES: usize = 256;

const CUT: &str = " [cut]";

/// `text` on one line, without control characters and not longer than [`MAX_BYTES`].
pub(crate) fn clean(text: &str) -> String {
    let mut cleaned = String::with_capacity(text.len().min(MAX_BYTES));
    for c in text.chars().filter_map(visible) {
        if cleaned.len().saturating_add(c.len_utf8()) > MAX_BYTES {
            cleaned.push_str(CUT);
            break;
        }
        cleaned.push(c);
    }
    cleaned
}

/// [`clean`] for bytes that should be UTF-8. What is not becomes U+FFFD.
pub(crate) fn clean_bytes(bytes: &[u8]) -> String {
    match bytes.get(..MAX_BYTES) {
        Some(head) if head.len() < bytes.len() => {
            let mut cleaned = clean(&String::from_utf8_lossy(head));
            if !cleaned.ends_with(CUT) {
                cleaned.push_str(CUT);
            }
            cleaned
        }
        _ => clean(&String::from_utf8_lossy(bytes)),
    }
}

/// Whether [`clean`] would leave `text` as it is.
pub(crate) fn is_clean(text: &str) -> bool {
    text.len() <= MAX_BYTES && text.chars().all(|c| visible(c) == Some(c))
}

/// A Rust symbol as its author wrote it, cleaned and not longer than [`MAX_NAME_BYTES`]. Any other name stays as it is.
pub(crate) fn demangled(symbol: &str) -> String {
    let mut name = Name { text: String::new() };
    // A short symbol may stand for a text of megabytes, so the writing ends where the name is full.
    let _ = match rustc_demangle::try_demangle(symbol) {
        Ok(demangled) if symbol.len() <= MAX_BYTES => fmt::write(&mut name, format_args!("{demangled:#}")),
        _ => fmt::Write::write_str(&mut name, symbol),
    };
    name.text
}

/// Takes what is visible of a text until it is full.
struct Name {
    text: String,
}

impl fmt::Write for Name {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for c in text.chars().filter_map(visible) {
            if self.text.len().saturating_add(c.len_utf8()) > MAX_NAME_BYTES {
                self.text.push_str(CUT);
                return Err(fmt::Error);
            }
            self.text.push(c);
        }
        Ok(())
    }
}

/// The name of a Rust type without the paths of its parts: nobody who reads a sentence needs them.
pub(crate) fn short_type(name: &str) -> String {
    let pieces = name.split_inclusive(|c: char| !(c.is_alphanumeric() || c == '_' || c == ':'));
    pieces.filter_map(|piece| piece.rsplit("::").next()).collect()
}

/// What a panic of the host's own code said, cleaned.
pub(crate) fn of_panic(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied();
    let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    clean(text.unwrap_or("no message"))
}

fn visible(c: char) -> Option<char> {
    match c {
        '\n' | '\r' | '\t' | '\u{2028}' | '\u{2029}' => Some(' '),
        // Marks that reorder or hide what stands beside them.
        '\u{061c}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}' => None,
        c if c.is_control() => None,
        c => Some(c),
    }
}

#[cfg(test)]
mod tests {
    use super::{MAX_BYTES, clean, clean_bytes, demangled, is_clean, short_type};

    #[test]
    fn control_characters_go_and_lines_are_joined() {
        for (text, expected) in [
            ("plain", "plain"),
            ("two\nlines\tand a tab", "two lines and a tab"),
            ("\u{1b}[31mred\u{7}\0", "[31mred"),
            ("a\u{202e}b\u{feff}c\u{85}d", "abcd"),
            ("grüße 🦀", "grüße 🦀"),
        ] {
            assert_eq!(clean(text), expected);
            assert_eq!(is_clean(text), text == expected);
        }
    }

    #[test]
    fn long_text_is_cut_and_bytes_are_read_leniently() {
        let long = "ä".repeat(MAX_BYTES);
        assert!(clean(&long).len() <= MAX_BYTES + 8);
        assert!(clean(&long).ends_with("[cut]"));
        assert!(clean_bytes(long.as_bytes()).ends_with("[cut]"));
        assert!(clean_bytes(&[0xff; MAX_BYTES]).ends_with("[cut]"));
        assert_eq!(clean_bytes(&[b'a'; MAX_BYTES]), "a".repeat(MAX_BYTES));
        assert_eq!(clean_bytes(b"a\xffb"), "a\u{fffd}b");
    }

    #[test]
    fn types_lose_their_paths() {
        for (name, expected) in [
            ("u32", "u32"),
            ("alloc::vec::Vec<alloc::string::String>", "Vec<String>"),
            ("(u8, &mut [core::option::Option<game::Door>; 3])", "(u8, &mut [Option<Door>; 3])"),
            ("<game::Door as game::Locked>::Key", "<Door as Locked>Key"),
        ] {
            assert_eq!(short_type(name), expected);
        }
        assert_eq!(short_type(std::any::type_name::<Vec<Option<String>>>()), "Vec<Option<String>>");
    }

    #[test]
    fn rust_symbols_lose_their_hash() {
        assert_eq!(demangled("_ZN7orchard5drift17h0123456789abcdefE"), "orchard::drift");
        assert_eq!(demangled("plain"), "plain");
        assert_eq!(demangled("two\nlines\u{1b}[31m"), "two lines[31m");
        let long = demangled(&"x".repeat(100_000));
        assert!(long.len() < 300 && long.ends_with("[cut]"), "{long}");
    }

    #[test]
    fn a_symbol_that_grows_without_an_end_is_cut() {
        // Each tuple holds the one before it twice.
        let mut symbol = "_RINvC1a1fTuuE".to_owned();
        for _ in 0..40 {
            let place = symbol.rfind('T').unwrap();
            let back = format!("B{}_", if place == 8 { "7".to_owned() } else { "9".to_owned() });
            symbol.push_str(&format!("T{back}{back}E"));
        }
        symbol.push('E');
        assert!(demangled(&symbol).len() < 300);
    }
}
