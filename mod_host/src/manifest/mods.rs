//! What a mod imports from other mods, and whether it states that it needs them. The engine is not known here.

use mod_abi::{
    DependencyKind, Identity, MAX_FUNCTIONS,
    names::{MOD_IMPORT_PREFIX, is_reserved},
};
use std::collections::{BTreeMap, BTreeSet};
use wasmparser::types::TypesRef;

use super::{MAX_PROBLEMS, crosses, function_type};
use crate::{
    error::LoadError,
    mod_call::ModImport,
    nearest::{hint, nearest},
    text,
};

/// The functions of other mods, sorted. Imports of other types are the linker's to report.
pub(super) fn imports(types: TypesRef<'_>) -> Vec<ModImport> {
    let mut found = BTreeSet::new();
    for (module, name, entity) in types.core_imports().into_iter().flatten() {
        if let Some(mod_id) = module.strip_prefix(MOD_IMPORT_PREFIX)
            && let Some(bare) = name.strip_prefix("__")
            && !is_reserved(bare)
            && text::is_clean(mod_id)
            && text::is_clean(bare)
            && function_type(types, entity).is_some_and(crosses)
        {
            found.insert(ModImport { mod_id: mod_id.to_owned(), name: bare.to_owned() });
        }
    }
    found.into_iter().collect()
}

/// A mod calls only those that it states as dependencies: else nobody would see to it that they are there and fit.
pub(super) fn check(identity: &Identity, imports: &[ModImport]) -> Result<(), LoadError> {
    let mut by_mod: BTreeMap<&str, &ModImport> = BTreeMap::new();
    for import in imports {
        by_mod.entry(&import.mod_id).or_insert(import);
    }
    let mut problems: Vec<String> =
        by_mod.into_values().filter_map(|import| problem(identity, import)).take(MAX_PROBLEMS).collect();
    if imports.len() > MAX_FUNCTIONS {
        problems.push(format!("it imports {} functions of other mods, more than {MAX_FUNCTIONS}", imports.len()));
    }
    if problems.is_empty() { Ok(()) } else { Err(LoadError::Undeclared { problems }) }
}

fn problem(identity: &Identity, import: &ModImport) -> Option<String> {
    let ModImport { mod_id, .. } = import;
    if *mod_id == identity.id {
        return Some(format!("`{import}` is a function of the mod itself"));
    }
    match identity.dependencies.iter().find(|dependency| dependency.id == *mod_id).map(|dependency| dependency.kind) {
        Some(DependencyKind::Required | DependencyKind::Optional) => None,
        Some(DependencyKind::Incompatible) => Some(format!("`{import}` is of a mod that it states as incompatible")),
        None => {
            let others = identity.dependencies.iter().map(|dependency| dependency.id.as_str());
            let hint = hint(nearest(mod_id, others).as_deref());
            Some(format!(
                "for `{import}` its Cargo.toml needs `{mod_id} = \"*\"`, or the versions that it works with, in \
                 `[package.metadata.mod.dependencies]`{hint}"
            ))
        }
    }
}
