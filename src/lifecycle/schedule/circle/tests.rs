//! The check against Bevy: what it lets pass is built, and what it refuses is not.

use std::sync::Arc;

use bevy_ecs::{
    schedule::{IntoScheduleConfigs, Schedule, ScheduleLabel, SystemSet},
    system::IntoSystem,
    world::World,
};
use proptest::{collection::vec, prelude::any, prop_assert_eq, proptest};

use super::check;
use crate::lifecycle::schedule::{ModSystems, Place, SlotsOfMod, SystemOfMod, SystemsOfMod, needed};

#[derive(SystemSet, Debug, Clone, PartialEq, Eq, Hash)]
struct Set(usize);

#[derive(ScheduleLabel, Debug, Clone, PartialEq, Eq, Hash)]
struct Label;

/// So many sets of the game's own; the next numbers are those of mods.
const SETS: usize = 5;

fn set(number: usize) -> bevy_ecs::schedule::InternedSystemSet {
    match number % (SETS + 3) {
        SETS => ModSystems.intern(),
        number if number == SETS + 1 => SystemsOfMod::new("a").intern(),
        number if number == SETS + 2 => SystemOfMod::set("a", "one"),
        number => Set(number).intern(),
    }
}

type Pairs = Vec<(usize, usize)>;

/// A game's schedule: sets in sets, sets before sets, systems in sets.
fn game(inside: &Pairs, before: &Pairs, systems: &Pairs) -> Schedule {
    let mut schedule = Schedule::new(Label);
    for (inner, outer) in inside {
        // A system's own set is no place for others.
        schedule.configure_sets(Set(inner % SETS).in_set(set(outer % (SETS + 2))));
    }
    for (earlier, later) in before {
        schedule.configure_sets(set(*earlier).before(set(*later)));
    }
    for (one, other) in systems {
        schedule.add_systems((|| ()).in_set(Set(one % SETS)).in_set(Set(other % SETS)));
    }
    schedule
}

fn place(name: &str, before: &[usize], after: &[usize]) -> Place {
    let id: Arc<str> = "a".into();
    Place {
        schedule: Label.intern(),
        name: format!("a::{name}"),
        sets: vec![
            ModSystems.intern(),
            SystemsOfMod::new("a").intern(),
            SlotsOfMod(id).intern(),
            SystemOfMod::set("a", name),
        ],
        before: before.iter().map(|number| set(*number)).collect(),
        after: after.iter().map(|number| set(*number)).collect(),
    }
}

fn add(schedule: &mut Schedule, place: &Place) {
    let mut config = IntoSystem::into_system(|| ()).into_configs();
    for set in needed(schedule, &place.sets) {
        config = config.in_set(set);
    }
    for set in &place.before {
        config = config.before(*set);
    }
    for set in &place.after {
        config = config.after(*set);
    }
    schedule.add_systems(config);
}

proptest! {
    #[test]
    fn the_check_and_bevy_agree(
        inside in vec((any::<usize>(), any::<usize>()), 0..4),
        before in vec((any::<usize>(), any::<usize>()), 0..4),
        systems in vec((any::<usize>(), any::<usize>()), 0..5),
        one in (vec(any::<usize>(), 0..3), vec(any::<usize>(), 0..3)),
        two in (vec(any::<usize>(), 0..2), vec(any::<usize>(), 0..2)),
    ) {
        let mut world = World::new();
        let mut schedule = game(&inside, &before, &systems);
        // A game that contradicts itself is no game.
        if schedule.initialize(&mut world).is_ok() {
            let places = [place("one", &one.0, &one.1), place("two", &two.0, &two.1)];
            let leaving = SlotsOfMod("a".into()).intern();
            let checked = check(Some(&schedule), leaving, &[&places[0], &places[1]], "Label");
            places.iter().for_each(|place| add(&mut schedule, place));
            let built = schedule.initialize(&mut world);
            prop_assert_eq!(checked.is_ok(), built.is_ok(), "{:?} and {:?}", checked, built.err());
        }
    }
}
