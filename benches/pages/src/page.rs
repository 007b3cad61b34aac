//! `docs/benchmarks.md`: what was measured, how, on what, and the figures. How figures look is not known here.

use bench_report::Report;

use crate::{plot, run::Kept, table};

const HEAD: &str = "\
# What mods cost, measured

Made by `cargo xtask bench`; do not edit. The same command on your machine makes the same page with your figures:

- `cargo xtask bench` runs everything but the other projects (about ten minutes once it is built);
- `cargo xtask bench --peers` also builds and measures the other projects, which takes a while longer;
- `cargo xtask bench cost` builds whole apps with and without the plugin, which takes about half an hour;
- `cargo xtask bench --quick` takes fewer rounds: good for a look, not for a comparison;
- `cargo xtask bench scale startup` runs those two, and keeps the figures of the others.

It needs `rustup target add wasm32-unknown-unknown`. Every figure that this page is made of stands in `docs/benchmarks/*.json`, and
the ratios of all of them, with which two versions can be compared, in `target/bench.json`.

**How to read it.** Times are medians. Whatever is compared takes turns within one run, so that it sees the same noise; the ratios
move by about a tenth from run to run, and times from machine to machine. *Exponent* is the slope of a line through the figures where both
axes are logarithmic: 0 means that it costs the same however many there are, 1 that it costs in proportion. What bounds the figures,
and what was tried to bring them down, stands in [performance.md](performance.md).
";

/// The whole page.
pub(crate) fn of(all: &[Kept]) -> String {
    let mut page = HEAD.to_owned();
    for kept in all {
        page += &format!("\n## {}\n\n{}\n", title(&kept.report.bench), ran(kept));
        page += &tables(&kept.report);
        page += &ratios(&kept.report);
    }
    page
}

fn title(bench: &str) -> String {
    let known = match bench {
        "bridge" => "Systems of a mod and native ones",
        "cost" => "What adopting it costs",
        "execution" => "Ways of running a mod's code",
        "observe" => "What looking costs",
        "peers" => "Beside others",
        "scale" => "With more of everything",
        "startup" => "Start",
        other => other,
    };
    known.to_owned()
}

fn ran(kept: &Kept) -> String {
    let rounds = if kept.run.quick { " Few rounds (`--quick`)." } else { "" };
    format!("{}; {}.{rounds}", kept.run.machine, kept.run.versions.join(", "))
}

fn tables(report: &Report) -> String {
    let mut text = String::new();
    for one in &report.tables {
        text += &format!("\n### {}\n\n", one.title);
        if !one.method.is_empty() {
            text += &format!("{}\n\n", one.method.trim());
        }
        if plot::is_drawn(one) {
            text += &format!("![{}](benchmarks/{}.svg)\n\n", one.title, plot::name(report, one));
        }
        text += &table::of(one);
    }
    text
}

/// The figures that bars are held against.
fn ratios(report: &Report) -> String {
    if report.ratios.is_empty() {
        return String::new();
    }
    let lines = report.ratios.iter().map(|(key, value)| format!("| `{key}` | {} |\n", table::figure(*value)));
    format!("\n| key | figure |\n| --- | --- |\n{}", lines.collect::<String>())
}

#[cfg(test)]
mod tests {
    use bench_report::{Point, Report, Table};

    use super::of;
    use crate::run::{Kept, Run};

    #[test]
    fn a_page_says_what_ran_where() {
        let mut report = Report::new("scale");
        let mut table = Table::new("rows", "Rows that match", "rows", "us");
        table.method = "In a World of many.".to_owned();
        table.grows = true;
        table.put("ours", Point::measured(1.0, 1.0));
        table.put("ours", Point::measured(10.0, 10.0));
        report.tables.push(table);
        report.ratio("rows_10", 10.0);
        let run = Run { quick: true, machine: "Some CPU 3".to_owned(), versions: vec!["bevy 0.19.1".to_owned()] };
        let page = of(&[Kept { run, report }]);
        for expected in [
            "## With more of everything",
            "Some CPU 3; bevy 0.19.1. Few rounds",
            "### Rows that match\n\nIn a World of many.\n\n![Rows that match](benchmarks/scale_rows.svg)",
            "| 10 | 10 |",
            "| `rows_10` | 10 |",
        ] {
            assert!(page.contains(expected), "{expected}\n{page}");
        }
    }
}
