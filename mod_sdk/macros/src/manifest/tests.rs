//! Tables as modders write them, and as they should not.

use mod_abi::{Dependency, DependencyKind, GameRequirement, Identity, codec::Codec};

use super::{Manifest, available, needs::why_not_callable, wrong_path};

fn package() -> Identity {
    Identity { abi: 3, id: "pests".to_owned(), version: "1.0.0".to_owned(), ..Identity::default() }
}

#[track_caller]
fn identity(table: &str) -> Identity {
    let (manifest, problems) = Manifest::parse(&format!("[package.metadata.mod]\n{table}\n"), package());
    assert_eq!(problems, [], "{table}");
    let identity = manifest.identity;
    assert_eq!(Identity::parse(identity.to_string().as_bytes()).as_ref(), Ok(&identity), "{table}");
    identity
}

/// The first line of the table is line 2.
#[track_caller]
fn check(table: &str, expected: &[&str]) {
    let (_, problems) = Manifest::parse(&format!("[package.metadata.mod]\n{table}\n"), package());
    let problems: Vec<_> = problems.into_iter().map(|problem| problem.text).collect();
    assert_eq!(problems.len(), expected.len(), "{table}: {problems:#?}");
    for (problem, expected) in problems.iter().zip(expected) {
        assert!(problem.starts_with(&format!("Cargo.toml:{expected}")), "{table}: {problem}");
    }
}

#[test]
fn the_codec_is_read() {
    for (text, codec) in [
        ("", Codec::Bincode),
        ("[package]\nname = \"x\"\n", Codec::Bincode),
        ("[package.metadata.docs.rs]\nall-features = true\n", Codec::Bincode),
        ("[package.metadata.mod]\n", Codec::Bincode),
        ("[package.metadata.mod]\ncodec = \"bincode\"\n", Codec::Bincode),
        ("[package.metadata.mod]\ncodec = \"json\" # for JavaScript\n", Codec::Json),
        ("[package]\nmetadata = { mod = { codec = 'nanoserde-json' } }\n", Codec::NanoserdeJson),
        ("package.metadata.mod.codec = \"json\"\n", Codec::Json),
    ] {
        let (manifest, problems) = Manifest::parse(text, package());
        assert_eq!((manifest.codec, problems.len()), (codec, 0), "{text}");
        assert_eq!(manifest.identity, Identity { codec: codec.name().to_owned(), ..package() });
    }
}

#[test]
fn all_of_the_table_is_read() {
    let read = identity(
        r#"
        id = "orchard_pests"
        name = "Orchard Pests"
        game = { id = "orchard", api = "^0.3" }
        after = ["trees", "weather"]
        before = ["hud"]
        codec = "bincode"
        [package.metadata.mod.dependencies]
        zebras = "1"
        bees = { version = ">=1, <3", optional = true }
        ants = {}
        [package.metadata.mod.incompatible]
        frost = "*"
        [package.metadata.mod.settings]
        swarm = { type = "int", default = 0x28, min = 1 }
        appetite = { type = "float", default = 1.5, min = 0, max = 10, description = "How fast they\neat" }
        friendly = { type = "bool", default = true }
        [package.metadata.mod.settings.greeting]
        type = "text"
        default = "Hello, you"
        [package.metadata.mod.settings.pace]
        type = "choice"
        default = "slow"
        choices = ["slow", "fast"]
        "#,
    );
    assert_eq!((read.id.as_str(), read.name.as_deref()), ("orchard_pests", Some("Orchard Pests")));
    assert_eq!(read.game, Some(GameRequirement { id: "orchard".to_owned(), api: Some("^0.3".to_owned()) }));
    assert_eq!(
        read.dependencies,
        [
            Dependency::new(DependencyKind::Required, "zebras", Some("^1")),
            Dependency::new(DependencyKind::Optional, "bees", Some(">=1, <3")),
            Dependency::new(DependencyKind::Required, "ants", None),
            Dependency::new(DependencyKind::Incompatible, "frost", Some("*")),
        ]
    );
    assert_eq!((read.load_after, read.load_before), (vec!["trees".into(), "weather".into()], vec!["hud".into()]));
    let settings: Vec<_> = read.settings.iter().map(ToString::to_string).collect();
    assert_eq!(
        settings,
        [
            "swarm int 40 1..",
            "appetite float 1.5 0.0..10.0 How fast they eat",
            "friendly bool true -",
            "greeting text \"Hello, you\" -",
            "pace choice slow slow|fast",
        ]
    );
    assert_eq!(identity("game = 'orchard'").game, Some(GameRequirement { id: "orchard".to_owned(), api: None }));
}

#[test]
fn the_folder_of_mods_is_read() {
    let folder = |table: &str| Manifest::parse(&format!("[package.metadata.mod]\n{table}\n"), package()).0.folder;
    assert_eq!((folder(""), folder("folder = 'data/addons'")), ("mods".to_owned(), "data/addons".to_owned()));
    for (path, is_right) in [
        ("leaf.png", true),
        ("a/b c/leaf.gltf#Scene0", true),
        ("", false),
        ("/leaf.png", false),
        ("a//b", false),
        ("../leaf.png", false),
        ("./leaf.png", false),
        ("a/..", false),
        ("a\\b", false),
        ("http://leaf", false),
    ] {
        assert_eq!(wrong_path(path).is_none(), is_right, "{path}");
    }
}

#[test]
fn what_is_wrong_is_said_at_its_line() {
    let codecs = "2: there is no codec \"yaml\"; `codec` should be one of \"bincode\", \"json\", \"nanoserde-json\"";
    check("codec = \"yaml\"", &[codecs]);
    check("codec = 3", &["2: `codec` should be one of"]);
    check(
        "codecs = \"json\"",
        &["2: `package.metadata.mod` has no key `codecs`; did you mean `codec`? (the keys are `id`, `name`, `game`"],
    );
    check(
        "colour = 1\nid = 2",
        &["2: `package.metadata.mod` has no key `colour` (the keys", "3: `package.metadata.mod.id` should be a text"],
    );
    check("id = \"../x\"", &["2: \"../x\" should be 1 to 64 ASCII letters"]);
    check("game = 1", &["2: `game` should be a text, or a table"]);
    check("game = {}", &["2: `game` should state the game's `id`"]);
    check(
        "game = { id = \"x\", api = \"new\" }",
        &["2: `package.metadata.mod.game.api` should be a version requirement"],
    );
    check("dependencies = [\"bees\"]", &["2: `package.metadata.mod.dependencies` should be a table"]);
    check("dependencies.bees = 1", &["2: `package.metadata.mod.dependencies.bees` should be a version requirement"]);
    check(
        "dependencies.bees = { versoin = \"1\" }",
        &["2: `package.metadata.mod.dependencies.bees` has no key `versoin`; did you mean `version`?"],
    );
    check(
        "dependencies.bees = { optional = 1 }",
        &["2: `package.metadata.mod.dependencies.bees.optional` should be `true`"],
    );
    check(
        "\ndependencies.bees = \"1\"\n\nincompatible.bees = \"<1\"",
        &["5: `bees` is there twice among the dependencies and incompatible mods"],
    );
    check("dependencies.pests = \"1\"", &["2: `pests` is this mod itself"]);
    check("dependencies.wasps = \"1\"\nid = \"wasps\"", &["2: `wasps` is this mod itself"]);
    check("dependencies.\"a b\" = \"1\"", &["2: \"a b\" should be 1 to 64"]);
    check(
        "folder = \"../x\"",
        &["2: `package.metadata.mod.folder` should be a folder inside the game's assets: it should"],
    );
    check("folder = 1", &["2: `package.metadata.mod.folder` should be a text"]);
    check("after = \"x\"", &["2: `package.metadata.mod.after` should be a list of texts"]);
    check(
        "after = [\"x\"]\nbefore = [1, \"x\"]",
        &["3: `package.metadata.mod.before` should be a list", "3: `x` is there twice"],
    );
}

#[test]
fn settings_that_are_wrong_are_said_at_their_line() {
    let setting =
        |lines: &str, expected: &[&str]| check(&format!("[package.metadata.mod.settings.x]\n{lines}"), expected);
    let missing = "2: `package.metadata.mod.settings.x` should state its `type` and its `default`";
    setting("type = \"int\"", &[missing]);
    setting("default = 1", &[missing]);
    setting("type = \"flag\"\ndefault = 1", &["3: `package.metadata.mod.settings.x.type` should be \"bool\", \"int\""]);
    setting(
        "type = \"bool\"\ndefault = 1",
        &["4: `package.metadata.mod.settings.x.default` should be `true` or `false`"],
    );
    setting(
        "type = \"int\"\ndefault = 1.5",
        &["4: `package.metadata.mod.settings.x.default` should be a whole number"],
    );
    setting(
        "type = \"float\"\ndefault = nan",
        &["4: `package.metadata.mod.settings.x.default` should be a finite number"],
    );
    setting(
        "type = \"int\"\ndefault = 3\nmax = 2",
        &["2: `package.metadata.mod.settings.x` should have a default within the range"],
    );
    setting(
        "type = \"int\"\ndefault = 3\nmin = 5\nmax = 2",
        &["2: `package.metadata.mod.settings.x` should have a range that begins below"],
    );
    setting("type = \"bool\"\ndefault = true\nmin = 5", &["5: a setting of the type \"bool\" has no `min`"]);
    setting(
        "type = \"text\"\ndefault = 'say \"hi\"'",
        &["2: `package.metadata.mod.settings.x` should have a default of at most 256"],
    );
    setting(
        "type = \"text\"\ndefault = \"a\\nb\"",
        &["2: `package.metadata.mod.settings.x` should have a default of at most 256"],
    );
    setting(
        "type = \"choice\"\ndefault = \"a\"",
        &["2: `package.metadata.mod.settings.x` should have 1 to 64 choices"],
    );
    setting(
        "type = \"choice\"\ndefault = \"a\"\nchoices = [\"b c\"]",
        &["2: `package.metadata.mod.settings.x` should have 1 to 64"],
    );
    setting(
        "type = \"choice\"\ndefault = \"a\"\nchoices = [\"b\"]",
        &["2: `package.metadata.mod.settings.x` should have a default that"],
    );
    setting("type = \"int\"\ndefault = 1\nmaximum = 2", &["5: `package.metadata.mod.settings.x` has no key `maximum`"]);
    check("settings.\"a b\" = 1", &["2: \"a b\" should be 1 to 64"]);
    check("settings.a = 1", &["2: `package.metadata.mod.settings.a` should be a table"]);
    check("settings = 1", &["2: `package.metadata.mod.settings` should be a table"]);
}

#[test]
fn values_of_settings_are_checked_one_by_one() {
    let setting =
        |lines: &str, expected: &[&str]| check(&format!("[package.metadata.mod.settings.x]\n{lines}"), expected);
    const X: &str = "`package.metadata.mod.settings.x";
    let at = |line: usize, rest: &str| format!("{line}: {X}{rest}");
    let one = |lines: &str, line: usize, rest: &str| setting(lines, &[&at(line, rest)]);
    one("type = 1\ndefault = 1", 3, ".type` should be a text");
    one("type = \"int\"\ndefault = \"1\"", 4, ".default` should be a whole number of 64 bits");
    one("type = \"int\"\ndefault = 9223372036854775808", 4, ".default` should be a whole number of 64 bits");
    one("type = \"int\"\ndefault = 1\n\nmin = \"0\"", 6, ".min` should be a whole number of 64 bits");
    one("type = \"int\"\ndefault = 1\nmin = 0\nmax = 1.5", 6, ".max` should be a whole number of 64 bits");
    one("type = \"float\"\ndefault = \"1\"", 4, ".default` should be a finite number");
    one("type = \"float\"\ndefault = 1\nmax = inf", 5, ".max` should be a finite number");
    one("type = \"float\"\ndefault = 11\nmax = 10", 2, "` should have a default within the range");
    one("type = \"text\"\ndefault = true", 4, ".default` should be a text");
    one("type = \"choice\"\nchoices = [\"a\"]\ndefault = 1", 5, ".default` should be a text");
    one(
        "type = \"choice\"\ndefault = \"a\"\nchoices = [\"a\", \"a\"]",
        2,
        "` should have a list of choices that are all",
    );
    one("type = \"bool\"\ndefault = true\ndescription = 1", 5, ".description` should be a text");
    // What is wrong with the list leaves it empty, which is wrong, too.
    setting(
        "type = \"choice\"\ndefault = \"a\"\nchoices = \"a\"",
        &[&at(5, ".choices` should be a list of texts"), &at(2, "` should have 1 to 64 choices")],
    );
    setting(
        "type = \"choice\"\ndefault = \"a\"\nchoices = [\n    \"a\",\n    1,\n]",
        &[&at(7, ".choices` should be a list of texts")],
    );
    setting("type = \"int\"\ndefault = 1\nchoices = [\"a\"]", &["5: a setting of the type \"int\" has no `choices`"]);
    setting(
        "type = \"choice\"\ndefault = \"a\"\nchoices = [\"a\"]\nmin = 1\nmax = 2",
        &["6: a setting of the type \"choice\" has no `min`", "7: a setting of the type \"choice\" has no `max`"],
    );
    // Two settings, each with its own line.
    check(
        "settings.a = { type = \"int\", default = true }\nsettings.b = { type = \"bool\", default = 0 }",
        &[
            "2: `package.metadata.mod.settings.a.default` should be a whole number",
            "3: `package.metadata.mod.settings.b.default` should be `true` or `false`",
        ],
    );
}

#[test]
fn what_is_no_toml_is_said_at_its_line() {
    check("id = \"pests\"\nname = \"Pests", &["3: "]);
    check("id = \"pests\"\nid = \"wasps\"", &["3: "]);
    check("after = [\"x\"\n", &["2: unclosed array"]);
    check("incompatible.bees = 1", &["2: `package.metadata.mod.incompatible.bees` should be a version requirement"]);
    check(
        "dependencies.bees = { version = 1 }",
        &["2: `package.metadata.mod.dependencies.bees.version` should be a version requirement"],
    );
    check("before = [\"pests\"]", &["2: `pests` is this mod itself"]);
    check("game = { id = 1 }", &["2: `package.metadata.mod.game.id` should be a text"]);
    check("game = { name = \"x\" }", &["2: `package.metadata.mod.game` has no key `name`", "2: `game` should state"]);
}

#[test]
fn only_what_concerns_functions_is_told_at_each_of_them() {
    for (text, is_of_functions) in [
        ("[package", true),
        ("[package]\nmetadata.mod = \"json\"\n", true),
        ("[package.metadata.mod]\ncodec = 1\n", true),
        ("[package.metadata.mod]\nname = 1\n", false),
    ] {
        let (_, problems) = Manifest::parse(text, package());
        assert_eq!(problems.len(), 1, "{text}");
        assert!(problems.iter().all(|problem| problem.is_of_functions == is_of_functions), "{text}");
        assert!(problems.iter().all(|problem| problem.text.starts_with("Cargo.toml:")), "{text}");
    }
    let (_, problems) = Manifest::parse("[package]\nmetadata.mod = \"json\"\n", package());
    assert_eq!(problems.first().map(|problem| problem.text.as_str()), Some("Cargo.toml:2: `mod` should be a table"));
}

#[test]
fn a_codec_that_the_sdk_does_not_have_names_its_feature() {
    for (codec, feature, is_there) in [
        (Codec::Json, "json", cfg!(feature = "json")),
        (Codec::NanoserdeJson, "nanoserde", cfg!(feature = "nanoserde")),
    ] {
        match available(codec) {
            Ok(()) => assert!(is_there),
            Err(error) => {
                assert!(!is_there);
                assert!(error.contains(&format!("states the codec \"{codec}\"")), "{error}");
                assert!(error.contains(&format!("features = [\"{feature}\"]")), "{error}");
            }
        }
    }
    assert_eq!(available(Codec::Bincode), Ok(()));
}

#[test]
fn only_dependencies_can_be_called() {
    let identity = identity(
        "[package.metadata.mod.dependencies]\nbees = \"^1\"\nwasps = { optional = true }\n\
         [package.metadata.mod.incompatible]\nfrost = \"*\"",
    );
    for (id, expected) in [
        ("bees", None),
        ("wasps", None),
        (
            "bee",
            Some(
                "this mod does not depend on `bee`: write `bee = \"*\"`, or the versions that it works with, under \
            `[package.metadata.mod.dependencies]` in Cargo.toml; did you mean `bees`?",
            ),
        ),
        (
            "frosts",
            Some(
                "this mod does not depend on `frosts`: write `frosts = \"*\"`, or the versions that it works with, \
            under `[package.metadata.mod.dependencies]` in Cargo.toml",
            ),
        ),
        ("frost", Some("Cargo.toml states `frost` under `[package.metadata.mod.incompatible]`")),
        ("pests", Some("`pests` is this mod itself: call the function without an import")),
    ] {
        assert_eq!(why_not_callable(&identity, id).as_deref(), expected);
    }
}
