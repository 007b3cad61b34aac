//! What the slots of a mod have to declare so that it may call other mods: found when it is installed, and again when
//! another one comes that needs more.

use std::sync::Arc;

use bevy_ecs::world::World;
use mod_host::Manifest;
use tracing::warn;

use crate::{
    bridge::{
        neighbours::{Reach, RunningMods},
        observers::bind::bind_mod,
        query::Bound,
    },
    lifecycle::{
        registry::{ModRecord, ModRegistry, Running, Signature},
        schedule::moment,
        start::{Start, Systems},
    },
};

/// The mods that run, for whoever calls them.
pub(crate) fn running_mods(world: &mut World) -> RunningMods {
    world.get_resource_or_init::<RunningMods>().clone()
}

/// Compares the functions that a mod calls with those of the mods that run. The answer has a sentence for each that an
/// optional mod has otherwise, or not at all: calling it is an error.
///
/// # Errors
/// The same of mods without which this one does not work.
pub(crate) fn check(world: &mut World, manifest: &Manifest) -> Result<Vec<String>, Vec<String>> {
    let (problems, bearable) = running_mods(world).differences(manifest);
    if problems.is_empty() { Ok(bearable) } else { Err(problems) }
}

/// What a mod reaches. One that reaches the same mods as its earlier version keeps that one's slots, if those are good for
/// it.
pub(crate) fn find(world: &mut World, manifest: &Manifest) -> Reach {
    let reach = Reach::of(manifest, &running_mods(world));
    let earlier = world.resource::<ModRegistry>().mods.get(manifest.identity.id.as_str());
    let earlier = earlier.and_then(|record| record.running.as_ref()).map(|running| &running.signature.reach);
    match earlier {
        Some(earlier) if earlier.has_mods_of(&reach) && earlier.covers(&reach) => earlier.clone(),
        _ => reach,
    }
}

/// Gives mods that run new slots where a mod has come that they can reach, and that needs more than their slots declare.
pub(crate) fn widen(world: &mut World) {
    let running = running_mods(world);
    if !running.take_changed() {
        return;
    }
    let mods = world.resource::<ModRegistry>().mods.iter();
    let narrow = |(id, record): (&Arc<str>, &ModRecord)| {
        let mod_running = record.running.as_ref().filter(|_| record.is_running())?;
        let reach = Reach::of(mod_running.handle.manifest(), &running);
        // A stale one is about to be bound again anyhow.
        let is_narrow = !mod_running.signature.reach.covers(&reach) && !mod_running.handle.is_stale();
        is_narrow.then(|| (Arc::clone(id), reach))
    };
    let narrow: Vec<_> = mods.filter_map(narrow).collect();
    for (id, reach) in narrow {
        rebind(world, &id, reach);
    }
}

/// Puts a mod's systems into their schedules anew, with another reach. Its instance goes on.
fn rebind(world: &mut World, id: &Arc<str>, reach: Reach) {
    let record = world.resource_mut::<ModRegistry>().into_inner().mods.get_mut(id);
    let Some(mut earlier) = record.and_then(|record| record.running.take()) else { return };
    let Running { identity, handle, .. } = &earlier;
    let (identity, handle) = (Arc::clone(identity), Arc::clone(handle));
    let probation = earlier.probation.take();
    let signature = Signature { reach, ..earlier.signature.clone() };
    let bound = bind_mod(world, &signature.description, |name| moment(name).is_some(), &handle.grants);
    let mut running = match bound {
        Ok(Bound::Ready((systems, observers))) => {
            let systems = Systems::sort(id, systems, observers);
            Start::new(world, id, &handle, &signature).take_slots(world, identity, systems, None, Some(earlier))
        }
        // It was bound before, to the same World. Without new slots, the calls answer that they cannot be made.
        _ => {
            warn!("{id}: it cannot call all functions of other mods, because the game no longer has what it needs");
            earlier
        }
    };
    running.probation = probation;
    if let Some(record) = world.resource_mut::<ModRegistry>().mods.get_mut(id) {
        record.running = Some(running);
    }
}
