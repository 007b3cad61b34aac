//! `wasm-opt`, where it is installed. What comes out of it is only used if it is the same mod.

use std::{fs, io, process::Command};

use mod_abi::names::{FUNCTIONS_SECTION, IDENTITY_SECTION};
use mod_host::Manifest;
use tempfile::TempDir;
use wasmparser::{Parser, Payload};

use crate::{guest, terminal};

/// What came of it.
pub(super) enum Optimized {
    /// A smaller or faster mod.
    Yes(Vec<u8>),
    /// It is not installed, or not wanted.
    No,
    /// Nothing came out, or another mod.
    Failed(String),
}

/// Optimizes a mod.
pub(super) fn optimize(bytes: &[u8], manifest: &Manifest, stem: &str) -> Optimized {
    let _spinner = terminal::spinner("optimizing with wasm-opt");
    match run(bytes) {
        Ok(None) => Optimized::No,
        Ok(Some(Err(reason))) => Optimized::Failed(format!("wasm-opt failed: {reason}")),
        Err(error) => Optimized::Failed(format!("wasm-opt cannot be used: {error}")),
        Ok(Some(Ok(optimized))) => match guest::manifest(&optimized, stem) {
            Err(error) => Optimized::Failed(format!("no game would load what wasm-opt made of it: {error}")),
            Ok(found) if found != *manifest || own_sections(&optimized) != own_sections(bytes) => {
                Optimized::Failed("what wasm-opt made of it states something else of itself".to_owned())
            }
            Ok(_) => Optimized::Yes(optimized),
        },
    }
}

/// Runs it: `None` if it is not installed, and its own words if it fails.
fn run(bytes: &[u8]) -> io::Result<Option<Result<Vec<u8>, String>>> {
    let folder = TempDir::new()?;
    let (input, output) = (folder.path().join("in.wasm"), folder.path().join("out.wasm"));
    fs::write(&input, bytes)?;
    // `-g` keeps the names of functions.
    let answer = match Command::new("wasm-opt").args(["-O3", "-g", "-o"]).arg(&output).arg(&input).output() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        answer => answer?,
    };
    if !answer.status.success() {
        let words = String::from_utf8_lossy(&answer.stderr);
        let reason = words.lines().find(|line| !line.trim().is_empty()).unwrap_or("it does not say why");
        return Ok(Some(Err(terminal::visible(reason.trim()))));
    }
    fs::read(&output).map(|bytes| Some(Ok(bytes)))
}

/// What the contract keeps in custom sections.
fn own_sections(bytes: &[u8]) -> Vec<(&str, &[u8])> {
    let payloads = Parser::new(0).parse_all(bytes).filter_map(Result::ok);
    let sections = payloads.filter_map(|payload| match payload {
        Payload::CustomSection(section) => Some((section.name(), section.data())),
        _ => None,
    });
    let is_own = |(name, _): &(&str, &[u8])| [IDENTITY_SECTION, FUNCTIONS_SECTION].contains(name);
    let mut sections: Vec<_> = sections.filter(is_own).collect();
    sections.sort_unstable();
    sections
}
