//! The resources that a mod starts with.

use std::sync::Arc;

use bevy_asset::AssetServer;
use bevy_ecs::{reflect::AppTypeRegistry, world::World};
use mod_abi::describe::{InitialResource, ModDescription};

use crate::bridge::{
    apply::CommandError,
    bind::SystemBindError,
    grant::{Access, Claim, Claims, Grants},
    insert::{self, Piece},
    permit::{InsertedResources, Permits},
    query::Bound,
    types::{self, Binding},
    value::Reflection,
};

/// Values for resources, checked.
#[derive(Debug, Default)]
pub(crate) struct InitialResources(Vec<Piece>);

/// Builds the resources that a mod starts with. Its own types have to be in place.
///
/// # Errors
/// All that the mod is not granted, and what is wrong with the first that cannot be inserted.
pub(crate) fn build(
    world: &mut World,
    description: &ModDescription,
    grants: &Grants,
) -> Result<Bound<InitialResources>, Vec<SystemBindError>> {
    let claims = Claims::new(grants);
    let built = build_claimed(world, description, claims.of_mod());
    let mut errors: Vec<_> = claims.into_refused().into_iter().map(SystemBindError::from).collect();
    match built {
        Ok(built) if errors.is_empty() => Ok(built),
        built => {
            errors.extend(built.err().map(SystemBindError::Resource));
            Err(errors)
        }
    }
}

fn build_claimed(
    world: &mut World,
    description: &ModDescription,
    claim: Claim<'_>,
) -> Result<Bound<InitialResources>, CommandError> {
    if description.resources.is_empty() {
        return Ok(Bound::Ready(InitialResources::default()));
    }
    let permits = Permits::new(world);
    let mut pieces = Vec::new();
    let mut waiting = Vec::new();
    let bind = |resource: &InitialResource| {
        let (index, types) = (resource.ty, &description.types);
        let desc = usize::try_from(index).ok().and_then(|index| types.get(index));
        let desc = desc.ok_or(CommandError::NoSuchType { index, types: types.len() })?;
        let binding = types::bind(world, desc)?;
        binding.claim(claim, &[Access::Write]);
        Ok::<_, CommandError>((binding, desc))
    };
    // All of them are claimed before the first that is wrong is told.
    let bound: Vec<_> = description.resources.iter().map(bind).collect();
    for (bound, InitialResource { value, .. }) in bound.into_iter().zip(&description.resources) {
        let (binding, desc) = bound?;
        let ty = match binding {
            Binding::Bound(ty) => ty,
            Binding::NotYet { name, .. } => {
                waiting.push(name);
                continue;
            }
        };
        ty.crossing.check_data(desc)?;
        let path = || ty.crossing.path.to_string();
        if let Some(reason) = permits.forbidden_resource(world, &ty) {
            return Err(CommandError::Forbidden { path: path(), reason });
        }
        let invalid = |reason: String| CommandError::Value { path: path(), reason };
        let types = world.resource::<AppTypeRegistry>().read();
        let reflection = Reflection { types: &types, assets: world.get_resource::<AssetServer>() };
        let value = ty.crossing.build(value, reflection).map_err(|error| invalid(error.to_string()))?;
        let piece = Piece::new(world, ty.component, value);
        pieces.push(piece.ok_or_else(|| invalid("the game built something else of it".to_owned()))?);
    }
    Ok(if waiting.is_empty() { Bound::Ready(InitialResources(pieces)) } else { Bound::Waiting(waiting) })
}

impl InitialResources {
    /// Inserts those that do not exist yet.
    ///
    /// # Errors
    /// The text of a panic of the game's hooks and observers.
    pub(crate) fn insert(self, world: &mut World, mod_id: &Arc<str>) -> Result<(), String> {
        for piece in self.0 {
            let component = piece.component();
            if world.get_resource_by_id(component).is_none() {
                InsertedResources::note(world, component, mod_id);
                insert::insert_resource(world, piece)?;
            }
        }
        Ok(())
    }
}
