//! On-demand access: a mod asks for rows in the middle of a call, and reads them as a block.
//!
//! A mod first has a request prepared, which answers with a handle, and then asks by that handle. Handles belong to the
//! instance.

use bevy_asset::AssetServer;
use bevy_ecs::{component::ComponentId, entity::Entity, reflect::AppTypeRegistry, world::World};
use mod_abi::{
    codec,
    describe::{TermDesc, TypeDesc, TypeIndex, WorldRequest, WorldTarget},
    names,
};
use serde::{Serialize, de::DeserializeOwned};

use crate::bridge::{
    gather::Block,
    grant::{Claims, Grants, READ, READ_AND_WRITE},
    handle::ModHandle,
    query::{Bound, BoundQuery, QueryError, Term, Types, TypesOf},
    types::{Binding, bind_readonly},
    value::Reflection,
};

/// The most requests that one instance may have prepared.
const MAX_PREPARED: usize = 1024;
/// The most bytes of one request.
const MAX_REQUEST: usize = 64 << 10;

/// The requests of one instance.
#[derive(Debug, Default)]
pub(crate) struct OnDemand {
    prepared: Vec<Prepared>,
}

#[derive(Debug)]
struct Prepared {
    request: WorldRequest,
    /// `None` until the World has met all of its types. Nothing can match before that.
    block: Option<Block>,
}

/// One of the host functions behind on-demand access.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum WorldFunction {
    Prepare,
    Query,
    Get,
    Resource,
    Count,
    Contains,
    /// About the blocks of the running system: answered by its slot.
    Ticks,
    /// About the types of the instance: answered by its handle.
    TypeIndex,
}

/// The host functions of the contract. They stand first in every list of host functions, in this order.
pub(crate) const WORLD_FUNCTIONS: [(&str, WorldFunction); 8] = [
    (names::WORLD_PREPARE, WorldFunction::Prepare),
    (names::WORLD_QUERY, WorldFunction::Query),
    (names::WORLD_GET, WorldFunction::Get),
    (names::WORLD_RESOURCE, WorldFunction::Resource),
    (names::WORLD_COUNT, WorldFunction::Count),
    (names::WORLD_CONTAINS, WorldFunction::Contains),
    (names::QUERY_TICKS, WorldFunction::Ticks),
    (names::TYPE_INDEX, WorldFunction::TypeIndex),
];

impl OnDemand {
    /// Answers a request of the mod, if it is granted what it wants.
    pub(crate) fn answer(
        &mut self,
        function: WorldFunction,
        args: &[u8],
        world: &World,
        handle: &ModHandle,
        result: &mut Vec<u8>,
    ) -> Result<(), String> {
        let (grants, limit) = (&handle.grants, handle.answer_limit);
        match function {
            WorldFunction::Prepare if args.len() > MAX_REQUEST => Err(format!("it has more than {MAX_REQUEST} bytes")),
            WorldFunction::Prepare => reply(&self.prepare(arguments(args)?, world, grants)?, result),
            WorldFunction::Query | WorldFunction::Resource => {
                self.rows(arguments(args)?, None, (world, grants), limit, result)
            }
            WorldFunction::Get => {
                let (handle, bits): (u32, u64) = arguments(args)?;
                let entity = Entity::try_from_bits(bits).ok_or_else(|| format!("{bits:#x} is no entity"))?;
                self.rows(handle, Some(entity), (world, grants), limit, result)
            }
            WorldFunction::Count => {
                let rows = match self.block(arguments(args)?, world, grants)? {
                    Some(block) => block.count(world).map_err(|error| error.to_string())?,
                    None => 0,
                };
                reply(&u32::try_from(rows).map_err(|error| error.to_string())?, result)
            }
            WorldFunction::Contains => {
                let entity = Entity::try_from_bits(arguments(args)?);
                reply(&entity.is_some_and(|entity| world.get_entity(entity).is_ok()), result)
            }
            WorldFunction::Ticks | WorldFunction::TypeIndex => Err("it cannot be answered here".to_owned()),
        }
    }

    fn prepare(&mut self, request: WorldRequest, world: &World, grants: &Grants) -> Result<u32, String> {
        if self.prepared.len() >= MAX_PREPARED {
            return Err(format!("more than {MAX_PREPARED} requests are prepared"));
        }
        if let WorldTarget::Query(query) = &request.target
            && query.terms.iter().any(|term| matches!(term, TermDesc::Write(_) | TermDesc::WriteOptional(_)))
        {
            return Err("on-demand access only reads, but a term writes".to_owned());
        }
        let block = bind(&request, world, grants)?;
        self.prepared.push(Prepared { request, block });
        u32::try_from(self.prepared.len() - 1).map_err(|error| error.to_string())
    }

    /// The block of a prepared request, once the World has met its types.
    fn block(&mut self, handle: u32, world: &World, grants: &Grants) -> Result<Option<&mut Block>, String> {
        let prepared = usize::try_from(handle).ok().and_then(|handle| self.prepared.get_mut(handle));
        let prepared = prepared.ok_or_else(|| format!("there is no prepared request {handle}"))?;
        if prepared.block.is_none() {
            prepared.block = bind(&prepared.request, world, grants)?;
        }
        Ok(prepared.block.as_mut())
    }

    fn rows(
        &mut self,
        handle: u32,
        entity: Option<Entity>,
        (world, grants): (&World, &Grants),
        limit: usize,
        result: &mut Vec<u8>,
    ) -> Result<(), String> {
        let mut nothing = Block::empty(self.columns(handle));
        // Binding looks into the registry, too, which must not be locked twice.
        let (block, entity) = match self.block(handle, world, grants)? {
            Some(block) => (block, entity),
            None => (&mut nothing, None),
        };
        let types = world.resource::<AppTypeRegistry>().read();
        let reflection = Reflection { types: &types, assets: world.get_resource::<AssetServer>() };
        block.read(world, reflection, entity, limit, result).map_err(|error| error.to_string())
    }

    fn columns(&self, handle: u32) -> usize {
        let prepared = usize::try_from(handle).ok().and_then(|handle| self.prepared.get(handle));
        prepared.map_or(0, |prepared| column_count(&prepared.request.target))
    }
}

/// The arguments of a host function of the contract.
pub(crate) fn arguments<T: DeserializeOwned>(args: &[u8]) -> Result<T, String> {
    codec::decode(args).map_err(|error| format!("its arguments do not fit: {error}"))
}

/// The answer of a host function of the contract.
pub(crate) fn reply<T: Serialize>(answer: &T, result: &mut Vec<u8>) -> Result<(), String> {
    *result = codec::encode(answer).map_err(|error| error.to_string())?;
    Ok(())
}

fn column_count(target: &WorldTarget) -> usize {
    match target {
        WorldTarget::Query(query) => query.terms.len(),
        WorldTarget::Resource(_) => 1,
    }
}

/// Binds a request. What is not granted is an error, whether the World has met its types or not.
fn bind(request: &WorldRequest, world: &World, grants: &Grants) -> Result<Option<Block>, String> {
    let claims = Claims::new(grants);
    let bound = bind_claimed(request, world, &claims);
    let refused = claims.into_refused();
    if !refused.is_empty() {
        return Err(refused.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "));
    }
    bound.map_err(|error| error.to_string())
}

fn bind_claimed(request: &WorldRequest, world: &World, claims: &Claims) -> Result<Option<Block>, QueryError> {
    let lookup = |desc: &TypeDesc| bind_readonly(world, desc);
    let mut types = TypesOf { descs: &request.types, bind: lookup, claim: claims.of_mod() };
    Ok(match &request.target {
        WorldTarget::Query(query) => match BoundQuery::bind(query, &mut types)? {
            Bound::Ready(mut query) => {
                query.hide_disabled(world);
                Some(Block::of_query(query))
            }
            Bound::Waiting(_) => None,
        },
        WorldTarget::Resource(ty) => match bind_resource(*ty, false, &mut types)? {
            Bound::Ready((component, term)) => Some(Block::of_resource(component, term, true)),
            Bound::Waiting(_) => None,
        },
    })
}

/// Binds a resource to its component and the one term that reads it.
pub(crate) fn bind_resource(
    ty: TypeIndex,
    write: bool,
    types: &mut impl Types,
) -> Result<Bound<(ComponentId, Term)>, QueryError> {
    let (binding, desc) = types.get(ty, if write { READ_AND_WRITE } else { READ })?;
    match binding {
        Binding::NotYet { name, .. } => Ok(Bound::Waiting(vec![name])),
        Binding::Bound(ty) => {
            ty.crossing.check_data(desc)?;
            if write {
                ty.check_mutable()?;
            }
            Ok(Bound::Ready((ty.component, Term::Data { ty, write, optional: false })))
        }
    }
}
