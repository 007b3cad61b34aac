//! Commands about what the game does not know as what it is used for.

use mod_sdk::prelude::*;

#[derive(Component)]
struct Bee;

fn resource(mut commands: Commands) {
    commands.insert_resource(Bee);
}

fn removed_resource(mut commands: Commands) {
    commands.remove_resource::<Bee>();
}

fn message(mut commands: Commands) {
    commands.write_message(Bee);
}

fn inserted(mut commands: Commands, bee: Single<Entity, With<Bee>>) {
    commands.entity(*bee).insert("text");
}

fn removed(mut commands: Commands, bee: Single<Entity, With<Bee>>) {
    commands.entity(*bee).remove::<u32>();
}

#[derive(Event)]
struct Feast;

fn triggered(mut commands: Commands, bee: Single<Entity, With<Bee>>) {
    commands.entity(*bee).trigger(|_| Feast);
}

fn main() {}
