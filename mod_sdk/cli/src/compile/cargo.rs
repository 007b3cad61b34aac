//! cargo and rustc, run in the mod's own folder: there cargo finds the mod's `.cargo/config.toml`.

use std::{
    env,
    ffi::OsString,
    io::{self, BufReader},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use cargo_metadata::{Message, MetadataCommand};
use thiserror::Error;

use crate::{package::Package, terminal::visible};

/// Why cargo built nothing.
#[derive(Debug, Error)]
pub(crate) enum CargoError {
    /// A program of the tool chain does not run.
    #[error("`{program}` does not run, so the mod cannot be built: {source}")]
    Missing {
        /// Which.
        program: String,
        /// Why.
        source: io::Error,
    },
    /// The standard library of the target is not there.
    #[error(
        "the target `{target}` is not installed, so no mod can be built for it; this installs it:\n\n    rustup target add {target}\n"
    )]
    Target {
        /// Which.
        target: String,
    },
    /// rustc has no such target, or says something else.
    #[error("rustc cannot build for `{target}`: {reason}")]
    NoTarget {
        /// Which.
        target: String,
        /// What rustc says.
        reason: String,
    },
    /// It did not compile. cargo has said why.
    #[error("{name} was not built")]
    Failed {
        /// The crate.
        name: String,
    },
    /// cargo's answer cannot be read.
    #[error("what cargo says of the build cannot be read: {0}")]
    Answer(io::Error),
    /// A crate without a module.
    #[error("{name} was built, but to no WebAssembly module: is `{target}` a target for WebAssembly?")]
    NoModule {
        /// The crate.
        name: String,
        /// The target.
        target: String,
    },
}

/// A program of the tool chain: the one that cargo names to its subcommands, or the one on the path.
fn program(variable: &str, name: &str) -> OsString {
    env::var_os(variable).filter(|value| !value.is_empty()).unwrap_or_else(|| name.into())
}

/// Whether the standard library of the target is there.
pub(super) fn check_target(package: &Package, target: &str) -> Result<(), CargoError> {
    let rustc = program("RUSTC", "rustc");
    let mut command = Command::new(&rustc);
    command.args(["--print", "target-libdir", "--target", target]).current_dir(&package.folder);
    let missing = |source| CargoError::Missing { program: rustc.to_string_lossy().into_owned(), source };
    let answer = command.stdin(Stdio::null()).output().map_err(missing)?;
    let target = visible(target);
    if !answer.status.success() {
        let reason = String::from_utf8_lossy(&answer.stderr).trim().trim_start_matches("error: ").to_owned();
        return Err(CargoError::NoTarget { target, reason });
    }
    let folder = String::from_utf8_lossy(&answer.stdout).trim().to_owned();
    if Path::new(&folder).is_dir() { Ok(()) } else { Err(CargoError::Target { target }) }
}

/// A warning, if a variable takes the place of the flags by which random numbers come from the game.
pub(super) fn lost_config(package: &Package, target: &str) -> Option<String> {
    let variable = ["CARGO_ENCODED_RUSTFLAGS", "RUSTFLAGS"].into_iter().find(|name| env::var_os(name).is_some())?;
    let flags = env::var_os(variable)?;
    if !target.ends_with("-unknown-unknown") || flags.to_string_lossy().contains("getrandom_backend") {
        return None;
    }
    depends_on_getrandom(package, target).then(|| {
        format!(
            "{variable} is set, and cargo takes it in the place of the `rustflags` in .cargo/config.toml; the mod depends on \
             getrandom, which needs --cfg=getrandom_backend=\"custom\" on {target}: unset {variable}, or add that to it"
        )
    })
}

/// Whether a getrandom that wants the flag is among the crates. The SDK brings older ones, and newer ones only with the flag.
fn depends_on_getrandom(package: &Package, target: &str) -> bool {
    let mut command = MetadataCommand::new();
    command.current_dir(&package.folder).manifest_path(package.folder.join("Cargo.toml"));
    let Ok(metadata) = command.other_options(["--filter-platform".to_owned(), target.to_owned()]).exec() else {
        return false;
    };
    let nodes = metadata.resolve.map(|resolve| resolve.nodes).unwrap_or_default();
    let wants = |package: &cargo_metadata::Package| {
        package.name.as_str() == "getrandom" && (package.version.major, package.version.minor) >= (0, 3)
    };
    metadata.packages.iter().any(|package| wants(package) && nodes.iter().any(|node| node.id == package.id))
}

/// Builds the mod, with cargo's own words on standard error, and returns the file.
pub(super) fn build(package: &Package, profile: &str, target: &str) -> Result<PathBuf, CargoError> {
    let cargo = program("CARGO", "cargo");
    let mut command = Command::new(&cargo);
    command.args(["build", "--lib", "--profile", profile, "--target", target, "--package", &package.name]);
    command.args(["--message-format", "json-render-diagnostics"]).current_dir(&package.folder);
    command.stdin(Stdio::null()).stdout(Stdio::piped());
    let missing = |source| CargoError::Missing { program: cargo.to_string_lossy().into_owned(), source };
    let mut running = command.spawn().map_err(missing)?;
    let mut module = None;
    if let Some(answer) = running.stdout.take() {
        for message in Message::parse_stream(BufReader::new(answer)) {
            if let Message::CompilerArtifact(artifact) = message.map_err(CargoError::Answer)?
                && artifact.manifest_path.as_std_path() == package.folder.join("Cargo.toml")
            {
                module = artifact.filenames.into_iter().find(|file| file.extension() == Some("wasm")).or(module);
            }
        }
    }
    let status = running.wait().map_err(missing)?;
    let name = || package.name.clone();
    if !status.success() {
        return Err(CargoError::Failed { name: name() });
    }
    let module = module.ok_or_else(|| CargoError::NoModule { name: name(), target: visible(target) })?;
    Ok(module.into_std_path_buf())
}
