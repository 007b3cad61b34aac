//! `new`: the crate of a mod, which builds at once and has a test that runs without a game.

mod manifest;
mod name;
mod sdk;
mod template;

use std::{
    env, fs, io,
    path::{Path, PathBuf},
    process::ExitCode,
};

use thiserror::Error;

use self::{
    manifest::{Facts, is_in_a_workspace},
    name::NameError,
    sdk::{Sdk, SdkError},
    template::Template,
};
use crate::{
    compile::game::{GameError, mods_folder},
    replace::{FileError, at},
    terminal::say,
};

/// Makes the crate of a new mod, which builds at once.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The mod's name, which is its id, too.
    name: String,
    /// What the mod does to begin with.
    #[arg(long, value_enum, default_value_t)]
    template: Template,
    /// The folder of the game, or its `assets/mods`: `build` will copy the mod there.
    #[arg(long, value_name = "FOLDER")]
    game: Option<PathBuf>,
    /// The folder of `bevy_mod_sdk`, or the repository that holds it as `mod_sdk`.
    #[arg(long, value_name = "FOLDER")]
    sdk: Option<PathBuf>,
}

/// Why there is no new mod.
#[derive(Debug, Error)]
pub(crate) enum NewError {
    /// Not a name for a mod.
    #[error(transparent)]
    Name(#[from] NameError),
    /// Something is there already.
    #[error("{} is there already: choose another name, or remove it first", .0.display())]
    Exists(PathBuf),
    /// The current folder cannot be asked for.
    #[error("the current folder cannot be read: {0}")]
    CurrentFolder(io::Error),
    /// No SDK.
    #[error(transparent)]
    Sdk(#[from] SdkError),
    /// No game.
    #[error(transparent)]
    Game(#[from] GameError),
    /// It cannot be written.
    #[error(transparent)]
    File(#[from] FileError),
}

/// Makes the crate in the current folder.
pub(crate) fn run(args: &Args) -> Result<ExitCode, NewError> {
    let Args { name, template, .. } = args;
    name::check(name)?;
    let here = env::current_dir().map_err(NewError::CurrentFolder)?;
    let folder = here.join(name);
    if folder.symlink_metadata().is_ok() {
        return Err(NewError::Exists(name.into()));
    }
    let sdk = Sdk::find(args.sdk.as_deref())?;
    let game = args.game.as_deref().map(|game| mods_folder(game, "mods").map(|_| game)).transpose()?;
    let game = game.map(|game| game.canonicalize().map_err(at(game, "found"))).transpose()?;
    let facts =
        Facts { name, template: *template, sdk: &sdk, game: game.as_deref(), own_workspace: is_in_a_workspace(&here) };
    for (path, text) in facts.files() {
        write(&folder.join(path), &text)?;
    }
    if let Some(lock) = sdk.lock() {
        write(&folder.join("Cargo.lock"), &lock)?;
    }
    say(&format!("made the mod {name} in {name}/ from the template `{template}`"));
    say(&format!("  cd {name}"));
    say("  cargo test                    runs its test, without a game");
    match &game {
        Some(game) => say(&format!("  cargo wasm-mod build          builds it and puts it into {}", game.display())),
        None => say("  cargo wasm-mod build --game FOLDER    builds it and puts it into that game"),
    }
    Ok(ExitCode::SUCCESS)
}

fn write(path: &Path, text: &str) -> Result<(), FileError> {
    let folder = path.parent().unwrap_or(path);
    fs::create_dir_all(folder).map_err(at(folder, "made"))?;
    fs::write(path, text).map_err(at(path, "written"))
}
