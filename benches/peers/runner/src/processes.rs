//! What whole processes take: time to start, and memory. What a frame takes is not asked here.

use bench_report::{Point, Report, interleaved, median};

use crate::{
    Outcome, Plan,
    build::Mods,
    peer::{CONTENDERS, Contender, LUA, NAIVE, NATIVE, OURS, WASVY},
    rows::say,
    table,
};

/// In how many processes memory is measured, for each contender and amount.
const MEMORY_ROUNDS: usize = 3;

/// Measures all rows that are about processes.
pub(crate) fn measure(plan: &Plan, mods: &Mods, report: &mut Report) -> Outcome {
    report.tables.push(start(plan, mods)?);
    report.tables.push(memory(plan, mods)?);
    Ok(())
}

fn start(plan: &Plan, mods: &Mods) -> Outcome<bench_report::Table> {
    let mut table = table::start();
    let mut times: Vec<[Vec<f64>; 2]> = CONTENDERS.iter().map(|_| [Vec::new(), Vec::new()]).collect();
    for round in 0..plan.starts {
        say(&format!("start {}", round + 1));
        for (contender, [cold, warm]) in CONTENDERS.iter().zip(&mut times) {
            if contender.name == NAIVE {
                continue;
            }
            let folder = contender.folder(mods, "move", 1)?;
            cold.push(contender.time_to_first_frame(&folder)?.as_secs_f64() * 1e3);
            if contender.name == OURS {
                warm.push(contender.time_to_first_frame(&folder)?.as_secs_f64() * 1e3);
            }
        }
    }
    for (contender, [cold, warm]) in CONTENDERS.iter().zip(times) {
        if contender.name == NAIVE {
            table.put(NAIVE, Point::missing("cold", SAME));
            table.put(NAIVE, Point::missing("warm", SAME));
            continue;
        }
        table.put(contender.name, Point::measured("cold", median(cold)));
        let why = match contender.name {
            WASVY => "it has no compile cache: the engine is `Engine::default()`, as it says in `engine.rs`",
            LUA => "nothing is compiled that could be kept",
            _ => "nothing is compiled",
        };
        let warm = if warm.is_empty() { Point::missing("warm", why) } else { Point::measured("warm", median(warm)) };
        table.put(contender.name, warm);
    }
    Ok(table)
}

const SAME: &str = "the same host as bevy_wasm_mods";

fn memory(plan: &Plan, mods: &Mods) -> Outcome<bench_report::Table> {
    let mut table = table::memory();
    for contender in &CONTENDERS {
        let why = match contender.name {
            NATIVE => "it has no mods",
            NAIVE => SAME,
            _ => {
                say(&format!("memory: {}", contender.name));
                for (what, value) in of_a_mod(plan, mods, contender)? {
                    table.put(contender.name, Point::measured(what, value));
                }
                continue;
            }
        };
        table.put(contender.name, Point::missing("virtual", why));
        table.put(contender.name, Point::missing("resident", why));
    }
    Ok(table)
}

/// What one of many idle mods has, in KiB.
fn of_a_mod(plan: &Plan, mods: &Mods, contender: &Contender) -> Outcome<[(&'static str, f64); 2]> {
    let mut failed = None;
    let mut ask = |count: usize, which: usize| {
        let figure = in_a_process(mods, contender, count).map(|figures| figures[which]);
        figure.unwrap_or_else(|error| {
            failed = Some(error);
            f64::NAN
        })
    };
    let amounts = &mut [1, plan.idle];
    let mut difference = |which| {
        let medians = interleaved(amounts, MEMORY_ROUNDS, |count| ask(*count, which));
        (medians[1] - medians[0]) / (plan.idle - 1) as f64
    };
    let figures = [("virtual", difference(0)), ("resident", difference(1))];
    failed.map_or(Ok(figures), Err)
}

/// What a process with so many idle mods has, virtual and resident, in KiB.
fn in_a_process(mods: &Mods, contender: &Contender, count: usize) -> Outcome<[f64; 2]> {
    let mut peer = contender.start(contender.folder(mods, "idle", count)?)?;
    peer.ask(&format!("setup idle {count}"))?;
    peer.frames("frames", 20)?;
    let answer = peer.ask("memory")?;
    let (size, resident) = answer.split_once(' ').ok_or("it should say two figures")?;
    Ok([size.parse()?, resident.parse()?])
}
