//! Commands, as the game wishes.

use mod_sdk::prelude::*;

use crate::{
    game::{Ill, Marked, Report, Sign, Tree, Water},
    talk::{Feast, Gossip, Harvest, Sting, Thunder},
};

#[derive(Resource)]
#[resource(path = "all::sdk::orchard::Wish")]
struct Wish {
    text: String,
    entity: Entity,
}

#[derive(Bundle)]
struct Sapling {
    tree: Tree,
    parts: (Water, Transform),
}

/// The mod's own, and not there at first.
#[derive(Resource)]
#[resource(define)]
struct Nest {
    eggs: u8,
}

pub(crate) fn add(app: &mut App) {
    app.add_systems(PreUpdate, (obey, check).chain());
}

fn sapling(height: f32) -> Sapling {
    Sapling { tree: Tree { height, apples: 0 }, parts: (Water(0.5), Transform::from_xyz(1.0, 2.0, 3.0)) }
}

fn obey(wish: Option<Res<Wish>>, mut commands: Commands) {
    let Some(Wish { text, entity }) = wish.map(Res::into_inner) else { return };
    let entity = *entity;
    match text.as_str() {
        "spawn" => {
            let mut tree = commands.spawn(sapling(100.0));
            let id = tree.id();
            tree.insert(Sign { text: format!("I am {id}") }).with_children(|parent| {
                let child = parent.spawn((Tree { height: 101.0, apples: 1 }, Marked)).id();
                parent.commands().entity(child).insert(Sign { text: format!("{child} of {id}") });
            });
            tree.with_child((Tree { height: 102.0, apples: 2 },));
            commands.spawn_batch((0..2).map(|n| Tree { height: 200.0 + n as f32, apples: 0 }));
            commands.insert_resource(Nest { eggs: 4 });
        }
        "change" => {
            commands.entity(entity).insert((Water(7.0), Marked)).remove::<Ill>().insert_if_new(Water(9.0));
            commands.entity(entity).remove::<Marked>().insert(Marked);
            commands.remove_resource::<Nest>();
        }
        "despawn" => commands.entity(entity).despawn(),
        "tell" => {
            commands.trigger(Harvest { apples: 3 });
            commands.trigger(Feast { guests: vec!["Willy".to_owned()] });
            commands.entity(entity).trigger(|entity| Sting { entity, by: Some("Maja".to_owned()) });
            commands.write_message(Thunder { loud: true, text: "by command".to_owned() });
            commands.write_message(Gossip { text: "by command".to_owned(), ears: 2 });
        }
        other => panic!("nobody can wish for {other}"),
    }
    commands.remove_resource::<Wish>();
}

fn check(
    wish: Option<Res<Wish>>,
    nest: Option<Res<Nest>>,
    trees: Query<(Entity, &Tree, Option<&Sign>, Option<&ChildOf>), Without<Ill>>,
    mut report: ResMut<Report>,
) {
    report.tell(format!("check: {} {:?}", wish.is_some(), nest.map(|nest| nest.eggs)));
    for (entity, tree, sign, parent) in &trees {
        if tree.height >= 100.0 {
            let text = sign.map_or("", |sign| sign.text.as_str());
            let parent = parent.map(ChildOf::parent);
            report.tell(format!("check: {entity} {} {text:?} {parent:?}", tree.height));
        }
    }
}
