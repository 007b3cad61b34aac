//! How much a mod leaves to be done in a frame.

use bench_report::{Point, Report, Table, interleaved};
use bevy::prelude::{Commands, Entity, Update, With};

use crate::{
    Effort,
    game::{Game, Value},
    guests,
};

fn clear(game: &mut Game) {
    let world = game.world();
    let all: Vec<_> = world.query_filtered::<Entity, With<Value>>().iter(world).collect();
    for entity in all {
        world.despawn(entity);
    }
}

pub(crate) fn measure(effort: Effort, report: &mut Report) {
    let mut table = Table::new("spawned", "Entities that a mod spawns in a frame", "entities", "us");
    table.grows = true;
    table.method = "A system with `Commands` spawns entities with one component. Its run and its sync point are timed, of a mod and \
                    natively; what was spawned is despawned between two runs, in a frame of the game. The exponent should be \
                    1 from some hundred entities on; below, what is paid once for each sync point is what costs."
        .to_owned();
    let places = effort.places(&[1, 10, 100, 1_000, 10_000]);
    let make = |count: usize| {
        let mut game = Game::new(&[guests::spawner("spawner", count)], &[], |_| {});
        let native = move |mut commands: Commands| {
            for _ in 0..count {
                commands.spawn(Value::default());
            }
        };
        let systems = [game.systems(Update, "spawn").remove(0), game.native(native)];
        (game, systems)
    };
    for count in places {
        let (mut game, mut systems) = make(count);
        let times = interleaved(&mut systems, effort.rounds(100), |system| {
            // What a mod may leave counts over a frame.
            game.frame();
            clear(&mut game);
            let system = std::slice::from_mut(system);
            (game.run(system) + game.apply(system)) * 1e6
        });
        game.check();
        let names = ["mod", "native"];
        names.iter().zip(times).for_each(|(series, time)| table.put(series, Point::measured(count as f64, time)));
    }
    report.tables.push(table);
}
