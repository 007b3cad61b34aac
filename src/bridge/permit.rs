//! What mods may touch: entities, components and resources that are not theirs to change.
//!
//! Knows the World; must not know commands.

use bevy_ecs::{
    component::{ComponentId, ComponentInfo},
    entity::Entity,
    hierarchy::{ChildOf, Children},
    observer::Observer,
    reflect::AppTypeRegistry,
    relationship::RelationshipAccessor,
    resource::{IS_RESOURCE, Resource},
    system::SystemIdMarker,
    world::{EntityRef, World},
};
use std::{collections::BTreeMap, sync::Arc};

use crate::bridge::{
    definitions,
    owner::{DespawnableByMods, SpawnedBy},
    types::BoundType,
};

/// Types of these are never inserted or removed.
const FORBIDDEN: &[(&str, &str)] = &[
    ("bevy_window::", "windows are the game's"),
    ("bevy_time::", "Bevy's clocks are the game's to set"),
    ("bevy_wasm_mods::", "it belongs to the plugin that runs the mods"),
];
/// Resources of these are never replaced: Bevy itself relies on what is in them.
const FORBIDDEN_RESOURCES: &[(&str, &str)] = &[
    ("bevy_app::", "Bevy itself relies on it"),
    ("bevy_asset::", "Bevy itself relies on it"),
    ("bevy_ecs::", "Bevy itself relies on it"),
    ("bevy_state::state::resources::State<", "a state changes through `NextState`"),
];
/// Messages and events of these are never sent: they would end the game, or say what did not happen.
const FORBIDDEN_TO_SEND: &[(&str, &str)] = &[
    ("bevy_app::", "it is for the game to say"),
    ("bevy_asset::", "it is for Bevy to say"),
    ("bevy_ecs::", "it is for Bevy to say"),
];
/// Components that stand for entities that no mod may touch, by their paths in the game's registry.
const PROTECTING: &[(&str, &str)] =
    &[("bevy_window::window::Window", "is a window"), ("bevy_window::monitor::Monitor", "is a monitor")];

/// The resources that mods inserted where there were none, and which mod.
#[derive(Debug, Default, Resource)]
pub(crate) struct InsertedResources(BTreeMap<ComponentId, Arc<str>>);

impl InsertedResources {
    /// Notes that a mod inserted a resource.
    pub(crate) fn note(world: &mut World, component: ComponentId, mod_id: &Arc<str>) {
        world.get_resource_or_init::<Self>().0.insert(component, Arc::clone(mod_id));
    }

    /// Notes that a resource was removed: one that comes later is somebody else's.
    pub(crate) fn forget(world: &mut World, component: ComponentId) {
        world.get_resource_or_init::<Self>().0.remove(&component);
    }

    /// The resources that a mod inserted, in an order, which are noted no more.
    pub(crate) fn take(world: &mut World, mod_id: &str) -> Vec<ComponentId> {
        let mut inserted = world.get_resource_or_init::<Self>();
        inserted.0.extract_if(.., |_, by| **by == *mod_id).map(|(component, _)| component).collect()
    }
}

/// The components by which a World shows what is not for mods.
#[derive(Debug)]
pub(crate) struct Permits {
    protecting: Vec<(ComponentId, &'static str)>,
    marks: [ComponentId; 3],
    despawnable: ComponentId,
    spawned_by: ComponentId,
}

impl Permits {
    pub(crate) fn new(world: &mut World) -> Self {
        // Bevy only knows both sides of a relationship when both have been met.
        world.register_component::<ChildOf>();
        world.register_component::<Children>();
        let observer = world.register_component::<Observer>();
        let system = world.register_component::<SystemIdMarker>();
        let despawnable = world.register_component::<DespawnableByMods>();
        let spawned_by = world.register_component::<SpawnedBy>();
        let marks = [IS_RESOURCE, spawned_by, despawnable];
        let mut protecting =
            vec![(IS_RESOURCE, "is a resource"), (observer, "is an observer"), (system, "is a registered system")];
        if let Some(types) = world.get_resource::<AppTypeRegistry>() {
            let types = types.read();
            let of_path = |(path, what): &(&str, &'static str)| {
                let ty = types.get_with_type_path(path)?.type_id();
                world.components().get_id(ty).map(|component| (component, *what))
            };
            protecting.extend(PROTECTING.iter().filter_map(of_path));
        }
        Self { protecting, marks, despawnable, spawned_by }
    }

    /// The component [`SpawnedBy`].
    pub(crate) fn spawned_by(&self) -> ComponentId {
        self.spawned_by
    }

    /// Why no mod may touch an entity, if so.
    pub(crate) fn protected(&self, entity: EntityRef) -> Option<&'static str> {
        let archetype = entity.archetype();
        self.protecting.iter().find(|(component, _)| archetype.contains(*component)).map(|(_, what)| *what)
    }

    /// Why no mod may touch an entity, if it exists and so.
    pub(crate) fn protected_id(&self, world: &World, entity: Entity) -> Option<&'static str> {
        world.get_entity(entity).ok().and_then(|entity| self.protected(entity))
    }

    /// Whether a mod may despawn an entity, apart from what hangs on it.
    pub(crate) fn may_despawn(&self, entity: EntityRef, mod_id: &str) -> bool {
        is_spawned_by(entity, mod_id) || entity.contains_id(self.despawnable)
    }

    /// Why a component is not inserted or removed by mods, if so.
    pub(crate) fn forbidden_component(&self, world: &World, ty: &BoundType) -> Option<&'static str> {
        let info = world.components().get_info(ty.component)?;
        if self.marks.contains(&ty.component) {
            Some("it says whose an entity is")
        } else if let Some(why) = of_path(FORBIDDEN, ty) {
            Some(why)
        } else if self.protecting.iter().any(|(component, _)| *component == ty.component) {
            Some("entities that have it are the game's")
        } else if is_resource(world, info) {
            Some("it is a resource")
        } else if matches!(info.relationship_accessor(), Some(RelationshipAccessor::RelationshipTarget { .. })) {
            Some("Bevy keeps it in step with the other side of the relationship")
        } else {
            None
        }
    }

    /// Why a resource is not inserted by mods, if so.
    pub(crate) fn forbidden_resource(&self, world: &World, ty: &BoundType) -> Option<&'static str> {
        let settings = definitions::holds_settings(world, ty.component).then_some(definitions::SETTINGS);
        let forbidden = settings.or_else(|| of_path(FORBIDDEN, ty)).or_else(|| of_path(FORBIDDEN_RESOURCES, ty));
        let is_resource = world.components().get_info(ty.component).is_some_and(|info| is_resource(world, info));
        forbidden.or((!is_resource).then_some("it is no resource"))
    }

    /// Why a mod may not remove a resource, if so.
    pub(crate) fn forbidden_removal(&self, world: &World, ty: &BoundType, mod_id: &str) -> Option<&'static str> {
        if let Some(why) = self.forbidden_resource(world, ty) {
            return Some(why);
        }
        let inserted = world.get_resource::<InsertedResources>();
        let own = inserted.and_then(|inserted| inserted.0.get(&ty.component)).is_some_and(|by| **by == *mod_id);
        let of_bevy = ty.crossing.path.starts_with("bevy_");
        (of_bevy && !own && definitions::of_component(world, ty.component).is_none())
            .then_some("Bevy itself relies on it")
    }
}

/// Whether a mod spawned an entity.
pub(crate) fn is_spawned_by(entity: EntityRef, mod_id: &str) -> bool {
    entity.get::<SpawnedBy>().is_some_and(|by| by.mod_id() == mod_id)
}

/// Why a message or an event of that path is not sent by mods, if so.
pub(crate) fn forbidden_to_send(path: &str) -> Option<&'static str> {
    starts(FORBIDDEN, path).or_else(|| starts(FORBIDDEN_TO_SEND, path))
}

fn of_path(list: &[(&str, &'static str)], ty: &BoundType) -> Option<&'static str> {
    starts(list, &ty.crossing.path)
}

fn starts(list: &[(&str, &'static str)], path: &str) -> Option<&'static str> {
    list.iter().find(|(start, _)| path.starts_with(start)).map(|(_, why)| *why)
}

/// Whether values of a component are resources, of the game or of a mod.
pub(crate) fn is_resource(world: &World, info: &ComponentInfo) -> bool {
    definitions::is_resource(world, info.id()) || info.required_components().iter_ids().any(|id| id == IS_RESOURCE)
}
