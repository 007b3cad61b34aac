//! What the game learns of a mod: its own types, its resources, and when its systems run.

use std::time::Duration;

use mod_abi::describe::{
    ConditionDesc, ConditionTest, Definition, DefinitionKind, InitialResource, ModDescription, OrderDesc, OrderTarget,
    ParamDesc, ResourceDesc, TypeRole,
};

use crate::{
    prelude::{
        App, Component, Entity, EntityEvent, Event, FixedUpdate, GameSet, IntoScheduleConfigs, Message, OnEnter,
        OnExit, Query, Reflect, ResMut, Resource, States, SystemName, Update, in_state, not, on_timer, resource_exists,
    },
    testing::describe,
};

#[derive(Component, Debug, Clone, Copy, PartialEq)]
#[component(define)]
struct Nectar {
    litres: f32,
}

impl Default for Nectar {
    fn default() -> Self {
        Self { litres: 0.5 }
    }
}

#[derive(Component)]
#[component(define, storage = "SparseSet")]
struct Tired;

#[derive(Component)]
#[component(define, storage = "Table")]
struct Rested;

#[derive(Component)]
#[component(path = "orchard::Bee", partial)]
struct Bee {
    age: f32,
}

#[derive(Resource, Default)]
#[resource(define)]
struct Visits(u32);

#[derive(Resource, Default)]
#[resource(partial)]
struct Score {
    points: u64,
}

#[derive(Message)]
#[message(define)]
struct Alarm(String);

#[derive(Event)]
#[event(define)]
struct Feast;

#[derive(EntityEvent)]
#[event(path = "orchard::Sting")]
struct Sting {
    entity: Entity,
}

#[derive(EntityEvent)]
struct Tickle(Entity);

#[derive(EntityEvent)]
struct Gift {
    entity: Entity,
    #[event_target]
    receiver: Entity,
}

#[derive(States)]
#[states(path = "orchard::Season")]
enum Season {
    Summer,
    Winter,
}

#[derive(States)]
enum Menu {
    Open,
}

#[test]
fn types_of_the_mod_go_by_its_id_and_state_their_default() {
    let own = |kind, default| TypeRole::Definition(Definition { kind, default });
    assert_eq!(Nectar::PATH, "bevy_mod_sdk::Nectar");
    assert_eq!(Nectar::role(), own(DefinitionKind::Component, Some(0.5_f32.to_le_bytes().to_vec())));
    assert_eq!(Tired::role(), own(DefinitionKind::SparseComponent, None));
    assert_eq!(Rested::role(), own(DefinitionKind::Component, None));
    assert_eq!(Visits::role(), own(DefinitionKind::Resource, Some(vec![0; 4])));
    assert_eq!((Alarm::PATH, Alarm::role()), ("bevy_mod_sdk::Alarm", own(DefinitionKind::Message, None)));
    assert_eq!((Feast::PATH, Feast::role()), ("bevy_mod_sdk::Feast", own(DefinitionKind::Event, None)));
    assert_eq!((Bee::PATH, Bee::role()), ("orchard::Bee", TypeRole::Part));
    assert_eq!((Score::PATH, Score::role()), ("Score", TypeRole::Part));
    assert_eq!((Sting::PATH, Sting::role()), ("orchard::Sting", TypeRole::Mirror));
    assert_eq!((Season::PATH, Menu::PATH), ("orchard::Season", "Menu"));
}

#[test]
fn entity_events_know_their_entity() {
    let (one, other) = (Entity::from_bits(5), Entity::from_bits(6));
    assert_eq!(Sting { entity: one }.event_target(), one);
    assert_eq!(Tickle(one).event_target(), one);
    assert_eq!(Gift { entity: one, receiver: other }.event_target(), other);
    assert_eq!(Tickle::schema().to_string(), "(entity)");
}

#[test]
fn resources_are_stated_once_with_the_value_that_was_inserted() {
    fn main(app: &mut App) {
        app.init_resource::<Visits>()
            .insert_resource(Visits(7))
            .init_resource::<Visits>()
            .init_resource::<Score>()
            .insert_resource(Score { points: 1 })
            .add_systems(Update, |_: ResMut<Score>| {});
    }
    let ModDescription { types, systems, resources, .. } = describe(main);
    let paths: Vec<_> = types.iter().map(|ty| ty.path.as_str()).collect();
    assert_eq!(paths, ["Score", "bevy_mod_sdk::Visits"]);
    assert_eq!(systems[0].params, [ParamDesc::Resource(ResourceDesc { ty: 0, write: true })]);
    let initial = |ty, value: &[u8]| InitialResource { ty, value: value.to_owned() };
    assert_eq!(resources, [initial(1, &[7, 0, 0, 0]), initial(0, &[1, 0, 0, 0, 0, 0, 0, 0])]);
}

#[test]
fn types_can_be_stated_although_no_system_asks_for_them() {
    let description = describe(|app| {
        app.add_message::<Alarm>().register_component::<Nectar>().add_systems(Update, |_: Query<&Nectar>| {});
    });
    let paths: Vec<_> = description.types.iter().map(|ty| ty.path.as_str()).collect();
    assert_eq!(paths, ["bevy_mod_sdk::Nectar", "bevy_mod_sdk::Alarm"]);
    assert_eq!(description.types[0].role, Nectar::role());
}

fn drift() {}
fn settle() {}
fn look() {}

/// Names of the systems with what `tell` says of each.
fn story<T>(main: fn(&mut App), tell: impl Fn(mod_abi::describe::SystemDesc) -> T) -> Vec<(String, T)> {
    describe(main).systems.into_iter().map(|system| (system.name.clone(), tell(system))).collect()
}

#[test]
fn schedules_of_states_name_the_value() {
    fn main(app: &mut App) {
        app.add_systems(OnEnter(Season::Winter), drift)
            .add_systems(OnExit(Season::Summer), settle)
            .add_systems(OnEnter(Menu::Open), look);
    }
    let expected = [
        ("drift".to_owned(), "OnEnter(orchard::Season::Winter)".to_owned()),
        ("settle".to_owned(), "OnExit(orchard::Season::Summer)".to_owned()),
        ("look".to_owned(), "OnEnter(Menu::Open)".to_owned()),
    ];
    assert_eq!(story(main, |system| system.schedule), expected);
}

#[test]
fn conditions_hold_for_each_member_and_add_up() {
    fn main(app: &mut App) {
        let group = (drift.run_if(resource_exists::<Score>), settle).run_if(in_state(Season::Winter));
        app.add_systems(Update, group.run_if(not(not(on_timer(Duration::from_millis(5))))))
            .add_systems(FixedUpdate, look.run_if(not(resource_exists::<Score>)));
    }
    let condition = |not, test| ConditionDesc { not, test };
    let score = |not| condition(not, ConditionTest::ResourceExists(0));
    let winter = || condition(false, ConditionTest::InState("orchard::Season::Winter".to_owned()));
    let timer = || condition(false, ConditionTest::OnTimer(Duration::from_millis(5)));
    let expected = [
        ("drift".to_owned(), vec![score(false), winter(), timer()]),
        ("settle".to_owned(), vec![winter(), timer()]),
        ("look".to_owned(), vec![score(true)]),
    ];
    assert_eq!(story(main, |system| system.conditions), expected);
}

#[test]
fn systems_are_ordered_by_others_of_the_game_and_of_mods() {
    fn main(app: &mut App) {
        app.add_systems(
            Update,
            ((drift, settle).after(GameSet("movement")).run_if(in_state(Menu::Open)).chain(), look)
                .before(SystemName("weather::blow")),
        );
    }
    let movement = OrderDesc::After(OrderTarget::Set("movement".to_owned()));
    let blow = OrderDesc::Before(OrderTarget::Named("weather::blow".to_owned()));
    let chain = OrderDesc::After(OrderTarget::System(0));
    let expected = [
        ("drift".to_owned(), vec![movement.clone(), blow.clone()]),
        ("settle".to_owned(), vec![chain, movement, blow.clone()]),
        ("look".to_owned(), vec![blow]),
    ];
    assert_eq!(story(main, |system| system.order), expected);
}
