//! Keeps the committed modules of the examples in step with their mods, whatever their language.
//!
//! The modules are committed, so that a game runs where no wasm target and no other compiler is installed. `sources.lock` beside them says
//! for each one what it was built from: a line with its name, the hash of its sources and its own hash.

use std::{collections::BTreeMap, fs, path::Path};

use crate::{
    files::{self, At, FileError, names_in},
    languages::{self, BuildError, Member, Module, rust},
    sources::{hash_bytes, hash_files},
};

const TARGET: &str = "wasm32-unknown-unknown";
const LOCK: &str = "sources.lock";

/// The games with mods of their own.
const GAMES: [Game; 2] = [
    Game { workspace: "examples/mods", modules: "assets/mods" },
    Game { workspace: "examples/swarm/mods", modules: "examples/swarm/assets/mods" },
];

/// Where a game has its mods, relative to the repository.
#[derive(Debug, Clone, Copy)]
struct Game {
    /// The cargo workspace with the sources.
    workspace: &'static str,
    /// The game's folder of mods.
    modules: &'static str,
}

/// Why a command about the mods failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ModsError {
    /// They could not be built.
    #[error(transparent)]
    Build(#[from] BuildError),
    /// What is committed is not what its sources make.
    #[error("modules are not up to date:\n{}", .0.join("\n"))]
    Stale(Vec<String>),
}

impl From<FileError> for ModsError {
    fn from(error: FileError) -> Self {
        Self::Build(error.into())
    }
}

/// A line of the lock file.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Locked {
    sources: String,
    module: String,
}

/// Builds every mod, copies the modules and writes the lock files. Returns a line for each mod.
pub(crate) fn build(root: &Path) -> Result<Vec<String>, ModsError> {
    let mut lines = Vec::new();
    for game in GAMES {
        lines.extend(game.build(root)?);
    }
    Ok(lines)
}

/// Fails when a committed module is not what its sources make. Builds nothing and needs no wasm target.
pub(crate) fn check(root: &Path) -> Result<Vec<String>, ModsError> {
    let (mut lines, mut wrong) = (Vec::new(), Vec::new());
    for game in GAMES {
        match game.check(root) {
            Ok(line) => lines.push(line),
            Err(ModsError::Stale(found)) => wrong.extend(found),
            Err(error) => return Err(error),
        }
    }
    if wrong.is_empty() { Ok(lines) } else { Err(ModsError::Stale(wrong)) }
}

impl Game {
    fn build(self, root: &Path) -> Result<Vec<String>, ModsError> {
        let workspace = root.join(self.workspace);
        let mods = languages::members(&workspace)?;
        let rust_modules = rust::build(root, &workspace, TARGET)?;
        let modules = root.join(self.modules);
        let earlier = read_lock(&modules).unwrap_or_default();
        let mut lock = BTreeMap::new();
        let mut lines = Vec::new();
        for member in &mods {
            let file = file_of(&modules, &member.name);
            let (path, shown) = (modules.join(&file), format!("{}/{file}", self.modules));
            // After cargo has run, which may have changed the workspace's Cargo.lock.
            let sources = self.hash_sources(root, member)?;
            // Builds in two places differ in bytes that nobody reads: a module stays as it is while its sources do.
            let locked = earlier.get(&member.name);
            let is_kept = locked.is_some_and(|locked| {
                locked.sources == sources && fs::read(&path).is_ok_and(|bytes| hash_bytes(&bytes) == locked.module)
            });
            let module = if is_kept { None } else { Some(languages::module(root, &workspace, &rust_modules, member)?) };
            let (line, locked) = match module {
                None => (format!("{shown} is up to date"), locked.cloned()),
                // The line of the lock stays, too, so that a check finds the module older than its sources.
                Some(Module::Skipped(tools)) => (format!("{shown} skipped: {tools} to build it"), locked.cloned()),
                Some(Module::Built(bytes)) => {
                    files::write(&path, &bytes)?;
                    let line = format!("{shown} {:.1} KiB", bytes.len() as f64 / 1024.0);
                    (line, Some(Locked { sources, module: hash_bytes(&bytes) }))
                }
            };
            lines.push(line);
            lock.extend(locked.map(|locked| (member.name.clone(), locked)));
        }
        files::write(&modules.join(LOCK), lock_text(&lock).as_bytes())?;
        Ok(lines)
    }

    fn check(self, root: &Path) -> Result<String, ModsError> {
        let Self { workspace, modules: shown } = self;
        let mods = languages::members(&root.join(workspace))?;
        let modules = root.join(shown);
        let lock = read_lock(&modules)?;
        let mut wrong = Vec::new();
        for member in &mods {
            let file = file_of(&modules, &member.name);
            let path = modules.join(&file);
            let mut rebuild = |what: &str| wrong.push(format!("- {shown}/{file} {what}; run `cargo xtask mods`"));
            match lock.get(&member.name) {
                _ if !path.is_file() => rebuild("does not exist"),
                None => rebuild(&format!("has no line in {LOCK}")),
                Some(locked) if locked.sources != self.hash_sources(root, member)? => {
                    rebuild("is older than its sources");
                }
                Some(locked) if locked.module != hash_bytes(&fs::read(&path).at(&path)?) => {
                    rebuild(&format!("is not the file that {LOCK} was written for"));
                }
                Some(_) => {}
            }
        }
        let is_mod = |name: &str| mods.iter().any(|member| member.name == name);
        for name in names_in(&modules)? {
            let folder = format!("{name}/{IN_FOLDER}");
            let (of, file) = match name.strip_suffix(".wasm") {
                Some(of) => (of, &name),
                None if modules.join(&folder).is_file() => (name.as_str(), &folder),
                None => continue,
            };
            if !is_mod(of) {
                wrong.push(format!(
                    "- {shown}/{file} has no folder in {workspace}; delete it, then run `cargo xtask mods`"
                ));
            }
        }
        for name in lock.keys().filter(|name| !is_mod(name)) {
            wrong.push(format!(
                "- {shown}/{LOCK} has a line for {name}, which has no folder in {workspace}; run `cargo xtask mods`"
            ));
        }
        if wrong.is_empty() {
            Ok(format!("{shown}: {} mods are up to date", mods.len()))
        } else {
            Err(ModsError::Stale(wrong))
        }
    }

    fn hash_sources(self, root: &Path, member: &Member) -> Result<String, FileError> {
        hash_files(root, &languages::sources(root, self.workspace, member)?)
    }
}

/// What the module of a mod is called that is a folder as a whole.
const IN_FOLDER: &str = "mod.wasm";

/// Where a mod has its module: in its folder, if it has one with assets and no file beside it.
fn file_of(modules: &Path, name: &str) -> String {
    let beside = format!("{name}.wasm");
    let is_folder = modules.join(name).is_dir() && !modules.join(&beside).is_file();
    if is_folder { format!("{name}/{IN_FOLDER}") } else { beside }
}

fn lock_text(lock: &BTreeMap<String, Locked>) -> String {
    lock.iter().map(|(name, locked)| format!("{name} {} {}\n", locked.sources, locked.module)).collect()
}

/// Lines that are none are skipped: the mods they should stand for are then reported.
fn read_lock(modules: &Path) -> Result<BTreeMap<String, Locked>, FileError> {
    let path = modules.join(LOCK);
    let text = if path.is_file() { fs::read_to_string(&path).at(&path)? } else { String::new() };
    let lines = text.lines().filter_map(|line| {
        let mut words = line.split_whitespace().map(str::to_owned);
        Some((words.next()?, Locked { sources: words.next()?, module: words.next()? }))
    });
    Ok(lines.collect())
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeMap, fs, path::Path};

    use tempfile::{TempDir, tempdir};

    use super::{GAMES, Locked, check, lock_text};
    use crate::{languages::members, sources::hash_bytes};

    fn write(root: &Path, path: &str, text: &str) {
        let path = root.join(path);
        fs::create_dir_all(path.parent().expect("it has a parent")).expect("a folder");
        fs::write(path, text).expect("a file");
    }

    /// Two mods in Rust, `one` and `two`, one in C and one in AssemblyScript, as if they had just been built.
    fn fresh() -> TempDir {
        let root = tempdir().expect("a temporary folder");
        write(root.path(), "mod_sdk/src/lib.rs", "sdk");
        for name in ["one", "two"] {
            write(root.path(), &format!("examples/mods/{name}/Cargo.toml"), &format!("[package]\nname = \"{name}\"\n"));
            write(root.path(), &format!("examples/mods/{name}/src/lib.rs"), name);
        }
        write(root.path(), "mod_sdk/c/mod_sdk.h", "header");
        write(root.path(), "examples/mods/in_c/mod.c", "in_c");
        write(root.path(), "examples/mods/script/package.json", "{}");
        write(root.path(), "examples/mods/script/assembly/index.ts", "script");
        for name in ["one", "two", "in_c", "script"] {
            write(root.path(), &format!("assets/mods/{name}.wasm"), name);
        }
        let mods = members(&root.path().join("examples/mods")).expect("they can be read");
        let lock: BTreeMap<_, _> = mods
            .iter()
            .map(|member| {
                let sources = GAMES[0].hash_sources(root.path(), member).expect("they can be read");
                (member.name.clone(), Locked { sources, module: hash_bytes(member.name.as_bytes()) })
            })
            .collect();
        write(root.path(), "assets/mods/sources.lock", &lock_text(&lock));
        root
    }

    #[track_caller]
    fn complaint(change: impl FnOnce(&Path)) -> String {
        let root = fresh();
        change(root.path());
        check(root.path()).expect_err("it should be stale").to_string()
    }

    #[test]
    fn fresh_modules_pass() {
        let root = fresh();
        assert_eq!(
            check(root.path()).expect("nothing is stale"),
            ["assets/mods: 4 mods are up to date", "examples/swarm/assets/mods: 0 mods are up to date"]
        );
        // A mod's own assets and a player's notes are no mods, and line endings do not matter.
        write(root.path(), "assets/mods/one/picture.png", "png");
        write(root.path(), "assets/mods/notes.txt", "notes");
        // Nor is what npm installs a source.
        write(root.path(), "examples/mods/script/node_modules/a/index.js", "a");
        let lock = root.path().join("assets/mods/sources.lock");
        let text = fs::read_to_string(&lock).expect("it is there").replace('\n', "\r\n");
        fs::write(&lock, text).expect("it can be written");
        assert!(check(root.path()).is_ok());
    }

    #[test]
    fn whatever_is_stale_is_named() {
        let text = complaint(|root| write(root, "examples/mods/one/src/lib.rs", "changed"));
        assert!(text.contains("one.wasm is older than its sources; run `cargo xtask mods`"), "{text}");
        assert!(!text.contains("two"), "{text}");

        for shared in ["mod_sdk/abi/src/lib.rs", "mod_sdk/Cargo.toml", "examples/mods/.cargo/config.toml"] {
            let text = complaint(|root| write(root, shared, "changed"));
            assert!(text.contains("one.wasm is older") && text.contains("two.wasm is older"), "{shared}: {text}");
            assert!(!text.contains("in_c") && !text.contains("script"), "{shared}: {text}");
        }
        for (path, file) in [
            ("mod_sdk/c/mod_sdk.h", "in_c.wasm"),
            ("examples/mods/in_c/part.h", "in_c.wasm"),
            ("examples/mods/script/assembly/index.ts", "script.wasm"),
            ("examples/mods/script/package-lock.json", "script.wasm"),
        ] {
            let text = complaint(|root| write(root, path, "changed"));
            assert_eq!(text.matches("is older than its sources").count(), 1, "{path}: {text}");
            assert!(text.contains(&format!("{file} is older")), "{path}: {text}");
        }

        let text = complaint(|root| write(root, "assets/mods/two.wasm", "other"));
        assert!(text.contains("two.wasm is not the file that sources.lock was written for"), "{text}");

        let text = complaint(|root| fs::remove_file(root.join("assets/mods/two.wasm")).expect("it is there"));
        assert!(text.contains("two.wasm does not exist; run"), "{text}");

        let text = complaint(|root| write(root, "assets/mods/three.wasm", "three"));
        assert!(text.contains("three.wasm has no folder in examples/mods; delete it"), "{text}");

        let text = complaint(|root| fs::remove_dir_all(root.join("examples/mods/two")).expect("it is there"));
        assert!(text.contains("two.wasm has no folder") && text.contains("a line for two"), "{text}");

        let text = complaint(|root| write(root, "assets/mods/sources.lock", "nonsense\n"));
        assert!(text.contains("one.wasm has no line") && text.contains("two.wasm has no line"), "{text}");
    }

    #[test]
    fn a_mod_that_is_a_folder_has_its_module_in_it() {
        let root = fresh();
        let modules = root.path().join("assets/mods");
        fs::create_dir(modules.join("two")).expect("a folder");
        assert!(check(root.path()).is_ok(), "a file beside the folder is the mod");
        fs::rename(modules.join("two.wasm"), modules.join("two/mod.wasm")).expect("it is there");
        assert!(check(root.path()).is_ok());
        write(root.path(), "assets/mods/two/mod.wasm", "other");
        let text = check(root.path()).expect_err("it is stale").to_string();
        assert!(text.contains("assets/mods/two/mod.wasm is not the file"), "{text}");

        let text = complaint(|root| write(root, "assets/mods/three/mod.wasm", "three"));
        assert!(text.contains("three/mod.wasm has no folder in examples/mods; delete it"), "{text}");
    }

    #[test]
    fn every_game_is_checked() {
        let text = complaint(|root| {
            write(root, "examples/swarm/mods/fish/mod.c", "fish");
            write(root, "assets/mods/two.wasm", "other");
        });
        assert!(text.contains("- examples/swarm/assets/mods/fish.wasm does not exist"), "{text}");
        assert!(text.contains("- assets/mods/two.wasm is not the file"), "{text}");
    }
}
