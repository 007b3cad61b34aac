//! What a slot tells the scheduler.

use std::sync::Arc;

use bevy_ecs::{
    component::{Component, ComponentId},
    message::{Message, MessageReader, MessageWriter},
    query::FilteredAccessSet,
    reflect::{AppTypeRegistry, ReflectComponent},
    resource::Resource,
    system::{IntoSystem, Query, Res, System},
    world::World,
};
use bevy_reflect::Reflect;
use mod_abi::{
    Schema,
    describe::{FilterDesc, ModDescription, ParamDesc, QueryDesc, SystemDesc, TermDesc, TypeDesc, TypeRole},
};

use crate::bridge::{
    bind::bind_systems,
    grant::{Claims, Grants, Permissions},
    host::HostFunctions,
    messages::GameMessages,
    neighbours::Reach,
    query::Bound,
    system::{Slot, SlotCell, Tokens},
    tokens::token_of,
};

#[derive(Component, Reflect, Default)]
#[reflect(Component)]
struct Place(f32);

#[derive(Component, Reflect, Default)]
#[reflect(Component)]
struct Speed(f32);

#[derive(Message, Reflect)]
struct Sound(f32);

#[derive(Resource)]
struct Runtime;

fn world() -> World {
    let mut world = World::new();
    let registry = AppTypeRegistry::default();
    registry.write().register::<Place>();
    registry.write().register::<Speed>();
    registry.write().register::<Sound>();
    world.insert_resource(registry);
    world
}

/// The access of a slot whose system has this parameter.
fn access_of(world: &mut World, id: &str, param: ParamDesc) -> FilteredAccessSet {
    access_with(world, id, param, Reach::default())
}

/// The same for a mod that may call others.
fn access_with(world: &mut World, id: &str, param: ParamDesc, reach: Reach) -> FilteredAccessSet {
    let ty = |path: &str| TypeDesc {
        path: path.to_owned(),
        schema: Schema::parse("(f32)").expect("a schema"),
        role: TypeRole::Mirror,
    };
    let (name, schedule) = ("system".to_owned(), "Update".to_owned());
    let system = SystemDesc { name, schedule, params: vec![param], ..SystemDesc::default() };
    let types = vec![ty("Place"), ty("Speed"), ty("Sound")];
    let description = ModDescription { types, systems: vec![system], ..ModDescription::default() };
    let grants = Grants::new(&Arc::from(id), &Permissions::all());
    let Ok(Bound::Ready(mut systems)) = bind_systems(world, &description, |_| true, &Claims::new(&grants)) else {
        panic!("the types are registered");
    };
    let system = systems.pop().expect("one system");
    let of_mod = token_of(world, &Arc::from(id));
    let tokens = Tokens { of_mod, runtime: world.register_component::<Runtime>() };
    Slot::new(id, system, Arc::new(SlotCell::default()), tokens, Vec::new(), reach).initialize(world)
}

fn query(terms: &[TermDesc], filters: &[FilterDesc]) -> ParamDesc {
    ParamDesc::Query(QueryDesc { terms: terms.to_vec(), filters: filters.to_vec() })
}

fn id<T: Component>(world: &World) -> ComponentId {
    world.component_id::<T>().expect("it is registered")
}

#[test]
fn reads_and_writes_are_declared() {
    let mut world = world();
    let access = access_of(&mut world, "a", query(&[TermDesc::Write(0), TermDesc::Read(1)], &[]));
    let (place, speed) = (id::<Place>(&world), id::<Speed>(&world));
    let all = access.combined_access();
    assert!(all.has_write(place));
    assert!(all.has_read(speed) && !all.has_write(speed));

    let mut check = |other: &mut dyn System<In = (), Out = ()>, expected| {
        assert_eq!(access.is_compatible(&other.initialize(&mut world)), expected);
    };
    check(&mut IntoSystem::into_system(|_: Query<&Place>| {}), false);
    check(&mut IntoSystem::into_system(|_: Query<&Speed>| {}), true);
    check(&mut IntoSystem::into_system(|_: Query<&mut Speed>| {}), false);
    check(&mut IntoSystem::into_system(|_: Res<Runtime>| {}), true);
}

#[test]
fn systems_of_one_mod_never_run_at_once_and_those_of_two_may() {
    let mut world = world();
    let read = || query(&[TermDesc::Read(0)], &[]);
    let (one, other) = (access_of(&mut world, "a", read()), access_of(&mut world, "a", read()));
    assert!(!one.is_compatible(&other), "they share an instance");
    let neighbour = access_of(&mut world, "b", read());
    assert!(one.is_compatible(&neighbour));
    let writer = access_of(&mut world, "b", query(&[TermDesc::Write(0)], &[]));
    assert!(!one.is_compatible(&writer));
}

#[test]
fn what_a_mod_may_call_is_kept_apart_from_it() {
    let mut world = world();
    HostFunctions::add(&mut world, "shout", |mut places: Query<&mut Place>| {
        places.iter_mut().for_each(|mut place| place.0 += 1.0);
    });
    let shout = world.resource::<HostFunctions>().index_of("shout").expect("it was added");
    let read = || query(&[TermDesc::Read(1)], &[]);
    let caller = access_with(&mut world, "a", read(), Reach::over(&[("b", &[shout]), ("c", &[])]));
    for (id, expected) in [("b", false), ("c", false), ("d", true)] {
        let other = access_of(&mut world, id, read());
        assert_eq!(caller.is_compatible(&other), expected, "{id}");
    }
    let mut reader = IntoSystem::into_system(|_: Query<&Place>| {});
    assert!(!caller.is_compatible(&reader.initialize(&mut world)), "a mod that it may call writes places");
    let mut reader = IntoSystem::into_system(|_: Query<&Speed>| {});
    assert!(caller.is_compatible(&reader.initialize(&mut world)));
}

#[test]
fn a_system_with_the_world_reads_everything() {
    let mut world = world();
    let access = access_of(&mut world, "a", ParamDesc::World);
    let mut writer = IntoSystem::into_system(|_: Query<&mut Speed>| {});
    assert!(!access.is_compatible(&writer.initialize(&mut world)));
}

#[test]
fn a_reader_of_messages_is_kept_apart_from_their_writers() {
    let mut world = world();
    GameMessages::add::<Sound>(&mut world);
    let access = access_of(&mut world, "a", ParamDesc::MessageReader(2));
    let mut check = |other: &mut dyn System<In = (), Out = ()>, expected| {
        assert_eq!(access.is_compatible(&other.initialize(&mut world)), expected);
    };
    check(&mut IntoSystem::into_system(|_: MessageWriter<Sound>| {}), false);
    check(&mut IntoSystem::into_system(|_: MessageReader<Sound>| {}), true);
    check(&mut IntoSystem::into_system(|_: Query<&mut Place>| {}), true);
}
