//! Plugins that were built before this contract had a name run unchanged: same packing, names and payload. What they have
//! is described in `old_plugin.wat`.

use std::sync::Arc;

use mod_abi::{codec, names::LogLevel};
use mod_host::{CallError, Instance, Limits, NoHostCalls};

use crate::harness::{Host, Lines, Setup, assert_contains, wasm};

fn setup() -> Setup {
    Setup { id: "doubler", host_functions: &["run"], ..Setup::default() }
}

fn load(setup: &Setup) -> Instance {
    setup.load(&wasm(include_str!("old_plugin.wat"))).unwrap()
}

#[test]
fn its_functions_are_called_by_name() {
    let mut plugin = load(&setup());
    let identity = &plugin.manifest().identity;
    assert_eq!((identity.id.as_str(), identity.version.as_str()), ("doubler", "0.0.0"));
    assert!(!plugin.manifest().stated_identity && !plugin.manifest().describes);
    assert_eq!(plugin.manifest().exports, ["double", "nothing", "repeat", "shell"]);

    let doubled: Vec<f64> = plugin.call("double", &vec![1.5, -2.0, 0.0], &mut NoHostCalls).unwrap();
    assert_eq!(doubled, [3.0, -4.0, 0.0]);
    let none: Vec<f64> = plugin.call("double", &Vec::<f64>::new(), &mut NoHostCalls).unwrap();
    assert_eq!(none, [0.0; 0]);
    let repeated: String = plugin.call("repeat", &("ab", 3_u32), &mut NoHostCalls).unwrap();
    assert_eq!(repeated, "ababab");
    plugin.call::<_, ()>("nothing", &(), &mut NoHostCalls).unwrap();
}

#[test]
fn it_calls_the_host() {
    let mut plugin = load(&setup());
    let mut host = Host::answering(&codec::encode(&b"total 0".to_vec()).unwrap());
    let output: Vec<u8> = plugin.call("shell", "ls", &mut host).unwrap();
    assert_eq!(output, b"total 0");
    let [(_, args)] = host.asked.as_slice() else { unreachable!() };
    assert_eq!(codec::decode::<String>(args).unwrap(), "ls");
}

#[test]
fn it_grows_until_it_says_that_it_may_not() {
    let lines = Arc::<Lines>::default();
    let limits = Limits { memory_bytes: 4 << 20, ..Limits::default() };
    let mut plugin = load(&Setup { limits, lines: Arc::clone(&lines), ..setup() });
    let before = plugin.memory_bytes();
    let numbers = vec![0.5; 1 << 10];
    let mut calls = 0_usize;
    let error = loop {
        match plugin.call::<_, Vec<f64>>("double", &numbers, &mut NoHostCalls) {
            Ok(doubled) => assert_eq!(doubled[0], 1.0),
            Err(error) => break error,
        }
        calls += 1;
    };
    // Arguments and result stay: 16 KiB and a few bytes for each call.
    assert!((180..200).contains(&calls), "{calls}");
    assert!(plugin.memory_bytes() > before);
    assert!(matches!(error, CallError::OutOfMemory { limit: 0x40_0000, .. }), "{error}");
    assert_contains(&error.to_string(), "ran out of memory: the mod may use 4194304 bytes");
    assert_eq!(lines.take(), [(LogLevel::Warn, "memory allocation failed".to_owned())]);
    assert!(plugin.is_poisoned());
}
