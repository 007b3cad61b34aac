//! Messages that mods define: kept as bytes for two frames, as Bevy keeps its own.

use std::{collections::HashMap, sync::Arc};

use bevy_ecs::{
    message::{Message, MessageRegistry, ShouldUpdateMessages},
    resource::Resource,
    world::World,
};
use mod_abi::{
    codec::{self, DecodeError},
    describe::{DefinitionKind, TypeDesc},
};
use serde::de::DeserializeOwned;

use crate::bridge::{crossing::Crossing, definitions, gather::GatherError, outgoing::DeliveryError, types::TypeError};

/// The most messages of one type that are kept longer than two frames.
const MAX_KEPT: usize = 10_000;
/// The most bytes of messages of one type that a mod may write in a frame, and that are kept longer than two frames. How many
/// it may write is [limited](mod_host::Limits::messages_per_frame) when its commands are read.
const MAX_BYTES: usize = 4 << 20;

/// A message that a mod wrote and of which a mod, not the game, defined the type.
///
/// ```
/// # use bevy::prelude::*;
/// # use bevy_wasm_mods::prelude::*;
/// // As the mod `pests` defines it: `struct Swarm { size: u32, hungry: bool }`.
/// #[derive(serde::Deserialize)]
/// struct Swarm {
///     size: u32,
///     hungry: bool,
/// }
///
/// fn listen(mut messages: MessageReader<ModMessage>) {
///     for message in messages.read().filter(|message| &*message.path == "pests::Swarm") {
///         match message.decode::<Swarm>() {
///             Ok(swarm) => info!("{} pests of {}, hungry: {}", swarm.size, message.mod_id, swarm.hungry),
///             Err(error) => warn!("another version of `pests`: {error}"),
///         }
///     }
/// }
/// # let mut app = App::new();
/// # app.add_message::<ModMessage>().add_systems(Update, listen);
/// # app.update();
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Message)]
#[non_exhaustive]
pub struct ModMessage {
    /// The mod that wrote it.
    pub mod_id: Arc<str>,
    /// The type's path: the id of the mod that defines it, `::`, and a name.
    pub path: Arc<str>,
    /// The value, encoded as [`mod_abi::codec`] does.
    pub bytes: Arc<[u8]>,
}

impl ModMessage {
    /// The value, as a type of the game that looks the same.
    ///
    /// # Errors
    /// When the bytes are no such value.
    pub fn decode<T: DeserializeOwned>(&self) -> Result<T, DecodeError> {
        codec::decode(&self.bytes)
    }
}

/// The messages that mods defined and wrote, by the path of their type.
#[derive(Debug, Default, Resource)]
pub(crate) struct DefinedMessages(HashMap<Arc<str>, Channel>);

/// The messages of one type.
#[derive(Debug)]
struct Channel {
    crossing: Arc<Crossing>,
    /// Those of the frame before, then those of this one.
    older: Vec<Arc<[u8]>>,
    newer: Vec<Arc<[u8]>>,
    /// The number of the first one in `older`.
    start: usize,
    /// How many bytes each mod wrote in this frame. What one writes does not count against another.
    written: HashMap<Arc<str>, usize>,
}

impl Channel {
    fn end(&self) -> usize {
        self.start + self.older.len() + self.newer.len()
    }

    /// Forgets what is older than a frame.
    fn swap(&mut self) {
        self.start += self.older.len();
        std::mem::swap(&mut self.older, &mut self.newer);
        self.newer.clear();
    }
}

impl DefinedMessages {
    /// Reads the messages from a number on, and returns the number of the next one to come.
    pub(crate) fn read(
        &self,
        crossing: &Arc<Crossing>,
        from: usize,
        mut each: impl FnMut(&[u8]) -> Result<(), GatherError>,
    ) -> Result<usize, GatherError> {
        let Some(channel) = self.0.get(&crossing.path) else { return Ok(from) };
        if !same(&channel.crossing, crossing) {
            return Err(GatherError::Redefined { name: crossing.path.to_string() });
        }
        let seen = from.saturating_sub(channel.start);
        channel.older.iter().chain(&channel.newer).skip(seen).try_for_each(|bytes| each(bytes))?;
        Ok(channel.end())
    }
}

/// Whether two crossings mean the same bytes.
fn same(one: &Arc<Crossing>, other: &Arc<Crossing>) -> bool {
    Arc::ptr_eq(one, other) || one.schema == other.schema
}

/// Writes a message of a type that a mod defines: for mods, and for the game as a [`ModMessage`].
pub(crate) fn write(world: &mut World, desc: &TypeDesc, mod_id: &Arc<str>, bytes: &[u8]) -> Result<(), DeliveryError> {
    let path = || desc.path.clone();
    let crossing = match definitions::find_sent(world, &desc.path) {
        Some((DefinitionKind::Message, crossing)) => crossing,
        Some(_) => return Err(TypeError::OtherKind { path: path() }.into()),
        None => return Err(DeliveryError::NoSuchType { path: path() }),
    };
    crossing.check_data(desc)?;
    crossing.check_encoding(bytes).map_err(|error| DeliveryError::Value { path: path(), reason: error.to_string() })?;
    let mut channels = world.get_resource_or_init::<DefinedMessages>();
    let channel = channels.0.entry(Arc::clone(&crossing.path)).or_insert_with(|| Channel {
        crossing: Arc::clone(&crossing),
        older: Vec::new(),
        newer: Vec::new(),
        start: 0,
        written: HashMap::new(),
    });
    if !same(&channel.crossing, &crossing) {
        // Nobody who knows the new form can read what has the old one.
        (channel.start, channel.crossing) = (channel.end(), Arc::clone(&crossing));
        channel.older.clear();
        channel.newer.clear();
    }
    let written = channel.written.get(mod_id).copied().unwrap_or_default();
    if bytes.len() > MAX_BYTES.saturating_sub(written) {
        return Err(DeliveryError::TooMuch { path: path(), most: MAX_BYTES, what: "bytes" });
    }
    let bytes: Arc<[u8]> = bytes.into();
    channel.written.insert(Arc::clone(mod_id), written + bytes.len());
    channel.newer.push(Arc::clone(&bytes));
    world.write_message(ModMessage { mod_id: Arc::clone(mod_id), path: Arc::clone(&crossing.path), bytes });
    Ok(())
}

/// Forgets all messages: they are of another session.
pub(crate) fn forget(world: &mut World) {
    let Some(mut channels) = world.get_resource_mut::<DefinedMessages>() else { return };
    for channel in channels.0.values_mut() {
        channel.start = channel.end();
        channel.older.clear();
        channel.newer.clear();
    }
}

/// The frame boundary: forgets what is older than a frame. While Bevy keeps its own messages longer, because the fixed
/// schedules did not run, these are kept, too, as far as there is room.
pub(crate) fn update(world: &mut World) {
    let should = world.get_resource::<MessageRegistry>().map(|registry| registry.should_update);
    let waits = matches!(should, Some(ShouldUpdateMessages::Waiting));
    let Some(mut channels) = world.get_resource_mut::<DefinedMessages>() else { return };
    for channel in channels.0.values_mut() {
        let kept: usize = channel.newer.iter().map(|bytes| bytes.len()).sum();
        if !waits || channel.newer.len() >= MAX_KEPT || kept >= MAX_BYTES {
            channel.swap();
        }
        channel.written.clear();
    }
}
