//! How the panel looks: colours, sizes, and the nodes that are used more than once.

use bevy_color::Color;
use bevy_ecs::bundle::Bundle;
use bevy_text::{FontSize, FontSource, LineBreak, TextColor, TextFont, TextLayout};
use bevy_ui::{AlignItems, BorderRadius, Display, FlexDirection, Node, UiRect, Val, widget::Text};

use super::model::Mood;

pub(super) const PANEL: Color = Color::srgba(0.055, 0.062, 0.085, 0.97);
pub(super) const CARD: Color = Color::srgba(0.105, 0.118, 0.155, 0.96);
pub(super) const CHOSEN_CARD: Color = Color::srgba(0.135, 0.152, 0.205, 0.98);
pub(super) const EDGE: Color = Color::srgba(1.0, 1.0, 1.0, 0.07);
pub(super) const CURSOR: Color = Color::srgb(0.98, 0.80, 0.36);
pub(super) const BUTTON: Color = Color::srgb(0.19, 0.22, 0.30);
pub(super) const HOVERED: Color = Color::srgb(0.27, 0.31, 0.42);
pub(super) const ON: Color = Color::srgb(0.20, 0.50, 0.38);
pub(super) const TRACK: Color = Color::srgba(1.0, 1.0, 1.0, 0.08);
pub(super) const BRIGHT: Color = Color::srgb(0.93, 0.94, 0.97);
pub(super) const DIM: Color = Color::srgb(0.58, 0.62, 0.70);
pub(super) const BAD: Color = Color::srgb(1.0, 0.52, 0.47);

pub(super) const WIDTH: f32 = 430.0;
pub(super) const LARGE: f32 = 19.0;
pub(super) const NORMAL: f32 = 14.0;
pub(super) const SMALL: f32 = 12.0;

/// The colour of a mod's dot.
pub(super) fn dot(mood: Mood) -> Color {
    match mood {
        Mood::Runs => Color::srgb(0.36, 0.83, 0.56),
        Mood::Waits => CURSOR,
        Mood::Off => Color::srgb(0.40, 0.43, 0.50),
        Mood::Failed => BAD,
    }
}

/// The colour of a bar that is so full, from 0 to 1: green, then yellow, then red.
pub(super) fn bar(full: f32) -> Color {
    let (green, yellow, red) = ([0.33, 0.76, 0.60], [0.96, 0.77, 0.36], [1.0, 0.45, 0.40]);
    let (from, to, part) = if full < 0.5 { (green, yellow, full * 2.0) } else { (yellow, red, full * 2.0 - 1.0) };
    let part = part.clamp(0.0, 1.0);
    let [r, g, b] = [0, 1, 2].map(|channel| from[channel] + (to[channel] - from[channel]) * part);
    Color::srgb(r, g, b)
}

/// A text that breaks its lines, in any place if a word is too long for one.
pub(super) fn text(font: &FontSource, text: impl Into<String>, size: f32, color: Color) -> impl Bundle {
    (
        Text::new(text),
        TextFont { font: font.clone(), font_size: FontSize::Px(size), ..TextFont::default() },
        TextColor(color),
        TextLayout::linebreak(LineBreak::WordOrCharacter),
    )
}

/// Children from left to right.
pub(super) fn row(gap: f32) -> Node {
    Node { display: Display::Flex, align_items: AlignItems::Center, column_gap: Val::Px(gap), ..Node::default() }
}

/// Children from top to bottom.
pub(super) fn column(gap: f32) -> Node {
    Node { flex_direction: FlexDirection::Column, row_gap: Val::Px(gap), ..Node::default() }
}

/// What can be pressed.
pub(super) fn button() -> Node {
    Node {
        padding: UiRect::axes(Val::Px(9.0), Val::Px(3.0)),
        border: UiRect::all(Val::Px(1.5)),
        border_radius: BorderRadius::all(Val::Px(5.0)),
        flex_shrink: 0.0,
        ..Node::default()
    }
}
