//! Keys that switch mods on and off, and those for the window. F10 is the panel's, and so is Escape while it is open.

use bevy::{
    app::AppExit,
    prelude::{App, ButtonInput, KeyCode, Local, MessageWriter, Res, Update},
};
use bevy_wasm_mods::prelude::{ModRegistry, Mods};

use crate::villains::{self, VILLAINS};

const DIGITS: [KeyCode; 9] = [
    KeyCode::Digit1,
    KeyCode::Digit2,
    KeyCode::Digit3,
    KeyCode::Digit4,
    KeyCode::Digit5,
    KeyCode::Digit6,
    KeyCode::Digit7,
    KeyCode::Digit8,
    KeyCode::Digit9,
];

/// After how many frames `--villains` lets them loose.
const GRACE: u32 = 60;

/// Adds the keys. With `villains` all three are switched on by themselves.
pub(crate) fn plugin(villains: bool) -> impl Fn(&mut App) {
    move |app| {
        app.add_systems(Update, (press, leave));
        if villains {
            app.add_systems(Update, let_loose);
        }
    }
}

/// The mods that have a key, in the order of the keys: the villains, and all others by their ids.
pub(crate) fn keyed(mods: &ModRegistry) -> Vec<String> {
    let others = mods.iter().map(|info| info.id.to_string()).filter(|id| !VILLAINS.contains(&id.as_str()));
    VILLAINS.map(str::to_owned).into_iter().chain(others).collect()
}

fn press(mut mods: Mods, keys: Res<ButtonInput<KeyCode>>) {
    let ids = keyed(&mods);
    for (key, id) in DIGITS.into_iter().zip(&ids) {
        if keys.just_pressed(key) {
            villains::switch(&mut mods, id);
        }
    }
}

fn let_loose(mut mods: Mods, mut frame: Local<u32>) {
    *frame += 1;
    if *frame == GRACE {
        VILLAINS.iter().for_each(|id| villains::switch(&mut mods, id));
    }
}

fn leave(keys: Res<ButtonInput<KeyCode>>, mut exit: MessageWriter<AppExit>) {
    if keys.just_pressed(KeyCode::Escape) {
        exit.write(AppExit::Success);
    }
}
