//! How the cost of mods grows: with the mods that are loaded, with the World, with what a mod asks for.
//!
//! `cargo bench --bench scale` prints its tables and writes `target/bench/scale.json`; `-- --quick` does so with few rounds.
//! All mods are written in the text format, so that what is measured is the way to them and back.

#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]

use std::time::Instant;

use bench_report::{Report, Table, exponent};

#[path = "scale/archetypes.rs"]
mod archetypes;
#[path = "scale/commands.rs"]
mod commands;
#[path = "scale/entities.rs"]
mod entities;
#[path = "scale/game.rs"]
mod game;
#[path = "scale/guests.rs"]
mod guests;
#[path = "scale/loaded.rs"]
mod loaded;
#[path = "scale/parallel.rs"]
mod parallel;
#[path = "scale/queries.rs"]
mod queries;
#[path = "../tests/all/support.rs"]
#[allow(dead_code, reason = "mods are written with the tools of the tests, which have more of them")]
mod support;

/// How much time is taken.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Effort {
    is_quick: bool,
}

impl Effort {
    /// How often contenders take turns.
    fn rounds(self, full: usize) -> usize {
        if self.is_quick { full.div_ceil(8).max(3) } else { full }
    }

    /// The places on an axis: all, or only the first and the last one.
    fn places<T: Copy>(self, all: &[T]) -> Vec<T> {
        match all {
            [first, .., last] if self.is_quick => vec![*first, *last],
            all => all.to_vec(),
        }
    }
}

fn show(table: &Table) {
    println!("\n{} ({}, by {})", table.title, table.unit, table.axis);
    for series in &table.series {
        let points: Vec<_> = series
            .points
            .iter()
            .filter_map(|point| match point.at {
                bench_report::At::Amount(at) => Some((at, point.value?)),
                bench_report::At::Case(_) => None,
            })
            .collect();
        let figures = series.points.iter().map(|point| match point.value {
            Some(value) => format!("{value:>10.2}"),
            None => format!("{:>10}", "-"),
        });
        let exponent = exponent(&points).map_or_else(String::new, |exponent| format!("  exponent {exponent:.2}"));
        println!("  {:<44}{}{exponent}", series.name, figures.collect::<String>());
    }
}

fn main() {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let effort = Effort { is_quick: arguments.iter().any(|argument| argument == "--quick") };
    // As with other benchmarks, a word picks those parts that have it in their name.
    let wanted = arguments.iter().find(|argument| !argument.starts_with('-'));
    type Part = fn(Effort, &mut Report);
    let parts: [(&str, Part); 6] = [
        ("loaded", loaded::measure),
        ("entities", entities::measure),
        ("queries", queries::measure),
        ("archetypes", archetypes::measure),
        ("commands", commands::measure),
        ("parallel", parallel::measure),
    ];
    let mut report = Report::new("scale");
    for (name, measure) in parts {
        if wanted.is_some_and(|wanted| !name.contains(wanted.as_str())) {
            continue;
        }
        let (start, shown) = (Instant::now(), report.tables.len());
        measure(effort, &mut report);
        report.tables[shown..].iter().for_each(show);
        println!("  ({name} took {:.1} s)", start.elapsed().as_secs_f64());
    }
    println!();
    report.ratios.iter().for_each(|(key, value)| println!("{key:<40} {value:.3}"));
    if wanted.is_none() {
        println!("written to {}", report.write().expect("the report can be written").display());
    }
}
