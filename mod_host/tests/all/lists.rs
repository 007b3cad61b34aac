//! The list of a player's choices: what it says in all ways to write it, that changes touch nothing else, and that a file is
//! never half a file.

use std::{fs, time::Instant};

use mod_abi::SettingValue;
use mod_host::{ModList, ModListError};
use proptest::{
    collection::{btree_map, vec},
    prelude::*,
};

fn list(text: &str) -> ModList {
    text.parse().unwrap_or_else(|error| panic!("{error}:\n{text}"))
}

fn refusal(text: &str) -> String {
    text.parse::<ModList>().unwrap_err().to_string()
}

/// All the ways to say the same.
const WAYS: &[&str] = &[
    "[mods.wind]\nenabled = false\n\n[mods.pests.settings]\nappetite = 2.0\nhunting = true\n",
    "[mods]\nwind = { enabled = false }\npests = { settings = { appetite = 2.0, hunting = true } }\n",
    "mods.wind.enabled = false\nmods.pests.settings.appetite = 2.0\nmods.pests.settings.hunting = true\n",
    "mods = { wind.enabled = false, pests.settings = { appetite = 2.0, hunting = true } }",
    "[mods]\nwind.enabled = false\npests.settings = { appetite = 2.0, hunting = true }",
    "[mods.pests]\nsettings.appetite = 2.0\nsettings.hunting = true\n[mods]\n[mods.wind]\nenabled=false",
    "[mods.'pests'.\"settings\"]\r\nappetite = 2.0 # a lot\r\nhunting = true\r\n[mods.wind]\r\nenabled = false\r\n",
    "\u{feff}mods.pests.settings = {\n  appetite = 2.0, # a lot\n  hunting = true,\n}\nmods.wind.enabled = false\n",
];

#[test]
fn all_ways_to_write_it_say_the_same() {
    for way in WAYS {
        let list = list(way);
        assert_eq!(list.disabled().collect::<Vec<_>>(), ["wind"], "{way}");
        assert!(!list.is_enabled("wind") && list.is_enabled("pests") && list.is_enabled("not there"), "{way}");
        assert_eq!(list.setting("pests", "appetite"), Some(SettingValue::Float(2.0)), "{way}");
        assert_eq!(list.setting("pests", "hunting"), Some(SettingValue::Bool(true)), "{way}");
        assert_eq!(list.settings("pests").map(|(name, _)| name).collect::<Vec<_>>(), ["appetite", "hunting"], "{way}");
        assert_eq!(list.setting("pests", "not there").or(list.setting("wind", "appetite")), None, "{way}");
        assert!(list.problems().is_empty(), "{way}");
        assert_eq!(list.to_string(), *way);
    }
}

#[test]
fn every_way_can_be_changed() {
    for way in WAYS {
        let mut list = list(way);
        list.set_enabled("wind", true);
        list.set_enabled("pests", false);
        list.set_enabled("bees", false);
        list.set_setting("pests", "appetite", &SettingValue::Int(3));
        list.set_setting("wind", "strength", &SettingValue::Text("a \"gale\"\n".to_owned()));
        list.reset_setting("pests", "hunting");
        list.reset_setting("bees", "nothing");

        let again: ModList = list.to_string().parse().unwrap();
        for list in [&list, &again] {
            let mut disabled: Vec<_> = list.disabled().collect();
            disabled.sort_unstable();
            assert_eq!(disabled, ["bees", "pests"], "{list}");
            assert_eq!(list.setting("pests", "appetite"), Some(SettingValue::Int(3)), "{list}");
            assert_eq!(list.setting("pests", "hunting"), None, "{list}");
            assert_eq!(list.setting("wind", "strength"), Some(SettingValue::Text("a \"gale\"\n".to_owned())), "{list}");
        }
        let comments = |text: &str| text.matches("# a lot").count();
        assert_eq!(comments(&list.to_string()), comments(way), "{list}");
    }
}

#[test]
fn changes_are_where_one_would_write_them() {
    let off = |list: &mut ModList| list.set_enabled("wind", false);
    let set = |list: &mut ModList| list.set_setting("wind", "speed", &SettingValue::Int(2));
    let reset = |list: &mut ModList| list.reset_setting("wind", "speed");
    let rows: &[(&str, fn(&mut ModList) -> bool, &str)] = &[
        ("", off, "[mods.wind]\nenabled = false\n"),
        ("", set, "[mods.wind.settings]\nspeed = 2\n"),
        ("# mine", off, "# mine\n\n[mods.wind]\nenabled = false\n"),
        ("[other]\r\na = 1\r\n", off, "[other]\r\na = 1\r\n\r\n[mods.wind]\r\nenabled = false\r\n"),
        (
            "[mods.wind]\n# not today\nenabled = true # or so\n",
            off,
            "[mods.wind]\n# not today\nenabled = false # or so\n",
        ),
        ("[mods.wind] # one\n# two\n", off, "[mods.wind] # one\nenabled = false\n# two\n"),
        ("[mods.wind]", off, "[mods.wind]\nenabled = false\n"),
        ("[mods.wind.settings]\n# s\nspeed = 1 # m/s\n", set, "[mods.wind.settings]\n# s\nspeed = 2 # m/s\n"),
        ("[mods.wind.settings]\nspeed = 2.0\n", set, "[mods.wind.settings]\nspeed = 2\n"),
        ("[mods.wind.settings]\nspeed = 0x2\n", set, "[mods.wind.settings]\nspeed = 0x2\n"),
        ("[mods.wind.settings]\n# s\nspeed = 1 # m/s\na = 1\n", reset, "[mods.wind.settings]\n# s\na = 1\n"),
        ("[mods.wind.settings]\nspeed = [\n1,\n]", reset, "[mods.wind.settings]\n"),
        (
            "b.x = 1\nmods.wind.note = 1\nb.y = 2\n",
            off,
            "b.x = 1\nmods.wind.enabled = false\nmods.wind.note = 1\nb.y = 2\n",
        ),
        ("[mods]\nwind.note = 1", set, "[mods]\nwind.settings.speed = 2\nwind.note = 1"),
        ("mods.bees.enabled = false\n", off, "mods.wind.enabled = false\nmods.bees.enabled = false\n"),
        ("mods = {}\n", off, "mods = { wind = { enabled = false } }\n"),
        ("[mods]\nwind = { }\n", set, "[mods]\nwind = { settings = { speed = 2 } }\n"),
        ("mods.wind = { settings = { speed = 1, a = 0x1 } }\n", reset, "mods.wind = { settings = { a = 0x1 } }\n"),
        ("mods.wind.settings = { # s\n speed = 1, a = 1 }\n", reset, "mods.wind.settings = { # s\n a = 1 }\n"),
        ("mods.wind.settings = {\na = 1, # a\nspeed = 1 }\n", reset, "mods.wind.settings = {\na = 1 # a\n}\n"),
        ("[mods.wind]\nenabled = \"no\" # ?\n", off, "[mods.wind]\nenabled = false # ?\n"),
        ("[mods.wind.settings]\nspeed = 1\n", off, "[mods.wind.settings]\nspeed = 1\n\n[mods.wind]\nenabled = false\n"),
    ];
    for (text, change, expected) in rows {
        let mut list = list(text);
        assert_eq!(change(&mut list), *text != *expected);
        assert_eq!(list.to_string(), *expected, "{text}");
        assert!(!change(&mut list));
        assert_eq!(list.to_string(), *expected, "{text}");
    }
}

#[test]
fn what_changes_nothing_writes_nothing() {
    let mut list = ModList::default();
    list.set_enabled("wind", true);
    list.reset_setting("wind", "speed");
    assert_eq!(list.to_string(), "");
}

#[test]
fn wrong_values_are_told_ignored_and_kept() {
    let text =
        "[mods.wind]\nenabled = \"no\"\n\n[mods.pests.settings]\nappetite = [1]\nsince = 2026-01-01\nspeed = nan\n";
    let mut list = list(text);
    assert!(list.is_enabled("wind"));
    assert_eq!(list.setting("pests", "appetite"), None);
    let expected = [
        "`mods.wind.enabled` in line 2 should be `true` or `false`, not a string, and is ignored",
        "`mods.pests.settings.appetite` in line 5 should be `true` or `false`, a number or a text in quotes, not an array, and \
         is ignored",
        "`mods.pests.settings.since` in line 6 should be `true` or `false`, a number or a text in quotes, not a datetime, and \
         is ignored",
    ];
    assert_eq!(list.problems(), expected);
    list.set_setting("pests", "hunting", &SettingValue::Bool(false));
    assert!(list.to_string().contains("enabled = \"no\"") && list.to_string().contains("appetite = [1]"));
    list.set_enabled("wind", true);
    list.set_setting("pests", "appetite", &SettingValue::Float(0.5));
    list.reset_setting("pests", "since");
    assert!(list.problems().is_empty(), "{list}");

    let many: String = (0..1000).map(|n| format!("[mods.m{n}]\nenabled = 1\n")).collect();
    assert_eq!(many.parse::<ModList>().unwrap().problems().len(), 32);
}

#[test]
fn what_is_no_list_is_an_error_with_a_line() {
    for (text, expected) in [
        (
            "mods = 3",
            "the mod list cannot be used: `mods` should be a table, such as `[mods.a_mod]`, not an integer (line 1, column 8)",
        ),
        ("\n[[mods]]\n", "`mods` should be a table, such as `[mods.a_mod]`, not an array of tables (line 2, column 1)"),
        (
            "[mods]\nwind = false",
            "`mods.wind` should be a table, such as `[mods.wind]`, not a boolean (line 2, column 8)",
        ),
        ("[[mods.wind]]", "`mods.wind` should be a table, such as `[mods.wind]`, not an array of tables (line 1"),
        (
            "[mods.wind]\nsettings = 1",
            "`mods.wind.settings` should be a table, such as `[mods.wind.settings]`, not an integer (line 2",
        ),
        ("[mods.wind.enabled]", "`mods.wind.enabled` should be `true` or `false`, not a table (line 1"),
        (
            "mods.wind.settings.a.b = 1",
            "`mods.wind.settings.a` should be `true` or `false`, a number or a text in quotes, not a table (line 1",
        ),
        ("[mods.wind]\nenabled = flase\n", "(line 2, column 11)"),
        ("[mods.wind]\nenabled = true\nenabled = true\n", "duplicate key (line 3, column 1)"),
        ("mods.wind.enabled = true\n[mods.wind]\n", "(line 2"),
        ("[mods.wind", "(line 1"),
    ] {
        assert!(refusal(text).contains(expected), "{text}:\n{}", refusal(text));
    }
    assert!(matches!("#".repeat((4 << 20) + 1).parse::<ModList>(), Err(ModListError::TooLarge)));
}

/// Files of megabytes that nest as deep as they can, on the small stack of a test's thread.
#[test]
fn hostile_text_ends_soon() {
    let deep = "a.".repeat(70);
    let nested = format!("{}1{}", format!("{{{deep}x=").repeat(70), "}".repeat(70));
    let texts = [
        format!("mods.x{}=1", ".a".repeat(1 << 20)),
        format!("mods.x={}", "[".repeat(4 << 20)),
        format!("mods.x={}", "{a=".repeat(1 << 20)),
        format!("[mods.x.{deep}x]\n{deep}x={nested}"),
        "[mods.x]\n".repeat(400_000),
        "[[mods.x]]\n".repeat(380_000),
        (0..200_000).map(|n| format!("[mods.m{n}]\n")).collect(),
        format!("mods.x.a=\"{}", "\\u0041".repeat(600_000)),
        "\u{0}".repeat(4 << 20),
        "=".repeat(4 << 20),
        "[".repeat(4 << 20),
        "\n".repeat(4 << 20),
    ];
    for text in texts {
        let start = Instant::now();
        let mut read = text.parse::<ModList>();
        if let Ok(list) = &mut read {
            list.set_enabled("wind", false);
            list.reset_setting("x", "a");
            let _ = list.problems();
            assert_eq!(list.disabled().collect::<Vec<_>>(), ["wind"]);
        }
        let head: String = text.chars().take(30).collect();
        assert!(start.elapsed().as_secs() < 20, "{head}: {:?}", start.elapsed());
    }
}

#[test]
fn a_file_comes_back_as_it_was_saved() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("saves/of/ada/mods.toml");
    assert_eq!(ModList::read(&path).unwrap().to_string(), "");

    let mut list = ModList::default();
    list.set_enabled("wind", false);
    list.save(&path).unwrap();
    assert!(!ModList::read(&path).unwrap().is_enabled("wind"));
    list.set_enabled("wind", true);
    list.save(&path).unwrap();
    assert!(ModList::read(&path).unwrap().is_enabled("wind"));
    let names: Vec<_> = fs::read_dir(path.parent().unwrap()).unwrap().map(|file| file.unwrap().file_name()).collect();
    assert_eq!(names, ["mods.toml"]);
}

#[test]
fn what_cannot_be_read_is_kept_aside() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mods.toml");
    assert_eq!(ModList::set_aside(&path).unwrap(), None);

    for (bad, name) in [(&b"[mods.wind"[..], "mods.toml.bad"), (b"\xff\xfe", "mods.toml.bad2")] {
        fs::write(&path, bad).unwrap();
        ModList::read(&path).unwrap_err();
        assert_eq!(ModList::set_aside(&path).unwrap(), Some(folder.path().join(name)));
        ModList::default().save(&path).unwrap();
        assert_eq!(fs::read(folder.path().join(name)).unwrap(), bad);
    }
}

#[test]
fn what_is_no_file_is_neither_read_nor_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mods.toml");
    fs::create_dir(&path).unwrap();
    assert!(ModList::read(&path).unwrap_err().to_string().ends_with("cannot be read: it is not a file"));
    assert!(ModList::default().save(&path).unwrap_err().to_string().ends_with("it is not a file"));
    ModList::set_aside(&path).unwrap_err();
    assert!(path.is_dir());
    let below_a_file = folder.path().join("mods.toml.txt");
    fs::write(&below_a_file, "").unwrap();
    ModList::default().save(&below_a_file.join("mods.toml")).unwrap_err();

    fs::write(&below_a_file, vec![b'#'; (4 << 20) + 1]).unwrap();
    assert!(matches!(ModList::read(&below_a_file), Err(ModListError::TooLarge)));
    fs::write(&below_a_file, b"\xff").unwrap();
    assert!(matches!(ModList::read(&below_a_file), Err(ModListError::NotText)));
}

#[cfg(unix)]
#[test]
fn links_and_permissions_stay() {
    use std::os::unix::fs::{PermissionsExt, symlink};

    let folder = tempfile::tempdir().unwrap();
    let (link, file) = (folder.path().join("mods.toml"), folder.path().join("elsewhere/mine.toml"));
    symlink("elsewhere/mine.toml", &link).unwrap();
    assert_eq!(ModList::read(&link).unwrap().to_string(), "");
    ModList::default().save(&link).unwrap();
    assert!(file.is_file() && link.is_symlink());
    assert_ne!(fs::metadata(&file).unwrap().permissions().mode() & 0o044, 0, "others may read it, as other files");

    fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
    let mut list = ModList::default();
    list.set_enabled("wind", false);
    list.save(&link).unwrap();
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o640);
    assert!(link.is_symlink() && !ModList::read(&link).unwrap().is_enabled("wind"));

    fs::set_permissions(&file, fs::Permissions::from_mode(0o440)).unwrap();
    assert!(ModList::default().save(&link).unwrap_err().to_string().ends_with("it is for reading only"));
    assert!(!ModList::read(&link).unwrap().is_enabled("wind"));

    assert_eq!(ModList::set_aside(&link).unwrap(), Some(folder.path().join("elsewhere/mine.toml.bad")));
    assert!(link.is_symlink() && !file.exists());

    let circle = folder.path().join("circle.toml");
    symlink("circle.toml", &circle).unwrap();
    ModList::read(&circle).unwrap_err();
    ModList::default().save(&circle).unwrap_err();
}

#[derive(Debug, Clone)]
enum Edit {
    Enable(String, bool),
    Set(String, String, SettingValue),
    Reset(String, String),
}

fn name() -> impl Strategy<Value = String> {
    prop_oneof![3 => "[ab]", 1 => "\\PC{0,3}", 1 => Just("enabled".to_owned()), 1 => Just("settings".to_owned())]
}

fn value() -> impl Strategy<Value = SettingValue> {
    prop_oneof![
        any::<bool>().prop_map(SettingValue::Bool),
        any::<i64>().prop_map(SettingValue::Int),
        any::<f64>().prop_map(SettingValue::Float),
        any::<String>().prop_map(SettingValue::Text),
    ]
}

fn edit() -> impl Strategy<Value = Edit> {
    prop_oneof![
        (name(), any::<bool>()).prop_map(|(id, on)| Edit::Enable(id, on)),
        (name(), name(), value()).prop_map(|(id, name, value)| Edit::Set(id, name, value)),
        (name(), name()).prop_map(|(id, name)| Edit::Reset(id, name)),
    ]
}

/// Entries of other mods and of other programs, in some way to write them.
fn foreign() -> impl Strategy<Value = String> {
    let part = prop_oneof![
        Just("# a comment\n"),
        Just("\n"),
        Just("other.x = 1\n"),
        Just("[mods.zebra]\nenabled = \"?\" # why not\nweight = 0x10\n\n"),
        Just("[mods.a]\n# of a\nnote = '''\nlines\n'''\n"),
        Just("[mods.a.settings]\n# unknown\nold = 1.50\n"),
        Just("[mods.b]\nsettings = { old = 0b1 , older = [ 1, 2 ] } # b\n"),
        Just("[table]\nkey = { a = 1 }\n"),
        Just("[[list]]\nx = 1\n[[list]]\nx = 2\n"),
    ];
    let head = prop_oneof![
        Just(""),
        Just("other.x = 1\nmods.b.settings.old = 1.50 # first\nother.y = 2\nmods.zebra.enabled = false\n"),
        Just("mods = { zebra.weight = 0x10, b = { note = 'x' } } # all of it\n"),
        Just("[mods]\na = { settings = { old = 1.50 } }\nzebra.weight = 0x10\n"),
    ];
    (head, vec(part, 0..4)).prop_map(|(head, parts)| head.to_owned() + &parts.concat())
}

fn equal(a: &SettingValue, b: &SettingValue) -> bool {
    match (a, b) {
        (SettingValue::Float(a), SettingValue::Float(b)) => a == b || a.is_nan() && b.is_nan(),
        _ => a == b,
    }
}

proptest! {
    /// What is set is what is there, the text can be read again, and every line of others stays.
    #[test]
    fn edits_are_kept_and_touch_nothing_else(text in foreign(), edits in vec(edit(), 0..12), crlf: bool) {
        let text = if crlf { text.replace('\n', "\r\n") } else { text };
        let Ok(mut list) = text.parse::<ModList>() else { return Ok(()) };
        let mut expected = (btree_map_of_enabled(&list), std::collections::BTreeMap::new());
        for edit in &edits {
            match edit {
                Edit::Enable(id, on) => {
                    list.set_enabled(id, *on);
                    expected.0.insert(id.clone(), *on);
                }
                Edit::Set(id, name, value) => {
                    list.set_setting(id, name, value);
                    expected.1.insert((id.clone(), name.clone()), Some(value.clone()));
                }
                Edit::Reset(id, name) => {
                    list.reset_setting(id, name);
                    expected.1.insert((id.clone(), name.clone()), None);
                }
            }
        }
        let again: ModList = list.to_string().parse().unwrap();
        for list in [&list, &again] {
            for (id, on) in &expected.0 {
                prop_assert_eq!(list.is_enabled(id), *on, "{} in\n{}", id, list);
            }
            for ((id, name), value) in &expected.1 {
                let found = list.setting(id, name);
                let same = found.as_ref().zip(value.as_ref()).map_or(found.is_none() && value.is_none(), |(a, b)| equal(a, b));
                prop_assert!(same, "{id} {name} {value:?} {found:?} in\n{list}");
            }
        }
        let after = list.to_string();
        for piece in ["# a comment", "# of a", "# why not", "weight = 0x10", "# unknown", "# b", "# first", "# all of it", "lines", "{ a = 1 }",
            "other.x = 1", "other.y = 2", "[[list]]", "zebra"] {
            prop_assert_eq!(text.matches(piece).count(), after.matches(piece).count(), "{} in\n{}\n---\n{}", piece, text, after);
        }
    }

    /// Only values change when the same things are there: line by line the rest is the same.
    #[test]
    fn new_entries_leave_all_lines_as_they_were(text in foreign(), values in btree_map("[c-f]", value(), 1..4), crlf: bool) {
        let text = if crlf { text.replace('\n', "\r\n") } else { text };
        prop_assume!(!text.contains("mods = {"));
        let Ok(mut list) = text.parse::<ModList>() else { return Ok(()) };
        for (id, value) in &values {
            list.set_enabled(id, false);
            list.set_setting(id, "x", value);
        }
        let after = list.to_string();
        let mut rest = after.split('\n');
        for line in text.split('\n').filter(|line| !line.trim().is_empty()) {
            prop_assert!(rest.any(|after| after == line), "{:?} in\n{}", line, after);
        }
    }

    #[test]
    fn any_text_is_a_list_or_an_error(text in "([\\[\\]{}=.,'\"# \n\r]|mods|a|enabled|settings|true|1|\\PC){0,40}") {
        if let Ok(mut list) = text.parse::<ModList>() {
            prop_assert_eq!(list.to_string(), text);
            list.set_enabled("a", false);
            list.set_setting("a", "x", &SettingValue::Int(1));
            let again: ModList = list.to_string().parse().unwrap();
            prop_assert!(!again.is_enabled("a") && again.setting("a", "x") == Some(SettingValue::Int(1)));
            list.reset_setting("a", "x");
            prop_assert_eq!(list.setting("a", "x"), None);
            let _ = list.problems();
        }
    }
}

fn btree_map_of_enabled(list: &ModList) -> std::collections::BTreeMap<String, bool> {
    list.disabled().map(|id| (id.to_owned(), false)).collect()
}
