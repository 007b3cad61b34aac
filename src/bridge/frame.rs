//! Which frame of the game it is, so that a fault can say when it happened. What a frame does is not known here.

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

use bevy_ecs::{resource::Resource, world::World};

/// The number of the frame that runs. All clones are the same number.
///
/// It counts by itself, because a game need not have Bevy's `FrameCount`. Where it has, both are the same. It is an atomic,
/// because whatever fails asks for it: systems on any thread, observers, calls of the game.
#[derive(Debug, Clone, Default, Resource)]
pub(crate) struct FrameNumber(Arc<AtomicU32>);

impl FrameNumber {
    /// That of this World.
    pub(crate) fn of(world: &mut World) -> Self {
        world.get_resource_or_init::<Self>().clone()
    }

    /// Notes that a frame begins.
    pub(crate) fn begin(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    /// The frame that runs, from 0. It begins again after 2^32 frames.
    pub(crate) fn get(&self) -> u32 {
        self.0.load(Ordering::Relaxed).saturating_sub(1)
    }
}
