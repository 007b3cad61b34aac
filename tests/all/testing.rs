//! `bevy_wasm_mods::testing`, as a game uses it in its own tests.

use bevy::prelude::{AppExit, Transform, Vec3};
use bevy_wasm_mods::{
    GameIdentity, Version,
    prelude::{ModAppExt, ModEvent, ModRegistry, ModSettings, ModState},
    testing::{ModTestApp, ModTestError},
};

use crate::{
    committed::{Bee, Velocity},
    support::Mod,
};

fn committed(name: &str) -> String {
    format!("{}/assets/mods/{name}", env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn a_mod_of_the_example_moves_what_the_test_spawns() -> Result<(), ModTestError> {
    let game = Some(GameIdentity { id: "orchard".to_owned(), api: Version::new(0, 1, 0) });
    let mut game = ModTestApp::with_settings(ModSettings { game, ..ModSettings::default() })?;
    game.app.add_mod_import("announce", || 0_u32);
    let bee = game.app.world_mut().spawn((Bee, Velocity(Vec3::X), Transform::default())).id();
    game.add_mod(committed("orchard_wind.wasm"))?.load()?;
    let state = game.app.world().resource::<ModRegistry>().state("orchard_wind").cloned();
    assert!(matches!(state, Some(ModState::Running)), "{state:?}");

    let before = game.app.world().get::<Transform>(bee).expect("it lives").translation.x;
    game.frames(60)?;
    let after = game.app.world().get::<Transform>(bee).expect("it lives").translation.x;
    // A second of its own speed and of a wind of 0.6.
    assert!((after - before - 1.6).abs() < 0.01, "{before} -> {after}");
    Ok(())
}

#[test]
fn a_mod_that_fails_is_an_error_with_its_report() -> Result<(), ModTestError> {
    let mut game = ModTestApp::new()?;
    let villain = Mod::new("villain").system("rage", "Update", vec![]).run("unreachable");
    game.add_file("villain.wasm", &villain.build())?;
    let error = game.load().and_then(|()| game.frames(5)).expect_err("it traps");
    let text = format!("{error:?}");
    assert!(text.contains("a mod failed") && text.contains("villain 1.2.3") && text.contains("`rage`"), "{text}");
    assert_eq!(game.faults().count(), 1);
    // Told once; the game goes on.
    game.frames(5)?;

    game.add_file("nonsense.wasm", b"nonsense")?;
    let error = game.load().expect_err("it is no mod").to_string();
    assert!(error.contains("mods/nonsense.wasm"), "{error}");

    let error = game.add_mod("assets/mods/not_there.wasm").expect_err("it is not there").to_string();
    assert!(error.contains("not_there.wasm cannot be put into the mod folder"), "{error}");
    Ok(())
}

#[test]
fn a_file_that_is_put_in_again_is_a_reload() -> Result<(), ModTestError> {
    let mut game = ModTestApp::new()?;
    let wind = Mod::new("wind").system("blow", "Update", vec![]);
    game.add_file("wind/mod.wasm", &wind.build())?.add_file("wind/leaf.txt", b"a leaf")?.load()?;
    assert!(game.is_running("wind"));
    game.add_file("wind/mod.wasm", &wind.clone().run("(nop)").build())?.load()?;
    let reloads = game.events().iter().filter(|event| matches!(event, ModEvent::Reloaded { .. })).count();
    assert_eq!(reloads, 1);
    assert!(game.app.should_exit().is_none_or(|exit| exit == AppExit::Success));
    Ok(())
}
