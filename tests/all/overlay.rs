//! The panel of mods, worked as a player does: keys come as Bevy's messages, and a click as Bevy's UI tells of it. What is checked is
//! what stands on the buttons and what becomes of the mods.

use bevy::{
    input::{
        ButtonState, InputPlugin,
        keyboard::{Key, KeyCode, KeyboardInput},
    },
    prelude::{ButtonInput, ChildOf, Children, Entity, Name, Res, ResMut, Resource, Update, With, World},
};
use bevy_ui::{
    Interaction, Node, Val,
    widget::{Button, Text},
};
use bevy_wasm_mods::{
    SettingValue,
    prelude::{ModSettings, Mods, ModsOverlay, ModsOverlayPlugin},
};

use crate::support::{Game, Mod, with_mods};

const SETTINGS: [&str; 4] = [
    "hunting bool true - Whether they hunt",
    "appetite int 7 0..9 How much they eat",
    "mood choice calm calm|wild",
    "motto text \"eat\" -",
];

/// A game with the mods `pests`, which has settings, and `wind`, and a panel that was opened by its key.
fn game() -> Game {
    let pests =
        SETTINGS.iter().fold(Mod::new("pests").system("eat", "Update", vec![]), |pests, line| pests.setting(line));
    let wind = Mod::new("wind").system("blow", "Update", vec![]);
    let mut game = closed(&[("pests.wasm", &pests.build()), ("wind.wasm", &wind.build())]);
    game.until("both run", |game| with_mods(game, |mods: Mods| mods.is_running("pests") && mods.is_running("wind")));
    press(&mut game, KeyCode::F10);
    game
}

fn closed(mods: &[(&str, &[u8])]) -> Game {
    let mut game = Game::with_settings(mods, ModSettings::default());
    game.app.add_plugins((InputPlugin, ModsOverlayPlugin::default()));
    game
}

/// Presses a key and lets it go.
fn press(game: &mut Game, key: KeyCode) {
    let logical = match key {
        KeyCode::Enter => Key::Enter,
        KeyCode::Escape => Key::Escape,
        KeyCode::Backspace => Key::Backspace,
        _ => Key::F35,
    };
    type_key(game, key, logical);
}

fn type_key(game: &mut Game, key_code: KeyCode, logical_key: Key) {
    for state in [ButtonState::Pressed, ButtonState::Released] {
        let (logical_key, window) = (logical_key.clone(), Entity::PLACEHOLDER);
        let input = KeyboardInput { key_code, logical_key, state, text: None, repeat: false, window };
        game.app.world_mut().write_message(input);
        game.frame();
    }
    game.frame();
}

/// All texts of the panel, from top to bottom.
fn texts(game: &mut Game) -> Vec<String> {
    let world = game.app.world_mut();
    let roots: Vec<Entity> = named(world, "mods overlay");
    roots.into_iter().flat_map(|root| texts_below(world, root)).collect()
}

fn named(world: &mut World, name: &str) -> Vec<Entity> {
    let mut names = world.query::<(Entity, &Name)>();
    names.iter(world).filter(|(_, other)| other.as_str() == name).map(|(entity, _)| entity).collect()
}

fn texts_below(world: &World, entity: Entity) -> Vec<String> {
    let own = world.get::<Text>(entity).map(|text| text.0.clone());
    let children = world.get::<Children>(entity).into_iter().flat_map(|children| children.iter().copied());
    own.into_iter().chain(children.flat_map(|child| texts_below(world, child))).collect()
}

#[track_caller]
fn shows(game: &mut Game, part: &str) {
    let texts = texts(game);
    assert!(texts.iter().any(|text| text.contains(part)), "{part} is not among {texts:?}");
}

/// The button of that text behind a text, such as a mod's name or that of a setting.
#[track_caller]
fn button(game: &mut Game, after: &str, label: &str) -> Entity {
    let world = game.app.world_mut();
    let mut buttons = world.query_filtered::<Entity, With<Button>>();
    let buttons: Vec<_> = buttons.iter(world).filter(|button| texts_below(world, *button) == [label]).collect();
    // The smallest part of the panel that has both is the button's own line.
    let distance = |button: &Entity| {
        let ancestors =
            std::iter::successors(Some(*button), |entity| world.get::<ChildOf>(*entity).map(ChildOf::parent));
        ancestors.enumerate().find(|(_, part)| texts_below(world, *part).iter().any(|text| text == after))
    };
    let nearest = buttons.into_iter().filter_map(|button| Some((distance(&button)?.0, button))).min();
    nearest.unwrap_or_else(|| panic!("there is no button `{label}` behind `{after}`")).1
}

/// Clicks, as `ui_focus_system` tells of it.
#[track_caller]
fn click(game: &mut Game, after: &str, label: &str) {
    let button = button(game, after, label);
    *game.app.world_mut().get_mut::<Interaction>(button).expect("a button") = Interaction::Pressed;
    game.frame();
    game.frame();
}

fn value(game: &mut Game, name: &str) -> SettingValue {
    let settings = with_mods(game, |mods: Mods| mods.settings("pests")).expect("it is there");
    settings.into_iter().find(|setting| setting.desc.name == name).expect("it has it").value
}

#[test]
fn its_key_opens_the_panel_and_takes_all_of_it_away() {
    let mut game = closed(&[]);
    let nodes = |game: &mut Game| game.app.world_mut().query::<&Node>().iter(game.app.world()).count();
    game.frames(3);
    assert_eq!(nodes(&mut game), 0);
    press(&mut game, KeyCode::F10);
    assert!(game.app.world().resource::<ModsOverlay>().is_open);
    shows(&mut game, "No mods are here");
    press(&mut game, KeyCode::F10);
    assert_eq!(nodes(&mut game), 0);
    press(&mut game, KeyCode::F10);
    press(&mut game, KeyCode::Escape);
    assert_eq!((nodes(&mut game), game.app.world().resource::<ModsOverlay>().is_open), (0, false));

    // The game opens it, too.
    game.app.world_mut().resource_mut::<ModsOverlay>().is_open = true;
    game.frame();
    shows(&mut game, "No mods are here");
}

#[test]
fn it_shows_each_mod_with_version_state_cost_and_fault() {
    let mut bad = Mod::new("villain").system("rage", "Update", vec![]);
    bad = bad.run("unreachable");
    let good = Mod::new("wind").system("blow", "Update", vec![]);
    let mut game = closed(&[("villain.wasm", &bad.build()), ("wind.wasm", &good.build())]);
    game.first_fault();
    game.until_told("loaded wind");
    press(&mut game, KeyCode::F10);
    let texts = texts(&mut game);
    for part in ["Mods", "1 of 2 run, ", "villain", "1.2.3, failed", "`rage`", "wind", "1.2.3, running", " ms"] {
        assert!(texts.iter().any(|text| text.contains(part)), "{part} is not among {texts:?}");
    }
    with_mods(&mut game, |mut mods: Mods| mods.disable("wind")).expect("it is there");
    game.frames(2);
    shows(&mut game, "1.2.3, off");
    shows(&mut game, "0 of 2 run");
}

#[test]
fn bars_are_full_at_the_time_that_the_game_says() {
    let wind = Mod::new("wind").system("blow", "Update", vec![]);
    let mut game = Game::with_mods(&[("wind.wasm", &wind.build())]);
    let full_bar = std::time::Duration::from_nanos(1);
    game.app.add_plugins((InputPlugin, ModsOverlayPlugin { full_bar, ..ModsOverlayPlugin::default() }));
    game.until_told("loaded wind");
    game.app.world_mut().resource_mut::<ModsOverlay>().is_open = true;
    game.frames(5);
    let world = game.app.world_mut();
    let is_full = |node: &&Node| node.width == Val::Percent(100.0) && node.height == Val::Px(6.0);
    assert_eq!(world.query::<&Node>().iter(world).filter(is_full).count(), 1);
}

#[test]
fn the_mouse_switches_and_reloads_mods() {
    let mut game = game();
    click(&mut game, "wind", "on");
    assert!(with_mods(&mut game, |mods: Mods| !mods.is_running("wind") && mods.is_running("pests")));
    shows(&mut game, "1.2.3, off");
    click(&mut game, "wind", "off");
    game.until("it runs again", |game| with_mods(game, |mods: Mods| mods.is_running("wind")));
    let before = game.story().len();
    click(&mut game, "wind", "reload");
    game.until("it is reloaded", |game| game.story().iter().skip(before).any(|line| line == "reloaded wind"));
    assert_eq!(game.faults().len(), 0);
}

#[test]
fn the_keyboard_reaches_everything() {
    let mut game = game();
    // The first mod is chosen, and its settings lie below it.
    shows(&mut game, "How much they eat");
    press(&mut game, KeyCode::Enter);
    assert!(with_mods(&mut game, |mods: Mods| !mods.is_running("pests")));
    press(&mut game, KeyCode::Space);
    game.until("it runs again", |game| with_mods(game, |mods: Mods| mods.is_running("pests")));
    let before = game.story().len();
    press(&mut game, KeyCode::ArrowRight);
    press(&mut game, KeyCode::Enter);
    game.until("it is reloaded", |game| game.story().iter().skip(before).any(|line| line == "reloaded pests"));

    press(&mut game, KeyCode::ArrowDown);
    press(&mut game, KeyCode::Enter);
    assert_eq!(value(&mut game, "hunting"), SettingValue::Bool(false));
    press(&mut game, KeyCode::ArrowDown);
    press(&mut game, KeyCode::ArrowRight);
    press(&mut game, KeyCode::ArrowRight);
    press(&mut game, KeyCode::ArrowRight);
    assert_eq!(value(&mut game, "appetite"), SettingValue::Int(9), "9 is the most");
    press(&mut game, KeyCode::ArrowLeft);
    assert_eq!(value(&mut game, "appetite"), SettingValue::Int(8));
    press(&mut game, KeyCode::Delete);
    assert_eq!(value(&mut game, "appetite"), SettingValue::Int(7));
    press(&mut game, KeyCode::Tab);
    press(&mut game, KeyCode::ArrowRight);
    assert_eq!(value(&mut game, "mood"), SettingValue::Text("wild".to_owned()));

    // Past the settings is the next mod, and its lie below it in turn.
    press(&mut game, KeyCode::ArrowDown);
    press(&mut game, KeyCode::ArrowDown);
    press(&mut game, KeyCode::Enter);
    assert!(with_mods(&mut game, |mods: Mods| !mods.is_running("wind") && mods.is_running("pests")));
    assert!(!texts(&mut game).iter().any(|text| text.contains("How much they eat")));
    press(&mut game, KeyCode::ArrowDown);
    press(&mut game, KeyCode::ArrowUp);
    press(&mut game, KeyCode::ArrowUp);
    press(&mut game, KeyCode::Enter);
    assert!(with_mods(&mut game, |mods: Mods| !mods.is_running("pests")), "the list does not go round");
}

#[test]
fn the_game_does_not_see_keys_that_were_meant_for_the_panel() {
    #[derive(Resource, Default)]
    struct Seen(Vec<KeyCode>);

    let mut game = game();
    game.app.init_resource::<Seen>();
    let note = |keys: Res<ButtonInput<KeyCode>>, mut seen: ResMut<Seen>| seen.0.extend(keys.get_just_pressed());
    game.app.add_systems(Update, note);
    for key in [KeyCode::ArrowDown, KeyCode::Enter, KeyCode::KeyW, KeyCode::Escape, KeyCode::Space, KeyCode::F10] {
        press(&mut game, key);
    }
    click(&mut game, "motto", "eat");
    press(&mut game, KeyCode::KeyA);
    assert_eq!(game.app.world().resource::<Seen>().0, [KeyCode::KeyW, KeyCode::Space]);
}

#[test]
fn the_mouse_sets_what_mods_declare() {
    let mut game = game();
    click(&mut game, "hunting", "on");
    assert_eq!(value(&mut game, "hunting"), SettingValue::Bool(false));
    click(&mut game, "appetite", "+");
    click(&mut game, "appetite", "+");
    click(&mut game, "appetite", "-");
    assert_eq!(value(&mut game, "appetite"), SettingValue::Int(8));
    shows(&mut game, "8");
    click(&mut game, "appetite", "default");
    assert_eq!(value(&mut game, "appetite"), SettingValue::Int(7));
    click(&mut game, "mood", "<");
    assert_eq!(value(&mut game, "mood"), SettingValue::Text("wild".to_owned()));
}

#[test]
fn texts_are_written_by_keys_which_then_mean_nothing_else() {
    let mut game = game();
    click(&mut game, "motto", "eat");
    for character in ["e", "\"", "n"] {
        type_key(&mut game, KeyCode::KeyE, Key::Character(character.into()));
    }
    press(&mut game, KeyCode::Backspace);
    type_key(&mut game, KeyCode::Space, Key::Space);
    type_key(&mut game, KeyCode::F10, Key::F10);
    shows(&mut game, "eate _");
    assert_eq!(value(&mut game, "motto"), SettingValue::Text("eat".to_owned()));
    press(&mut game, KeyCode::Enter);
    assert_eq!(value(&mut game, "motto"), SettingValue::Text("eate ".to_owned()));

    click(&mut game, "motto", "eate ");
    type_key(&mut game, KeyCode::KeyX, Key::Character("x".into()));
    press(&mut game, KeyCode::Escape);
    assert_eq!(value(&mut game, "motto"), SettingValue::Text("eate ".to_owned()));
    assert!(game.app.world().resource::<ModsOverlay>().is_open, "Escape was for the text");

    // A click elsewhere keeps the text.
    click(&mut game, "motto", "eate ");
    type_key(&mut game, KeyCode::KeyX, Key::Character("x".into()));
    click(&mut game, "wind", "on");
    assert_eq!(value(&mut game, "motto"), SettingValue::Text("eate x".to_owned()));
    assert!(with_mods(&mut game, |mods: Mods| !mods.is_running("wind")));
}

#[test]
fn a_mod_that_goes_takes_the_cursor_from_nobody() {
    let mut game = game();
    click(&mut game, "motto", "eat");
    with_mods(&mut game, |mut mods: Mods| mods.unload("pests")).expect("it is there");
    game.frames(2);
    assert!(!texts(&mut game).iter().any(|text| text.contains("pests")));
    press(&mut game, KeyCode::Enter);
    assert!(with_mods(&mut game, |mods: Mods| !mods.is_running("wind")), "the cursor went to the mod that is left");
}
