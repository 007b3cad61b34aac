//! How systems are put together: tuples, chains, before and after.

use std::any::{TypeId, type_name};

use crate::system::{BoxedSystem, SystemParamFunction};

/// One system or a group of them, with their order.
#[derive(Debug)]
pub struct ScheduleConfigs(pub(crate) Node);

#[derive(Debug)]
pub(crate) enum Node {
    /// One system.
    System(BoxedSystem),
    /// A group, in which each member runs after the one before it if `chained`.
    Group { members: Vec<Node>, chained: bool },
    /// A group with an order towards another function.
    Ordered { inner: Box<Node>, order: Order },
}

/// Where systems stand towards another one.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Order {
    /// Whether they run after it, and not before.
    pub(crate) after: bool,
    /// The other function's type.
    pub(crate) other: TypeId,
    /// Its path, for messages.
    pub(crate) path: &'static str,
}

impl ScheduleConfigs {
    fn ordered<Marker, F: SystemParamFunction<Marker>>(self, after: bool) -> Self {
        let order = Order { after, other: TypeId::of::<F>(), path: type_name::<F>() };
        Self(Node::Ordered { inner: Box::new(self.0), order })
    }
}

/// Systems that can be added to a schedule: a function, a closure, or a tuple of up to eight.
///
/// `Marker` only tells the implementations apart. It is not meant to be implemented by mods.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is neither a system nor a tuple of systems",
    label = "not a system",
    note = "a system is a function with up to 8 parameters (`Query`, `Res`, `ResMut`, `Local`, `World`) and no result"
)]
pub trait IntoScheduleConfigs<Marker>: Sized {
    /// The systems with their order.
    fn into_configs(self) -> ScheduleConfigs;

    /// Has the members of a tuple run one after the other.
    fn chain(self) -> ScheduleConfigs {
        ScheduleConfigs(match self.into_configs().0 {
            Node::Group { members, .. } => Node::Group { members, chained: true },
            node => node,
        })
    }

    /// Has these systems run after `other`, a system of this mod in the same schedule.
    fn after<OtherMarker, Other: SystemParamFunction<OtherMarker>>(self, other: Other) -> ScheduleConfigs {
        let _ = other;
        self.into_configs().ordered::<OtherMarker, Other>(true)
    }

    /// Has these systems run before `other`, a system of this mod in the same schedule.
    fn before<OtherMarker, Other: SystemParamFunction<OtherMarker>>(self, other: Other) -> ScheduleConfigs {
        let _ = other;
        self.into_configs().ordered::<OtherMarker, Other>(false)
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
}
