//! The game's World on demand: rows that a system fetches while it runs.

use std::{any::TypeId, cell::RefCell, collections::BTreeMap};

use mod_abi::{
    codec,
    describe::{ParamDesc, QueryDesc, TermDesc, WorldRequest, WorldTarget},
};

use crate::{
    Entity,
    block::Blocks,
    column::decode_first,
    component::{Component, Resource},
    describe::Types,
    imports,
    param::SystemParam,
    query::{ArchetypeFilter, ReadOnlyQueryData, Rows, query_desc},
    resource::absent,
};

/// The whole World, to read. Each request crosses to the game at once and copies what it asks for.
///
/// The game lets a system with this parameter read everything, so nothing that writes runs beside it: prefer a
/// [`Query`](crate::Query) when you know beforehand what you need.
///
/// ```no_run
/// # use mod_sdk::prelude::*;
/// # #[derive(Component)] struct Velocity(Vec3);
/// fn report(world: World) {
///     for (entity, velocity) in &world.query::<(Entity, &Velocity)>() {
///         let place = world.get::<Transform>(entity);
///         info!("{entity} at {place:?} moves by {}", velocity.0);
///     }
///     let time: Time = world.resource::<Time>();
///     info!("{} seconds", time.elapsed_secs());
/// }
/// ```
///
/// In a native build there is no World, and every request panics.
#[derive(Debug)]
pub struct World(());

thread_local! {
    /// The game's handles for what was asked before, by the type of the request.
    static PREPARED: RefCell<BTreeMap<TypeId, u32>> = const { RefCell::new(BTreeMap::new()) };
}

/// The game's handle for a request, which `Key` stands for.
fn prepare<Key: 'static>(target: impl FnOnce(&mut Types) -> WorldTarget) -> u32 {
    let key = TypeId::of::<Key>();
    if let Some(handle) = PREPARED.with_borrow(|prepared| prepared.get(&key).copied()) {
        return handle;
    }
    let mut types = Types::default();
    let target = target(&mut types);
    let answer = imports::world_prepare(&WorldRequest { types: types.into_inner(), target });
    let handle = codec::decode(answer.bytes()).expect("the game's handle for a request");
    PREPARED.with_borrow_mut(|prepared| prepared.insert(key, handle));
    handle
}

/// The game's handle for a query.
fn prepare_query<D: ReadOnlyQueryData, F: ArchetypeFilter>() -> u32 {
    prepare::<fn(D::State, F)>(|types| WorldTarget::Query(query_desc::<D, F>(types)))
}

impl World {
    /// All entities that have what `D` names: `&T`, `Option<&T>`, [`Has`](crate::Has), [`Entity`] and tuples of them.
    #[must_use]
    pub fn query<D: ReadOnlyQueryData>(&self) -> Rows<D> {
        self.query_filtered::<D, ()>()
    }

    /// All entities that have what `D` names and meet `F`.
    #[must_use]
    pub fn query_filtered<D: ReadOnlyQueryData, F: ArchetypeFilter>(&self) -> Rows<D> {
        Rows::new(imports::world_query(prepare_query::<D, F>()))
    }

    /// How many entities have what `D` names. Nothing is copied.
    #[must_use]
    pub fn count<D: ReadOnlyQueryData>(&self) -> usize {
        self.count_filtered::<D, ()>()
    }

    /// How many entities have what `D` names and meet `F`. Nothing is copied.
    ///
    /// ```no_run
    /// # use mod_sdk::prelude::*;
    /// # #[derive(Component)] struct Bee;
    /// # #[derive(Component)] struct Frozen;
    /// fn report(world: World) {
    ///     let bees = world.count::<&Bee>();
    ///     info!("{} of {bees} bees are frozen", world.count_filtered::<&Bee, With<Frozen>>());
    /// }
    /// ```
    #[must_use]
    pub fn count_filtered<D: ReadOnlyQueryData, F: ArchetypeFilter>(&self) -> usize {
        let answer = imports::world_count(prepare_query::<D, F>());
        let count: u32 = codec::decode(answer.bytes()).expect("a number of entities from the game");
        count as usize
    }

    /// Whether the entity exists.
    #[must_use]
    pub fn contains(&self, entity: Entity) -> bool {
        codec::decode(imports::world_contains(entity.to_bits()).bytes()).expect("a yes or no from the game")
    }

    /// A copy of one entity's `T`, or `None` if it has none or does not exist.
    #[must_use]
    pub fn get<T: Component>(&self, entity: Entity) -> Option<T> {
        let handle = prepare::<fn(Entity) -> T>(|types| {
            let terms = vec![TermDesc::Read(types.component::<T>())];
            WorldTarget::Query(QueryDesc { terms, filters: Vec::new() })
        });
        decode_first(&imports::world_get(handle, entity.to_bits()))
    }

    /// A copy of a resource.
    ///
    /// # Panics
    /// When the game has no such resource.
    #[must_use]
    pub fn resource<T: Resource>(&self) -> T {
        self.get_resource().unwrap_or_else(|| absent::<T>())
    }

    /// A copy of a resource, or `None` if the game has none.
    #[must_use]
    pub fn get_resource<T: Resource>(&self) -> Option<T> {
        let handle = prepare::<fn() -> T>(|types| WorldTarget::Resource(types.resource::<T>()));
        decode_first(&imports::world_resource(handle))
    }
}

/// The state of a parameter that is a World: nothing but the permission to ask.
#[doc(hidden)]
#[derive(Debug)]
pub struct WorldState(World);

impl Default for WorldState {
    fn default() -> Self {
        Self(World(()))
    }
}

impl SystemParam for World {
    type State = WorldState;
    type Item<'w> = Self;

    fn describe(_: &mut Types, params: &mut Vec<ParamDesc>) {
        params.push(ParamDesc::World);
    }

    fn fetch<'w>(_: &'w mut Self::State, blocks: &mut Blocks<'w>) -> Self {
        blocks.next();
        Self(())
    }

    fn finish(_: &mut Self::State, blocks: &mut Blocks<'_>) {
        blocks.next();
    }
}

impl SystemParam for &World {
    type State = WorldState;
    type Item<'w> = &'w World;

    fn describe(types: &mut Types, params: &mut Vec<ParamDesc>) {
        World::describe(types, params);
    }

    fn fetch<'w>(state: &'w mut Self::State, blocks: &mut Blocks<'w>) -> &'w World {
        blocks.next();
        &state.0
    }

    fn finish(_: &mut Self::State, blocks: &mut Blocks<'_>) {
        blocks.next();
    }
}
