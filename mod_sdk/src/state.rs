//! The game's states, by which systems are scheduled.

/// A state of the game, as the mod knows it: a value for each variant that the mod needs to name.
///
/// The path is the game's type path, or the short one where it is unambiguous; without the attribute it is the enum's own
/// name. Schedules and conditions name the values: [`OnEnter`](crate::schedule::OnEnter),
/// [`OnExit`](crate::schedule::OnExit), [`in_state`](crate::in_state).
///
/// ```
/// use mod_sdk::prelude::*;
///
/// #[derive(States)]
/// #[states(path = "orchard::Season")]
/// enum Season {
///     Summer,
///     Winter,
/// }
/// # assert_eq!((Season::PATH, Season::Summer.variant(), Season::Winter.variant()), ("orchard::Season", "Summer", "Winter"));
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a state of the game",
    label = "not a state",
    note = "derive `States` for an enum with the values of the game's state"
)]
pub trait States {
    /// The name of the type in the game.
    const PATH: &'static str;

    /// The name of the value.
    fn variant(&self) -> &'static str;
}
