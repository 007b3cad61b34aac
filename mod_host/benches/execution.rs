//! What the ways of running a mod's code cost: `cargo bench -p mod_host --bench execution --features interpreter`.
//!
//! Says, for each engine, how long a module of usual size takes to compile, and how long a loop over 100,000 rows takes that
//! moves three `f32` by three others. The ratios within one run count, not the times. With
//! `--quick` in fewer turns.
#![expect(clippy::print_stdout, reason = "a benchmark talks to the terminal")]

use std::{
    env,
    time::{Duration, Instant},
};

use bench_report::{Point, Report, Table};
use mod_host::{CompiledMod, EngineConfig, Execution, HostEngine, Instance, InstanceConfig, Limits, NoHostCalls};

type AnyError = Box<dyn std::error::Error>;

/// Rows of a place and a speed, 24 bytes each.
const MODULE: &str = r#"(module
    (memory (export "memory") 40)
    (func (export "__alloc_buffer") (param i32) (result i32) (i32.const 8))
    (func (export "__free_buffer") (param i64))
    (func (export "__move") (param i64) (result i64) (local $at i32) (local $end i32)
        (local.set $at (i32.const 1024))
        (local.set $end (i32.add (i32.const 1024) (i32.const 2400000)))
        (loop $row
            (f32.store (local.get $at)
                (f32.add (f32.load (local.get $at)) (f32.mul (f32.load offset=12 (local.get $at)) (f32.const 0.016))))
            (f32.store offset=4 (local.get $at)
                (f32.add (f32.load offset=4 (local.get $at)) (f32.mul (f32.load offset=16 (local.get $at)) (f32.const 0.016))))
            (f32.store offset=8 (local.get $at)
                (f32.add (f32.load offset=8 (local.get $at)) (f32.mul (f32.load offset=20 (local.get $at)) (f32.const 0.016))))
            (br_if $row (i32.lt_u (local.tee $at (i32.add (local.get $at) (i32.const 24))) (local.get $end))))
        (i64.const 0)))"#;
const METHOD: &str = "`orchard_dice.wasm` is compiled, and three `f32` of each row are moved by three others, on an engine of each kind, in turns; the best of \
    each counts. What `deterministic` costs in a loop of floating-point numbers is the check of each result for NaN. Loops that are bound by calls \
    or by branches are interpreted about 100 times slower than compiled.";
/// How often each engine has its turn. The best counts: what else the machine does only makes it slower.
const TURNS: usize = 15;

struct Contender {
    name: String,
    engine: HostEngine,
    instance: Instance,
    compile: Duration,
    run: Duration,
}

fn main() -> Result<(), AnyError> {
    let module = wat::parse_str(MODULE)?;
    let large = std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/../assets/mods/orchard_dice.wasm"))?;
    let executions = [
        Execution::Native,
        Execution::NativeWithoutSignals,
        #[cfg(feature = "interpreter")]
        Execution::Interpreted,
    ];
    let mut contenders = Vec::new();
    for (execution, deterministic) in
        executions.into_iter().flat_map(|execution| [(execution, false), (execution, true)])
    {
        contenders.push(contender(execution, deterministic, &module)?);
    }
    let turns = if env::args().any(|argument| argument == "--quick") { 3 } else { TURNS };
    for _ in 0..turns {
        for contender in &mut contenders {
            let start = Instant::now();
            let compiled = CompiledMod::new(&contender.engine, &large, "dice", &limits())?;
            contender.compile = contender.compile.min(start.elapsed());
            drop(compiled);
            let start = Instant::now();
            contender.instance.call::<_, ()>("move", &(), &mut NoHostCalls)?;
            contender.run = contender.run.min(start.elapsed());
        }
    }
    println!("written to {}", report(&contenders).write()?.display());
    Ok(())
}

/// Ratios to the first one.
fn report(contenders: &[Contender]) -> Report {
    let mut report = Report::new("execution");
    let mut table = Table::new("engines", "Compiling a mod, and a loop over 100,000 rows", "engine", "to the first");
    table.method = METHOD.to_owned();
    let first = contenders.first().map(|first| (first.compile, first.run)).unwrap_or_default();
    for Contender { name, compile, run, .. } in contenders {
        let ratio = |time: &Duration, first: Duration| time.as_secs_f64() / first.as_secs_f64();
        let (compiles, runs) = (ratio(compile, first.0), ratio(run, first.1));
        println!("{name:<45} {compile:>12.1?} {compiles:>6.1}x {run:>12.1?} {runs:>6.1}x");
        table.put("compile", Point::measured(name.as_str(), compiles));
        table.put("loop", Point::measured(name.as_str(), runs));
        report.ratio(&format!("loop {name}"), runs);
    }
    report.tables.push(table);
    report
}

/// Long enough for the interpreter.
fn limits() -> Limits {
    let (call_time, call_fuel) = (Duration::from_secs(60), u64::MAX);
    Limits { call_time, call_fuel, ..Limits::default() }
}

fn contender(execution: Execution, deterministic: bool, module: &[u8]) -> Result<Contender, AnyError> {
    let mut config = EngineConfig::default();
    (config.execution, config.deterministic) = (execution, deterministic);
    let engine = HostEngine::new(&config)?;
    let compiled = CompiledMod::new(&engine, module, "mover", &limits())?;
    let mut config = InstanceConfig::default();
    config.limits = limits();
    let instance = Instance::new(&compiled, config)?;
    let name = format!("{execution:?}{}", if deterministic { ", deterministic" } else { "" });
    Ok(Contender { name, engine, instance, compile: Duration::MAX, run: Duration::MAX })
}
