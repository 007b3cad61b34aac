//! Buttons as Bevy keeps them.

use super::{ButtonInput, KeyCode, MouseButton};
use crate::{
    Reflect, Resource,
    prelude::{Res, ResMut},
    testing::SystemTest,
};

#[test]
fn the_shapes_are_those_of_bevy() {
    let mouse = "<Left|Right|Middle|Back|Forward|Other(u16)>";
    let expected = format!("{{pressed:[{mouse}],just_pressed:[{mouse}],just_released:[{mouse}]}}");
    assert_eq!(ButtonInput::<MouseButton>::schema().to_string(), expected);
    let keys = KeyCode::schema().to_string();
    let start = "<Unidentified(<Unidentified|Android(u32)|MacOS(u16)|Windows(u16)|Xkb(u32)>)|Backquote|Backslash|";
    assert!(keys.starts_with(start), "{keys}");
    assert!(keys.ends_with("|F34|F35>"), "{keys}");
    assert_eq!(ButtonInput::<KeyCode>::PATH, "bevy_input::button_input::ButtonInput<bevy_input::keyboard::KeyCode>");
}

#[test]
fn buttons_are_pressed_and_released_as_in_bevy() {
    let mut keys = ButtonInput::default();
    keys.press(KeyCode::KeyW);
    keys.press(KeyCode::KeyW);
    assert!(keys.pressed(KeyCode::KeyW) && keys.just_pressed(KeyCode::KeyW) && !keys.just_released(KeyCode::KeyW));
    assert!(keys.any_pressed([KeyCode::KeyA, KeyCode::KeyW]) && !keys.all_pressed([KeyCode::KeyA, KeyCode::KeyW]));
    assert_eq!(keys.get_pressed().collect::<Vec<_>>(), [&KeyCode::KeyW]);
    keys.clear();
    assert!(keys.pressed(KeyCode::KeyW) && !keys.just_pressed(KeyCode::KeyW));
    keys.release(KeyCode::KeyW);
    keys.release(KeyCode::KeyA);
    assert!(!keys.pressed(KeyCode::KeyW) && keys.just_released(KeyCode::KeyW) && !keys.just_released(KeyCode::KeyA));
    assert!(keys.clear_just_released(KeyCode::KeyW) && !keys.clear_just_released(KeyCode::KeyW));
}

#[test]
fn buttons_cross_in_both_directions() {
    fn consume(mut keys: ResMut<ButtonInput<KeyCode>>, mouse: Res<ButtonInput<MouseButton>>) {
        if mouse.just_pressed(MouseButton::Other(7)) {
            keys.clear_just_pressed(KeyCode::F35);
        }
    }
    let mut keys = ButtonInput::default();
    keys.press(KeyCode::F35);
    let mut mouse = ButtonInput::default();
    mouse.press(MouseButton::Other(7));
    let mut test = SystemTest::new(consume).resource(keys).resource(mouse);
    test.run();
    let rows = test.rows::<ButtonInput<KeyCode>>(0, 0);
    assert!(rows[0].pressed(KeyCode::F35) && !rows[0].just_pressed(KeyCode::F35));
}
