//! What changes all the time: what each mod takes, and what the mouse is over. The nodes for it are there already.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use bevy_ecs::{
    change_detection::DetectChangesMut,
    query::{Changed, Without},
    resource::Resource,
    system::{Query, Res, ResMut},
};
use bevy_platform::time::Instant;
use bevy_ui::{BackgroundColor, Interaction, Node, Val, widget::Text};

use super::{
    marks::{Bar, Figure, Resting},
    panel::OverlayConfig,
    theme,
};
use crate::lifecycle::registry::ModRegistry;

/// How much of a figure is the newest frame's. The rest is what it was: a bar should not tremble.
const NEWEST: f64 = 0.1;
/// How long a number stands before it is written anew, so that it can be read.
const READABLE: Duration = Duration::from_millis(250);

/// What mods take, in milliseconds of each frame, over the last few.
#[derive(Resource, Debug, Default)]
pub(crate) struct Costs {
    of: BTreeMap<Arc<str>, f64>,
    /// Whether numbers may be written anew in this frame, and when they last were.
    is_due: bool,
    written: Option<Instant>,
}

impl Costs {
    /// What a mod takes, in milliseconds.
    pub(crate) fn of(&self, id: &str) -> f64 {
        self.of.get(id).copied().unwrap_or_default()
    }

    /// What all of them take.
    fn all(&self) -> f64 {
        self.of.values().sum()
    }

    fn add(&mut self, id: &Arc<str>, newest: f64) {
        match self.of.get_mut(id) {
            Some(cost) => *cost += (newest - *cost) * NEWEST,
            None => {
                self.of.insert(Arc::clone(id), newest);
            }
        }
    }
}

/// Looks at what the last frame took.
pub(crate) fn measure(mods: Res<ModRegistry>, mut costs: ResMut<Costs>) {
    costs.of.retain(|id, _| mods.state(id).is_some());
    for info in mods.iter() {
        if let Some(usage) = mods.usage(&info.id) {
            costs.add(&info.id, usage.time.as_secs_f64() * 1e3);
        }
    }
    let now = Instant::now();
    costs.is_due = costs.written.is_none_or(|written| now.duration_since(written) >= READABLE);
    if costs.is_due {
        costs.written = Some(now);
    }
}

/// Writes it into the nodes, and lights up what the mouse is over.
pub(crate) fn show(
    costs: Res<Costs>,
    config: Res<OverlayConfig>,
    mut bars: Query<(&Bar, &mut Node, &mut BackgroundColor)>,
    mut figures: Query<(&Figure, &mut Text)>,
    mut hovered: Query<(&Interaction, &Resting, &mut BackgroundColor), (Changed<Interaction>, Without<Bar>)>,
) {
    let full = config.full_bar.as_secs_f64() * 1e3;
    for (Bar(id), mut node, mut color) in &mut bars {
        let part = (costs.of(id) / full).clamp(0.0, 1.0) as f32;
        let part = if part.is_finite() { part } else { 1.0 };
        // Less than a thousandth cannot be seen and would be laid out anew.
        let width = Val::Percent((part * 1000.0).round() / 10.0);
        if node.width != width {
            node.width = width;
            *color = BackgroundColor(theme::bar(part));
        }
    }
    for (figure, mut text) in &mut figures {
        if costs.is_due || text.0.is_empty() {
            text.set_if_neq(Text(match figure {
                Figure::Of(id) => format!("{:.2} ms", costs.of(id)),
                Figure::All(before) => format!("{before}{:.2} ms", costs.all()),
            }));
        }
    }
    for (interaction, Resting(resting), mut color) in &mut hovered {
        let lit = if *interaction == Interaction::None { *resting } else { theme::HOVERED };
        color.set_if_neq(BackgroundColor(lit));
    }
}
