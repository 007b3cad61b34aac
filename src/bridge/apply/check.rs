//! Commands as the mod states them to steps that can be carried out: all of them are looked at before the first one is.

use std::{collections::HashMap, sync::Arc};

use bevy_asset::AssetServer;
use bevy_ecs::{
    component::ComponentId,
    entity::{Entity, EntityHashSet, EntityNotSpawnedError},
    reflect::AppTypeRegistry,
    world::World,
};
use mod_abi::{
    command::{Command, Value},
    describe::{DefinitionKind, TypeDesc, TypeRole},
};

use super::{
    CommandError, Run,
    family::{Family, Relation},
};
use crate::bridge::{
    definitions,
    grant::Access,
    handle::ModHandle,
    insert::Piece,
    outgoing::{self, DeliveryError},
    permit::{Permits, is_spawned_by},
    types::{self, Binding, BoundType},
    value::Reflection,
};

/// The most bytes of values of varying size that one run's commands may have. Built part by part, they take many times
/// that.
const MAX_BUILT: usize = 16 << 20;

/// A command that may be carried out.
#[derive(Debug)]
pub(super) enum Step<'a> {
    Spawn { entity: Entity, pieces: Vec<Piece> },
    Insert { entity: Entity, pieces: Vec<Piece>, only_new: bool },
    Remove { entity: Entity, components: Vec<ComponentId> },
    Despawn { entity: Entity },
    InsertResource(Piece),
    RemoveResource(ComponentId),
    WriteMessage { desc: Arc<TypeDesc>, bytes: &'a [u8] },
    Trigger { desc: Arc<TypeDesc>, bytes: &'a [u8] },
}

/// Turns commands into steps.
///
/// # Errors
/// The first command that is wrong.
pub(super) fn check<'a>(
    world: &mut World,
    run: &Run,
    permits: &Permits,
    commands: Vec<Command<'a>>,
) -> Result<Vec<Step<'a>>, CommandError> {
    let mut known = std::mem::take(&mut *run.from.bound());
    let bound = bind_all(world, run.from, &commands, &mut known);
    let spawns = commands.iter().filter(|command| matches!(command, Command::Spawn { .. })).count();
    let mut checker = Checker {
        world,
        run,
        permits,
        bound: &known,
        allowed: Vec::new(),
        sent: HashMap::new(),
        spawned: EntityHashSet::with_capacity(spawns),
        despawned: EntityHashSet::new(),
        family: Family::default(),
        built: 0,
    };
    let steps = bound.and_then(|()| {
        let mut steps = Vec::with_capacity(commands.len());
        for command in commands {
            steps.extend(checker.step(command)?);
        }
        Ok(steps)
    });
    *run.from.bound() = known;
    steps
}

/// The types of a mod that its commands named so far, by their indices.
pub(crate) type BoundByIndex = Vec<Option<Arc<BoundType>>>;

/// Looks up the types of components and resources that the commands name for the first time.
fn bind_all(
    world: &mut World,
    handle: &ModHandle,
    commands: &[Command],
    known: &mut BoundByIndex,
) -> Result<(), CommandError> {
    for command in commands {
        match command {
            Command::Spawn { components, .. }
            | Command::Insert { components, .. }
            | Command::InsertIfNew { components, .. } => {
                components.iter().try_for_each(|value| bind(world, handle, value.ty, known))?;
            }
            Command::Remove { types, .. } => types.iter().try_for_each(|ty| bind(world, handle, *ty, known))?,
            Command::InsertResource(Value { ty, .. }) | Command::RemoveResource(ty) => bind(world, handle, *ty, known)?,
            Command::WriteMessage(Value { ty, .. }) | Command::Trigger(Value { ty, .. }) => {
                bind_sent(world, handle, *ty)?
            }
            Command::Despawn { .. } => {}
        }
    }
    Ok(())
}

fn bind(world: &mut World, handle: &ModHandle, index: u32, known: &mut BoundByIndex) -> Result<(), CommandError> {
    let at = usize::try_from(index).unwrap_or(usize::MAX);
    if known.get(at).is_some_and(Option::is_some) {
        return Ok(());
    }
    let (desc, earlier) = stated(handle, index)?;
    if matches!(desc.role, TypeRole::Definition(_)) {
        // It may have come up in the middle of a call.
        definitions::define_late(world, &handle.id, &desc, &earlier)?;
    }
    match types::bind(world, &desc)? {
        Binding::NotYet { name, .. } => Err(CommandError::NotYet { name }),
        Binding::Bound(bound) => {
            bound.crossing.check_data(&desc)?;
            if known.len() <= at {
                known.resize(at + 1, None);
            }
            if let Some(place) = known.get_mut(at) {
                *place = Some(bound);
            }
            Ok(())
        }
    }
}

/// Looks up the type of a message or an event.
fn bind_sent(world: &mut World, handle: &ModHandle, index: u32) -> Result<(), CommandError> {
    let (desc, earlier) = stated(handle, index)?;
    if definitions::find_sent(world, &desc.path).is_some() {
        return Ok(());
    }
    if matches!(desc.role, TypeRole::Definition(_)) {
        definitions::define_late(world, &handle.id, &desc, &earlier)?;
    } else {
        outgoing::outgoing(world, &desc).map_err(DeliveryError::from)?;
    }
    Ok(())
}

/// A type as the mod states it, and what it stated under the same path before. Copies: the list must not be locked while
/// code of the game runs.
fn stated(handle: &ModHandle, index: u32) -> Result<(TypeDesc, Vec<TypeDesc>), CommandError> {
    let types = handle.types();
    let at = usize::try_from(index).unwrap_or(usize::MAX);
    let desc = types.get(at).ok_or(CommandError::NoSuchType { index, types: types.len() })?;
    let earlier = types.iter().take(at).filter(|known| known.path == desc.path);
    Ok((desc.clone(), earlier.cloned().collect()))
}

struct Checker<'c> {
    world: &'c World,
    run: &'c Run<'c>,
    permits: &'c Permits,
    bound: &'c BoundByIndex,
    /// Components that were found to be for this mod: few.
    allowed: Vec<ComponentId>,
    /// The types of messages and events that are sent.
    sent: HashMap<u32, Arc<TypeDesc>>,
    /// Entities that these commands spawn, and that they despawn.
    spawned: EntityHashSet,
    despawned: EntityHashSet,
    family: Family,
    /// Bytes of values that were built part by part.
    built: usize,
}

/// Whether a command can mean an entity.
enum Standing {
    Alive,
    Gone,
}

impl<'c> Checker<'c> {
    /// What to do for a command; `None` for nothing.
    fn step<'a>(&mut self, command: Command<'a>) -> Result<Option<Step<'a>>, CommandError> {
        Ok(Some(match command {
            Command::Spawn { entity, components } => {
                self.run.from.grants.check_spawn()?;
                let not_reserved = |entity: String| CommandError::NotReserved { entity };
                let entity = Entity::try_from_bits(entity).ok_or_else(|| not_reserved(format!("{entity:#x}")))?;
                if !self.run.from.reserved().contains(&entity) || !self.spawned.insert(entity) {
                    return Err(not_reserved(entity.to_string()));
                }
                Step::Spawn { entity, pieces: self.pieces(entity, &components)? }
            }
            Command::Insert { entity, components } => return self.insert(entity, &components, false),
            Command::InsertIfNew { entity, components } => return self.insert(entity, &components, true),
            Command::Remove { entity, types } => {
                let Some(entity) = self.touch(entity)? else { return Ok(None) };
                let mut components = Vec::with_capacity(types.len());
                for ty in types {
                    let ty = self.ty(ty)?;
                    self.allow_component(ty)?;
                    components.push(ty.component);
                }
                components.iter().for_each(|component| self.family.leave(*component, entity));
                components.sort_unstable();
                components.dedup();
                Step::Remove { entity, components }
            }
            Command::Despawn { entity } => {
                let Some(entity) = self.touch(entity)? else { return Ok(None) };
                for gone in self.despawns(entity)? {
                    self.despawned.insert(gone);
                }
                Step::Despawn { entity }
            }
            Command::InsertResource(value) => {
                let ty = self.ty(value.ty)?;
                self.run.from.grants.check(Access::Write, &ty.crossing)?;
                self.allow(&ty.crossing.path, self.permits.forbidden_resource(self.world, ty))?;
                Step::InsertResource(self.piece(ty, value.bytes)?)
            }
            Command::RemoveResource(index) => {
                let ty = self.ty(index)?;
                self.run.from.grants.check(Access::Write, &ty.crossing)?;
                let forbidden = self.permits.forbidden_removal(self.world, ty, &self.run.from.id);
                self.allow(&ty.crossing.path, forbidden)?;
                Step::RemoveResource(ty.component)
            }
            Command::WriteMessage(Value { ty, bytes }) => {
                let desc = self.sent(ty)?;
                self.spend(bytes.len())?;
                outgoing::check(self.world, &desc, DefinitionKind::Message, bytes)?;
                Step::WriteMessage { desc, bytes }
            }
            Command::Trigger(Value { ty, bytes }) => {
                let desc = self.sent(ty)?;
                self.spend(bytes.len())?;
                outgoing::check(self.world, &desc, DefinitionKind::Event, bytes)?;
                Step::Trigger { desc, bytes }
            }
        }))
    }

    fn insert<'a>(
        &mut self,
        entity: u64,
        components: &[Value],
        only_new: bool,
    ) -> Result<Option<Step<'a>>, CommandError> {
        let Some(entity) = self.touch(entity)? else { return Ok(None) };
        let pieces = self.pieces(entity, components)?;
        Ok(Some(Step::Insert { entity, pieces, only_new }))
    }

    /// The entity that a command means, if it is alive then and mods may touch it.
    fn touch(&self, bits: u64) -> Result<Option<Entity>, CommandError> {
        let entity = Entity::try_from_bits(bits);
        let entity = entity.ok_or_else(|| CommandError::NoEntity { entity: format!("{bits:#x}") })?;
        match self.standing(entity)? {
            Standing::Gone => {
                self.run.skip(entity);
                return Ok(None);
            }
            Standing::Alive => {}
        }
        match self.permits.protected_id(self.world, entity) {
            Some(what) => Err(CommandError::Protected { entity, what }),
            None => Ok(Some(entity)),
        }
    }

    fn standing(&self, entity: Entity) -> Result<Standing, CommandError> {
        if self.despawned.contains(&entity) {
            return Ok(Standing::Gone);
        }
        if self.spawned.contains(&entity) {
            return Ok(Standing::Alive);
        }
        let entities = self.world.entities();
        let made_up = || CommandError::NoEntity { entity: entity.to_string() };
        match entities.get_spawned(entity) {
            Ok(_) => Ok(Standing::Alive),
            // An older life of that place is over. A newer one has not begun.
            Err(EntityNotSpawnedError::Invalid(error)) => {
                let is_older = entity.generation().cmp_approx(&error.current_generation).is_lt();
                if is_older { Ok(Standing::Gone) } else { Err(made_up()) }
            }
            // Somebody may have reserved it, this mod for example, and not spawned it yet. Nobody can have reserved what
            // the World has never had a place for.
            Err(EntityNotSpawnedError::ValidButNotSpawned(_)) => {
                let has_place = entity.index_u32() < entities.len();
                let is_known = has_place || self.run.from.reserved().contains(&entity);
                if is_known { Ok(Standing::Gone) } else { Err(made_up()) }
            }
        }
    }

    /// Whether an entity is the mod's to despawn.
    fn may_despawn(&self, entity: Entity) -> bool {
        let there = self.world.get_entity(entity);
        self.spawned.contains(&entity) || there.is_ok_and(|there| self.permits.may_despawn(there, &self.run.from.id))
    }

    /// Whether the mod spawned an entity, or does so now.
    fn is_its_own(&self, entity: Entity) -> bool {
        let there = self.world.get_entity(entity);
        self.spawned.contains(&entity) || there.is_ok_and(|there| is_spawned_by(there, &self.run.from.id))
    }

    /// All that goes with an entity when it is despawned.
    fn despawns(&mut self, entity: Entity) -> Result<Vec<Entity>, CommandError> {
        if !self.may_despawn(entity) {
            return Err(CommandError::NotItsOwn { entity });
        }
        if !self.is_its_own(entity) {
            self.run.from.grants.check_despawn(entity)?;
        }
        let all = self.family.with_descendants(self.world, entity);
        let refused = |reason| CommandError::Relationship { entity, path: "despawning".to_owned(), reason };
        let all = all.map_err(refused)?;
        let protected = |entity: &Entity| Some((*entity, self.permits.protected_id(self.world, *entity)?));
        match all.iter().find_map(protected) {
            Some((entity, what)) => Err(CommandError::Protected { entity, what }),
            None => Ok(all),
        }
    }

    fn pieces(&mut self, entity: Entity, components: &[Value]) -> Result<Vec<Piece>, CommandError> {
        if components.len() > 1 {
            self.check_distinct(components)?;
        }
        // One more says whose the entity is, if it is spawned.
        let mut pieces: Vec<Piece> = Vec::with_capacity(components.len() + 1);
        for value in components {
            let ty = self.ty(value.ty)?;
            self.allow_component(ty)?;
            let piece = self.piece(ty, value.bytes)?;
            let is_relation = match Relation::of(self.world, ty.component) {
                Some(relation) => {
                    let path = Arc::clone(&ty.crossing.path);
                    self.relate(entity, relation, &piece, &path)?
                }
                None => true,
            };
            if is_relation {
                pieces.push(piece);
            }
        }
        Ok(pieces)
    }

    fn check_distinct(&self, components: &[Value]) -> Result<(), CommandError> {
        let mut all = components.iter().map(|value| self.ty(value.ty)).collect::<Result<Vec<_>, _>>()?;
        all.sort_unstable_by_key(|ty| ty.component);
        let twice = all.array_windows().find(|[one, next]| one.component == next.component);
        twice.map_or(Ok(()), |[twice, _]| Err(CommandError::Twice { path: twice.crossing.path.to_string() }))
    }

    /// Whether an entity gets a relationship. It does not if the other side is gone.
    fn relate(&mut self, entity: Entity, relation: Relation, piece: &Piece, path: &str) -> Result<bool, CommandError> {
        let refused = |reason| CommandError::Relationship { entity, path: path.to_owned(), reason };
        let parent = relation.parent_in(self.world, piece.value());
        let parent = parent.ok_or_else(|| refused("it names no entity"))?;
        if let Standing::Gone = self.standing(parent)? {
            self.run.skip(parent);
            return Ok(false);
        }
        if let Some(what) = self.permits.protected_id(self.world, parent) {
            return Err(CommandError::Protected { entity: parent, what });
        }
        // What hangs on an entity is despawned with it.
        if relation.is_linked() && self.may_despawn(parent) && !self.may_despawn(entity) {
            return Err(refused("it is not the mod's, and would be despawned with what is"));
        }
        self.family.adopt(self.world, relation, entity, parent).map_err(refused)?;
        Ok(true)
    }

    /// Counts the bytes of a value that is built part by part.
    fn spend(&mut self, bytes: usize) -> Result<(), CommandError> {
        self.built = self.built.saturating_add(bytes);
        if self.built > MAX_BUILT { Err(CommandError::TooMuchBuilt { bytes: self.built }) } else { Ok(()) }
    }

    fn piece(&mut self, ty: &BoundType, bytes: &[u8]) -> Result<Piece, CommandError> {
        if ty.crossing.stride.is_none() {
            self.spend(bytes.len())?;
        }
        let invalid = |reason: String| CommandError::Value { path: ty.crossing.path.to_string(), reason };
        let types = self.world.resource::<AppTypeRegistry>().read();
        let reflection = Reflection { types: &types, assets: self.world.get_resource::<AssetServer>() };
        let value = ty.crossing.build(bytes, reflection).map_err(|error| invalid(error.to_string()))?;
        let piece = Piece::new(self.world, ty.component, value);
        piece.ok_or_else(|| invalid("the game built something else of it".to_owned()))
    }

    fn allow_component(&mut self, ty: &BoundType) -> Result<(), CommandError> {
        if self.allowed.contains(&ty.component) {
            return Ok(());
        }
        self.run.from.grants.check(Access::Write, &ty.crossing)?;
        self.allow(&ty.crossing.path, self.permits.forbidden_component(self.world, ty))?;
        self.allowed.push(ty.component);
        Ok(())
    }

    fn allow(&self, path: &str, forbidden: Option<&'static str>) -> Result<(), CommandError> {
        let refuse = |reason| Err(CommandError::Forbidden { path: path.to_owned(), reason });
        forbidden.map_or(Ok(()), refuse)
    }

    /// A type that was bound before.
    fn ty(&self, index: u32) -> Result<&'c BoundType, CommandError> {
        let bound = usize::try_from(index).ok().and_then(|index| self.bound.get(index)?.as_deref());
        bound.ok_or(CommandError::NoSuchType { index, types: self.bound.len() })
    }

    fn sent(&mut self, index: u32) -> Result<Arc<TypeDesc>, CommandError> {
        if let Some(desc) = self.sent.get(&index) {
            return Ok(Arc::clone(desc));
        }
        let types = self.run.from.types();
        let desc = usize::try_from(index).ok().and_then(|index| types.get(index));
        let desc = Arc::new(desc.ok_or(CommandError::NoSuchType { index, types: types.len() })?.clone());
        outgoing::check_grant(self.world, &desc, &self.run.from.grants)?;
        self.sent.insert(index, Arc::clone(&desc));
        Ok(desc)
    }
}
