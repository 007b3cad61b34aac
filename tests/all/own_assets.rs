//! A mod with assets of its own, under `mods/<id>/`: in one folder with its module, or beside it.

use std::io;

use bevy::{
    asset::{
        Asset, AssetApp, AssetLoadFailedEvent, AssetLoader, AssetServer, Assets, Handle, LoadContext, ReflectAsset,
        io::Reader,
    },
    ecs::{message::Messages, reflect::ReflectComponent},
    math::Vec3,
    prelude::{Component, Has, Reflect, default},
    reflect::{TypePath, std_traits::ReflectDefault},
};
#[cfg(feature = "hot_reload")]
use bevy_wasm_mods::prelude::ModRegistry;
use bevy_wasm_mods::prelude::{ModSettings, SpawnedBy};

use crate::{
    guests::builds_of,
    support::{Game, Mod},
};

/// What a picture is to a game without a screen.
#[derive(Asset, Reflect, Debug, PartialEq)]
#[reflect(Asset)]
struct Image {
    bytes: Vec<u8>,
}

#[derive(TypePath)]
struct ImageLoader;

impl AssetLoader for ImageLoader {
    type Asset = Image;
    type Settings = ();
    type Error = io::Error;

    async fn load(&self, reader: &mut dyn Reader, _: &(), _: &mut LoadContext<'_>) -> io::Result<Image> {
        let mut bytes = Vec::new();
        reader.read_to_end(&mut bytes).await?;
        Ok(Image { bytes })
    }

    fn extensions(&self) -> &[&str] {
        &["png"]
    }
}

/// The part of Bevy's that matters here.
#[derive(Component, Reflect, Debug, Default, Clone)]
#[reflect(Component, Default)]
struct Sprite {
    image: Handle<Image>,
    flip_x: bool,
    flip_y: bool,
    custom_size: Option<Vec3>,
}

#[derive(Component, Reflect, Debug)]
#[reflect(Component)]
struct Place(Vec3);

fn game(files: &[(&str, &[u8])], settings: ModSettings) -> Game {
    let mut game = Game::with_settings(files, settings);
    game.app.init_asset::<Image>().register_asset_reflect::<Image>().register_asset_loader(ImageLoader);
    game
}

/// The sprites that the mod has spawned: the path of the picture, whether it is flipped, and has a place.
fn sprites(game: &mut Game) -> Vec<(String, bool, bool)> {
    let world = game.app.world_mut();
    let mut sprites = world.query::<(&Sprite, &SpawnedBy, Has<Place>)>();
    let path = |sprite: &Sprite| sprite.image.path().map(ToString::to_string).unwrap_or_default();
    let line = |(sprite, by, place): (&Sprite, &SpawnedBy, bool)| {
        assert_eq!(by.mod_id(), "art_gallery");
        (path(sprite), sprite.flip_x, place)
    };
    let mut all: Vec<_> = sprites.iter(world).map(line).collect();
    all.sort_unstable();
    all
}

fn image_of(game: &Game, handle: &Handle<Image>) -> Option<Vec<u8>> {
    game.app.world().resource::<Assets<Image>>().get(handle).map(|image| image.bytes.clone())
}

/// In each place that a mod may have.
#[test]
fn a_mod_spawns_a_sprite_with_its_own_picture() {
    for (_, bytes) in builds_of("gallery") {
        for module in ["art_gallery/mod.wasm", "anything.wasm"] {
            let files: [(&str, &[u8]); 4] = [
                (module, &bytes),
                ("art_gallery/leaf.png", b"a leaf"),
                ("art_gallery/trees/1.png", b"a tree"),
                ("art_gallery/readme.txt", b"hello"),
            ];
            let mut game = game(&files, ModSettings::default());
            game.until_told("loaded art_gallery");
            game.frames(2);
            let path = |name: &str| format!("mods/art_gallery/{name}");
            let expected = [
                (path("leaf.png"), true, true),
                (path("trees/1.png"), false, false),
                (path("trees/2.png"), true, false),
            ];
            assert_eq!(sprites(&mut game), expected, "{module}");

            // The game gets the same asset by the same ordinary path.
            let server = game.app.world().resource::<AssetServer>().clone();
            let leaf: Handle<Image> = server.load("mods/art_gallery/leaf.png");
            game.until("the picture", |game| image_of(game, &leaf).is_some());
            assert_eq!(image_of(&game, &leaf).as_deref(), Some(&b"a leaf"[..]));
            let world = game.app.world_mut();
            let own = world.query::<(&Sprite, &Place)>().single(world).expect("one").0.clone();
            assert_eq!(own.image, leaf);
            assert!(!own.flip_y && own.custom_size.is_none());
            let tree: Handle<Image> = server.load("mods/art_gallery/trees/1.png");
            game.until("the tree", |game| image_of(game, &tree).is_some());

            // The third one's file is missing: that is for the asset server to tell, and no fault of the mod.
            let missing: Handle<Image> = server.load("mods/art_gallery/trees/2.png");
            game.until("the missing one", |_| server.load_state(&missing).is_failed());
            game.frames(5);
            game.app.world_mut().resource_mut::<Messages<AssetLoadFailedEvent<Image>>>().clear();
            game.frames(5);
            let failures = game.app.world().resource::<Messages<AssetLoadFailedEvent<Image>>>().len();
            assert_eq!(failures, 0, "nobody tries again in each frame in which the mod writes the sprite");
            assert_eq!(game.story(), ["loaded art_gallery"]);
        }
    }
}

#[test]
fn a_folder_without_a_module_is_no_mod() {
    let files: [(&str, &[u8]); 5] = [
        ("wind.wasm", &Mod::new("breeze").build()),
        ("breeze/leaf.png", b"a leaf"),
        ("textures/leaf.png", b"another"),
        ("textures/other.wasm", b"not a mod here"),
        ("z.wasm", &Mod::new("z").build()),
    ];
    let mut game = game(&files, ModSettings::default());
    game.until_told("loaded z");
    let server = game.app.world().resource::<AssetServer>().clone();
    let [leaf, other]: [Handle<Image>; 2] =
        ["mods/breeze/leaf.png", "mods/textures/leaf.png"].map(|path| server.load(path));
    game.until("the pictures", |game| image_of(game, &leaf).is_some() && image_of(game, &other).is_some());
    assert_eq!(game.story(), ["loaded breeze", "loaded z"]);
}

#[test]
fn a_folder_has_the_name_of_its_mod() {
    let settings = || [ModSettings::default(), ModSettings { folder: "mods/addons".to_owned(), ..default() }];
    for (settings, at) in settings().into_iter().zip(["", "addons/"]) {
        let name = |file: &str| format!("{at}{file}");
        let (gale, calm) = (Mod::new("wind").build(), Mod::new("calm").build());
        let [wrong, right] = [name("gale/mod.wasm"), name("calm/mod.wasm")];
        let mut game = game(&[(&wrong, &gale), (&right, &calm)], settings);
        game.until_told("loaded calm");
        let expected = format!(
            "wind 1.2.3 (mods/{wrong}): it lies in the folder `gale`, but its id is `wind`, so its assets would be looked for in \
             the folder `wind`; rename the folder to `wind`"
        );
        assert_eq!(game.first_fault(), expected);
        assert_eq!(game.story().len(), 2);
    }
}

/// The case counts: where file systems do not see it, the assets would be found here and not at other players'.
#[test]
fn a_folder_of_another_case_is_another_name() {
    let mut game = game(&[("Wind/mod.wasm", &Mod::new("wind").build())], ModSettings::default());
    assert!(game.first_fault().ends_with("rename the folder to `wind`"));
}

#[test]
fn a_mod_in_a_wrong_folder_does_not_touch_the_right_one() {
    let (one, two) = (Mod::new("wind").build(), Mod::new("wind").build());
    let mut game = game(&[("a/mod.wasm", &one), ("wind/mod.wasm", &two)], ModSettings::default());
    game.until_told("loaded wind");
    let mut story = game.story();
    story.sort_unstable();
    assert_eq!(story, ["failed wind", "loaded wind"]);
}

#[cfg(feature = "hot_reload")]
#[test]
fn renaming_the_folder_is_enough() {
    let mut game = game(&[("gale/mod.wasm", &Mod::new("wind").build())], ModSettings::default());
    game.until_told("failed wind");
    std::fs::rename(game.path("gale"), game.path("wind")).expect("a rename");
    game.until_told("loaded wind");
    // A version with another id does not belong here. The one that runs goes on.
    game.write("wind/mod.wasm", &Mod::new("storm").build());
    game.until_told("failed storm");
    assert!(game.faults().last().expect("a fault").to_string().contains("rename the folder to `storm`"));
    assert!(game.app.world().resource::<ModRegistry>().is_running("wind"));
}
