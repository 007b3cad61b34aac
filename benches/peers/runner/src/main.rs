//! Measures `bevy_wasm_mods` beside its peers: `cargo run --release -p peers`, with `-- --quick` for a shorter run.
//!
//! [`build`] makes the contenders and their mods, [`peer`] talks to one contender, [`rows`] and [`processes`] say what is asked of
//! all, and [`table`] makes figures of the answers. How a contender runs a mod is not known here.
#![expect(clippy::print_stderr, reason = "it says how far it is")]

mod build;
mod peer;
mod processes;
mod rows;
mod table;

use std::process::ExitCode;

use bench_report::Report;

/// What one run does.
#[derive(Clone, Copy)]
struct Plan {
    /// How often the contenders take turns.
    rounds: usize,
    entities: &'static [usize],
    mods: &'static [usize],
    /// How often each contender is started.
    starts: usize,
    /// How many idle mods there are beside one.
    idle: usize,
}

const FULL: Plan =
    Plan { rounds: 21, entities: &[100, 1_000, 10_000, 100_000], mods: &[1, 10, 100], starts: 11, idle: 50 };

const QUICK: Plan = Plan { rounds: 3, entities: &[100, 1_000, 10_000], mods: &[1, 10], starts: 2, idle: 10 };

type Outcome<T = ()> = Result<T, Box<dyn std::error::Error>>;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Outcome {
    let plan = if std::env::args().any(|argument| argument == "--quick") { QUICK } else { FULL };
    build::contenders()?;
    let mods = build::mods()?;
    let mut report = Report::new("peers");
    rows::measure(&plan, &mods, &mut report)?;
    processes::measure(&plan, &mods, &mut report)?;
    eprintln!("written to {}", report.write()?.display());
    Ok(())
}
