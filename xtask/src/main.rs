//! The repository's own commands: `cargo xtask`.
//!
//! This file only reads the command line. [`mods`] keeps the committed modules of the examples in step with their mods, [`guests`]
//! builds the modules that the tests load, [`languages`] calls the compilers for both and [`sources`] tells whether a committed
//! module is older than its sources. [`hostile`] tries to bring the host down, [`mod@bench`] measures, [`trace`] draws what a
//! profiler has seen, and [`window`] plays the showcase in a real window.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command talks to the terminal")]

mod bench;
mod files;
mod guests;
mod hostile;
mod languages;
mod mods;
mod sources;
mod trace;
mod window;

use std::{env, fmt::Display, path::Path, process::ExitCode};

const HELP: &str = "\
cargo xtask mods           build examples/mods into assets/mods, and examples/swarm/mods into examples/swarm/assets/mods
cargo xtask mods --check   fail if a file there is older than its sources (builds nothing)
cargo xtask guests         build tests/guests into target/guests/<target>
cargo xtask hostile        try to bring the host down, for a minute; with `--minutes <number>` for longer. A seed is
                           printed, and `--seed <number>` repeats it. `--help` shows the other options
cargo xtask soak           play a game with 50 mods of mixed manners for 200,000 frames, or `--frames <number>`
cargo xtask bench          measure, and make docs/benchmarks.md and target/bench.json of it; `--peers` measures
                           other projects, too; `--quick` takes fewer rounds; `bench <name> ...` runs only those
cargo xtask trace <file>   draw a Chrome trace of a game into docs/trace.svg: how mods were loaded, and a frame
cargo xtask window         play examples/swarm in a window that nobody sees, and work its panel of mods by key and mouse";

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let Some(root) = Path::new(env!("CARGO_MANIFEST_DIR")).parent() else {
        eprintln!("error: xtask should stand in a folder of the repository");
        return ExitCode::FAILURE;
    };
    let done = match arguments.as_slice() {
        [] | ["help" | "--help" | "-h"] => {
            println!("{HELP}");
            return ExitCode::SUCCESS;
        }
        ["mods"] => mods::build(root),
        ["mods", "--check"] => mods::check(root),
        ["guests"] => guests::build(root).map_err(mods::ModsError::from),
        ["hostile", arguments @ ..] => return tried(hostile::run(root, arguments)),
        ["bench", arguments @ ..] => return tried(bench::run(root, arguments)),
        ["trace", file] => return told(trace::draw(Path::new(file), &root.join("docs/trace.svg"))),
        ["window"] => return told(window::run(root)),
        ["soak"] => return tried(hostile::soak(root, "200000")),
        ["soak", "--frames", frames] => return tried(hostile::soak(root, frames)),
        _ => {
            eprintln!("error: there is no command `{}`\n\n{HELP}", arguments.join(" "));
            return ExitCode::FAILURE;
        }
    };
    told(done)
}

/// What a command ends with that has lines to tell.
fn told<E: Display>(outcome: Result<Vec<String>, E>) -> ExitCode {
    match outcome {
        Ok(lines) => {
            lines.iter().for_each(|line| println!("{line}"));
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// What a command that tells everything itself ends with.
fn tried<E: Display>(outcome: Result<(), E>) -> ExitCode {
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}
