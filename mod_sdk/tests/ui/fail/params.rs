//! Parameters of systems that are none.

use mod_sdk::prelude::*;

#[derive(Component)]
struct Bee;

struct Unknown;

fn query_of_a_number(_: Query<&u32>) {}

fn query_without_a_reference(_: Query<Bee>) {}

fn query_of_two_parameters(_: Query<&Bee, &Transform>) {}

fn filter_of_a_number(_: Query<&Bee, With<u32>>) {}

fn single_of_a_number(_: Single<&mut u32>) {}

fn resource_that_is_a_component(_: Res<Bee>) {}

fn resource_without_a_derive(_: ResMut<Unknown>) {}

fn writer_of_a_component(_: MessageWriter<Bee>) {}

fn local_without_a_default(_: Local<Unknown>) {}

fn persist_without_reflect(_: Persist<Unknown>) {}

fn buttons_of_a_number(_: Res<ButtonInput<u32>>) {}

fn time_of_a_number(_: Res<Time<u32>>) {}

fn commands_by_reference(_: &mut Commands) {}

#[rustfmt::skip]
fn seventeen(
    _: (), _: (), _: (), _: (), _: (), _: (), _: (), _: (), _: (), _: (), _: (), _: (), _: (), _: (), _: (), _: (), _: (),
) {}

fn nothing() {}

fn main() {
    let mut app = App::new();
    app.add_systems(Update, commands_by_reference);
    app.add_systems(Update, seventeen);
    app.add_systems(Update, nothing());
}
