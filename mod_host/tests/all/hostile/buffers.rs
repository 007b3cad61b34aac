//! Every buffer that a mod can name, in every place where it can name one: each import of the contract and of preview 1, each
//! export that answers with a buffer, and the allocator.

use std::time::Duration;

use mod_abi::{Buffer, codec::encode, names::LogLevel, state::SavedState};
use mod_host::{CallError, Instance, Limits, NoHostCalls};

use crate::harness::{Host, Lines, Setup, assert_contains, module};

/// The memory of a mod with the prelude.
const MEMORY: u32 = 2 << 16;
/// Addresses and lengths at the edges of the memory, of the address space, and of what a sum can hold.
const EDGES: [u32; 15] = [
    0,
    1,
    3,
    16,
    4096,
    MEMORY / 2 + 1,
    MEMORY - 1,
    MEMORY,
    MEMORY + 1,
    MEMORY * 2,
    1 << 20,
    0x7fff_ffff,
    0x8000_0000,
    u32::MAX - 15,
    u32::MAX,
];

/// All pairs of them, which contain 0/0, the end, one more, sums that wrap around, and lengths beyond everything.
fn buffers() -> impl Iterator<Item = Buffer> {
    EDGES.into_iter().flat_map(|ptr| EDGES.into_iter().map(move |len| Buffer::new(ptr, len)))
}

/// Whether a buffer lies in the memory. An empty one lies everywhere.
fn is_inside(buffer: Buffer) -> bool {
    buffer.is_empty() || u64::from(buffer.ptr()) + u64::from(buffer.len()) <= u64::from(MEMORY)
}

/// Functions with their parameters and, behind the colon, what they return: `i` for 32 bits, `l` for 64.
const ENV: &[(&str, &str)] = &[
    ("__entity_reserve", ":l"),
    ("__getrandom", "ii:i"),
    ("__job_cancel", "l:"),
    ("__job_state", "l:i"),
    ("__job_take", "l:l"),
    ("__log", "iii:"),
    ("__panic", "ii:"),
    ("__query_row", "il:i"),
    ("__store", "l:l"),
];
const PREVIEW1: &[(&str, &str)] = &[
    ("args_get", "ii:i"),
    ("args_sizes_get", "ii:i"),
    ("clock_res_get", "ii:i"),
    ("clock_time_get", "ili:i"),
    ("environ_get", "ii:i"),
    ("environ_sizes_get", "ii:i"),
    ("fd_advise", "illi:i"),
    ("fd_allocate", "ill:i"),
    ("fd_close", "i:i"),
    ("fd_datasync", "i:i"),
    ("fd_fdstat_get", "ii:i"),
    ("fd_fdstat_set_flags", "ii:i"),
    ("fd_fdstat_set_rights", "ill:i"),
    ("fd_filestat_get", "ii:i"),
    ("fd_filestat_set_size", "il:i"),
    ("fd_filestat_set_times", "illi:i"),
    ("fd_pread", "iiili:i"),
    ("fd_prestat_dir_name", "iii:i"),
    ("fd_prestat_get", "ii:i"),
    ("fd_pwrite", "iiili:i"),
    ("fd_read", "iiii:i"),
    ("fd_readdir", "iiili:i"),
    ("fd_renumber", "ii:i"),
    ("fd_seek", "ilii:i"),
    ("fd_sync", "i:i"),
    ("fd_tell", "ii:i"),
    ("fd_write", "iiii:i"),
    ("path_create_directory", "iii:i"),
    ("path_filestat_get", "iiiii:i"),
    ("path_filestat_set_times", "iiiilli:i"),
    ("path_link", "iiiiiii:i"),
    ("path_open", "iiiiillii:i"),
    ("path_readlink", "iiiiii:i"),
    ("path_remove_directory", "iii:i"),
    ("path_rename", "iiiiii:i"),
    ("path_symlink", "iiiii:i"),
    ("path_unlink_file", "iii:i"),
    ("poll_oneoff", "iiii:i"),
    ("proc_exit", "i:"),
    ("proc_raise", "i:i"),
    ("random_get", "ii:i"),
    ("sched_yield", ":i"),
    ("sock_accept", "iii:i"),
    ("sock_recv", "iiiiii:i"),
    ("sock_send", "iiiii:i"),
    ("sock_shutdown", "ii:i"),
];

/// A mod with an import and its calls: `go` takes the import's arguments, one behind the other in eight bytes each, and
/// answers with its result in eight bytes. `start` is called by the start function, with nothing but zeros if it is true.
fn caller_of(from: &str, name: &str, ty: &str) -> Vec<u8> {
    let (params, results) = ty.split_once(':').unwrap();
    let word = |letter: char| if letter == 'i' { " i32" } else { " i64" };
    let (mut types, mut loads) = (String::new(), String::new());
    for (n, letter) in params.chars().enumerate() {
        types += word(letter);
        loads += &format!("({}.load offset={} (local.get $at))", word(letter).trim(), n * 8);
    }
    let (result, call) = match results {
        "" => ("", format!("(call $it {loads}) (local.set $got (i64.const 0))")),
        "i" => ("(result i32)", format!("(local.set $got (i64.extend_i32_u (call $it {loads})))")),
        _ => ("(result i64)", format!("(local.set $got (call $it {loads}))")),
    };
    let import = format!(r#"(import "{from}" "{name}" (func $it (param{types}) {result}))"#);
    // The argument lies in its own memory, where no edge points to.
    let body = format!(
        r#"(func (export "__go") (param $b i64) (result i64) (local $at i32) (local $got i64)
            (local.set $at (call $ptr (local.get $b)))
            {call}
            (call $free (local.get $b))
            (local.set $at (call $alloc (i32.const 8)))
            (i64.store (local.get $at) (local.get $got))
            (call $buf (local.get $at) (i32.const 8)))"#
    );
    let identity = r#"(@custom "bevy_mod" "abi: 3\nid: tested\nversion: 1.0.0\ndependency: bees *\n")"#;
    module(&import, &[&body, identity].concat())
}

/// Calls an import through `go`. `Err` has the text of the error.
fn go(instance: &mut Instance, host: &mut Host, args: &[u64]) -> Result<u64, CallError> {
    let bytes: Vec<u8> = args.iter().flat_map(|arg| arg.to_le_bytes()).collect();
    let answer = instance.call_bytes("go", &bytes, host)?;
    Ok(u64::from_le_bytes(*answer.first_chunk().unwrap()))
}

/// One that lives: what a call has poisoned starts anew.
fn alive(instance: Instance) -> Instance {
    if instance.is_poisoned() { instance.start_anew().unwrap() } else { instance }
}

fn patient() -> Setup {
    Setup { limits: Limits { call_time: Duration::from_secs(20), ..Limits::default() }, ..Setup::default() }
}

#[test]
fn imports_with_an_address_and_a_length() {
    for (name, ty) in [("__getrandom", "ii:i"), ("__log", "iii:"), ("__panic", "ii:")] {
        let lines = std::sync::Arc::<Lines>::default();
        let setup = Setup { lines: lines.clone(), ..patient() };
        let mut instance = setup.load(&caller_of("env", name, ty)).unwrap();
        for buffer in buffers() {
            instance = alive(instance);
            let (ptr, len) = (u64::from(buffer.ptr()), u64::from(buffer.len()));
            // Where the prelude's own bytes are, random ones would be another test.
            if name == "__getrandom" && len > 16 && is_inside(buffer) {
                continue;
            }
            let args = if name == "__log" { vec![2, ptr, len] } else { vec![ptr, len] };
            let outcome = go(&mut instance, &mut Host::answering(b""), &args);
            match (name, is_inside(buffer)) {
                ("__getrandom", inside) => {
                    // Too many is told before what is outside.
                    let expected = if len > 1 << 20 { 1 } else { u64::from(!inside) * 2 };
                    assert_eq!(outcome.unwrap(), expected, "{buffer:?}");
                }
                ("__log", false) => {
                    assert_contains(&outcome.unwrap_err().to_string(), "called `__log`, which failed");
                    assert!(instance.is_poisoned() && lines.take().is_empty());
                }
                ("__log", true) => {
                    outcome.unwrap();
                    let lines = lines.take();
                    assert!(
                        matches!(lines.as_slice(), [(LogLevel::Warn, line)] if line.len() <= 64 << 10),
                        "{buffer:?}"
                    );
                }
                // A trap would follow, and it would be the one that counts.
                _ => assert_eq!(outcome.unwrap(), 0, "{buffer:?}"),
            }
        }
    }
}

#[test]
fn imports_with_a_buffer() {
    for (from, name) in [("env", "__store"), ("mod:bees", "__count")] {
        let mut instance = patient().load(&caller_of(from, name, "l:l")).unwrap();
        for buffer in buffers() {
            instance = alive(instance);
            let mut host = Host::answering(b"answer");
            let outcome = go(&mut instance, &mut host, &[buffer.to_raw()]);
            if is_inside(buffer) {
                let answer = Buffer::from_raw(outcome.unwrap());
                assert!(!answer.is_empty(), "{buffer:?}");
                assert!(host.asked.iter().all(|(_, args)| args.len() == buffer.len() as usize), "{buffer:?}");
            } else {
                assert_contains(&outcome.unwrap_err().to_string(), "its arguments cannot be read, because");
                assert!(host.asked.is_empty() && instance.is_poisoned(), "{buffer:?}");
            }
        }
    }
}

#[test]
fn every_import_with_every_edge_in_every_place() {
    let functions = ENV.iter().map(|function| ("env", function));
    let functions = functions.chain(PREVIEW1.iter().map(|function| ("wasi_snapshot_preview1", function)));
    for (from, (name, ty)) in functions {
        let (setup, _folder) = granted();
        let mut instance = setup.load(&caller_of(from, name, ty)).unwrap();
        let params = ty.split(':').next().unwrap().len();
        // All arguments at one edge, and then each argument at each edge, the others where something may be.
        let same = EDGES.iter().map(|edge| vec![*edge; params]);
        let one = (0..params).flat_map(|place| {
            EDGES.into_iter().flat_map(move |edge| {
                [[0, 64, 8], [3, 64, 8], [3, 8, 64], [4, MEMORY - 4, 8]].map(|usual| {
                    let others = (0..params).map(|n| usual[n.min(1) + n.saturating_sub(1) % 2]);
                    others.enumerate().map(|(n, other)| if n == place { edge } else { other }).collect()
                })
            })
        });
        for args in same.chain(one) {
            instance = alive(instance);
            let args: Vec<u64> = args.iter().map(|arg| u64::from(*arg)).collect();
            match go(&mut instance, &mut Host::answering(b"answer"), &args) {
                Ok(_) => assert!(!instance.is_poisoned(), "{name} {args:?}"),
                Err(error) => {
                    let text = error.to_string();
                    assert!(!text.is_empty() && !text.chars().any(char::is_control), "{name} {args:?}: {text:?}");
                }
            }
            assert_eq!(instance.memory_bytes(), MEMORY as usize, "{name} {args:?}");
        }
    }
}

/// A setup whose mod has a folder, where there are any, and what keeps it.
#[cfg(feature = "wasi")]
fn granted() -> (Setup, impl Sized) {
    let grants = mod_host::WasiGrants::default();
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("note"), "a note").unwrap();
    let guard = grants.to("tested").writable_dir(folder.path(), "/notes", 64 << 10).grant().unwrap();
    (Setup { wasi: grants, ..patient() }, (guard, folder))
}

#[cfg(not(feature = "wasi"))]
fn granted() -> (Setup, impl Sized) {
    (patient(), ())
}

#[test]
fn imports_of_the_start_function_with_every_edge() {
    for (name, ty) in
        [("__getrandom", "ii:i"), ("__log", "iii:"), ("__panic", "ii:"), ("__job_take", "l:l"), ("__store", "l:l")]
    {
        for buffer in buffers().step_by(7) {
            let (params, results) = ty.split_once(':').unwrap();
            let word = |letter: char| if letter == 'i' { "i32" } else { "i64" };
            let types: Vec<&str> = params.chars().map(word).collect();
            let args: String = match params {
                "ii" => format!("(i32.const {}) (i32.const {})", buffer.ptr() as i32, buffer.len() as i32),
                "iii" => {
                    format!("(i32.const 9) (i32.const {}) (i32.const {})", buffer.ptr() as i32, buffer.len() as i32)
                }
                _ => format!("(i64.const {})", buffer.to_raw() as i64),
            };
            let result = results.chars().map(word).next().map_or(String::new(), |ty| format!("(result {ty})"));
            let call =
                if result.is_empty() { format!("(call $it {args})") } else { format!("(drop (call $it {args}))") };
            let import = format!(r#"(import "env" "{name}" (func $it (param {}) {result}))"#, types.join(" "));
            let started = Setup::default().load(&module(&import, &format!("(func $s {call}) (start $s)")));
            let fails = match name {
                "__log" => !is_inside(buffer),
                // There is nobody to answer, and no place for an answer.
                "__store" | "__job_take" => true,
                _ => false,
            };
            assert_eq!(started.is_err(), fails, "{name} {buffer:?}: {:?}", started.err());
        }
    }
}

#[test]
fn results_that_are_anywhere() {
    let state =
        vec![SavedState { name: "it".to_owned(), schema: mod_abi::Schema::Leaf(mod_abi::Leaf::U8), bytes: vec![1] }];
    for buffer in buffers() {
        let raw = buffer.to_raw() as i64;
        let exports = ["__mod_describe", "__mod_save", "__mod_restore", "__mod_run", "__f"]
            .map(|name| format!(r#"(func (export "{name}") (param i64) (result i64) (i64.const {raw}))"#));
        let make = || patient().load(&module("", &exports.concat())).unwrap();
        // Of a description and a list, an empty buffer is none.
        assert!(make().describe().is_err() || is_inside(buffer), "{buffer:?}");
        assert!(make().save().is_err() || is_inside(buffer), "{buffer:?}");
        assert!(make().restore(&state).is_err() || buffer.is_empty(), "{buffer:?}");
        let mut instance = make();
        let answer = instance.call_bytes("f", b"some", &mut NoHostCalls);
        match (answer, buffer == Buffer::REFUSED) {
            (Ok(bytes), false) => assert!(is_inside(buffer) && bytes.len() == buffer.len() as usize, "{buffer:?}"),
            (Err(error), false) => {
                assert!(!is_inside(buffer) && matches!(error, CallError::BadBuffer { .. }), "{error}")
            }
            (answer, true) => assert!(matches!(answer, Err(CallError::Arguments { .. })), "{answer:?}"),
        }
        assert!(!instance.is_poisoned(), "its code came to its end: {buffer:?}");
        instance.batch(64).unwrap();
        let commands = instance.run("system", &mut NoHostCalls).unwrap();
        assert_eq!(instance.guest_bytes(commands).is_ok(), is_inside(buffer), "{buffer:?}");
        assert_eq!(instance.batch_bytes().unwrap().len(), 64);
    }
}

#[test]
fn allocators_that_answer_with_anything() {
    for ptr in EDGES {
        for len in [1, 64, 5_000, MEMORY] {
            let text = format!(
                r#"(module (import "env" "__store" (func $store (param i64) (result i64))) (memory (export "memory") 2)
                (func (export "__alloc_buffer") (param i32) (result i32) (i32.const {}))
                (func (export "__free_buffer") (param i64))
                (func (export "__echo") (param i64) (result i64) (local.get 0))
                (func (export "__through") (param i64) (result i64) (call $store (i64.const 0)))
                (func (export "__mod_restore") (param i64) (result i64) (i64.const 0))
                (func (export "__mod_run") (param i64) (result i64) (i64.const 0)))"#,
                ptr as i32
            );
            let make = || patient().load(&crate::harness::wasm(&text)).unwrap();
            let fits = ptr != 0 && is_inside(Buffer::new(ptr, len));
            let bytes = vec![7; len as usize];
            let echoed = make().call_bytes("echo", &bytes, &mut NoHostCalls);
            assert_eq!(echoed.is_ok(), fits, "{ptr:#x} {len}");
            assert!(echoed.is_err() || echoed.is_ok_and(|echoed| echoed == bytes));
            let answered = make().call_bytes("through", b"", &mut Host::answering(&bytes));
            assert_eq!(answered.is_ok(), fits, "{ptr:#x} {len}");
            let state = SavedState { name: "it".to_owned(), schema: mod_abi::Schema::Leaf(mod_abi::Leaf::U8), bytes };
            let size = encode(std::slice::from_ref(&state)).unwrap().len() as u32;
            let restored = make().restore(std::slice::from_ref(&state));
            let has_room = ptr != 0 && is_inside(Buffer::new(ptr, size));
            // What it returns is no answer; that it has run is what counts.
            assert_eq!(matches!(restored, Ok(())), has_room, "{ptr:#x} {len}: {restored:?}");
            let mut instance = make();
            if let Ok(batch) = instance.batch(len as usize) {
                assert_eq!(batch.len(), len as usize);
                assert!(ptr.is_multiple_of(16) && fits, "{ptr:#x} {len}");
                instance.run("system", &mut NoHostCalls).unwrap();
            }
        }
    }
}
