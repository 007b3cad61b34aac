//! From a prepared mod to systems in the game: at a frame boundary, with the whole World at hand.

use std::sync::Arc;

use bevy_ecs::world::World;
use mod_abi::{describe::ModDescription, state::carry_over};
use tracing::{info, warn};

use crate::{
    bridge::{bind::bind_systems, handle::ModHandle, query::Bound},
    lifecycle::{
        fault::{FaultCause, ModEvent, ModFault},
        hand_over::{leave_state, probation},
        prepare::Prepared,
        registry::{ModRecord, ModRegistry, ModState, Signature},
        schedule::moment,
        settings::ModSettings,
        start::{Start, Systems, run_once},
    },
};

/// What came of an attempt to install.
pub(crate) enum Installed {
    Done,
    /// Some types have not been met yet; here is the mod back.
    Waiting(Box<Prepared>, Vec<&'static str>),
    /// The mod in the other file, which is named here, keeps the id; here is this one back.
    Duplicate(Box<Prepared>, String),
    /// The game switched the mod off.
    Disabled,
}

/// Puts a prepared mod into the game, in the place of its earlier version if there is one.
///
/// Code of the mod and of the game runs meanwhile: what is known of the mods is borrowed for moments only. Until the new
/// version has its state and has started, the earlier one is left as it is.
pub(crate) fn install(world: &mut World, file: &str, prepared: Prepared) -> Result<Installed, Box<ModFault>> {
    let id: Arc<str> = prepared.identity.id.as_str().into();
    let version = prepared.identity.version.clone();
    let fault = |function, cause| {
        let (mod_id, version, file) = (id.to_string(), Some(version.clone()), file.to_owned());
        Box::new(ModFault { mod_id, version, file, function, cause })
    };
    match world.resource::<ModRegistry>().mods.get(&id) {
        Some(ModRecord { file: other, state: ModState::Disabled, .. }) if other == file => {
            return Ok(Installed::Disabled);
        }
        Some(ModRecord { file: other, state, .. })
            if other != file && matches!(state, ModState::Running | ModState::Pending { .. } | ModState::Disabled) =>
        {
            return Ok(Installed::Duplicate(Box::new(prepared), other.clone()));
        }
        _ => {}
    }
    let bound = bind_systems(world, &prepared.description, |name| moment(name).is_some());
    let mut systems = match bound.map_err(|errors| fault(None, FaultCause::Bind(errors)))? {
        Bound::Ready(systems) => Systems::sort(systems),
        Bound::Waiting(types) => return Ok(Installed::Waiting(Box::new(prepared), types)),
    };
    let Prepared { imports, description, instance, fresh, .. } = prepared;
    let ModDescription { types, systems: described, .. } = description;
    let description = ModDescription { types, systems: described, ..ModDescription::default() };
    let signature = Signature { description, imports };
    let memory_limit = world.resource::<ModSettings>().limits.memory_bytes;
    let handle = Arc::new(ModHandle::new(Arc::clone(&id), instance, memory_limit));
    let start = Start::new(world, &id, &handle, &signature);

    let mut lost = Vec::new();
    if let Some(left) = leave_state(world, &id) {
        let carried = carry_over(&left, &fresh);
        lost = carried.losses;
        let restored = handle.enter(|instance| instance.restore(&carried.states));
        let restored = restored.unwrap_or(Ok(()));
        restored.map_err(|error| fault(Some("__mod_restore".to_owned()), FaultCause::HandOver(error)))?;
        start.run_on_reload(world, &mut systems);
    } else {
        start.run_startup(world, &mut systems);
    }
    // An earlier version goes on if this one cannot even start.
    if let Some(failed) = handle.take_fault() {
        return Err(fault(Some(failed.function), FaultCause::System(failed.error)));
    }

    unload(world, file, |other, _| *other != id, "its file holds another mod now");
    let mut earlier = world.resource_mut::<ModRegistry>().mods.remove(&id);
    let probation = probation(world, earlier.as_mut());
    let earlier = earlier.and_then(|record| record.running);
    let is_reload = earlier.is_some();
    let mut running = start.take_slots(world, systems, earlier);
    running.probation = probation;
    info!("{id} {version}: {}", if is_reload { "reloaded" } else { "loaded" });
    lost.iter().for_each(|lost| warn!("{id}: {lost}"));
    let record = ModRecord { running: Some(running), ..ModRecord::new(file.to_owned(), version, ModState::Running) };
    world.resource_mut::<ModRegistry>().mods.insert(Arc::clone(&id), record);
    let lost = lost.into();
    world.write_message(if is_reload { ModEvent::Reloaded { id, lost } } else { ModEvent::Loaded { id } });
    Ok(Installed::Done)
}

/// Takes the mods of a file that `which` chooses out of the game.
pub(crate) fn unload(world: &mut World, file: &str, which: impl Fn(&Arc<str>, &ModRecord) -> bool, why: &str) {
    let mods = &mut world.resource_mut::<ModRegistry>().mods;
    let gone: Vec<_> = mods.extract_if(.., |id, record| record.file == file && which(id, record)).collect();
    for (id, record) in gone {
        let is_running = record.is_running();
        if let Some(mut running) = record.running {
            if is_running {
                run_once(world, &mut running.on_unload);
            }
            running.take_out(world, &id);
        }
        // What was never told to be there need not be told to be gone.
        if !matches!(record.state, ModState::Loading) {
            info!("{id} {}: unloaded, {why}", record.version);
            world.write_message(ModEvent::Unloaded { id });
        }
    }
}
