use mod_sdk::prelude::*;

struct Bee;

#[export]
fn count(_bees: Bee) -> u32 {
    0
}

#[import]
fn name(bee: u32) -> Ticket<Bee>;

fn main() {}
