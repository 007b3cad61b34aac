//! A game that wants the same frames in every run gets them: with chance, spawned entities, observers, calls, and input in it, on
//! one thread and on many, in every build.

use std::{
    fmt::Write,
    fs,
    hash::Hasher,
    path::{Path, PathBuf},
    time::Duration,
};

use bevy::{
    ecs::schedule::{Schedules, SingleThreadedExecutor},
    prelude::{Component, Entity, Name, Reflect, Transform, Vec3, World},
    time::TimeUpdateStrategy,
};
use bevy_wasm_mods::{
    Execution, FaultPolicy, ModOverrides,
    prelude::{CallMod, ModSettings, Mods, SaveMods, SpawnedBy},
};
use mod_abi::{
    command::Command,
    describe::{DefinitionKind, EventDesc, ParamDesc},
};

use crate::{
    committed::{Bee, Nectar, News, Velocity, still_orchard},
    fixtures::Score,
    support::{Game, Mod, new_entity, query, resource, value},
};

const FRAMES: u32 = 10_000;
/// How often the World is looked at.
const EVERY: u32 = 1_000;

/// What mods spawn. The game despawns the oldest.
#[derive(Component, Reflect, Debug, Default, Clone)]
struct Seed {
    value: u32,
}

/// A generator of input: the same in every run.
struct Input(u64);

impl Input {
    fn next(&mut self, most: u64) -> u64 {
        self.0 = self.0.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(0x1405_7b7e_f767_814f);
        (self.0 >> 33) % most
    }
}

/// FNV-1a over whatever can be compared.
struct Hash(u64);

impl Hasher for Hash {
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

/// A mod that spawns two entities in each frame and writes the id of the second into a component of its own on both, with what an
/// observer of it has counted so far.
fn sower(id: &str) -> Vec<u8> {
    let mut sower = Mod::new(id);
    let seed = sower.ty("all::determinism::Seed", "{value:u32}");
    let twin = sower.defines("Twin", "{entity:entity}", DefinitionKind::Component, None);
    let other = new_entity(1).to_le_bytes();
    let spawn =
        |n| Command::Spawn { entity: new_entity(n), components: vec![value(seed, &[7, 0, 0, 0]), value(twin, &other)] };
    sower
        .system("sow", "Update", vec![ParamDesc::Commands])
        .leaves(0, &[spawn(0), spawn(1)])
        .system("grow", "FixedUpdate", vec![query(&[], &[seed])])
        .observer("sees", EventDesc::Add(seed), vec![query(&[], &[seed])])
        .run_also(
            "(if (i32.eq (local.get $system) (i32.const 1)) (then
                (block $done (loop $row
                    (br_if $done (i32.ge_u (local.get $i) (local.get $rows)))
                    (i32.store (i32.add (local.get $data) (i32.mul (local.get $i) (i32.const 4)))
                        (i32.add (i32.const 1) (i32.load (i32.add (local.get $data) (i32.mul (local.get $i) (i32.const 4))))))
                    (local.set $i (i32.add (local.get $i) (i32.const 1)))
                    (br $row)))
                (memory.fill (local.get $dirty) (i32.const 255) (i32.div_u (i32.add (local.get $rows) (i32.const 7)) (i32.const 8)))))",
        )
        .build()
}

/// A mod that changes bees, fails in its 50th frame, and is restarted.
fn stumbler() -> Vec<u8> {
    let mut stumbler = Mod::new("stumbler");
    let nectar = stumbler.ty("hello_mods::Nectar", "{drops:u32}");
    stumbler
        .fields("(global $runs (mut i32) (i32.const 0))")
        .system("stumble", "Update", vec![query(&[], &[nectar])])
        .run(
            "(global.set $runs (i32.add (global.get $runs) (i32.const 1)))
            (if (i32.eq (global.get $runs) (i32.const 50)) (then unreachable))
            (if (local.get $rows) (then
                (i32.store (local.get $data) (i32.add (i32.const 1) (i32.load (local.get $data))))
                (i32.store8 (local.get $dirty) (i32.const 1))))",
        )
        .build()
}

/// How the game runs.
#[derive(Default)]
struct Run {
    on_one_thread: bool,
    execution: Execution,
}

/// The game, when all of its mods have begun.
fn game(run: &Run) -> Game {
    let mods: [(&str, &[u8]); 3] =
        [("sower_a.wasm", &sower("sower_a")), ("sower_b.wasm", &sower("sower_b")), ("stumbler.wasm", &stumbler())];
    let mut settings = ModSettings { deterministic: true, execution: run.execution, ..ModSettings::default() };
    let restart = ModOverrides { fault_policy: Some(FaultPolicy::Restart), ..ModOverrides::default() };
    settings.overrides.insert("stumbler".to_owned(), restart);
    let mut game = still_orchard(settings, &mods);
    // No mod should wait for a type that the game has not used yet.
    let bee = (Bee, Velocity::default(), Nectar::default(), Transform::default(), Seed::default());
    let bee = game.app.world_mut().spawn(bee).id();
    game.app.world_mut().despawn(bee);
    if run.on_one_thread {
        for (_, schedule) in game.app.world_mut().resource_mut::<Schedules>().iter_mut() {
            schedule.set_executor(SingleThreadedExecutor::new());
        }
    }
    game.until("all mods begin", |game| {
        game.app.world_mut().run_system_cached(|mods: Mods| mods.all_settled()).expect("it runs")
    });
    assert!(game.faults().is_empty(), "{:?}", game.faults());
    game.app.insert_resource(TimeUpdateStrategy::ManualDuration(Duration::from_millis(16)));
    game
}

/// What a player does in a frame, and the game.
fn play(world: &mut World, input: &mut Input) {
    match input.next(16) {
        0 => {
            let speed = Vec3::new(input.next(100) as f32 / 7.0, input.next(100) as f32 / -3.0, 0.1);
            world.spawn((Bee, Velocity(speed), Nectar::default(), Transform::default()));
        }
        1 => {
            let bees: Vec<Entity> = world.query_filtered::<Entity, bevy::prelude::With<Bee>>().iter(world).collect();
            if bees.len() > 20 {
                world.despawn(bees[input.next(20) as usize]);
            }
        }
        2 => {
            let sides = input.next(1_000) as u32 + 1;
            let rolled = world.call_mod::<_, u32>("orchard_dice", "roll", &sides).expect("it rolls");
            world.spawn(Name::new(format!("rolled {rolled}")));
        }
        3 => {
            let wildness = input.next(10) as f32;
            world.call_mod::<_, f32>("orchard_dance", "set_wildness", &wildness).expect("it answers");
        }
        _ => {}
    }
    let sown: Vec<Entity> = world.query_filtered::<Entity, bevy::prelude::With<SpawnedBy>>().iter(world).collect();
    for old in sown.iter().take(sown.len().saturating_sub(200)) {
        world.despawn(*old);
    }
}

/// All that is in the World and with the mods, as one number.
fn hash(world: &mut World) -> u64 {
    let mut text = String::new();
    let mut rows: Vec<_> = world
        .query::<(Entity, Option<&Transform>, Option<&Velocity>, Option<&Nectar>, Option<&Seed>, Option<&Name>)>()
        .iter(world)
        .map(|(entity, transform, velocity, nectar, seed, name)| {
            let bits = |transform: &Transform| {
                (transform.translation.to_array().map(f32::to_bits), transform.rotation.to_array().map(f32::to_bits))
            };
            let velocity = velocity.map(|velocity| velocity.0.to_array().map(f32::to_bits));
            let (drops, seed) = (nectar.map(|nectar| nectar.drops), seed.map(|seed| seed.value));
            (entity, format!("{:?} {velocity:?} {drops:?} {seed:?} {name:?}", transform.map(bits)))
        })
        .collect();
    rows.retain(|(_, row)| row != "None None None None None");
    rows.sort_unstable();
    for (entity, row) in rows {
        writeln!(text, "{entity:?} {row}").expect("a text");
    }
    writeln!(text, "{:?}", world.resource::<News>().0).expect("a text");
    text.push_str(&serde_json::to_string(&world.save_mods()).expect("a save"));
    let mut hash = Hash(0xcbf2_9ce4_8422_2325);
    hash.write(text.as_bytes());
    hash.finish()
}

/// Plays so many frames and looks at the World every now and then.
fn hashes(run: &Run, frames: u32) -> Vec<String> {
    let (mut game, mut input) = (game(run), Input(1));
    let mut hashes = Vec::new();
    for frame in 1..=frames {
        play(game.app.world_mut(), &mut input);
        game.frame();
        if frame % EVERY == 0 {
            hashes.push(format!("{frame} {:016x}", hash(game.app.world_mut())));
        }
    }
    let faults = game.faults();
    assert!(faults.iter().all(|fault| fault.mod_id == "stumbler"), "{faults:?}");
    assert!(frames < 5_000 || faults.len() > 8, "it is restarted: {faults:?}");
    hashes
}

fn golden() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/determinism.txt")
}

#[test]
fn ten_thousand_frames_are_the_same_in_every_run_and_build() {
    let many = hashes(&Run::default(), FRAMES);
    assert_eq!(many, hashes(&Run { on_one_thread: true, ..Run::default() }, FRAMES), "one thread and many");
    let text = many.join("\n") + "\n";
    if std::env::var_os("BLESS").is_some() {
        fs::write(golden(), &text).expect("it is written");
    }
    let expected = fs::read_to_string(golden()).expect("the golden file");
    assert_eq!(text, expected, "if the mods or the SDK have changed, run this test with BLESS=1");
}

#[test]
fn frames_are_the_same_however_the_code_of_mods_runs() {
    let expected = fs::read_to_string(golden()).expect("the golden file");
    let other = [
        Execution::NativeWithoutSignals,
        #[cfg(feature = "interpreter")]
        Execution::Interpreted,
    ];
    for execution in other {
        let played = hashes(&Run { execution, ..Run::default() }, EVERY);
        assert_eq!(played.first().map(String::as_str), expected.lines().next(), "{execution:?}");
    }
}

#[test]
fn the_clocks_of_mods_follow_the_game_s() {
    let mut clock = Mod::new("clock");
    let score = clock.ty("all::fixtures::Score", "{points:u64}");
    let import = r#"(import "wasi_snapshot_preview1" "clock_time_get" (func $clock (param i32 i64 i32) (result i32)))"#;
    let clock = clock
        .imports(import)
        .system("look", "Update", vec![resource(score, true)])
        .run(
            "(drop (call $clock (i32.const 1) (i64.const 0) (local.get $data)))
            (i32.store8 (local.get $dirty) (i32.const 1))",
        )
        .build();
    let settings = ModSettings { deterministic: true, ..ModSettings::default() };
    let mut game = Game::with_settings(&[("clock.wasm", &clock)], settings);
    let step = Duration::from_millis(16);
    game.app.init_resource::<Score>().insert_resource(TimeUpdateStrategy::ManualDuration(step));
    game.until_told("loaded clock");
    game.frame();
    let mut told = |_| {
        game.frame();
        std::thread::sleep(Duration::from_millis(1));
        game.app.world().resource::<Score>().points
    };
    let times: Vec<u64> = (0..5).map(&mut told).collect();
    assert!(times.windows(2).all(|pair| pair[1] - pair[0] == 16_000_000), "{times:?}");
    assert!(times[0] <= 32_000_000, "it counts from the mod's start: {times:?}");
}
