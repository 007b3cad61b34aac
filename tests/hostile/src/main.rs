//! The command line of `cargo xtask hostile`.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command talks to the terminal")]

use std::{
    env,
    process::ExitCode,
    time::{Duration, UNIX_EPOCH},
};

use hostile::{
    campaign::{self, Kind, Plan},
    seeds, soak,
};

const HELP: &str = "\
--minutes <number>   for how long, in all. A minute by default
--seed <number>      the seed of the first case of each kind. Chosen by chance by default, and printed
--cases <number>     at most so many cases of each kind
--only <kind>        one kind: smith, damaged, decoders, games, leaks
--soak <frames>      plays a game with 50 mods of mixed manners for so long, and does nothing else
--seeds              writes the seeds of the fuzzers to fuzz/seeds, and does nothing else";

fn main() -> ExitCode {
    match run(&env::args().skip(1).collect::<Vec<_>>()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error}\n\n{HELP}");
            ExitCode::FAILURE
        }
    }
}

/// Whether nothing was found.
fn run(arguments: &[String]) -> Result<bool, String> {
    let (mut minutes, mut seed, mut cases, mut kinds) = (1.0_f64, None, u64::MAX, Kind::ALL.to_vec());
    let mut arguments = arguments.iter();
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().ok_or_else(|| format!("`{argument}` should have a value"));
        fn number<T: std::str::FromStr>(text: &str) -> Result<T, String> {
            text.parse().map_err(|_| format!("`{text}` should be a number"))
        }
        match argument.as_str() {
            "--minutes" => minutes = number(value()?)?,
            "--seed" => seed = Some(number(value()?)?),
            "--cases" => cases = number(value()?)?,
            "--only" => {
                let name = value()?;
                kinds.retain(|kind| kind.name() == name);
                if kinds.is_empty() {
                    return Err(format!("there is no kind `{name}`"));
                }
            }
            "--help" => {
                println!("{HELP}");
                return Ok(true);
            }
            "--soak" => {
                let soak = soak::play(number(value()?)?);
                print!("{soak}");
                return Ok(soak.wrong.is_empty());
            }
            "--seeds" => return seeds::write().map(|()| true).map_err(|error| error.to_string()),
            _ => return Err(format!("there is no option `{argument}`")),
        }
    }
    // Numbers of this size are easy to type again.
    let seed = seed.unwrap_or_else(|| UNIX_EPOCH.elapsed().map_or(0, |since| u64::from(since.subsec_nanos())));
    let time = Duration::try_from_secs_f64(minutes * 60.0).map_err(|error| error.to_string())?;
    println!("seed {seed}");
    let mut clean = true;
    for kind in &kinds {
        let time = time / u32::try_from(kinds.len()).unwrap_or(1);
        let outcome = campaign::run(*kind, Plan { seed, time, cases });
        println!("{}: {outcome}", kind.name());
        for finding in &outcome.findings {
            println!("FOUND {finding}");
        }
        clean &= outcome.findings.is_empty();
    }
    Ok(clean)
}
