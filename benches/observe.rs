//! What it costs that mods are observed: diagnostics that are on beside diagnostics that are off, and spans that nobody takes.
//!
//! `cargo bench --bench observe` writes `target/bench/observe.json`; with `--quick` it takes seconds. With `--features trace`
//! the spans are there, and still nobody takes them. For exact numbers,
//! `valgrind --tool=callgrind <the binary> --count empty 1000` runs a system so often and does nothing else: the difference
//! between two such runs is what one run of the system takes, in instructions.

#![expect(clippy::expect_used, clippy::panic, reason = "a benchmark fails by a panic that says why")]

use std::{
    hint::black_box,
    time::{Duration, Instant},
};

use bench_report::{Point, Report, Table, median};
use bevy::{
    ecs::{
        schedule::{Schedules, SystemWithAccess},
        system::{IntoSystem, System},
    },
    prelude::{App, First, PostUpdate, PreUpdate, Update},
};
use bevy_wasm_mods::MaintainMods;
use bevy_wasm_mods::prelude::{ModDiagnosticsPlugin, ModRegistry};
use mod_abi::describe::ParamDesc;

#[path = "../tests/all/fixtures.rs"]
mod fixtures;
#[path = "../tests/all/support.rs"]
#[expect(dead_code, reason = "tests need more")]
mod support;

use fixtures::Health;
use support::{Game, HEAL, Mod, query};

/// A game with one mod, whose system is run by hand.
struct Watched {
    game: Game,
    system: Box<dyn System<In = (), Out = ()>>,
}

impl Watched {
    fn new(name: &str, with_diagnostics: bool) -> Self {
        let mut module = Mod::new("watched");
        let health = module.ty("Health", "{value:f32}");
        let (params, rows) = match name {
            "empty" => (vec![], 0),
            "rows" => (vec![query(&[], &[health])], 10_000),
            "commands" => (vec![ParamDesc::Commands], 0),
            other => panic!("there is no system `{other}`; try `empty`, `rows` or `commands`"),
        };
        let body = if name == "rows" { HEAL } else { "" };
        let module = module.system(name, "Update", params).run(body).build();
        let mut game = Game::with_mods(&[("watched.wasm", &module)]);
        if with_diagnostics {
            game.app.add_plugins(ModDiagnosticsPlugin::default());
        }
        game.app.world_mut().register_component::<Health>();
        game.app.world_mut().spawn_batch((0..rows).map(|_| Health::default()));
        until_running(&mut game.app);
        let system = take_system(&mut game.app, name);
        Self { game, system }
    }

    fn run(&mut self) {
        black_box(self.system.run((), self.game.app.world_mut())).expect("it runs");
    }

    /// What happens for the mod in a frame: the boundary, the schedule in which diagnostics are measured, the system.
    fn frame(&mut self) {
        let world = self.game.app.world_mut();
        world.run_schedule(MaintainMods);
        world.run_schedule(First);
        self.run();
    }

    /// Seconds that one of `rounds` takes.
    fn time(&mut self, rounds: u32, mut work: impl FnMut(&mut Self)) -> f64 {
        let start = Instant::now();
        (0..rounds).for_each(|_| work(self));
        start.elapsed().as_secs_f64() / f64::from(rounds)
    }
}

/// Runs frames without `Update`, from which a system can be taken only as long as it has not run.
fn until_running(app: &mut App) {
    let start = Instant::now();
    while !app.world().resource::<ModRegistry>().is_running("watched") {
        assert!(start.elapsed() < Duration::from_secs(60), "the mod never came into play");
        let world = app.world_mut();
        world.run_schedule(MaintainMods);
        world.run_schedule(First);
        world.run_schedule(PreUpdate);
        world.run_schedule(PostUpdate);
    }
}

/// Takes a system of the mod out of its schedule, ready to run.
fn take_system(app: &mut App, name: &str) -> Box<dyn System<In = (), Out = ()>> {
    let world = app.world_mut();
    let mut schedules = world.remove_resource::<Schedules>().expect("there are schedules");
    let graph = schedules.get_mut(Update).expect("the mod has a system in it").graph_mut();
    let of_mod = |full: String| full.ends_with(&format!("::{name}"));
    let key = graph.systems.iter().find(|(_, system, _)| of_mod(system.name().to_string())).map(|(key, ..)| key);
    let place = graph.systems.get_mut(key.expect("it has been added")).expect("it was just found");
    let nothing = SystemWithAccess::new(Box::new(IntoSystem::into_system(|| {})));
    let mut system = std::mem::replace(place, nothing);
    system.initialize(world);
    world.insert_resource(schedules);
    Box::new(system)
}

/// Runs a system so often, for a tool that counts instructions.
fn count(name: &str, rounds: u32) {
    let mut watched = Watched::new(name, false);
    (0..rounds).for_each(|_| watched.run());
}

const METHOD: &str = "\
Each figure is of one mod with one system: one without parameters, and one that writes 10,000 rows of four bytes. A frame is the \
frame boundary (`MaintainMods`), the schedule `First`, in which diagnostics are measured, and one run of the system. Games with \
and without `ModDiagnosticsPlugin` take turns, and so does a second game without it, which shows the noise. \
What is counted is counted in both. The bar: with the plugin a frame takes at most 5 us more.";

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let Some(place) = arguments.iter().position(|argument| argument == "--count") {
        let [name, rounds, ..] = &arguments[place + 1..] else { panic!("say which system, and how often") };
        return count(name, rounds.parse().expect("a number"));
    }
    let is_quick = arguments.iter().any(|argument| argument == "--quick");
    let spans = if cfg!(feature = "trace") { "_with_spans" } else { "" };
    let mut report = Report::new(&format!("observe{spans}"));
    let mut frames = Table::new("frames", "A frame with a mod that is observed", "the mod's system", "us");
    frames.method = METHOD.to_owned();
    let mut runs = Table::new("runs", "A run of a mod's system", "the mod's system", "us");
    runs.method = format!(
        "One run of the system by itself, with the feature `trace` {}.",
        if spans.is_empty() { "off: there are no spans" } else { "on and nobody who takes the spans" }
    );
    for (name, title, rounds) in [("empty", "without parameters", 200), ("rows", "10,000 rows", 20)] {
        let contenders = [("without", false), ("without, once more", false), ("with the plugin", true)];
        let mut games: Vec<Watched> = contenders.iter().map(|(_, on)| Watched::new(name, *on)).collect();
        let samples = if is_quick { 20 } else { 500 };
        let mut times = vec![Vec::new(); games.len()];
        let mut run_times = Vec::new();
        for _ in 0..samples {
            for (game, times) in games.iter_mut().zip(&mut times) {
                times.push(game.time(rounds, Watched::frame));
            }
            run_times.push(games[0].time(rounds, Watched::run));
        }
        games.iter().for_each(Watched::check);
        let medians: Vec<f64> = times.into_iter().map(|times| median(times) * 1e6).collect();
        for ((series, _), time) in contenders.iter().zip(&medians) {
            frames.put(series, Point::measured(title, *time));
        }
        runs.put("a run", Point::measured(title, median(run_times) * 1e6));
        report.ratio(&format!("diagnostics_on_ratio_{name}"), medians[2] / medians[0]);
        report.ratio(&format!("diagnostics_noise_ratio_{name}"), medians[1] / medians[0]);
        report.ratio(&format!("diagnostics_on_more_us_{name}"), medians[2] - medians[0]);
    }
    report.tables.extend([frames, runs]);
    report.write().expect("the report can be written");
}

impl Watched {
    #[track_caller]
    fn check(&self) {
        assert!(self.game.app.world().resource::<ModRegistry>().is_running("watched"), "the mod failed");
    }
}
