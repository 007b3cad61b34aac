//! How large the World is, and how many of its entities a mod sees.

use bench_report::{Point, Report, Table, interleaved};
use bevy::{
    ecs::component::Component,
    prelude::{Query, With, World},
};

use crate::{
    Effort,
    game::{Game, Marker, SparseMarker, Taken, Value},
    guests,
};

fn native<M: Component>(mut values: Query<&mut Value, With<M>>) {
    for mut value in &mut values {
        value.value += 1.0;
    }
}

/// A World of so many entities, evenly among which are those that are marked.
fn fill<M: Component + Default>(world: &mut World, entities: usize, marked: usize) {
    let every = entities / marked;
    for number in 0..entities {
        let mut entity = world.spawn(Value::default());
        if number % every == 0 && number / every < marked {
            entity.insert(M::default());
        }
    }
}

/// A game with a mod that sees `marked` entities out of so many, its system, and the same natively.
fn game<M: Component + Default>(marker: &str, entities: usize, marked: usize) -> (Game, [Taken; 2]) {
    let mut game = Game::new(&[guests::with("seer", marker)], &[], |app| fill::<M>(app.world_mut(), entities, marked));
    let of_mod = game.systems(bevy::prelude::Update, "work").remove(0);
    let native = game.native(native::<M>);
    (game, [of_mod, native])
}

/// The medians of all games' systems, in microseconds.
fn times(effort: Effort, games: &mut [(Game, [Taken; 2])], full: usize) -> Vec<[f64; 2]> {
    let rounds = effort.rounds(full);
    let mut time = |which: usize| {
        interleaved(games, rounds, |(game, systems)| {
            // The first run brings the rows into the caches.
            game.run(&mut systems[which..=which]);
            game.run(&mut systems[which..=which]) * 1e6
        })
    };
    let (of_mods, natives) = (time(0), time(1));
    games.iter().for_each(|(game, _)| game.check());
    of_mods.into_iter().zip(natives).map(|(of_mod, native)| [of_mod, native]).collect()
}

pub(crate) fn measure(effort: Effort, report: &mut Report) {
    let mut table =
        Table::new("world_size", "A mod that sees 1,000 entities of a large World", "entities of the World", "us");
    table.grows = true;
    table.method = "A system of a mod with `Query<&mut Value, With<Marker>>` adds one to 1,000 values, spread evenly over the \
                    World. Its run alone is timed, with gathering and storing; the same system natively beside it. The marker is \
                    in the table, or in a sparse set, where rows with it stand among rows without. The cost should follow the rows \
                    that match: the exponents should be 0 as long as those rows stay in the caches. Rows of a sparse set's archetype are copied \
                    one by one, which shows in the figure and not in the exponent."
        .to_owned();
    let sizes = effort.places(&[10_000, 100_000, 1_000_000]);
    let (table_marker, sparse_marker) = ("scale::game::Marker", "scale::game::SparseMarker");
    for (series, is_sparse) in [("marker in the table", false), ("marker in a sparse set", true)] {
        let make = |size: &usize| match is_sparse {
            false => game::<Marker>(table_marker, *size, 1_000),
            true => game::<SparseMarker>(sparse_marker, *size, 1_000),
        };
        let mut games: Vec<_> = sizes.iter().map(make).collect();
        for (size, [of_mod, native]) in sizes.iter().zip(times(effort, &mut games, 400)) {
            table.put(&format!("mod, {series}"), Point::measured(*size as f64, of_mod));
            table.put(&format!("native, {series}"), Point::measured(*size as f64, native));
        }
    }
    report.tables.push(table);

    let mut table = Table::new("matched_rows", "A mod in a World of 1,000,000 entities", "entities that it sees", "us");
    table.grows = true;
    table.method =
        "As above, by the number of entities that match. Below some hundred rows the call itself is what costs; from \
                    there on the exponent should be 1."
            .to_owned();
    let rows = effort.places(&[100, 1_000, 10_000, 100_000]);
    let mut games: Vec<_> = rows.iter().map(|rows| game::<Marker>(table_marker, 1_000_000, *rows)).collect();
    for (rows, [of_mod, native]) in rows.iter().zip(times(effort, &mut games, 200)) {
        table.put("mod", Point::measured(*rows as f64, of_mod));
        table.put("native", Point::measured(*rows as f64, native));
    }
    report.tables.push(table);
}
