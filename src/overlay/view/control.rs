//! A setting: its name, what it does, and what changes it.

use bevy_ecs::hierarchy::ChildSpawnerCommands;
use bevy_ui::{BorderColor, BorderRadius, Node, UiRect, Val};
use mod_abi::{SettingKind, SettingValue};

use super::{Look, button, card};
use crate::{
    lifecycle::calls::ModSetting,
    overlay::{
        action::Action,
        marks::Cursor,
        model::{Row, Spot, part, value_text},
        theme,
    },
};

/// Draws a setting.
pub(super) fn draw(look: &Look, row: &Row, setting: &ModSetting, card: &mut ChildSpawnerCommands<'_>) {
    let spot = row.spot(setting);
    card.spawn(theme::row(8.0)).with_children(|line| {
        let words = Node { flex_grow: 1.0, flex_basis: Val::Px(0.0), ..theme::column(1.0) };
        line.spawn(words).with_children(|words| {
            words.spawn(theme::text(&look.font, &setting.desc.name, theme::NORMAL, theme::BRIGHT));
            if !setting.desc.description.is_empty() {
                words.spawn(theme::text(&look.font, &setting.desc.description, theme::SMALL, theme::DIM));
            }
        });
        if setting.is_chosen {
            button(look, line, (None, Action::Reset(spot.clone())), ("default", theme::CARD));
        }
        match &setting.desc.kind {
            SettingKind::Bool { .. } => {
                let color = if setting.value == SettingValue::Bool(true) { theme::ON } else { theme::BUTTON };
                button(look, line, (Some(&spot), Action::Press(spot.clone())), (&value_text(setting), color));
            }
            SettingKind::Text { .. } => text(look, &spot, setting, line),
            _ => stepper(look, &spot, setting, line),
        }
    });
}

/// A text, or as much of it as is written.
fn text(look: &Look, spot: &Spot, setting: &ModSetting, line: &mut ChildSpawnerCommands<'_>) {
    let written = look.edit.as_ref().filter(|edit| edit.spot == *spot).map(|edit| format!("{}_", edit.text));
    let label = written.unwrap_or_else(|| value_text(setting));
    let label = if label.is_empty() { " ".to_owned() } else { label };
    button(look, line, (Some(spot), Action::Press(spot.clone())), (&label, theme::BUTTON));
}

/// A value between a button for less and one for more.
fn stepper(look: &Look, spot: &Spot, setting: &ModSetting, line: &mut ChildSpawnerCommands<'_>) {
    let is_cursor = look.is_cursor(spot);
    let edge = if is_cursor { theme::CURSOR } else { bevy_color::Color::NONE };
    let node = Node {
        border: UiRect::all(Val::Px(1.5)),
        border_radius: BorderRadius::all(Val::Px(5.0)),
        flex_shrink: 0.0,
        ..theme::row(6.0)
    };
    let mut place = line.spawn((node, BorderColor::all(edge)));
    if is_cursor {
        place.insert(Cursor);
    }
    let (less, more) = if matches!(setting.desc.kind, SettingKind::Choice { .. }) { ("<", ">") } else { ("-", "+") };
    let step = |up| (None, Action::Step { spot: spot.clone(), up });
    place.with_children(|place| {
        button(look, place, step(false), (less, theme::BUTTON));
        if let Some(part) = part(setting) {
            card::bar(place, 0.0, |node| Node { width: Val::Percent(part * 100.0), ..node });
        }
        place.spawn(theme::text(&look.font, value_text(setting), theme::NORMAL, theme::BRIGHT));
        button(look, place, step(true), (more, theme::BUTTON));
    });
}
