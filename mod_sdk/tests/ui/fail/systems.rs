use mod_sdk::prelude::*;

#[derive(Component)]
struct Bee;

fn takes_a_number(_: u32) {}

fn returns(_: Query<&Bee>) -> u32 {
    0
}

fn writes_on_demand(world: World) {
    world.query::<&mut Bee>();
}

fn asks_on_demand_what_changed(world: &World) {
    world.query::<Ref<Bee>>();
    world.count_filtered::<&Bee, Or<(With<Bee>, Changed<Bee>)>>();
}

fn twice(mut bees: Query<&mut Bee>) {
    let first = bees.single_mut();
    let second = bees.single_mut();
    drop((first, second));
}

fn main() {
    let mut app = App::new();
    app.add_systems(Update, takes_a_number);
    app.add_systems(Update, returns);
    app.add_systems("Update", twice);
}
