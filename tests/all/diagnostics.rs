//! What mods use, as the game sees it: per frame, per mod, and exactly what was done.

use std::time::Duration;

use bevy::{
    diagnostic::{Diagnostic, DiagnosticPath, DiagnosticsStore, LogDiagnosticsPlugin},
    prelude::{App, Entity, Event, In, MinimalPlugins, Reflect, ReflectEvent},
};
use bevy_wasm_mods::prelude::{
    CallMod, FaultPolicy, ModAppExt, ModDiagnostics, ModDiagnosticsPlugin, ModRegistry, ModSettings, ModUsage,
};
use mod_abi::{
    DependencyKind, codec,
    command::Command,
    describe::{EventDesc, ParamDesc},
};

use crate::{
    fixtures::{Health, Lettering},
    support::{Game, Mod, healer, new_entity, query, with_mods},
};

type PathOf = fn(&str) -> DiagnosticPath;

const PATHS: [PathOf; 6] = [
    ModDiagnostics::time,
    ModDiagnostics::calls,
    ModDiagnostics::bytes_in,
    ModDiagnostics::bytes_out,
    ModDiagnostics::commands,
    ModDiagnostics::faults,
];

fn game(mods: &[(&str, &[u8])]) -> Game {
    game_with(mods, ModSettings::default())
}

fn game_with(mods: &[(&str, &[u8])], settings: ModSettings) -> Game {
    let mut game = Game::with_settings(mods, settings);
    game.app.add_plugins(ModDiagnosticsPlugin::default());
    // Nothing has it at the start.
    game.app.world_mut().register_component::<Health>();
    game
}

fn store(game: &Game) -> &DiagnosticsStore {
    game.app.world().resource()
}

fn value(game: &Game, path: DiagnosticPath) -> Option<f64> {
    store(game).get(&path).and_then(Diagnostic::value)
}

/// Calls, bytes in and out, commands and faults of the last frame that is over.
fn figures(game: &Game, id: &str) -> [f64; 5] {
    [1, 2, 3, 4, 5].map(|figure| value(game, PATHS[figure](id)).expect("it is measured"))
}

/// Runs a frame, and another one at whose start the first one is measured.
fn measured(game: &mut Game, id: &str) -> [f64; 5] {
    game.frames(2);
    figures(game, id)
}

fn usage(game: &Game, id: &str) -> Option<ModUsage> {
    game.app.world().resource::<ModRegistry>().usage(id)
}

/// How many diagnostics the game has of mods.
fn count(game: &Game) -> usize {
    store(game).iter().filter(|diagnostic| diagnostic.path().as_str().starts_with("mods/")).count()
}

#[test]
fn rows_count_as_bytes_and_runs_as_calls() {
    let mut game = game(&[("healer.wasm", &healer("healer").build())]);
    game.app.world_mut().spawn(Health::default());
    game.until_told("loaded healer");
    let [calls, one_in, one_out, commands, faults] = measured(&mut game, "healer");
    assert_eq!([calls, one_out, commands, faults], [1.0, 4.0, 0.0, 0.0]);
    game.app.world_mut().spawn_batch((0..999).map(|_| Health::default()));
    let [calls, all_in, all_out, ..] = measured(&mut game, "healer");
    assert_eq!([calls, all_out], [1.0, 4000.0], "each row that was written comes back");
    // Each row has four bytes and one in the map of dirty rows, and parts begin at multiples of 16.
    let more = all_in - one_in;
    assert!((999.0 * 5.0 - 32.0..=999.0 * 5.0 + 32.0).contains(&more), "{one_in} and {more} more");
    let time = value(&game, ModDiagnostics::time("healer")).expect("it is measured");
    assert!(time > 0.0 && time < 10_000.0, "{time} ms");
    let now = usage(&game, "healer").expect("it is known");
    assert_eq!((now.calls, now.bytes_out, now.commands, now.faults), (1, 4000, 0, 0));
    assert_eq!((now.time.as_secs_f64() * 1e3, now.bytes_in as f64), (time, all_in));
}

#[test]
fn rows_of_varying_size_count_as_their_encoding() {
    // Each row is written as one that has no text and no tags: two lengths.
    let mut eraser = Mod::new("eraser");
    let label = eraser.ty("all::fixtures::Lettering", "{text:str,tags:[str]}");
    let eraser = eraser.system("erase", "Update", vec![query(&[], &[label])]).run(
        "(i32.store offset=40 (local.get $block) (i32.const 8192))
         (i32.store offset=44 (local.get $block) (i32.mul (local.get $rows) (i32.const 16)))
         (i32.store16 (local.get $dirty) (i32.const 0x0101))",
    );
    let mut game = game(&[("eraser.wasm", &eraser.build())]);
    for text in ["apple", "pear"] {
        game.app.world_mut().spawn(Lettering { text: text.to_owned(), tags: Vec::new() });
    }
    game.until_told("loaded eraser");
    let [calls, _, bytes_out, ..] = measured(&mut game, "eraser");
    assert_eq!(([calls, bytes_out], game.faults().len()), ([1.0, 32.0], 0), "{:?}", game.faults());
}

#[test]
fn commands_count_when_they_are_carried_out() {
    let spawns: Vec<_> = (0..3).map(|n| Command::Spawn { entity: new_entity(n), components: Vec::new() }).collect();
    let bytes: usize = spawns.iter().map(|spawn| codec::encode(spawn).expect("a command").len()).sum();
    let despawn = [Command::Despawn { entity: Entity::PLACEHOLDER.to_bits() }];
    let spawner = Mod::new("spawner").system("spawn", "Update", vec![ParamDesc::Commands]).leaves(0, &spawns);
    let bad = Mod::new("bad").system("spawn", "Update", vec![ParamDesc::Commands]);
    let bad = bad.leaves(0, &[&spawns[..], &despawn].concat());
    let mut game = game(&[("bad.wasm", &bad.build()), ("spawner.wasm", &spawner.build())]);
    game.until_told("loaded spawner");
    let [calls, _, bytes_out, commands, _] = measured(&mut game, "spawner");
    assert_eq!([calls, bytes_out, commands], [1.0, bytes as f64, 3.0]);
    game.until_told("failed bad");
    let all = store(&game).get(&ModDiagnostics::commands("bad")).expect("it is measured");
    assert!(all.values().all(|commands| *commands == 0.0), "one of them is wrong, so none is carried out");
}

/// An event of the game.
#[derive(Event, Reflect, Clone)]
#[reflect(Event)]
struct Bell {
    strokes: u64,
}

#[test]
fn observers_calls_and_what_they_call_count() {
    let mut ringer = Mod::new("ringer")
        .import("double")
        .fields(r#"(func (export "__ask") (param $args i64) (result i64) (call $double (local.get $args)))"#);
    let bell = ringer.ty("all::diagnostics::Bell", "{strokes:u64}");
    let ringer = ringer.observer("hear", EventDesc::Event(bell), vec![]);
    let mut game = game(&[("ringer.wasm", &ringer.build())]);
    game.app.register_type::<Bell>().add_mod_import("double", |In(value): In<u32>| value * 2);
    game.until_told("loaded ringer");
    assert_eq!(measured(&mut game, "ringer"), [0.0; 5], "nothing happens");
    game.app.world_mut().trigger(Bell { strokes: 1 });
    game.frame();
    let [calls, heard, ..] = figures(&game, "ringer");
    assert!(calls == 1.0 && heard >= 8.0, "{calls} calls, {heard} bytes");
    for _ in 0..2 {
        game.app.world_mut().trigger(Bell { strokes: 2 });
    }
    let doubled: u32 = game.app.world_mut().call_mod("ringer", "ask", &21_u32).expect("it answers");
    assert_eq!(doubled, 42);
    game.frame();
    // Twice four bytes each way: of the call, and of the host function.
    assert_eq!(figures(&game, "ringer"), [3.0, 2.0 * heard + 8.0, 8.0, 0.0, 0.0]);
    game.frame();
    assert_eq!(figures(&game, "ringer"), [0.0; 5], "each frame is counted by itself");
}

#[test]
fn start_up_systems_count_in_the_frame_in_which_a_mod_comes() {
    let starter = Mod::new("starter").system("start", "Startup", vec![ParamDesc::Commands]);
    let spawn = [Command::Spawn { entity: new_entity(0), components: Vec::new() }];
    let mut game = game(&[("starter.wasm", &starter.leaves(0, &spawn).build())]);
    game.until_told("loaded starter");
    assert_eq!((count(&game), usage(&game, "starter")), (0, None), "its first frame is not over");
    game.frame();
    let [calls, _, _, commands, _] = figures(&game, "starter");
    assert_eq!(([calls, commands], count(&game)), ([1.0, 1.0], 6));
    game.frame();
    assert_eq!(figures(&game, "starter"), [0.0; 5]);
}

#[test]
fn two_mods_are_measured_apart_and_time_belongs_to_who_calls() {
    let bees = Mod::new("bees").fields(
        r#"(func (export "__honey") (param $args i64) (result i64) (local $i i32)
            (loop $again
                (local.set $i (i32.add (local.get $i) (i32.const 1)))
                (br_if $again (i32.lt_u (local.get $i) (i32.const 3000000))))
            (local.get $args))"#,
    );
    let wasps = Mod::new("wasps")
        .depends(DependencyKind::Required, "bees")
        .import_of("bees", "honey")
        .system("steal", "Update", vec![])
        .run("(drop (call $honey (i64.const 0x10000000004)))");
    let mut game = game(&[("bees.wasm", &bees.build()), ("wasps.wasm", &wasps.build())]);
    game.until_told("loaded wasps");
    // In the first frame the list of those whom it may call is being written.
    game.frames(2);
    let ([calls, given, taken, ..], [asked, answered, sent, ..]) = {
        let bees = measured(&mut game, "bees");
        (bees, figures(&game, "wasps"))
    };
    assert_eq!([calls, given, taken], [1.0, 4.0, 4.0], "{:?}", game.faults());
    // The answer is a status and the result; the batch of a system without parameters is its head.
    assert_eq!([asked, answered, sent], [1.0, 16.0 + 8.0, 4.0]);
    let time = |id| usage(&game, id).expect("it is known").time;
    assert_eq!(time("bees"), Duration::ZERO, "its caller pays");
    assert!(time("wasps") > Duration::from_micros(200), "{:?}", time("wasps"));
}

#[test]
fn faults_are_counted_once_and_go_on_over_restarts() {
    let settings = ModSettings { fault_policy: FaultPolicy::Restart, ..ModSettings::default() };
    let bad = Mod::new("bad").system("fail", "Update", vec![]).run("unreachable");
    let no_mod = b"\0asm\x01\0\0\0nonsense".as_slice();
    let mut game = game_with(&[("bad.wasm", &bad.build()), ("no_mod.wasm", no_mod)], settings);
    game.until("three faults", |game| game.story().iter().filter(|line| *line == "failed bad").count() >= 3);
    game.frames(2);
    let told = game.story().iter().filter(|line| *line == "failed bad").count();
    let history = |id: &str| -> Vec<f64> {
        let faults = store(&game).get(&ModDiagnostics::faults(id)).expect("it is measured");
        faults.values().copied().collect()
    };
    let (counted, of_no_mod) = (history("bad"), history("no_mod"));
    // The last one may have been counted and not told, or told and not measured.
    let sum: f64 = counted.iter().sum();
    assert!((sum - told as f64).abs() <= 1.0 && sum >= 2.0, "{told} faults were told, and these measured: {counted:?}");
    assert!(counted.iter().all(|faults| *faults <= 1.0), "{counted:?}");
    assert_eq!(of_no_mod.iter().sum::<f64>(), 1.0, "one that cannot be loaded has failed, too");
}

#[test]
fn diagnostics_go_with_their_mod_and_come_back_with_it() {
    let settings = ModSettings { watch: false, ..ModSettings::default() };
    let mods: [(&str, &[u8]); 2] = [("a.wasm", &healer("a").build()), ("b.wasm", &healer("b").build())];
    let mut game = game_with(&mods, settings);
    game.app.world_mut().resource_mut::<DiagnosticsStore>().add(Diagnostic::new(DiagnosticPath::new("other")));
    game.until_told("loaded a");
    game.until_told("loaded b");
    game.frames(5);
    assert_eq!(count(&game), 12);
    let before = store(&game).get(&ModDiagnostics::calls("b")).map(Diagnostic::history_len);
    with_mods(&mut game, |mut mods| mods.disable("a")).expect("it is known");
    game.until_told("disabled a");
    game.frames(3);
    assert_eq!((figures(&game, "a"), count(&game)), ([0.0; 5], 12), "one that is switched off is still known");
    with_mods(&mut game, |mut mods| mods.unload("a")).expect("it is known");
    game.until_told("unloaded a");
    game.frames(2);
    assert!(PATHS.iter().all(|path| store(&game).get(&path("a")).is_none()));
    let after = store(&game).get(&ModDiagnostics::calls("b")).map(Diagnostic::history_len);
    assert!(after > before, "the others keep their history: {before:?}, {after:?}");
    assert!(store(&game).get(&DiagnosticPath::new("other")).is_some());
    assert_eq!((count(&game), usage(&game, "a")), (6, None));
}

#[test]
fn one_that_the_game_disables_is_not_measured() {
    let mut game = game(&[("healer.wasm", &healer("healer").build())]);
    game.until_told("loaded healer");
    game.frames(2);
    let path = ModDiagnostics::calls("healer");
    let history = |game: &Game| store(game).get(&path).expect("it is there").history_len();
    game.app.world_mut().resource_mut::<DiagnosticsStore>().get_mut(&path).expect("it is there").is_enabled = false;
    let before = history(&game);
    game.frames(3);
    assert_eq!(history(&game), before);
    assert!(value(&game, ModDiagnostics::time("healer")).is_some());
}

#[test]
fn a_mod_that_is_called_as_nobody_would_has_diagnostics() {
    // A mod that states no identity goes by the name of its file.
    let old = wat::parse_str(r#"(module (memory (export "memory") 1))"#).expect("a module");
    let mut game = game(&[("what is%2Fthis.wasm", &old), ("-_-.wasm", &healer("-_-").build())]);
    game.until_told("loaded -_-");
    game.until("all are at rest", |game| game.app.world().resource::<ModRegistry>().all_settled());
    game.frames(3);
    let ids: Vec<_> = game.app.world().resource::<ModRegistry>().iter().map(|info| info.id).collect();
    assert_eq!(ids.len(), 2, "{ids:?}");
    for id in ids {
        assert!(value(&game, ModDiagnostics::calls(&id)).is_some(), "{id}");
    }
}

#[test]
fn without_the_plugin_nothing_is_shown_and_the_registry_knows() {
    let mut game = Game::with_mods(&[("healer.wasm", &healer("healer").build())]);
    game.app.world_mut().register_component::<Health>();
    game.until_told("loaded healer");
    game.frames(2);
    assert_eq!(count(&game), 0);
    assert_eq!(usage(&game, "healer").map(|usage| usage.calls), Some(1));
    assert_eq!(usage(&game, "nobody"), None);
}

#[test]
fn a_game_may_have_the_plugin_without_mods_and_before_them() {
    let mut app = App::new();
    app.add_plugins((MinimalPlugins, ModDiagnosticsPlugin { max_history_length: 3 }));
    app.update();
    assert_eq!(app.world().resource::<DiagnosticsStore>().iter().count(), 0);

    let mut game = Game::with_mods(&[("healer.wasm", &healer("healer").build())]);
    game.app.world_mut().register_component::<Health>();
    game.app.add_plugins((ModDiagnosticsPlugin { max_history_length: 3 }, LogDiagnosticsPlugin::default()));
    game.until_told("loaded healer");
    game.frames(9);
    let time = store(&game).get(&ModDiagnostics::time("healer")).expect("it is there");
    assert_eq!((&*time.suffix, time.history_len()), ("ms", 3));
}
