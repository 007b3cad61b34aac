//! Values of the game's own messages and events that mods write: from bytes to something that Bevy takes.
//!
//! What was found of a type is kept, because mods write the same ones in every frame.

use std::{any::TypeId, collections::HashMap, sync::Arc};

use bevy_asset::AssetServer;
use bevy_ecs::{
    reflect::{AppTypeRegistry, ReflectEvent, ReflectMessage},
    resource::Resource,
    world::World,
};
use bevy_reflect::{Reflect, TypeRegistration, TypeRegistry};
use mod_abi::describe::{DefinitionKind, TypeDesc, TypeRole};
use thiserror::Error;

use crate::bridge::{
    apply::CommandError,
    crossing::{Crossing, Owned},
    definitions,
    grant::{Access, Grants},
    permit::forbidden_to_send,
    types::{TypeError, crossing, find},
    value::{Reflection, ValueError},
};

/// A message or an event of a mod that cannot be delivered.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum DeliveryError {
    /// Its type cannot be used.
    #[error(transparent)]
    Type(#[from] TypeError),
    /// Its bytes are no value of its type.
    #[error("it sent an invalid {path}: {reason}")]
    Value {
        /// The type's path.
        path: String,
        /// What is wrong with the bytes.
        reason: String,
    },
    /// It is not for mods to send.
    #[error("{path} cannot be sent by mods: {reason}")]
    Forbidden {
        /// The type's path.
        path: String,
        /// Why.
        reason: &'static str,
    },
    /// No mod that is there defines it.
    #[error("no mod defines `{path}` at the moment")]
    NoSuchType {
        /// The type's path.
        path: String,
    },
    /// More of them than the game keeps.
    #[error("more than {most} {what} of {path} were written in one frame")]
    TooMuch {
        /// The type's path.
        path: String,
        /// The most that is allowed.
        most: usize,
        /// Of what.
        what: &'static str,
    },
    /// Code of the game that listens panicked.
    #[error("the game panicked over its {path}: {message}")]
    Panicked {
        /// The type's path.
        path: String,
        /// The panic's text.
        message: String,
    },
}

/// A type of the game of which mods write values.
pub(crate) struct Outgoing {
    pub(crate) crossing: Crossing,
    pub(crate) message: Option<ReflectMessage>,
    pub(crate) event: Option<ReflectEvent>,
    /// That type alone. Code of the game runs while it is borrowed, and may want to change the game's registry.
    pub(crate) registry: TypeRegistry,
}

/// The types that mods wrote so far, and which part of each.
#[derive(Default, Resource)]
pub(crate) struct OutgoingTypes(HashMap<(TypeId, Option<String>), Arc<Outgoing>>);

/// Finds the type of the game that a mod names.
pub(crate) fn outgoing(world: &mut World, desc: &TypeDesc) -> Result<Arc<Outgoing>, TypeError> {
    let registry = world.get_resource_or_init::<AppTypeRegistry>().clone();
    let registry = registry.read();
    let registration = find(&registry, &desc.path)?;
    let key = key(registration, desc);
    if let Some(known) = world.get_resource_or_init::<OutgoingTypes>().0.get(&key) {
        known.crossing.check_data(desc)?;
        return Ok(Arc::clone(known));
    }
    let crossing = crossing(registration, desc, &registry)?;
    crossing.check_data(desc)?;
    let found = Arc::new(Outgoing {
        crossing,
        message: registration.data::<ReflectMessage>().cloned(),
        event: registration.data::<ReflectEvent>().cloned(),
        registry: alone(registration),
    });
    world.get_resource_or_init::<OutgoingTypes>().0.insert(key, Arc::clone(&found));
    Ok(found)
}

/// A type that was found before.
fn known(world: &World, desc: &TypeDesc) -> Result<Option<Arc<Outgoing>>, TypeError> {
    let registry = world.resource::<AppTypeRegistry>().read();
    let key = key(find(&registry, &desc.path)?, desc);
    Ok(world.get_resource::<OutgoingTypes>().and_then(|types| types.0.get(&key).cloned()))
}

fn key(registration: &TypeRegistration, desc: &TypeDesc) -> (TypeId, Option<String>) {
    (registration.type_id(), (desc.role == TypeRole::Part).then(|| desc.schema.to_string()))
}

/// Whether the game lets a mod send values of a type. Types of the game were looked up by [`outgoing`] before.
pub(crate) fn check_grant(world: &World, desc: &TypeDesc, grants: &Grants) -> Result<(), CommandError> {
    if let Some((_, crossing)) = definitions::find_sent(world, &desc.path) {
        return Ok(grants.check(Access::Send, &crossing)?);
    }
    let known = known(world, desc).map_err(DeliveryError::from)?;
    let known = known.ok_or_else(|| DeliveryError::NoSuchType { path: desc.path.clone() })?;
    Ok(grants.check(Access::Send, &known.crossing)?)
}

/// Whether a value can be sent, and is one. It is not sent yet. Types of the game were looked up by [`outgoing`] before.
pub(crate) fn check(world: &World, desc: &TypeDesc, kind: DefinitionKind, bytes: &[u8]) -> Result<(), DeliveryError> {
    let path = || desc.path.clone();
    if let Some((found, crossing)) = definitions::find_sent(world, &desc.path) {
        if found != kind {
            return Err(TypeError::OtherKind { path: path() }.into());
        }
        crossing.check_data(desc)?;
        let invalid = |error: ValueError| DeliveryError::Value { path: path(), reason: error.to_string() };
        return crossing.check_encoding(bytes).map_err(invalid);
    }
    let ty = known(world, desc)?.ok_or_else(|| DeliveryError::NoSuchType { path: path() })?;
    if let Some(reason) = forbidden_to_send(&ty.crossing.path) {
        return Err(DeliveryError::Forbidden { path: path(), reason });
    }
    match kind {
        DefinitionKind::Event if ty.event.is_none() => Err(TypeError::NotAnEvent { path: path() }.into()),
        DefinitionKind::Message if ty.message.is_none() => Err(TypeError::NotAMessage { path: path() }.into()),
        _ => ty.build(world, bytes).map(drop),
    }
}

fn alone(registration: &TypeRegistration) -> TypeRegistry {
    let mut registry = TypeRegistry::empty();
    registry.add_registration(registration.clone());
    registry
}

impl Outgoing {
    /// Builds a value from its encoding.
    pub(crate) fn build(&self, world: &World, bytes: &[u8]) -> Result<Box<dyn Reflect>, DeliveryError> {
        let path = || self.crossing.path.to_string();
        let types = world.resource::<AppTypeRegistry>().read();
        let reflection = Reflection { types: &types, assets: world.get_resource::<AssetServer>() };
        match self.crossing.build(bytes, reflection) {
            Ok(Owned::Reflected(value)) => Ok(value),
            Ok(_) => Err(DeliveryError::NoSuchType { path: path() }),
            Err(error) => Err(DeliveryError::Value { path: path(), reason: error.to_string() }),
        }
    }
}
