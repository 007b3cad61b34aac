//! Calls by name: arguments, results, ownership, and results that are nonsense.

use mod_host::{CallError, CompiledMod, HostEngine, Instance, NoHostCalls};
use serde::{Deserialize, Deserializer};

use crate::harness::{Setup, assert_contains, load};

fn call<A: serde::Serialize, R: serde::de::DeserializeOwned>(instance: &mut Instance, name: &str, args: A) -> R {
    instance.call(name, &args, &mut NoHostCalls).unwrap_or_else(|error| unreachable!("{error}"))
}

#[test]
fn none_one_and_several_arguments() {
    let mut instance = load("", "");
    call::<_, ()>(&mut instance, "nothing", ());
    assert_eq!(call::<_, String>(&mut instance, "echo", "grüße"), "grüße");
    assert_eq!(call::<_, Vec<f64>>(&mut instance, "echo", vec![1.5, -2.0]), [1.5, -2.0]);
    assert_eq!(call::<_, (u8, Option<String>)>(&mut instance, "echo", (7_u8, Some("x"))), (7, Some("x".to_owned())));
    assert_eq!(call::<_, i32>(&mut instance, "add", (40_i32, 2_i32)), 42);
    assert_eq!(instance.call_bytes("echo", b"raw", &mut NoHostCalls).unwrap(), b"raw");
    assert_eq!(instance.call_bytes("echo", b"", &mut NoHostCalls).unwrap(), b"");
    assert_eq!(instance.manifest().exports, ["add", "echo", "nothing", "stats"]);
    assert!(format!("{instance:?}").contains("tested"));
}

#[test]
fn every_buffer_is_freed_once() {
    let mut instance = load("", "");
    for n in 0..500_i32 {
        assert_eq!(call::<_, i32>(&mut instance, "add", (n, n)), n + n);
        call::<_, ()>(&mut instance, "nothing", ());
        assert_eq!(call::<_, Vec<i32>>(&mut instance, "echo", vec![n; 10]), [n; 10]);
    }
    // A result that cannot be decoded is freed too.
    assert!(instance.call::<_, String>("echo", &1_u8, &mut NoHostCalls).is_err());
    let (allocs, frees): (u32, u32) = call(&mut instance, "stats", ());
    assert_eq!((allocs, frees), (1_502, 1_501), "all but the buffer of this answer");
}

#[test]
fn memory_stays_constant() {
    let memory_after = |calls: u32| {
        let mut instance = load("", "");
        let args = vec![7_u8; 4096];
        for _ in 0..calls {
            instance.call_bytes("echo", &args, &mut NoHostCalls).unwrap();
        }
        instance.memory_bytes()
    };
    assert_eq!(memory_after(1_000), memory_after(20_000));
}

#[test]
fn results_outside_the_memory_are_errors() {
    for (what, result) in [
        ("the pointer", "(i64.const 0x0002_0000_0000_0001)"),
        ("the pointer, at its largest", "(i64.const 0xffff_ffff_0000_0001)"),
        ("the length", "(i64.const 0x0000_0000_0002_0001)"),
        ("the sum", "(i64.const 0x0001_ffff_0000_0002)"),
        ("the sum, past 32 bits", "(i64.const 0xffff_ffff_ffff_fffe)"),
    ] {
        let body = format!(r#"(func (export "__bad") (param i64) (result i64) {result})"#);
        let mut instance = load("", &body);
        let error = instance.call::<_, u8>("bad", &(), &mut NoHostCalls).unwrap_err();
        assert!(matches!(&error, CallError::BadBuffer { function, .. } if function == "bad"), "{what}: {error}");
        assert!(!instance.is_poisoned(), "{what}");
        call::<_, ()>(&mut instance, "nothing", ());
    }
}

#[test]
fn bytes_that_are_not_the_value_are_errors() {
    fn check<R: serde::de::DeserializeOwned + std::fmt::Debug>(bytes: &[u8], expected: &str) {
        let mut instance = load("", r#"(func (export "__id") (param i64) (result i64) (local.get 0))"#);
        // The bytes come back from the mod as they went in.
        let body: Vec<String> = bytes.iter().map(|byte| format!("\\{byte:02x}")).collect();
        let mut fixed = load(
            "",
            &format!(
                r#"(data (i32.const 64) "{}") (func (export "__get") (param i64) (result i64)
                    (i64.const {}))"#,
                body.concat(),
                (64_u64 << 32) | bytes.len() as u64
            ),
        );
        assert_eq!(instance.call_bytes("id", bytes, &mut NoHostCalls).unwrap(), bytes);
        let error = fixed.call::<_, R>("get", &(), &mut NoHostCalls).unwrap_err();
        assert!(matches!(&error, CallError::Decode { function, .. } if function == "get"), "{error}");
        assert_contains(&error.to_string(), expected);
        assert!(!fixed.is_poisoned());
    }
    check::<u32>(&[1, 2], "the result of `get` is not a u32");
    check::<u8>(&[1, 2, 3], "2 bytes are left over");
    check::<bool>(&[7], "not a bool");
    check::<String>(&[0xff; 12], "cannot be decoded");
    check::<Vec<u64>>(&[0xff; 12], "cannot be decoded");
    check::<String>(&[2, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xfe], "cannot be decoded");
    check::<Option<u8>>(&[9, 1], "cannot be decoded");
    check::<()>(&[0], "1 bytes are left over");
}

#[test]
fn names_that_cannot_be_called() {
    let body = r#"
        (func (export "__float") (param f64) (result f64) (local.get 0))
        (func (export "__heap_base") (param i64) (result i64) (local.get 0))
        (func (export "plain") (param i64) (result i64) (local.get 0))
        (global (export "__a_global") i32 (i32.const 0))"#;
    let mut instance = load("", body);
    for (name, expected) in [
        ("ecko", "the mod has no function `ecko`; did you mean `echo`?"),
        ("unheard_of", "the mod has no function `unheard_of`"),
        (
            "float",
            "`float` of the mod has the type (f64) -> (f64), but a function that can be called is (i64) -> (i64)",
        ),
        ("heap_base", "the mod has no function `heap_base`"),
        ("alloc_buffer", "the mod has no function `alloc_buffer`"),
        ("plain", "the mod has no function `plain`"),
        ("a_global", "the mod has no function `a_global`"),
        ("\u{1b}[31mred", "the mod has no function `[31mred`"),
        ("", "the mod has no function ``"),
    ] {
        let error = instance.call::<_, ()>(name, &(), &mut NoHostCalls).unwrap_err();
        assert_eq!(error.to_string(), expected);
    }
    assert!(!instance.is_poisoned());
    assert_contains(&instance.run("drift", &mut NoHostCalls).unwrap_err().to_string(), "no function `__mod_run`");
}

#[test]
fn arguments_that_cannot_be_encoded() {
    struct Broken;
    impl serde::Serialize for Broken {
        fn serialize<S: serde::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
            Err(serde::ser::Error::custom("never\nmind"))
        }
    }
    let error = load("", "").call::<_, ()>("echo", &Broken, &mut NoHostCalls).unwrap_err();
    assert_contains(&error.to_string(), "the arguments of `echo`");
    assert_contains(&error.to_string(), "never mind");
}

#[test]
fn everything_crosses_threads() {
    fn send<T: Send>() {}
    fn sync<T: Sync>() {}
    send::<Instance>();
    send::<CompiledMod>();
    sync::<CompiledMod>();
    send::<HostEngine>();
    sync::<HostEngine>();

    let mut instance = load("", "");
    let sum = std::thread::spawn(move || call::<_, i32>(&mut instance, "add", (1_i32, 2_i32))).join().unwrap();
    assert_eq!(sum, 3);
}

#[test]
fn two_instances_of_one_mod_share_nothing() {
    let setup = Setup::default();
    let bytes = crate::harness::module(
        "",
        r#"(global $n (mut i32) (i32.const 0))
        (func (export "__count") (param i64) (result i64)
            (global.set $n (i32.add (global.get $n) (i32.const 1)))
            (i32.store (i32.const 16) (global.get $n))
            (call $buf (i32.const 16) (i32.const 4)))"#,
    );
    let (mut a, mut b) = (setup.load(&bytes).unwrap(), setup.load(&bytes).unwrap());
    assert_eq!(call::<_, u32>(&mut a, "count", ()), 1);
    assert_eq!(call::<_, u32>(&mut a, "count", ()), 2);
    assert_eq!(call::<_, u32>(&mut b, "count", ()), 1);
}

/// A type of the host's that cannot stand to be read.
struct Fussy;

impl<'de> Deserialize<'de> for Fussy {
    fn deserialize<D: Deserializer<'de>>(_: D) -> Result<Self, D::Error> {
        std::panic::resume_unwind(Box::new("not\nthis"))
    }
}

#[test]
fn a_result_whose_reading_panics_fails_the_call_only() {
    let mut instance = load("", "");
    let by_name = instance.call::<_, Fussy>("echo", &1_u8, &mut NoHostCalls).map(drop).unwrap_err();
    let echo = instance.function::<u8, Fussy>("echo").unwrap();
    let by_handle = instance.call_function(&echo, &1, &mut NoHostCalls).map(drop).unwrap_err();
    for error in [by_name, by_handle] {
        assert!(matches!(error, CallError::Decode { .. }), "{error}");
        assert_contains(&error.to_string(), "it panicked: not this");
    }
    // Nothing of the mod was left in the middle, and its results were given back.
    assert!(!instance.is_poisoned());
    let (allocs, frees): (u32, u32) = call(&mut instance, "stats", ());
    assert_eq!((allocs, frees), (3, 2), "all but the buffer of this answer");
}
