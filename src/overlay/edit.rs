//! A text setting while the player writes it.

use bevy_input::{
    ButtonState,
    keyboard::{Key, KeyboardInput},
};

use super::model::Spot;

/// The most characters that a text may have, as [`SettingKind::Text`](mod_abi::SettingKind::Text) says.
const MAX_CHARS: usize = 256;

/// A text that is being written.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Edit {
    /// Whose it is.
    pub(crate) spot: Spot,
    /// As far as it is written.
    pub(crate) text: String,
}

/// What came of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Typed {
    /// The text goes on.
    More,
    /// It is done.
    Keep,
    /// It stays as it was before.
    Drop,
}

impl Edit {
    /// Takes a key in.
    pub(super) fn key(&mut self, input: &KeyboardInput) -> Typed {
        if input.state != ButtonState::Pressed {
            return Typed::More;
        }
        match &input.logical_key {
            Key::Enter => return Typed::Keep,
            Key::Escape => return Typed::Drop,
            Key::Backspace => {
                self.text.pop();
            }
            Key::Space => self.push(" "),
            Key::Character(characters) => self.push(characters),
            _ => {}
        }
        Typed::More
    }

    /// A text may not have double quotes, and no control characters.
    fn push(&mut self, characters: &str) {
        let free = MAX_CHARS.saturating_sub(self.text.chars().count());
        self.text.extend(characters.chars().filter(|c| !c.is_control() && *c != '"').take(free));
    }
}
