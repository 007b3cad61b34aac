//! When systems run: the game's schedules, under Bevy's names.

use std::borrow::Cow;

use crate::state::States;

/// The name of one of the game's schedules.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a schedule of the game",
    label = "not a schedule",
    note = "schedules are `Startup`, `Update`, `FixedUpdate` and Bevy's others, and `OnEnter(..)` and `OnExit(..)` of a state"
)]
pub trait ScheduleLabel {
    /// The name that Bevy gives it.
    fn name(&self) -> Cow<'static, str>;
}

/// Once, whenever the game's state becomes that value.
///
/// ```
/// use mod_sdk::prelude::*;
///
/// #[derive(States)]
/// #[states(path = "orchard::Season")]
/// enum Season {
///     Winter,
/// }
///
/// fn shiver() {}
///
/// # fn plugin(app: &mut App) {
/// app.add_systems(OnEnter(Season::Winter), shiver);
/// # }
/// # assert_eq!(mod_sdk::testing::describe(plugin).systems[0].schedule, "OnEnter(orchard::Season::Winter)");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct OnEnter<S>(pub S);

/// Once, whenever the game's state stops being that value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct OnExit<S>(pub S);

impl<S: States> ScheduleLabel for OnEnter<S> {
    fn name(&self) -> Cow<'static, str> {
        format!("OnEnter({}::{})", S::PATH, self.0.variant()).into()
    }
}

impl<S: States> ScheduleLabel for OnExit<S> {
    fn name(&self) -> Cow<'static, str> {
        format!("OnExit({}::{})", S::PATH, self.0.variant()).into()
    }
}

macro_rules! schedules {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub struct $name;

        impl ScheduleLabel for $name {
            fn name(&self) -> Cow<'static, str> {
                stringify!($name).into()
            }
        }
    )*};
}

schedules! {
    /// Once, when this version of the mod has taken an earlier one's place, or the player has loaded a saved game that the
    /// mod was in, instead of [`Startup`]. What was kept in [`Persist`](crate::Persist) is there.
    OnReload;
    /// Once, before another version takes this one's place or the mod is unloaded: the last chance to keep something in
    /// [`Persist`](crate::Persist). It does not run when the player saves: a saved game has what is in `Persist` then.
    OnUnload;
    /// Once, before [`Startup`].
    PreStartup;
    /// Once, when the mod has been loaded.
    Startup;
    /// Once, after [`Startup`].
    PostStartup;
    /// Every frame, before everything else.
    First;
    /// Every frame, before [`Update`].
    PreUpdate;
    /// Every frame. The place for most systems.
    Update;
    /// Every frame, after [`Update`].
    PostUpdate;
    /// Every frame, after everything else.
    Last;
    /// At a fixed rate, first of all.
    FixedFirst;
    /// At a fixed rate, before [`FixedUpdate`].
    FixedPreUpdate;
    /// At a fixed rate. The place for what should not depend on the frame rate.
    FixedUpdate;
    /// At a fixed rate, after [`FixedUpdate`].
    FixedPostUpdate;
    /// At a fixed rate, last of all.
    FixedLast;
}
