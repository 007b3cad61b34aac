//! What becomes a type of the module, under which name, and what does not, and why.

use std::collections::{BTreeMap, BTreeSet};

use mod_host::{FieldApi, GameApi, ModAccess, OfferedType, TypeApi, TypeForm};

use super::{
    names::{ident, unique},
    parts::{Reason, Spelled, Speller, Traits, of_math, of_sdk},
};

/// What a mirror is derived as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    Component,
    Resource,
    Message,
    Event,
    States,
    /// It stands inside of others.
    Reflect,
}

impl Role {
    /// The derive.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Component => "Component",
            Self::Resource => "Resource",
            Self::Message => "Message",
            Self::Event => "Event",
            Self::States => "States",
            Self::Reflect => "Reflect",
        }
    }

    /// The attribute with the path, if it has one.
    pub(super) fn attribute(self) -> Option<&'static str> {
        match self {
            Self::Component => Some("component"),
            Self::Resource => Some("resource"),
            Self::Message => Some("message"),
            Self::Event => Some("event"),
            Self::States => Some("states"),
            Self::Reflect => None,
        }
    }
}

/// How much of a type is mirrored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Body<'a> {
    Whole,
    /// Only these fields can cross.
    Part(Vec<&'a FieldApi>),
    /// Nothing of it can, so it is for filters.
    Filter,
    /// The values of a state.
    Values(&'a [String]),
}

/// A type of the module.
#[derive(Debug)]
pub(super) struct Item<'a> {
    pub(super) role: Role,
    pub(super) name: String,
    pub(super) path: &'a str,
    pub(super) ty: Option<&'a TypeApi>,
    pub(super) offer: Option<&'a OfferedType>,
    pub(super) body: Body<'a>,
}

/// All of it.
#[derive(Debug)]
pub(super) struct Plan<'a> {
    api: &'a GameApi,
    pub(super) items: Vec<Item<'a>>,
    /// Which of them stands for a type inside of others.
    by_path: BTreeMap<&'a str, usize>,
    traits: BTreeMap<&'a str, Traits>,
    /// Types of the game that the SDK has.
    pub(super) of_sdk: Vec<(&'a str, &'static str)>,
    /// What has no mirror, and why.
    pub(super) left_out: Vec<(&'a str, Reason)>,
}

/// Looks at types before they have names.
struct Judge<'a> {
    api: &'a GameApi,
    judged: BTreeMap<&'a str, Result<Traits, Reason>>,
    open: BTreeSet<&'a str>,
}

impl<'a> Plan<'a> {
    pub(super) fn new(api: &'a GameApi) -> Self {
        let mut judge = Judge { api, judged: BTreeMap::new(), open: BTreeSet::new() };
        let (mut items, mut known, mut left_out) = (Vec::new(), Vec::new(), Vec::new());
        let lists = [
            (Role::Component, &api.components),
            (Role::Resource, &api.resources),
            (Role::Message, &api.messages),
            (Role::Event, &api.events),
        ];
        for (role, offer) in lists.into_iter().flat_map(|(role, list)| list.iter().map(move |offer| (role, offer))) {
            let path = offer.path.as_str();
            if let Some(name) = of_sdk(path) {
                known.push((path, name));
                continue;
            }
            match judge.body(role, offer) {
                Ok(body) => {
                    let (ty, offer) = (api.ty(path), Some(offer));
                    items.push(Item { role, name: String::new(), path, ty, offer, body });
                }
                Err(reason) => left_out.push((path, reason)),
            }
        }
        for state in &api.states {
            let (path, values) = (state.path.as_str(), state.values.as_slice());
            if values.is_empty() || values.iter().any(|value| ident(value).is_none()) {
                left_out.push((path, "it has no values that a mod can name".to_owned()));
                continue;
            }
            let (ty, body) = (api.ty(path), Body::Values(values));
            items.push(Item { role: Role::States, name: String::new(), path, ty, offer: None, body });
        }
        // A type that is mirrored as a whole is also what stands for it inside of others. Those that only stand there come last.
        let mut by_path = BTreeMap::new();
        for (index, item) in items.iter().enumerate() {
            if item.body == Body::Whole {
                by_path.entry(item.path).or_insert(index);
            }
        }
        let functions = api.types.iter().filter(|ty| judge.is_of_functions(ty)).map(|ty| ty.path.as_str());
        for path in functions.collect::<Vec<_>>() {
            let _ = judge.judge(path);
        }
        for (path, _) in judge.judged.iter().filter(|(_, judged)| judged.is_ok()) {
            if !by_path.contains_key(path) {
                by_path.insert(path, items.len());
                let (ty, body) = (api.ty(path), Body::Whole);
                items.push(Item { role: Role::Reflect, name: String::new(), path, ty, offer: None, body });
            }
        }
        let wanted: Vec<_> = items.iter().map(|item| (item.path, item.role.name())).collect();
        for (item, name) in items.iter_mut().zip(unique(&wanted)) {
            item.name = name;
        }
        let traits = judge.judged.into_iter().filter_map(|(path, judged)| Some((path, judged.ok()?))).collect();
        Self { api, items, by_path, traits, of_sdk: known, left_out }
    }

    /// A type as it is written in the module.
    pub(super) fn spell(&self, path: &str) -> Result<Spelled, Reason> {
        let mirror = |ty: &TypeApi| {
            let missing = || format!("`{}` has no mirror", ty.path);
            let item =
                self.by_path.get(ty.path.as_str()).and_then(|index| self.items.get(*index)).ok_or_else(missing)?;
            let traits = self.traits.get(ty.path.as_str()).copied().ok_or_else(missing)?;
            Ok(Spelled { text: item.name.clone(), traits })
        };
        Speller { api: self.api, mirror }.spell(path)
    }

    /// What a type that is mirrored as a whole can do.
    pub(super) fn traits(&self, path: &str) -> Option<Traits> {
        self.traits.get(path).copied()
    }
}

impl<'a> Judge<'a> {
    /// How much of a type of the game can be mirrored.
    fn body(&mut self, role: Role, offer: &'a OfferedType) -> Result<Body<'a>, Reason> {
        let path = offer.path.as_str();
        let only = |access| !offer.can.iter().any(|can| *can != access);
        let reasons =
            || offer.cannot.values().next().cloned().unwrap_or_else(|| "mods can do nothing with it".to_owned());
        if offer.can.is_empty() {
            return Err(reasons());
        }
        let is_data = matches!(role, Role::Component | Role::Resource);
        let whole = self.judge(path);
        match whole {
            Ok(_) if !(is_data && only(ModAccess::Filter)) => Ok(Body::Whole),
            Err(reason) if !is_data => Err(reason),
            _ if only(ModAccess::Filter) => Ok(Body::Filter),
            Ok(_) => Ok(Body::Whole),
            Err(reason) => match self.api.ty(path).map(|ty| &ty.form) {
                Some(TypeForm::Struct { fields }) => {
                    let fields: Vec<_> = fields.iter().filter(|field| self.crosses(field)).collect();
                    Ok(if fields.is_empty() { Body::Filter } else { Body::Part(fields) })
                }
                _ if offer.can(ModAccess::Filter) => Ok(Body::Filter),
                _ => Err(reason),
            },
        }
    }

    fn crosses(&mut self, field: &'a FieldApi) -> bool {
        field.name.as_deref().and_then(ident).is_some() && self.spell(&field.ty).is_ok()
    }

    /// Whether a type may be meant by what a function takes or returns.
    fn is_of_functions(&self, ty: &TypeApi) -> bool {
        let is_named = |text: &Option<String>| text.as_ref().is_some_and(|text| text.contains(&ty.path));
        let is_own = matches!(ty.form, TypeForm::Struct { .. } | TypeForm::Tuple { .. } | TypeForm::Enum { .. });
        is_own
            && ty.path.contains("::")
            && !ty.path.starts_with('(')
            && of_math(&ty.path).is_none()
            && of_sdk(&ty.path).is_none()
            && self.api.functions.iter().any(|function| is_named(&function.takes) || is_named(&function.returns))
    }

    /// Whether a type with a name can be mirrored as a whole, and what it can do then.
    fn judge(&mut self, path: &str) -> Result<Traits, Reason> {
        let Some(ty) = self.api.types.iter().find(|ty| ty.path == path) else {
            return Err("the file does not say what it is".to_owned());
        };
        if let Some(judged) = self.judged.get(path) {
            return judged.clone();
        }
        if !self.open.insert(&ty.path) {
            return Err("it contains itself".to_owned());
        }
        let judged = self.judge_anew(ty);
        self.open.remove(path);
        self.judged.insert(&ty.path, judged.clone());
        judged
    }

    fn judge_anew(&mut self, ty: &'a TypeApi) -> Result<Traits, Reason> {
        if ty.schema.is_none() {
            return Err(ty.unsupported.clone().unwrap_or_else(|| "it cannot cross".to_owned()));
        }
        match &ty.form {
            TypeForm::Struct { fields } | TypeForm::Tuple { fields } => self.all(fields),
            TypeForm::Enum { variants } if variants.is_empty() => {
                Err("it has no variants, and so no values".to_owned())
            }
            TypeForm::Enum { variants } => {
                let mut traits = Traits::ALL;
                for variant in variants {
                    if ident(&variant.name).is_none() {
                        return Err(format!("its variant {:?} has no name of Rust", variant.name));
                    }
                    traits = traits.and(self.all(&variant.fields)?);
                }
                Ok(traits)
            }
            _ => Err("it is no struct and no enum".to_owned()),
        }
    }

    fn all(&mut self, fields: &'a [FieldApi]) -> Result<Traits, Reason> {
        let mut traits = Traits::ALL;
        for field in fields {
            if field.name.as_deref().is_some_and(|name| ident(name).is_none()) {
                return Err(format!("its field {:?} has no name of Rust", field.name.as_deref().unwrap_or_default()));
            }
            traits = traits.and(self.spell(&field.ty)?.traits);
        }
        Ok(traits)
    }

    fn spell(&mut self, path: &str) -> Result<Spelled, Reason> {
        let api = self.api;
        let mirror = |ty: &TypeApi| Ok(Spelled { text: String::new(), traits: self.judge(&ty.path)? });
        Speller { api, mirror }.spell(path)
    }
}
