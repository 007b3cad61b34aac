//! The panel in which players see their mods: a key opens it, and it is worked by keyboard and mouse. It only looks and asks; what
//! becomes of a mod is the lifecycle's to do.
//!
//! In the order of a frame: `input` makes [`Action`](action::Action)s of keys and clicks, `action` carries them out, `model` says what there is
//! to see, and `view` builds it, in the looks of `theme`, when it is another than before; `live` moves what changes all the time. By
//! `marks` they know their nodes, and `panel` is what they share.

mod action;
mod edit;
mod input;
mod live;
mod marks;
mod model;
mod panel;
mod step;
mod theme;
mod view;

use std::time::Duration;

use bevy_app::{App, Plugin, PostUpdate, PreUpdate};
use bevy_ecs::{
    schedule::{
        IntoScheduleConfigs, SystemSet,
        common_conditions::{not, resource_exists},
    },
    system::Res,
};
use bevy_input::{ButtonInput, InputSystems, keyboard::KeyCode, mouse::MouseButton};
use bevy_ui::UiSystems;

pub use self::panel::ModsOverlay;
use self::{
    action::Actions,
    panel::{OverlayConfig, Panel},
};
use crate::lifecycle::registry::ModRegistry;

/// Shows the mods to the player: who runs, what each takes of a frame, why one failed, with switches to enable, disable and reload
/// it, and the settings that it declares.
///
/// It is made of Bevy's own UI and drawn by the game's camera, above everything else. [`ModsOverlay`] has whether it is open.
///
/// ```
/// # use bevy::prelude::*;
/// # use bevy_wasm_mods::prelude::*;
/// # let mut app = App::new();
/// # app.add_plugins((MinimalPlugins, AssetPlugin::default()));
/// // with Bevy's `DefaultPlugins`, or its `UiPlugin` and `UiRenderPlugin`
/// app.add_plugins((WasmModsPlugin, ModsOverlayPlugin::default()));
/// # app.update();
/// ```
///
/// | key | |
/// |---|---|
/// | [`ModsOverlayPlugin::key`] | opens and closes the panel; `Escape` closes it, too |
/// | `Up`, `Down`, `Tab` | go from mod to mod, and through the settings of the chosen one |
/// | `Left`, `Right` | choose between a mod's switch and its reload, or change a setting |
/// | `Enter`, `Space` | press what is chosen; in a text, `Enter` keeps it and `Escape` does not |
/// | `Delete`, `Backspace` | give a setting its default again |
///
/// The game does not find these keys in `ButtonInput` while the panel is open, nor a click that is on it.
///
/// By mouse, what looks like a button is one, a click on a mod shows its settings, and the wheel scrolls.
///
/// Needs the feature `overlay`.
#[derive(Debug, Clone, Copy)]
pub struct ModsOverlayPlugin {
    /// The key that opens and closes the panel. F10 by default.
    pub key: KeyCode,
    /// The time in a frame at which a mod's bar is full. A quarter of a frame at 60 frames per second by default.
    pub full_bar: Duration,
}

impl Default for ModsOverlayPlugin {
    fn default() -> Self {
        Self { key: KeyCode::F10, full_bar: Duration::from_micros(4_167) }
    }
}

/// When the panel reads keys and clicks: in `PreUpdate`, after Bevy's UI has. Systems of the game that run later do
/// not see what it took.
#[derive(SystemSet, Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ModsOverlaySystems;

impl Plugin for ModsOverlayPlugin {
    fn build(&self, app: &mut App) {
        app.register_type::<ModsOverlay>()
            .init_resource::<ModsOverlay>()
            .insert_resource(OverlayConfig { key: self.key, full_bar: self.full_bar })
            .init_resource::<Panel>()
            .init_resource::<view::Shown>()
            .init_resource::<Actions>()
            .init_resource::<live::Costs>()
            // Where there is no `InputPlugin`, nothing is ever pressed.
            .init_resource::<ButtonInput<KeyCode>>()
            .init_resource::<ButtonInput<MouseButton>>()
            .add_message::<bevy_input::keyboard::KeyboardInput>()
            .add_message::<bevy_input::mouse::MouseWheel>()
            .configure_sets(
                PreUpdate,
                ModsOverlaySystems.after(InputSystems).after(UiSystems::Focus).run_if(resource_exists::<ModRegistry>),
            )
            .add_systems(
                PreUpdate,
                (
                    input::open_and_close,
                    (input::read_mouse, input::read_keys, input::scroll, action::carry_out, live::measure, view::draw)
                        .chain()
                        .run_if(is_open),
                    view::take_away.run_if(not(is_open)),
                    live::show.run_if(is_open),
                )
                    .chain()
                    .in_set(ModsOverlaySystems),
            )
            .add_systems(PostUpdate, view::keep_in_sight.after(UiSystems::Layout).run_if(is_open));
    }
}

fn is_open(overlay: Res<ModsOverlay>) -> bool {
    overlay.is_open
}
