//! What the game lets each mod do, and the one place that says whether a mod may do something.
//!
//! Who binds what a mod describes, looks up what it asks for later, checks its commands or finds the mod that it calls asks
//! here, and decides nothing itself. What no mod may touch, whatever the game says, is [`permit`](super::permit)'s. Must not
//! know the World, nor where permissions are kept.

pub(crate) mod permissions;

use std::{cell::RefCell, collections::HashSet, sync::Arc};

use bevy_ecs::entity::Entity;
use mod_abi::{DependencyKind, names};
use mod_host::Manifest;
use thiserror::Error;

pub use self::permissions::{Access, PermissionGroup, Permissions};
use crate::bridge::crossing::Crossing;

/// Something that a mod wants and that the game does not let it do.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum NotGranted {
    /// It would do something with a type, or call a function.
    #[error("{}", sentence(system.as_deref(), *access, what, group.as_deref()))]
    Access {
        /// The first system that wants it; `None` for the mod as a whole.
        system: Option<String>,
        /// What it would do.
        access: Access,
        /// The type's full path, or the function.
        what: String,
        /// The name of the [`PermissionGroup`] that keeps it from that, if that has one.
        group: Option<String>,
    },
    /// It would spawn an entity.
    #[error("it spawns an entity, which this game does not let it do")]
    Spawn,
    /// It would despawn an entity of somebody else.
    #[error("it despawns the entity {entity}, which it did not spawn, and this game does not let it do that")]
    Despawn {
        /// The entity.
        entity: Entity,
    },
}

fn sentence(system: Option<&str>, access: Access, what: &str, group: Option<&str>) -> String {
    let system = system.map_or_else(|| "it".to_owned(), |system| format!("`{system}`"));
    let what = if access == Access::Call { format!("`{what}`") } else { what.to_owned() };
    let group = group.map(|group| format!(" (of the group `{group}`)")).unwrap_or_default();
    let verb = access.verb();
    format!("{system} {verb}s {what}{group}, which this game does not let it {verb}")
}

/// The most of a mod's text that goes into a message.
const MAX_TEXT: usize = 256;

fn shortened(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(MAX_TEXT).collect()
}

/// What one mod may do: the permissions that held when it was installed.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Grants {
    mod_id: Arc<str>,
    permissions: Permissions,
}

impl Grants {
    pub(crate) fn new(mod_id: &Arc<str>, permissions: &Permissions) -> Self {
        Self { mod_id: Arc::clone(mod_id), permissions: permissions.clone() }
    }

    /// The mod's id.
    pub(crate) fn mod_id(&self) -> &Arc<str> {
        &self.mod_id
    }

    /// All that it may do.
    pub(crate) fn permissions(&self) -> &Permissions {
        &self.permissions
    }

    /// Whether the mod may do something with a type. Those that it defines are its own; a path alone makes none its own,
    /// because a mod may be called as a crate of the game is.
    pub(crate) fn check(&self, access: Access, ty: &Crossing) -> Result<(), NotGranted> {
        let owner = ty.path.split_once("::").map(|(owner, _)| owner);
        let is_own = ty.is_defined_by_mod() && owner == Some(&*self.mod_id);
        if is_own { Ok(()) } else { self.check_path(access, &ty.path) }
    }

    /// The same for a type that is not the mod's own, by its full path, or for a function.
    pub(crate) fn check_path(&self, access: Access, what: &str) -> Result<(), NotGranted> {
        let verdict = self.permissions.judge(access, what);
        if verdict.allowed {
            return Ok(());
        }
        let group = verdict.group.map(|group| group.to_string());
        Err(NotGranted::Access { system: None, access, what: shortened(what), group })
    }

    /// Whether the mod may call a function of another mod.
    pub(crate) fn check_call(&self, mod_id: &str, function: &str) -> Result<(), NotGranted> {
        // Calls are frequent, and rules about them are not.
        if self.permissions.grants_every(Access::Call) {
            return Ok(());
        }
        self.check_path(Access::Call, &format!("{mod_id}::{function}"))
    }

    /// Whether the mod may spawn entities.
    pub(crate) fn check_spawn(&self) -> Result<(), NotGranted> {
        if self.permissions.allows_spawn() { Ok(()) } else { Err(NotGranted::Spawn) }
    }

    /// Whether the mod may despawn an entity that it did not spawn, as far as that may be despawned by mods at all.
    pub(crate) fn check_despawn(&self, entity: Entity) -> Result<(), NotGranted> {
        if self.permissions.allows_despawn() { Ok(()) } else { Err(NotGranted::Despawn { entity }) }
    }

    /// The functions that a mod imports and may not call: first those without which it does not work, then those of mods that
    /// it need not have, which answer so when they are called.
    pub(crate) fn refused_calls(&self, manifest: &Manifest) -> (Vec<NotGranted>, Vec<NotGranted>) {
        // Functions of the contract are no functions of the game.
        let of_game = manifest.host_functions.iter().filter(|name| !names::is_reserved(name));
        let mut refused: Vec<_> = of_game.filter_map(|name| self.check_path(Access::Call, name).err()).collect();
        let dependencies = &manifest.identity.dependencies;
        let is_optional =
            |id: &str| !dependencies.iter().any(|other| other.id == id && other.kind == DependencyKind::Required);
        let mut bearable = Vec::new();
        for import in &manifest.mod_functions {
            let list = if is_optional(&import.mod_id) { &mut bearable } else { &mut refused };
            list.extend(self.check_call(&import.mod_id, &import.name).err());
        }
        (refused, bearable)
    }
}

/// What `&T` and all that only tells something of a type needs.
pub(crate) const READ: &[Access] = &[Access::Read];
/// What `&mut T` needs.
pub(crate) const READ_AND_WRITE: &[Access] = &[Access::Read, Access::Write];

/// The most refusals that are told at once. No mod that means well has as many.
const MAX_TOLD: usize = 1024;

/// All that a mod describes or asks for at once, and what of it is not granted: a mod is told everything together.
#[derive(Debug)]
pub(crate) struct Claims<'g> {
    grants: &'g Grants,
    refused: RefCell<Refused>,
}

#[derive(Debug, Default)]
struct Refused {
    list: Vec<NotGranted>,
    /// What stands in the list, whichever system wants it.
    seen: HashSet<(Access, String)>,
}

impl<'g> Claims<'g> {
    pub(crate) fn new(grants: &'g Grants) -> Self {
        Self { grants, refused: RefCell::default() }
    }

    /// For what a system wants.
    pub(crate) fn of<'a>(&'a self, system: &'a str) -> Claim<'a> {
        Claim { claims: self, system: Some(system) }
    }

    /// For what the mod as a whole wants.
    pub(crate) fn of_mod(&self) -> Claim<'_> {
        Claim { claims: self, system: None }
    }

    /// What is not granted, each once.
    pub(crate) fn into_refused(self) -> Vec<NotGranted> {
        self.refused.into_inner().list
    }
}

/// Who claims something.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Claim<'a> {
    claims: &'a Claims<'a>,
    system: Option<&'a str>,
}

impl Claim<'_> {
    /// Notes what is wanted of a type.
    pub(crate) fn ty(self, accesses: &[Access], ty: &Crossing) {
        self.note(accesses, |access| self.claims.grants.check(access, ty));
    }

    /// Notes what is wanted of a type that is not the mod's own, by its full path.
    pub(crate) fn path(self, accesses: &[Access], path: &str) {
        self.note(accesses, |access| self.claims.grants.check_path(access, path));
    }

    fn note(self, accesses: &[Access], check: impl Fn(Access) -> Result<(), NotGranted>) {
        for refused in accesses.iter().filter_map(|access| check(*access).err()) {
            let NotGranted::Access { access, what, group, .. } = refused else { continue };
            let mut all = self.claims.refused.borrow_mut();
            if all.list.len() < MAX_TOLD && all.seen.insert((access, what.clone())) {
                let system = self.system.map(shortened);
                all.list.push(NotGranted::Access { system, access, what, group });
            }
        }
    }
}
