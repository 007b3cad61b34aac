//! The frame boundary: what happened to files, what the background has finished, what failed.
//!
//! Runs in a schedule of its own before `First`, so that no schedule that holds slots is running when they change.

use bevy_asset::{AssetServer, Assets};
use bevy_ecs::{schedule::ScheduleLabel, system::Local, world::World};
use tracing::error;

use crate::{
    asset::ModFile,
    lifecycle::{
        bytes::{Cursors, start_tasks, take_bytes},
        files,
        hand_over::count_probation,
        registry::{Listing, ModRegistry},
        requests::carry_out,
        settle::{retry_duplicates, retry_waiting, take_prepared, tell_faults},
    },
};

/// The schedule in which mods are installed, replaced and stopped. It runs before `First`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, ScheduleLabel)]
pub struct MaintainMods;

/// One pass over everything that may have happened since the last frame.
pub(crate) fn maintain(world: &mut World, mut cursors: Local<Cursors>) {
    if !can_load(world) {
        return;
    }
    tell_faults(world);
    count_probation(world);
    carry_out(world);
    files::find(world);
    #[cfg(feature = "hot_reload")]
    files::take_changes(world);
    take_bytes(world, &mut cursors);
    take_prepared(world);
    retry_waiting(world);
    retry_duplicates(world);
    start_tasks(world);
    // A start-up system may have brought another mod down just now.
    tell_faults(world);
}

/// Whether this game can load mods at all. If not, says why, once.
fn can_load(world: &mut World) -> bool {
    let (has_server, has_assets) =
        (world.contains_resource::<AssetServer>(), world.contains_resource::<Assets<ModFile>>());
    let Some(mut runtime) = world.get_resource_mut::<ModRegistry>() else { return false };
    if runtime.engine.is_some() && has_server && has_assets {
        return true;
    }
    let is_first = matches!(runtime.listing, Listing::NotYet);
    // Nothing will come, so nobody needs to wait for it.
    runtime.listing = Listing::Done;
    if is_first && runtime.engine.is_some() {
        error!("no mods can be loaded: {}", if has_server { TOO_LATE } else { NO_ASSETS });
    }
    false
}

const NO_ASSETS: &str = "this game has no `AssetPlugin` to read them with, and `App::finish` did not run to add one";
const TOO_LATE: &str =
    "`AssetPlugin` came after `WasmModsPlugin`, and `App::finish` did not run to bring them together";
