//! Which frame of the game it is, so that a fault can say when it happened, and which mods have something to do with it: those
//! that did something in the one before. What a frame does is not known here.

use std::{
    collections::BTreeSet,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU32, AtomicUsize, Ordering},
    },
};

use bevy_ecs::{resource::Resource, world::World};

/// The number of the frame that runs, and what the next boundary has to look at. All clones are the same.
///
/// It counts by itself, because a game need not have Bevy's `FrameCount`. Where it has, both are the same. Whatever fails asks
/// for it: systems on any thread, observers, calls of the game. With hundreds of mods most have nothing to do in a frame, so the
/// boundary does not go through all of them: those that do something say so.
#[derive(Debug, Clone, Default, Resource)]
pub(crate) struct FrameNumber(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    number: AtomicU32,
    /// The ids of the mods for which the next frame has to begin.
    awake: Mutex<BTreeSet<Arc<str>>>,
    /// How many mods have a fault that was not told.
    untold: AtomicUsize,
}

impl FrameNumber {
    /// That of this World.
    pub(crate) fn of(world: &mut World) -> Self {
        world.get_resource_or_init::<Self>().clone()
    }

    /// Notes that a frame begins.
    pub(crate) fn begin(&self) {
        self.0.number.fetch_add(1, Ordering::Relaxed);
    }

    /// The frame that runs, from 0. It begins again after 2^32 frames.
    pub(crate) fn get(&self) -> u32 {
        self.0.number.load(Ordering::Relaxed).saturating_sub(1)
    }

    /// Notes a mod for which the next frame has to begin.
    pub(super) fn wake(&self, id: &Arc<str>) {
        self.0.awake.lock().unwrap_or_else(PoisonError::into_inner).insert(Arc::clone(id));
    }

    /// Takes the ids of those mods, in their order.
    pub(crate) fn take_awake(&self) -> BTreeSet<Arc<str>> {
        std::mem::take(&mut *self.0.awake.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Notes a fault that has to be told.
    pub(super) fn add_untold(&self) {
        self.0.untold.fetch_add(1, Ordering::AcqRel);
    }

    /// Notes that it was told, or that nobody wants to know of it any more.
    pub(super) fn remove_untold(&self) {
        self.0.untold.fetch_sub(1, Ordering::AcqRel);
    }

    /// Whether there is a fault that has to be told.
    pub(crate) fn has_untold(&self) -> bool {
        self.0.untold.load(Ordering::Acquire) > 0
    }
}
