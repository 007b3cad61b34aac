//! What the game offers to mods as a value, and as the file `game-api.json`.
//!
//! The bridge finds out what the World offers; here is what it does not know: who the game is, and the schedules.

use std::path::Path;

use bevy_ecs::{system::Local, world::World};
use mod_host::{GameApi, GameApiError, OfferedSchedule};
use tracing::{error, info};

use crate::{
    bridge::api::{Granted, describe},
    lifecycle::{schedule::schedule_names, settings::ModSettings},
};

/// Describes a game for those who write mods for it, and for their tools.
pub trait DescribeGame {
    /// All that the game offers to mods now: the same that [`ModSettings::api_export`] writes to a file.
    ///
    /// ```
    /// # use bevy::prelude::*;
    /// # use bevy_wasm_mods::prelude::*;
    /// use bevy_wasm_mods::{DescribeGame, ModAccess};
    ///
    /// let mut app = App::new();
    /// app.add_plugins((MinimalPlugins, WasmModsPlugin));
    /// app.add_mod_import("announce", |text: In<String>| info!("{}", *text));
    ///
    /// let api = app.world_mut().game_api();
    /// assert_eq!(api.functions[0].name, "announce");
    /// let time = api.resources.iter().find(|one| one.path == "bevy_time::time::Time<()>").unwrap();
    /// assert!(time.can(ModAccess::Read) && !time.can(ModAccess::Write));
    /// ```
    ///
    /// What mods can do with a type follows [`ModSettings::permissions`], which hold for all mods. Functions and states are listed
    /// if any mod may use them.
    ///
    /// A component is among it once the World has met it: when it was spawned, or a system that names it has run. With
    /// `#[reflect(Component)]` on its type it always is. Types that mods define are not the game's and never are.
    fn game_api(&mut self) -> GameApi;
}

impl DescribeGame for World {
    fn game_api(&mut self) -> GameApi {
        let settings = self.get_resource::<ModSettings>();
        let permissions = settings.map(|settings| settings.permissions.clone()).unwrap_or_default();
        let single = settings.into_iter().flat_map(|settings| settings.overrides.values());
        let single = single.filter_map(|overrides| overrides.permissions.clone()).collect();
        let mut api = describe(self, &Granted { permissions, single });
        if let Some(settings) = self.get_resource::<ModSettings>() {
            api.game.clone_from(&settings.game);
            api.folder.clone_from(&settings.folder);
        }
        api.schedules.extend(schedule_names().map(|name| {
            let mut schedule = OfferedSchedule::default();
            name.clone_into(&mut schedule.name);
            schedule
        }));
        api
    }
}

/// Writes the file that the game asks for, once. By the second frame boundary the systems of the first frame have made
/// their components known to the World, and no time has passed that could make a difference.
pub(crate) fn export(world: &mut World, mut boundaries: Local<u8>) {
    if *boundaries >= 2 {
        return;
    }
    *boundaries += 1;
    if *boundaries < 2 {
        return;
    }
    let Some(path) = world.resource::<ModSettings>().api_export.clone() else { return };
    match save(world, &path) {
        Ok(()) => info!("what this game offers to mods stands in {}", path.display()),
        Err(error) => error!("{error}"),
    }
}

fn save(world: &mut World, path: &Path) -> Result<(), GameApiError> {
    world.game_api().save(path)
}
