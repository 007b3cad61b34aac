use mod_sdk::prelude::*;

#[derive(Reflect)]
struct Nest {
    inner: Vec<Nest>,
}

#[derive(Component)]
enum List {
    End,
    More(u8, Option<Box<Self>>),
}

fn main() {}
