//! A mod that the game refuses: two of its queries can meet the same tree, and one of them writes.

use mod_sdk::prelude::*;

#[derive(Component)]
#[component(path = "all::sdk::orchard::Tree")]
struct Tree {
    height: f32,
    apples: u32,
}

#[derive(Component)]
#[component(path = "all::sdk::orchard::Marked")]
struct Marked;

#[mod_main]
fn main(app: &mut App) {
    app.add_systems(Update, (apart, together));
}

/// No tree is in both.
fn apart(mut marked: Query<&mut Tree, With<Marked>>, others: Query<&Tree, Without<Marked>>) {
    for mut tree in &mut marked {
        tree.apples += others.len() as u32;
    }
}

fn together(mut marked: Query<&mut Tree, With<Marked>>, all: Query<&Tree>) {
    for mut tree in &mut marked {
        tree.height += all.iter().map(|tree| tree.height).sum::<f32>();
    }
}
