//! What a file's bytes are spent on.

use std::collections::BTreeMap;

use serde::Serialize;
use wasmparser::{Parser, Payload};

/// A kind of section, or the custom sections of one name.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(super) struct Section {
    /// The specification's word, or the name of custom sections.
    pub(super) name: String,
    /// With what stands before its content.
    pub(super) bytes: usize,
    /// How many there are.
    pub(super) count: usize,
}

/// All sections, the largest first. What cannot be parsed ends the list.
pub(super) fn sections(bytes: &[u8]) -> Vec<Section> {
    let mut sizes: BTreeMap<String, (usize, usize)> = BTreeMap::new();
    let mut end = 8;
    for payload in Parser::new(0).parse_all(bytes).map_while(Result::ok) {
        let Some((_, range)) = payload.as_section() else { continue };
        let (bytes, count) = sizes.entry(name(&payload)).or_default();
        *bytes += range.end.saturating_sub(end);
        *count += 1;
        end = range.end;
    }
    let mut sections: Vec<_> = sizes.into_iter().map(|(name, (bytes, count))| Section { name, bytes, count }).collect();
    sections.sort_by_key(|section| std::cmp::Reverse(section.bytes));
    sections
}

fn name(payload: &Payload<'_>) -> String {
    match payload {
        Payload::TypeSection(_) => "types",
        Payload::ImportSection(_) => "imports",
        Payload::FunctionSection(_) => "functions",
        Payload::TableSection(_) => "tables",
        Payload::MemorySection(_) => "memories",
        Payload::TagSection(_) => "tags",
        Payload::GlobalSection(_) => "globals",
        Payload::ExportSection(_) => "exports",
        Payload::StartSection { .. } => "start",
        Payload::ElementSection(_) => "elements",
        Payload::DataCountSection { .. } => "data count",
        Payload::DataSection(_) => "data",
        Payload::CodeSectionStart { .. } => "code",
        Payload::CustomSection(section) => return format!("custom `{}`", section.name()),
        _ => "other",
    }
    .to_owned()
}

#[cfg(test)]
mod tests {
    use super::sections;

    #[test]
    fn every_byte_but_the_header_is_of_a_section() {
        let module = wat::parse_str(
            r#"(module (memory (export "memory") 1) (func $f (export "f")) (data (i32.const 0) "honey"))"#,
        );
        let module = module.expect("a module");
        let found = sections(&module);
        assert_eq!(found.iter().map(|section| section.bytes).sum::<usize>() + 8, module.len(), "{found:?}");
        assert!(found.iter().any(|section| section.name == "code"), "{found:?}");
        assert!(sections(b"\0asm").is_empty());
    }
}
