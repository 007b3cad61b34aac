//! Functions that run when something happens.

use std::{
    any::{TypeId, type_name},
    fmt,
    marker::PhantomData,
    ops::Deref,
};

use mod_abi::describe::{EventDesc, ParamDesc};

use crate::{
    Reflect,
    block::Blocks,
    column::ColumnState,
    component::Component,
    describe::Types,
    entity::Entity,
    event::{EntityEvent, Event},
    param::SystemParam,
    system::BoxedSystem,
};

/// What an observer was woken by: its first parameter.
///
/// `On<E>` is an [`Event`], `On<Add, C>` and its like are what happens to a component of any entity: [`Add`], [`Insert`],
/// [`Discard`], [`Remove`] and [`Despawn`].
///
/// ```
/// use mod_sdk::prelude::*;
///
/// #[derive(Component)]
/// #[component(path = "orchard::Bee")]
/// struct Bee {
///     name: String,
/// }
///
/// fn greet(bee: On<Add, Bee>, bees: Query<(Entity, &Bee)>) {
///     for (_, Bee { name }) in bees.iter().filter(|(entity, _)| *entity == bee.entity) {
///         info!("hello, {name}");
///     }
/// }
/// # mod_sdk::testing::describe(|app| { app.add_observer(greet); });
/// ```
pub struct On<'w, E, B = ()> {
    event: &'w E,
    marker: PhantomData<fn() -> B>,
}

impl<E, B> On<'_, E, B> {
    /// The event. [`On`] derefs to it, too.
    #[must_use]
    pub fn event(&self) -> &E {
        self.event
    }
}

impl<E: EntityEvent, B> On<'_, E, B> {
    /// The entity that the event is about.
    #[must_use]
    pub fn event_target(&self) -> Entity {
        self.event.event_target()
    }

    /// The entity that the event is about.
    #[must_use]
    pub fn entity(&self) -> Entity {
        self.event.event_target()
    }
}

impl<E, B> Deref for On<'_, E, B> {
    type Target = E;

    fn deref(&self) -> &E {
        self.event
    }
}

impl<'w, E, B> From<&'w E> for On<'w, E, B> {
    /// An event that a test makes.
    fn from(event: &'w E) -> Self {
        Self { event, marker: PhantomData }
    }
}

impl<E: fmt::Debug, B> fmt::Debug for On<'_, E, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("On").field(self.event).finish()
    }
}

/// What an observer can wait for: an [`Event`], or with a component for `B` one of [`Add`], [`Insert`], [`Discard`],
/// [`Remove`] and [`Despawn`]. It is not meant to be implemented by mods.
#[diagnostic::on_unimplemented(
    message = "no observer can wait for `{Self}` of `{B}`",
    label = "neither an event nor what happens to a component",
    note = "`On<E>` takes an `Event`; `On<Add, C>`, `On<Insert, C>`, `On<Discard, C>`, `On<Remove, C>` and \
            `On<Despawn, C>` take a `Component`"
)]
pub trait Observable<B>: Reflect {
    /// The event, for the game.
    #[doc(hidden)]
    fn describe(types: &mut Types) -> EventDesc;
}

impl<E: Event> Observable<()> for E {
    fn describe(types: &mut Types) -> EventDesc {
        EventDesc::Event(types.event::<E>())
    }
}

macro_rules! lifecycle {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Reflect, Debug, Clone, Copy, PartialEq, Eq)]
        pub struct $name {
            /// The entity.
            pub entity: Entity,
        }

        impl EntityEvent for $name {
            fn event_target(&self) -> Entity {
                self.entity
            }
        }

        impl<C: Component> Observable<C> for $name {
            fn describe(types: &mut Types) -> EventDesc {
                EventDesc::$name(types.component::<C>())
            }
        }
    )*};
}

lifecycle! {
    /// An entity that had no such component got one: `On<Add, C>`.
    Add;
    /// An entity got such a component, whether it had one or not: `On<Insert, C>`.
    Insert;
    /// Such a component is about to be replaced or removed, and still there: `On<Discard, C>`.
    Discard;
    /// Such a component is about to be removed, and still there: `On<Remove, C>`.
    Remove;
    /// An entity with such a component is about to be despawned, and still there: `On<Despawn, C>`.
    Despawn;
}

/// A function that can be an observer: its first parameter is an [`On`], up to fifteen others are those of a system, and it
/// has no result.
///
/// `Marker` only tells the implementations apart. It is not meant to be implemented by mods.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an observer",
    label = "not an observer",
    note = "an observer is a function without a result whose first parameter is `On<E>`, or `On<Add, C>` and its like; up \
            to 15 others are those of a system"
)]
pub trait ObserverFunction<Marker>: 'static {
    /// What it waits for.
    type Event: Observable<Self::Component>;
    /// The component to which it happens, or `()`.
    type Component: 'static;
    /// All parameters but the first.
    type Param: SystemParam;

    /// Calls the function.
    fn run(&mut self, on: On<'_, Self::Event, Self::Component>, params: <Self::Param as SystemParam>::Item<'_>);
}

macro_rules! functions {
    ($(($($name:ident $value:ident),*))*) => {$(
        impl<Function, Ev, Co, $($name: SystemParam),*> ObserverFunction<fn(On<'static, Ev, Co>, $($name),*)> for Function
        where
            Function: 'static,
            Ev: Observable<Co>,
            Co: 'static,
            for<'a> &'a mut Function: FnMut(On<'_, Ev, Co>, $($name),*) + FnMut(On<'_, Ev, Co>, $($name::Item<'_>),*),
        {
            type Event = Ev;
            type Component = Co;
            type Param = ($($name,)*);

            fn run(&mut self, on: On<'_, Ev, Co>, params: <Self::Param as SystemParam>::Item<'_>) {
                // As for systems: this function has only one of the two bounds above.
                fn call<Ev, Co, $($name),*>(
                    mut function: impl FnMut(On<'_, Ev, Co>, $($name),*),
                    on: On<'_, Ev, Co>,
                    ($($value,)*): ($($name,)*),
                ) {
                    function(on, $($value),*);
                }
                call(self, on, params);
            }
        }
    )*};
}

functions! {
    ()
    (A a)
    (A a, B b)
    (A a, B b, C c)
    (A a, B b, C c, D d)
    (A a, B b, C c, D d, E e)
    (A a, B b, C c, D d, E e, F f)
    (A a, B b, C c, D d, E e, F f, G g)
    (A a, B b, C c, D d, E e, F f, G g, H h)
    (A a, B b, C c, D d, E e, F f, G g, H h, I i)
    (A a, B b, C c, D d, E e, F f, G g, H h, I i, J j)
    (A a, B b, C c, D d, E e, F f, G g, H h, I i, J j, K k)
    (A a, B b, C c, D d, E e, F f, G g, H h, I i, J j, K k, L l)
    (A a, B b, C c, D d, E e, F f, G g, H h, I i, J j, K k, L l, M m)
    (A a, B b, C c, D d, E e, F f, G g, H h, I i, J j, K k, L l, M m, N n)
    (A a, B b, C c, D d, E e, F f, G g, H h, I i, J j, K k, L l, M m, N n, O o)
}

/// An observer of any type, with what it keeps between two runs.
#[derive(Debug)]
pub(crate) struct BoxedObserver {
    pub(crate) event: fn(&mut Types) -> EventDesc,
    pub(crate) system: BoxedSystem,
}

impl BoxedObserver {
    /// The observer that calls `function`.
    pub(crate) fn new<Marker: 'static, F: ObserverFunction<Marker>>(mut function: F) -> Self {
        let mut event = ColumnState::<F::Event>::default();
        let mut state = <F::Param as SystemParam>::State::default();
        let system = BoxedSystem {
            id: TypeId::of::<F>(),
            path: type_name::<F>(),
            describe: |types, params| {
                params.push(ParamDesc::Event);
                F::Param::describe(types, params);
            },
            run: Box::new(move |batch| {
                let mut blocks = Blocks::new(batch);
                let event = event.fetch_all(blocks.next_rows()).first();
                let event = event.expect("the game's batch is malformed: an observer runs without an event");
                {
                    let params = F::Param::fetch(&mut state, &mut blocks);
                    if params.is_ready() {
                        function.run(On::from(event), params);
                    }
                }
                let mut blocks = Blocks::new(batch);
                blocks.next();
                F::Param::finish(&mut state, &mut blocks);
            }),
        };
        Self { event: F::Event::describe, system }
    }
}

#[cfg(test)]
mod tests;
