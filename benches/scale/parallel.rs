//! Whether mods that have nothing to do with each other run at the same time.

use bench_report::{Point, Report, Table, interleaved};
use bevy::prelude::{App, Component, Query, Reflect, ReflectComponent, Update};

use crate::{
    Effort,
    game::{Game, Module, THREADS},
    guests,
};

const MODS: usize = 8;
const ROWS: usize = 60_000;

/// What all of them want in the game where they have to run one after the other.
#[derive(Component, Reflect, Debug, Default)]
#[reflect(Component)]
struct Shared {
    value: f32,
}

fn shared(_: Query<&mut Shared>) {}

macro_rules! own {
    ($($name:ident)*) => {
        $(
            #[derive(Component, Reflect, Debug, Default)]
            #[reflect(Component)]
            struct $name {
                value: f32,
            }
        )*

        const PATHS: [&str; MODS] = [$(concat!("scale::parallel::", stringify!($name))),*];

        fn fill(app: &mut App) {
            app.register_type::<Shared>();
            $(
                app.register_type::<$name>();
                app.world_mut().spawn_batch((0..ROWS).map(|_| $name::default()));
            )*
        }

        fn natives(app: &mut App, is_shared: bool) {
            $({
                fn work(mut values: Query<&mut $name>) {
                    for mut value in &mut values {
                        let mut number = value.value;
                        for _ in 0..NATIVE_STEPS {
                            number = std::hint::black_box(number + 1.0);
                        }
                        value.value = number;
                    }
                }
                fn work_shared(values: Query<&mut $name>, all: Query<&mut Shared>) {
                    work(values);
                    shared(all);
                }
                if is_shared {
                    app.add_systems(Update, work_shared);
                } else {
                    app.add_systems(Update, work);
                }
            })*
        }
    };
}

own!(First Second Third Fourth Fifth Sixth Seventh Eighth);

/// So that native systems have about as much to do as mods.
const NATIVE_STEPS: usize = 8;

fn modules(is_shared: bool) -> Vec<Module> {
    let shared = is_shared.then_some("scale::parallel::Shared");
    PATHS.iter().enumerate().map(|(number, path)| guests::worker(&format!("worker_{number}"), path, shared)).collect()
}

pub(crate) fn measure(effort: Effort, report: &mut Report) {
    let mut table = Table::new("parallel", "A frame of 8 mods, each with 60,000 entities of its own", "systems", "us");
    table.method = format!(
        "{THREADS} threads for systems. Each mod adds one to {ROWS} values of a component that no other one wants; then they run at \
         the same time. Where all of them want one more component, they run one after the other. The same with systems of the \
         game, which says what the machine had to give while this was measured. `parallel_8_mods` is the time one after the other by \
         that at the same time: 2 is the most, 1.7 the bar on a machine that is not busy with anything else."
    );
    let mut games: Vec<_> = [false, true].map(|is_shared| Game::new(&modules(is_shared), &[], fill)).into();
    for is_shared in [false, true] {
        let mut game = Game::new(&[], &[], fill);
        natives(&mut game.app, is_shared);
        games.push(game);
    }
    // Schedules are built in the first frames.
    for game in &mut games {
        (0..5).for_each(|_| _ = game.frame());
    }
    let times = interleaved(&mut games, effort.rounds(200), |game| {
        game.frame();
        game.frame() * 1e6
    });
    games.iter().for_each(Game::check);
    let cases = [
        ("mods", "at the same time"),
        ("mods", "one after the other"),
        ("native", "at the same time"),
        ("native", "one after the other"),
    ];
    cases.iter().zip(&times).for_each(|((series, case), time)| table.put(series, Point::measured(*case, *time)));
    if let [mods, mods_in_turn, natives, natives_in_turn] = times[..] {
        report.ratio("parallel_8_mods", mods_in_turn / mods);
        report.ratio("parallel_8_native", natives_in_turn / natives);
    }
    report.tables.push(table);
}
