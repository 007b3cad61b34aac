//! A mod: how it is, what it takes, what is wrong with it, and, if it is the chosen one, what it is and what can be set.

use std::sync::Arc;

use bevy_ecs::hierarchy::ChildSpawnerCommands;
use bevy_ui::{BackgroundColor, BorderColor, BorderRadius, FocusPolicy, Interaction, Node, UiRect, Val};

use super::{Look, button, control};
use crate::overlay::{
    action::Action,
    marks::{Bar, Clicked, Figure},
    model::{Mood, Row, Spot},
    theme,
};

/// Draws a mod.
pub(super) fn draw(look: &Look, row: &Row, list: &mut ChildSpawnerCommands<'_>) {
    let is_chosen = look.is_chosen(&row.id);
    let color = if is_chosen { theme::CHOSEN_CARD } else { theme::CARD };
    let node = Node {
        padding: UiRect::axes(Val::Px(11.0), Val::Px(8.0)),
        border: UiRect::all(Val::Px(1.0)),
        border_radius: BorderRadius::all(Val::Px(8.0)),
        flex_shrink: 0.0,
        ..theme::column(6.0)
    };
    let chosen = Clicked(Action::Choose(Spot::Switch(Arc::clone(&row.id))));
    let mouse = (Interaction::default(), FocusPolicy::Block, chosen);
    list.spawn((node, BackgroundColor(color), BorderColor::all(theme::EDGE), mouse)).with_children(|card| {
        head(look, row, card);
        if matches!(row.mood, Mood::Runs) {
            cost(look, row, card);
        }
        if let Some(note) = &row.note {
            let color = if row.mood == Mood::Failed { theme::BAD } else { theme::CURSOR };
            card.spawn(theme::text(&look.font, note, theme::SMALL, color));
        }
        if is_chosen {
            if let Some(about) = &row.about {
                card.spawn(theme::text(&look.font, about, theme::SMALL, theme::DIM));
            }
            for setting in &row.settings {
                control::draw(look, row, setting, card);
            }
        }
    });
}

/// Dot, name, version and state; then what can be pressed.
fn head(look: &Look, row: &Row, card: &mut ChildSpawnerCommands<'_>) {
    card.spawn(theme::row(8.0)).with_children(|head| {
        let round = BorderRadius::all(Val::Px(5.0));
        let dot = Node {
            width: Val::Px(10.0),
            height: Val::Px(10.0),
            border_radius: round,
            flex_shrink: 0.0,
            ..Node::default()
        };
        head.spawn((dot, BackgroundColor(theme::dot(row.mood))));
        let names = Node { flex_grow: 1.0, flex_basis: Val::Px(0.0), ..theme::column(1.0) };
        head.spawn(names).with_children(|names| {
            names.spawn(theme::text(&look.font, &row.name, theme::NORMAL, theme::BRIGHT));
            let detail =
                if row.version.is_empty() { row.state.to_owned() } else { format!("{}, {}", row.version, row.state) };
            names.spawn(theme::text(&look.font, detail, theme::SMALL, theme::DIM));
        });
        let reload = Spot::Reload(Arc::clone(&row.id));
        button(look, head, (Some(&reload), Action::Press(reload.clone())), ("reload", theme::BUTTON));
        let switch = Spot::Switch(Arc::clone(&row.id));
        let (label, color) = if row.is_on { ("on", theme::ON) } else { ("off", theme::BUTTON) };
        button(look, head, (Some(&switch), Action::Press(switch.clone())), (label, color));
    });
}

/// A bar and the number to it.
fn cost(look: &Look, row: &Row, card: &mut ChildSpawnerCommands<'_>) {
    card.spawn(theme::row(10.0)).with_children(|cost| {
        bar(cost, 1.0, |fill| (Bar(Arc::clone(&row.id)), fill));
        let place = Node { width: Val::Px(62.0), flex_shrink: 0.0, ..theme::row(0.0) };
        cost.spawn(place).with_children(|place| {
            let figure = Figure::Of(Arc::clone(&row.id));
            place.spawn((figure, theme::text(&look.font, "", theme::SMALL, theme::DIM)));
        });
    });
}

/// A track with a part of it filled, which `fill` may mark.
pub(super) fn bar<B: bevy_ecs::bundle::Bundle>(
    parent: &mut ChildSpawnerCommands<'_>,
    grow: f32,
    fill: impl FnOnce(Node) -> B,
) {
    let round = BorderRadius::all(Val::Px(3.0));
    let height = Val::Px(6.0);
    let track = Node {
        height,
        flex_grow: grow,
        flex_basis: Val::Px(0.0),
        min_width: Val::Px(60.0),
        border_radius: round,
        ..Node::default()
    };
    parent.spawn((track, BackgroundColor(theme::TRACK))).with_children(|track| {
        let node = Node { height, width: Val::Px(0.0), border_radius: round, ..Node::default() };
        track.spawn((fill(node), BackgroundColor(theme::bar(0.0))));
    });
}
