//! Mods that speak other codecs, in the running plugin: the game does not notice.
#![cfg(feature = "nanoserde")]
#![expect(clippy::question_mark, reason = "the derive of nanoserde writes such code")]

use bevy::{
    prelude::{In, ResMut, Resource},
    tasks::{AsyncComputeTaskPool, Task},
};
use bevy_wasm_mods::{
    Nano, Opaque, OpaqueTable,
    prelude::{CallMod, FromMod, ModAppExt, Refusal},
};
use nanoserde::{DeJson, SerJson};
use serde::{Deserialize, Serialize};

use crate::{
    guests::builds_of,
    support::{Game, with_mods},
};

const SPEAKERS: [(&str, &str); 3] =
    [("speaks_bincode", "bincode"), ("speaks_json", "json"), ("speaks_nano", "nanoserde-json")];

struct Door(String);

#[derive(Resource, Default)]
struct Doors(OpaqueTable);

fn shout(FromMod { mod_id, args: text }: FromMod<String>) -> String {
    format!("{mod_id}: {}!", text.to_uppercase())
}

fn slow_square(In(x): In<u32>) -> Task<u32> {
    AsyncComputeTaskPool::get().spawn(async move {
        assert_ne!(x, 13, "an unlucky number");
        x * x
    })
}

fn refuse(error: bevy_wasm_mods::OpaqueError) -> Refusal {
    Refusal::new(error.to_string())
}

fn open_door(In(name): In<String>, mut doors: ResMut<Doors>) -> Result<Opaque<Door>, Refusal> {
    doors.0.insert(Door(name)).map_err(refuse)
}

fn door_name(In(door): In<Opaque<Door>>, doors: ResMut<Doors>) -> Result<String, Refusal> {
    doors.0.get(door).map(|door| door.0.clone()).map_err(refuse)
}

/// Plays with each speaker on each target.
fn check(play: impl Fn(&mut Game, &str)) {
    for (id, _) in SPEAKERS {
        for (target, bytes) in builds_of(id) {
            let mut game = Game::with_mods(&[("speaker.wasm", &bytes)]);
            game.app
                .init_resource::<Doors>()
                .add_mod_import("shout", shout)
                .add_mod_import("slow_square", slow_square)
                .add_mod_import("open_door", open_door)
                .add_mod_import("door_name", door_name);
            game.until_told(&format!("loaded {id}"));
            play(&mut game, id);
            assert!(game.faults().is_empty(), "{target}: {:?}", game.faults());
        }
    }
}

#[test]
fn calls_are_the_same_in_every_codec() {
    check(|game, id| {
        let doubled = with_mods(game, |mut mods| mods.call::<_, Vec<f64>>(id, "double", &vec![1.5, -2.0]));
        assert_eq!(doubled.expect("it doubles"), [3.0, -4.0]);
        let greeting = with_mods(game, |mut mods| mods.call::<_, String>(id, "greet", "\"Ada\" \\ ☃"));
        assert_eq!(greeting.expect("it greets"), "Hello, \"Ada\" \\ ☃!");
        with_mods(game, |mut mods| mods.call::<_, ()>(id, "none", &())).expect("nothing is wrong");
        let many = (1_u8, 2_u8, 3_u8, 4_u8, 5_u8, 6_u8, 7_u8, 8_u8, 9_u8, 10_u8, 11_u8, 12_u8);
        let sum = with_mods(game, |mut mods| mods.call::<_, u32>(id, "twelve", &many));
        assert_eq!(sum.expect("it adds"), 78);
        for (given, expected) in [(None, None), (Some(0), None), (Some(8_u32), Some(7_u32))] {
            let maybe = with_mods(game, |mut mods| mods.call::<_, Option<u32>>(id, "maybe", &given));
            assert_eq!(maybe.expect("it answers"), expected);
        }
    });
}

#[test]
fn arguments_that_a_mod_cannot_read_do_not_stop_it() {
    check(|game, id| {
        let error = with_mods(game, |mut mods| mods.call::<_, String>(id, "greet", &7_u8));
        let error = error.expect_err("it is no name").to_string();
        assert!(error.contains(&format!("{id}: `greet` of the mod cannot read its arguments: ")), "{error}");
        let greeting = with_mods(game, |mut mods| mods.call::<_, String>(id, "greet", "Ada"));
        assert_eq!(greeting.expect("it goes on"), "Hello, Ada!");
    });
}

#[test]
fn mods_call_the_game_in_their_codec() {
    check(|game, id| {
        let shouted = game.app.world_mut().call_mod::<_, String>(id, "ask", "help").expect("it shouts");
        assert_eq!(shouted, format!("{id}: HELP!"));
        let door: Opaque<Door> = game.app.world_mut().call_mod(id, "open", "oak").expect("it opens");
        let name: String = game.app.world_mut().call_mod(id, "knock", &door).expect("somebody is there");
        assert_eq!(name, "oak");
    });
}

#[test]
fn tickets_work_in_every_codec() {
    check(|game, id| {
        for (x, expected) in [(12_u32, "144"), (13, "panicked")] {
            game.app.world_mut().call_mod::<_, ()>(id, "start", &x).expect("it starts");
            let mut outcome = None;
            game.until("the square is there", |game| {
                outcome = game.app.world_mut().call_mod::<_, Option<String>>(id, "poll", &()).expect("it asks");
                outcome.is_some()
            });
            assert!(outcome.as_deref().is_some_and(|outcome| outcome.contains(expected)), "{outcome:?}");
        }
    });
}

/// A type with everything in it. Derived by hand-written serde for two codecs, by nanoserde for the third.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, SerJson, DeJson)]
struct Order {
    item: String,
    price: f32,
    note: Option<String>,
    wrap: Wrap,
    after: Vec<Wrap>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, SerJson, DeJson)]
enum Wrap {
    Plain,
    Paper(String),
    Both(u8, u8),
    Box { lid: bool, ribbon: Option<u8> },
}

#[test]
fn values_with_everything_in_them_come_back() {
    let order = Order {
        item: "pear".to_owned(),
        price: 1.25,
        note: None,
        wrap: Wrap::Paper("blue".to_owned()),
        after: vec![Wrap::Plain, Wrap::Both(1, 2), Wrap::Box { lid: true, ribbon: None }],
    };
    check(|game, id| {
        let echoed = with_mods(game, |mut mods| {
            if id == "speaks_nano" {
                // With serde the handle is refused, because a variant with one field looks different there.
                let error = mods.function::<Order, Order>(id, "echo_order").expect_err("it looks different");
                assert!(error.to_string().contains("use `Nano` for it"), "{error}");
                let echo = mods.function::<Nano<Order>, Nano<Order>>(id, "echo_order").expect("it is there");
                mods.call_function(&echo, &Nano(order.clone())).map(|Nano(order)| order)
            } else {
                let echo = mods.function::<Order, Order>(id, "echo_order").expect("it is there");
                mods.call_function(&echo, &order)
            }
        });
        assert_eq!(echoed.expect("it echoes"), order);
    });
}

/// A mod that returns what it gets, in any codec.
fn echo(codec: &str) -> Vec<u8> {
    let exports = ["order", "both", "nothing", "number"].map(|name| format!(r#"(export "__{name}" (func $echo))"#));
    let text = format!(
        r#"(module (memory (export "memory") 4) (global $top (mut i32) (i32.const 4096))
            (@custom "bevy_mod" "abi: 3\nid: echo\nversion: 1.0.0\ncodec: {codec}\n")
            (func (export "__alloc_buffer") (param $len i32) (result i32)
                (global.set $top (i32.and (i32.add (i32.add (global.get $top) (local.get $len)) (i32.const 31))
                    (i32.const -16)))
                (i32.sub (global.get $top) (i32.and (i32.add (local.get $len) (i32.const 15)) (i32.const -16))))
            (func (export "__free_buffer") (param i64))
            (func $echo (param i64) (result i64) (local.get 0)) {})"#,
        exports.concat()
    );
    wat::parse_str(&text).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn mods_call_each_other_in_their_codec() {
    let order = Order {
        item: "pear".to_owned(),
        price: 1.25,
        note: Some("ripe".to_owned()),
        wrap: Wrap::Both(3, 4),
        after: vec![Wrap::Plain, Wrap::Box { lid: true, ribbon: None }],
    };
    check(|game, id| {
        let alone = game.app.world_mut().call_mod::<_, String>(id, "relay_others", &()).expect("it goes on");
        assert_eq!(alone.matches("NotRunning").count(), 3, "{alone}");
        let codec = SPEAKERS.iter().find(|(speaker, _)| *speaker == id).expect("one of them").1;
        game.write("echo.wasm", &echo(codec));
        game.until_told("loaded echo");
        let world = game.app.world_mut();
        let echoed = if id == "speaks_nano" {
            let echoed = world.call_mod::<_, Nano<Option<Order>>>(id, "relay", &Nano(order.clone()));
            echoed.expect("it goes on").0
        } else {
            world.call_mod::<_, Option<Order>>(id, "relay", &order).expect("it goes on")
        };
        assert_eq!(echoed.as_ref(), Some(&order));
        let others = world.call_mod::<_, String>(id, "relay_others", &()).expect("it goes on");
        // Arguments and a tuple of them are the same bytes, and a text is no number.
        let (fine, wrong) = others.split_at(others.find(" Err(").expect("the last one"));
        assert_eq!(fine, "Ok((\"a\", 7)) Ok(())");
        let kind = if codec == "bincode" { "Failed" } else { "Unreadable" };
        assert!(wrong.contains(kind), "{wrong}");
    });
}

#[test]
fn stated_types_are_compared_in_every_codec() {
    check(|game, id| {
        with_mods(game, |mods| {
            mods.function::<Vec<f64>, Vec<f64>>(id, "double").expect("it is as stated");
            let error = mods.function::<Vec<bool>, Vec<f64>>(id, "double").expect_err("it takes something else");
            assert!(error.to_string().contains("takes `f64`, but the host passes `bool`"), "{error}");
            // In JSON a number is a number.
            let narrow = mods.function::<Vec<f32>, Vec<f64>>(id, "double");
            assert_eq!(narrow.is_err(), id == "speaks_bincode", "{id}: {narrow:?}");
        });
    });
}

#[test]
fn a_fault_in_json_names_what_is_wrong() {
    for (target, bytes) in builds_of("speaks_json") {
        let mut game = Game::with_mods(&[("speaker.wasm", &bytes)]);
        fn number(In(_): In<String>) -> u32 {
            7
        }
        game.app
            .init_resource::<Doors>()
            .add_mod_import("shout", number)
            .add_mod_import("slow_square", slow_square)
            .add_mod_import("open_door", open_door)
            .add_mod_import("door_name", door_name);
        game.until_told("loaded speaks_json");
        game.app.world_mut().call_mod::<_, String>("speaks_json", "ask", "help").expect_err("7 is no text");
        let fault = game.first_fault();
        assert!(fault.contains("speaks_json") && fault.contains("`shout`"), "{target}: {fault}");
    }
}
