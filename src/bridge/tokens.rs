//! Components that no entity has, for the scheduler alone.
//!
//! The systems of one mod share one instance and so can never run at the same time. Each writes its mod's token, and the
//! executor keeps them apart without a worker that waits.
#![expect(unsafe_code, reason = "registers components that have no Rust type")]

use std::{alloc::Layout, collections::HashMap, sync::Arc};

use bevy_ecs::{
    component::{ComponentCloneBehavior, ComponentDescriptor, ComponentId, StorageType},
    resource::Resource,
    world::World,
};

/// The token of each mod. A mod that comes back gets its old one: component ids are never given back.
#[derive(Debug, Default, Resource)]
pub(crate) struct ModTokens(HashMap<Arc<str>, ComponentId>);

/// The token of a mod.
pub(crate) fn token_of(world: &mut World, mod_id: &Arc<str>) -> ComponentId {
    let known = world.get_resource_or_init::<ModTokens>().0.get(mod_id).copied();
    known.unwrap_or_else(|| {
        let name = format!("token of mod {mod_id}");
        let (storage, clone) = (StorageType::SparseSet, ComponentCloneBehavior::Ignore);
        // SAFETY: the component has no bytes, so there is nothing to drop or to share between threads, and it is no
        // relationship.
        let descriptor = unsafe {
            ComponentDescriptor::new_with_layout(name, storage, Layout::new::<()>(), None, true, clone, None)
        };
        let token = world.register_component_with_descriptor(descriptor);
        world.get_resource_or_init::<ModTokens>().0.insert(Arc::clone(mod_id), token);
        token
    })
}
