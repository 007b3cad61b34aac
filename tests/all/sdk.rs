//! All that the SDK offers, in mods written in Rust: `tests/guests/garden` looks at the game of [`orchard`], changes it,
//! and reports; `tests/guests/neighbour` uses what that mod defines.

mod orchard;

use std::time::Duration;

use bevy::{
    asset::{AssetServer, Assets, Handle},
    ecs::message::Messages,
    input::ButtonInput,
    math::{Quat, Vec3},
    prelude::{
        ChildOf, Children, Component, Entity, Fixed, KeyCode, MouseButton, NextState, Time, Transform, Virtual, With,
    },
    time::TimeUpdateStrategy,
};
use bevy_wasm_mods::prelude::{CallMod, ModMessage, SpawnedBy};
use serde::Deserialize;

use self::orchard::{
    Bark, Basket, Compost, Grafted, Harvest, Ill, Item, Kind, King, Marked, Mood, Picture, Portrait, Rain, Report,
    Season, Sign, Soil, Sting, Thunder, Tree, Water, Wish,
};
use crate::{fixtures::Score, guests::builds_of, support::Game};

const STEP: Duration = Duration::from_millis(250);

/// Runs a test in a game with these mods, once for each target that they can be built for.
fn each_build(mods: &[&str], test: impl Fn(&mut Game)) {
    let built: Vec<_> = mods.iter().map(|id| builds_of(id)).collect();
    for target in 0..built[0].len() {
        let mut game = new_game(&built.iter().map(|builds| &*builds[target].1).collect::<Vec<_>>());
        for id in mods {
            game.until_told(&format!("loaded {id}"));
        }
        test(&mut game);
        assert_eq!(game.faults().first().map(ToString::to_string), None);
    }
}

fn new_game(mods: &[&[u8]]) -> Game {
    let names: Vec<_> = (0..mods.len()).map(|index| format!("{index}.wasm")).collect();
    let files: Vec<_> = names.iter().map(String::as_str).zip(mods.iter().copied()).collect();
    let mut game = Game::with_mods(&files);
    game.app.add_plugins(orchard::plugin).insert_resource(TimeUpdateStrategy::ManualDuration(STEP));
    game
}

/// What was reported on a subject so far.
fn told(game: &Game, subject: &str) -> Vec<String> {
    let lines = game.app.world().resource::<Report>().lines.iter();
    lines.filter_map(|line| Some(line.strip_prefix(subject)?.strip_prefix(": ")?.to_owned())).collect()
}

/// Runs a frame and returns what is reported on a subject in it.
fn frame(game: &mut Game, subject: &str) -> Vec<String> {
    game.app.world_mut().resource_mut::<Report>().lines.clear();
    game.frame();
    let lines = told(game, subject);
    if lines.is_empty() {
        // What went wrong in a frame is told at the start of the next one.
        game.frame();
        assert_eq!(game.faults().first().map(ToString::to_string), None);
    }
    lines
}

fn sorted(mut lines: Vec<String>) -> Vec<String> {
    lines.sort_unstable();
    lines
}

fn get<C: Component + Clone>(game: &Game, entity: Entity) -> C {
    game.app.world().get::<C>(entity).expect("it is there").clone()
}

/// Runs a frame and says whether `C` of an entity changed in it.
fn changes<C: Component>(game: &mut Game, entities: &[Entity]) -> Vec<bool> {
    let tick = |game: &Game, entity: Entity| {
        game.app.world().entity(entity).get_change_ticks::<C>().expect("it is there").changed
    };
    let before: Vec<_> = entities.iter().map(|entity| tick(game, *entity)).collect();
    game.frame();
    entities.iter().zip(before).map(|(entity, before)| tick(game, *entity) != before).collect()
}

fn tree(height: f32, apples: u32) -> Tree {
    Tree { height, apples }
}

#[test]
fn queries_fetch_all_kinds_of_terms() {
    each_build(&["garden"], |game| {
        let world = game.app.world_mut();
        let a = world.spawn((tree(1.0, 5), Water(0.0), Bark { rough: true, years: 7 }, Marked)).id();
        world.entity_mut(a).insert((Grafted { onto: a }, Sign { text: "a".to_owned() }));
        let b = world.spawn((tree(2.0, 0), Water(0.0), Grafted { onto: a })).id();
        world.spawn((tree(3.0, 9), Water(0.0), Grafted { onto: a }, Ill { days: 1 }));
        let lines = sorted(frame(game, "terms"));
        assert_eq!(lines, ["1 5 0 7 a true true false false", "2 0 0 0 none false false false false"]);
        assert_eq!((get::<Water>(game, a), get::<Water>(game, b)), (Water(1.0), Water(0.0)));
        assert_eq!(get::<Sign>(game, a).text, "a!");
        assert_eq!(changes::<Water>(game, &[a, b]), [true, false], "only what was written is changed");
        assert_eq!(changes::<Sign>(game, &[a]), [true]);
        assert_eq!(changes::<Tree>(game, &[a, b]), [false, false]);
        assert_eq!(sorted(frame(game, "terms"))[0], "1 5 4 7 a!!!! true true false false");
    });
}

#[test]
fn queries_filter_and_detect_changes() {
    each_build(&["garden"], |game| {
        let world = game.app.world_mut();
        let a = world.spawn((tree(1.0, 5), Water(0.0), Marked, Bark::default())).id();
        world.entity_mut(a).insert(Grafted { onto: a });
        world.spawn((tree(2.0, 0), Water(0.0)));
        let c = world.spawn((tree(3.0, 0), Water(1.0), Ill::default())).id();
        world.entity_mut(c).insert(Grafted { onto: c });
        world.spawn((tree(4.0, 0), Ill::default(), King::default(), Sign::default()));
        assert_eq!(frame(game, "filters"), ["[1] [2] [1, 3, 4] [1, 2, 3, 4] [1, 2, 3] [1, 2, 3]"]);
        let news = sorted(told(game, "detect"));
        let all = ["1 true true Some((true, true))", "2 true true None", "3 true true None", "4 true true None"];
        assert_eq!(news, [&all[..], &["sign true true"]].concat());
        // By now `terms` writes the water of the first, `look_up` that of the third, and `pairs` the third tree.
        assert_eq!(frame(game, "filters"), ["[1] [2] [1, 3, 4] [] [1, 3] [1, 3]"]);
        let news = sorted(told(game, "detect"));
        let all =
            ["1 false false Some((false, false))", "2 false false None", "3 false true None", "4 false false None"];
        assert_eq!(news, [&all[..], &["sign false false"]].concat());
        game.app.world_mut().get_mut::<Bark>(a).expect("it is there").years = 3;
        assert!(sorted(frame(game, "detect"))[0].ends_with("Some((false, true))"));
    });
}

#[test]
fn queries_find_entities_and_combine_rows() {
    each_build(&["garden"], |game| {
        let world = game.app.world_mut();
        let a = world.spawn(tree(1.0, 0)).id();
        world.entity_mut(a).insert(Grafted { onto: a });
        let b = world.spawn((tree(2.0, 0), Water(1.0), Ill::default())).id();
        world.entity_mut(b).insert(Grafted { onto: b });
        let trees = [3.0, 5.0].map(|height| world.spawn((tree(height, 0), Ill::default())).id());
        let lines = sorted(frame(game, "look_up"));
        let expected = [
            format!("1 Err(QueryDoesNotMatch({b})) Ok(11.0) true"),
            format!("1 Ok(1.0) Err(QueryDoesNotMatch({a})) false"),
        ];
        assert_eq!(lines, expected);
        assert_eq!(get::<Water>(game, b), Water(11.0));
        assert_eq!(told(game, "pairs"), ["3 [5, 7, 8]"]);
        let apples = [trees[0], trees[1], b].map(|tree| get::<Tree>(game, tree).apples);
        assert_eq!(apples, [5, 2, 0], "the first of each pair got the height of the second");
        assert!(told(game, "only")[0].starts_with("Err(\"") && told(game, "only")[0].ends_with(" None"));
        let king = game.app.world_mut().spawn((King { age: 50 }, tree(9.0, 0))).id();
        assert_eq!(frame(game, "only"), ["Ok(50) Some(9.0)"]);
        assert_eq!(get::<King>(game, king).age, 51);
        game.app.world_mut().spawn(King { age: 3 });
        let lines = frame(game, "only");
        assert!(lines[0].starts_with("Err(\"") && lines[0].ends_with(" Some(9.0)"), "{lines:?}");
    });
}

#[test]
fn queries_that_would_alias_are_refused_at_load() {
    for (_, bytes) in builds_of("tangle") {
        let fault = new_game(&[&bytes]).first_fault();
        assert!(
            fault.contains("tangle") && fault.contains("`together`: parameters 1 and 2 both borrow `Tree`"),
            "{fault}"
        );
        assert!(fault.contains("Without"), "it says what to do: {fault}");
        assert!(!fault.contains("`apart`"), "{fault}");
    }
}

#[test]
fn parts_of_components_leave_the_rest_as_it_is() {
    each_build(&["garden"], |game| {
        let world = game.app.world_mut();
        let place = Transform {
            translation: Vec3::new(1.0, 2.0, 3.0),
            rotation: Quat::from_xyzw(0.0, 1.0, 0.0, 0.0),
            scale: Vec3::splat(4.0),
        };
        let a = world.spawn((place, tree(5.5, 40))).id();
        let far = world.spawn(Transform::from_xyz(10.0, 0.0, 0.0)).id();
        assert_eq!(sorted(frame(game, "place")), ["[1, 2, 3]", "[10, 0, 0]"]);
        assert_eq!(get::<Transform>(game, a), Transform { translation: Vec3::new(2.0, 3.0, 4.0), ..place });
        assert_eq!(get::<Tree>(game, a), tree(5.5, 42));
        assert_eq!(changes::<Transform>(game, &[a, far]), [true, false]);
        let items = vec![Item { name: "fig".to_owned(), kind: Kind::Pear { grams: 7 }, sizes: (1.0, 2.0) }];
        let best = [Kind::Apple, Kind::Pear { grams: 1 }];
        let prices = [("fig".to_owned(), 3)].into();
        let basket = Basket { owner: None, items, best, prices, letter: 'x' };
        let b = game.app.world_mut().spawn(basket.clone()).id();
        assert_eq!(frame(game, "owner"), ["Owner { letter: 'x', owner: None }"]);
        assert_eq!(get::<Basket>(game, b), Basket { letter: 'y', owner: Some("Willy".to_owned()), ..basket });
    });
}

#[test]
fn components_of_every_shape_cross() {
    each_build(&["garden"], |game| {
        let a = game.app.world_mut().spawn(Mood::Calm).id();
        assert_eq!(frame(game, "mood"), ["Calm"]);
        assert_eq!(get::<Mood>(game, a), Mood::Angry { at: a, level: 3 });
        assert_eq!(frame(game, "mood"), [format!("Angry {{ at: {a}, level: 3 }}")]);
        assert_eq!(get::<Mood>(game, a), Mood::Busy(vec![a.to_string(), "3".to_owned()], Some(Vec3::Y)));
        game.frame();
        let place = format!("{:?}", Some(Vec3::Y));
        assert_eq!(get::<Mood>(game, a), Mood::Busy(vec![format!("{a}3"), place, String::new()], None));
        game.frame();
        assert_eq!(get::<Mood>(game, a), Mood::Calm);

        let fig = Item { name: "fig".to_owned(), kind: Kind::Pear { grams: 7 }, sizes: (1.0, 2.0) };
        let basket = Basket {
            owner: Some("Maja".to_owned()),
            items: vec![fig.clone()],
            best: [Kind::Apple, Kind::Pear { grams: 1 }],
            prices: [("fig".to_owned(), 3)].into(),
            letter: 'a',
        };
        let text = format!("{basket:?}");
        let b = game.app.world_mut().spawn(basket).id();
        assert_eq!(frame(game, "basket"), [text]);
        let plum = Item { name: "plum".to_owned(), kind: Kind::Apple, sizes: (0.5, -0.5) };
        let expected = Basket {
            owner: None,
            items: vec![fig, plum],
            best: [Kind::Pear { grams: 9 }, Kind::Apple],
            prices: [("fig".to_owned(), 3), ("plum".to_owned(), 7)].into(),
            letter: 'ß',
        };
        assert_eq!(get::<Basket>(game, b), expected);
    });
}

/// The portrait of a new entity after a frame.
fn framed(game: &mut Game, image: Handle<Picture>, frame: u32) -> Portrait {
    let entity = game.app.world_mut().spawn(Portrait { image, frame }).id();
    game.frame();
    game.app.world_mut().entity_mut(entity).take().expect("it is there")
}

#[test]
fn handles_cross_as_the_paths_of_assets() {
    each_build(&["garden"], |game| {
        let one: Handle<Picture> = game.app.world().resource::<AssetServer>().load("pictures/one.pic");
        let portrait = framed(game, one.clone(), 0);
        assert_eq!(told(game, "portrait"), ["\"pictures/one.pic\""]);
        assert_eq!((portrait.image, portrait.frame), (one.clone(), 10));
        let portrait = framed(game, one, 1);
        assert_eq!(portrait.image.path().expect("it has one").to_string(), "pictures/other.pic");
        let made = game.app.world_mut().resource_mut::<Assets<Picture>>().add(Picture);
        let portrait = framed(game, made.clone(), 0);
        assert_eq!(told(game, "portrait").last().expect("a line"), "\"\"");
        assert_eq!((portrait.image, portrait.frame), (made, 10), "a handle without a path is kept");
    });
}

#[test]
fn handles_stay_in_the_games_assets() {
    for (frame, path) in [(2, "../x.pic"), (3, "http://x/y.pic")] {
        for (_, bytes) in builds_of("garden") {
            let mut game = new_game(&[&bytes]);
            game.until_told("loaded garden");
            let one: Handle<Picture> = game.app.world().resource::<AssetServer>().load("pictures/one.pic");
            let portrait = framed(&mut game, one.clone(), frame);
            assert_eq!((portrait.image, portrait.frame), (one, frame), "nothing is stored");
            let fault = game.first_fault();
            assert!(fault.contains(path) && fault.contains("portrait"), "{fault}");
        }
    }
}

#[test]
fn components_that_a_mod_defines_live_in_the_game() {
    each_build(&["garden"], |game| {
        game.frames(6);
        let lines = told(game, "own");
        assert_eq!(lines[0], "planted");
        let fruits: Vec<_> = lines[1..].iter().filter(|line| line.contains("once")).collect();
        let expected = [
            "1.5 false Some(\"once Maja\") Some(3) true",
            "2.5 true Some(\"once. Maja+Willy\") Some(2) true",
            "3.5 false Some(\"once.. Maja+Willy+Willy\") Some(1) true",
            "4.5 true Some(\"once... Maja+Willy+Willy+Willy\") Some(0) true",
            "4.5 true Some(\"once... Maja+Willy+Willy+Willy\") None false",
        ];
        assert_eq!(fruits[..5], expected);
        assert!(lines.contains(&"8 true None None false".to_owned()), "{lines:?}");
        assert!(lines.contains(&"20 false Some(\" \") None true".to_owned()), "{lines:?}");
        assert!(told(game, "store").iter().all(|line| line == "0 true"), "{:?}", told(game, "store"));
        let world = game.app.world_mut();
        assert_eq!(world.query_filtered::<Entity, With<SpawnedBy>>().iter(world).count(), 3);
    });
}

#[test]
fn another_mod_uses_what_a_mod_defines() {
    each_build(&["garden", "neighbour"], |game| {
        game.frames(6);
        let visits = told(game, "visit");
        let own = |line: &&String| line.starts_with("20 ") || line.starts_with("120 ");
        let [first, second] = [0, 1].map(|n| visits.iter().filter(own).nth(n).expect("it visits in each frame"));
        assert_eq!((&**first, &**second), ("20 false  0 None", "120 false  upon a time 1 None"));
        assert_eq!(
            frame(game, "own").iter().find(own).expect("a line"),
            "120 false Some(\" upon a time Flip\") None true"
        );
        assert_eq!(told(game, "store").last().expect("a line"), "1 true");
    });
}

#[test]
fn resources_clocks_and_input() {
    each_build(&["garden"], |game| {
        let depth = game.app.world().resource::<Soil>().depth;
        assert_eq!(frame(game, "dig"), ["None None"]);
        assert_eq!(game.app.world().resource::<Soil>().depth, depth + 101);
        game.app.insert_resource(Score { points: 7 }).insert_resource(Compost { value: 1.5 });
        assert_eq!(frame(game, "dig"), ["Some(7) Some(2.5)"]);
        assert_eq!(game.app.world().resource::<Compost>().value, 2.5);

        assert_eq!(told(game, "clocks"), ["250ms 250ms 250ms 1 false 15.625ms"]);
        assert_eq!(told(game, "fixed"), ["15.625ms"; 16]);
        game.app.world_mut().resource_mut::<Time<Virtual>>().set_relative_speed(0.5);
        game.app.world_mut().resource_mut::<Time<Fixed>>().set_timestep_seconds(0.125);
        assert_eq!(frame(game, "clocks"), ["125ms 250ms 125ms 0.5 false 125ms"]);
        assert_eq!(told(game, "fixed"), ["125ms"]);
        game.app.world_mut().resource_mut::<Time<Virtual>>().pause();
        assert_eq!(frame(game, "clocks"), ["0ns 250ms 0ns 0.5 true 125ms"]);

        assert_eq!(told(game, "press"), ["false false false [] false false"]);
        game.app.world_mut().resource_mut::<ButtonInput<KeyCode>>().press(KeyCode::KeyW);
        game.app.world_mut().resource_mut::<ButtonInput<MouseButton>>().press(MouseButton::Other(7));
        assert_eq!(frame(game, "press"), ["true true false [KeyW] false true"]);
        let mut keys = game.app.world_mut().resource_mut::<ButtonInput<KeyCode>>();
        keys.clear();
        keys.release(KeyCode::KeyW);
        keys.press(KeyCode::F35);
        game.app.world_mut().resource_mut::<ButtonInput<MouseButton>>().press(MouseButton::Left);
        assert_eq!(frame(game, "press"), ["false false true [F35] true true"]);
    });
}

/// Makes a wish, runs a frame, and returns what a system behind that which grants it reports.
fn wish(game: &mut Game, text: &str, entity: Entity) -> Vec<String> {
    game.app.insert_resource(Wish { text: text.to_owned(), entity });
    frame(game, "check")
}

#[test]
fn commands_are_carried_out_in_order_at_the_systems_own_sync_point() {
    each_build(&["garden"], |game| {
        let lines = wish(game, "spawn", Entity::PLACEHOLDER);
        assert_eq!(lines[0], "false Some(4)");
        let world = game.app.world_mut();
        let of = |height: f32| move |(entity, tree): (Entity, &Tree)| (tree.height == height).then_some(entity);
        let mut trees = world.query::<(Entity, &Tree)>();
        let [a, b, c, d, e] = [100.0, 101.0, 102.0, 200.0, 201.0]
            .map(|height| trees.iter(world).find_map(of(height)).expect("it was planted"));
        let expected = [
            format!("{a} 100 \"I am {a}\" None"),
            format!("{b} 101 \"{b} of {a}\" Some({a})"),
            format!("{c} 102 \"\" Some({a})"),
            format!("{d} 200 \"\" None"),
            format!("{e} 201 \"\" None"),
        ];
        assert_eq!(sorted(lines[1..].to_vec()), sorted(expected.to_vec()));
        assert_eq!(get::<Transform>(game, a).translation.floor(), Vec3::new(2.0, 3.0, 4.0), "moved by `place`, too");
        assert_eq!(game.app.world().get::<Children>(a).map(|children| children.to_vec()), Some(vec![b, c]));
        assert_eq!(get::<ChildOf>(game, b).parent(), a);
        assert!(game.app.world().get::<Marked>(b).is_some());

        game.app.world_mut().entity_mut(d).insert(Ill::default());
        let lines = wish(game, "change", d);
        assert_eq!((lines.len(), &*lines[0]), (6, "false None"), "no longer ill");
        let changed = game.app.world().entity(d);
        assert_eq!(
            (changed.get(), changed.contains::<Marked>(), changed.contains::<Ill>()),
            (Some(&Water(7.0)), true, false)
        );
        let lines = wish(game, "despawn", a);
        assert_eq!(lines.len(), 3, "the children went, too: {lines:?}");
        assert!(game.app.world().get_entity(b).is_err());
    });
}

/// As the mod `garden` defines it.
#[derive(Deserialize, Debug, PartialEq)]
struct Gossip {
    text: String,
    ears: u32,
}

#[test]
fn messages_go_between_the_game_and_mods() {
    each_build(&["garden", "neighbour"], |game| {
        for litres in [0.5, 2.0] {
            game.app.world_mut().write_message(Rain { litres });
        }
        assert_eq!(frame(game, "rain"), ["0.5", "2"]);
        assert_eq!(told(game, "gossip"), ["it rained 0.5 2", "it rained 2 2"]);
        let thunder: Vec<_> = game.app.world_mut().resource_mut::<Messages<Thunder>>().drain().collect();
        let expected = [(false, "after 0.5"), (true, "after 2")];
        assert_eq!(thunder, expected.map(|(loud, text)| Thunder { loud, text: text.to_owned() }));
        let heard: Vec<Gossip> = (game.app.world_mut().resource_mut::<Messages<ModMessage>>().drain())
            .filter(|message| (&*message.mod_id, &*message.path) == ("garden", "garden::Gossip"))
            .map(|message| message.decode().expect("it is gossip"))
            .collect();
        assert_eq!(heard, ["0.5", "2"].map(|litres| Gossip { text: format!("it rained {litres}"), ears: 2 }));
        // The neighbour may have run before; then it hears of them one frame later.
        let mut lines = told(game, "heard");
        lines.extend(frame(game, "heard"));
        assert_eq!(lines, ["it rained 0.5 2", "it rained 2 2"]);
        assert!(told(game, "gossip").is_empty() && told(game, "rain").is_empty());
    });
}

#[test]
fn observers_hear_of_events_and_of_components() {
    each_build(&["garden", "neighbour"], |game| {
        let world = game.app.world_mut();
        world.resource_mut::<Report>().lines.clear();
        world.trigger(Harvest { apples: 9 });
        let a = world.spawn(Sign { text: "a".to_owned() }).id();
        world.trigger(Sting { entity: a, by: None });
        assert_eq!(told(game, "on"), ["harvest 9", "sting None"]);
        assert_eq!(get::<Sign>(game, a).text, "ouch");

        let world = game.app.world_mut();
        world.resource_mut::<Report>().lines.clear();
        world.entity_mut(a).insert(Marked);
        world.flush();
        let lines = told(game, "on");
        assert_eq!(lines[0], "add Ok(\"ouch\")");
        assert!(lines.contains(&"feast [\"observer\"]".to_owned()), "{lines:?}");
        assert!(lines.contains(&"neighbour at the feast of observer".to_owned()), "{lines:?}");
        assert!(lines.contains(&"insert".to_owned()), "{lines:?}");
        let world = game.app.world_mut();
        world.resource_mut::<Report>().lines.clear();
        world.entity_mut(a).insert(Marked).remove::<Marked>();
        assert_eq!(told(game, "on"), ["discard true", "insert", "discard true", "remove"]);
        let world = game.app.world_mut();
        world.entity_mut(a).insert(Marked);
        world.resource_mut::<Report>().lines.clear();
        world.despawn(a);
        assert_eq!(told(game, "on"), ["despawn", "discard true", "remove"]);
    });
}

#[test]
fn mods_trigger_events_and_send_messages_by_command() {
    each_build(&["garden", "neighbour"], |game| {
        let a = game.app.world_mut().spawn(Sign::default()).id();
        wish(game, "tell", a);
        let lines = told(game, "on");
        let feast = [&"feast [\"Willy\"]".to_owned(), &"neighbour at the feast of Willy".to_owned()];
        assert_eq!((lines.len(), &*lines[0], &*lines[3]), (4, "harvest 3", "sting Some(\"Maja\")"));
        assert!(feast.iter().all(|line| lines[1..3].contains(line)), "{lines:?}");
        assert_eq!(get::<Sign>(game, a).text, "ouch");
        assert_eq!(told(game, "gossip"), ["by command 2"]);
        assert_eq!(told(game, "heard"), ["by command 2"]);
        let thunder: Vec<_> = game.app.world_mut().resource_mut::<Messages<Thunder>>().drain().collect();
        assert_eq!(thunder, [Thunder { loud: true, text: "by command".to_owned() }]);
    });
}

#[test]
fn systems_run_in_their_schedules() {
    each_build(&["garden", "neighbour"], |game| {
        let lines = told(game, "schedule");
        assert_eq!(lines[..3], ["PreStartup", "Startup", "PostStartup"]);
        game.app.world_mut().resource_mut::<Time<Fixed>>().set_timestep(STEP);
        game.frame();
        let fixed = ["FixedFirst", "FixedPreUpdate", "FixedUpdate", "FixedPostUpdate", "FixedLast"];
        let update = ["early", "Update", "late", "PostUpdate", "Last"];
        let expected = [&["First", "PreUpdate"][..], &fixed, &update].concat();
        assert_eq!(frame(game, "schedule"), expected);
        let order = told(game, "order");
        let growth = ["seed before the game grows", "the game grows", "pick after the game grows"];
        assert_eq!(order, [&growth[..], &["one", "two", "three", "four", "five"]].concat());
    });
}

#[test]
fn systems_follow_states_and_conditions() {
    each_build(&["garden"], |game| {
        assert_eq!(frame(game, "season"), ["not in Winter"]);
        game.app.world_mut().resource_mut::<NextState<Season>>().set(Season::Winter);
        assert_eq!(frame(game, "season"), ["enter Winter", "in Winter"]);
        assert_eq!(frame(game, "season"), ["in Winter"]);
        game.app.world_mut().resource_mut::<NextState<Season>>().set(Season::Summer);
        assert_eq!(frame(game, "season"), ["exit Winter", "not in Winter"]);

        assert_eq!(told(game, "condition").last().expect("a line"), "no score");
        game.app.insert_resource(Score::default());
        game.app.world_mut().resource_mut::<Report>().lines.clear();
        game.frames(8);
        let lines = told(game, "condition");
        assert_eq!(lines.iter().filter(|line| *line == "score").count(), 8);
        assert_eq!(lines.iter().filter(|line| *line == "second").count(), 2);
        assert_eq!(lines.len(), 10);
    });
}

#[test]
fn what_systems_keep() {
    each_build(&["garden"], |game| {
        let count = |lines: Vec<String>| lines[0].parse::<u32>().expect("a number");
        let before = count(frame(game, "local"));
        assert_eq!(count(frame(game, "local")), before + 1);
        let kept = |lines: Vec<String>| lines[0].strip_suffix(" [\"first\"]").expect("a name").parse::<u32>();
        let before = kept(told(game, "kept")).expect("a number");
        assert_eq!(kept(frame(game, "kept")), Ok(before + 1));
    });
}

#[test]
#[cfg(feature = "hot_reload")]
fn what_outlives_a_reload() {
    for (_, bytes) in builds_of("garden") {
        let mut game = new_game(&[&bytes]);
        game.until_told("loaded garden");
        game.frames(20);
        // A custom section makes it another file of the same meaning.
        game.write("0.wasm", &[&bytes[..], &[0, 2, 1, b'x']].concat());
        game.until_told("reloaded garden");
        let number = |lines: Vec<String>| -> u32 {
            lines.last().and_then(|line| line.split(' ').next()?.parse().ok()).expect("a number")
        };
        let (local, kept) = (number(frame(&mut game, "local")), number(told(&game, "kept")));
        assert!(local < kept && kept > 20, "{local} {kept} {:?}", game.faults());
        assert_eq!(told(&game, "own").len(), 3, "the mod's fruits are still there");
        assert_eq!(game.faults().first().map(ToString::to_string), None);
    }
}

#[test]
fn a_mod_calls_another_one() {
    each_build(&["garden", "neighbour"], |game| {
        game.frames(2);
        let line = "4 apples Some(true), 4 pears Some(true)".to_owned();
        assert!(told(game, "trade").ends_with(&[line.clone(), line]), "{:?}", told(game, "trade"));
        assert_eq!(told(game, "closed").last().expect("a line"), "Ok(()) true");
        let haggled = game.app.world_mut().call_mod::<_, usize>("neighbour", "haggle", &9_u32);
        assert_eq!(haggled.expect("it haggles"), 0);
    });
}

#[test]
fn a_mod_that_panics_over_a_call_does_not_take_its_caller_along() {
    for ((_, garden), (_, neighbour)) in builds_of("garden").into_iter().zip(builds_of("neighbour")) {
        let mut game = new_game(&[&garden, &neighbour]);
        game.until_told("loaded neighbour");
        let lines = game.app.world_mut().call_mod::<_, Vec<String>>("neighbour", "ruin", &()).expect("it goes on");
        assert!(
            lines[0].starts_with("failed: garden: `rot` panicked: 3 kilos have gone bad (garden/src/market.rs"),
            "{lines:?}"
        );
        assert_eq!(lines[1], "gone: there is no mod `garden`, or it does not run");
        let fault = game.first_fault();
        assert!(fault.starts_with("garden 0.1.0") && fault.ends_with("(the mod `neighbour` called it)"), "{fault}");
    }
}

#[test]
fn the_world_is_read_on_demand() {
    each_build(&["garden"], |game| {
        let before = frame(game, "demand");
        assert_eq!(before, ["[] 0 0 true None", "0 ill"]);
        let world = game.app.world_mut();
        world.spawn((tree(1.0, 0), Marked));
        world.spawn((tree(2.0, 0), Marked, Ill::default()));
        world.spawn((tree(3.0, 0), Ill::default()));
        world.spawn((King { age: 4 }, Sign { text: "king".to_owned() }));
        world.insert_resource(Score { points: 6 });
        assert_eq!(frame(game, "demand"), ["[1] 3 3 true Some(6)", "king 5 Some(\"king\") true false", "2 ill"]);
    });
}
