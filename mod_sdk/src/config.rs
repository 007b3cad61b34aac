//! How systems are put together: tuples, chains, before and after, conditions.

use std::any::{TypeId, type_name};

use crate::{
    condition::{Condition, SystemCondition},
    system::{BoxedSystem, SystemParamFunction},
};

/// One system or a group of them, with their order.
#[derive(Debug)]
pub struct ScheduleConfigs(pub(crate) Node);

#[derive(Debug)]
pub(crate) enum Node {
    /// One system.
    System(BoxedSystem),
    /// A group, in which each member runs after the one before it if `chained`.
    Group { members: Vec<Node>, chained: bool },
    /// A group with an order towards others.
    Ordered { inner: Box<Node>, order: Order },
    /// A group each of whose members only runs under a condition.
    Conditional { inner: Box<Node>, condition: Condition },
}

/// Where systems stand towards others.
#[derive(Debug, Clone)]
pub(crate) struct Order {
    /// Whether they run after the others, and not before.
    pub(crate) after: bool,
    pub(crate) target: Target,
}

/// Others that systems are ordered by.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Target {
    /// A function of this mod: its type, and its path for messages.
    Function { id: TypeId, path: &'static str },
    /// A system by its full name.
    Named(&'static str),
    /// A set of the game's.
    Set(&'static str),
}

impl Node {
    /// Chains the members, also behind an order or a condition.
    fn chain(self) -> Self {
        match self {
            Self::System(system) => Self::System(system),
            Self::Group { members, .. } => Self::Group { members, chained: true },
            Self::Ordered { inner, order } => Self::Ordered { inner: Box::new(inner.chain()), order },
            Self::Conditional { inner, condition } => Self::Conditional { inner: Box::new(inner.chain()), condition },
        }
    }
}

impl ScheduleConfigs {
    fn ordered(self, after: bool, target: Target) -> Self {
        Self(Node::Ordered { inner: Box::new(self.0), order: Order { after, target } })
    }
}

/// A system of any mod by its full name: the mod's id, `::`, and the name of the function. There need not be such a
/// system.
///
/// ```
/// # use mod_sdk::prelude::*;
/// # fn drift() {}
/// # fn plugin(app: &mut App) {
/// app.add_systems(Update, drift.after(SystemName("weather::blow")));
/// # }
/// # mod_sdk::testing::describe(plugin);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct SystemName(pub &'static str);

/// A set of systems that the game offers to mods under that name.
///
/// ```
/// # use mod_sdk::prelude::*;
/// # fn drift() {}
/// # fn plugin(app: &mut App) {
/// // In the game: app.add_mod_set("movement", Movement);
/// app.add_systems(Update, drift.before(GameSet("movement")));
/// # }
/// # mod_sdk::testing::describe(plugin);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct GameSet(pub &'static str);

/// What systems can be ordered by: a function of this mod, a [`SystemName`] or a [`GameSet`].
///
/// `Marker` only tells the implementations apart. It is not meant to be implemented by mods.
#[diagnostic::on_unimplemented(
    message = "systems cannot be ordered by `{Self}`",
    label = "neither a system nor a set",
    note = "order them by a system of this mod, `SystemName(\"other_mod::system\")` or `GameSet(\"name\")`"
)]
pub trait IntoSystemSet<Marker> {
    /// What is meant.
    #[doc(hidden)]
    fn target(self) -> OrderTarget;
}

/// A target, which only this crate looks into.
#[doc(hidden)]
#[derive(Debug)]
pub struct OrderTarget(Target);

impl IntoSystemSet<()> for SystemName {
    fn target(self) -> OrderTarget {
        OrderTarget(Target::Named(self.0))
    }
}

impl IntoSystemSet<()> for GameSet {
    fn target(self) -> OrderTarget {
        OrderTarget(Target::Set(self.0))
    }
}

impl<Marker: 'static, F: SystemParamFunction<Marker>> IntoSystemSet<(IsFunction, Marker)> for F {
    fn target(self) -> OrderTarget {
        OrderTarget(Target::Function { id: TypeId::of::<F>(), path: type_name::<F>() })
    }
}

/// Systems that can be added to a schedule: a function, a closure, or a tuple of up to sixteen.
///
/// `Marker` only tells the implementations apart. It is not meant to be implemented by mods.
///
/// ```
/// # use mod_sdk::prelude::*;
/// # fn look() {}
/// # fn think() {}
/// # fn act() {}
/// # fn plugin(app: &mut App) {
/// app.add_systems(Update, ((look, think).chain(), act.after(think).run_if(resource_exists::<Time>)));
/// # }
/// # mod_sdk::testing::describe(plugin);
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is neither a system nor a tuple of systems",
    label = "not a system",
    note = "a system is a function without a result and with up to 16 parameters, such as `Query`, `Res`, `ResMut`, \
            `Commands`, `MessageReader`, `MessageWriter`, `Local` and `World`"
)]
pub trait IntoScheduleConfigs<Marker>: Sized {
    /// The systems with their order.
    fn into_configs(self) -> ScheduleConfigs;

    /// Has the members of a tuple run one after the other.
    fn chain(self) -> ScheduleConfigs {
        ScheduleConfigs(self.into_configs().0.chain())
    }

    /// Has these systems run after a system of this mod in the same schedule, a system of another mod, or a set of the
    /// game's.
    ///
    /// ```
    /// use mod_sdk::prelude::*;
    ///
    /// fn look() {}
    /// fn drift() {}
    /// fn settle() {}
    ///
    /// # fn plugin(app: &mut App) {
    /// app.add_systems(Update, (look, drift.after(look)))
    ///     .add_systems(Update, settle.after(SystemName("weather::blow")).before(GameSet("movement")));
    /// # }
    /// # assert_eq!(mod_sdk::testing::describe(plugin).systems[2].order.len(), 2);
    /// ```
    fn after<M>(self, set: impl IntoSystemSet<M>) -> ScheduleConfigs {
        self.into_configs().ordered(true, set.target().0)
    }

    /// Has these systems run before others, as in [`after`](IntoScheduleConfigs::after).
    fn before<M>(self, set: impl IntoSystemSet<M>) -> ScheduleConfigs {
        self.into_configs().ordered(false, set.target().0)
    }

    /// Has these systems run only while a condition holds: [`in_state`](crate::in_state),
    /// [`resource_exists`](crate::resource_exists), [`on_timer`](crate::on_timer) or [`not`](crate::not) one of them. With
    /// several calls, all of the conditions have to hold. The game tests them without calling the mod, so a function of the
    /// mod cannot be one; a system can return early instead.
    ///
    /// Each system of a tuple tests for itself, just before it would run, as with Bevy's `distributive_run_if`. One that
    /// changes the answer changes it for those behind it.
    fn run_if<M>(self, condition: impl SystemCondition<M>) -> ScheduleConfigs {
        let inner = Box::new(self.into_configs().0);
        ScheduleConfigs(Node::Conditional { inner, condition: condition.into_condition() })
    }
}

impl IntoScheduleConfigs<()> for ScheduleConfigs {
    fn into_configs(self) -> ScheduleConfigs {
        self
    }
}

/// Marks the implementation for single functions.
#[doc(hidden)]
#[derive(Debug)]
pub struct IsFunction;

impl<Marker: 'static, F: SystemParamFunction<Marker>> IntoScheduleConfigs<(IsFunction, Marker)> for F {
    fn into_configs(self) -> ScheduleConfigs {
        ScheduleConfigs(Node::System(BoxedSystem::new(self)))
    }
}

/// Marks the implementations for tuples.
#[doc(hidden)]
#[derive(Debug)]
pub struct IsTuple;

macro_rules! tuples {
    ($(($($name:ident $marker:ident $index:tt),*))*) => {$(
        impl<$($marker,)* $($name: IntoScheduleConfigs<$marker>),*> IntoScheduleConfigs<(IsTuple, $($marker),*)>
            for ($($name,)*)
        {
            fn into_configs(self) -> ScheduleConfigs {
                ScheduleConfigs(Node::Group { members: vec![$(self.$index.into_configs().0),*], chained: false })
            }
        }
    )*};
}

tuples! {
    (A MA 0)
    (A MA 0, B MB 1)
    (A MA 0, B MB 1, C MC 2)
    (A MA 0, B MB 1, C MC 2, D MD 3)
    (A MA 0, B MB 1, C MC 2, D MD 3, E ME 4)
    (A MA 0, B MB 1, C MC 2, D MD 3, E ME 4, F MF 5)
    (A MA 0, B MB 1, C MC 2, D MD 3, E ME 4, F MF 5, G MG 6)
    (A MA 0, B MB 1, C MC 2, D MD 3, E ME 4, F MF 5, G MG 6, H MH 7)
    (A MA 0, B MB 1, C MC 2, D MD 3, E ME 4, F MF 5, G MG 6, H MH 7, I MI 8)
    (A MA 0, B MB 1, C MC 2, D MD 3, E ME 4, F MF 5, G MG 6, H MH 7, I MI 8, J MJ 9)
    (A MA 0, B MB 1, C MC 2, D MD 3, E ME 4, F MF 5, G MG 6, H MH 7, I MI 8, J MJ 9, K MK 10)
    (A MA 0, B MB 1, C MC 2, D MD 3, E ME 4, F MF 5, G MG 6, H MH 7, I MI 8, J MJ 9, K MK 10, L ML 11)
    (A MA 0, B MB 1, C MC 2, D MD 3, E ME 4, F MF 5, G MG 6, H MH 7, I MI 8, J MJ 9, K MK 10, L ML 11, M MM 12)
    (A MA 0, B MB 1, C MC 2, D MD 3, E ME 4, F MF 5, G MG 6, H MH 7, I MI 8, J MJ 9, K MK 10, L ML 11, M MM 12, N MN 13)
    (A MA 0, B MB 1, C MC 2, D MD 3, E ME 4, F MF 5, G MG 6, H MH 7, I MI 8, J MJ 9, K MK 10, L ML 11, M MM 12, N MN 13, O MO 14)
    (A MA 0, B MB 1, C MC 2, D MD 3, E ME 4, F MF 5, G MG 6, H MH 7, I MI 8, J MJ 9, K MK 10, L ML 11, M MM 12, N MN 13, O MO 14, P MP 15)
}
