//! What the game asks of its mods: carried out at the next frame boundary.

use std::sync::Arc;

use bevy_ecs::world::World;
use tracing::info;

use crate::{
    bridge::definitions,
    lifecycle::{
        fault::ModEvent,
        hand_over::leave_state,
        install::unload,
        leftovers,
        list::ModListFile,
        registry::{ModRegistry, ModState, Stage},
        restart,
    },
};

/// A wish of the game.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Request {
    Disable,
    Enable,
    Reload,
    Unload,
    Restart,
}

/// Carries out what the game asked for, in the order in which it did.
pub(crate) fn carry_out(world: &mut World) {
    for (id, request) in std::mem::take(&mut world.resource_mut::<ModRegistry>().requests) {
        match request {
            Request::Disable => {
                note_wish(world, &id, false);
                switch_off(world, &id, ModState::Disabled);
            }
            Request::Enable => {
                note_wish(world, &id, true);
                enable(world, &id);
            }
            Request::Reload => prepare_again(world, &id),
            Request::Restart => restart::ask(world, &id),
            Request::Unload => {
                let runtime = world.resource::<ModRegistry>();
                let Some(file) = runtime.mods.get(&id).map(|record| record.file.clone()) else { continue };
                unload(world, &file, |other, _| *other == id, "the game unloaded it");
                let mut registry = world.resource_mut::<ModRegistry>();
                registry.stop_preparing(&file, Stage::Settled);
                registry.withdraw_offer(&file);
            }
        }
    }
}

/// Notes for all decisions to come whether the game wants a mod.
fn note_wish(world: &mut World, id: &str, is_wanted: bool) {
    let mut file = world.resource_mut::<ModListFile>();
    if file.is_enabled(id) != is_wanted {
        file.set_enabled(id, is_wanted);
        world.resource_mut::<ModRegistry>().load_order.look_again();
    }
}

/// Stops a mod and keeps its state for when it is started again. `state` is the one that it is in meanwhile.
pub(crate) fn switch_off(world: &mut World, id: &Arc<str>, state: ModState) {
    let saved = leave_state(world, id);
    let mut runtime = world.resource_mut::<ModRegistry>();
    let Some(record) = runtime.mods.get_mut(id) else { return };
    if matches!(record.state, ModState::Disabled) {
        return;
    }
    let is_disabled = matches!(state, ModState::Disabled);
    record.saved = saved;
    record.state = state;
    if let Some(running) = record.running.take() {
        running.retire(world, id);
    }
    leftovers::remove(world, id);
    definitions::withdraw(world, id);
    if is_disabled {
        info!("{id}: disabled");
        world.write_message(ModEvent::Disabled { id: Arc::clone(id) });
    }
}

fn enable(world: &mut World, id: &Arc<str>) {
    let mut runtime = world.resource_mut::<ModRegistry>();
    let Some(record) = runtime.mods.get_mut(id) else { return };
    if matches!(record.state, ModState::Disabled) {
        record.state = ModState::Loading;
        prepare_again(world, id);
    }
}

/// Sends the bytes of a mod's file through once more.
pub(crate) fn prepare_again(world: &mut World, id: &Arc<str>) {
    let mut runtime = world.resource_mut::<ModRegistry>();
    let runtime = &mut *runtime;
    let file = runtime.mods.get(id).and_then(|record| runtime.files.get_mut(&record.file));
    if let Some(file) = file.filter(|file| file.bytes.is_some()) {
        file.settle(Stage::Queued);
    }
}
