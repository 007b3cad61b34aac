//! Handles to functions: what they are bound to, and the types that a mod states.

use std::time::Duration;

use mod_host::{CallError, Codec, Decode, Encode, PluginError, WasmPlugin};
use serde::{Deserialize, Serialize};

use crate::harness::{assert_contains, codecs, plugin, speaking, stating};

/// A plugin that states something of its `echo`.
fn stated(signature: &str) -> WasmPlugin {
    let line = format!("export bincode echo {signature}");
    plugin("", &stating(&[&line])).finish().unwrap()
}

#[track_caller]
fn is_stale<T: std::fmt::Debug>(outcome: Result<T, PluginError>) {
    let error = outcome.unwrap_err();
    assert!(matches!(&error, PluginError::Call(CallError::Stale { function }) if function == "echo"), "{error}");
    assert_eq!(
        error.to_string(),
        "the handle to `echo` is not of this instance of the mod: look the function up again after a reload"
    );
}

#[test]
fn a_handle_is_called_again_and_again() {
    let mut plugin = plugin("", "").finish().unwrap();
    let echo = plugin.function::<Vec<u32>, Vec<u32>>("echo").unwrap();
    let add = plugin.function::<(i32, i32), i32>("add").unwrap();
    assert_eq!(echo.name(), "echo");
    assert_contains(&format!("{echo:?}"), "Function(echo: alloc::vec::Vec<u32> -> alloc::vec::Vec<u32>)");
    let same = echo.clone();
    for n in 0..100 {
        assert_eq!(plugin.call(&echo, &vec![n]).unwrap(), [n]);
        assert_eq!(plugin.call(&same, &vec![n]).unwrap(), [n]);
        assert_eq!(plugin.call(&add, &(n.cast_signed(), 1)).unwrap(), n.cast_signed() + 1);
    }
}

#[test]
fn a_handle_is_bound_to_what_was_running() {
    let bytes = crate::harness::module("", "");
    let mut plugin = plugin("", "").finish().unwrap();
    let echo = plugin.function::<u8, u8>("echo").unwrap();
    plugin.restart().unwrap();
    is_stale(plugin.call(&echo, &1));
    let echo = plugin.function::<u8, u8>("echo").unwrap();
    plugin.reload(&bytes).unwrap();
    is_stale(plugin.call(&echo, &1));
    let echo = plugin.function::<u8, u8>("echo").unwrap();
    let mut other = crate::harness::plugin("", "").finish().unwrap();
    is_stale(other.call(&echo, &1));
    assert!(!other.is_poisoned());
    // A reload that fails leaves handles as they are.
    plugin.reload(b"nonsense").unwrap_err();
    assert_eq!(plugin.call(&echo, &1).unwrap(), 1);
}

#[test]
fn a_handle_to_a_poisoned_plugin_says_so() {
    let bad = r#"(func (export "__bad") (param i64) (result i64) unreachable)"#;
    let mut plugin = plugin("", bad).finish().unwrap();
    let (bad, echo) = (plugin.function::<(), ()>("bad").unwrap(), plugin.function::<u8, u8>("echo").unwrap());
    plugin.call(&bad, &()).unwrap_err();
    let error = plugin.call(&echo, &1).unwrap_err();
    assert!(matches!(error, PluginError::Call(CallError::Poisoned { .. })), "{error}");
}

#[test]
fn functions_that_need_not_be_there() {
    let float = r#"(func (export "__float") (param f64) (result f64) (local.get 0))"#;
    let mut plugin = plugin("", &[float, &stating(&["export bincode echo (u32)->u32"])].concat()).finish().unwrap();
    assert!(plugin.optional_function::<(), ()>("on_start").unwrap().is_none());
    let echo = plugin.optional_function::<u32, u32>("echo").unwrap().unwrap();
    assert_eq!(plugin.call(&echo, &7).unwrap(), 7);
    let error = plugin.optional_function::<String, u32>("echo").unwrap_err();
    assert!(matches!(error, PluginError::Call(CallError::Types { .. })), "{error}");
    let error = plugin.optional_function::<f64, f64>("float").unwrap_err();
    assert!(matches!(error, PluginError::Call(CallError::WrongSignature { .. })), "{error}");
    let error = plugin.function::<(), ()>("on_start").unwrap_err();
    assert!(matches!(error, PluginError::Call(CallError::NoSuchFunction { .. })), "{error}");
}

#[derive(Serialize, Deserialize)]
struct Health {
    value: f32,
    shield: Option<u8>,
}

#[derive(Serialize, Deserialize)]
enum Mood {
    Calm,
    Angry(f32),
}

#[test]
fn types_are_compared_with_what_is_stated() {
    fn check<A: Encode + Decode, R: Decode>(signature: &str, expected: Option<&str>) {
        let outcome = stated(signature).function::<A, R>("echo").map(drop).map_err(|error| error.to_string());
        let expected = expected.map_or(Ok(()), |reason| Err(format!("`echo` of the mod {reason}")));
        assert_eq!(outcome, expected, "{signature}");
    }
    // The same, or not stated.
    check::<(u8, Vec<f64>), String>("(u8,[f64])->str", None);
    check::<(u8, Vec<f64>), String>("((u8,[f64]))->str", None);
    check::<(u8, Vec<f64>), String>("(_,_)->_", None);
    check::<Health, Mood>("({value:f32,shield:?u8})-><Calm|Angry(f32)>", None);
    check::<Duration, u64>("(duration)->entity", None);
    check::<(), ()>("()->()", None);
    // Another type, alone, in a place, inside.
    check::<u32, ()>("(f32)->()", Some("takes `f32`, but the host passes `u32`"));
    check::<(u8, u32), ()>("(u8,f32)->()", Some("takes `f32` as argument 2, but the host passes `u32`"));
    check::<u8, u32>("(u8)->f32", Some("returns `f32`, but the host expects `u32`"));
    check::<u8, ()>("(u8)->u8", Some("returns `u8`, but the host expects `()`"));
    check::<u8, Vec<u8>>("(u8)->[u16]", Some("returns `u16`, but the host expects `u8`"));
    // Another number of arguments.
    check::<u8, ()>("(u8,u8)->()", Some("takes 2 arguments, but the host passes 1 argument"));
    check::<(), ()>("(u8)->()", Some("takes 1 argument, but the host passes no arguments"));
    check::<(u8, u8, u8), ()>("()->()", Some("takes no arguments, but the host passes 3 arguments"));
    // Fields and variants.
    check::<Health, ()>("({value:f64,shield:?u8})->()", Some("takes `value: f64`, but the host passes `value: f32`"));
    check::<Health, ()>("({shield:?u8,value:f32})->()", Some("takes `shield: ?u8`, but the host passes `value: f32`"));
    check::<Health, ()>(
        "({value:f32,shield:?u8,more:u8})->()",
        Some("takes `more: u8`, but the host passes `no such field`"),
    );
    check::<Mood, ()>("(<Angry(f32)|Calm>)->()", Some("takes `Angry`, but the host passes `Calm`"));
    check::<Mood, ()>("(<Calm|Angry(f64)>)->()", Some("takes `Angry: (f64)`, but the host passes `Angry: (f32)`"));
    // An enum inside of something else is not passed over.
    check::<Vec<Mood>, ()>("([<Calm>])->()", Some("takes `no such variant`, but the host passes `Angry`"));
}

#[test]
fn a_mod_that_states_nothing_is_believed() {
    let mut plugin = plugin("", "").finish().unwrap();
    let echo = plugin.function::<u32, f32>("echo").unwrap();
    assert_eq!(plugin.call(&echo, &1.5_f32.to_bits()).unwrap(), 1.5);
    // What it states of others, or of an import of that name, does not count.
    let other = stating(&["export bincode add (f32)->()", "import bincode echo (f32)->()"]);
    let plugin = crate::harness::plugin("", &other).finish().unwrap();
    plugin.function::<u32, u32>("echo").unwrap();
    plugin.function::<u32, u32>("add").unwrap_err();
}

#[test]
fn stated_types_count_in_every_codec() {
    for codec in codecs() {
        let line = format!("export {codec} echo (u32)->u32");
        let plugin = plugin("", &(stating(&[&line]) + &speaking(codec))).finish().unwrap();
        plugin.function::<u32, u32>("echo").unwrap();
        let error = plugin.function::<u32, String>("echo").unwrap_err().to_string();
        assert_eq!(error, "`echo` of the mod returns `u32`, but the host expects `str`");
    }
}

#[test]
fn types_that_contain_themselves_are_not_compared() {
    #[derive(Serialize, Deserialize, Debug, PartialEq)]
    enum Chain {
        Link(Box<Chain>),
        End,
    }
    let mut plugin = stated("(u8)->u8");
    let echo = plugin.function::<Chain, Chain>("echo").unwrap();
    let chain = || Chain::Link(Box::new(Chain::End));
    assert_eq!(plugin.call(&echo, &chain()).unwrap(), chain());
}

#[cfg(feature = "nanoserde")]
#[test]
fn serde_s_way_of_writing_variants_is_refused_where_nanoserde_reads() {
    let speaks = |codec| plugin("", &speaking(codec)).finish().unwrap();
    let error = speaks(Codec::NanoserdeJson).function::<Vec<Mood>, ()>("echo").unwrap_err().to_string();
    assert_contains(&error, "`echo` of the mod speaks `nanoserde-json`, which writes a single unnamed field otherwise");
    speaks(Codec::Json).function::<Vec<Mood>, ()>("echo").unwrap();
    speaks(Codec::NanoserdeJson).function::<Health, ()>("echo").unwrap();
}

#[cfg(not(feature = "nanoserde"))]
#[test]
fn the_codec_stands_in_the_manifest() {
    assert_eq!(plugin("", &speaking(Codec::Bincode)).finish().unwrap().manifest().codec, Codec::Bincode);
}

/// A type that contains itself, of which serde does not tell.
#[derive(Serialize, Deserialize)]
struct Nested(Vec<Nested>);

const PULL: &str = r#"(import "env" "__pull" (func $pull (param i64) (result i64)))"#;

#[test]
fn one_argument_that_is_not_known_does_not_count_the_others() {
    let line = stating(&["import bincode pull (_,u8)->u8"]);
    plugin(PULL, &line).import_function("pull", |_: Nested, n: u8| n).finish().unwrap();
    let plugin = stated("(_,u8)->u8");
    plugin.function::<(Nested, u8), u8>("echo").unwrap();
    plugin.function::<(u16, u8), u8>("echo").unwrap();
    plugin.function::<(u16, u16), u8>("echo").unwrap_err();
}

#[test]
fn a_line_may_stand_there_again_but_not_with_other_types() {
    let lines = ["import bincode pull (u8)->u8"; 1_000];
    plugin(PULL, &stating(&lines)).import_function("pull", |n: u8| n).finish().unwrap();
    let lines = stating(&["import bincode pull (u8)->u8", "import bincode pull (u16)->u8"]);
    let error = plugin(PULL, &lines).import_function("pull", |n: u8| n).finish().unwrap_err();
    assert_eq!(error.to_string(), "the functions section states `pull` twice, with other types");
}

#[test]
fn a_type_with_two_names_for_a_field_is_not_looked_at_for_long() {
    #[derive(Deserialize)]
    struct Aliased {
        #[serde(alias = "old")]
        _new: [u8; 32],
    }
    let begin = std::time::Instant::now();
    let line = stating(&["import bincode pull ({new:u8})->u8"]);
    plugin(PULL, &line).import_function("pull", |_: Aliased| 1_u8).finish().unwrap();
    assert!(begin.elapsed() < Duration::from_secs(5), "{:?}", begin.elapsed());
}

#[cfg(feature = "json")]
#[test]
fn json_is_not_compared_as_if_it_were_bincode() {
    #[derive(Serialize, Deserialize)]
    struct Pear {
        weight: f64,
        colour: Option<String>,
    }
    let lines = [&*speaking(Codec::Json), &stating(&["export json echo ({colour:str,weight:f32})->_"])].concat();
    let plugin = plugin("", &lines).finish().unwrap();
    plugin.function::<Pear, ()>("echo").unwrap();
    let error = plugin.function::<bool, ()>("echo").unwrap_err().to_string();
    assert_contains(&error, "takes `{colour:str,weight:f32}`, but the host passes `bool`");
}

#[cfg(feature = "nanoserde")]
#[test]
fn a_host_function_that_nanoserde_would_misread_is_refused() {
    let lines = [&*speaking(Codec::NanoserdeJson), &stating(&["import nanoserde-json pull (_)->u8"])].concat();
    let error = plugin(PULL, &lines).import_function("pull", |_: Mood| 1_u8).finish().unwrap_err().to_string();
    assert_contains(
        &error,
        "the mod calls `env.__pull` in `nanoserde-json`, which writes a single unnamed field otherwise",
    );
}
