//! Runs benchmarks and has a page made of what they say. What they measure is not known here, and neither is how the page
//! looks (`benches/pages`): a task must not be built with them.

use std::{io, path::Path, process::Command};

/// A benchmark: its name, and the arguments of cargo that run it. What comes after `--` is its own.
struct Bench {
    name: &'static str,
    cargo: &'static [&'static str],
    /// The folder it is started in, from the root. A workspace of its own has its own.
    folder: &'static str,
    /// Whether it runs without being named.
    is_usual: bool,
}

const BENCHES: &[Bench] = &[
    Bench { name: "bridge", cargo: &["bench", "--bench", "bridge", "--"], folder: "", is_usual: true },
    Bench { name: "scale", cargo: &["bench", "--bench", "scale", "--"], folder: "", is_usual: true },
    Bench { name: "startup", cargo: &["bench", "--bench", "startup", "--"], folder: "", is_usual: true },
    Bench { name: "observe", cargo: &["bench", "--bench", "observe", "--"], folder: "", is_usual: true },
    Bench {
        name: "execution",
        cargo: &["bench", "-p", "mod_host", "--bench", "execution", "--features", "interpreter", "--"],
        folder: "",
        is_usual: true,
    },
    Bench {
        name: "peers",
        cargo: &["run", "--release", "-p", "peers", "--"],
        folder: "benches/peers",
        is_usual: false,
    },
    Bench { name: "cost", cargo: &["run", "-p", "bench_cost", "--"], folder: "", is_usual: false },
];

/// Runs those that are named, or else the usual ones, and makes the page.
///
/// # Errors
/// For a word that is no benchmark, and when one of them fails.
pub(crate) fn run(root: &Path, arguments: &[&str]) -> Result<(), BenchError> {
    let (flags, names): (Vec<&str>, Vec<&str>) = arguments.iter().partition(|argument| argument.starts_with("--"));
    if let Some(unknown) = flags.iter().find(|flag| !matches!(**flag, "--quick" | "--peers")) {
        return Err(BenchError::Unknown((*unknown).to_owned()));
    }
    if let Some(unknown) = names.iter().find(|name| BENCHES.iter().all(|bench| bench.name != **name)) {
        return Err(BenchError::Unknown((*unknown).to_owned()));
    }
    let (quick, peers) = (flags.contains(&"--quick"), flags.contains(&"--peers"));
    let quick: &[&str] = if quick { &["--quick"] } else { &[] };
    let chosen: Vec<_> = BENCHES.iter().filter(|bench| is_chosen(bench, &names, peers)).collect();
    for bench in &chosen {
        start(&root.join(bench.folder), bench.name, bench.cargo, quick)?;
    }
    let names: Vec<_> = quick.iter().copied().chain(chosen.iter().map(|bench| bench.name)).collect();
    start(root, "pages", &["run", "--quiet", "-p", "bench_pages", "--"], &names)
}

fn is_chosen(bench: &Bench, names: &[&str], peers: bool) -> bool {
    names.contains(&bench.name) || (names.is_empty() && bench.is_usual) || (peers && bench.name == "peers")
}

fn start(folder: &Path, name: &'static str, cargo: &[&str], arguments: &[&str]) -> Result<(), BenchError> {
    let status = Command::new("cargo").current_dir(folder).args(cargo).args(arguments).status();
    let status = status.map_err(BenchError::Cargo)?;
    if status.success() { Ok(()) } else { Err(BenchError::Failed(name)) }
}

/// Why there are no figures.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BenchError {
    /// cargo could not be started.
    #[error("cargo could not be started: {0}")]
    Cargo(io::Error),
    /// It has told why.
    #[error("`{0}` failed: what it said stands above")]
    Failed(&'static str),
    /// A slip.
    #[error("there is no benchmark or option `{0}`: there are {known}, `--quick` and `--peers`", known = known())]
    Unknown(String),
}

fn known() -> String {
    BENCHES.iter().map(|bench| format!("`{}`", bench.name)).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{BENCHES, is_chosen, run};

    fn chosen(names: &[&str], peers: bool) -> Vec<&'static str> {
        BENCHES.iter().filter(|bench| is_chosen(bench, names, peers)).map(|bench| bench.name).collect()
    }

    #[test]
    fn what_takes_long_is_asked_for() {
        let usual = ["bridge", "scale", "startup", "observe", "execution"];
        assert_eq!(chosen(&[], false), usual);
        assert_eq!(chosen(&[], true), [usual.as_slice(), &["peers"]].concat());
        assert_eq!(chosen(&["cost", "scale"], false), ["scale", "cost"]);
    }

    #[test]
    fn slips_are_told_before_anything_runs() {
        for slip in ["--fast", "bridges"] {
            let error = run(Path::new("."), &[slip]).unwrap_err().to_string();
            assert!(error.contains(slip) && error.contains("`startup`"), "{error}");
        }
    }
}
