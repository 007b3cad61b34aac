//! A game that has hostile mods. Its frames go on, and nobody else is blamed or stopped.

use std::{
    collections::BTreeSet,
    fs,
    time::{Duration, Instant},
};

use bevy::{
    app::{App, Update},
    asset::AssetPlugin,
    ecs::{entity::EntityHashMap, message::Messages, reflect::ReflectComponent, world::EntityRef},
    prelude::{
        Component, Entity, Event, Message, MinimalPlugins, Reflect, ReflectEvent, ReflectMessage, Resource, default,
    },
    reflect::std_traits::ReflectDefault,
};
use bevy_wasm_mods::{
    CompileCache,
    prelude::{ModAppExt, ModEvent, ModSettings, SaveMods, WasmModsPlugin},
};
use mod_abi::{
    Schema,
    codec::encode,
    describe::{ModDescription, ParamDesc, QueryDesc, SystemDesc, TermDesc, TypeDesc, TypeRole},
};

use crate::{descriptions, dice::Dice, watch};

/// One number.
#[derive(Component, Reflect, Debug, Default, Clone, PartialEq)]
#[reflect(Component, Default)]
struct Health {
    value: f32,
}

/// Rows of varying size.
#[derive(Component, Reflect, Debug, Default, Clone, PartialEq)]
#[reflect(Component, Default)]
struct Label {
    text: String,
    tags: Vec<String>,
}

/// Padding in memory, and a leaf with invalid bit patterns.
#[derive(Component, Reflect, Debug, Default, Clone, PartialEq)]
#[reflect(Component, Default)]
struct Mixed {
    flag: bool,
    level: u8,
    weight: f64,
}

/// In a sparse set.
#[derive(Component, Reflect, Debug, Clone, PartialEq)]
#[component(storage = "SparseSet")]
#[reflect(Component)]
struct Target {
    entity: Entity,
    since: Duration,
}

/// A list.
#[derive(Component, Reflect, Debug, Default, Clone, PartialEq)]
#[reflect(Component, Default)]
struct Picture(Vec<u8>);

/// A marker.
#[derive(Component, Reflect, Debug, Default, Clone, PartialEq)]
#[reflect(Component, Default)]
struct Frozen;

/// Not to be written.
#[derive(Component, Reflect, Debug, Default, Clone, PartialEq)]
#[component(immutable)]
#[reflect(Component, Default)]
struct Rank {
    value: u32,
}

/// What the good mod counts, and nobody else states truly.
#[derive(Component, Reflect, Debug, Default, Clone, PartialEq)]
#[reflect(Component, Default)]
struct Guard {
    beats: u32,
}

#[derive(Resource, Reflect, Debug, Default, Clone, PartialEq)]
struct Score {
    points: u64,
}

#[derive(Message, Reflect, Debug, Default, Clone)]
#[reflect(Message, Default)]
struct Shout {
    volume: u32,
}

#[derive(Event, Reflect, Debug, Default, Clone)]
#[reflect(Event, Default)]
struct Bang {
    size: u32,
}

/// The good mod: it adds one to every guard in every frame.
fn good() -> Vec<u8> {
    let types = vec![TypeDesc {
        path: "hostile::game::Guard".to_owned(),
        schema: Schema::parse("{beats:u32}").expect("the text is right"),
        role: TypeRole::Mirror,
    }];
    let params = vec![ParamDesc::Query(QueryDesc { terms: vec![TermDesc::Write(0)], filters: Vec::new() })];
    let system = SystemDesc { name: "beat".to_owned(), schedule: "Update".to_owned(), params, ..SystemDesc::default() };
    let description = encode(&ModDescription { types, systems: vec![system], ..default() }).expect("a description");
    let escaped: String = description.iter().map(|byte| format!("\\{byte:02x}")).collect();
    let text = format!(
        r#"(module (memory (export "memory") 2) (@custom "bevy_mod" "abi: 3\nid: good\nversion: 1.0.0\n")
        (data (i32.const 1024) "{escaped}")
        (func (export "__alloc_buffer") (param i32) (result i32) (i32.const 65536))
        (func (export "__free_buffer") (param i64))
        (func (export "__mod_describe") (param i64) (result i64) (i64.const {buffer}))
        (func (export "__mod_run") (param $buffer i64) (result i64) (local $block i32) (local $data i32)
            (local.set $block (i32.wrap_i64 (i64.shr_u (local.get $buffer) (i64.const 32))))
            (local.set $block (i32.add (local.get $block) (i32.load offset=16 (local.get $block))))
            (if (i32.load (local.get $block)) (then
                (local.set $data (i32.add (local.get $block) (i32.load offset=16 (local.get $block))))
                (i32.store (local.get $data) (i32.add (i32.const 1) (i32.load (local.get $data))))
                (i32.store8 (i32.add (local.get $block) (i32.load offset=32 (local.get $block))) (i32.const 1))))
            (i64.const 0)))"#,
        buffer = (1024_u64 << 32) | description.len() as u64
    );
    wat::parse_str(text).expect("the text is right")
}

/// How a game went.
#[derive(Debug, Default)]
pub struct Played {
    /// Mods that were loaded, apart from the good one.
    pub loaded: usize,
    /// Mods that failed, before or after they were.
    pub failed: usize,
    /// The texts of their faults.
    pub faults: Vec<String>,
    /// What should not be.
    pub wrong: Vec<String>,
}

/// Frames that are played with everybody who is loaded.
const FRAMES: u32 = 12;
/// How many hostile mods a game has.
const MODS: usize = 6;

/// Makes hostile mods for a World as [`play`] makes one.
#[must_use]
pub fn mods(dice: &mut Dice) -> Vec<(String, Vec<u8>)> {
    let mut app = App::new();
    let entities = populate(&mut app);
    let mods = (0..MODS).map(|n| format!("bad{n}"));
    mods.map(|id| (id.clone(), descriptions::module(&id, &entities, dice))).collect()
}

/// Fills the World, and returns what is there to aim at: also entities of resources and observers.
fn populate(app: &mut App) -> Vec<u64> {
    app.init_resource::<Score>().add_message::<Shout>().add_observer(|_: bevy::prelude::On<Bang>| {});
    let world = app.world_mut();
    world.register_component::<Rank>();
    for n in 0_u8..6 {
        let mut entity = world.spawn((Health::default(), Picture(vec![n; 9])));
        if n % 2 == 0 {
            entity.insert((Label { text: "x".repeat(n.into()), tags: vec!["tag".to_owned()] }, Frozen));
        }
        if n % 3 == 0 {
            entity.insert((
                Mixed::default(),
                Target { entity: Entity::PLACEHOLDER, since: Duration::ZERO },
                Rank::default(),
            ));
        }
    }
    world.spawn(Guard::default());
    let mut all = world.query::<EntityRef<'_>>();
    all.iter(world).map(|entity| entity.id().to_bits()).collect()
}

/// Plays a game with these mods.
///
/// # Panics
/// When the disk is full.
#[must_use]
pub fn play(mods: &[(String, Vec<u8>)]) -> Played {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("mods");
    fs::create_dir(&path).expect("a folder");
    for (id, bytes) in mods {
        fs::write(path.join(format!("{id}.wasm")), bytes).expect("a file");
    }
    fs::write(path.join("good.wasm"), good()).expect("a file");
    let mut app = App::new();
    let mut settings = ModSettings { compile_cache: CompileCache::Off, watch: false, ..default() };
    // What takes long here is the machine.
    settings.limits.startup_time = Duration::from_secs(10);
    settings.limits.call_time = Duration::from_secs(10);
    settings.limits.frame_time = Duration::from_secs(60);
    let file_path = folder.path().to_string_lossy().into_owned();
    let assets = AssetPlugin { file_path, watch_for_changes_override: Some(false), ..default() };
    app.insert_resource(settings).add_plugins((MinimalPlugins, assets, WasmModsPlugin)).add_mod_message::<Shout>();
    app.add_systems(Update, || {});
    populate(&mut app);

    let mut played = Played::default();
    let (mut loaded, mut failed) = (BTreeSet::new(), BTreeSet::new());
    let mut is_good = false;
    let mut frame = |app: &mut App, played: &mut Played| {
        app.update();
        let events: Vec<ModEvent> = app.world_mut().resource_mut::<Messages<ModEvent>>().drain().collect();
        for event in events {
            match event {
                ModEvent::Loaded { id } if &*id == "good" => is_good = true,
                ModEvent::Loaded { id } => drop(loaded.insert(id)),
                ModEvent::Failed { id, fault } => {
                    let text = fault.to_string();
                    if &*id == "good" || text.contains('\n') || text.is_empty() {
                        played.wrong.push(format!("{id} is blamed: {text:?}"));
                    }
                    played.faults.push(text);
                    failed.insert(id);
                }
                _ => {}
            }
        }
        (is_good, loaded.union(&failed).count())
    };
    watch::step("load");
    let start = Instant::now();
    loop {
        let (is_good, settled) = frame(&mut app, &mut played);
        // Mods whose types nobody has met wait, and say nothing.
        let waited = if settled >= mods.len() { 0 } else { 1_500 };
        if is_good && start.elapsed() >= Duration::from_millis(waited) {
            break;
        }
        if start.elapsed() > Duration::from_secs(90) {
            played.wrong.push("the good mod was never loaded".to_owned());
            return played;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    let mut beats = app.world_mut().query::<&Guard>();
    let mut count = |app: &mut App| beats.iter(app.world()).map(|guard| guard.beats).sum::<u32>();
    let before = count(&mut app);
    for round in 0..FRAMES {
        watch::step("frame");
        frame(&mut app, &mut played);
        if round == FRAMES / 2 {
            watch::step("save");
            let save = app.world_mut().save_mods();
            watch::step("restore");
            let _ = app.world_mut().restore_mods(&save, &mut EntityHashMap::default());
        }
    }
    let after = count(&mut app);
    if after != before + FRAMES {
        played.wrong.push(format!("the good mod ran {} times in {FRAMES} frames", after.wrapping_sub(before)));
    }
    played.loaded = loaded.len();
    played.failed = failed.len();
    watch::step("drop");
    drop(app);
    played
}
