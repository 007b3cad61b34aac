//! The lines in which the runner asks a contender for times: one line in, one line out. How a frame runs is not known here.

use std::{
    env, fs,
    io::{self, BufRead, Write},
    path::{Path, PathBuf},
    process::ExitCode,
    time::Duration,
};

use bevy::log::tracing_subscriber::{self, filter::LevelFilter};

use crate::{
    contender::{Case, Contender},
    game::Game,
};

/// Answers the runner until it hangs up.
///
/// The one argument is a folder that has the folders of assets `with` and `without` mods. The runner may say:
///
/// - `setup <row> <n>`: a new game. The answer is `ready`, or `missing <why>`.
/// - `frames <count>`, `empty <count>`, `bare <count>`: what frames took with mods, without any, and without what runs them,
///   in nanoseconds.
/// - `checksum`: of the World after three frames.
/// - `memory`: what the process has, in KiB, virtual and resident.
///
/// With a second argument the contender asks for nothing: it says `ran` after the first frame in which a mod ran, and ends.
pub fn serve(contender: &dyn Contender) -> ExitCode {
    // What goes wrong in a mod is said on the standard error, and nothing else: nobody should be timed by its log.
    let _ = tracing_subscriber::fmt().with_max_level(LevelFilter::WARN).with_writer(io::stderr).try_init();
    let Some(folder) = env::args_os().nth(1).map(PathBuf::from) else {
        return ExitCode::FAILURE;
    };
    if env::args_os().nth(2).is_some() {
        return match Game::first_frame(contender, &folder.join("with")).and_then(|()| say("ran")) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                let _ = say(&format!("error {error}"));
                ExitCode::FAILURE
            }
        };
    }
    let mut server = Server { contender, folder, case: None, with: None, without: None, bare: None };
    for line in io::stdin().lock().lines().map_while(Result::ok) {
        let answer = server.answer(&line).unwrap_or_else(|error| format!("error {error}"));
        if say(&answer).is_err() {
            break;
        }
    }
    ExitCode::SUCCESS
}

fn say(line: &str) -> Result<(), String> {
    let mut out = io::stdout().lock();
    writeln!(out, "{line}").and_then(|()| out.flush()).map_err(|error| error.to_string())
}

struct Server<'a> {
    contender: &'a dyn Contender,
    folder: PathBuf,
    case: Option<Case>,
    with: Option<Game>,
    without: Option<Game>,
    bare: Option<Game>,
}

impl Server<'_> {
    fn answer(&mut self, line: &str) -> Result<String, String> {
        let (command, rest) = line.split_once(' ').unwrap_or((line, ""));
        match command {
            "setup" => self.set_up(rest.parse()?),
            "checksum" => Ok(self.with.as_mut().ok_or(NO_GAME)?.checksum().to_string()),
            "memory" => memory().map(|[size, resident]| format!("{size} {resident}")),
            "frames" | "empty" | "bare" => {
                let count = rest.parse().map_err(|error| format!("{rest}: {error}"))?;
                Ok(nanos(&self.game(command)?.frames(count)))
            }
            _ => Err(format!("there is no command {command}")),
        }
    }

    fn set_up(&mut self, case: Case) -> Result<String, String> {
        (self.with, self.without, self.bare) = (None, None, None);
        self.case = Some(case);
        if let Err(why) = self.contender.can(case.row) {
            return Ok(format!("missing {why}"));
        }
        self.with = Some(Game::with_mods(self.contender, case, &self.folder.join("with"))?);
        Ok("ready".to_owned())
    }

    /// The game of this name. The last two are made when they are first asked for, so that they take no memory before.
    fn game(&mut self, name: &str) -> Result<&mut Game, String> {
        let case = self.case.ok_or(NO_GAME)?;
        let assets: &Path = &self.folder.join("without");
        Ok(match name {
            "empty" => self.without.get_or_insert_with(|| Game::without_mods(self.contender, case, assets)),
            "bare" => self.bare.get_or_insert_with(|| Game::bare(case, assets)),
            _ => self.with.as_mut().ok_or(NO_GAME)?,
        })
    }
}

const NO_GAME: &str = "a game should be set up first";

fn nanos(times: &[Duration]) -> String {
    let times: Vec<String> = times.iter().map(|time| time.as_nanos().to_string()).collect();
    times.join(" ")
}

/// What this process has of memory, in KiB: addresses, and what stands behind them.
///
/// # Errors
/// Where the system does not say.
pub fn memory() -> Result<[u64; 2], String> {
    let status = fs::read_to_string("/proc/self/status").map_err(|error| format!("/proc/self/status: {error}"))?;
    let field = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name))?;
        line.split_whitespace().next()?.parse().ok()
    };
    match (field("VmSize:"), field("VmRSS:")) {
        (Some(size), Some(resident)) => Ok([size, resident]),
        _ => Err("/proc/self/status does not say".to_owned()),
    }
}
