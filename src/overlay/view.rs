//! The nodes of the panel, made anew whenever it shows something else. [`card`] has those of a mod, [`control`] those of a setting.

mod card;
mod control;

use bevy_ecs::{
    entity::Entity,
    hierarchy::ChildSpawnerCommands,
    name::Name,
    query::{With, Without},
    resource::Resource,
    system::{Commands, Local, Query, Res, ResMut},
};
use bevy_text::FontSource;
use bevy_ui::{
    BackgroundColor, BorderColor, BorderRadius, ComputedNode, FocusPolicy, GlobalZIndex, Interaction, JustifyContent,
    Node, Overflow, PositionType, ScrollPosition, UiGlobalTransform, UiRect, Val,
};

use super::{
    action::Action,
    edit::Edit,
    marks::{Clicked, Cursor, Figure, Inside, List, Resting},
    model::{Model, Spot},
    panel::{ModsOverlay, OverlayConfig, Panel},
    theme,
};
use crate::lifecycle::calls::Mods;

/// What the panel is drawn from: from the same, it would look the same.
#[derive(Debug, PartialEq)]
struct Look {
    model: Model,
    cursor: Option<Spot>,
    edit: Option<Edit>,
    refusal: Option<String>,
    font: FontSource,
}

/// The panel on the screen, with what it was drawn from.
#[derive(Resource, Debug, Default)]
pub(crate) struct Shown(Option<(Entity, Look)>);

impl Look {
    fn is_cursor(&self, spot: &Spot) -> bool {
        self.cursor.as_ref() == Some(spot)
    }

    /// Whether this mod shows its settings.
    fn is_chosen(&self, id: &str) -> bool {
        self.cursor.as_ref().is_some_and(|spot| &**spot.mod_id() == id)
    }
}

/// Builds the panel, if it is not there or shows something else.
pub(crate) fn draw(
    mods: Mods,
    overlay: Res<ModsOverlay>,
    config: Res<OverlayConfig>,
    mut panel: ResMut<Panel>,
    mut shown: ResMut<Shown>,
    lists: Query<&ScrollPosition, With<List>>,
    mut commands: Commands,
) {
    let model = Model::of(&mods);
    drop_what_is_gone(&mut panel, &model);
    let Panel { cursor, edit, refusal } = panel.clone();
    let look = Look { model, cursor, edit, refusal, font: overlay.font.clone() };
    if shown.0.as_ref().is_some_and(|(_, shown)| *shown == look) {
        return;
    }
    let scrolled = lists.iter().next().cloned().unwrap_or_default();
    if let Some((root, _)) = shown.0.take() {
        commands.entity(root).try_despawn();
    }
    let root = build(&look, &config, scrolled, &mut commands);
    shown.0 = Some((root, look));
}

/// Takes the panel away.
pub(crate) fn take_away(mut shown: ResMut<Shown>, mut panel: ResMut<Panel>, mut commands: Commands) {
    if let Some((root, _)) = shown.0.take() {
        commands.entity(root).try_despawn();
        panel.refusal = None;
    }
}

/// The cursor stands on something that is there; at first, on the first mod.
fn drop_what_is_gone(panel: &mut Panel, model: &Model) {
    let is_there = |spot: &Spot| match spot {
        Spot::Switch(id) | Spot::Reload(id) => model.row(id).is_some(),
        Spot::Setting(..) => model.setting(spot).is_some(),
    };
    if panel.edit.as_ref().is_some_and(|edit| !is_there(&edit.spot)) {
        panel.edit = None;
    }
    if !panel.cursor.as_ref().is_some_and(is_there) {
        panel.cursor = model.lines(None).into_iter().flatten().next();
    }
}

/// The whole panel: a head, the problems, the list, and what the keys do.
fn build(look: &Look, config: &OverlayConfig, scrolled: ScrollPosition, commands: &mut Commands) -> Entity {
    let node = Node {
        position_type: PositionType::Absolute,
        top: Val::Px(12.0),
        right: Val::Px(12.0),
        width: Val::Px(theme::WIDTH),
        max_width: Val::Percent(96.0),
        max_height: Val::Percent(94.0),
        padding: UiRect::all(Val::Px(14.0)),
        border: UiRect::all(Val::Px(1.0)),
        border_radius: BorderRadius::all(Val::Px(12.0)),
        ..theme::column(10.0)
    };
    let looks = (BackgroundColor(theme::PANEL), BorderColor::all(theme::EDGE), GlobalZIndex(i32::MAX - 1));
    // Clicks beside a button are not for what lies below.
    let mouse = (FocusPolicy::Block, Interaction::default(), Inside);
    let mut root = commands.spawn((Name::new("mods overlay"), node, looks, mouse));
    root.with_children(|parts| {
        head(look, parts);
        for problem in &look.model.problems {
            parts.spawn(theme::text(&look.font, problem, theme::SMALL, theme::CURSOR));
        }
        let node = Node { overflow: Overflow::scroll_y(), min_height: Val::Px(0.0), ..theme::column(8.0) };
        parts.spawn((List, node, scrolled)).with_children(|list| {
            for row in &look.model.rows {
                card::draw(look, row, list);
            }
            if look.model.rows.is_empty() {
                let text = "No mods are here. Put `.wasm` files into the mods folder of the game.";
                list.spawn(theme::text(&look.font, text, theme::NORMAL, theme::DIM));
            }
        });
        foot(look, config, parts);
    });
    root.id()
}

fn head(look: &Look, parts: &mut ChildSpawnerCommands<'_>) {
    let node = Node { justify_content: JustifyContent::SpaceBetween, flex_shrink: 0.0, ..theme::row(8.0) };
    parts.spawn(node).with_children(|head| {
        head.spawn(theme::text(&look.font, "Mods", theme::LARGE, theme::BRIGHT));
        let count = format!("{} of {} run, ", look.model.running(), look.model.rows.len());
        head.spawn((Figure::All(count), theme::text(&look.font, "", theme::SMALL, theme::DIM)));
    });
}

fn foot(look: &Look, config: &OverlayConfig, parts: &mut ChildSpawnerCommands<'_>) {
    if let Some(refusal) = &look.refusal {
        parts.spawn(theme::text(&look.font, refusal, theme::SMALL, theme::BAD));
    }
    let keys = match &look.edit {
        Some(_) => "Enter keeps the text, Escape does not".to_owned(),
        None => format!("arrows choose and change, Enter presses, Delete resets, {:?} closes", config.key),
    };
    parts.spawn(theme::text(&look.font, keys, theme::SMALL, theme::DIM));
}

/// A button with a text, or the place of a setting with its parts.
fn button<'a>(
    look: &Look,
    parent: &'a mut ChildSpawnerCommands<'_>,
    (spot, action): (Option<&Spot>, Action),
    (label, color): (&str, bevy_color::Color),
) -> bevy_ecs::system::EntityCommands<'a> {
    let is_cursor = spot.is_some_and(|spot| look.is_cursor(spot));
    let edge = if is_cursor { theme::CURSOR } else { bevy_color::Color::NONE };
    let mut button = parent.spawn((
        bevy_ui::widget::Button,
        theme::button(),
        BackgroundColor(color),
        BorderColor::all(edge),
        Resting(color),
        Clicked(action),
    ));
    if is_cursor {
        button.insert(Cursor);
    }
    button.with_children(|inside| {
        inside.spawn(theme::text(&look.font, label, theme::NORMAL, theme::BRIGHT));
    });
    button
}

/// Scrolls to the cursor when it has moved.
pub(crate) fn keep_in_sight(
    panel: Res<Panel>,
    cursor: Query<(&ComputedNode, &UiGlobalTransform), (With<Cursor>, Without<List>)>,
    mut list: Query<(&ComputedNode, &UiGlobalTransform, &mut ScrollPosition), With<List>>,
    mut last: Local<Option<Spot>>,
) {
    if *last == panel.cursor {
        return;
    }
    let (Ok((node, place)), Ok((list, list_place, mut position))) = (cursor.single(), list.single_mut()) else {
        return;
    };
    if node.size.y == 0.0 {
        return; // not laid out yet
    }
    last.clone_from(&panel.cursor);
    let above = (list_place.translation.y - list.size.y / 2.0) - (place.translation.y - node.size.y / 2.0);
    let below = (place.translation.y + node.size.y / 2.0) - (list_place.translation.y + list.size.y / 2.0);
    let by = if above > 0.0 { -above } else { below.max(0.0) } * list.inverse_scale_factor;
    if by != 0.0 {
        position.0.y = (position.0.y + by).max(0.0);
    }
}
