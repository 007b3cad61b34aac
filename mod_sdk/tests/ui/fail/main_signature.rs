use mod_sdk::prelude::*;

#[mod_main]
fn without_an_app() {}

#[mod_main]
async fn waits(_: &mut App) -> u32 {
    0
}

#[mod_main(id = "other")]
fn renamed(_: &mut App) {}

#[mod_main]
fn other_type(_: &mut u32) {}

fn main() {}
