//! Messages, events and observers.

use mod_sdk::prelude::*;

use crate::game::{Marked, Report, Sign};

#[derive(Message)]
#[message(path = "all::sdk::orchard::Rain")]
struct Rain {
    litres: f32,
}

#[derive(Message)]
#[message(path = "all::sdk::orchard::Thunder")]
pub(crate) struct Thunder {
    pub(crate) loud: bool,
    pub(crate) text: String,
}

#[derive(Message)]
#[message(define)]
pub(crate) struct Gossip {
    pub(crate) text: String,
    pub(crate) ears: u32,
}

#[derive(Event)]
#[event(path = "all::sdk::orchard::Harvest")]
pub(crate) struct Harvest {
    pub(crate) apples: u64,
}

#[derive(EntityEvent)]
#[event(path = "all::sdk::orchard::Sting")]
pub(crate) struct Sting {
    pub(crate) entity: Entity,
    pub(crate) by: Option<String>,
}

#[derive(Event)]
#[event(define)]
pub(crate) struct Feast {
    pub(crate) guests: Vec<String>,
}

pub(crate) fn add(app: &mut App) {
    app.add_message::<Gossip>()
        .add_systems(Update, (rain, overhear).chain())
        .add_observer(on_harvest)
        .add_observer(on_sting)
        .add_observer(on_feast)
        .add_observer(on_add)
        .add_observer(on_insert)
        .add_observer(on_discard)
        .add_observer(on_remove)
        .add_observer(on_despawn);
}

fn rain(
    mut rain: MessageReader<Rain>,
    mut thunder: MessageWriter<Thunder>,
    mut gossip: MessageWriter<Gossip>,
    mut report: ResMut<Report>,
) {
    for Rain { litres } in rain.read() {
        report.tell(format!("rain: {litres}"));
        thunder.write(Thunder { loud: *litres > 1.0, text: format!("after {litres}") });
        gossip.write(Gossip { text: format!("it rained {litres}"), ears: 2 });
    }
}

fn overhear(mut gossip: MessageReader<Gossip>, mut report: ResMut<Report>) {
    for Gossip { text, ears } in gossip.read() {
        report.tell(format!("gossip: {text} {ears}"));
    }
}

fn on_harvest(harvest: On<Harvest>, mut report: ResMut<Report>) {
    report.tell(format!("on: harvest {}", harvest.apples));
}

fn on_sting(sting: On<Sting>, mut signs: Query<&mut Sign>, mut report: ResMut<Report>) {
    report.tell(format!("on: sting {:?}", sting.by));
    if let Ok(mut sign) = signs.get_mut(sting.entity) {
        sign.text = "ouch".to_owned();
    }
}

fn on_feast(feast: On<Feast>, mut report: ResMut<Report>) {
    report.tell(format!("on: feast {:?}", feast.guests));
}

fn on_add(marked: On<Add, Marked>, signs: Query<&Sign>, mut commands: Commands, mut report: ResMut<Report>) {
    report.tell(format!("on: add {:?}", signs.get(marked.entity).map(|sign| sign.text.clone())));
    commands.trigger(Feast { guests: vec!["observer".to_owned()] });
}

fn on_insert(_: On<Insert, Marked>, mut report: ResMut<Report>) {
    report.tell("on: insert".to_owned());
}

fn on_discard(marked: On<Discard, Marked>, rows: Query<Entity, With<Marked>>, mut report: ResMut<Report>) {
    report.tell(format!("on: discard {}", rows.contains(marked.entity)));
}

fn on_remove(_: On<Remove, Marked>, mut report: ResMut<Report>) {
    report.tell("on: remove".to_owned());
}

fn on_despawn(_: On<Despawn, Marked>, mut report: ResMut<Report>) {
    report.tell("on: despawn".to_owned());
}
