//! What a benchmark ran on, and the file in which that is kept with the figures.

use std::{fs, io, path::Path, process::Command, thread};

use bench_report::Report;
use serde::{Deserialize, Serialize};

/// Crates whose version says something about the figures.
const CRATES: &[&str] = &["bevy", "wasmtime"];

/// What figures are worth nothing without.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Run {
    /// Few rounds: good for a look, not for a comparison.
    pub(crate) quick: bool,
    /// The processor and how many of its cores there were.
    pub(crate) machine: String,
    /// Compiler and crates.
    pub(crate) versions: Vec<String>,
}

/// A report, with its run.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Kept {
    pub(crate) run: Run,
    pub(crate) report: Report,
}

impl Run {
    /// This run.
    pub(crate) fn here(root: &Path, quick: bool) -> Self {
        let lock = fs::read_to_string(root.join("Cargo.lock")).unwrap_or_default();
        let crates = CRATES.iter().filter_map(|name| Some(format!("{name} {}", version_in(&lock, name)?)));
        Self { quick, machine: machine(), versions: compiler().into_iter().chain(crates).collect() }
    }
}

impl Kept {
    /// Puts the file into the folder.
    pub(crate) fn write(&self, folder: &Path) -> io::Result<()> {
        let path = folder.join(&self.report.bench).with_extension("json");
        fs::write(path, serde_json::to_string_pretty(self)? + "\n")
    }

    pub(crate) fn read(path: &Path) -> io::Result<Self> {
        serde_json::from_str(&fs::read_to_string(path)?)
            .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, format!("{}: {error}", path.display())))
    }
}

fn machine() -> String {
    let cores = thread::available_parallelism().map_or(1, usize::from);
    // Only Linux says it in a file; elsewhere the architecture has to do.
    let processor = fs::read_to_string("/proc/cpuinfo").ok().and_then(|text| processor_in(&text));
    let processor = processor.unwrap_or_else(|| format!("a processor of {}", std::env::consts::ARCH));
    format!("{processor}, {cores} cores, {}", std::env::consts::OS)
}

fn processor_in(text: &str) -> Option<String> {
    let line = text.lines().find(|line| line.starts_with("model name"))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}

fn compiler() -> Option<String> {
    let output = Command::new("rustc").arg("--version").output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    Some(text.split(" (").next()?.trim().to_owned())
}

fn version_in(lock: &str, name: &str) -> Option<String> {
    let mut lines = lock.lines().skip_while(|line| *line != format!("name = \"{name}\""));
    Some(lines.nth(1)?.strip_prefix("version = \"")?.trim_end_matches('"').to_owned())
}

#[cfg(test)]
mod tests {
    use bench_report::Report;

    use super::{Kept, Run, processor_in, version_in};

    #[test]
    fn versions_are_those_of_the_lock_file() {
        let lock = "[[package]]\nname = \"bevy_app\"\nversion = \"1.0.0\"\n\n[[package]]\nname = \"bevy\"\nversion = \"0.19.1\"\n";
        assert_eq!(version_in(lock, "bevy"), Some("0.19.1".to_owned()));
        assert_eq!(version_in(lock, "wasmtime"), None);
    }

    #[test]
    fn the_processor_has_a_name() {
        assert_eq!(processor_in("processor\t: 0\nmodel name\t: Some CPU 3\n"), Some("Some CPU 3".to_owned()));
        assert_eq!(processor_in("flags: none"), None);
    }

    #[test]
    fn what_is_kept_can_be_read_again() {
        let folder = tempfile::tempdir().unwrap();
        let run = Run { quick: true, machine: "one".to_owned(), versions: vec!["bevy 0".to_owned()] };
        let mut report = Report::new("speed");
        report.ratio("to_native", 2.0);
        Kept { run: run.clone(), report }.write(folder.path()).unwrap();
        let kept = Kept::read(&folder.path().join("speed.json")).unwrap();
        assert_eq!((kept.run, kept.report.ratios["to_native"]), (run, 2.0));
        std::fs::write(folder.path().join("speed.json"), "{}").unwrap();
        let error = Kept::read(&folder.path().join("speed.json")).unwrap_err().to_string();
        assert!(error.contains("speed.json"), "{error}");
    }
}
