//! A fault stays a fault: it empties the mod's slots and is told once, and the game goes on.

use std::time::{Duration, Instant};

use bevy_wasm_mods::prelude::{ModLimits, ModSettings, ModState, Mods};

use crate::{
    fixtures::Health,
    support::{Game, Mod, healer, query},
};

/// Runs a mod that fails with this body in its first frame, beside a good one.
#[track_caller]
fn check(body: &str, expected: &[&str]) {
    let mut bad = Mod::new("bad");
    let health = bad.ty("Health", "{value:f32}");
    let params = || vec![query(&[], &[health])];
    let bad = bad.system("first", "Update", params()).system("second", "Update", params()).run(body);
    let limits = ModLimits { call_time: Duration::from_millis(30), ..Default::default() };
    let settings = ModSettings { limits, ..Default::default() };
    let mods: [(&str, &[u8]); 2] = [("bad.wasm", &bad.build()), ("good.wasm", &healer("good").build())];
    let mut game = Game::with_settings(&mods, settings);
    let patient = game.app.world_mut().spawn(Health::default()).id();
    game.until_told("loaded good");
    let fault = game.first_fault();
    for part in expected {
        assert!(fault.contains(part), "{part:?} is not in: {fault}");
    }
    let health = |game: &Game| game.app.world().get::<Health>(patient).expect("it is there").value;
    let before = health(&game);
    let start = Instant::now();
    game.frames(20);
    assert_eq!(health(&game), before + 20.0, "the good mod should play on");
    assert!(start.elapsed() < Duration::from_secs(1), "a stopped mod should cost nothing");
    assert_eq!(game.faults().len(), 1, "a fault is told once: {:?}", game.story());
    let failed = game.app.world_mut().run_system_cached(|mods: Mods| {
        matches!(mods.state("bad"), Some(ModState::Failed(_))) && mods.is_running("good")
    });
    assert!(failed.expect("the system runs"));
}

#[test]
fn traps_panics_and_loops() {
    check("unreachable", &["bad 1.2.3", "`", "unreachable"]);
    check("(drop (i32.load (i32.const -1)))", &["out of bounds memory access"]);
    check("(drop (i32.div_u (i32.const 1) (i32.const 0)))", &["divide by zero"]);
    check("(loop $again (br $again))", &["longer than 30ms"]);
    check(
        r#"(i32.store (i32.const 64) (i32.const 0x73706f6f)) (call $panic (i32.const 64) (i32.const 4)) unreachable"#,
        &["panicked: oops"],
    );
    check("(drop (call $deep (i32.const 1)))", &["call stack exhausted"]);
    check("(return (i64.const 0x0000001000000010))", &["commands, which it does not declare"]);
}

#[test]
fn the_first_fault_empties_all_slots_of_the_mod_in_the_same_frame() {
    // The first system fails; the second would write.
    let mut bad = Mod::new("bad");
    let health = bad.ty("Health", "{value:f32}");
    let bad =
        bad.system("fails", "Update", vec![]).system("writes", "Update", vec![query(&[], &[health])]).after(&[0]).run(
            "(if (i32.eqz (local.get $system)) (then unreachable))
             (f32.store (local.get $data) (f32.const 5)) (i64.store (local.get $dirty) (i64.const 1))",
        );
    let mut game = Game::with_mods(&[("bad.wasm", &bad.build())]);
    let patient = game.app.world_mut().spawn(Health::default()).id();
    let fault = game.first_fault();
    assert!(fault.contains("`fails`"), "{fault}");
    assert_eq!(game.app.world().get::<Health>(patient), Some(&Health::default()));
}

#[test]
fn a_startup_system_that_fails_stops_the_mod_before_its_first_frame() {
    let mut bad = Mod::new("bad");
    let health = bad.ty("Health", "{value:f32}");
    let bad = bad.system("start", "Startup", vec![]).system("writes", "Update", vec![query(&[], &[health])]).run(
        "(if (i32.eqz (local.get $system)) (then unreachable))
         (f32.store (local.get $data) (f32.const 5)) (i64.store (local.get $dirty) (i64.const 1))",
    );
    let mut game = Game::with_mods(&[("bad.wasm", &bad.build())]);
    let patient = game.app.world_mut().spawn(Health::default()).id();
    let fault = game.first_fault();
    assert!(fault.contains("`start`"), "{fault}");
    game.frames(3);
    assert_eq!(game.app.world().get::<Health>(patient), Some(&Health::default()));
}
