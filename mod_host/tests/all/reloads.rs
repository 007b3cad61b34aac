//! A new version takes over: state, losses, and versions that cannot.

use mod_abi::{Schema, codec, state::SavedState};
use mod_host::{PluginError, WasmPlugin, WasmPluginBuilder};

use crate::harness::{assert_contains, import, module, plugin};

/// A mod that saves `saved`, and keeps what it is given instead. `get` answers with what it keeps.
fn keeper(schema: &str, value: &[u8]) -> String {
    let state = SavedState { name: "Visits".to_owned(), schema: Schema::parse(schema).unwrap(), bytes: value.to_vec() };
    let bytes = codec::encode(&[state].as_slice()).unwrap();
    let escaped: String = bytes.iter().map(|byte| format!("\\{byte:02x}")).collect();
    let len = bytes.len();
    format!(
        r#"(data (i32.const 1024) "{escaped}") (global $kept (mut i32) (i32.const {len}))
        (func $saved (param i64) (result i64) (local $at i32)
            (local.set $at (call $alloc (global.get $kept)))
            (memory.copy (local.get $at) (i32.const 1024) (global.get $kept))
            (call $buf (local.get $at) (global.get $kept)))
        (export "__mod_save" (func $saved)) (export "__get" (func $saved))
        (func (export "__mod_restore") (param $b i64) (result i64)
            (memory.copy (i32.const 1024) (call $ptr (local.get $b)) (call $len (local.get $b)))
            (global.set $kept (call $len (local.get $b)))
            (call $free (local.get $b)) (i64.const 0))"#
    )
}

fn kept<C: 'static>(plugin: &mut WasmPlugin<C>) -> Vec<u8> {
    let states: Vec<SavedState> = plugin.call_function("get").unwrap();
    states.into_iter().next().unwrap().bytes
}

#[test]
fn state_and_context_are_carried_over() {
    let bytes = |schema, value: &[u8]| module("", &keeper(schema, value));
    let mut plugin = plugin("", &keeper("{count:u32}", &[7, 0, 0, 0])).with_context("kept").finish().unwrap();
    assert_eq!(plugin.reload(&bytes("{count:u32}", &[0; 4])).unwrap(), [""; 0]);
    assert_eq!(kept(&mut plugin), [7, 0, 0, 0]);
    // A field more, which starts as the new version says.
    assert_eq!(plugin.reload(&bytes("{new:u8,count:u32}", &[9, 0, 0, 0, 0])).unwrap(), [""; 0]);
    assert_eq!(kept(&mut plugin), [9, 7, 0, 0, 0]);
    // A field less, and one of another type.
    let losses = plugin.reload(&bytes("{count:str}", &[0; 8])).unwrap();
    assert!(!losses.is_empty());
    assert_contains(&losses.join("; "), "count");
    assert_eq!(*plugin.context(), "kept");
    // A version that keeps nothing.
    plugin.reload(&module("", "")).unwrap();
    plugin.call_function::<()>("nothing").unwrap();
}

#[test]
fn a_bad_version_leaves_the_old_one_going() {
    let mut plugin = plugin("", &keeper("u32", &[7, 0, 0, 0])).import_function("here", || 1_u8).finish().unwrap();
    let failing = |name: &str| format!(r#"(func (export "{name}") (param i64) (result i64) unreachable)"#);
    for (bytes, expected) in [
        (b"nonsense".to_vec(), "not a WebAssembly file"),
        (module(&import("missing"), ""), "`env.__missing`"),
        (module("", r#"(func (export "_initialize") unreachable)"#), "failed while it started"),
        (module("", &failing("__mod_save")), "`__mod_save` failed"),
        (
            module("", &(keeper("u32", &[0; 4]).replace("__mod_restore", "__other") + &failing("__mod_restore"))),
            "`__mod_restore` failed",
        ),
    ] {
        assert_contains(&plugin.reload(&bytes).unwrap_err().to_string(), expected);
        assert!(!plugin.is_poisoned());
        assert_eq!(kept(&mut plugin), [7, 0, 0, 0]);
    }
    // Offered functions are still there for the next version.
    plugin.reload(&module(&import("here"), "")).unwrap();
}

#[test]
fn a_version_that_cannot_hand_over_is_the_one_that_failed() {
    let failing = r#"(func (export "__mod_save") (param i64) (result i64) unreachable)"#;
    let mut plugin = plugin("", failing).finish().unwrap();
    assert_contains(&plugin.reload(&module("", "")).unwrap_err().to_string(), "`__mod_save` failed");
    assert!(plugin.is_poisoned());
    // It keeps nothing, so that the next attempt does without it.
    assert_eq!(plugin.reload(&module("", "")).unwrap(), [""; 0]);
    plugin.call_function::<()>("nothing").unwrap();
}

#[test]
fn a_plugin_that_failed_starts_anew() {
    let body = keeper("u32", &[7, 0, 0, 0]) + r#"(func (export "__bad") (param i64) (result i64) unreachable)"#;
    let mut plugin = plugin("", &body).with_context(3_u8).finish().unwrap();
    plugin.call_function::<()>("bad").unwrap_err();
    assert!(plugin.is_poisoned());
    plugin.restart().unwrap();
    assert_eq!((kept(&mut plugin), *plugin.context()), (vec![7, 0, 0, 0], 3));
    plugin.call_function::<()>("bad").unwrap_err();
    plugin.reload(&module("", &keeper("u32", &[8, 0, 0, 0]))).unwrap();
    assert_eq!(kept(&mut plugin), [8, 0, 0, 0], "a poisoned plugin hands nothing over");
}

#[test]
fn files_are_read_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("keeper.wasm");
    std::fs::write(&path, module("", &keeper("u32", &[1, 0, 0, 0]))).unwrap();
    let mut plugin = WasmPluginBuilder::from_file(&path).unwrap().finish().unwrap();
    std::fs::write(&path, module("", &keeper("u32", &[2, 0, 0, 0]))).unwrap();
    plugin.reload_file(&path).unwrap();
    assert_eq!(kept(&mut plugin), [1, 0, 0, 0]);
    let error = plugin.reload_file(folder.path()).unwrap_err();
    assert!(matches!(error, PluginError::File { .. }), "{error}");
    assert_eq!(kept(&mut plugin), [1, 0, 0, 0]);
}
