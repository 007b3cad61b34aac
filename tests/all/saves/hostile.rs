//! Saves that somebody else wrote: the game goes on, and nothing of it changes.

use std::cell::RefCell;

use base64::{Engine, engine::general_purpose::STANDARD_NO_PAD};
use bevy::{
    ecs::entity::EntityHashMap,
    prelude::{Entity, World},
};
use bevy_wasm_mods::prelude::{ModSave, SaveMods};
use proptest::{
    prelude::{ProptestConfig, any, prop_oneof},
    sample::Index,
    strategy::{Just, Strategy},
    test_runner::{RngAlgorithm, TestRng, TestRunner},
};
use serde_json::{Value, json};

use super::{counter, game_with, next, save, spawned};
use crate::{
    fixtures::{Health, Score},
    support::Game,
};

/// A game with two mods, an entity of the game's, and a save of it in which the ids are as here.
fn victim() -> (Game, Entity, Value) {
    let mut game = game_with(&[("a.wasm", &counter("a").build()), ("b.wasm", &counter("b").build())]);
    let theirs = game.app.world_mut().spawn(Health { value: 5.0 }).id();
    game.frames(3);
    let save = serde_json::to_value(save(&mut game)).expect("it has a form");
    (game, theirs, save)
}

/// Every entity of a World, also those that are not for mods, as itself.
fn everything(world: &World) -> EntityHashMap<Entity> {
    let archetypes = world.archetypes().iter();
    archetypes.flat_map(|archetype| archetype.entities().iter().map(|entity| (entity.id(), entity.id()))).collect()
}

/// Restores a save into a game that claims to know all of its entities, and returns what is told.
fn restore(game: &mut Game, save: &Value) -> Option<String> {
    let save: ModSave = serde_json::from_value(save.clone()).ok()?;
    let mut entities = everything(game.app.world());
    Some(game.app.world_mut().restore_mods(&save, &mut entities).to_string())
}

#[track_caller]
fn check(change: impl FnOnce(&mut Value, Entity), expected: &[&str]) {
    let (mut game, theirs, mut save) = victim();
    change(&mut save, theirs);
    let told = restore(&mut game, &save).expect("it can be read");
    for part in expected {
        assert!(told.contains(part), "{part:?} is not in {told:?}");
    }
    game.frames(3);
    assert_eq!(game.faults().first().map(ToString::to_string), None);
    assert_eq!(game.app.world().get::<Health>(theirs), Some(&Health { value: 5.0 }));
}

#[test]
fn types_that_are_not_the_mods_are_not_touched() {
    for path in ["b::Mark", "all::fixtures::Health", "a", "", "a::Mark\u{202e}"] {
        check(|save, _| save["mods"][0]["types"][0]["path"] = json!(path), &["is no type of it"]);
    }
    check(
        |save, theirs| {
            save["mods"][0]["types"][0] = json!({
                "path": "all::fixtures::Health", "schema": "{value:f32}", "late": true,
                "values": { "Components": [[theirs.to_bits(), "AAAAAA"]] },
            });
        },
        &["a: `all::fixtures::Health` is no type of it"],
    );
    check(|save, _| save["mods"][0]["id"] = json!("all::fixtures"), &["no mod has such an id"]);
}

#[test]
fn what_is_damaged_is_told() {
    check(|save, _| save["format"] = json!(2), &["has form 2", "start"]);
    check(|save, _| save["mods"][0]["types"][0]["schema"] = json!("{n:"), &["`a::Mark` is damaged"]);
    check(|save, _| save["mods"][0]["types"][0]["schema"] = json!("{n:u8}"), &["1 values of `a::Mark` are damaged"]);
    check(|save, _| save["mods"][0]["types"][1]["values"] = json!({ "Resource": "AA" }), &["`a::Store` is damaged"]);
    check(|save, _| save["mods"][0]["states"][0]["value"] = json!("AA"), &["kept as `Frames` is damaged"]);
    check(
        |save, _| save["mods"][0]["states"][0]["schema"] = json!("[[[["),
        &["what it kept as `Frames` is damaged and starts anew"],
    );
    check(|save, _| save["mods"][1] = save["mods"][0].clone(), &["stands in this save twice"]);
    check(
        |save, _| {
            let values = &mut save["mods"][0]["types"][0]["values"]["Components"];
            *values = json!([values[0], values[0], [0, "AA"]]);
        },
        &["2 values of `a::Mark` are damaged or there twice"],
    );
    check(
        |save, _| {
            let value = save["mods"][0]["types"][0]["values"]["Components"][0].clone();
            save["mods"][0]["types"][1] = json!({
                "path": "a::Store", "schema": save["mods"][0]["types"][0]["schema"], "late": false,
                "values": { "Components": [value] },
            });
        },
        &["a::Store is of another kind now"],
    );
}

#[test]
fn what_is_not_for_mods_gets_nothing_of_a_save() {
    let (mut game, _, mut save) = victim();
    let world = game.app.world_mut();
    let score = world.register_component::<Score>();
    let of_resource = world.resource_entities().get(score).expect("it is there");
    let value = save["mods"][0]["types"][0]["values"]["Components"][0][1].clone();
    save["mods"][0]["types"][0]["values"]["Components"] = json!([[of_resource.to_bits(), value]]);
    save["mods"][0]["own"] = json!([of_resource.to_bits(), Entity::PLACEHOLDER.to_bits(), 0]);
    let told = restore(&mut game, &save).expect("it can be read");
    assert!(told.contains("1 values of `a::Mark` have no place any more"), "{told}");
    assert!(game.app.world().get::<bevy_wasm_mods::prelude::SpawnedBy>(of_resource).is_none());
    next(&mut game);
}

#[test]
fn a_late_type_is_defined_by_the_save_and_no_other() {
    let late = |late: bool| {
        move |save: &mut Value, theirs: Entity| {
            let types = save["mods"][0]["types"].as_array_mut().expect("a list");
            types.push(json!({
                "path": "a::Late", "schema": "{n:u32}", "late": late,
                "values": { "Components": [[theirs.to_bits(), "BwAAAA"]] },
            }));
        }
    };
    check(late(false), &["a::Late is no longer defined"]);
    let (mut game, theirs, mut save) = victim();
    late(true)(&mut save, theirs);
    assert_eq!(restore(&mut game, &save).as_deref(), Some(""));
    let names = |game: &Game| -> Vec<String> {
        let world = game.app.world();
        world.inspect_entity(theirs).expect("it is there").map(|info| info.name().to_string()).collect()
    };
    assert!(names(&game).contains(&"a::Late".to_owned()), "{:?}", names(&game));
}

/// Every place in a value.
fn places(value: &Value, path: &str, out: &mut Vec<String>) {
    out.push(path.to_owned());
    match value {
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(index, item)| places(item, &format!("{path}/{index}"), out));
        }
        Value::Object(fields) => fields.iter().for_each(|(name, item)| places(item, &format!("{path}/{name}"), out)),
        _ => {}
    }
}

/// What somebody may write into a place of a save.
#[derive(Debug, Clone)]
enum Change {
    /// What stands elsewhere.
    Copy(Index),
    Text(String),
    Number(u64),
    Bytes(Vec<u8>),
    Twice,
    Nothing,
}

fn change() -> impl Strategy<Value = Change> {
    let schemas = ["{n:u32,of:entity}", "{n:u64}", "[entity]", "{of:?entity,n:u8}", "<A|B{n:u32}>", "{n:u32}", "str"];
    let texts = ["a::Mark", "b::Mark", "a::Store", "a::Other", "a", "b", "c", "Frames", ""];
    prop_oneof![
        any::<Index>().prop_map(Change::Copy),
        proptest::sample::select([&schemas[..], &texts[..]].concat()).prop_map(|text| Change::Text(text.to_owned())),
        ".{0,12}".prop_map(Change::Text),
        any::<u64>().prop_map(Change::Number),
        (0..200_u64).prop_map(|n| Change::Number(n | 1)),
        proptest::collection::vec(any::<u8>(), 0..20).prop_map(Change::Bytes),
        Just(Change::Twice),
        Just(Change::Nothing),
    ]
}

impl Change {
    /// Makes the change, where what is there then is of the same kind.
    fn make(self, place: &mut Value, elsewhere: impl FnOnce(Index) -> Value) {
        let new = match (self, &*place) {
            (Self::Copy(from), _) => elsewhere(from),
            (Self::Text(text), Value::String(_)) => json!(text),
            (Self::Bytes(bytes), Value::String(_)) => json!(STANDARD_NO_PAD.encode(bytes)),
            (Self::Number(number), Value::Number(_)) => json!(number),
            (_, Value::Bool(known)) => json!(!known),
            // Those with two items are an entity and its value.
            (Self::Twice, Value::Array(items)) if items.len() != 2 => json!([items.clone(), items.clone()].concat()),
            (Self::Nothing, Value::Array(items)) if items.len() != 2 => json!([]),
            _ => return,
        };
        if std::mem::discriminant(&new) == std::mem::discriminant(place) {
            *place = new;
        }
    }
}

#[test]
fn any_change_to_a_save_leaves_a_game_that_goes_on() {
    let (mut game, theirs, save) = victim();
    let counted = game.app.world().resource::<Score>().points;
    let mut all = Vec::new();
    places(&save, "", &mut all);
    let config = ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() };
    let mut runner = TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha));
    let changes = proptest::collection::vec((any::<Index>(), change()), 1..6);
    let running = RefCell::new((&mut game, 0));
    let outcome = runner.run(&changes, |changes| {
        let mut changed = save.clone();
        for (place, change) in changes {
            if let Some(place) = changed.pointer_mut(place_of(&all, &place)) {
                change.make(place, |from| save.pointer(place_of(&all, &from)).cloned().unwrap_or_default());
            }
        }
        let (game, read) = &mut *running.borrow_mut();
        if restore(game, &changed).is_some() {
            *read += 1;
            game.frame();
            assert_eq!(game.app.world().get::<Health>(theirs), Some(&Health { value: 5.0 }));
            // What came of it can be saved and restored.
            let again = serde_json::to_value(super::save(game)).expect("it has a form");
            restore(game, &again).expect("it can be read");
        }
        Ok(())
    });
    outcome.expect("no save does any harm");
    let (game, read) = running.into_inner();
    assert!(read > 300, "only {read} of the saves could be read");
    assert_eq!(game.faults().first().map(ToString::to_string), None);
    assert_eq!(restore(game, &save).as_deref(), Some(""));
    assert_eq!(next(game), counted + 1);
    // What the game does not claim to be its own goes.
    game.app.world_mut().restore_mods(&ModSave::default(), &mut EntityHashMap::default());
    assert_eq!((next(game), spawned(game).len()), (1, 2));
}

fn place_of<'a>(places: &'a [String], index: &Index) -> &'a str {
    &places[index.index(places.len())]
}
