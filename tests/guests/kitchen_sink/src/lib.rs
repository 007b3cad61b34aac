//! A mod that does everything once, for the tests of the whole way.

mod functions;
mod systems;

use mod_sdk::prelude::*;

#[mod_main]
fn main(app: &mut App) {
    systems::add(app);
}
