//! A mod that uses files with nothing but its own standard library, in a game that grants it some.

use std::fs;

use bevy_wasm_mods::prelude::{CallMod, ModSettings, WasiGrants};
use tempfile::TempDir;

use crate::{guests::builds_of, support::Game};

/// Calls a function of the mod.
#[track_caller]
fn ask(game: &mut Game, function: &str, args: &impl serde::Serialize) -> String {
    let answer = game.app.world_mut().call_mod::<_, String>("explorer", function, args);
    answer.unwrap_or_else(|error| panic!("{error}"))
}

/// The mod built for WASI, where the target is installed.
fn explorer() -> Option<Vec<u8>> {
    builds_of("explorer").into_iter().find(|(target, _)| *target == "wasm32-wasip1").map(|(_, bytes)| bytes)
}

#[test]
fn a_mod_uses_what_is_granted_until_the_guard_is_dropped() {
    let Some(bytes) = explorer() else { return };
    let (news, saves) = (TempDir::new().expect("a folder"), TempDir::new().expect("a folder"));
    fs::write(news.path().join("today.txt"), "the first blossom").expect("a file");
    fs::write(news.path().join("yesterday.txt"), "frost").expect("a file");
    let grants = WasiGrants::default();
    let to = || grants.to("explorer");
    let reading = to().dir(news.path(), "/news").env("SEASON", "spring").wall_clock().grant().expect("a grant");
    let writing = to().writable_dir(saves.path(), "/saves", 1 << 20).grant().expect("a grant");
    let settings = ModSettings { wasi: grants.clone(), ..Default::default() };
    let mut game = Game::with_settings(&[("explorer.wasm", &bytes)], settings);
    game.until_told("loaded explorer");
    let game = &mut game;

    assert_eq!(ask(game, "read", &"/news/today.txt"), "the first blossom");
    assert_eq!(ask(game, "list", &"/news"), "today.txt yesterday.txt");
    assert_eq!(ask(game, "variable", &"SEASON"), "spring");
    assert_eq!(ask(game, "variable", &"PATH"), "environment variable not found");
    assert_eq!(ask(game, "read", &"/news/tomorrow.txt"), "NotFound");
    assert_eq!(ask(game, "write", &("/news/today.txt", "lies")), "PermissionDenied");
    for path in ["/news/../../etc/passwd", "/etc/passwd", "/news/../saves/../../etc/passwd"] {
        assert!(["NotFound", "PermissionDenied"].contains(&&*ask(game, "read", &path)), "{path}");
    }

    assert_eq!(ask(game, "write", &("/saves/one.txt", "first")), "written");
    assert_eq!(ask(game, "append", &("/saves/one.txt", " and second")), "written");
    assert_eq!(ask(game, "read", &"/saves/one.txt"), "first and second");
    assert_eq!(ask(game, "change", &("create_dir", "/saves/old/older", "")), "done");
    assert_eq!(ask(game, "change", &("rename", "/saves/one.txt", "/saves/old/older/two.txt")), "done");
    assert_eq!(ask(game, "change", &("copy", "/news/today.txt", "/saves/copy.txt")), "done");
    assert_eq!(ask(game, "list", &"/saves"), "copy.txt old");
    assert_eq!(ask(game, "change", &("remove_dir", "/saves/old", "")), "done");
    assert_eq!(ask(game, "write", &("/saves/big.bin", "x".repeat(1 << 20))), "QuotaExceeded");

    assert_eq!(ask(game, "keep", &"/news/today.txt"), "kept");
    assert_eq!(ask(game, "keep", &""), "the first blossom");
    drop(reading);
    assert_eq!(ask(game, "keep", &""), "PermissionDenied", "a file that was open");
    assert_eq!(ask(game, "read", &"/news/yesterday.txt"), "PermissionDenied");
    assert_eq!(ask(game, "list", &"/saves"), "big.bin copy.txt", "the other folder is still there");
    drop(writing);
    assert_eq!(ask(game, "list", &"/saves"), "PermissionDenied");
    assert!(game.faults().is_empty(), "none of it was a fault");
}

#[test]
fn a_mod_without_grants_finds_no_files() {
    let Some(bytes) = explorer() else { return };
    let mut game = Game::with_mods(&[("explorer.wasm", &bytes)]);
    game.until_told("loaded explorer");
    for path in ["/", "/etc/passwd", "Cargo.toml"] {
        assert!(["Unsupported", "NotFound"].contains(&&*ask(&mut game, "list", &path)), "{path}");
        assert!(["Unsupported", "NotFound"].contains(&&*ask(&mut game, "read", &path)), "{path}");
    }
}
