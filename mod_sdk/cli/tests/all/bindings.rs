//! `bindings`: what comes out compiles, means the game's types, and says why something is missing.

use std::{fs, process::Command};

use crate::support::{has_target, ran, repository, run, shared, text};

const USES: &str = r#"//! Uses what the game offers.

mod game;

use game::{Blossomed, Fruit, GROWTH, Gale, Grower, Hour, OrchardRooted, Pantry, Quince, Ripe, Sealed, TwinRooted, Uprooted};
use mod_sdk::prelude::*;

#[mod_main]
fn main(app: &mut App) {
    app.add_systems(Update, (grow.run_if(in_state(Hour::Dusk)).after(GROWTH), look, stock, hear))
        .add_systems(OnEnter(Hour::Dawn), wake)
        .add_observer(on_gale);
}

fn grow(mut trees: Query<(&mut Quince, &OrchardRooted), Without<TwinRooted>>) {
    for (mut tree, _) in &mut trees {
        tree.height += 1.0;
        tree.fruits.push(Fruit::Yellow { weight: 3 });
        tree.place.0 += 1;
    }
}

fn look(growers: Query<(&Grower, &Uprooted), With<Sealed>>) {
    for (grower, uprooted) in &growers {
        info!("{} {}", grower.name, uprooted.years);
    }
}

fn stock(mut pantry: ResMut<Pantry>) {
    pantry.prices.insert("quince".to_owned(), 3);
    let first = pantry.owners.iter().next().copied();
    info!("{first:?} {} {} {}", game::count(), game::name(), game::prune("quince".to_owned(), 0.5));
    let _ = game::graft(None);
}

fn hear(mut ripe: MessageReader<Ripe>, mut blossomed: MessageWriter<Blossomed>) {
    for Ripe(_) in ripe.read() {
        blossomed.write(Blossomed { count: 1 });
    }
}

fn wake() {}

fn on_gale(gale: On<Gale>) {
    info!("{}", gale.force);
}
"#;

#[test]
fn the_bindings_of_a_game_compile_and_agree_with_it() {
    let root = tempfile::tempdir().expect("a folder");
    let api = repository("tests/golden/game-api.json");
    run(root.path(), &["new", "gardener"]).ok();
    let folder = root.path().join("gardener");
    let said = run(&folder, &["bindings", text(&api), "--out", "src/game.rs"]).ok();
    assert!(said.contains("wrote 12 types and 4 functions to src/game.rs") && said.contains("1 is left out"), "{said}");
    fs::write(folder.join("src/lib.rs"), USES).expect("it is written");
    let mut command = Command::new(env!("CARGO"));
    shared(&mut command);
    let mut checked = ran(command.args(["check", "--offline"]).current_dir(&folder));
    assert!(!checked.err.contains("warning: unused"), "{}", checked.err);
    checked.out.clear();
    checked.ok();
    if !has_target() {
        return;
    }
    fs::create_dir_all(root.path().join("game/assets")).expect("a folder");
    run(&folder, &["build", "--game", "../game"]).ok();
    let file = root.path().join("game/assets/mods/gardener.wasm");
    let checked = run(root.path(), &["check", text(&file), "--game", text(&api)]);
    assert!(checked.ok().starts_with("gardener 0.1.0 will load in orchard 0.3.1\n"));
}

#[test]
fn the_module_is_documented_and_says_what_is_missing() {
    let root = tempfile::tempdir().expect("a folder");
    let module = run(root.path(), &["bindings", text(&repository("tests/golden/game-api.json"))]).ok();
    for part in [
        "//! What `orchard` 0.3.1 offers to mods.",
        "/// A tree with apples that are none.\n///\n///     They are yellow.\n",
        "    /// In metres.\n    pub height: f32,\n    pub fruits: Vec<Fruit>,\n    pub picture: String,\n",
        "    pub planted_by: Option<Entity>,\n    pub place: (i16, i16),\n",
        "    Yellow {\n        /// In grams.\n        weight: u16,\n    },\n    Eaten(String, [f64; 2]),\n",
        "/// Mods cannot write it: it is an immutable component.\n",
        "#[component(path = \"all::api::orchard::Grower\", partial)]\npub struct Grower {\n    pub name: String,\n}\n",
        "    pub prices: BTreeMap<String, u32>,\n    pub owners: HashSet<u64>,\n",
        "#[states(path = \"all::api::orchard::Hour\")]\npub enum Hour {\n    Dawn,\n    Dusk,\n}\n",
        "#[import]\npub fn graft(arg1: Option<char>) -> Ticket<Vec<u64>>;\n",
        "pub const GROWTH: GameSet = GameSet(\"growth\");\n",
        "// - all::api::orchard::Hail: it contains `uuid::Uuid`, which has no form that can cross to a mod\n",
    ] {
        assert!(module.contains(part), "no {part:?} in {module}");
    }
}

/// A game that somebody wrote to do harm, or that has names that a mod has not.
const ODD: &str = r#"{ "format": 1, "abi": 3,
    "components": [
        { "path": "a::Option", "can": ["filter", "read"] },
        { "path": "a::Evil", "can": ["filter", "read"] },
        { "path": "a::Keyed", "can": ["filter", "read"] },
        { "path": "a::Endless", "can": ["filter", "read"] },
        { "path": "bevy_transform::components::transform::Transform", "can": ["filter", "read", "write"] }
    ],
    "functions": [
        { "name": "sell", "args": ["{jars:u32}"], "takes": "a::Basket", "returns": "()" },
        { "name": "send", "args": ["{jars:u32}"], "takes": "a::Crate", "returns": "a::Crate" },
        { "name": "odd name", "args": [], "takes": "()", "returns": "()" },
        { "name": "match", "args": [], "takes": "()", "returns": "()" },
        { "name": "look", "args": ["str"], "takes": "&str", "returns": "()" }
    ],
    "types": [
        { "path": "a::Crate", "schema": "{jars:u32}", "kind": "struct", "fields": [{ "name": "jars", "type": "u32" }] },
        { "path": "a::Option", "schema": "{type:u8}", "kind": "struct", "fields": [{ "name": "type", "type": "u8" }] },
        { "path": "a::Evil", "schema": "{x:u8}", "docs": "a\u001b[2J\r\n}; fn evil() {} /*", "kind": "struct",
          "fields": [{ "name": "x: u8 } fn evil() {} struct Y { y", "type": "u8" }] },
        { "path": "a::Keyed", "schema": "{of:{f32=>u8}}", "kind": "struct", "fields": [{ "name": "of", "type": "a::Map" }] },
        { "path": "a::Map", "schema": "{f32=>u8}", "kind": "map", "key": "f32", "value": "u8" },
        { "path": "a::Endless", "schema": "{of:u8}", "kind": "struct", "fields": [{ "name": "of", "type": "a::Endless" }] },
        { "path": "bevy_transform::components::transform::Transform", "schema": "{}", "kind": "struct", "fields": [] }
    ] }"#;

#[test]
fn odd_names_do_no_harm_and_what_is_left_out_is_told() {
    let root = tempfile::tempdir().expect("a folder");
    fs::write(root.path().join("odd.json"), ODD).expect("it is written");
    let module = run(root.path(), &["bindings", "odd.json"]).ok();
    for part in [
        "pub struct AOption {\n    pub r#type: u8,\n}\n",
        "#[derive(Reflect, Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]\n#[serde(crate = \"mod_sdk::serde\")]\npub struct Crate {",
        "pub fn send(arg1: Crate) -> Crate;",
        "pub fn r#match();",
        "// - bevy_transform::components::transform::Transform: `Transform`\n",
        "// - sell: the file does not say what `a::Basket` is made of\n",
        "// - odd name: its name is none of Rust\n",
        "// - look: `&str` is nothing that a mod can write down\n",
        "#[component(path = \"a::Keyed\", partial)]\n",
    ] {
        assert!(module.contains(part), "no {part:?} in {module}");
    }
    let code: String = module.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
    assert!(!code.contains("evil") && !module.contains('\u{1b}'), "{module}");
    fs::write(root.path().join("late.json"), "{ \"format\": 99 }").expect("it is written");
    run(root.path(), &["bindings", "late.json"]).fails(&["late.json: the game-api.json has the format 99"]);
    run(root.path(), &["bindings", "nowhere.json"]).fails(&["nowhere.json cannot be read", "ModSettings::api_export"]);
}
