//! What a save of the mods holds, and what of it everybody may see. It may come from anywhere: nothing here is trusted.

use std::{collections::BTreeSet, sync::Arc};

use bevy_ecs::entity::Entity;
use mod_abi::describe::DefinitionKind;
use serde::{Deserialize, Deserializer, Serialize};

use super::{
    binary::Binary,
    report::{MissingMod, ModDifference, ModRestore, SaveProblem},
};
use crate::lifecycle::registry::{ModRecord, ModRegistry};

/// The number of the form that this version of the crate writes. Another form has another number.
pub(super) const FORMAT: u32 = 1;
/// The most characters of a text that people see.
const MAX_SHOWN: usize = 128;

/// All that the mods of a game have in it: a value that a game writes into its own save file, in any format of serde.
///
/// [`SaveMods::save_mods`](crate::SaveMods::save_mods) makes one and [`SaveMods::restore_mods`](crate::SaveMods::restore_mods)
/// takes one. It holds the ids of entities as they were when it was made.
///
/// In formats that people read, values of mods are base64; in others they are bytes. A save may be of any age and from
/// anybody: whatever stands in it, reading and restoring it is safe.
///
/// The [default](Default) is the save of a game that never had mods: restored, it starts all mods anew, as a new game does.
///
/// ```
/// # use bevy::prelude::*;
/// # use bevy_wasm_mods::prelude::*;
/// /// What a menu shows beside a saved game.
/// fn describe(save: &ModSave, mods: &ModRegistry) -> String {
///     let names: Vec<String> = save.mods().map(|one| format!("{} {}", one.id(), one.version())).collect();
///     format!("with {}\n{}", names.join(", "), save.compare(mods))
/// }
/// # let mut app = App::new();
/// # app.add_plugins((MinimalPlugins, WasmModsPlugin));
/// # assert_eq!(describe(&ModSave::default(), app.world().resource()), "with \n");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModSave {
    pub(super) format: u32,
    pub(super) mods: Vec<SavedMod>,
    #[serde(skip)]
    pub(super) problems: Vec<SaveProblem>,
}

/// What one mod has in a [`ModSave`].
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct SavedMod {
    #[serde(deserialize_with = "shown")]
    pub(super) id: String,
    #[serde(deserialize_with = "shown")]
    pub(super) version: String,
    /// What it keeps over a reload.
    pub(super) states: Vec<SavedValue>,
    /// The types that it defined, with all their values.
    pub(super) types: Vec<SavedType>,
    /// The entities that it spawned and of which the game has to bring a part back.
    pub(super) spawned: Vec<u64>,
    /// The entities that it spawned and that hold nothing but what mods defined.
    pub(super) own: Vec<u64>,
}

/// A value that a mod keeps.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct SavedValue {
    pub(super) name: String,
    pub(super) schema: String,
    pub(super) value: Binary,
}

/// All values of a type that a mod defined.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct SavedType {
    pub(super) path: String,
    pub(super) schema: String,
    /// Whether the mod does not state it from the start, but came to it in the middle of a call.
    pub(super) late: bool,
    pub(super) values: SavedValues,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum SavedValues {
    Resource(Binary),
    Components(Vec<(u64, Binary)>),
    SparseComponents(Vec<(u64, Binary)>),
}

impl Default for ModSave {
    fn default() -> Self {
        Self { format: FORMAT, mods: Vec::new(), problems: Vec::new() }
    }
}

impl ModSave {
    /// The mods that have something in it, by id: for a menu that says what a save needs.
    pub fn mods(&self) -> impl Iterator<Item = &SavedMod> {
        self.mods.iter()
    }

    /// The entities that have something of a mod, or that a mod spawned, by the ids that they had. A game that loads into
    /// the World that it saved, with the same ids, maps each of its entities to itself.
    pub fn entities(&self) -> impl Iterator<Item = Entity> {
        let of_mod = |saved: &SavedMod| {
            let holders = saved.types.iter().flat_map(|ty| ty.values.holders());
            saved.spawned.iter().chain(&saved.own).copied().chain(holders).collect::<Vec<u64>>()
        };
        let all: BTreeSet<u64> = self.mods.iter().flat_map(of_mod).collect();
        all.into_iter().filter_map(Entity::try_from_bits)
    }

    /// How the mods of a game differ from those of this save, before it is restored: which do not run, which run in another
    /// version, which are new. For a menu that warns a player.
    #[must_use]
    pub fn compare(&self, mods: &ModRegistry) -> ModRestore {
        let mut report = ModRestore::default();
        for saved in &self.mods {
            let id: Arc<str> = clean(&saved.id).into();
            if let Some(why) = MissingMod::why(mods, &id) {
                report.add(ModDifference::Missing { id, version: clean(&saved.version), why });
            } else if let Some(record) = mods.mods.get(&id) {
                let other = ModDifference::of_versions(&id, &clean(&saved.version), &record.version);
                other.into_iter().for_each(|difference| report.add(difference));
            }
        }
        let known: BTreeSet<&str> = self.mods.iter().map(|saved| saved.id.as_str()).collect();
        let is_new = |(id, record): &(&Arc<str>, &ModRecord)| record.is_running() && !known.contains(&***id);
        for (id, record) in mods.mods.iter().filter(is_new) {
            report.add(ModDifference::New { id: Arc::clone(id), version: record.version.clone() });
        }
        report
    }

    /// What went wrong when it was made, mod by mod. This is not written into a file.
    #[must_use]
    pub fn problems(&self) -> &[SaveProblem] {
        &self.problems
    }
}

impl SavedMod {
    /// The mod's id.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The version that it had.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.version
    }

    /// The bytes of all its values.
    pub(super) fn bytes(&self) -> usize {
        let types = self.types.iter().map(|ty| match &ty.values {
            SavedValues::Resource(value) => value.0.len(),
            SavedValues::Components(values) | SavedValues::SparseComponents(values) => {
                values.iter().map(|(_, value)| value.0.len()).sum()
            }
        });
        self.states.iter().map(|state| state.value.0.len()).chain(types).fold(0, usize::saturating_add)
    }
}

impl SavedValues {
    /// What the type is in the World.
    pub(super) fn kind(&self) -> DefinitionKind {
        match self {
            Self::Resource(_) => DefinitionKind::Resource,
            Self::Components(_) => DefinitionKind::Component,
            Self::SparseComponents(_) => DefinitionKind::SparseComponent,
        }
    }

    /// The values that belong to entities.
    pub(super) fn components(&mut self) -> Option<&mut Vec<(u64, Binary)>> {
        match self {
            Self::Resource(_) => None,
            Self::Components(values) | Self::SparseComponents(values) => Some(values),
        }
    }

    fn holders(&self) -> Vec<u64> {
        match self {
            Self::Resource(_) => Vec::new(),
            Self::Components(values) | Self::SparseComponents(values) => values.iter().map(|(id, _)| *id).collect(),
        }
    }
}

/// A text that people will see, on one line and not too long.
fn shown<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    String::deserialize(deserializer).map(|text| clean(&text))
}

/// The beginning of a text from a save, without anything that would not stay in its place on a screen.
pub(super) fn clean(text: &str) -> String {
    let is_mark = |c: char| matches!(c, '\u{061c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}');
    text.chars().filter(|c| !c.is_control() && !is_mark(*c)).take(MAX_SHOWN).collect()
}
