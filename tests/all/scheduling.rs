//! When systems of mods run: their order among each other and the game's, states, run conditions, in parallel.

use std::{
    sync::{Arc, Condvar, Mutex, PoisonError},
    time::Duration,
};

use bevy::{
    ecs::{
        schedule::{LogLevel, ScheduleBuildSettings, Schedules},
        system::System,
    },
    prelude::{
        App, Fixed, IntoScheduleConfigs, IntoSystemSet, NextState, Reflect, Res, ResMut, Resource, States, SystemSet,
        Time, Update, World,
    },
    state::app::{AppExtStates, StatesPlugin},
    time::TimeUpdateStrategy,
};
use bevy_wasm_mods::prelude::{ModAppExt, ModLimits, ModRegistry, ModSettings, ModSystems, SystemsOfMod};
use mod_abi::describe::{ConditionTest, OrderDesc, OrderTarget};

use crate::{
    fixtures::{Health, Mixed, Score},
    support::{Game, Mod, query, resource},
};

// ---- order ----

/// A mod with one system, `add`, that writes a digit behind the score.
fn digit(id: &str, digit: u32) -> Mod {
    digits(id, digit, &["add"])
}

/// A mod with several such systems, whose digits follow each other.
fn digits(id: &str, first: u32, names: &[&str]) -> Mod {
    let mut all = Mod::new(id);
    let score = all.ty("Score", "{points:u64}");
    for name in names {
        all = all.system(name, "Update", vec![resource(score, true)]);
    }
    all.run(&format!(
        "(i64.store (local.get $data) (i64.add (i64.extend_i32_u (i32.add (local.get $system) (i32.const {first})))
            (i64.mul (i64.const 10) (i64.load (local.get $data)))))
         (i64.store (local.get $dirty) (i64.const 1))"
    ))
}

fn after(name: &str) -> OrderDesc {
    OrderDesc::After(OrderTarget::Named(name.to_owned()))
}

fn before(name: &str) -> OrderDesc {
    OrderDesc::Before(OrderTarget::Named(name.to_owned()))
}

fn after_set(name: &str) -> OrderDesc {
    OrderDesc::After(OrderTarget::Set(name.to_owned()))
}

fn before_set(name: &str) -> OrderDesc {
    OrderDesc::Before(OrderTarget::Set(name.to_owned()))
}

fn game(mods: &[(&str, Mod)]) -> Game {
    let mods: Vec<(&str, Vec<u8>)> = mods.iter().map(|(name, of)| (*name, of.build())).collect();
    let mods: Vec<(&str, &[u8])> = mods.iter().map(|(name, bytes)| (*name, &bytes[..])).collect();
    // A mod that waits for another system on a busy machine does nothing wrong.
    let limits = ModLimits { call_time: Duration::from_secs(60), ..ModLimits::default() };
    let settings = ModSettings { limits, probation_frames: 100_000, ..ModSettings::default() };
    let mut game = Game::with_settings(&mods, settings);
    game.app.insert_resource(Score::default());
    game
}

/// The digits that one frame writes.
fn one_frame(game: &mut Game) -> u64 {
    game.app.insert_resource(Score::default());
    game.frame();
    game.app.world().resource::<Score>().points
}

/// Systems of the game that write a digit.
fn write<const DIGIT: u64>(mut score: ResMut<Score>) {
    score.points = score.points.wrapping_mul(10).wrapping_add(DIGIT);
}

#[derive(SystemSet, Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum GameSet {
    Early,
    Late,
    Inner,
}

#[test]
fn mods_are_ordered_by_each_others_names() {
    for (order, expected) in [(after("b::add"), 21), (before("b::add"), 12)] {
        // Whichever of the two is installed first.
        for (one, other) in [("1.wasm", "2.wasm"), ("2.wasm", "1.wasm")] {
            let mut game = game(&[(one, digit("a", 1).order(order.clone())), (other, digit("b", 2))]);
            game.until_told("loaded a");
            game.until_told("loaded b");
            assert_eq!(one_frame(&mut game), expected);
        }
    }
}

#[test]
fn systems_of_one_mod_are_ordered_by_index_and_by_name_both_ways() {
    let own = |index| OrderDesc::Before(OrderTarget::System(index));
    let mut by_index = digits("a", 1, &["one"]);
    by_index = by_index.order(OrderDesc::After(OrderTarget::System(1)));
    let score = 0;
    let by_index = by_index
        .system("two", "Update", vec![resource(score, true)])
        .system("three", "Update", vec![resource(score, true)])
        .order(own(1))
        .system("four", "Update", vec![resource(score, true)])
        .order(before("a::three"));
    let mut game = game(&[("a.wasm", by_index)]);
    game.until_told("loaded a");
    assert_eq!(one_frame(&mut game), 4321);
}

#[test]
fn mods_are_ordered_by_the_games_sets_and_functions() {
    let early = digit("early", 1).order(before_set("movement"));
    let late = digit("late", 3).order(after_set("movement"));
    let last = digit("last", 5).order(after_set("four"));
    let mut game = game(&[("early.wasm", early), ("late.wasm", late), ("last.wasm", last)]);
    game.app
        .add_mod_set("movement", GameSet::Late)
        .add_mod_set("four", write::<4>)
        .add_systems(Update, write::<2>.in_set(GameSet::Late))
        .add_systems(Update, write::<4>.after(SystemsOfMod::new("late")));
    for id in ["early", "late", "last"] {
        game.until_told(&format!("loaded {id}"));
    }
    assert_eq!(one_frame(&mut game), 12345);
}

/// Checks the sentence with which a mod is refused in such a game, and that the game and another mod go on.
#[track_caller]
fn refused(bad: Mod, prepare: impl FnOnce(&mut App), expected: &[&str]) {
    let mut game = game(&[("1.wasm", digit("good", 7)), ("2.wasm", bad)]);
    prepare(&mut game.app);
    game.until_told("loaded good");
    let fault = game.first_fault();
    for part in expected {
        assert!(fault.contains(part), "{part:?} is not in: {fault}");
    }
    assert!(!fault.contains('\n'), "a fault is one line: {fault}");
    game.frames(3);
    let points = one_frame(&mut game).to_string();
    assert!(
        points.contains('7') && !points.contains('1'),
        "the good mod goes on and the bad one is not there: {points}"
    );
    assert_eq!(game.faults().len(), 1, "{:?}", game.story());
}

#[test]
fn names_that_nobody_knows_are_told() {
    let offer = |app: &mut App| {
        app.add_mod_set("movement", GameSet::Late).add_mod_set("weather", GameSet::Early);
    };
    refused(
        digit("bad", 1).order(after_set("movment")),
        offer,
        &["bad 1.2.3", "`add` should run after the set `movment`, which this game does not offer", "`movement`"],
    );
    refused(digit("bad", 1).order(before_set("x")), |_| {}, &["`add` should run before the set `x`"]);
    for malformed in ["good", "::add", "good::", "go od::add", "good::a b", ""] {
        refused(digit("bad", 1).order(before(malformed)), |_| {}, &["`add` should run before", "no name of a system"]);
    }
    let missing = OrderDesc::Before(OrderTarget::System(9));
    refused(digit("bad", 1).order(missing), |_| {}, &["`add` should run before system number 9, which does not exist"]);
    refused(digits("bad", 1, &["add", "add"]), |_| {}, &["two systems are called `add`"]);
}

#[test]
fn circles_within_a_mod_are_told() {
    let own = |index| OrderDesc::Before(OrderTarget::System(index));
    refused(digit("bad", 1).order(own(0)), |_| {}, &["`add`", "itself"]);
    let score = 0;
    let two = |first: OrderDesc, second: OrderDesc| {
        digit("bad", 1).order(first).system("more", "Update", vec![resource(score, true)]).order(second)
    };
    refused(two(own(1), own(0)), |_| {}, &["should run after system number", "which should itself run after it"]);
    refused(
        two(before("bad::more"), before("bad::add")),
        |_| {},
        &["cannot be put into `Update`", "circle: `bad::add` before `bad::more` before `bad::add`"],
    );
    refused(digit("bad", 1).order(after("bad::add")), |_| {}, &["in a circle: `bad::add` before `bad::add`"]);
}

#[test]
fn a_circle_between_two_mods_stops_the_second() {
    let one = digit("good", 7).order(after("bad::add"));
    let bad = digit("bad", 1).order(after("good::add"));
    let mut game = game(&[("1.wasm", one), ("2.wasm", bad.says(|bad| bad.load_after.push("good".to_owned())))]);
    let fault = game.first_fault();
    assert!(fault.starts_with("bad 1.2.3 (mods/2.wasm): its systems cannot be put into `Update`"), "{fault}");
    assert!(fault.contains("circle: `bad::add` before `good::add` before `bad::add`"), "{fault}");
    game.frames(3);
    assert_eq!(one_frame(&mut game), 7);
    assert_eq!(game.story(), ["loaded good", "failed bad"]);
}

#[test]
fn circles_through_the_games_order_are_told() {
    let between = || digit("bad", 1).order(after_set("late")).order(before_set("early"));
    let offer = |app: &mut App| {
        app.add_mod_set("early", GameSet::Early).add_mod_set("late", GameSet::Late);
        app.configure_sets(Update, (GameSet::Early, GameSet::Late).chain());
    };
    // Sets without systems, with systems, and with all systems of mods in one.
    refused(between(), offer, &["circle: `bad::add` before `Early` before `Late` before `bad::add`"]);
    let inhabited = |app: &mut App| {
        offer(app);
        app.add_systems(Update, (write::<2>.in_set(GameSet::Early), write::<3>.in_set(GameSet::Late)));
    };
    refused(between(), inhabited, &["circle: `bad::add` before `Early` before `Late` before `bad::add`"]);
    let all_mods = |app: &mut App| {
        offer(app);
        app.configure_sets(Update, ModSystems.before(GameSet::Early));
    };
    refused(digit("bad", 1).order(after_set("late")), all_mods, &["circle", "`ModSystems`", "`bad::add`"]);
    // After the set that holds it.
    let in_set = |app: &mut App| {
        offer(app);
        app.configure_sets(Update, ModSystems.in_set(GameSet::Late));
    };
    refused(digit("bad", 1).order(after_set("late")), in_set, &["circle: `bad::add` before", "`Late`"]);
    // The game's own order contradicts itself as soon as there is such a mod.
    let game_is_wrong = |app: &mut App| {
        offer(app);
        app.configure_sets(Update, SystemsOfMod::new("bad").in_set(GameSet::Early).in_set(GameSet::Late));
    };
    refused(digit("bad", 1), game_is_wrong, &["circle", "`bad::add`"]);
    // Through a system of the game, and through a group that has no name.
    let system = |app: &mut App| {
        offer(app);
        app.add_systems(Update, write::<2>.after(SystemsOfMod::new("bad")).before(GameSet::Early));
    };
    refused(digit("bad", 1).order(after_set("late")), system, &["circle", "before `write<2>` before `Early`"]);
    let group = |app: &mut App| {
        offer(app);
        let group = (write::<2>, write::<3>).run_if(|| true);
        app.add_systems(Update, group.after(SystemsOfMod::new("bad")).before(GameSet::Early));
    };
    refused(digit("bad", 1).order(after_set("late")), group, &["circle", "before `Early` before `Late`"]);
    // Two sets that share a system, with the mod between them.
    let shared = |app: &mut App| {
        app.add_mod_set("early", GameSet::Early).add_mod_set("late", GameSet::Late);
        app.add_systems(Update, write::<2>.in_set(GameSet::Early).in_set(GameSet::Late));
    };
    refused(between(), shared, &["circle", "`bad::add`", "`Early`", "`Late`"]);
}

#[test]
fn places_that_bevy_does_not_allow_for_other_reasons_are_told() {
    // Between a set and an empty part of it.
    let inside = digit("bad", 1).order(after_set("late")).order(before_set("inner"));
    let nested = |app: &mut App| {
        app.add_mod_set("late", GameSet::Late).add_mod_set("inner", GameSet::Inner);
        app.configure_sets(Update, GameSet::Inner.in_set(GameSet::Late));
    };
    refused(inside, nested, &["`bad::add` would stand between `Late` and `Inner`, which is a part of it"]);
    let outside = digit("bad", 1).order(before_set("late")).order(after_set("inner"));
    refused(outside, nested, &["`bad::add` would stand between `Late` and `Inner`, which is a part of it"]);
    // By a function that the game runs twice.
    let twice = |app: &mut App| {
        app.add_mod_set("two", write::<2>.into_system_set()).add_systems(Update, (write::<2>, write::<2>));
    };
    refused(digit("bad", 1).order(after_set("two")), twice, &["`bad::add` names", "more than once"]);
}

#[test]
fn what_is_unusual_and_allowed_stays_allowed() {
    // Two sets in an order that share a set without systems, and the mod between them.
    let between = digit("between", 1).order(after_set("early")).order(before_set("late"));
    let mut game = game(&[("between.wasm", between)]);
    game.app.add_mod_set("early", GameSet::Early).add_mod_set("late", GameSet::Late);
    game.app.configure_sets(Update, GameSet::Inner.in_set(GameSet::Early).in_set(GameSet::Late));
    let systems = (write::<2>.in_set(GameSet::Early), write::<3>.in_set(GameSet::Late)).chain();
    game.app.add_systems(Update, systems);
    // The strictest settings that there are, and memberships that are stated twice.
    game.app.configure_sets(Update, SystemsOfMod::new("between").in_set(ModSystems));
    let strict = ScheduleBuildSettings {
        ambiguity_detection: LogLevel::Error,
        hierarchy_detection: LogLevel::Error,
        ..ScheduleBuildSettings::default()
    };
    game.app.edit_schedule(Update, |schedule| {
        schedule.set_build_settings(strict.clone());
    });
    game.until_told("loaded between");
    assert_eq!(one_frame(&mut game), 213);
}

#[test]
fn systems_have_readable_names() {
    let mut game = game(&[("1.wasm", digits("orchard_weather", 1, &["drift", "inner::rain"]))]);
    game.until_told("loaded orchard_weather");
    game.frame();
    let schedules = game.app.world().resource::<Schedules>();
    let systems = schedules.get(Update).expect("it is there").systems().expect("it ran");
    let mut names: Vec<String> = systems.map(|(_, system)| system.name().to_string()).collect();
    names.retain(|name| name.starts_with("orchard"));
    names.sort_unstable();
    assert_eq!(names, ["orchard_weather::drift", "orchard_weather::inner::rain"]);
}

// ---- states ----

#[derive(States, Reflect, Debug, Default, Clone, PartialEq, Eq, Hash)]
enum Season {
    #[default]
    Summer,
    Winter,
    Mixed(u8),
}

/// Not offered to mods.
#[derive(States, Reflect, Debug, Default, Clone, PartialEq, Eq, Hash)]
enum Weather {
    #[default]
    Fair,
}

fn with_seasons(app: &mut App) {
    app.add_plugins(StatesPlugin).init_state::<Season>().init_state::<Weather>().add_mod_state::<Season>();
}

fn turn(game: &mut Game, season: Season) -> u64 {
    game.app.world_mut().resource_mut::<NextState<Season>>().set(season);
    one_frame(game)
}

/// A mod whose systems write 1, 2, ... each in its schedule.
fn in_schedules(id: &str, schedules: &[&str]) -> Mod {
    let names: Vec<String> = (0..schedules.len()).map(|index| format!("system_{index}")).collect();
    let mut all = digits(id, 1, &[]);
    for (name, schedule) in names.iter().zip(schedules) {
        all = all.system(name, schedule, vec![resource(0, true)]);
    }
    all
}

#[test]
fn systems_run_when_a_state_is_entered_and_left() {
    let schedules = ["OnEnter(all::scheduling::Season::Winter)", "OnExit(Season::Winter)", "OnEnter(Season::Summer)"];
    let late = after("seasons::system_0");
    let second = in_schedules("second", &["OnEnter(Season::Winter)"]).order(late);
    let mut game = game(&[("1.wasm", in_schedules("seasons", &schedules)), ("2.wasm", second)]);
    with_seasons(&mut game.app);
    game.until_told("loaded seasons");
    game.until_told("loaded second");
    assert_eq!(game.app.world().resource::<Score>().points, 0, "the first value was entered before any mod was there");
    assert_eq!(turn(&mut game, Season::Winter), 11);
    assert_eq!(one_frame(&mut game), 0);
    assert_eq!(turn(&mut game, Season::Summer), 23);
    assert_eq!(turn(&mut game, Season::Mixed(1)), 0);
}

#[test]
fn states_that_cannot_be_found_are_told() {
    let schedule = |name: &str| in_schedules("bad", &[name]);
    let offered = "`system_0`: this game does not offer the state `all::scheduling::Weather` to mods \
        (it offers all::scheduling::Season); the game should add `app.add_mod_state::<Weather>()`";
    refused(schedule("OnEnter(all::scheduling::Weather::Fair)"), with_seasons, &[offered]);
    let add =
        "this game does not offer the state `Season` to mods; the game should add `app.add_mod_state::<Season>()`";
    refused(schedule("OnExit(Season::Winter)"), |_| {}, &[add]);
    refused(schedule("OnEnter(Season::Spring)"), with_seasons, &["has no value `Spring`; it has Summer, Winter"]);
    refused(schedule("OnEnter(Season::Mixed)"), with_seasons, &["the value `Mixed`", "holds data"]);
    for malformed in ["OnEnter(Season)", "OnEnter()", "OnExit(::)"] {
        refused(schedule(malformed), with_seasons, &["should be the path of a state's type"]);
    }
    refused(schedule("OnEnter"), with_seasons, &["no schedule `OnEnter`"]);
    let condition = digit("bad", 1).condition(in_state("Season::Spring"));
    refused(condition, with_seasons, &["`add`: a run condition cannot be tested", "has no value `Spring`"]);
}

// ---- conditions ----

fn in_state(value: &str) -> ConditionTest {
    ConditionTest::InState(value.to_owned())
}

#[test]
fn systems_run_in_a_state_or_out_of_it() {
    let winter = digit("winter", 1).condition(in_state("Season::Winter"));
    let other = digit("other", 2).not(in_state("all::scheduling::Season::Winter"));
    let mut game = game(&[("1.wasm", winter), ("2.wasm", other)]);
    with_seasons(&mut game.app);
    game.until_told("loaded winter");
    game.until_told("loaded other");
    assert_eq!(one_frame(&mut game), 2);
    assert_eq!(turn(&mut game, Season::Winter), 1);
    assert_eq!(one_frame(&mut game), 1);
    assert_eq!(turn(&mut game, Season::Summer), 2);
}

#[test]
fn a_state_that_is_offered_and_not_added_does_not_hold() {
    let winter = digit("winter", 1).condition(in_state("Season::Summer"));
    let other = digit("other", 2).not(in_state("Season::Summer"));
    let mut game = game(&[("1.wasm", winter), ("2.wasm", other)]);
    game.app.add_mod_state::<Season>();
    game.until_told("loaded winter");
    game.until_told("loaded other");
    assert_eq!(one_frame(&mut game), 2);
}

/// A resource that the game has not used when the mod is loaded.
#[derive(Resource, Reflect, Debug, Default)]
struct Rare {
    value: u32,
}

#[test]
fn systems_run_while_there_is_a_resource() {
    let mut mods = digit("a", 1);
    let rare = mods.ty("Rare", "{value:u32}");
    let health = mods.ty("Health", "{value:f32}");
    let mods = mods
        .condition(ConditionTest::ResourceExists(rare))
        .system("without", "Update", vec![resource(0, true)])
        .not(ConditionTest::ResourceExists(rare))
        .system("component", "Update", vec![resource(0, true)])
        .condition(ConditionTest::ResourceExists(health));
    let mut game = game(&[("1.wasm", mods)]);
    // A component of an entity is no resource.
    game.app.world_mut().spawn(Health::default());
    game.until_told("loaded a");
    assert_eq!(one_frame(&mut game), 2);
    game.app.insert_resource(Rare::default());
    assert_eq!(one_frame(&mut game), 1);
    game.app.world_mut().remove_resource::<Rare>();
    assert_eq!(one_frame(&mut game), 2);

    let missing = digit("bad", 1).condition(ConditionTest::ResourceExists(9));
    refused(missing, |_| {}, &["`add`: a run condition cannot be tested", "type number 9"]);
}

#[test]
fn a_system_that_does_not_run_has_not_run() {
    let winter = digit("winter", 1).condition(in_state("Season::Winter"));
    let mut game = game(&[("1.wasm", winter)]);
    with_seasons(&mut game.app);
    game.until_told("loaded winter");
    let last_run = |game: &Game| {
        let schedules = game.app.world().resource::<Schedules>();
        let mut systems = schedules.get(Update).expect("it is there").systems().expect("it ran");
        let (_, system) = systems.find(|(_, system)| system.name().to_string() == "winter::add").expect("it is there");
        System::get_last_run(&**system)
    };
    turn(&mut game, Season::Winter);
    let before = last_run(&game);
    game.frame();
    assert_ne!(last_run(&game), before);
    turn(&mut game, Season::Summer);
    let before = last_run(&game);
    game.frames(3);
    assert_eq!(last_run(&game), before);
}

fn every(millis: u64) -> ConditionTest {
    ConditionTest::OnTimer(Duration::from_millis(millis))
}

/// Each frame takes so long, as the game sees it.
fn frames_of(game: &mut Game, millis: u64) {
    game.app.insert_resource(TimeUpdateStrategy::ManualDuration(Duration::from_millis(millis)));
}

/// How often the digits are written in so many frames.
fn runs(game: &mut Game, frames: usize) -> usize {
    game.app.insert_resource(Score::default());
    game.frames(frames);
    match game.app.world().resource::<Score>().points {
        0 => 0,
        points => points.to_string().len(),
    }
}

#[test]
fn timers_follow_the_clock_of_their_schedule() {
    let timer = digit("timer", 1).condition(every(100));
    let mut game = game(&[("1.wasm", timer)]);
    frames_of(&mut game, 30);
    game.until_told("loaded timer");
    assert_eq!(runs(&mut game, 40), 12);
    frames_of(&mut game, 1000);
    game.frames(2);
    assert_eq!(runs(&mut game, 3), 3, "at the most once in a frame");
}

#[test]
fn timers_in_fixed_schedules_follow_the_fixed_clock() {
    let mut fixed = digits("fixed", 1, &[]);
    fixed = fixed.system("add", "FixedUpdate", vec![resource(0, true)]).condition(every(100));
    let mut game = game(&[("1.wasm", fixed)]);
    game.app.insert_resource(Time::<Fixed>::from_duration(Duration::from_millis(50)));
    frames_of(&mut game, 200);
    game.until_told("loaded fixed");
    game.frame();
    // Four steps of 50 ms in each frame, and the timer holds in every other.
    assert_eq!(runs(&mut game, 5), 10);
}

#[test]
fn a_timer_of_no_time_holds_always() {
    let timer = digit("timer", 1).condition(every(0)).condition(ConditionTest::OnTimer(Duration::ZERO));
    let never = digit("never", 2).condition(ConditionTest::OnTimer(Duration::MAX));
    let mut game = game(&[("1.wasm", timer), ("2.wasm", never)]);
    frames_of(&mut game, 10);
    game.until_told("loaded timer");
    game.until_told("loaded never");
    assert_eq!(one_frame(&mut game), 1);
    assert_eq!(one_frame(&mut game), 1);
}

#[test]
fn a_timer_without_a_clock_does_not_hold() {
    let timer = digit("timer", 1).condition(every(1));
    let other = digit("other", 2).not(every(1));
    let mut game = game(&[("1.wasm", timer), ("2.wasm", other)]);
    // Bevy's own systems in other schedules want it.
    let take = |world: &mut World| assert!(world.remove_resource::<Time>().is_some());
    let put_back = |world: &mut World| world.insert_resource(Time::<()>::default());
    game.app.add_systems(Update, (take.before(ModSystems), put_back.after(ModSystems)));
    game.until_told("loaded timer");
    game.until_told("loaded other");
    assert_eq!(one_frame(&mut game), 0);
    assert!(game.faults().is_empty());
}

// ---- in parallel ----

/// A place where two meet, or do not.
#[derive(Clone, Default)]
struct Meeting(Arc<(Mutex<Meetings>, Condvar)>);

#[derive(Default)]
struct Meetings {
    waiting: usize,
    met: usize,
}

impl Meeting {
    /// Waits for another one, and says whether it came.
    fn meet(&self, patience: Duration) -> bool {
        let (meetings, changed) = &*self.0;
        let mut now = meetings.lock().unwrap_or_else(PoisonError::into_inner);
        if now.waiting > 0 {
            now.waiting -= 1;
            now.met += 1;
            changed.notify_all();
            return true;
        }
        now.waiting += 1;
        let met = now.met;
        let waited = changed.wait_timeout_while(now, patience, |now| now.met == met);
        let (mut now, timeout) = waited.unwrap_or_else(PoisonError::into_inner);
        if timeout.timed_out() && now.met == met {
            now.waiting -= 1;
            return false;
        }
        true
    }

    fn met(&self) -> usize {
        self.0.0.lock().unwrap_or_else(PoisonError::into_inner).met
    }
}

/// A mod with systems that call the host function `meet` and want the score, to write it or to read it.
fn visitor(id: &str, systems: &[&str], write: bool) -> Mod {
    let mut visitor = Mod::new(id).import("meet");
    let score = visitor.ty("Score", "{points:u64}");
    for name in systems {
        visitor = visitor.system(name, "Update", vec![resource(score, write)]);
    }
    visitor.run("(drop (call $meet (i64.const 0)))")
}

fn meeting_game(mods: &[(&str, Mod)], patience: Duration) -> (Game, Meeting) {
    let meeting = Meeting::default();
    let mut game = game(mods);
    let host = meeting.clone();
    game.app.add_mod_import("meet", move || host.meet(patience));
    (game, meeting)
}

const LONG: Duration = Duration::from_secs(20);
const SHORT: Duration = Duration::from_millis(60);

#[test]
fn a_mod_and_the_game_run_at_the_same_time_where_they_may() {
    let (mut game, meeting) = meeting_game(&[("a.wasm", visitor("a", &["look"], false))], LONG);
    let other = meeting.clone();
    let look = move |_: Res<Score>| {
        assert!(other.meet(LONG), "the mod's system should run meanwhile");
    };
    game.app.add_systems(Update, look.run_if(|mods: Res<ModRegistry>| mods.is_running("a")));
    game.until_told("loaded a");
    game.frames(3);
    assert!(meeting.met() >= 3);
    assert!(game.faults().is_empty());
}

#[test]
fn two_mods_run_at_the_same_time_where_they_may() {
    // Both begin when both are there.
    let mods = ["a", "b"].map(|id| {
        let mut visitor = visitor(id, &["look"], false);
        let rare = visitor.ty("Rare", "{value:u32}");
        (if id == "a" { "a.wasm" } else { "b.wasm" }, visitor.condition(ConditionTest::ResourceExists(rare)))
    });
    let (mut game, meeting) = meeting_game(&mods, LONG);
    game.until_told("loaded a");
    game.until_told("loaded b");
    game.app.init_resource::<Rare>();
    game.frames(3);
    assert!(game.faults().is_empty(), "{:?}", game.faults());
    assert_eq!(meeting.met(), 3, "they should meet in each frame");
}

#[test]
fn two_mods_that_write_different_things_run_at_the_same_time() {
    let writer = |id: &str, path: &str, schema: &str| {
        let mut writer = Mod::new(id).import("meet");
        let own = writer.ty(path, schema);
        let rare = writer.ty("Rare", "{value:u32}");
        let writer = writer.system("write", "Update", vec![query(&[], &[own])]);
        writer.condition(ConditionTest::ResourceExists(rare)).run(
            "(drop (call $meet (i64.const 0)))
             (i32.store8 (local.get $dirty) (i32.const 1))",
        )
    };
    let mods = [
        ("a.wasm", writer("a", "all::fixtures::Health", "{value:f32}")),
        ("b.wasm", writer("b", "all::fixtures::Mixed", "{flag:bool,level:u8,weight:f64}")),
    ];
    let (mut game, meeting) = meeting_game(&mods, LONG);
    game.app.world_mut().spawn((Health::default(), Mixed::default()));
    game.until_told("loaded a");
    game.until_told("loaded b");
    game.app.init_resource::<Rare>();
    game.frames(3);
    assert!(game.faults().is_empty(), "{:?}", game.faults());
    assert_eq!(meeting.met(), 3, "they should meet in each frame");
}

#[test]
fn where_frames_have_to_be_the_same_mods_run_one_after_the_other() {
    let mods = [("a.wasm", visitor("a", &["look"], false).build()), ("b.wasm", visitor("b", &["look"], false).build())];
    let files: Vec<(&str, &[u8])> = mods.iter().map(|(name, bytes)| (*name, bytes.as_slice())).collect();
    let mut game = Game::with_settings(&files, ModSettings { deterministic: true, ..ModSettings::default() });
    let meeting = Meeting::default();
    let host = meeting.clone();
    game.app.init_resource::<Score>().add_mod_import("meet", move || host.meet(SHORT));
    game.until_told("loaded a");
    game.until_told("loaded b");
    game.frames(5);
    assert!(game.faults().is_empty(), "{:?}", game.faults());
    assert_eq!(meeting.met(), 0);
}

#[test]
fn systems_that_want_the_same_never_run_at_the_same_time() {
    let (mut game, meeting) = meeting_game(&[("a.wasm", visitor("a", &["look"], false))], SHORT);
    let other = meeting.clone();
    game.app.add_systems(Update, move |_: ResMut<Score>| assert!(!other.meet(SHORT)));
    game.until_told("loaded a");
    game.frames(3);

    let mods = [("a.wasm", visitor("a", &["look"], true)), ("b.wasm", visitor("b", &["look"], false))];
    let (mut other_game, other_meeting) = meeting_game(&mods, SHORT);
    other_game.until_told("loaded a");
    other_game.until_told("loaded b");
    other_game.frames(3);

    // They share the mod's memory.
    let (mut third_game, third_meeting) = meeting_game(&[("a.wasm", visitor("a", &["look", "more"], false))], SHORT);
    third_game.until_told("loaded a");
    third_game.frames(3);
    assert_eq!([meeting.met(), other_meeting.met(), third_meeting.met()], [0; 3]);
}

// ---- files that change ----

#[cfg(feature = "hot_reload")]
mod changes {
    use std::time::Duration;

    use bevy::{
        ecs::{
            observer::On,
            schedule::{InternedScheduleLabel, ScheduleBuilt, ScheduleLabel},
        },
        prelude::{IntoScheduleConfigs, ResMut, Resource, Time, Update},
        time::Virtual,
    };
    use bevy_wasm_mods::prelude::{ModAppExt, SystemsOfMod};

    use super::{
        GameSet, Season, after, after_set, before, before_set, digit, every, frames_of, game, in_schedules, in_state,
        one_frame, turn, with_seasons, write,
    };
    use crate::{
        fixtures::Score,
        support::{Game, Mod, resource, scorer},
    };

    #[derive(Resource, Default)]
    struct Built(Vec<InternedScheduleLabel>);

    #[test]
    fn a_mod_may_be_named_before_it_is_there_and_after_it_is_gone() {
        let mut game = game(&[("a.wasm", digit("a", 1).order(after("b::add")))]);
        game.until_told("loaded a");
        assert_eq!(one_frame(&mut game), 1);
        game.write("b.wasm", &digit("b", 2).build());
        game.until_told("loaded b");
        assert_eq!(one_frame(&mut game), 21);
        std::fs::remove_file(game.path("b.wasm")).expect("it is there");
        game.until_told("unloaded b");
        assert_eq!(one_frame(&mut game), 1);
    }

    #[test]
    fn a_reload_that_makes_a_circle_leaves_the_old_version() {
        let mut game = game(&[("1.wasm", digit("a", 1)), ("2.wasm", digit("b", 2).order(after("a::add")))]);
        game.until_told("loaded b");
        assert_eq!(one_frame(&mut game), 12);
        game.write("1.wasm", &digit("a", 3).order(after("b::add")).build());
        game.until_told("failed a");
        assert!(game.faults()[0].to_string().contains("circle"));
        assert_eq!(one_frame(&mut game), 12, "the old version goes on in its place");
        game.write("1.wasm", &digit("a", 4).build());
        game.until_told("reloaded a");
        assert_eq!(one_frame(&mut game), 42);
        assert_eq!(game.story(), ["loaded a", "loaded b", "failed a", "reloaded a"]);
    }

    #[test]
    fn a_version_that_no_longer_fits_does_not_come_back() {
        let mut game = game(&[("1.wasm", digit("a", 1).order(after("b::add")))]);
        game.until_told("loaded a");
        // The next version has no order, so that another mod may have one; and then it fails.
        let weak = digit("a", 2).run(
            "(if (i64.eq (i64.load (local.get $data)) (i64.const 424242)) (then unreachable))
             (i64.store (local.get $data) (i64.const 2)) (i64.store (local.get $dirty) (i64.const 1))",
        );
        game.app.insert_resource(Score::default());
        game.write("1.wasm", &weak.build());
        game.until_told("reloaded a");
        game.app.insert_resource(Score::default());
        game.write("2.wasm", &digit("b", 3).order(after("a::add")).build());
        game.until("the other mod or a fault", |game| {
            game.app.insert_resource(Score::default());
            game.story().len() > 2
        });
        assert_eq!(one_frame(&mut game), 23);
        game.app.insert_resource(Score { points: 424_242 });
        game.frames(3);
        assert_eq!(game.story(), ["loaded a", "reloaded a", "loaded b", "failed a"]);
        assert_eq!(one_frame(&mut game), 3);
    }

    #[test]
    fn a_mod_that_goes_leaves_no_order_behind() {
        let one_way = digit("a", 1).order(after_set("early")).order(before_set("late"));
        let other_way = digit("a", 1).order(after_set("late")).order(before_set("early"));
        let mut game = game(&[("a.wasm", one_way)]);
        game.app.add_mod_set("early", GameSet::Early).add_mod_set("late", GameSet::Late);
        game.app.add_systems(Update, (write::<2>.in_set(GameSet::Early), write::<3>.in_set(GameSet::Late)));
        game.until_told("loaded a");
        assert_eq!(one_frame(&mut game), 213);
        game.write("a.wasm", &other_way.build());
        game.until_told("reloaded a");
        assert_eq!(one_frame(&mut game), 312);
    }

    #[test]
    fn the_game_may_put_systems_of_its_own_into_a_mods_set() {
        let mut game = game(&[("a.wasm", digit("a", 1))]);
        game.app.add_systems(Update, write::<2>.in_set(SystemsOfMod::new("a")).after(GameSet::Early));
        game.until_told("loaded a");
        game.frame();
        std::fs::remove_file(game.path("a.wasm")).expect("it is there");
        game.until_told("unloaded a");
        assert_eq!(one_frame(&mut game), 2);
    }

    #[test]
    fn a_schedule_is_built_once_for_whatever_a_frame_brings() {
        let mods = ["a", "b", "c", "d"].map(|id| (id, digit(id, 1).order(after("e::add"))));
        let files = ["a.wasm", "b.wasm", "c.wasm", "d.wasm"];
        let mods: Vec<(&str, Mod)> = files.into_iter().zip(mods).map(|(file, (_, of))| (file, of)).collect();
        let mut game = game(&mods);
        game.app.init_resource::<Built>();
        let note = |built: On<ScheduleBuilt>, mut all: ResMut<Built>| all.0.push(built.label);
        game.app.add_observer(note);
        game.until_told("loaded d");
        game.frames(3);
        let update = Update.intern();
        let count =
            |game: &Game| game.app.world().resource::<Built>().0.iter().filter(|label| **label == update).count();
        // The mods come in one frame or in several, and the first build may be without any.
        let first = count(&game);
        assert!((1..=5).contains(&first), "{first}");
        // The same signature: nothing is built.
        game.write("a.wasm", &digit("a", 2).order(after("e::add")).build());
        game.until_told("reloaded a");
        game.frames(3);
        assert_eq!(count(&game), first);
        // Another signature: once, for what goes and what comes.
        game.write("a.wasm", &digit("a", 2).order(before("e::add")).build());
        game.until("another reload", |game| game.story().iter().filter(|line| *line == "reloaded a").count() == 2);
        game.frames(3);
        assert_eq!(count(&game), first + 1);
        // A version that is refused builds nothing.
        game.write("a.wasm", &digit("a", 2).order(before("a::add")).build());
        game.until_told("failed a");
        game.frames(3);
        assert_eq!(count(&game), first + 1);
        // Two that go in one frame.
        std::fs::remove_file(game.path("b.wasm")).expect("it is there");
        std::fs::remove_file(game.path("c.wasm")).expect("it is there");
        game.until_told("unloaded b");
        game.until_told("unloaded c");
        assert_eq!(one_frame(&mut game).to_string().len(), 2);
    }

    #[test]
    fn a_mod_that_comes_in_the_middle_of_a_state_can_see_it_at_its_start() {
        let mut late = in_schedules("late", &["OnEnter(Season::Winter)"]);
        late = late.system("start", "Startup", vec![resource(0, true)]).condition(in_state("Season::Winter"));
        late = late.system("other", "Startup", vec![resource(0, true)]).condition(in_state("Season::Summer"));
        let mut game = game(&[]);
        with_seasons(&mut game.app);
        game.frames(2);
        turn(&mut game, Season::Winter);
        game.write("late.wasm", &late.build());
        game.until_told("loaded late");
        assert_eq!(game.app.world().resource::<Score>().points, 2, "no transition, so no `OnEnter`");
    }

    #[test]
    fn a_timer_outlives_a_reload_of_the_same_signature() {
        let with = |step: u32| scorer(step).condition(every(1_000_000));
        let mut game = Game::with_mods(&[("scorer.wasm", &with(1).build())]);
        game.app.insert_resource(Score::default());
        frames_of(&mut game, 1);
        game.until_told("loaded scorer");
        // All but a little of its time has passed.
        frames_of(&mut game, 0);
        game.frame();
        game.app.world_mut().resource_mut::<Time<Virtual>>().set_max_delta(Duration::MAX);
        frames_of(&mut game, 900_000);
        game.frame();
        frames_of(&mut game, 1);
        game.write("scorer.wasm", &with(5).build());
        game.until_told("reloaded scorer");
        assert_eq!(game.app.world().resource::<Score>().points, 0);
        frames_of(&mut game, 100_000);
        game.frames(2);
        assert_eq!(game.app.world().resource::<Score>().points, 5);
    }
}
