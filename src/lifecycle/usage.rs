//! What each mod used in the last frame. What is counted, and how, stands in `bridge/usage`.

use std::{collections::BTreeMap, sync::Arc};

use bevy_ecs::world::World;

use crate::{
    bridge::usage::{ModUsage, UsageCounters},
    lifecycle::registry::ModRegistry,
};

/// What mods use, by id.
#[derive(Debug, Default)]
pub(crate) struct Usages(BTreeMap<Arc<str>, Entry>);

#[derive(Debug, Default)]
struct Entry {
    counters: Arc<UsageCounters>,
    /// `None` in the frame in which it is first installed.
    last_frame: Option<ModUsage>,
}

impl Usages {
    /// Where all versions of a mod count.
    pub(crate) fn counters_of(&mut self, id: &Arc<str>) -> Arc<UsageCounters> {
        if let Some(entry) = self.0.get(id) {
            return Arc::clone(&entry.counters);
        }
        let entry = Entry::default();
        let counters = Arc::clone(&entry.counters);
        self.0.insert(Arc::clone(id), entry);
        counters
    }

    /// What mods used in the last frame.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&Arc<str>, &ModUsage)> {
        self.0.iter().filter_map(|(id, entry)| Some((id, entry.last_frame.as_ref()?)))
    }
}

/// Ends a frame: what was counted in it is what [`ModRegistry::usage`] tells. Mods that are not known any more are forgotten.
pub(crate) fn new_frame(world: &mut World) {
    let mut registry = world.resource_mut::<ModRegistry>();
    let ModRegistry { usages, mods, .. } = &mut *registry;
    usages.0.retain(|id, entry| {
        entry.last_frame = Some(entry.counters.take());
        mods.contains_key(id)
    });
}

impl ModRegistry {
    /// What a mod used in the last frame, whether it runs or not. `None` for one that is not known, and before
    /// its first frame is over.
    ///
    /// [`ModDiagnosticsPlugin`](crate::ModDiagnosticsPlugin) keeps the same as Bevy's diagnostics, over many frames.
    ///
    /// ```
    /// # use bevy::prelude::*;
    /// # use bevy_wasm_mods::prelude::*;
    /// fn blame(mods: Res<ModRegistry>) {
    ///     let slowest = mods.iter().max_by_key(|info| mods.usage(&info.id).map(|usage| usage.time));
    ///     if let Some(slowest) = slowest {
    ///         info!("the slowest mod is {}", slowest.id);
    ///     }
    /// }
    /// ```
    #[must_use]
    pub fn usage(&self, mod_id: &str) -> Option<ModUsage> {
        self.usages.0.get(mod_id).and_then(|entry| entry.last_frame)
    }
}
