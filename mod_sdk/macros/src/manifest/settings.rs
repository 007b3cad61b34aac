//! What players can set about a mod.

use mod_abi::{SettingDesc, SettingKind};
use toml::de::DeValue;

use super::table::{Entry, Reader};

const KEYS: &[&str] = &["type", "default", "min", "max", "choices", "description"];
const TYPES: &str = "\"bool\", \"int\", \"float\", \"text\" or \"choice\"";

/// The table `settings`, in the order of the file.
pub(super) fn read(entry: &Entry<'_>, reader: &mut Reader<'_>) -> Vec<SettingDesc> {
    let Some(table) = reader.table(entry) else { return Vec::new() };
    let settings = reader.all(table, &entry.name);
    settings.iter().filter_map(|setting| one(setting, reader)).collect()
}

fn one(entry: &Entry<'_>, reader: &mut Reader<'_>) -> Option<SettingDesc> {
    if !reader.checked_id(entry.key, entry.place.clone()) {
        return None;
    }
    let table = reader.table(entry)?;
    let entries = reader.entries(table, &entry.name, KEYS);
    let find = |key: &str| entries.iter().find(|entry| entry.key == key);
    let (Some(ty), Some(default)) = (find("type"), find("default")) else {
        reader.problem(entry.place.clone(), format!("`{}` should state its `type` and its `default`", entry.name));
        return None;
    };
    let name = reader.text(ty)?;
    let surplus: &[&str] = match name.as_str() {
        "int" | "float" => &["choices"],
        "choice" => &["min", "max"],
        "bool" | "text" => &["min", "max", "choices"],
        _ => {
            reader.problem(ty.place.clone(), format!("`{}` should be {TYPES}", ty.name));
            return None;
        }
    };
    for surplus in entries.iter().filter(|entry| surplus.contains(&entry.key)) {
        reader.problem(surplus.place.clone(), format!("a setting of the type \"{name}\" has no `{}`", surplus.key));
    }
    let kind = match name.as_str() {
        "bool" => SettingKind::Bool { default: reader.truth(default)? },
        "int" => SettingKind::Int {
            default: whole(default, reader)?,
            min: optional(find("min"), reader, whole)?,
            max: optional(find("max"), reader, whole)?,
        },
        "float" => SettingKind::Float {
            default: number(default, reader)?,
            min: optional(find("min"), reader, number)?,
            max: optional(find("max"), reader, number)?,
        },
        "text" => SettingKind::Text { default: reader.text(default)? },
        _ => {
            let choices = find("choices").map(|choices| reader.texts(choices)).unwrap_or_default();
            let choices = choices.into_iter().map(|(word, _)| word).collect();
            SettingKind::Choice { default: reader.text(default)?, choices }
        }
    };
    let description = match find("description") {
        Some(description) => reader.text(description)?,
        None => String::new(),
    };
    let stated = SettingDesc { name: entry.key.to_owned(), kind, description };
    let Some(fault) = stated.fault() else {
        // As hosts will read it, with a description on one line.
        return stated.to_string().parse().ok();
    };
    let fault = match stated.kind {
        SettingKind::Text { .. } => "a default of at most 256 characters on one line, without double quotes",
        _ => fault,
    };
    reader.problem(entry.place.clone(), format!("`{}` should have {fault}", entry.name));
    None
}

/// What is not there is not wrong.
fn optional<T>(
    entry: Option<&Entry<'_>>,
    reader: &mut Reader<'_>,
    read: fn(&Entry<'_>, &mut Reader<'_>) -> Option<T>,
) -> Option<Option<T>> {
    entry.map_or(Some(None), |entry| read(entry, reader).map(Some))
}

fn whole(entry: &Entry<'_>, reader: &mut Reader<'_>) -> Option<i64> {
    let number = match entry.value {
        DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix()).ok(),
        _ => None,
    };
    if number.is_none() {
        reader.problem(entry.place.clone(), format!("`{}` should be a whole number of 64 bits", entry.name));
    }
    number
}

fn number(entry: &Entry<'_>, reader: &mut Reader<'_>) -> Option<f64> {
    let number = match entry.value {
        DeValue::Integer(number) if number.radix() == 10 => number.as_str().parse().ok(),
        DeValue::Float(number) => number.as_str().parse().ok(),
        _ => None,
    };
    let number = number.filter(|number: &f64| number.is_finite());
    if number.is_none() {
        reader.problem(entry.place.clone(), format!("`{}` should be a finite number", entry.name));
    }
    number
}
