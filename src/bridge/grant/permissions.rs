//! Permissions as a game writes them: rules about paths, the last of which counts.
//!
//! Must not know the World, nor mods.

use std::{iter::Once, sync::Arc};

/// What a rule lets a mod do with what has a path, or keeps it from doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Access {
    /// To learn anything of a type: its values in queries, resources and on-demand requests, filters such as `With` and
    /// `Changed`, messages that it reads, events and components that it observes, and the run conditions
    /// `resource_exists`, and `in_state`, `OnEnter` and `OnExit` about a state.
    Read,
    /// To change values of a component or resource, to insert or to remove it. `&mut T` and `ResMut<T>` also show the
    /// value, so they need [`Access::Read`] as well; commands do not.
    Write,
    /// To write a message or to trigger an event.
    Send,
    /// To call a host function, by its name, or a function of another mod, by `mod_id::function`.
    Call,
}

impl Access {
    /// All that there are.
    pub const ALL: [Self; 4] = [Self::Read, Self::Write, Self::Send, Self::Call];

    /// What a mod wants to do.
    pub(crate) fn verb(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::Send => "send",
            Self::Call => "call",
        }
    }
}

/// One access where several may stand.
impl IntoIterator for Access {
    type Item = Self;
    type IntoIter = Once<Self>;

    fn into_iter(self) -> Once<Self> {
        std::iter::once(self)
    }
}

/// Paths that belong together, so that rules can name them at once:
///
/// ```
/// # use bevy_wasm_mods::{Access, PermissionGroup, Permissions};
/// let economy = PermissionGroup::new("economy", ["orchard::Gold", "orchard::trade::*"]);
/// let permissions = Permissions::all().deny(Access::Write, &economy);
/// assert!(!permissions.allows(Access::Write, "orchard::trade::Price"));
/// ```
///
/// The name stands in the messages about what a mod may not do. Each path is one of these:
///
/// | path | means |
/// |---|---|
/// | `orchard::Gold` | that type alone, by its full path, with the parameters of generic types: `bevy_asset::handle::Handle<bevy_image::image::Image>` |
/// | `orchard::trade::*` | all whose path begins with `orchard::trade::`, in modules below it, too |
/// | `play_sound` | that host function |
/// | `bank::pay`, `bank::*` | a function, or all functions, of the mod with the id `bank`; types that it defines |
/// | `*` | everything |
///
/// A single path stands wherever a group does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PermissionGroup {
    name: Option<Arc<str>>,
    patterns: Arc<[Pattern]>,
}

impl PermissionGroup {
    /// These paths under a name.
    ///
    /// # Panics
    /// When one of them is no path as the table above shows them, such as `orchard::Go*`: a rule that silently means
    /// nothing would keep nobody from anything.
    #[must_use]
    pub fn new<P: AsRef<str>>(name: &str, paths: impl IntoIterator<Item = P>) -> Self {
        let patterns = paths.into_iter().map(|path| Pattern::new(path.as_ref())).collect();
        Self { name: Some(name.into()), patterns }
    }
}

impl From<&str> for PermissionGroup {
    fn from(path: &str) -> Self {
        Self { name: None, patterns: [Pattern::new(path)].into() }
    }
}

impl From<String> for PermissionGroup {
    fn from(path: String) -> Self {
        path.as_str().into()
    }
}

impl From<&Self> for PermissionGroup {
    fn from(group: &Self) -> Self {
        group.clone()
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Pattern {
    Everything,
    /// All that begins so; the text ends with `::`.
    Below(Box<str>),
    Exactly(Box<str>),
}

impl Pattern {
    fn new(text: &str) -> Self {
        let (path, is_below) = match text.strip_suffix("::*") {
            Some(path) => (path, true),
            None if text == "*" => return Self::Everything,
            None => (text, false),
        };
        let is_path = !path.is_empty() && !path.contains('*') && path.trim() == path && !path.ends_with(':');
        assert!(is_path, "`{text}` should be a path, a path and `::*`, or `*` to be a rule for mods");
        if is_below { Self::Below(format!("{path}::").into()) } else { Self::Exactly(path.into()) }
    }

    fn matches(&self, path: &str) -> bool {
        match self {
            Self::Everything => true,
            Self::Below(start) => path.starts_with(&**start),
            Self::Exactly(exact) => **exact == *path,
        }
    }
}

/// What a game lets its mods do: everything or nothing, and what is otherwise. For all mods it is
/// [`ModSettings::permissions`](crate::ModSettings::permissions), for a single one
/// [`ModOverrides::permissions`](crate::ModOverrides::permissions).
///
/// ```
/// # use bevy_wasm_mods::{Access, Permissions};
/// // Mods may do everything but touch the player's money, of which they may see the prices.
/// let open = Permissions::all().deny(Access::ALL, "orchard::trade::*").allow(Access::Read, "orchard::trade::Price");
/// assert!(open.allows(Access::Read, "orchard::trade::Price"));
/// assert!(!open.allows(Access::Write, "orchard::trade::Price"));
///
/// // Mods may move what flies, and nothing else.
/// let closed = Permissions::none()
///     .allow([Access::Read, Access::Write], "bevy_transform::components::transform::Transform")
///     .allow(Access::Read, "orchard::Velocity");
/// assert!(!closed.allows(Access::Read, "bevy_time::time::Time<()>"));
/// ```
///
/// **The last rule counts** of those that name a path and an access, as in a list that is read from top to bottom: what
/// stands further down changes what stands above it. Where no rule names it, what it began with counts.
///
/// **The default is [`all`](Self::all).** Mods are for what the author of a game did not foresee, and what nobody thought of
/// nobody has granted. Permissions are about the rules of a game: that a mod harms neither the machine nor the run of the game
/// does not depend on them. So they only narrow: windows, clocks, observers and what else no mod may touch stay as they are,
/// whatever is allowed here.
///
/// **What is never asked**: the types that a mod defines itself are its own. Ids of entities, and whether there is an entity,
/// anyone may know. What comes of a write that is granted is the game's: the components that a type requires, and what
/// the game's hooks, observers and host functions do.
///
/// **Paths are those of the types themselves.** A type that holds another one is another type: who may read
/// `orchard::Purse` sees the `orchard::Gold` in it. The exceptions are Bevy's `Messages<M>`, `State<S>` and `NextState<S>`, which
/// hold nothing else: rules for `M` and `S` hold for them, too.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Permissions {
    everything: bool,
    spawns: bool,
    despawns: bool,
    rules: Vec<Rule>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Rule {
    allows: bool,
    access: Access,
    group: PermissionGroup,
}

/// What the rules say of something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Verdict {
    pub(super) allowed: bool,
    /// The name of the group that decides.
    pub(super) group: Option<Arc<str>>,
}

impl Default for Permissions {
    fn default() -> Self {
        Self::all()
    }
}

impl Permissions {
    /// Everything that no rule denies.
    #[must_use]
    pub const fn all() -> Self {
        Self { everything: true, spawns: true, despawns: true, rules: Vec::new() }
    }

    /// Nothing that no rule allows.
    #[must_use]
    pub const fn none() -> Self {
        Self { everything: false, spawns: false, despawns: false, rules: Vec::new() }
    }

    /// Lets mods do something with a path, or with all paths of a group.
    ///
    /// # Panics
    /// When the text is no path: see [`PermissionGroup`].
    #[must_use]
    pub fn allow(self, access: impl IntoIterator<Item = Access>, what: impl Into<PermissionGroup>) -> Self {
        self.with(true, access, what.into())
    }

    /// Keeps mods from doing something with a path, or with all paths of a group.
    ///
    /// # Panics
    /// When the text is no path: see [`PermissionGroup`].
    #[must_use]
    pub fn deny(self, access: impl IntoIterator<Item = Access>, what: impl Into<PermissionGroup>) -> Self {
        self.with(false, access, what.into())
    }

    /// Whether mods may spawn entities. What they have spawned they may always despawn.
    #[must_use]
    pub fn spawn(mut self, may: bool) -> Self {
        self.spawns = may;
        self
    }

    /// Whether mods may despawn entities that they did not spawn, of those that have
    /// [`DespawnableByMods`](crate::DespawnableByMods).
    #[must_use]
    pub fn despawn(mut self, may: bool) -> Self {
        self.despawns = may;
        self
    }

    /// Whether mods may do something with what has that path: the full path of a type, the name of a host function, or
    /// `mod_id::function`. A mod may always do everything with types that it defines.
    #[must_use]
    pub fn allows(&self, access: Access, path: &str) -> bool {
        self.judge(access, path).allowed
    }

    /// Whether mods may spawn entities.
    #[must_use]
    pub fn allows_spawn(&self) -> bool {
        self.spawns
    }

    /// Whether mods may despawn entities that they did not spawn.
    #[must_use]
    pub fn allows_despawn(&self) -> bool {
        self.despawns
    }

    fn with(mut self, allows: bool, access: impl IntoIterator<Item = Access>, group: PermissionGroup) -> Self {
        self.rules.extend(access.into_iter().map(|access| Rule { allows, access, group: group.clone() }));
        self
    }

    /// Whether everything is granted, without a rule about it.
    pub(super) fn grants_every(&self, access: Access) -> bool {
        self.everything && !self.rules.iter().any(|rule| rule.access == access)
    }

    pub(super) fn judge(&self, access: Access, path: &str) -> Verdict {
        let verdict = self.last_rule(access, path);
        match content(path) {
            // Who writes the list of messages sends them.
            Some((MESSAGES, message)) if access == Access::Write && verdict.allowed => {
                self.last_rule(Access::Send, message)
            }
            _ => verdict,
        }
    }

    fn last_rule(&self, access: Access, path: &str) -> Verdict {
        let content = content(path).map(|(_, content)| content);
        let names = |pattern: &Pattern| pattern.matches(path) || content.is_some_and(|held| pattern.matches(held));
        let is_about = |rule: &&Rule| rule.access == access && rule.group.patterns.iter().any(names);
        match self.rules.iter().rev().find(is_about) {
            Some(rule) => Verdict { allowed: rule.allows, group: rule.group.name.clone() },
            None => Verdict { allowed: self.everything, group: None },
        }
    }
}

const MESSAGES: &str = "bevy_ecs::message::messages::Messages<";
/// Types of Bevy that only hold a value of another type.
const CONTAINERS: [&str; 3] =
    [MESSAGES, "bevy_state::state::resources::State<", "bevy_state::state::resources::NextState<"];

/// The container that a path names, and the path of what is in it.
fn content(path: &str) -> Option<(&'static str, &str)> {
    let held = |container: &&'static str| Some((*container, path.strip_prefix(*container)?.strip_suffix('>')?));
    CONTAINERS.iter().find_map(held)
}

#[cfg(test)]
mod tests;
