//! A mod with something of every kind that a save holds: state, a resource, components on entities of the game and of its
//! own, and ids of entities in all of them. `hive_later` is its next version.

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

#[derive(Component)]
#[component(define)]
struct Bee {
    name: String,
    home: Entity,
}

#[derive(Component, Clone, Copy)]
#[component(define)]
struct Pollen {
    grains: u32,
    from: Entity,
}

#[derive(Component)]
#[component(define, storage = "SparseSet")]
struct Asleep;

#[derive(Resource)]
#[resource(define)]
struct Store {
    honey: u32,
    at: Entity,
}

impl Default for Store {
    fn default() -> Self {
        Self { honey: 0, at: Entity::PLACEHOLDER }
    }
}

#[derive(Reflect, Default)]
enum Mood {
    #[default]
    Calm,
    Angry {
        at: Entity,
    },
}

#[derive(Reflect, Default)]
struct Memory {
    days: u32,
    queen: Option<Entity>,
    garden: Vec<Entity>,
    mood: Mood,
    reloads: u32,
    song: String,
}

#[mod_main]
fn main(app: &mut App) {
    app.init_resource::<Store>()
        .add_systems(Startup, settle)
        .add_systems(OnReload, wake)
        .add_systems(Update, (live, tell).chain());
}

fn settle(
    flowers: Query<(Entity, &Flower)>,
    mut commands: Commands,
    mut memory: Persist<Memory>,
    mut store: ResMut<Store>,
) {
    let mut garden: Vec<_> = flowers.iter().map(|(entity, flower)| (flower.name.clone(), entity)).collect();
    garden.sort_by(|one, other| one.0.cmp(&other.0));
    let [rose, tulip, ..] = garden.iter().map(|(_, entity)| *entity).collect::<Vec<_>>()[..] else { return };
    let queen = commands.spawn((Bee { name: "queen".to_owned(), home: rose }, Asleep)).id();
    // The game knows flowers, so it has to save this one.
    commands.spawn((Bee { name: "guest".to_owned(), home: queen }, Flower { name: "violet".to_owned() }));
    commands.entity(tulip).insert(Pollen { grains: 7, from: rose });
    memory.queen = Some(queen);
    memory.garden = vec![tulip, rose];
    memory.mood = Mood::Angry { at: tulip };
    memory.song = "hum".to_owned();
    store.at = rose;
}

/// Whoever it was angry at falls asleep, if it is still there.
fn wake(mut memory: Persist<Memory>, mut commands: Commands) {
    memory.reloads += 1;
    if let Mood::Angry { at } = memory.mood {
        commands.entity(at).insert(Asleep);
    }
}

fn live(mut memory: Persist<Memory>, mut store: ResMut<Store>) {
    memory.days += 1;
    store.honey += 10;
}

fn tell(
    flowers: Query<(Entity, &Flower)>,
    bees: Query<(Entity, &Bee, Has<Asleep>)>,
    pollen: Query<(Entity, &Pollen)>,
    memory: Persist<Memory>,
    store: Res<Store>,
    mut runs: Local<u32>,
    mut report: ResMut<Report>,
) {
    *runs += 1;
    let name = |wanted: Entity| {
        let flower = flowers.get(wanted).map(|(_, flower)| flower.name.clone());
        let name = flower.or_else(|_| bees.get(wanted).map(|(_, bee, _)| bee.name.clone()));
        name.unwrap_or_else(|_| "nobody".to_owned())
    };
    let garden: Vec<_> = memory.garden.iter().map(|flower| name(*flower)).collect();
    let queen = memory.queen.map(name);
    let mood = match memory.mood {
        Mood::Calm => "calm".to_owned(),
        Mood::Angry { at } => format!("angry at {}", name(at)),
    };
    report.lines = vec![
        format!("memory: {} {queen:?} {} {mood} {} {}", memory.days, garden.join("+"), memory.reloads, memory.song),
        format!("store: {} at {}", store.honey, name(store.at)),
        format!("runs: {}", *runs),
    ];
    for (_, bee, asleep) in &bees {
        report.lines.push(format!("bee: {} at {} {asleep}", bee.name, name(bee.home)));
    }
    for (entity, pollen) in &pollen {
        report.lines.push(format!("pollen: {} on {} from {}", pollen.grains, name(entity), name(pollen.from)));
    }
}
