//! The game's states as mods name them: by the path of the type and the name of a value.
//!
//! Bevy's states are Rust types, and so are the schedules and conditions about them. The game names each type once
//! ([`ModStates::add`]); from there on a value is found by its name. Must not know systems or mods.

use std::fmt;

use bevy_ecs::{
    resource::Resource,
    schedule::{BoxedCondition, InternedScheduleLabel, ScheduleLabel},
    system::IntoSystem,
};
use bevy_reflect::{
    FromReflect, TypeInfo, TypePath, Typed,
    enums::{DynamicEnum, DynamicVariant, VariantInfo, VariantType},
};
use bevy_state::{
    condition::in_state,
    state::{OnEnter, OnExit, States},
};
use thiserror::Error;

/// A value of a state that a mod names and that cannot be found.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum StateError {
    /// The name is not put together as it should be.
    #[error("{text:?} should be the path of a state's type, `::`, and the name of a value")]
    Malformed {
        /// What the mod states, shortened.
        text: String,
    },
    /// The game did not offer such a state.
    #[error(
        "this game does not offer the state `{path}` to mods{}; the game should add `app.add_mod_state::<{}>()`",
        offers(known),
        path.rsplit("::").next().unwrap_or(path)
    )]
    Unknown {
        /// The path that the mod states.
        path: String,
        /// The states that the game offers.
        known: Vec<&'static str>,
    },
    /// Several states have that short path.
    #[error("`{path}` could be several states of this game; name one of {}", candidates.join(", "))]
    Ambiguous {
        /// The path that the mod states.
        path: String,
        /// The full paths of the states that it could mean.
        candidates: Vec<&'static str>,
    },
    /// The state has no such value.
    #[error("the state {state} has no value `{value}`; it has {}", known.join(", "))]
    NoSuchValue {
        /// The state's path.
        state: &'static str,
        /// The name that the mod states.
        value: String,
        /// The names that mods may state.
        known: Vec<&'static str>,
    },
    /// The value is more than a name.
    #[error("the value `{value}` of the state {state} holds data, and mods can only name values that hold none")]
    HoldsData {
        /// The state's path.
        state: &'static str,
        /// The value's name.
        value: String,
    },
    /// The state's type is no enum, or its reflection does not make a value from its name.
    #[error("the values of the state {state} have no names, because it is no enum that reflection can make")]
    NoNames {
        /// The state's path.
        state: &'static str,
    },
}

fn offers(known: &[&str]) -> String {
    if known.is_empty() { String::new() } else { format!(" (it offers {})", known.join(", ")) }
}

/// The states that the game offers to mods.
#[derive(Debug, Default, Resource)]
pub(crate) struct ModStates(Vec<OfferedState>);

#[derive(Debug)]
struct OfferedState {
    info: &'static TypeInfo,
    /// Makes a value by its name.
    make: fn(&str) -> Option<Box<dyn StateValue>>,
}

/// One value of a state: what Bevy makes of it.
pub(crate) trait StateValue: fmt::Debug {
    /// The path of the state's type.
    fn path(&self) -> &'static str;
    fn on_enter(&self) -> InternedScheduleLabel;
    fn on_exit(&self) -> InternedScheduleLabel;
    /// Whether the game is in it.
    fn condition(&self) -> BoxedCondition;
}

#[derive(Debug)]
struct Value<S>(S);

impl<S: States + TypePath> StateValue for Value<S> {
    fn path(&self) -> &'static str {
        S::type_path()
    }

    fn on_enter(&self) -> InternedScheduleLabel {
        OnEnter(self.0.clone()).intern()
    }

    fn on_exit(&self) -> InternedScheduleLabel {
        OnExit(self.0.clone()).intern()
    }

    fn condition(&self) -> BoxedCondition {
        Box::new(IntoSystem::into_system(in_state(self.0.clone())))
    }
}

fn make<S: States + FromReflect + TypePath>(name: &str) -> Option<Box<dyn StateValue>> {
    let value = S::from_reflect(&DynamicEnum::new(name, DynamicVariant::Unit))?;
    Some(Box::new(Value(value)))
}

impl ModStates {
    /// Offers a state. Twice is as good as once.
    pub(crate) fn add<S: States + FromReflect + Typed>(&mut self) {
        let info = S::type_info();
        if !self.0.iter().any(|state| state.info.type_path() == info.type_path()) {
            self.0.push(OfferedState { info, make: make::<S> });
        }
    }

    /// The states, in no order, with the names of the values that mods can name.
    pub(crate) fn offered(&self) -> impl Iterator<Item = (&'static TypeInfo, Vec<&'static str>)> {
        self.0.iter().map(|state| {
            let TypeInfo::Enum(info) = state.info else { return (state.info, Vec::new()) };
            let units = info.iter().filter(|variant| variant.variant_type() == VariantType::Unit);
            let names = units.map(VariantInfo::name).filter(|name| (state.make)(name).is_some());
            (state.info, names.collect())
        })
    }

    /// Finds a value by the path of its type, `::`, and its name.
    pub(crate) fn find(&self, text: &str) -> Result<Box<dyn StateValue>, StateError> {
        let parts = text.rsplit_once("::").filter(|(path, value)| !path.is_empty() && !value.is_empty());
        let Some((path, value)) = parts else {
            return Err(StateError::Malformed { text: shortened(text) });
        };
        let state = self.state(path)?;
        let (state_path, malformed) =
            (state.info.type_path(), || StateError::NoNames { state: state.info.type_path() });
        let TypeInfo::Enum(info) = state.info else { return Err(malformed()) };
        match info.variant(value).map(VariantInfo::variant_type) {
            Some(VariantType::Unit) => (state.make)(value).ok_or_else(malformed),
            Some(_) => Err(StateError::HoldsData { state: state_path, value: shortened(value) }),
            None => {
                let units = info.iter().filter(|variant| variant.variant_type() == VariantType::Unit);
                let known = units.map(VariantInfo::name).take(MAX_NAMES).collect();
                Err(StateError::NoSuchValue { state: state_path, value: shortened(value), known })
            }
        }
    }

    fn state(&self, path: &str) -> Result<&OfferedState, StateError> {
        let by = |of: fn(&TypeInfo) -> &'static str| self.0.iter().filter(move |state| of(state.info) == path);
        let full = by(|info| info.type_path()).next();
        let short: Vec<_> = by(|info| info.type_path_table().short_path()).collect();
        match (full, &short[..]) {
            (Some(state), _) => Ok(state),
            (None, [state]) => Ok(*state),
            (None, []) => {
                let known = self.0.iter().map(|state| state.info.type_path()).take(MAX_NAMES).collect();
                Err(StateError::Unknown { path: shortened(path), known })
            }
            (None, several) => {
                let candidates = several.iter().map(|state| state.info.type_path()).collect();
                Err(StateError::Ambiguous { path: shortened(path), candidates })
            }
        }
    }

    /// The schedule that a name means, `OnEnter(..)` or `OnExit(..)`, and the path of the state. `None` if it is neither.
    pub(crate) fn schedule(&self, name: &str) -> Option<Result<(InternedScheduleLabel, &'static str), StateError>> {
        let inside = |kind: &str| name.strip_prefix(kind)?.strip_prefix('(')?.strip_suffix(')');
        let label = |value: &str, of: fn(&dyn StateValue) -> InternedScheduleLabel| {
            self.find(value.trim()).map(|value| (of(&*value), value.path()))
        };
        match (inside("OnEnter"), inside("OnExit")) {
            (Some(value), _) => Some(label(value, |value| value.on_enter())),
            (_, Some(value)) => Some(label(value, |value| value.on_exit())),
            _ => None,
        }
    }
}

/// The most names that a message lists.
const MAX_NAMES: usize = 8;

/// As much of a mod's text as goes into a message.
fn shortened(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(100).collect()
}
