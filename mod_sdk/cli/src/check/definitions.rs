//! What a mod defines itself, and how it wants its settings.

use std::collections::HashSet;

use mod_abi::{
    Identity, Schema, SettingDesc, check_value,
    describe::{Definition, DefinitionKind, ModDescription, TypeDesc, TypeRole},
};
use mod_host::{GameApi, ModAccess, nearest};

use super::{
    found::Findings,
    types::{Kind, Types},
};

/// The most bytes of each value of a component or resource of a mod.
const MAX_FIXED_BYTES: usize = 64 << 10;
/// The longest path of a type of a mod.
const MAX_PATH: usize = 256;

pub(super) fn check(description: &ModDescription, identity: &Identity, api: &GameApi, findings: &mut Findings) {
    let mut seen = HashSet::new();
    let mut settings = Vec::new();
    for ty in &description.types {
        let TypeRole::Definition(definition) = &ty.role else { continue };
        let twice = if seen.insert(&ty.path) { None } else { Some("it is defined twice".to_owned()) };
        for wrong in wrong(ty, definition, identity, api).into_iter().chain(twice) {
            findings.problem(format!("`{}` cannot be defined: {wrong}", ty.path));
        }
        if definition.kind == DefinitionKind::Settings {
            settings.push(ty);
        }
    }
    match settings.as_slice() {
        [] => {}
        [ty] => check_settings(ty, &identity.settings, findings),
        [first, second, ..] => findings.problem(format!(
            "its settings are defined twice, as `{}` and as `{}`; one resource holds all of them",
            first.path, second.path
        )),
    }
    let types = Types { api, description, identity };
    for resource in &description.resources {
        types.used(None, resource.ty, Kind::Resource, ModAccess::Insert, findings);
    }
}

fn wrong(ty: &TypeDesc, definition: &Definition, identity: &Identity, api: &GameApi) -> Vec<String> {
    let id = &identity.id;
    let mut wrong = Vec::new();
    let name = ty.path.strip_prefix(id.as_str()).and_then(|rest| rest.strip_prefix("::")).unwrap_or_default();
    let is_name = |c: char| c.is_alphanumeric() || "_:<>, ".contains(c);
    if name.is_empty() || ty.path.len() > MAX_PATH || !name.chars().all(is_name) {
        wrong.push(format!("the path of a type of this mod is `{id}::` and a name"));
    }
    if api.ty(&ty.path).is_some() {
        wrong.push("the game has a type of that path".to_owned());
    }
    let bytes = ty.schema.fixed_size().unwrap_or(0);
    if !matches!(definition.kind, DefinitionKind::Message | DefinitionKind::Event) && bytes > MAX_FIXED_BYTES {
        wrong.push(format!("each value has {bytes} bytes, more than {MAX_FIXED_BYTES}; use a list"));
    }
    if definition.default.as_deref().is_some_and(|default| check_value(&ty.schema, default).is_err()) {
        wrong.push("its default is no value of it".to_owned());
    }
    wrong
}

fn check_settings(ty: &TypeDesc, declared: &[SettingDesc], findings: &mut Findings) {
    let path = &ty.path;
    let Schema::Struct(fields) = &ty.schema else {
        findings
            .problem(format!("`{path}` cannot hold its settings: it should be a struct with a named field for each"));
        return;
    };
    for (field, schema) in fields {
        match SettingDesc::of_field(field, declared) {
            None => {
                let near = nearest(field, declared.iter().map(|setting| setting.name.as_str()));
                let near = near.map(|near| format!(" (it declares `{near}`)")).unwrap_or_default();
                findings
                    .problem(format!("`{path}` has the field `{field}`, but the mod declares no such setting{near}"));
            }
            Some(setting) => {
                if let Err(expected) = setting.check_field(schema) {
                    findings.problem(format!(
                        "the field `{field}` of `{path}` is \"{schema}\", but for its setting it should be {expected}"
                    ));
                }
            }
        }
    }
}
