//! What a system asks to be done to the World when it has run.

use std::marker::PhantomData;

use mod_abi::describe::ParamDesc;

use crate::{
    block::Blocks,
    bundle::Bundle,
    component::Resource,
    describe::Types,
    entity::Entity,
    event::{EntityEvent, Event},
    hierarchy::ChildOf,
    imports,
    message::Message,
    outbox,
    param::SystemParam,
};

/// Changes to the World beyond what queries and resources allow: entities come and go, components are inserted and removed.
///
/// They are carried out in order after the system has run, and before the systems that are ordered behind it. If one of
/// them is invalid, none of that run is carried out.
///
/// ```
/// use mod_sdk::prelude::*;
///
/// #[derive(Component)]
/// #[component(path = "orchard::Bee")]
/// struct Bee {
///     age: f32,
/// }
///
/// #[derive(Component)]
/// #[component(define)] // the mod's own
/// struct Tired;
///
/// fn grow_old(mut bees: Query<(Entity, &mut Bee)>, mut commands: Commands, time: Res<Time>) {
///     for (entity, mut bee) in &mut bees {
///         bee.age += time.delta_secs();
///         if bee.age > 60.0 {
///             commands.entity(entity).despawn();
///         } else if bee.age > 50.0 {
///             commands.entity(entity).insert_if_new(Tired);
///         }
///     }
///     if bees.is_empty() {
///         commands.spawn((Bee { age: 0.0 }, Transform::IDENTITY));
///     }
/// }
/// ```
#[derive(Debug)]
pub struct Commands<'w, 's>(PhantomData<(&'w mut (), &'s mut ())>);

impl SystemParam for Commands<'_, '_> {
    type State = ();
    type Item<'w> = Commands<'w, 'w>;

    fn describe(_: &mut Types, params: &mut Vec<ParamDesc>) {
        params.push(ParamDesc::Commands);
    }

    fn fetch<'w>((): &'w mut (), blocks: &mut Blocks<'w>) -> Commands<'w, 'w> {
        blocks.next();
        Commands(PhantomData)
    }

    fn finish((): &mut (), blocks: &mut Blocks<'_>) {
        blocks.next();
    }
}

impl Commands<'_, '_> {
    /// The same commands, for a function that takes them by value.
    pub fn reborrow(&mut self) -> Commands<'_, '_> {
        Commands(PhantomData)
    }

    /// Spawns an entity with these components. Its id is known at once, and can be used in what follows.
    ///
    /// # Panics
    /// When the bundle has a component twice.
    pub fn spawn<B: Bundle>(&mut self, bundle: B) -> EntityCommands<'_> {
        let entity = imports::entity_reserve();
        outbox::with(|outbox| outbox.spawn(entity, &bundle));
        self.entity(entity)
    }

    /// Spawns an entity without components.
    pub fn spawn_empty(&mut self) -> EntityCommands<'_> {
        self.spawn(())
    }

    /// Spawns an entity for each bundle.
    ///
    /// # Panics
    /// When a bundle has a component twice.
    pub fn spawn_batch<I: IntoIterator<Item: Bundle>>(&mut self, batch: I) {
        for bundle in batch {
            self.spawn(bundle);
        }
    }

    /// The commands for an entity. It need not exist.
    pub fn entity(&mut self, entity: Entity) -> EntityCommands<'_> {
        EntityCommands { entity, commands: self.reborrow() }
    }

    /// Inserts a resource, or replaces it.
    pub fn insert_resource<R: Resource>(&mut self, resource: R) {
        outbox::with(|outbox| outbox.insert_resource(&resource));
    }

    /// Removes a resource, if it exists.
    pub fn remove_resource<R: Resource>(&mut self) {
        outbox::with(|outbox| outbox.remove_resource::<R>());
    }

    /// Triggers an event: its observers run, of the game and of all mods.
    pub fn trigger<E: Event>(&mut self, event: E) {
        outbox::with(|outbox| outbox.trigger(&event));
    }

    /// Writes a message. [`MessageWriter`](crate::MessageWriter) does the same.
    pub fn write_message<M: Message>(&mut self, message: M) -> &mut Self {
        outbox::with(|outbox| outbox.write_message(&message));
        self
    }
}

/// The commands for one entity, one after the other.
///
/// ```
/// # use mod_sdk::prelude::*;
/// # #[derive(Component)] #[component(define)] struct Lit;
/// # #[derive(Component)] #[component(define)] struct Burnt;
/// fn burn(lit: Query<Entity, With<Lit>>, mut commands: Commands) {
///     for candle in &lit {
///         commands.entity(candle).remove::<Lit>().insert(Burnt);
///     }
///     let spark = commands.spawn(Lit).id();
///     info!("{spark} burns");
/// }
/// ```
#[derive(Debug)]
pub struct EntityCommands<'a> {
    entity: Entity,
    commands: Commands<'a, 'a>,
}

impl<'a> EntityCommands<'a> {
    /// The entity.
    #[must_use]
    pub fn id(&self) -> Entity {
        self.entity
    }

    /// The same commands, for a function that takes them by value.
    pub fn reborrow(&mut self) -> EntityCommands<'_> {
        EntityCommands { entity: self.entity, commands: self.commands.reborrow() }
    }

    /// The commands for everything else.
    pub fn commands(&mut self) -> Commands<'_, '_> {
        self.commands.reborrow()
    }

    /// The commands for everything else, as they were given.
    pub fn commands_mut(&mut self) -> &mut Commands<'a, 'a> {
        &mut self.commands
    }

    /// Inserts components, in the place of those of the same types.
    ///
    /// # Panics
    /// When the bundle has a component twice.
    pub fn insert(&mut self, bundle: impl Bundle) -> &mut Self {
        outbox::with(|outbox| outbox.insert(self.entity, &bundle));
        self
    }

    /// Inserts those components that the entity does not have yet.
    ///
    /// # Panics
    /// When the bundle has a component twice.
    pub fn insert_if_new(&mut self, bundle: impl Bundle) -> &mut Self {
        outbox::with(|outbox| outbox.insert_if_new(self.entity, &bundle));
        self
    }

    /// Removes components, those that the entity has.
    pub fn remove<B: Bundle>(&mut self) -> &mut Self {
        outbox::with(|outbox| outbox.remove::<B>(self.entity));
        self
    }

    /// Despawns the entity with its children.
    pub fn despawn(&mut self) {
        outbox::with(|outbox| outbox.despawn(self.entity));
    }

    /// Triggers an event about the entity, which `event` makes of its id.
    pub fn trigger<E: Event + EntityEvent>(&mut self, event: impl FnOnce(Entity) -> E) -> &mut Self {
        self.commands.trigger(event(self.entity));
        self
    }

    /// Spawns children of the entity.
    ///
    /// ```
    /// use mod_sdk::prelude::*;
    ///
    /// #[derive(Component)]
    /// #[component(define)]
    /// struct Leaf;
    ///
    /// fn plant(mut commands: Commands) {
    ///     let tree = commands.spawn(Transform::IDENTITY).with_child(Leaf).id();
    ///     commands.entity(tree).with_children(|parent| {
    ///         for y in [1.0, 2.0] {
    ///             parent.spawn((Leaf, Transform::from_xyz(0.0, y, 0.0)));
    ///         }
    ///     });
    /// }
    /// # let mut test = mod_sdk::testing::SystemTest::new(plant).no_rows();
    /// # test.run();
    /// # assert_eq!(test.commands().len(), 4);
    /// ```
    pub fn with_children(&mut self, spawn: impl FnOnce(&mut ChildSpawnerCommands<'_>)) -> &mut Self {
        spawn(&mut ChildSpawnerCommands { parent: self.entity, commands: self.commands.reborrow() });
        self
    }

    /// Spawns a child of the entity.
    ///
    /// # Panics
    /// When the bundle has a component twice, or a [`ChildOf`].
    pub fn with_child(&mut self, bundle: impl Bundle) -> &mut Self {
        self.commands.spawn((bundle, ChildOf(self.entity)));
        self
    }

    /// Makes another entity a child of this one.
    pub fn add_child(&mut self, child: Entity) -> &mut Self {
        self.add_children(&[child])
    }

    /// Makes other entities children of this one, in that order.
    pub fn add_children(&mut self, children: &[Entity]) -> &mut Self {
        for child in children {
            self.commands.entity(*child).insert(ChildOf(self.entity));
        }
        self
    }
}

/// Spawns the children of an entity, for [`EntityCommands::with_children`].
///
/// ```
/// # use mod_sdk::prelude::*;
/// fn build(mut commands: Commands) {
///     commands.spawn(Transform::IDENTITY).with_children(|mast: &mut ChildSpawnerCommands| {
///         mast.spawn(Transform::from_xyz(0.0, 1.0, 0.0));
///         mast.spawn(Transform::from_xyz(0.0, 2.0, 0.0));
///     });
/// }
/// ```
#[derive(Debug)]
pub struct ChildSpawnerCommands<'a> {
    parent: Entity,
    commands: Commands<'a, 'a>,
}

impl<'a> ChildSpawnerCommands<'a> {
    /// Spawns a child with these components.
    ///
    /// # Panics
    /// When the bundle has a component twice, or a [`ChildOf`].
    pub fn spawn(&mut self, bundle: impl Bundle) -> EntityCommands<'_> {
        self.commands.spawn((bundle, ChildOf(self.parent)))
    }

    /// Spawns a child without components of its own.
    pub fn spawn_empty(&mut self) -> EntityCommands<'_> {
        self.spawn(())
    }

    /// The parent.
    #[must_use]
    pub fn target_entity(&self) -> Entity {
        self.parent
    }

    /// The commands for everything else.
    pub fn commands(&mut self) -> Commands<'_, '_> {
        self.commands.reborrow()
    }

    /// The commands for everything else, as they were given.
    pub fn commands_mut(&mut self) -> &mut Commands<'a, 'a> {
        &mut self.commands
    }
}

#[cfg(test)]
mod tests;
