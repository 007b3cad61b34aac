use mod_sdk::prelude::*;

#[derive(Component)]
#[component(define, path = "orchard::Bee")]
struct OwnWithPath;

#[derive(Resource)]
#[resource(define, partial)]
struct OwnInParts {
    points: u64,
}

#[derive(Component)]
#[component(partial)]
struct PartOfTuple(f32);

#[derive(Component)]
#[component(path = "orchard::Mood", partial)]
enum PartOfEnum {
    Calm,
}

#[derive(Component)]
#[component(storage = "SparseSet")]
struct StorageOfTheGame;

#[derive(Component)]
#[component(define, storage = "Heap")]
struct UnknownStorage;

#[derive(Component)]
#[component(define, define)]
struct Twice;

#[derive(Resource)]
#[resource(storage = "SparseSet")]
struct StoredResource;

#[derive(Message)]
#[message(partial)]
struct PartOfMessage {
    text: String,
}

#[derive(Event)]
#[event(define, name = "Feast")]
struct NamedEvent;

#[derive(Event)]
#[event(path = "")]
struct EmptyPath;

#[derive(Resource)]
#[resource(settings)]
struct OfPlayers {
    appetite: f32,
}

#[derive(Resource)]
#[resource(settings, define)]
struct OfPlayersTwice {}

#[derive(Resource)]
#[resource(settings)]
struct OfPlayersInOrder(f32);

#[derive(Component)]
#[component(settings)]
struct OfPlayersOnEntities {}

fn main() {}
