//! The game that the Rust mods of `tests/guests` change: nothing of it is registered by hand but what has to be.

use std::collections::BTreeMap;

use bevy::{
    asset::{Asset, AssetApp, Handle},
    input::ButtonInput,
    math::Vec3,
    prelude::{
        App, Component, Entity, EntityEvent, Event, IntoScheduleConfigs, KeyCode, Message, MouseButton, Reflect,
        ReflectEvent, ReflectMessage, ResMut, Resource, States, SystemSet, Transform, Update,
    },
    state::app::{AppExtStates, StatesPlugin},
};
use bevy_wasm_mods::prelude::ModAppExt;

use crate::fixtures::Score;

/// What the mods saw.
#[derive(Resource, Reflect, Debug, Default)]
pub(super) struct Report {
    pub(super) lines: Vec<String>,
}

/// What a mod is to do, once.
#[derive(Resource, Reflect, Debug)]
pub(super) struct Wish {
    pub(super) text: String,
    pub(super) entity: Entity,
}

#[derive(Resource, Reflect, Debug, Default)]
pub(super) struct Soil {
    pub(super) depth: u64,
}

/// Not there at first.
#[derive(Resource, Reflect, Debug, Default)]
pub(super) struct Compost {
    pub(super) value: f32,
}

/// Of fixed size.
#[derive(Component, Reflect, Debug, Default, Clone, PartialEq)]
pub(super) struct Tree {
    pub(super) height: f32,
    pub(super) apples: u32,
}

#[derive(Component, Reflect, Debug, Default, Clone, PartialEq)]
pub(super) struct Water(pub(super) f32);

/// With gaps.
#[derive(Component, Reflect, Debug, Default, Clone, PartialEq)]
pub(super) struct Bark {
    pub(super) rough: bool,
    pub(super) years: u64,
}

/// Of varying size.
#[derive(Component, Reflect, Debug, Default, Clone, PartialEq)]
pub(super) struct Sign {
    pub(super) text: String,
}

#[derive(Component, Reflect, Debug, Default, Clone, PartialEq)]
#[component(storage = "SparseSet")]
pub(super) struct Ill {
    pub(super) days: u16,
}

#[derive(Component, Reflect, Debug, Default, Clone, PartialEq)]
pub(super) struct Marked;

#[derive(Component, Reflect, Debug, Clone, PartialEq)]
pub(super) struct Grafted {
    pub(super) onto: Entity,
}

/// There should be one.
#[derive(Component, Reflect, Debug, Default, Clone, PartialEq)]
pub(super) struct King {
    pub(super) age: u32,
}

#[derive(Component, Reflect, Debug, Clone, PartialEq)]
pub(super) enum Mood {
    Calm,
    Angry { at: Entity, level: u8 },
    Busy(Vec<String>, Option<Vec3>),
}

#[derive(Reflect, Debug, Clone, PartialEq)]
pub(super) enum Kind {
    Apple,
    Pear { grams: u16 },
}

#[derive(Reflect, Debug, Clone, PartialEq)]
pub(super) struct Item {
    pub(super) name: String,
    pub(super) kind: Kind,
    pub(super) sizes: (f32, f32),
}

/// Nested.
#[derive(Component, Reflect, Debug, Clone, PartialEq)]
pub(super) struct Basket {
    pub(super) owner: Option<String>,
    pub(super) items: Vec<Item>,
    pub(super) best: [Kind; 2],
    pub(super) prices: BTreeMap<String, u32>,
    pub(super) letter: char,
}

#[derive(Asset, Reflect, Debug, Clone)]
pub(super) struct Picture;

#[derive(Component, Reflect, Debug, Clone)]
pub(super) struct Portrait {
    pub(super) image: Handle<Picture>,
    pub(super) frame: u32,
}

#[derive(Message, Reflect, Debug, Clone)]
pub(super) struct Rain {
    pub(super) litres: f32,
}

#[derive(Message, Reflect, Debug, Clone, PartialEq)]
#[reflect(Message)]
pub(super) struct Thunder {
    pub(super) loud: bool,
    pub(super) text: String,
}

#[derive(Event, Reflect, Debug, Clone)]
#[reflect(Event)]
pub(super) struct Harvest {
    pub(super) apples: u64,
}

#[derive(EntityEvent, Reflect, Debug, Clone)]
#[reflect(Event)]
pub(super) struct Sting {
    pub(super) entity: Entity,
    pub(super) by: Option<String>,
}

#[derive(States, Reflect, Debug, Default, Clone, PartialEq, Eq, Hash)]
pub(super) enum Season {
    #[default]
    Summer,
    Winter,
}

#[derive(SystemSet, Debug, Clone, PartialEq, Eq, Hash)]
struct Growth;

/// Adds what the game has.
pub(super) fn plugin(app: &mut App) {
    app.add_plugins(StatesPlugin)
        .init_state::<Season>()
        .init_resource::<Report>()
        .init_resource::<Soil>()
        .init_resource::<ButtonInput<KeyCode>>()
        .init_resource::<ButtonInput<MouseButton>>()
        .register_type::<ButtonInput<KeyCode>>()
        .register_type::<ButtonInput<MouseButton>>()
        .init_asset::<Picture>()
        .register_asset_reflect::<Picture>()
        .add_mod_message::<Rain>()
        .add_message::<Thunder>()
        .add_mod_state::<Season>()
        .add_mod_set("growth", Growth)
        .add_systems(Update, grow.in_set(Growth));
    // A mod waits for types that the game has not used yet.
    let world = app.world_mut();
    world.register_component::<Transform>();
    world.register_component::<Tree>();
    world.register_component::<Water>();
    world.register_component::<Bark>();
    world.register_component::<Sign>();
    world.register_component::<Ill>();
    world.register_component::<Marked>();
    world.register_component::<Grafted>();
    world.register_component::<King>();
    world.register_component::<Mood>();
    world.register_component::<Basket>();
    world.register_component::<Portrait>();
    world.register_component::<Score>();
    world.register_component::<Compost>();
    world.register_component::<Wish>();
}

fn grow(mut report: ResMut<Report>) {
    report.lines.push("order: the game grows".to_owned());
}
