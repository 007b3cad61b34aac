//! The game lists and changes the settings of its mods.

use mod_abi::{SettingDesc, SettingRefusal, SettingValue};
use mod_host::nearest;
use thiserror::Error;

use crate::lifecycle::{
    calls::{ModCallError, Mods},
    player::{as_stored, chosen},
};

/// A setting of a mod, as the game may show it.
#[derive(Debug, Clone, PartialEq)]
pub struct ModSetting {
    /// What the mod declares: name, kind, range and description.
    pub desc: SettingDesc,
    /// What holds now: a value that the setting takes.
    pub value: SettingValue,
    /// Whether the player chose it. Otherwise it is the default, and another version of the mod may have another one.
    pub is_chosen: bool,
}

/// A setting that cannot be listed or changed.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ModSettingError {
    /// There is no such mod.
    #[error(transparent)]
    Mod(#[from] ModCallError),
    /// What the mod declares has not been read.
    #[error(
        "it is not known which settings the mod `{id}` has: it is still being loaded, or its file could not be read"
    )]
    NotKnown {
        /// The mod's id.
        id: String,
    },
    /// The mod has no such setting.
    #[error(
        "the mod `{id}` has no setting `{name}`{}",
        nearest.as_ref().map(|near| format!("; did you mean `{near}`?")).unwrap_or_default()
    )]
    NoSuchSetting {
        /// The mod's id.
        id: String,
        /// The name that was asked for.
        name: String,
        /// A setting of a similar name.
        nearest: Option<String>,
    },
    /// The setting does not take the value.
    #[error("{id}: {source}")]
    Refused {
        /// The mod's id.
        id: String,
        /// Which values it takes.
        source: SettingRefusal,
    },
}

impl Mods<'_> {
    /// The settings of a mod, in the order in which it declares them. It need not run: what it declared is known once it has
    /// been loaded.
    ///
    /// ```
    /// # use bevy::prelude::*;
    /// # use bevy_wasm_mods::prelude::*;
    /// fn list(mods: Mods) -> Result {
    ///     for ModSetting { desc, value, is_chosen } in mods.settings("orchard_pests")? {
    ///         println!("{} = {value}{}: {}", desc.name, if is_chosen { "" } else { " (default)" }, desc.description);
    ///     }
    ///     Ok(())
    /// }
    /// ```
    ///
    /// # Errors
    /// When there is no such mod, or it is not known what it declares.
    pub fn settings(&self, mod_id: &str) -> Result<Vec<ModSetting>, ModSettingError> {
        let list = self.list.list();
        let one = |desc: &SettingDesc| {
            let chosen = chosen(list, mod_id, desc);
            let is_chosen = chosen.is_some();
            ModSetting { desc: desc.clone(), value: chosen.unwrap_or_else(|| desc.default_value()), is_chosen }
        };
        Ok(self.declared(mod_id)?.iter().map(one).collect())
    }

    /// Sets a setting of a mod. From the next frame boundary on the mod sees the new value, and a `ModEvent` tells of it.
    /// It is kept in [`ModSettings::list`](crate::ModSettings::list).
    ///
    /// # Errors
    /// When there is no such mod or setting, it is not known what the mod declares, or the setting does not take the value.
    /// Then nothing has changed.
    pub fn set_setting(
        &mut self,
        mod_id: &str,
        name: &str,
        value: impl Into<SettingValue>,
    ) -> Result<(), ModSettingError> {
        let setting = self.setting_desc(mod_id, name)?;
        let value = value.into();
        setting.check(&value).map_err(|source| ModSettingError::Refused { id: mod_id.to_owned(), source })?;
        let value = as_stored(setting, value);
        self.list.set_setting(mod_id, name, Some(&value));
        Ok(())
    }

    /// Forgets what the player chose for a setting of a mod, so that its default holds from the next frame boundary on.
    ///
    /// # Errors
    /// When there is no such mod or setting, or it is not known what the mod declares.
    pub fn reset_setting(&mut self, mod_id: &str, name: &str) -> Result<(), ModSettingError> {
        self.setting_desc(mod_id, name)?;
        self.list.set_setting(mod_id, name, None);
        Ok(())
    }

    fn declared(&self, id: &str) -> Result<&[SettingDesc], ModSettingError> {
        if self.registry.state(id).is_none() {
            return Err(self.registry.no_such(id).into());
        }
        let found = self.declared.find(&self.registry, id);
        found.ok_or_else(|| ModSettingError::NotKnown { id: id.to_owned() })
    }

    fn setting_desc(&self, id: &str, name: &str) -> Result<&SettingDesc, ModSettingError> {
        let declared = self.declared(id)?;
        declared.iter().find(|setting| setting.name == name).ok_or_else(|| ModSettingError::NoSuchSetting {
            id: id.to_owned(),
            name: name.to_owned(),
            nearest: nearest(name, declared.iter().map(|setting| setting.name.as_str())),
        })
    }
}
