//! Parts of components, and components of every shape.

use std::collections::BTreeMap;

use mod_sdk::prelude::*;

use crate::game::Report;

#[derive(Component)]
#[component(path = "bevy_transform::components::transform::Transform", partial)]
struct Place {
    translation: Vec3,
}

/// The second field of two.
#[derive(Component)]
#[component(path = "all::sdk::orchard::Tree", partial)]
struct Apples {
    apples: u32,
}

#[derive(Component, Debug)]
#[component(path = "all::sdk::orchard::Mood")]
enum Mood {
    Calm,
    Angry { at: Entity, level: u8 },
    Busy(Vec<String>, Option<Vec3>),
}

#[derive(Reflect, Debug, Clone)]
enum Kind {
    Apple,
    Pear { grams: u16 },
}

#[derive(Reflect, Debug)]
struct Item {
    name: String,
    kind: Kind,
    sizes: (f32, f32),
}

#[derive(Component, Debug)]
#[component(path = "all::sdk::orchard::Basket")]
struct Basket {
    owner: Option<String>,
    items: Vec<Item>,
    best: [Kind; 2],
    prices: BTreeMap<String, u32>,
    letter: char,
}

/// Of varying size, in another order than the game's and not all of it.
#[derive(Component, Debug)]
#[component(path = "all::sdk::orchard::Basket", partial)]
struct Owner {
    letter: char,
    owner: Option<String>,
}

#[derive(Component)]
#[component(path = "all::sdk::orchard::Portrait")]
struct Portrait {
    image: String,
    frame: u32,
}

pub(crate) fn add(app: &mut App) {
    app.add_systems(Update, (place, apples, mood, basket, owner, portrait).chain());
}

fn place(mut places: Query<&mut Place>, mut report: ResMut<Report>) {
    for mut place in &mut places {
        report.tell(format!("place: {}", place.translation));
        if place.translation.x < 10.0 {
            place.translation += Vec3::ONE;
        }
    }
}

fn apples(mut trees: Query<&mut Apples>) {
    for mut tree in &mut trees {
        if tree.apples == 40 {
            tree.apples += 2;
        }
    }
}

fn mood(mut moods: Query<(Entity, &mut Mood)>, mut report: ResMut<Report>) {
    for (entity, mut mood) in &mut moods {
        report.tell(format!("mood: {:?}", *mood));
        *mood = match &*mood {
            Mood::Calm => Mood::Angry { at: entity, level: 3 },
            Mood::Angry { at, level } => Mood::Busy(vec![at.to_string(), level.to_string()], Some(Vec3::Y)),
            Mood::Busy(names, place) if names.len() < 3 => {
                Mood::Busy(vec![names.concat(), format!("{place:?}"), String::new()], None)
            }
            Mood::Busy(..) => Mood::Calm,
        };
    }
}

fn basket(mut baskets: Query<&mut Basket>, mut report: ResMut<Report>) {
    for mut basket in &mut baskets {
        report.tell(format!("basket: {:?}", *basket));
        if basket.owner.is_some() {
            let item = Item { name: "plum".to_owned(), kind: Kind::Apple, sizes: (0.5, -0.5) };
            basket.items.push(item);
            basket.best.reverse();
            basket.best[0] = Kind::Pear { grams: 9 };
            basket.prices.insert("plum".to_owned(), 7);
            basket.letter = 'ß';
            basket.owner = None;
        }
    }
}

fn owner(mut owners: Query<&mut Owner>, mut report: ResMut<Report>) {
    for mut owner in &mut owners {
        report.tell(format!("owner: {:?}", *owner));
        if owner.letter == 'x' {
            owner.letter = 'y';
            owner.owner = Some("Willy".to_owned());
        }
    }
}

fn portrait(mut portraits: Query<&mut Portrait>, mut report: ResMut<Report>) {
    for mut portrait in &mut portraits {
        report.tell(format!("portrait: {:?}", portrait.image));
        match portrait.frame {
            1 => portrait.image = "pictures/other.pic".to_owned(),
            2 => portrait.image = "../x.pic".to_owned(),
            3 => portrait.image = "http://x/y.pic".to_owned(),
            _ => {}
        }
        if portrait.frame < 10 {
            portrait.frame += 10;
        }
    }
}
