//! Queries over random Worlds: what crosses is what a model says, and what comes back is what Bevy would have stored.
#![expect(unsafe_code, reason = "gathers and scatters without a scheduler")]

use std::{
    collections::BTreeMap,
    sync::{Arc, RwLock},
};

use bevy_ecs::{
    component::Component,
    entity::Entity,
    reflect::{AppTypeRegistry, ReflectComponent},
    resource::Resource,
    world::World,
};
use bevy_reflect::{Reflect, TypeInfo, TypeRegistry, TypeRegistryArc, Typed};
use mod_abi::{
    Buffer,
    batch::{BLOCK_HEADER, COLUMN_HEADER, ColumnHeader},
    codec,
    describe::{Definition, DefinitionKind, FilterDesc, QueryDesc, TermDesc, TypeDesc, TypeRole},
};
use proptest::{
    array::uniform7,
    collection::vec,
    prelude::{ProptestConfig, Strategy, any, prop_assert_eq, proptest},
    test_runner::TestCaseError,
};
use serde::Serialize;

use super::{Block, Keep};
use crate::bridge::{
    definitions,
    filter::Ticks,
    grant::{Claims, Grants, Permissions},
    insert::{Piece, insert, insert_resource},
    query::{Bound, BoundQuery, TypesOf},
    scatter::{Changes, GuestBytes},
    schema::schema_of,
    types::bind,
    value::Reflection,
};

mod kept;

/// Of a fixed size, with a gap in memory and a leaf that has invalid patterns.
#[derive(Component, Reflect, Serialize, Debug, Clone, PartialEq)]
#[reflect(Component)]
struct Fixed {
    flag: bool,
    place: [f32; 2],
    wide: u64,
}

#[derive(Component, Reflect, Serialize, Debug, Clone, PartialEq)]
#[reflect(Component)]
struct Varying {
    name: String,
    mood: Option<u8>,
}

#[derive(Component, Reflect, Serialize, Debug, Clone, PartialEq)]
#[component(storage = "SparseSet")]
#[reflect(Component)]
struct Sparse(u16, u32);

#[derive(Component, Reflect, Serialize, Debug, Clone, PartialEq)]
#[reflect(Component)]
struct Marker;

/// Splits tables without being asked for.
#[derive(Component)]
#[component(storage = "SparseSet")]
struct Splitter;

#[derive(Resource, Reflect)]
struct Noise(Vec<u8>);

/// What the model knows of an entity: its encoded components, and whether each was added or changed since the last run.
type Known = BTreeMap<u32, (Vec<u8>, bool, bool)>;

const FIXED: u32 = 0;
const VARYING: u32 = 1;
const SPARSE: u32 = 2;
const MARKER: u32 = 3;
/// Types that a mod defines: their memory is their encoding, at any address, or a box of it.
const DEFINED: u32 = 4;
const DEFINED_SPARSE: u32 = 5;
const DEFINED_LIST: u32 = 6;
/// How many types a query may name.
const TYPES: usize = 7;

/// What a mod's packed types hold: seven bytes.
type Packed = (u32, bool, u16);
const PACKED_BYTES: usize = 7;

#[derive(Debug, Clone)]
struct Spawned {
    fixed: Option<(bool, u64)>,
    varying: Option<(String, Option<u8>)>,
    sparse: Option<u32>,
    marker: bool,
    defined: Option<Packed>,
    defined_sparse: Option<Packed>,
    defined_list: Option<Vec<u8>>,
    splitter: bool,
    old: bool,
    /// Which components are changed after the last run.
    touched: [bool; 4],
}

fn spawned() -> impl Strategy<Value = Spawned> {
    let fixed = proptest::option::of(any::<(bool, u64)>());
    let varying = proptest::option::of(("[a-zé]{0,6}", any::<Option<u8>>()));
    let rest = (proptest::option::of(any::<u32>()), any::<[bool; 3]>(), any::<[bool; 4]>());
    let packed = proptest::option::of(any::<Packed>());
    let defined = (packed.clone(), packed, proptest::option::of(vec(any::<u8>(), 0..5)));
    (fixed, varying, rest, defined).prop_map(
        |(fixed, varying, (sparse, [marker, splitter, old], touched), (defined, defined_sparse, defined_list))| {
            Spawned { fixed, varying, sparse, marker, defined, defined_sparse, defined_list, splitter, old, touched }
        },
    )
}

fn types() -> Vec<TypeDesc> {
    let registry = TypeRegistry::empty();
    let desc = |path: &str, info: &TypeInfo, role| TypeDesc {
        path: path.to_owned(),
        schema: schema_of(info, &registry).expect("a schema"),
        role,
    };
    let mirror = |info: &TypeInfo| desc(info.type_path(), info, TypeRole::Mirror);
    let defined =
        |path, info: &TypeInfo, kind| desc(path, info, TypeRole::Definition(Definition { kind, default: None }));
    vec![
        mirror(Fixed::type_info()),
        mirror(Varying::type_info()),
        mirror(Sparse::type_info()),
        mirror(Marker::type_info()),
        defined("model::Defined", Packed::type_info(), DefinitionKind::Component),
        defined("model::DefinedSparse", Packed::type_info(), DefinitionKind::SparseComponent),
        defined("model::DefinedList", <Vec<u8>>::type_info(), DefinitionKind::Component),
        defined("model::DefinedResource", Packed::type_info(), DefinitionKind::Resource),
    ]
}

/// A World with resources on whose entities stands whatever a query may ask for.
fn world() -> World {
    let mut world = World::new();
    // Not the default one: to register all that Bevy knows takes Miri a quarter of a minute.
    let registry = AppTypeRegistry(TypeRegistryArc { internal: Arc::new(RwLock::new(TypeRegistry::empty())) });
    {
        let mut types = registry.write();
        types.register::<Fixed>();
        types.register::<Varying>();
        types.register::<Sparse>();
        types.register::<Marker>();
    }
    world.insert_resource(registry);
    world.insert_resource(Noise(vec![1, 2, 3]));
    let entries = definitions::register(&mut world, "model", &types()).expect("the definitions are right");
    definitions::swap(&mut world, entries);
    let packed: Packed = (9, true, 9);
    let resource = piece(&world, "model::DefinedResource", &packed);
    let ids = [world.component_id::<Noise>().expect("it is there"), resource.component()];
    insert_resource(&mut world, resource).expect("nothing panics");
    for id in ids {
        let entity = world.resource_entities().get(id).expect("it is there");
        let varying = Varying { name: "resource".to_owned(), mood: None };
        let fixed = Fixed { flag: true, place: [0.0; 2], wide: 9 };
        world.entity_mut(entity).insert((fixed, varying, Sparse(9, 9), Marker));
        let defined = vec![
            piece(&world, "model::Defined", &packed),
            piece(&world, "model::DefinedSparse", &packed),
            piece(&world, "model::DefinedList", &vec![9_u8]),
        ];
        insert(&mut world, entity, defined).expect("nothing panics");
    }
    world
}

/// A value of a type that the mod defined.
fn piece(world: &World, path: &str, value: &impl Serialize) -> Piece {
    let bound = definitions::find(world, path).expect("it is defined");
    let registry = TypeRegistry::empty();
    let value = bound.crossing.build(&encode(value), Reflection { types: &registry, assets: None });
    Piece::new(world, bound.component, value.expect("it is valid")).expect("it fits")
}

fn encode<T: Serialize>(value: &T) -> Vec<u8> {
    codec::encode(value).expect("it has an encoding")
}

/// Spawns what is old, lets a run pass, and spawns and changes the rest.
fn populate(world: &mut World, spawned: &[Spawned]) -> (BTreeMap<u64, Known>, Ticks) {
    let mut model = BTreeMap::new();
    let last_run = world.change_tick();
    for old in [true, false] {
        if !old {
            world.increment_change_tick();
        }
        for one in spawned.iter().filter(|one| one.old == old) {
            let mut known = Known::new();
            let mut entity = world.spawn_empty();
            let fresh = !old;
            if let Some((flag, wide)) = one.fixed {
                let value = Fixed { flag, place: [wide as f32, 0.5], wide };
                known.insert(FIXED, (encode(&value), fresh, fresh));
                entity.insert(value);
            }
            if let Some((name, mood)) = &one.varying {
                let value = Varying { name: name.clone(), mood: *mood };
                known.insert(VARYING, (encode(&value), fresh, fresh));
                entity.insert(value);
            }
            if let Some(number) = one.sparse {
                let value = Sparse(7, number);
                known.insert(SPARSE, (encode(&value), fresh, fresh));
                entity.insert(value);
            }
            if one.marker {
                known.insert(MARKER, (encode(&Marker), fresh, fresh));
                entity.insert(Marker);
            }
            if one.splitter {
                entity.insert(Splitter);
            }
            let id = entity.id();
            let mut pieces = Vec::new();
            for (ty, path, value) in
                [(DEFINED, "model::Defined", one.defined), (DEFINED_SPARSE, "model::DefinedSparse", one.defined_sparse)]
            {
                let Some(value) = value else { continue };
                known.insert(ty, (encode(&value), fresh, fresh));
                pieces.push(piece(world, path, &value));
            }
            if let Some(value) = &one.defined_list {
                known.insert(DEFINED_LIST, (encode(value), fresh, fresh));
                pieces.push(piece(world, "model::DefinedList", value));
            }
            insert(world, id, pieces).expect("nothing panics");
            model.insert(id.to_bits(), known);
        }
    }
    let ids: Vec<_> = model.keys().copied().collect();
    let in_order: Vec<_> =
        [true, false].into_iter().flat_map(|old| spawned.iter().filter(move |one| one.old == old)).collect();
    let mut by_age: Vec<u64> = ids;
    by_age.sort_by_key(|bits| Entity::from_bits(*bits).index_u32());
    for (bits, one) in by_age.into_iter().zip(in_order) {
        let known = model.get_mut(&bits).expect("it is known");
        let mut entity = world.entity_mut(Entity::from_bits(bits));
        if one.touched[0]
            && let Some(mut value) = entity.get_mut::<Fixed>()
        {
            value.set_changed_for_test();
            known.get_mut(&FIXED).expect("it has one").2 = true;
        }
        if one.touched[1]
            && let Some(mut value) = entity.get_mut::<Varying>()
        {
            value.name.push('x');
            *known.get_mut(&VARYING).expect("it has one") = (encode(&*value), !one.old, true);
        }
        if one.touched[2]
            && let Some(mut value) = entity.get_mut::<Sparse>()
        {
            value.0 = 8;
            *known.get_mut(&SPARSE).expect("it has one") = (encode(&*value), !one.old, true);
        }
    }
    let this_run = world.increment_change_tick();
    (model, Ticks { last_run, this_run: bevy_ecs::change_detection::Tick::new(this_run.get() + 1) })
}

trait Touch {
    fn set_changed_for_test(&mut self);
}

impl Touch for bevy_ecs::change_detection::Mut<'_, Fixed> {
    fn set_changed_for_test(&mut self) {
        use bevy_ecs::change_detection::DetectChangesMut;
        self.set_changed();
    }
}

fn filter() -> impl Strategy<Value = Vec<FilterDesc>> {
    let leaf = (0..TYPES as u32, 0..4_u8).prop_map(|(ty, kind)| {
        vec![match kind {
            0 => FilterDesc::With(ty),
            1 => FilterDesc::Without(ty),
            2 => FilterDesc::Added(ty),
            _ => FilterDesc::Changed(ty),
        }]
    });
    leaf.prop_recursive(2, 6, 3, |inner| {
        (any::<bool>(), vec(inner, 0..3)).prop_map(|(or, members)| {
            let count = u32::try_from(members.len()).expect("few");
            let head = if or { FilterDesc::Or(count) } else { FilterDesc::And(count) };
            std::iter::once(head).chain(members.into_iter().flatten()).collect()
        })
    })
}

fn holds(filters: &mut std::slice::Iter<FilterDesc>, known: &Known) -> bool {
    let is = |ty: &u32, test: fn(&(Vec<u8>, bool, bool)) -> bool| known.get(ty).is_some_and(test);
    match filters.next().expect("a filter") {
        FilterDesc::With(ty) => is(ty, |_| true),
        FilterDesc::Without(ty) => !is(ty, |_| true),
        FilterDesc::Added(ty) => is(ty, |(_, added, _)| *added),
        FilterDesc::Changed(ty) => is(ty, |(_, _, changed)| *changed),
        // All members are walked, whatever the first say.
        FilterDesc::Or(count) => (0..*count).fold(false, |any, _| holds(filters, known) | any),
        FilterDesc::And(count) => (0..*count).fold(true, |all, _| holds(filters, known) & all),
    }
}

struct NoGuest;

impl GuestBytes for NoGuest {
    fn at(&self, _: Buffer) -> Result<&[u8], String> {
        Err("nothing is there".to_owned())
    }
}

struct Read {
    bytes: Vec<u8>,
    rows: usize,
}

impl Read {
    fn header(&self, column: usize) -> ColumnHeader {
        let at = BLOCK_HEADER + column * COLUMN_HEADER;
        ColumnHeader::from_bytes(self.bytes[at..at + COLUMN_HEADER].try_into().expect("a header"))
    }

    fn word(&self, at: usize) -> usize {
        u32::from_le_bytes(self.bytes[at..at + 4].try_into().expect("four bytes")) as usize
    }

    fn row(&self, column: usize, row: usize) -> &[u8] {
        let header = self.header(column);
        let data = header.data as usize;
        if header.offsets == 0 {
            let stride = header.stride as usize;
            return &self.bytes[data + row * stride..data + (row + 1) * stride];
        }
        let offset = |row: usize| self.word(header.offsets as usize + row * 4);
        &self.bytes[data + offset(row)..data + offset(row + 1)]
    }

    fn present(&self, column: usize, row: usize) -> bool {
        let header = self.header(column);
        header.present == 0 || self.bytes[header.present as usize + row] == 1
    }
}

fn block_of(world: &mut World, terms: &[TermDesc], filters: &[FilterDesc]) -> Block {
    let desc = QueryDesc { terms: terms.to_vec(), filters: filters.to_vec() };
    let descs = types();
    let grants = Grants::new(&"tester".into(), &Permissions::all());
    let claims = Claims::new(&grants);
    let mut types = TypesOf { descs: &descs, bind: |desc: &TypeDesc| bind(world, desc), claim: claims.of_mod() };
    match BoundQuery::bind(&desc, &mut types) {
        Ok(Bound::Ready(query)) => Block::of_query(query),
        // Several alternatives may say the same: that is refused, and rightly.
        Ok(Bound::Waiting(names)) => panic!("waits for {names:?}"),
        Err(error) => panic!("{error}"),
    }
}

fn check(spawned: &[Spawned], kinds: &[u8], filters: &[FilterDesc], dirty: &[bool]) -> Result<(), TestCaseError> {
    let mut world = world();
    let (model, ticks) = populate(&mut world, spawned);
    let terms: Vec<_> = std::iter::once(TermDesc::Entity)
        .chain(kinds.iter().zip(0..).filter_map(|(kind, ty)| match (kind, ty) {
            (1, _) => Some(TermDesc::Read(ty)),
            (2, _) => Some(TermDesc::ReadOptional(ty)),
            (3, _) => Some(TermDesc::Has(ty)),
            (4, FIXED | SPARSE | DEFINED | DEFINED_SPARSE) => Some(TermDesc::Write(ty)),
            (5, FIXED | SPARSE | DEFINED | DEFINED_SPARSE) => Some(TermDesc::WriteOptional(ty)),
            _ => None,
        }))
        .collect();
    let mut block = block_of(&mut world, &terms, filters);
    let registry = world.resource::<AppTypeRegistry>().clone();
    let registry = registry.read();
    let reflection = Reflection { types: &registry, assets: None };
    let cell = world.as_unsafe_world_cell();
    // SAFETY: the cell comes from a `&mut World`.
    let bytes = unsafe {
        let len = block.measure(cell, reflection, ticks, 1 << 24).expect("it fits");
        let mut bytes = vec![0; len];
        block.write(cell, reflection, Keep::Nothing, &mut bytes).expect("it can be read");
        bytes
    };
    let mut read = Read { rows: block.selection.rows, bytes };

    let wanted = |known: &Known| {
        let has = |term: &TermDesc| match term {
            TermDesc::Read(ty) | TermDesc::Write(ty) => known.contains_key(ty),
            _ => true,
        };
        let mut rest = filters.iter();
        let mut all = true;
        while !rest.as_slice().is_empty() {
            all &= holds(&mut rest, known);
        }
        all && terms.iter().all(has)
    };
    let expected: Vec<u64> = model.iter().filter(|(_, known)| wanted(known)).map(|(bits, _)| *bits).collect();
    let entity = |read: &Read, row: usize| u64::from_le_bytes(read.row(0, row).try_into().expect("eight bytes"));
    let mut found: Vec<u64> = (0..read.rows).map(|row| entity(&read, row)).collect();
    found.sort_unstable();
    prop_assert_eq!(found, expected);
    for row in 0..read.rows {
        let bits = entity(&read, row);
        prop_assert_eq!(block.selection.row_of(cell, Entity::from_bits(bits)), Some(row));
        for (column, term) in terms.iter().enumerate() {
            let known = |ty: &u32| model[&bits].get(ty);
            match term {
                TermDesc::Has(ty) => prop_assert_eq!(read.present(column, row), known(ty).is_some()),
                TermDesc::Read(ty) | TermDesc::Write(ty) => {
                    prop_assert_eq!(read.row(column, row), &*known(ty).expect("it has one").0);
                }
                TermDesc::ReadOptional(ty) | TermDesc::WriteOptional(ty) => {
                    prop_assert_eq!(read.present(column, row), known(ty).is_some());
                    match known(ty) {
                        Some((bytes, ..)) => prop_assert_eq!(read.row(column, row), &**bytes),
                        None => prop_assert_eq!(read.row(column, row).iter().any(|byte| *byte != 0), false),
                    }
                }
                _ => {}
            }
        }
    }

    // What the mod writes into dirty rows arrives, there and nowhere else.
    let mut written = BTreeMap::new();
    for (column, term) in terms.iter().enumerate() {
        let (TermDesc::Write(ty) | TermDesc::WriteOptional(ty)) = *term else { continue };
        let header = read.header(column);
        for row in (0..read.rows).filter(|row| dirty[row % dirty.len()]) {
            if !read.present(column, row) {
                continue;
            }
            let bits = entity(&read, row);
            let new = match ty {
                FIXED => encode(&Fixed { flag: row % 2 == 0, place: [row as f32, 1.0], wide: bits }),
                SPARSE => encode(&Sparse(9, row as u32)),
                _ => encode::<Packed>(&(bits as u32, row % 2 == 0, row as u16)),
            };
            let at = header.data as usize + row * header.stride as usize;
            read.bytes[at..at + new.len()].copy_from_slice(&new);
            read.bytes[header.dirty as usize + row] = 1;
            written.insert((bits, ty), new);
        }
    }
    let mut changes = Changes::default();
    // SAFETY: as above; nothing of the World has changed.
    unsafe {
        changes.check(&block, &read.bytes, cell, &NoGuest, reflection).expect("it is valid");
        changes.apply(&block, &read.bytes, cell, ticks.this_run).expect("it was checked");
    }
    let defined = |ty: u32| definitions::find(&world, &types()[ty as usize].path).expect("it is defined");
    let defined = [DEFINED, DEFINED_SPARSE].map(|ty| (ty, defined(ty)));
    for (bits, known) in &model {
        let entity = world.entity(Entity::from_bits(*bits));
        let of_game = [
            (FIXED, entity.get::<Fixed>().map(encode), entity.get_change_ticks::<Fixed>()),
            (SPARSE, entity.get::<Sparse>().map(encode), entity.get_change_ticks::<Sparse>()),
        ];
        let of_mod = defined.iter().map(|(ty, bound)| {
            let bytes = entity.get_by_id(bound.component).ok().map(|value| {
                // SAFETY: a packed component's memory is its encoding, and nobody writes it meanwhile.
                unsafe { std::slice::from_raw_parts(value.as_ptr(), PACKED_BYTES) }.to_vec()
            });
            (*ty, bytes, entity.get_change_ticks_by_id(bound.component))
        });
        for (ty, now, changed) in of_game.into_iter().chain(of_mod) {
            let Some((old, ..)) = known.get(&ty) else { continue };
            let new = written.get(&(*bits, ty));
            prop_assert_eq!(now.as_ref(), Some(new.unwrap_or(old)));
            prop_assert_eq!(changed.expect("it has one").changed == ticks.this_run, new.is_some());
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: if cfg!(miri) { 4 } else { 256 }, ..Default::default() })]

    #[test]
    fn queries_are_what_a_model_says(
        spawned in vec(spawned(), 0..if cfg!(miri) { 12 } else { 40 }),
        kinds in uniform7(0..6_u8),
        filters in vec(filter(), 0..3),
        dirty in vec(any::<bool>(), 1..7),
    ) {
        check(&spawned, &kinds, &filters.concat(), &dirty)?;
    }
}
