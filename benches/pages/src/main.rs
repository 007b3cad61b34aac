//! Makes pages of figures: `cargo xtask bench` runs benchmarks and then this, with the names of those that ran.
//!
//! What a benchmark says (`target/bench/<name>.json`) is kept in `docs/benchmarks/<name>.json`, with what it ran on ([`run`]).
//! Out of all that is kept come `docs/benchmarks.md` ([`page`], [`table`]), its plots ([`plot`]) and `target/bench.json`
//! ([`summary`]). So who runs one benchmark does not lose the figures of the others. What is measured is not known here.
#![expect(clippy::print_stdout, reason = "a command talks to the terminal")]

mod page;
mod plot;
mod run;
mod summary;
mod table;

use std::{env, error::Error, fs, io, path::Path};

use bench_report::Report;

use crate::run::{Kept, Run};

/// The order of the page: the question that most people have comes first. Others follow by name.
const ORDER: &[&str] = &["peers", "bridge", "scale", "startup", "cost", "execution", "observe"];

fn main() -> Result<(), Box<dyn Error>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize()?;
    let (flags, names): (Vec<String>, Vec<String>) = env::args().skip(1).partition(|argument| argument == "--quick");
    let folder = root.join("docs/benchmarks");
    fs::create_dir_all(&folder)?;
    let run = Run::here(&root, !flags.is_empty());
    for name in names {
        let report = Report::read(&bench_report::folder().join(&name).with_extension("json"))
            .map_err(|error| format!("the benchmark `{name}` has said nothing: {error}"))?;
        Kept { run: run.clone(), report }.write(&folder)?;
    }
    let all = kept(&folder)?;
    for (name, svg) in all.iter().flat_map(|kept| plot::of(&kept.report)) {
        fs::write(folder.join(name).with_extension("svg"), svg)?;
    }
    fs::write(root.join("docs/benchmarks.md"), page::of(&all))?;
    fs::write(root.join("target/bench.json"), summary::of(&all)?)?;
    println!("written: docs/benchmarks.md, docs/benchmarks/*.svg, target/bench.json");
    Ok(())
}

/// Everything that is kept, in the order of the page.
fn kept(folder: &Path) -> io::Result<Vec<Kept>> {
    let mut all = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "json") {
            all.push(Kept::read(&path)?);
        }
    }
    let place = |name: &str| ORDER.iter().position(|known| *known == name).unwrap_or(ORDER.len());
    all.sort_by_key(|kept| (place(&kept.report.bench), kept.report.bench.clone()));
    Ok(all)
}
