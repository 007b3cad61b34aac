//! Observers from their description to the call.

use mod_abi::describe::{EventDesc, ParamDesc};

use crate::{
    prelude::{
        Add, App, Commands, Component, Despawn, Discard, Entity, EntityEvent, Event, Insert, Local, On, Query, Remove,
        Update,
    },
    testing::{SystemTest, TestCommand, TestRows, TestValue, describe},
};

#[derive(Component, Debug, Clone, Copy, PartialEq)]
#[component(path = "orchard::Bee")]
struct Bee {
    age: u32,
}

#[derive(EntityEvent, Debug)]
#[event(path = "orchard::Hit")]
struct Hit {
    entity: Entity,
    damage: u32,
    name: String,
}

#[derive(Event)]
struct Feast;

fn on_hit(hit: On<Hit>, mut bees: Query<&mut Bee>, mut commands: Commands, mut hits: Local<u32>) {
    *hits += 1;
    for mut bee in &mut bees {
        bee.age += hit.damage * *hits;
    }
    assert_eq!((hit.event().name.as_str(), hit.event_target()), ("stone", hit.entity));
    commands.entity(hit.entity()).despawn();
}

#[test]
fn an_observer_gets_the_event_and_what_a_system_gets() {
    let entity = Entity::from_bits(7);
    let mut test = SystemTest::observer(on_hit)
        .event(Hit { entity, damage: 2, name: "stone".to_owned() })
        .query(TestRows::default().column([Bee { age: 1 }]))
        .no_rows();
    test.run();
    assert_eq!(test.changed::<Bee>(1, 0), [(0, Bee { age: 3 })]);
    assert_eq!(test.commands(), [TestCommand::Despawn { entity }]);
    test.run();
    assert_eq!(test.rows::<Bee>(1, 0), [Bee { age: 7 }]);
}

#[test]
fn what_happens_to_a_component_tells_the_entity() {
    let entity = Entity::from_bits(9);
    let mut test = SystemTest::observer(|bee: On<Add, Bee>, mut commands: Commands| {
        assert_eq!(bee.entity, bee.entity());
        commands.entity(bee.entity).insert(Bee { age: 5 });
    });
    test = test.event(Add { entity }).no_rows();
    test.run();
    let components = vec![TestValue::component(&Bee { age: 5 })];
    assert_eq!(test.commands(), [TestCommand::Insert { entity, components }]);
}

#[test]
fn observers_are_described_behind_the_systems_with_names_of_their_own() {
    fn on_feast(_: On<Feast>) {}
    fn drift() {}
    fn main(app: &mut App) {
        app.add_observer(on_hit).add_systems(Update, drift).add_observer(on_feast);
        app.add_observer(|_: On<Insert, Bee>| {})
            .add_observer(|_: On<Discard, Bee>, _: Commands| {})
            .add_observer(|_: On<Remove, Bee>| {})
            .add_observer(|_: On<Despawn, Bee>| {})
            .add_observer(|_: On<Add, Bee>| {});
    }
    let description = describe(main);
    let paths: Vec<_> = description.types.iter().map(|ty| ty.path.as_str()).collect();
    assert_eq!(paths, ["orchard::Hit", "orchard::Bee", "Feast"]);
    assert_eq!(description.systems[0].name, "drift");
    let observers = &description.observers;
    assert_eq!((observers[0].name.as_str(), observers[0].event), ("on_hit", EventDesc::Event(0)));
    assert!(matches!(*observers[0].params, [ParamDesc::Event, ParamDesc::Query(_), ParamDesc::Commands]));
    let events: Vec<_> = observers[1..].iter().map(|observer| observer.event).collect();
    let expected = [
        EventDesc::Event(2),
        EventDesc::Insert(1),
        EventDesc::Discard(1),
        EventDesc::Remove(1),
        EventDesc::Despawn(1),
        EventDesc::Add(1),
    ];
    assert_eq!(events, expected);
    assert_eq!(observers[1].params, [ParamDesc::Event]);
}

#[test]
fn a_name_that_a_system_has_is_numbered() {
    mod other {
        pub(super) fn look() {}
    }
    fn look(_: On<Feast>) {}
    let description = describe(|app| {
        app.add_systems(Update, other::look).add_observer(look);
    });
    assert_eq!((&*description.systems[0].name, &*description.observers[0].name), ("look", "look_2"));
}

#[test]
fn a_function_can_be_called_with_an_event_of_a_test() {
    fn oldest(hit: On<Hit>) {
        assert_eq!(hit.damage, 3);
    }
    oldest(On::from(&Hit { entity: Entity::from_bits(7), damage: 3, name: String::new() }));
    assert_eq!(
        format!("{:?}", On::<Add, Bee>::from(&Add { entity: Entity::PLACEHOLDER })),
        "On(Add { entity: PLACEHOLDER })"
    );
}
