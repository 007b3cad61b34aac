//! What the crate registry asks of a crate: each one is either published, with all that belongs to it, or says that it is not.

use std::{fs, path::Path};

use crate::links::texts;

/// What is published. A new crate is one of these, or has `publish = false`.
const PUBLISHED: &[&str] = &["", "mod_host/", "mod_sdk/", "mod_sdk/abi/", "mod_sdk/cli/", "mod_sdk/macros/"];

#[test]
fn every_crate_is_ready_for_the_registry_or_not_meant_for_it() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let manifests = texts(root, "toml");
    let findings: Vec<String> = manifests.iter().flat_map(|(path, text)| problems(path, text)).collect();
    assert!(findings.is_empty(), "{} findings:\n{}", findings.len(), findings.join("\n"));
    for folder in PUBLISHED.iter().filter(|folder| manifests.contains_key(&format!("{folder}Cargo.toml"))) {
        assert!(root.join(folder).join("README.md").is_file(), "`{folder}` has no README.md");
        for license in ["LICENSE-APACHE", "LICENSE-MIT"] {
            let read = |path: &Path| fs::read_to_string(path).unwrap_or_else(|error| panic!("{path:?}: {error}"));
            let same = read(&root.join(folder).join(license)) == read(&root.join(license));
            assert!(same, "`{folder}{license}` should be a copy of the file at the root");
        }
    }
}

fn problems(path: &str, text: &str) -> Vec<String> {
    let Some(folder) = path.strip_suffix("Cargo.toml") else { return Vec::new() };
    let Some((_, package)) = text.split_once("[package]\n") else { return Vec::new() };
    // Up to the next table.
    let package = package.split_once("\n[").map_or(package, |(package, _)| package);
    let keys: Vec<&str> = package.lines().filter_map(|line| line.split(['.', ' ', '=']).next()).collect();
    let is_private = package.lines().any(|line| ["publish = false", "publish.workspace = true"].contains(&line));
    match (PUBLISHED.contains(&folder), is_private) {
        (true, true) => vec![format!("{path} says that it is not published; tests/all/packages.rs should not list it")],
        (false, false) => {
            vec![format!("{path} should have `publish = false`, or stand in the list of tests/all/packages.rs")]
        }
        (false, true) => Vec::new(),
        (true, false) => {
            let wanted = ["description", "keywords", "categories", "readme", "license", "rust-version", "include"];
            let missing = wanted.iter().filter(|key| !keys.contains(key));
            missing.map(|key| format!("{path} is of a crate that is published, and has no `{key}`")).collect()
        }
    }
}

#[test]
fn every_feature_stands_in_a_table() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let read = |path: &str| fs::read_to_string(root.join(path)).unwrap_or_else(|error| panic!("{path}: {error}"));
    let pairs = [
        ("Cargo.toml", "docs/hosting_mods.md"),
        ("mod_host/Cargo.toml", "mod_host/README.md"),
        ("mod_sdk/Cargo.toml", "mod_sdk/README.md"),
        ("mod_sdk/abi/Cargo.toml", "mod_sdk/abi/README.md"),
    ];
    for (manifest, table) in pairs {
        let missing = features_without_a_line(&read(manifest), &read(table));
        assert!(missing.is_empty(), "{table} has no line for these features of {manifest}: {missing:?}");
    }
}

fn features_without_a_line(manifest: &str, table: &str) -> Vec<String> {
    let features = manifest.split_once("[features]\n").map_or("", |(_, rest)| rest);
    let features = features.split_once("\n[").map_or(features, |(features, _)| features);
    let names = features.lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.split_once(" = "));
    let names = names.map(|(name, _)| name.to_owned()).filter(|name| name != "default");
    names.filter(|name| !table.contains(&format!("\n| `{name}` |"))).collect()
}

#[test]
fn what_is_missing_is_found() {
    assert_eq!(problems("examples/a/Cargo.toml", "[package]\nname = \"a\"\npublish = false\n"), [""; 0]);
    assert_eq!(problems("examples/a/Cargo.toml", "[package]\nname = \"a\"\npublish.workspace = true\n"), [""; 0]);
    assert_eq!(problems("examples/a/Cargo.toml", "[package]\nname = \"a\"\n\n[x]\npublish = false\n").len(), 1);
    assert_eq!(problems("examples/a/Cargo.toml", "[workspace]\nmembers = []\n"), [""; 0]);
    assert_eq!(problems("deny.toml", "[package]\n"), [""; 0]);
    let text = "[package]\nname = \"a\"\ndescription = \"A\"\nkeywords = []\nreadme = \"README.md\"\n\
                license.workspace = true\ninclude = []\n";
    let found = problems("mod_host/Cargo.toml", text);
    assert!(found.len() == 2 && found[0].contains("`categories`") && found[1].contains("`rust-version`"), "{found:?}");
    assert_eq!(problems("mod_host/Cargo.toml", "[package]\npublish = false\n").len(), 1);
    let manifest =
        "[package]\n\n[features]\ndefault = [\"a\"]\n## What it is.\na = []\nb_c = [\"a\"]\n\n[dependencies]\nd = 1\n";
    assert_eq!(features_without_a_line(manifest, "| feature |\n|---|\n| `a` | x |\n"), ["b_c"]);
}
