//! The weather: writes a resource of the game, which draws the sky by it, and which other mods read.

use mod_sdk::prelude::*;

/// How long a day is, and how far it is from one storm to the next, in seconds.
const DAY: f32 = 96.0;
const STORMS: f32 = 41.0;

#[derive(Resource, Debug, Clone, Copy, PartialEq)]
#[resource(path = "swarm::Weather")]
struct Weather {
    wind: Vec2,
    rain: f32,
    light: f32,
}

#[derive(Resource)]
#[resource(settings)]
struct Settings {
    wind: f32,
    storms: bool,
}

#[mod_main]
fn main(app: &mut App) {
    app.add_systems(PreUpdate, change);
}

fn change(mut weather: ResMut<Weather>, time: Res<Time>, settings: Res<Settings>) {
    *weather = weather_at(time.elapsed_secs(), &settings);
}

fn weather_at(now: f32, settings: &Settings) -> Weather {
    let turns = |length: f32| now / length * std::f32::consts::TAU;
    let storm = if settings.storms { smooth(0.45, 0.95, (turns(STORMS) - 1.2).sin()) } else { 0.0 };
    let gust = 0.7 + 0.3 * (now * 0.9).sin() * (now * 0.37).cos();
    let direction = Vec2::from_angle(turns(67.0).sin() * 0.9 - 0.3);
    Weather {
        wind: direction * (14.0 + 60.0 * storm) * gust * settings.wind,
        rain: storm,
        light: (0.55 + 0.45 * turns(DAY).cos()) * (1.0 - 0.5 * storm),
    }
}

/// From 0 below `low` to 1 above `high`, without an edge.
fn smooth(low: f32, high: f32, value: f32) -> f32 {
    let part = ((value - low) / (high - low)).clamp(0.0, 1.0);
    part * part * (3.0 - 2.0 * part)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use mod_sdk::testing::SystemTest;

    use super::*;

    fn hours() -> impl Iterator<Item = f32> {
        (0..400).map(|quarter| quarter as f32 * 0.25)
    }

    #[test]
    fn there_are_storms_and_nights_and_both_end() {
        let days: Vec<_> = hours().map(|now| weather_at(now, &Settings::default())).collect();
        assert!(days.iter().all(|w| (0.0..=1.0).contains(&w.rain) && (0.0..=1.0).contains(&w.light)), "{days:?}");
        assert!(days.iter().any(|w| w.rain == 0.0) && days.iter().any(|w| w.rain == 1.0));
        assert!(days.iter().any(|w| w.light < 0.15) && days.iter().any(|w| w.light > 0.9));
    }

    #[test]
    fn the_player_decides() {
        let settings = Settings { wind: 0.0, storms: false };
        assert!(hours().map(|now| weather_at(now, &settings)).all(|w| w.wind == Vec2::ZERO && w.rain == 0.0));
    }

    #[test]
    fn the_game_gets_it() {
        let now = Duration::from_secs(18);
        let nothing = Weather { wind: Vec2::ZERO, rain: 0.0, light: 0.0 };
        let mut test = SystemTest::new(change)
            .resource(nothing)
            .resource(Time::for_test(now, Duration::from_millis(16)))
            .resource(Settings::default());
        test.run();
        assert_eq!(test.changed::<Weather>(0, 0), [(0, weather_at(18.0, &Settings::default()))]);
    }
}
