//! The mod's own components, resources and state.

use mod_sdk::prelude::*;

use crate::game::Report;

#[derive(Component, Default)]
#[component(define)]
struct Fruit {
    weight: f32,
    ripe: bool,
}

#[derive(Component, Default)]
#[component(define)]
struct Tale {
    text: String,
    names: Vec<String>,
}

#[derive(Component, Default)]
#[component(define, storage = "SparseSet")]
struct Dew {
    drops: u32,
}

#[derive(Component)]
#[component(define, storage = "SparseSet")]
struct Wet;

#[derive(Resource, Default)]
#[resource(define)]
struct Store {
    kilos: u32,
    notes: Vec<String>,
}

#[derive(Reflect, Default)]
struct Kept {
    frames: u32,
    names: Vec<String>,
}

pub(crate) fn add(app: &mut App) {
    app.init_resource::<Store>().add_systems(Startup, plant).add_systems(Update, (ripen, store, count, keep).chain());
}

fn plant(mut commands: Commands, mut report: ResMut<Report>) {
    let fruit = Fruit { weight: 1.5, ripe: false };
    let tale = Tale { text: "once".to_owned(), names: vec!["Maja".to_owned()] };
    commands.spawn((fruit, tale, Dew { drops: 3 }, Wet));
    commands.spawn(Fruit { weight: 8.0, ripe: true });
    commands.spawn((Fruit { weight: 20.0, ripe: false }, Tale::default(), Wet));
    report.tell("own: planted".to_owned());
}

fn ripen(
    mut fruits: Query<(Entity, &mut Fruit, Option<&mut Tale>, Option<&mut Dew>, Has<Wet>)>,
    mut commands: Commands,
    mut report: ResMut<Report>,
) {
    for (entity, mut fruit, tale, dew, wet) in &mut fruits {
        let text = tale.as_ref().map(|tale| format!("{} {}", tale.text, tale.names.join("+")));
        let drops = dew.as_ref().map(|dew| dew.drops);
        report.tell(format!("own: {} {} {text:?} {drops:?} {wet}", fruit.weight, fruit.ripe));
        let Some(mut dew) = dew else { continue };
        match dew.drops {
            0 => {
                commands.entity(entity).remove::<(Dew, Wet)>();
            }
            _ => {
                dew.drops -= 1;
                fruit.weight += 1.0;
                fruit.ripe = !fruit.ripe;
                if let Some(mut tale) = tale {
                    tale.text.push('.');
                    tale.names.push("Willy".to_owned());
                }
            }
        }
    }
}

fn store(mut store: ResMut<Store>, mut report: ResMut<Report>) {
    store.kilos += 1;
    store.notes.push("x".to_owned());
    report.tell(format!("store: {} {}", store.kilos / 1000, store.notes.len() as u32 == store.kilos % 1000));
}

fn count(mut runs: Local<u32>, mut report: ResMut<Report>) {
    *runs += 1;
    report.tell(format!("local: {}", *runs));
}

fn keep(mut kept: Persist<Kept>, mut report: ResMut<Report>) {
    kept.frames += 1;
    if kept.names.is_empty() {
        kept.names.push("first".to_owned());
    }
    report.tell(format!("kept: {} {:?}", kept.frames, kept.names));
}
