//! Calls an export a million times with an argument of 4 KiB and shows that the mod's memory does not grow:
//! `cargo run --release -p mod_host --example constant_memory -- assets/mods/orchard_wind.wasm double`.
//!
//! The export takes and returns a list of `f64`.
#![expect(clippy::print_stdout, reason = "an example speaks to whoever runs it")]

use std::{env, error::Error, fs, sync::Arc, time::Instant};

use mod_abi::{codec, names::LogLevel};
use mod_host::{
    CompiledMod, EngineConfig, Entropy, HostEngine, Instance, InstanceConfig, Limits, LogSink, NoHostCalls,
};

struct Lines;

impl LogSink for Lines {
    fn log(&self, _level: LogLevel, line: &str) {
        println!("the mod says: {line}");
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = env::args().skip(1);
    let path = arguments.next().ok_or("the first argument should be a .wasm file")?;
    let export = arguments.next().ok_or("the second argument should be an export")?;
    let engine = HostEngine::new(&EngineConfig::default())?;
    let limits = Limits::default();
    let compiled = CompiledMod::new(&engine, &fs::read(path)?, "example", &limits)?;
    let config = InstanceConfig { limits, entropy: Entropy::Host, log: Arc::new(Lines), host_functions: Arc::new([]) };
    let mut instance = Instance::new(&compiled, config)?;
    let argument = codec::encode(&vec![1.5_f64; 512])?;
    let start = Instant::now();
    for call in 1..=1_000_000 {
        instance.call_bytes(&export, &argument, &mut NoHostCalls)?;
        if [1, 1_000, 1_000_000].contains(&call) {
            println!("{call:>9} calls in {:.3?}: {} bytes of memory", start.elapsed(), instance.memory_bytes());
        }
    }
    Ok(())
}
