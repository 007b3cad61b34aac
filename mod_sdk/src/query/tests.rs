//! What a query can fetch, find and leave out, on batches as the game makes them.

use mod_abi::describe::{FilterDesc, ParamDesc, QueryDesc, TermDesc};

use super::{QueryFilter, Rows};
use crate::{
    buffer::OwnedBuffer,
    prelude::{
        Added, App, Changed, Component, Entity, Has, Mut, Or, Populated, Query, QueryEntityError, Ref, ResMut,
        Resource, Single, Update, Vec3, With, Without,
    },
    testing::{SystemTest, TestRows, block, describe},
};

#[derive(Component, Debug, Clone, Copy, PartialEq)]
struct Speed(Vec3);

#[derive(Component, Debug, Clone, PartialEq)]
struct Name(String);

#[derive(Component, Debug, Clone, Copy, PartialEq)]
struct Level {
    tired: bool,
    level: u8,
}

#[derive(Component, Debug, Clone, Copy, PartialEq)]
struct Frozen;

#[derive(Resource, Debug, Default, PartialEq)]
struct Log(Vec<String>);

fn speed(x: u8) -> Speed {
    Speed(Vec3::splat(f32::from(x)))
}

fn name(name: &str) -> Name {
    Name(name.to_owned())
}

fn entity(bits: u64) -> Entity {
    Entity::from_bits(bits)
}

#[track_caller]
fn panics(expected: &str, f: impl FnOnce() + std::panic::UnwindSafe) {
    let payload = std::panic::catch_unwind(f).expect_err("should panic");
    let text =
        payload.downcast::<String>().map_or_else(|other| (*other.downcast::<&str>().unwrap()).to_owned(), |text| *text);
    assert!(text.contains(expected), "{text}");
}

#[test]
fn rows_without_an_optional_component_are_none() {
    fn look(
        rows: Query<(Option<&Speed>, Option<&Name>, Option<&Level>, Option<&Frozen>, Has<Speed>)>,
        mut log: ResMut<Log>,
    ) {
        for (speed, name, level, frozen, has) in &rows {
            let (speed, name) = (speed.map(|speed| speed.0.x), name.map(|name| &name.0));
            let level = level.map(|level| level.level);
            log.0.push(format!("{speed:?} {name:?} {level:?} {frozen:?} {has}"));
        }
    }
    let level = Level { tired: true, level: 9 };
    let rows = TestRows::default()
        .optional_column([Some(speed(1)), None, Some(speed(3))])
        .optional_column([None, Some(name("Maja")), Some(name(""))])
        .optional_column([None, None, Some(level)])
        .optional_column([Some(Frozen), None, None])
        .has::<Speed>([true, false, true]);
    let mut test = SystemTest::new(look).query(rows).resource(Log::default());
    test.run();
    let expected = [
        "Some(1.0) None None Some(Frozen) true",
        "None Some(\"Maja\") None None false",
        "Some(3.0) Some(\"\") Some(9) None true",
    ];
    assert_eq!(test.rows::<Log>(1, 0)[0].0, expected);
}

#[test]
fn only_rows_that_are_there_are_changed() {
    fn raise(mut rows: Query<(Option<&mut Speed>, Option<Mut<Name>>, Option<&mut Level>)>) {
        for (speed, name, level) in &mut rows {
            if let Some(mut speed) = speed {
                speed.0.x += 1.0;
            }
            if let Some(mut name) = name {
                name.0.push('!');
            }
            if let Some(mut level) = level
                && !level.tired
            {
                level.level += 1;
            }
        }
    }
    // More than one word of a map, with gaps.
    let every = |step: u8| move |row: u8| row.is_multiple_of(step).then_some(row);
    let level = |row: u8| Level { tired: row.is_multiple_of(2), level: row };
    let rows = TestRows::default()
        .optional_column((0..130).map(every(3)).map(|row| row.map(speed)))
        .optional_column((0..130).map(every(5)).map(|row| row.map(|row| name(&row.to_string()))))
        .optional_column((0..130).map(every(7)).map(|row| row.map(level)));
    let mut test = SystemTest::new(raise).query(rows);
    for run in 1..=2_u8 {
        test.run();
        let added = f32::from(run);
        let speeds = (0..130).step_by(3).map(|row| Some(speed(row).0.x + added));
        let found = test.optional_rows::<Speed>(0, 0).into_iter().step_by(3).map(|speed| speed.map(|speed| speed.0.x));
        assert!(speeds.eq(found));
        let marks = "!".repeat(usize::from(run));
        let names = (0..130_usize).step_by(5).map(|row| (row, name(&format!("{row}{marks}"))));
        assert!(names.eq(test.changed::<Name>(0, 1)));
        let levels = (0..130_u8).step_by(7).filter(|row| row % 2 == 1);
        let levels = levels.map(|row| (usize::from(row), Level { tired: false, level: row + run }));
        assert!(levels.eq(test.changed::<Level>(0, 2)));
    }
}

#[test]
fn tuples_nest_and_may_be_empty() {
    fn look(
        rows: Query<((Entity, &Speed), (Has<Frozen>, (&Name,)))>,
        all: Query<(), With<Speed>>,
        mut log: ResMut<Log>,
    ) {
        for ((entity, speed), (frozen, (name,))) in &rows {
            log.0.push(format!("{} {} {frozen} {}", entity.to_bits(), speed.0.x, name.0));
        }
        log.0.push(format!("{}", all.len()));
    }
    let rows = TestRows::default().column([entity(7)]).column([speed(2)]).has::<Frozen>([true]).column([name("Willi")]);
    let all = TestRows::default().entities([entity(1), entity(2)]);
    let mut test = SystemTest::new(look).query(rows).query(all).resource(Log::default());
    test.run();
    assert_eq!(test.rows::<Log>(2, 0)[0].0, ["7 2 true Willi", "2"]);
}

#[test]
fn rows_are_found_by_their_entities() {
    fn look(mut rows: Query<(Entity, &mut Speed)>, names: Query<&Name>, mut log: ResMut<Log>) {
        let (this, other, gone) = (entity(10), entity(12), entity(99));
        assert_eq!(rows.get(other).map(|(found, speed)| (found, *speed)), Ok((other, speed(3))));
        assert!(matches!(rows.get(gone), Err(QueryEntityError::QueryDoesNotMatch(entity)) if entity == gone));
        assert!(rows.contains(this) && !rows.contains(gone));
        rows.get_mut(this).unwrap().1.0.x = 100.0;
        assert!(rows.get_mut(gone).is_err());

        let [(_, mut one), (_, mut two)] = rows.get_many_mut([other, entity(11)]).unwrap();
        std::mem::swap(&mut *one, &mut *two);
        assert_eq!(rows.get_many_mut([this, this]).err(), Some(QueryEntityError::AliasedMutability(this)));
        assert_eq!(rows.get_many([this, this]).unwrap().map(|(_, speed)| speed.0.x), [100.0, 100.0]);

        let mut again = rows.iter_many_mut([this, gone, this]);
        while let Some((_, mut speed)) = again.fetch_next() {
            speed.0.y += 1.0;
        }
        let found: Vec<_> = names.iter_many(&[entity(2), gone, entity(1)]).map(|name| name.0.clone()).collect();
        log.0.push(found.join(" "));
    }
    let rows = TestRows::default().column((10..13).map(entity)).column((1..4).map(speed));
    let names = TestRows::default().column([name("Maja"), name("Willi")]).entities([entity(1), entity(2)]);
    let mut test = SystemTest::new(look).query(rows).query(names).resource(Log::default());
    test.run();
    assert_eq!(test.rows::<Speed>(0, 1), [Speed(Vec3::new(100.0, 3.0, 1.0)), speed(3), speed(2)]);
    assert_eq!(test.changed::<Speed>(0, 1).len(), 3);
    assert_eq!(test.rows::<Log>(2, 0)[0].0, ["Willi Maja"]);
    let text = QueryEntityError::QueryDoesNotMatch(Entity::PLACEHOLDER).to_string();
    assert_eq!(text, "the entity PLACEHOLDER does not match the query");
}

#[test]
fn nobody_is_found_among_no_rows_and_a_test_has_to_say_who_is_there() {
    fn look(rows: Query<&Speed>) {
        assert!(!rows.contains(entity(1)));
    }
    SystemTest::new(look).query(TestRows::default().column::<Speed>([])).run();
    panics("should say whose the rows are", || {
        SystemTest::new(look).query(TestRows::default().column([speed(1)])).run();
    });
}

#[test]
fn combinations_meet_each_other_once() {
    fn collide(mut rows: Query<&mut Speed>, mut log: ResMut<Log>) {
        let mut pairs = rows.iter_combinations_mut();
        while let Some([mut one, mut two]) = pairs.fetch_next() {
            one.0.y += two.0.x;
            two.0.y += one.0.x;
        }
        for [a, b, c] in rows.iter_combinations() {
            log.0.push(format!("{} {} {}", a.0.x, b.0.x, c.0.x));
        }
    }
    let rows = TestRows::default().column((1..=4).map(speed));
    let mut test = SystemTest::new(collide).query(rows).resource(Log::default());
    test.run();
    // Each has met the three others: the sum of all without itself.
    let sums: Vec<_> = test.rows::<Speed>(0, 0).iter().map(|speed| speed.0.y - speed.0.x).collect();
    assert_eq!(sums, [9.0, 8.0, 7.0, 6.0]);
    assert_eq!(test.rows::<Log>(1, 0)[0].0, ["1 2 3", "1 2 4", "1 3 4", "2 3 4"]);
}

#[test]
fn optional_rows_on_demand_outlive_the_request() {
    let rows = TestRows::default()
        .optional_column([None, Some(name("Maja"))])
        .optional_column([Some(speed(1)), None])
        .has::<Frozen>([false, true]);
    let answer = OwnedBuffer::copy_of(&block(&rows));
    let moved = Box::new(Rows::<(Option<&Name>, Option<&Speed>, Has<Frozen>)>::new(answer));
    let found: Vec<_> = moved.iter().collect();
    assert_eq!(found, [(None, Some(&speed(1)), false), (Some(&name("Maja")), None, true)]);
}

#[test]
fn systems_run_only_when_their_rows_are_there() {
    fn look(mut single: Single<&mut Speed>, mut log: ResMut<Log>) {
        single.0.x += 1.0;
        log.0.push(format!("{}", single.into_inner().0.x));
    }
    fn try_look(single: Option<Single<(Entity, &Speed)>>, rows: Populated<&Speed>, mut log: ResMut<Log>) {
        log.0.push(format!("{:?} of {}", single.map(|single| single.into_inner().1.0.x), rows.len()));
    }
    let speeds = |count: u8| TestRows::default().column((1..=count).map(speed));
    for (count, expected) in [(0, &[] as &[&str]), (1, &["2"]), (2, &[])] {
        let mut test = SystemTest::new(look).query(speeds(count)).resource(Log::default());
        test.run();
        assert_eq!(test.rows::<Log>(1, 0)[0].0, expected);
        assert_eq!(test.changed::<Speed>(0, 0).len(), expected.len());
    }
    for (singles, all, expected) in [(1, 3, &["Some(1.0) of 3"] as &[&str]), (2, 1, &["None of 1"]), (1, 0, &[])] {
        let single = TestRows::default().column((0..singles).map(entity)).column((1..=singles).map(|x| speed(x as u8)));
        let mut test = SystemTest::new(try_look).query(single).query(speeds(all)).resource(Log::default());
        test.run();
        assert_eq!(test.rows::<Log>(2, 0)[0].0, expected);
    }
}

fn filters<F: QueryFilter>() -> Vec<FilterDesc> {
    let description = describe(|app: &mut App| {
        app.add_systems(Update, |_: Query<(&Speed, &Name, &Level), F>| {});
    });
    let [ParamDesc::Query(QueryDesc { filters, .. })] = description.systems[0].params.as_slice() else {
        panic!("one query")
    };
    filters.clone()
}

#[test]
fn filters_are_listed_in_prefix_order() {
    use FilterDesc::{Added as A, And, Changed as C, Or as Any, With as W, Without as O};
    assert_eq!(filters::<(Added<Speed>, (Changed<Name>, With<Level>))>(), [A(0), C(1), W(2)]);
    assert_eq!(filters::<Or<(With<Speed>, Without<Name>)>>(), [Any(2), W(0), O(1)]);
    type Deep = (Without<Level>, Or<(With<Speed>, (Changed<Name>, (Added<Level>,), Or<(With<Name>,)>), ())>);
    assert_eq!(filters::<Deep>(), [O(2), Any(3), W(0), And(3), C(1), And(1), A(2), Any(1), W(1), And(0)]);
}

#[test]
fn data_is_described_as_the_game_knows_it() {
    fn look(_: Query<(Option<&Speed>, Option<&mut Name>, Has<Level>, Ref<Frozen>)>) {}
    fn change(_: Query<(Mut<Speed>, Option<Ref<Name>>, Option<Mut<Level>>, Has<Speed>)>) {}
    let description = describe(|app: &mut App| {
        app.add_systems(Update, (look, change));
    });
    let terms = |system: usize| match &description.systems[system].params[0] {
        ParamDesc::Query(desc) => desc.terms.clone(),
        other => panic!("{other:?}"),
    };
    use TermDesc::{Has as H, Read as R, ReadOptional as Maybe, Write as W, WriteOptional as MaybeWrite};
    assert_eq!(terms(0), [Maybe(0), MaybeWrite(1), H(2), R(3)]);
    assert_eq!(terms(1), [W(0), Maybe(1), MaybeWrite(2), H(0)]);
    panics("only once when it changes it", || {
        let _ = describe(|app| {
            app.add_systems(Update, |_: Query<(Option<&Speed>, Mut<Speed>)>| {});
        });
    });
}
