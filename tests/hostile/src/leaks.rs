//! Whether memory comes back: mods that are loaded, used and dropped, some of them in the middle of a call.

use std::fs;

use mod_host::{CompiledMod, HostEngine, Instance, InstanceConfig, NoHostCalls};

use crate::{host, watch};

/// How many mods are loaded in each third.
pub const MODS: usize = 700;
/// What the process may grow by in the last third, in bytes. Each mod writes a mebibyte, so one that stays is seen, and three
/// kilobytes of each are.
const GROWTH: u64 = 2 << 20;

/// The memory of this process that is in use, in bytes. Linux tells it.
pub(crate) fn resident() -> Option<u64> {
    let pages: u64 = fs::read_to_string("/proc/self/statm").ok()?.split(' ').nth(1)?.parse().ok()?;
    Some(pages * 4096)
}

/// A mod that uses its memory, and one of three ways to end.
fn module(end: &str) -> Vec<u8> {
    let text = format!(
        r#"(module (import "env" "__work" (func $work (param i64) (result i64)))
        (memory (export "memory") 17)
        (table 100 funcref)
        (func (export "__alloc_buffer") (param i32) (result i32) (i32.const 16))
        (func (export "__free_buffer") (param i64))
        (func $use (memory.fill (i32.const 1024) (i32.const 7) (i32.const 0x100000)))
        (func (export "__mod_run") (param i64) (result i64) (call $use) (i64.const 0x1000000100))
        (func (export "__end") (param i64) (result i64) {end} (i64.const 0)))"#
    );
    wat::parse_str(text).expect("the text is right")
}

/// Loads three times so many mods, one after the other, and says if the process has grown in the last third.
///
/// # Errors
/// By how much.
///
/// # Panics
/// When a mod cannot be loaded.
pub fn look(mods: usize) -> Result<(), String> {
    let engine = HostEngine::shared().expect("this machine runs WebAssembly");
    let limits = host::limits();
    let ways = ["", "unreachable", "(loop $again (br $again))", "(drop (call $work (i64.const 0)))"].map(module);
    let mut sizes = Vec::new();
    for _ in 0..3 {
        for n in 0..mods {
            watch::step("load and drop");
            let compiled = CompiledMod::new(&engine, &ways[n % ways.len()], "leaking", &limits).expect("a mod");
            let mut config = InstanceConfig::default();
            config.limits = limits.clone();
            config.host_functions = ["work".into()].into();
            let mut instance = Instance::new(&compiled, config).expect("an instance");
            // On a busy machine each of them may take longer than its time.
            let _ = instance.batch(5_000).map(|batch| batch.fill(7));
            let _ = instance.run("use", &mut NoHostCalls);
            let _ = instance.call_bytes("end", b"", &mut NoHostCalls);
        }
        sizes.push(resident());
    }
    let [_, Some(second), Some(third)] = sizes[..] else { return Ok(()) };
    let grown = third.saturating_sub(second);
    if grown > GROWTH { Err(format!("{mods} mods left {grown} bytes behind, of {third}")) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::{look, resident};

    #[test]
    fn memory_is_measured() {
        let before = resident();
        let kept = vec![1_u8; 32 << 20];
        let after = resident();
        assert!(kept.iter().all(|byte| *byte == 1));
        if let (Some(before), Some(after)) = (before, after) {
            assert!(after > before + (16 << 20), "{before} and {after}");
        }
        look(1).expect("three mods leave less than the limit");
    }
}
