//! Files: what is judged before any code of a mod runs, and what the linker refuses.

use std::time::Duration;

use mod_abi::Identity;
use mod_host::{CompileCache, CompiledMod, EngineConfig, HostEngine, Limits, LoadError, Manifest, NoHostCalls};

use crate::harness::{Setup, assert_contains, module, wasm};

fn read(bytes: &[u8]) -> Result<Manifest, LoadError> {
    Manifest::read(bytes, "from_file", &Limits::default())
}

#[track_caller]
fn check(bytes: &[u8], expected: &str) {
    assert_contains(&read(bytes).unwrap_err().to_string(), expected);
}

#[test]
fn files_that_are_not_modules() {
    check(b"", "not a WebAssembly file");
    check(b"(module)", "not a WebAssembly file");
    check(b"\0asm", "not a valid WebAssembly module (was it written completely?)");
    check(b"\0asm\x02\0\0\0", "not a valid WebAssembly module");
    check(b"\0asm\x0d\0\x01\0", "cargo build --target wasm32-unknown-unknown");
    check(&wasm("(component)"), "this is a WebAssembly component, but mods are core modules");
    check(b"\0asm\x01\0\0\0", "it exports no memory (as `memory`)");
    let small = Limits { file_bytes: 100, ..Limits::default() };
    let error = Manifest::read(&module("", ""), "x", &small).unwrap_err().to_string();
    assert_contains(&error, "more than the limit of 100");
}

#[test]
fn a_truncated_file_is_always_an_error() {
    let bytes = module(
        r#"(import "env" "__double" (func (param i64) (result i64)))"#,
        r#"(data (i32.const 64) "some data") (@custom "bevy_mod" "abi: 3\nid: x\nversion: 1.0.0\n")"#,
    );
    assert!(read(&bytes).is_ok());
    for len in (0..bytes.len()).step_by(16) {
        assert!(read(bytes.get(..len).unwrap()).is_err(), "{len} of {}", bytes.len());
    }
}

#[test]
fn a_file_with_any_byte_changed_never_brings_the_host_down() {
    let limits = Limits {
        memory_bytes: 1 << 20,
        startup_time: Duration::from_millis(20),
        call_time: Duration::from_millis(20),
        ..Limits::default()
    };
    let setup = Setup { limits, ..Setup::default() };
    let bytes = module(r#"(import "env" "__double" (func (param i64) (result i64)))"#, "");
    for index in 0..bytes.len() {
        let mut changed = bytes.clone();
        if let Some(byte) = changed.get_mut(index) {
            *byte ^= 1 << (index % 8);
        }
        // Anything may come of it but a panic, a hang or a crash.
        let Ok(mut instance) = setup.load(&changed) else { continue };
        for function in ["add", "echo", "stats"] {
            let _ = instance.call::<_, i32>(function, &(1_i32, 2_i32), &mut NoHostCalls);
        }
    }
}

#[test]
fn features_that_mods_do_not_have() {
    for (what, text) in [
        ("64-bit memory", r#"(module (memory (export "memory") i64 1))"#),
        ("two memories", r#"(module (memory (export "memory") 1) (memory 1))"#),
        ("shared memory", r#"(module (memory (export "memory") 1 1 shared))"#),
        ("garbage-collected types", r#"(module (memory (export "memory") 1) (type (struct (field i32))))"#),
        ("external references", r#"(module (memory (export "memory") 1) (table 1 externref))"#),
        ("exceptions", r#"(module (memory (export "memory") 1) (tag))"#),
        ("small pages", r#"(module (memory (export "memory") 1 (pagesize 1)))"#),
    ] {
        let error = read(&wasm(text)).unwrap_err();
        assert!(matches!(error, LoadError::Invalid { .. }), "{what}: {error}");
    }
}

#[test]
fn features_that_compilers_use_compile() {
    let body = r#"(table $t 2 funcref) (elem declare func $two)
        (func $two (result i32 i32) (i32.const 1) (i32.const 2))
        (func (param i32) (result i32) (i32.extend8_s (local.get 0)))
        (func (param f32) (result i32) (i32.trunc_sat_f32_s (local.get 0)))
        (func (result v128) (f32x4.relaxed_madd (v128.const i32x4 0 0 0 0) (v128.const i32x4 0 0 0 0)
            (v128.const i32x4 0 0 0 0)))
        (func (memory.copy (i32.const 0) (i32.const 16) (i32.const 16)))
        (func (table.set $t (i32.const 0) (ref.func $two)))
        (func (result i32 i32) (return_call $two))
        (global i32 (i32.add (i32.const 1) (i32.const 2)))"#;
    Setup::default().load(&module("", body)).unwrap();
}

fn stating(text: &str) -> Vec<u8> {
    module("", &format!(r#"(@custom "bevy_mod" "{text}")"#))
}

#[test]
fn identities() {
    let manifest = read(&stating(r"abi: 3\nid: orchard\nversion: 0.2.0\nauthor: Ada\n")).unwrap();
    assert!(manifest.stated_identity);
    assert_eq!((manifest.identity.id.as_str(), manifest.identity.version.as_str()), ("orchard", "0.2.0"));

    let manifest = read(&module("", "")).unwrap();
    assert!(!manifest.stated_identity);
    assert_eq!(manifest.identity, Identity::from_file_name("from_file").unwrap());
    let error = Manifest::read(&module("", ""), "my mod", &Limits::default()).unwrap_err().to_string();
    assert_contains(&error, "its file name `my mod` cannot be its id");

    for (text, expected) in [
        (
            r"abi: 2\nfuture: yes\n",
            "built for version 2 of the mod ABI, but this game has version 3: look for a newer version of the mod",
        ),
        (
            r"abi: 4\n",
            "built for version 4 of the mod ABI, but this game has version 3: look for a newer version of the game",
        ),
        (r"abi: 3\nid: x\nversion: 1.0.0\ncodec: xml\n", "encoded as `xml`, but this game knows only `bincode`"),
        (r"abi: 3\nid: ../x\nversion: 1\n", "ASCII letters"),
        (r"abi: 3\nid: x\n", "does not state `version`"),
        (r"id: x\n", "does not state `abi`"),
        (r"\ff\fe", "not UTF-8"),
        (r"", "does not state `abi`"),
    ] {
        check(&stating(text), expected);
    }
    let section = r#"(@custom "bevy_mod" "abi: 3\nid: x\nversion: 1.0.0\n")"#;
    check(&module("", &section.repeat(2)), "states 2 identities");
}

fn with_identity(section: &[u8]) -> Vec<u8> {
    let escaped: String = section.iter().map(|byte| format!("\\{byte:02x}")).collect();
    stating(&escaped)
}

#[test]
fn hostile_identities_are_one_clear_error_each() {
    let head = "abi: 3\nid: x\nversion: 1.0.0\n";
    let with = |lines: &str| with_identity(format!("{head}{lines}").as_bytes());
    check(&with_identity(&vec![b'a'; 10 << 20]), "the identity section has 10485760 bytes, more than 65536");
    let thousand: String = (0..1000).map(|n| format!("dependency: mod_{n} ^1\n")).collect();
    check(&with(&thousand), "more than 256 dependencies and incompatible mods");
    let settings: String = (0..1000).map(|n| format!("setting: s{n} bool true -\n")).collect();
    check(&with(&settings), "more than 256 settings");
    for (lines, expected) in [
        ("dependency: ../x", "states `dependency: ../x`, but it should be 1 to 64 ASCII letters"),
        ("after: C:\\x", "ASCII letters"),
        ("dependency: \u{1b}[31mred", "ASCII letters"),
        ("dependency: a ^1\u{202e}", "without control characters"),
        ("version: 2.0.0", "states `version` twice"),
        ("optional: x", "the mod names itself as another mod"),
        ("dependency: a\nincompatible: a", "has `a` twice among the dependencies"),
        ("setting: a int 5 0..1", "a default within the range"),
        ("no colon", "line 4 of the identity section is not `key: value`"),
    ] {
        check(&with(lines), expected);
        let error = read(&with(lines)).unwrap_err().to_string();
        assert!(!error.chars().any(|c| c.is_control() || c == '\u{202e}'), "{error:?}");
    }
    // What stands in texts is cleaned.
    let manifest = read(&with("name: a\u{202e}b\u{1b}[2Jc\ndescription: \u{feff}\nunknown: \u{7}\n")).unwrap();
    assert_eq!((manifest.identity.name.as_deref(), manifest.identity.description), (Some("ab[2Jc"), None));
}

#[test]
fn versions_that_are_none_are_listed_together() {
    let section = "abi: 3\nid: x\nversion: 1\ngame: orchard new\ndependency: a ^1.2\ndependency: b\n\
        optional: c >=1, <two\nincompatible: d 1.2.3.4\n";
    let error = read(&with_identity(section.as_bytes())).unwrap_err();
    let LoadError::Versions { problems } = &error else { unreachable!("{error}") };
    let starts = [
        "`version` states `1`, but it should be three numbers with dots between, such as `1.2.0` (",
        "`game: orchard` states `new`, but it should be a version requirement, such as `^1.2` (",
        "`optional: c` states `>=1, <two`, but it should be a version requirement",
        "`incompatible: d` states `1.2.3.4`, but it should be a version requirement",
    ];
    assert_eq!(problems.len(), starts.len(), "{problems:#?}");
    for (problem, start) in problems.iter().zip(starts) {
        assert!(problem.starts_with(start), "{problem}");
    }
    let many: String = (0..200).map(|n| format!("dependency: m{n} new\n")).collect();
    check(&with_identity(format!("abi: 3\nid: x\nversion: 1.0.0\n{many}").as_bytes()), "and 136 more");
}

#[test]
fn a_later_abi_is_named_even_if_the_file_uses_later_features() {
    let text = r#"(module (memory (export "memory") i64 1) (@custom "bevy_mod" "abi: 9\n"))"#;
    check(&wasm(text), "version 9");
}

#[test]
fn exports_that_are_missing_or_wrong_are_listed_together() {
    let text = r#"(module
        (func (export "__alloc_buffer") (param i64) (result i32) (i32.const 0))
        (global (export "_initialize") i32 (i32.const 0))
        (func (export "__mod_run") (param i32) (result i64) (i64.const 0))
        (func (export "__double") (param i64) (result i64) (i64.const 0)))"#;
    let error = read(&wasm(text)).unwrap_err();
    let LoadError::Exports { problems } = &error else { unreachable!("{error}") };
    assert_eq!(
        problems.as_slice(),
        [
            "it exports no memory (as `memory`)",
            "`__alloc_buffer` has the type (i64) -> (i32), but should have (i32) -> (i32)",
            "`__free_buffer` of type (i64) -> () is missing",
            "`_initialize` should be a function of type () -> ()",
            "`__mod_run` has the type (i32) -> (i64), but should have (i64) -> (i64)",
        ]
    );
    check(&wasm(r#"(module (func (export "memory")))"#), "`memory` is not a memory");
    check(&wasm(r#"(module (memory (export "memory") 2000))"#), "starts with 131072000 bytes, more than the limit");
    let needs_alloc =
        r#"(module (memory (export "memory") 1) (func (export "__x") (param i64) (result i64) unreachable))"#;
    check(&wasm(needs_alloc), "`__alloc_buffer` of type (i32) -> (i32) is missing");
}

#[test]
fn a_mod_that_does_nothing_needs_only_a_memory() {
    let manifest = read(&wasm(r#"(module (memory (export "memory") 1))"#)).unwrap();
    assert!(manifest.exports.is_empty() && !manifest.describes && !manifest.runs_systems);
}

#[test]
fn what_crosses_is_listed() {
    let manifest = read(&module(
        r#"(import "env" "__world_get" (func (param i64) (result i64)))
        (import "env" "__b" (func (param i64) (result i64)))
        (import "env" "__a" (func (param i64) (result i64)))
        (import "env" "__a" (func (param i64) (result i64)))
        (import "env" "__wrong" (func (param i32)))
        (import "env" "__getrandom" (func (param i32 i32) (result i32)))
        (import "env" "__job_take" (func (param i64) (result i64)))
        (import "other" "__c" (func (param i64) (result i64)))"#,
        r#"(func (export "__mod_describe") (param i64) (result i64) (local.get 0))
        (func (export "__bad\1b[2Jname") (param i64) (result i64) (local.get 0))"#,
    ))
    .unwrap();
    assert_eq!(manifest.host_functions, ["a", "b", "world_get"]);
    assert_eq!(manifest.exports, ["add", "echo", "nothing", "stats"]);
    assert!(manifest.describes && !manifest.runs_systems);
}

#[test]
fn imports_that_are_missing_or_wrong_are_listed_together() {
    let imports = r#"
        (import "env" "__play_sund" (func (param i64) (result i64)))
        (import "env" "__play_sound" (func (param i64) (result i64)))
        (import "env" "__double" (func (param f64) (result f64)))
        (import "env" "__getrandom" (func (param i64) (result i64)))
        (import "env" "double" (func (param i64) (result i64)))
        (import "env" "__store" (global i32))
        (import "env" "table" (table 1 funcref))
        (import "wasi_unstable" "fd_write" (func))
        (import "env" "__\1b[31mred" (func))"#;
    let error = Setup::default().load(&module(imports, "")).unwrap_err();
    let LoadError::Imports { problems } = &error else { unreachable!("{error}") };
    assert_eq!(
        problems.as_slice(),
        [
            "`env.__play_sund` (a function (i64) -> (i64)); did you mean `__play_sound`?",
            "`env.__double` is a function (i64) -> (i64), but the mod wants a function (f64) -> (f64)",
            "`env.__getrandom` is a function (i32, i32) -> (i32), but the mod wants a function (i64) -> (i64)",
            "`env.double` (a function (i64) -> (i64))",
            "`env.__store` is a function (i64) -> (i64), but the mod wants a global",
            "`env.table` (a table)",
            "`wasi_unstable.fd_write` (a function () -> ())",
            "`env.__[31mred` (a function () -> ())",
        ]
    );
    let memory = r#"(module (import "env" "memory" (memory 1)) (export "memory" (memory 0)))"#;
    let error = Setup::default().load(&wasm(memory)).unwrap_err().to_string();
    assert_contains(&error, "`env.memory` (a memory)");
}

#[test]
fn very_many_missing_imports_are_counted() {
    let imports: String =
        (0..500).map(|n| format!(r#"(import "env" "__none_{n}" (func (param i64) (result i64)))"#)).collect();
    let error = Setup::default().load(&module(&imports, "")).unwrap_err().to_string();
    assert_contains(&error, "`env.__none_0`");
    assert_contains(&error, "and 436 more");
}

#[test]
fn an_instance_may_have_less_than_the_file_was_read_with() {
    let read_with = Setup::default();
    let bytes = module("", "");
    let compiled = read_with.compile(&bytes).unwrap();
    let mut config = mod_host::InstanceConfig::default();
    config.limits = Limits { memory_bytes: 1 << 16, ..Limits::default() };
    let error = mod_host::Instance::new(&compiled, config).unwrap_err();
    assert!(matches!(error, LoadError::Instantiate { .. }), "{error}");
}

#[test]
fn compiled_mods_are_found_again() {
    let folder = tempfile::tempdir().unwrap();
    let engine = |cache: CompileCache| {
        let mut config = EngineConfig::default();
        config.cache = cache;
        HostEngine::new(&config).unwrap()
    };
    let compile = |engine: &HostEngine, body: &str| {
        CompiledMod::new(engine, &module("", body), "cached", &Limits::default()).unwrap();
        engine.cache_hits()
    };
    let cache = CompileCache::In(folder.path().to_owned());
    assert_eq!(compile(&engine(cache.clone()), ""), 0, "nothing is there at first");
    let second = engine(cache);
    assert_eq!(compile(&second, ""), 1, "another engine finds it");
    assert_eq!(compile(&second, "(func)"), 1, "another module is not it");
    // What is damaged is compiled again.
    let mut entries = vec![folder.path().to_owned()];
    while let Some(path) = entries.pop() {
        if path.is_dir() {
            entries.extend(std::fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()));
        } else {
            std::fs::write(path, b"nonsense").unwrap();
        }
    }
    assert_eq!(compile(&engine(CompileCache::In(folder.path().to_owned())), ""), 0);
    // A folder that cannot be one means no cache.
    let file = folder.path().join("file");
    std::fs::write(&file, b"").unwrap();
    assert_eq!(compile(&engine(CompileCache::In(file.join("inside"))), ""), 0);
    assert_eq!(compile(&engine(CompileCache::Off), ""), 0);
}
