//! The game's types as mods name them: from a path and a schema to a component of this World.
//!
//! Knows the registry and the World's component ids; must not know systems or mods.

use std::{any::TypeId, collections::HashMap, sync::Arc};

use bevy_ecs::{
    component::{ComponentId, ComponentInfo, StorageType},
    reflect::{AppTypeRegistry, ReflectComponent},
    resource::Resource,
    world::World,
};
use bevy_reflect::{ReflectFromPtr, TypeInfo, TypeRegistration, TypeRegistry};
use mod_abi::{
    Schema, SchemaDifference,
    describe::{TypeDesc, TypeRole},
};
use thiserror::Error;

use crate::bridge::{
    crossing::Crossing,
    definitions,
    grant::{Access, Claim},
    schema::schema_of,
    shape::{Shape, part_of},
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
    /// The game does not offer these messages.
    #[error(
        "mods cannot read {path} as a message of this game; it would have to add `app.add_mod_message::<{path}>()`"
    )]
    NotOffered {
        /// The type's path.
        path: String,
    },
    /// The game's registry does not say that it is a message.
    #[error("mods cannot write {path} as a message of this game: it lacks `#[reflect(Message)]`")]
    NotAMessage {
        /// The type's path.
        path: String,
    },
    /// The game's registry does not say that it is an event.
    #[error("{path} is no event to mods of this game: it lacks `#[reflect(Event)]`")]
    NotAnEvent {
        /// The type's path.
        path: String,
    },
    /// A mod defines it as something else.
    #[error("`{path}` is something else: a message is no event, and the other way round")]
    OtherKind {
        /// The type's path.
        path: String,
    },
}

/// A component or resource of this World that a mod may name.
#[derive(Debug)]
pub(crate) struct BoundType {
    pub(crate) component: ComponentId,
    pub(crate) storage: StorageType,
    /// Why mods may not write it, if they may not.
    pub(crate) read_only: Option<&'static str>,
    pub(crate) crossing: Crossing,
}

/// What came of looking a type up.
#[derive(Debug, Clone)]
pub(crate) enum Binding {
    Bound(Arc<BoundType>),
    /// The type is known but this World has not met it as a component, so it has no id yet; or it is another mod's, which
    /// has not defined it yet.
    NotYet {
        name: String,
        /// The type's full path.
        path: String,
    },
}

impl Binding {
    /// Notes what is wanted of the type.
    pub(crate) fn claim(&self, claim: Claim<'_>, accesses: &[Access]) {
        match self {
            Self::Bound(ty) => claim.ty(accesses, &ty.crossing),
            Self::NotYet { path, .. } => claim.path(accesses, path),
        }
    }
}

/// The game's types that mods named so far, and which part of each. They are looked up once.
#[derive(Debug, Default, Resource)]
pub(crate) struct BoundTypes(HashMap<(TypeId, Option<String>), Arc<BoundType>>);

/// The key of a type in [`BoundTypes`].
fn key(registration: &TypeRegistration, desc: &TypeDesc) -> (TypeId, Option<String>) {
    let part = (desc.role == TypeRole::Part).then(|| desc.schema.to_string());
    (registration.type_id(), part)
}

/// Finds the type that a mod names, and gives it a component id where Bevy lets us. Types of the mod's own are to be
/// [defined](definitions::define) before.
pub(crate) fn bind(world: &mut World, desc: &TypeDesc) -> Result<Binding, TypeError> {
    let registry = world.get_resource_or_init::<AppTypeRegistry>().clone();
    let registry = registry.read();
    let registration = match lookup(world, &registry, desc)? {
        Lookup::Game(registration) => registration,
        Lookup::Done(binding) => return Ok(binding),
    };
    world.init_resource::<BoundTypes>();
    let key = key(registration, desc);
    if let Some(bound) = world.resource::<BoundTypes>().0.get(&key) {
        return Ok(Binding::Bound(Arc::clone(bound)));
    }
    if let Some(component) = registration.data::<ReflectComponent>() {
        component.register_component(world);
    }
    let binding = bind_registered(world, registration, desc, &registry)?;
    if let Binding::Bound(bound) = &binding {
        world.resource_mut::<BoundTypes>().0.insert(key, Arc::clone(bound));
    }
    Ok(binding)
}

/// As [`bind`], for the middle of a call, when the World can only be read.
pub(crate) fn bind_readonly(world: &World, desc: &TypeDesc) -> Result<Binding, TypeError> {
    let registry = world.resource::<AppTypeRegistry>().read();
    let registration = match lookup(world, &registry, desc)? {
        Lookup::Game(registration) => registration,
        Lookup::Done(binding) => return Ok(binding),
    };
    let key = key(registration, desc);
    let known = world.get_resource::<BoundTypes>().and_then(|types| types.0.get(&key));
    match known {
        Some(bound) => Ok(Binding::Bound(Arc::clone(bound))),
        None => bind_registered(world, registration, desc, &registry),
    }
}

/// Where a type was found.
enum Lookup<'r> {
    Game(&'r TypeRegistration),
    Done(Binding),
}

fn lookup<'r>(world: &World, registry: &'r TypeRegistry, desc: &TypeDesc) -> Result<Lookup<'r>, TypeError> {
    if let Some(defined) = definitions::find(world, &desc.path) {
        if desc.role == TypeRole::Part {
            let reason = "only types of the game can be named in part; mirror all of its fields".to_owned();
            return Err(TypeError::Unsupported { path: shortened(&desc.path), reason });
        }
        return Ok(Lookup::Done(Binding::Bound(defined)));
    }
    match find(registry, &desc.path) {
        Ok(registration) => Ok(Lookup::Game(registration)),
        Err(TypeError::Unknown { path, .. }) if definitions::is_expected(world, &path) => {
            Ok(Lookup::Done(Binding::NotYet { name: path, path: desc.path.clone() }))
        }
        Err(error) => Err(error),
    }
}

fn bind_registered(
    world: &World,
    registration: &TypeRegistration,
    desc: &TypeDesc,
    registry: &TypeRegistry,
) -> Result<Binding, TypeError> {
    let info = registration.type_info();
    let not_yet = || {
        let name = info.type_path_table().short_path().to_owned();
        Ok(Binding::NotYet { name, path: info.type_path().to_owned() })
    };
    let Some(component) = world.components().get_id(registration.type_id()) else { return not_yet() };
    let Some(component_info) = world.components().get_info(component) else { return not_yet() };
    Ok(Binding::Bound(Arc::new(BoundType {
        component,
        storage: component_info.storage_type(),
        read_only: read_only(info, component_info),
        crossing: crossing(registration, desc, registry)?,
    })))
}

/// A type of the game as a mod binds it that names all of it, if the World has met it as a component.
pub(crate) fn bind_whole(
    world: &World,
    registration: &TypeRegistration,
    registry: &TypeRegistry,
) -> Option<Arc<BoundType>> {
    let desc = TypeDesc { path: String::new(), schema: Schema::Struct(Vec::new()), role: TypeRole::Mirror };
    match bind_registered(world, registration, &desc, registry) {
        Ok(Binding::Bound(bound)) => Some(bound),
        _ => None,
    }
}

/// How the values of a type of the game cross, as a mod states it.
pub(crate) fn crossing(
    registration: &TypeRegistration,
    desc: &TypeDesc,
    registry: &TypeRegistry,
) -> Result<Crossing, TypeError> {
    let info = registration.type_info();
    let Some(from_ptr) = registration.data::<ReflectFromPtr>() else {
        return Err(TypeError::Unsupported {
            path: info.type_path().to_owned(),
            reason: "its registration lacks `ReflectFromPtr`, which `#[derive(Reflect)]` adds".to_owned(),
        });
    };
    let (shape, schema) = match desc.role {
        TypeRole::Part => {
            let shape = part_of(info, &desc.schema, registry);
            let shape = shape.map_err(|found| mismatch(info.type_path_table().short_path(), &found))?;
            (shape, Ok(desc.schema.clone()))
        }
        TypeRole::Mirror | TypeRole::Definition(_) => (Shape::Whole, schema_of(info, registry)),
    };
    Ok(Crossing::reflected(info, from_ptr.clone(), shape, schema))
}

impl Crossing {
    /// Whether values of this type can cross as the mod believes them to be.
    pub(crate) fn check_data(&self, desc: &TypeDesc) -> Result<(), TypeError> {
        let schema = self
            .schema
            .as_ref()
            .map_err(|reason| TypeError::Unsupported { path: self.path.to_string(), reason: reason.to_string() })?;
        desc.schema.difference(schema).map_or(Ok(()), |found| Err(mismatch(&self.name, &found)))
    }
}

fn mismatch(name: &str, SchemaDifference { in_mod, in_game }: &SchemaDifference) -> TypeError {
    let (in_mod, in_game) = (shortened(in_mod), shortened(in_game));
    TypeError::Mismatch { path: name.to_owned(), in_mod, in_game }
}

impl BoundType {
    /// The type's short path, for messages.
    pub(crate) fn name(&self) -> &Arc<str> {
        &self.crossing.name
    }

    /// Whether the type may be written.
    pub(crate) fn check_mutable(&self) -> Result<(), TypeError> {
        let refuse = |reason| Err(TypeError::ReadOnly { path: self.name().to_string(), reason });
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

pub(crate) fn find<'r>(registry: &'r TypeRegistry, path: &str) -> Result<&'r TypeRegistration, TypeError> {
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
