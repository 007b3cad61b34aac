//! The game's folder of mods, and a mod's place in it.

use std::{
    ffi::OsStr,
    fs,
    path::{Path, PathBuf},
};

use thiserror::Error;

use crate::{
    replace::{FileError, at, remove, replace},
    terminal::count,
};

/// A folder without a game.
#[derive(Debug, Error)]
pub(crate) enum GameError {
    /// Nothing there.
    #[error("there is no folder {}: `--game` should be the folder of the game, or its `assets/mods`", .0.display())]
    NoFolder(PathBuf),
    /// Something else there.
    #[error(
        "{} does not look like the folder of a game: it has neither a folder `assets` nor a Cargo.toml; make `assets` there, or \
         name the game's own folder of mods",
        .0.display()
    )]
    NoGame(PathBuf),
}

/// The folder of mods of a game, which need not exist yet. `name` is how it is called inside of the assets.
pub(crate) fn mods_folder(game: &Path, name: &str) -> Result<PathBuf, GameError> {
    if !game.is_dir() {
        return Err(GameError::NoFolder(game.to_owned()));
    }
    let full = game.canonicalize().unwrap_or_else(|_| game.to_owned());
    if full.ends_with(Path::new("assets").join(name)) {
        Ok(game.to_owned())
    } else if full.file_name() == Some(OsStr::new("assets")) {
        Ok(game.join(name))
    } else if full.join("assets").is_dir() || full.join("Cargo.toml").is_file() {
        Ok(game.join("assets").join(name))
    } else {
        Err(GameError::NoGame(game.to_owned()))
    }
}

/// Where a mod was put.
pub(super) struct Installed {
    /// Its file.
    pub(super) path: PathBuf,
    /// What else was done.
    pub(super) notes: Vec<String>,
}

/// Puts a mod into the folder of mods: as a folder with its assets if it has some, or else as one file. The other form goes, so
/// that no id is there twice.
pub(super) fn install(mods: &Path, id: &str, bytes: &[u8], assets: &Path) -> Result<Installed, FileError> {
    let (file, folder) = (mods.join(format!("{id}.wasm")), mods.join(id));
    let module = folder.join("mod.wasm");
    let mut notes = Vec::new();
    let files = if assets.is_dir() { files_in(assets)? } else { Vec::new() };
    let (path, other) = if files.is_empty() { (file, module) } else { (module, file) };
    if remove(&other)? {
        notes.push(format!("removed {}, where it was before", other.display()));
    }
    for asset in &files {
        let from = assets.join(asset);
        let bytes = fs::read(&from).map_err(at(&from, "read"))?;
        replace(&folder.join(asset), &bytes)?;
    }
    if !files.is_empty() {
        notes.push(format!("with {} of its own in {}", count(files.len(), "asset"), folder.display()));
    }
    // Last, so that a game that takes it over finds its assets.
    replace(&path, bytes)?;
    Ok(Installed { path, notes })
}

/// All files below a folder, without hidden ones, by their paths in it.
fn files_in(folder: &Path) -> Result<Vec<PathBuf>, FileError> {
    let (mut files, mut open) = (Vec::new(), vec![PathBuf::new()]);
    while let Some(inside) = open.pop() {
        let here = folder.join(&inside);
        for entry in fs::read_dir(&here).map_err(at(&here, "read"))? {
            let name = entry.map_err(at(&here, "read"))?.file_name();
            let path = inside.join(&name);
            if name.to_string_lossy().starts_with('.') {
                continue;
            }
            // Links to files are followed. Links to folders may lead in a circle.
            let is_link = folder.join(&path).is_symlink();
            match folder.join(&path).is_dir() {
                true if is_link => {}
                true => open.push(path),
                false => files.push(path),
            }
        }
    }
    files.sort();
    Ok(files)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::{install, mods_folder};

    #[test]
    fn games_are_found_by_their_folder_and_by_that_of_their_mods() {
        let root = tempfile::tempdir().expect("a folder");
        let game = root.path().join("game");
        let mods = game.join("assets/mods");
        fs::create_dir_all(&mods).expect("a folder");
        for folder in [&game, &mods, &game.join("assets")] {
            assert_eq!(mods_folder(folder, "mods").expect("a game"), mods, "{folder:?}");
        }
        assert_eq!(mods_folder(&game, "addons").expect("a game"), game.join("assets/addons"));
        let error = |folder: &str| mods_folder(&root.path().join(folder), "mods").expect_err("no game").to_string();
        assert!(error("nowhere").contains("there is no folder"), "{}", error("nowhere"));
        assert!(error("").contains("does not look like the folder of a game"), "{}", error(""));
        fs::write(root.path().join("Cargo.toml"), "").expect("a file");
        assert!(mods_folder(root.path(), "mods").is_ok());
    }

    #[test]
    fn a_mod_is_there_in_one_form() {
        let root = tempfile::tempdir().expect("a folder");
        let (mods, assets) = (root.path().join("mods"), root.path().join("assets"));
        let file = install(&mods, "bees", b"one", &assets).expect("it is written");
        assert_eq!((file.path, file.notes.len()), (mods.join("bees.wasm"), 0));
        fs::create_dir_all(assets.join("deep/.hidden")).expect("a folder");
        for name in ["leaf.png", "deep/wing.png", ".DS_Store", "deep/.hidden/no"] {
            fs::write(assets.join(name), name).expect("a file");
        }
        let folder = install(&mods, "bees", b"two", &assets).expect("it is written");
        assert_eq!(folder.path, mods.join("bees/mod.wasm"));
        assert!(!mods.join("bees.wasm").exists(), "the id would be there twice");
        assert_eq!(fs::read(mods.join("bees/deep/wing.png")).expect("it is there"), b"deep/wing.png");
        assert!(!mods.join("bees/.DS_Store").exists() && !mods.join("bees/deep/.hidden").exists());
        assert_eq!(folder.notes.len(), 2, "{:?}", folder.notes);
        fs::remove_dir_all(&assets).expect("it is there");
        install(&mods, "bees", b"three", &assets).expect("it is written");
        assert!(mods.join("bees.wasm").is_file() && !mods.join("bees/mod.wasm").exists());
        assert!(mods.join("bees/leaf.png").exists(), "what players may have put there stays");
    }
}
