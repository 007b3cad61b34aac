//! A mod with pictures of its own.

use mod_sdk::prelude::*;

/// As Bevy's has them: what a mod does not name is as in the game's default.
#[derive(Component)]
#[component(path = "all::own_assets::Sprite", partial)]
struct Sprite {
    image: String,
    flip_x: bool,
}

#[derive(Component)]
#[component(path = "all::own_assets::Place")]
struct Place(Vec3);

#[mod_main]
fn main(app: &mut App) {
    app.add_systems(Startup, hang).add_systems(Update, look);
}

fn hang(mut commands: Commands) {
    commands.spawn((Sprite { image: own_asset!("leaf.png").into(), flip_x: true }, Place(Vec3::X)));
    for number in 1..=2 {
        commands.spawn(Sprite { image: format!(own_asset!("trees/{}.png"), number), flip_x: false });
    }
}

/// Paths come back as they were.
fn look(mut sprites: Query<&mut Sprite, Without<Place>>) {
    for mut sprite in &mut sprites {
        if sprite.image == own_asset!("trees/2.png") {
            sprite.flip_x = true;
        }
    }
}
