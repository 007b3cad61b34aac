//! What each mod may use: what holds for all, what holds for one, and that one mod's limit is not another's.

use std::collections::BTreeMap;

use bevy_wasm_mods::{ModLimits, ModOverrides, ModSettings};

use crate::support::{Game, Mod};

/// Settings in which the mod `large` alone has other limits.
fn except_large(limits: ModLimits, large: ModLimits) -> ModSettings {
    let overrides = ModOverrides { limits: Some(large) };
    ModSettings { limits, overrides: BTreeMap::from([("large".to_owned(), overrides)]), ..ModSettings::default() }
}

#[test]
fn a_mod_may_have_limits_of_its_own() {
    // Fails unless it gets 64 pages more.
    let grows = |id| {
        let grow = "(if (i32.eq (memory.grow (i32.const 64)) (i32.const -1)) (then unreachable))";
        Mod::new(id).system("grow", "Startup", vec![]).run(grow).build()
    };
    let small = ModLimits { memory_bytes: 1 << 20, ..ModLimits::default() };
    let settings = except_large(small, ModLimits::default());
    let mut game = Game::with_settings(&[("a.wasm", &grows("large")), ("b.wasm", &grows("other"))], settings);
    game.until_told("loaded large");
    let fault = game.first_fault();
    assert!(fault.starts_with("other") && fault.contains("out of memory"), "{fault}");
    assert_eq!(game.faults().len(), 1);
}

#[test]
fn files_are_as_large_as_their_mods_may_be() {
    let heavy = |id| {
        let weight = format!("(@custom \"weight\" \"{}\")", "a".repeat(4_000));
        Mod::new(id).system("idle", "Update", vec![]).fields(&weight).build()
    };
    let small = ModLimits { file_bytes: 3_000, ..ModLimits::default() };
    let settings = except_large(small, ModLimits::default());
    let mut game = Game::with_settings(&[("a.wasm", &heavy("large")), ("b.wasm", &heavy("other"))], settings);
    game.until_told("loaded large");
    let fault = game.first_fault();
    assert!(fault.starts_with("other") && fault.contains("more than the limit of 3000"), "{fault}");
}
