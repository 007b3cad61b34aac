//! The panel in which players see their mods: a key opens it, and it is worked by keyboard and mouse. It only looks and asks; what
//! becomes of a mod is the lifecycle's to do.
//!
//! In the order of a frame: `input` makes [`Action`](action::Action)s of keys and clicks, `action` carries them out, `model` says what there is
//! to see, and `view` builds it, in the looks of `theme`, when it is another than before; `live` moves what changes all the time.

mod action;
mod edit;
mod input;
mod live;
mod model;
mod step;
mod theme;
mod view;

use std::{sync::Arc, time::Duration};

use bevy_app::{App, Plugin, PostUpdate, PreUpdate};
use bevy_ecs::{
    reflect::ReflectResource,
    resource::Resource,
    schedule::{IntoScheduleConfigs, SystemSet, common_conditions::resource_exists},
    system::Res,
};
use bevy_input::{ButtonInput, InputSystems, keyboard::KeyCode, mouse::MouseButton};
use bevy_reflect::{Reflect, std_traits::ReflectDefault};
use bevy_text::FontSource;
use bevy_ui::UiSystems;

use self::action::Actions;
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

/// The panel of [`ModsOverlayPlugin`].
///
/// ```
/// # use bevy::prelude::*;
/// # use bevy_wasm_mods::prelude::*;
/// fn shoot(panel: Res<ModsOverlay>, keys: Res<ButtonInput<KeyCode>>) {
///     // What the panel uses the game does not see; the rest it may leave alone while the player looks at mods.
///     if !panel.is_open && keys.just_pressed(KeyCode::Space) {
///         info!("bang");
///     }
/// }
///
/// /// An entry in the game's own menu.
/// fn show_mods(mut panel: ResMut<ModsOverlay>) {
///     panel.is_open = true;
/// }
/// ```
#[derive(Resource, Reflect, Debug, Clone, Default)]
#[reflect(Resource, Default)]
pub struct ModsOverlay {
    /// Whether the player sees it. The game may open and close it.
    pub is_open: bool,
    /// The font of the panel. A game without Bevy's feature `default_font` has to bring one.
    pub font: FontSource,
}

/// When the panel reads keys and clicks: in `PreUpdate`, after Bevy's UI has. Systems of the game that run later do
/// not see what it took.
#[derive(SystemSet, Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ModsOverlaySystems;

/// How the plugin was added.
#[derive(Resource, Debug, Clone, Copy)]
pub(crate) struct OverlayConfig {
    key: KeyCode,
    full_bar: Duration,
}

/// What the panel knows of itself from frame to frame.
#[derive(Resource, Debug, Default)]
pub(crate) struct Panel {
    /// What the keyboard would press, if it is there.
    cursor: Option<Spot>,
    /// The text that is being written.
    edit: Option<edit::Edit>,
    /// What the last thing that was asked for met with.
    refusal: Option<String>,
    /// What is on the screen.
    shown: Option<view::Shown>,
}

/// A place in the panel that can be pressed. Places stay what they are when mods come and go.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Spot {
    /// A mod's switch.
    Switch(Arc<str>),
    /// A mod's reload.
    Reload(Arc<str>),
    /// A setting of a mod.
    Setting(Arc<str>, Arc<str>),
}

impl Spot {
    /// The mod that it belongs to.
    fn mod_id(&self) -> &Arc<str> {
        match self {
            Self::Switch(id) | Self::Reload(id) | Self::Setting(id, _) => id,
        }
    }
}

impl Plugin for ModsOverlayPlugin {
    fn build(&self, app: &mut App) {
        app.register_type::<ModsOverlay>()
            .init_resource::<ModsOverlay>()
            .insert_resource(OverlayConfig { key: self.key, full_bar: self.full_bar })
            .init_resource::<Panel>()
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
                    view::take_away.run_if(|overlay: Res<ModsOverlay>| !overlay.is_open),
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
