//! The languages that mods are written in, a file for each: which sources make a module, and how to build it.
//!
//! Must not know what the modules are for.

mod assembly_script;
mod c;
pub(crate) mod rust;

use std::{
    fs, io,
    path::{Path, PathBuf},
    process::Command,
};

use crate::files::{At, FileError, names_in};

/// What tools put into a mod's folder.
const OUTPUT: [&str; 3] = ["build", "node_modules", "target"];

/// A build that did not come to its end.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BuildError {
    /// The target is not installed.
    #[error("the target {target} is not installed; install it with\n\n    rustup target add {target}\n")]
    NoTarget {
        /// Which.
        target: &'static str,
    },
    /// A compiler cannot be started.
    #[error("`{program}` could not be started: {source}")]
    NoProgram {
        /// Which.
        program: &'static str,
        /// Why.
        source: io::Error,
    },
    /// The compiler has already said why.
    #[error("`{command}` failed in {}", folder.display())]
    Failed {
        /// The command.
        command: &'static str,
        /// Where.
        folder: PathBuf,
    },
    /// The crate is not a `cdylib`, for example.
    #[error("{name} built no {}{hint}", file.display())]
    NoModule {
        /// The mod.
        name: String,
        /// What it should have built.
        file: PathBuf,
        /// What it should state, after a semicolon.
        hint: &'static str,
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

/// What a mod is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Language {
    Rust,
    C,
    AssemblyScript,
}

impl Language {
    const ALL: [Self; 3] = [Self::Rust, Self::C, Self::AssemblyScript];

    /// The file that every folder with such a mod has.
    const fn mark(self) -> &'static str {
        match self {
            Self::Rust => "Cargo.toml",
            Self::C => "mod.c",
            Self::AssemblyScript => "package.json",
        }
    }

    /// What a module is made of of the workspace that the mod's folder stands in.
    const fn workspace_sources(self) -> &'static [&'static str] {
        match self {
            Self::Rust => &rust::WORKSPACE_SOURCES,
            Self::C | Self::AssemblyScript => &[],
        }
    }

    /// What a module is made of besides the files in its workspace.
    const fn shared_sources(self) -> &'static [&'static str] {
        match self {
            Self::Rust => &rust::SHARED_SOURCES,
            Self::C => &c::SHARED_SOURCES,
            Self::AssemblyScript => &[],
        }
    }
}

/// A mod in a workspace.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Member {
    /// Its folder's name.
    pub(crate) folder: String,
    /// The name of its module: the package's or the folder's name with underscores.
    pub(crate) name: String,
    /// What it is written in.
    pub(crate) language: Language,
}

/// The mods of a workspace: its folders that have the mark of a language, sorted.
pub(crate) fn members(workspace: &Path) -> Result<Vec<Member>, BuildError> {
    let mut members = Vec::new();
    for folder in names_in(workspace)? {
        let has = |language: &Language| workspace.join(&folder).join(language.mark()).is_file();
        let Some(language) = Language::ALL.into_iter().find(has) else { continue };
        let name = match language {
            Language::Rust => {
                let manifest = workspace.join(&folder).join(language.mark());
                let text = fs::read_to_string(&manifest).at(&manifest)?;
                rust::package_name(&text).ok_or(BuildError::NoName { manifest })?.replace('-', "_")
            }
            Language::C | Language::AssemblyScript => folder.replace('-', "_"),
        };
        members.push(Member { folder, name, language });
    }
    Ok(members)
}

/// The files and folders that a module is made of, relative to `root`. `workspace` is relative, too.
pub(crate) fn sources(root: &Path, workspace: &str, member: &Member) -> Result<Vec<String>, FileError> {
    let folder = format!("{workspace}/{}", member.folder);
    let own = match member.language {
        Language::Rust => rust::SOURCES.map(str::to_owned).to_vec(),
        Language::C | Language::AssemblyScript => {
            let is_source = |name: &String| !OUTPUT.contains(&name.as_str());
            names_in(&root.join(&folder))?.into_iter().filter(is_source).collect()
        }
    };
    let own = own.into_iter().map(|part| format!("{folder}/{part}"));
    let of_workspace = member.language.workspace_sources().iter().map(|part| format!("{workspace}/{part}"));
    Ok(own.chain(of_workspace).chain(member.language.shared_sources().iter().map(|&path| path.to_owned())).collect())
}

/// What became of a mod that should be built.
#[derive(Debug)]
pub(crate) enum Module {
    /// Its bytes.
    Built(Vec<u8>),
    /// A compiler is missing. What to install.
    Skipped(&'static str),
}

/// Builds a mod, or takes it from the folder into which [`rust::build`] has built all those in Rust.
pub(crate) fn module(
    root: &Path,
    workspace: &Path,
    rust_modules: &Path,
    member: &Member,
) -> Result<Module, BuildError> {
    match member.language {
        Language::Rust => rust::module(rust_modules, &member.name).map(Module::Built),
        Language::C => c::build(root, workspace, member),
        Language::AssemblyScript => assembly_script::build(workspace, member),
    }
}

/// Whether all these programs can be started.
fn are_installed(programs: &[&str]) -> bool {
    programs.iter().all(|program| {
        let version = Command::new(program).arg("--version").output();
        version.is_ok_and(|output| output.status.success())
    })
}

/// Runs a compiler. It says itself what is wrong.
fn run(command: &'static str, program: &mut Command, folder: &Path) -> Result<(), BuildError> {
    let status = program.current_dir(folder).status();
    match status.map_err(|source| BuildError::NoProgram { program: command, source })? {
        status if status.success() => Ok(()),
        _ => Err(BuildError::Failed { command, folder: folder.to_owned() }),
    }
}

/// The module that a build has left.
fn read_module(name: &str, file: PathBuf, hint: &'static str) -> Result<Vec<u8>, BuildError> {
    if file.is_file() {
        Ok(fs::read(&file).at(&file)?)
    } else {
        Err(BuildError::NoModule { name: name.to_owned(), file, hint })
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, path::Path};

    use tempfile::tempdir;

    use super::{Language, Member, are_installed, members, sources};

    fn write(root: &Path, path: &str, text: &str) {
        let path = root.join(path);
        fs::create_dir_all(path.parent().expect("it has a parent")).expect("a folder");
        fs::write(path, text).expect("a file");
    }

    #[test]
    fn members_are_the_folders_with_the_mark_of_a_language() {
        let root = tempdir().expect("a temporary folder");
        for (path, text) in [
            ("b/Cargo.toml", "[package]\nname = \"b\"\n"),
            ("a-folder/Cargo.toml", "[package]\nname = \"an-a\"\n"),
            ("in-c/mod.c", ""),
            ("in_c_also/other.c", ""),
            ("script/package.json", "{}"),
            ("target/release/a.wasm", ""),
            (".cargo/Cargo.toml", "[package]\nname = \"x\"\n"),
        ] {
            write(root.path(), path, text);
        }
        let member =
            |folder: &str, name: &str, language| Member { folder: folder.to_owned(), name: name.to_owned(), language };
        let found = members(root.path()).expect("it can be read");
        let expected = [
            member("a-folder", "an_a", Language::Rust),
            member("b", "b", Language::Rust),
            member("in-c", "in_c", Language::C),
            member("script", "script", Language::AssemblyScript),
        ];
        assert_eq!(found, expected);
        assert_eq!(members(&root.path().join("nowhere")).expect("an absent workspace is empty"), []);
    }

    #[test]
    fn what_tools_leave_is_no_source() {
        let root = tempdir().expect("a temporary folder");
        for path in ["package.json", "assembly/index.ts", "node_modules/a/index.js", "build/mod.wasm", ".gitignore"] {
            write(root.path(), &format!("mods/script/{path}"), "");
        }
        let sources_of = |folder: &str| {
            let found = members(&root.path().join("mods")).expect("it can be read");
            let member = found.iter().find(|member| member.folder == folder).expect("it is there");
            sources(root.path(), "mods", member).expect("it can be read")
        };
        assert_eq!(sources_of("script"), ["mods/script/assembly", "mods/script/package.json"]);
        write(root.path(), "mods/c/mod.c", "");
        write(root.path(), "mods/c/part.h", "");
        assert_eq!(sources_of("c"), ["mods/c/mod.c", "mods/c/part.h", "mod_sdk/c/mod_sdk.h"]);
    }

    #[test]
    fn programs_that_are_not_there_are_not_installed() {
        assert!(are_installed(&["rustc"]));
        assert!(!are_installed(&["rustc", "no-such-compiler"]));
    }
}
