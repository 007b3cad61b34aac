//! The buttons of a mouse.

use crate::Reflect;

/// A button of a mouse.
///
/// ```
/// # use mod_sdk::prelude::*;
/// fn shoot(buttons: Res<ButtonInput<MouseButton>>, mut commands: Commands) {
///     if buttons.just_pressed(MouseButton::Left) {
///         commands.spawn(Transform::IDENTITY);
///     }
/// }
/// ```
#[derive(Reflect, Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MouseButton {
    /// The left one.
    Left,
    /// The right one.
    Right,
    /// The middle one.
    Middle,
    /// The one that goes back.
    Back,
    /// The one that goes forward.
    Forward,
    /// Another one, by its number.
    Other(u16),
}
