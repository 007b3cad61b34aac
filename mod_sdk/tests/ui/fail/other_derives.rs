use mod_sdk::prelude::*;

#[derive(States)]
struct NoEnum;

#[derive(States)]
enum WithFields {
    Calm,
    Angry(u32),
    Busy { with: u32 },
}

#[derive(States)]
enum NoValues {}

#[derive(States)]
#[states(define)]
enum OwnState {
    On,
}

#[derive(EntityEvent)]
struct NoEntity {
    damage: f32,
}

#[derive(EntityEvent)]
struct TwoEntities {
    #[event_target]
    by: Entity,
    #[event_target]
    victim: Entity,
}

#[derive(EntityEvent)]
enum NoStruct {
    Hit { entity: Entity },
}

#[derive(EntityEvent)]
struct NotAnEntity {
    entity: u64,
}

#[derive(Bundle)]
enum EnumBundle {
    Bee,
}

#[derive(Bundle)]
struct WithNumber {
    number: u32,
}

#[derive(Message)]
struct Generic<T>(T);

fn main() {}
