//! What a game offers to mods, as a file that tools read: `docs/game-api.md` describes it. How a game finds it out is not
//! known here.

mod game;

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
};

use mod_abi::{ABI_VERSION, Schema};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::{replace::replace, resolve::GameIdentity};

/// All that a game offers to mods: the contents of a `game-api.json`.
///
/// Everything that has a name is sorted by it, so that the same game has the same bytes. Fields that are not known are passed
/// over when it is read, and words that are not known become `Other`, so that a tool can read what a later version wrote.
///
/// ```
/// use mod_host::{ModAccess, GameApi};
///
/// let api = GameApi::from_json(
///     r#"{
///         "format": 1,
///         "abi": 3,
///         "components": [{ "path": "orchard::Tree", "can": ["filter", "read"] }],
///         "types": [{ "path": "orchard::Tree", "schema": "{height:f32}", "kind": "struct",
///             "fields": [{ "name": "height", "type": "f32", "docs": "In metres." }] }]
///     }"#,
/// )?;
/// assert!(api.components[0].can(ModAccess::Read) && !api.components[0].can(ModAccess::Write));
/// assert_eq!(api.ty("orchard::Tree").unwrap().schema.as_ref().unwrap().to_string(), "{height:f32}");
/// # Ok::<_, mod_host::GameApiError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct GameApi {
    /// The version of the format: [`GameApi::FORMAT`].
    pub format: u32,
    /// What the game is to mods, if it says so.
    #[serde(default, with = "game", skip_serializing_if = "Option::is_none")]
    pub game: Option<GameIdentity>,
    /// The version of the ABI that its mods speak.
    pub abi: u32,
    /// The folder of the mods inside the game's assets, in which `<id>/` holds the assets of the mod with that id.
    #[serde(default = "default_folder")]
    pub folder: String,
    /// The components, by path.
    #[serde(default)]
    pub components: Vec<OfferedType>,
    /// The resources, by path.
    #[serde(default)]
    pub resources: Vec<OfferedType>,
    /// The messages, by path.
    #[serde(default)]
    pub messages: Vec<OfferedType>,
    /// The events, by path.
    #[serde(default)]
    pub events: Vec<OfferedType>,
    /// The states, by path.
    #[serde(default)]
    pub states: Vec<OfferedState>,
    /// The sets of systems that systems of mods can be ordered by.
    #[serde(default)]
    pub sets: Vec<OfferedSet>,
    /// The schedules that systems of mods can run in, in the order of a frame. Those of states (`OnEnter`, `OnExit`) are not
    /// among them.
    #[serde(default)]
    pub schedules: Vec<OfferedSchedule>,
    /// The host functions, by name.
    #[serde(default)]
    pub functions: Vec<OfferedFunction>,
    /// All types that are named above, and those that they are made of, by path.
    #[serde(default)]
    pub types: Vec<TypeApi>,
}

/// A type of the game, and what mods can do with its values.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[non_exhaustive]
pub struct OfferedType {
    /// Its path, by which [`GameApi::ty`] finds it.
    pub path: String,
    /// What mods can do.
    #[serde(default)]
    pub can: Vec<ModAccess>,
    /// What they cannot do, and why: the end of a sentence.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub cannot: BTreeMap<ModAccess, String>,
}

/// What a mod does with a type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ModAccess {
    /// Ask which entities have the component (`With`, `Has`), or hear that it was added or removed.
    Filter,
    /// Read its values; of messages, those that were written.
    Read,
    /// Change its values where they are; of messages, write new ones.
    Write,
    /// Spawn or insert new ones.
    Insert,
    /// Remove it; of resources of Bevy, only one that the mod has inserted itself.
    Remove,
    /// Hear of the event.
    Observe,
    /// Trigger the event.
    Trigger,
    /// A word of a later version.
    #[serde(other)]
    Other,
}

/// A state of the game.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[non_exhaustive]
pub struct OfferedState {
    /// The path of its type.
    pub path: String,
    /// The values that mods can name, in the order of the type.
    #[serde(default)]
    pub values: Vec<String>,
}

/// A set of systems of the game.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[non_exhaustive]
pub struct OfferedSet {
    /// Its name.
    pub name: String,
}

/// A schedule.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[non_exhaustive]
pub struct OfferedSchedule {
    /// Its name.
    pub name: String,
}

/// A host function.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[non_exhaustive]
pub struct OfferedFunction {
    /// Its name.
    pub name: String,
    /// Its arguments, or `None` if not even their number is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub args: Option<Vec<Schema>>,
    /// What the game's code takes, in Rust's words. Several arguments are a tuple.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub takes: Option<String>,
    /// What the game's code returns, in Rust's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub returns: Option<String>,
    /// Whether the mod gets a ticket for the result, because the work takes longer than the call.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub ticket: bool,
}

/// What a type of the game looks like.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[non_exhaustive]
pub struct TypeApi {
    /// Its path.
    pub path: String,
    /// Its short path, if no other type of the game has the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub short_path: Option<String>,
    /// Its documentation, where the game has kept it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub docs: Option<String>,
    /// What mods state of it, if its values can cross.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schema: Option<Schema>,
    /// Why its values cannot cross as a whole: the end of a sentence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unsupported: Option<String>,
    /// What it is made of.
    #[serde(flatten)]
    pub form: TypeForm,
}

/// What a type is made of. All types are named by their paths.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[non_exhaustive]
pub enum TypeForm {
    /// Named fields, in the order in which they cross.
    Struct {
        /// They.
        fields: Vec<FieldApi>,
    },
    /// Unnamed fields, in the order in which they cross: a tuple struct or a tuple.
    Tuple {
        /// They.
        fields: Vec<FieldApi>,
    },
    /// One of several variants, in the order of their numbers.
    Enum {
        /// They.
        variants: Vec<VariantApi>,
    },
    /// One value or none.
    Option {
        /// Its type.
        item: String,
    },
    /// Any number of values.
    List {
        /// Their type.
        item: String,
    },
    /// Any number of different values, which cross as a list.
    Set {
        /// Their type.
        item: String,
    },
    /// A fixed number of values.
    Array {
        /// Their type.
        item: String,
        /// How many.
        len: usize,
    },
    /// Pairs of a key and a value.
    Map {
        /// The type of the keys.
        key: String,
        /// The type of the values.
        value: String,
    },
    /// A handle of an asset, which crosses as the asset's path.
    Handle {
        /// The type of the asset, if it is known. It crosses never, so it is not among the types.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        asset: Option<String>,
    },
    /// A value without parts: a number, a text, an entity.
    Leaf,
    /// Something that mods cannot look into, or a word of a later version.
    #[default]
    #[serde(other)]
    Opaque,
}

/// A field of a struct, a tuple or a variant.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[non_exhaustive]
pub struct FieldApi {
    /// Its name, unless it only has a place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The path of its type.
    #[serde(rename = "type")]
    pub ty: String,
    /// Its documentation, where the game has kept it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub docs: Option<String>,
}

/// A variant of an enum.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[non_exhaustive]
pub struct VariantApi {
    /// Its name.
    pub name: String,
    /// Its documentation, where the game has kept it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub docs: Option<String>,
    /// Its fields: all with names, all without, or none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<FieldApi>,
}

/// A text that is no `game-api.json` that can be read.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum GameApiError {
    /// It is not what it should be.
    #[error("this is no game-api.json: {0}")]
    Malformed(#[from] serde_json::Error),
    /// It cannot be written.
    #[error("the game's API cannot be written to {}: {source}", path.display())]
    Save {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A later version of the format.
    #[error(
        "the game-api.json has the format {found}, but only formats up to {known} can be read here; a newer tool can"
    )]
    Newer {
        /// Its format.
        found: u32,
        /// The latest format that is known.
        known: u32,
    },
}

impl Default for GameApi {
    /// A game that offers nothing.
    fn default() -> Self {
        Self {
            format: Self::FORMAT,
            game: None,
            abi: ABI_VERSION,
            folder: default_folder(),
            components: Vec::new(),
            resources: Vec::new(),
            messages: Vec::new(),
            events: Vec::new(),
            states: Vec::new(),
            sets: Vec::new(),
            schedules: Vec::new(),
            functions: Vec::new(),
            types: Vec::new(),
        }
    }
}

fn default_folder() -> String {
    "mods".to_owned()
}

impl GameApi {
    /// The version of the format. A later one has another meaning for something that is there; new fields alone do not make
    /// one.
    pub const FORMAT: u32 = 1;

    /// The file's text: JSON for people, with a line feed at its end.
    ///
    /// # Errors
    /// None that the types here could bring about.
    pub fn to_json(&self) -> Result<String, GameApiError> {
        Ok(serde_json::to_string_pretty(self)? + "\n")
    }

    /// Reads a file's text.
    ///
    /// # Errors
    /// When it is something else, or of a later format.
    pub fn from_json(text: &str) -> Result<Self, GameApiError> {
        #[derive(Deserialize)]
        struct Stamp {
            format: u32,
        }
        let Stamp { format } = serde_json::from_str(text)?;
        if format > Self::FORMAT {
            return Err(GameApiError::Newer { found: format, known: Self::FORMAT });
        }
        Ok(serde_json::from_str(text)?)
    }

    /// Writes the file, as a whole or not at all: beside the old one, and then in its place. One that holds the same already is
    /// left alone. A missing folder is made.
    ///
    /// # Errors
    /// When the file or its folder cannot be written. What was there is still there.
    pub fn save(&self, path: &Path) -> Result<(), GameApiError> {
        let text = self.to_json()?;
        if fs::metadata(path).is_ok_and(|found| found.len() == text.len() as u64)
            && fs::read(path).is_ok_and(|old| old == text.as_bytes())
        {
            return Ok(());
        }
        replace(path, text.as_bytes()).map_err(|source| GameApiError::Save { path: path.to_owned(), source })
    }

    /// The type of that path.
    #[must_use]
    pub fn ty(&self, path: &str) -> Option<&TypeApi> {
        self.types.iter().find(|ty| ty.path == path)
    }
}

impl OfferedType {
    /// Whether mods can do that.
    #[must_use]
    pub fn can(&self, access: ModAccess) -> bool {
        self.can.contains(&access)
    }
}

#[cfg(test)]
mod tests {
    use super::{FieldApi, GameApi, GameApiError, ModAccess, OfferedType, TypeApi, TypeForm, VariantApi};
    use crate::resolve::GameIdentity;

    #[test]
    fn what_is_written_is_read() {
        let named = |name: &str, ty: &str| FieldApi { name: Some(name.to_owned()), ty: ty.to_owned(), docs: None };
        let fields = vec![named("x", "f32"), FieldApi { docs: Some("Up.".to_owned()), ..named("y", "f32") }];
        let form = |form| TypeApi { path: "a::T".to_owned(), form, ..TypeApi::default() };
        let item = || "f32".to_owned();
        let variants = vec![VariantApi { name: "V".to_owned(), fields: fields.clone(), docs: None }];
        let forms = [
            TypeForm::Struct { fields: fields.clone() },
            TypeForm::Tuple { fields },
            TypeForm::Enum { variants },
            TypeForm::Option { item: item() },
            TypeForm::List { item: item() },
            TypeForm::Set { item: item() },
            TypeForm::Array { item: item(), len: 3 },
            TypeForm::Map { key: item(), value: item() },
            TypeForm::Handle { asset: Some(item()) },
            TypeForm::Handle { asset: None },
            TypeForm::Leaf,
            TypeForm::Opaque,
        ];
        let component = OfferedType {
            path: "a::T".to_owned(),
            can: vec![ModAccess::Filter, ModAccess::Read],
            cannot: [(ModAccess::Write, "it is an immutable component".to_owned())].into(),
        };
        let api = GameApi {
            game: Some(GameIdentity { id: "orchard".to_owned(), api: semver::Version::new(0, 3, 1) }),
            components: vec![component],
            types: forms.map(form).into(),
            ..GameApi::default()
        };
        let text = api.to_json().unwrap();
        assert_eq!(GameApi::from_json(&text).unwrap(), api, "{text}");
        assert!(text.contains(r#""api": "0.3.1""#), "{text}");
    }

    #[test]
    fn what_a_later_version_adds_is_passed_over() {
        let text = r#"{ "format": 1, "abi": 3, "weather": "rain",
            "components": [{ "path": "a::T", "can": ["read", "paint"], "cannot": { "dance": "no legs" } }],
            "types": [{ "path": "a::T", "kind": "knot", "strings": 3 }] }"#;
        let api = GameApi::from_json(text).unwrap();
        assert_eq!(api.components[0].can, [ModAccess::Read, ModAccess::Other]);
        assert_eq!(api.types[0].form, TypeForm::Opaque);
    }

    #[test]
    fn what_cannot_be_read_says_why() {
        let check = |text: &str, part: &str| {
            let error = GameApi::from_json(text).unwrap_err().to_string();
            assert!(error.contains(part), "{error}");
        };
        check(r#"{ "format": 2 }"#, "the format 2, but only formats up to 1");
        check(r#"{ "abi": 3 }"#, "this is no game-api.json: missing field `format`");
        check("wasm", "this is no game-api.json");
        check(r#"{ "format": 1, "abi": 3, "game": { "id": "a", "api": "1" } }"#, "unexpected end");
        check(r#"{ "format": 1, "abi": 3, "types": [{ "path": "a", "kind": "leaf", "schema": "f31" }] }"#, "schema");
        assert!(matches!(GameApi::from_json(r#"{ "format": 2 }"#), Err(GameApiError::Newer { found: 2, known: 1 })));
    }
}
