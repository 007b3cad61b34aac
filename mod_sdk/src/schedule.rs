//! When systems run: the game's schedules, under Bevy's names.

/// The name of one of the game's schedules.
pub trait ScheduleLabel {
    /// The name that Bevy gives it.
    fn name(&self) -> &'static str;
}

macro_rules! schedules {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub struct $name;

        impl ScheduleLabel for $name {
            fn name(&self) -> &'static str {
                stringify!($name)
            }
        }
    )*};
}

schedules! {
    /// Once, when this version of the mod has taken an earlier one's place, instead of [`Startup`]. What the earlier one
    /// kept in [`Persist`](crate::Persist) is there.
    OnReload;
    /// Once, before another version takes this one's place or the mod is unloaded: the last chance to keep something in
    /// [`Persist`](crate::Persist).
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
