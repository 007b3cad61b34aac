//! Messages: those of the game and those that mods define, as blocks for mods that read them, and from mods that write.
//!
//! Of the game's messages only those can be read that the game offers, because Bevy reads messages through their types
//! alone. A reader counts what it has read, as Bevy's `MessageCursor` does: a new one begins with all that are still there.
#![expect(unsafe_code, reason = "reads messages of the game through a world cell, by the access that a slot declared")]

use std::{any::TypeId, collections::HashMap, sync::Arc};

use bevy_ecs::{
    component::ComponentId,
    message::{Message, Messages},
    query::FilteredAccessSet,
    reflect::AppTypeRegistry,
    resource::Resource,
    world::{World, unsafe_world_cell::UnsafeWorldCell},
};
use bevy_reflect::Reflect;
use mod_abi::{
    command::Command,
    describe::{DefinitionKind, TypeDesc, TypeIndex},
};

use crate::bridge::{
    crossing::Crossing,
    declared::{self, Found},
    definitions,
    gather::{Block, GatherError},
    grant::{Access, Claim, READ},
    handle::catch,
    messages::defined::DefinedMessages,
    outgoing::{DeliveryError, outgoing},
    permit::forbidden_to_send,
    query::{Bound, QueryError},
    types::{TypeError, crossing, find},
    value::Reflection,
};

pub(crate) mod defined;

/// What is done with each message that is read.
type Each<'a> = &'a mut dyn FnMut(&dyn Reflect) -> Result<(), GatherError>;

/// A message of the game that mods may read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct GameMessage {
    /// The resource that holds the messages.
    resource: ComponentId,
    /// Reads those from a number on, and returns the number of the next one to come. Needs read access to the resource.
    read: unsafe fn(UnsafeWorldCell, usize, Each) -> Result<usize, GatherError>,
}

/// The messages of the game that mods may read, by type.
#[derive(Debug, Default, Resource)]
pub(crate) struct GameMessages(HashMap<TypeId, GameMessage>);

impl GameMessages {
    /// Offers a message of the game to mods.
    pub(crate) fn add<M: Message + Reflect>(world: &mut World) {
        let resource = world.register_component::<Messages<M>>();
        let message = GameMessage { resource, read: read_game::<M> };
        world.get_resource_or_init::<Self>().0.insert(TypeId::of::<M>(), message);
    }

    /// Whether the game offers messages of a type.
    pub(crate) fn offers(&self, ty: TypeId) -> bool {
        self.0.contains_key(&ty)
    }
}

/// # Safety
/// The caller may read the resource `Messages<M>`.
unsafe fn read_game<M: Message + Reflect>(
    world: UnsafeWorldCell,
    from: usize,
    each: Each,
) -> Result<usize, GatherError> {
    // SAFETY: passed on.
    let Some(messages) = (unsafe { world.get_resource::<Messages<M>>() }) else { return Ok(from) };
    let oldest = messages.oldest_message_count();
    let end = oldest.wrapping_add(messages.len());
    for id in from.max(oldest)..end {
        if let Some((message, _)) = messages.get_message(id) {
            each(message.as_reflect())?;
        }
    }
    Ok(end)
}

/// Where a reader's messages come from.
#[derive(Debug)]
enum Source {
    Game(GameMessage),
    Defined(Arc<Crossing>),
}

/// A parameter that reads messages: what came since its system last ran.
#[derive(Debug)]
pub(crate) struct MessageReader {
    source: Source,
    /// The resource that is read.
    resource: ComponentId,
    pub(crate) block: Block,
    /// The number of the first message that the system has not seen.
    cursor: usize,
    /// The number of the first message that is not in the block.
    end: usize,
}

impl MessageReader {
    /// Binds a reader to a message of the game or of a mod.
    pub(crate) fn bind(world: &mut World, desc: &TypeDesc, claim: Claim<'_>) -> Result<Bound<Self>, QueryError> {
        let registry = world.get_resource_or_init::<AppTypeRegistry>().clone();
        let registry = registry.read();
        let (source, resource, crossing) =
            match declared::find(world, &registry, desc, DefinitionKind::Message, (claim, READ))? {
                Found::NotYet => return Ok(Bound::Waiting(vec![desc.path.clone()])),
                Found::Declared(crossing) => {
                    let resource = world.register_component::<DefinedMessages>();
                    (Source::Defined(Arc::clone(&crossing)), resource, crossing)
                }
                Found::Game => {
                    let registration = find(&registry, &desc.path)?;
                    let offered = world.get_resource_or_init::<GameMessages>().0.get(&registration.type_id()).copied();
                    let path = registration.type_info().type_path();
                    let message = offered.ok_or_else(|| TypeError::NotOffered { path: path.to_owned() })?;
                    let crossing = crossing(registration, desc, &registry)?;
                    crossing.check_data(desc)?;
                    (Source::Game(message), message.resource, Arc::new(crossing))
                }
            };
        Ok(Bound::Ready(Self { source, resource, block: Block::of_values(crossing), cursor: 0, end: 0 }))
    }

    /// Adds what is read to a system's access.
    pub(crate) fn declare(&self, access: &mut FilteredAccessSet) {
        access.add_resource_read(self.resource);
    }

    /// Fills the block with the messages that are new to the system.
    ///
    /// # Safety
    /// The caller has the access that [`MessageReader::declare`] adds.
    pub(crate) unsafe fn collect(
        &mut self,
        world: UnsafeWorldCell,
        reflection: Reflection,
        limit: usize,
    ) -> Result<(), GatherError> {
        let Self { source, block, cursor, end, .. } = self;
        block.clear_values();
        match source {
            Source::Game(message) => {
                let mut push = |message: &dyn Reflect| {
                    block.push_value(|crossing, out| crossing.write_reflected(message, reflection, out))?;
                    if block.value_bytes() > limit { Err(GatherError::TooLarge) } else { Ok(()) }
                };
                // SAFETY: the resource that is declared is the one that this function reads.
                *end = unsafe { (message.read)(world, *cursor, &mut push)? };
            }
            Source::Defined(crossing) => {
                // SAFETY: the resource that is declared is this one.
                let Some(messages) = (unsafe { world.get_resource::<DefinedMessages>() }) else { return Ok(()) };
                *end = messages.read(crossing, *cursor, |bytes| {
                    block.push_value(|_, out| {
                        out.extend_from_slice(bytes);
                        Ok(())
                    })
                })?;
            }
        }
        Ok(())
    }

    /// Notes that the system has seen what is in the block.
    pub(crate) fn commit(&mut self) {
        self.cursor = self.end;
    }
}

/// Checks that mods can write messages of a type.
pub(crate) fn bind_writer(world: &mut World, desc: &TypeDesc, claim: Claim<'_>) -> Result<Bound<()>, QueryError> {
    let registry = world.get_resource_or_init::<AppTypeRegistry>().clone();
    let registry = registry.read();
    match declared::find(world, &registry, desc, DefinitionKind::Message, (claim, &[Access::Send]))? {
        Found::NotYet => Ok(Bound::Waiting(vec![desc.path.clone()])),
        Found::Declared(_) => Ok(Bound::Ready(())),
        Found::Game => {
            let path = find(&registry, &desc.path)?.type_info().type_path().to_owned();
            if let Some(reason) = forbidden_to_send(&path) {
                return Err(TypeError::ReadOnly { path, reason }.into());
            }
            match outgoing(world, desc)?.message {
                Some(_) => Ok(Bound::Ready(())),
                None => Err(TypeError::NotAMessage { path }.into()),
            }
        }
    }
}

/// Writes a message that a mod sent: one of the game's, or one that a mod defines.
///
/// # Errors
/// When there is no such message, its bytes are no value of it, or there are too many.
pub(crate) fn write(world: &mut World, desc: &TypeDesc, mod_id: &Arc<str>, bytes: &[u8]) -> Result<(), DeliveryError> {
    if definitions::find_sent(world, &desc.path).is_some() {
        return defined::write(world, desc, mod_id, bytes);
    }
    let ty = outgoing(world, desc)?;
    let path = || ty.crossing.path.to_string();
    let message = ty.message.as_ref().ok_or_else(|| TypeError::NotAMessage { path: path() })?;
    if let Some(reason) = forbidden_to_send(&ty.crossing.path) {
        return Err(DeliveryError::Forbidden { path: path(), reason });
    }
    let value = ty.build(world, bytes)?;
    catch(|| message.write_message(world, value.as_partial_reflect(), &ty.registry))
        .map_err(|message| DeliveryError::Panicked { path: path(), message })
}

/// Whether commands do nothing but write messages of these types.
pub(crate) fn only_writes(mut commands: &[u8], types: &[TypeIndex]) -> bool {
    while !commands.is_empty() {
        match Command::take(&mut commands) {
            Ok(Command::WriteMessage(value)) if types.contains(&value.ty) => {}
            // What cannot be read is told as such when it is carried out.
            Err(_) => return !types.is_empty(),
            Ok(_) => return false,
        }
    }
    true
}
