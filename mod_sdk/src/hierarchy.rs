//! Parents and children: Bevy's own component.

use crate::{Component, entity::Entity};

/// The parent of an entity. Inserting it makes the entity a child, and removing it sets the entity free.
///
/// The entity follows its parent's transform and is despawned with it. The game keeps the list of a parent's children.
///
/// ```
/// use mod_sdk::prelude::*;
///
/// #[derive(Component)]
/// #[component(path = "orchard::Bee")]
/// struct Bee;
///
/// fn count_orphans(bees: Query<&Bee, Without<ChildOf>>) {
///     info!("{} bees without a hive", bees.len());
/// }
/// ```
#[derive(Component, Debug, Clone, Copy, PartialEq, Eq)]
#[component(path = "bevy_ecs::hierarchy::ChildOf")]
pub struct ChildOf(pub Entity);

impl ChildOf {
    /// The parent.
    #[must_use]
    pub const fn parent(&self) -> Entity {
        self.0
    }
}
