//! The game's types as mods name them: from a path and a schema to a component of this World.
//!
//! Knows the registry and the World's component ids; must not know systems or mods.

use std::{
    any::TypeId,
    collections::HashMap,
    sync::{Arc, OnceLock},
};

use bevy_ecs::{
    component::{ComponentId, ComponentInfo, StorageType},
    reflect::{AppTypeRegistry, ReflectComponent},
    resource::Resource,
    world::World,
};
use bevy_reflect::{ReflectFromPtr, TypeInfo, TypeRegistration, TypeRegistry};
use mod_abi::{Schema, SchemaDifference, describe::TypeDesc};
use thiserror::Error;

use crate::bridge::{
    plan::CopyPlan,
    schema::{UnsupportedType, schema_of},
};

/// A type of the game that a mod names and that cannot be used as it says.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum TypeError {
    /// No type of that path is registered.
    #[error("this game has no type `{path}`{}", nearest.as_ref().map(|n| format!(" (it has `{n}`)")).unwrap_or_default())]
    Unknown {
        /// The path that the mod states.
        path: String,
        /// A registered type of a similar name.
        nearest: Option<String>,
    },
    /// Several types have that short path.
    #[error("`{path}` could be several types of this game; name one of {}", candidates.join(", "))]
    Ambiguous {
        /// The path that the mod states.
        path: String,
        /// The full paths of the types that it could mean.
        candidates: Vec<String>,
    },
    /// The two sides mean different types.
    #[error("{path} does not match this game: mod has \"{in_mod}\", game has \"{in_game}\"")]
    Mismatch {
        /// The type's short path.
        path: String,
        /// The first field that differs, as the mod has it.
        in_mod: String,
        /// The same field as the game has it.
        in_game: String,
    },
    /// The type holds something that has no encoding.
    #[error("{path} cannot cross to a mod: {reason}")]
    Unsupported {
        /// The type's path.
        path: String,
        /// Which part of it, and why.
        reason: String,
    },
    /// The type may be read only.
    #[error("{path} cannot be written by mods: {reason}")]
    ReadOnly {
        /// The type's short path.
        path: String,
        /// Why.
        reason: &'static str,
    },
}

/// A component or resource of this World that a mod may name.
#[derive(Debug)]
pub(crate) struct BoundType {
    /// The type's short path, for messages.
    pub(crate) name: &'static str,
    pub(crate) component: ComponentId,
    pub(crate) storage: StorageType,
    /// Why mods may not write it, if they may not.
    pub(crate) read_only: Option<&'static str>,
    pub(crate) info: &'static TypeInfo,
    pub(crate) from_ptr: FromPtr,
    /// What the type looks like, or why it cannot cross. Filters need neither.
    pub(crate) schema: Result<Schema, UnsupportedType>,
    /// Bytes of a row, if that is fixed.
    pub(crate) stride: Option<usize>,
    /// Made from the first live value; `None` in it where the type has no plan.
    pub(crate) plan: OnceLock<Option<CopyPlan>>,
    /// Whether values may be written by that plan, found when the first is.
    pub(crate) writes_by_plan: OnceLock<bool>,
}

/// [`ReflectFromPtr`], which has no `Debug`.
#[derive(Clone)]
pub(crate) struct FromPtr(pub(crate) ReflectFromPtr);

impl std::fmt::Debug for FromPtr {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("FromPtr").field(&self.0.type_id()).finish()
    }
}

/// What came of looking a type up.
#[derive(Debug, Clone)]
pub(crate) enum Binding {
    Bound(Arc<BoundType>),
    /// The type is known but this World has not met it as a component, so it has no id yet.
    NotYet {
        name: &'static str,
    },
}

/// The types that mods named so far. They are looked up once.
#[derive(Debug, Default, Resource)]
pub(crate) struct BoundTypes(HashMap<TypeId, Arc<BoundType>>);

/// Finds the type that a mod names, and gives it a component id where Bevy lets us.
pub(crate) fn bind(world: &mut World, desc: &TypeDesc) -> Result<Binding, TypeError> {
    let registry = world.get_resource_or_init::<AppTypeRegistry>().clone();
    let registry = registry.read();
    let registration = find(&registry, &desc.path)?;
    world.init_resource::<BoundTypes>();
    if let Some(bound) = world.resource::<BoundTypes>().0.get(&registration.type_id()) {
        return Ok(Binding::Bound(Arc::clone(bound)));
    }
    if let Some(component) = registration.data::<ReflectComponent>() {
        component.register_component(world);
    }
    let binding = bind_registered(world, registration)?;
    if let Binding::Bound(bound) = &binding {
        world.resource_mut::<BoundTypes>().0.insert(registration.type_id(), Arc::clone(bound));
    }
    Ok(binding)
}

/// As [`bind`], for the middle of a call, when the World can only be read.
pub(crate) fn bind_readonly(world: &World, desc: &TypeDesc) -> Result<Binding, TypeError> {
    let registry = world.resource::<AppTypeRegistry>().read();
    let registration = find(&registry, &desc.path)?;
    let known = world.get_resource::<BoundTypes>().and_then(|types| types.0.get(&registration.type_id()));
    match known {
        Some(bound) => Ok(Binding::Bound(Arc::clone(bound))),
        None => bind_registered(world, registration),
    }
}

fn bind_registered(world: &World, registration: &TypeRegistration) -> Result<Binding, TypeError> {
    let info = registration.type_info();
    let name = info.type_path_table().short_path();
    let Some(component) = world.components().get_id(registration.type_id()) else {
        return Ok(Binding::NotYet { name });
    };
    let Some(component_info) = world.components().get_info(component) else {
        return Ok(Binding::NotYet { name });
    };
    let Some(from_ptr) = registration.data::<ReflectFromPtr>() else {
        return Err(TypeError::Unsupported {
            path: info.type_path().to_owned(),
            reason: "its registration lacks `ReflectFromPtr`, which `#[derive(Reflect)]` adds".to_owned(),
        });
    };
    let schema = schema_of(info);
    Ok(Binding::Bound(Arc::new(BoundType {
        name,
        component,
        storage: component_info.storage_type(),
        read_only: read_only(info, component_info),
        info,
        from_ptr: FromPtr(from_ptr.clone()),
        stride: schema.as_ref().ok().and_then(Schema::fixed_size),
        schema,
        plan: OnceLock::new(),
        writes_by_plan: OnceLock::new(),
    })))
}

impl BoundType {
    /// Whether values of this type can cross as the mod believes them to be.
    pub(crate) fn check_data(&self, desc: &TypeDesc) -> Result<(), TypeError> {
        let schema = self.schema.as_ref().map_err(|reason| TypeError::Unsupported {
            path: self.info.type_path().to_owned(),
            reason: reason.to_string(),
        })?;
        match desc.schema.difference(schema) {
            None => Ok(()),
            Some(SchemaDifference { in_mod, in_game }) => {
                let (in_mod, in_game) = (shortened(&in_mod), shortened(&in_game));
                Err(TypeError::Mismatch { path: self.name.to_owned(), in_mod, in_game })
            }
        }
    }

    /// Whether the type may be written.
    pub(crate) fn check_mutable(&self) -> Result<(), TypeError> {
        let refuse = |reason| Err(TypeError::ReadOnly { path: self.name.to_owned(), reason });
        self.read_only.map_or(Ok(()), refuse)
    }
}

/// Why mods may not write a component, if they may not.
fn read_only(info: &TypeInfo, component: &ComponentInfo) -> Option<&'static str> {
    if !component.mutable() {
        Some("it is an immutable component")
    } else if component.relationship_accessor().is_some() {
        // Bevy keeps both sides of a relationship in step, and panics where they are not.
        Some("it is one side of a relationship")
    } else if info.type_path().starts_with("bevy_time::") {
        // A time step of zero, for example, would make Bevy's fixed loop endless.
        Some("Bevy's clocks are the game's to set")
    } else {
        None
    }
}

/// The most of a mod's or a game's text that goes into a message.
const MAX_TEXT: usize = 200;

fn shortened(text: &str) -> String {
    match text.char_indices().nth(MAX_TEXT) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text.to_owned(),
    }
}

fn find<'r>(registry: &'r TypeRegistry, path: &str) -> Result<&'r TypeRegistration, TypeError> {
    if let Some(registration) = registry.get_with_type_path(path).or_else(|| registry.get_with_short_type_path(path)) {
        return Ok(registration);
    }
    let table = |registration: &'r TypeRegistration| registration.type_info().type_path_table();
    if registry.is_ambiguous(path) {
        let same = registry.iter().map(table).filter(|table| table.short_path() == path);
        let mut candidates: Vec<_> = same.map(|table| table.path().to_owned()).collect();
        candidates.sort_unstable();
        candidates.truncate(8);
        return Err(TypeError::Ambiguous { path: shortened(path), candidates });
    }
    let wanted = path.rsplit("::").next().unwrap_or(path);
    let mut similar: Vec<_> = registry
        .iter()
        .map(table)
        .filter(|table| table.ident().is_some_and(|ident| ident.eq_ignore_ascii_case(wanted)))
        .map(|table| table.path().to_owned())
        .collect();
    similar.sort_unstable();
    Err(TypeError::Unknown { path: shortened(path), nearest: similar.into_iter().next() })
}
