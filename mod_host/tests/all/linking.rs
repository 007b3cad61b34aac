//! Imports against what the host offers: all that is missing or of another type is told at once, before anything runs.

use mod_host::{LoadError, PluginError, WasmPluginBuilder};

use crate::harness::{codecs, import, plugin, speaking, stating};

#[track_caller]
fn problems<C: std::fmt::Debug + 'static>(builder: WasmPluginBuilder<C>) -> Vec<String> {
    match builder.finish() {
        Err(PluginError::Load(LoadError::Imports { problems })) => problems,
        other => unreachable!("{other:?}"),
    }
}

#[test]
fn everything_that_is_wrong_is_one_error() {
    let imports = [
        import("play_sund"),
        import("unheard_of"),
        r#"(import "env" "__play_music" (func (param i32)))"#.to_owned(),
        r#"(import "env" "__getrandm" (func (param i32 i32) (result i32)))"#.to_owned(),
        r#"(import "env" "__job_stat" (func (param i64) (result i32)))"#.to_owned(),
        r#"(import "env" "__job_take" (func (param i32)))"#.to_owned(),
        r#"(import "env" "__log" (global i32))"#.to_owned(),
        r#"(import "game" "play_sound" (func))"#.to_owned(),
        r#"(import "__wbindgen_placeholder__" "__wbindgen_describe" (func (param i32)))"#.to_owned(),
        import("set_volume"),
    ];
    let lines = stating(&[
        "import bincode play_sund (u8)->()",
        "import bincode set_volume (u32)->()",
        "import bincode play_sound (u8,u8)->()",
    ]);
    let builder = plugin(&imports.concat(), &lines)
        .import_function("play_sound", |_: String| ())
        .import_function("play_music", || ())
        .import_function("set_volume", |_: f32| ());
    assert_eq!(
        problems(builder),
        [
            "`env.__play_sund` (a function (i64) -> (i64)); did you mean `__play_sound`?",
            "`env.__unheard_of` (a function (i64) -> (i64))",
            "`env.__play_music` is a function (i64) -> (i64), but the mod wants a function (i32) -> ()",
            "`env.__getrandm` (a function (i32, i32) -> (i32)); did you mean `__getrandom`?",
            "`env.__job_stat` (a function (i64) -> (i32)); did you mean `__job_state`?",
            "`env.__job_take` is a function (i64) -> (i64), but the mod wants a function (i32) -> ()",
            "`env.__log` is a function (i32, i32, i32) -> (), but the mod wants a global",
            "`game.play_sound` (a function () -> ())",
            "`__wbindgen_placeholder__.__wbindgen_describe` (a function (i32) -> ()), which only browsers have: switch the \
             feature for JavaScript off in the crate that wants it",
            "`env.__set_volume` takes `f32`, but the mod passes `u32`",
        ]
    );
}

#[test]
fn stated_types_are_compared() {
    let check = |signature: &str, expected: Option<&str>| {
        let line = format!("import bincode go {signature}");
        let builder = plugin(&import("go"), &stating(&[&line])).import_function("go", |_: u8, _: Vec<String>| 7_u32);
        match expected {
            None => drop(builder.finish().unwrap()),
            Some(expected) => assert_eq!(problems(builder), [format!("`env.__go` {expected}")], "{signature}"),
        }
    };
    for fits in ["(u8,[str])->u32", "((u8,[str]))->_", "(_,_)->()", "(_,[str])->_"] {
        check(fits, None);
    }
    check("(u8,[u8])->_", Some("takes `str` as argument 2, but the mod passes `u8`"));
    check("(i8,[str])->_", Some("takes `u8` as argument 1, but the mod passes `i8`"));
    check("(u8)->_", Some("takes 2 arguments, but the mod passes 1 argument"));
    check("()->_", Some("takes 2 arguments, but the mod passes no arguments"));
    check("(u8,[str],u8)->_", Some("takes 2 arguments, but the mod passes 3 arguments"));
}

#[test]
fn stated_types_are_compared_in_every_codec() {
    for codec in codecs() {
        let lines = stating(&[&format!("import {codec} go (str)->()")]);
        let builder = plugin(&import("go"), &(lines + &speaking(codec)));
        assert_eq!(
            problems(builder.with_context(()).import_function_with_context("go", |(): &mut (), _: u32| ())),
            ["`env.__go` takes `u32`, but the mod passes `str`"]
        );
    }
}

#[test]
fn what_is_not_stated_or_not_imported_is_not_compared() {
    plugin(&import("go"), "").import_function("go", |_: u8| ()).finish().unwrap();
    let lines = stating(&["import bincode go (f32)->()", "export bincode other (f32)->()"]);
    plugin("", &lines).import_function("go", |_: u8| ()).import_function("other", |_: u8| ()).finish().unwrap();
}

#[test]
fn names_that_a_mod_chose_are_harmless_in_the_sentence() {
    let imports = format!(
        r#"(import "env" "__\1b[2J\0a" (func)) (import "{}" "x" (func)) (import "env" "__{}" (func))"#,
        "m".repeat(50_000),
        "n".repeat(50_000)
    );
    let problems = problems(plugin(&imports, "").import_function("go", || ()));
    assert_eq!(problems.len(), 3);
    for problem in problems {
        assert!(problem.len() < 5_000 && !problem.chars().any(char::is_control), "{problem}");
    }
}
