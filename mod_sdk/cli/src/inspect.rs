//! `inspect`: all that can be known of a mod without a game.

mod report;
mod sections;
mod text;

use std::{path::PathBuf, process::ExitCode};

use self::report::Report;
use crate::{
    guest::{Guest, ReadError},
    terminal::{print, say, visible_json},
};

/// Shows what a built mod is, gives, needs and does.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The mod's file.
    file: PathBuf,
    /// Shows it as JSON, for other programs.
    #[arg(long)]
    json: bool,
}

/// Shows a mod.
pub(crate) fn run(args: &Args) -> Result<ExitCode, ReadError> {
    let guest = Guest::read(&args.file)?;
    let described = guest.describe();
    let report = Report::new(&guest, &described);
    if args.json {
        // Nothing of the report fails to be written.
        print(&(visible_json(&serde_json::to_string_pretty(&report).unwrap_or_default()) + "\n"));
    } else {
        text::lines(&report).iter().for_each(|line| say(line));
    }
    described.map(|_| ExitCode::SUCCESS)
}
