//! What a system asks to be done to the World when it has run: its commands.
//!
//! A system leaves its commands in memory of its own, one after the other without anything between them, and returns
//! the buffer from [`RUN`](crate::names::RUN). They are carried out in order, at the system's own sync point. If one of
//! them is invalid, none is carried out.

use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::{
    codec::{self, DecodeError},
    describe::TypeIndex,
};

/// The encoding of a value, with its type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Value<'a> {
    /// The type, among those of the mod's description.
    pub ty: TypeIndex,
    /// The value's encoding.
    #[serde(borrow)]
    pub bytes: &'a [u8],
}

/// One command. Entities are their 64 bits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Command<'a> {
    /// Spawns an entity whose id the mod got from [`ENTITY_RESERVE`](crate::names::ENTITY_RESERVE) in the same call.
    Spawn {
        /// The id.
        entity: u64,
        /// Its components, each of another type.
        #[serde(borrow)]
        components: Vec<Value<'a>>,
    },
    /// Inserts components into an entity, in the place of those of the same types.
    Insert {
        /// The entity.
        entity: u64,
        /// The components, each of another type.
        #[serde(borrow)]
        components: Vec<Value<'a>>,
    },
    /// Removes components from an entity, if it has them.
    Remove {
        /// The entity.
        entity: u64,
        /// Their types.
        types: Vec<TypeIndex>,
    },
    /// Despawns an entity with its children.
    Despawn {
        /// The entity.
        entity: u64,
    },
    /// Inserts a resource, or replaces it.
    InsertResource(#[serde(borrow)] Value<'a>),
    /// Removes a resource, if it exists.
    RemoveResource(TypeIndex),
    /// Writes a message.
    WriteMessage(#[serde(borrow)] Value<'a>),
    /// Triggers an event.
    Trigger(#[serde(borrow)] Value<'a>),
    /// [`Command::Insert`], but components that the entity has already stay as they are.
    InsertIfNew {
        /// The entity.
        entity: u64,
        /// The components, each of another type.
        #[serde(borrow)]
        components: Vec<Value<'a>>,
    },
}

impl<'a> Command<'a> {
    /// Takes a command from the front of `bytes`.
    ///
    /// # Errors
    /// When they do not begin with a command.
    pub fn take(bytes: &mut &'a [u8]) -> Result<Self, DecodeError> {
        codec::decode_front(bytes)
    }
}
