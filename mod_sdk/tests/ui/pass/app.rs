//! What mods do beyond changing rows: types of their own, commands, messages, observers, states, conditions.

use std::time::Duration;

use mod_sdk::prelude::*;

#[derive(Component, Debug, Default, Clone, PartialEq)]
#[component(define)]
struct Nectar {
    litres: f32,
}

#[derive(Component)]
#[component(define, storage = "SparseSet")]
struct Tired;

#[derive(Component)]
#[component(path = "orchard::Bee", partial)]
struct Bee {
    age: f32,
}

#[derive(Resource, Default)]
#[resource(define)]
struct Visits(u32);

#[derive(Message, Default)]
#[message(define)]
struct Alarm {
    loud: bool,
}

#[derive(Message)]
#[message(path = "orchard::AppleFell")]
struct AppleFell(Vec3);

#[derive(Event)]
#[event(define)]
struct Feast;

#[derive(EntityEvent)]
#[event(path = "orchard::Sting")]
struct Sting {
    by: Entity,
    #[event_target]
    victim: Entity,
}

// As in Bevy's own programs, with what its `States` asks for.
#[derive(States, Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[states(path = "orchard::Season")]
enum Season {
    Summer,
    Winter,
}

#[derive(Bundle)]
struct Flower {
    nectar: Nectar,
    place: (Transform, Tired),
}

#[derive(Bundle)]
struct With2<A: Bundle, B>(A, B)
where
    B: Bundle;

#[mod_main]
fn mod_main(app: &mut App) {
    app.init_resource::<Visits>()
        .insert_resource(Visits(1))
        .add_message::<Alarm>()
        .register_component::<Tired>()
        .add_systems(OnEnter(Season::Winter), sleep)
        .add_systems(OnExit(Season::Winter), wake)
        .add_systems(
            Update,
            (listen, age.after(listen), seventeen)
                .chain()
                .after(SystemName("weather::blow"))
                .before(GameSet("movement"))
                .run_if(not(in_state(Season::Winter)))
                .run_if(resource_exists::<Visits>)
                .run_if(not(resource_exists::<Visits>))
                .run_if(on_timer(Duration::from_secs(1))),
        )
        .add_observer(on_feast)
        .add_observer(on_sting)
        .add_observer(on_add)
        .add_observer(|_: On<Insert, Bee>, mut commands: Commands| commands.trigger(Feast))
        .add_observer(|_: On<Discard, Bee>| {})
        .add_observer(|tired: On<Remove, Tired>| info!("{}", tired.entity()))
        .add_observer(|gone: On<Despawn, Bee>, q: Query<&Bee>| info!("{} of {}", gone.entity, q.len()));
}

fn sleep(mut commands: Commands, bees: Query<(Entity, &Bee)>) {
    for (bee, _) in &bees {
        commands.entity(bee).insert(Tired).insert_if_new((Nectar::default(),));
    }
    tidy(&mut commands);
    by_value(commands.reborrow());
}

fn tidy(commands: &mut Commands) {
    commands.remove_resource::<Visits>();
}

fn by_value(mut commands: Commands) {
    let flower = Flower { nectar: Nectar::default(), place: (Transform::IDENTITY, Tired) };
    let mut spawned: EntityCommands = commands.spawn(flower);
    spawned
        .with_children(|parent| {
            let leaf = parent.spawn(With2(Tired, Nectar { litres: 1.0 })).id();
            parent.commands().entity(leaf).despawn();
        })
        .with_child(Nectar::default());
    let flower = spawned.id();
    commands.spawn_empty().insert(ChildOf(flower)).remove::<(Tired, Nectar)>();
    commands.entity(flower).add_child(Entity::PLACEHOLDER).trigger(|victim| Sting { by: flower, victim });
    commands.spawn_batch((0..3).map(|_| (Tired, Transform::IDENTITY)));
    commands.insert_resource(Visits(2));
    commands.write_message(Alarm { loud: true }).write_message(Alarm { loud: false });
}

fn wake(mut commands: Commands, tired: Query<(Entity, &ChildOf), With<Tired>>) {
    for (entity, child_of) in &tired {
        commands.entity(entity).remove::<Tired>();
        info!("a child of {}", child_of.parent());
    }
}

fn listen(mut fell: MessageReader<AppleFell>, mut alarm: MessageWriter<Alarm>, mut visits: ResMut<Visits>) {
    for AppleFell(place) in fell.read() {
        if place.y > 1.0 {
            alarm.write(Alarm { loud: true });
        }
    }
    alarm.write_batch((0..2).map(|_| Alarm::default()));
    alarm.write_default();
    visits.0 += 1;
}

fn age(mut bees: Query<&mut Bee>) {
    for mut bee in &mut bees {
        bee.age += 1.0;
    }
}

fn seventeen(
    _: Local<u8>,
    _: Local<u8>,
    _: Local<u8>,
    _: Local<u8>,
    _: Local<u8>,
    _: Local<u8>,
    _: Local<u8>,
    _: Local<u8>,
    _: Local<u8>,
    _: Local<u8>,
    _: Local<u8>,
    _: Local<u8>,
    _: Local<u8>,
    _: Local<u8>,
    _: Local<u8>,
    _: (Local<u8>, Commands),
) {
}

fn on_feast(_: On<Feast>) {}

fn on_sting(sting: On<Sting>, mut bees: Query<&mut Bee>, mut commands: Commands) {
    let _ = (sting.by, sting.event().victim);
    commands.entity(sting.event_target()).despawn();
    for mut bee in &mut bees {
        bee.age = 0.0;
    }
}

fn on_add(bee: On<Add, Bee>, mut visits: ResMut<Visits>) {
    visits.0 += bee.entity.index();
}

fn main() {
    let _ = Season::Summer;
    let description = mod_sdk::testing::describe(mod_main);
    assert_eq!(description.systems.len(), 5);
    assert_eq!(description.observers.len(), 7);
    assert_eq!(description.systems[2].conditions.len(), 4);
    let mut test = mod_sdk::testing::SystemTest::new(|commands: Commands| by_value(commands)).no_rows();
    test.run();
    assert!(test.commands().len() > 10);
}
