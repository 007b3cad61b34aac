//! Saves: all that the mods have in a World as one value, and such a value back into a World.
//!
//! [`collect`] makes a save of the mods that run and of the World. To restore one is to [`translate`] it into the ids of this
//! World, to hold it as [`kept`] for the mods that it names, to clear away what the mods had here, and to let those that run
//! [`take_over`] what is kept for them. A mod that comes later takes over when it comes. What differs is a [`report`].
//!
//! The [`mod@format`] of a save is a contract with files that are years old and with whoever edits them.

mod binary;
mod collect;
pub(crate) mod format;
mod kept;
pub(crate) mod report;
pub(crate) mod take_over;
mod translate;

use std::collections::HashSet;

use bevy_ecs::{
    entity::{Entity, EntityHashMap},
    world::World,
};

use self::{
    format::{FORMAT, ModSave},
    report::{ModDifference, ModRestore},
};
use crate::{bridge::messages, lifecycle::save::kept::Kept};

/// Saves what mods have in a World, and brings it back. It stands beside the game's own code for saving:
///
/// ```
/// # use bevy::{ecs::entity::EntityHashMap, prelude::*};
/// # use bevy_wasm_mods::prelude::*;
/// # #[derive(serde::Serialize, serde::Deserialize)] struct Things;
/// # fn save_things(world: &mut World) -> Things { Things }
/// # fn spawn_things(world: &mut World, things: Things) -> EntityHashMap<Entity> { EntityHashMap::default() }
/// #[derive(serde::Serialize, serde::Deserialize)]
/// struct SaveFile {
///     things: Things,
///     mods: ModSave,
/// }
///
/// fn save(world: &mut World) -> SaveFile {
///     SaveFile { things: save_things(world), mods: world.save_mods() }
/// }
///
/// fn load(world: &mut World, file: SaveFile) {
///     // The game spawns its own entities first, and notes which of them was which.
///     let mut entities: EntityHashMap<Entity> = spawn_things(world, file.things);
///     let restored = world.restore_mods(&file.mods, &mut entities);
///     if !restored.is_complete() {
///         warn!("{restored}");
///     }
/// }
/// # let mut app = App::new();
/// # app.add_plugins((MinimalPlugins, WasmModsPlugin));
/// # let file = save(app.world_mut());
/// # load(app.world_mut(), file);
/// ```
pub trait SaveMods {
    /// All that the mods have in this World: what they keep in `Persist`, the components and resources that they defined,
    /// and which entities they spawned. Types of the game are the game's to save, on entities that a mod spawned, too.
    ///
    /// Mods that run are asked what they keep, each under [`ModLimits::startup_time`](crate::ModLimits::startup_time). One
    /// that cannot say is told in [`ModSave::problems`], and stopped if that left it in the middle of its code; what it has
    /// in the World is saved all the same. What an earlier save held of mods that do not run is in this one again.
    fn save_mods(&mut self) -> ModSave;

    /// Makes the mods' part of this World that of a save, and says what is different.
    ///
    /// `entities` says which entity of the save is which one here: the game spawns its own entities first, and notes each.
    /// It is the map that `DynamicScene::write_to_world` fills. Entities that mods spawned and that hold nothing but what
    /// mods defined are spawned here, and added to it. What other entities of the save had of mods is lost with them, and
    /// told. In values of mods every id of an entity is replaced by the one of this World, or by one that nothing has and
    /// that nothing will have.
    ///
    /// What the mods had in this World until now goes: what they kept, their components and resources, and the entities
    /// that they spawned, unless `entities` leads to them. Each mod that runs starts once more, in the version that runs:
    ///
    /// - One that is in the save takes over what it kept, as over a reload, and then its `OnReload` systems run. Values of
    ///   types that have changed are matched by field name.
    /// - One that is not starts anew, with its start-up systems.
    ///
    /// `OnUnload` systems do not run: what they would tidy is gone already. A mod of the save that does not run takes over
    /// as soon as it does. Until then [`SaveMods::save_mods`] saves for it what this save has.
    ///
    /// A mod that fails at this is stopped, told in the log and in a [`ModEvent`](crate::ModEvent), and what the save has of
    /// it is kept for it. The others go on. Whatever a save holds, nothing in it changes types of the game.
    ///
    /// It takes as long as it takes to start all mods, and is for the frame in which a game loads.
    fn restore_mods(&mut self, save: &ModSave, entities: &mut EntityHashMap<Entity>) -> ModRestore;
}

impl SaveMods for World {
    fn save_mods(&mut self) -> ModSave {
        trace_room!("save");
        collect::collect(self)
    }

    fn restore_mods(&mut self, save: &ModSave, entities: &mut EntityHashMap<Entity>) -> ModRestore {
        trace_room!("restore");
        let mut report = ModRestore::default();
        Kept::forget(self);
        messages::defined::forget(self);
        let theirs: HashSet<Entity> = entities.values().copied().collect();
        let mods = if save.format == FORMAT {
            translate::translate(self, save, entities, &mut report)
        } else {
            report.add(ModDifference::Format { found: save.format });
            Vec::new()
        };
        Kept::keep(self, mods);
        take_over::take_over_all(self, &theirs, &mut report);
        report
    }
}
