//! Calls from mod to mod: which mods run, what a slot has to declare so that its mod may call others, and the call itself.
//!
//! A mod that another one calls runs in the middle of the other's slot. So that slot writes the tokens of all mods that
//! its own can reach through calls, directly or through others, and the executor keeps them apart; and it holds clones of the
//! host functions that those import, with their access.
#![expect(
    unsafe_code,
    reason = "runs host functions of the mods that are called, by the access that the slot declared"
)]

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    fmt,
    sync::{
        Arc, PoisonError, RwLock, Weak,
        atomic::{AtomicBool, Ordering},
    },
};

use bevy_ecs::{
    query::{FilteredAccess, FilteredAccessSet},
    resource::Resource,
    world::{World, unsafe_world_cell::UnsafeWorldCell},
};
use mod_abi::DependencyKind;
use mod_host::{Caller, HostCalls, Manifest, ModCall, ModCallFailure, ModCallStatus};

use crate::bridge::{
    handle::{ModHandle, SystemError},
    host::{HostFunction, HostFunctions},
    on_demand::{WORLD_FUNCTIONS, WorldFunction, arguments, reply},
    tokens::token_of,
};

/// The mods that run, by id. All clones are the same list.
#[derive(Debug, Clone, Default, Resource)]
pub(crate) struct RunningMods(Arc<List>);

#[derive(Debug, Default)]
struct List {
    mods: RwLock<HashMap<Arc<str>, Entry>>,
    /// Whether a mod came since somebody last asked.
    changed: AtomicBool,
}

/// A mod that runs. Its handle knows this list, so the list does not keep the handle.
#[derive(Debug, Clone)]
struct Entry {
    handle: Weak<ModHandle>,
    imports: Arc<[usize]>,
}

/// A mod that may be called.
#[derive(Debug, Clone)]
pub(crate) struct Callee {
    pub(crate) handle: Arc<ModHandle>,
    /// The places of the systems of the game that it imports.
    imports: Arc<[usize]>,
}

impl RunningMods {
    /// Notes that a mod runs, in the place of its earlier version. `imports` are the places of the host functions that it
    /// imports.
    pub(crate) fn insert(&self, handle: &Arc<ModHandle>, imports: &[usize]) {
        // Functions of the contract need no access of their own.
        let imports = imports.iter().copied().filter(|place| *place >= WORLD_FUNCTIONS.len()).collect();
        let entry = Entry { handle: Arc::downgrade(handle), imports };
        self.0.mods.write().unwrap_or_else(PoisonError::into_inner).insert(Arc::clone(&handle.id), entry);
        self.0.changed.store(true, Ordering::Release);
    }

    /// Notes that a mod does not run any more.
    pub(crate) fn remove(&self, id: &str) {
        self.0.mods.write().unwrap_or_else(PoisonError::into_inner).remove(id);
    }

    /// Whether a mod came since this was last asked.
    pub(crate) fn take_changed(&self) -> bool {
        self.0.changed.swap(false, Ordering::AcqRel)
    }

    fn get(&self, id: &str) -> Option<Callee> {
        let Entry { handle, imports } = self.0.mods.read().unwrap_or_else(PoisonError::into_inner).get(id)?.clone();
        let handle = handle.upgrade().filter(|handle| !handle.is_faulted())?;
        Some(Callee { handle, imports })
    }

    /// What a mod imports from mods that run and that does not fit, a sentence each: first of those without which it does
    /// not work, then of the others.
    pub(crate) fn differences(&self, manifest: &Manifest) -> (Vec<String>, Vec<String>) {
        let of = |wanted: DependencyKind| {
            let others = manifest.identity.dependencies.iter().filter(move |other| other.kind == wanted);
            let others = others.filter_map(|other| self.get(&other.id));
            others.flat_map(|other| manifest.differences_from(other.handle.manifest())).collect()
        };
        (of(DependencyKind::Required), of(DependencyKind::Optional))
    }
}

/// The mods that a mod can reach through calls, directly or through others, and for each the places of the systems of the
/// game that it imports: what is known when it is asked.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Reach(BTreeMap<Arc<str>, Arc<[usize]>>);

impl Reach {
    /// What the mod with that manifest reaches at the moment.
    pub(crate) fn of(manifest: &Manifest, running: &RunningMods) -> Self {
        let own = manifest.identity.id.as_str();
        let mut reach = BTreeMap::new();
        let mut open = called_by(manifest);
        while let Some(id) = open.pop() {
            if *id == *own || reach.contains_key(&id) {
                continue;
            }
            let callee = running.get(&id);
            open.extend(callee.iter().flat_map(|callee| called_by(callee.handle.manifest())));
            // What one imports that does not run is not known yet.
            reach.insert(id, callee.map_or_else(Arc::default, |callee| callee.imports));
        }
        Self(reach)
    }

    /// Whether a slot that was made for this reach is good for `other`, too.
    pub(crate) fn covers(&self, other: &Self) -> bool {
        other.0.iter().all(|(id, imports)| {
            self.0.get(id).is_some_and(|known| imports.iter().all(|import| known.contains(import)))
        })
    }

    /// Whether the same mods are reached.
    pub(crate) fn has_mods_of(&self, other: &Self) -> bool {
        self.0.keys().eq(other.0.keys())
    }
}

#[cfg(test)]
impl Reach {
    /// These mods, with the places of what they import.
    pub(crate) fn over(mods: &[(&str, &[usize])]) -> Self {
        Self(mods.iter().map(|(id, imports)| (Arc::from(*id), Arc::from(*imports))).collect())
    }
}

/// The ids of the mods whose functions a mod imports.
fn called_by(manifest: &Manifest) -> Vec<Arc<str>> {
    let ids: HashSet<&str> = manifest.mod_functions.iter().map(|import| import.mod_id.as_str()).collect();
    ids.into_iter().map(Arc::from).collect()
}

/// A clone of each host function that a mod imports, at the places by which instances name them.
pub(crate) type HostFunctionsOfMod = Vec<Option<Box<dyn HostFunction>>>;

/// What a slot holds for the mods that its own may call.
#[derive(Default)]
pub(crate) struct Neighbours {
    reach: Reach,
    // In an order, because their commands are carried out in it.
    functions: BTreeMap<Arc<str>, HostFunctionsOfMod>,
}

impl Neighbours {
    pub(crate) fn new(reach: Reach) -> Self {
        Self { reach, functions: BTreeMap::new() }
    }

    /// Makes the functions, and adds to `access` what they need and the tokens of the mods.
    pub(crate) fn initialize(&mut self, world: &mut World, access: &mut FilteredAccessSet) {
        for (id, imports) in &self.reach.0 {
            let mut token = FilteredAccess::default();
            token.add_write(token_of(world, id));
            access.add(token);
            let mut functions = world.get_resource_or_init::<HostFunctions>().make_all(imports);
            for function in functions.iter_mut().flatten() {
                access.extend(function.initialize(world));
            }
            self.functions.insert(Arc::clone(id), functions);
        }
    }

    /// The host functions of all mods.
    pub(crate) fn functions(&self) -> impl Iterator<Item = &Box<dyn HostFunction>> {
        self.functions.values().flatten().flatten()
    }

    /// The same, to change them.
    pub(crate) fn functions_mut(&mut self) -> impl Iterator<Item = &mut Box<dyn HostFunction>> {
        self.functions.values_mut().flatten().flatten()
    }

    /// Answers a call of the mod that was called last.
    ///
    /// # Safety
    /// The caller has the access that `initialize` added, for this world.
    pub(crate) unsafe fn call(
        &mut self,
        chain: &Chain<'_>,
        call: &ModCall<'_>,
        result: &mut Vec<u8>,
        world: UnsafeWorldCell,
    ) -> Result<(), ModCallFailure> {
        let callee = chain.find(call)?;
        let known = self.reach.0.get(&callee.handle.id);
        if !known.is_some_and(|known| callee.imports.iter().all(|import| known.contains(import))) {
            let reason =
                format!("`{}` cannot be called before the next frame, because the mod has just come", call.import);
            return Err(ModCallFailure::new(ModCallStatus::Refused, reason));
        }
        let mut host = NeighbourHost { neighbours: self, chain: chain.with(&callee.handle), world };
        chain.enter(&callee, call, &mut host, result)
    }
}

impl fmt::Debug for Neighbours {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Neighbours").field("reach", &self.reach).finish_non_exhaustive()
    }
}

/// The mods that are in the middle of a call, each called by the one before.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Chain<'a> {
    /// The last one.
    handle: &'a Arc<ModHandle>,
    before: Option<&'a Chain<'a>>,
}

impl<'a> Chain<'a> {
    /// One mod, which nobody called but the game.
    pub(crate) fn of(handle: &'a Arc<ModHandle>) -> Self {
        Self { handle, before: None }
    }

    /// The same, and the mod that was called last.
    pub(crate) fn with(&'a self, handle: &'a Arc<ModHandle>) -> Self {
        Self { handle, before: Some(self) }
    }

    /// The last one.
    pub(crate) fn handle(&self) -> &'a Arc<ModHandle> {
        self.handle
    }

    fn contains(&self, id: &str) -> bool {
        let mut chain = Some(self);
        while let Some(Chain { handle, before }) = chain {
            if *handle.id == *id {
                return true;
            }
            chain = *before;
        }
        false
    }

    /// The mod that is called, if the game lets the last one call it, and it runs and is not in the middle of a call itself.
    pub(crate) fn find(&self, call: &ModCall<'_>) -> Result<Callee, ModCallFailure> {
        let id = &call.import.mod_id;
        let granted = self.handle.grants.check_call(id, &call.import.name);
        granted.map_err(|refused| ModCallFailure::new(ModCallStatus::Refused, refused.to_string()))?;
        if self.contains(id) {
            return Err(busy(id));
        }
        self.handle.running_mods().get(id).ok_or_else(|| not_running(id))
    }

    /// Calls it. One that is left in the middle of its code is stopped, and that is its own fault.
    pub(crate) fn enter(
        &self,
        callee: &Callee,
        call: &ModCall<'_>,
        host: &mut dyn HostCalls,
        result: &mut Vec<u8>,
    ) -> Result<(), ModCallFailure> {
        let Callee { handle, .. } = callee;
        let entered = handle.enter(|instance| (instance.answer_mod(call, host, result), instance.is_poisoned()));
        let Ok((answer, poisoned)) = entered else {
            // Taken by a call that the game made in between, or given back.
            return Err(if handle.is_busy() { busy(&handle.id) } else { not_running(&handle.id) });
        };
        if let Err(failure) = &answer
            && poisoned
            && !handle.is_faulted()
        {
            let export = call.import.name.clone();
            let reason = failure.reason().strip_prefix(&format!("{}: ", handle.id)).unwrap_or(failure.reason());
            let reason = format!("{reason} (the mod `{}` called it)", self.handle.id);
            let backtrace = failure.backtrace().clone();
            handle.fail(&export.clone(), SystemError::Stopped { export, reason, backtrace });
        }
        answer
    }
}

impl Callee {
    /// Whether it may want to call systems of the game.
    pub(crate) fn needs_world(&self) -> bool {
        !self.imports.is_empty()
    }
}

fn busy(id: &str) -> ModCallFailure {
    let reason = format!("the mod `{id}` is in the middle of a call, which led to this one");
    ModCallFailure::new(ModCallStatus::Busy, reason)
}

fn not_running(id: &str) -> ModCallFailure {
    ModCallFailure::new(ModCallStatus::NotRunning, format!("there is no mod `{id}`, or it does not run"))
}

/// What a mod may reach that is called in the middle of another one's slot.
struct NeighbourHost<'s, 'w> {
    neighbours: &'s mut Neighbours,
    chain: Chain<'s>,
    world: UnsafeWorldCell<'w>,
}

impl HostCalls for NeighbourHost<'_, '_> {
    fn call(
        &mut self,
        caller: &mut Caller<'_>,
        function: usize,
        args: &[u8],
        result: &mut Vec<u8>,
    ) -> Result<(), String> {
        let handle = self.chain.handle();
        match WORLD_FUNCTIONS.get(function) {
            Some((_, WorldFunction::TypeIndex)) => reply(&handle.type_index(arguments(args)?)?, result),
            Some(_) => Err("a function that another mod calls cannot read the World on demand".to_owned()),
            None => {
                let functions = self.neighbours.functions.get_mut(&handle.id);
                match functions.and_then(|functions| functions.get_mut(function)) {
                    // SAFETY: the slot's access holds that of every function of its neighbours.
                    Some(Some(function)) => unsafe { function.call(caller, args, result, self.world) },
                    _ => Err("it cannot be called here".to_owned()),
                }
            }
        }
    }

    fn call_mod(&mut self, call: &ModCall<'_>, result: &mut Vec<u8>) -> Result<(), ModCallFailure> {
        // SAFETY: whoever made this host has the access of all neighbours.
        unsafe { self.neighbours.call(&self.chain, call, result, self.world) }
    }
}
