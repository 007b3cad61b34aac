//! Conditions that the game cannot test.

use mod_sdk::prelude::*;

#[derive(Component)]
struct Bee;

fn work() {}

fn is_warm() -> bool {
    true
}

fn main() {
    let mut app = App::new();
    app.add_systems(Update, work.run_if(true));
    app.add_systems(Update, work.run_if(is_warm));
    app.add_systems(Update, work.run_if(in_state(3)));
    app.add_systems(Update, work.run_if(resource_exists::<Bee>));
    app.add_systems(Update, work.run_if(not(false)));
    app.add_systems(Bee, work);
}
