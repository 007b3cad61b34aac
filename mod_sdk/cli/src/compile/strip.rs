//! A module without its debug info. The names of functions stay, because faults say by them where they happened.

use wasmparser::{BinaryReaderError, Parser, Payload};

/// The bytes of a module's header.
const HEADER: usize = 8;

/// A copy of a module without the sections that hold DWARF.
pub(super) fn without_debug_info(bytes: &[u8]) -> Result<Vec<u8>, BinaryReaderError> {
    let mut kept = bytes.get(..HEADER).unwrap_or_default().to_vec();
    let mut end = HEADER;
    for payload in Parser::new(0).parse_all(bytes) {
        let payload = payload?;
        let is_debug_info =
            matches!(&payload, Payload::CustomSection(section) if section.name().starts_with(".debug_"));
        if let Some((_, range)) = payload.as_section() {
            // The range begins after the section's number and size.
            if !is_debug_info {
                kept.extend_from_slice(bytes.get(end..range.end).unwrap_or_default());
            }
            end = range.end;
        }
    }
    Ok(kept)
}

#[cfg(test)]
mod tests {
    use super::without_debug_info;

    fn custom(name: &str, data: &[u8]) -> Vec<u8> {
        let byte = |len: usize| u8::try_from(len).expect("it is short");
        let content = [&[byte(name.len())], name.as_bytes(), data].concat();
        [&[0, byte(content.len())], &content[..]].concat()
    }

    #[test]
    fn debug_info_goes_and_all_else_stays() {
        let module =
            wat::parse_str(r#"(module (memory (export "memory") 1) (func $f (export "f")))"#).expect("a module");
        let own = custom("bevy_mod", b"abi: 3");
        let with = [&module[..], &custom(".debug_line", b"lines"), &own, &custom(".debug_info", b"")].concat();
        assert_eq!(without_debug_info(&with).expect("a module"), [&module[..], &own].concat());
        assert_eq!(without_debug_info(&module).expect("a module"), module);
        assert!(without_debug_info(&with[..with.len() - 3]).is_err());
    }
}
