//! The next version of `hive`: fields have come, gone, changed their types and their places, and so have types.

use mod_sdk::prelude::*;

#[derive(Component)]
#[component(path = "all::saves::hive::Flower")]
struct Flower {
    name: String,
}

#[derive(Resource)]
#[resource(path = "all::saves::hive::Report")]
struct Report {
    lines: Vec<String>,
}

#[derive(Component, Default)]
#[component(define)]
struct Bee {
    age: u16,
    name: String,
    home: Home,
}

/// The id of an entity, and nobody's by default.
#[derive(Reflect, Clone, Copy)]
struct Home(Entity);

impl Default for Home {
    fn default() -> Self {
        Self(Entity::PLACEHOLDER)
    }
}

#[derive(Resource, Default)]
#[resource(define)]
struct Store {
    wax: u8,
    honey: u64,
}

#[derive(Resource)]
#[resource(define)]
struct Larder {
    jars: u32,
}

#[derive(Reflect)]
struct Memory {
    queen: Option<Entity>,
    nights: u32,
    days: u64,
    song: u8,
    garden: Vec<Entity>,
}

impl Default for Memory {
    fn default() -> Self {
        Self { queen: None, nights: 9, days: 0, song: 1, garden: Vec::new() }
    }
}

#[mod_main]
fn main(app: &mut App) {
    app.init_resource::<Store>().insert_resource(Larder { jars: 4 }).add_systems(Update, tell);
}

fn tell(
    flowers: Query<(Entity, &Flower)>,
    bees: Query<(Entity, &Bee)>,
    memory: Persist<Memory>,
    store: Res<Store>,
    larder: Res<Larder>,
    mut report: ResMut<Report>,
) {
    let name = |wanted: Entity| {
        let flower = flowers.get(wanted).map(|(_, flower)| flower.name.clone());
        let name = flower.or_else(|_| bees.get(wanted).map(|(_, bee)| bee.name.clone()));
        name.unwrap_or_else(|_| "nobody".to_owned())
    };
    let garden: Vec<_> = memory.garden.iter().map(|flower| name(*flower)).collect();
    let queen = memory.queen.map(name);
    report.lines = vec![
        format!("memory: {} {} {queen:?} {} {}", memory.days, memory.nights, garden.join("+"), memory.song),
        format!("store: {} {} {}", store.honey, store.wax, larder.jars),
    ];
    for (_, bee) in &bees {
        report.lines.push(format!("bee: {} at {} {}", bee.name, name(bee.home.0), bee.age));
    }
}
