//! A module on all ways through `mod_host`. Every step returns, in its time, without a panic; what is poisoned never runs again.

use std::{
    sync::{Arc, LazyLock},
    time::Duration,
};

use mod_abi::{codec::encode, state::SavedState};
use mod_host::{
    CallError, Caller, CompiledMod, Decode as _, EngineConfig, Entropy, HostCalls, HostEngine, HostFunctionDesc,
    Instance, InstanceConfig, Job, Limits, Manifest, ModCall, ModCallFailure, ModCallStatus, Opaque,
};

use crate::{dice::Dice, watch};

/// What a step may compute beyond the time that the mod has. The clock ticks every millisecond, but a tick waits for its
/// turn on a busy machine, one import may copy a mebibyte, and the host is built without optimisation.
pub const SLACK: Duration = Duration::from_secs(2);
/// What reading, compiling or linking a module may compute. They have no limit but the size of the file.
const PREPARING: Duration = Duration::from_secs(20);

static ENGINE: LazyLock<HostEngine> =
    LazyLock::new(|| HostEngine::new(&EngineConfig::default()).expect("this machine runs WebAssembly"));

/// The limits of every module.
#[must_use]
pub fn limits() -> Limits {
    Limits {
        memory_bytes: 4 << 20,
        table_elements: 10_000,
        call_time: Duration::from_millis(2),
        startup_time: Duration::from_millis(5),
        file_bytes: 8 << 20,
        ..Limits::default()
    }
}

/// How a module went.
#[derive(Debug, Default)]
pub struct Way {
    /// The last stage that it reached: 0 refused, 1 compiled, 2 started.
    pub stage: usize,
    /// Calls that came back with a result.
    pub answered: usize,
    /// What should not be.
    pub wrong: Vec<String>,
    /// The longest that a step took beyond its time.
    pub over: Duration,
}

impl Way {
    /// Takes one step.
    fn step<T>(&mut self, name: &'static str, budget: Duration, work: impl FnOnce() -> T) -> T {
        watch::step(name);
        let before = watch::computed();
        let outcome = work();
        let took = watch::computed().saturating_sub(before);
        self.over = self.over.max(took.saturating_sub(budget));
        if took > budget + SLACK {
            self.wrong.push(format!("`{name}` computed for {took:?}, and it has {budget:?}"));
        }
        outcome
    }
}

/// A host that answers whatever comes to its mind.
struct Moody {
    dice: Dice,
    asked: usize,
}

impl HostCalls for Moody {
    fn call(
        &mut self,
        caller: &mut Caller<'_>,
        function: usize,
        args: &[u8],
        result: &mut Vec<u8>,
    ) -> Result<(), String> {
        self.asked += 1;
        match self.dice.below(12) {
            0 => return Err("not \u{1b}[31mnow\n".to_owned()),
            1 => *result = vec![7; self.dice.below(3 << 20)],
            2 => *result = caller.answer(Job::ready(5_u32))?,
            3 => *result = caller.answer(args.len() as u64)?,
            4 => *result = args.to_vec(),
            5 => {
                let door = caller.opaque().insert(function).map_err(|error| error.to_string())?;
                *result = caller.answer(door)?;
            }
            6 => {
                let door: Opaque<usize> = caller.arguments(args)?;
                let _ = caller.opaque().get(door);
            }
            7 => *result = caller.answer(caller.arguments::<(String, Vec<Option<f64>>)>(args)?)?,
            _ => {
                let len = self.dice.below(64);
                *result = self.dice.bytes(len);
            }
        }
        Ok(())
    }

    fn call_mod(&mut self, call: &ModCall<'_>, result: &mut Vec<u8>) -> Result<(), ModCallFailure> {
        self.asked += 1;
        if self.dice.chance(30) {
            return Err(ModCallFailure::new(ModCallStatus::Failed, "it \n failed"));
        }
        result.extend_from_slice(call.args);
        Ok(())
    }

    fn reserve_entity(&mut self) -> Result<u64, String> {
        self.asked += 1;
        if self.dice.chance(5) { Err("no".to_owned()) } else { Ok(self.dice.number()) }
    }

    fn query_row(&mut self, param: u32, entity: u64) -> Result<Option<u32>, String> {
        self.asked += 1;
        Ok((entity != u64::from(param)).then_some(3))
    }
}

/// Takes a module through everything that the host does with one.
#[must_use]
pub fn take(bytes: &[u8], dice: &mut Dice) -> Way {
    let mut way = Way::default();
    let limits = limits();
    let stem = if dice.chance(90) { "smith" } else { *dice.pick(&["a b", "", "x\u{1b}[0m"]) };
    let identity = way.step("read_identity", PREPARING, || Manifest::read_identity(bytes, stem, &limits));
    let compiled = match way.step("compile", PREPARING, || CompiledMod::new(&ENGINE, bytes, stem, &limits)) {
        Ok(compiled) => compiled,
        Err(error) => {
            clean(&mut way, &error.to_string());
            return way;
        }
    };
    way.stage = 1;
    if identity.as_ref().ok() != Some(&compiled.manifest().identity) {
        way.wrong.push(format!("the identity alone is {identity:?}"));
    }
    let mut config = InstanceConfig::default();
    config.limits = limits.clone();
    config.entropy = if dice.chance(50) { Entropy::Host } else { Entropy::Seeded(7) };
    let functions = ["double", "store", "work", "query_ticks", "type_index", "world_prepare", "world_query"];
    config.host_functions = Arc::from(functions.map(HostFunctionDesc::from));
    // The start function and `_initialize` have their time each, and before them tables and memory are filled.
    let budget = PREPARING.min(limits.startup_time * 2 + SLACK);
    let mut instance = match way.step("start", budget, || Instance::new(&compiled, config)) {
        Ok(instance) => instance,
        Err(error) => {
            clean(&mut way, &error.to_string());
            return way;
        }
    };
    way.stage = 2;
    for round in 0..3 {
        use_it(&mut way, &mut instance, dice);
        if instance.memory_bytes() > limits.memory_bytes {
            way.wrong.push(format!("it has {} bytes of memory", instance.memory_bytes()));
        }
        if instance.is_poisoned() {
            stays_poisoned(&mut way, &mut instance);
            match way.step("start_anew", budget, || instance.start_anew()) {
                Ok(next) if round < 2 => instance = next,
                _ => break,
            }
        }
    }
    way
}

/// One of everything, for as long as the instance lives.
fn use_it(way: &mut Way, instance: &mut Instance, dice: &mut Dice) {
    let limits = limits();
    let mut host = Moody { dice: dice.fork(), asked: 0 };
    let described = way.step("describe", limits.startup_time, || instance.describe());
    note(way, &described);
    let saved = way.step("save", limits.startup_time, || instance.save());
    note(way, &saved);
    let states: Vec<SavedState> = saved.unwrap_or_default();
    let restored = way.step("restore", limits.startup_time, || instance.restore(&states));
    note(way, &restored);
    for _ in 0..4 {
        let len = *dice.pick(&[0, 16, 1_000, 70_000, 5 << 20]);
        let noise = dice.bytes(64);
        let batch = way.step("batch", limits.call_time * 3, || {
            instance.batch(len).map(|batch| {
                for (place, byte) in batch.iter_mut().zip(noise.iter().cycle()) {
                    *place = *byte;
                }
            })
        });
        note(way, &batch);
        let commands = way.step("run", limits.call_time, || instance.run("system", &mut host));
        note(way, &commands);
        if let Ok(commands) = commands {
            let _ = instance.guest_bytes(commands).map(<[u8]>::len);
            let _ = instance.batch_bytes().map(<[u8]>::len);
        }
    }
    let exports = instance.manifest().exports.clone();
    for name in exports.iter().take(12).map(String::as_str).chain(["missing", "mod_run", ""]) {
        let len = dice.below(40);
        let args = dice.bytes(len);
        let answer = way.step("call_bytes", limits.call_time, || instance.call_bytes(name, &args, &mut host));
        note(way, &answer);
        if let Ok(answer) = answer {
            let codec = instance.manifest().codec;
            let _ = <Vec<(String, u8)>>::decode(&answer, codec);
        }
        let typed =
            way.step("call", limits.call_time, || instance.call::<_, (u64, String)>(name, &("text", 1.5), &mut host));
        note(way, &typed);
    }
    let _ = encode(&host.asked);
}

/// Nothing of a poisoned instance runs, whatever is called.
fn stays_poisoned(way: &mut Way, instance: &mut Instance) {
    let mut host = Moody { dice: Dice::new(0), asked: 0 };
    let memory = instance.memory_bytes();
    let mut errors = vec![
        instance.describe().err(),
        instance.save().err(),
        instance.restore(&[]).err(),
        instance.batch(16).err(),
        instance.run("system", &mut host).err(),
        instance.batch_bytes().err(),
        instance.call_bytes("f0", b"", &mut host).err(),
    ];
    // What the mod does not have has nothing to refuse.
    errors.retain(|error| !matches!(error, Some(CallError::Poisoned { .. })));
    let answered = errors.iter().filter(|error| error.is_none()).count();
    if answered > 3 || host.asked > 0 || instance.memory_bytes() != memory || !instance.is_poisoned() {
        way.wrong.push(format!("it ran after it was poisoned: {errors:?}"));
    }
}

fn note<T>(way: &mut Way, outcome: &Result<T, CallError>) {
    match outcome {
        Ok(_) => way.answered += 1,
        Err(error) => clean(way, &error.to_string()),
    }
}

/// Errors are lines that a player could paste.
fn clean(way: &mut Way, text: &str) {
    if text.is_empty() || text.len() > 64 << 10 || text.chars().any(char::is_control) {
        way.wrong.push(format!("an error that is no line: {:?}", text.chars().take(300).collect::<String>()));
    }
}
