//! Settings of mods: from the player's file and the game to the mod, and what happens when one of the three lies.

use std::{fs, path::Path};

use bevy::{
    ecs::entity::EntityHashMap,
    prelude::{Reflect, Resource},
};
use bevy_wasm_mods::{
    SettingValue,
    prelude::{ModSetting, ModSettingError, ModSettings, Mods, SaveMods},
};
use mod_abi::{
    command::Command,
    describe::{DefinitionKind, ParamDesc},
};

use crate::{
    fixtures::Score,
    guests::builds_of,
    support::{Game, Mod, resource, value, with_mods},
};

const APPETITE: &str = "appetite int 7 0..300 How much they eat";

/// Copies the first four bytes of the second parameter, a resource, to the first, the score.
const COPY: &str = "(local.set $i (i32.add (local.get $batch) (i32.load offset=20 (local.get $batch))))
    (i64.store (local.get $data)
        (i64.load32_u (i32.add (local.get $i) (i32.load offset=16 (local.get $i)))))
    (i64.store (local.get $dirty) (i64.const 1))";

/// A mod that holds its settings in that form and copies the first four bytes to the score, in that schedule.
fn pests_in(schedule: &str, schema: &str, settings: &[&str]) -> Mod {
    let mut module = Mod::new("pests");
    let held = module.defines("Settings", schema, DefinitionKind::Settings, None);
    let score = module.ty("Score", "{points:u64}");
    let module = module.system("read", schedule, vec![resource(score, true), resource(held, false)]).run(COPY);
    settings.iter().fold(module, |module, line| module.setting(line))
}

fn pests(schema: &str, settings: &[&str]) -> Mod {
    pests_in("Update", schema, settings)
}

fn game_of(module: &Mod, list: Option<&Path>) -> Game {
    let settings = ModSettings { list: list.map(Path::to_owned), ..ModSettings::default() };
    let mut game = Game::with_settings(&[("pests.wasm", &module.build())], settings);
    game.app.insert_resource(Score::default());
    game
}

fn running(module: &Mod, list: Option<&Path>) -> Game {
    let mut game = game_of(module, list);
    game.until_told("loaded pests");
    game
}

fn points(game: &mut Game) -> u64 {
    game.frame();
    let told = game.faults().first().map(ToString::to_string);
    assert_eq!(told, None);
    game.app.world().resource::<Score>().points
}

fn set(game: &mut Game, name: &str, value: impl Into<SettingValue>) {
    with_mods(game, |mut mods: Mods| mods.set_setting("pests", name, value)).expect("it takes the value");
}

fn refusal(game: &mut Game, name: &str, value: impl Into<SettingValue>) -> String {
    with_mods(game, |mut mods: Mods| mods.set_setting("pests", name, value)).expect_err("it is wrong").to_string()
}

fn listed(game: &mut Game) -> Vec<ModSetting> {
    with_mods(game, |mods: Mods| mods.settings("pests")).expect("it is there")
}

#[test]
fn a_mod_sees_its_defaults_in_its_start_up_and_what_is_set_later() {
    let mut game = running(&pests_in("Startup", "{appetite:u32}", &[APPETITE]), None);
    assert_eq!(points(&mut game), 7);

    let mut game = running(
        &pests("{appetite:u16,hunting:bool,far:u8}", &[APPETITE, "hunting bool true -", "far int 3 0..9"]),
        None,
    );
    assert_eq!(points(&mut game), 0x0301_0007);
    set(&mut game, "appetite", 258);
    set(&mut game, "hunting", false);
    assert_eq!(game.app.world().resource::<Score>().points, 0x0301_0007, "it takes effect at the frame boundary");
    assert_eq!(points(&mut game), 0x0300_0102);
    with_mods(&mut game, |mut mods: Mods| mods.reset_setting("pests", "appetite")).expect("it is there");
    assert_eq!(points(&mut game), 0x0300_0007);
    let told: Vec<_> = game.story().into_iter().filter(|line| line.starts_with("set")).collect();
    assert_eq!(told, ["set pests appetite 258", "set pests hunting false", "set pests appetite 7"]);
}

#[test]
fn all_kinds_of_values_arrive() {
    for (line, schema, value, expected) in [
        ("a int -2 -5..5", "{a:i8}", SettingValue::Int(-5), vec![0xfb]),
        ("a int 0 -", "{a:i64}", SettingValue::Int(i64::MIN), i64::MIN.to_le_bytes().to_vec()),
        ("a int 0 -", "{a:i128}", SettingValue::Int(-1), vec![0xff; 16]),
        ("a int 0 0..", "{a:u64}", SettingValue::Int(i64::MAX), i64::MAX.to_le_bytes().to_vec()),
        ("a float 0 -", "{a:f32}", SettingValue::Int(2), 2_f32.to_le_bytes().to_vec()),
        ("a float 0 -", "{a:f32}", SettingValue::Float(1e300), f32::MAX.to_le_bytes().to_vec()),
        ("a float 0 -", "{a:f64}", SettingValue::Float(1e300), 1e300_f64.to_le_bytes().to_vec()),
        ("a text \"\" -", "{a:str}", "hö".into(), vec![3, 0, 0, 0, 0, 0, 0, 0, b'h', 0xc3, 0xb6]),
        ("a choice x x|y-z", "{a:str}", "y-z".into(), vec![3, 0, 0, 0, 0, 0, 0, 0, b'y', b'-', b'z']),
        ("a choice x x|y-z", "{a:<YZ|Other|X>}", "y-z".into(), vec![0, 0, 0, 0]),
        ("a choice x x|y-z", "{a:<YZ|Other|X>}", "x".into(), vec![2, 0, 0, 0]),
        ("max-speed int 1 0..9", "{max_speed:u8}", SettingValue::Int(9), vec![9]),
        ("type bool false -", "{r#type:bool}", SettingValue::Bool(true), vec![1]),
    ] {
        let name = line.split(' ').next().expect("a name");
        // The mod reports the first four bytes; all of them are compared with what the contract encodes.
        let mut game = running(&pests(schema, &[line]), None);
        set(&mut game, name, value.clone());
        let mut head = expected.clone();
        head.resize(4, 0);
        if expected.len() >= 4 {
            let number = u32::from_le_bytes([head[0], head[1], head[2], head[3]]);
            assert_eq!(points(&mut game), u64::from(number), "{line} {schema} {value}");
        }
        let setting: mod_abi::SettingDesc = line.parse().expect("a setting");
        let mut bytes = Vec::new();
        let mod_abi::Schema::Struct(fields) = mod_abi::Schema::parse(schema).expect("a schema") else {
            panic!("a struct")
        };
        setting.encode_field(&value, &fields[0].1, &mut bytes).expect("it fits");
        assert_eq!(bytes, expected, "{line} {schema} {value}");
    }
}

#[test]
fn what_is_wrong_is_refused_and_changes_nothing() {
    let mut game = running(&pests("{appetite:u32}", &[APPETITE, "pace choice slow slow|fast"]), None);
    assert_eq!(
        refusal(&mut game, "appetite", 301),
        "pests: the setting `appetite` should be a whole number from 0 to 300, not 301"
    );
    assert!(refusal(&mut game, "appetite", 1.5).ends_with("not 1.5"));
    assert!(refusal(&mut game, "pace", "fats").ends_with("should be one of `slow`, `fast`, not \"fats\""));
    assert_eq!(refusal(&mut game, "apetite", 1), "the mod `pests` has no setting `apetite`; did you mean `appetite`?");
    let error = with_mods(&mut game, |mods: Mods| mods.settings("pest")).expect_err("there is none");
    assert!(matches!(error, ModSettingError::Mod(_)), "{error}");
    assert_eq!(error.to_string(), "there is no mod `pest` (there is `pests`)");
    assert_eq!(points(&mut game), 7);
    let settings = listed(&mut game);
    assert!(settings.iter().all(|setting| !setting.is_chosen));
    assert_eq!(settings[0].desc, APPETITE.parse().expect("a setting"));
    assert_eq!((&settings[1].value, settings.len()), (&"slow".into(), 2));
    assert_eq!(game.story(), ["loaded pests"]);
}

#[test]
fn choices_outlive_the_game_and_leave_the_rest_of_the_file_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    let list = folder.path().join("player/mods.toml");
    fs::create_dir(folder.path().join("player")).expect("a folder");
    let before =
        "# mine\n[mods.gone]\nenabled = true\n\n[mods.pests.settings]\nappetite = 8 # many\nold = [1]\nfar = 100\n";
    fs::write(&list, before).expect("a file");
    let module = pests("{appetite:u16,far:u16}", &[APPETITE, "far int 3 0..9"]);

    let mut game = running(&module, Some(&list));
    // 100 is out of range: the default holds, and the file keeps it.
    assert_eq!(points(&mut game), 0x0003_0008);
    let settings = listed(&mut game);
    assert_eq!((settings[0].is_chosen, settings[1].is_chosen), (true, false));
    set(&mut game, "appetite", 9);
    assert_eq!(points(&mut game), 0x0003_0009);
    drop(game);
    assert_eq!(fs::read_to_string(&list).expect("a file"), before.replace("appetite = 8", "appetite = 9"));

    let mut game = running(&module, Some(&list));
    assert_eq!(points(&mut game), 0x0003_0009);
    with_mods(&mut game, |mut mods: Mods| mods.reset_setting("pests", "appetite")).expect("it is there");
    assert_eq!(points(&mut game), 0x0003_0007);
    drop(game);
    assert_eq!(fs::read_to_string(&list).expect("a file"), before.replace("appetite = 8 # many\n", ""));
}

#[test]
fn a_list_that_cannot_be_read_stops_no_mod_and_is_kept() {
    let folder = tempfile::tempdir().expect("a folder");
    let list = folder.path().join("mods.toml");
    fs::write(&list, "[mods.pests.settings]\nappetite = \n").expect("a file");
    let mut game = running(&pests("{appetite:u32}", &[APPETITE]), Some(&list));
    assert_eq!(points(&mut game), 7);
    set(&mut game, "appetite", 8);
    assert_eq!(points(&mut game), 8);
    drop(game);
    assert!(fs::read_to_string(folder.path().join("mods.toml.bad")).expect("it is kept").ends_with("appetite = \n"));
    assert!(fs::read_to_string(&list).expect("a file").ends_with("appetite = 8\n"));
}

/// Descriptions that say something else than the identity.
#[test]
fn a_mod_that_lies_about_its_settings_is_refused() {
    for (schema, settings, expected) in [
        ("u32", &[APPETITE][..], "`pests::Settings` cannot hold its settings"),
        ("(u32)", &[APPETITE], "`pests::Settings` cannot hold its settings"),
        (
            "{apetite:u32}",
            &[APPETITE],
            "has the field `apetite`, but the mod declares no such setting (it declares `appetite`)",
        ),
        ("{appetite:u32}", &[], "the mod declares no such setting"),
        (
            "{appetite:f32}",
            &[APPETITE],
            "the field `appetite` of `pests::Settings` is \"f32\", but for its setting it should be an integer",
        ),
        ("{appetite:u8}", &[APPETITE], "it should be an integer for all numbers from 0 to 300"),
        (
            "{a:i32}",
            &["a int 1 -"],
            "or the setting should state a `min` of at least -2147483648 and a `max` of at most 2147483647",
        ),
        ("{a:u64}", &["a int 1 -"], "an integer for all numbers from -9223372036854775808"),
        ("{a:i32}", &["a float 1 -"], "an `f32` or an `f64`"),
        ("{a:u8}", &["a bool true -"], "a `bool`"),
        ("{a:[u8]}", &["a text \"\" -"], "a text"),
        ("{a:?str}", &["a text \"\" -"], "a text"),
        ("{a:<x>}", &["a choice x x|y"], "an enum with the variants `x`, `y`, without fields"),
        ("{a:<X|Y(u8)>}", &["a choice x x|y"], "an enum with the variants `x`, `y`, without fields"),
        ("{a:char}", &["a choice x x|y"], "a text, or an enum"),
        ("{a:{b:u8}}", &["a int 1 0..1"], "an integer"),
    ] {
        let fault = game_of(&pests(schema, settings), None).first_fault();
        assert!(fault.starts_with("pests 1.2.3") && fault.contains(expected), "{schema}: {fault}");
    }
    let mut twice = pests("{appetite:u32}", &[APPETITE]);
    twice.defines("Others", "{appetite:u32}", DefinitionKind::Settings, None);
    let fault = game_of(&twice, None).first_fault();
    assert!(fault.contains("are defined twice, as `pests::Settings` and as `pests::Others`"), "{fault}");
}

#[test]
fn no_mod_writes_settings() {
    let base = || pests("{appetite:u32}", &[APPETITE]);
    let writes = base().system("write", "Update", vec![resource(0, true)]);
    let in_commands = |command: Command| {
        let module = base().system("command", "Update", vec![ParamDesc::Commands]);
        module.run("(if (i32.eqz (local.get $system)) (then))").leaves(1, &[command])
    };
    let bytes = [9, 0, 0, 0];
    for (module, expected) in [
        (writes, "Settings cannot be written by mods: it holds what the player set"),
        (base().starts_with(0, &bytes), "it holds what the player set"),
        (in_commands(Command::InsertResource(value(0, &bytes))), "it holds what the player set"),
        (in_commands(Command::RemoveResource(0)), "it holds what the player set"),
    ] {
        let fault = game_of(&module, None).first_fault();
        assert!(fault.contains(expected), "{fault}");
    }

    // Nor another mod, which may read them.
    let mut other = Mod::new("other");
    let held = other.ty("pests::Settings", "{appetite:u32}");
    let other = other.system("write", "Update", vec![resource(held, true)]);
    let mut game = game_of(&base(), None);
    game.write("other.wasm", &other.build());
    let fault = game.first_fault();
    assert!(fault.starts_with("other") && fault.contains("it holds what the player set"), "{fault}");
    game.until_told("loaded pests");
    assert_eq!(game.faults().len(), 1);
}

/// The values of a mod that is switched off wait for it, and can be changed meanwhile.
#[test]
fn a_mod_that_does_not_run_has_settings_too() {
    let mut game = running(&pests("{appetite:u32}", &[APPETITE]), None);
    with_mods(&mut game, |mut mods: Mods| mods.disable("pests")).expect("it is there");
    game.until_told("disabled pests");
    assert_eq!(listed(&mut game)[0].value, SettingValue::Int(7));
    set(&mut game, "appetite", 20);
    game.frame();
    with_mods(&mut game, |mut mods: Mods| mods.enable("pests")).expect("it is there");
    game.until("it runs again", |game| with_mods(game, |mods: Mods| mods.is_running("pests")));
    assert_eq!(points(&mut game), 20);

    let mut game = game_of(&pests("{appetite:f32}", &[APPETITE]), None);
    game.first_fault();
    assert_eq!(listed(&mut game).len(), 1, "it says what can be set, although it cannot be installed");

    let mut game = Game::with_mods(&[("pests.wasm", b"junk")]);
    game.first_fault();
    let error = with_mods(&mut game, |mods: Mods| mods.settings("pests")).expect_err("nobody knows which mod it is");
    assert!(matches!(error, ModSettingError::NotKnown { .. }), "{error}");
}

/// What the mod `wishes` has said.
#[derive(Resource, Reflect, Default)]
pub(crate) struct Said {
    lines: Vec<String>,
}

fn said(game: &mut Game) -> Vec<String> {
    game.frames(2);
    assert_eq!(game.faults().first().map(ToString::to_string), None);
    std::mem::take(&mut game.app.world_mut().resource_mut::<Said>().lines)
}

#[test]
fn a_mod_in_rust_reads_its_settings_and_sees_them_change() {
    const DEFAULTS: &str = "VerySlow summer true 40 -3 1.5 \"Hello, you\"";
    let set = |game: &mut Game, name: &str, value: SettingValue| {
        with_mods(game, |mut mods: Mods| mods.set_setting("wish_list", name, value)).map_err(|error| error.to_string())
    };
    for (_, bytes) in builds_of("wishes") {
        let folder = tempfile::tempdir().expect("a folder");
        let list = folder.path().join("mods.toml");
        fs::write(&list, "[mods.wish_list]\nnote = 1 # mine\n").expect("a file");
        let start = || {
            let settings = ModSettings { list: Some(list.clone()), ..ModSettings::default() };
            let mut game = Game::with_settings(&[("wishes.wasm", &bytes)], settings);
            game.app.register_type::<Said>().init_resource::<Said>();
            game.until_told("loaded wish_list");
            game
        };
        let mut game = start();
        let lines = said(&mut game);
        assert_eq!(lines, [&format!("starts with {DEFAULTS}, its defaults: true"), DEFAULTS]);
        assert_eq!(said(&mut game), [""; 0]);

        assert_eq!(set(&mut game, "appetite", 2.into()), Ok(()));
        assert_eq!(set(&mut game, "pace", "fast".into()), Ok(()));
        assert_eq!(set(&mut game, "greeting", "Hi".into()), Ok(()));
        assert_eq!(said(&mut game), ["Fast summer true 40 -3 2 \"Hi\""]);
        let refused = set(&mut game, "max-swarm", 201.into());
        assert_eq!(
            refused.expect_err("it is too much"),
            "wish_list: the setting `max-swarm` should be a whole number from 1 to 200, not 201"
        );
        // Neither the same value nor a setting that the mod does not read is a change.
        assert_eq!(set(&mut game, "pace", "fast".into()), Ok(()));
        assert_eq!(set(&mut game, "unread", true.into()), Ok(()));
        assert_eq!(said(&mut game), [""; 0]);
        drop(game);

        let text = fs::read_to_string(&list).expect("a file");
        let expected = "[mods.wish_list]\nnote = 1 # mine\n\n[mods.wish_list.settings]\n";
        assert!(text.starts_with(expected) && text.contains("appetite = 2.0\n"), "{text}");
        let mut game = start();
        let line = "Fast summer true 40 -3 2 \"Hi\"";
        assert_eq!(said(&mut game), [&format!("starts with {line}, its defaults: false"), line]);
        with_mods(&mut game, |mut mods: Mods| mods.reset_setting("wish_list", "pace")).expect("it is there");
        assert_eq!(said(&mut game), ["VerySlow summer true 40 -3 2 \"Hi\""]);
    }
}

#[cfg(feature = "hot_reload")]
mod reloads {
    use super::{
        APPETITE, COPY, DefinitionKind, Game, Mod, Mods, SettingValue, pests, points, resource, running, set, with_mods,
    };

    fn reload(game: &mut Game, module: &Mod) {
        let before = game.story().len();
        game.write("pests.wasm", &module.build());
        game.until("a reload", |game| game.story().len() > before);
    }

    #[test]
    fn values_that_fit_the_next_version_stay() {
        let mut game = running(&pests("{appetite:u16,far:u16}", &[APPETITE, "far int 3 0..9"]), None);
        set(&mut game, "appetite", 200);
        set(&mut game, "far", 4);
        assert_eq!(points(&mut game), 0x0004_00c8);
        // Another form, another range, another default, and one more.
        reload(
            &mut game,
            &pests("{far:u8,more:u8,appetite:u16}", &["appetite int 6 0..100", "far int 2 0..9", "more int 5 0..9"]),
        );
        assert_eq!(points(&mut game), 0x0006_0504);
        // What had no place is there again.
        reload(&mut game, &pests("{appetite:u16,far:u16}", &[APPETITE, "far text \"\" -", "far2 int 1 0..9"]));
        let told = game.story();
        assert!(told.last().is_some_and(|line| line.starts_with("failed")), "{told:?}");
        game.events.clear();
        assert_eq!(points(&mut game), 0x0006_0504, "the version that runs goes on");
        reload(&mut game, &pests("{appetite:u16,far:u16}", &[APPETITE, "far int 3 0..9"]));
        assert_eq!(points(&mut game), 0x0004_00c8);
    }

    #[test]
    fn what_was_another_resource_can_become_settings_and_the_other_way_round() {
        let held = |kind: DefinitionKind| {
            let mut module = Mod::new("pests");
            let held = module.defines("Settings", "{appetite:u32}", kind, None);
            let score = module.ty("Score", "{points:u64}");
            let params = vec![resource(score, true), resource(held, false)];
            let module = module.system("read", "Update", params).run(COPY).setting(APPETITE);
            if kind == DefinitionKind::Resource { module.starts_with(held, &[1, 0, 0, 0]) } else { module }
        };
        let mut game = running(&held(DefinitionKind::Resource), None);
        assert_eq!(points(&mut game), 1);
        reload(&mut game, &held(DefinitionKind::Settings));
        assert_eq!(points(&mut game), 7);
        set(&mut game, "appetite", 8);
        assert_eq!(points(&mut game), 8);
        // It takes the value along, as any resource does.
        reload(&mut game, &held(DefinitionKind::Resource));
        assert_eq!(points(&mut game), 8);
        set(&mut game, "appetite", 9);
        assert_eq!(points(&mut game), 8, "the mod's own resource is not the settings");
    }

    #[test]
    fn a_version_that_fails_gives_the_settings_back() {
        let mut game = running(&pests("{appetite:u32}", &[APPETITE]), None);
        assert_eq!(points(&mut game), 7);
        // In its hook for a reload, and on probation.
        for (schedule, last) in [("OnReload", "failed pests"), ("Update", "resumed pests")] {
            for schema in ["{appetite:u32}", "{appetite:u64}"] {
                let bad = pests(schema, &["appetite int 9 0..9"]).system("fail", schedule, vec![]);
                let bad = bad.run_also("(if (i32.eq (local.get $system) (i32.const 1)) (then unreachable))");
                reload(&mut game, &bad);
                game.until_told(last);
                game.events.clear();
                game.frame();
                assert_eq!(points(&mut game), 7, "{schedule} {schema}");
                let value =
                    with_mods(&mut game, |mods: Mods| mods.settings("pests")).expect("it runs")[0].value.clone();
                assert_eq!(value, SettingValue::Int(7));
            }
        }
    }
}

#[test]
fn a_mod_that_is_switched_off_from_the_start_can_be_set() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("mods.toml");
    fs::write(&path, "[mods.pests]\nenabled = false\n").expect("it can be written");
    let mut game = game_of(&pests("{appetite:u32}", &[APPETITE]), Some(&path));
    game.until("the mod to be known", |game| with_mods(game, |mods: Mods| mods.all_settled()));
    assert_eq!(listed(&mut game).len(), 1);
    set(&mut game, "appetite", 9);
    with_mods(&mut game, |mut mods: Mods| mods.enable("pests")).expect("it is known");
    game.until_told("loaded pests");
    assert_eq!(points(&mut game), 9);
}

#[test]
fn a_save_leaves_settings_to_the_player() {
    let mut game = running(&pests("{appetite:u32}", &[APPETITE]), None);
    set(&mut game, "appetite", 9);
    assert_eq!(points(&mut game), 9);
    let save = game.app.world_mut().save_mods();
    let text = serde_json::to_string(&save).expect("it has a form");
    assert!(!text.contains("Settings"), "{text}");
    set(&mut game, "appetite", 10);
    game.app.world_mut().restore_mods(&save, &mut EntityHashMap::default());
    assert_eq!(points(&mut game), 10, "what the player chose since");
}
