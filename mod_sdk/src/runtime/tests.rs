//! Systems from their description to the changed rows, on batches as the game makes them.

use mod_abi::describe::{
    FilterDesc, ModDescription, OrderDesc, OrderTarget, ParamDesc, QueryDesc, ResourceDesc, TermDesc,
};

use crate::{
    buffer::OwnedBuffer,
    column::decode_first,
    prelude::{
        App, Component, Entity, FixedUpdate, IntoScheduleConfigs, Local, Quat, Query, QuerySingleError, Reflect, Res,
        ResMut, Resource, Startup, Time, Transform, Update, Vec3, With, Without, World,
    },
    query::Rows,
    testing::{SystemTest, TestRows, block, describe},
};

#[derive(Component, Debug, Clone, Copy, PartialEq)]
#[component(path = "orchard::Velocity")]
struct Velocity(Vec3);

#[derive(Component, Debug, Clone, PartialEq)]
#[component(path = "orchard::Label")]
struct Label {
    text: String,
    tags: Vec<String>,
}

#[derive(Component, Debug, Clone, Copy, PartialEq)]
struct Mixed {
    flag: bool,
    level: u8,
    weight: f64,
}

#[derive(Component, Debug, Clone, Copy, PartialEq)]
struct Frozen;

#[derive(Resource, Debug, PartialEq)]
struct Score {
    points: u64,
}

fn velocities(count: u8) -> Vec<Velocity> {
    (0..count).map(|x| Velocity(Vec3::splat(f32::from(x)))).collect()
}

#[test]
fn only_rows_that_were_borrowed_mutably_are_dirty_in_place() {
    const { assert!(Velocity::IN_PLACE.is_yes()) };
    fn stop_every_third(mut rows: Query<(Entity, &mut Velocity)>) {
        for (entity, mut velocity) in &mut rows {
            if entity.to_bits().is_multiple_of(3) && velocity.0.x >= 0.0 {
                velocity.0 = Vec3::ZERO;
            }
        }
    }
    let rows = TestRows::default().column((0..130).map(Entity::from_bits)).column(velocities(130));
    let mut test = SystemTest::new(stop_every_third).query(rows);
    test.run();
    let expected: Vec<_> = (0..130).step_by(3).map(|row| (row, Velocity(Vec3::ZERO))).collect();
    assert_eq!(test.changed::<Velocity>(0, 1), expected);
    assert_eq!(test.rows::<Velocity>(0, 1)[1], Velocity(Vec3::ONE));
}

#[test]
fn decoded_rows_of_fixed_size_go_back_to_their_places() {
    const { assert!(!Mixed::IN_PLACE.is_yes()) };
    fn raise_second(mut rows: Query<&mut Mixed>) {
        for mut row in rows.iter_mut().skip(1).step_by(2) {
            row.level += 1;
        }
    }
    let mixed = |level| Mixed { flag: true, level, weight: 0.5 };
    let mut test = SystemTest::new(raise_second).query(TestRows::default().column((0..5).map(mixed)));
    test.run();
    assert_eq!(test.changed::<Mixed>(0, 0), [(1, mixed(2)), (3, mixed(4))]);
    test.run();
    assert_eq!(test.rows::<Mixed>(0, 0), [mixed(0), mixed(3), mixed(2), mixed(5), mixed(4)]);
}

#[test]
fn rows_of_varying_size_are_left_for_the_game() {
    fn rename(mut labels: Query<(&mut Label, &Velocity)>) {
        for (mut label, velocity) in &mut labels {
            if velocity.0.x > 0.0 {
                label.text.push_str(" the bee");
                label.tags.push("renamed".to_owned());
            }
        }
    }
    let label = |text: &str, tags: &[&str]| Label {
        text: text.to_owned(),
        tags: tags.iter().map(|tag| (*tag).to_owned()).collect(),
    };
    let labels = [label("Willi", &[]), label("Maja", &["small"]), label("", &["x"])];
    let mut test = SystemTest::new(rename).query(TestRows::default().column(labels).column(velocities(3)));
    test.run();
    let changed = [(1, label("Maja the bee", &["small", "renamed"])), (2, label(" the bee", &["x", "renamed"]))];
    assert_eq!(test.changed::<Label>(0, 0), changed);
    assert_eq!(test.rows::<Label>(0, 0)[0], label("Willi", &[]));
}

#[test]
fn rows_without_bytes_can_be_dirty_too() {
    fn touch(mut rows: Query<&mut Frozen>) {
        for mut row in &mut rows {
            *row = Frozen;
        }
    }
    let mut test = SystemTest::new(touch).query(TestRows::default().column([Frozen, Frozen]));
    test.run();
    assert_eq!(test.changed::<Frozen>(0, 0), [(0, Frozen), (1, Frozen)]);
}

#[test]
fn transforms_are_moved_whether_in_place_or_decoded() {
    // No rotation that means anything: its numbers are exact under Miri, too.
    fn turn(mut rows: Query<&mut Transform>, time: Res<Time>) {
        rows.single_mut().unwrap().rotation = Quat::from_xyzw(time.delta_secs(), 0.0, 0.0, 0.0);
    }
    let second = std::time::Duration::from_secs(1);
    let mut test = SystemTest::new(turn)
        .query(TestRows::default().column([Transform::from_xyz(1.0, 2.0, 3.0)]))
        .resource(Time::for_test(second, second));
    test.run();
    let turned = Transform::from_xyz(1.0, 2.0, 3.0).with_rotation(Quat::from_xyzw(1.0, 0.0, 0.0, 0.0));
    assert_eq!(test.changed::<Transform>(0, 0), [(0, turned)]);
}

#[test]
fn resources_are_changed_only_when_borrowed_mutably_and_locals_last() {
    fn count(mut runs: Local<u64>, mut score: ResMut<Score>) {
        *runs += 1;
        if score.points < 2 {
            score.points += *runs;
        }
    }
    let mut test = SystemTest::new(count).resource(Score { points: 0 });
    test.run();
    assert_eq!(test.changed::<Score>(0, 0), [(0, Score { points: 1 })]);
    test.run();
    assert_eq!(test.changed::<Score>(0, 0), [(0, Score { points: 3 })]);
    test.run();
    assert_eq!(test.changed::<Score>(0, 0), []);
}

#[test]
fn single_is_for_one_row() {
    fn look(rows: Query<(Entity, &mut Velocity)>, mut seen: ResMut<Score>) {
        assert_eq!(rows.len(), rows.iter().len());
        seen.points = match rows.single() {
            Ok((_, velocity)) => velocity.0.x as u64,
            Err(QuerySingleError::NoEntities) => 100,
            Err(QuerySingleError::MultipleEntities) => 101,
        };
    }
    for (count, seen) in [(0, 100), (1, 7), (2, 101)] {
        let rows = TestRows::default()
            .column((0..count).map(Entity::from_bits))
            .column((0..count).map(|_| Velocity(Vec3::splat(7.0))));
        let mut test = SystemTest::new(look).query(rows).resource(Score { points: 0 });
        test.run();
        assert_eq!(test.rows::<Score>(1, 0), [Score { points: seen }]);
    }
}

#[test]
fn iterators_hand_out_rows_that_live_beside_each_other() {
    fn swap(mut rows: Query<&mut Velocity>) {
        let mut all: Vec<_> = rows.iter_mut().collect();
        let (front, back) = all.split_at_mut(1);
        std::mem::swap(&mut *front[0], &mut *back[0]);
    }
    let mut test = SystemTest::new(swap).query(TestRows::default().column(velocities(2)));
    test.run();
    assert_eq!(test.rows::<Velocity>(0, 0), [Velocity(Vec3::ONE), Velocity(Vec3::ZERO)]);
}

#[test]
fn answers_on_demand_outlive_the_request() {
    let label = Label { text: "Maja".to_owned(), tags: Vec::new() };
    let rows = TestRows::default().column([Entity::from_bits(7)]).column(velocities(1)).column([label.clone()]);
    let rows = Rows::<(Entity, &Velocity, &Label)>::new(OwnedBuffer::copy_of(&block(&rows)));
    let moved = Box::new(rows);
    assert_eq!((moved.len(), moved.is_empty()), (1, false));
    for (entity, velocity, found) in &*moved {
        assert_eq!((entity.to_bits(), *velocity, found), (7, Velocity(Vec3::ZERO), &label));
    }

    let answer = |points: &[u64]| {
        let rows = TestRows::default().column(points.iter().map(|points| Score { points: *points }));
        decode_first::<Score>(&OwnedBuffer::copy_of(&block(&rows)))
    };
    assert_eq!(answer(&[5]), Some(Score { points: 5 }));
    assert_eq!(answer(&[]), None);
}

mod story {
    use super::{Frozen, Local, Query, Res, ResMut, Score, Time, Transform, Velocity, With, Without, World};

    pub(super) fn drift(_: Query<(&mut Transform, &Velocity), (With<Velocity>, Without<Frozen>)>, _: Res<Time>) {}
    pub(super) fn settle(_: World, _: Local<u32>, _: ResMut<Score>) {}
    pub(super) fn look(_: &World) {}
    pub(super) fn hello() {}
}

fn order(description: &ModDescription) -> Vec<String> {
    let systems = &description.systems;
    let name = |order: &OrderDesc| match order {
        OrderDesc::After(OrderTarget::System(index)) => systems[*index as usize].name.as_str(),
        _ => "?",
    };
    let line = |system: &mod_abi::describe::SystemDesc| {
        let after: Vec<_> = system.order.iter().map(name).collect();
        format!("{} {} after [{}]", system.schedule, system.name, after.join(" "))
    };
    systems.iter().map(line).collect()
}

#[test]
fn the_description_states_types_once_and_params_in_order() {
    fn main(app: &mut App) {
        app.add_systems(Update, (story::drift, story::settle, story::look));
    }
    let description = describe(main);
    let paths: Vec<_> = description.types.iter().map(|ty| ty.path.as_str()).collect();
    let transform = "bevy_transform::components::transform::Transform";
    assert_eq!(paths, [transform, "orchard::Velocity", "Frozen", "bevy_time::time::Time<()>", "Score"]);
    assert_eq!(description.types[2].schema.to_string(), "{}");
    let query = QueryDesc {
        terms: vec![TermDesc::Write(0), TermDesc::Read(1)],
        filters: vec![FilterDesc::With(1), FilterDesc::Without(2)],
    };
    let time = ResourceDesc { ty: 3, write: false };
    assert_eq!(description.systems[0].params, [ParamDesc::Query(query), ParamDesc::Resource(time)]);
    let score = ResourceDesc { ty: 4, write: true };
    assert_eq!(description.systems[1].params, [ParamDesc::World, ParamDesc::Resource(score)]);
    assert_eq!(description.systems[2].params, [ParamDesc::World]);
}

#[test]
fn order_is_by_chains_and_by_name_within_a_schedule() {
    use story::{drift, hello, look, settle};
    fn main(app: &mut App) {
        app.add_systems(Startup, hello)
            .add_systems(Update, (drift, (settle, look), hello).chain())
            .add_systems(FixedUpdate, (hello, (look, drift).after(hello), settle.before(drift)))
            .add_plugins(|app| {
                app.add_systems(Startup, (|| {}).after(hello));
            });
    }
    let expected = [
        "Startup hello after []",
        "Update drift after []",
        "Update settle after [drift]",
        "Update look after [drift]",
        "Update hello_2 after [settle look]",
        "FixedUpdate hello_3 after []",
        "FixedUpdate look_2 after [hello_3]",
        "FixedUpdate drift_2 after [hello_3 settle_2]",
        "FixedUpdate settle_2 after []",
    ];
    let order = order(&describe(main));
    assert_eq!(order[..9], expected);
    assert!(order[9].ends_with("after [hello]"), "{}", order[9]);
}

#[track_caller]
fn panics(expected: &str, f: impl FnOnce() + std::panic::UnwindSafe) {
    let payload = std::panic::catch_unwind(f).expect_err("should panic");
    let text = payload.downcast_ref::<String>().expect("a text");
    assert!(text.contains(expected), "{text}");
}

#[test]
fn what_cannot_be_described_says_why() {
    panics("::settle` should run after `", || {
        let _ = describe(|app| {
            app.add_systems(Update, story::settle.after(story::drift)).add_systems(Startup, story::drift);
        });
    });
    panics("should name `orchard::Velocity` only once when it changes it", || {
        let _ = describe(|app| {
            app.add_systems(Update, |_: Query<(&Velocity, &mut Velocity)>| {});
        });
    });
    panics("the resource `Score` (", || {
        SystemTest::new(|_: Res<Score>| {}).query(TestRows::default().column::<Score>([])).run();
    });
    panics("the game sends 17 bytes for each", || {
        let rows = TestRows::default().column([(0_u8, [0_u64; 2])]);
        SystemTest::new(|_: Query<&Velocity>| {}).query(rows).run();
    });
    panics("has 4 bytes too many", || {
        let rows = TestRows::default().column([(String::new(), 0_u64)]);
        SystemTest::new(|_: Query<&Velocity>| {}).query(rows).run();
    });
}
