//! wasvy 0.0.9: components of the component model, and JSON.

use std::{path::Path, process::ExitCode};

use bevy::{
    ecs::{schedule::Schedules, system::RunSystemOnce},
    prelude::{App, Update},
};
use common::{Case, Contender, Row, add, serve};
use wasvy::prelude::{ModLoaderPlugin, ModSchedule, Mods};

fn main() -> ExitCode {
    serve(&Wasvy)
}

struct Wasvy;

impl Contender for Wasvy {
    fn can(&self, row: Row) -> Result<(), &'static str> {
        match row {
            Row::Messages => Err("cannot: its systems take commands and queries, and nothing else (`wasvy-ecs.wit`)"),
            _ => Ok(()),
        }
    }

    fn add_plugins(&self, app: &mut App, _: &Path) {
        let plugin = ModLoaderPlugin::unscheduled()
            .enable_schedule(ModSchedule::ModStartup)
            .enable_schedule(ModSchedule::Update)
            .add_functionality(|linker| {
                let mut root = linker.root();
                let added = root.func_wrap("add", |_, (a, b): (u32, u32)| Ok((add(a, b),)));
                added.expect("nothing else is called so");
            });
        app.add_plugins(plugin);
    }

    fn add_mods(&self, app: &mut App, _: Case, files: &[String]) {
        let files = files.to_vec();
        let load = move |mut mods: Mods| files.iter().for_each(|file| mods.load(format!("mods/{file}")));
        app.world_mut().run_system_once(load).expect("the plugin is there");
    }

    /// It says of no mod whether it runs. But nobody else has systems in `Update`.
    fn are_ready(&self, app: &mut App, case: Case) -> bool {
        let schedules = app.world().resource::<Schedules>();
        schedules.get(Update).is_some_and(|schedule| schedule.systems_len() == case.mods())
    }
}
