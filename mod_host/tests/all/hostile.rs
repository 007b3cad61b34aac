//! Bytes that nobody meant: whatever a file or a mod says, there is an answer or an error.

use std::{collections::BTreeMap, time::Duration};

use mod_host::{Caller, CompiledMod, Job, Limits, LoadError, Manifest, Opaque, WasmPlugin};
use proptest::prelude::*;
use serde::{Deserialize, Serialize};

use crate::harness::{Raw, codecs, module, plugin, speaking, through};

mod buffers;
mod many;
mod reentry;

/// No files beside the sources, and few cases: a run of all tests should not take minutes.
fn cases(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

fn read(bytes: &[u8]) -> Result<Manifest, LoadError> {
    Manifest::read(bytes, "from_file", &Limits::default())
}

/// Bytes as a string of the text format.
fn escaped(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("\\{byte:02x}")).collect()
}

#[derive(Serialize, Deserialize, Debug)]
enum Shape {
    Point,
    Circle(f32),
    Group { name: String, parts: Vec<Option<(u8, char)>> },
}

const TAKING: [&str; 8] = ["none", "one", "text", "shape", "map", "door", "job", "wide"];

/// A plugin with host functions that take all kinds of things.
fn taking(sections: &str) -> WasmPlugin<u32> {
    let (imports, exports) = through(&TAKING);
    let limits = Limits { call_time: Duration::from_secs(5), ..Limits::default() };
    plugin(&imports, &[&exports, sections].concat())
        .limits(limits)
        .with_context(0_u32)
        .import_function("none", || ())
        .import_function("one", |number: u64| number)
        .import_function_with_context("text", |calls: &mut u32, text: String| {
            *calls += 1;
            text
        })
        .import_function("shape", |shape: Shape, more: Vec<Shape>| (more, shape))
        .import_function("map", |map: BTreeMap<String, Vec<i64>>| map)
        .import_function_with_caller("door", |caller: &mut Caller<'_, u32>, door: Opaque<String>| {
            caller.opaque().get(door).is_ok()
        })
        .import_function("job", |number: u32| Job::ready(number))
        .import_function("wide", |a: u8, b: bool, c: char, d: f64, e: Option<u8>, f: [u16; 3]| (a, b, c, d, e, f))
        .finish()
        .unwrap()
}

/// Bytes that are half-way right: pieces that the codecs use, and anything.
fn payload() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        any::<u8>().prop_map(|byte| vec![byte]),
        any::<u64>().prop_map(|number| number.to_le_bytes().to_vec()),
        (0_u64..4).prop_map(|number| number.to_le_bytes().to_vec()),
        Just(u64::MAX.to_le_bytes().to_vec()),
        prop_oneof![
            Just("["),
            Just("]"),
            Just("{"),
            Just("}"),
            Just(","),
            Just(":"),
            Just("null"),
            Just("true"),
            Just("1"),
            Just("-2.5e3"),
            Just("\"\""),
            Just("\"name\""),
            Just("\"Circle\""),
            Just("\"\\u00e4\""),
            Just("\""),
            Just("/*"),
        ]
        .prop_map(|text| text.as_bytes().to_vec()),
    ];
    prop::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(cases(256))]

    #[test]
    fn any_bytes_are_a_module_or_an_error(bytes in prop::collection::vec(any::<u8>(), 0..512), head in any::<bool>()) {
        let bytes = if head { [b"\0asm\x01\0\0\0", bytes.as_slice()].concat() } else { bytes };
        let _ = read(&bytes);
    }

    #[test]
    fn any_sections_are_read_or_refused(
        identity in prop_oneof![
            prop::collection::vec(any::<u8>(), 0..64),
            "abi: [0-9]{1,3}\n((name|version|codec|author|x|dependency|game|after|setting): ?.{0,12}\n)?(id: [a-z_/]{1,8}\n)?(version: 1.0.0\n)?(codec: (json|bincode|x)\n)?"
                .prop_map(String::into_bytes),
        ],
        functions in prop_oneof![
            prop::collection::vec(any::<u8>(), 0..64),
            "((export|import|x) (bincode|json|y) [a-z_]{0,8} [(){}\\[\\],:;?<>|_=a-z0-9-]{0,24}\n){0,4}"
                .prop_map(String::into_bytes),
            "(export bincode [a-z]{1,4} \\((u8|\\[str\\]|\\?f32|_)\\)->(_|\\(\\)|\\{a:u8\\})\n){0,4}"
                .prop_map(String::into_bytes),
        ],
    ) {
        let sections = [
            format!(r#"(@custom "bevy_mod" "{}")"#, escaped(&identity)),
            format!(r#"(@custom "bevy_mod_functions" "{}")"#, escaped(&functions)),
        ];
        for sections in [sections.concat(), sections[1].clone()] {
            if let Err(error) = read(&module("", &sections)) {
                prop_assert!(!error.to_string().chars().any(char::is_control), "{error:?}");
            }
        }
    }
}

proptest! {
    #![proptest_config(cases(64))]

    #[test]
    fn any_payload_is_answered_or_refused(payloads in prop::collection::vec(payload(), TAKING.len())) {
        for codec in codecs() {
            let mut plugin = taking(&speaking(codec));
            for (name, payload) in TAKING.iter().zip(&payloads) {
                let function = format!("through_{name}");
                let outcome = plugin.call_function_with_argument::<_, Raw>(&function, &Raw(payload.clone()));
                if let Err(error) = outcome {
                    prop_assert!(error.to_string().contains(&format!("called `{name}`, which failed: ")), "{error}");
                    prop_assert!(!error.to_string().chars().any(char::is_control), "{error:?}");
                    plugin.restart().unwrap();
                }
                // The same bytes as a result.
                let _ = plugin.call_function_with_argument::<_, Shape>("echo", &Raw(payload.clone()));
                let _ = plugin.call_function_with_argument::<_, BTreeMap<String, u8>>("echo", &Raw(payload.clone()));
                prop_assert!(!plugin.is_poisoned());
            }
        }
    }
}

#[test]
fn types_that_contain_themselves_and_items_without_bytes_do_not_hurt() {
    #[derive(Serialize, Deserialize)]
    struct Tree(Vec<Tree>);
    let (imports, exports) = through(&["tree", "nothings"]);
    let plant = || {
        plugin(&imports, &exports)
            .limits(Limits { call_time: Duration::from_secs(5), ..Limits::default() })
            .import_function("tree", |tree: Tree| tree.0.len() as u64)
            .import_function("nothings", |nothings: Vec<()>| nothings.len() as u64)
            .finish()
            .unwrap()
    };
    let deep = 1_u64.to_le_bytes().repeat(100_000);
    let refused = |function: &str, bytes: Vec<u8>| {
        plant().call_function_with_argument::<_, u64>(function, &Raw(bytes)).unwrap_err().to_string()
    };
    crate::harness::assert_contains(&refused("through_tree", deep.clone()), "it nests too deep");
    crate::harness::assert_contains(&refused("through_nothings", vec![0xff; 8]), "values that take no bytes");
    assert!(plant().call_function_with_argument::<_, Tree>("echo", &Raw(deep)).is_err());
    let leaf = Tree(vec![Tree(Vec::new())]);
    assert_eq!(plant().call_function_with_argument::<_, u64>("through_tree", &leaf).unwrap(), 1);
}

#[test]
fn a_module_that_is_cut_into_is_loaded_or_refused() {
    let limits = Limits { startup_time: Duration::from_millis(20), ..Limits::default() };
    let engine = mod_host::HostEngine::shared().unwrap();
    let (imports, exports) = through(&TAKING);
    let bytes = module(&imports, &exports);
    for start in (0..bytes.len()).step_by(7) {
        let mut cut = bytes.clone();
        cut.drain(start..(start + 3).min(bytes.len()));
        let _ = CompiledMod::new(&engine, &cut, "cut", &limits);
    }
}
