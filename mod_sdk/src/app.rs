//! The mod as its main function puts it together.

use std::{any::TypeId, ops::Range};

use mod_abi::describe::TypeIndex;

use crate::{
    component::{Component, Resource},
    condition::Condition,
    config::{IntoScheduleConfigs, Node, Order},
    describe::Types,
    message::Message,
    observer::{BoxedObserver, ObserverFunction},
    schedule::ScheduleLabel,
    system::BoxedSystem,
};

/// What a mod adds to the game. The function marked with [`#[mod_main]`](crate::mod_main) fills it.
///
/// ```
/// # use mod_sdk::prelude::*;
/// # fn hello() {}
/// # fn drift() {}
/// # fn settle() {}
/// # fn report() {}
/// fn weather(app: &mut App) {
///     app.add_systems(Startup, hello).add_systems(Update, ((drift, settle).chain(), report.after(settle)));
/// }
/// # weather(&mut App::new());
/// ```
#[derive(Debug, Default)]
pub struct App {
    pub(crate) systems: Vec<Scheduled>,
    pub(crate) orders: Vec<(Range<usize>, Order)>,
    pub(crate) observers: Vec<BoxedObserver>,
    pub(crate) resources: Vec<Initial>,
    /// Types that the game should know although no system asks for them.
    pub(crate) types: Vec<fn(&mut Types) -> TypeIndex>,
}

/// A system with its place.
#[derive(Debug)]
pub(crate) struct Scheduled {
    pub(crate) system: BoxedSystem,
    pub(crate) schedule: String,
    /// Indices of the systems that run earlier, as far as chains say so.
    pub(crate) after: Vec<usize>,
    pub(crate) conditions: Vec<Condition>,
}

/// A resource that the mod starts with.
#[derive(Debug)]
pub(crate) struct Initial {
    id: TypeId,
    pub(crate) index: fn(&mut Types) -> TypeIndex,
    /// Its encoding.
    pub(crate) value: Vec<u8>,
}

impl App {
    /// A mod that does nothing.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds systems to one of the game's schedules.
    pub fn add_systems<Marker>(
        &mut self,
        schedule: impl ScheduleLabel,
        systems: impl IntoScheduleConfigs<Marker>,
    ) -> &mut Self {
        self.add(&schedule.name(), systems.into_configs().0);
        self
    }

    /// Adds a function that runs whenever something happens: its first parameter is an [`On`](crate::On), and the others
    /// are those of a system.
    ///
    /// ```
    /// use mod_sdk::prelude::*;
    ///
    /// #[derive(EntityEvent)]
    /// #[event(path = "orchard::Hit")]
    /// struct Hit {
    ///     entity: Entity,
    ///     damage: f32,
    /// }
    ///
    /// #[derive(Component)]
    /// #[component(path = "orchard::Bee")]
    /// struct Bee;
    ///
    /// fn on_hit(hit: On<Hit>, mut commands: Commands) {
    ///     if hit.damage > 1.0 {
    ///         commands.entity(hit.entity).despawn();
    ///     }
    /// }
    ///
    /// # fn plugin(app: &mut App) {
    /// app.add_observer(on_hit).add_observer(|bee: On<Add, Bee>| info!("{} is a bee", bee.entity));
    /// # }
    /// # assert_eq!(mod_sdk::testing::describe(plugin).observers.len(), 2);
    /// ```
    pub fn add_observer<Marker: 'static>(&mut self, observer: impl ObserverFunction<Marker>) -> &mut Self {
        self.observers.push(BoxedObserver::new(observer));
        self
    }

    /// Gives the game a resource when the mod is loaded, unless it has one already.
    ///
    /// A resource that was added before in this mod is replaced.
    pub fn insert_resource<R: Resource>(&mut self, resource: R) -> &mut Self {
        let mut value = Vec::new();
        resource.write(&mut value);
        let initial = Initial { id: TypeId::of::<R>(), index: Types::resource::<R>, value };
        match self.resources.iter_mut().find(|known| known.id == initial.id) {
            Some(known) => *known = initial,
            None => self.resources.push(initial),
        }
        self
    }

    /// Gives the game the default of a resource when the mod is loaded, unless it or this mod has one already.
    ///
    /// ```
    /// use mod_sdk::prelude::*;
    ///
    /// #[derive(Resource, Default)]
    /// #[resource(define)] // the mod's own
    /// struct Visits {
    ///     count: u32,
    /// }
    ///
    /// # fn plugin(app: &mut App) {
    /// app.init_resource::<Visits>();
    /// # }
    /// # assert_eq!(mod_sdk::testing::describe(plugin).resources[0].value, [0; 4]);
    /// ```
    pub fn init_resource<R: Resource + Default>(&mut self) -> &mut Self {
        if !self.resources.iter().any(|known| known.id == TypeId::of::<R>()) {
            self.insert_resource(R::default());
        }
        self
    }

    /// Tells the game of a message when the mod is loaded. Without it, the game learns of one that no system reads or
    /// writes when it is written for the first time.
    pub fn add_message<M: Message>(&mut self) -> &mut Self {
        self.types.push(Types::message::<M>);
        self
    }

    /// Tells the game of a component when the mod is loaded. Without it, the game learns of one that no system asks for
    /// when it is inserted for the first time, and only then notices a mistake in its fields.
    pub fn register_component<C: Component>(&mut self) -> &mut Self {
        self.types.push(Types::component::<C>);
        self
    }

    /// Calls a function that adds a part of the mod.
    pub fn add_plugins(&mut self, plugin: impl FnOnce(&mut Self)) -> &mut Self {
        plugin(self);
        self
    }

    /// Adds the systems of a node and tells which they are.
    fn add(&mut self, schedule: &str, node: Node) -> Range<usize> {
        let start = self.systems.len();
        match node {
            Node::System(system) => {
                let schedule = schedule.to_owned();
                self.systems.push(Scheduled { system, schedule, after: Vec::new(), conditions: Vec::new() });
            }
            Node::Group { members, chained } => {
                let mut previous = start..start;
                for member in members {
                    let current = self.add(schedule, member);
                    if chained && !current.is_empty() {
                        self.systems[current.clone()].iter_mut().for_each(|later| later.after.extend(previous.clone()));
                        previous = current;
                    }
                }
            }
            Node::Ordered { inner, order } => {
                let range = self.add(schedule, *inner);
                self.orders.push((range, order));
            }
            Node::Conditional { inner, condition } => {
                let range = self.add(schedule, *inner);
                self.systems[range].iter_mut().for_each(|system| system.conditions.push(condition.clone()));
            }
        }
        start..self.systems.len()
    }
}

#[cfg(test)]
mod tests;
