use mod_sdk::prelude::*;

#[derive(Component)]
struct Generic<T>(T);

#[derive(Component)]
struct Borrowed<'a> {
    name: &'a str,
}

#[derive(Reflect)]
enum Never {}

#[derive(Reflect)]
union Bits {
    a: u32,
    b: f32,
}

#[derive(Component)]
#[component(name = "orchard::Bee")]
struct OtherSetting;

#[derive(Resource)]
#[resource(path = 3)]
struct NotText;

#[derive(Component)]
#[component(path = "")]
struct Empty;

#[derive(Component)]
#[component(path = "a", path = "b")]
struct Twice;

#[derive(Component)]
#[component]
struct NoSetting;

fn main() {}
