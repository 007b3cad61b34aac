//! A generated module gets what the contract asks for: a memory, an allocator that always answers the same, custom sections.
//! Sections are lengthened in place, so that nothing in the module has to be renumbered.

use std::collections::BTreeMap;

use wasmparser::{Parser, Payload, TypeRef};

/// The place of a section in the order of the format.
const ORDER: [u8; 13] = [1, 2, 3, 4, 5, 13, 6, 7, 8, 9, 12, 10, 11];
const TYPE: u8 = 1;
const FUNCTION: u8 = 3;
const MEMORY: u8 = 5;
const EXPORT: u8 = 7;
const CODE: u8 = 10;

/// A number as the format writes it.
fn leb(mut number: u32) -> Vec<u8> {
    let mut bytes = Vec::new();
    while number >= 0x80 {
        bytes.push((number as u8 & 0x7f) | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
    bytes
}

/// A number from the front.
fn take_leb(bytes: &mut &[u8]) -> Option<u32> {
    let mut number = 0_u32;
    for shift in [0, 7, 14, 21, 28] {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        number |= u32::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

/// A name as the format writes it.
fn name(name: &str) -> Vec<u8> {
    [leb(name.len() as u32), name.as_bytes().to_vec()].concat()
}

/// A section with its number and its length.
fn section(id: u8, content: &[u8]) -> Vec<u8> {
    [&[id][..], &leb(content.len() as u32), content].concat()
}

/// Adds a custom section at the end.
pub fn custom(module: &mut Vec<u8>, title: &str, content: &[u8]) {
    module.extend(section(0, &[&name(title), content].concat()));
}

/// The sections of a module with their numbers, if it has any form.
#[must_use]
pub fn sections(module: &[u8]) -> Option<Vec<(u8, Vec<u8>)>> {
    let mut rest = module.strip_prefix(b"\0asm\x01\0\0\0")?;
    let mut sections = Vec::new();
    while let Some((id, after)) = rest.split_first() {
        rest = after;
        let len = usize::try_from(take_leb(&mut rest)?).ok()?;
        sections.push((*id, rest.get(..len)?.to_vec()));
        rest = rest.get(len..)?;
    }
    Some(sections)
}

/// A module of sections, whatever their order.
#[must_use]
pub fn module(sections: &[(u8, Vec<u8>)]) -> Vec<u8> {
    let sections = sections.iter().flat_map(|(id, content)| section(*id, content));
    b"\0asm\x01\0\0\0".iter().copied().chain(sections).collect()
}

/// Adds entries to a section that begins with their number.
fn lengthen(sections: &mut BTreeMap<usize, (u8, Vec<u8>)>, id: u8, entries: &[Vec<u8>]) -> Option<()> {
    let place = ORDER.iter().position(|other| *other == id)?;
    let (_, content) = sections.entry(place).or_insert((id, vec![0]));
    let mut rest = content.as_slice();
    let count = take_leb(&mut rest)?;
    *content = [&leb(count + entries.len() as u32)[..], rest, &entries.concat()].concat();
    Some(())
}

/// Gives a module `__alloc_buffer`, which always answers `address`, and `__free_buffer`, and a memory if it has none.
/// `None` if it is no module.
#[must_use]
pub fn allocator(bytes: &[u8], address: u32) -> Option<Vec<u8>> {
    let (mut types, mut functions, mut has_memory, mut exports) = (0, 0, false, Vec::new());
    for payload in Parser::new(0).parse_all(bytes) {
        match payload.ok()? {
            Payload::TypeSection(reader) => {
                types = reader.into_iter().map(|group| Some(group.ok()?.types().len())).sum::<Option<usize>>()?;
            }
            Payload::ImportSection(reader) => {
                for import in reader.into_imports() {
                    match import.ok()?.ty {
                        TypeRef::Func(_) | TypeRef::FuncExact(_) => functions += 1,
                        TypeRef::Memory(_) => has_memory = true,
                        _ => {}
                    }
                }
            }
            Payload::FunctionSection(reader) => functions += reader.count(),
            Payload::MemorySection(reader) => has_memory |= reader.count() > 0,
            Payload::ExportSection(reader) => {
                for export in reader {
                    exports.push(export.ok()?.name.to_owned());
                }
            }
            _ => {}
        }
    }
    let types = types as u32;
    let (customs, known): (Vec<_>, Vec<_>) = sections(bytes)?.into_iter().partition(|(id, _)| *id == 0);
    let mut sections: BTreeMap<usize, (u8, Vec<u8>)> = BTreeMap::new();
    for (id, content) in known {
        sections.insert(ORDER.iter().position(|other| *other == id)?, (id, content));
    }
    let (i32, i64) = (0x7f, 0x7e);
    lengthen(&mut sections, TYPE, &[vec![0x60, 1, i32, 1, i32], vec![0x60, 1, i64, 0]])?;
    lengthen(&mut sections, FUNCTION, &[leb(types), leb(types + 1)])?;
    let constant = {
        // The address as a signed number: five bytes hold any.
        let mut bytes = vec![0x41];
        bytes.extend((0..4).map(|n| ((address >> (7 * n)) as u8 & 0x7f) | 0x80));
        bytes.push(((address as i32) >> 28) as u8 & 0x7f);
        bytes
    };
    let body = [vec![0], constant, vec![0x0b]].concat();
    lengthen(&mut sections, CODE, &[[leb(body.len() as u32), body].concat(), vec![2, 0, 0x0b]])?;
    let mut new = Vec::new();
    for (title, function) in [("__alloc_buffer", functions), ("__free_buffer", functions + 1)] {
        if !exports.iter().any(|known| known == title) {
            new.push([name(title), vec![0], leb(function)].concat());
        }
    }
    if !exports.iter().any(|known| known == "memory") {
        new.push([name("memory"), vec![2, 0]].concat());
    }
    lengthen(&mut sections, EXPORT, &new)?;
    if !has_memory {
        lengthen(&mut sections, MEMORY, &[vec![0, 2]])?;
    }
    let sections: Vec<_> = sections.into_values().chain(customs).collect();
    Some(module(&sections))
}

#[cfg(test)]
mod tests {
    use mod_host::{Limits, Manifest};

    use super::{allocator, custom};

    #[test]
    fn a_module_gets_what_it_lacks_and_is_one_still() {
        for text in [
            "(module)",
            r#"(module (import "env" "__log" (func (param i32 i32 i32)))
                (func (export "__double") (param i64) (result i64) (local.get 0)) (memory 1) (data (i32.const 0) "x"))"#,
            r#"(module (memory (export "memory") 1) (func $f (param i32) (result i32) (i32.const 7))
                (export "__alloc_buffer" (func $f)) (start $s) (func $s))"#,
        ] {
            for address in [0, 16, 0x7fff_fff0, 0xffff_fff0] {
                let mut grafted = allocator(&wat::parse_str(text).expect("a module"), address).expect("a module");
                custom(&mut grafted, "bevy_mod", b"abi: 3\nid: it\nversion: 1.0.0\n");
                let manifest = Manifest::read(&grafted, "it", &Limits::default()).expect("a mod");
                assert_eq!(manifest.identity.id, "it");
            }
        }
    }
}
