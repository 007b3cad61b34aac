//! Many mods in a game, few of which have something to do.

use bench_report::{Point, Report, Table, interleaved};
use bevy::prelude::{App, Query, Update};

use crate::{
    Effort,
    game::{Game, Module, Value},
    guests,
};

const ACTIVE: usize = 50;
/// The entities that each active mod changes.
const ROWS: usize = 10;
/// Frames in a turn.
const FRAMES: usize = 10;

/// What mods are there for that have nothing to do.
#[derive(Clone, Copy)]
enum Idle {
    WithoutSystems,
    Waiting,
    Disabled,
}

const KINDS: [(Idle, &str); 3] = [
    (Idle::WithoutSystems, "the others have no systems"),
    (Idle::Waiting, "the others have one whose condition fails"),
    (Idle::Disabled, "the others are switched off"),
];

fn fill(app: &mut App) {
    app.world_mut().spawn_batch((0..ROWS).map(|_| Value::default()));
}

fn modules(loaded: usize, kind: Idle) -> (Vec<Module>, Vec<String>) {
    let others: Vec<_> = (ACTIVE..loaded).map(|number| format!("idle_{number:03}")).collect();
    let active = (0..ACTIVE).map(|number| guests::active(&format!("active_{number:03}")));
    let idle = others.iter().map(|id| match kind {
        Idle::Waiting => guests::waiting(id),
        Idle::WithoutSystems | Idle::Disabled => guests::idle(id),
    });
    let disabled = if matches!(kind, Idle::Disabled) { others.clone() } else { Vec::new() };
    (active.chain(idle).collect(), disabled)
}

fn native(mut values: Query<&mut Value>) {
    for mut value in &mut values {
        value.value += 1.0;
    }
}

pub(crate) fn measure(effort: Effort, report: &mut Report) {
    let mut table =
        Table::new("loaded_mods", "A frame with 50 mods that work, among more that are loaded", "loaded mods", "us");
    table.grows = true;
    table.method = format!(
        "Each of {ACTIVE} mods has one system, which adds one to {ROWS} values that all of them share, so that they run one \
         after the other. The figure is the time of a whole frame (`App::update`) without that of the same game without mods; games \
         take turns, medians. Native: {ACTIVE} systems of the game that do the same, and no mods. Mods that have nothing to do \
         should cost nothing, so the exponents should be 0; a system whose condition fails is still a system of Bevy's schedule. Before \
         the frame boundary went by the mods that did something, and by files only while one is on its way, each idle mod cost 670 ns a \
         frame, and the exponent was 0.6."
    );
    let mut names = vec![("none", 0, "")];
    let mut games = vec![Game::new(&[], &[], fill)];
    let mut natives = Game::new(&[], &[], fill);
    for _ in 0..ACTIVE {
        natives.app.add_systems(Update, native);
    }
    names.push(("native", 0, ""));
    games.push(natives);
    for (kind, name) in KINDS {
        for loaded in effort.places(&[50, 100, 200, 500]) {
            let (modules, disabled) = modules(loaded, kind);
            names.push(("mods", loaded, name));
            games.push(Game::new(&modules, &disabled, fill));
        }
    }
    // Schedules are built in the first frames.
    games.iter_mut().for_each(|game| (0..5).for_each(|_| _ = game.frame()));
    let times = interleaved(&mut games, effort.rounds(80), |game| {
        // The first one finds nothing of itself in the caches.
        game.frame();
        (0..FRAMES).map(|_| game.frame()).sum::<f64>() / FRAMES as f64 * 1e6
    });
    games.iter().for_each(Game::check);
    let empty = times[0];
    for ((kind, loaded, name), time) in names.into_iter().zip(times) {
        match kind {
            "mods" => table.put(name, Point::measured(loaded as f64, time - empty)),
            "native" => {
                effort
                    .places(&[50, 100, 200, 500])
                    .into_iter()
                    .for_each(|loaded| table.put("native", Point::measured(f64::from(loaded), time - empty)));
            }
            _ => {}
        }
    }
    for (key, (_, name)) in ["idle_mod_ns", "waiting_mod_ns", "disabled_mod_ns"].into_iter().zip(KINDS) {
        let at = |loaded: f64| table.get(name, &loaded.into()).unwrap_or(f64::NAN);
        report.ratio(key, (at(500.0) - at(50.0)) / 450.0 * 1e3);
    }
    report.tables.push(table);
}
