//! A headless game with a mod folder of its own, and mods written in WebAssembly text.

use std::{
    fs,
    path::PathBuf,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use bevy::{
    app::{TaskPoolOptions, TaskPoolPlugin, TaskPoolThreadAssignmentPolicy},
    asset::AssetPlugin,
    ecs::{message::Messages, system::SystemState},
    prelude::{App, MinimalPlugins, PluginGroup, default},
};
use bevy_wasm_mods::{
    CompileCache, ModFault, ModLimits,
    prelude::{ModEvent, ModSettings, Mods, WasmModsPlugin},
};
use mod_abi::{
    ABI_VERSION, Dependency, DependencyKind, Identity, Schema, codec,
    command::{Command, Value},
    describe::{
        ConditionDesc, ConditionTest, Definition, DefinitionKind, EventDesc, FilterDesc, InitialResource,
        ModDescription, ObserverDesc, OrderDesc, OrderTarget, ParamDesc, QueryDesc, ResourceDesc, SystemDesc, TermDesc,
        TypeDesc, TypeRole,
    },
    state::SavedState,
};
use tempfile::TempDir;
use tracing::{Event, Level, Metadata, Subscriber, span};

/// How long a test waits for something before it fails. Only a broken test waits that long.
const PATIENCE: Duration = Duration::from_secs(30);

/// Enough threads for systems to run at the same time, whatever the machine has: with two cores Bevy would compute with
/// one.
fn threads() -> TaskPoolOptions {
    let compute =
        TaskPoolThreadAssignmentPolicy { min_threads: 3, max_threads: 3, ..TaskPoolOptions::default().compute };
    TaskPoolOptions { compute, ..TaskPoolOptions::default() }
}

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
        let mut settings = settings;
        // No test should find what another run has left.
        if settings.compile_cache == CompileCache::User {
            settings.compile_cache = CompileCache::Off;
        }
        // A mod that waits for a busy machine does nothing wrong, unless time is what the test is about.
        if settings.limits.call_time == ModLimits::default().call_time {
            settings.limits.call_time = Duration::from_secs(2);
        }
        if settings.limits.frame_time == ModLimits::default().frame_time {
            settings.limits.frame_time = Duration::from_secs(20);
        }
        app.insert_resource(settings).add_plugins((
            MinimalPlugins.set(TaskPoolPlugin { task_pool_options: threads() }),
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
            let (story, faults) = (self.story(), self.faults());
            assert!(start.elapsed() < PATIENCE, "{what} never happened; the story so far: {story:?}, {faults:?}");
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
            ModEvent::Restarted { id } => format!("restarted {id}"),
            ModEvent::Unloaded { id } => format!("unloaded {id}"),
            ModEvent::Disabled { id } => format!("disabled {id}"),
            ModEvent::Resumed { id, .. } => format!("resumed {id}"),
            ModEvent::SettingChanged { id, name, value } => format!("set {id} {name} {value}"),
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

/// Collects the warnings and errors that are logged.
#[derive(Clone, Default)]
pub(crate) struct Errors(Arc<Mutex<Vec<String>>>);

impl Errors {
    /// The lines so far.
    pub(crate) fn lines(&self) -> Vec<String> {
        self.0.lock().expect("no panic").clone()
    }
}

impl Subscriber for Errors {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        *metadata.level() <= Level::WARN
    }

    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}
    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut text = String::new();
        event.record(&mut |_: &tracing::field::Field, value: &dyn std::fmt::Debug| text = format!("{value:?}"));
        self.0.lock().expect("no panic").push(text);
    }

    fn enter(&self, _: &span::Id) {}
    fn exit(&self, _: &span::Id) {}
}

/// Works with the mods as a system does.
pub(crate) fn with_mods<T>(game: &mut Game, work: impl FnOnce(Mods) -> T) -> T {
    let world = game.app.world_mut();
    let mut state = SystemState::<Mods>::new(world);
    work(state.get_mut(world).expect("the plugin is there"))
}

/// A mod written by hand.
#[derive(Debug, Clone, Default)]
pub(crate) struct Mod {
    id: String,
    /// What it states of itself, apart from its id.
    identity: Identity,
    description: ModDescription,
    run: String,
    fields: String,
    imports: String,
    keeps: Option<SavedState>,
    /// Where the next outbox is put.
    outbox_end: usize,
}

/// Where outboxes begin.
const OUTBOXES: usize = 0x30000;

/// In commands of a mod, the `n`th entity that it reserves, from 0.
pub(crate) fn new_entity(n: u64) -> u64 {
    0xbeef_beef_0000_0000 | (n + 1)
}

/// A value in a command.
pub(crate) fn value(ty: u32, bytes: &[u8]) -> Value<'_> {
    Value { ty, bytes }
}

impl Mod {
    /// A mod that does nothing.
    pub(crate) fn new(id: &str) -> Self {
        let identity = Identity {
            abi: ABI_VERSION,
            version: "1.2.3".to_owned(),
            codec: "bincode".to_owned(),
            ..Identity::default()
        };
        Self { id: id.to_owned(), identity, ..Self::default() }
    }

    /// Says more of itself.
    pub(crate) fn says(mut self, say: impl FnOnce(&mut Identity)) -> Self {
        say(&mut self.identity);
        self
    }

    /// States that it needs another mod.
    pub(crate) fn needs(self, id: &str, requirement: Option<&str>) -> Self {
        let dependency = Dependency::new(DependencyKind::Required, id, requirement);
        self.says(|identity| identity.dependencies.push(dependency))
    }

    /// States a type of the game and returns its index.
    pub(crate) fn ty(&mut self, path: &str, schema: &str) -> u32 {
        self.typed(path, schema, TypeRole::Mirror)
    }

    /// Defines a type of the mod's own and returns its index.
    pub(crate) fn define(&mut self, path: &str, schema: &str, kind: DefinitionKind) -> u32 {
        self.typed(path, schema, TypeRole::Definition(Definition { kind, default: None }))
    }

    /// States a type in some role and returns its index.
    pub(crate) fn typed(&mut self, path: &str, schema: &str, role: TypeRole) -> u32 {
        let schema = Schema::parse(schema).expect("a schema");
        self.description.types.push(TypeDesc { path: path.to_owned(), schema, role });
        u32::try_from(self.description.types.len() - 1).expect("few types")
    }

    /// Defines a type of the mod's own and returns its index.
    pub(crate) fn defines(&mut self, name: &str, schema: &str, kind: DefinitionKind, default: Option<&[u8]>) -> u32 {
        self.defines_path(&format!("{}::{name}", self.id), schema, kind, default)
    }

    /// As [`Mod::defines`], under any path.
    pub(crate) fn defines_path(
        &mut self,
        path: &str,
        schema: &str,
        kind: DefinitionKind,
        default: Option<&[u8]>,
    ) -> u32 {
        let index = self.ty(path, schema);
        let default = default.map(<[u8]>::to_vec);
        self.description.types.last_mut().expect("a type").role = TypeRole::Definition(Definition { kind, default });
        index
    }

    /// Declares a setting, as an identity states it.
    pub(crate) fn setting(mut self, line: &str) -> Self {
        self.identity.settings.push(line.parse().expect("a setting"));
        self
    }

    /// Starts with a resource.
    pub(crate) fn starts_with(mut self, ty: u32, value: &[u8]) -> Self {
        self.description.resources.push(InitialResource { ty, value: value.to_vec() });
        self
    }

    /// Has a system leave commands whenever it runs. In them, [`new_entity`] is an entity that it reserves then.
    pub(crate) fn leaves(self, system: u32, commands: &[Command]) -> Self {
        let bytes: Vec<u8> = commands.iter().flat_map(|command| codec::encode(command).expect("a command")).collect();
        self.leaves_bytes(system, &bytes)
    }

    /// As [`Mod::leaves`], with any bytes.
    pub(crate) fn leaves_bytes(mut self, system: u32, bytes: &[u8]) -> Self {
        let start = self.outbox_end.max(OUTBOXES);
        self.outbox_end = start + bytes.len();
        let escaped: String = bytes.iter().map(|byte| format!("\\{byte:02x}")).collect();
        self.fields.push_str(&format!("(data (i32.const {start}) \"{escaped}\")\n"));
        let mut body = String::new();
        for n in 0..64 {
            let id = new_entity(n).to_le_bytes();
            let mut places = bytes.windows(8).enumerate().filter(|(_, window)| *window == id).peekable();
            if places.peek().is_some() {
                body.push_str("(local.set $entity (call $reserve))\n");
            }
            for (place, _) in places {
                body.push_str(&format!("(i64.store (i32.const {}) (local.get $entity))\n", start + place));
            }
        }
        self.run.push_str(&format!(
            "(if (i32.eq (local.get $system) (i32.const {system})) (then {body} (return (i64.const {buffer}))))\n",
            buffer = ((start as u64) << 32) | bytes.len() as u64,
        ));
        self
    }

    /// Adds a system.
    pub(crate) fn system(mut self, name: &str, schedule: &str, params: Vec<ParamDesc>) -> Self {
        let (name, schedule) = (name.to_owned(), schedule.to_owned());
        self.description.systems.push(SystemDesc { name, schedule, params, ..SystemDesc::default() });
        self
    }

    /// Adds an observer. Its event is the first parameter.
    pub(crate) fn observer(mut self, name: &str, event: EventDesc, params: Vec<ParamDesc>) -> Self {
        let params = [vec![ParamDesc::Event], params].concat();
        self.description.observers.push(ObserverDesc { name: name.to_owned(), event, params });
        self
    }

    /// Puts commands into the memory, which [`LEAVE`] leaves.
    pub(crate) fn commands(self, commands: &[Command]) -> Self {
        let bytes = commands.iter().flat_map(|command| codec::encode(command).expect("a command"));
        let escaped: Vec<String> = bytes.map(|byte| format!("\\{byte:02x}")).collect();
        let buffer = (20_000_u64 << 32) | escaped.len() as u64;
        let escaped = escaped.concat();
        self.fields(&format!(r#"(data (i32.const 20000) "{escaped}") (global $commands i64 (i64.const {buffer}))"#))
    }

    /// Orders the last system after others.
    pub(crate) fn after(mut self, after: &[u32]) -> Self {
        self.description.systems.last_mut().expect("a system").order =
            after.iter().map(|index| OrderDesc::After(OrderTarget::System(*index))).collect();
        self
    }

    /// Adds a place to the last system's order.
    pub(crate) fn order(mut self, order: OrderDesc) -> Self {
        self.description.systems.last_mut().expect("a system").order.push(order);
        self
    }

    /// Adds a run condition to the last system.
    pub(crate) fn condition(self, test: ConditionTest) -> Self {
        self.add_condition(ConditionDesc { not: false, test })
    }

    /// Adds a run condition to the last system that has to fail.
    pub(crate) fn not(self, test: ConditionTest) -> Self {
        self.add_condition(ConditionDesc { not: true, test })
    }

    fn add_condition(mut self, condition: ConditionDesc) -> Self {
        self.description.systems.last_mut().expect("a system").conditions.push(condition);
        self
    }

    /// The body of `__mod_run`: `$batch` is the batch's address, `$system` the system's index, `$block` the address of
    /// the first block, `$rows` its rows, `$data` and `$dirty` the addresses of those parts of its first column.
    pub(crate) fn run(mut self, body: &str) -> Self {
        self.run = body.to_owned();
        self
    }

    /// As [`Mod::run`], after what is there already.
    pub(crate) fn run_also(mut self, body: &str) -> Self {
        self.run.push_str(body);
        self
    }

    /// Keeps a value of a fixed size over a reload. It stands at the address `$kept`.
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

    /// States a mod that it needs, or may need.
    pub(crate) fn depends(mut self, kind: DependencyKind, id: &str) -> Self {
        self.identity.dependencies.push(Dependency::new(kind, id, None));
        self
    }

    /// Adds an import of a function of another mod as `$name`.
    pub(crate) fn import_of(mut self, mod_id: &str, name: &str) -> Self {
        let import = format!("(import \"mod:{mod_id}\" \"__{name}\" (func ${name} (param i64) (result i64)))\n");
        self.imports.push_str(&import);
        self
    }

    /// States functions, a line each.
    pub(crate) fn states(self, lines: &[&str]) -> Self {
        self.fields(&format!("(@custom \"bevy_mod_functions\" \"{}\\n\")\n", lines.join("\\n")))
    }

    /// Adds imports of other types.
    pub(crate) fn imports(mut self, imports: &str) -> Self {
        self.imports.push_str(imports);
        self
    }

    /// The module.
    pub(crate) fn build(&self) -> Vec<u8> {
        let identity = Identity { id: self.id.clone(), ..self.identity.clone() };
        let describe = codec::encode(&self.description).expect("a description");
        let escaped: String = describe.iter().map(|byte| format!("\\{byte:02x}")).collect();
        let text = format!(
            r#"(module
            {imports}
            (import "env" "__panic" (func $panic (param i32 i32)))
            (import "env" "__entity_reserve" (func $reserve (result i64)))
            (memory (export "memory") 4)
            (@custom "bevy_mod" "{identity}")
            (data (i32.const 1024) "{escaped}")
            (global $top (mut i32) (i32.const 65536))
            (global $sum (mut i64) (i64.const 0))
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
                (local $data i32) (local $dirty i32) (local $i i32) (local $entity i64)
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
            identity = identity.to_string().replace('\n', "\\n").replace('"', "\\\""),
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

/// Leaves the mod's commands.
pub(crate) const LEAVE: &str = "(return (global.get $commands))";

/// Sums up the numbers of 64 bits with which the rows of the first parameter begin.
pub(crate) fn sum(stride: usize) -> String {
    format!(
        "(global.set $sum (i64.const 0))
        (block $done (loop $next
            (br_if $done (i32.ge_u (local.get $i) (local.get $rows)))
            (global.set $sum (i64.add (global.get $sum)
                (i64.load (i32.add (local.get $data) (i32.mul (local.get $i) (i32.const {stride}))))))
            (local.set $i (i32.add (local.get $i) (i32.const 1)))
            (br $next)))"
    )
}

/// Makes a parameter's block the one that `$block`, `$rows`, `$data` and `$dirty` mean.
pub(crate) fn select(param: usize) -> String {
    let offset = 16 + 4 * param;
    format!(
        "(local.set $block (i32.add (local.get $batch) (i32.load offset={offset} (local.get $batch))))
        (local.set $rows (i32.load (local.get $block)))
        (local.set $data (i32.add (local.get $block) (i32.load offset=16 (local.get $block))))
        (local.set $dirty (i32.add (local.get $block) (i32.load offset=32 (local.get $block))))"
    )
}

/// Adds a number to the score, which is the parameter `param`.
pub(crate) fn add_to_score(param: usize, amount: &str) -> String {
    let select = select(param);
    format!(
        "{select}
        (i64.store (local.get $data) (i64.add {amount} (i64.load (local.get $data))))
        (i64.store (local.get $dirty) (i64.const 1))"
    )
}

/// Adds one to the first number of every row of a column of `Health`, and marks the rows as written.
pub(crate) const HEAL: &str = r"
    (block $done (loop $next
        (br_if $done (i32.ge_u (local.get $i) (local.get $rows)))
        (f32.store (i32.add (local.get $data) (i32.mul (local.get $i) (i32.const 4)))
            (f32.add (f32.const 1) (f32.load (i32.add (local.get $data) (i32.mul (local.get $i) (i32.const 4))))))
        (i32.store8 (i32.add (local.get $dirty) (local.get $i)) (i32.const 1))
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
