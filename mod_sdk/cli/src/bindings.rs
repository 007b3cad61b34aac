//! `bindings`: what a game offers, as Rust for its mods.

mod functions;
mod names;
pub(crate) mod parts;
mod plan;
mod render;
mod rust_type;

use std::{path::PathBuf, process::ExitCode};

use thiserror::Error;

use self::plan::Plan;
use crate::{
    check::{ApiError, read_api},
    replace::{FileError, replace},
    terminal::{count, print, say},
};

/// Makes a Rust module of what a game offers, so that no type has to be copied by hand.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// What the game offers: the file that `ModSettings::api_export` has it write.
    #[arg(value_name = "GAME-API.JSON")]
    game: PathBuf,
    /// The file that is written, such as `src/game.rs`. Else it is printed.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// Why there are no bindings.
#[derive(Debug, Error)]
pub(crate) enum BindingsError {
    /// What the game offers cannot be read.
    #[error(transparent)]
    Api(#[from] ApiError),
    /// They cannot be written.
    #[error(transparent)]
    File(#[from] FileError),
}

/// Writes the module.
pub(crate) fn run(args: &Args) -> Result<ExitCode, BindingsError> {
    let api = read_api(&args.game)?;
    let plan = Plan::new(&api);
    let functions = functions::plan(&api, &plan);
    let text = render::module(&api, &plan, &functions);
    let Some(out) = &args.out else {
        print(&text);
        return Ok(ExitCode::SUCCESS);
    };
    replace(out, text.as_bytes())?;
    let left_out = plan.left_out.len() + functions.iter().filter(|function| function.signature.is_err()).count();
    let types = count(plan.items.len(), "type");
    let functions = count(functions.iter().filter(|function| function.signature.is_ok()).count(), "function");
    say(&format!("wrote {types} and {functions} to {}", out.display()));
    if left_out > 0 {
        say(&format!(
            "  comments in it say why {} left out",
            if left_out == 1 { "1 is".to_owned() } else { format!("{left_out} are") }
        ));
    }
    Ok(ExitCode::SUCCESS)
}
