//! What each mod may use: what holds for all, what holds for one, and that one mod's limit is not another's.

use std::{collections::BTreeMap, time::Duration};

use bevy_wasm_mods::{ModLimits, ModOverrides, ModSettings};

use mod_abi::{command::Command, describe::ParamDesc};

use crate::{
    fixtures::Health,
    support::{Game, Mod, new_entity, query, value},
};

/// Settings in which the mod `large` alone has other limits.
fn except_large(limits: ModLimits, large: ModLimits) -> ModSettings {
    let overrides = ModOverrides { limits: Some(large), ..ModOverrides::default() };
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

/// A mod with so many systems that each use about 70,000 units of fuel.
fn worker(id: &str, systems: usize) -> Vec<u8> {
    let work = "(local.set $i (i32.const 10000))
        (loop $on
            (local.set $i (i32.sub (local.get $i) (i32.const 1)))
            (br_if $on (local.get $i)))";
    let named = |work: Mod, n: usize| work.system(&format!("work_{n}"), "Update", vec![]);
    (0..systems).fold(Mod::new(id), named).run(work).build()
}

#[test]
fn all_systems_of_a_mod_have_one_budget_in_a_frame() {
    let limits = ModLimits { frame_fuel: 180_000, ..ModLimits::default() };
    let settings = ModSettings { deterministic: true, limits, ..ModSettings::default() };
    let mods: [(&str, &[u8]); 2] = [("busy.wasm", &worker("busy", 3)), ("modest.wasm", &worker("modest", 2))];
    let mut game = Game::with_settings(&mods, settings);
    let fault = game.first_fault();
    let expected = "was stopped because the mod used more than 180000 units of fuel in one frame";
    assert!(fault.starts_with("busy") && fault.contains(expected), "{fault}");
    game.frames(50);
    assert_eq!(game.faults().len(), 1, "each frame is a new one: {:?}", game.faults());
}

#[test]
fn time_counts_for_a_frame_too() {
    let none = ModLimits { frame_time: Duration::ZERO, ..ModLimits::default() };
    let settings = except_large(ModLimits::default(), none);
    let mods: [(&str, &[u8]); 2] = [("large.wasm", &worker("large", 1)), ("other.wasm", &worker("other", 1))];
    let mut game = Game::with_settings(&mods, settings);
    let fault = game.first_fault();
    assert!(
        fault.starts_with("large") && fault.contains("was stopped because the mod ran longer than 0ns in one frame"),
        "{fault}"
    );
    game.frames(20);
    assert_eq!(game.faults().len(), 1, "{:?}", game.faults());
}

#[test]
fn a_mod_pays_for_what_the_game_does_for_it() {
    // One reads many rows, the other one leaves many commands; both hardly compute.
    let mut reader = Mod::new("reader");
    let health = reader.ty("all::fixtures::Health", "{value:f32}");
    let reader = reader.system("read", "Update", vec![query(&[health], &[])]).run("").build();
    let mut writer = Mod::new("writer");
    let health = writer.ty("all::fixtures::Health", "{value:f32}");
    let commands: Vec<_> =
        (0..400).map(|_| Command::Insert { entity: new_entity(0), components: vec![value(health, &[0; 4])] }).collect();
    let commands = [vec![Command::Spawn { entity: new_entity(0), components: vec![] }], commands].concat();
    let writer = writer.system("write", "Update", vec![ParamDesc::Commands]).leaves(0, &commands).build();
    let limits = ModLimits { frame_fuel: 40_000, startup_fuel: 1_000_000_000, ..ModLimits::default() };
    let settings = ModSettings { deterministic: true, limits, ..ModSettings::default() };
    let mut game = Game::with_settings(&[("reader.wasm", &reader), ("writer.wasm", &writer)], settings);
    game.app.world_mut().spawn_batch((0..20_000).map(|_| Health::default()));
    game.until("both are stopped", |game| game.faults().len() == 2);
    for fault in game.faults() {
        assert!(fault.to_string().contains("more than 40000 units of fuel in one frame"), "{fault}");
    }
}
