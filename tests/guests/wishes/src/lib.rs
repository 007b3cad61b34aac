//! A mod with settings of every kind: it tells the game what they are when it starts, and whenever they change.

use mod_sdk::prelude::*;

#[derive(Resource)]
#[resource(path = "all::settings::Said")]
struct Said {
    lines: Vec<String>,
}

/// Not every setting, and in another order than that of Cargo.toml.
#[derive(Resource, PartialEq)]
#[resource(settings)]
struct Settings {
    pace: Pace,
    season: String,
    hunting: bool,
    max_swarm: u8,
    offset: i64,
    appetite: f32,
    greeting: String,
}

#[derive(Reflect, Debug, PartialEq)]
enum Pace {
    Fast,
    VerySlow,
}

#[mod_main]
fn main(app: &mut App) {
    app.add_systems(Startup, |settings: Res<Settings>, mut said: ResMut<Said>| {
        let are_defaults = *settings == Settings::default();
        said.lines.push(format!("starts with {}, its defaults: {are_defaults}", line(&settings)));
    });
    app.add_systems(Update, tell);
}

fn tell(settings: Res<Settings>, mut said: ResMut<Said>) {
    if settings.is_changed() {
        said.lines.push(line(&settings));
    }
}

fn line(settings: &Settings) -> String {
    let Settings { pace, season, hunting, max_swarm, offset, appetite, greeting } = settings;
    format!("{pace:?} {season} {hunting} {max_swarm} {offset} {appetite} {greeting:?}")
}
