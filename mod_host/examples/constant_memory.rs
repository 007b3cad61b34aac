//! Calls an export a million times with an argument of 4 KiB and shows that the mod's memory does not grow:
//! `cargo run --release -p mod_host --example constant_memory -- assets/mods/orchard_wind.wasm double`.
//!
//! The export takes and returns a list of `f64`.
#![expect(clippy::print_stdout, reason = "an example speaks to whoever runs it")]

use std::{env, error::Error, time::Instant};

use mod_host::WasmPlugin;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = env::args().skip(1);
    let path = arguments.next().ok_or("the first argument should be a .wasm file")?;
    let export = arguments.next().ok_or("the second argument should be an export")?;
    let mut plugin = WasmPlugin::load(path)?;
    let function = plugin.function::<Vec<f64>, Vec<f64>>(&export)?;
    let argument = vec![1.5; 512];
    let start = Instant::now();
    for call in 1..=1_000_000 {
        plugin.call(&function, &argument)?;
        if [1, 1_000, 1_000_000].contains(&call) {
            println!("{call:>9} calls in {:.3?}: {} bytes of memory", start.elapsed(), plugin.memory_bytes());
        }
    }
    Ok(())
}
