//! Mods written in Rust against the SDK, the whole way: built from source where the target is there.
//!
//! Where it is not, these tests say so and look only at the committed mods (`committed.rs`).

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
    process::Command,
    sync::{Arc, Mutex, Once, OnceLock},
    time::Duration,
};

use bevy::prelude::{Entity, In, World};
use bevy_wasm_mods::prelude::{CallMod, ModAppExt, ModLimits, ModSettings};
use mod_abi::names::{self, LogLevel};
use mod_host::{
    CallError, Caller, CompiledMod, EngineConfig, Entropy, HostCalls, HostEngine, HostFunctionDesc, Instance,
    InstanceConfig, LogSink, NoHostCalls,
};
use serde::{Deserialize, Serialize};

use crate::{
    fixtures::{Health, Lettering, Mixed, Score},
    support::Game,
};

const TARGETS: [&str; 2] = ["wasm32-unknown-unknown", "wasm32-wasip1"];

/// Writes past the capture of the test harness, so that everyone sees it.
fn say(text: &str) {
    writeln!(std::io::stderr(), "{text}").expect("standard error is open");
}

/// Builds the guests once and returns the folder that holds them.
fn guests() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let built = Command::new(env!("CARGO")).args(["xtask", "guests"]).current_dir(root).output();
        let built = built.expect("cargo runs");
        let text = String::from_utf8_lossy(&built.stdout);
        assert!(built.status.success(), "{text}{}", String::from_utf8_lossy(&built.stderr));
        say(&format!("mods in Rust, built from source:\n{text}"));
        root.join("target/guests")
    })
}

/// The bytes of a guest for each target that is installed.
pub(crate) fn builds_of(guest: &str) -> Vec<(&'static str, Vec<u8>)> {
    let path = |target: &str| guests().join(target).join(guest).with_extension("wasm");
    let installed: Vec<_> = TARGETS.into_iter().filter(|target| is_installed(target)).collect();
    if installed.is_empty() {
        static SAID: Once = Once::new();
        SAID.call_once(|| say("mods in Rust: not built, because no wasm target is installed; see the committed mods"));
    }
    let read = |target| (target, fs::read(path(target)).expect("the guest was built"));
    installed.into_iter().map(read).collect()
}

fn is_installed(target: &str) -> bool {
    let answer = Command::new("rustc").args(["--print", "target-libdir", "--target", target]).output();
    answer.is_ok_and(|answer| Path::new(String::from_utf8_lossy(&answer.stdout).trim()).is_dir())
}

/// Collects what a mod logs.
#[derive(Default)]
struct Lines(Mutex<Vec<(LogLevel, String)>>);

impl LogSink for Lines {
    fn log(&self, level: LogLevel, line: &str) {
        self.0.lock().expect("no panic").push((level, line.to_owned()));
    }
}

impl Lines {
    fn take(&self) -> Vec<(LogLevel, String)> {
        std::mem::take(&mut *self.0.lock().expect("no panic"))
    }
}

/// `ping()` and `mix(String, u32, bool) -> String`.
struct Kitchen {
    pings: u32,
}

impl HostCalls for Kitchen {
    fn call(&mut self, _: &mut Caller<'_>, function: usize, args: &[u8], result: &mut Vec<u8>) -> Result<(), String> {
        if function == 0 {
            self.pings += 1;
        } else {
            let (name, amount, fresh): (String, u32, bool) =
                mod_abi::codec::decode(args).map_err(|error| error.to_string())?;
            *result = mod_abi::codec::encode(&format!("{amount} {name} {fresh}")).map_err(|error| error.to_string())?;
        }
        Ok(())
    }
}

fn start(bytes: &[u8], entropy: Entropy) -> (Instance, Arc<Lines>) {
    start_within(bytes, entropy, Duration::from_secs(10))
}

/// Starts a guest whose calls may take so long.
fn start_within(bytes: &[u8], entropy: Entropy, call_time: Duration) -> (Instance, Arc<Lines>) {
    static ENGINE: OnceLock<HostEngine> = OnceLock::new();
    let engine = ENGINE.get_or_init(|| HostEngine::new(&EngineConfig::default()).expect("an engine"));
    let lines = Arc::new(Lines::default());
    let limits = ModLimits { call_time, ..Default::default() };
    let compiled = CompiledMod::new(engine, bytes, "guest", &limits).expect("it compiles");
    let mut config = InstanceConfig::default();
    config.limits = limits;
    config.entropy = entropy;
    config.log = Arc::<Lines>::clone(&lines);
    config.host_functions = Arc::from(["ping", "mix", names::TYPE_INDEX].map(HostFunctionDesc::from));
    (Instance::new(&compiled, config).expect("it starts"), lines)
}

#[derive(Serialize, Deserialize, Debug, Clone, PartialEq)]
struct Offer {
    item: String,
    price: u32,
    tags: Vec<String>,
    discount: Option<f32>,
    kind: Kind,
}

#[derive(Serialize, Deserialize, Debug, Clone, PartialEq)]
enum Kind {
    Honey,
    Wax { grams: u16 },
}

#[test]
fn exports_take_and_return_what_serde_can() {
    for (target, bytes) in builds_of("kitchen_sink") {
        let (mut guest, _) = start(&bytes, Entropy::Host);
        let host = &mut NoHostCalls;
        assert_eq!(guest.call::<_, u32>("none", &(), host).expect(target), 42);
        assert_eq!(guest.call::<_, f64>("one", &1.5, host).expect(target), 3.0);
        assert_eq!(guest.call::<_, String>("two", &("ho", 3_u32), host).expect(target), "hohoho");
        let twelve = (1_u8, 2_u16, 3_u32, 4_u64, -1_i8, -2_i16, -3_i32, -4_i64, 0.5_f32, 1.5_f64, true, 'ß');
        let text: String = guest.call("twelve", &twelve, host).expect(target);
        assert_eq!(text, "1 2 3 4 -1 -2 -3 -4 0.5 1.5 true ß");
        guest.call::<_, ()>("nothing", &(), host).expect(target);
        let offer = Offer {
            item: "comb".to_owned(),
            price: 9,
            tags: vec!["sweet".to_owned()],
            discount: None,
            kind: Kind::Wax { grams: 3 },
        };
        let expected = Offer { price: 4, discount: Some(0.5), kind: Kind::Honey, ..offer.clone() };
        assert_eq!(guest.call::<_, Offer>("haggle", &offer, host).expect(target), expected);
        let letters: Vec<(char, u32)> = guest.call("letters", &"abba", host).expect(target);
        assert_eq!(letters, [('a', 2), ('b', 2)]);
    }
}

#[test]
fn imports_reach_the_host() {
    for (target, bytes) in builds_of("kitchen_sink") {
        let (mut guest, _) = start(&bytes, Entropy::Host);
        let mut kitchen = Kitchen { pings: 0 };
        let answer: String = guest.call("asks_the_game", &("honey", 3_u32), &mut kitchen).expect(target);
        assert_eq!((answer.as_str(), kitchen.pings), ("3 honey true", 1), "{target}");
    }
}

#[test]
fn panics_reach_the_host_with_text_and_place() {
    for (target, bytes) in builds_of("kitchen_sink") {
        let (mut guest, _) = start(&bytes, Entropy::Host);
        let error = guest.call::<_, u32>("panics", &(), &mut NoHostCalls).expect_err(target);
        let text = error.to_string();
        assert!(matches!(error, CallError::Panic { .. }), "{target}: {text}");
        assert!(text.contains("the kitchen is on fire"), "{target}: {text}");
        assert!(text.contains("functions.rs:"), "{target}: {text}");
    }
}

#[test]
fn guests_that_misbehave_are_stopped() {
    for (target, bytes) in builds_of("kitchen_sink") {
        let error = |export: &str, args: u64| {
            let call_time = Duration::from_millis(if export == "loops" { 200 } else { 10_000 });
            let (mut guest, _) = start_within(&bytes, Entropy::Host, call_time);
            let answer = match export {
                "overflows_the_stack" => guest.call::<_, u64>(export, &args, &mut NoHostCalls),
                _ => guest.call::<_, u64>(export, &(), &mut NoHostCalls),
            };
            assert!(guest.is_poisoned());
            answer.expect_err(target).to_string()
        };
        assert!(error("loops", 0).contains("longer than 200ms"), "{target}");
        assert!(error("overflows_the_stack", 0).contains("stack"), "{target}");
        let text = error("allocates", 0);
        assert!(text.contains("memory") && text.contains("64"), "{target}: {text}");
    }
}

#[test]
fn logs_reach_the_host_by_level() {
    for (target, bytes) in builds_of("kitchen_sink") {
        let (mut guest, lines) = start(&bytes, Entropy::Host);
        guest.call::<_, ()>("logs", &(), &mut NoHostCalls).expect(target);
        let expected = [
            (LogLevel::Error, "an error"),
            (LogLevel::Warn, "a warning"),
            (LogLevel::Info, "an information"),
            (LogLevel::Debug, "a detail"),
            (LogLevel::Trace, "a trace"),
        ];
        assert_eq!(lines.take(), expected.map(|(level, line)| (level, line.to_owned())), "{target}");
        guest.call::<_, ()>("prints", &(), &mut NoHostCalls).expect(target);
        let printed = lines.take();
        if target == "wasm32-wasip1" {
            let expected = [(LogLevel::Info, "to standard output"), (LogLevel::Warn, "to standard error")];
            assert_eq!(printed, expected.map(|(level, line)| (level, line.to_owned())));
            assert!(guest.call::<_, u64>("clock", &(), &mut NoHostCalls).expect(target) < 1_000_000_000);
        }
    }
}

#[test]
fn rand_works_in_three_generations() {
    let exports = ["bytes08", "bytes09", "bytes10", "thread10"];
    let mut seeded = Vec::new();
    for (target, bytes) in builds_of("rand_all") {
        let draw = |entropy| {
            let (mut guest, _) = start(&bytes, entropy);
            exports.map(|export| guest.call::<_, [u8; 16]>(export, &(), &mut NoHostCalls).expect(target))
        };
        let (one, two) = (draw(Entropy::Host), draw(Entropy::Host));
        for (a, b) in one.iter().zip(&two) {
            assert_ne!(a, b, "{target}: entropy of the host differs in every run");
        }
        assert_eq!(draw(Entropy::Seeded(7)), draw(Entropy::Seeded(7)), "{target}: same seed, same numbers");
        assert_ne!(draw(Entropy::Seeded(7)), draw(Entropy::Seeded(8)), "{target}: other seed, other numbers");
        let numbers = draw(Entropy::Seeded(7));
        assert!(numbers.iter().enumerate().all(|(index, a)| !numbers[..index].contains(a)), "{target}: no repeats");
        seeded.push(numbers[..3].to_vec());
    }
    if let [unknown, wasi] = &seeded[..] {
        assert_eq!(unknown, wasi, "the target does not matter");
    }
}

#[test]
fn memory_stays_constant() {
    for (target, bytes) in builds_of("kitchen_sink") {
        let (mut guest, _) = start(&bytes, Entropy::Host);
        let argument = mod_abi::codec::encode(&vec![7_u8; 4096]).expect("bytes");
        let mut after = |calls: usize| {
            for _ in 0..calls {
                let echo = guest.call_bytes("echo", &argument, &mut NoHostCalls).expect(target);
                assert_eq!(echo.len(), argument.len());
            }
            guest.memory_bytes()
        };
        assert_eq!(after(1_000), after(6_000), "{target}");
    }
}

#[test]
fn every_kind_of_column_goes_there_and_back() {
    for (target, bytes) in builds_of("kitchen_sink") {
        let mut game = Game::with_settings(&[("kitchen_sink.wasm", &bytes)], ModSettings::default());
        game.app.add_mod_import("ping", || {});
        game.app.add_mod_import("mix", |In((name, amount, fresh)): In<(String, u32, bool)>, world: &World| {
            format!("{name} {amount} {fresh} {}", world.contains_resource::<Score>())
        });
        game.app.insert_resource(Score::default());
        let world = game.app.world_mut();
        let spawn = |world: &mut World, n: u8| -> Entity {
            let mixed = Mixed { flag: false, level: n, weight: 1.0 };
            world.spawn((Health { value: f32::from(n) }, mixed)).id()
        };
        let patients: Vec<_> = (0..100).map(|n| spawn(world, n)).collect();
        let label = Lettering { text: "Maja".to_owned(), tags: vec!["bee".to_owned()] };
        let labelled = world.spawn((label, Health { value: 5.0 })).id();
        game.until_told("loaded kitchen_sink");
        assert!(game.faults().is_empty(), "{target}: {:?}", game.faults());
        let before: Vec<_> = patients.iter().map(|patient| *health(&game, *patient)).collect();
        let mixed: Vec<_> = patients.iter().map(|patient| mixed_of(&game, *patient)).collect();
        game.frame();
        for (index, patient) in patients.iter().enumerate() {
            assert_eq!(*health(&game, *patient), before[index] + 1.0, "{target}");
            let expected = match index % 2 {
                0 => mixed[index].clone(),
                _ => {
                    let Mixed { flag, level, weight } = mixed[index];
                    Mixed { flag: !flag, level: level.wrapping_add(1), weight: weight * 2.0 }
                }
            };
            assert_eq!(mixed_of(&game, *patient), expected, "{target}: row {index}");
        }
        assert_eq!(*health(&game, labelled), 5.0, "{target}: filtered out");
        let label = game.app.world().get::<Lettering>(labelled).expect("it is there");
        assert!(label.text.starts_with("Maja, renamed by a mod"), "{target}: {label:?}");
        assert_eq!(label.tags[..2], ["bee".to_owned(), labelled.to_string()], "{target}");
        assert!(game.app.world().resource::<Score>().points > 0, "{target}");
        let answer = game.app.world_mut().call_mod::<_, String>("kitchen_sink", "asks_the_game", &("wax", 2_u32));
        assert_eq!(answer.expect(target), "wax 2 true true");
    }
}

fn health(game: &Game, entity: Entity) -> &f32 {
    &game.app.world().get::<Health>(entity).expect("it is there").value
}

fn mixed_of(game: &Game, entity: Entity) -> Mixed {
    game.app.world().get::<Mixed>(entity).expect("it is there").clone()
}
