//! Settings of derives that are not written as settings are.

use mod_sdk::prelude::*;

#[derive(Component)]
#[component = "orchard::Bee"]
struct Equals;

#[derive(Component)]
#[component("orchard::Bee")]
struct Bare;

#[derive(Resource)]
#[resource(path)]
struct NoPath;

#[derive(Resource)]
#[resource(define = true)]
struct DefineIsNoValue;

#[derive(Component)]
#[component(orchard::Bee)]
struct NoSetting;

#[derive(Component)]
#[component(path = "orchard::Bee" partial)]
struct NoComma;

#[derive(Message)]
#[message(defined)]
struct Misspelled;

#[derive(Event)]
#[event(path = orchard::Feast)]
struct NoQuotes;

#[derive(States)]
#[states(path = "")]
enum EmptyPath {
    On,
}

#[derive(Bundle)]
union NoBundle {
    a: u32,
}

#[derive(EntityEvent)]
struct Nothing;

fn main() {}
