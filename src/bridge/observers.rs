//! Observers of mods: systems in no schedule, woken in the middle of what happens.
//!
//! Bevy's own observers wake those of the game's events and of components ([`dispatch`]); [`trigger`] wakes those of events
//! that mods define, which have no Rust type. Either way the value goes into the mod's [`inbox`] and, unless the mod is
//! busy, at once from there to the observer's slot.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, TryLockError},
};

use bevy_asset::AssetServer;
use bevy_ecs::{
    change_detection::CheckChangeTicks,
    entity::Entity,
    event::Event,
    reflect::AppTypeRegistry,
    resource::IS_RESOURCE,
    system::System,
    world::{DeferredWorld, World},
};
use bevy_reflect::Reflect;
use mod_abi::{
    codec::{self, DecodeError},
    describe::{DefinitionKind, TypeDesc},
};
use serde::de::DeserializeOwned;

use crate::bridge::{
    crossing::Crossing,
    definitions,
    handle::{ModHandle, SystemError, catch},
    observers::{bind::WokenBy, inbox::Inbox},
    outgoing::{DeliveryError, outgoing},
    system::{Slot, SlotCell, SlotTarget},
    types::TypeError,
    value::Reflection,
};

pub(crate) mod bind;
pub(crate) mod dispatch;
pub(crate) mod inbox;

/// An event that a mod triggered and of which a mod, not the game, defined the type. It comes after the mods' own observers
/// of that event.
///
/// ```
/// # use bevy::prelude::*;
/// # use bevy_wasm_mods::prelude::*;
/// // As the mod `pests` defines it: `struct Bitten { health: f32 }`.
/// #[derive(serde::Deserialize)]
/// struct Bitten {
///     health: f32,
/// }
///
/// # let mut app = App::new();
/// app.add_observer(|event: On<ModTrigger>| {
///     if &*event.path == "pests::Bitten"
///         && let Ok(bitten) = event.decode::<Bitten>()
///     {
///         info!("{} are left", bitten.health);
///     }
/// });
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Event)]
#[non_exhaustive]
pub struct ModTrigger {
    /// The mod that triggered it.
    pub mod_id: Arc<str>,
    /// The type's path: the id of the mod that defines it, `::`, and a name.
    pub path: Arc<str>,
    /// The value, encoded as [`mod_abi::codec`] does.
    pub bytes: Arc<[u8]>,
}

impl ModTrigger {
    /// The value, as a type of the game that looks the same.
    ///
    /// # Errors
    /// When the bytes are no such value.
    pub fn decode<T: DeserializeOwned>(&self) -> Result<T, DecodeError> {
        codec::decode(&self.bytes)
    }
}

/// One observer of a mod.
pub(crate) struct ObserverSlot {
    mod_id: Arc<str>,
    /// `mod::observer`.
    pub(crate) name: Arc<str>,
    /// The observer's name in its mod.
    pub(crate) system: String,
    /// The observer's index among the mod's systems and observers.
    index: u32,
    cell: Arc<SlotCell>,
    slot: Mutex<Slot>,
    inbox: Arc<Inbox>,
    /// What it is woken with.
    crossing: Arc<Crossing>,
}

impl fmt::Debug for ObserverSlot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ObserverSlot").field("name", &self.name).finish_non_exhaustive()
    }
}

impl ObserverSlot {
    /// The mod that it runs, if it runs any.
    pub(crate) fn handle(&self) -> Option<Arc<ModHandle>> {
        self.cell.get().map(|target| target.handle).filter(|handle| !handle.is_faulted())
    }

    /// The slot, unless it is in use: its mod is in the middle of it, or its commands are being carried out.
    pub(crate) fn slot(&self) -> Option<MutexGuard<'_, Slot>> {
        match self.slot.try_lock() {
            Ok(slot) => Some(slot),
            Err(TryLockError::Poisoned(slot)) => Some(slot.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        }
    }

    /// Wakes the observer with a value of the game's.
    fn wake_reflected(self: &Arc<Self>, value: &dyn Reflect, world: DeferredWorld) {
        let Some(handle) = self.handle() else { return };
        let encode = || {
            let types = world.resource::<AppTypeRegistry>().read();
            let reflection = Reflection { types: &types, assets: world.get_resource::<AssetServer>() };
            let mut bytes = Vec::new();
            self.crossing.write_reflected(value, reflection, &mut bytes).map(|()| bytes)
        };
        let system = || self.system.clone();
        match catch(encode) {
            Ok(Ok(bytes)) => self.inbox.wake(self, bytes, world),
            Ok(Err(error)) => {
                handle.fail(&self.system, SystemError::Gather { system: system(), reason: error.to_string() });
            }
            Err(message) => handle.fail(&self.system, SystemError::Panicked { system: system(), message }),
        }
    }

    /// Wakes the observer with an entity. Resources are components on entities of their own, which mods never see.
    fn wake_entity(self: &Arc<Self>, entity: Entity, world: DeferredWorld) {
        let is_resource = world.get_entity(entity).is_ok_and(|entity| entity.contains_id(IS_RESOURCE));
        if self.handle().is_some() && !is_resource {
            self.inbox.wake(self, entity.to_bits().to_le_bytes().to_vec(), world);
        }
    }

    pub(crate) fn check_change_tick(&self, check: CheckChangeTicks) {
        if let Some(mut slot) = self.slot() {
            slot.check_change_tick(check);
        }
    }
}

/// The observers of a mod in the game.
#[derive(Debug)]
pub(crate) struct Observers {
    inbox: Arc<Inbox>,
    list: Vec<Arc<ObserverSlot>>,
}

/// An observer on its way into the game.
pub(crate) struct NewObserver {
    pub(crate) index: u32,
    pub(crate) slot: Slot,
    pub(crate) cell: Arc<SlotCell>,
    pub(crate) woken_by: WokenBy,
}

/// Puts the observers of a mod into the game.
pub(crate) fn spawn(world: &mut World, mod_id: &Arc<str>, observers: Vec<NewObserver>) -> Observers {
    let inbox = Arc::new(Inbox::default());
    let mut list = Vec::new();
    for NewObserver { index, mut slot, cell, woken_by: WokenBy { happening, crossing } } in observers {
        slot.initialize(world);
        let system = slot.system_name().to_owned();
        let name = format!("{mod_id}::{system}").into();
        let inbox = Arc::clone(&inbox);
        let (slot, mod_id) = (Mutex::new(slot), Arc::clone(mod_id));
        let slot = Arc::new(ObserverSlot { mod_id, name, system, index, cell, slot, inbox, crossing });
        list.push(Arc::clone(&slot));
        dispatch::add(world, &happening, slot);
    }
    world.flush();
    Observers { inbox, list }
}

impl Observers {
    /// Has another version of the mod woken, or none. What waits for the earlier one goes to the next.
    pub(crate) fn set(&self, handle: Option<&Arc<ModHandle>>) {
        for observer in &self.list {
            observer.cell.set(handle.map(|handle| SlotTarget { handle: Arc::clone(handle), system: observer.index }));
        }
        if handle.is_none() {
            self.inbox.clear();
        }
    }

    /// Takes them out of the game.
    pub(crate) fn remove(self, world: &mut World) {
        self.set(None);
        dispatch::remove(world, &self.list);
        world.flush();
    }

    /// What waits until the mod is no longer busy, if it has observers.
    pub(crate) fn inbox(&self) -> Option<&Arc<Inbox>> {
        Some(&self.inbox).filter(|_| !self.list.is_empty())
    }

    /// The observers.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Arc<ObserverSlot>> {
        self.list.iter()
    }
}

/// Triggers an event that a mod sent: one of the game's, or one that a mod defines. All observers have run, and their
/// commands are carried out, when this returns.
///
/// # Errors
/// When there is no such event, its bytes are no value of it, or the game panics over it.
pub(crate) fn trigger(
    world: &mut World,
    desc: &TypeDesc,
    mod_id: &Arc<str>,
    bytes: &[u8],
) -> Result<(), DeliveryError> {
    if let Some((kind, crossing)) = definitions::find_sent(world, &desc.path) {
        return trigger_defined(world, desc, kind, &crossing, mod_id, bytes);
    }
    let ty = outgoing(world, desc)?;
    let path = || ty.crossing.path.to_string();
    let event = ty.event.as_ref().ok_or_else(|| TypeError::NotAnEvent { path: path() })?;
    let value = ty.build(world, bytes)?;
    let work = || {
        event.trigger(world, value.as_partial_reflect(), &ty.registry);
        world.flush();
    };
    catch(work).map_err(|message| DeliveryError::Panicked { path: path(), message })
}

fn trigger_defined(
    world: &mut World,
    desc: &TypeDesc,
    kind: DefinitionKind,
    crossing: &Arc<Crossing>,
    mod_id: &Arc<str>,
    bytes: &[u8],
) -> Result<(), DeliveryError> {
    let path = || desc.path.clone();
    if kind != DefinitionKind::Event {
        return Err(TypeError::OtherKind { path: path() }.into());
    }
    crossing.check_data(desc)?;
    crossing.check_encoding(bytes).map_err(|error| DeliveryError::Value { path: path(), reason: error.to_string() })?;
    let observers = dispatch::of_defined(world, &crossing.path);
    let work = || {
        for observer in &*observers {
            // One that was bound to another form of the event waits for its mod to be reloaded.
            if observer.handle().is_some() && observer.crossing.schema == crossing.schema {
                observer.inbox.wake(observer, bytes.to_vec(), DeferredWorld::from(&mut *world));
            }
        }
        world.trigger(ModTrigger { mod_id: Arc::clone(mod_id), path: Arc::clone(&crossing.path), bytes: bytes.into() });
        world.flush();
    };
    catch(work).map_err(|message| DeliveryError::Panicked { path: path(), message })
}
