//! Mods in C: the example of `docs/abi.md` and the header `mod_sdk/c/mod_sdk.h`, compiled by clang. Where clang or wasm-ld
//! is missing these tests say so and end; the committed mod in C runs in the plugin's tests all the same.

use std::{
    io::Write,
    path::{Path, PathBuf},
    process::Command,
    sync::{Arc, LazyLock},
    time::Duration,
};

use mod_abi::{
    Identity, Schema,
    batch::{BATCH_HEADER, BLOCK_HEADER, COLUMN_HEADER, ColumnHeader, align_up},
    codec,
    describe::{
        Definition, DefinitionKind, EventDesc, FilterDesc, ModDescription, ObserverDesc, OrderDesc, OrderTarget,
        ParamDesc, QueryDesc, ResourceDesc, SystemDesc, TermDesc, TypeDesc, TypeRole,
    },
    names::LogLevel,
};
use mod_host::{CallError, Caller, Entropy, HostCalls, Instance, Limits, ModCall, ModCallFailure, NoHostCalls};
use serde::{Deserialize, Serialize};

use crate::harness::{Host, Lines, Setup, assert_contains};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The module that clang makes of a file, whose path is relative to the repository, with the flags that its document gives.
fn compiled(file: &str, flags: &[&str]) -> Option<Vec<u8>> {
    let starts = |program: &str| Command::new(program).arg("--version").output().is_ok_and(|it| it.status.success());
    if !starts("clang") || !starts("wasm-ld") {
        let line = format!("{file}: not tested, because clang or lld is not installed\n");
        std::io::stderr().write_all(line.as_bytes()).unwrap();
        return None;
    }
    let folder = tempfile::tempdir().unwrap();
    let module = folder.path().join("mod.wasm");
    let mut clang = Command::new("clang");
    clang.args(["--target=wasm32", "-std=c11", "-O2", "-ffreestanding", "-nostdlib", "-Wl,--no-entry"]);
    clang.args(["-Wall", "-Wextra", "-Wpedantic", "-Werror"]).args(flags);
    let output = clang.arg("-o").arg(&module).arg(root().join(file)).output().unwrap();
    assert!(output.status.success(), "{file}: {}", String::from_utf8_lossy(&output.stderr));
    Some(std::fs::read(module).unwrap())
}

/// The module that clang makes of a file that includes the header.
fn compiled_with_header(file: &str) -> Option<Vec<u8>> {
    let header = format!("-I{}", root().join("mod_sdk/c").display());
    compiled(file, &["-mbulk-memory", "-Wl,--stack-first", &header])
}

/// A mod that uses everything of the header.
fn with_header(setup: &Setup) -> Option<Instance> {
    static MODULE: LazyLock<Option<Vec<u8>>> = LazyLock::new(|| compiled_with_header("mod_host/tests/all/header.c"));
    Some(setup.load(MODULE.as_deref()?).unwrap())
}

#[test]
fn the_example_of_the_document() {
    let Some(bytes) = compiled("docs/abi_example.c", &[]) else { return };
    let mut example = Setup::default().load(&bytes).unwrap();
    assert_eq!(example.manifest().identity.id, "minimal_c");
    assert_eq!(example.call::<_, u32>("add", &(40_u32, 2_u32), &mut NoHostCalls).unwrap(), 42);
    let system = |name: &str, params| SystemDesc {
        name: name.to_owned(),
        schedule: "Update".to_owned(),
        params,
        ..SystemDesc::default()
    };
    let health =
        TypeDesc { path: "Health".to_owned(), schema: Schema::parse("{value:f32}").unwrap(), role: TypeRole::Mirror };
    let query = ParamDesc::Query(QueryDesc { terms: vec![TermDesc::Write(0)], filters: vec![] });
    let expected =
        ModDescription { types: vec![health], systems: vec![system("heal", vec![query])], ..ModDescription::default() };
    assert_eq!(example.describe().unwrap(), expected);

    // The batch of the document, and what it says that the mod leaves.
    let word = |words: &[u32]| words.iter().flat_map(|word| word.to_le_bytes()).collect::<Vec<u8>>();
    let floats = |floats: [f32; 3]| floats.map(f32::to_le_bytes).concat();
    let headers = word(&[0, 1, 112, 0, 32, 0, 0, 0, 3, 1, 80, 0, 48, 12, 4, 0, 64, 0, 0, 0]);
    let batch = |rows: [f32; 3], dirty: [u8; 3]| {
        let mut bytes = [&headers[..], &floats(rows), &[0; 4], &dirty].concat();
        bytes.resize(112, 0);
        bytes
    };
    example.batch(112).unwrap().copy_from_slice(&batch([1.0, 100.0, -3.0], [0; 3]));
    assert!(example.run("heal", &mut NoHostCalls).unwrap().is_empty());
    assert_eq!(example.batch_bytes().unwrap(), batch([2.0, 100.0, -2.0], [1, 0, 1]));
}

#[test]
fn the_mod_of_the_example_game_compiles_without_a_warning() {
    let Some(bytes) = compiled_with_header("examples/mods/orchard_dance/mod.c") else { return };
    let mut dance = Setup { host_functions: &["announce"], ..Setup::default() }.load(&bytes).unwrap();
    assert_eq!(dance.manifest().identity.id, "orchard_dance");
    assert_eq!(dance.describe().unwrap().systems[0].name, "dance");
}

#[test]
fn the_examples_in_texts_compile() {
    let tutorial = include_str!("../../../docs/writing_mods.md");
    let of_tutorial = tutorial.split("```c\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    // The comment at the top, without the star in front of each line and without the compiler's command at the end.
    let header = include_str!("../../../mod_sdk/c/mod_sdk.h");
    let lines = header.lines().take_while(|line| !line.contains("clang")).skip(1);
    let of_header: Vec<&str> = lines.map(|line| line.trim_start_matches(" *")).collect();
    for (text, id) in [(of_tutorial, "drifting"), (&of_header.join("\n"), "healing")] {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("mod.c");
        std::fs::write(&file, text).unwrap();
        let Some(bytes) = compiled_with_header(&file.to_string_lossy()) else { return };
        let mut example = Setup::default().load(&bytes).unwrap();
        assert_eq!(example.manifest().identity.id, id);
        assert_eq!(example.describe().unwrap().systems.len(), 1);
    }
}

#[derive(Serialize, Deserialize, Debug, Clone, PartialEq)]
struct Everything(bool, u8, u16, u32, u64, i32, i64, f32, f64, String, Vec<f64>);

#[test]
fn the_header_reads_and_writes_every_value() {
    let Some(mut header) = with_header(&Setup::default()) else { return };
    let identity = Identity { authors: vec!["Ada".to_owned()], ..header.manifest().identity.clone() };
    assert_eq!((identity.id.as_str(), identity.version.as_str()), ("header", "1.2.3"));
    assert_eq!(header.manifest().identity, identity);
    let settings: Vec<_> = identity.settings.iter().map(ToString::to_string).collect();
    assert_eq!(settings, [r#"greeting text "Hello, you" - What the beekeeper says"#]);
    let values =
        Everything(true, 7, 65_000, 1 << 31, u64::MAX, -5, i64::MIN, 0.5, -2.25, "grüße".to_owned(), vec![1.0, 2.0]);
    // Larger values make the writer grow; everything is freed again.
    let mut echo = |values: &Everything| header.call::<_, Everything>("echo", values, &mut NoHostCalls).unwrap();
    assert_eq!(echo(&values), values);
    let large = Everything(false, 0, 0, 0, 0, 0, 0, 0.0, 0.0, "x".repeat(5_000), vec![0.5; 5_000]);
    assert_eq!(echo(&large), large);
    let memory = header.memory_bytes();
    for _ in 0..2_000 {
        assert_eq!(header.call::<_, Everything>("echo", &large, &mut NoHostCalls).unwrap(), large);
        header.call::<_, ()>("nothing", &(), &mut NoHostCalls).unwrap();
    }
    assert_eq!(header.memory_bytes(), memory);
}

#[test]
fn the_header_ends_a_call_over_bytes_that_are_not_the_value() {
    let good = codec::encode(&Everything(true, 1, 2, 3, 4, 5, 6, 7.0, 8.0, "ab".to_owned(), vec![9.0])).unwrap();
    let changed = |at: usize, byte: u8| {
        let mut bytes = good.clone();
        bytes[at] = byte;
        bytes
    };
    for (bytes, expected) in [
        ([&good[..], &[0, 0]].concat(), "2 bytes are left over after the value"),
        (good[..good.len() - 1].to_vec(), "a value needs 8 bytes, but only 7 are left"),
        (Vec::new(), "a value needs 1 bytes, but only 0 are left"),
        (changed(0, 2), "2 is not a bool"),
        // The text's length stands behind the numbers.
        (changed(1 + 1 + 2 + 4 + 8 + 4 + 8 + 4 + 8 + 7, 0xff), "a list or text is longer than the 18 bytes"),
    ] {
        let Some(mut header) = with_header(&Setup::default()) else { return };
        let error = header.call_bytes("echo", &bytes, &mut NoHostCalls).unwrap_err();
        assert!(matches!(&error, CallError::Panic { message, .. } if message.contains(expected)), "{error}");
    }
}

#[test]
fn the_header_talks_to_the_game() {
    let lines = Arc::<Lines>::default();
    // The game's random numbers take their time where nothing is optimised.
    let limits = Limits { call_time: Duration::from_secs(10), ..Limits::default() };
    let setup = Setup { lines: Arc::clone(&lines), entropy: Entropy::Seeded(7), limits, ..Setup::default() };
    let Some(mut header) = with_header(&setup) else { return };
    header.call::<_, ()>("say", &(), &mut NoHostCalls).unwrap();
    assert_eq!(lines.take(), [(LogLevel::Warn, "text -12 34 -1.25 2.00 100%".to_owned())]);

    let mut host = Host::answering(&[1]);
    assert!(header.call::<_, bool>("play", "boing", &mut host).unwrap());
    let [(_, args)] = host.asked.as_slice() else { unreachable!() };
    assert_eq!(codec::decode::<(String, f32)>(args).unwrap(), ("boing".to_owned(), 0.5));
    let error = header.call::<_, bool>("play", "boing", &mut Host::answering(b"xy")).unwrap_err();
    assert_contains(&error.to_string(), "120 is not a bool");

    let draw = |len: u32| -> Vec<u8> { with_header(&setup).unwrap().call("draw", &len, &mut NoHostCalls).unwrap() };
    assert_eq!(draw(40), draw(40));
    // More than the game gives at once.
    assert_eq!(draw((1 << 20) + 5).len(), (1 << 20) + 5);
}

/// The mod `bees`, as the header knows it.
struct Bees;

impl HostCalls for Bees {
    fn call(&mut self, _: &mut Caller<'_>, _: usize, _: &[u8], _: &mut Vec<u8>) -> Result<(), String> {
        Err("there is nothing".to_owned())
    }

    fn call_mod(&mut self, call: &ModCall<'_>, result: &mut Vec<u8>) -> Result<(), ModCallFailure> {
        assert_eq!(call.import.to_string(), "bees::honey");
        let amount: u32 = codec::decode(call.args).unwrap();
        result.extend(codec::encode(&format!("{amount} jars")).unwrap());
        Ok(())
    }
}

#[test]
fn the_header_calls_other_mods() {
    let Some(mut header) = with_header(&Setup::default()) else { return };
    let answer: (u32, String) = header.call("breakfast", &3_u32, &mut Bees).unwrap();
    assert_eq!(answer, (0, "3 jars".to_owned()));
    let answer: (u32, String) = header.call("breakfast", &3_u32, &mut NoHostCalls).unwrap();
    assert_eq!(answer, (1, "there is no mod `bees`, or it does not run".to_owned()));
    let stated = header.manifest().functions.iter().find(|function| function.mod_id.is_some());
    assert_eq!(stated.unwrap().to_string(), "import bincode bees::honey (u32)->str");
}

#[test]
fn the_header_describes() {
    let Some(mut header) = with_header(&Setup::default()) else { return };
    let ty = |path: &str, schema: &str, role| TypeDesc {
        path: path.to_owned(),
        schema: Schema::parse(schema).unwrap(),
        role,
    };
    let own = |kind| TypeRole::Definition(Definition { kind, default: None });
    let system = |name: &str, schedule: &str, params, order| SystemDesc {
        name: name.to_owned(),
        schedule: schedule.to_owned(),
        params,
        order,
        conditions: vec![],
    };
    let query = |terms, filters| ParamDesc::Query(QueryDesc { terms, filters });
    let named = |name: &str| OrderTarget::Named(name.to_owned());
    let expected = ModDescription {
        types: vec![
            ty("game::Health", "{value:f32}", TypeRole::Mirror),
            ty("Name", "str", TypeRole::Part),
            ty("Clock", "{delta:duration}", TypeRole::Mirror),
            ty("header::Healed", "{}", own(DefinitionKind::Message)),
            ty("header::Pain", "{}", own(DefinitionKind::Event)),
        ],
        systems: vec![
            system(
                "heal",
                "Update",
                vec![
                    query(
                        vec![TermDesc::Write(0), TermDesc::WriteOptional(1), TermDesc::Entity],
                        vec![FilterDesc::Without(2)],
                    ),
                    ParamDesc::Resource(ResourceDesc { ty: 2, write: true }),
                    ParamDesc::OptionalResource(ResourceDesc { ty: 2, write: false }),
                    ParamDesc::MessageWriter(3),
                    ParamDesc::Commands,
                ],
                vec![OrderDesc::After(named("wind::blow")), OrderDesc::Before(named("rain::fall"))],
            ),
            system("wrong_size", "Last", vec![query(vec![TermDesc::Read(0)], vec![])], vec![]),
        ],
        observers: vec![ObserverDesc {
            name: "on_pain".to_owned(),
            event: EventDesc::Event(4),
            params: vec![ParamDesc::Event],
        }],
        resources: vec![],
    };
    assert_eq!(header.describe().unwrap(), expected);
}

/// A batch with one block of three columns and three rows: health, optional names, entities.
fn hospital(system: u32, writable: bool) -> Vec<u8> {
    let mut block = vec![0; align_up(BLOCK_HEADER + 3 * COLUMN_HEADER).unwrap()];
    let mut part = |bytes: &[u8]| {
        let offset = u32::try_from(block.len()).unwrap();
        block.extend_from_slice(bytes);
        block.resize(align_up(block.len()).unwrap(), 0);
        offset
    };
    let names = codec::encode(&("Ada", "Bea")).unwrap();
    let dirty = |offset| if writable { offset } else { 0 };
    let health = ColumnHeader {
        data: part(&[1.0_f32, 2.0, 100.0].map(f32::to_le_bytes).concat()),
        data_len: 12,
        stride: 4,
        dirty: dirty(part(&[0; 8])),
        ..ColumnHeader::default()
    };
    let name = ColumnHeader {
        data: part(&names),
        data_len: 22,
        offsets: part(&[0_u32, 11, 11, 22].map(u32::to_le_bytes).concat()),
        dirty: dirty(part(&[0; 8])),
        present: part(&[1, 0, 1, 0, 0, 0, 0, 0]),
        ..ColumnHeader::default()
    };
    let entity = ColumnHeader { data: part(&[1; 24]), data_len: 24, stride: 8, ..ColumnHeader::default() };
    let bytes = u32::try_from(block.len()).unwrap();
    block[..BLOCK_HEADER].copy_from_slice(&[3, 3, bytes, 0].map(u32::to_le_bytes).concat());
    let headers = [health, name, entity].map(ColumnHeader::to_bytes).concat();
    block[BLOCK_HEADER..BLOCK_HEADER + headers.len()].copy_from_slice(&headers);
    let offset = u32::try_from(2 * BATCH_HEADER).unwrap();
    let header = [system, 1, offset + bytes, 0, offset, 0, 0, 0].map(u32::to_le_bytes).concat();
    [header, block].concat()
}

#[test]
fn the_header_runs_systems_over_batches() {
    let Some(mut header) = with_header(&Setup::default()) else { return };
    // Without a description before: the header makes its list of systems when it needs it.
    for _ in 0..3 {
        let batch = hospital(0, true);
        header.batch(batch.len()).unwrap().copy_from_slice(&batch);
        let commands = header.run("heal", &mut NoHostCalls).unwrap();
        let left = header.batch_bytes().unwrap().to_vec();
        let health = [2.0_f32, 2.0, 100.0].map(f32::to_le_bytes).concat();
        assert_eq!(left[32 + 112..][..12], health);
        assert_eq!(left[32 + 112 + 16..][..3], [1, 0, 0]);
        let name = ColumnHeader::from_bytes(left[32 + 48..][..32].try_into().unwrap());
        let out = header.guest_bytes(mod_abi::Buffer::new(name.out, name.out_len)).unwrap();
        assert_eq!(out, codec::encode("Ada!").unwrap());
        assert_eq!(header.guest_bytes(commands).unwrap(), [6, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    }
}

#[test]
fn the_header_ends_a_call_that_takes_a_batch_for_another() {
    for (system, writable, expected) in [
        (0, false, "column 0 may not be written"),
        (1, true, "column 0 has rows of 4 bytes, not 8"),
        (3, true, "there is no system 3"),
    ] {
        let Some(mut header) = with_header(&Setup::default()) else { return };
        let batch = hospital(system, writable);
        header.batch(batch.len()).unwrap().copy_from_slice(&batch);
        let error = header.run("heal", &mut NoHostCalls).unwrap_err();
        assert!(matches!(&error, CallError::Panic { message, .. } if message == expected), "{error}");
    }
    // Observers count on from the systems.
    let Some(mut header) = with_header(&Setup::default()) else { return };
    let batch = hospital(2, true);
    header.batch(batch.len()).unwrap().copy_from_slice(&batch);
    header.run("on_pain", &mut NoHostCalls).unwrap();
    assert_eq!(header.batch_bytes().unwrap()[32 + 112 + 16], 1);
}
