//! What there is to see and to press: the mods as rows of plain values. Nothing here knows of nodes, keys or colours.

use std::sync::Arc;

use mod_abi::{SettingKind, SettingValue};

use crate::lifecycle::{
    calls::{ModInfo, ModSetting, Mods},
    registry::ModState,
};

/// The longest fault that is shown whole. The log has all of it.
const MAX_NOTE: usize = 480;

/// All that the panel shows, but for what changes all the time.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Model {
    pub(crate) rows: Vec<Row>,
    /// What keeps mods from running with one another, with a way out.
    pub(crate) problems: Vec<String>,
}

/// A mod.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Row {
    pub(crate) id: Arc<str>,
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) mood: Mood,
    /// Its state in a word or two.
    pub(crate) state: &'static str,
    /// Why it does not run.
    pub(crate) note: Option<String>,
    pub(crate) about: Option<String>,
    /// Whether the player has it switched on.
    pub(crate) is_on: bool,
    pub(crate) settings: Vec<ModSetting>,
}

/// A place in the panel that can be pressed. Places stay what they are when mods come and go.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Spot {
    /// A mod's switch.
    Switch(Arc<str>),
    /// A mod's reload.
    Reload(Arc<str>),
    /// A setting of a mod.
    Setting(Arc<str>, Arc<str>),
}

impl Spot {
    /// The mod that it belongs to.
    pub(crate) fn mod_id(&self) -> &Arc<str> {
        match self {
            Self::Switch(id) | Self::Reload(id) | Self::Setting(id, _) => id,
        }
    }
}

/// What a player should think of a mod.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mood {
    Runs,
    Waits,
    Off,
    Failed,
}

impl Model {
    /// What there is now.
    pub(crate) fn of(mods: &Mods<'_>) -> Self {
        let rows = mods.iter().map(|info| {
            // What a mod declares is not known before it has been read once.
            let settings = mods.settings(&info.id).unwrap_or_default();
            Row::of(info, settings)
        });
        let rows = rows.collect();
        let problems = mods.problems().iter().map(|problem| shortened(&problem.to_string())).collect();
        Self { rows, problems }
    }

    /// The row of a mod.
    pub(crate) fn row(&self, id: &str) -> Option<&Row> {
        self.rows.iter().find(|row| &*row.id == id)
    }

    /// The lines through which the cursor goes, from top to bottom: each mod, and under the chosen one its settings.
    pub(crate) fn lines(&self, chosen: Option<&str>) -> Vec<Vec<Spot>> {
        let mut lines = Vec::new();
        for row in &self.rows {
            lines.push(vec![Spot::Switch(Arc::clone(&row.id)), Spot::Reload(Arc::clone(&row.id))]);
            if chosen == Some(&*row.id) {
                lines.extend(row.settings.iter().map(|setting| vec![row.spot(setting)]));
            }
        }
        lines
    }

    /// The setting in a place.
    pub(crate) fn setting(&self, spot: &Spot) -> Option<&ModSetting> {
        let Spot::Setting(id, name) = spot else { return None };
        self.row(id)?.settings.iter().find(|setting| setting.desc.name == **name)
    }

    /// How many mods run.
    pub(crate) fn running(&self) -> usize {
        self.rows.iter().filter(|row| row.mood == Mood::Runs).count()
    }
}

impl Row {
    fn of(info: ModInfo, settings: Vec<ModSetting>) -> Self {
        let (mood, state, note) = state(&info.state);
        let identity = info.identity.as_deref();
        let name = identity.and_then(|identity| identity.name.clone()).unwrap_or_else(|| info.id.to_string());
        let about = identity.and_then(|identity| identity.description.clone());
        // Of one that never ran, only what it states is known.
        let stated = identity.map(|identity| identity.version.clone()).unwrap_or_default();
        let version = if info.version.is_empty() { stated } else { info.version };
        let is_on = !matches!(info.state, ModState::Disabled);
        Self { id: info.id, name, version, mood, state, note, about, is_on, settings }
    }

    /// The place of a setting.
    pub(crate) fn spot(&self, setting: &ModSetting) -> Spot {
        Spot::Setting(Arc::clone(&self.id), setting.desc.name.as_str().into())
    }
}

/// What a state means to a player: a mood, a word, and why the mod does not run.
fn state(state: &ModState) -> (Mood, &'static str, Option<String>) {
    match state {
        ModState::Running => (Mood::Runs, "running", None),
        ModState::Loading => (Mood::Waits, "loading", None),
        ModState::Pending { types } => (
            Mood::Waits,
            "waiting",
            Some(shortened(&format!("waits until the game uses {} for the first time", types.join(", ")))),
        ),
        ModState::Waiting { mods } => {
            (Mood::Waits, "waiting", Some(shortened(&format!("needs {}, which does not run", mods.join(", ")))))
        }
        ModState::Disabled => (Mood::Off, "off", None),
        ModState::Failed(fault) => (Mood::Failed, "failed", Some(shortened(&fault.cause.to_string()))),
        ModState::Restarting(fault) => (Mood::Waits, "restarting", Some(shortened(&fault.cause.to_string()))),
        ModState::Undecided(fault) => (Mood::Failed, "stopped", Some(shortened(&fault.cause.to_string()))),
    }
}

/// A text on as many characters as there is place for.
fn shortened(text: &str) -> String {
    let one_line = text.replace(['\n', '\r', '\t'], " ");
    match one_line.char_indices().nth(MAX_NOTE) {
        Some((end, _)) => format!("{}...", one_line.get(..end).unwrap_or_default()),
        None => one_line,
    }
}

/// A setting's value, as a player reads it.
pub(crate) fn value_text(setting: &ModSetting) -> String {
    match (&setting.desc.kind, &setting.value) {
        (SettingKind::Bool { .. }, SettingValue::Bool(true)) => "on".to_owned(),
        (SettingKind::Bool { .. }, SettingValue::Bool(false)) => "off".to_owned(),
        (_, SettingValue::Text(text)) => text.clone(),
        (_, value) => value.to_string(),
    }
}

/// How far a number is on its way from its least to its most, if it has both.
pub(crate) fn part(setting: &ModSetting) -> Option<f32> {
    let (min, max) = match &setting.desc.kind {
        SettingKind::Int { min, max, .. } => {
            (SettingValue::Int((*min)?).as_f64()?, SettingValue::Int((*max)?).as_f64()?)
        }
        SettingKind::Float { min, max, .. } => ((*min)?, (*max)?),
        _ => return None,
    };
    let part = (setting.value.as_f64()? - min) / (max - min);
    part.is_finite().then_some(part.clamp(0.0, 1.0) as f32)
}
