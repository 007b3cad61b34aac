//! The window, the camera, and the mouse.

use bevy::{
    camera::ClearColorConfig,
    prelude::{
        App, ButtonInput, Camera, Camera2d, Color, Commands, GlobalTransform, MouseButton, Msaa, PreUpdate, Res,
        ResMut, Single, Startup, Window, With, default,
    },
    window::{PresentMode, PrimaryWindow, WindowPlugin, WindowResolution},
    winit::WinitSettings,
};

use crate::arena::{Arena, Pointer};

/// The window. Where only frames count (`in_haste`), none waits for the screen.
pub(crate) fn window(in_haste: bool) -> WindowPlugin {
    let present_mode = if in_haste { PresentMode::AutoNoVsync } else { PresentMode::AutoVsync };
    let resolution = WindowResolution::new(1280, 720);
    let window = Window { title: "Swarm".to_owned(), resolution, present_mode, ..default() };
    WindowPlugin { primary_window: Some(window), ..default() }
}

/// Adds the camera and keeps [`Arena`] and [`Pointer`] as the window and the mouse are.
pub(crate) fn plugin(in_haste: bool) -> impl Fn(&mut App) {
    move |app| {
        if in_haste {
            app.insert_resource(WinitSettings::continuous());
        }
        app.add_systems(Startup, add_camera).add_systems(PreUpdate, (measure, point));
    }
}

fn add_camera(mut commands: Commands) {
    let clear_color = ClearColorConfig::Custom(Color::BLACK);
    // Nothing here has a hard edge.
    commands.spawn((Camera2d, Camera { clear_color, ..default() }, Msaa::Off));
}

fn measure(window: Single<&Window, With<PrimaryWindow>>, mut arena: ResMut<Arena>) {
    let half = window.size() / 2.0;
    if half.min_element() > 0.0 && arena.half != half {
        arena.half = half;
    }
}

fn point(
    window: Single<&Window, With<PrimaryWindow>>,
    camera: Single<(&Camera, &GlobalTransform)>,
    buttons: Res<ButtonInput<MouseButton>>,
    mut pointer: ResMut<Pointer>,
) {
    let (camera, place) = *camera;
    let at = window.cursor_position().and_then(|cursor| camera.viewport_to_world_2d(place, cursor).ok());
    let is_down = buttons.pressed(MouseButton::Left);
    *pointer = Pointer { at: at.unwrap_or(pointer.at), is_there: at.is_some(), is_down };
}
