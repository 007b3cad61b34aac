//! The spans that a profiler shows: a room each, in the order of a mod's way, with the mod's name on it.

use std::{
    collections::HashMap,
    fmt::Debug,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use bevy::prelude::In;
use bevy_wasm_mods::prelude::{FaultPolicy, ModAppExt, ModSettings, SaveMods};
use mod_abi::{command::Command, describe::ParamDesc};
use tracing::{
    Event, Metadata, Subscriber,
    field::{Field, Visit},
    span,
};

use crate::{
    fixtures::Health,
    support::{Game, Mod, new_entity, query, with_mods},
};

/// A span as it was opened.
#[derive(Debug, Clone, Default)]
struct Seen {
    name: &'static str,
    fields: HashMap<&'static str, String>,
    /// The rooms around it on its thread, the innermost last.
    inside: Vec<&'static str>,
}

/// Collects the spans of all threads that are about the mod of this test, or about no mod.
#[derive(Clone, Default)]
struct Spans(Arc<Inner>);

#[derive(Default)]
struct Inner {
    next: AtomicU64,
    is_over: AtomicBool,
    known: Mutex<HashMap<u64, Seen>>,
    /// In the order in which they were entered.
    entered: Mutex<Vec<Seen>>,
}

thread_local! {
    static INSIDE: std::cell::RefCell<Vec<(u64, &'static str)>> = const { std::cell::RefCell::new(Vec::new()) };
}

impl Visit for Seen {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.fields.insert(field.name(), format!("{value:?}").trim_matches('"').to_owned());
    }
}

impl Subscriber for Spans {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        let is_over = self.0.is_over.load(Ordering::Relaxed);
        !is_over
            && metadata.is_span()
            && ["bevy_wasm_mods", "mod_host"].iter().any(|ours| metadata.target().starts_with(ours))
    }

    fn new_span(&self, span: &span::Attributes<'_>) -> span::Id {
        let id = self.0.next.fetch_add(1, Ordering::Relaxed) + 1;
        let mut seen = Seen { name: span.metadata().name(), ..Seen::default() };
        span.record(&mut seen);
        if seen.fields.is_empty() || seen.fields.values().any(|field| field.contains("traced_")) {
            self.0.known.lock().expect("no panic").insert(id, seen);
        }
        span::Id::from_u64(id)
    }

    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}
    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}
    fn event(&self, _: &Event<'_>) {}

    fn enter(&self, id: &span::Id) {
        let known = self.0.known.lock().expect("no panic");
        let Some(seen) = known.get(&id.into_u64()) else { return };
        INSIDE.with_borrow_mut(|inside| {
            let around = inside.iter().map(|(_, name)| *name).collect();
            self.0.entered.lock().expect("no panic").push(Seen { inside: around, ..seen.clone() });
            inside.push((id.into_u64(), seen.name));
        });
    }

    fn exit(&self, id: &span::Id) {
        INSIDE.with_borrow_mut(|inside| inside.retain(|(open, _)| *open != id.into_u64()));
    }
}

impl Spans {
    /// All of the mod that were entered.
    fn of_the_mod(&self) -> Vec<Seen> {
        let entered = self.0.entered.lock().expect("no panic");
        entered.iter().filter(|seen| !seen.fields.is_empty()).cloned().collect()
    }

    fn named(&self, name: &str) -> Vec<Seen> {
        let entered = self.0.entered.lock().expect("no panic");
        entered.iter().filter(|seen| seen.name == name).cloned().collect()
    }
}

/// Whether `rooms` stand in `seen` in this order, with others between them.
fn in_order(seen: &[Seen], rooms: &[&str]) -> bool {
    let mut rest = seen.iter();
    rooms.iter().all(|room| rest.any(|seen| seen.name == *room))
}

/// One test, because only one subscriber can be that of all threads. The other tests open spans meanwhile, which are left out.
#[test]
fn every_room_on_the_way_of_a_mod_has_a_span_with_its_name() {
    let spans = Spans::default();
    tracing::subscriber::set_global_default(spans.clone()).expect("no other test sets one for all threads");

    let spawn = [Command::Spawn { entity: new_entity(0), components: Vec::new() }];
    let mut traced = Mod::new("traced_one").import("double");
    let health = traced.ty("Health", "{value:f32}");
    let traced = traced
        .system("work", "Update", vec![query(&[], &[health]), ParamDesc::Commands])
        .run(
            "(drop (call $double (i64.const 0x10000000004)))
             (if (f32.gt (f32.load (local.get $data)) (f32.const 8)) (then unreachable))",
        )
        .leaves(0, &spawn);
    let settings = ModSettings { watch: false, fault_policy: FaultPolicy::Restart, ..ModSettings::default() };
    let mut game = Game::with_settings(&[("traced_file.wasm", &traced.build())], settings);
    game.app.add_mod_import("double", |In(value): In<u32>| value * 2);
    let entity = game.app.world_mut().spawn(Health::default()).id();
    game.until_told("loaded traced_one");
    game.frames(3);

    let way = spans.of_the_mod();
    let to_the_game = ["noticed", "identify", "prepare", "check", "compile", "instance", "link", "describe"];
    assert!(in_order(&way, &to_the_game), "{way:?}");
    let to_the_frame = ["describe", "install", "bind", "system", "gather", "call", "import", "scatter", "apply"];
    assert!(in_order(&way, &to_the_frame), "{way:?}");
    assert!(!spans.named("choose").is_empty());

    let find = |name: &str| way.iter().find(|seen| seen.name == name).cloned().unwrap_or_default();
    let field = |name: &str, field: &str| find(name).fields.get(field).cloned().unwrap_or_default();
    assert_eq!(field("system", "name"), "traced_one::work", "as Bevy names its own");
    for room in ["gather", "scatter", "apply"] {
        assert_eq!((field(room, "id"), field(room, "system")), ("traced_one".to_owned(), "work".to_owned()), "{room}");
    }
    assert_eq!(field("import", "function"), "double");
    assert_eq!(field("noticed", "file"), "mods/traced_file.wasm");
    let run = way.iter().find(|seen| seen.name == "call" && seen.fields.get("function").is_some_and(|f| f == "work"));
    assert_eq!(run.map(|seen| seen.inside.clone()).unwrap_or_default(), ["system"]);
    assert_eq!(find("import").inside, ["system", "call"]);
    assert_eq!(find("link").inside, ["prepare", "instance"], "in the background, on a thread of its own");

    game.app.world_mut().save_mods();
    assert!(!spans.named("save").is_empty());
    with_mods(&mut game, |mut mods| mods.reload("traced_one")).expect("it is known");
    game.until_told("reloaded traced_one");
    assert!(in_order(&spans.of_the_mod(), &["apply", "prepare", "compile", "install", "hand_over"]));
    game.app.world_mut().entity_mut(entity).insert(Health { value: 9.0 });
    game.until("a fault", |game| !game.faults().is_empty());
    game.app.world_mut().entity_mut(entity).insert(Health { value: 0.0 });
    game.until("a version that runs", |game| {
        game.story().iter().any(|told| told.starts_with("restarted") || told.starts_with("resumed"))
    });
    let fault = spans.of_the_mod().into_iter().find(|seen| seen.name == "fault").expect("it failed");
    assert_eq!(fault.fields.get("function").map(String::as_str), Some("work"));

    // The other tests should not go on counting.
    spans.0.is_over.store(true, Ordering::Relaxed);
    tracing::callsite::rebuild_interest_cache();
}
