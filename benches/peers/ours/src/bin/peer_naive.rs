//! What a naive host does: in each frame the game collects everything that a mod may read, hands it to an exported function of
//! the mod through serde and bincode, and stores what comes back. The host is `bevy_wasm_mods`, so that only this differs.

use std::{path::Path, process::ExitCode, sync::Arc};

use bevy::prelude::{
    App, Commands, Entity, IntoScheduleConfigs, Local, MessageReader, Quat, Query, Res, Result, Single, Transform,
    Update, With,
};
use bevy_wasm_mods::prelude::{ModRegistry, Mods};
use common::{Case, Contender, Counter, Hit, Row, Spark, Tally, Velocity, serve};

/// Translation, rotation and scale.
type Place = ([f32; 3], [f32; 4], [f32; 3]);

fn main() -> ExitCode {
    serve(&Naive)
}

struct Naive;

impl Contender for Naive {
    fn can(&self, row: Row) -> Result<(), &'static str> {
        match row {
            Row::Calls => Err("the same as bevy_wasm_mods: calls of the game go through serde in either"),
            _ => Ok(()),
        }
    }

    fn add_plugins(&self, app: &mut App, assets: &Path) {
        peer_ours::add_plugins(app, assets);
    }

    fn add_mods(&self, app: &mut App, case: Case, _: &[String]) {
        let ready = move |registry: Res<ModRegistry>| peer_ours::are_ready(&registry, case);
        let system = match case.row {
            Row::Idle => idle.into_configs(),
            Row::Move => update.into_configs(),
            Row::Many => count.into_configs(),
            Row::Spawn => spawn.into_configs(),
            Row::Messages => hear.into_configs(),
            Row::Calls => return,
        };
        app.add_systems(Update, system.run_if(ready));
    }

    fn are_ready(&self, app: &mut App, case: Case) -> bool {
        peer_ours::are_ready(app.world().resource(), case)
    }
}

/// The ids of all mods, looked up once.
fn ids<'a>(known: &'a mut Vec<Arc<str>>, mods: &Mods) -> &'a [Arc<str>] {
    if known.is_empty() {
        known.extend(mods.iter().map(|info| info.id.clone()));
    }
    known
}

fn idle(mut mods: Mods, mut known: Local<Vec<Arc<str>>>) -> Result {
    for id in ids(&mut known, &mods) {
        mods.call::<_, ()>(id, "idle", &())?;
    }
    Ok(())
}

fn update(mut mods: Mods, mut query: Query<(&mut Transform, &Velocity)>, mut known: Local<Vec<Arc<str>>>) -> Result {
    for id in ids(&mut known, &mods) {
        let row = |(place, speed): (&Transform, &Velocity)| {
            let place = (place.translation.to_array(), place.rotation.to_array(), place.scale.to_array());
            (place, [speed.x, speed.y, speed.z])
        };
        let rows: Vec<(Place, [f32; 3])> = query.iter().map(row).collect();
        let moved: Vec<Place> = mods.call(id, "update", &rows)?;
        for ((mut transform, _), (translation, rotation, scale)) in query.iter_mut().zip(moved) {
            transform.translation = translation.into();
            transform.rotation = Quat::from_array(rotation);
            transform.scale = scale.into();
        }
    }
    Ok(())
}

fn count(mut mods: Mods, mut query: Query<&mut Counter>, mut known: Local<Vec<Arc<str>>>) -> Result {
    for id in ids(&mut known, &mods) {
        let counters: Vec<u32> = query.iter().map(|counter| counter.value).collect();
        let counters: Vec<u32> = mods.call(id, "count", &counters)?;
        for (mut counter, value) in query.iter_mut().zip(counters) {
            counter.value = value;
        }
    }
    Ok(())
}

fn spawn(
    mut mods: Mods,
    sparks: Query<Entity, With<Spark>>,
    mut commands: Commands,
    mut known: Local<Vec<Arc<str>>>,
) -> Result {
    for spark in &sparks {
        commands.entity(spark).despawn();
    }
    for id in ids(&mut known, &mods) {
        let values: Vec<u32> = mods.call(id, "spawn", &())?;
        for value in values {
            commands.spawn(Spark { value });
        }
    }
    Ok(())
}

fn hear(
    mut mods: Mods,
    mut hits: MessageReader<Hit>,
    mut tally: Single<&mut Tally>,
    mut known: Local<Vec<Arc<str>>>,
) -> Result {
    let amounts: Vec<u32> = hits.read().map(|hit| hit.amount).collect();
    for id in ids(&mut known, &mods) {
        let sum: u32 = mods.call(id, "hear", &amounts)?;
        tally.value += sum;
    }
    Ok(())
}
