//! Commands to World: what a system asked for, checked and carried out in order.
//!
//! All of a run's commands are decoded and [checked](check) against what the World will be when their turn comes. If one of
//! them is wrong, none is [carried out](carry). Nothing here goes through Bevy's own commands, which panic on what cannot
//! be done.

mod carry;
mod check;
mod family;

pub(crate) use crate::bridge::apply::check::BoundByIndex;
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Instant,
};

use bevy_ecs::{
    entity::Entity,
    world::{DeferredWorld, World},
};
use mod_abi::command::Command;
use thiserror::Error;
use tracing::warn;

use crate::bridge::{
    allowance::Allowance,
    definitions::DefinitionError,
    grant::NotGranted,
    handle::{ModHandle, SystemError, catch, work},
    outgoing::DeliveryError,
    permit::Permits,
    types::TypeError,
};

/// What it takes to carry out a byte of commands, in the fuel of the mod: about that of as many instructions.
const FUEL_OF_A_BYTE: u64 = 20;

/// Commands that cannot be carried out.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum CommandError {
    /// The system's description does not ask for them.
    #[error("it left commands, which it does not declare")]
    Undeclared,
    /// More commands than a mod may leave in a frame.
    #[error(
        "the systems of the mod left more than {limit} commands in one frame; the game allows more with \
         `commands_per_frame` in `ModLimits`"
    )]
    TooMany {
        /// How many it may leave.
        limit: usize,
    },
    /// More bytes of commands than a mod may leave in a frame.
    #[error(
        "the systems of the mod left more than {limit} bytes of commands in one frame; the game allows more with \
         `command_bytes_per_frame` in `ModLimits`"
    )]
    TooLarge {
        /// How many it may leave.
        limit: usize,
    },
    /// More messages and events than a mod may send in a frame.
    #[error(
        "the systems of the mod sent more than {limit} messages and events in one frame; the game allows more with \
         `messages_per_frame` in `ModLimits`"
    )]
    TooManyMessages {
        /// How many it may send.
        limit: usize,
    },
    /// More bytes of values of varying size than one run may leave.
    #[error("its commands hold {bytes} bytes of values of varying size, more than one run may leave")]
    TooMuchBuilt {
        /// How many, as far as they were counted.
        bytes: usize,
    },
    /// Bytes that are no command.
    #[error("its command number {index} cannot be read: {reason}")]
    Malformed {
        /// The command's place, from 1.
        index: usize,
        /// Why.
        reason: String,
    },
    /// A command names a type that the mod never stated.
    #[error("a command names type number {index}, but the mod states only {types} types")]
    NoSuchType {
        /// The type's index.
        index: u32,
        /// How many types there are.
        types: usize,
    },
    /// A type that cannot be used.
    #[error(transparent)]
    Type(#[from] TypeError),
    /// A type of the mod's own that cannot be defined.
    #[error(transparent)]
    Definition(#[from] DefinitionError),
    /// A type that this World does not know yet.
    #[error("{name} is no component or resource that this game has used or a mod has defined")]
    NotYet {
        /// The type's path.
        name: String,
    },
    /// Bytes that are no value of their type.
    #[error("a value of {path} is invalid: {reason}")]
    Value {
        /// The type's path.
        path: String,
        /// Why.
        reason: String,
    },
    /// One command has the same component twice.
    #[error("a command has two values of {path} for one entity")]
    Twice {
        /// The type's path.
        path: String,
    },
    /// An entity that is none.
    #[error("there never was an entity {entity}")]
    NoEntity {
        /// The entity, or its bits.
        entity: String,
    },
    /// A spawn with an id that the mod did not get.
    #[error("it may not spawn the entity {entity}: it did not reserve that id, or has spawned it already")]
    NotReserved {
        /// The entity, or its bits.
        entity: String,
    },
    /// An entity that no mod may touch.
    #[error("the entity {entity} {what}, which mods cannot touch")]
    Protected {
        /// The entity.
        entity: Entity,
        /// What it is.
        what: &'static str,
    },
    /// An entity that is not the mod's to despawn.
    #[error(
        "it may not despawn the entity {entity}, which it did not spawn; the game allows that by the component `DespawnableByMods`"
    )]
    NotItsOwn {
        /// The entity.
        entity: Entity,
    },
    /// A component or a resource that mods do not insert or remove.
    #[error("mods may not insert or remove {path}: {reason}")]
    Forbidden {
        /// The type's path.
        path: String,
        /// Why.
        reason: &'static str,
    },
    /// Something that the game does not let this mod do.
    #[error(transparent)]
    NotGranted(#[from] NotGranted),
    /// A place among parents and children that nothing can have.
    #[error("the entity {entity} cannot get this {path}: {reason}")]
    Relationship {
        /// The entity.
        entity: Entity,
        /// The path of the relationship's type.
        path: String,
        /// Why.
        reason: &'static str,
    },
    /// A message or an event that cannot be sent.
    #[error(transparent)]
    Delivery(#[from] DeliveryError),
}

/// Why an outbox was not emptied as its mod wanted.
#[derive(Debug)]
enum Failure {
    Command(CommandError),
    /// Code of the game panicked.
    Panicked(String),
}

impl<E: Into<CommandError>> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::Command(error.into())
    }
}

/// The commands that a system left since they were last carried out, one after the other, and whose they are.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    from: Option<Arc<ModHandle>>,
    bytes: Vec<u8>,
    /// Whether it was told that this system means entities that are gone.
    warned: Arc<AtomicBool>,
}

impl Outbox {
    /// Takes the commands of one run.
    pub(crate) fn take(&mut self, from: &Arc<ModHandle>, declared: bool, bytes: &[u8]) -> Result<(), CommandError> {
        if !declared {
            return Err(CommandError::Undeclared);
        }
        let allowed = &from.allowance.bytes;
        if !allowed.take(bytes.len()) {
            return Err(CommandError::TooLarge { limit: allowed.limit });
        }
        self.from = Some(Arc::clone(from));
        self.bytes.extend_from_slice(bytes);
        Ok(())
    }

    /// Carries all commands out. Those of a mod that has failed meanwhile are dropped.
    pub(crate) fn carry_out(&mut self, world: &mut World, system: &str) {
        let Some(from) = self.from.take() else { return };
        let bytes = std::mem::take(&mut self.bytes);
        if from.is_faulted() {
            return;
        }
        // What it leaves in this frame is forgotten at the next boundary, which may have been between its run and now.
        from.wake();
        let run = Run { from: &from, system, warned: &self.warned };
        let (system, since) = (system.to_owned(), Instant::now());
        let outcome = run.apply(world, &bytes);
        from.spend(since.elapsed(), work(bytes.len()).saturating_mul(FUEL_OF_A_BYTE));
        match outcome {
            Ok(commands) => from.usage.add_commands(commands),
            Err(Failure::Command(source)) => from.fail(run.system, SystemError::Commands { system, source }),
            Err(Failure::Panicked(message)) => from.fail(run.system, SystemError::Panicked { system, message }),
        }
        // A frame later there are most likely as many.
        self.bytes = bytes;
        self.bytes.clear();
    }

    /// Has all commands carried out later.
    pub(crate) fn queue(&mut self, world: &mut DeferredWorld, system: &str) {
        let Some(from) = self.from.take() else { return };
        let (bytes, warned) = (std::mem::take(&mut self.bytes), Arc::clone(&self.warned));
        let (mut outbox, system) = (Self { from: Some(from), bytes, warned }, system.to_owned());
        world.commands().queue(move |world: &mut World| outbox.carry_out(world, &system));
    }
}

/// Whose commands are carried out.
struct Run<'a> {
    from: &'a Arc<ModHandle>,
    system: &'a str,
    warned: &'a AtomicBool,
}

impl Run<'_> {
    /// Carries commands out, and returns how many.
    fn apply(&self, world: &mut World, bytes: &[u8]) -> Result<usize, Failure> {
        trace_room!("apply", id = &*self.from.id, system = self.system);
        let commands = decode(bytes, &self.from.allowance)?;
        let count = commands.len();
        // Code of the game builds values.
        let checked = catch(|| {
            let permits = Permits::new(world);
            check::check(world, self, &permits, commands).map(|steps| (permits, steps))
        });
        let (permits, steps) = checked.map_err(Failure::Panicked)??;
        carry::carry_out(world, self, &permits, steps)?;
        Ok(count)
    }

    /// Says, once for each system, that a command was skipped.
    fn skip(&self, entity: Entity) {
        if !self.warned.swap(true, Ordering::Relaxed) {
            let (id, system) = (&self.from.id, self.system);
            warn!("{id}: `{system}` has commands for the entity {entity}, which is gone; they are skipped");
        }
    }
}

/// Reads commands, as many as the mod may still leave in this frame.
fn decode<'a>(bytes: &'a [u8], allowance: &Allowance) -> Result<Vec<Command<'a>>, CommandError> {
    let most = allowance.commands.left();
    let mut rest = bytes;
    let mut commands = Vec::new();
    let mut messages = 0_usize;
    while !rest.is_empty() {
        if commands.len() >= most {
            return Err(CommandError::TooMany { limit: allowance.commands.limit });
        }
        let index = commands.len() + 1;
        let command = Command::take(&mut rest);
        let command = command.map_err(|error| CommandError::Malformed { index, reason: error.to_string() })?;
        messages += usize::from(matches!(command, Command::WriteMessage(_) | Command::Trigger(_)));
        commands.push(command);
    }
    if !allowance.messages.take(messages) {
        return Err(CommandError::TooManyMessages { limit: allowance.messages.limit });
    }
    allowance.commands.take(commands.len());
    Ok(commands)
}
