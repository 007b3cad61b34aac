//! `check`: the committed mods against the game that they are for, and mods with every mistake against another one.

use std::{fs, path::Path};

use mod_abi::describe::{
    ConditionDesc, ConditionTest, Definition, DefinitionKind, EventDesc, FilterDesc, ObserverDesc, OrderDesc,
    OrderTarget, ParamDesc, QueryDesc, ResourceDesc, SystemDesc, TermDesc, TypeRole,
};

use crate::support::{Mod, Ran, repository, run, text};

const ORCHARD: &str = "all::api::orchard::";

fn golden() -> String {
    text(&repository("tests/golden/game-api.json")).to_owned()
}

fn check(one: &Mod) -> Ran {
    let root = tempfile::tempdir().expect("a folder");
    let file = one.write(root.path());
    run(root.path(), &["check", text(&file), "--game", &golden()])
}

/// The lines of what is wrong with a mod.
#[track_caller]
fn problems(one: &Mod) -> Vec<String> {
    let ran = check(one);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(ran.out.contains(" 1.2.3 will not load in orchard 0.3.1, because of "), "{ran:?}");
    let lines = ran.out.lines().skip(1).take_while(|line| line.starts_with("  - "));
    lines.map(|line| line.trim_start_matches("  - ").to_owned()).collect()
}

#[track_caller]
fn is_fine(one: &Mod) -> String {
    let ran = check(one);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(ran.out.contains(" 1.2.3 will load in orchard 0.3.1\n"), "{ran:?}");
    ran.out
}

fn query(terms: &[TermDesc], filters: &[FilterDesc]) -> ParamDesc {
    ParamDesc::Query(QueryDesc { terms: terms.to_vec(), filters: filters.to_vec() })
}

fn in_orchard(name: &str) -> String {
    format!("{ORCHARD}{name}")
}

#[test]
fn the_committed_mods_load_in_their_game_and_in_no_other() {
    let root = tempfile::tempdir().expect("a folder");
    let api = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/hello_mods.json");
    let mut mods = 0;
    for entry in fs::read_dir(repository("assets/mods")).expect("it is read") {
        let file = entry.expect("it is read").path();
        if file.extension().is_some_and(|extension| extension == "wasm") {
            let ran = run(root.path(), &["check", text(&file), "--game", text(&api)]);
            assert!(ran.code == Some(0) && ran.out.contains("will load in orchard 0.1.0"), "{ran:?}");
            mods += 1;
        }
    }
    assert_eq!(mods, 5);
    let wind = repository("assets/mods/orchard_wind.wasm");
    let ran = run(root.path(), &["check", text(&wind), "--game", &golden()]);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    for part in [
        "needs the mod API of `orchard` 0.1.x, and this is 0.3.1",
        "this game has no type `hello_mods::Velocity`",
        "this game has no type `hello_mods::Bee`",
    ] {
        assert!(ran.out.contains(part), "{ran:?}");
    }
}

#[test]
fn a_mod_that_fits_loads() {
    let mut one = Mod::new("good").imports("prune", "(str,f32)->bool");
    one = one.imports_raw(r#"(import "env" "__world_get" (func (param i64) (result i64)))"#);
    let quince = one.ty(&in_orchard("Quince"), "{height:f32,place:(i16,i16)}", TypeRole::Part);
    let rooted = one.ty(&in_orchard("Rooted"), "(u8)", TypeRole::Mirror);
    let pantry = one.ty("Pantry", "{prices:{str=>u32},owners:[u64]}", TypeRole::Mirror);
    let ripe = one.ty("Ripe", "(entity)", TypeRole::Mirror);
    let gale = one.ty("Gale", "{force:f32}", TypeRole::Mirror);
    let sealed = one.ty("Sealed", "{}", TypeRole::Part);
    let component = Definition { kind: DefinitionKind::Component, default: Some(vec![3]) };
    let own = one.ty("good::Own", "(u8)", TypeRole::Definition(component));
    let hive = one.ty("bees::Hive", "(u8)", TypeRole::Mirror);
    let terms = [TermDesc::Write(quince), TermDesc::Read(rooted), TermDesc::Read(own), TermDesc::Read(hive)];
    let params = vec![
        query(&terms, &[FilterDesc::Or(2), FilterDesc::With(sealed), FilterDesc::Added(rooted)]),
        ParamDesc::Resource(ResourceDesc { ty: pantry, write: true }),
        ParamDesc::MessageReader(ripe),
        ParamDesc::Commands,
    ];
    let one = one.states("dependency: bees ^1").states("game: orchard ^0.3").system("grow", params, |system| {
        system.schedule = "OnEnter(Hour::Dusk)".to_owned();
        system.order = vec![
            OrderDesc::After(OrderTarget::Set("growth".to_owned())),
            OrderDesc::Before(OrderTarget::Named("wasps::sting".to_owned())),
        ];
        let in_state = ConditionTest::InState(in_orchard("Hour::Dawn"));
        let exists = ConditionTest::ResourceExists(pantry);
        system.conditions = [in_state, exists].map(|test| ConditionDesc { not: false, test }).into();
    });
    let observer = |name: &str, event| ObserverDesc { name: name.to_owned(), event, params: vec![ParamDesc::Event] };
    let one = one.with(|description| {
        description.observers =
            vec![observer("blow", EventDesc::Event(gale)), observer("root", EventDesc::Add(rooted))];
    });
    let said = is_fine(&one);
    for note in ["it needs the mod `bees` ^1", "`bees::Hive` is a type of the mod `bees`", "what its commands spawn"] {
        assert!(said.contains(note), "{said}");
    }
}

#[test]
fn every_mistake_of_a_mod_is_named_at_once() {
    let mut one =
        Mod::new("bad").states("game: vineyard").imports("prun", "(str)->()").imports("prune", "(str,u32)->bool");
    let unknown = one.ty(&in_orchard("Quinse"), "{height:f32}", TypeRole::Mirror);
    let ambiguous = one.ty("Rooted", "(u8)", TypeRole::Mirror);
    let rooted = one.ty(&in_orchard("Rooted"), "(u8)", TypeRole::Mirror);
    let uprooted = one.ty("Uprooted", "{years:u16,months:u8}", TypeRole::Mirror);
    let quince = one.ty("Quince", "{height:f64,width:f32,place:(i16,i16)}", TypeRole::Part);
    let sealed = one.ty("Sealed", "(u8)", TypeRole::Mirror);
    let grower = one.ty("Grower", "{name:str}", TypeRole::Mirror);
    let ripe = one.ty("Ripe", "(entity)", TypeRole::Mirror);
    let blossomed = one.ty("Blossomed", "{count:u32}", TypeRole::Mirror);
    let hail = one.ty("Hail", "(u8)", TypeRole::Mirror);
    let terms = [unknown, ambiguous, uprooted, quince, sealed, grower].map(TermDesc::Read);
    let params = vec![
        query(&terms, &[]),
        query(&[TermDesc::Write(rooted)], &[]),
        ParamDesc::MessageReader(blossomed),
        ParamDesc::MessageWriter(ripe),
        ParamDesc::Resource(ResourceDesc { ty: rooted, write: false }),
        ParamDesc::Resource(ResourceDesc { ty: 99, write: false }),
    ];
    let one = one.system("grow", params, |system| {
        system.schedule = "Updat".to_owned();
        system.order =
            vec![OrderDesc::After(OrderTarget::Set("grow".to_owned())), OrderDesc::Before(OrderTarget::System(7))];
        let tests = ["Hour::Noon", "Hour::At", "Season::Winter"].map(|text| ConditionTest::InState(text.to_owned()));
        system.conditions = tests.map(|test| ConditionDesc { not: false, test }).into();
    });
    let one = one.system("grow", Vec::new(), |system| system.schedule = "OnExit(Hour::Noon)".to_owned());
    let observer =
        ObserverDesc { name: "hear".to_owned(), event: EventDesc::Event(hail), params: vec![ParamDesc::Event] };
    let found = problems(&one.with(|description| description.observers = vec![observer]));
    let expected = [
        "is a mod for the game `vineyard`, and this is `orchard`",
        "`env.__prun` (a function (i64) -> (i64)); did you mean `__prune`?",
        "`env.__prune` takes `f32` as argument 2, but the mod passes `u32`",
        "this game has no type `all::api::orchard::Quinse` (it has `all::api::orchard::Quince`)",
        "`Rooted` could be several types of this game; name one of all::api::orchard::Rooted, all::api::orchard::twin::Rooted",
        "all::api::orchard::Uprooted does not match this game: mod has \"years: u16\", game has \"years: u8\"",
        "all::api::orchard::Uprooted does not match this game: mod has \"months: u8\", game has \"no such field\"",
        "all::api::orchard::Quince does not match this game: mod has \"height: f64\", game has \"height: f32\"",
        "all::api::orchard::Quince does not match this game: mod has \"width: f32\", game has \"no such field\"",
        "`grow` reads all::api::orchard::Sealed, which mods of this game cannot read: it contains `uuid::Uuid`",
        "all::api::orchard::Grower cannot cross to a mod as a whole: it contains `uuid::Uuid`",
        "`grow` writes all::api::orchard::Rooted, which mods of this game cannot write: it is an immutable component",
        "`grow` reads all::api::orchard::Blossomed, which mods of this game cannot read: the game lacks `app.add_mod_message",
        "`grow` writes all::api::orchard::Ripe, which mods of this game cannot write: its type lacks `#[reflect(Message)]`",
        "`grow` uses all::api::orchard::Rooted as a resource, but it is no resource to mods of this game (it is a component)",
        "`grow` names type number 99, but the mod states only 10",
        "`grow`: there is no schedule `Updat` for mods (there is `Update`)",
        "`grow` should run after the set `grow`, which this game does not offer to mods",
        "`grow` should run before system number 7, which does not exist",
        "the state all::api::orchard::Hour has no value `Noon`; it has Dawn, Dusk",
        "the value `At` of the state all::api::orchard::Hour holds data",
        "this game does not offer the state `Season` to mods (it offers all::api::orchard::Hour)",
        "two systems are called `grow`",
        "`hear` observes all::api::orchard::Hail, which mods of this game cannot observe: it contains `uuid::Uuid`",
    ];
    for part in expected {
        assert!(found.iter().any(|line| line.contains(part)), "no {part:?} in {found:#?}");
    }
    // The value that is missing is told for the condition and for the schedule.
    assert_eq!(found.len(), expected.len() + 1, "{found:#?}");
}

#[test]
fn what_contradicts_itself_is_told_whatever_the_game_is() {
    let check = |change: &dyn Fn(&mut SystemDesc, u32, u32), part: &str| {
        let mut one = Mod::new("odd");
        let rooted = one.ty(&in_orchard("Rooted"), "(u8)", TypeRole::Mirror);
        let uprooted = one.ty("Uprooted", "{years:u8}", TypeRole::Mirror);
        let one = one.system("first", Vec::new(), |_| ()).system("second", Vec::new(), |system| {
            change(system, rooted, uprooted);
        });
        if part.is_empty() {
            is_fine(&one);
        } else {
            let found = problems(&one);
            assert!(found.len() == 1 && found[0].contains(part), "{found:?}");
        }
    };
    check(&|_, _, _| (), "");
    check(&|system, _, _| system.name = "two words".to_owned(), "system number 1 is called \"two words\"");
    check(&|system, _, _| system.params = vec![ParamDesc::Event], "the event is the first parameter of every observer");
    check(&|system, _, _| system.params = vec![ParamDesc::World; 33], "33 parameters are more than the 32");
    let twice = |rooted| query(&[TermDesc::Read(rooted), TermDesc::Read(rooted)], &[]);
    check(&|system, rooted, _| system.params = vec![twice(rooted)], "names type number 0 twice");
    let open = || query(&[], &[FilterDesc::Or(2)]);
    check(&|system, _, _| system.params = vec![open()], "an `Or` or `And` has more members than follow it");
    let two = |a, b, filter: &[FilterDesc]| {
        vec![query(&[TermDesc::Write(a)], &[]), query(&[TermDesc::Write(a), TermDesc::Read(b)], filter)]
    };
    check(&|system, a, b| system.params = two(b, a, &[]), "parameters 1 and 2 both borrow `");
    check(
        &|system, a, b| {
            system.params = vec![
                query(&[TermDesc::Write(b)], &[FilterDesc::Without(a)]),
                query(&[TermDesc::Write(b), TermDesc::Read(a)], &[]),
            ];
        },
        "",
    );
    check(
        &|system, _, _| system.order = vec![OrderDesc::After(OrderTarget::System(1))],
        "should run after another system of the mod, which should itself",
    );
    check(
        &|system, _, _| system.order = vec![OrderDesc::After(OrderTarget::Named("bees".to_owned()))],
        "is no name of a system",
    );
    check(
        &|system, _, _| {
            system.schedule = "Last".to_owned();
            system.order = vec![OrderDesc::After(OrderTarget::System(0))];
        },
        "which runs in another schedule",
    );
}

#[test]
fn definitions_and_settings_are_looked_at() {
    let defined = |path: &str, schema: &str, kind, default: Option<Vec<u8>>| {
        let mut one = Mod::new("own").states("setting: sails int 2 1..9");
        one.ty(path, schema, TypeRole::Definition(Definition { kind, default }));
        one
    };
    let check = |one: Mod, part: &str| {
        let found = problems(&one);
        assert!(found.len() == 1 && found[0].contains(part), "{found:?}");
    };
    is_fine(&defined("own::Sail", "{size:u8}", DefinitionKind::Component, Some(vec![1])));
    is_fine(&defined("own::Settings", "{sails:u8}", DefinitionKind::Settings, None));
    check(defined("other::Sail", "(u8)", DefinitionKind::Component, None), "the path of a type of this mod is `own::`");
    check(defined("own::Sail", "(u8)", DefinitionKind::Component, Some(vec![1, 2])), "its default is no value of it");
    check(defined("own::Sail", "[u8;65537]", DefinitionKind::Component, None), "more than 65536; use a list");
    check(
        defined("own::Settings", "{sail:u8}", DefinitionKind::Settings, None),
        "declares no such setting (it declares `sails`)",
    );
    check(defined("own::Settings", "{sails:bool}", DefinitionKind::Settings, None), "for its setting it should be");
}

#[test]
fn files_that_no_game_loads_are_told() {
    let root = tempfile::tempdir().expect("a folder");
    let check = |name: &str, bytes: &[u8], part: &str| {
        fs::write(root.path().join(name), bytes).expect("a file");
        let ran = run(root.path(), &["check", name, "--game", &golden()]);
        assert!(ran.code == Some(1) && ran.out.contains(part), "no {part:?} in {ran:?}");
    };
    check("honey.wasm", b"honey", "this is not a WebAssembly file");
    let old = wat::parse_str(
        r#"(module (@custom "bevy_mod" "abi: 2\nid: old\nversion: 0.1.0\n") (memory (export "memory") 1))"#,
    );
    check("old.wasm", &old.expect("a module"), "built for version 2 of the mod ABI, but the game has version 3");
    let raw = Mod::new("raw").imports_raw(r#"(import "env" "fetch" (func (param i32))) (import "js" "eval" (func))"#);
    check("raw.wasm", &raw.build(), "`env.fetch` (a function (i32) -> ())");
    check("raw.wasm", &raw.build(), "`js.eval` (a function () -> ())");
    run(root.path(), &["check", "nowhere.wasm", "--game", &golden()]).fails(&["nowhere.wasm cannot be read"]);
    run(root.path(), &["check", "raw.wasm", "--game", "raw.wasm"]).fails(&["raw.wasm cannot be read"]);
}
