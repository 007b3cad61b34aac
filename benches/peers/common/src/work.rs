//! The components that mods read and write, the entities that have them, and a checksum of what became of them. Who changes
//! them is not known here.
//!
//! All figures are sums of multiples of 1/64, so that they are the same whether they are computed in 32 bits or in 64.

use bevy::prelude::{
    App, Component, Entity, Message, MessageWriter, PreUpdate, Reflect, ReflectComponent, ReflectDefault, Transform,
    Vec3, With, World,
};

use crate::contender::{Case, Row};

/// What a frame takes in the game, in seconds.
pub const DT: f32 = 1.0 / 64.0;
/// How many entities have a [`Counter`].
pub const COUNTERS: u32 = 10;
/// How many entities a mod spawns in a frame.
pub const SPARKS: u32 = 1_000;
/// How many messages the game sends in a frame.
pub const MESSAGES: u32 = 1_000;
/// How often a mod calls the game in a frame.
pub const CALLS: u32 = 10_000;

/// How an entity moves, per second. Where it begins follows from it.
#[derive(Component, Reflect, Clone, Copy, Default)]
#[reflect(Component, Default)]
pub struct Velocity {
    pub x: f32,
    pub y: f32,
    pub z: f32,
}

impl Velocity {
    fn of(number: u32) -> Self {
        let part = |most: u32| (number % most) as f32 + 1.0;
        Self { x: part(1021), y: part(61), z: part(7) }
    }

    fn start(self) -> Transform {
        Transform::from_xyz(self.x * 2.0, self.y, 0.5)
    }
}

/// What each of many small mods counts up.
#[derive(Component, Reflect, Clone, Copy, Default)]
#[reflect(Component, Default)]
pub struct Counter {
    pub value: u32,
}

/// What mods spawn and despawn.
#[derive(Component, Reflect, Clone, Copy, Default)]
#[reflect(Component, Default)]
pub struct Spark {
    pub value: u32,
}

/// Where a mod writes what it was told, so that nobody can leave the work out.
#[derive(Component, Reflect, Clone, Copy, Default)]
#[reflect(Component, Default)]
pub struct Tally {
    pub value: u32,
}

/// What the game tells a mod many times in a frame.
#[derive(Message, Reflect, Clone, Copy, Default)]
#[reflect(Default)]
pub struct Hit {
    pub amount: u32,
}

/// The function of the game that mods call.
#[inline(never)]
#[must_use]
pub fn add(a: u32, b: u32) -> u32 {
    a.wrapping_add(b)
}

/// Adds what a game has for a case, whoever its mods are.
pub(crate) fn prepare(app: &mut App, case: Case) {
    app.register_type::<(Velocity, Counter, Spark, Tally, Hit)>();
    app.register_type::<Transform>();
    app.add_message::<Hit>();
    let world = app.world_mut();
    // A component that the World has never seen cannot be asked for by mods of some contenders.
    world.register_component::<Spark>();
    match case.row {
        Row::Move => {
            world.spawn_batch((0..case.n as u32).map(Velocity::of).map(|velocity| (velocity.start(), velocity)));
        }
        Row::Many => {
            world.spawn_batch((0..COUNTERS).map(|value| Counter { value }));
        }
        Row::Messages | Row::Calls => {
            world.spawn(Tally::default());
        }
        Row::Idle | Row::Spawn => {}
    }
    if case.row == Row::Messages {
        app.add_systems(PreUpdate, |mut hits: MessageWriter<Hit>| {
            hits.write_batch((0..MESSAGES).map(|amount| Hit { amount }));
        });
    }
}

/// Puts everything back to where it began.
pub(crate) fn reset(world: &mut World) {
    for (mut transform, velocity) in world.query::<(&mut Transform, &Velocity)>().iter_mut(world) {
        *transform = velocity.start();
    }
    for (value, mut counter) in (0..).zip(world.query::<&mut Counter>().iter_mut(world)) {
        counter.value = value;
    }
    for mut tally in world.query::<&mut Tally>().iter_mut(world) {
        tally.value = 0;
    }
    let sparks: Vec<Entity> = world.query_filtered::<Entity, With<Spark>>().iter(world).collect();
    for spark in sparks {
        world.despawn(spark);
    }
}

/// A figure in which everything that mods should change takes part. The order of the entities does not.
pub(crate) fn checksum(world: &mut World) -> u64 {
    let mut sum = 0_u64;
    let mut add = |kind: u64, values: &[u32]| {
        let mixed = values
            .iter()
            .fold(kind, |mixed, value| (mixed ^ u64::from(*value)).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29));
        sum = sum.wrapping_add(mixed);
    };
    let bits = |place: Vec3| place.to_array().map(f32::to_bits);
    for (transform, velocity) in world.query::<(&Transform, &Velocity)>().iter(world) {
        let [x, y, z] = bits(transform.translation);
        add(1, &[x, y, z, velocity.x.to_bits(), velocity.y.to_bits(), velocity.z.to_bits()]);
    }
    world.query::<&Counter>().iter(world).for_each(|counter| add(2, &[counter.value]));
    world.query::<&Spark>().iter(world).for_each(|spark| add(3, &[spark.value]));
    world.query::<&Tally>().iter(world).for_each(|tally| add(4, &[tally.value]));
    sum
}
