//! What a call leaves for the game: its commands, encoded one behind the other as they are given.
//!
//! The bytes are those of `mod_abi::command`. While a system runs, the outbox is where all its parameters find it: they
//! share it, so that commands keep the order in which they were given.

use std::{any::type_name, cell::RefCell, mem};

use mod_abi::describe::TypeIndex;

use crate::{
    bundle::Bundle,
    component::{Component, Resource},
    describe::Types,
    entity::Entity,
    event::Event,
    message::Message,
    reflect::Reflect,
};

thread_local! {
    /// That of the system that runs.
    static OUTBOX: RefCell<Outbox> = RefCell::default();
}

/// The numbers of the commands: their places in [`mod_abi::command::Command`].
mod number {
    pub(super) const SPAWN: u32 = 0;
    pub(super) const INSERT: u32 = 1;
    pub(super) const REMOVE: u32 = 2;
    pub(super) const DESPAWN: u32 = 3;
    pub(super) const INSERT_RESOURCE: u32 = 4;
    pub(super) const REMOVE_RESOURCE: u32 = 5;
    pub(super) const WRITE_MESSAGE: u32 = 6;
    pub(super) const TRIGGER: u32 = 7;
    pub(super) const INSERT_IF_NEW: u32 = 8;
}

/// The commands of one call, with the types that they name.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    bytes: Vec<u8>,
    pub(crate) types: Types,
    /// The types of the command that is being written.
    named: Vec<TypeIndex>,
}

/// Calls `f` with the outbox of the system that runs.
pub(crate) fn with<R>(f: impl FnOnce(&mut Outbox) -> R) -> R {
    OUTBOX.with_borrow_mut(f)
}

/// Runs a system that leaves its commands in `outbox`, from which those of the last call go.
pub(crate) fn run(outbox: &mut Outbox, system: impl FnOnce()) {
    outbox.bytes.clear();
    with(|current| mem::swap(current, outbox));
    system();
    with(|current| mem::swap(current, outbox));
}

impl Outbox {
    /// The commands.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Spawns an entity with the id that was reserved for it.
    pub(crate) fn spawn<B: Bundle>(&mut self, entity: Entity, bundle: &B) {
        self.components(number::SPAWN, entity, bundle);
    }

    /// Inserts components into an entity.
    pub(crate) fn insert<B: Bundle>(&mut self, entity: Entity, bundle: &B) {
        self.components(number::INSERT, entity, bundle);
    }

    /// Inserts those components that the entity does not have.
    pub(crate) fn insert_if_new<B: Bundle>(&mut self, entity: Entity, bundle: &B) {
        self.components(number::INSERT_IF_NEW, entity, bundle);
    }

    /// Removes components from an entity.
    pub(crate) fn remove<B: Bundle>(&mut self, entity: Entity) {
        self.named.clear();
        B::types(&mut self.types, &mut self.named);
        number::REMOVE.write(&mut self.bytes);
        entity.write(&mut self.bytes);
        (self.named.len() as u64).write(&mut self.bytes);
        self.named.iter().for_each(|ty| ty.write(&mut self.bytes));
    }

    /// Despawns an entity.
    pub(crate) fn despawn(&mut self, entity: Entity) {
        number::DESPAWN.write(&mut self.bytes);
        entity.write(&mut self.bytes);
    }

    /// Inserts a resource.
    pub(crate) fn insert_resource<R: Resource>(&mut self, resource: &R) {
        let ty = self.types.resource::<R>();
        self.single(number::INSERT_RESOURCE, ty, resource);
    }

    /// Removes a resource.
    pub(crate) fn remove_resource<R: Resource>(&mut self) {
        number::REMOVE_RESOURCE.write(&mut self.bytes);
        self.types.resource::<R>().write(&mut self.bytes);
    }

    /// Writes a message.
    pub(crate) fn write_message<M: Message>(&mut self, message: &M) {
        let ty = self.types.message::<M>();
        self.single(number::WRITE_MESSAGE, ty, message);
    }

    /// Triggers an event.
    pub(crate) fn trigger<E: Event>(&mut self, event: &E) {
        let ty = self.types.event::<E>();
        self.single(number::TRIGGER, ty, event);
    }

    fn single<T: Reflect>(&mut self, number: u32, ty: TypeIndex, value: &T) {
        number.write(&mut self.bytes);
        write_value(&mut self.bytes, ty, value);
    }

    fn components<B: Bundle>(&mut self, number: u32, entity: Entity, bundle: &B) {
        self.named.clear();
        number.write(&mut self.bytes);
        entity.write(&mut self.bytes);
        let count = self.bytes.len();
        0_u64.write(&mut self.bytes);
        bundle.write(&mut Values { outbox: self, bundle: type_name::<B>() });
        let written = self.named.len() as u64;
        self.bytes[count..count + 8].copy_from_slice(&written.to_le_bytes());
    }
}

fn write_value<T: Reflect>(bytes: &mut Vec<u8>, ty: TypeIndex, value: &T) {
    ty.write(bytes);
    let len = bytes.len();
    0_u64.write(bytes);
    let start = bytes.len();
    value.write(bytes);
    let written = (bytes.len() - start) as u64;
    bytes[len..start].copy_from_slice(&written.to_le_bytes());
}

/// The components of a command, one behind the other.
#[doc(hidden)]
#[derive(Debug)]
pub struct Values<'a> {
    outbox: &'a mut Outbox,
    bundle: &'static str,
}

impl Values<'_> {
    /// Adds a component.
    pub(crate) fn component<C: Component>(&mut self, component: &C) {
        let Outbox { bytes, types, named } = &mut *self.outbox;
        let ty = types.component::<C>();
        if named.contains(&ty) {
            panic!("Bundle {} has duplicate components: [{}]", self.bundle, type_name::<C>());
        }
        named.push(ty);
        write_value(bytes, ty, component);
    }
}
