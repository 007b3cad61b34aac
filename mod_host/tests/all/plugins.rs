//! Plugins as a program without Bevy uses them: host functions with their context, callers, and what goes wrong.

use std::{
    fmt,
    rc::Rc,
    sync::{Arc, Mutex},
    time::Duration,
};

use mod_abi::names::LogLevel;
use mod_host::{
    CallError, Caller, Function, HostEngine, Limits, LoadError, PluginError, Refusal, WasmPlugin, WasmPluginBuilder,
};
use serde::{Serialize, Serializer};

use crate::harness::{Raw, assert_contains, module, plugin, through};

/// A plugin whose export `through_go` calls the host function `go`.
fn going() -> WasmPluginBuilder {
    let (imports, exports) = through(&["go"]);
    plugin(&imports, &exports)
}

/// The sentence with which a call of `through_go` ends.
fn sentence<C: 'static>(builder: WasmPluginBuilder<C>, argument: &[u8]) -> String {
    let mut plugin = builder.finish().unwrap();
    let error =
        plugin.call_function_with_argument::<_, Raw>("through_go", &Raw(argument.to_vec())).unwrap_err().to_string();
    assert!(plugin.is_poisoned());
    assert_contains(
        &plugin.call_function::<()>("nothing").unwrap_err().to_string(),
        "`nothing` cannot be called, because the mod failed before",
    );
    error
}

#[test]
fn plugins_can_be_sent_and_shared() {
    fn both<T: Send + Sync + fmt::Debug + 'static>() {}
    both::<WasmPlugin>();
    both::<WasmPlugin<Vec<String>>>();
    both::<Function<str, Rc<u8>>>();
    both::<PluginError>();
    both::<HostEngine>();
    fn send<T: Send + fmt::Debug + 'static>() {}
    send::<WasmPluginBuilder>();
    send::<mod_host::Job<std::cell::Cell<u8>>>();
}

#[test]
fn a_context_need_not_leave_its_thread() {
    let context = Rc::new(std::cell::Cell::new(1));
    let mut plugin = going()
        .with_context(Rc::clone(&context))
        .import_function_with_context("go", |context: &mut Rc<std::cell::Cell<u32>>, more: u32| {
            context.set(context.get() + more);
        })
        .finish()
        .unwrap();
    plugin.call_function_with_argument::<_, ()>("through_go", &4_u32).unwrap();
    assert_eq!(context.get(), 5);
}

#[test]
fn closures_keep_state_and_share_a_context() {
    let (imports, exports) = through(&["count", "note", "read"]);
    let mut counter = 0_u32;
    let mut plugin = plugin(&imports, &exports)
        // Offered before there is a context, and kept.
        .import_function("count", move || {
            counter += 1;
            counter
        })
        .with_context(Vec::<String>::new())
        .import_function_with_context("note", |notes: &mut Vec<String>, note: String| notes.push(note))
        .import_function_with_caller("read", |caller: &mut Caller<'_, Vec<String>>| {
            let id = caller.identity().id.clone();
            (id, caller.context().join(" "))
        })
        .finish()
        .unwrap();
    for expected in 1..=3_u32 {
        assert_eq!(plugin.call_function::<u32>("through_count").unwrap(), expected);
    }
    for note in ["one", "two"] {
        plugin.call_function_with_argument::<_, ()>("through_note", note).unwrap();
    }
    plugin.context_mut().push("three".to_owned());
    let read: (String, String) = plugin.call_function("through_read").unwrap();
    assert_eq!(read, ("tested".to_owned(), "one two three".to_owned()));
    assert_eq!(plugin.into_context(), ["one", "two", "three"]);
}

#[test]
fn a_later_function_replaces_an_earlier_one() {
    let mut plugin = going().import_function("go", || 1_u8).import_function("go", || 2_u8).finish().unwrap();
    assert_eq!(plugin.call_function::<u8>("through_go").unwrap(), 2);
}

#[test]
fn names_of_the_contract_are_refused() {
    let error = going().import_function("go", || ()).import_function("panic", || ()).finish().unwrap_err();
    assert!(matches!(&error, PluginError::ReservedName { name } if name == "panic"));
    assert_contains(&error.to_string(), "`panic` cannot be the name of a host function");
}

#[test]
fn everything_that_a_function_may_return() {
    fn check<T: PartialEq + fmt::Debug + mod_host::Decode>(builder: WasmPluginBuilder, expected: T) {
        assert_eq!(builder.finish().unwrap().call_function::<T>("through_go").unwrap(), expected);
    }
    check(going().import_function("go", || ()), ());
    check(going().import_function("go", || "text"), "text".to_owned());
    check(going().import_function("go", || Some(vec![1_u8])), Some(vec![1_u8]));
    check(going().import_function("go", || Err::<u8, _>("no".to_owned())), Err::<u8, _>("no".to_owned()));
    check(going().import_function("go", || Ok::<_, Refusal>(5_u8)), 5_u8);
    check(going().import_function("go", || -> Result<u8, Refusal> { Ok("6".parse()?) }), 6_u8);
    check(going().import_function("go", || Raw(vec![7])), 7_u8);
}

#[test]
fn refusals_are_sentences_and_made_of_any_error() {
    let text =
        sentence(going().import_function("go", || Err::<(), _>(Refusal::new("the\ndoor is shut\u{1b}[2J"))), b"");
    assert_eq!(text, "`through_go` called `go`, which failed: the door is shut[2J");
    let text = sentence(going().import_function("go", || -> Result<u8, Refusal> { Ok("six".parse()?) }), b"");
    assert_eq!(text, "`through_go` called `go`, which failed: invalid digit found in string");
}

#[test]
#[expect(clippy::panic, reason = "it is what is tested")]
fn a_panic_of_the_host_is_the_error_of_the_call() {
    for (function, expected) in [
        ((|| panic!("a plain text")) as fn(), "it panicked: a plain text"),
        (|| panic!("{} pieces\n", 2), "it panicked: 2 pieces "),
        (|| std::panic::panic_any(7_u8), "it panicked: no message"),
    ] {
        let text = sentence(going().import_function("go", function), b"");
        assert_eq!(text, format!("`through_go` called `go`, which failed: {expected}"));
    }
    // The program goes on, with the context as the panic left it.
    let mut plugin = going()
        .with_context(0_u32)
        .import_function_with_context("go", |calls: &mut u32| {
            *calls += 1;
            assert!(*calls > 1, "the first one");
        })
        .finish()
        .unwrap();
    plugin.call_function::<()>("through_go").unwrap_err();
    plugin.restart().unwrap();
    plugin.call_function::<()>("through_go").unwrap();
    assert_eq!(*plugin.context(), 2);
}

#[test]
fn arguments_that_do_not_fit_are_refused_before_the_function_runs() {
    let take = || going().import_function("go", |_: u32, _: bool| -> u8 { unreachable!("it runs") });
    let refused = "`through_go` called `go`, which failed: its arguments do not fit: ";
    for bytes in [&b""[..], b"abc", b"\x01\0\0\0\x02", b"\x01\0\0\0\x01\0"] {
        assert_contains(&sentence(take(), bytes), refused);
    }
    let nothing = || going().import_function("go", || -> u8 { unreachable!("it runs") });
    assert_eq!(sentence(nothing(), b"x"), format!("{refused}1 bytes are left over after the value"));
    let text = || going().import_function("go", |_: String| ());
    assert_contains(&sentence(text(), &[0xff; 16]), refused);
}

#[test]
fn results_that_cannot_be_encoded_or_do_not_fit() {
    struct Broken;
    impl Serialize for Broken {
        fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
            Err(serde::ser::Error::custom("out of ink"))
        }
    }
    assert_contains(&sentence(going().import_function("go", || Broken), b""), "out of ink");
    let limits = Limits { memory_bytes: 1 << 20, ..Limits::default() };
    let large = going().limits(limits.clone()).import_function("go", || "x".repeat(2 << 20));
    assert_eq!(sentence(large, b""), "`through_go` ran out of memory: the mod may use 1048576 bytes");

    // The mod answers with less than the host wants, and lives.
    let mut plugin = plugin("", "").limits(limits).finish().unwrap();
    let error = plugin.call_function_with_argument::<_, u64>("echo", &1_u32).unwrap_err().to_string();
    assert_contains(&error, "the result of `echo` is not a u64: the bytes cannot be decoded");
    let error = plugin.call_function_with_argument::<_, ()>("echo", &Broken).unwrap_err().to_string();
    assert_contains(&error, "cannot be encoded");
    assert!(!plugin.is_poisoned());
}

#[test]
fn host_functions_cannot_be_called_while_the_plugin_starts() {
    let body = r#"(func (export "_initialize") (drop (call $go (i64.const 0))))"#;
    let error = plugin(&crate::harness::import("go"), body).import_function("go", || ()).finish().unwrap_err();
    assert_eq!(
        error.to_string(),
        "the mod failed while it started: `_initialize` called `go`, which failed: host functions cannot be called here"
    );
}

#[test]
fn settings_reach_the_plugin() {
    let limits = Limits { call_time: Duration::from_millis(20), ..Limits::default() };
    let spin = r#"(func (export "__spin") (param i64) (result i64) (loop $again (br $again)) (i64.const 0))"#;
    let mut looping = plugin("", spin).limits(limits).finish().unwrap();
    let error = looping.call_function::<()>("spin").unwrap_err().to_string();
    assert_eq!(error, "`spin` was stopped because it ran longer than 20ms");

    let random = r#"(import "env" "__getrandom" (func $random (param i32 i32) (result i32)))"#;
    let draw = r#"(func (export "__draw") (param i64) (result i64)
        (drop (call $random (i32.const 64) (i32.const 8))) (call $buf (i32.const 64) (i32.const 8)))"#;
    let drawn = |seed| plugin(random, draw).seed(seed).finish().unwrap().call_function::<u64>("draw").unwrap();
    assert_eq!(drawn(1), drawn(1));
    assert_ne!(drawn(1), drawn(2));

    let lines = Arc::new(Mutex::new(Vec::new()));
    let log = r#"(import "env" "__log" (func $log (param i32 i32 i32)))"#;
    let say = r#"(data (i32.const 64) "hello") (func (export "__say") (param i64) (result i64)
        (call $log (i32.const 2) (i32.const 64) (i32.const 5)) (i64.const 0))"#;
    let sink = Arc::clone(&lines);
    let mut talking =
        plugin(log, say).log(move |level, line| sink.lock().unwrap().push((level, line.to_owned()))).finish().unwrap();
    talking.call_function::<()>("say").unwrap();
    assert_eq!(*lines.lock().unwrap(), [(LogLevel::Warn, "hello".to_owned())]);
    // A terminal that is gone makes printing panic.
    let mut mute = plugin(log, say).log(|_, _| std::panic::resume_unwind(Box::new("no terminal"))).finish().unwrap();
    mute.call_function::<()>("say").unwrap();
}

#[test]
fn files_are_read_and_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("from_a_file.wasm");
    std::fs::write(&path, module("", "")).unwrap();
    let mut plugin = WasmPlugin::load(&path).unwrap();
    assert_eq!(plugin.identity().id, "from_a_file");
    assert_eq!(plugin.manifest().exports, ["add", "echo", "nothing", "stats"]);
    assert_eq!(plugin.memory_bytes(), 2 << 16);
    plugin.call_function::<()>("nothing").unwrap();

    let missing = folder.path().join("missing.wasm");
    let error = WasmPlugin::load(&missing).unwrap_err();
    assert!(matches!(&error, PluginError::File { path, .. } if *path == missing));
    assert_contains(&error.to_string(), "missing.wasm cannot be read: ");
    std::fs::write(&path, b"nonsense").unwrap();
    let error = WasmPlugin::load(&path).unwrap_err();
    assert!(matches!(error, PluginError::Load(LoadError::NotWasm)), "{error}");
    let nameless = WasmPluginBuilder::from_bytes("not an id", module("", "")).finish().unwrap_err().to_string();
    assert_contains(&nameless, "its file name `not an id` cannot be its id");
}

#[test]
fn a_missing_function_is_told_with_the_nearest_name() {
    let mut plugin = plugin("", "").finish().unwrap();
    let error = plugin.call_function::<()>("nothin").unwrap_err();
    assert!(matches!(&error, PluginError::Call(CallError::NoSuchFunction { .. })));
    assert_eq!(error.to_string(), "the mod has no function `nothin`; did you mean `nothing`?");
}

/// `UPDATE=1 cargo test -p mod_host greeter` assembles it again.
#[test]
fn the_greeter_of_the_examples_is_assembled() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/examples");
    let assembled = wat::parse_file(format!("{folder}/greeter.wat")).unwrap();
    let path = format!("{folder}/greeter.wasm");
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&path, &assembled).unwrap();
    }
    assert!(std::fs::read(&path).unwrap() == assembled, "{path} is older than greeter.wat");

    let mut plugin =
        WasmPluginBuilder::from_file(&path).unwrap().import_function("announce", |text: String| text.len() as u32);
    plugin = plugin.limits(Limits { memory_bytes: 1 << 20, ..Limits::default() });
    let mut plugin = plugin.finish().unwrap();
    let greet = plugin.function::<String, String>("greet").unwrap();
    let double = plugin.function::<Vec<f64>, Vec<f64>>("double").unwrap();
    let name = "x".repeat(100_000);
    for _ in 0..1_000 {
        assert_eq!(plugin.call(&greet, &"Ada".to_owned()).unwrap(), "Hello, Ada!");
        assert_eq!(plugin.call(&double, &vec![1.5, -2.0]).unwrap(), [3.0, -4.0]);
    }
    assert_eq!(plugin.memory_bytes(), 1 << 16);
    assert_eq!(plugin.call(&greet, &name).unwrap().len(), 100_008);
}
