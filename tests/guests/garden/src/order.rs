//! When systems run.

use std::time::Duration;

use mod_sdk::prelude::*;

use crate::game::{Report, Soil};

#[derive(States)]
#[states(path = "all::sdk::orchard::Season")]
enum Season {
    Summer,
    Winter,
}

#[derive(Resource)]
#[resource(path = "all::fixtures::Score")]
struct Score {
    points: u64,
}

macro_rules! tellers {
    ($($name:ident $line:literal;)*) => {$(
        fn $name(mut report: ResMut<Report>) {
            report.tell($line.to_owned());
        }
    )*};
}

tellers! {
    pre_startup "schedule: PreStartup";
    startup "schedule: Startup";
    post_startup "schedule: PostStartup";
    first "schedule: First";
    pre_update "schedule: PreUpdate";
    update "schedule: Update";
    post_update "schedule: PostUpdate";
    last "schedule: Last";
    fixed_first "schedule: FixedFirst";
    fixed_pre_update "schedule: FixedPreUpdate";
    fixed_update "schedule: FixedUpdate";
    fixed_post_update "schedule: FixedPostUpdate";
    fixed_last "schedule: FixedLast";
    enter_winter "season: enter Winter";
    exit_winter "season: exit Winter";
    in_winter "season: in Winter";
    out_of_winter "season: not in Winter";
    with_score "condition: score";
    without_score "condition: no score";
    each_second "condition: second";
    one "order: one";
    two "order: two";
    three "order: three";
    four "order: four";
    five "order: five";
    seed "order: seed before the game grows";
    pick "order: pick after the game grows";
}

pub(crate) fn add(app: &mut App) {
    app.add_systems(PreStartup, pre_startup)
        .add_systems(Startup, startup)
        .add_systems(PostStartup, post_startup)
        .add_systems(First, first)
        .add_systems(PreUpdate, pre_update)
        .add_systems(Update, update)
        .add_systems(PostUpdate, post_update)
        .add_systems(Last, last)
        .add_systems(FixedFirst, fixed_first)
        .add_systems(FixedPreUpdate, fixed_pre_update)
        .add_systems(FixedUpdate, fixed_update)
        .add_systems(FixedPostUpdate, fixed_post_update)
        .add_systems(FixedLast, fixed_last)
        .add_systems(OnEnter(Season::Winter), enter_winter)
        .add_systems(OnExit(Season::Winter), exit_winter)
        .add_systems(Update, in_winter.run_if(in_state(Season::Winter)))
        .add_systems(Update, out_of_winter.run_if(not(in_state(Season::Winter))))
        .add_systems(Update, with_score.run_if(resource_exists::<Score>))
        .add_systems(Update, without_score.run_if(not(resource_exists::<Score>)))
        .add_systems(Update, each_second.run_if(on_timer(Duration::from_secs(1))))
        // Stated backwards, so that only the order can put them right.
        .add_systems(Last, (five.after(four), (three, four).chain(), one.before(two), two.before(three)))
        .add_systems(Update, (pick.after(GameSet("growth")), seed.before(GameSet("growth"))))
        .add_systems(PostUpdate, |mut soil: ResMut<Soil>| soil.depth += 0)
        .add_systems(PostUpdate, |mut soil: ResMut<Soil>| soil.depth += 100);
    let _ = Season::Summer;
}
