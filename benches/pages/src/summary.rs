//! `target/bench.json`: every ratio by key, for whoever compares two versions.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::run::{Kept, Run};

#[derive(Serialize)]
struct Summary<'a> {
    /// What each benchmark ran on.
    runs: BTreeMap<&'a str, &'a Run>,
    /// By `<benchmark>.<key>`.
    ratios: BTreeMap<String, f64>,
}

/// The file's text.
pub(crate) fn of(all: &[Kept]) -> serde_json::Result<String> {
    let ratios = all.iter().flat_map(|Kept { report, .. }| {
        report.ratios.iter().map(|(key, value)| (format!("{}.{key}", report.bench), *value))
    });
    let runs = all.iter().map(|kept| (kept.report.bench.as_str(), &kept.run));
    Ok(serde_json::to_string_pretty(&Summary { runs: runs.collect(), ratios: ratios.collect() })? + "\n")
}

#[cfg(test)]
mod tests {
    use bench_report::Report;

    use super::of;
    use crate::run::{Kept, Run};

    #[test]
    fn ratios_are_found_by_benchmark_and_key() {
        let kept = |bench: &str, ratio| {
            let mut report = Report::new(bench);
            report.ratio("to_native", ratio);
            Kept { run: Run { quick: false, machine: "one".to_owned(), versions: Vec::new() }, report }
        };
        let json: serde_json::Value = serde_json::from_str(&of(&[kept("a", 2.0), kept("b", 3.0)]).unwrap()).unwrap();
        assert_eq!((&json["ratios"]["a.to_native"], &json["ratios"]["b.to_native"]), (&2.0.into(), &3.0.into()));
        assert_eq!(json["runs"]["a"]["machine"], "one");
    }
}
