//! The committed mod in AssemblyScript, whose functions speak JSON. Needs no other tool.

use std::{fs, path::Path};

use bevy::prelude::{In, ResMut, Resource};
use bevy_wasm_mods::prelude::{CallMod, ModAppExt, ModCallError, ModLimits, ModSettings};
use serde::{Deserialize, Serialize};

use crate::support::Game;

#[derive(Serialize)]
struct Basket {
    jars: u32,
    buyer: String,
}

#[derive(Deserialize, Debug, PartialEq)]
struct Sale {
    coins: f64,
    receipt: String,
}

#[derive(Resource, Default)]
struct News(Vec<String>);

fn announce(In(text): In<String>, mut news: ResMut<News>) -> u32 {
    news.0.push(text);
    u32::try_from(news.0.len()).expect("not much news")
}

fn market() -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/mods/orchard_market.wasm");
    fs::read(path).expect("the mods are committed")
}

fn game(settings: ModSettings) -> Game {
    let mut game = Game::with_settings(&[("orchard_market.wasm", &market())], settings);
    game.app.init_resource::<News>().add_mod_import("announce", announce);
    game.until_told("loaded orchard_market");
    game
}

#[test]
fn lists_and_objects_cross() {
    let mut game = game(ModSettings::default());
    let world = game.app.world_mut();
    let doubled = world.call_mod::<_, Vec<f64>>("orchard_market", "double_prices", &vec![1.0, -2.5, 1e300]);
    assert_eq!(doubled.expect("it answers"), [2.0, -5.0, 2e300]);
    let none = world.call_mod::<_, Vec<f64>>("orchard_market", "double_prices", &Vec::<f64>::new());
    assert_eq!(none.expect("it answers"), [0.0; 0]);

    let basket = Basket { jars: 3, buyer: "Zoë \"the bear\"\n🐻".to_owned() };
    let sale = world.call_mod::<_, Sale>("orchard_market", "sell", &basket);
    let receipt = "3 jars for Zoë \"the bear\"\n🐻".to_owned();
    assert_eq!(sale.expect("it sells"), Sale { coins: 7.5, receipt });
    assert!(game.faults().is_empty(), "{:?}", game.faults());
}

#[test]
fn it_calls_the_game() {
    let mut game = game(ModSettings::default());
    let basket = Basket { jars: 12, buyer: "Ada".to_owned() };
    let sale = game.app.world_mut().call_mod::<_, Sale>("orchard_market", "sell", &basket);
    assert_eq!(sale.expect("it sells").receipt, "12 jars for Ada, announcement 1");
    assert_eq!(game.app.world().resource::<News>().0, ["Ada buys 12 jars of honey"]);
}

#[test]
fn its_chance_is_the_games() {
    let haggle = |seed| {
        let mut game = game(ModSettings { seed, ..Default::default() });
        let once = |_| game.app.world_mut().call_mod::<_, f64>("orchard_market", "haggle", &(10.0, 20.0));
        (0..8).map(once).collect::<Result<Vec<_>, _>>().expect("it haggles")
    };
    let prices = haggle(Some(5));
    assert!(prices.iter().all(|price| (10.0..20.0).contains(price)), "{prices:?}");
    assert_eq!(prices, haggle(Some(5)));
    assert_ne!(prices, haggle(Some(6)));
}

#[test]
fn what_it_cannot_read_ends_the_call() {
    let mut game = game(ModSettings::default());
    // The list has to be one of two numbers.
    let error = game.app.world_mut().call_mod::<_, f64>("orchard_market", "haggle", &(1.0, 2.0, 3.0));
    let error = error.expect_err("it takes two numbers");
    assert!(matches!(error, ModCallError::Call { .. }), "{error:?}");
    assert!(error.to_string().contains("orchard_market") && error.to_string().contains("haggle"), "{error}");
}

#[test]
fn its_memory_stays_constant() {
    // Whatever a call left behind would soon be more than this.
    let limits = ModLimits { memory_bytes: 128 << 10, ..Default::default() };
    let mut game = game(ModSettings { limits, ..Default::default() });
    let basket = Basket { jars: 10, buyer: "Ada".to_owned() };
    for call in 1..=10_000 {
        let sale = game.app.world_mut().call_mod::<_, Sale>("orchard_market", "sell", &basket).expect("it sells");
        assert_eq!(sale.receipt, format!("10 jars for Ada, announcement {call}"));
    }
}
