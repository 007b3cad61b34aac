//! A headless game with a mod folder of its own, and mods written in WebAssembly text.

use std::{
    fs,
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};

use bevy::{
    app::TaskPoolPlugin,
    asset::AssetPlugin,
    ecs::message::Messages,
    prelude::{App, MinimalPlugins, PluginGroup, default},
};
use bevy_wasm_mods::{
    CompileCache, ModFault,
    prelude::{ModEvent, ModSettings, WasmModsPlugin},
};
use mod_abi::{
    Identity, Schema, codec,
    describe::{FilterDesc, ModDescription, ParamDesc, QueryDesc, ResourceDesc, SystemDesc, TermDesc, TypeDesc},
    state::SavedState,
};
use tempfile::TempDir;

/// How long a test waits for something before it fails. Only a broken test waits that long.
const PATIENCE: Duration = Duration::from_secs(30);

/// A game that runs frame by frame.
pub(crate) struct Game {
    pub(crate) app: App,
    folder: TempDir,
    /// Everything that happened to mods so far.
    pub(crate) events: Vec<ModEvent>,
}

impl Game {
    /// A game whose mod folder holds these files.
    pub(crate) fn with_mods(mods: &[(&str, &[u8])]) -> Self {
        Self::with_settings(mods, ModSettings::default())
    }

    /// As [`Game::with_mods`], with settings of its own.
    pub(crate) fn with_settings(mods: &[(&str, &[u8])], settings: ModSettings) -> Self {
        Self::with(mods, settings, |plugin| plugin)
    }

    /// As [`Game::with_settings`], with Bevy's asset plugin as the test wants it. Bevy's own watcher is off.
    pub(crate) fn with(
        mods: &[(&str, &[u8])],
        settings: ModSettings,
        assets: impl FnOnce(AssetPlugin) -> AssetPlugin,
    ) -> Self {
        let folder = TempDir::new().expect("a temporary folder");
        fs::create_dir(folder.path().join("mods")).expect("a mod folder");
        let file_path = folder.path().to_string_lossy().into_owned();
        let plugin = AssetPlugin { file_path, watch_for_changes_override: Some(false), ..default() };
        let mut app = App::new();
        // No test should find what another run has left.
        let settings = ModSettings { compile_cache: CompileCache::Off, ..settings };
        app.insert_resource(settings).add_plugins((
            MinimalPlugins.set(TaskPoolPlugin::default()),
            assets(plugin),
            WasmModsPlugin,
        ));
        let game = Self { app, folder, events: Vec::new() };
        for (name, bytes) in mods {
            game.write(name, bytes);
        }
        game
    }

    /// The path of a file in the mod folder.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join("mods").join(name)
    }

    /// Writes a file into the mod folder.
    pub(crate) fn write(&self, name: &str, bytes: &[u8]) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().expect("a file has a folder")).expect("a folder");
        fs::write(path, bytes).expect("a file");
    }

    /// Runs one frame.
    pub(crate) fn frame(&mut self) {
        self.app.update();
        let mut messages = self.app.world_mut().resource_mut::<Messages<ModEvent>>();
        self.events.extend(messages.drain());
    }

    /// Runs so many frames.
    pub(crate) fn frames(&mut self, count: usize) {
        for _ in 0..count {
            self.frame();
        }
    }

    /// Runs frames until `done`.
    #[track_caller]
    pub(crate) fn until(&mut self, what: &str, mut done: impl FnMut(&mut Self) -> bool) {
        let start = Instant::now();
        while !done(self) {
            assert!(start.elapsed() < PATIENCE, "{what} never happened; the story so far: {:?}", self.story());
            self.frame();
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    /// Runs frames until the story holds `line`.
    #[track_caller]
    pub(crate) fn until_told(&mut self, line: &str) {
        self.until(line, |game| game.story().iter().any(|told| told == line));
    }

    /// What happened, in short: `loaded wind`, `failed wind`, ...
    pub(crate) fn story(&self) -> Vec<String> {
        let line = |event: &ModEvent| match event {
            ModEvent::Loaded { id } => format!("loaded {id}"),
            ModEvent::Reloaded { id, .. } => format!("reloaded {id}"),
            ModEvent::Failed { id, .. } => format!("failed {id}"),
            ModEvent::Unloaded { id } => format!("unloaded {id}"),
            ModEvent::Disabled { id } => format!("disabled {id}"),
            ModEvent::Resumed { id, .. } => format!("resumed {id}"),
            other => format!("{other:?}"),
        };
        self.events.iter().map(line).collect()
    }

    /// The faults so far.
    pub(crate) fn faults(&self) -> Vec<Arc<ModFault>> {
        let fault = |event: &ModEvent| match event {
            ModEvent::Failed { fault, .. } => Some(Arc::clone(fault)),
            _ => None,
        };
        self.events.iter().filter_map(fault).collect()
    }

    /// Runs until the first fault and returns its text.
    #[track_caller]
    pub(crate) fn first_fault(&mut self) -> String {
        self.until("a fault", |game| !game.faults().is_empty());
        self.faults()[0].to_string()
    }
}

/// A mod written by hand.
#[derive(Debug, Clone, Default)]
pub(crate) struct Mod {
    id: String,
    description: ModDescription,
    run: String,
    fields: String,
    imports: String,
    keeps: Option<SavedState>,
}

impl Mod {
    /// A mod that does nothing.
    pub(crate) fn new(id: &str) -> Self {
        Self { id: id.to_owned(), ..Self::default() }
    }

    /// States a type of the game and returns its index.
    pub(crate) fn ty(&mut self, path: &str, schema: &str) -> u32 {
        let schema = Schema::parse(schema).expect("a schema");
        self.description.types.push(TypeDesc { path: path.to_owned(), schema });
        u32::try_from(self.description.types.len() - 1).expect("few types")
    }

    /// Adds a system.
    pub(crate) fn system(mut self, name: &str, schedule: &str, params: Vec<ParamDesc>) -> Self {
        let (name, schedule) = (name.to_owned(), schedule.to_owned());
        self.description.systems.push(SystemDesc { name, schedule, params, after: Vec::new() });
        self
    }

    /// Orders the last system after others.
    pub(crate) fn after(mut self, after: &[u32]) -> Self {
        self.description.systems.last_mut().expect("a system").after = after.to_vec();
        self
    }

    /// The body of `__mod_run`: `$batch` is the batch's address, `$system` the system's index, `$block` the address of
    /// the first block, `$rows` its rows, `$data` and `$dirty` the addresses of those parts of its first column.
    pub(crate) fn run(mut self, body: &str) -> Self {
        self.run = body.to_owned();
        self
    }

    /// Keeps a value of a fixed size over a reload. It stands at the address `$kept`.
    #[cfg_attr(not(feature = "hot_reload"), expect(dead_code, reason = "only reloads need it"))]
    pub(crate) fn keeps(mut self, name: &str, schema: &str, bytes: &[u8]) -> Self {
        let schema = Schema::parse(schema).expect("a schema");
        self.keeps = Some(SavedState { name: name.to_owned(), schema, bytes: bytes.to_vec() });
        self
    }

    /// The exports that hand the kept value over, as it stands from address 4096 on.
    fn hand_over(&self) -> String {
        let Some(kept) = &self.keeps else { return String::new() };
        let bytes = codec::encode(&[kept.clone()][..]).expect("a value");
        let escaped: String = bytes.iter().map(|byte| format!("\\{byte:02x}")).collect();
        format!(
            r#"(data (i32.const 4096) "{escaped}")
            (global $kept i32 (i32.const {kept}))
            (func (export "__mod_save") (param i64) (result i64) (i64.const {buffer}))
            (func (export "__mod_restore") (param $state i64) (result i64)
                (if (i64.ne (i64.extend_i32_u (i32.wrap_i64 (local.get $state))) (i64.const {len})) (then unreachable))
                (memory.copy (i32.const 4096)
                    (i32.wrap_i64 (i64.shr_u (local.get $state) (i64.const 32))) (i32.const {len}))
                (i64.const 0))"#,
            kept = 4096 + bytes.len() - kept.bytes.len(),
            buffer = (4096_u64 << 32) | bytes.len() as u64,
            len = bytes.len(),
        )
    }

    /// Adds fields to the module, such as exports.
    pub(crate) fn fields(mut self, fields: &str) -> Self {
        self.fields.push_str(fields);
        self
    }

    /// Adds an import of a host function as `$name`.
    pub(crate) fn import(mut self, name: &str) -> Self {
        self.imports.push_str(&format!("(import \"env\" \"__{name}\" (func ${name} (param i64) (result i64)))\n"));
        self
    }

    /// The module.
    pub(crate) fn build(&self) -> Vec<u8> {
        let identity = Identity {
            abi: 1,
            id: self.id.clone(),
            version: "1.2.3".to_owned(),
            authors: Vec::new(),
            dependencies: Vec::new(),
            codec: "bincode".to_owned(),
        };
        let describe = codec::encode(&self.description).expect("a description");
        let escaped: String = describe.iter().map(|byte| format!("\\{byte:02x}")).collect();
        let text = format!(
            r#"(module
            {imports}
            (import "env" "__panic" (func $panic (param i32 i32)))
            (memory (export "memory") 4)
            (@custom "bevy_mod" "{identity}")
            (data (i32.const 1024) "{escaped}")
            (global $top (mut i32) (i32.const 65536))
            (func (export "__alloc_buffer") (param $len i32) (result i32)
                (local $at i32)
                (local.set $at (global.get $top))
                (global.set $top (i32.and (i32.add (i32.add (local.get $at) (local.get $len)) (i32.const 15)) (i32.const -16)))
                (block $fits
                    (br_if $fits (i32.le_u (global.get $top) (i32.mul (memory.size) (i32.const 65536))))
                    (drop (memory.grow (i32.add (i32.div_u (local.get $len) (i32.const 65536)) (i32.const 1)))))
                (local.get $at))
            (func (export "__free_buffer") (param i64))
            (func (export "__mod_describe") (param i64) (result i64)
                (i64.const {describe_buffer}))
            (func (export "__mod_run") (param $buffer i64) (result i64)
                (local $batch i32) (local $system i32) (local $block i32) (local $rows i32)
                (local $data i32) (local $dirty i32) (local $i i32)
                (local.set $batch (i32.wrap_i64 (i64.shr_u (local.get $buffer) (i64.const 32))))
                (local.set $system (i32.load (local.get $batch)))
                (if (i32.load offset=4 (local.get $batch)) (then
                    (local.set $block (i32.add (local.get $batch) (i32.load offset=16 (local.get $batch))))
                    (local.set $rows (i32.load (local.get $block)))
                    (local.set $data (i32.add (local.get $block) (i32.load offset=16 (local.get $block))))
                    (local.set $dirty (i32.add (local.get $block) (i32.load offset=32 (local.get $block))))))
                {run}
                (i64.const 0))
            (func $deep (param i32) (result i32) (i32.add (i32.const 1) (call $deep (local.get 0))))
            {hand_over}
            {fields})"#,
            imports = self.imports,
            identity = identity.to_string().replace('\n', "\\n"),
            describe_buffer = (1024_u64 << 32) | describe.len() as u64,
            run = self.run,
            hand_over = self.hand_over(),
            fields = self.fields,
        );
        wat::parse_str(&text).unwrap_or_else(|error| panic!("{error}\n{text}"))
    }
}

/// A query that reads and writes types by index, in that order.
pub(crate) fn query(reads: &[u32], writes: &[u32]) -> ParamDesc {
    let terms = writes.iter().map(|ty| TermDesc::Write(*ty)).chain(reads.iter().map(|ty| TermDesc::Read(*ty)));
    ParamDesc::Query(QueryDesc { terms: terms.collect(), filters: Vec::new() })
}

/// As [`query`], with filters.
pub(crate) fn filtered(reads: &[u32], writes: &[u32], filters: &[FilterDesc]) -> ParamDesc {
    match query(reads, writes) {
        ParamDesc::Query(query) => ParamDesc::Query(QueryDesc { filters: filters.to_vec(), ..query }),
        other => other,
    }
}

/// A resource by its type's index.
pub(crate) fn resource(ty: u32, write: bool) -> ParamDesc {
    ParamDesc::Resource(ResourceDesc { ty, write })
}

/// Adds one to the first number of every row of a column of `Health`, and marks the rows as written.
pub(crate) const HEAL: &str = r"
    (block $done (loop $next
        (br_if $done (i32.ge_u (local.get $i) (local.get $rows)))
        (f32.store (i32.add (local.get $data) (i32.mul (local.get $i) (i32.const 4)))
            (f32.add (f32.const 1) (f32.load (i32.add (local.get $data) (i32.mul (local.get $i) (i32.const 4))))))
        (i64.store (i32.add (local.get $dirty) (i32.mul (i32.shr_u (local.get $i) (i32.const 6)) (i32.const 8)))
            (i64.or
                (i64.load (i32.add (local.get $dirty) (i32.mul (i32.shr_u (local.get $i) (i32.const 6)) (i32.const 8))))
                (i64.shl (i64.const 1) (i64.and (i64.extend_i32_u (local.get $i)) (i64.const 63)))))
        (local.set $i (i32.add (local.get $i) (i32.const 1)))
        (br $next)))";

/// A mod that adds one to the health of everything in each frame.
pub(crate) fn healer(id: &str) -> Mod {
    let mut healer = Mod::new(id);
    let health = healer.ty("all::fixtures::Health", "{value:f32}");
    healer.system("heal", "Update", vec![query(&[], &[health])]).run(HEAL)
}

/// A mod that adds `step` to the score in each frame.
pub(crate) fn scorer(step: u32) -> Mod {
    let mut scorer = Mod::new("scorer");
    let score = scorer.ty("Score", "{points:u64}");
    scorer.system("score", "Update", vec![resource(score, true)]).run(&format!(
        "(i64.store (local.get $data) (i64.add (i64.const {step}) (i64.load (local.get $data))))
         (i64.store (local.get $dirty) (i64.const 1))"
    ))
}
