//! Mods for a game: descriptions that the game takes and that it should not, and systems that write nonsense over their rows and
//! leave all kinds of commands. The game is not known here, only its types.

use std::time::Duration;

use mod_abi::{
    Schema,
    codec::encode,
    command::{Command, Value},
    describe::{
        ConditionDesc, ConditionTest, Definition, DefinitionKind, EventDesc, FilterDesc, InitialResource,
        ModDescription, ObserverDesc, OrderDesc, OrderTarget, ParamDesc, QueryDesc, ResourceDesc, SystemDesc, TermDesc,
        TypeDesc, TypeRole, WorldRequest, WorldTarget,
    },
    state::SavedState,
};

use crate::{dice::Dice, mutate::mutate};

/// What a type of the game is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Is {
    Component,
    Resource,
    Message,
    Event,
}

/// Types of the game: their paths, their schemas, and what they are.
const TYPES: &[(&str, &str, Is)] = &[
    ("hostile::game::Health", "{value:f32}", Is::Component),
    ("hostile::game::Label", "{text:str,tags:[str]}", Is::Component),
    ("hostile::game::Mixed", "{flag:bool,level:u8,weight:f64}", Is::Component),
    ("hostile::game::Target", "{entity:entity,since:duration}", Is::Component),
    ("hostile::game::Picture", "([u8])", Is::Component),
    ("hostile::game::Frozen", "{}", Is::Component),
    ("bevy_ecs::hierarchy::ChildOf", "(entity)", Is::Component),
    ("hostile::game::Score", "{points:u64}", Is::Resource),
    ("hostile::game::Shout", "{volume:u32}", Is::Message),
    ("hostile::game::Bang", "{size:u32}", Is::Event),
];
/// What is not for mods, or is not there, or is otherwise.
const WRONG: &[(&str, &str, Is)] = &[
    ("bevy_ecs::hierarchy::Children", "([entity])", Is::Component),
    ("bevy_ecs::resource::IsResource", "{}", Is::Component),
    ("hostile::game::Rank", "{value:u32}", Is::Component),
    ("hostile::game::Guard", "{beats:u64}", Is::Component),
    ("hostile::game::Health", "{value:f64}", Is::Component),
    ("nobody::Nothing", "[[[?str]]]", Is::Resource),
    ("bevy_time::time::Time", "{}", Is::Resource),
    ("\u{1b}[31m\n", "<A|B([u8;9])>", Is::Message),
];
const SCHEDULES: &[&str] =
    &["First", "PreUpdate", "Update", "PostUpdate", "Last", "FixedUpdate", "Startup", "OnReload"];

/// A mod in the making.
struct Draft<'a> {
    dice: &'a mut Dice,
    id: &'a str,
    /// Whether its description is true.
    honest: bool,
    description: ModDescription,
    are: Vec<Is>,
}

/// A mod of this id. `entities` are ids of the World, to aim at.
#[must_use]
pub fn module(id: &str, entities: &[u64], dice: &mut Dice) -> Vec<u8> {
    let honest = dice.chance(70);
    let mut draft = Draft { dice, id, honest, description: ModDescription::default(), are: Vec::new() };
    draft.types();
    draft.systems();
    draft.observers();
    if draft.dice.chance(30)
        && let Some(ty) = draft.one_of(Is::Resource)
    {
        let value = draft.value(ty);
        draft.description.resources.push(InitialResource { ty, value });
    }
    draft.build(entities)
}

impl Draft<'_> {
    fn types(&mut self) {
        for _ in 0..=self.dice.below(5) {
            let wrong = !self.honest && self.dice.chance(30);
            let (path, schema, is) = *self.dice.pick(if wrong { WRONG } else { TYPES });
            if self.honest && self.description.types.iter().any(|ty| ty.path == path) {
                continue;
            }
            let schema = Schema::parse(schema).expect("the text is right");
            let role = if self.dice.chance(3) { TypeRole::Part } else { TypeRole::Mirror };
            self.description.types.push(TypeDesc { path: path.to_owned(), schema, role });
            self.are.push(is);
        }
        for n in 0..self.dice.below(3) {
            let (kind, is) = *self.dice.pick(&[
                (DefinitionKind::Component, Is::Component),
                (DefinitionKind::SparseComponent, Is::Component),
                (DefinitionKind::Resource, Is::Resource),
                (DefinitionKind::Message, Is::Message),
                (DefinitionKind::Event, Is::Event),
            ]);
            let schema = *self.dice.pick(&["{a:u32,b:bool}", "{text:str}", "{}", "([entity])", "(?[u8;3])"]);
            let path =
                if self.honest || self.dice.chance(80) { format!("{}::T{n}", self.id) } else { "other::T".to_owned() };
            let schema = Schema::parse(schema).expect("the text is right");
            let default = if self.honest || self.dice.chance(60) { None } else { Some(self.dice.bytes(n)) };
            self.description.types.push(TypeDesc {
                path,
                schema,
                role: TypeRole::Definition(Definition { kind, default }),
            });
            self.are.push(is);
        }
    }

    /// The index of any type, which need not exist.
    fn any_type(&mut self) -> u32 {
        if self.dice.chance(95) { self.dice.below(self.are.len()) as u32 } else { self.dice.number() as u32 }
    }

    /// The index of a type of a kind.
    fn one_of(&mut self, is: Is) -> Option<u32> {
        if !self.honest && self.dice.chance(10) {
            return Some(self.any_type());
        }
        let of_kind: Vec<u32> =
            (0_u32..).zip(&self.are).filter(|(_, other)| **other == is).map(|(index, _)| index).collect();
        (!of_kind.is_empty()).then(|| *self.dice.pick(&of_kind))
    }

    /// Bytes that often are a value of the type.
    fn value(&mut self, ty: u32) -> Vec<u8> {
        let path = self.description.types.get(ty as usize).map_or("", |ty| ty.path.as_str());
        let dice = &mut *self.dice;
        let mut bytes = match path.rsplit(':').next().unwrap_or_default() {
            "Health" | "Shout" | "Bang" => dice.bytes(4),
            "Label" => encode(&("te\u{e4}xt".repeat(dice.below(40)), vec!["tag"; dice.below(5)])).unwrap_or_default(),
            "Mixed" => encode(&(dice.chance(50), dice.byte(), 1.5_f64)).unwrap_or_default(),
            "Target" => encode(&(dice.number() | 1, Duration::from_millis(7))).unwrap_or_default(),
            "Picture" => {
                let len = dice.below(300);
                encode(&dice.bytes(len)).unwrap_or_default()
            }
            "Score" | "ChildOf" => dice.number().to_le_bytes().to_vec(),
            "T0" | "T1" => {
                let len = *dice.pick(&[0, 1, 4, 5, 8, 16]);
                vec![0; len]
            }
            _ => Vec::new(),
        };
        if dice.chance(7) {
            mutate(&mut bytes, &[], dice);
        }
        bytes
    }

    fn query(&mut self) -> QueryDesc {
        let (mut terms, mut filters, mut used) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..=self.dice.below(3) {
            let Some(ty) = self.one_of(Is::Component) else { break };
            // Each once, as it has to be.
            if self.honest && used.contains(&ty) {
                continue;
            }
            used.push(ty);
            match self.dice.below(10) {
                0 => filters.push(FilterDesc::With(ty)),
                1 => filters.push(FilterDesc::Changed(ty)),
                2 => filters.push(FilterDesc::Added(ty)),
                3 => terms.push(TermDesc::Has(ty)),
                4 => terms.push(TermDesc::Entity),
                5 => terms.push(TermDesc::ReadOptional(ty)),
                6 => terms.push(TermDesc::Read(ty)),
                7 => terms.push(TermDesc::WriteOptional(ty)),
                // It is immutable.
                _ if self.honest && self.description.types[ty as usize].path.ends_with("ChildOf") => {
                    terms.push(TermDesc::Read(ty));
                }
                _ => terms.push(TermDesc::Write(ty)),
            }
        }
        if self.dice.chance(10) && !filters.is_empty() {
            filters.insert(0, FilterDesc::Or(filters.len() as u32));
        }
        if !self.honest && self.dice.chance(10) {
            filters.push(FilterDesc::And(self.dice.number() as u32));
        }
        QueryDesc { terms, filters }
    }

    fn params(&mut self) -> Vec<ParamDesc> {
        let mut params = Vec::new();
        if self.dice.chance(10) {
            return vec![ParamDesc::World, ParamDesc::Commands];
        }
        // Two queries may want the same row; one is enough for those that should be taken.
        for _ in 0..if self.honest { 1 } else { 3 } {
            params.push(ParamDesc::Query(self.query()));
        }
        if let Some(ty) = self.one_of(Is::Resource) {
            let resource = ResourceDesc { ty, write: self.dice.chance(50) };
            let optional = self.dice.chance(50);
            params.push(if optional { ParamDesc::OptionalResource(resource) } else { ParamDesc::Resource(resource) });
        }
        if let Some(ty) = self.one_of(Is::Message) {
            params.push(if self.dice.chance(50) { ParamDesc::MessageReader(ty) } else { ParamDesc::MessageWriter(ty) });
        }
        if self.dice.chance(80) {
            params.push(ParamDesc::Commands);
        }
        if !self.honest && self.dice.chance(10) {
            params.push(self.dice.pick(&[ParamDesc::Event, ParamDesc::World, ParamDesc::Commands]).clone());
        }
        params
    }

    fn systems(&mut self) {
        for n in 0..=self.dice.below(4) {
            let (params, honest) = (self.params(), self.honest);
            let dice = &mut *self.dice;
            let mut system = SystemDesc { name: format!("s{n}"), params, ..SystemDesc::default() };
            system.schedule = (*dice.pick(SCHEDULES)).to_owned();
            if dice.chance(10) {
                system
                    .conditions
                    .push(ConditionDesc { not: true, test: ConditionTest::OnTimer(Duration::from_millis(3)) });
            }
            if dice.chance(20) {
                system.order.push(OrderDesc::After(OrderTarget::Named("good::beat".to_owned())));
            }
            if !honest {
                if dice.chance(20) {
                    system.name = (*dice.pick(&["", "s0", "\u{1b}[2J\n", "\u{202e}x"])).to_owned();
                }
                if dice.chance(20) {
                    system.schedule = (*dice.pick(&["", "Tomorrow", "OnEnter(x)", "OnEnter(", "Main"])).to_owned();
                }
                if dice.chance(30) {
                    let target = match dice.below(3) {
                        0 => OrderTarget::System(dice.below(4) as u32),
                        1 => OrderTarget::System(dice.number() as u32),
                        _ => OrderTarget::Set("nobody".to_owned()),
                    };
                    system.order.push(if dice.chance(50) {
                        OrderDesc::Before(target)
                    } else {
                        OrderDesc::After(target)
                    });
                }
                if dice.chance(20) {
                    let test = ConditionTest::OnTimer(Duration::new(dice.number(), 0));
                    system.conditions.push(ConditionDesc { not: false, test });
                    let test = ConditionTest::InState("x::Y::Z".to_owned());
                    system.conditions.push(ConditionDesc { not: false, test });
                }
            }
            self.description.systems.push(system);
        }
    }

    fn observers(&mut self) {
        for n in 0..self.dice.below(3) {
            let (event, component) = (self.one_of(Is::Event), self.one_of(Is::Component));
            let event = match (event, component) {
                (Some(event), _) if self.dice.chance(50) => EventDesc::Event(event),
                (_, Some(ty)) => *self.dice.pick(&[
                    EventDesc::Add(ty),
                    EventDesc::Insert(ty),
                    EventDesc::Discard(ty),
                    EventDesc::Remove(ty),
                    EventDesc::Despawn(ty),
                ]),
                _ => continue,
            };
            let params =
                if self.dice.chance(60) { vec![ParamDesc::Event, ParamDesc::Commands] } else { vec![ParamDesc::Event] };
            self.description.observers.push(ObserverDesc { name: format!("o{n}"), event, params });
        }
    }

    /// Some commands. The place of an entity that is reserved first stands where [`NEW`] does.
    fn commands(&mut self, entities: &[u64]) -> Vec<u8> {
        let mut bytes = Vec::new();
        for n in 0..self.dice.below(5) {
            let entity = match self.dice.below(10) {
                0 => self.dice.number(),
                1..4 if !entities.is_empty() => *self.dice.pick(entities),
                _ => NEW,
            };
            let mut components = Vec::new();
            for _ in 0..self.dice.below(3) {
                if let Some(ty) = self.one_of(Is::Component)
                    && (!self.honest || components.iter().all(|(other, _)| *other != ty))
                {
                    components.push((ty, self.value(ty)));
                }
            }
            let values: Vec<Value<'_>> = components.iter().map(|(ty, bytes)| Value { ty: *ty, bytes }).collect();
            let types = components.iter().map(|(ty, _)| *ty).collect();
            let kind = if n == 0 { 0 } else { self.dice.below(9) };
            let of_kind = |kind| {
                if kind < 6 {
                    Is::Resource
                } else if kind == 6 {
                    Is::Message
                } else {
                    Is::Event
                }
            };
            let (ty, bytes_of) = match self.one_of(of_kind(kind)) {
                Some(ty) => (ty, self.value(ty)),
                None => (self.any_type(), Vec::new()),
            };
            let value = Value { ty, bytes: &bytes_of };
            let command = match kind {
                0 => Command::Spawn { entity: if self.dice.chance(90) { NEW } else { entity }, components: values },
                1 => Command::Insert { entity, components: values },
                2 => Command::Remove { entity, types },
                3 => Command::Despawn { entity },
                4 if self.dice.chance(80) => Command::InsertResource(value),
                5 if self.dice.chance(30) => Command::RemoveResource(ty),
                6 => Command::WriteMessage(value),
                7 => Command::Trigger(value),
                _ => Command::InsertIfNew { entity, components: values },
            };
            bytes.extend(encode(&command).unwrap_or_default());
        }
        if self.dice.chance(10) {
            mutate(&mut bytes, &[], self.dice);
        }
        bytes
    }

    /// What a system does when it runs: some of what it may do, each in some runs.
    fn script(&mut self, params: &[ParamDesc], entities: &[u64], data: &mut String, outbox: usize) -> String {
        let mut body = String::new();
        // What is refused at once shows little, so it is rare.
        let may = |param: ParamDesc, dice: &mut Dice| params.contains(&param) || dice.chance(5);
        let may_ask = may(ParamDesc::World, self.dice);
        let may_leave = may(ParamDesc::Commands, self.dice);
        for _ in 0..self.dice.below(6) {
            let (period, turn) = (1 + self.dice.below(5), self.dice.below(5));
            let act = match self.dice.below(9) {
                0 => format!(
                    "(i64.store (i32.add (local.get $batch) (i32.const {})) (i64.const {}))",
                    self.dice.below(128) * 4,
                    self.dice.number() as i64
                ),
                1 | 2 => {
                    // All rows of a column as they are, or with noise in them.
                    let (param, noise) = (self.dice.below(2), self.dice.chance(40));
                    let noise = if noise { "(call $noise (local.get $data) (local.get $size))" } else { "" };
                    format!("(call $select (local.get $batch) (i32.const {param})) {noise} (call $dirty)")
                        .replace("(local.get $data)", "(global.get $data)")
                        .replace("(local.get $size)", "(global.get $size)")
                }
                3 => {
                    let (at, len) = (self.dice.number() as u32, self.dice.number() as u32);
                    let (at, len) = if self.dice.chance(60) { (NOISE as u32 + at % 64, len % 80) } else { (at, len) };
                    format!(
                        "(call $select (local.get $batch) (i32.const 0)) (call $dirty)
                         (i32.store offset=40 (global.get $block) (i32.const {}))
                         (i32.store offset=44 (global.get $block) (i32.const {}))",
                        at as i32, len as i32
                    )
                }
                4 if matches!(params.first(), Some(ParamDesc::Query(_))) => format!(
                    "(drop (call $row (i32.const {}) (i64.const {})))",
                    self.dice.below(30) / 20,
                    self.dice.number() as i64
                ),
                5..8 if may_ask => {
                    let function =
                        *self.dice.pick(&["prepare", "query", "get", "resource", "count", "contains", "ticks", "type"]);
                    let (at, len) = match function {
                        "prepare" => (REQUEST, self.request(data)),
                        "get" => (NOISE, 12),
                        "contains" | "ticks" => (NOISE, 8),
                        "query" | "resource" | "count" => (ZEROS, 4),
                        _ => (NOISE, self.dice.below(90)),
                    };
                    let buffer = ((at as u64) << 32) | len as u64;
                    format!("(drop (call $world_{function} (i64.const {buffer})))")
                }
                _ => String::new(),
            };
            if !act.is_empty() {
                let when =
                    format!("(i32.eq (i32.rem_u (global.get $n) (i32.const {period})) (i32.const {}))", turn % period);
                body += &format!("(if {when} (then {act}))\n");
            }
        }
        let commands = self.commands(entities);
        if !commands.is_empty() && may_leave {
            *data += &format!("(data (i32.const {outbox}) \"{}\")\n", escaped(&commands));
            let places = commands.windows(8).enumerate().filter(|(_, window)| *window == NEW.to_le_bytes());
            let mut places = places.map(|(at, _)| outbox + at).peekable();
            if places.peek().is_some() {
                body += "(local.set $entity (call $reserve))";
            }
            for at in places {
                body += &format!("(i64.store (i32.const {at}) (local.get $entity))");
            }
            body += &format!("(return (i64.const {}))", ((outbox as u64) << 32) | commands.len() as u64);
        }
        body
    }

    /// Puts an on-demand request into the memory and returns its bytes.
    fn request(&mut self, data: &mut String) -> usize {
        let types = self.description.types.clone();
        let target = match self.one_of(Is::Resource) {
            Some(ty) if self.dice.chance(30) => WorldTarget::Resource(ty),
            _ => WorldTarget::Query(self.query()),
        };
        let mut bytes = encode(&WorldRequest { types, target }).unwrap_or_default();
        if self.dice.chance(30) {
            mutate(&mut bytes, &[], self.dice);
        }
        bytes.truncate(NOISE - REQUEST);
        *data += &format!("(data (i32.const {REQUEST}) \"{}\")\n", escaped(&bytes));
        bytes.len()
    }

    fn build(mut self, entities: &[u64]) -> Vec<u8> {
        let mut data = String::new();
        let mut run = String::new();
        for system in 0..self.description.systems.len() + self.description.observers.len() {
            let systems = self.description.systems.iter().map(|system| &system.params);
            let mut params = systems.chain(self.description.observers.iter().map(|observer| &observer.params));
            let params = params.nth(system).cloned().unwrap_or_default();
            let script = self.script(&params, entities, &mut data, OUTBOXES + system * 0x2000);
            run += &format!("(if (i32.eq (local.get $system) (i32.const {system})) (then {script}))\n");
        }
        let mut description = encode(&self.description).unwrap_or_default();
        if !self.honest && self.dice.chance(30) {
            mutate(&mut description, &[], self.dice);
        }
        let len = 256;
        let (noise, dice) = (self.dice.bytes(len), &mut *self.dice);
        let state = SavedState {
            name: "kept".to_owned(),
            schema: Schema::parse("{n:u32}").expect("a schema"),
            bytes: vec![0; 4],
        };
        let mut kept = encode(&[state][..]).unwrap_or_default();
        if dice.chance(8) {
            mutate(&mut kept, &[], dice);
        }
        let id = self.id;
        let functions =
            ["prepare", "query", "get", "resource", "count", "contains"].map(|name| (name, format!("world_{name}")));
        let more = [("ticks", "query_ticks".to_owned()), ("type", "type_index".to_owned())];
        let imports: String = functions
            .into_iter()
            .chain(more)
            .map(|(short, name)| format!(r#"(import "env" "__{name}" (func $world_{short} (param i64) (result i64)))"#))
            .collect();
        let text = format!(
            r#"(module {imports}
            (import "env" "__entity_reserve" (func $reserve (result i64)))
            (import "env" "__query_row" (func $row (param i32 i64) (result i32)))
            (memory (export "memory") 12)
            (@custom "bevy_mod" "abi: 3\nid: {id}\nversion: 1.0.0\n")
            (data (i32.const {DESCRIPTION}) "{}") (data (i32.const {NOISE}) "{}") (data (i32.const {KEPT}) "{}") {data}
            (global $top (mut i32) (i32.const 0x80000)) (global $n (mut i32) (i32.const 0))
            (global $block (mut i32) (i32.const 0)) (global $data (mut i32) (i32.const 0)) (global $size (mut i32) (i32.const 0))
            (func (export "__alloc_buffer") (param $len i32) (result i32) (local $at i32)
                (if (i32.gt_u (local.get $len) (i32.const 0x20000)) (then (return (i32.const 0))))
                (if (i32.gt_u (i32.add (global.get $top) (local.get $len)) (i32.const 0xb0000))
                    (then (global.set $top (i32.const 0x80000))))
                (local.set $at (global.get $top))
                (global.set $top (i32.and (i32.add (i32.add (local.get $at) (local.get $len)) (i32.const 15)) (i32.const -16)))
                (local.get $at))
            (func (export "__free_buffer") (param i64))
            (func (export "__mod_describe") (param i64) (result i64) (i64.const {describe}))
            (func (export "__mod_save") (param i64) (result i64) (i64.const {save}))
            (func (export "__mod_restore") (param i64) (result i64) (i64.const 0))
            (func $select (param $batch i32) (param $param i32) (local $at i32)
                (global.set $block (i32.const 0)) (global.set $data (i32.const {NOISE})) (global.set $size (i32.const 0))
                (if (i32.ge_u (local.get $param) (i32.load offset=4 (local.get $batch))) (then (return)))
                (local.set $at (i32.load offset=16
                    (i32.add (local.get $batch) (i32.mul (local.get $param) (i32.const 4)))))
                (if (i32.eqz (local.get $at)) (then (return)))
                (global.set $block (i32.add (local.get $batch) (local.get $at)))
                (if (i32.eqz (i32.load offset=4 (global.get $block))) (then (return)))
                (global.set $data (i32.add (global.get $block) (i32.load offset=16 (global.get $block))))
                (global.set $size (i32.load offset=20 (global.get $block))))
            (func $dirty (local $at i32)
                (if (i32.eqz (global.get $block)) (then (global.set $block (i32.const {NOISE})) (return)))
                (if (i32.eqz (i32.load offset=4 (global.get $block))) (then (return)))
                (local.set $at (i32.load offset=32 (global.get $block)))
                (if (i32.eqz (local.get $at)) (then (return)))
                (memory.fill (i32.add (global.get $block) (local.get $at)) (i32.const 1) (i32.load (global.get $block))))
            (func $noise (param $at i32) (param $len i32)
                (if (i32.gt_u (local.get $len) (i32.const {len})) (then (local.set $len (i32.const {len}))))
                (memory.copy (local.get $at) (i32.const {NOISE}) (local.get $len)))
            (func (export "__mod_run") (param $buffer i64) (result i64) (local $batch i32) (local $system i32) (local $entity i64)
                (local.set $batch (i32.wrap_i64 (i64.shr_u (local.get $buffer) (i64.const 32))))
                (local.set $system (i32.load (local.get $batch)))
                (global.set $n (i32.add (global.get $n) (i32.const 1)))
                {run}
                (i64.const 0)))"#,
            escaped(&description),
            escaped(&noise),
            escaped(&kept),
            describe = ((DESCRIPTION as u64) << 32) | description.len() as u64,
            save = ((KEPT as u64) << 32) | kept.len() as u64,
        );
        wat::parse_str(&text).unwrap_or_else(|error| panic!("{error}\n{text}"))
    }
}

/// In commands, the entity that the system reserves.
const NEW: u64 = 0xbeef_beef_0000_0001;
/// Where things lie in the memory of such a mod.
const ZEROS: usize = 0;
const DESCRIPTION: usize = 0x1000;
const OUTBOXES: usize = 0x20000;
const REQUEST: usize = 0x60000;
const NOISE: usize = 0x68000;
const KEPT: usize = 0x69000;

fn escaped(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("\\{byte:02x}")).collect()
}
