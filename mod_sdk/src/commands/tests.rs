//! Commands from the call to the bytes in the outbox.

use mod_abi::{codec, command::Command, describe::ModDescription};

use crate::{
    block::Batch,
    prelude::{Bundle, ChildOf, Commands, Component, Entity, EntityEvent, Event, Message, Query, Resource},
    runtime::Runtime,
    testing::{SystemTest, TestCommand, TestRows, TestValue, describe},
};

#[derive(Component, Debug, Clone, Copy, PartialEq)]
#[component(path = "orchard::Bee")]
struct Bee {
    age: u32,
}

#[derive(Component, Debug, Clone, PartialEq)]
#[component(path = "orchard::Label")]
struct Label(String);

#[derive(Component, Debug, Clone, Copy, PartialEq)]
#[component(define)]
struct Tired;

#[derive(Bundle)]
struct Worker {
    bee: Bee,
    more: (Label, Tired),
}

#[derive(Bundle)]
struct Pair<A: Bundle, B: Bundle>(A, B);

#[derive(Resource, Debug, PartialEq)]
struct Score {
    points: u64,
}

#[derive(Message, Default)]
struct Alarm(u8);

#[derive(Event)]
struct Feast;

#[derive(EntityEvent)]
struct Sting {
    entity: Entity,
}

fn entity(index: u32) -> Entity {
    Entity::from_bits(u64::from(!index))
}

/// What a system leaves that has only commands. The ids count up from `0v0`.
fn left_by(system: fn(Commands)) -> Vec<TestCommand> {
    let mut test = SystemTest::new(system).no_rows();
    test.run();
    test.commands()
}

fn bee(age: u32) -> TestValue {
    TestValue::component(&Bee { age })
}

fn label(text: &str) -> TestValue {
    TestValue::component(&Label(text.to_owned()))
}

fn tired() -> TestValue {
    TestValue::component(&Tired)
}

fn child_of(parent: Entity) -> TestValue {
    TestValue::component(&ChildOf(parent))
}

#[test]
fn bundles_are_flat_and_keep_their_order() {
    let left = left_by(|mut commands| {
        let label = |text: &str| Label(text.to_owned());
        commands.spawn_empty();
        commands.spawn(Worker { bee: Bee { age: 1 }, more: (label("Maja"), Tired) });
        commands.spawn((Pair(Tired, Bee { age: 2 }), (), ((label("Willi"),),)));
        commands.spawn_batch((3..5).map(|age| Bee { age }));
    });
    let spawn = |index, components| TestCommand::Spawn { entity: entity(index), components };
    let expected = [
        spawn(0, vec![]),
        spawn(1, vec![bee(1), label("Maja"), tired()]),
        spawn(2, vec![tired(), bee(2), label("Willi")]),
        spawn(3, vec![bee(3)]),
        spawn(4, vec![bee(4)]),
    ];
    assert_eq!(left, expected);
}

#[test]
fn an_entity_takes_commands_one_after_the_other() {
    let left = left_by(|mut commands| {
        let old = Entity::from_bits(7);
        commands.entity(old).insert(Bee { age: 1 }).insert_if_new((Tired, Label(String::new()))).remove::<Worker>();
        commands.entity(old).trigger(|entity| Sting { entity }).despawn();
        let new = commands.spawn(Tired).id();
        let mut new = commands.entity(new);
        new.reborrow().insert(ChildOf(old));
        new.commands().entity(old).remove::<(Tired, ChildOf)>();
    });
    let old = Entity::from_bits(7);
    let path = |path: &str| path.to_owned();
    let expected = [
        TestCommand::Insert { entity: old, components: vec![bee(1)] },
        TestCommand::InsertIfNew { entity: old, components: vec![tired(), label("")] },
        TestCommand::Remove {
            entity: old,
            types: vec![path("orchard::Bee"), path("orchard::Label"), path("bevy_mod_sdk::Tired")],
        },
        TestCommand::Trigger(TestValue::event(&Sting { entity: old })),
        TestCommand::Despawn { entity: old },
        TestCommand::Spawn { entity: entity(0), components: vec![tired()] },
        TestCommand::Insert { entity: entity(0), components: vec![child_of(old)] },
        TestCommand::Remove {
            entity: old,
            types: vec![path("bevy_mod_sdk::Tired"), path("bevy_ecs::hierarchy::ChildOf")],
        },
    ];
    assert_eq!(left, expected);
}

#[test]
fn children_know_their_parents() {
    let left = left_by(|mut commands| {
        let mut hive = commands.spawn(Tired);
        hive.with_children(|parent| {
            parent.spawn(Bee { age: 1 }).with_child(Bee { age: 2 });
            parent.spawn_empty();
            let hive = parent.target_entity();
            parent.commands().entity(hive).despawn();
        });
        hive.add_child(Entity::from_bits(7)).add_children(&[Entity::from_bits(8)]);
    });
    let hive = entity(0);
    let spawn = |index, components| TestCommand::Spawn { entity: entity(index), components };
    let adopt = |bits| TestCommand::Insert { entity: Entity::from_bits(bits), components: vec![child_of(hive)] };
    let expected = [
        spawn(0, vec![tired()]),
        spawn(1, vec![bee(1), child_of(hive)]),
        spawn(2, vec![bee(2), child_of(entity(1))]),
        spawn(3, vec![child_of(hive)]),
        TestCommand::Despawn { entity: hive },
        adopt(7),
        adopt(8),
    ];
    assert_eq!(left, expected);
}

#[test]
fn resources_messages_and_events_are_commands() {
    let left = left_by(|mut commands| {
        commands.insert_resource(Score { points: 3 });
        commands.remove_resource::<Score>();
        commands.write_message(Alarm(1)).write_message(Alarm::default());
        commands.trigger(Feast);
    });
    let expected = [
        TestCommand::InsertResource(TestValue::resource(&Score { points: 3 })),
        TestCommand::RemoveResource("Score".to_owned()),
        TestCommand::WriteMessage(TestValue::message(&Alarm(1))),
        TestCommand::WriteMessage(TestValue::message(&Alarm(0))),
        TestCommand::Trigger(TestValue::event(&Feast)),
    ];
    assert_eq!(left, expected);
    let TestCommand::InsertResource(score) = &left[0] else { panic!("{left:?}") };
    assert_eq!(score.get::<Score>(), Score { points: 3 });
}

#[test]
fn the_outbox_has_the_bytes_of_the_codec_and_only_those_of_the_last_call() {
    fn system(mut commands: Commands, bees: Query<&Bee>) {
        for bee in &bees {
            commands.spawn((Label("Maja".to_owned()), *bee));
            commands.entity(Entity::from_bits(7)).insert(Tired).insert_if_new(*bee).remove::<Label>().despawn();
            commands.insert_resource(Score { points: 1 });
            commands.remove_resource::<Score>();
            commands.write_message(Alarm(1)).trigger(Feast);
        }
    }
    let rows = TestRows::default().column([Bee { age: 1 }, Bee { age: 2 }]);
    let mut test = SystemTest::new(system).no_rows().query(rows);
    test.run();
    let first = test.commands();
    assert_eq!(first.len(), 18);
    test.run();
    assert_eq!(test.commands().len(), 18);
    let mut bytes = test.outbox();
    let mut again = Vec::new();
    while !bytes.is_empty() {
        let command = Command::take(&mut bytes).expect("a command");
        again.extend(codec::encode(&command).expect("a command"));
    }
    assert_eq!(test.outbox(), again);
}

#[test]
fn a_system_without_commands_leaves_nothing() {
    let mut test = SystemTest::new(|bees: Query<&Bee>, mut commands: Commands| {
        for _ in &bees {
            commands.spawn(Tired);
        }
    });
    test = test.query(TestRows::default().column::<Bee>([])).no_rows();
    test.run();
    assert!(test.outbox().is_empty());
}

#[test]
fn types_that_are_only_met_in_commands_come_behind_those_of_the_description() {
    fn main(app: &mut crate::App) {
        app.add_systems(crate::schedule::Update, |mut commands: Commands| {
            commands.spawn((Tired, Bee { age: 0 }, Label(String::new())));
        })
        .register_component::<Bee>();
    }
    fn paths<S>(description: &ModDescription<S>) -> Vec<&str> {
        description.types.iter().map(|ty| ty.path.as_str()).collect()
    }
    assert_eq!(paths(&describe(main)), ["orchard::Bee"]);
    let mut runtime = Runtime::new(main);
    let _ = runtime.describe();
    let mut memory = [0_u128; 2];
    memory[0] = 1 << 32;
    let bytes = size_of_val(&memory);
    // SAFETY: the memory is aligned to 16 and belongs to this call: a header of one block, which is missing.
    #[expect(unsafe_code, reason = "lays out a batch as the game does")]
    let batch = unsafe { Batch::new(memory.as_mut_ptr().cast(), bytes) };
    let mut bytes = runtime.run(batch);
    let Ok(Command::Spawn { components, .. }) = Command::take(&mut bytes) else { panic!("{bytes:?}") };
    let types: Vec<_> = components.iter().map(|value| value.ty).collect();
    assert_eq!(types, [1, 0, 2]);
    assert_eq!(runtime.outbox().types.path(1), "bevy_mod_sdk::Tired");
    // A description starts again.
    assert_eq!(paths(&runtime.describe()), ["orchard::Bee"]);
}

#[test]
fn a_component_that_stands_twice_in_a_bundle_is_refused() {
    fn twice(mut commands: Commands) {
        commands.spawn((Tired, (Tired,)));
    }
    let payload = std::panic::catch_unwind(|| left_by(twice)).expect_err("should panic");
    let text = payload.downcast_ref::<String>().expect("a text");
    assert!(text.contains("has duplicate components: [mod_sdk::commands::tests::Tired]"), "{text}");
    // The next system starts with an empty outbox.
    assert_eq!(left_by(|_| {}), []);
}
