//! What frames take, row by row: all contenders of a case are there at once and take turns. How a figure is shown is not
//! decided here.

use std::collections::BTreeMap;

use bench_report::{Report, median};

use crate::{
    Outcome, Plan,
    build::Mods,
    peer::{CONTENDERS, LUA, NAIVE, NATIVE, OURS, Peer, WASVY},
    table::{self, Figure, Found},
};

/// A contender whose frame takes longer, in microseconds, is asked no further.
const TOO_LONG: f64 = 2e6;
/// For how long a contender runs frames in one turn, and in all turns, in microseconds.
const TURN: f64 = 2e4;
const ALL_TURNS: f64 = 1.5e7;
/// How many frames an idle game runs in one turn, at least.
const IDLE_FRAMES: usize = 20;

/// Measures all rows that are about frames.
pub(crate) fn measure(plan: &Plan, mods: &Mods, report: &mut Report) -> Outcome {
    let mut moved = table::moved();
    let mut left_out = BTreeMap::new();
    for entities in plan.entities {
        let found = case(plan, mods, "move", *entities, &mut left_out)?;
        table::put(&mut moved, *entities as f64, &found);
    }
    let at_10k = |name| moved.get(name, &10_000.0.into()).unwrap_or(f64::NAN);
    report.ratio("wasvy_10k", at_10k(WASVY) / at_10k(OURS));
    report.ratio("lua_10k", at_10k(LUA) / at_10k(OURS));
    report.ratio("naive_10k", at_10k(NAIVE) / at_10k(OURS));
    report.ratio("over_native_10k", at_10k(OURS) / at_10k(NATIVE));
    report.tables.push(moved);

    let mut system = table::system();
    table::put_system(&mut system, &case(plan, mods, "idle", 1, &mut BTreeMap::new())?);
    report.tables.push(system);

    let mut many = table::many();
    let mut left_out = BTreeMap::new();
    for count in plan.mods {
        let found = case(plan, mods, "many", *count, &mut left_out)?;
        table::put(&mut many, *count as f64, &found);
    }
    report.tables.push(many);

    for (row, amount, mut table) in
        [("spawn", 1_000, table::spawned()), ("messages", 1_000, table::messages()), ("calls", 10_000, table::calls())]
    {
        table::put(&mut table, f64::from(amount), &case(plan, mods, row, 1, &mut BTreeMap::new())?);
        report.tables.push(table);
    }
    Ok(())
}

/// One contender that takes part in a case.
struct Player {
    peer: Peer,
    /// What its first frame took, in microseconds.
    first: f64,
    mods: Vec<f64>,
    plugin: Vec<f64>,
}

impl Player {
    fn take_turn(&mut self) -> Outcome {
        let count = (TURN / self.first).clamp(1.0, 100.0) as usize;
        let with = median(self.peer.frames("frames", count)?);
        let without = median(self.peer.frames("empty", count.max(IDLE_FRAMES))?);
        let bare = median(self.peer.frames("bare", count.max(IDLE_FRAMES))?);
        self.mods.push(with - without);
        self.plugin.push(without - bare);
        Ok(())
    }
}

/// Measures one case with all contenders that are not left out. One that takes too long is left out from then on.
fn case(
    plan: &Plan,
    mods: &Mods,
    row: &str,
    n: usize,
    left_out: &mut BTreeMap<&'static str, String>,
) -> Outcome<Vec<Found>> {
    let mut found = Vec::new();
    let mut players = Vec::new();
    let mut sums = Vec::new();
    let count = if row == "many" { n } else { 1 };
    for contender in &CONTENDERS {
        let name = contender.name;
        let mut missing = |why: &str| {
            let [mods, plugin] = [Figure::Missing(why.to_owned()), Figure::Missing(why.to_owned())];
            found.push(Found { name, mods, plugin });
        };
        if let Some(why) = left_out.get(name) {
            missing(why);
            continue;
        }
        say(&format!("{row} {n}: {name}"));
        let mut peer = contender.start(contender.folder(mods, row, count)?)?;
        let answer = peer.ask(&format!("setup {row} {n}"))?;
        if let Some(why) = answer.strip_prefix("missing ") {
            missing(why);
            continue;
        }
        let first = peer.frames("frames", 1)?[0];
        if first > TOO_LONG {
            missing(&format!("cut off: one frame took {:.1} s", first / 1e6));
            left_out.insert(name, format!("not asked: its frame at {n} took more than 2 s"));
            continue;
        }
        sums.push((name, peer.ask("checksum")?));
        players.push(Player { peer, first, mods: Vec::new(), plugin: Vec::new() });
    }
    same(row, n, &sums)?;
    for round in 0..plan.rounds {
        for player in &mut players {
            if round < 5 || player.first * (round as f64) < ALL_TURNS {
                player.take_turn()?;
            }
        }
    }
    // A mod that stopped in the meantime would look fast.
    for player in &mut players {
        sums.push((player.peer.name, player.peer.ask("checksum")?));
    }
    same(row, n, &sums)?;
    found.extend(players.into_iter().map(|player| Found {
        name: player.peer.name,
        mods: Figure::of(player.mods),
        plugin: Figure::of(player.plugin),
    }));
    found.sort_by_key(|found| CONTENDERS.iter().position(|contender| contender.name == found.name));
    Ok(found)
}

/// Whether all made the same World.
fn same(row: &str, n: usize, sums: &[(&'static str, String)]) -> Outcome {
    let Some((first, rest)) = sums.split_first() else {
        return Ok(());
    };
    match rest.iter().find(|(_, sum)| *sum != first.1) {
        Some((name, sum)) => {
            Err(format!("{row} {n}: {name} made a World of sum {sum}, and {} of {}", first.0, first.1).into())
        }
        None => Ok(()),
    }
}

/// Says how far it is.
#[expect(clippy::print_stderr, reason = "a run takes minutes")]
pub(crate) fn say(text: &str) {
    eprintln!("{text}");
}
