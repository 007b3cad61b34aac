//! A mod that failed is never called again, whichever way in.

use bevy_wasm_mods::prelude::{CallMod, ModSettings, SaveMods};
use mod_abi::ModCallStatus;

#[cfg(feature = "hot_reload")]
use crate::shaky::TIDY;
use crate::{
    fixtures::Health,
    shaky::{Heard, Said, WAYS, asker, fail_once, game, runs, said, shaky, spawned, state},
    support::{Game, with_mods},
};

/// A game in which `shaky` has failed in the last frame, of which the game has not been told.
fn failed(kind: u64) -> Game {
    let settings = ModSettings { probation_frames: 0, ..ModSettings::default() };
    let mut game = game(&[("asker.wasm", &asker().build()), ("shaky.wasm", &shaky("shaky").build())], settings);
    game.until_told("loaded asker");
    game.frames(5);
    assert!(runs(&mut game).expect("it runs") > 4);
    fail_once(&mut game, kind);
    said(&mut game);
    game
}

/// Tries every way into the mod.
#[track_caller]
fn knock(game: &mut Game) {
    let told = game.faults().len();
    let by_mods = with_mods(game, |mut mods| mods.call::<_, u64>("shaky", "runs", &()));
    let error = by_mods.expect_err("it does not run").to_string();
    assert!(error.starts_with("the mod `shaky` does not run: "), "{error}");
    let function = with_mods(game, |mods| mods.function::<(), u64>("shaky", "runs").map(drop));
    function.expect_err("it does not run");
    game.app.world_mut().call_mod::<_, ()>("shaky", "poke", &()).expect_err("it does not run");
    game.app.world_mut().spawn(Health::default());
    let saved = game.app.world_mut().save_mods();
    let saved = serde_json::to_string(&saved).expect("a save");
    assert!(!saved.contains("Runs"), "an instance that failed is not asked what it keeps: {saved}");
    game.app.world_mut().resource_mut::<Heard>().status = 77;
    game.frame();
    let heard = game.app.world().resource::<Heard>().status;
    assert_eq!(ModCallStatus::from_raw(heard as u32), ModCallStatus::NotRunning);
    assert_eq!(game.app.world().resource::<Said>().0, [] as [u32; 0], "some code of it ran");
    assert!(game.faults().len() <= told + 1);
}

#[test]
fn no_way_leads_into_a_mod_that_failed() {
    for (kind, function, text) in WAYS {
        let mut game = failed(kind);
        // Before and after the frame boundary.
        knock(&mut game);
        knock(&mut game);
        let faults = game.faults();
        assert_eq!(faults.len(), 1, "{faults:?}");
        let fault = faults[0].to_string();
        assert!(faults[0].function.as_deref() == Some(function) && fault.contains(text), "{text} is not in: {fault}");
        assert_eq!(spawned(&mut game, "shaky"), 1, "what it left stays");
        // Neither does it tidy up when it goes.
        with_mods(&mut game, |mut mods| mods.unload("shaky").expect("it is known"));
        game.until_told("unloaded shaky");
        game.frames(3);
        assert_eq!(said(&mut game), [] as [u32; 0]);
        assert!(state(&game, "shaky").is_none());
    }
}

#[cfg(feature = "hot_reload")]
#[test]
fn a_mod_that_failed_is_not_asked_for_its_state() {
    for (kind, _, text) in WAYS {
        let mut game = failed(kind);
        game.frames(2);
        game.write("shaky.wasm", &shaky("shaky").fields("(func $another)").build());
        game.until_told("reloaded shaky");
        game.frames(1);
        let runs = runs(&mut game).expect("it runs");
        assert!(runs <= 3, "it should begin anew after {text}, not go on at {runs}");
        assert!(!said(&mut game).contains(&TIDY), "after {text}");
    }
}
