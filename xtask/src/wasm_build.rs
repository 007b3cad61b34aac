//! Calls cargo for a workspace of wasm crates and finds what it built.
//!
//! Must not know what the modules are for.

use std::{
    fs, io,
    path::{Path, PathBuf},
    process::Command,
};

use crate::sources::{At, FileError, names_in};

/// A build that did not come to its end.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BuildError {
    /// The target is not installed.
    #[error("the target {target} is not installed; install it with\n\n    rustup target add {target}\n")]
    NoTarget {
        /// Which.
        target: &'static str,
    },
    /// cargo or rustc cannot be started.
    #[error("`{program}` could not be started: {source}")]
    NoProgram {
        /// Which.
        program: &'static str,
        /// Why.
        source: io::Error,
    },
    /// cargo has already said why.
    #[error("`cargo build` failed in {}", folder.display())]
    Failed {
        /// Where.
        folder: PathBuf,
    },
    /// The crate is not a `cdylib`, for example.
    #[error("the crate {name} built no {}; its Cargo.toml should state `crate-type = [\"cdylib\"]`", file.display())]
    NoModule {
        /// The crate.
        name: String,
        /// What it should have built.
        file: PathBuf,
    },
    /// A Cargo.toml without a name.
    #[error("{} should state the package's name", manifest.display())]
    NoName {
        /// Which.
        manifest: PathBuf,
    },
    /// A file could not be read or written.
    #[error(transparent)]
    File(#[from] FileError),
}

/// A crate of a workspace.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Member {
    /// Its folder's name.
    pub(crate) folder: String,
    /// The name of its module: the package's name with underscores.
    pub(crate) name: String,
}

/// The crates of a workspace: its folders with a Cargo.toml, sorted.
pub(crate) fn members(workspace: &Path) -> Result<Vec<Member>, BuildError> {
    let mut members = Vec::new();
    for folder in names_in(workspace)? {
        let manifest = workspace.join(&folder).join("Cargo.toml");
        if manifest.is_file() {
            let text = fs::read_to_string(&manifest).at(&manifest)?;
            let name = package_name(&text).ok_or(BuildError::NoName { manifest })?;
            members.push(Member { folder, name: name.replace('-', "_") });
        }
    }
    Ok(members)
}

/// The first `name = "..."` of a manifest's `[package]` table.
fn package_name(manifest: &str) -> Option<&str> {
    let mut lines = manifest.lines().map(str::trim).skip_while(|line| *line != "[package]").skip(1);
    lines.by_ref().take_while(|line| !line.starts_with('[')).find_map(|line| {
        let (key, value) = line.split_once('=')?;
        (key.trim() == "name").then(|| value.trim().split('"').nth(1))?
    })
}

/// Whether the standard library of `target` is installed.
pub(crate) fn has_target(target: &str) -> Result<bool, BuildError> {
    let mut rustc = Command::new("rustc");
    rustc.args(["--print", "target-libdir", "--target", target]);
    let output = rustc.output().map_err(|source| BuildError::NoProgram { program: "rustc", source })?;
    let folder = String::from_utf8_lossy(&output.stdout);
    Ok(output.status.success() && Path::new(folder.trim()).is_dir())
}

/// Builds every crate of `workspace` and returns the folder with the modules.
///
/// Only the workspace's own configuration counts: cargo looks it up from the current directory, and variables of the
/// environment would replace it. Paths of the machine are cut from the modules, so that a build can be repeated
/// elsewhere.
pub(crate) fn build(root: &Path, workspace: &Path, target: &'static str) -> Result<PathBuf, BuildError> {
    if !has_target(target)? {
        return Err(BuildError::NoTarget { target });
    }
    let output = workspace.join("target");
    let mut cargo = Command::new("cargo");
    cargo.current_dir(workspace);
    cargo.args(["build", "--quiet", "--workspace", "--release", "--target", target]).arg("--target-dir").arg(&output);
    cargo.arg("--config").arg(remap_option(root, target)?);
    let per_target = format!("CARGO_TARGET_{}_RUSTFLAGS", target.to_uppercase().replace('-', "_"));
    for variable in ["RUSTFLAGS", "CARGO_ENCODED_RUSTFLAGS", "CARGO_BUILD_RUSTFLAGS", "CARGO_TARGET_DIR", &per_target] {
        cargo.env_remove(variable);
    }
    let status = cargo.status().map_err(|source| BuildError::NoProgram { program: "cargo", source })?;
    if status.success() {
        Ok(output.join(target).join("release"))
    } else {
        Err(BuildError::Failed { folder: workspace.to_owned() })
    }
}

/// The module that [`build`] left for a crate.
pub(crate) fn module(built: &Path, name: &str) -> Result<Vec<u8>, BuildError> {
    let file = built.join(name).with_extension("wasm");
    if file.is_file() {
        Ok(fs::read(&file).at(&file)?)
    } else {
        Err(BuildError::NoModule { name: name.to_owned(), file })
    }
}

/// Writes a file whole or not at all, and not at all if it is there already.
pub(crate) fn write(path: &Path, bytes: &[u8]) -> Result<(), FileError> {
    if fs::read(path).is_ok_and(|there| there == bytes) {
        return Ok(());
    }
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).at(folder)?;
    }
    let temporary = path.with_extension(format!("{}.tmp", std::process::id()));
    fs::write(&temporary, bytes).at(&temporary)?;
    fs::rename(&temporary, path).at(path)
}

/// cargo joins this list to the one in the workspace's configuration. Of several prefixes rustc takes the last.
fn remap_option(root: &Path, target: &str) -> Result<String, FileError> {
    let mut flags = vec![remap(root, "bevy_wasm_mods")];
    let home = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    if let Some(home) = home.or_else(|| std::env::home_dir().map(|home| home.join(".cargo"))) {
        flags.push(remap(&home, "cargo"));
        let registries = home.join("registry/src");
        flags.extend(names_in(&registries)?.iter().map(|name| remap(&registries.join(name), "registry")));
    }
    Ok(format!("target.{target}.rustflags=[{}]", flags.join(",")))
}

fn remap(from: &Path, to: &str) -> String {
    // A TOML string in double quotes: backslashes and quotes are escaped as in Rust.
    format!("{:?}", format!("--remap-path-prefix={}={to}", from.display()))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use tempfile::tempdir;

    use super::{Member, members, package_name, write};

    #[test]
    fn the_name_is_that_of_the_package() {
        assert_eq!(package_name("[lib]\nname = \"x\"\n\n[package]\nedition = \"2024\"\nname = \"a-b\"\n"), Some("a-b"));
        assert_eq!(package_name("[package]\nversion.workspace = true\n[lib]\nname = \"x\"\n"), None);
        assert_eq!(package_name("[workspace]\n"), None);
    }

    #[test]
    fn members_are_the_folders_with_a_manifest() {
        let root = tempdir().expect("a temporary folder");
        for (folder, manifest) in
            [("b", Some("b")), ("a-folder", Some("an-a")), ("target", None), (".cargo", Some("x"))]
        {
            fs::create_dir(root.path().join(folder)).expect("a folder");
            if let Some(name) = manifest {
                let text = format!("[package]\nname = \"{name}\"\n");
                fs::write(root.path().join(folder).join("Cargo.toml"), text).expect("a file");
            }
        }
        let member = |folder: &str, name: &str| Member { folder: folder.to_owned(), name: name.to_owned() };
        let found = members(root.path()).expect("it can be read");
        assert_eq!(found, [member("a-folder", "an_a"), member("b", "b")]);
        assert_eq!(members(&root.path().join("nowhere")).expect("an absent workspace is empty"), []);
    }

    #[test]
    fn writing_makes_folders_and_leaves_nothing_else() {
        let root = tempdir().expect("a temporary folder");
        let file = root.path().join("deep/a.wasm");
        for bytes in [b"one", b"two", b"two"] {
            write(&file, bytes).expect("it can be written");
            assert_eq!(fs::read(&file).expect("it is there"), bytes);
        }
        assert_eq!(fs::read_dir(root.path().join("deep")).expect("it is there").count(), 1);
    }
}
