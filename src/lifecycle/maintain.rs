//! The frame boundary: what happened to files, what the background has finished, what failed.
//!
//! Runs in a schedule of its own before `First`, so that no schedule that holds slots is running when they change. A mod that does
//! nothing costs nothing here: no frame goes through all mods or files, unless something is on its way.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use bevy_asset::{AssetServer, Assets};
use bevy_ecs::{change_detection::DetectChangesMut, schedule::ScheduleLabel, system::Local, world::World};
use bevy_time::Time;
use tracing::error;

use crate::{
    asset::ModFile,
    bridge::{definitions::ExpectedMods, frame::FrameNumber, messages, observers::inbox},
    lifecycle::{
        bytes::{Cursors, identify, start_tasks, take_bytes, take_identified},
        files::{self, stem_of},
        hand_over::count_probation,
        install::settle_late_types,
        load_order, reach,
        registry::{FileRecord, Listing, ModRecord, ModRegistry},
        requests::carry_out,
        restart,
        save::take_over::take_over_late,
        settings::ModSettings,
        settle::{retry_waiting, take_prepared, tell_faults},
        usage,
    },
};

/// The schedule in which mods are installed, replaced and stopped. It runs before `First`.
///
/// ```
/// # use bevy::prelude::*;
/// # use bevy_wasm_mods::prelude::*;
/// use bevy_wasm_mods::MaintainMods;
///
/// fn before_any_mod_changes() {}
///
/// # let mut app = App::new();
/// # app.add_plugins((MinimalPlugins, WasmModsPlugin));
/// app.add_systems(MaintainMods, before_any_mod_changes);
/// # app.update();
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, ScheduleLabel)]
pub struct MaintainMods;

/// One pass over everything that may have happened since the last frame.
pub(crate) fn maintain(world: &mut World, mut cursors: Local<Cursors>) {
    FrameNumber::of(world).begin();
    if !can_load(world) {
        return;
    }
    usage::new_frame(world);
    let awake = begin_frame(world);
    messages::defined::update(world);
    restart::new_frame(world);
    wake_those_who_wait(world, &awake);
    tell_faults(world);
    count_probation(world);
    settle_late_types(world);
    carry_out(world);
    files::find(world);
    #[cfg(feature = "hot_reload")]
    files::take_changes(world);
    take_bytes(world, &mut cursors);
    if may_move(world) {
        identify(world);
        take_identified(world);
    }
    load_order::decide(world);
    if may_move(world) {
        expect_mods(world);
        take_prepared(world);
    }
    retry_waiting(world);
    take_over_late(world);
    restart::begin(world);
    if may_move(world) {
        start_tasks(world);
        world.resource_mut::<ModRegistry>().files.settle_down();
    }
    // A start-up system may have brought another mod down just now.
    tell_faults(world);
    reach::widen(world);
}

/// Whether there may be something to do for a file, or it is not known yet which mods there may be.
fn may_move(world: &World) -> bool {
    let more = world.get_resource::<ExpectedMods>().is_some_and(|mods| mods.more);
    more || world.resource::<ModRegistry>().may_move()
}

/// Begins a frame for the mods that did something in the one before, and returns their ids. Where the game sets the clocks
/// that mods see, it begins for all.
fn begin_frame(world: &mut World) -> BTreeSet<Arc<str>> {
    let awake = FrameNumber::of(world).take_awake();
    let sets_clocks = world.resource::<ModSettings>().deterministic;
    let now = world.get_resource::<Time>().map_or(Duration::ZERO, Time::elapsed);
    let mods = &world.resource::<ModRegistry>().mods;
    let begin = |record: &ModRecord| {
        if let Some(running) = &record.running {
            running.handle.begin_frame(now, sets_clocks);
        }
    };
    if sets_clocks {
        mods.values().for_each(begin);
    } else {
        awake.iter().filter_map(|id| mods.get(id)).for_each(begin);
    }
    awake
}

/// Notes which mods there may be, so that a mod that names a type of another one waits for it.
fn expect_mods(world: &mut World) {
    let more = world.get_resource::<ExpectedMods>().is_none_or(|mods| mods.more);
    let Some(registry) = world.get_resource::<ModRegistry>() else { return };
    if registry.is_settled() && !more {
        return;
    }
    let of_file = |(file, record): (&String, &FileRecord)| {
        record.identity.as_ref().map_or_else(|| stem_of(file), |identity| identity.id.clone())
    };
    let ids = registry.files.iter().map(of_file).chain(registry.mods.keys().map(ToString::to_string)).collect();
    let more = registry.is_starting() || registry.files.values().any(|file| file.is_unknown());
    let changed = world.get_resource_or_init::<ExpectedMods>().set_if_neq(ExpectedMods { ids, more });
    if changed {
        // Those who wait for types that nobody will define are told so.
        world.resource_mut::<ModRegistry>().known_types = 0;
    }
}

/// Wakes the observers of mods that were busy when something happened.
fn wake_those_who_wait(world: &mut World, awake: &BTreeSet<Arc<str>>) {
    let mods = &world.resource::<ModRegistry>().mods;
    let running = awake.iter().filter_map(|id| mods.get(id)?.running.as_ref());
    let inboxes: Vec<_> = running.filter_map(|running| running.observers.inbox()).map(Arc::clone).collect();
    inbox::forget_causes(world);
    for inbox in inboxes {
        inbox.new_frame(world);
    }
    world.flush();
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
