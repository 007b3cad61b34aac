//! What adopting us costs: crates, build time and binary size that an app of Bevy gets more. `cargo xtask bench cost`.
//!
//! For each kind of app, an empty one is built for release in a fresh target folder, and then the same with
//! `WasmModsPlugin` in that folder: what cargo does in the second build is what adding it takes. Both are programs that run. With
//! `--quick` only the headless app. What has no figure could not be built here, and the reason stands in its place.
#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]

mod app;
mod build;

use std::{env, error::Error};

use bench_report::{Point, Report, Table};

use crate::{
    app::{APPS, App, Plugin},
    build::Built,
};

const METHOD: &str = "An app without systems, built for release with symbols stripped; then with the plugin, each line in the target folder of the line \
    before it: what cargo does then is what somebody waits for who adds the plugin to a game. Besides the new crates that is all of Bevy that the plugin has a \
    feature turned on for, which is built anew. *Processor time* is of all cores together: what it takes by the clock depends on how many \
    there are. *Smaller* is without the default features (`hot_reload`, `input`, `json`). `wasi` is not in any of them.";

fn main() -> Result<(), Box<dyn Error>> {
    let quick = env::args().any(|argument| argument == "--quick");
    let mut report = Report::new("cost");
    let mut table = Table::new("adopting", "What an app gets more", "app", "");
    table.method = METHOD.to_owned();
    for app in APPS.iter().take(if quick { 1 } else { APPS.len() }) {
        measure(app, &mut table, &mut report)?;
    }
    report.tables.push(table);
    println!("written to {}", report.write()?.display());
    Ok(())
}

/// The lines of one kind of app.
fn measure(app: &App, table: &mut Table, report: &mut Report) -> Result<(), Box<dyn Error>> {
    build::forget(app)?;
    let mut before: Option<Built> = None;
    for plugin in [Plugin::None, Plugin::Smaller, Plugin::Default] {
        let name = format!("{}, {}", app.name, plugin.name());
        let built = match build::build(app, plugin)? {
            Ok(built) => built,
            Err(why) => {
                println!("{name}: {why}");
                table.put("crates", Point::missing(name.as_str(), &why));
                return Ok(());
            }
        };
        println!("{name}: {built:?}");
        table.put("crates", Point::measured(name.as_str(), built.crates as f64));
        table.put("MB", Point::measured(name.as_str(), built.bytes as f64 / 1e6));
        table.put("s of processor time", Point::measured(name.as_str(), built.processor_s));
        if let (Some(before), Plugin::Default) = (&before, plugin) {
            report.ratio(&format!("{}_crates", app.key), built.crates as f64 - before.crates as f64);
            report.ratio(&format!("{}_megabytes", app.key), (built.bytes as f64 - before.bytes as f64) / 1e6);
        }
        if plugin == Plugin::None {
            before = Some(built);
        }
    }
    Ok(())
}
