//! Resources, clocks and input.

use mod_sdk::prelude::*;

use crate::game::{Report, Soil};

#[derive(Resource)]
#[resource(path = "all::fixtures::Score")]
struct Score {
    points: u64,
}

pub(crate) fn add(app: &mut App) {
    app.add_systems(Update, (dig, clocks, press).chain()).add_systems(FixedUpdate, fixed_clock);
}

fn dig(
    mut soil: ResMut<Soil>,
    score: Option<Res<Score>>,
    mut maybe: Option<ResMut<Compost>>,
    mut report: ResMut<Report>,
) {
    soil.depth += 1;
    if let Some(maybe) = &mut maybe {
        maybe.value += 1.0;
    }
    let points = score.map(|score| score.points);
    report.tell(format!("dig: {points:?} {:?}", maybe.map(|maybe| maybe.value)));
}

/// Not there at first.
#[derive(Resource)]
#[resource(path = "all::sdk::orchard::Compost")]
struct Compost {
    value: f32,
}

fn clocks(
    time: Res<Time>,
    real: Res<Time<Real>>,
    game: Res<Time<Virtual>>,
    fixed: Res<Time<Fixed>>,
    mut report: ResMut<Report>,
) {
    report.tell(format!(
        "clocks: {:?} {:?} {:?} {} {} {:?}",
        time.delta(),
        real.delta(),
        game.delta(),
        game.relative_speed(),
        game.is_paused(),
        fixed.timestep(),
    ));
}

fn fixed_clock(time: Res<Time>, mut report: ResMut<Report>) {
    report.tell(format!("fixed: {:?}", time.delta()));
}

fn press(keys: Res<ButtonInput<KeyCode>>, mouse: Res<ButtonInput<MouseButton>>, mut report: ResMut<Report>) {
    report.tell(format!(
        "press: {} {} {} {:?} {} {}",
        keys.pressed(KeyCode::KeyW),
        keys.just_pressed(KeyCode::KeyW),
        keys.just_released(KeyCode::KeyW),
        keys.get_pressed().collect::<Vec<_>>(),
        mouse.pressed(MouseButton::Left),
        mouse.pressed(MouseButton::Other(7)),
    ));
}
