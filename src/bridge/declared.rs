//! Messages and events as mods name them: whether a mod defines them, or they are the game's.

use std::sync::Arc;

use bevy_ecs::world::World;
use bevy_reflect::TypeRegistry;
use mod_abi::describe::{DefinitionKind, TypeDesc};

use crate::bridge::{
    crossing::Crossing,
    definitions,
    grant::{Access, Claim},
    types::{self, TypeError},
};

/// Where the values of a message or an event come from.
pub(crate) enum Found {
    /// A mod defines it.
    Declared(Arc<Crossing>),
    /// It is the game's, if anybody's.
    Game,
    /// The mod that defines it is not there yet.
    NotYet,
}

/// Looks for a message or an event as a mod describes it: its own, or another mod's that has the same schema. Who claims it
/// says what for.
pub(crate) fn find(
    world: &World,
    registry: &TypeRegistry,
    desc: &TypeDesc,
    kind: DefinitionKind,
    (claim, accesses): (Claim<'_>, &[Access]),
) -> Result<Found, TypeError> {
    let found = look(world, registry, desc, kind)?;
    match &found {
        Found::Declared(crossing) => claim.ty(accesses, crossing),
        Found::Game => claim.path(accesses, types::find(registry, &desc.path)?.type_info().type_path()),
        Found::NotYet => claim.path(accesses, &desc.path),
    }
    Ok(found)
}

fn look(world: &World, registry: &TypeRegistry, desc: &TypeDesc, kind: DefinitionKind) -> Result<Found, TypeError> {
    match definitions::find_sent(world, &desc.path) {
        Some((found, crossing)) if found == kind => {
            crossing.check_data(desc)?;
            Ok(Found::Declared(crossing))
        }
        Some(_) => Err(TypeError::OtherKind { path: desc.path.clone() }),
        None if registry.get_with_type_path(&desc.path).is_none() && definitions::is_expected(world, &desc.path) => {
            Ok(Found::NotYet)
        }
        None => Ok(Found::Game),
    }
}
