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

#[mod_main]
fn by_value(_: App) {}

#[mod_main]
fn without_a_body(_: &mut App);

#[mod_main]
fn generic<T>(_: &mut App) {}

#[mod_main]
fn two(_: &mut App, _: &mut App) {}

struct Mod;

impl Mod {
    #[mod_main]
    fn method(&mut self) {}
}

fn main() {}
