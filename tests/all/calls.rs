//! The game calls mods, and mods call the game.

use bevy::prelude::{
    AppTypeRegistry, Commands, Component, Entity, In, IntoScheduleConfigs, Local, Query, Res, ResMut, Resource, Update,
    With, World,
};
use bevy_wasm_mods::{
    Opaque, OpaqueTable,
    prelude::{CallMod, ModAppExt, ModCallError, ModSystems, Refusal},
};
use mod_abi::{
    codec,
    describe::{ParamDesc, QueryDesc, TermDesc, TypeDesc, TypeRole, WorldRequest, WorldTarget},
};

use crate::{
    fixtures::{Health, Score},
    support::{Game, Mod, healer, query, with_mods},
};

/// `add(u32, u32) -> u32`, `nothing()`, `fails()` and `ask(u32) -> u32`, which asks the host function `double`.
fn calculator() -> Mod {
    Mod::new("calculator").import("double").fields(
        r#"(func (export "__add") (param $args i64) (result i64)
            (local $at i32)
            (local.set $at (i32.wrap_i64 (i64.shr_u (local.get $args) (i64.const 32))))
            (i32.store (local.get $at) (i32.add (i32.load (local.get $at)) (i32.load offset=4 (local.get $at))))
            (i64.or (i64.shl (i64.extend_i32_u (local.get $at)) (i64.const 32)) (i64.const 4)))
        (func (export "__nothing") (param i64) (result i64) (i64.const 0))
        (func (export "__fails") (param i64) (result i64) unreachable)
        (func (export "__ask") (param $args i64) (result i64) (call $double (local.get $args)))"#,
    )
}

fn double(In(value): In<u32>) -> u32 {
    value * 2
}

fn game_with_calculator() -> Game {
    let mut game = Game::with_mods(&[("calculator.wasm", &calculator().build())]);
    game.app.add_mod_import("double", double);
    game.until_told("loaded calculator");
    game
}

#[test]
fn a_system_of_the_game_calls_an_export() {
    let mut game = game_with_calculator();
    let sum = with_mods(&mut game, |mut mods| mods.call::<_, u32>("calculator", "add", &(20_u32, 22_u32)));
    assert_eq!(sum.expect("it adds"), 42);
    with_mods(&mut game, |mut mods| mods.call::<_, ()>("calculator", "nothing", &())).expect("nothing happens");
}

#[test]
fn a_call_that_cannot_be_answered_is_a_sentence() {
    let mut game = game_with_calculator();
    let mut check = |id: &str, export: &str, expected: &[&str]| {
        let (id, export) = (id.to_owned(), export.to_owned());
        let error = with_mods(&mut game, move |mut mods| mods.call::<_, String>(&id, &export, &(1_u32, 2_u32)))
            .expect_err("it cannot be answered")
            .to_string();
        for part in expected {
            assert!(error.contains(part), "{part:?} is not in: {error}");
        }
    };
    check("calculater", "add", &["no mod `calculater`"]);
    check("calculator_2", "add", &["no mod `calculator_2`", "there is `calculator`"]);
    check("calculator", "ad", &["calculator", "`ad`", "`add`"]);
    check("calculator", "add", &["calculator", "`add`", "String"]);
    // Neither was the mod's fault.
    assert!(with_mods(&mut game, |mods| mods.is_running("calculator")));
    game.frame();
    assert!(game.faults().is_empty());
}

#[test]
fn a_call_that_traps_stops_the_mod() {
    let mut game = game_with_calculator();
    let error = with_mods(&mut game, |mut mods| mods.call::<_, ()>("calculator", "fails", &()));
    assert!(matches!(error, Err(ModCallError::Call { .. })), "{error:?}");
    let again = with_mods(&mut game, |mut mods| mods.call::<_, u32>("calculator", "add", &(1_u32, 1_u32)));
    assert!(matches!(again, Err(ModCallError::NotRunning { .. })), "{again:?}");
    let fault = game.first_fault();
    assert!(fault.contains("calculator 1.2.3") && fault.contains("`fails`"), "{fault}");
}

#[test]
fn host_functions_need_the_world() {
    let mut game = game_with_calculator();
    let answer = game.app.world_mut().call_mod::<_, u32>("calculator", "ask", &21_u32);
    assert_eq!(answer.expect("it doubles"), 42);
    let error = with_mods(&mut game, |mut mods| mods.call::<_, u32>("calculator", "ask", &21_u32));
    let error = error.expect_err("there is no World").to_string();
    assert!(error.contains("call_mod"), "{error}");
}

#[derive(Component)]
struct Made;

#[derive(Resource, Default)]
struct Book(Vec<(u32, u64, usize)>);

/// Everything that a host function may do: its own state, resources, queries, commands.
fn note(
    In((value, bonus)): In<(u32, u32)>,
    mut calls: Local<u64>,
    mut book: ResMut<Book>,
    health: Query<&Health>,
    mut commands: Commands,
) -> u32 {
    *calls += 1;
    book.0.push((value, *calls, health.iter().count()));
    commands.spawn(Made);
    value + bonus
}

/// A mod with two systems that each call `note(7, 3)` and write the answer into the first health.
fn noting() -> Mod {
    let mut noting = Mod::new("noting").import("note");
    let health = noting.ty("Health", "{value:f32}");
    let param = || vec![query(&[], &[health])];
    noting.system("one", "Update", param()).system("two", "Update", param()).after(&[0]).run(
        "(i32.store (i32.const 256) (i32.const 7))
         (i32.store (i32.const 260) (i32.const 3))
         (f32.store (local.get $data) (f32.convert_i32_u (i32.load (i32.wrap_i64 (i64.shr_u
            (call $note (i64.const 0x10000000008)) (i64.const 32))))))
         (i64.store (local.get $dirty) (i64.const 1))",
    )
}

#[test]
fn a_host_function_may_write_the_registry_of_types() {
    let mut game = Game::with_mods(&[("noting.wasm", &noting().build())]);
    let note = |In((value, _)): In<(u32, u32)>, types: Res<AppTypeRegistry>| -> u32 {
        // Who waits here for a lock that the mod's own slot holds would wait for ever.
        types.internal.try_write().map_or(0, |_| value)
    };
    game.app.add_mod_import("note", note);
    let patient = game.app.world_mut().spawn(Health::default()).id();
    game.until_told("loaded noting");
    game.frame();
    assert_eq!(game.app.world().get::<Health>(patient), Some(&Health { value: 7.0 }), "{:?}", game.faults());
}

#[test]
fn a_host_function_runs_in_the_middle_of_a_mods_system() {
    let mut game = Game::with_mods(&[("noting.wasm", &noting().build())]);
    game.app.init_resource::<Book>().add_mod_import("note", note);
    let patient = game.app.world_mut().spawn(Health::default()).id();
    game.app.add_systems(
        Update,
        (|made: Query<(), With<Made>>, book: Res<Book>| {
            // Commands of a host function apply before systems that are ordered after the mods.
            assert_eq!(made.iter().count(), book.0.len());
        })
        .after(ModSystems),
    );
    game.until_told("loaded noting");
    game.frames(2);
    let book = &game.app.world().resource::<Book>().0;
    // Each system has the function's `Local` of its own.
    assert_eq!(book[..4], [(7, 1, 1), (7, 1, 1), (7, 2, 1), (7, 2, 1)]);
    assert_eq!(game.app.world().get::<Health>(patient), Some(&Health { value: 10.0 }));
}

#[test]
fn a_host_function_that_panics_or_gets_nonsense_fails_the_mod_only() {
    let check = |game: &mut Game, expected: &[&str]| {
        game.app.world_mut().spawn(Health::default());
        let fault = game.first_fault();
        for part in expected {
            assert!(fault.contains(part), "{part:?} is not in: {fault}");
        }
        game.frames(2);
    };
    let mut game = Game::with_mods(&[("noting.wasm", &noting().build())]);
    game.app.add_mod_import("note", |_: In<(u32, u32)>| -> u32 { panic!("the game has a bug") });
    check(&mut game, &["noting 1.2.3", "`one`", "`note`", "the game has a bug"]);

    let mut game = Game::with_mods(&[("noting.wasm", &noting().build())]);
    game.app.add_mod_import("note", |In(text): In<String>| text);
    check(&mut game, &["noting 1.2.3", "`one`", "`note`", "its arguments do not fit"]);

    // A system whose resource is missing cannot run.
    let mut game = Game::with_mods(&[("noting.wasm", &noting().build())]);
    game.app.add_mod_import("note", |_: In<(u32, u32)>, score: Res<Score>| score.points);
    check(&mut game, &["noting 1.2.3", "`one`", "`note`", "Score"]);
}

#[test]
#[should_panic(expected = "cannot be a mod import")]
fn an_exclusive_system_is_refused_as_a_host_function() {
    Game::with_mods(&[]).app.add_mod_import("note", |_: In<u32>, _: &mut World| {});
}

#[test]
#[should_panic(expected = "belongs to the ABI")]
fn a_reserved_name_is_refused_for_a_host_function() {
    Game::with_mods(&[]).app.add_mod_import("world_get", double);
}

/// A mod that asks for the health of all entities in the middle of its call and writes their sum into the score; the
/// request stands at address 8192 and its arguments at 256.
fn asking(params: &[ParamDesc], function: &str) -> Mod {
    let mut asking = Mod::new("asking").import("world_prepare").import(function);
    let health = asking.ty("Health", "{value:f32}");
    let schema = mod_abi::Schema::parse("{value:f32}").expect("a schema");
    let request = WorldRequest {
        types: vec![TypeDesc { path: "Health".to_owned(), schema, role: TypeRole::Mirror }],
        target: WorldTarget::Query(QueryDesc { terms: vec![TermDesc::Read(0)], filters: Vec::new() }),
    };
    let bytes = codec::encode(&request).expect("a request");
    let escaped: String = bytes.iter().map(|byte| format!("\\{byte:02x}")).collect();
    let params = [params, &[query(&[], &[health])]].concat();
    asking.system("ask", "Update", params).fields(&format!(
        r#"(data (i32.const 8192) "{escaped}")
        (func $pointer (param $buffer i64) (result i32)
            (i32.wrap_i64 (i64.shr_u (local.get $buffer) (i64.const 32))))
        (func $prepare (result i32)
            (i32.load (call $pointer (call $world_prepare (i64.const {})))))"#,
        (8192_u64 << 32) | bytes.len() as u64
    ))
}

#[test]
fn a_system_reads_the_world_on_demand() {
    // The block of the query is the second parameter's: its first row takes the number of rows and the sum.
    let asking = asking(&[ParamDesc::World], "world_query").run(
        "(i32.store (i32.const 256) (call $prepare))
         (local.set $i (call $pointer (call $world_query (i64.const 0x10000000004))))
         (local.set $rows (i32.load (local.get $i)))
         (local.set $data (i32.add (local.get $i) (i32.load offset=16 (local.get $i))))
         (local.set $block (i32.add (local.get $batch) (i32.load offset=20 (local.get $batch))))
         (f32.store (i32.add (local.get $block) (i32.load offset=16 (local.get $block)))
            (f32.add (f32.mul (f32.const 1000) (f32.convert_i32_u (local.get $rows)))
                (f32.add (f32.load (local.get $data)) (f32.load offset=4 (local.get $data)))))
         (i64.store (i32.add (local.get $block) (i32.load offset=32 (local.get $block))) (i64.const 1))",
    );
    let mut game = Game::with_mods(&[("asking.wasm", &asking.build())]);
    let first = game.app.world_mut().spawn(Health { value: 1.0 }).id();
    game.app.world_mut().spawn(Health { value: 20.0 });
    game.until_told("loaded asking");
    game.app.world_mut().entity_mut(first).insert(Health { value: 1.0 });
    game.frame();
    assert_eq!(game.app.world().get::<Health>(first), Some(&Health { value: 2021.0 }), "{:?}", game.faults());
}

#[test]
fn on_demand_access_is_refused_without_a_world_parameter() {
    let asking = asking(&[], "world_query").run("(drop (call $prepare))");
    let mut game = Game::with_mods(&[("asking.wasm", &asking.build())]);
    game.app.world_mut().spawn(Health::default());
    let fault = game.first_fault();
    assert!(fault.contains("`ask`") && fault.contains("`World` parameter"), "{fault}");
}

#[test]
fn on_demand_access_survives_nonsense() {
    let check = |function: &str, body: &str, expected: &str| {
        let asking = asking(&[ParamDesc::World], function).run(body);
        let mut game = Game::with_mods(&[("asking.wasm", &asking.build())]);
        game.app.world_mut().spawn(Health::default());
        let fault = game.first_fault();
        assert!(fault.contains("`ask`") && fault.contains(expected), "{expected:?} is not in: {fault}");
    };
    check(
        "world_query",
        "(i32.store (i32.const 256) (i32.const 77)) (drop (call $world_query (i64.const 0x10000000004)))",
        "no prepared request 77",
    );
    check("world_query", "(drop (call $world_query (i64.const 0x10000000003)))", "its arguments do not fit");
    check("world_query", "(drop (call $world_query (i64.const -1)))", "does not lie inside");
    check(
        "world_get",
        "(i32.store (i32.const 256) (call $prepare)) (i64.store (i32.const 260) (i64.const 0))
         (drop (call $world_get (i64.const 0x1000000000c)))",
        "is no entity",
    );
    check("world_query", "(loop $again (drop (call $prepare)) (br $again))", "more than 1024 requests");
}

#[test]
fn mods_do_not_disturb_each_other() {
    let mods: [(&str, &[u8]); 2] = [("a.wasm", &healer("a").build()), ("b.wasm", &healer("b").build())];
    let mut game = Game::with_mods(&mods);
    let patient: Entity = game.app.world_mut().spawn(Health::default()).id();
    game.until_told("loaded a");
    game.until_told("loaded b");
    game.app.world_mut().entity_mut(patient).insert(Health::default());
    game.frames(5);
    assert_eq!(game.app.world().get::<Health>(patient), Some(&Health { value: 10.0 }));
}

/// A calculator that states its functions.
fn stating(lines: &str) -> Vec<u8> {
    let section = format!(r#"(@custom "bevy_mod_functions" "{}")"#, lines.replace('\n', "\\n"));
    calculator().fields(&section).build()
}

const STATED: &str = "export bincode add (u32,u32)->u32\nimport bincode double (u32)->u32\n";

#[test]
fn a_function_is_looked_up_once() {
    let mut game = Game::with_mods(&[("calculator.wasm", &stating(STATED))]);
    game.app.add_mod_import("double", double);
    game.until_told("loaded calculator");
    let (add, ask) = with_mods(&mut game, |mods| {
        (mods.function::<(u32, u32), u32>("calculator", "add"), mods.function::<u32, u32>("calculator", "ask"))
    });
    let (add, ask) = (add.expect("it is there"), ask.expect("it is there"));
    assert_eq!((add.mod_id(), add.name()), ("calculator", "add"));
    let sum = with_mods(&mut game, |mut mods| mods.call_function(&add, &(20, 22)));
    assert_eq!(sum.expect("it adds"), 42);
    assert_eq!(game.app.world_mut().call_mod_function(&ask, &21).expect("it asks"), 42);
    with_mods(&mut game, |mods| {
        let none = mods.optional_function::<(), ()>("calculator", "subtract").expect("it need not be there");
        assert!(none.is_none());
    });
}

#[test]
fn what_a_mod_states_of_its_functions_counts() {
    let mut game = Game::with_mods(&[("calculator.wasm", &stating(STATED))]);
    game.app.add_mod_import("double", double);
    game.until_told("loaded calculator");
    with_mods(&mut game, |mods| {
        let error = mods.function::<(u32, f32), u32>("calculator", "add").expect_err("it takes something else");
        let text = "calculator: `add` of the mod takes `u32` as argument 2, but the host passes `f32`";
        assert_eq!(error.to_string(), text);
        let error =
            mods.optional_function::<(u32, u32), i32>("calculator", "add").expect_err("it returns something else");
        assert!(error.to_string().contains("returns `u32`, but the host expects `i32`"), "{error}");
        assert!(mods.is_running("calculator"));
    });
}

#[test]
fn a_mod_that_means_another_host_function_is_not_loaded() {
    let mut game = Game::with_mods(&[("calculator.wasm", &stating("import bincode double (f32)->f32\n"))]);
    game.app.add_mod_import("double", double);
    let fault = game.first_fault();
    assert!(
        fault.contains("calculator") && fault.contains("`env.__double` takes `u32`, but the mod passes `f32`"),
        "{fault}"
    );
}

#[test]
fn a_handle_ends_with_a_reload() {
    let mut game = game_with_calculator();
    let add = with_mods(&mut game, |mods| mods.function::<(u32, u32), u32>("calculator", "add")).expect("it is there");
    with_mods(&mut game, |mut mods| mods.reload("calculator")).expect("it is there");
    game.until_told("reloaded calculator");
    let error =
        with_mods(&mut game, |mut mods| mods.call_function(&add, &(1, 1))).expect_err("it is of an earlier one");
    assert!(error.to_string().contains("the handle to `add` is not of this instance of the mod"), "{error}");
    assert!(with_mods(&mut game, |mods| mods.is_running("calculator")), "nobody's fault");
    let add = with_mods(&mut game, |mods| mods.function::<(u32, u32), u32>("calculator", "add")).expect("it is there");
    assert_eq!(with_mods(&mut game, |mut mods| mods.call_function(&add, &(1, 1))).expect("it adds"), 2);
}

/// Values of the game that mods only hold handles to.
#[derive(Resource, Default)]
struct Doors(OpaqueTable);

#[test]
fn a_value_of_the_game_is_a_handle_in_the_mod() {
    fn open(In(height): In<u32>, mut doors: ResMut<Doors>) -> Result<Opaque<f32>, Refusal> {
        doors.0.insert(height as f32).map_err(|error| Refusal::new(error.to_string()))
    }
    let through = r#"(func (export "__through") (param $args i64) (result i64) (call $double (local.get $args)))"#;
    let mut game = Game::with_mods(&[("doors.wasm", &Mod::new("doors").import("double").fields(through).build())]);
    game.app.init_resource::<Doors>().add_mod_import("double", open);
    game.until_told("loaded doors");
    let door: Opaque<f32> = game.app.world_mut().call_mod("doors", "through", &7_u32).expect("it opens");
    assert_eq!(game.app.world().resource::<Doors>().0.get(door), Ok(&7.0));
}

/// A type of the game that cannot stand to be read.
struct Grumpy;

impl<'de> serde::Deserialize<'de> for Grumpy {
    fn deserialize<D: serde::Deserializer<'de>>(_: D) -> Result<Self, D::Error> {
        panic!("do not read me")
    }
}

#[test]
fn types_of_the_game_that_panic_fail_the_call_only() {
    fn read(_: In<Grumpy>) -> u32 {
        1
    }
    let mut game = Game::with_mods(&[("calculator.wasm", &calculator().build())]);
    game.app.add_mod_import("double", read);
    game.until_told("loaded calculator");
    let error = game.app.world_mut().call_mod::<_, u32>("calculator", "ask", &21_u32).expect_err("it panics");
    assert!(error.to_string().contains("`double`, which failed: it panicked: do not read me"), "{error}");
    let fault = game.first_fault();
    assert!(fault.contains("calculator"), "{fault}");
}
