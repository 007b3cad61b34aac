//! The settings of mods: what they declare, what the player chose of it, and how it comes to them.

use std::{collections::BTreeMap, sync::Arc};

use bevy_ecs::{resource::Resource, world::World};
use mod_abi::{SettingDesc, SettingKind, SettingValue, describe::ModDescription};
use mod_host::{ModList, nearest};
use tracing::{error, warn};

use crate::{
    bridge::player::SettingsLayout,
    lifecycle::{fault::ModEvent, list::ModListFile, registry::ModRegistry},
};

/// The most values that are told of one mod.
const MAX_TOLD: usize = 16;
/// The longest name from the player's file in a message.
const MAX_NAME: usize = 64;

/// What mods declared that were installed once, so that the settings of one whose file is gone or broken can be listed, too.
#[derive(Debug, Default, Resource)]
pub(crate) struct DeclaredSettings {
    of: BTreeMap<Arc<str>, Arc<[SettingDesc]>>,
    /// What was last told of the values that do not fit.
    told: BTreeMap<Arc<str>, String>,
}

impl DeclaredSettings {
    /// The settings of a mod, as the version declares them that runs, or that its file offers, or that ran.
    pub(crate) fn find<'a>(&'a self, registry: &'a ModRegistry, id: &str) -> Option<&'a [SettingDesc]> {
        let record = registry.mods.get(id)?;
        let running = record.running.as_ref().map(|running| &*running.identity.settings);
        let offered = || {
            let identity = registry.files.get(&record.file)?.identity.as_ref()?;
            (identity.id == id).then_some(&*identity.settings)
        };
        running.or_else(offered).or_else(|| self.of.get(id).map(|settings| &**settings))
    }
}

/// The value that holds: what the player chose, where the setting takes it, else the default.
pub(crate) fn value_of(list: &ModList, id: &str, setting: &SettingDesc) -> SettingValue {
    chosen(list, id, setting).unwrap_or_else(|| setting.default_value())
}

/// What the player chose, where the setting takes it.
pub(crate) fn chosen(list: &ModList, id: &str, setting: &SettingDesc) -> Option<SettingValue> {
    let value = list.setting(id, &setting.name).filter(|value| setting.check(value).is_ok())?;
    Some(as_stored(setting, value))
}

/// A value as it is kept: a number for a float has a point.
pub(crate) fn as_stored(setting: &SettingDesc, value: SettingValue) -> SettingValue {
    match (&setting.kind, value.as_f64()) {
        (SettingKind::Float { .. }, Some(value)) => SettingValue::Float(value),
        _ => value,
    }
}

/// Gives a mod its settings, before the first of its systems runs, and says which of the player's values have no place in
/// them. The mod's types have to be in place.
///
/// # Errors
/// When the settings cannot be written, because code of the game panicked.
pub(crate) fn begin(
    world: &mut World,
    id: &Arc<str>,
    layout: Option<&SettingsLayout>,
    declared: &[SettingDesc],
) -> Result<(), String> {
    let list = world.get_resource_or_init::<ModListFile>().list().clone();
    let misfits = misfits(&list, id, declared).join("; ");
    let mut known = world.get_resource_or_init::<DeclaredSettings>();
    known.of.insert(Arc::clone(id), declared.into());
    if misfits.is_empty() {
        known.told.remove(id);
    } else if known.told.get(id) != Some(&misfits) {
        warn!(
            "{id}: the mod list has values that this version does not take; they stay in it and do nothing: {misfits}"
        );
        known.told.insert(Arc::clone(id), misfits);
    }
    // If this version fails, the one before gets its own back.
    world.get_resource_or_init::<ModListFile>().set_stale();
    layout.map_or(Ok(()), |layout| layout.write(world, |setting| value_of(&list, id, setting)))
}

/// Gives the version of a mod that goes on again its settings.
pub(crate) fn resume(world: &mut World, id: &Arc<str>, description: &ModDescription, declared: &[SettingDesc]) {
    let list = world.get_resource_or_init::<ModListFile>().list().clone();
    world.get_resource_or_init::<DeclaredSettings>().of.insert(Arc::clone(id), declared.into());
    write(world, id, &list, description, declared);
}

/// What the list says about a mod and the mod does not take, a sentence each.
fn misfits(list: &ModList, id: &str, declared: &[SettingDesc]) -> Vec<String> {
    let misfit = |(name, value): (&str, Option<SettingValue>)| {
        let Some(setting) = declared.iter().find(|setting| setting.name == name) else {
            let hint = nearest(name, declared.iter().map(|setting| setting.name.as_str()));
            let hint = hint.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
            let name: String = name.chars().take(MAX_NAME).collect();
            return Some(format!("there is no setting {name:?}{hint}"));
        };
        // Values of a wrong kind were told when the file was read.
        setting.check(&value?).err().map(|refusal| refusal.to_string())
    };
    list.settings(id).filter_map(misfit).take(MAX_TOLD).collect()
}

/// Brings what the player changed since the last frame to the mods, and tells of it.
pub(crate) fn apply(world: &mut World) {
    let Some(changed) = world.get_resource_mut::<ModListFile>().and_then(|mut file| file.take_changed()) else {
        return;
    };
    let list = world.resource::<ModListFile>().list().clone();
    let Some(registry) = world.get_resource::<ModRegistry>() else { return };
    let mut running = Vec::new();
    for (id, record) in registry.mods.iter().filter(|(_, record)| record.is_running()) {
        let Some(mod_) = record.running.as_ref().filter(|running| !running.identity.settings.is_empty()) else {
            continue;
        };
        running.push((Arc::clone(id), mod_.signature.description.clone(), Arc::clone(&mod_.identity)));
    }
    for (id, description, identity) in running {
        write(world, &id, &list, &description, &identity.settings);
    }
    let registry = world.resource::<ModRegistry>();
    let declared = world.get_resource::<DeclaredSettings>();
    let event = |(id, name): &(Arc<str>, Arc<str>)| {
        let setting = declared?.find(registry, id)?.iter().find(|setting| setting.name == **name)?;
        let value = value_of(&list, id, setting);
        Some(ModEvent::SettingChanged { id: Arc::clone(id), name: Arc::clone(name), value })
    };
    let events: Vec<_> = changed.iter().filter_map(event).collect();
    world.write_message_batch(events);
}

fn write(world: &mut World, id: &str, list: &ModList, description: &ModDescription, declared: &[SettingDesc]) {
    // It was found to fit when the mod was installed.
    let Ok(Some(layout)) = SettingsLayout::find(description, declared) else { return };
    if let Err(reason) = layout.write(world, |setting| value_of(list, id, setting)) {
        error!("{id}: its settings could not be changed: {reason}");
    }
}
