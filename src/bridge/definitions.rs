//! Types that mods define: components of the World that no code of the game knows, messages and events.
//!
//! A type goes by its path. Each version of it, by schema and storage, has a component of its own, which it gets back
//! whenever that version does: component ids are never given back. Must not know the lifecycle.
#![expect(unsafe_code, reason = "registers components that have no Rust type")]

mod migrate;
pub(crate) mod snapshot;

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    sync::Arc,
};

use bevy_ecs::{
    component::{ComponentCloneBehavior, ComponentDescriptor, ComponentId, StorageType},
    reflect::AppTypeRegistry,
    resource::Resource,
    world::World,
};
use mod_abi::{
    Schema, check_value,
    describe::{Definition, DefinitionKind, TypeDesc, TypeRole},
};
use thiserror::Error;

pub(crate) use crate::bridge::definitions::migrate::{copy, drop_others, remove_everywhere};
use crate::bridge::{crossing::Crossing, types::BoundType};

/// A type that a mod cannot define as it says.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{path}` cannot be defined: {reason}")]
pub struct DefinitionError {
    /// The path that the mod states, shortened.
    pub path: String,
    /// What is wrong.
    pub reason: String,
}

/// The most bytes of a value of fixed size, each of which stands in a table.
const MAX_FIXED_BYTES: usize = 64 << 10;
/// The longest path.
const MAX_PATH: usize = 256;
/// Why no mod writes a resource that holds settings.
pub(crate) const SETTINGS: &str = "it holds what the player set";

/// One version of a type that a mod defined.
#[derive(Debug)]
pub(crate) struct Defined {
    pub(crate) path: Arc<str>,
    pub(crate) kind: DefinitionKind,
    pub(crate) schema: Schema,
    pub(crate) default: Option<Vec<u8>>,
    /// Its component, if it is a component or a resource.
    pub(crate) bound: Option<Arc<BoundType>>,
    /// How its values cross.
    pub(crate) value: Arc<Crossing>,
}

/// Which version each path stands for; `None` for none.
pub(crate) type Entries = Vec<(Arc<str>, Option<Arc<Defined>>)>;

/// The types that mods defined.
#[derive(Debug, Default, Resource)]
pub(crate) struct Definitions {
    current: HashMap<Arc<str>, Arc<Defined>>,
    /// All versions that there ever were.
    versions: HashMap<Arc<str>, Vec<Arc<Defined>>>,
    of_component: BTreeMap<ComponentId, Arc<Defined>>,
    /// How often something changed for those who wait for types.
    changes: usize,
    /// What changed in the middle of a frame, so that nobody has been told yet.
    late_changes: Vec<(Arc<str>, HashSet<Arc<str>>)>,
}

/// The component or resource that a mod defined under a path.
pub(crate) fn find(world: &World, path: &str) -> Option<Arc<BoundType>> {
    world.get_resource::<Definitions>()?.current.get(path)?.bound.clone()
}

/// The type of a mod that a component belongs to.
pub(crate) fn of_component(world: &World, component: ComponentId) -> Option<&Arc<Defined>> {
    world.get_resource::<Definitions>()?.of_component.get(&component)
}

/// Whether a component is a resource that a mod defined.
pub(crate) fn is_resource(world: &World, component: ComponentId) -> bool {
    of_component(world, component).is_some_and(|defined| defined.kind.is_resource())
}

/// Whether a component is a resource with settings, which only the host writes.
pub(crate) fn holds_settings(world: &World, component: ComponentId) -> bool {
    of_component(world, component).is_some_and(|defined| defined.kind == DefinitionKind::Settings)
}

/// All components and resources of all versions of the types of a mod.
pub(crate) fn components_of(world: &World, mod_id: &str) -> Vec<(ComponentId, DefinitionKind)> {
    let all = world.get_resource::<Definitions>().into_iter().flat_map(|definitions| &definitions.of_component);
    let own = all.filter(|(_, defined)| owner(&defined.path) == mod_id);
    own.map(|(component, defined)| (*component, defined.kind)).collect()
}

/// How often the types that mods may wait for have changed.
pub(crate) fn changes(world: &World) -> usize {
    world.get_resource::<Definitions>().map_or(0, |definitions| definitions.changes)
}

/// The message or event that a mod defined under a path.
pub(crate) fn find_sent(world: &World, path: &str) -> Option<(DefinitionKind, Arc<Crossing>)> {
    let defined = world.get_resource::<Definitions>()?.current.get(path)?;
    let is_sent = matches!(defined.kind, DefinitionKind::Message | DefinitionKind::Event);
    is_sent.then(|| (defined.kind, Arc::clone(&defined.value)))
}

/// The mod that a path names.
fn owner(path: &str) -> &str {
    path.split_once("::").map_or("", |(owner, _)| owner)
}

/// Registers the types of its own that a mod states. They stand for nothing before they are [put in place](swap).
///
/// # Errors
/// Every definition that is wrong.
pub(crate) fn register(world: &mut World, mod_id: &str, types: &[TypeDesc]) -> Result<Entries, Vec<DefinitionError>> {
    let mut entries = Entries::new();
    let mut errors = Vec::new();
    let mut seen: HashSet<&str> = HashSet::new();
    for desc in types {
        let TypeRole::Definition(definition) = &desc.role else { continue };
        let twice = "it is defined twice".to_owned();
        let checked = check(world, mod_id, desc, definition)
            .and_then(|()| if seen.insert(&desc.path) { Ok(()) } else { Err(twice) })
            .and_then(|()| version(world, desc, definition));
        match checked {
            Ok(defined) => entries.push((Arc::clone(&defined.path), Some(defined))),
            Err(reason) => {
                let path = desc.path.chars().filter(|c| !c.is_control()).take(128).collect();
                errors.push(DefinitionError { path, reason });
            }
        }
    }
    if errors.is_empty() { Ok(entries) } else { Err(errors) }
}

fn check(world: &mut World, mod_id: &str, desc: &TypeDesc, definition: &Definition) -> Result<(), String> {
    let name = desc.path.strip_prefix(mod_id).and_then(|rest| rest.strip_prefix("::")).unwrap_or_default();
    let is_name = |c: char| c.is_alphanumeric() || "_:<>, ".contains(c);
    if name.is_empty() || desc.path.len() > MAX_PATH || !name.chars().all(is_name) {
        return Err(format!("the path of a type of this mod is `{mod_id}::` and a name"));
    }
    if world.get_resource_or_init::<AppTypeRegistry>().read().get_with_type_path(&desc.path).is_some() {
        return Err("the game has a type of that path".to_owned());
    }
    let is_component = !matches!(definition.kind, DefinitionKind::Message | DefinitionKind::Event);
    let bytes = desc.schema.fixed_size().unwrap_or(0);
    if is_component && bytes > MAX_FIXED_BYTES {
        return Err(format!("each value has {bytes} bytes, more than {MAX_FIXED_BYTES}; use a list"));
    }
    let default = definition.default.as_deref();
    let is_valid = default.is_none_or(|default| check_value(&desc.schema, default).is_ok());
    if is_valid { Ok(()) } else { Err("its default is no value of it".to_owned()) }
}

/// The version of a type that a mod states: one that there was before, or a new one.
fn version(world: &mut World, desc: &TypeDesc, definition: &Definition) -> Result<Arc<Defined>, String> {
    let definitions = world.get_resource_or_init::<Definitions>();
    let versions = definitions.versions.get(desc.path.as_str()).map_or(&[][..], Vec::as_slice);
    let is_same = |known: &&Arc<Defined>| known.schema == desc.schema && known.kind == definition.kind;
    let same = versions.iter().find(is_same).cloned();
    if let Some(same) = &same
        && same.default == definition.default
    {
        return Ok(Arc::clone(same));
    }
    let bound = match (same, definition.kind) {
        (_, DefinitionKind::Message | DefinitionKind::Event) => None,
        (Some(same), _) => same.bound.clone(),
        (None, kind) => Some(Arc::new(component(world, desc, kind)?)),
    };
    let defined = Arc::new(Defined {
        path: desc.path.as_str().into(),
        kind: definition.kind,
        schema: desc.schema.clone(),
        default: definition.default.clone(),
        value: Arc::new(Crossing::defined(&desc.path, desc.schema.clone())),
        bound,
    });
    let mut definitions = world.get_resource_or_init::<Definitions>();
    if let Some(bound) = &defined.bound {
        definitions.of_component.insert(bound.component, Arc::clone(&defined));
    }
    let versions = definitions.versions.entry(Arc::clone(&defined.path)).or_default();
    // Of two that differ in nothing but their default the newer one counts.
    versions.retain(|known| !(known.schema == defined.schema && known.kind == defined.kind));
    versions.push(Arc::clone(&defined));
    Ok(defined)
}

fn component(world: &mut World, desc: &TypeDesc, kind: DefinitionKind) -> Result<BoundType, String> {
    let crossing = Crossing::defined(&desc.path, desc.schema.clone());
    let (layout, drop) = crossing.defined_memory().ok_or("its values have no place in memory")?;
    let storage = match kind {
        DefinitionKind::SparseComponent => StorageType::SparseSet,
        _ => StorageType::Table,
    };
    let (name, clone) = (desc.path.clone(), ComponentCloneBehavior::Ignore);
    // SAFETY: the layout is that of the crossing's values and the function drops one of them. They are bytes, which any
    // thread may have, and no relationship.
    let descriptor = unsafe { ComponentDescriptor::new_with_layout(name, storage, layout, drop, true, clone, None) };
    let component = world.register_component_with_descriptor(descriptor);
    let read_only = (kind == DefinitionKind::Settings).then_some(SETTINGS);
    Ok(BoundType { component, storage, read_only, crossing })
}

/// Puts types in place, and returns what was there before.
pub(crate) fn swap(world: &mut World, entries: Entries) -> Entries {
    let current = &mut world.get_resource_or_init::<Definitions>().current;
    let swap_one = |(path, defined): (Arc<str>, Option<Arc<Defined>>)| {
        let before = match defined {
            Some(defined) => current.insert(Arc::clone(&path), defined),
            None => current.remove(&path),
        };
        (path, before)
    };
    entries.into_iter().map(swap_one).collect()
}

/// Gives everything the versions that the types in `paths` stand for now.
pub(crate) fn migrate(world: &mut World, paths: &Entries) {
    copy(world, paths);
    drop_others(world, paths);
}

/// Lets those who wait for types know that some have changed, and returns the paths that mean something else than `before`
/// to those who use them.
pub(crate) fn settle(world: &mut World, before: &Entries) -> HashSet<Arc<str>> {
    let mut definitions = world.get_resource_or_init::<Definitions>();
    let definitions = &mut *definitions;
    let mut changed = HashSet::new();
    for (path, before) in before {
        let now = definitions.current.get(path);
        let is_same = match (before, now) {
            (Some(before), Some(now)) => before.schema == now.schema && before.kind == now.kind,
            (before, now) => before.is_none() && now.is_none(),
        };
        if !is_same {
            definitions.changes += 1;
            // Nobody but the mod itself can have used what there never was.
            if definitions.versions.get(path).is_some_and(|versions| versions.len() > 1) {
                changed.insert(Arc::clone(path));
            }
        }
    }
    changed
}

/// Takes the types of a mod away: nobody new can use them. Those who do already go on.
pub(crate) fn withdraw(world: &mut World, mod_id: &str) {
    if let Some(mut definitions) = world.get_resource_mut::<Definitions>() {
        definitions.current.retain(|path, _| owner(path) != mod_id);
    }
}

/// Defines a type that a mod met in the middle of a call. `earlier` are the types that it named before.
///
/// # Errors
/// When it cannot be defined so.
pub(crate) fn define_late(
    world: &mut World,
    mod_id: &str,
    desc: &TypeDesc,
    earlier: &[TypeDesc],
) -> Result<(), DefinitionError> {
    let is_other = |known: &&TypeDesc| known.path == desc.path && matches!(known.role, TypeRole::Definition(_));
    if let Some(known) = earlier.iter().find(is_other) {
        let reason = "it is defined twice".to_owned();
        let (same, path) = (known == desc, desc.path.chars().take(128).collect());
        return if same { Ok(()) } else { Err(DefinitionError { path, reason }) };
    }
    if matches!(&desc.role, TypeRole::Definition(definition) if definition.kind == DefinitionKind::Settings) {
        let known = world.get_resource::<Definitions>().and_then(|known| known.current.get(desc.path.as_str()));
        if known.is_some_and(|known| known.kind == DefinitionKind::Settings && known.schema == desc.schema) {
            return Ok(());
        }
        let reason = "settings are there before the mod runs, so its description has to hold their type".to_owned();
        return Err(DefinitionError { path: desc.path.chars().take(128).collect(), reason });
    }
    let entries = register(world, mod_id, std::slice::from_ref(desc)).map_err(|mut errors| errors.remove(0))?;
    let is_there = |(path, defined): &(Arc<str>, Option<Arc<Defined>>)| {
        let current = world.resource::<Definitions>().current.get(path);
        current.zip(defined.as_ref()).is_some_and(|(current, defined)| Arc::ptr_eq(current, defined))
    };
    if entries.iter().all(is_there) {
        return Ok(());
    }
    let before = swap(world, entries);
    migrate(world, &before);
    let changed = settle(world, &before);
    if !changed.is_empty() {
        world.get_resource_or_init::<Definitions>().late_changes.push((mod_id.into(), changed));
    }
    Ok(())
}

/// The types that mods have changed in the middle of a frame, by the mod that they are of.
pub(crate) fn take_late_changes(world: &mut World) -> Vec<(Arc<str>, HashSet<Arc<str>>)> {
    std::mem::take(&mut world.get_resource_or_init::<Definitions>().late_changes)
}

/// The ids of all mods that there are or may be soon, as far as one can tell: types of theirs are waited for.
#[derive(Debug, Default, PartialEq, Eq, Resource)]
pub(crate) struct ExpectedMods {
    pub(crate) ids: BTreeSet<String>,
    /// Whether there are mods whose ids are not known yet.
    pub(crate) more: bool,
}

/// Whether a path names a type of a mod that may define it yet.
pub(crate) fn is_expected(world: &World, path: &str) -> bool {
    let Some((id, _)) = path.split_once("::") else { return false };
    world.get_resource::<ExpectedMods>().is_some_and(|mods| mods.more || mods.ids.contains(id))
}
