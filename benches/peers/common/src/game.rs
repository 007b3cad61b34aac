//! The games whose frames are timed: with mods, without, and without what runs mods. Who asks for times is not known here.

use std::{
    fs,
    path::Path,
    time::{Duration, Instant},
};

use bevy::{
    asset::AssetPlugin,
    ecs::schedule::{Schedules, SingleThreadedExecutor},
    prelude::{App, MinimalPlugins, default},
};

use crate::{
    contender::{Case, Contender, Row},
    work,
};

/// How long mods may take until they are in play.
const PATIENCE: Duration = Duration::from_secs(120);

/// A game for one case.
pub struct Game {
    app: App,
}

impl Game {
    /// A game in which the mods of `assets/mods` are in play.
    ///
    /// # Errors
    /// When they do not get there, or change nothing in the World that they should change.
    pub fn with_mods(contender: &dyn Contender, case: Case, assets: &Path) -> Result<Self, String> {
        let mut game = Self::with_files(contender, case, assets)?;
        let start = Instant::now();
        while !contender.are_ready(&mut game.app, case) {
            if start.elapsed() > PATIENCE {
                return Err("the mods never came into play".to_owned());
            }
            game.app.update();
        }
        game.calm();
        Ok(game)
    }

    /// Starts a game of a hundred entities, as Bevy runs it by default, and runs it until one of them has moved.
    ///
    /// # Errors
    /// When none does.
    pub fn first_frame(contender: &dyn Contender, assets: &Path) -> Result<(), String> {
        let mut game = Self::with_files(contender, Case { row: Row::Move, n: 100 }, assets)?;
        let before = work::checksum(game.app.world_mut());
        let start = Instant::now();
        while work::checksum(game.app.world_mut()) == before {
            if start.elapsed() > PATIENCE {
                return Err("the mod never came into play".to_owned());
            }
            game.app.update();
        }
        Ok(())
    }

    fn with_files(contender: &dyn Contender, case: Case, assets: &Path) -> Result<Self, String> {
        let mut app = app(case, assets);
        contender.add_plugins(&mut app, assets);
        let mut files: Vec<String> = fs::read_dir(assets.join("mods"))
            .map_err(|error| format!("{}: {error}", assets.display()))?
            .filter_map(|entry| Some(entry.ok()?.file_name().to_string_lossy().into_owned()))
            .collect();
        files.sort();
        let mut game = Self::started(app);
        contender.add_mods(&mut game.app, case, &files);
        Ok(game)
    }

    /// The same game without any mod. `assets/mods` is empty.
    #[must_use]
    pub fn without_mods(contender: &dyn Contender, case: Case, assets: &Path) -> Self {
        let mut app = app(case, assets);
        contender.add_plugins(&mut app, assets);
        let mut game = Self::started(app);
        game.app.update();
        game.calm();
        game
    }

    /// The same game, which could not have any.
    #[must_use]
    pub fn bare(case: Case, assets: &Path) -> Self {
        let mut game = Self::started(app(case, assets));
        game.app.update();
        game.calm();
        game
    }

    fn started(mut app: App) -> Self {
        app.finish();
        app.cleanup();
        Self { app }
    }

    /// Has all systems run one after the other: what it takes to wake threads up would be most of the shorter frames.
    fn calm(&mut self) {
        let mut schedules = self.app.world_mut().resource_mut::<Schedules>();
        for (_, schedule) in schedules.iter_mut() {
            schedule.set_executor(SingleThreadedExecutor::new());
        }
    }

    /// Runs frames, and says what each took.
    pub fn frames(&mut self, count: usize) -> Vec<Duration> {
        (0..count)
            .map(|_| {
                let start = Instant::now();
                self.app.update();
                start.elapsed()
            })
            .collect()
    }

    /// Runs three frames from the beginning, and says what became of the World.
    pub fn checksum(&mut self) -> u64 {
        work::reset(self.app.world_mut());
        self.frames(3);
        work::checksum(self.app.world_mut())
    }
}

fn app(case: Case, assets: &Path) -> App {
    let mut app = App::new();
    let assets = AssetPlugin { file_path: assets.to_string_lossy().into_owned(), ..default() };
    app.add_plugins((MinimalPlugins, assets));
    work::prepare(&mut app, case);
    app
}
