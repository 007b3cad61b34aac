//! The file in which a player's choices are kept: which mods are switched off, and what their settings are. What mods
//! there are, and what they declare, is not known here.

mod edit;
mod file;

use std::{fmt, io, path::PathBuf, str::FromStr};

use mod_abi::SettingValue;
use thiserror::Error;
use toml_edit::{Document, Item, Table, TableLike, Value};

use crate::text::clean;

/// The most bytes that the file may have: room for thousands of mods with all of their settings.
const MAX_BYTES: usize = 4 << 20;
/// The most mistakes that are told.
const MAX_PROBLEMS: usize = 32;

/// Which mods are switched off, and the values of their settings: the content of a `mods.toml`. By default it is empty.
///
/// ```toml
/// [mods.orchard_wind]
/// enabled = false
///
/// [mods.orchard_pests.settings]
/// appetite = 2.0
/// ```
///
/// Players may write it as they like: comments, order, dotted keys, inline tables, other keys, and entries of mods that are not
/// there stay as they are, byte for byte, whatever else is changed. Mods that it does not name are enabled.
///
/// Text in which something else stands where a table belongs (`mods = 3`, `[[mods.wind]]`) is an error, as text that is no
/// TOML is. A value of the wrong kind (`enabled = "no"`) is as if it were not there, and stays until another is set:
/// [`ModList::problems`] tells of it.
///
/// ```
/// use mod_abi::SettingValue;
/// use mod_host::ModList;
///
/// let text = "# My mods\n[mods.orchard_wind]\nenabled = false # too loud\n";
/// let mut list: ModList = text.parse()?;
/// assert!(!list.is_enabled("orchard_wind"));
///
/// list.set_enabled("orchard_wind", true);
/// list.set_setting("orchard_pests", "appetite", &SettingValue::Float(2.0));
/// assert_eq!(
///     list.to_string(),
///     "# My mods\n[mods.orchard_wind]\nenabled = true # too loud\n\n[mods.orchard_pests.settings]\nappetite = 2.0\n"
/// );
/// # Ok::<_, mod_host::ModListError>(())
/// ```
#[derive(Clone, Default)]
pub struct ModList {
    text: String,
    /// What stands where in the text. Never anything but tables where tables belong.
    root: Table,
}

/// Why a list cannot be read or saved.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ModListError {
    /// The file is there and cannot be read.
    #[error("the mod list {} cannot be read: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// Larger than 4 MiB.
    #[error("the mod list has more than {MAX_BYTES} bytes")]
    TooLarge,
    /// Not UTF-8.
    #[error("the mod list is not UTF-8 text")]
    NotText,
    /// Not TOML, or something else where a table belongs.
    #[error("the mod list cannot be used: {reason} (line {line}, column {column})")]
    Invalid {
        /// What is wrong.
        reason: String,
        /// Where, counted from one.
        line: usize,
        /// In which character of the line, counted from one.
        column: usize,
    },
    /// The list cannot be saved. What was there is still there.
    #[error("the mod list cannot be saved to {}: {source}", path.display())]
    Save {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// A file that could not be read cannot be put aside.
    #[error("the file {} cannot be put aside: {source}", path.display())]
    SetAside {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
}

impl ModList {
    /// Whether a mod is switched on: unless the list says `enabled = false`.
    #[must_use]
    pub fn is_enabled(&self, id: &str) -> bool {
        self.entry(id).and_then(|entry| entry.get("enabled")?.as_bool()).unwrap_or(true)
    }

    /// Switches a mod on or off. It need not be there. Returns whether the text has changed.
    pub fn set_enabled(&mut self, id: &str, enabled: bool) -> bool {
        let is_said = self.entry(id).is_some_and(|entry| entry.contains_key("enabled"));
        let is_so = self.is_enabled(id) == enabled;
        // A wrong `enabled` counts as none, but the player should not go on reading it.
        let is_wrong = is_said && self.entry(id).and_then(|entry| entry.get("enabled")?.as_bool()).is_none();
        (!is_so || is_wrong) && self.set(&["mods", id, "enabled"], &enabled.into())
    }

    /// The ids of the mods that are switched off, as they stand in the file.
    pub fn disabled(&self) -> impl Iterator<Item = &str> {
        let is_off = |entry: &Item| entry.get("enabled").and_then(Item::as_bool) == Some(false);
        self.entries().filter(move |(_, entry)| is_off(entry)).map(|(id, _)| id)
    }

    /// The value of a setting, if the player chose one. Whether the mod takes it is not known here: see
    /// [`SettingDesc::check`](mod_abi::SettingDesc::check).
    #[must_use]
    pub fn setting(&self, id: &str, name: &str) -> Option<SettingValue> {
        setting_value(self.settings_table(id)?.get(name)?)
    }

    /// Everything that is set about a mod, as it stands in the file, also what its present version does not declare. The
    /// value is None where it is of a kind that no setting has.
    pub fn settings(&self, id: &str) -> impl Iterator<Item = (&str, Option<SettingValue>)> {
        let items = self.settings_table(id).into_iter().flat_map(|table| table.iter());
        items.map(|(name, item)| (name, setting_value(item)))
    }

    /// Sets a value. It is not checked against what the mod declares. Returns whether the text has changed.
    pub fn set_setting(&mut self, id: &str, name: &str, value: &SettingValue) -> bool {
        if self.setting(id, name).as_ref() == Some(value) {
            return false;
        }
        let value = match value {
            SettingValue::Bool(value) => Value::from(*value),
            SettingValue::Int(value) => Value::from(*value),
            SettingValue::Float(value) => Value::from(*value),
            SettingValue::Text(value) => Value::from(value),
        };
        self.set(&["mods", id, "settings", name], &value)
    }

    /// Forgets a value, so that the mod's default holds. A comment on its line goes with it. Returns whether there was one.
    pub fn reset_setting(&mut self, id: &str, name: &str) -> bool {
        let is_there = self.settings_table(id).is_some_and(|table| table.contains_key(name));
        is_there && self.remove(&["mods", id, "settings", name])
    }

    /// What the file says and nobody can follow: a sentence for each, at most 32.
    #[must_use]
    pub fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        for (id, entry) in self.entries() {
            if let Some(enabled) = entry.get("enabled").filter(|enabled| !enabled.is_bool()) {
                problems.push(self.problem(id, "enabled", enabled, "`true` or `false`"));
            }
            let settings = entry.get("settings").and_then(Item::as_table_like);
            for (name, item) in settings.into_iter().flat_map(|table| table.iter()) {
                if setting_value(item).is_none() {
                    let name = format!("settings.{name}");
                    problems.push(self.problem(id, &name, item, "`true` or `false`, a number or a text in quotes"));
                }
            }
            if problems.len() >= MAX_PROBLEMS {
                problems.truncate(MAX_PROBLEMS);
                break;
            }
        }
        problems
    }

    fn problem(&self, id: &str, key: &str, item: &Item, expected: &str) -> String {
        let (line, _) = position(&self.text, item.span().map_or(0, |span| span.start));
        let what = with_article(item.type_name());
        clean(&format!("`mods.{id}.{key}` in line {line} should be {expected}, not {what}, and is ignored"))
    }

    /// Reads a text of any length.
    fn parse(text: String) -> Result<Self, ModListError> {
        let root = Document::parse(&text).map(Document::into_table).map_err(|error| {
            let (line, column) = position(&text, error.span().map_or(0, |span| span.start));
            ModListError::Invalid { reason: clean(error.message()), line, column }
        })?;
        check_shape(&text, &root)?;
        Ok(Self { text, root })
    }

    fn entries(&self) -> impl Iterator<Item = (&str, &Item)> {
        let mods = self.root.get("mods").and_then(Item::as_table_like);
        mods.into_iter().flat_map(|mods| mods.iter())
    }

    fn entry(&self, id: &str) -> Option<&dyn TableLike> {
        self.root.get("mods")?.as_table_like()?.get(id)?.as_table_like()
    }

    fn settings_table(&self, id: &str) -> Option<&dyn TableLike> {
        self.entry(id)?.get("settings")?.as_table_like()
    }
}

impl FromStr for ModList {
    type Err = ModListError;

    /// Reads the content of a `mods.toml`.
    fn from_str(text: &str) -> Result<Self, ModListError> {
        if text.len() > MAX_BYTES {
            return Err(ModListError::TooLarge);
        }
        Self::parse(text.to_owned())
    }
}

/// Checks that nothing stands where a table belongs, and no table where a value does. So whatever is set has a place.
fn check_shape(text: &str, root: &Table) -> Result<(), ModListError> {
    let invalid = |name: &str, item: &Item, expected: &str| {
        let (line, column) = position(text, start_of(item).unwrap_or(0));
        let what = with_article(item.type_name());
        let reason = clean(&format!("`{name}` should be {expected}, not {what}"));
        Err(ModListError::Invalid { reason, line, column })
    };
    let Some(mods) = root.get("mods") else { return Ok(()) };
    let Some(entries) = mods.as_table_like() else { return invalid("mods", mods, "a table, such as `[mods.a_mod]`") };
    for (id, entry) in entries.iter() {
        let Some(entry_table) = entry.as_table_like() else {
            return invalid(&format!("mods.{id}"), entry, &format!("a table, such as `[mods.{id}]`"));
        };
        if let Some(enabled) = entry_table.get("enabled").filter(|enabled| is_tabular(enabled)) {
            return invalid(&format!("mods.{id}.enabled"), enabled, "`true` or `false`");
        }
        let Some(settings) = entry_table.get("settings") else { continue };
        let Some(settings_table) = settings.as_table_like() else {
            let name = format!("mods.{id}.settings");
            return invalid(&name, settings, &format!("a table, such as `[{name}]`"));
        };
        if let Some((name, table)) = settings_table.iter().find(|(_, item)| is_tabular(item)) {
            let name = format!("mods.{id}.settings.{name}");
            return invalid(&name, table, "`true` or `false`, a number or a text in quotes");
        }
    }
    Ok(())
}

fn is_tabular(item: &Item) -> bool {
    item.is_table_like() || item.is_array_of_tables()
}

/// Where something begins that need not have a place of its own, as tables of dotted keys have none.
fn start_of(item: &Item) -> Option<usize> {
    let own = item.span().map(|span| span.start);
    own.or_else(|| match item {
        Item::ArrayOfTables(tables) => tables.iter().find_map(|table| table.span().map(|span| span.start)),
        _ => item.as_table_like()?.iter().find_map(|(_, item)| start_of(item)),
    })
}

fn setting_value(item: &Item) -> Option<SettingValue> {
    match item.as_value()? {
        Value::Boolean(value) => Some(SettingValue::Bool(*value.value())),
        Value::Integer(value) => Some(SettingValue::Int(*value.value())),
        Value::Float(value) => Some(SettingValue::Float(*value.value())),
        Value::String(value) => Some(SettingValue::Text(value.value().clone())),
        Value::Datetime(_) | Value::Array(_) | Value::InlineTable(_) => None,
    }
}

fn with_article(kind: &str) -> String {
    let article = if kind.starts_with(['a', 'i']) { "an" } else { "a" };
    format!("{article} {kind}")
}

/// Line and column of a byte, counted from one.
fn position(text: &str, byte: usize) -> (usize, usize) {
    let before = text.get(..byte).unwrap_or(text);
    let line = before.bytes().filter(|byte| *byte == b'\n').count().saturating_add(1);
    let column = before.rsplit('\n').next().map_or(0, |line| line.chars().count()).saturating_add(1);
    (line, column)
}

impl fmt::Display for ModList {
    /// Writes the content of the file.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for ModList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ModList").field(&self.text).finish()
    }
}
