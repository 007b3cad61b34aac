//! What mods use, as Bevy's diagnostics. What is counted is the lifecycle's to know; here it only gets paths and a history.

use std::{collections::BTreeMap, sync::Arc};

use bevy_app::{App, First, Plugin};
use bevy_diagnostic::{
    DEFAULT_MAX_HISTORY_LENGTH, Diagnostic, DiagnosticMeasurement, DiagnosticPath, DiagnosticsStore,
};
use bevy_ecs::{
    resource::Resource,
    system::{Res, ResMut},
};
use bevy_platform::time::Instant;

use crate::{bridge::usage::ModUsage, lifecycle::registry::ModRegistry};

/// Adds what each mod uses to the game's diagnostics, beside Bevy's `FrameTimeDiagnosticsPlugin` and its like.
///
/// ```
/// use bevy::{
///     diagnostic::{DiagnosticsPlugin, DiagnosticsStore, LogDiagnosticsPlugin},
///     prelude::*,
/// };
/// use bevy_wasm_mods::prelude::*;
///
/// fn warn_of_slow_mods(diagnostics: Res<DiagnosticsStore>, mods: Res<ModRegistry>) {
///     for info in mods.iter() {
///         let time = diagnostics.get(&ModDiagnostics::time(&info.id)).and_then(|time| time.smoothed());
///         if time.is_some_and(|ms| ms > 2.0) {
///             warn!("{} takes more than two milliseconds of each frame", info.id);
///         }
///     }
/// }
///
/// # let mut app = App::new();
/// # app.add_plugins(MinimalPlugins);
/// app.add_plugins((WasmModsPlugin, DiagnosticsPlugin, ModDiagnosticsPlugin::default(), LogDiagnosticsPlugin::default()))
///     .add_systems(Update, warn_of_slow_mods);
/// # app.update();
/// ```
///
/// A mod's diagnostics are there from the frame after the one in which it is first installed until it is unloaded; while it does
/// not run, they are zero. [`ModDiagnostics`] has their paths. In `First`, each gets the figure of the frame before, as
/// [`ModUsage`] explains it. One that the game disables (`Diagnostic::is_enabled`) is not measured.
///
/// What is counted is counted anyway, so that mods run as fast without this plugin as with it.
#[derive(Debug, Clone, Copy)]
pub struct ModDiagnosticsPlugin {
    /// How many frames each diagnostic remembers.
    pub max_history_length: usize,
}

impl Default for ModDiagnosticsPlugin {
    fn default() -> Self {
        Self { max_history_length: DEFAULT_MAX_HISTORY_LENGTH }
    }
}

impl Plugin for ModDiagnosticsPlugin {
    fn build(&self, app: &mut App) {
        app.init_resource::<DiagnosticsStore>()
            .insert_resource(Shown { max_history_length: self.max_history_length, mods: BTreeMap::new() })
            .add_systems(First, measure);
    }
}

/// The paths of a mod's diagnostics: `mods/<id>/time` and so on, one value for each frame.
///
/// ```
/// # use bevy::prelude::*;
/// # use bevy_wasm_mods::prelude::*;
/// use bevy::diagnostic::DiagnosticsStore;
///
/// fn show(diagnostics: Res<DiagnosticsStore>) {
///     let time = diagnostics.get(&ModDiagnostics::time("orchard_wind"));
///     info!("{:?} ms", time.and_then(|time| time.smoothed()));
/// }
/// # assert_eq!(ModDiagnostics::time("orchard_wind").as_str(), "mods/orchard_wind/time");
/// ```
#[derive(Debug, Clone, Copy)]
pub struct ModDiagnostics;

/// A figure: the last part of its path, its unit, and where it comes from.
type Figure = (&'static str, &'static str, fn(&ModUsage) -> f64);

const FIGURES: [Figure; 6] = [
    ("time", "ms", |usage| usage.time.as_secs_f64() * 1e3),
    ("calls", "", |usage| usage.calls as f64),
    ("bytes_in", "B", |usage| usage.bytes_in as f64),
    ("bytes_out", "B", |usage| usage.bytes_out as f64),
    ("commands", "", |usage| usage.commands as f64),
    ("faults", "", |usage| usage.faults as f64),
];

impl ModDiagnostics {
    /// [`ModUsage::time`], in milliseconds.
    #[must_use]
    pub fn time(mod_id: &str) -> DiagnosticPath {
        path(mod_id, "time")
    }

    /// [`ModUsage::calls`]
    #[must_use]
    pub fn calls(mod_id: &str) -> DiagnosticPath {
        path(mod_id, "calls")
    }

    /// [`ModUsage::bytes_in`]
    #[must_use]
    pub fn bytes_in(mod_id: &str) -> DiagnosticPath {
        path(mod_id, "bytes_in")
    }

    /// [`ModUsage::bytes_out`]
    #[must_use]
    pub fn bytes_out(mod_id: &str) -> DiagnosticPath {
        path(mod_id, "bytes_out")
    }

    /// [`ModUsage::commands`]
    #[must_use]
    pub fn commands(mod_id: &str) -> DiagnosticPath {
        path(mod_id, "commands")
    }

    /// [`ModUsage::faults`]
    #[must_use]
    pub fn faults(mod_id: &str) -> DiagnosticPath {
        path(mod_id, "faults")
    }
}

/// Ids that a mod states are fit for a path. A mod that states none goes by the name of its file, which may be anything.
fn path(mod_id: &str, figure: &str) -> DiagnosticPath {
    let mod_id = if mod_id.is_empty() { "%" } else { mod_id };
    DiagnosticPath::new(format!("mods/{}/{figure}", mod_id.replace('%', "%25").replace('/', "%2F")))
}

/// The mods whose diagnostics are there.
#[derive(Debug, Resource)]
struct Shown {
    max_history_length: usize,
    mods: BTreeMap<Arc<str>, [DiagnosticPath; FIGURES.len()]>,
}

/// Notes what mods used in the last frame. Their diagnostics come and go with them.
fn measure(registry: Option<Res<ModRegistry>>, mut store: ResMut<DiagnosticsStore>, mut shown: ResMut<Shown>) {
    let Some(registry) = registry else { return };
    let Shown { max_history_length, mods } = &mut *shown;
    let gone: Vec<_> = mods.extract_if(.., |id, _| registry.usage(id).is_none()).flat_map(|(_, paths)| paths).collect();
    if !gone.is_empty() {
        remove(&mut store, &gone);
    }
    let time = Instant::now();
    for (id, usage) in registry.usages.iter() {
        if !mods.contains_key(id) {
            mods.insert(Arc::clone(id), add(&mut store, id, *max_history_length));
        }
        for (path, (_, _, value)) in mods.get(id).into_iter().flatten().zip(FIGURES) {
            let diagnostic = store.get_mut(path).filter(|diagnostic| diagnostic.is_enabled);
            if let Some(diagnostic) = diagnostic {
                diagnostic.add_measurement(DiagnosticMeasurement { time, value: value(usage) });
            }
        }
    }
}

/// Adds the diagnostics of a mod. What the game has said of one already stays so.
fn add(store: &mut DiagnosticsStore, id: &str, max_history_length: usize) -> [DiagnosticPath; FIGURES.len()] {
    FIGURES.map(|(figure, unit, _)| {
        let path = path(id, figure);
        if store.get(&path).is_none() {
            let diagnostic = Diagnostic::new(path.clone()).with_suffix(unit);
            store.add(diagnostic.with_max_history_length(max_history_length));
        }
        path
    })
}

/// Takes diagnostics out of a store, which has no way to do so but to be made anew.
fn remove(store: &mut DiagnosticsStore, gone: &[DiagnosticPath]) {
    let mut kept = DiagnosticsStore::default();
    for diagnostic in store.iter_mut().filter(|diagnostic| !gone.contains(diagnostic.path())) {
        let path = diagnostic.path().clone();
        kept.add(std::mem::replace(diagnostic, Diagnostic::new(path)));
    }
    *store = kept;
}

#[cfg(test)]
mod tests {
    use super::ModDiagnostics;

    #[test]
    fn any_name_has_a_path_of_its_own() {
        let mut paths = Vec::new();
        for id in ["wind", "", "/", "//", "a/b", "a//b/", "%2F", "../..", " ", "mods", "time", "\u{202e}\n"] {
            let path = ModDiagnostics::time(id);
            assert_eq!(path.components().count(), 3, "{path}");
            assert!(path.components().all(|component| !component.is_empty()), "{path}");
            paths.push(path.as_str().to_owned());
        }
        paths.sort_unstable();
        paths.dedup();
        assert_eq!(paths.len(), 12, "{paths:?}");
    }
}
