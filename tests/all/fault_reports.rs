//! What a fault tells: a line for the log, and a report with all that is known, for whoever has to mend the mod.

use bevy::{
    diagnostic::FrameCount,
    prelude::{Event, Reflect, ReflectEvent, Resource, Update, World},
};
use bevy_wasm_mods::{
    FaultCause,
    prelude::{CallMod, ModAppExt, ModCallError, Mods},
};
use mod_abi::{DependencyKind::Required, describe::EventDesc};

use crate::{
    fixtures::Score,
    support::{Errors, Game, Mod, resource},
};

/// An event of the game.
#[derive(Event, Reflect, Debug, Clone)]
#[reflect(Event)]
struct Knock {
    times: u64,
}

/// Panics with two lines.
const PANIC: &str = r#"(data (i32.const 64) "no wind\0a today")
    (func $calm (call $panic (i32.const 64) (i32.const 14)) unreachable)
    (func $gust (call $calm))"#;

fn frame_count(world: &World) -> u32 {
    world.resource::<FrameCount>().0
}

/// A game with the score and these mods.
fn game(mods: &[(&str, &Mod)]) -> Game {
    let built: Vec<_> = mods.iter().map(|(name, module)| (*name, module.build())).collect();
    let files: Vec<_> = built.iter().map(|(name, bytes)| (*name, bytes.as_slice())).collect();
    let mut game = Game::with_mods(&files);
    game.app.init_resource::<Score>().register_type::<Score>();
    game
}

/// A mod whose only system does nothing until there are points, and then this.
fn waiting(body: &str) -> Mod {
    let mut waiting = Mod::new("bad");
    let score = waiting.ty("Score", "{points:u64}");
    let body = format!("(if (i64.ne (i64.load (local.get $data)) (i64.const 0)) (then {body}))");
    waiting.system("blow", "Update", vec![resource(score, false)]).run(&body)
}

#[test]
fn a_report_has_all_that_is_known() {
    let mut game = game(&[("bad.wasm", &waiting("(call $gust)").fields(PANIC))]);
    game.until_told("loaded bad");
    game.frames(3);
    game.app.world_mut().resource_mut::<Score>().points = 1;
    let frame = frame_count(game.app.world());
    game.frames(3);
    let fault = &game.faults()[0];
    assert_eq!(fault.frame, Some(frame));
    let line = "`blow` panicked: no wind  today (in calm < gust < function 5)";
    assert_eq!(fault.to_string(), format!("bad 1.2.3 (mods/bad.wasm) in frame {frame}: {line}"));
    let note = "note: `debug = \"line-tables-only\"` and `strip = \"none\"` in the mod's profile add files and lines";
    assert_eq!(
        fault.report(),
        format!(
            "mod:      bad 1.2.3\nfile:     mods/bad.wasm\nfunction: blow\nframe:    {frame}\ncause:    {line}\n\
             backtrace, innermost first:\n   0: calm\n   1: gust\n   2: function 5\n{note}\n"
        )
    );
}

#[test]
fn the_log_has_one_line_whatever_the_mod_calls_its_functions() {
    let evil = r#"(func $"two\0alines\1b[2J" unreachable) (func $"\e2\80\a8" (call $"two\0alines\1b[2J"))"#;
    for (fields, call) in
        [(evil, r#"(call $"\e2\80\a8")"#), (PANIC, "(call $gust)"), ("", "(drop (call $sing (i64.const 0)))")]
    {
        let errors = Errors::default();
        tracing::subscriber::with_default(errors.clone(), || {
            let mut game = game(&[("bad.wasm", &waiting(call).import("sing").fields(fields))]);
            game.app.add_mod_import("sing", || -> u32 {
                std::panic::resume_unwind(Box::new("the choir\nis\r\nill".to_owned()))
            });
            game.until_told("loaded bad");
            game.app.world_mut().resource_mut::<Score>().points = 1;
            let fault = game.first_fault();
            let lines = errors.lines();
            let told: Vec<_> = lines.iter().filter(|line| line.contains("it is stopped")).collect();
            assert_eq!(told, [&format!("{fault}; it is stopped")], "{lines:?}");
            assert!(!fault.contains(char::is_control) && !fault.contains('\u{2028}'), "{fault:?}");
            let report = game.faults()[0].report();
            let labels: Vec<_> = report.lines().map(|line| line.split(' ').next().unwrap_or_default()).collect();
            assert_eq!(labels[..5], ["mod:", "file:", "function:", "frame:", "cause:"], "{report}");
            assert!(labels[5..].iter().all(|label| matches!(*label, "" | "note:" | "backtrace,")), "{report}");
        });
    }
}

/// Runs a game until its mod has failed, and compares the fault's frame with Bevy's count. The fault is told so many frames
/// after it happened.
#[track_caller]
fn check_frame(mut game: Game, what: &str, later: u32) {
    let mut count = 0;
    game.until(what, |game| {
        let found = !game.faults().is_empty();
        if !found {
            count = frame_count(game.app.world());
        }
        found
    });
    let fault = &game.faults()[0];
    assert_eq!(fault.frame, Some(count - later), "{what}: {fault:?}");
    assert!(fault.report().contains(&format!("\nframe:    {}\n", count - later)), "{what}: {}", fault.report());
}

#[test]
fn whatever_fails_has_its_frame() {
    let starting = Mod::new("bad").system("start", "Startup", Vec::new()).run("unreachable");
    check_frame(game(&[("bad.wasm", &starting)]), "a start-up system", 0);
    let commanding = Mod::new("bad").system("command", "Update", Vec::new()).leaves_bytes(0, &[0xff; 9]);
    check_frame(game(&[("bad.wasm", &commanding)]), "commands", 1);
    let initializing = Mod::new("bad").fields(r#"(func (export "_initialize") unreachable)"#);
    check_frame(game(&[("bad.wasm", &initializing)]), "loading", 0);
    let mut unknown = Mod::new("bad");
    let missing = unknown.ty("no::such::Thing", "{a:u8}");
    check_frame(game(&[("bad.wasm", &unknown.system("s", "Update", vec![resource(missing, false)]))]), "binding", 0);
}

/// The frame in which the game did what brought the mod down.
#[derive(Resource, Default)]
struct Blamed(Option<u32>);

/// A game that does something to a running mod, in the middle of its tenth frame after that was loaded.
fn blamed(module: &Mod, mut work: impl FnMut(&mut World) + Send + Sync + 'static) -> Game {
    let mut game = game(&[("bad.wasm", module)]);
    let mut frames = 0;
    game.app.init_resource::<Blamed>().add_systems(Update, move |world: &mut World| {
        let running = world.run_system_cached(|mods: Mods| mods.is_running("bad")).unwrap_or_default();
        frames += u32::from(running);
        if frames == 10 {
            frames = 11;
            world.resource_mut::<Blamed>().0 = Some(world.resource::<FrameCount>().0);
            work(world);
        }
    });
    game.until("a fault", |game| !game.faults().is_empty());
    game
}

#[test]
fn observers_and_calls_of_the_game_have_their_frame_and_their_backtrace() {
    let mut observing = Mod::new("bad");
    let knock = observing.ty("all::fault_reports::Knock", "{times:u64}");
    let fields = "(func $answer unreachable)";
    let observing =
        observing.observer("hear", EventDesc::Event(knock), Vec::new()).run("(call $answer)").fields(fields);
    let game = blamed(&observing, |world| world.trigger(Knock { times: 3 }));
    let fault = &game.faults()[0];
    assert_eq!((fault.frame, fault.function.as_deref()), (game.app.world().resource::<Blamed>().0, Some("hear")));
    assert_eq!(fault.backtrace().expect("it has one").frames()[0].function.as_deref(), Some("answer"));

    let called = Mod::new("bad").fields(
        r#"(func $pick unreachable) (func $harvest (export "__harvest") (param i64) (result i64) (call $pick) (i64.const 0))"#,
    );
    let game = blamed(&called, |world| {
        let error = world.call_mod::<_, ()>("bad", "harvest", &()).expect_err("it traps");
        let ModCallError::Call { source, .. } = &error else { panic!("{error}") };
        assert_eq!(source.backtrace().map(ToString::to_string).as_deref(), Some("   0: pick\n   1: harvest\n"));
    });
    let fault = &game.faults()[0];
    assert_eq!((fault.frame, fault.function.as_deref()), (game.app.world().resource::<Blamed>().0, Some("harvest")));
    assert!(fault.to_string().ends_with("(in pick < harvest)"), "{fault}");
    assert!(fault.report().contains("\n   0: pick\n   1: harvest\n"), "{}", fault.report());
}

#[test]
fn a_mod_that_another_one_brought_down_has_its_own_backtrace() {
    let bees = Mod::new("bees").fields(
        r#"(func $needle unreachable)
        (func $sting (export "__sting") (param i64) (result i64) (call $needle) (i64.const 0))"#,
    );
    let mut wasps = Mod::new("wasps").depends(Required, "bees").import_of("bees", "sting");
    let score = wasps.ty("Score", "{points:u64}");
    let wasps = wasps.system("fly", "Update", vec![resource(score, false)]).run("(drop (call $sting (i64.const 0)))");
    let mut game = game(&[("bees.wasm", &bees), ("wasps.wasm", &wasps)]);
    let fault = game.first_fault();
    assert!(fault.contains("(in needle < sting) (the mod `wasps` called it)"), "{fault}");
    let fault = &game.faults()[0];
    assert_eq!((fault.mod_id.as_str(), fault.function.as_deref()), ("bees", Some("sting")));
    assert!(fault.report().contains("\n   0: needle\n   1: sting\n"), "{}", fault.report());
}

#[test]
fn a_mod_that_fails_while_it_starts_has_a_backtrace_and_others_have_none() {
    let starting = Mod::new("bad").fields(
        r#"(func $unpack unreachable) (func $unfold (call $unpack)) (func (export "_initialize") (call $unfold))"#,
    );
    let mut game = game(&[("bad.wasm", &starting)]);
    let line = game.first_fault();
    assert!(line.starts_with("bad 1.2.3 (mods/bad.wasm): "), "no system ran: {line}");
    let fault = &game.faults()[0];
    assert!(matches!(fault.cause, FaultCause::Load(_)), "{fault:?}");
    assert!(fault.report().contains("\n   0: unpack\n   1: unfold\n"), "{}", fault.report());

    let commanding = Mod::new("bad").system("command", "Update", Vec::new()).leaves_bytes(0, &[0xff; 9]);
    let mut game = self::game(&[("bad.wasm", &commanding)]);
    let line = game.first_fault();
    let fault = &game.faults()[0];
    assert!(fault.backtrace().is_none() && !fault.report().contains("backtrace"), "{}", fault.report());
    assert_eq!(fault.function.as_deref(), Some("command"));
    assert!(line.contains(&format!(" in frame {}: `command`", fault.frame.unwrap_or_default())), "{line}");
}
