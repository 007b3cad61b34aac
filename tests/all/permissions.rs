//! What a game lets its mods do: what a mod states that it wants is granted or the mod never runs, and what it wants later
//! is checked before it is done.

use bevy::{
    ecs::{component::ComponentId, reflect::ReflectResource, resource::IsResource},
    prelude::{
        Component, Entity, Event, In, Message, Reflect, ReflectEvent, ReflectMessage, Resource, States, World, default,
    },
    reflect::std_traits::ReflectDefault,
    state::app::{AppExtStates, StatesPlugin},
};
use bevy_wasm_mods::{
    Access, FaultCause, ModOverrides, NotGranted, PermissionGroup, Permissions, SystemBindError,
    prelude::{DespawnableByMods, ModAppExt, ModSettings, ModState, SpawnedBy},
};
use mod_abi::{
    DependencyKind::{Optional, Required},
    ModCallStatus,
    command::Command,
    describe::{
        ConditionTest, DefinitionKind, EventDesc, FilterDesc, ParamDesc, QueryDesc, ResourceDesc, TermDesc, TypeRole,
    },
};

use crate::{
    fixtures::{Health, Score, Unmet},
    support::{Game, Mod, filtered, query, resource, value, with_mods},
};

mod late;

#[derive(Component, Reflect, Debug, Default, Clone, PartialEq)]
#[reflect(Default)]
struct Gold {
    coins: u64,
    #[reflect(ignore)]
    _hidden: bool,
}

/// Not there unless somebody inserts it.
#[derive(Resource, Reflect, Debug, Default, Clone, PartialEq)]
#[reflect(Resource, Default)]
struct Purse {
    coins: u64,
}

#[derive(Message, Reflect, Debug, Clone, PartialEq)]
#[reflect(Message)]
struct Windfall {
    coins: u64,
}

#[derive(Event, Reflect, Debug, Clone)]
#[reflect(Event)]
struct Squall {
    force: u64,
}

#[derive(States, Reflect, Default, Clone, PartialEq, Eq, Hash, Debug)]
enum Tide {
    #[default]
    Ebb,
    Flood,
}

const GOLD: &str = "all::permissions::Gold";
const PURSE: &str = "all::permissions::Purse";
const WINDFALL: &str = "all::permissions::Windfall";
const SQUALL: &str = "all::permissions::Squall";
const TIDE: &str = "all::permissions::Tide";
const COINS: &str = "{coins:u64}";
const READ: Access = Access::Read;
const WRITE: Access = Access::Write;

/// A game with one entity that has gold, the mod `bank`, and a host function.
fn game_with(greedy: &Mod, settings: ModSettings) -> (Game, Entity) {
    let bank = Mod::new("bank").fields(r#"(func (export "__pay") (param i64) (result i64) (local.get 0))"#);
    let mods = [("bank.wasm", bank.build()), ("greedy.wasm", greedy.build())];
    let mods: Vec<_> = mods.iter().map(|(name, bytes)| (*name, bytes.as_slice())).collect();
    let mut game = Game::with_settings(&mods, settings);
    game.app.add_plugins(StatesPlugin).init_state::<Tide>().add_mod_state::<Tide>();
    game.app.add_mod_message::<Windfall>().add_mod_import("note", |In(text): In<u32>| text);
    game.app.insert_resource(Score::default()).register_type::<Health>();
    game.app.world_mut().register_component::<Purse>();
    game.app.world_mut().register_component::<Health>();
    let entity = game.app.world_mut().spawn(Gold { coins: 5, ..default() }).id();
    (game, entity)
}

fn settings(permissions: Permissions) -> ModSettings {
    ModSettings { permissions, ..default() }
}

/// A mod that leaves a trace, a resource of its own, as soon as it starts.
fn greedy() -> Mod {
    let mut greedy = Mod::new("greedy");
    let trace = greedy.defines("Trace", "{n:u32}", DefinitionKind::Resource, None);
    let leave = Command::InsertResource(value(trace, &[1, 0, 0, 0]));
    greedy.system("begin", "Startup", vec![ParamDesc::Commands]).leaves(0, &[leave])
}

fn wants(param: impl FnOnce(&mut Mod) -> ParamDesc) -> Mod {
    let mut greedy = greedy();
    let param = param(&mut greedy);
    greedy.system("want", "Update", vec![param])
}

/// Whether something has that component, or there is that resource.
fn is_there(world: &World, name: &str) -> bool {
    let mut ids = (0..world.components().len()).map(ComponentId::new);
    let is_it = |id: &ComponentId| world.components().get_info(*id).is_some_and(|info| *info.name() == *name);
    let of_it: Vec<_> = ids.by_ref().filter(is_it).collect();
    let holds = |id: &ComponentId| world.archetypes().iter().any(|one| one.contains(*id) && !one.is_empty());
    of_it.iter().any(holds)
}

/// The number of entities that hold no resource.
fn entities(world: &World) -> usize {
    let is_resource = world.component_id::<IsResource>().expect("Bevy's own");
    world.archetypes().iter().filter(|one| !one.contains(is_resource)).map(|one| one.len() as usize).sum()
}

/// What a mod wants, who of it, and what it needs for that.
struct Case {
    name: &'static str,
    greedy: Mod,
    who: &'static str,
    needs: Vec<(Access, &'static str)>,
}

fn case(name: &'static str, needs: &[(Access, &'static str)], greedy: Mod) -> Case {
    Case { name, greedy, who: "`want`", needs: needs.to_vec() }
}

fn of_mod(case: Case) -> Case {
    Case { who: "it", ..case }
}

fn sentence(who: &str, access: Access, what: &str) -> String {
    let what = if access == Access::Call { format!("`{what}`") } else { what.to_owned() };
    let (does, may) = match access {
        Access::Read => ("reads", "read"),
        Access::Write => ("writes", "write"),
        Access::Send => ("sends", "send"),
        _ => ("calls", "call"),
    };
    format!("{who} {does} {what}, which this game does not let it {may}")
}

/// A game that denies no more than one of the things that the mod needs refuses it before anything of it runs; one that
/// allows nothing but them runs it.
#[track_caller]
fn check(Case { name, greedy, who, needs }: Case) {
    for (access, path) in &needs {
        let (mut game, entity) = game_with(&greedy, settings(Permissions::all().deny(*access, *path)));
        game.until_told("loaded bank");
        let before = entities(game.app.world());
        let fault = game.first_fault();
        let expected = format!("greedy 1.2.3 (mods/greedy.wasm): {}", sentence(who, *access, path));
        assert_eq!(fault, expected, "{name}");
        game.frames(3);
        assert_eq!(game.faults().len(), 1, "{name}: told once");
        let world = game.app.world();
        assert!(!is_there(world, "greedy::Trace"), "{name}: no system ran, not even at the start");
        assert!(!world.contains_resource::<Purse>(), "{name}");
        assert_eq!(world.get::<Gold>(entity).map(|gold| gold.coins), Some(5), "{name}");
        assert_eq!(entities(world), before, "{name}");
        assert!(!with_mods(&mut game, |mods| mods.is_running("greedy")), "{name}");
    }
    let granted = needs.iter().fold(Permissions::none(), |granted, (access, path)| granted.allow(*access, *path));
    let (mut game, _) = game_with(&greedy, settings(granted));
    game.until_told("loaded greedy");
    game.frames(3);
    assert!(game.faults().is_empty(), "{name}: {:?}", game.faults());
    assert!(is_there(game.app.world(), "greedy::Trace"), "{name}: it ran");
}

fn term(term: impl FnOnce(u32) -> TermDesc) -> Mod {
    wants(|greedy| {
        let gold = greedy.typed(GOLD, COINS, TypeRole::Part);
        ParamDesc::Query(QueryDesc { terms: vec![TermDesc::Entity, term(gold)], filters: Vec::new() })
    })
}

fn filter(filters: impl FnOnce(u32) -> Vec<FilterDesc>) -> Mod {
    wants(|greedy| {
        let gold = greedy.typed(GOLD, COINS, TypeRole::Part);
        filtered(&[], &[], &filters(gold))
    })
}

#[test]
fn what_queries_want() {
    let read = [(READ, GOLD)];
    let write = [(READ, GOLD), (WRITE, GOLD)];
    check(case("read", &read, term(TermDesc::Read)));
    check(case("read what may be missing", &read, term(TermDesc::ReadOptional)));
    check(case("whether it is there", &read, term(TermDesc::Has)));
    check(case("write", &write, term(TermDesc::Write)));
    check(case("write what may be missing", &write, term(TermDesc::WriteOptional)));
    check(case("with", &read, filter(|gold| vec![FilterDesc::With(gold)])));
    check(case("without", &read, filter(|gold| vec![FilterDesc::Without(gold)])));
    check(case("added", &read, filter(|gold| vec![FilterDesc::Added(gold)])));
    check(case(
        "changed, deep inside",
        &read,
        filter(|gold| vec![FilterDesc::Or(1), FilterDesc::And(1), FilterDesc::Changed(gold)]),
    ));
    let by_short_path = wants(|greedy| {
        let gold = greedy.typed("Gold", COINS, TypeRole::Part);
        query(&[gold], &[])
    });
    check(case("by its short path", &read, by_short_path));
}

#[test]
fn what_resources_messages_and_events_want() {
    let purse = |write| wants(|greedy| resource(greedy.ty(PURSE, COINS), write));
    check(case("resource", &[(READ, PURSE)], purse(false)));
    check(case("resource to write", &[(READ, PURSE), (WRITE, PURSE)], purse(true)));
    let optional =
        wants(|greedy| ParamDesc::OptionalResource(ResourceDesc { ty: greedy.ty(PURSE, COINS), write: false }));
    check(case("resource that may be missing", &[(READ, PURSE)], optional));
    let mut starts = greedy();
    let ty = starts.ty(PURSE, COINS);
    check(of_mod(case("first resource", &[(WRITE, PURSE)], starts.starts_with(ty, &[9, 0, 0, 0, 0, 0, 0, 0]))));

    let reader = wants(|greedy| ParamDesc::MessageReader(greedy.ty(WINDFALL, COINS)));
    check(case("messages", &[(READ, WINDFALL)], reader));
    let writer = wants(|greedy| ParamDesc::MessageWriter(greedy.ty(WINDFALL, COINS)));
    check(case("to write messages", &[(Access::Send, WINDFALL)], writer));
    let observes = |path: &str, schema: &str, role, event: fn(u32) -> EventDesc| {
        let mut greedy = greedy();
        let ty = greedy.typed(path, schema, role);
        greedy.observer("want", event(ty), Vec::new())
    };
    let squall = observes(SQUALL, "{force:u64}", TypeRole::Mirror, EventDesc::Event);
    check(case("an event", &[(READ, SQUALL)], squall));
    for event in [EventDesc::Add, EventDesc::Insert, EventDesc::Discard, EventDesc::Remove, EventDesc::Despawn] {
        check(case("a component's life", &[(READ, GOLD)], observes(GOLD, COINS, TypeRole::Part, event)));
    }
}

#[test]
fn what_conditions_schedules_and_functions_want() {
    let mut exists = greedy();
    let purse = exists.ty(PURSE, COINS);
    let exists = exists.system("want", "Update", Vec::new()).condition(ConditionTest::ResourceExists(purse));
    check(case("resource_exists", &[(READ, PURSE)], exists));
    let in_state = ConditionTest::InState("Tide::Flood".to_owned());
    check(case("in_state", &[(READ, TIDE)], greedy().system("want", "Update", Vec::new()).not(in_state)));
    check(case("OnEnter", &[(READ, TIDE)], greedy().system("want", "OnEnter(Tide::Flood)", Vec::new())));
    check(of_mod(case("a host function", &[(Access::Call, "note")], greedy().import("note"))));
    let calls = greedy().depends(Required, "bank").import_of("bank", "pay");
    check(of_mod(case("a mod's function", &[(Access::Call, "bank::pay")], calls)));
}

#[test]
fn a_type_that_the_world_has_not_met_is_refused_at_once() {
    let unmet = "all::fixtures::Unmet";
    let greedy = wants(|greedy| query(&[greedy.ty(unmet, "{value:f32}")], &[]));
    let (mut game, _) = game_with(&greedy, settings(Permissions::all().deny(READ, unmet)));
    assert!(game.first_fault().ends_with(&sentence("`want`", READ, unmet)));
    // One that is granted waits, as ever.
    let (mut game, _) = game_with(&greedy, settings(Permissions::none().allow(READ, unmet)));
    game.until("waiting", |game| {
        with_mods(game, |mods| matches!(mods.state("greedy"), Some(ModState::Pending { .. })))
    });
    game.app.world_mut().spawn(Unmet::default());
    game.until_told("loaded greedy");
}

#[test]
fn everything_that_is_not_granted_is_told_at_once_and_before_other_mistakes() {
    let mut greedy = greedy().import("note").depends(Required, "bank").import_of("bank", "pay");
    let (gold, purse) = (greedy.typed(GOLD, COINS, TypeRole::Part), greedy.ty(PURSE, COINS));
    let (windfall, missing) = (greedy.ty(WINDFALL, COINS), greedy.ty("all::permissions::Nothing", COINS));
    let (squall, score) = (greedy.ty(SQUALL, "{force:u64}"), greedy.ty("Score", "{points:u64}"));
    let greedy = greedy
        .system("take", "Update", vec![query(&[], &[gold]), ParamDesc::MessageWriter(windfall)])
        .system("look", "Update", vec![query(&[gold], &[]), resource(purse, false)])
        // A mistake hides nothing that stands behind it.
        .system("err", "Update", vec![query(&[missing], &[gold]), resource(score, true)])
        .observer("wake", EventDesc::Event(squall), Vec::new())
        .starts_with(purse, &[0; 8]);
    let (mut game, _) = game_with(&greedy, settings(Permissions::none()));
    game.first_fault();
    let fault = game.faults().remove(0);
    let FaultCause::Bind(errors) = &fault.cause else { panic!("{fault}") };
    let refused = |error: &&SystemBindError| matches!(error, SystemBindError::NotGranted(_));
    let told: Vec<_> = errors.iter().take_while(refused).map(ToString::to_string).collect();
    assert_eq!(
        told,
        [
            sentence("it", Access::Call, "note"),
            sentence("it", Access::Call, "bank::pay"),
            sentence("`take`", READ, GOLD),
            sentence("`take`", WRITE, GOLD),
            sentence("`take`", Access::Send, WINDFALL),
            sentence("`look`", READ, PURSE),
            sentence("`err`", READ, "all::fixtures::Score"),
            sentence("`err`", WRITE, "all::fixtures::Score"),
            sentence("`wake`", READ, SQUALL),
            sentence("it", WRITE, PURSE),
        ]
    );
    let rest: Vec<_> = errors.iter().skip(told.len()).map(ToString::to_string).collect();
    assert_eq!(rest.len(), 1, "{rest:?}");
    assert!(rest[0].contains("no type `all::permissions::Nothing`"), "{rest:?}");
    let access = errors.iter().find_map(|error| match error {
        SystemBindError::NotGranted(NotGranted::Access { access, what, .. }) if what == WINDFALL => Some(*access),
        _ => None,
    });
    assert_eq!(access, Some(Access::Send), "a game can tell them apart");
    assert!(!is_there(game.app.world(), "greedy::Trace"));
}

#[test]
fn groups_stand_in_the_message_and_single_mods_have_permissions_of_their_own() {
    let economy = PermissionGroup::new("economy", [GOLD, PURSE]);
    let permissions = Permissions::all().deny(WRITE, &economy);
    let greedy = wants(|greedy| resource(greedy.ty(PURSE, COINS), true));
    let (mut game, _) = game_with(&greedy, settings(permissions.clone()));
    let fault = game.first_fault();
    let expected = format!("`want` writes {PURSE} (of the group `economy`), which this game does not let it write");
    assert!(fault.ends_with(&expected), "{fault}");

    let with_own = |id: &str| {
        let own = Some(permissions.clone().allow(WRITE, &economy));
        let overrides = [(id.to_owned(), ModOverrides { permissions: own, ..default() })].into();
        ModSettings { overrides, ..settings(permissions.clone()) }
    };
    let (mut game, _) = game_with(&greedy, with_own("greedy"));
    game.until_told("loaded greedy");
    let (mut game, _) = game_with(&greedy, with_own("bank"));
    game.first_fault();
    assert_eq!(with_own("greedy").permissions_of("bank"), &permissions);
}

#[test]
fn a_mod_has_its_own_types_but_not_those_of_a_crate_or_a_mod_of_its_name() {
    // All types of this game begin with `all::`. So does what the mod `all` defines.
    let mut all = Mod::new("all");
    let own = all.defines("Own", "{n:u32}", DefinitionKind::Component, None);
    let sent = all.defines("Sent", "{n:u32}", DefinitionKind::Message, None);
    let params = vec![query(&[], &[own]), ParamDesc::MessageWriter(sent), ParamDesc::MessageReader(sent)];
    let mut thief = all.clone();
    let gold = thief.typed(GOLD, COINS, TypeRole::Part);
    let (mut game, _) = game_with(&all.system("use", "Update", params), settings(Permissions::none()));
    game.until_told("loaded all");
    let (mut game, _) =
        game_with(&thief.system("want", "Update", vec![query(&[gold], &[])]), settings(Permissions::none()));
    assert!(game.first_fault().ends_with(&sentence("`want`", READ, GOLD)));

    // Types of other mods go by their paths.
    let reader = wants(|greedy| ParamDesc::MessageReader(greedy.ty("all::Sent", "{n:u32}")));
    for (permissions, runs) in [
        (Permissions::none().allow(READ, "all::*"), true),
        (Permissions::all().deny(READ, "all::Sent"), false),
        (Permissions::all().deny(READ, "al::*"), true),
    ] {
        let (mut game, _) = game_with(&reader, settings(permissions));
        game.write("all.wasm", &all_with_message().build());
        game.until("an outcome", |game| with_mods(game, |mods| mods.all_settled()) && game.story().len() >= 3);
        assert_eq!(with_mods(&mut game, |mods| mods.is_running("greedy")), runs, "{:?}", game.faults());
    }
}

fn all_with_message() -> Mod {
    let mut all = Mod::new("all");
    all.defines("Sent", "{n:u32}", DefinitionKind::Message, None);
    all
}

#[test]
fn a_function_of_a_mod_that_need_not_be_there_answers_that_it_is_not_granted() {
    let mut greedy = greedy().depends(Optional, "bank").import_of("bank", "pay");
    let score = greedy.ty("Score", "{points:u64}");
    let greedy = greedy.system("pay", "Update", vec![resource(score, true)]).run_also(
        "(if (i32.eq (local.get $system) (i32.const 1)) (then
            (i64.store (local.get $data) (i64.load32_u (i32.wrap_i64 (i64.shr_u
                (call $pay (i64.const 0x10000000004)) (i64.const 32)))))
            (i64.store (local.get $dirty) (i64.const 1))))",
    );
    let check = |permissions: Permissions, expected: ModCallStatus| {
        let (mut game, _) = game_with(&greedy, settings(permissions));
        game.until_told("loaded greedy");
        game.until_told("loaded bank");
        game.app.world_mut().resource_mut::<Score>().points = u64::MAX;
        game.frame();
        let points = game.app.world().resource::<Score>().points;
        assert_eq!(ModCallStatus::from_raw(points as u32), expected, "{:?}", game.faults());
        assert!(game.faults().is_empty());
    };
    check(Permissions::all(), ModCallStatus::Answered);
    check(Permissions::all().deny(Access::Call, "bank::*"), ModCallStatus::Refused);
    check(Permissions::all().deny(Access::Call, "bank::pays"), ModCallStatus::Answered);
}

fn with_permissions(game: &mut Game, permissions: Permissions) {
    game.app.world_mut().resource_mut::<ModSettings>().permissions = permissions;
}

#[test]
fn a_change_in_play_holds_from_the_next_reload_on() {
    let greedy = wants(|greedy| query(&[], &[greedy.typed(GOLD, COINS, TypeRole::Part)]));
    let denied = || Permissions::all().deny(WRITE, GOLD);
    let (mut game, _) = game_with(&greedy, settings(denied()));
    game.first_fault();
    with_permissions(&mut game, Permissions::all());
    with_mods(&mut game, |mut mods| mods.reload("greedy")).expect("it is known");
    game.until_told("loaded greedy");

    with_permissions(&mut game, denied());
    game.frames(3);
    assert!(with_mods(&mut game, |mods| mods.is_running("greedy")), "it was granted when it was installed");
    with_mods(&mut game, |mut mods| mods.reload("greedy")).expect("it is known");
    game.until("a second fault", |game| game.faults().len() == 2);
    game.frame();
    assert!(!with_mods(&mut game, |mods| mods.is_running("greedy")), "it does not keep what was taken back");
}

#[test]
#[cfg(feature = "hot_reload")]
fn a_new_version_that_wants_too_much_leaves_the_old_one_in_its_place() {
    let (mut game, _) = game_with(&term(TermDesc::Read), settings(Permissions::all().deny(WRITE, GOLD)));
    game.until_told("loaded greedy");
    game.write("greedy.wasm", &term(TermDesc::Write).build());
    let fault = game.first_fault();
    assert!(fault.ends_with(&sentence("`want`", WRITE, GOLD)), "{fault}");
    game.frames(3);
    assert!(with_mods(&mut game, |mods| mods.is_running("greedy")), "the game took nothing back");
}

#[test]
#[cfg(feature = "hot_reload")]
fn a_version_does_not_come_back_with_what_was_taken_from_it() {
    let write = |run: &str| {
        let mut greedy = greedy();
        let gold = greedy.typed(GOLD, COINS, TypeRole::Part);
        let (write, read) = (query(&[], &[gold]), query(&[gold], &[]));
        greedy.system("want", "Update", vec![if run.is_empty() { write } else { read }]).run_also(run)
    };
    // It runs, and fails in its second frame or so.
    let failing = "(if (i32.eq (local.get $system) (i32.const 1)) (then unreachable))";
    for (narrowed, comes_back) in [(false, true), (true, false)] {
        let (mut game, _) = game_with(&write(""), settings(Permissions::all()));
        game.until_told("loaded greedy");
        if narrowed {
            with_permissions(&mut game, Permissions::all().deny(WRITE, GOLD));
        }
        game.write("greedy.wasm", &write(failing).build());
        game.first_fault();
        game.frames(3);
        assert_eq!(with_mods(&mut game, |mods| mods.is_running("greedy")), comes_back, "{:?}", game.story());
    }
}
