//! Everything that a file in the mod folder can do wrong: one clear sentence each, and the good mods go on.

use bevy::prelude::{Entity, With};
use mod_abi::{ABI_VERSION, Identity, describe::FilterDesc};

use crate::{
    fixtures::{Health, Lettering, Mixed, Rank, Score, Target},
    support::{Game, HEAL, Mod, filtered, healer, query, resource},
};

/// Loads a bad mod beside a good one and checks the sentence. The good one has to play on.
#[track_caller]
fn check(file: &str, bad: &[u8], expected: &[&str]) {
    let mut game = Game::with_mods(&[(file, bad), ("good.wasm", &healer("good").build())]);
    let world = game.app.world_mut();
    let patient = world.spawn(Health::default()).id();
    let aim = world.spawn(Rank::default()).id();
    world.spawn((Lettering::default(), Mixed::default(), Target { entity: aim, since: std::time::Duration::ZERO }));
    world.insert_resource(Score::default());
    game.until_told("loaded good");
    let fault = game.first_fault();
    for part in expected {
        assert!(fault.contains(part), "{part:?} is not in: {fault}");
    }
    assert!(!fault.contains('\n'), "a fault is one line: {fault}");
    let health = |game: &Game| game.app.world().get::<Health>(patient).expect("it is there").value;
    let before = health(&game);
    game.frames(3);
    assert_eq!(health(&game), before + 3.0, "the good mod should play on");
    assert_eq!(game.faults().len(), 1, "a fault is told once: {:?}", game.story());
}

fn wat(text: &str) -> Vec<u8> {
    wat::parse_str(text).expect("a module")
}

#[test]
fn files_that_are_no_modules() {
    let whole = healer("whole").build();
    check("nonsense.wasm", b"this is a text", &["nonsense", "not a WebAssembly file"]);
    check("empty.wasm", b"", &["empty", "not a WebAssembly file"]);
    check("half.wasm", &whole[..whole.len() / 2], &["half.wasm"]);
    check("component.wasm", b"\0asm\x0d\0\x01\0", &["component", "wasm32-unknown-unknown"]);
}

#[test]
fn modules_without_the_contract() {
    check("none.wasm", &wat("(module)"), &["none", "memory"]);
    check(
        "no_alloc.wasm",
        &wat(r#"(module (memory (export "memory") 1) (func (export "__free_buffer") (param i64))
            (func (export "__mod_describe") (param i64) (result i64) (i64.const 0)))"#),
        &["no_alloc", "__alloc_buffer"],
    );
    check(
        "wrong.wasm",
        &wat(r#"(module (memory (export "memory") 1)
            (func (export "__alloc_buffer") (param i64) (result i64) (i64.const 0))
            (func (export "__free_buffer"))
            (func (export "__mod_describe") (param i64) (result i64) (i64.const 0)))"#),
        &["wrong", "__alloc_buffer", "__free_buffer"],
    );
}

/// A module whose describe export has this body.
fn describing(body: &str) -> Vec<u8> {
    wat(&format!(
        r#"(module (memory (export "memory") 1)
            (data (i32.const 0) "\ff\ff\ff\ff\ff\ff\ff\ff\ff\ff\ff\ff\ff\ff\ff\ff")
            (func (export "__alloc_buffer") (param i32) (result i32) (i32.const 16))
            (func (export "__free_buffer") (param i64))
            (func (export "__mod_describe") (param i64) (result i64) {body} (i64.const 0)))"#
    ))
}

#[test]
fn descriptions_that_are_none() {
    check("traps.wasm", &describing("unreachable"), &["traps", "describe", "unreachable"]);
    check("loops.wasm", &describing("(loop $again (br $again))"), &["loops", "describe", "longer than 1s"]);
    check("pointer.wasm", &describing("(return (i64.const 0x7fffffff00000010))"), &["pointer", "does not lie inside"]);
    check("length.wasm", &describing("(return (i64.const 0x000000007fffffff))"), &["length", "does not lie inside"]);
    check("sum.wasm", &describing("(return (i64.const 0x0000fff000000020))"), &["sum", "does not lie inside"]);
    check("endless.wasm", &describing("(return (i64.const 0x0000000000000010))"), &["endless", "decoded"]);
    check("short.wasm", &describing("(return (i64.const 0x0000000000000001))"), &["short", "decoded"]);
}

#[test]
fn types_that_the_game_does_not_have() {
    let one = |path: &str, schema: &str| {
        let mut bad = Mod::new("bad");
        let ty = bad.ty(path, schema);
        bad.system("look", "Update", vec![query(&[ty], &[])]).build()
    };
    check("bad.wasm", &one("orchard::Velocity", "{}"), &["bad 1.2.3", "`look`", "no type `orchard::Velocity`"]);
    check("bad.wasm", &one("other::Health", "{}"), &["no type `other::Health`", "`all::fixtures::Health`"]);
    check("bad.wasm", &one("Frozen", "{}"), &["several types", "all::fixtures::Frozen", "all::fixtures::twin::Frozen"]);
    check(
        "bad.wasm",
        &one("Health", "{value:f64}"),
        &["Health does not match this game: mod has \"value: f64\", game has \"value: f32\""],
    );
    check("bad.wasm", &one("Health", "{value:f32,armor:f32}"), &["\"armor: f32\"", "\"no such field\""]);
    check("bad.wasm", &one("Mixed", "{flag:bool,weight:f64,level:u8}"), &["\"weight: f64\"", "\"level: u8\""]);
}

#[test]
fn descriptions_that_lie() {
    let mut bad = Mod::new("bad");
    let health = bad.ty("Health", "{value:f32}");
    let rank = bad.ty("Rank", "{value:u32}");
    let bad = bad
        .system("no_type", "Update", vec![query(&[9], &[])])
        .system("immutable", "Update", vec![query(&[], &[rank])])
        .system("twice", "Update", vec![query(&[health], &[health])])
        .system("alias", "Update", vec![query(&[], &[health]), query(&[health], &[])])
        .system("when", "Tomorrow", vec![])
        .system("\x1b[31m", "Update", vec![])
        .system("circle", "Update", vec![])
        .after(&[6])
        .system("elsewhere", "Last", vec![])
        .after(&[0])
        .system("nowhere", "Update", vec![])
        .after(&[99]);
    // Every mistake is told at once.
    check(
        "bad.wasm",
        &bad.build(),
        &[
            "`no_type`: it names type number 9",
            "`immutable`: Rank cannot be written by mods: it is an immutable component",
            "`twice`: a query names Health twice",
            "`alias`: parameters 1 and 2 both borrow `Health`, and one of them writes it",
            "no schedule `Tomorrow`",
            "system number 5",
            "`elsewhere` should run after system number 0, which runs in another schedule",
            "`elsewhere` should run after system number 0, which runs in another schedule",
            "`nowhere` should run after system number 99, which does not exist",
        ],
    );
}

#[test]
fn two_queries_that_filters_keep_apart_are_no_alias() {
    let mut fine = Mod::new("fine");
    let health = fine.ty("Health", "{value:f32}");
    let mixed = fine.ty("Mixed", "{}");
    let with = filtered(&[], &[health], &[FilterDesc::With(mixed)]);
    let without = filtered(&[], &[health], &[FilterDesc::Without(mixed)]);
    let fine = fine.system("both", "Update", vec![with, without]).run(HEAL);
    let mut game = Game::with_mods(&[("fine.wasm", &fine.build())]);
    game.app.world_mut().spawn((Health::default(), Mixed::default()));
    game.until_told("loaded fine");
    game.frames(2);
    let mut rows = game.app.world_mut().query_filtered::<&Health, With<Mixed>>();
    assert!(rows.single(game.app.world()).expect("one row").value > 0.0);
}

#[test]
fn imports_that_the_game_does_not_offer_are_listed_at_once() {
    let bad = Mod::new("bad").import("play_sound").import("world_quern").import("set_weather");
    check(
        "bad.wasm",
        &bad.build(),
        &["bad", "`env.__play_sound`", "`env.__set_weather`", "`env.__world_quern`", "did you mean `__world_query`?"],
    );
}

#[test]
fn identities_that_cannot_be_used() {
    let section = |text: &str| {
        wat(&format!(r#"(module (@custom "bevy_mod" "{}") (memory (export "memory") 1))"#, text.replace('\n', "\\n")))
    };
    check("later.wasm", &section("abi: 7\nid: later\nversion: 1.0.0"), &["later", "7", &ABI_VERSION.to_string()]);
    check("path.wasm", &section("abi: 3\nid: ../x\nversion: 1.0.0"), &["path", "ASCII letters"]);
    check("codec.wasm", &section("abi: 3\nid: codec\nversion: 1.0.0\ncodec: xml"), &["codec", "xml", "bincode"]);
    assert!(Identity::from_file_name("a b").is_err());
    check("a b.wasm", &wat(r#"(module (memory (export "memory") 1))"#), &["a b", "ASCII letters"]);
}

#[test]
fn two_mods_with_one_id() {
    let mut game = Game::with_mods(&[("a.wasm", &healer("same").build()), ("b.wasm", &healer("same").build())]);
    let patient = game.app.world_mut().spawn(Health::default()).id();
    let fault = game.first_fault();
    assert!(fault.contains("same 1.2.3") && fault.contains("is the same mod as"), "{fault}");
    assert!(fault.contains("mods/a.wasm") && fault.contains("mods/b.wasm"), "both files are named: {fault}");
    let health = |game: &Game| game.app.world().get::<Health>(patient).expect("it is there").value;
    game.until_told("loaded same");
    let before = health(&game);
    game.frames(3);
    assert_eq!(health(&game), before + 3.0, "one of them runs, once");
}

#[test]
fn other_files_are_ignored() {
    let mut game = Game::with_mods(&[
        ("readme.txt", b"hello"),
        ("data.bin", b"\0asm"),
        ("good.wasm", &healer("good").build()),
        ("in_folder/mod.wasm", &healer("in_folder").build()),
        ("in_folder/notes.md", b"hello"),
    ]);
    game.app.world_mut().spawn(Health::default());
    game.until_told("loaded good");
    game.until_told("loaded in_folder");
    assert!(game.faults().is_empty(), "{:?}", game.story());
}

/// Loads a mod that is fine until its system runs with this body over one column, and checks the sentence.
#[track_caller]
fn check_run(path: &str, schema: &str, body: &str, expected: &[&str]) {
    let mut bad = Mod::new("bad");
    let ty = bad.ty(path, schema);
    let bad = bad.system("break_it", "Update", vec![query(&[], &[ty])]).run(body);
    check("bad.wasm", &bad.build(), &[&["bad 1.2.3", "`break_it`"], expected].concat());
}

#[test]
fn rows_that_the_world_cannot_take() {
    let mark = "(i64.store (local.get $dirty) (i64.const 1))";
    let mixed = "{flag:bool,level:u8,weight:f64}";
    let target = "{entity:entity,since:duration}";
    let label = "{text:str,tags:[str]}";
    let put = |store: &str| format!("{store} {mark}");
    let bool = put("(i32.store8 (local.get $data) (i32.const 2))");
    check_run("Mixed", mixed, &bool, &["row 0 of Mixed", "2 is not a valid bool"]);
    let entity = put("(i64.store (local.get $data) (i64.const 0))");
    check_run("Target", target, &entity, &["row 0 of Target", "not a valid entity"]);
    let nanos = put("(i32.store offset=16 (local.get $data) (i32.const 1000000000))");
    check_run("Target", target, &nanos, &["1000000000 is not a valid number of nanoseconds"]);
    check_run(
        "Health",
        "{value:f32}",
        "(i64.store (local.get $dirty) (i64.const 0x8000000000000000))",
        &["Health", "past the last of 1 rows"],
    );
    check_run("Lettering", label, mark, &["Lettering", "the bytes end before the value does"]);
    let outside = "(i32.store offset=40 (local.get $block) (i32.const -16))
        (i32.store offset=44 (local.get $block) (i32.const 8))";
    check_run("Lettering", label, &put(outside), &["Lettering", "does not lie inside"]);
    let endless = "(i32.store offset=40 (local.get $block) (i32.const 32))
        (i32.store offset=44 (local.get $block) (i32.const 16))
        (i64.store (i32.const 32) (i64.const -1))";
    check_run("Lettering", label, &put(endless), &["Lettering", "more than its bytes can hold"]);
    let left_over = "(i32.store offset=40 (local.get $block) (i32.const 32))
        (i32.store offset=44 (local.get $block) (i32.const 17))";
    check_run("Lettering", label, &put(left_over), &["Lettering", "1 bytes are left over"]);
}

#[test]
fn nothing_is_stored_when_one_row_is_invalid() {
    let mut bad = Mod::new("bad");
    let health = bad.ty("Health", "{value:f32}");
    let mixed = bad.ty("Mixed", "{flag:bool,level:u8,weight:f64}");
    // The health of every row is written and marked, and then a bool is broken.
    let body = format!(
        "{HEAL} (local.set $block (i32.add (local.get $batch) (i32.load offset=20 (local.get $batch))))
         (i32.store8 (i32.add (local.get $block) (i32.load offset=16 (local.get $block))) (i32.const 7))
         (i64.store (i32.add (local.get $block) (i32.load offset=32 (local.get $block))) (i64.const 1))"
    );
    let params = vec![query(&[], &[health]), query(&[], &[mixed])];
    let bad = bad.system("break_it", "Update", params).run(&body);
    let mut game = Game::with_mods(&[("bad.wasm", &bad.build())]);
    let world = game.app.world_mut();
    let entities: Vec<Entity> = (0..5).map(|_| world.spawn((Health::default(), Mixed::default())).id()).collect();
    let fault = game.first_fault();
    assert!(fault.contains("7 is not a valid bool"), "{fault}");
    for entity in entities {
        assert_eq!(game.app.world().get::<Health>(entity), Some(&Health::default()));
        assert_eq!(game.app.world().get::<Mixed>(entity), Some(&Mixed::default()));
    }
}

#[test]
fn a_resource_that_a_mod_breaks_stays_whole() {
    let mut bad = Mod::new("bad");
    let score = bad.ty("Score", "{points:u64}");
    let bad = bad
        .system("break_it", "Update", vec![resource(score, true)])
        .run("(i64.store (local.get $data) (i64.const 5)) (i64.store (local.get $dirty) (i64.const 0x101))");
    check("bad.wasm", &bad.build(), &["`break_it`", "past the last of 1 rows"]);
}

#[test]
fn filters_that_multiply_into_too_many_alternatives() {
    let check = |filters: Vec<FilterDesc>, expected: &str| {
        let mut bad = Mod::new("bad");
        let ty = bad.ty("all::fixtures::Health", "{value:f32}");
        let bad = bad.system("look", "Update", vec![filtered(&[ty], &[], &filters)]);
        check("bad.wasm", &bad.build(), &["bad 1.2.3", "`look`", expected]);
    };
    let four = [FilterDesc::Or(4), FilterDesc::With(0), FilterDesc::With(0), FilterDesc::With(0), FilterDesc::With(0)];
    check(four.repeat(4), "too many alternatives");
    // An `Or` of nothing never holds, and does not make the others cheap.
    check([four.repeat(12), vec![FilterDesc::Or(0)]].concat(), "too many alternatives");
    check(vec![FilterDesc::Or(2), FilterDesc::With(0)], "more members than follow it");
    check(vec![FilterDesc::And(1); 12], "they nest too deep");
}
