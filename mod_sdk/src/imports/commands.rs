//! What commands ask of the game while a system still runs: the ids of entities to come, and the numbers of types.

#[cfg(target_family = "wasm")]
pub(crate) use in_mod::{entity_reserve, type_index};
#[cfg(not(target_family = "wasm"))]
pub(crate) use native::entity_reserve;

#[cfg(target_family = "wasm")]
mod in_mod {
    use mod_abi::{
        codec,
        describe::{TypeDesc, TypeIndex},
        names::TYPE_INDEX,
    };

    use crate::{entity::Entity, imports::call};

    #[link(wasm_import_module = "env")]
    unsafe extern "C" {
        safe fn __entity_reserve() -> u64;
        safe fn __type_index(raw: u64) -> u64;
    }

    /// The id of an entity that the system is about to spawn.
    pub(crate) fn entity_reserve() -> Entity {
        Entity::from_bits(__entity_reserve())
    }

    /// The number of a type that the description did not state.
    pub(crate) fn type_index(ty: &TypeDesc<String>) -> TypeIndex {
        let answer = call(TYPE_INDEX, ty, __type_index);
        codec::decode(answer.bytes()).unwrap_or_else(|error| panic!("the game's answer to `{TYPE_INDEX}`: {error}"))
    }
}

#[cfg(not(target_family = "wasm"))]
mod native {
    use std::cell::Cell;

    use crate::entity::Entity;

    thread_local! {
        /// How many entities a test has spawned.
        static RESERVED: Cell<u32> = const { Cell::new(0) };
    }

    /// Ids as those of a new World: `0v0`, `1v0` and so on.
    pub(crate) fn entity_reserve() -> Entity {
        let index = RESERVED.replace(RESERVED.get() + 1);
        Entity::from_bits(u64::from(!index))
    }
}
