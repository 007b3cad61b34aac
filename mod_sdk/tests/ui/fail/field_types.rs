use std::rc::Rc;

use mod_sdk::prelude::*;

struct Other;

#[derive(Component)]
struct Bee {
    other: Other,
    shared: Rc<u32>,
}

fn main() {}
