//! `cargo wasm-mod`: makes, builds, watches and checks mods for games that use `bevy_wasm_mods`.
//!
//! # The rooms
//!
//! One for each command: `new`, `compile` (`build`), `watch`, `inspect`, `check`, `bindings`. What they share: `package` (the
//! crate in which the command runs), `guest` (a built mod, and what it says of itself in the sandbox), `replace` (files that
//! are written whole) and `terminal` (everything that people read).
//!
//! This program must not know Bevy: what it knows of a game comes from its `game-api.json`.

mod bindings;
mod check;
mod compile;
mod guest;
mod inspect;
mod new;
mod package;
mod replace;
mod terminal;
mod watch;

use std::{error::Error, ffi::OsString, process::ExitCode};

use clap::{Parser, Subcommand};

/// Makes, builds, watches and checks mods for games that use bevy_wasm_mods.
#[derive(Debug, Parser)]
#[command(name = "cargo-wasm-mod", bin_name = "cargo wasm-mod", version, subcommand_required = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    New(new::Args),
    Build(compile::Args),
    Watch(watch::Args),
    Inspect(inspect::Args),
    Check(check::Args),
    Bindings(bindings::Args),
}

/// What a command comes to: a code for the shell, or an error that says what to do.
type Outcome = Result<ExitCode, Box<dyn Error>>;

fn main() -> ExitCode {
    let cli = Cli::parse_from(arguments(std::env::args_os()));
    let outcome: Outcome = match cli.command {
        Command::New(args) => new::run(&args).map_err(Into::into),
        Command::Build(args) => compile::run(&args).map_err(Into::into),
        Command::Watch(args) => watch::run(&args).map_err(Into::into),
        Command::Inspect(args) => inspect::run(&args).map_err(Into::into),
        Command::Check(args) => check::run(&args).map_err(Into::into),
        Command::Bindings(args) => bindings::run(&args).map_err(Into::into),
    };
    outcome.unwrap_or_else(|error| {
        terminal::error(&error.to_string());
        ExitCode::FAILURE
    })
}

/// The arguments without the word by which cargo names a subcommand to it.
fn arguments(all: impl IntoIterator<Item = OsString>) -> Vec<OsString> {
    let mut all: Vec<_> = all.into_iter().collect();
    if all.get(1).is_some_and(|first| first == "wasm-mod") {
        all.remove(1);
    }
    all
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;

    use clap::{CommandFactory, Parser};

    use super::{Cli, arguments};

    #[test]
    fn the_arguments_are_well_formed() {
        Cli::command().debug_assert();
    }

    #[test]
    fn cargo_names_the_subcommand_first() {
        let words = |text: &str| arguments(text.split(' ').map(OsString::from));
        assert_eq!(words("cargo-wasm-mod wasm-mod new bees"), words("cargo-wasm-mod new bees"));
        assert!(Cli::try_parse_from(words("cargo-wasm-mod wasm-mod inspect a.wasm --json")).is_ok());
        assert!(Cli::try_parse_from(words("cargo-wasm-mod wasm-mod wasm-mod inspect a.wasm")).is_err());
    }
}
