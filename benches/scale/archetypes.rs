//! In how many archetypes the rows of a query are.

use bench_report::{Point, Report, Table, interleaved};
use bevy::{
    ecs::world::EntityWorldMut,
    prelude::{Component, Query, Update, World},
};

use crate::{
    Effort,
    game::{Game, Taken, Value},
    guests,
};

/// One of those components by which archetypes differ.
#[derive(Component)]
struct Bit<const N: usize>;

fn mark(entity: &mut EntityWorldMut, number: usize) {
    macro_rules! bits {
        ($($bit:literal)*) => {$(if number & (1 << $bit) != 0 { entity.insert(Bit::<$bit>); })*};
    }
    bits!(0 1 2 3 4 5 6 7 8 9);
}

/// So many archetypes of so many entities each.
fn fill(world: &mut World, archetypes: usize, rows: usize) {
    for number in 0..archetypes {
        for _ in 0..rows {
            mark(&mut world.spawn(Value::default()), number);
        }
    }
}

fn native(mut values: Query<&mut Value>) {
    for mut value in &mut values {
        value.value += 1.0;
    }
}

pub(crate) fn measure(effort: Effort, report: &mut Report) {
    let places = effort.places(&[10, 100, 1_000]);
    let kinds: [(&str, &str, &str, fn(usize) -> usize); 2] = [
        (
            "archetypes",
            "A query over many archetypes of 10 entities each",
            "The exponents should be 1 at the most.",
            |_| 10,
        ),
        (
            "fragments",
            "A query over 10,000 entities in many archetypes",
            "The exponents should be 0 as long as rows cost more than archetypes.",
            |archetypes| 10_000 / archetypes,
        ),
    ];
    for (name, title, bar, rows) in kinds {
        let mut table = Table::new(name, title, "archetypes", "us");
        table.grows = true;
        table.method = format!(
            "A system with `Query<&mut Value>` adds one to each value. Its run alone is timed, of a mod and natively, taking turns. {bar}"
        );
        let make = |archetypes: &usize| {
            let mut game = Game::new(&[guests::active("walker")], &[], |app| {
                fill(app.world_mut(), *archetypes, rows(*archetypes));
            });
            let systems = [game.systems(Update, "work").remove(0), game.native(native)];
            (game, systems)
        };
        let mut games: Vec<(Game, [Taken; 2])> = places.iter().map(make).collect();
        for (which, series) in ["mod", "native"].into_iter().enumerate() {
            let times = interleaved(&mut games, effort.rounds(400), |(game, systems)| {
                game.run(&mut systems[which..=which]);
                game.run(&mut systems[which..=which]) * 1e6
            });
            places.iter().zip(times).for_each(|(at, time)| table.put(series, Point::measured(*at as f64, time)));
        }
        games.iter().for_each(|(game, _)| game.check());
        report.tables.push(table);
    }
}
