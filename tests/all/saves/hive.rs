//! A game that saves its own things, and the mod `hive` of `tests/guests` in it.

use std::{
    fs,
    path::{Path, PathBuf},
};

use bevy::{
    ecs::entity::EntityHashMap,
    prelude::{Component, Entity, Reflect, ReflectComponent, Resource, World},
};
use bevy_wasm_mods::prelude::{ModEvent, ModRestore, ModSave, SaveMods};
use serde::{Deserialize, Serialize};
use tempfile::TempDir;

use crate::{guests::builds_of, support::Game};

#[derive(Component, Reflect, Debug, Default, Clone, PartialEq)]
#[reflect(Component)]
struct Flower {
    name: String,
}

#[derive(Resource, Reflect, Debug, Default, Clone, PartialEq)]
struct Report {
    lines: Vec<String>,
}

/// What the game writes: its flowers with their ids, and what mods have.
#[derive(Serialize, Deserialize)]
struct SaveFile {
    flowers: Vec<(Entity, String)>,
    mods: ModSave,
}

fn new_game(files: &[(&str, &[u8])]) -> Game {
    let mut game = Game::with_mods(files);
    game.app.init_resource::<Report>().register_type::<Flower>();
    // Ids are not the same in two sessions.
    for _ in 0..files.len() * 3 {
        game.app.world_mut().spawn_empty();
    }
    game
}

fn flowers(world: &mut World) -> Vec<(Entity, String)> {
    world.query::<(Entity, &Flower)>().iter(world).map(|(entity, flower)| (entity, flower.name.clone())).collect()
}

fn save(game: &mut Game, path: &Path) {
    let world = game.app.world_mut();
    let file = SaveFile { flowers: flowers(world), mods: world.save_mods() };
    assert_eq!(file.mods.problems(), []);
    fs::write(path, serde_json::to_string_pretty(&file).expect("it has a form")).expect("a file");
}

/// Loads a game as games do: its own things first.
fn load(game: &mut Game, path: &Path) -> ModRestore {
    let text = fs::read_to_string(path).expect("a file");
    let file: SaveFile = serde_json::from_str(&text).expect("it was written so");
    let world = game.app.world_mut();
    for (entity, _) in flowers(world) {
        world.despawn(entity);
    }
    let mut entities = EntityHashMap::default();
    for (id, name) in file.flowers {
        world.spawn_empty();
        entities.insert(id, world.spawn(Flower { name }).id());
    }
    world.restore_mods(&file.mods, &mut entities)
}

/// What the mod reports in the next frame, when nothing has failed.
fn told(game: &mut Game) -> Vec<String> {
    let lines = reported(game);
    assert_eq!(game.faults().first().map(ToString::to_string), None);
    lines
}

fn reported(game: &mut Game) -> Vec<String> {
    game.frame();
    let mut lines = game.app.world().resource::<Report>().lines.clone();
    lines.sort_unstable();
    lines
}

fn plant(game: &mut Game) {
    for name in ["tulip", "rose"] {
        game.app.world_mut().spawn(Flower { name: name.to_owned() });
    }
}

/// A game in which the hive has lived for so many frames after its first one, and its save.
fn saved(bytes: &[u8], frames: usize) -> (Game, TempDir, PathBuf) {
    let mut game = new_game(&[("hive.wasm", bytes)]);
    plant(&mut game);
    game.until_told("loaded hive");
    game.frames(frames);
    let folder = TempDir::new().expect("a folder");
    let path = folder.path().join("save.json");
    save(&mut game, &path);
    (game, folder, path)
}

#[test]
fn all_that_a_mod_has_comes_back_in_another_session() {
    for (_, bytes) in builds_of("hive") {
        let (mut old, _folder, path) = saved(&bytes, 2);
        let mut before = told(&mut old);
        assert_eq!(
            before,
            [
                "bee: guest at queen false",
                "bee: queen at rose true",
                "memory: 4 Some(\"queen\") tulip+rose angry at tulip 0 hum",
                "pollen: 7 on tulip from rose",
                "runs: 4",
                "store: 40 at rose",
            ]
        );
        let mut game = new_game(&[("hive.wasm", &bytes), ("b.wasm", b"no mod")]);
        game.app.world_mut().spawn(Flower { name: "daisy".to_owned() });
        game.until_told("loaded hive");
        let restored = load(&mut game, &path);
        assert!(restored.is_complete(), "{restored}");
        // It has started once more, and run once since the save, as the other one has.
        for line in &mut before {
            if line.starts_with("memory") {
                *line = line.replace(" 0 hum", " 1 hum");
            } else if line.starts_with("runs") {
                "runs: 1".clone_into(line);
            }
        }
        assert_eq!(reported(&mut game), before);
        // And again, in the middle of that session: nothing is there twice.
        game.frames(3);
        let restored = load(&mut game, &path);
        assert!(restored.is_complete(), "{restored}");
        assert_eq!(reported(&mut game), before);
        assert!(game.events.iter().any(|event| matches!(event, ModEvent::Restored { id, .. } if &**id == "hive")));
    }
}

#[test]
fn a_newer_version_takes_over_what_it_can_and_says_what_it_cannot() {
    for ((_, bytes), (_, later)) in builds_of("hive").into_iter().zip(builds_of("hive_later")) {
        let (_, _folder, path) = saved(&bytes, 2);
        let mut game = new_game(&[("hive.wasm", &later)]);
        game.until_told("loaded hive");
        let restored = load(&mut game, &path);
        let text = restored.to_string();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(
            lines,
            [
                "hive: Memory.song was str and is u8 now, so it starts anew",
                "hive: Memory.mood is no longer kept",
                "hive: Memory.reloads is no longer kept",
                "hive: hive::Asleep is no longer defined, so its values are gone",
                "hive: hive::Bee.home was entity and is (entity) now, so it starts anew",
                "hive: hive::Pollen is no longer defined, so its values are gone",
                "hive: hive::Store.at is no longer kept",
                "hive is 0.2.0 here, newer than the 0.1.0 of this save",
            ]
        );
        assert_eq!(
            told(&mut game),
            [
                "bee: guest at nobody 0",
                "bee: queen at nobody 0",
                "memory: 3 9 Some(\"queen\") tulip+rose 1",
                "store: 30 0 4",
            ]
        );
    }
}

#[test]
fn a_game_may_load_while_its_mods_do() {
    for (_, bytes) in builds_of("hive") {
        let (_, _folder, path) = saved(&bytes, 2);
        let mut game = new_game(&[("hive.wasm", &bytes)]);
        let restored = load(&mut game, &path);
        assert_eq!(restored.to_string(), "hive 0.1.0 is still being loaded; what it has in this save is kept for it");
        game.until_told("loaded hive");
        let lines = game.app.world().resource::<Report>().lines.clone();
        assert!(lines[0].starts_with("memory: 4 Some(\"queen\") tulip+rose angry at tulip 1"), "{lines:?}");
        assert_eq!(lines.iter().filter(|line| line.starts_with("bee: queen")).count(), 1, "{lines:?}");
    }
}

#[test]
fn ids_of_entities_that_did_not_come_back_are_nobodys() {
    for (_, bytes) in builds_of("hive") {
        let (_, _folder, path) = saved(&bytes, 2);
        let mut file: SaveFile = serde_json::from_str(&fs::read_to_string(&path).expect("a file")).expect("a save");
        file.flowers.retain(|(_, name)| name != "tulip");
        fs::write(&path, serde_json::to_string(&file).expect("it has a form")).expect("a file");
        let mut game = new_game(&[("hive.wasm", &bytes)]);
        game.until_told("loaded hive");
        let restored = load(&mut game, &path);
        assert_eq!(restored.to_string(), "hive: 1 entity is not there any more, and with that its `hive::Pollen`");
        // It still has an id, with which it can do what it could with one of an entity that was despawned.
        let lines = told(&mut game);
        assert_eq!(lines[2], "memory: 4 Some(\"queen\") nobody+rose angry at nobody 1 hum");
    }
}
