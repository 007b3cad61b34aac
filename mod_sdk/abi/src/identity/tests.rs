//! Identities, as they should be and as they should not.

use alloc::{borrow::ToOwned, string::ToString, vec};

use super::{
    Dependency, DependencyKind, GameRequirement, Identity, IdentityError, SettingDesc, SettingKind, SettingValue,
};

#[test]
fn written_and_read_again() {
    let identity = Identity {
        abi: 1,
        id: "a-b_9".to_owned(),
        version: "1.2.3".to_owned(),
        name: Some("A: B".to_owned()),
        description: Some("It is there.".to_owned()),
        homepage: Some("https://example.org/a".to_owned()),
        authors: vec!["Ada: the first".to_owned(), "Grace".to_owned()],
        game: Some(GameRequirement { id: "orchard".to_owned(), api: Some("^0.3".to_owned()) }),
        dependencies: vec![
            Dependency::new(DependencyKind::Required, "core", Some("^1")),
            Dependency::new(DependencyKind::Optional, "bees", None),
            Dependency::new(DependencyKind::Incompatible, "frost", Some(">=1, <2")),
        ],
        load_after: vec!["weather".to_owned()],
        load_before: vec!["hud".to_owned(), "sound".to_owned()],
        settings: vec![
            "friendly bool true -".parse().unwrap(),
            "appetite float 1.5 0..10 How fast the beetles eat".parse().unwrap(),
        ],
        codec: "bincode".to_owned(),
    };
    assert_eq!(Identity::parse(identity.to_string().as_bytes()), Ok(identity));
}

#[test]
fn unknown_keys_are_skipped_and_a_later_version_is_readable() {
    assert_eq!(Identity::parse_abi(b"colour: red\nabi: 7\n"), Ok(7));
}

#[test]
fn hostile_sections_are_errors() {
    let check = |section: &[u8], expected: &str| {
        let error = Identity::parse(section).err().map(|e| e.to_string()).unwrap_or_default();
        assert!(error.contains(expected), "{section:?}: {error}");
    };
    check(&[0xff, 0xfe], "not UTF-8");
    check(b"id: x", "`abi`");
    check(b"abi: one", "should be a number");
    check(b"abi: 1\nversion: 1", "`id`");
    check(b"abi: 1\nid: x", "`version`");
    check(b"abi: 1\nid: ../x\nversion: 1", "ASCII letters");
    check(b"abi: 1\nid: \x1b[31m\nversion: 1", "ASCII letters");
    check(b"nonsense", "line 1");
    check(b"abi: 1\nid: x\nversion: 1\nid: x", "states `id` twice");
    check(b"abi: 1\nid: x\nversion: 1\nabi: 1", "states `abi` twice");
    check("abi: 1\nid: x\nversion: 1\u{202e}".as_bytes(), "without control characters");
    for (lines, expected) in [
        ("codec: js\u{202e}on", "without control characters"),
        ("dependency: a\noptional: a", "has `a` twice among the dependencies"),
        ("dependency: a ^1\nincompatible: a", "has `a` twice among the dependencies"),
        ("after: a\nbefore: a", "has `a` twice among the mods to load"),
        ("setting: a bool true -\nsetting: a bool true -", "two settings have the name `a`"),
        ("optional: x", "names itself as another mod, with `optional`"),
        ("before: x", "names itself as another mod, with `before`"),
        ("dependency: a \u{202e}^1", "without control characters"),
        ("setting: a", "name, kind, default and range"),
    ] {
        check(alloc::format!("abi: 1\nid: x\nversion: 1\n{lines}").as_bytes(), expected);
    }
    let many = |key: &str, rest: &str| {
        let lines: alloc::string::String = (0..257).map(|n| alloc::format!("{key}: m{n}{rest}\n")).collect();
        alloc::format!("abi: 1\nid: x\nversion: 1\n{lines}")
    };
    check(many("dependency", "").as_bytes(), "more than 256 dependencies and incompatible mods");
    check(many("after", "").as_bytes(), "more than 256 mods to load after or before");
    check(many("setting", " bool true -").as_bytes(), "more than 256 settings");
    assert_eq!(Identity::parse(many("author", "").as_bytes()).unwrap().authors.len(), 64);
    for key in ["dependency", "optional", "incompatible", "after", "before", "game"] {
        let section = |value: &str| alloc::format!("abi: 1\nid: x\nversion: 1\n{key}: {value}");
        check(section("../x").as_bytes(), "ASCII letters");
        check(section("").as_bytes(), "ASCII letters");
    }
    check(&[b'a'; 70_000], "70000 bytes");
    assert!(Identity::from_file_name("").is_err());
    assert!(matches!(Identity::parse(&[b'\n'; 10]), Err(IdentityError::Missing("abi"))));
}

#[test]
fn texts_are_one_clean_line_each() {
    let identity = Identity {
        abi: 1,
        id: "x".to_owned(),
        version: "1".to_owned(),
        description: Some("First.\nid: y\n\u{202e}Second.".to_owned()),
        codec: "bincode".to_owned(),
        ..Identity::default()
    };
    let read = Identity::parse(identity.to_string().as_bytes()).unwrap();
    assert_eq!((read.id.as_str(), read.description.as_deref()), ("x", Some("First. id: y Second.")));
}

#[test]
fn settings_are_written_and_read_again() {
    for line in [
        "friendly bool true -",
        "friendly bool false - Whether the bees sting",
        "swarm int 40 - How many",
        "swarm int -5 -10..-1",
        "swarm int 40 1..",
        "swarm int 40 ..9223372036854775807 Many",
        "appetite float 1.5 0.0..10.0 How fast - or slow - the beetles eat",
        "appetite float 1e300 -",
        "greeting text \"\" -",
        "greeting text \" Hello, you  there \" - What they say",
        "pace choice slow slow|normal|very-fast How they go",
    ] {
        let setting: SettingDesc = line.parse().unwrap();
        assert_eq!(setting.to_string(), line);
    }
    let setting = SettingDesc {
        name: "appetite".to_owned(),
        kind: SettingKind::Float { default: 2.0, min: Some(0.0), max: None },
        description: "x\ny".to_owned(),
    };
    assert_eq!(setting.to_string(), "appetite float 2.0 0.0.. x y");
}

#[test]
fn settings_that_are_wrong_are_explained() {
    for (line, expected) in [
        ("", "name, kind, default and range"),
        ("a bool", "name, kind, default and range"),
        ("a bool true", "name, kind, default and range"),
        ("../a bool true -", "a name of 1 to 64"),
        ("a flag true -", "`bool`, `int`, `float`, `text` or `choice`"),
        ("a bool yes -", "`true` or `false`"),
        ("a bool true 0..1", "`true` or `false`"),
        ("a int 1.5 -", "a whole number"),
        ("a int +1 -", "a whole number"),
        ("a int 9223372036854775808 -", "a whole number"),
        ("a int 1 2", "a range of finite numbers"),
        ("a int 1 ..", "a range of finite numbers"),
        ("a int 1 5..0", "begins below its end"),
        ("a int 11 0..10", "a default within the range"),
        ("a float nan -", "a finite number"),
        ("a float inf -", "a finite number"),
        ("a float 1e999 -", "a finite number"),
        ("a float .5 -", "a finite number"),
        ("a float 1 0...5", "a range of finite numbers"),
        ("a float 1 0..inf", "a range of finite numbers"),
        ("a float 1 nan..2", "a range of finite numbers"),
        ("a float 1 5.5..0", "begins below its end"),
        ("a float 1 2..3", "a default within the range"),
        ("a text hello -", "in double quotes"),
        ("a text hello - a \"b\" c", "in double quotes"),
        ("a text \"hello -", "in double quotes"),
        ("a text \"a\"b\" -", "in double quotes"),
        ("a text \"hello\" 0..1", "in double quotes"),
        ("a text \"a\u{202e}b\" -", "in double quotes"),
        ("a choice x -", "a default that is one of the choices"),
        ("a choice x x|../y", "1 to 64 choices"),
        ("a choice x x||y", "1 to 64 choices"),
        ("a choice x x|y|x", "all different"),
        ("a choice z x|y", "one of the choices"),
    ] {
        let error = line.parse::<SettingDesc>().unwrap_err().to_string();
        assert!(error.contains(expected), "{line}: {error}");
    }
    let long = alloc::format!("a text \"{}\" -", "x".repeat(257));
    assert!(long.parse::<SettingDesc>().is_err());
}

#[test]
fn fields_hold_settings_or_are_explained() {
    use crate::Schema;

    let check = |line: &str, schema: &str| {
        let setting = line.parse::<SettingDesc>().unwrap();
        let schema = Schema::parse(schema).unwrap();
        let fits = setting.check_field(&schema);
        let encoded = setting.encode_field(&setting.default_value(), &schema, &mut alloc::vec::Vec::new());
        assert!(fits.is_err() || encoded.is_ok(), "{line} {schema}: {encoded:?}");
        fits.err().unwrap_or_default()
    };
    for (line, schema) in [
        ("a bool true -", "bool"),
        ("a int 1 0..255", "u8"),
        ("a int 1 -128..127", "i8"),
        ("a int 1 0..", "u128"),
        ("a int 1 -", "i64"),
        ("a float 1 -", "f32"),
        ("a text \"\" -", "str"),
        ("a choice x x|y", "str"),
        ("a choice x x|y_2", "<Y2|Z|X>"),
    ] {
        assert_eq!(check(line, schema), "", "{line} {schema}");
    }
    for (line, schema, expected) in [
        ("a bool true -", "u8", "a `bool`"),
        ("a int 1 0..256", "u8", "from 0 to 256"),
        ("a int 1 -1..1", "u64", "from -1 to 1"),
        ("a int 1 -", "f64", "an integer"),
        ("a float 1 -", "i64", "an `f32` or an `f64`"),
        ("a text \"\" -", "char", "a text"),
        ("a choice x x|y", "<X(u8)|Y>", "without fields"),
        ("a choice x x|y", "{x:u8}", "without fields"),
    ] {
        assert!(check(line, schema).contains(expected), "{line} {schema}");
    }
}

#[test]
fn values_are_taken_or_refused() {
    let check = |line: &str, value: SettingValue, expected: &str| {
        let refusal = line.parse::<SettingDesc>().unwrap().check(&value).err();
        assert_eq!(refusal.map(|refusal| refusal.to_string()).unwrap_or_default(), expected, "{line}");
    };
    let text = |text: &str| SettingValue::Text(text.to_owned());
    check("a bool true -", SettingValue::Bool(false), "");
    check("a bool true -", SettingValue::Int(1), "the setting `a` should be `true` or `false`, not 1");
    check("a int 1 0..3", SettingValue::Int(3), "");
    check("a int 1 0..3", SettingValue::Int(4), "the setting `a` should be a whole number from 0 to 3, not 4");
    check("a int 1 -", SettingValue::Float(1.0), "the setting `a` should be a whole number, not 1");
    check("a float 1 0..", SettingValue::Int(4), "");
    check("a float 1 0..", SettingValue::Float(-0.5), "the setting `a` should be a number of at least 0, not -0.5");
    check("a float 1 -", SettingValue::Float(f64::NAN), "the setting `a` should be a number, not NaN");
    check(
        "a float 1 ..2",
        SettingValue::Float(f64::INFINITY),
        "the setting `a` should be a number of at most 2, not inf",
    );
    check("a text \"\" -", text("say \"hi\""), "");
    check("a text \"\" -", text("a\nb"), "the setting `a` should be a line of at most 256 characters, not \"a b\"");
    check("a choice x x|y", text("y"), "");
    check("a choice x x|y", text("z"), "the setting `a` should be one of `x`, `y`, not \"z\"");
}
