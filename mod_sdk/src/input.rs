//! What the player presses: Bevy's own resources.

mod keyboard;
mod mouse;

pub use self::{
    keyboard::{KeyCode, NativeKeyCode},
    mouse::MouseButton,
};
use crate::{
    component::Resource,
    reflect::{ReadError, Reflect, SchemaText},
};

/// Which keys or buttons are pressed, and which have been pressed or released since the last frame.
///
/// ```
/// # use mod_sdk::prelude::*;
/// # #[derive(Component)] struct Player;
/// fn steer(keys: Res<ButtonInput<KeyCode>>, mouse: Res<ButtonInput<MouseButton>>, mut player: Query<&mut Transform, With<Player>>) {
///     let Ok(mut player) = player.single_mut() else { return };
///     if keys.any_pressed([KeyCode::KeyD, KeyCode::ArrowRight]) {
///         player.translation.x += 0.1;
///     }
///     if keys.just_pressed(KeyCode::Space) || mouse.just_pressed(MouseButton::Left) {
///         player.translation.y += 1.0;
///     }
/// }
/// ```
///
/// The game has to have the resource, and to have registered its type: `app.register_type::<ButtonInput<KeyCode>>()`.
#[derive(Debug, Clone)]
pub struct ButtonInput<T> {
    // Few buttons are down at a time, so to look at all of them is the fastest way to find one.
    pressed: Vec<T>,
    just_pressed: Vec<T>,
    just_released: Vec<T>,
}

/// A kind of buttons that has a [`ButtonInput`]: [`KeyCode`] or [`MouseButton`]. It is not meant to be implemented by
/// mods.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no kind of buttons",
    label = "not a kind of buttons",
    note = "the game has `ButtonInput<KeyCode>` and `ButtonInput<MouseButton>`"
)]
pub trait ButtonKind: Reflect + Copy + Eq {
    /// The path of the resource.
    #[doc(hidden)]
    const INPUT: &'static str;
}

impl ButtonKind for KeyCode {
    const INPUT: &'static str = "bevy_input::button_input::ButtonInput<bevy_input::keyboard::KeyCode>";
}

impl ButtonKind for MouseButton {
    const INPUT: &'static str = "bevy_input::button_input::ButtonInput<bevy_input::mouse::MouseButton>";
}

impl<T> Default for ButtonInput<T> {
    fn default() -> Self {
        Self { pressed: Vec::new(), just_pressed: Vec::new(), just_released: Vec::new() }
    }
}

/// Adds a button to a set of them, and says whether it was not there yet.
fn insert<T: ButtonKind>(set: &mut Vec<T>, button: T) -> bool {
    let is_new = !set.contains(&button);
    if is_new {
        set.push(button);
    }
    is_new
}

/// Takes a button out of a set of them, and says whether it was there.
fn remove<T: ButtonKind>(set: &mut Vec<T>, button: T) -> bool {
    let before = set.len();
    set.retain(|other| *other != button);
    set.len() < before
}

impl<T: ButtonKind> ButtonInput<T> {
    /// Whether the button is down.
    #[must_use]
    pub fn pressed(&self, button: T) -> bool {
        self.pressed.contains(&button)
    }

    /// Whether at least one of the buttons is down.
    #[must_use]
    pub fn any_pressed(&self, buttons: impl IntoIterator<Item = T>) -> bool {
        buttons.into_iter().any(|button| self.pressed(button))
    }

    /// Whether all of the buttons are down.
    #[must_use]
    pub fn all_pressed(&self, buttons: impl IntoIterator<Item = T>) -> bool {
        buttons.into_iter().all(|button| self.pressed(button))
    }

    /// Whether the button was pressed since the last frame.
    #[must_use]
    pub fn just_pressed(&self, button: T) -> bool {
        self.just_pressed.contains(&button)
    }

    /// Whether at least one of the buttons was pressed since the last frame.
    #[must_use]
    pub fn any_just_pressed(&self, buttons: impl IntoIterator<Item = T>) -> bool {
        buttons.into_iter().any(|button| self.just_pressed(button))
    }

    /// Whether all of the buttons were pressed since the last frame.
    #[must_use]
    pub fn all_just_pressed(&self, buttons: impl IntoIterator<Item = T>) -> bool {
        buttons.into_iter().all(|button| self.just_pressed(button))
    }

    /// Whether the button was released since the last frame.
    #[must_use]
    pub fn just_released(&self, button: T) -> bool {
        self.just_released.contains(&button)
    }

    /// Whether at least one of the buttons was released since the last frame.
    #[must_use]
    pub fn any_just_released(&self, buttons: impl IntoIterator<Item = T>) -> bool {
        buttons.into_iter().any(|button| self.just_released(button))
    }

    /// Whether all of the buttons were released since the last frame.
    #[must_use]
    pub fn all_just_released(&self, buttons: impl IntoIterator<Item = T>) -> bool {
        buttons.into_iter().all(|button| self.just_released(button))
    }

    /// The buttons that are down, in no order.
    pub fn get_pressed(&self) -> impl ExactSizeIterator<Item = &T> {
        self.pressed.iter()
    }

    /// The buttons that were pressed since the last frame, in no order.
    pub fn get_just_pressed(&self) -> impl ExactSizeIterator<Item = &T> {
        self.just_pressed.iter()
    }

    /// The buttons that were released since the last frame, in no order.
    pub fn get_just_released(&self) -> impl ExactSizeIterator<Item = &T> {
        self.just_released.iter()
    }

    /// Presses the button, as the player would.
    pub fn press(&mut self, button: T) {
        if insert(&mut self.pressed, button) {
            insert(&mut self.just_pressed, button);
        }
    }

    /// Releases the button, as the player would.
    pub fn release(&mut self, button: T) {
        if remove(&mut self.pressed, button) {
            insert(&mut self.just_released, button);
        }
    }

    /// Releases all buttons, as the player would.
    pub fn release_all(&mut self) {
        for button in self.pressed.drain(..) {
            insert(&mut self.just_released, button);
        }
    }

    /// Forgets that the button was just pressed, so that nobody else acts on it, and says whether it was.
    pub fn clear_just_pressed(&mut self, button: T) -> bool {
        remove(&mut self.just_pressed, button)
    }

    /// Forgets that the button was just released, so that nobody else acts on it, and says whether it was.
    pub fn clear_just_released(&mut self, button: T) -> bool {
        remove(&mut self.just_released, button)
    }

    /// Forgets everything about the button.
    pub fn reset(&mut self, button: T) {
        for set in [&mut self.pressed, &mut self.just_pressed, &mut self.just_released] {
            remove(set, button);
        }
    }

    /// Forgets everything about all buttons.
    pub fn reset_all(&mut self) {
        *self = Self::default();
    }

    /// Forgets which buttons were just pressed or released, as each frame begins.
    pub fn clear(&mut self) {
        self.just_pressed.clear();
        self.just_released.clear();
    }
}

impl<T: ButtonKind> Reflect for ButtonInput<T> {
    const STRIDE: Option<usize> = None;
    const SCHEMA: SchemaText = SchemaText::Struct(&[
        ("pressed", Vec::<T>::SCHEMA),
        ("just_pressed", Vec::<T>::SCHEMA),
        ("just_released", Vec::<T>::SCHEMA),
    ]);

    fn write(&self, out: &mut Vec<u8>) {
        self.pressed.write(out);
        self.just_pressed.write(out);
        self.just_released.write(out);
    }

    fn read(input: &mut &[u8]) -> Result<Self, ReadError> {
        Ok(Self {
            pressed: Reflect::read(input)?,
            just_pressed: Reflect::read(input)?,
            just_released: Reflect::read(input)?,
        })
    }
}

impl<T: ButtonKind> Resource for ButtonInput<T> {
    const PATH: &'static str = T::INPUT;
}

#[cfg(test)]
mod tests;
