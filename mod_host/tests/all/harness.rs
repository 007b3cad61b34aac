//! A small mod to build others on, and a host to run them in.

use std::{
    sync::{Arc, LazyLock, Mutex},
    time::Duration,
};

use mod_abi::names::LogLevel;
use mod_host::{
    Caller, Codec, CompiledMod, Decode, Encode, EngineConfig, Entropy, HostCalls, HostEngine, HostFunctionDesc,
    Instance, InstanceConfig, Limits, LoadError, LogSink, WasmPluginBuilder,
};

/// One engine for all tests: the ticker is shared as in a game.
static ENGINE: LazyLock<HostEngine> = LazyLock::new(|| HostEngine::new(&EngineConfig::default()).unwrap());

/// Memory, an allocator that counts and takes its last block back, and a few functions:
/// `stats` answers (allocations, frees), `echo` returns its argument, `add` the sum of two `i32`, `nothing` nothing.
const PRELUDE: &str = r#"
    (memory (export "memory") 2)
    (global $top (mut i32) (i32.const 4096))
    (global $allocs (mut i32) (i32.const 0))
    (global $frees (mut i32) (i32.const 0))
    (func $ptr (param $b i64) (result i32) (i32.wrap_i64 (i64.shr_u (local.get $b) (i64.const 32))))
    (func $len (param $b i64) (result i32) (i32.wrap_i64 (local.get $b)))
    (func $buf (param $p i32) (param $n i32) (result i64)
        (i64.or (i64.shl (i64.extend_i32_u (local.get $p)) (i64.const 32)) (i64.extend_i32_u (local.get $n))))
    (func $round (param $n i32) (result i64)
        (i64.and (i64.add (i64.extend_i32_u (local.get $n)) (i64.const 15)) (i64.const -16)))
    (func $alloc (export "__alloc_buffer") (param $n i32) (result i32) (local $at i32) (local $end i64)
        (local.set $at (global.get $top))
        (local.set $end (i64.add (i64.extend_i32_u (local.get $at)) (call $round (local.get $n))))
        (if (i64.gt_u (local.get $end) (i64.shl (i64.extend_i32_u (memory.size)) (i64.const 16)))
            (then (if (i32.eq (i32.const -1) (memory.grow (i32.wrap_i64
                    (i64.sub (i64.add (i64.shr_u (local.get $end) (i64.const 16)) (i64.const 1))
                             (i64.extend_i32_u (memory.size))))))
                (then (return (i32.const 0))))))
        (global.set $top (i32.wrap_i64 (local.get $end)))
        (global.set $allocs (i32.add (global.get $allocs) (i32.const 1)))
        (local.get $at))
    (func $free (export "__free_buffer") (param $b i64)
        (global.set $frees (i32.add (global.get $frees) (i32.const 1)))
        (if (i64.eq (i64.extend_i32_u (global.get $top))
                    (i64.add (i64.extend_i32_u (call $ptr (local.get $b))) (call $round (call $len (local.get $b)))))
            (then (global.set $top (call $ptr (local.get $b))))))
    (func (export "__stats") (param i64) (result i64) (local $at i32)
        (local.set $at (call $alloc (i32.const 8)))
        (i32.store (local.get $at) (global.get $allocs))
        (i32.store offset=4 (local.get $at) (global.get $frees))
        (call $buf (local.get $at) (i32.const 8)))
    (func (export "__echo") (param i64) (result i64) (local.get 0))
    (func (export "__nothing") (param i64) (result i64) (i64.const 0))
    (func (export "__add") (param $b i64) (result i64) (local $at i32) (local $sum i32)
        (local.set $at (call $ptr (local.get $b)))
        (local.set $sum (i32.add (i32.load (local.get $at)) (i32.load offset=4 (local.get $at))))
        (call $free (local.get $b))
        (local.set $at (call $alloc (i32.const 4)))
        (i32.store (local.get $at) (local.get $sum))
        (call $buf (local.get $at) (i32.const 4)))
"#;

/// The bytes of a module in the text format.
pub(crate) fn wasm(text: &str) -> Vec<u8> {
    wat::parse_str(text).unwrap_or_else(|error| unreachable!("{error}"))
}

/// A mod with imports, the prelude, and more.
pub(crate) fn module(imports: &str, body: &str) -> Vec<u8> {
    wasm(&format!("(module {imports} {PRELUDE} {body})"))
}

/// An import of `env` from a buffer to a buffer.
pub(crate) fn import(name: &str) -> String {
    format!(r#"(import "env" "__{name}" (func ${name} (param i64) (result i64)))"#)
}

/// Such imports, with an export for each that passes its argument on and returns what it gets: `through_<name>`.
pub(crate) fn through(names: &[&str]) -> (String, String) {
    let imports = names.iter().map(|name| import(name)).collect();
    let exports = names.iter().map(|name| {
        format!(r#"(func (export "__through_{name}") (param i64) (result i64) (call ${name} (local.get 0)))"#)
    });
    (imports, exports.collect())
}

/// The custom section of a mod that speaks a codec.
pub(crate) fn speaking(codec: Codec) -> String {
    format!(r#"(@custom "bevy_mod" "abi: 3\nid: tested\nversion: 1.0.0\ncodec: {codec}\n")"#)
}

/// The custom section of a mod that states functions, a line each.
pub(crate) fn stating(lines: &[&str]) -> String {
    format!(r#"(@custom "bevy_mod_functions" "{}\n")"#, lines.join("\\n"))
}

/// A plugin with the prelude, to be completed.
pub(crate) fn plugin(imports: &str, body: &str) -> WasmPluginBuilder {
    WasmPluginBuilder::from_bytes("tested", module(imports, body)).engine(&ENGINE).limits(patient())
}

/// A mod that waits for a busy machine does nothing wrong, unless time is what the test is about.
fn patient() -> Limits {
    Limits { call_time: Duration::from_secs(2), ..Limits::default() }
}

/// The codecs that this build knows.
pub(crate) fn codecs() -> impl Iterator<Item = Codec> {
    Codec::ALL.into_iter().filter(|codec| codec.is_enabled())
}

/// Bytes as they cross, in any codec.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Raw(pub(crate) Vec<u8>);

impl Encode for Raw {
    fn encode(&self, _: Codec) -> Result<Vec<u8>, mod_abi::codec::EncodeError> {
        Ok(self.0.clone())
    }
}

impl Decode for Raw {
    fn decode(bytes: &[u8], _: Codec) -> Result<Self, mod_abi::codec::DecodeError> {
        Ok(Self(bytes.to_vec()))
    }

    fn schema(_: Codec) -> Option<mod_abi::Schema> {
        None
    }
}

/// The lines that a mod logged.
#[derive(Default)]
pub(crate) struct Lines(Mutex<Vec<(LogLevel, String)>>);

impl Lines {
    pub(crate) fn take(&self) -> Vec<(LogLevel, String)> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

impl LogSink for Lines {
    fn log(&self, level: LogLevel, line: &str) {
        self.0.lock().unwrap().push((level, line.to_owned()));
    }
}

/// How a test's mod is run.
pub(crate) struct Setup {
    pub(crate) id: &'static str,
    /// Instead of the one that all tests share.
    pub(crate) engine: Option<HostEngine>,
    pub(crate) limits: Limits,
    pub(crate) entropy: Entropy,
    pub(crate) lines: Arc<Lines>,
    pub(crate) host_functions: &'static [&'static str],
    #[cfg(feature = "wasi")]
    pub(crate) wasi: mod_host::WasiGrants,
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            id: "tested",
            engine: None,
            limits: patient(),
            entropy: Entropy::Host,
            lines: Arc::default(),
            host_functions: &["double", "play_sound", "store"],
            #[cfg(feature = "wasi")]
            wasi: mod_host::WasiGrants::default(),
        }
    }
}

impl Setup {
    pub(crate) fn compile(&self, bytes: &[u8]) -> Result<CompiledMod, LoadError> {
        CompiledMod::new(self.engine.as_ref().unwrap_or(&ENGINE), bytes, self.id, &self.limits)
    }

    pub(crate) fn load(&self, bytes: &[u8]) -> Result<Instance, LoadError> {
        let mut config = InstanceConfig::default();
        config.limits = self.limits.clone();
        config.entropy = self.entropy;
        config.log = Arc::<Lines>::clone(&self.lines);
        config.host_functions = self.host_functions.iter().map(|name| HostFunctionDesc::from(*name)).collect();
        #[cfg(feature = "wasi")]
        {
            config.wasi = self.wasi.clone();
        }
        Instance::new(&self.compile(bytes)?, config)
    }
}

/// An engine in which fuel ends calls.
pub(crate) fn deterministic() -> HostEngine {
    let mut config = EngineConfig::default();
    config.deterministic = true;
    HostEngine::new(&config).unwrap()
}

/// A mod with the prelude, loaded with the usual settings.
pub(crate) fn load(imports: &str, body: &str) -> Instance {
    Setup::default().load(&module(imports, body)).unwrap_or_else(|error| unreachable!("{error}"))
}

/// A host that notes what it is asked and gives an answer.
pub(crate) struct Host {
    pub(crate) asked: Vec<(usize, Vec<u8>)>,
    pub(crate) answer: Result<Vec<u8>, String>,
}

impl Host {
    pub(crate) fn answering(answer: &[u8]) -> Self {
        Self { asked: Vec::new(), answer: Ok(answer.to_vec()) }
    }

    pub(crate) fn refusing(reason: &str) -> Self {
        Self { asked: Vec::new(), answer: Err(reason.to_owned()) }
    }
}

impl HostCalls for Host {
    fn call(&mut self, _: &mut Caller<'_>, function: usize, args: &[u8], result: &mut Vec<u8>) -> Result<(), String> {
        assert!(result.is_empty());
        self.asked.push((function, args.to_vec()));
        result.extend_from_slice(&self.answer.clone()?);
        Ok(())
    }
}

/// Asserts that a text contains another, and shows both if not.
#[track_caller]
pub(crate) fn assert_contains(text: &str, expected: &str) {
    assert!(text.contains(expected), "expected `{expected}` in: {text}");
}
