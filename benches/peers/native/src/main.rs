//! The floor: the same systems, compiled into the game.

use std::{hint::black_box, path::Path, process::ExitCode};

use bevy::prelude::{
    App, Commands, Entity, IntoScheduleConfigs, Local, MessageReader, Query, Single, Transform, Update, With,
};
use common::{CALLS, Case, Contender, Counter, DT, Hit, Row, SPARKS, Spark, Tally, Velocity, add, serve};

fn main() -> ExitCode {
    serve(&Native)
}

struct Native;

impl Contender for Native {
    fn add_plugins(&self, _: &mut App, _: &Path) {}

    fn add_mods(&self, app: &mut App, case: Case, _: &[String]) {
        for _ in 0..case.mods() {
            let system = match case.row {
                Row::Idle => (|| {}).into_configs(),
                Row::Move => update.into_configs(),
                Row::Many => count.into_configs(),
                Row::Spawn => spawn.into_configs(),
                Row::Messages => hear.into_configs(),
                Row::Calls => call.into_configs(),
            };
            app.add_systems(Update, system);
        }
    }

    fn are_ready(&self, _: &mut App, _: Case) -> bool {
        true
    }
}

fn update(mut query: Query<(&mut Transform, &Velocity)>) {
    for (mut transform, velocity) in &mut query {
        transform.translation.x += velocity.x * DT;
        transform.translation.y += velocity.y * DT;
        transform.translation.z += velocity.z * DT;
    }
}

fn count(mut query: Query<&mut Counter>) {
    for mut counter in &mut query {
        counter.value += 1;
    }
}

fn spawn(sparks: Query<Entity, With<Spark>>, mut commands: Commands) {
    for spark in &sparks {
        commands.entity(spark).despawn();
    }
    for value in 0..SPARKS {
        commands.spawn(Spark { value });
    }
}

fn hear(mut hits: MessageReader<Hit>, mut tally: Single<&mut Tally>) {
    for hit in hits.read() {
        tally.value += hit.amount;
    }
}

fn call(mut tally: Single<&mut Tally>, mut function: Local<Option<fn(u32, u32) -> u32>>) {
    // Behind a pointer, as the functions of a plugin would be.
    let function = black_box(*function.get_or_insert(add));
    tally.value = (0..CALLS).fold(0, function);
}
