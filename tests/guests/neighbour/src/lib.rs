//! A mod that uses what the mod `garden` defines, and calls it.

mod trade;

use mod_sdk::prelude::*;

#[derive(Resource)]
#[resource(path = "all::sdk::orchard::Report")]
struct Report {
    lines: Vec<String>,
}

#[derive(Component)]
#[component(path = "garden::Fruit")]
struct Fruit {
    weight: f32,
    ripe: bool,
}

#[derive(Component)]
#[component(path = "garden::Tale")]
struct Tale {
    text: String,
    names: Vec<String>,
}

#[derive(Component)]
#[component(path = "garden::Dew")]
struct Dew {
    drops: u32,
}

#[derive(Component)]
#[component(path = "garden::Wet")]
struct Wet;

#[derive(Resource)]
#[resource(path = "garden::Store")]
struct Store {
    kilos: u32,
    notes: Vec<String>,
}

#[derive(Message)]
#[message(path = "garden::Gossip")]
struct Gossip {
    text: String,
    ears: u32,
}

#[derive(Event)]
#[event(path = "garden::Feast")]
struct Feast {
    guests: Vec<String>,
}

#[mod_main]
fn main(app: &mut App) {
    app.add_systems(Update, (visit, listen))
        .add_systems(Update, early.before(SystemName("garden::update")))
        .add_systems(Update, late.after(SystemName("garden::update")))
        .add_observer(on_feast)
        .add_plugins(trade::add);
}

fn visit(
    mut fruits: Query<(&mut Fruit, &mut Tale, Option<&Dew>), With<Wet>>,
    mut store: ResMut<Store>,
    mut done: Local<u32>,
    mut report: ResMut<Report>,
) {
    for (mut fruit, mut tale, dew) in &mut fruits {
        let drops = dew.map(|dew| dew.drops);
        let names = tale.names.len();
        report.lines.push(format!("visit: {} {} {} {names} {drops:?}", fruit.weight, fruit.ripe, tale.text));
        if dew.is_none() && *done == 0 {
            *done += 1;
            fruit.weight += 100.0;
            tale.text.push_str(" upon a time");
            tale.names.push("Flip".to_owned());
            store.kilos += 1000;
        }
    }
}

fn listen(mut heard: MessageReader<Gossip>, mut report: ResMut<Report>) {
    for Gossip { text, ears } in heard.read() {
        report.lines.push(format!("heard: {text} {ears}"));
    }
}

fn early(mut report: ResMut<Report>) {
    report.lines.push("schedule: early".to_owned());
}

fn late(mut report: ResMut<Report>) {
    report.lines.push("schedule: late".to_owned());
}

fn on_feast(feast: On<Feast>, mut report: ResMut<Report>) {
    report.lines.push(format!("on: neighbour at the feast of {}", feast.guests.join(" and ")));
}
