//! `check`: whether a game would load a mod, from the game's `game-api.json` alone.
//!
//! It follows how the game itself decides: `mod_host` reads the mod, compares what it imports and resolves what it is for, as in
//! the game. What the game's side does with its World (`src/bridge/bind`, `permit` and `grant`), this does with the file, in which
//! that side has written down what it would say.

mod definitions;
mod found;
mod identity;
mod imports;
mod queries;
mod schema;
mod states;
mod systems;
mod types;

use std::{
    fs, io,
    path::{Path, PathBuf},
    process::ExitCode,
};

use mod_host::{GameApi, GameApiError, LoadError};
use thiserror::Error;

use self::found::Findings;
use crate::{
    guest::{Guest, ReadError},
    terminal::{say, visible},
};

/// Says whether a game would load a built mod, and names everything that stands in its way.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The mod's file.
    file: PathBuf,
    /// What the game offers: the file that `ModSettings::api_export` has it write.
    #[arg(long, value_name = "GAME-API.JSON")]
    game: PathBuf,
}

/// Why nothing can be said.
#[derive(Debug, Error)]
pub(crate) enum CheckError {
    /// The mod cannot be read.
    #[error(transparent)]
    Mod(#[from] ReadError),
    /// What the game offers cannot be read.
    #[error(transparent)]
    Api(#[from] ApiError),
}

/// A file that is no `game-api.json`.
#[derive(Debug, Error)]
pub(crate) enum ApiError {
    /// It cannot be read.
    #[error("{} cannot be read: {source}; a game writes it when `ModSettings::api_export` says where", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It is something else.
    #[error("{}: {source}", path.display())]
    Content {
        /// Which.
        path: PathBuf,
        /// Why.
        source: GameApiError,
    },
}

/// Reads what a game offers.
pub(crate) fn read_api(path: &Path) -> Result<GameApi, ApiError> {
    let text = fs::read_to_string(path).map_err(|source| ApiError::File { path: path.to_owned(), source })?;
    GameApi::from_json(&text).map_err(|source| ApiError::Content { path: path.to_owned(), source })
}

/// Checks a mod and says what was found.
pub(crate) fn run(args: &Args) -> Result<ExitCode, CheckError> {
    let api = read_api(&args.game)?;
    let (name, findings) = match Guest::read(&args.file) {
        Ok(guest) => {
            let identity = &guest.manifest.identity;
            (format!("{} {}", identity.id, identity.version), check(&guest, &api))
        }
        Err(ReadError::Load(error)) => (args.file.display().to_string(), unreadable(&error, &api)),
        Err(error) => return Err(error.into()),
    };
    let game = api.game.as_ref().map_or_else(|| "this game".to_owned(), |game| format!("{} {}", game.id, game.api));
    let (name, game) = (visible(&name), visible(&game));
    let problems = findings.problems();
    if problems.is_empty() {
        say(&format!("{name} will load in {game}"));
    } else {
        say(&format!("{name} will not load in {game}, because of {}:", mismatches(problems.len())));
    }
    problems.iter().for_each(|problem| say(&format!("  - {}", visible(problem))));
    if !findings.notes().is_empty() {
        say("what only the running game shows:");
        findings.notes().iter().for_each(|note| say(&format!("  - {}", visible(note))));
    }
    Ok(if problems.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// What is wrong with a file that no game would load.
fn unreadable(error: &LoadError, api: &GameApi) -> Findings {
    let mut findings = Findings::default();
    match error {
        LoadError::AbiVersion { found } => findings.problem(if *found == api.abi {
            format!("it is built for version {found} of the mod ABI, as the game is, which this tool does not know: use the one of that version")
        } else {
            format!("it is built for version {found} of the mod ABI, but the game has version {}", api.abi)
        }),
        LoadError::Exports { problems } | LoadError::Versions { problems } | LoadError::Undeclared { problems } => {
            problems.iter().for_each(|problem| findings.problem(problem.clone()));
        }
        error => findings.problem(error.to_string()),
    }
    findings
}

/// Everything that stands in a mod's way.
fn check(guest: &Guest, api: &GameApi) -> Findings {
    let mut findings = Findings::default();
    identity::check(guest, api, &mut findings);
    imports::check(guest, api, &mut findings);
    match guest.describe() {
        Ok(described) => {
            let identity = &guest.manifest.identity;
            let description = &described.description;
            definitions::check(description, identity, api, &mut findings);
            systems::check(description, identity, api, &mut findings);
        }
        // What it imports that no game has, was told.
        Err(ReadError::Load(LoadError::Imports { .. })) => {
            findings.note("its systems: without what it imports it cannot even be asked for them".to_owned());
        }
        Err(error) => findings.problem(error.to_string()),
    }
    findings
}

fn mismatches(number: usize) -> String {
    if number == 1 { "1 mismatch".to_owned() } else { format!("{number} mismatches") }
}
