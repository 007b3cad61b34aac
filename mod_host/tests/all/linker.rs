//! Imports that a program defines on wasmtime's own linker.

use mod_host::{
    LoadError, PluginError, StoreData, WasmPluginBuilder,
    wasmtime::{self, Caller, Linker},
};

use crate::harness::{assert_contains, plugin};

const FRAME: &str = r#"(import "clock" "frame" (func $frame (result i64)))"#;
const NOW: &str = r#"(func (export "__now") (param i64) (result i64)
    (i64.store (i32.const 64) (call $frame)) (call $buf (i32.const 64) (i32.const 8)))"#;

fn clocked(
    define: impl Fn(&mut Linker<StoreData>) -> wasmtime::Result<()> + Send + Sync + 'static,
) -> WasmPluginBuilder {
    plugin(FRAME, NOW).with_linker(define)
}

fn load_error(builder: WasmPluginBuilder) -> LoadError {
    match builder.finish() {
        Err(PluginError::Load(error)) => error,
        other => unreachable!("{other:?}"),
    }
}

#[test]
fn a_function_is_linked_and_linked_again() {
    let mut plugin = clocked(|linker| linker.func_wrap("clock", "frame", || 60_u64).map(drop)).finish().unwrap();
    assert_eq!(plugin.call_function::<u64>("now").unwrap(), 60);
    plugin.restart().unwrap();
    assert_eq!(plugin.call_function::<u64>("now").unwrap(), 60);
}

#[test]
fn its_error_is_the_error_of_the_call() {
    let mut plugin = clocked(|linker| {
        let broken = |_: Caller<'_, StoreData>| -> wasmtime::Result<u64> { Err(wasmtime::Error::msg("no\nclock")) };
        linker.func_wrap("clock", "frame", broken).map(drop)
    })
    .finish()
    .unwrap();
    let error = plugin.call_function::<u64>("now").unwrap_err().to_string();
    assert_contains(&error, "`now` failed: no clock");
    assert!(plugin.is_poisoned());
}

#[test]
fn what_is_missing_or_of_another_type_is_told_with_the_rest() {
    let imports = format!(
        r#"{FRAME} (import "clock" "day" (func)) (import "clock" "hour" (func (param i32))) (import "env" "__no" (func))"#
    );
    let builder = plugin(&imports, "").with_linker(|linker| {
        linker.func_wrap("clock", "frame", || 1_u32)?;
        linker.func_wrap("clock", "hour", |_: u32| ()).map(drop)
    });
    let LoadError::Imports { problems } = load_error(builder) else { unreachable!() };
    assert_eq!(
        problems,
        [
            "`clock.frame` is a function () -> (i32), but the mod wants a function () -> (i64)",
            "`clock.day` (a function () -> ())",
            "`env.__no` (a function () -> ())",
        ]
    );
}

#[test]
fn a_function_is_no_memory_and_no_global() {
    for (wanted, kind) in [("(global i32)", "a global"), ("(memory 1)", "a memory"), ("(table 1 funcref)", "a table")] {
        let text = format!(
            r#"(module (import "clock" "frame" {wanted}) {})"#,
            if kind == "a memory" { r#"(export "memory" (memory 0))"# } else { r#"(memory (export "memory") 1)"# }
        );
        let builder = WasmPluginBuilder::from_bytes("wrong", crate::harness::wasm(&text))
            .with_linker(|linker| linker.func_wrap("clock", "frame", || 1_u32).map(drop));
        let LoadError::Imports { problems } = load_error(builder) else { unreachable!() };
        assert_eq!(problems, [format!("`clock.frame` is a function () -> (i32), but the mod wants {kind}")]);
    }
}

#[test]
fn a_definition_that_fails_is_a_load_error() {
    let error = load_error(clocked(|_| Err(wasmtime::Error::msg("the clock is at the repairer's"))));
    assert_eq!(error.to_string(), "the mod cannot be instantiated: the clock is at the repairer's");
    let twice = clocked(|linker| {
        linker.func_wrap("clock", "frame", || 1_u64)?;
        linker.func_wrap("clock", "frame", || 2_u64).map(drop)
    });
    assert_contains(&load_error(twice).to_string(), "defined twice");
}

#[test]
fn what_this_crate_offers_cannot_be_replaced() {
    let random = r#"(import "env" "__getrandom" (func $random (param i32 i32) (result i32)))"#;
    let draw = r#"(func (export "__draw") (param i64) (result i64)
        (i32.store (i32.const 64) (call $random (i32.const 0) (i32.const 0))) (call $buf (i32.const 64) (i32.const 4)))"#;
    let mut plugin = plugin(random, draw)
        .with_linker(|linker| linker.func_wrap("env", "__getrandom", |_: u32, _: u32| 99_u32).map(drop))
        .finish()
        .unwrap();
    assert_eq!(plugin.call_function::<u32>("draw").unwrap(), 0);
}
