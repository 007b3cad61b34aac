//! Keys, clicks and the wheel become actions. What is done with them is not known here.

use bevy_ecs::{
    change_detection::DetectChanges,
    message::MessageReader,
    query::{Changed, With},
    system::{Query, Res, ResMut},
};
use bevy_input::{
    ButtonInput,
    keyboard::{KeyCode, KeyboardInput},
    mouse::{MouseButton, MouseScrollUnit, MouseWheel},
};
use bevy_ui::{ComputedNode, Interaction, ScrollPosition};

use super::{
    action::{Action, Actions, moved},
    edit::Typed,
    marks::{Clicked, Inside, List},
    model::{Model, Spot},
    panel::{ModsOverlay, OverlayConfig, Panel},
};
use crate::lifecycle::calls::Mods;

/// How far a notch of the wheel scrolls, in logical pixels.
const NOTCH: f32 = 48.0;

/// Opens the panel, or closes it. While a text is written, the key is one of its characters at most.
pub(crate) fn open_and_close(
    mut keys: ResMut<ButtonInput<KeyCode>>,
    config: Res<OverlayConfig>,
    mut overlay: ResMut<ModsOverlay>,
    mut panel: ResMut<Panel>,
) {
    if keys.just_pressed(config.key) && panel.edit.is_none() {
        keys.clear_just_pressed(config.key);
        overlay.is_open = !overlay.is_open;
    }
    if overlay.is_changed() && !overlay.is_open {
        panel.edit = None;
    }
}

/// Reads clicks. One on the panel is none for the game.
pub(crate) fn read_mouse(
    clicked: Query<(&Interaction, &Clicked), Changed<Interaction>>,
    inside: Query<&Interaction, With<Inside>>,
    mut buttons: ResMut<ButtonInput<MouseButton>>,
    mut actions: ResMut<Actions>,
    mut panel: ResMut<Panel>,
) {
    if buttons.just_pressed(MouseButton::Left) && inside.iter().any(|interaction| *interaction != Interaction::None) {
        buttons.clear_just_pressed(MouseButton::Left);
    }
    for (_, Clicked(action)) in clicked.iter().filter(|(interaction, _)| **interaction == Interaction::Pressed) {
        // Who clicks elsewhere has done with the text.
        if let Some(edit) = panel.edit.take() {
            actions.0.push(Action::Write { spot: edit.spot, text: edit.text });
        }
        actions.0.push(action.clone());
    }
}

/// Reads keys, for the text that is being written or for the cursor. The game does not find them pressed any more.
pub(crate) fn read_keys(
    mut typed: MessageReader<KeyboardInput>,
    mut keys: ResMut<ButtonInput<KeyCode>>,
    mods: Mods,
    mut actions: ResMut<Actions>,
    mut panel: ResMut<Panel>,
) {
    if panel.edit.is_some() {
        write(&mut typed, &mut actions, &mut panel);
        let pressed: Vec<KeyCode> = keys.get_just_pressed().copied().collect();
        for key in pressed {
            keys.clear_just_pressed(key);
        }
        return;
    }
    typed.clear();
    let pressed: Vec<KeyCode> = keys.get_just_pressed().copied().collect();
    if pressed.is_empty() {
        return;
    }
    let model = Model::of(&mods);
    for key in pressed {
        let cursor = panel.cursor.clone();
        let lines = model.lines(cursor.as_ref().map(|spot| &**spot.mod_id()));
        let shift = keys.any_pressed([KeyCode::ShiftLeft, KeyCode::ShiftRight]);
        if let Some(action) = action_of(key, cursor, &lines, shift) {
            keys.clear_just_pressed(key);
            actions.0.push(action);
        }
    }
}

fn action_of(key: KeyCode, cursor: Option<Spot>, lines: &[Vec<Spot>], shift: bool) -> Option<Action> {
    let to = |down, right| moved(lines, cursor.as_ref(), down, right).map(Action::Choose);
    match (key, cursor.clone()) {
        (KeyCode::Escape, _) => Some(Action::Close),
        (KeyCode::Tab, _) if shift => to(-1, 0),
        (KeyCode::ArrowDown | KeyCode::Tab, _) => to(1, 0),
        (KeyCode::ArrowUp, _) => to(-1, 0),
        (KeyCode::ArrowLeft, Some(spot @ Spot::Setting(..))) => Some(Action::Step { spot, up: false }),
        (KeyCode::ArrowRight, Some(spot @ Spot::Setting(..))) => Some(Action::Step { spot, up: true }),
        (KeyCode::ArrowLeft, _) => to(0, -1),
        (KeyCode::ArrowRight, _) => to(0, 1),
        (KeyCode::Enter | KeyCode::NumpadEnter | KeyCode::Space, Some(spot)) => Some(Action::Press(spot)),
        (KeyCode::Delete | KeyCode::Backspace, Some(spot @ Spot::Setting(..))) => Some(Action::Reset(spot)),
        _ => None,
    }
}

fn write(typed: &mut MessageReader<KeyboardInput>, actions: &mut Actions, panel: &mut Panel) {
    for input in typed.read() {
        let Some(edit) = &mut panel.edit else { return };
        let outcome = edit.key(input);
        if outcome == Typed::More {
            continue;
        }
        if let (Typed::Keep, Some(edit)) = (outcome, panel.edit.take()) {
            actions.0.push(Action::Write { spot: edit.spot, text: edit.text });
        }
        panel.edit = None;
    }
}

/// Scrolls the list, as far as there is more of it.
pub(crate) fn scroll(
    mut wheel: MessageReader<MouseWheel>,
    mut list: Query<(&mut ScrollPosition, &ComputedNode), With<List>>,
) {
    let notches = wheel.read().map(|turn| match turn.unit {
        MouseScrollUnit::Line => turn.y * NOTCH,
        MouseScrollUnit::Pixel => turn.y,
    });
    let by: f32 = notches.sum();
    if by == 0.0 || !by.is_finite() {
        return;
    }
    for (mut position, node) in &mut list {
        let most = (node.content_size.y - node.size.y).max(0.0) * node.inverse_scale_factor;
        position.0.y = (position.0.y - by).clamp(0.0, most);
    }
}
