//! A mod that fails in whatever way the game asks for, and says whenever it is called.

use bevy::prelude::{In, Reflect, ResMut, Resource};
use bevy_wasm_mods::prelude::{CallMod, ModAppExt, ModCallError, ModSettings, ModState, SpawnedBy};
use mod_abi::{
    DependencyKind,
    command::Command,
    describe::{EventDesc, ParamDesc},
};

use crate::{
    fixtures::{Health, Mixed},
    support::{Game, Mod, new_entity, query, resource, select},
};

/// How the mod fails.
#[derive(Resource, Reflect, Debug, Default)]
pub(crate) struct Orders {
    pub(crate) kind: u64,
}

/// What came of the last call that the mod `asker` made to the mod `shaky`: its status.
#[derive(Resource, Reflect, Debug, Default)]
pub(crate) struct Heard {
    pub(crate) status: u64,
}

/// Which code of the mod ran, by the numbers below.
#[derive(Resource, Debug, Default)]
pub(crate) struct Said(pub(crate) Vec<u32>);

pub(crate) const START: u32 = 0;
pub(crate) const WORK: u32 = 1;
pub(crate) const TIDY: u32 = 3;
pub(crate) const NOTICE: u32 = 4;

/// Ways to fail: the order, the function that fails, and a part of the text.
pub(crate) const WAYS: [(u64, &str, &str); 8] = [
    (TRAPS, "work", "unreachable"),
    (2, "work", "panicked: oops"),
    (3, "work", "longer than"),
    (4, "work", "its command number 1 cannot be read"),
    (5, "work", "2 is not a valid bool"),
    (7, "notice", "unreachable"),
    (8, "sting", "unreachable"),
    (9, "sting", "unreachable"),
];
pub(crate) const TRAPS: u64 = 1;
/// Only as it starts.
pub(crate) const STARTS_BADLY: u64 = 6;
const OBSERVED: u64 = 7;
const CALLED: u64 = 8;

/// Its start-up spawns an entity; `runs` says how often `work` has run in this instance, which it keeps over a reload.
pub(crate) fn shaky(id: &str) -> Mod {
    let mut shaky = Mod::new(id).import("note");
    let orders = shaky.ty("all::shaky::Orders", "{kind:u64}");
    let mixed = shaky.ty("all::fixtures::Mixed", "{flag:bool,level:u8,weight:f64}");
    let health = shaky.ty("all::fixtures::Health", "{value:f32}");
    let orders = resource(orders, false);
    let is = |system: u32| format!("(i32.eq (local.get $system) (i32.const {system}))");
    let ordered = |kind: u64| format!("(i64.eq (i64.load (local.get $data)) (i64.const {kind}))");
    shaky
        .keeps("Runs", "{runs:u64}", &[0; 8])
        .system("start", "Startup", vec![orders.clone(), ParamDesc::Commands])
        .system("work", "Update", vec![orders.clone(), query(&[], &[mixed]), ParamDesc::Commands])
        .system("late", "PostUpdate", vec![])
        .system("tidy", "OnUnload", vec![])
        .observer("notice", EventDesc::Add(health), vec![orders])
        .run(&format!(
            "(call $say (local.get $system))
            (if {} (then (if {} (then unreachable))))",
            is(START),
            ordered(STARTS_BADLY)
        ))
        .leaves(START, &[Command::Spawn { entity: new_entity(0), components: Vec::new() }])
        .run_also(&format!(
            r#"(if {work} (then
                (i64.store (global.get $kept) (i64.add (i64.const 1) (i64.load (global.get $kept))))
                (if {traps} (then unreachable))
                (if {panics} (then
                    (i32.store (i32.const 64) (i32.const 0x73706f6f))
                    (call $panic (i32.const 64) (i32.const 4))
                    unreachable))
                (if {loops} (then (loop $again (br $again))))
                (if {babbles} (then (return (i64.const 0x0000232800000003))))
                (if {scribbles} (then
                    {select}
                    (i32.store8 (local.get $data) (i32.const 2))
                    (i32.store8 (local.get $dirty) (i32.const 1))))))
            (if {notice} (then {event} (if {observes} (then unreachable))))"#,
            work = is(WORK),
            traps = ordered(TRAPS),
            panics = ordered(2),
            loops = ordered(3),
            babbles = ordered(4),
            scribbles = ordered(5),
            select = select(1),
            notice = is(NOTICE),
            event = select(1),
            observes = ordered(OBSERVED),
        ))
        .fields(
            r#"(func $say (param $what i32)
                (i32.store (i32.const 600) (local.get $what))
                (drop (call $note (i64.const 0x0000025800000004))))
            (func (export "__runs") (param i64) (result i64)
                (i64.or (i64.shl (i64.extend_i32_u (global.get $kept)) (i64.const 32)) (i64.const 8)))
            (func (export "__sting") (param i64) (result i64) unreachable)
            (func (export "__poke") (param i64) (result i64) (call $say (i32.const 99)) (i64.const 0))"#,
        )
}

/// A mod that calls `shaky` in each frame, after everything else: `sting` if that is the order, else `poke`.
pub(crate) fn asker() -> Mod {
    let mut asker = Mod::new("asker").depends(DependencyKind::Required, "shaky");
    let orders = asker.ty("all::shaky::Orders", "{kind:u64}");
    let heard = asker.ty("all::shaky::Heard", "{status:u64}");
    asker
        .import_of("shaky", "sting")
        .import_of("shaky", "poke")
        .fields(
            "(func $status (param $answer i64) (result i64)
                (i64.load32_u (i32.wrap_i64 (i64.shr_u (local.get $answer) (i64.const 32)))))",
        )
        .system("ask", "Last", vec![resource(orders, false), resource(heard, true)])
        .run(&format!(
            "(local.set $entity (if (result i64) (i64.eq (i64.load (local.get $data)) (i64.const 9))
                (then (call $status (call $sting (i64.const 0))))
                (else (call $status (call $poke (i64.const 0))))))
            {}
            (i64.store (local.get $data) (local.get $entity))
            (i64.store (local.get $dirty) (i64.const 1))",
            select(1)
        ))
}

/// A game with mods that follow orders, of which none is given yet.
pub(crate) fn game(mods: &[(&str, &[u8])], settings: ModSettings) -> Game {
    let mut game = Game::with_settings(mods, settings);
    game.app.init_resource::<Orders>().init_resource::<Heard>().init_resource::<Said>();
    game.app.register_type::<Orders>().register_type::<Heard>();
    game.app.add_mod_import("note", |In(what): In<u32>, mut said: ResMut<Said>| said.0.push(what));
    game.app.world_mut().spawn(Mixed::default());
    game.app.world_mut().register_component::<Health>();
    game
}

pub(crate) fn order(game: &mut Game, kind: u64) {
    game.app.world_mut().resource_mut::<Orders>().kind = kind;
}

/// Has the mods fail in a way. The next frame boundary is the one that tells of it.
pub(crate) fn fail_once(game: &mut Game, kind: u64) {
    order(game, kind);
    match kind {
        OBSERVED => drop(game.app.world_mut().spawn(Health::default())),
        CALLED => drop(game.app.world_mut().call_mod::<_, ()>("shaky", "sting", &())),
        _ => game.frame(),
    }
    order(game, 0);
}

/// How often the mod's `work` has run in its instance.
pub(crate) fn runs(game: &mut Game) -> Result<u64, ModCallError> {
    game.app.world_mut().call_mod("shaky", "runs", &())
}

pub(crate) fn state(game: &Game, id: &str) -> Option<ModState> {
    game.app.world().resource::<bevy_wasm_mods::ModRegistry>().state(id).cloned()
}

/// What the mod has said since this was last asked.
pub(crate) fn said(game: &mut Game) -> Vec<u32> {
    std::mem::take(&mut game.app.world_mut().resource_mut::<Said>().0)
}

/// How many entities a mod has spawned.
pub(crate) fn spawned(game: &mut Game, id: &str) -> usize {
    let world = game.app.world_mut();
    world.query::<&SpawnedBy>().iter(world).filter(|by| by.mod_id() == id).count()
}
