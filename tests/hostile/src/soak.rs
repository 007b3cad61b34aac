//! A long game with 50 mods of mixed manners: good ones, slow ones, ones that trap, panic, loop, eat memory or leave nonsense every
//! now and then and are restarted, and ones whose files change. No frame takes longer than it may, memory stays flat, and every
//! fault is one that was meant to be.

use std::{
    collections::BTreeMap,
    fmt, fs,
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

use bevy::{
    app::App,
    asset::AssetPlugin,
    ecs::{
        message::Messages,
        reflect::ReflectComponent,
        schedule::{Schedules, SingleThreadedExecutor},
    },
    prelude::{Component, MinimalPlugins, Reflect, default},
    reflect::std_traits::ReflectDefault,
};
use bevy_wasm_mods::{
    CompileCache, FaultPolicy, ModOverrides,
    prelude::{ModEvent, ModSettings, Mods, WasmModsPlugin},
};
use mod_abi::{
    Schema,
    codec::encode,
    describe::{ModDescription, ParamDesc, QueryDesc, SystemDesc, TermDesc, TypeDesc, TypeRole},
};

use crate::{leaks::resident, watch};

/// What a mod has for a call, and for a frame. Long enough for good mods on a machine that has more to do.
const CALL: Duration = Duration::from_millis(25);
/// What a call that is stopped may take above that: two ticks.
const TICKS: Duration = Duration::from_millis(2);
/// What a frame may take in which nobody is stopped for its time: half of one at 60 in a second.
const FRAME: Duration = Duration::from_micros(8_333);
/// How much the process may grow from the first fifth of the game to its end, in bytes.
const GROWTH: u64 = 16 << 20;
/// How many frames lie between two versions of a mod whose file changes.
const VERSION: u32 = 701;

/// What the good mods change.
#[derive(Component, Reflect, Debug, Default, Clone)]
#[reflect(Component, Default)]
struct Crop {
    grown: u32,
}

/// How a mod behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Manner {
    /// Changes all rows in each frame.
    Good,
    /// Computes for a while in each frame.
    Slow,
    /// Its file changes.
    Changing,
    /// Fails in the run of that number of each of its lives, in one of the ways below.
    Fails { run: u32, how: How },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum How {
    Traps,
    Panics,
    Loops,
    EatsMemory,
    LeavesNonsense,
}

impl How {
    /// What a mod does in that run.
    const fn body(self) -> &'static str {
        match self {
            Self::Traps => "unreachable",
            Self::Panics => "(call $panic (i32.const 16) (i32.const 4)) unreachable",
            Self::Loops => "(loop $on (br $on))",
            Self::EatsMemory => {
                "(loop $on (br_if $on (i32.ne (memory.grow (i32.const 1)) (i32.const -1)))) unreachable"
            }
            Self::LeavesNonsense => "(return (i64.const 0x0000001000000004))",
        }
    }

    /// What the fault has to say.
    const fn told(self) -> &'static str {
        match self {
            Self::Traps => "unreachable",
            Self::Panics => "panicked: oops",
            Self::Loops => "longer than 25ms",
            Self::EatsMemory => "ran out of memory",
            Self::LeavesNonsense => "commands",
        }
    }
}

/// The 50 mods.
fn company() -> Vec<(String, Manner)> {
    let fails = [How::Traps, How::Panics, How::Loops, How::EatsMemory, How::LeavesNonsense];
    let mut company = Vec::new();
    for n in 0_u32..50 {
        let manner = match n {
            0..20 => Manner::Good,
            20..28 => Manner::Slow,
            28..32 => Manner::Changing,
            _ => Manner::Fails { run: 211 + 97 * (n - 32), how: fails[n as usize % fails.len()] },
        };
        company.push((format!("mod{n:02}"), manner));
    }
    company
}

/// A mod's file. Two versions differ in their bytes.
fn module(id: &str, manner: Manner, version: u32) -> Vec<u8> {
    let types = vec![TypeDesc {
        path: "hostile::soak::Crop".to_owned(),
        schema: Schema::parse("{grown:u32}").expect("the text is right"),
        role: TypeRole::Mirror,
    }];
    let params = vec![ParamDesc::Query(QueryDesc { terms: vec![TermDesc::Write(0)], filters: Vec::new() })];
    let system = SystemDesc { name: "live".to_owned(), schedule: "Update".to_owned(), params, ..SystemDesc::default() };
    let description = encode(&ModDescription { types, systems: vec![system], ..default() }).expect("a description");
    let escaped: String = description.iter().map(|byte| format!("\\{byte:02x}")).collect();
    let body = match manner {
        Manner::Good | Manner::Changing => "(call $grow (local.get $block))".to_owned(),
        Manner::Slow => "(local.set $i (i32.const 20000))
            (loop $on (br_if $on (local.tee $i (i32.sub (local.get $i) (i32.const 1)))))"
            .to_owned(),
        Manner::Fails { run, how } => {
            format!("(if (i32.eq (global.get $runs) (i32.const {run})) (then {}))", how.body())
        }
    };
    let text = format!(
        r#"(module
        (import "env" "__panic" (func $panic (param i32 i32)))
        (memory (export "memory") 2)
        (@custom "bevy_mod" "abi: 3\nid: {id}\nversion: 1.0.{version}\n")
        (data (i32.const 16) "oops") (data (i32.const 1024) "{escaped}")
        (global $runs (mut i32) (i32.const 0))
        (func (export "__alloc_buffer") (param i32) (result i32) (i32.const 65536))
        (func (export "__free_buffer") (param i64))
        (func (export "__mod_describe") (param i64) (result i64) (i64.const {buffer}))
        (func $grow (param $block i32) (local $data i32) (local $left i32)
            (local.set $left (i32.load (local.get $block)))
            (local.set $data (i32.add (local.get $block) (i32.load offset=16 (local.get $block))))
            (memory.fill (i32.add (local.get $block) (i32.load offset=32 (local.get $block))) (i32.const 1) (local.get $left))
            (loop $row
                (i32.store (local.get $data) (i32.add (i32.const 1) (i32.load (local.get $data))))
                (local.set $data (i32.add (local.get $data) (i32.const 4)))
                (br_if $row (local.tee $left (i32.sub (local.get $left) (i32.const 1))))))
        (func (export "__mod_run") (param $buffer i64) (result i64) (local $block i32) (local $i i32)
            (global.set $runs (i32.add (global.get $runs) (i32.const 1)))
            (local.set $block (i32.wrap_i64 (i64.shr_u (local.get $buffer) (i64.const 32))))
            (local.set $block (i32.add (local.get $block) (i32.load offset=16 (local.get $block))))
            {body}
            (i64.const 0)))"#,
        buffer = (1024_u64 << 32) | description.len() as u64
    );
    wat::parse_str(text).expect("the text is right")
}

/// How a long game went.
#[derive(Debug, Default)]
pub struct Soak {
    frames: u32,
    /// The longest frame, by the clock of its thread, apart from calls that were stopped for their time.
    longest: Duration,
    total: Duration,
    /// How often mods were restarted, reloaded, and failed in each way.
    restarts: u32,
    reloads: u32,
    faults: BTreeMap<&'static str, u32>,
    /// Memory of the process at each tenth, in bytes.
    memory: Vec<u64>,
    /// What should not be.
    pub wrong: Vec<String>,
}

impl fmt::Display for Soak {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { frames, longest, total, restarts, reloads, faults, memory, wrong } = self;
        let mean = *total / (*frames).max(1);
        let mebibytes: Vec<u64> = memory.iter().map(|bytes| bytes >> 20).collect();
        writeln!(f, "{frames} frames with 50 mods: {mean:.1?} each, the longest {longest:.1?} beside stopped calls")?;
        writeln!(f, "{restarts} restarts, {reloads} reloads, faults: {faults:?}")?;
        writeln!(f, "memory at each tenth, in MiB: {mebibytes:?}")?;
        wrong.iter().try_for_each(|wrong| writeln!(f, "FOUND {wrong}"))
    }
}

/// A mod in the game.
struct Member {
    manner: Manner,
    /// The frame in which it began to run, if it does.
    began: Option<u32>,
    version: u32,
}

struct Game {
    app: App,
    folder: PathBuf,
    members: BTreeMap<String, Member>,
    soak: Soak,
}

/// Plays so many frames, or a few less if something is wrong.
///
/// # Panics
/// When the disk is full.
#[must_use]
pub fn play(frames: u32) -> Soak {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut game = begin(folder.path());
    for frame in 0..frames {
        watch::step("frame");
        game.frame(frame);
        if frame % VERSION == VERSION - 1 {
            game.write_new_version(frame / VERSION);
        }
        if frame % (frames / 10).max(1) == 0 {
            game.soak.memory.extend(resident());
        }
        if game.soak.wrong.len() > 20 {
            break;
        }
    }
    game.soak.frames = frames;
    game.look_at_the_end();
    game.soak
}

fn begin(folder: &Path) -> Game {
    let mods = folder.join("mods");
    fs::create_dir(&mods).expect("a folder");
    let mut settings = ModSettings { compile_cache: CompileCache::Off, ..default() };
    settings.limits.call_time = CALL;
    settings.limits.frame_time = CALL;
    settings.limits.memory_bytes = 4 << 20;
    settings.fault_policy = FaultPolicy::Restart;
    let company = company();
    for (id, manner) in &company {
        fs::write(mods.join(format!("{id}.wasm")), module(id, *manner, 0)).expect("a file");
        if *manner == Manner::Good {
            // Nobody should know that a good mod may not fail.
            let strict = ModOverrides { fault_policy: Some(FaultPolicy::Disable), ..default() };
            settings.overrides.insert(id.clone(), strict);
        }
    }
    let file_path = folder.to_string_lossy().into_owned();
    let assets = AssetPlugin { file_path, watch_for_changes_override: Some(false), ..default() };
    let mut app = App::new();
    app.insert_resource(settings).add_plugins((MinimalPlugins, assets, WasmModsPlugin));
    // One thread, so that its clock tells what a frame costs, whatever else the machine does.
    for (_, schedule) in app.world_mut().resource_mut::<Schedules>().iter_mut() {
        schedule.set_executor(SingleThreadedExecutor::new());
    }
    app.world_mut().spawn_batch((0..200).map(|_| Crop::default()));
    let members = company.into_iter().map(|(id, manner)| (id, Member { manner, began: None, version: 0 })).collect();
    let mut game = Game { app, folder: mods, members, soak: Soak::default() };
    let start = Instant::now();
    while game.members.values().any(|member| member.began.is_none()) {
        game.app.update();
        game.take_events(0);
        if start.elapsed() > Duration::from_secs(120) {
            game.soak.wrong.push("the mods were never loaded".to_owned());
            break;
        }
        thread::sleep(Duration::from_millis(1));
    }
    game
}

impl Game {
    fn frame(&mut self, frame: u32) {
        let before = watch::computed();
        self.app.update();
        let took = watch::computed().saturating_sub(before);
        let stopped = self.take_events(frame);
        let rest = took.saturating_sub((CALL + TICKS) * stopped);
        self.soak.total += took;
        self.soak.longest = self.soak.longest.max(rest);
        if rest > FRAME {
            self.soak.wrong.push(format!("frame {frame} took {took:?} with {stopped} stopped calls"));
        }
    }

    /// Looks at what happened to mods, and returns how many were stopped for their time.
    fn take_events(&mut self, frame: u32) -> u32 {
        let mut stopped = 0;
        let events: Vec<ModEvent> = self.app.world_mut().resource_mut::<Messages<ModEvent>>().drain().collect();
        for event in events {
            let Soak { wrong, faults, restarts, reloads, .. } = &mut self.soak;
            match event {
                ModEvent::Loaded { id } | ModEvent::Restarted { id, .. } => {
                    let Some(member) = self.members.get_mut(&*id) else { continue };
                    *restarts += u32::from(frame > 0);
                    if member.began.replace(frame).is_some() {
                        wrong.push(format!("{id} begins in frame {frame} and runs already"));
                    }
                }
                ModEvent::Reloaded { id, .. } => {
                    *reloads += 1;
                    if self.members.get(&*id).is_none_or(|member| member.manner != Manner::Changing) {
                        wrong.push(format!("{id} is reloaded in frame {frame}"));
                    }
                }
                ModEvent::Failed { id, fault } => {
                    let Some(member) = self.members.get_mut(&*id) else { continue };
                    let (text, began) = (fault.to_string(), member.began.take());
                    let expected = match member.manner {
                        Manner::Fails { run, how } if text.contains(how.told()) => {
                            stopped += u32::from(how == How::Loops);
                            *faults.entry(how.told()).or_default() += 1;
                            Some(run)
                        }
                        _ => None,
                    };
                    let lived = began.map(|began| frame - began);
                    // It is told at the next frame boundary. In the frame in which it begins it may run or not.
                    let is_right = |(run, lived): (u32, u32)| (run.saturating_sub(1)..=run + 1).contains(&lived);
                    // The loading of all of them took frames that nobody counted.
                    let is_first = began == Some(0);
                    if !is_first && !expected.zip(lived).is_some_and(is_right) || expected.is_none() {
                        wrong.push(format!("{id} failed in frame {frame}, after {lived:?} of {expected:?}: {text}"));
                    }
                }
                other => wrong.push(format!("in frame {frame}: {other:?}")),
            }
        }
        stopped
    }

    fn write_new_version(&mut self, version: u32) {
        for (id, member) in self.members.iter_mut().filter(|(_, member)| member.manner == Manner::Changing) {
            member.version = version + 1;
            let temporary = self.folder.join(format!("{id}.new"));
            fs::write(&temporary, module(id, member.manner, member.version)).expect("a file");
            fs::rename(temporary, self.folder.join(format!("{id}.wasm"))).expect("a rename");
        }
    }

    fn look_at_the_end(&mut self) {
        let running = self.app.world_mut().run_system_cached(|mods: Mods| {
            mods.iter().filter(|info| mods.is_running(&info.id)).map(|info| info.id.to_string()).collect::<Vec<_>>()
        });
        let running = running.unwrap_or_default();
        for (id, member) in &self.members {
            let fails = matches!(member.manner, Manner::Fails { .. });
            if !fails && !running.contains(id) {
                self.soak.wrong.push(format!("{id} does not run in the end"));
            }
        }
        let memory = &self.soak.memory;
        if let (Some(early), Some(late)) = (memory.get(2), memory.last())
            && late.saturating_sub(*early) > GROWTH
        {
            self.soak.wrong.push(format!("the process grew from {early} to {late} bytes"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::play;

    #[test]
    fn a_short_game_is_in_order() {
        let soak = play(1_500);
        assert!(soak.wrong.is_empty(), "{soak}");
        assert!(soak.restarts > 18 && soak.reloads > 0 && soak.faults.len() == 5, "{soak}");
    }
}
