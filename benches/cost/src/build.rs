//! Builds an app and says what that took.

use std::{
    collections::BTreeSet,
    fs, io,
    path::{Path, PathBuf},
    process::Command,
};

use crate::app::{self, App, Plugin};

/// Ticks of the processor's time in a second, as Linux counts them for programs on every architecture that it runs on.
const TICKS: f64 = 100.0;

/// What a build took and left.
#[derive(Debug)]
pub(crate) struct Built {
    /// Packages, of the program and of its build.
    pub(crate) crates: usize,
    /// Of the program.
    pub(crate) bytes: u64,
    /// Of all cores. NaN where the system does not say it.
    pub(crate) processor_s: f64,
}

fn folder_of(app: &App) -> PathBuf {
    bench_report::folder().join("cost").join(app.key)
}

/// Removes what an earlier run has built.
pub(crate) fn forget(app: &App) -> io::Result<()> {
    match fs::remove_dir_all(folder_of(app)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Builds the app. The inner error is the reason why that cannot be done here.
pub(crate) fn build(app: &App, plugin: Plugin) -> io::Result<Result<Built, String>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize()?;
    let folder = folder_of(app);
    app::write(app, plugin, &root, &folder)?;
    // What is fetched does not count.
    let fetched = cargo(&folder).args(["fetch", "--quiet"]).output()?;
    if !fetched.status.success() {
        return Ok(Err(reason(&fetched.stderr)));
    }
    let before = processor_of_children();
    let output = cargo(&folder).args(["build", "--release", "--quiet"]).output()?;
    if !output.status.success() {
        return Ok(Err(reason(&output.stderr)));
    }
    let processor_s = processor_of_children() - before;
    let program = folder.join("target/release").join(format!("{}{}", app.key, std::env::consts::EXE_SUFFIX));
    Ok(Ok(Built { crates: crates(&folder)?, bytes: fs::metadata(program)?.len(), processor_s }))
}

fn cargo(folder: &Path) -> Command {
    let mut cargo = Command::new("cargo");
    // Nothing of ours should reach what we build as somebody else would.
    cargo.current_dir(folder).env_remove("CARGO_TARGET_DIR").env_remove("RUSTFLAGS");
    cargo
}

fn crates(folder: &Path) -> io::Result<usize> {
    let arguments = ["tree", "--edges", "normal,build", "--prefix", "none", "--no-dedupe", "--format", "{p}"];
    let output = cargo(folder).args(arguments).output()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    Ok(text.lines().filter(|line| !line.trim().is_empty()).collect::<BTreeSet<_>>().len())
}

/// The line of cargo's that says what went wrong.
fn reason(stderr: &[u8]) -> String {
    let text = String::from_utf8_lossy(stderr);
    let line = text.lines().find(|line| line.starts_with("error")).unwrap_or("cargo failed");
    format!("it could not be built: {line}")
}

/// The processor's time of all programs that this one has started and that are over, in seconds.
fn processor_of_children() -> f64 {
    let ticks = fs::read_to_string("/proc/self/stat").ok().and_then(|stat| {
        // The second field is the program's name, in brackets, with whatever stands in it.
        let fields: Vec<&str> = stat.rsplit(')').next()?.split_whitespace().collect();
        Some(fields.get(13)?.parse::<f64>().ok()? + fields.get(14)?.parse::<f64>().ok()?)
    });
    ticks.map_or(f64::NAN, |ticks| ticks / TICKS)
}

#[cfg(test)]
mod tests {
    use super::{processor_of_children, reason};

    #[test]
    fn what_went_wrong_is_one_line() {
        assert_eq!(reason(b"warning: a\nerror: no alsa\n  more"), "it could not be built: error: no alsa");
        assert_eq!(reason(b""), "it could not be built: cargo failed");
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn the_time_of_children_counts_when_they_are_over() {
        let before = processor_of_children();
        let script = "i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done";
        assert!(std::process::Command::new("sh").args(["-c", script]).status().unwrap().success());
        assert!(processor_of_children() > before);
    }
}
