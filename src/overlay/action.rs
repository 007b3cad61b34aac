//! What a player can do in the panel, and how it is done. Whether a key or a click asked for it is not known here.

use bevy_ecs::{resource::Resource, system::ResMut};
use mod_abi::{SettingKind, SettingValue};

use super::{
    edit::Edit,
    model::{Model, Spot},
    panel::{ModsOverlay, Panel},
    step::stepped,
};
use crate::lifecycle::calls::Mods;

/// Something that a player wants.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Action {
    /// To go to a place, without pressing it.
    Choose(Spot),
    /// To press what is there: a switch, a reload, or the next value of a setting.
    Press(Spot),
    /// The value of a setting one step up or down.
    Step { spot: Spot, up: bool },
    /// The default of a setting.
    Reset(Spot),
    /// The text that was written.
    Write { spot: Spot, text: String },
    /// To see the panel no more.
    Close,
}

/// What was asked for in this frame.
#[derive(Resource, Debug, Default)]
pub(crate) struct Actions(pub(crate) Vec<Action>);

/// Does what was asked for.
pub(crate) fn carry_out(
    mut actions: ResMut<Actions>,
    mut mods: Mods,
    mut panel: ResMut<Panel>,
    mut overlay: ResMut<ModsOverlay>,
) {
    for action in std::mem::take(&mut actions.0) {
        panel.refusal = None;
        if action == Action::Close {
            overlay.is_open = false;
        } else if let Err(refusal) = one(action, &mut mods, &mut panel) {
            panel.refusal = Some(refusal);
        }
    }
}

fn one(action: Action, mods: &mut Mods<'_>, panel: &mut Panel) -> Result<(), String> {
    let told = |error: &dyn std::error::Error| error.to_string();
    match action {
        Action::Choose(spot) => panel.cursor = Some(spot),
        Action::Press(spot) => {
            panel.cursor = Some(spot.clone());
            press(spot, mods, panel)?;
        }
        Action::Step { spot, up } => step(&spot, up, mods)?,
        Action::Reset(Spot::Setting(id, name)) => mods.reset_setting(&id, &name).map_err(|error| told(&error))?,
        Action::Write { spot: Spot::Setting(id, name), text } => {
            mods.set_setting(&id, &name, text).map_err(|error| told(&error))?;
        }
        Action::Reset(_) | Action::Write { .. } | Action::Close => {}
    }
    Ok(())
}

fn press(spot: Spot, mods: &mut Mods<'_>, panel: &mut Panel) -> Result<(), String> {
    match &spot {
        Spot::Switch(id) => {
            let is_off = matches!(mods.state(id), Some(crate::ModState::Disabled));
            let done = if is_off { mods.enable(id) } else { mods.disable(id) };
            done.map_err(|error| error.to_string())
        }
        Spot::Reload(id) => mods.reload(id).map_err(|error| error.to_string()),
        Spot::Setting(..) => {
            let model = Model::of(mods);
            let Some(setting) = model.setting(&spot) else { return Ok(()) };
            if let (SettingKind::Text { .. }, SettingValue::Text(text)) = (&setting.desc.kind, &setting.value) {
                panel.edit = Some(Edit { text: text.clone(), spot });
                return Ok(());
            }
            step(&spot, true, mods)
        }
    }
}

fn step(spot: &Spot, up: bool, mods: &mut Mods<'_>) -> Result<(), String> {
    let model = Model::of(mods);
    let (Spot::Setting(id, name), Some(setting)) = (spot, model.setting(spot)) else { return Ok(()) };
    match stepped(&setting.desc, &setting.value, up) {
        Some(value) => mods.set_setting(id, name, value).map_err(|error| error.to_string()),
        None => Ok(()),
    }
}

/// Where an arrow leads: lines go up and down, places in a line left and right. Nothing goes round, so that who holds a key down
/// comes to an end.
pub(super) fn moved(lines: &[Vec<Spot>], from: Option<&Spot>, down: i32, right: i32) -> Option<Spot> {
    let place = from.and_then(|spot| {
        let row = lines.iter().position(|line| line.contains(spot))?;
        Some((row, lines.get(row)?.iter().position(|other| other == spot)?))
    });
    let Some((row, column)) = place else { return lines.first()?.first().cloned() };
    let go = |at: usize, by: i32, count: usize| {
        at.saturating_add_signed(isize::try_from(by).unwrap_or_default()).min(count.saturating_sub(1))
    };
    let line = lines.get(go(row, down, lines.len()))?;
    line.get(go(column, right, line.len())).cloned()
}
