//! The types that a mod shares with the game, and the numbers by which it names them.
//!
//! The description states those that systems ask for. A type that is met later, in a command, is numbered by the game.

use std::{any::TypeId, collections::BTreeMap};

use mod_abi::describe::{TypeDesc, TypeIndex, TypeRole};

use crate::{
    component::{Component, Resource},
    event::Event,
    message::Message,
    reflect::Reflect,
};

/// The types of a mod, each stated once.
#[doc(hidden)]
#[derive(Debug, Default)]
pub struct Types {
    descs: Vec<TypeDesc<String>>,
    /// The numbers of those that were asked for, by [`key`].
    indices: BTreeMap<TypeId, TypeIndex>,
    /// Whether the game has the list already.
    described: bool,
}

/// What a Rust type is used as: one could be several things, under different names.
trait Role<T: Reflect> {
    const PATH: &'static str;

    fn role() -> TypeRole;
}

macro_rules! roles {
    ($($(#[$doc:meta])* $function:ident $name:ident: $bound:ident;)*) => {
        $(
            struct $name;

            impl<T: $bound> Role<T> for $name {
                const PATH: &'static str = T::PATH;

                fn role() -> TypeRole {
                    T::role()
                }
            }
        )*

        impl Types {
            $(
                $(#[$doc])*
                pub(crate) fn $function<T: $bound>(&mut self) -> TypeIndex {
                    self.index::<T, $name>()
                }
            )*
        }
    };
}

roles! {
    /// The index of a component.
    component IsComponent: Component;
    /// The index of a resource.
    resource IsResource: Resource;
    /// The index of a message.
    message IsMessage: Message;
    /// The index of an event.
    event IsEvent: Event;
}

impl Types {
    fn index<T: Reflect, R: Role<T> + 'static>(&mut self) -> TypeIndex {
        let key = TypeId::of::<(T, R)>();
        if let Some(index) = self.indices.get(&key) {
            return *index;
        }
        let index = self.add(TypeDesc { path: R::PATH.to_owned(), schema: T::SCHEMA.to_string(), role: R::role() });
        self.indices.insert(key, index);
        index
    }

    fn add(&mut self, ty: TypeDesc<String>) -> TypeIndex {
        #[cfg(target_family = "wasm")]
        if self.described {
            return crate::imports::type_index(&ty);
        }
        let index = self.descs.iter().position(|known| *known == ty).unwrap_or_else(|| {
            self.descs.push(ty);
            self.descs.len() - 1
        });
        index as TypeIndex
    }

    /// The path of a type that was described.
    pub(crate) fn path(&self, index: TypeIndex) -> &str {
        &self.descs[index as usize].path
    }

    /// All of them, for the game, which numbers from now on what is new.
    pub(crate) fn describe(&mut self) -> Vec<TypeDesc<String>> {
        self.described = true;
        self.descs.clone()
    }

    pub(crate) fn into_inner(self) -> Vec<TypeDesc<String>> {
        self.descs
    }
}
