//! What a system learns about changes, and how seldom it asks.

use crate::{
    prelude::{Component, Mut, Query, Ref, Res, ResMut, Resource},
    testing::{ASKED, SystemTest, TestRows},
};

#[derive(Component, Debug, Clone, Copy, PartialEq)]
struct Health(u32);

#[derive(Resource, Debug, Clone, Copy, PartialEq)]
struct Score(u32);

#[derive(Component, Debug, Clone, PartialEq)]
struct Name(String);

#[derive(Resource, Debug, Default, PartialEq)]
struct Log(Vec<String>);

/// How often `run` asks the game.
fn asked(run: impl FnOnce()) -> usize {
    let before = ASKED.get();
    run();
    ASKED.get() - before
}

#[test]
fn the_game_is_asked_once_for_a_column_and_only_on_demand() {
    fn look(mut rows: Query<(&mut Health, Ref<Name>, Option<Mut<Log2>>)>, mut log: ResMut<Log>) {
        for (mut health, name, _) in &mut rows {
            if health.0 == 0 {
                health.0 = 1;
            }
            if health.0 < 5 {
                continue;
            }
            log.0.push(format!("{} {} {} {}", health.0, health.is_changed(), health.is_added(), name.is_changed()));
        }
    }
    #[derive(Component)]
    struct Log2(u8);
    let test = |health: [u32; 4]| {
        let rows = TestRows::default()
            .column(health.map(Health))
            .changed([1])
            .added([2])
            .column(["a", "b", "c", "d"].map(|name| Name(name.to_owned())))
            .changed([3])
            .optional_column([None, Some(Log2(1)), None, None]);
        SystemTest::new(look).query(rows).resource(Log::default())
    };
    let mut idle = test([1, 2, 3, 4]);
    assert_eq!(asked(|| idle.run()), 0);
    let mut busy = test([5, 6, 7, 8]);
    assert_eq!(asked(|| busy.run()), 2);
    let expected = ["5 false false false", "6 true false false", "7 true true false", "8 false false true"];
    assert_eq!(busy.rows::<Log>(1, 0)[0].0, expected);
    assert_eq!(busy.changed::<Health>(0, 0), []);
    assert_eq!(asked(|| busy.run()), 2);
}

#[test]
fn what_the_run_itself_has_changed_counts() {
    fn look(mut rows: Query<Mut<Health>>, mut log: ResMut<Log>) {
        for mut health in &mut rows {
            match health.0 {
                0 => health.0 = 10,
                1 => health.set_changed(),
                2 => health.bypass_change_detection().0 = 12,
                3 => assert!(!health.set_if_neq(Health(3))),
                4 => health.reborrow().into_inner().0 = 14,
                _ => *health.map_unchanged(|health| &mut health.0) = 15,
            }
        }
        let line = |health: Ref<Health>| format!("{} {}", health.is_changed(), *health.map(|health| &health.0));
        log.0.extend(rows.iter().map(line));
    }
    let mut test = SystemTest::new(look).query(TestRows::default().column((0..6).map(Health))).resource(Log::default());
    test.run();
    assert_eq!(test.rows::<Log>(1, 0)[0].0, ["true 10", "true 1", "false 12", "false 3", "true 14", "true 15"]);
    let changed: Vec<_> = test.changed::<Health>(0, 0).into_iter().map(|(_, health)| health.0).collect();
    assert_eq!(changed, [10, 1, 14, 15]);
}

#[test]
fn changes_are_seen_past_the_first_word_of_a_map() {
    fn look(rows: Query<Option<Ref<Health>>>, mut log: ResMut<Log>) {
        let changed = rows.iter().flatten().filter(Ref::is_changed).map(|health| health.0.to_string());
        log.0.extend(changed);
    }
    let rows = TestRows::default()
        .optional_column((0..200).map(|row| (row != 70).then_some(Health(row))))
        .changed([69, 70, 71, 130])
        .added([199]);
    let mut test = SystemTest::new(look).query(rows).resource(Log::default());
    assert_eq!(asked(|| test.run()), 1);
    assert_eq!(test.rows::<Log>(1, 0)[0].0, ["69", "71", "130", "199"]);
}

#[test]
fn resources_know_whether_they_changed() {
    fn look(score: Res<Score>, mut log: ResMut<Log>) {
        let (before, added) = (log.is_changed(), log.is_added());
        log.0.push(format!("{} {} {before} {added}", score.is_changed(), score.is_added()));
        assert!(log.is_changed() && !log.set_if_neq(Log(log.0.clone())));
    }
    let mut test =
        SystemTest::new(look).query(TestRows::default().column([Score(1)]).changed([0])).resource(Log::default());
    test.run();
    assert_eq!(test.rows::<Log>(1, 0)[0].0, ["true false false false"]);
}

#[test]
fn resources_may_be_missing() {
    fn look(score: Option<Res<Score>>, log: Option<ResMut<Log>>) {
        if let Some(mut log) = log {
            log.0.push(format!("{:?}", score.map(|score| score.into_inner())));
        }
    }
    let mut test = SystemTest::new(look).resource(Score(3)).resource(Log::default());
    test.run();
    assert_eq!(test.rows::<Log>(1, 0)[0].0, ["Some(Score(3))"]);
    let mut test = SystemTest::new(look).without_resource::<Score>().resource(Log::default());
    test.run();
    assert_eq!(test.rows::<Log>(1, 0)[0].0, ["None"]);
    SystemTest::new(look).without_resource::<Score>().without_resource::<Log>().run();
}

#[test]
#[cfg_attr(miri, ignore = "the mark is leaked, as its documentation says")]
fn values_that_a_test_keeps_know_what_the_test_did() {
    let mut health = Health(1);
    let mut value = Mut::from(&mut health);
    assert!(!value.is_changed() && !value.is_added());
    value.0 = 2;
    assert!(value.is_changed());
    assert!(!Ref::from(&Health(1)).is_changed() && !Res::from(&Score(1)).is_added());
}
