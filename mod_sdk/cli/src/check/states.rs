//! The game's states, as mods name them in schedules and conditions.

use mod_host::{GameApi, OfferedState, TypeForm};

/// The most names that a sentence lists.
const MAX_NAMES: usize = 8;

/// What is wrong with a schedule: `Ok` if there is such a one.
pub(super) fn schedule(name: &str, api: &GameApi) -> Result<(), String> {
    let inside = |kind: &str| name.strip_prefix(kind)?.strip_prefix('(')?.strip_suffix(')');
    if let Some(value) = inside("OnEnter").or_else(|| inside("OnExit")) {
        return find(value.trim(), api);
    }
    if api.schedules.iter().any(|schedule| schedule.name == name) {
        return Ok(());
    }
    let near = mod_host::nearest(name, api.schedules.iter().map(|schedule| schedule.name.as_str()));
    let near = near.map(|near| format!(" (there is `{near}`)")).unwrap_or_default();
    Err(format!("there is no schedule `{name}` for mods{near}"))
}

/// What is wrong with a value of a state: `Ok` if mods can name it.
pub(super) fn find(text: &str, api: &GameApi) -> Result<(), String> {
    let parts = text.rsplit_once("::").filter(|(path, value)| !path.is_empty() && !value.is_empty());
    let Some((path, value)) = parts else {
        return Err(format!("{text:?} should be the path of a state's type, `::`, and the name of a value"));
    };
    let state = state(path, api)?;
    if state.values.iter().any(|known| known == value) {
        return Ok(());
    }
    let path = &state.path;
    match api.ty(path).map(|ty| &ty.form) {
        Some(TypeForm::Enum { variants })
            if variants.iter().any(|variant| variant.name == value && !variant.fields.is_empty()) =>
        {
            Err(format!(
                "the value `{value}` of the state {path} holds data, and mods can only name values that hold none"
            ))
        }
        _ => Err(format!("the state {path} has no value `{value}`; it has {}", list(state.values.iter()))),
    }
}

fn state<'a>(path: &str, api: &'a GameApi) -> Result<&'a OfferedState, String> {
    let full = api.states.iter().find(|state| state.path == path);
    let is_short = |state: &&OfferedState| state.path.rsplit("::").next() == Some(path);
    let short: Vec<_> = api.states.iter().filter(is_short).collect();
    match (full, short.as_slice()) {
        (Some(state), _) => Ok(state),
        (None, [state]) => Ok(*state),
        (None, []) => {
            let known = if api.states.is_empty() {
                String::new()
            } else {
                format!(" (it offers {})", list(api.states.iter().map(|state| &state.path)))
            };
            Err(format!("this game does not offer the state `{path}` to mods{known}"))
        }
        (None, several) => {
            let several = list(several.iter().map(|state| &state.path));
            Err(format!("`{path}` could be several states of this game; name one of {several}"))
        }
    }
}

fn list<'a>(names: impl Iterator<Item = &'a String>) -> String {
    names.take(MAX_NAMES).map(String::as_str).collect::<Vec<_>>().join(", ")
}
