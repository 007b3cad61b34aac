//! A mod that uses all of the SDK and reports what it sees. What to do is up to the game, through what it spawns.

mod demand;
mod game;
mod looks;
mod market;
mod order;
mod own;
mod senses;
mod talk;
mod values;
mod wishes;

use mod_sdk::prelude::*;

#[mod_main]
fn main(app: &mut App) {
    app.add_plugins(looks::add)
        .add_plugins(values::add)
        .add_plugins(own::add)
        .add_plugins(senses::add)
        .add_plugins(wishes::add)
        .add_plugins(talk::add)
        .add_plugins(order::add)
        .add_plugins(demand::add);
}
