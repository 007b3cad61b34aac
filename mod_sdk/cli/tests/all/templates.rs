//! `new`, and what comes of it: every template is tested natively, built, and looked at as a game would.

use std::{fs, path::Path, process::Command};

use serde_json::Value;

use crate::support::{Ran, has_target, ran, run, shared, text};

fn cargo(folder: &Path, args: &[&str]) -> Ran {
    let mut command = Command::new(env!("CARGO"));
    shared(command.current_dir(folder));
    ran(command.args(args))
}

/// The report of a file.
fn inspect(folder: &Path, file: &Path) -> Value {
    let json = run(folder, &["inspect", "--json", text(file)]).ok();
    serde_json::from_str(&json).unwrap_or_else(|error| panic!("{error} in {json}"))
}

#[test]
fn every_template_is_a_mod_that_is_tested_and_built_at_once() {
    let root = tempfile::tempdir().expect("a folder");
    let root = root.path();
    fs::create_dir_all(root.join("game/assets")).expect("a folder");
    for (template, system) in [("system", "rise"), ("dice", "throw_dice"), ("component", "fly")] {
        let name = format!("a-{template}");
        run(root, &["new", &name, "--template", template, "--game", "game"]).ok();
        let folder = root.join(&name);
        let tested = cargo(&folder, &["test", "--offline"]).ok();
        assert!(tested.contains("test result: ok") && !tested.contains("running 0 tests"), "{tested}");
        if !has_target() {
            continue;
        }
        let built = run(&folder, &["build"]).ok();
        let file = root.join("game/assets/mods").join(format!("{name}.wasm"));
        assert!(built.contains(&format!("{name} 0.1.0: ")) && file.is_file(), "{built}");
        let report = inspect(root, &file);
        let names: Vec<_> =
            report["systems"].as_array().expect("systems").iter().map(|it| it["name"].as_str()).collect();
        assert!(names.contains(&Some(system)), "{report}");
        let sections = report["sections"].as_array().expect("sections");
        let has = |name: &str| sections.iter().any(|section| section["name"].as_str() == Some(name));
        assert!(
            has("custom `name`") && !sections.iter().any(|it| it["name"].to_string().contains(".debug")),
            "{report}"
        );
        match template {
            "system" => {
                let writes = &report["systems"][1]["access"]["writes"][0];
                assert_eq!(writes, "bevy_transform::components::transform::Transform");
            }
            "dice" => assert_eq!(report["exports"][0]["signature"], "(u32)->u32"),
            _ => {
                assert!(built.contains("a-component"), "{built}");
                assert_eq!(report["kept"][0]["schema"], "{count:u32}");
                assert!(report["types"].to_string().contains("own component"), "{report}");
            }
        }
    }
}

#[test]
fn what_cannot_be_made_is_told() {
    let root = tempfile::tempdir().expect("a folder");
    let root = root.path();
    run(root, &["new", "bees"]).ok();
    run(root, &["new", "bees"]).fails(&["error: bees is there already"]);
    run(root, &["new", "two words"]).fails(&["cannot be the id of a mod", "1 to 64 ASCII letters"]);
    run(root, &["new", "match"]).fails(&["is a word of Rust"]);
    run(root, &["new", "wasps", "--game", "nowhere"]).fails(&["there is no folder nowhere"]);
    run(root, &["new", "wasps", "--sdk", "bees"]).fails(&["holds no bevy_mod_sdk"]);
    assert!(!root.join("wasps").exists(), "nothing is left of what failed");
    let ran = run(root, &["new", "wasps", "--template", "song"]);
    assert!(ran.code == Some(2) && ran.err.contains("system"), "{ran:?}");
}

#[test]
fn a_mod_in_a_workspace_of_somebody_else_is_its_own() {
    let root = tempfile::tempdir().expect("a folder");
    let root = root.path();
    fs::write(root.join("Cargo.toml"), "[workspace]\nmembers = []\n").expect("a file");
    run(root, &["wasm-mod", "new", "bees"]).ok();
    let manifest = fs::read_to_string(root.join("bees/Cargo.toml")).expect("it is there");
    assert!(manifest.contains("[workspace]"), "{manifest}");
    cargo(&root.join("bees"), &["metadata", "--offline", "--format-version", "1", "--no-deps"]).ok();
    run(root, &["new", "wasps", "--template", "dice"]).ok();
    let config = fs::read_to_string(root.join("wasps/.cargo/config.toml")).expect("dice need it");
    assert!(config.contains("getrandom_backend") && !root.join("bees/.cargo").exists(), "{config}");
}
