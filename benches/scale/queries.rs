//! How many queries and systems a mod has.

use bench_report::{Point, Report, Table, interleaved};
use bevy::prelude::Update;

use crate::{
    Effort,
    game::{Game, Value},
    guests,
};

const ROWS: usize = 10;
/// The most parameters that a system of a mod may have.
const MAX_PARAMS: usize = 32;

pub(crate) fn measure(effort: Effort, report: &mut Report) {
    let mut table = Table::new("queries", "A mod with many queries", "queries", "us");
    table.grows = true;
    table.method = format!(
        "Every query reads {ROWS} values, and the mod does nothing with them. All queries in one system, which may have {MAX_PARAMS} \
         parameters at the most; a system for each query; and as many systems without parameters. The runs of all systems \
         together are timed. The exponents should be 1 at the most."
    );
    let places = effort.places(&[1, 4, 16, 64]);
    let kinds: [(&str, fn(usize) -> (usize, usize)); 3] = [
        ("in one system", |count| (1, count)),
        ("in a system each", |count| (count, 1)),
        ("systems without queries", |count| (count, 0)),
    ];
    for (name, shape) in kinds {
        let possible: Vec<_> = places.iter().copied().filter(|count| shape(*count).1 <= MAX_PARAMS).collect();
        let make = |count: &usize| {
            let (systems, queries) = shape(*count);
            let mut game = Game::new(&[guests::queries("asker", systems, queries)], &[], |app| {
                app.world_mut().spawn_batch((0..ROWS).map(|_| Value::default()));
            });
            let systems = game.systems(Update, "read_");
            (game, systems)
        };
        let mut games: Vec<_> = possible.iter().map(make).collect();
        let times = interleaved(&mut games, effort.rounds(1_000), |(game, systems)| {
            game.run(systems);
            game.run(systems) * 1e6
        });
        games.iter().for_each(|(game, _)| game.check());
        possible.iter().zip(times).for_each(|(count, time)| table.put(name, Point::measured(*count as f64, time)));
        for count in places.iter().filter(|count| !possible.contains(count)) {
            let why = format!("a system has {MAX_PARAMS} parameters at the most");
            table.put(name, Point::missing(*count as f64, &why));
        }
    }
    report.tables.push(table);
}
