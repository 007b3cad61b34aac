//! Work that takes longer than a frame: a mod gets a ticket and asks later, or hears of it by a message.

use std::time::{Duration, Instant};

use bevy::{
    prelude::{
        App, Commands, Component, Entity, In, Message, MessageWriter, Query, Reflect, ReflectMessage, Res, ResMut,
        Resource, Update,
    },
    tasks::{AsyncComputeTaskPool, Task, block_on, futures_lite::future},
};
use bevy_wasm_mods::{
    JobSender,
    prelude::{CallMod, FromMod, Job, ModAppExt, ModSettings, Refusal},
};
use mod_abi::{JobState, describe::ParamDesc};

use crate::support::{Game, Mod, with_mods};

/// `start(u32)`, which asks `work`; `state() -> u32`, `take() -> bytes`, `cancel()`, and `poke(u64) -> u32`, the state of
/// any ticket.
fn worker() -> Mod {
    Mod::new("worker")
        .import("work")
        .imports(
            r#"(import "env" "__job_state" (func $job_state (param i64) (result i32)))
        (import "env" "__job_take" (func $job_take (param i64) (result i64)))
        (import "env" "__job_cancel" (func $job_cancel (param i64)))"#,
        )
        .fields(
            r#"(global $ticket (mut i64) (i64.const 0))
        (func $ptr (param $buffer i64) (result i32) (i32.wrap_i64 (i64.shr_u (local.get $buffer) (i64.const 32))))
        (func $answer (param $value i32) (result i64)
            (i32.store (i32.const 512) (local.get $value)) (i64.const 0x20000000004))
        (func (export "__start") (param $args i64) (result i64)
            (global.set $ticket (i64.load (call $ptr (call $work (local.get $args)))))
            (i64.const 0))
        (func (export "__state") (param i64) (result i64) (call $answer (call $job_state (global.get $ticket))))
        (func (export "__take") (param i64) (result i64) (call $job_take (global.get $ticket)))
        (func (export "__cancel") (param i64) (result i64) (call $job_cancel (global.get $ticket)) (i64.const 0))
        (func (export "__poke") (param $args i64) (result i64)
            (call $answer (call $job_state (i64.load (call $ptr (local.get $args))))))"#,
        )
}

fn game(add: impl FnOnce(&mut App)) -> Game {
    let mut game = Game::with_mods(&[("worker.wasm", &worker().build())]);
    add(&mut game.app);
    game.until_told("loaded worker");
    game
}

fn state(game: &mut Game) -> JobState {
    JobState::from_raw(game.app.world_mut().call_mod("worker", "state", &()).expect("it says so"))
}

/// Asks until the job is over.
fn settled(game: &mut Game) -> JobState {
    let begin = Instant::now();
    loop {
        match state(game) {
            JobState::Pending if begin.elapsed() < Duration::from_secs(10) => game.frame(),
            state => return state,
        }
    }
}

fn start(game: &mut Game, argument: u32) {
    game.app.world_mut().call_mod::<_, ()>("worker", "start", &argument).expect("it starts");
}

#[test]
fn a_task_of_bevy_is_a_job() {
    #[derive(Resource)]
    struct Factor(u32);

    fn work(In(number): In<u32>, factor: Res<Factor>) -> Task<u32> {
        let factor = factor.0;
        AsyncComputeTaskPool::get().spawn(async move {
            future::yield_now().await;
            assert_ne!(number, 13, "an unlucky number");
            number * factor
        })
    }

    let mut game = game(|app| {
        app.insert_resource(Factor(3)).add_mod_import("work", work);
    });
    start(&mut game, 14);
    assert_eq!(settled(&mut game), JobState::Done);
    assert_eq!(game.app.world_mut().call_mod::<_, u32>("worker", "take", &()).expect("it is there"), 42);
    assert_eq!(state(&mut game), JobState::Unknown, "a result is there once");
}

/// The ends of the jobs that the game has promised.
#[derive(Resource, Default)]
struct Promised(Vec<(String, u32, JobSender<u32>)>);

/// A job that the game does in its own time, for a mod that it knows.
fn promise(
    FromMod { mod_id, args: number }: FromMod<u32>,
    mut promised: ResMut<Promised>,
) -> Result<Job<u32>, Refusal> {
    if number == 0 {
        return Err(Refusal::new("nothing is no work"));
    }
    let (sender, job) = Job::channel();
    promised.0.push((mod_id, number, sender));
    Ok(job)
}

#[test]
fn the_game_answers_when_it_likes() {
    let mut game = game(|app| {
        app.init_resource::<Promised>().add_mod_import("work", promise);
    });
    start(&mut game, 6);
    game.frames(3);
    assert_eq!(state(&mut game), JobState::Pending);
    let (asker, number, sender) = game.app.world_mut().resource_mut::<Promised>().0.remove(0);
    assert_eq!(asker, "worker");
    sender.send(number * 7);
    assert_eq!(state(&mut game), JobState::Done);
    assert_eq!(game.app.world_mut().call_mod::<_, u32>("worker", "take", &()).expect("it is there"), 42);

    start(&mut game, 1);
    let (_, _, sender) = game.app.world_mut().resource_mut::<Promised>().0.remove(0);
    sender.fail("the library is closed");
    assert_eq!(state(&mut game), JobState::Failed);
    let bytes: [u8; 21] = game.app.world_mut().call_mod("worker", "take", &()).expect("the reason");
    assert_eq!(&bytes, b"the library is closed");
}

#[test]
fn a_refusal_is_the_mods_fault() {
    let mut game = game(|app| {
        app.init_resource::<Promised>().add_mod_import("work", promise);
    });
    let error = game.app.world_mut().call_mod::<_, ()>("worker", "start", &0_u32).expect_err("it is refused");
    assert!(error.to_string().contains("`work`, which failed: nothing is no work"), "{error}");
}

#[test]
fn nobody_works_for_a_mod_that_does_not_wait() {
    let mut game = game(|app| {
        app.init_resource::<Promised>().add_mod_import("work", promise);
    });
    start(&mut game, 6);
    game.app.world_mut().call_mod::<_, ()>("worker", "cancel", &()).expect("it cancels");
    assert_eq!(state(&mut game), JobState::Unknown);
    assert!(!game.app.world().resource::<Promised>().0[0].2.is_wanted());

    start(&mut game, 6);
    assert!(game.app.world().resource::<Promised>().0[1].2.is_wanted());
    with_mods(&mut game, |mut mods| mods.unload("worker").expect("it is there"));
    game.frame();
    assert!(!game.app.world().resource::<Promised>().0[1].2.is_wanted());
}

#[test]
fn tickets_are_the_mods_own_and_end_with_it() {
    // Without probation, so that the earlier version is not kept.
    let settings = ModSettings { probation_frames: 0, ..Default::default() };
    let mut game = Game::with_settings(&[("worker.wasm", &worker().build())], settings);
    game.app.init_resource::<Promised>().add_mod_import("work", promise);
    game.until_told("loaded worker");
    start(&mut game, 6);
    for ticket in [0, u64::MAX, 1 << 40] {
        let state: u32 = game.app.world_mut().call_mod("worker", "poke", &ticket).expect("it says so");
        assert_eq!(JobState::from_raw(state), JobState::Unknown, "{ticket}");
    }
    with_mods(&mut game, |mut mods| mods.reload("worker").expect("it is there"));
    game.until_told("reloaded worker");
    assert_eq!(state(&mut game), JobState::Unknown);
    assert!(!game.app.world().resource::<Promised>().0[0].2.is_wanted());
}

/// The other way: the answer is a message, which the mod reads like any other.
#[derive(Message, Reflect)]
#[reflect(Message)]
struct Dug {
    deep: u64,
}

#[derive(Component)]
struct Digging(Task<u64>);

fn dig(In(deep): In<u32>, mut commands: Commands) {
    let task = AsyncComputeTaskPool::get().spawn(async move { u64::from(deep) * 2 });
    commands.spawn(Digging(task));
}

fn tell(mut digging: Query<(Entity, &mut Digging)>, mut commands: Commands, mut dug: MessageWriter<Dug>) {
    for (entity, mut digging) in &mut digging {
        if let Some(deep) = block_on(future::poll_once(&mut digging.0)) {
            dug.write(Dug { deep });
            commands.entity(entity).despawn();
        }
    }
}

#[test]
fn an_answer_may_come_as_a_message() {
    let mut digger = Mod::new("digger");
    let dug = digger.ty("Dug", "{deep:u64}");
    let digger = digger
        .import("work")
        .system("hear", "Update", vec![ParamDesc::MessageReader(dug)])
        .run("(if (local.get $rows) (then (global.set $sum (i64.add (global.get $sum) (i64.load (local.get $data))))))")
        .fields(
            r#"(func (export "__start") (param $args i64) (result i64) (call $work (local.get $args)))
            (func (export "__sum") (param i64) (result i64)
                (i64.store (i32.const 512) (global.get $sum)) (i64.const 0x20000000008))"#,
        );
    let mut game = Game::with_mods(&[("digger.wasm", &digger.build())]);
    game.app.add_mod_message::<Dug>().add_mod_import("work", dig).add_systems(Update, tell);
    game.until_told("loaded digger");
    let world = game.app.world_mut();
    world.call_mod::<_, ()>("digger", "start", &21_u32).expect("it starts");
    let begin = Instant::now();
    let mut sum = 0;
    while sum == 0 && begin.elapsed() < Duration::from_secs(10) {
        game.frame();
        sum = game.app.world_mut().call_mod("digger", "sum", &()).expect("it says so");
    }
    assert_eq!(sum, 42_u64);
}

#[test]
fn a_slow_job_never_holds_a_frame_up() {
    fn work(In(_): In<u32>) -> Job<u32> {
        Job::spawn(|| {
            std::thread::sleep(Duration::from_secs(30));
            1
        })
    }
    let mut game = game(|app| {
        app.add_mod_import("work", work);
    });
    let begin = Instant::now();
    start(&mut game, 1);
    for _ in 0..20 {
        assert_eq!(state(&mut game), JobState::Pending);
        game.frame();
    }
    drop(game);
    assert!(begin.elapsed() < Duration::from_secs(20), "{:?}", begin.elapsed());
}
